"""Device tree source: nodes with properties, read without any directive that would bring in other files, and written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from .common import Source
from .tokens import Token, tokens

DEEPEST = 32
MOST = 50_000             # tokens
TOKEN = re.compile(r"""
    (?P<space>[ \t\r\n]+|//[^\n]*|/\*(?:[^*]|\*(?!/))*+\*/) | (?P<string>"(?:[^"\\]|\\.)*+") | (?P<directive>/[a-z][a-z0-9-]*/|\#include\b)
  | (?P<sign>[{}<>=;,:&/\[\]]) | (?P<word>[A-Za-z0-9,._+?\#@-]+)""", re.VERBOSE)
BRINGS = ("nodes and properties only", "it would read another file: put its content here")
REFUSED = dict.fromkeys(("/include/", "/incbin/", "#include"), BRINGS)


class Ref(NamedTuple):
    """A reference to a label."""

    label: str


Cell = int | Ref
Value = str | list[Cell]


@dataclass
class Node:
    """A node: properties are lists of strings and of arrays of cells."""

    name: str
    line: int
    labels: list[str] = field(default_factory=list)
    properties: dict[str, list[Value]] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    children: dict[str, Node] = field(default_factory=dict)

    def strings(self, name: str) -> list[str]:
        """The strings of a property."""
        return [value for value in self.properties.get(name, []) if isinstance(value, str)]

    def cells(self, name: str) -> list[Cell]:
        """The cells of a property."""
        return [cell for value in self.properties.get(name, []) if isinstance(value, list) for cell in value]

    def numbers(self, source: Source, name: str, least: int = 0) -> list[int]:
        """The cells of a property, all numbers, at least so many."""
        cells = self.cells(name)
        if len(cells) < least or not all(isinstance(cell, int) for cell in cells):
            raise source.refusal(self.at(name), name, f"{len(cells)} cells", f"at least {least} numbers", "write for example <0x0 0x1000>")
        return [cell for cell in cells if isinstance(cell, int)]

    def width(self, source: Source, name: str, otherwise: int) -> int:
        """How many cells an address or a size has."""
        return source.whole(self.at(name), name, [otherwise, *self.numbers(source, name)][-1], 1, 2)

    def rows(self, source: Source, name: str, widths: Sequence[int]) -> list[list[int]]:
        """The cells of a property as rows of numbers, each of so many cells."""
        numbers = self.numbers(source, name)
        if len(numbers) % sum(widths):
            raise source.refusal(self.at(name), name, f"{len(numbers)} cells", f"rows of {' + '.join(map(str, widths))} cells", "add what is missing")
        found: list[list[int]] = []
        for start in range(0, len(numbers), sum(widths)):
            row, rest = [], numbers[start:start + sum(widths)]
            for width in widths:
                row.append(rest[0] if width == 1 else (rest[0] << 32) | rest[1])
                rest = rest[width:]
            found.append(row)
        return found

    def at(self, name: str) -> int:
        """The line of a property; of the node, if it does not have it."""
        return self.lines.get(name, self.line)

    def all(self, compatible: str) -> list[Node]:
        """Children that are compatible with something."""
        return [child for child in self.children.values() if compatible in child.strings("compatible")]


class Parser:
    """Reads tokens one by one."""

    def __init__(self, source: Source) -> None:
        self.source, self.tokens, self.k = source, tokens(source, TOKEN, MOST, "device tree source", "correct it", REFUSED), 0

    def next(self, *expected: str) -> Token:
        """The next token; an error if others were expected."""
        last = self.tokens[-1].line if self.tokens else 1
        token = self.tokens[self.k] if self.k < len(self.tokens) else Token("end", "the end of the file", last)
        if expected and token.text not in expected and token.kind not in expected:
            raise self.source.refusal(token.line, "file", token.text, " or ".join(expected), "correct it, or write the value itself")
        self.k += 1
        return token

    def sees(self, text: str, ahead: int = 0) -> bool:
        """True if that is the next token."""
        return self.k + ahead < len(self.tokens) and self.tokens[self.k + ahead].text == text

    def tree(self) -> Node:
        """The root."""
        self.next("/dts-v1/")
        self.next(";")
        root = Node("/", 1)
        self.next("/")
        self.body(root, 0)
        self.next(";")
        if self.k < len(self.tokens):
            self.next("the end of the file")
        return root

    def body(self, node: Node, depth: int) -> None:
        """What is between braces."""
        if depth >= DEEPEST:
            raise self.source.refusal(node.line, "file", node.name, f"{DEEPEST} levels of nodes at most", "flatten it")
        self.next("{")
        while not self.sees("}"):
            labels = []
            while self.sees(":", 1):
                labels.append(self.next("word").text)
                self.next(":")
            name = self.next("word")
            if self.sees("{"):
                if name.text in node.children:
                    raise self.source.refusal(name.line, "file", name.text, "a name used once in a node", "rename one of them")
                child = node.children[name.text] = Node(name.text, name.line, labels)
                self.body(child, depth + 1)
            else:
                node.properties[name.text], node.lines[name.text] = self.values(), name.line
            self.next(";")
        self.next("}")

    def values(self) -> list[Value]:
        """What a property is; nothing for one that is only there."""
        found: list[Value] = []
        if not self.sees("="):
            return found
        self.next("=")
        while True:
            token = self.next("string", "<")
            found.append(unquoted(token.text) if token.kind == "string" else self.array())
            if not self.sees(","):
                return found
            self.next(",")

    def array(self) -> list[Cell]:
        """Cells, to the closing bracket."""
        cells: list[Cell] = []
        while not self.sees(">"):
            token = self.next("word", "&")
            cells.append(Ref(self.next("word").text) if token.text == "&" else
                         self.source.whole(token.line, "cell", token.text, 0, 2**32 - 1, 0))
        self.next(">")
        return cells


def parse(source: Source) -> Node:
    """The root of a file.

    Raises
    ------
    SpecError
        With the line; also for directives, which would read other files, and expressions, which are not computed.
    """
    return Parser(source).tree()


ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


def unquoted(text: str) -> str:
    """A string without its quotes."""
    return re.sub(r"\\(.)", lambda found: ESCAPES.get(found[1], found[1]), text[1:-1], flags=re.DOTALL)


def quoted(text: str) -> str:
    """A string with its quotes."""
    escapes = {"\n": "\\n", "\t": "\\t", "\r": "\\r", "\\": "\\\\", '"': '\\"'}
    return '"' + "".join(escapes.get(char, char) for char in text) + '"'


def pair(number: int) -> str:
    """A 64-bit number as two cells."""
    return f"{number >> 32:#x} {number & 0xffffffff:#x}"


def node(name: str, lines: Iterable[str], label: str = "") -> list[str]:
    """Lines of a node."""
    return [f"{label + ': ' if label else ''}{name} {{", *(f"\t{line}" if line else "" for line in lines), "};"]
