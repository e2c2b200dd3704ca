"""The syntax of xl's configuration files: assignments of numbers, strings and lists. It looks like Python, and nothing of it is ever evaluated.

As in Xen's own library (libxlutil): ``#`` begins a comment, ``;`` or the end of the line ends an assignment, lists may go over lines, ``\\`` escapes
in strings. Unlike there, a name is assigned once: ``+=`` is refused, and so is a second ``=``.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from .common import Source
from .tokens import Token, tokens

Value = int | str | list["Value"]
DEEPEST = 4
MOST = 20_000             # tokens
TOKEN = re.compile(r"""
    (?P<space>[ \t\r]+|\#[^\n]*) | (?P<end>\n|;) | (?P<number>0x[0-9a-f]+\b|[0-9]+\b) | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<string>"(?:[^"\\\n]|\\.)*+"|'(?:[^'\\\n]|\\.)*+') | (?P<sign>\+=|[=\[\],])""", re.VERBOSE)
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


class Assigned(NamedTuple):
    """A value, and the line where it is assigned."""

    value: Value
    line: int


def parse(source: Source) -> dict[str, Assigned]:
    """The assignments of a file.

    Raises
    ------
    SpecError
        With the line of what is no assignment.
    """
    text, found = tokens(source, TOKEN, MOST, "names, numbers, strings, lists", "correct it; code is not run", {}), dict[str, Assigned]()
    k = 0
    while k < len(text):
        if text[k].kind == "end":
            k += 1
            continue
        name, sign = text[k], text[k + 1] if k + 1 < len(text) else Token("end", "", text[k].line)
        if name.kind != "name" or sign.text != "=":
            raise source.refusal(name.line, "file", f"{name.text} {sign.text}", "NAME = VALUE", "write one assignment a line; code is not run")
        if name.text in found:
            raise source.refusal(name.line, name.text, "assigned again", "one assignment of each name", f"see line {found[name.text].line}")
        value, k = value_at(source, text, k + 2, name)
        found[name.text] = Assigned(value, name.line)
        if k < len(text) and text[k].kind != "end":
            raise source.refusal(text[k].line, name.text, text[k].text, "the end of the line", "write one assignment a line; code is not run")
    return found


def value_at(source: Source, text: list[Token], k: int, name: Token, depth: int = 0) -> tuple[Value, int]:
    """The value that begins at a token, and the token behind it."""
    token = text[k] if k < len(text) else Token("end", "", name.line)
    if token.kind == "number":
        base = 16 if token.text.startswith("0x") else 8 if token.text.startswith("0") and token.text != "0" else 10
        return source.whole(token.line, name.text, token.text, 0, 2**63 - 1, base), k + 1
    if token.kind == "string":
        return re.sub(r"\\(.)", lambda found: ESCAPES.get(found[1], found[1]), token.text[1:-1]), k + 1
    if token.text != "[" or depth >= DEEPEST:
        raise source.refusal(token.line, name.text, token.text, f"a number, a string or a list, {DEEPEST} levels deep at most", "correct it")
    items: list[Value] = []
    k = behind_ends(text, k + 1)
    while k < len(text) and text[k].text != "]":
        item, k = value_at(source, text, k, name, depth + 1)
        items.append(item)
        k = behind_ends(text, k)
        if k < len(text) and text[k].text == ",":
            k = behind_ends(text, k + 1)
        elif k < len(text) and text[k].text != "]":
            raise source.refusal(text[k].line, name.text, text[k].text, "a comma, or ]", "correct the list")
    if k >= len(text):
        raise source.refusal(token.line, name.text, "a list without end", "[ ... ]", "close it with ]")
    return items, k + 1


def behind_ends(text: list[Token], k: int) -> int:
    """The first token from k on that ends no line."""
    while k < len(text) and text[k].kind == "end" and text[k].text == "\n":
        k += 1
    return k


def written(value: Value) -> str:
    """A value as text.

    Examples
    --------
    >>> written(['a "b"', 3])
    '["a \\\\"b\\\\"", 3]'
    """
    if isinstance(value, list):
        return f"[{', '.join(map(written, value))}]"
    if isinstance(value, int):
        return str(value)
    escapes = {"\n": "\\n", "\t": "\\t", "\r": "\\r", "\\": "\\\\", '"': '\\"'}
    return '"' + "".join(escapes.get(char, char) for char in value) + '"'
