"""The small grammar of assembly source: comments, operands, expressions, quoted text.

    expression = product { ("+" | "-") product }
    product    = factor { "*" factor }
    factor     = [ "-" ] ( number | 'c' | name )
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from .layout import REGISTERS

ATOM = re.compile(r"\s*(0[xX][0-9a-fA-F]+|\d+|'(?:\\.|[^'\\])'|[A-Za-z_]\w*|[-+*])")
ESCAPES = {"n": "\n", "t": "\t", "0": "\0", "\\": "\\", '"': '"', "'": "'"}


class Mistake(Exception):
    """One mistake: what, its value, what is allowed, what to do."""


# ------------------------------------------------------------------ taking a line apart


def unquoted(text: str) -> Iterator[tuple[int, str]]:
    """Place and character of all that is not between quotes."""
    quote, escaped = "", False
    for i, c in enumerate(text):
        if escaped:
            escaped = False
        elif quote:
            escaped, quote = c == "\\", "" if c == quote else quote
        elif c in "\"'":
            quote = c
        else:
            yield i, c


def without_comment(text: str) -> str:
    """The line up to ; or #, unless quoted."""
    return text[:next((i for i, c in unquoted(text) if c in ";#"), len(text))]


def split(text: str) -> list[str]:
    """Operands: at commas that are not quoted."""
    cuts = [-1, *(i for i, c in unquoted(text) if c == ","), len(text)]
    return [text[a + 1:b].strip() for a, b in zip(cuts, cuts[1:])] if text.strip() else []


def register(text: str) -> int:
    """Number of a register."""
    if not re.fullmatch(rf"[rR][0-{REGISTERS - 1}]", text):
        raise Mistake("register", text, f"r0 to r{REGISTERS - 1}", "name a register")
    return int(text[1])


# ------------------------------------------------------------------ expressions


def value(text: str, names: Mapping[str, int]) -> int:
    """An expression's value."""
    atoms, at = [], 0
    while found := ATOM.match(text, at):
        atoms.append(found[1])
        at = found.end()
    if not atoms or text[at:].strip():
        raise Mistake("expression", text.strip(), "numbers, 'c', names, + - *", "write for example table + 2*4")
    total = product(atoms, names, text)
    while atoms:
        operator = atoms.pop(0)
        if operator not in "+-":
            raise Mistake("expression", text.strip(), "+ - * between terms", "put an operator between")
        total += product(atoms, names, text) * (-1 if operator == "-" else 1)
    return total


def product(atoms: list[str], names: Mapping[str, int], text: str) -> int:
    """Take a product from the front of the atoms."""
    result = factor(atoms, names, text)
    while atoms and atoms[0] == "*":
        del atoms[0]
        result *= factor(atoms, names, text)
    return result


def factor(atoms: list[str], names: Mapping[str, int], text: str) -> int:
    """Take a number, a character or a name."""
    sign = 1
    if atoms[:1] == ["-"]:
        del atoms[0]
        sign = -1
    if not atoms or atoms[0] in "+-*":
        raise Mistake("expression", text.strip(), "a number, 'c' or a name on both sides of + - *", "complete it")
    atom = atoms.pop(0)
    if atom[0].isdigit():
        return sign * (int(atom, 0) if atom[:2].lower() == "0x" else int(atom))
    if atom[0] == "'":
        return sign * ord(unescape(atom[1:-1]))
    if atom not in names:
        raise Mistake("name", atom, ", ".join(sorted(names)) or "names defined in the program", "define it, or correct it")
    return sign * names[atom]


# ------------------------------------------------------------------ quoted text


def text_of(rest: str) -> str:
    """A quoted text."""
    if len(rest) < 2 or rest[0] != '"' or rest[-1] != '"' or any(True for _ in unquoted(rest)):
        raise Mistake(".ascii", rest, '"text"', "put it between double quotes")
    return unescape(rest[1:-1])


def unescape(text: str) -> str:
    r"""Replace \n \t \0 \\ \" \'."""
    return "".join(characters(text))


def characters(text: str) -> Iterator[str]:
    """Characters of a quoted text."""
    it = iter(text)
    for c in it:
        if c != "\\":
            yield c
            continue
        name = next(it, "")
        if name not in ESCAPES:
            raise Mistake("escape", f"\\{name}", " ".join(f"\\{e}" for e in ESCAPES), "write one of these")
        yield ESCAPES[name]
