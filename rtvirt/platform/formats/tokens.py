"""A text in pieces, each with its line; of C, whose preprocessor and comments matter, c_tokens.py takes care."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from .common import Source


class Token(NamedTuple):
    """A piece of the text."""

    kind: str
    text: str
    line: int


def tokens(source: Source, pattern: re.Pattern[str], most: int, allowed: str, fix: str, refused: Mapping[str, tuple[str, str]]) -> list[Token]:
    """The text without what `pattern` calls space; kinds are the names of its groups.

    Raises
    ------
    SpecError
        With the line of what is no piece, of the first of more than `most`, and of a word that is `refused`: {word: (allowed, fix)}.
    """
    text, found, line, at = source.text(), [], 1, 0
    while at < len(text):
        match = pattern.match(text, at)
        if match is None or len(found) >= most:
            seen = "too many words" if match else text[at:at + 20].split("\n")[0]
            raise source.refusal(line, "file", seen, f"{allowed}; {most} words at most", fix)
        if match[0] in refused:
            raise source.refusal(line, "file", match[0], *refused[match[0]])
        if match.lastgroup != "space":
            found.append(Token(str(match.lastgroup), match[0], line))
        line += match[0].count("\n")
        at = match.end()
    return found
