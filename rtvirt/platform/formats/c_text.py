"""Tables in C, written: lines, braces, indentation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def field(name: str, value: object) -> list[str]:
    """``.name = value,``"""
    return [f".{name} = {value},"]


def braces(lines: Iterable[str], before: str = "", after: str = ",") -> list[str]:
    """Lines between braces, indented."""
    return [f"{before}{{", *(f"    {line}" if line else line for line in lines), f"}}{after}"]


def rows(name: str, kind: str, entries: Sequence[Sequence[str]]) -> list[str]:
    """``.name = (struct kind[]) { {...}, {...} },`` with what is in the braces of each entry, comment first."""
    inner = [line for entry in entries for line in braces(entry[1:], entry[0] + " " if entry[0] else "")]
    return braces(inner, f".{name} = {f'({kind}[]) ' if kind else ''}")


def bits(numbers: Iterable[int]) -> int:
    """A bitmap."""
    return sum(1 << number for number in set(numbers))


def numbers(bitmap: int) -> tuple[int, ...]:
    """What is in a bitmap.

    Examples
    --------
    >>> numbers(bits([4, 1]))
    (1, 4)
    """
    return tuple(n for n in range(bitmap.bit_length()) if bitmap >> n & 1)


def text_of(lines: Iterable[str]) -> str:
    """A file."""
    return "\n".join(lines) + "\n"
