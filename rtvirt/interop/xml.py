"""XML read safely: the standard library's expat, without document types, so that there are no entities to expand and nothing to fetch."""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from .common import Reading

DEEPEST = 20
MOST = 200_000            # elements


@dataclass
class Node:
    """An element; `text` is what is between its tags, without that of the elements inside."""

    tag: str
    attributes: dict[str, str]
    line: int
    children: list[Node] = field(default_factory=list)
    text: str = ""

    def all(self, tag: str) -> list[Node]:
        """The elements of that name inside, not deeper."""
        return [child for child in self.children if child.tag == tag]

    def first(self, tag: str) -> Node | None:
        """The first of them."""
        return next(iter(self.all(tag)), None)


def parse(reading: Reading) -> Node:
    """The root of a file.

    Raises
    ------
    SpecError
        What is not XML, with its line; a document type (entities are declared there); too many or too deeply nested elements.
    """
    text = reading.text()
    stack: list[Node] = []
    roots: list[Node] = []
    count = 0
    parser = expat.ParserCreate()

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        if count > MOST or len(stack) >= DEEPEST:
            raise reading.refusal(parser.CurrentLineNumber, "file", "too many or too deeply nested elements",
                                  f"{MOST} elements, {DEEPEST} levels", "split it, or flatten it")
        node = Node(tag, dict(attributes), parser.CurrentLineNumber)
        (stack[-1].children if stack else roots).append(node)
        stack.append(node)

    def characters(text: str) -> None:
        stack[-1].text += text

    def refuse(*_: object) -> None:
        raise reading.refusal(parser.CurrentLineNumber, "file", "<!DOCTYPE ...>", "elements only", "remove the document type")

    parser.StartElementHandler = start
    parser.buffer_text = True
    parser.CharacterDataHandler = characters
    parser.EndElementHandler = lambda tag: stack.pop()
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(text.encode(), True)
    except expat.ExpatError as error:
        raise reading.refusal(error.lineno, "file", expat.errors.messages.get(error.code, "not XML"), "XML",
                              f"correct it at column {error.offset + 1}") from None
    return roots[0]


def worded(tag: str, attributes: dict[str, str], text: str, indent: int = 0) -> list[str]:
    """The line of an element with text inside."""
    named = "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())
    return [f"{'  ' * indent}<{tag}{named}>{escape(text)}</{tag}>"]


def element(tag: str, attributes: dict[str, str], inside: list[str] | None = None, indent: int = 0) -> list[str]:
    """Lines of an element."""
    named = "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())
    margin = "  " * indent
    return [f"{margin}<{tag}{named}/>"] if not inside else [f"{margin}<{tag}{named}>", *inside, f"{margin}</{tag}>"]
