"""The words of a C source file that holds tables: bounded in length, in number and in the size of numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple, NoReturn

from ...errors import Problem, SpecError

LONGEST = 400_000
"""Longest text of a file `int [characters]`."""
MOST = 50_000
"""Most words of a file `int`."""

WORD = re.compile(r"""
    (?P<space>[ \t\r\f\v]+|\\\r?\n|\n)
  | (?P<comment>/\*(?s:.*?)\*/|//[^\n]*)
  | (?P<number>0[xX][0-9a-fA-F]+[uUlL]*|0[bB][01]+[uUlL]*|[0-9]+[uUlL]*)(?![0-9a-zA-Z_])
  | (?P<name>[A-Za-z_][A-Za-z_0-9]*)
  | (?P<text>"(?:[^"\\\n]|\\[^\n])*")
  | (?P<char>'(?:[^'\\\n]|\\[^\n])')
  | (?P<mark>\.\.\.|<<|>>|<=|>=|==|!=|&&|\|\||->|[-+*/%&|^~!<>=?:;,.(){}\[\]#])
""", re.VERBOSE)


class Word(NamedTuple):
    """One word: what kind, its text, its line, and the comment just before it."""

    kind: str                 # number, name, text, char, mark, end
    text: str
    line: int
    label: str = ""


def refuse(where: str, value: object, allowed: str, fix: str) -> NoReturn:
    """What cannot be read, with its place."""
    raise SpecError([Problem("text", value, allowed, fix, where)])


def words(file: str, text: str) -> list[Word]:
    """All words of a file; lines of the preprocessor are one `directive` each.

    Examples
    --------
    >>> [word.text for word in words("a.c", "x = 0x10; // why")]
    ['x', '=', '0x10', ';', '']
    """
    if len(text) > LONGEST:
        refuse(file, f"{len(text)} characters", f"at most {LONGEST}", "split the file")
    found = list(islice(scan(file, text), MOST + 1))
    if len(found) > MOST:
        refuse(f"{file}:{found[-1].line}", "more words", f"at most {MOST}", "split the file")
    return found


def scan(file: str, text: str) -> Iterator[Word]:
    """Words one by one."""
    at, line, label, fresh = 0, 1, "", True
    while at < len(text):
        if text[at] == "#" and fresh:
            end = end_of_directive(text, at)
            yield Word("directive", text[at:end], line)
            line, at, label = line + text.count("\n", at, end), end, ""
            continue
        match = WORD.match(text, at)
        if match is None:
            unreadable(f"{file}:{line}", text, at)
        kind, word = match.lastgroup or "", match[0]
        if kind == "comment":
            label = word.strip("/*").strip()
        elif kind != "space":
            yield Word(kind, word, line, label)
            label = ""
        fresh = "\n" in word or (fresh and kind in ("space", "comment"))
        line, at = line + word.count("\n"), match.end()
    yield Word("end", "", line)


def end_of_directive(text: str, at: int) -> int:
    """Where a line of the preprocessor ends, with the lines that it is continued on."""
    while True:
        end = text.find("\n", at)
        if end < 0:
            return len(text)
        if not text[:end].endswith("\\") and not text[max(0, end - 2):end] == "\\\r":
            return end
        at = end + 1


def unreadable(where: str, text: str, at: int) -> NoReturn:
    """Say what is wrong with text that is no word."""
    rest = text[at:at + 20]
    if rest.startswith("/*"):
        refuse(where, rest, "a comment with an end", "close it with */")
    if rest[:1] in "\"'":
        refuse(where, rest, "a text with an end on its line", "close it")
    refuse(where, rest, "words of C", "remove what is no C")
