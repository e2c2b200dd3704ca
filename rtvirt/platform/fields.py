"""Fields that descriptions of hardware have: addresses, sizes, interrupt lines, and where a figure comes from."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from numbers import Integral
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, WithJsonSchema

from ..system.spec import List, Name, Spec, refusal, within
from ..system.specfile import Hexadecimal

PAGE = 4096
"""Smallest piece of memory that a second stage of translation can give away `int [bytes]`."""
HIGHEST = 2**52
"""Addresses are below this: what ARMv8.2 and x86-64 can have at most `int [bytes]`."""
UNITS = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}


def to_address(value: Any) -> int:
    """An address, as a number or as text in hexadecimal digits."""
    if isinstance(value, str) and re.fullmatch(r"0[xX][0-9a-fA-F]{1,16}", value.strip()):
        value = int(value, 16)
    if not isinstance(value, Integral) or isinstance(value, bool) or not 0 <= value < HIGHEST:
        raise refusal("an address from 0 to 2^52", "write for example 0x40000000")
    return int(value)


def to_size(value: Any) -> int:
    """A size in bytes, as a number or as text with its unit."""
    found = re.fullmatch(r"\s*(\d{1,16})\s*(B|KiB|MiB|GiB|TiB)\s*", value) if isinstance(value, str) else None
    if found:
        value = int(found[1]) * UNITS[found[2]]
    elif isinstance(value, str) and re.fullmatch(r"0[xX][0-9a-fA-F]{1,14}", value.strip()):
        value = int(value, 16)
    if not isinstance(value, Integral) or isinstance(value, bool) or not 1 <= value <= HIGHEST:
        raise refusal("a size from 1 B to 2^52 B", "write for example 64 MiB")
    return int(value)


def format_size(value: int) -> str:
    """A size in the largest unit that divides it."""
    unit = next(unit for unit in reversed(UNITS) if value % UNITS[unit] == 0)
    return f"{value // UNITS[unit]} {unit}"


HEX = "0[xX][0-9a-fA-F]"
"""How hexadecimal numbers begin, in regular expressions of JSON Schema."""
Address = Annotated[int, BeforeValidator(to_address), WithJsonSchema({"anyOf": [
    {"type": "integer", "minimum": 0, "maximum": HIGHEST - 1}, {"type": "string", "pattern": rf"^\s*{HEX}{{1,16}}\s*$"}]})]
Size = Annotated[int, BeforeValidator(to_size), WithJsonSchema({"anyOf": [
    {"type": "integer", "minimum": 1, "maximum": HIGHEST},
    {"type": "string", "pattern": rf"^\s*([0-9]{{1,16}}\s*(B|KiB|MiB|GiB|TiB)|{HEX}{{1,14}})\s*$"}]})]
Line = Annotated[int, BeforeValidator(within(0, 8191)), Field(ge=0, le=8191)]
Lines = Annotated[tuple[Line, ...], List]
Names = Annotated[tuple[Name, ...], List]
Flag = Annotated[bool, Field(strict=True)]
Text = Annotated[str, Field(strict=True, max_length=400)]
Stream = Annotated[int, BeforeValidator(within(0, 65535)), Field(ge=0, le=65535)]


def whole(low: int, high: int) -> Any:
    """Type of whole numbers within [low, high]."""
    return Annotated[int, BeforeValidator(within(low, high)), Field(ge=low, le=high)]


class Extent(Spec):
    """Addresses in a row: base and size.

    Examples
    --------
    >>> Extent(base=0x1000, size="4 KiB").end
    8192
    """

    base: Address
    size: Size

    FORMS: ClassVar[Mapping[str, Callable[[Any], Any]]] = {"base": Hexadecimal, "size": format_size}

    @property
    def end(self) -> int:
        """First address behind."""
        return self.base + self.size

    def overlaps(self, other: Extent) -> bool:
        """True if they have an address in common."""
        return self.base < other.end and other.base < self.end

    def holds(self, other: Extent) -> bool:
        """True if the other lies inside."""
        return self.base <= other.base and other.end <= self.end


def shown(extent: Extent) -> str:
    """In words: 0x1000 to 0x1fff."""
    return f"{extent.base:#x} to {extent.end - 1:#x}"


class Part(Spec):
    """A part of a board, with the source of its figures.

    Parameters
    ----------
    name : str
    source : str
        A key of the board's `sources`; "assumption" where there is none.
    assumed : list of str
        Fields that the source does not give: assumptions.
    """

    name: Name
    source: Name = "assumption"
    assumed: Names = ()
