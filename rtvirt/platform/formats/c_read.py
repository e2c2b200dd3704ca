"""Tables in C: the initializer of one variable, read without a compiler and without running anything.

Numbers are computed, macros that the file itself defines as numbers are known, and what is not known stays a name: who needs it as a
number complains then. Nothing is included, nothing is called.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...errors import SpecError
from .c_table import Call, Entry, Table, Unknown, shown
from .c_tokens import Word, refuse, words

DEEPEST = 32
"""Deepest nesting of braces and brackets `int`."""
WIDEST = 4096
"""Most entries of one table `int`."""
ALL_BITS = 2**64 - 1
TYPE_WORDS = {"struct", "union", "const", "unsigned", "signed", "char", "int", "long", "short", "void", "size_t", "bool", "uintptr_t",
              "irqid_t", "paddr_t", "vaddr_t", "streamid_t", "deviceid_t", "cpumap_t", "colormap_t",
              *(form.format(sign, n) for n in (8, 16, 32, 64) for form, signs in (("{}int{}_t", ("", "u")), ("__{}{}", "us"), ("{}{}", "us"))
                for sign in signs)}
LEVELS = (("||",), ("&&",), ("|",), ("^",), ("&",), ("==", "!="), ("<", ">", "<=", ">="), ("<<", ">>"), ("+", "-"), ("*", "/", "%"))
BINDS = {sign: n for n, signs in enumerate(LEVELS) for sign in signs}
"""How tightly operators bind."""


@dataclass
class Source:
    """A file as read: its variables, the macros called at top level, what was passed over.

    Examples
    --------
    >>> source = read_source("a.c", "struct config config = { .size = 4 << 10, .list = (struct x[]) {{ .id = ID }} };", {"ID": 7})
    >>> source.tables["config"].number("size"), [row.number("id") for _, row in source.tables["config"].table("list").rows()]
    (4096, [7])
    """

    file: str
    tables: dict[str, Table] = field(default_factory=dict)
    calls: list[tuple[Call, int]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_source(file: str, text: str, constants: Mapping[str, Any], blank: tuple[str, ...] = (), raw: tuple[str, ...] = ()) -> Source:
    """Read a file; `blank` are macros that stand for nothing, arguments of `raw` ones are kept as text."""
    return Reader(file, dict(constants), blank, raw).run(text)


class Reader:
    """Reads words one after another, never back."""

    def __init__(self, file: str, constants: dict[str, Any], blank: tuple[str, ...], raw: tuple[str, ...]) -> None:
        self.file, self.constants, self.blank, self.raw = file, constants, blank, (*raw, "sizeof")
        self.words: list[Word] = []
        self.at = self.depth = 0

    def run(self, text: str) -> Source:
        """All of a file."""
        source = Source(self.file)
        self.words = [word for word in self.direct(words(self.file, text), source) if word.kind != "name" or word.text not in self.blank]
        while self.word.kind != "end":
            self.declaration(source)
        return source

    def direct(self, found: list[Word], source: Source) -> Iterator[Word]:
        """Obey lines of the preprocessor where that is simple: numbers that are defined."""
        for word in found:
            if word.kind != "directive":
                yield word
                continue
            line = word.text.replace("\\\n", " ").replace("\\\r\n", " ")[1:].strip()
            define = re.match(r"define\s+([A-Za-z_]\w*)(\(?)\s*(.*)", line, re.DOTALL)
            if re.match(r"include\b|pragma\b|undef\b", line):
                continue
            if define is None:
                refuse(f"{self.file}:{word.line}", line[:40], "#include and #define", "write the file without conditions")
            if define[2]:
                source.notes.append(f"{self.file}:{word.line}: macro {define[1]}() is not expanded")
            else:
                self.define(define[1], define[3], word.line, source)

    def define(self, name: str, text: str, line: int, source: Source) -> None:
        """Remember what a name stands for, if that is a value."""
        inner = Reader(self.file, self.constants, self.blank, self.raw)
        try:
            inner.words = [one._replace(line=line) for one in words(f"{self.file}:{line}", text)]
            self.constants[name] = inner.value() if inner.word.kind != "end" else Unknown(name)
        except SpecError:
            source.notes.append(f"{self.file}:{line}: {name} stands for no value and is not expanded")
            self.constants[name] = Unknown(name)

    @property
    def word(self) -> Word:
        """The next word."""
        return self.words[self.at]

    def take(self, text: str = "") -> Word:
        """The next word, which must be `text` if given."""
        word = self.word
        if text and word.text != text or word.kind == "end":
            self.refuse(f"`{text or 'more'}`")
        self.at += 1
        return word

    def got(self, text: str) -> bool:
        """Pass over the next word if it is `text`."""
        if self.word.text != text or self.word.kind in ("text", "end"):
            return False
        self.at += 1
        return True

    def refuse(self, allowed: str) -> None:
        """Complain about the next word."""
        refuse(f"{self.file}:{self.word.line}", self.word.text or "the end of the file", allowed, "correct the C")

    def deeper(self, read: Callable[[], Any]) -> Any:
        """Read something nested, but not too deep."""
        self.depth += 1
        if self.depth > DEEPEST:
            self.refuse(f"at most {DEEPEST} levels of brackets")
        value = read()
        self.depth -= 1
        return value

    def declaration(self, source: Source) -> None:
        """One declaration at top level: types are passed over, macros with arguments kept, initializers read."""
        name, line = "", self.word.line
        while not self.got(";"):
            word = self.take()
            if word.text == "{":
                self.skip("{", "}")
            elif word.text == "[":
                self.skip("[", "]")
            elif word.text == "=":
                value = self.value()
                if isinstance(value, Table):
                    source.tables[name] = value
            elif word.text == "(" and name and name != "__attribute__":
                self.at -= 1
                call = self.call(name)
                source.calls.append((call, line))
                self.got(";")
                return
            elif word.text == "(":
                self.skip("(", ")")
            elif word.kind == "name" and word.text != "extern":
                name = word.text if word.text != "__attribute__" or self.word.text != "(" else "__attribute__"
                if name == "__attribute__":
                    self.take("(")
                    self.skip("(", ")")
                    name = ""
            if self.word.kind == "end":
                self.refuse("`;`")

    def skip(self, opening: str, closing: str) -> None:
        """Pass over all to the closing bracket."""
        open_ = 1
        while open_:
            word = self.take()
            open_ += (word.text == opening) - (word.text == closing)

    def value(self) -> Any:
        """A table, a table with its type before it, or an expression."""
        if self.word.text == "{":
            return self.deeper(self.table)
        if self.word.text == "(" and self.is_type():
            self.take("(")
            self.skip("(", ")")
            return self.deeper(self.value)
        return self.deeper(self.expression)

    def is_type(self) -> bool:
        """Is there a type in parentheses: a known one, or any before a table?"""
        inner = [word.text for word in self.words[self.at + 1:self.at + 5]]
        return inner[0] in TYPE_WORDS or inner[1:4] == ["[", "]", ")"] or inner[1:3] == [")", "{"]

    def table(self) -> Table:
        """What is between braces."""
        line, entries = self.take("{").line, []
        while not self.got("}"):
            label, at = self.word.label, self.word.line
            key = self.designator()
            entries.append(Entry(key, self.value(), at, label))
            if len(entries) > WIDEST:
                self.refuse(f"at most {WIDEST} entries")
            if not self.got(","):
                self.take("}")
                break
        return Table(self.file, line, tuple(entries))

    def designator(self) -> str | None:
        """``.name =``, ``[3] =``, or nothing."""
        key = ""
        while self.word.text in (".", "["):
            if self.got("["):
                low = self.expression()
                high = self.expression() if self.got("...") else low
                key += f"[{low}]" if high == low else f"[{low}...{high}]"
                self.take("]")
            else:
                self.take(".")
                if self.word.kind != "name":
                    self.refuse("a name of a field")
                key += ("." if key else "") + self.take().text
        if key:
            self.take("=")
        return key or None

    def expression(self) -> Any:
        """An expression, with a condition if there is one."""
        value = self.level(0)
        if self.got("?"):
            yes = self.deeper(self.expression)
            self.take(":")
            no = self.deeper(self.expression)
            return Unknown("?:") if not isinstance(value, int) else yes if value else no
        return value

    def level(self, least: int) -> Any:
        """Operators that bind at least so tightly: each takes what binds tighter on its right."""
        left = self.unary()
        while (binds := BINDS.get(self.word.text, -1) if self.word.kind == "mark" else -1) >= least:
            sign, where = self.take().text, f"{self.file}:{self.word.line}"
            left = combine(sign, left, self.level(binds + 1), where)
        return left

    def unary(self) -> Any:
        """A sign before a value, a type before it, or the value."""
        if self.word.kind == "mark" and self.word.text in ("-", "~", "!", "+", "&"):
            sign = self.take().text
            value = self.deeper(self.unary)
            if sign == "&" or not isinstance(value, int):
                return Unknown(sign + shown(value))
            return {"-": -value, "~": ~value, "!": int(not value), "+": value}[sign]
        if self.word.text == "(" and self.is_type():
            self.take("(")
            self.skip("(", ")")
            return self.table() if self.word.text == "{" else self.deeper(self.unary)
        return self.primary()

    def primary(self) -> Any:
        """A number, a text, a name, a macro with arguments, or something in parentheses."""
        word = self.take()
        if word.kind == "number":
            return number(word.text, f"{self.file}:{word.line}")
        if word.kind == "text":
            return self.texts(word.text)
        if word.kind == "char" and "\\" not in word.text:
            return ord(word.text[1])
        if word.text == "(":
            value = self.deeper(self.expression)
            self.take(")")
            return value
        if word.kind != "name":
            self.at -= 1
            self.refuse("a value")
        if self.word.text == "(":
            return self.call(word.text)
        if word.text in self.constants:
            return self.constants[word.text]
        return self.member(word.text)

    def texts(self, text: str) -> str:
        """Texts beside each other are one."""
        parts = [text[1:-1]]
        while self.word.kind == "text":
            parts.append(self.take().text[1:-1])
        return "".join(parts)

    def member(self, name: str) -> Unknown:
        """A name, and the members or elements of it."""
        while self.word.text in (".", "->", "["):
            if self.got("["):
                self.skip("[", "]")
                name += "[]"
            else:
                name += self.take().text + self.take().text
        return Unknown(name)

    def call(self, name: str) -> Call:
        """A macro with its arguments."""
        start = self.at
        self.take("(")
        arguments: list[Any] = []
        if name in self.raw:
            self.skip("(", ")")
            return Call(name, ("".join(word.text for word in self.words[start + 1:self.at - 1]),), name)
        while not self.got(")"):
            arguments.append(self.value())
            if not self.got(","):
                self.take(")")
                break
        return Call(name, tuple(arguments), f"{name}({', '.join(map(shown, arguments))})")


def number(text: str, where: str) -> int:
    """The value of a number as C writes it."""
    digits = text.rstrip("uUlL")
    if len(digits) > 66:
        refuse(where, digits[:20], "numbers of 64 bits", "write a smaller number")
    base = {"x": 16, "b": 2}.get(digits[1:2].lower(), 8 if digits[0] == "0" and len(digits) > 1 else 10)
    try:
        value = int(digits[2:] if base in (2, 16) else digits, base)
    except ValueError:
        refuse(where, digits, "digits of the number's base", "correct the number")
    if value > ALL_BITS:
        refuse(where, digits[:20], "numbers of 64 bits", "write a smaller number")
    return value


def combine(sign: str, left: Any, right: Any, where: str) -> Any:
    """Two values and what is between them; unknown if one of them is."""
    if not isinstance(left, int) or not isinstance(right, int):
        return Unknown(f"{shown(left)} {sign} {shown(right)}"[:200])
    if sign in ("/", "%") and right == 0 or sign in ("<<", ">>") and not 0 <= right < 64:
        refuse(where, f"{left} {sign} {right}", "a divisor that is not 0, and shifts by 0 to 63", "correct the expression")
    quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1) if sign in ("/", "%") else 0
    value = {"|": lambda: left | right, "^": lambda: left ^ right, "&": lambda: left & right, "<<": lambda: left << right,
             ">>": lambda: left >> right, "+": lambda: left + right, "-": lambda: left - right, "*": lambda: left * right,
             "/": lambda: quotient, "%": lambda: left - quotient * right, "==": lambda: int(left == right), "!=": lambda: int(left != right),
             "<": lambda: int(left < right), ">": lambda: int(left > right), "<=": lambda: int(left <= right), ">=": lambda: int(left >= right),
             "&&": lambda: int(bool(left and right)), "||": lambda: int(bool(left or right))}[sign]()
    return value & ALL_BITS if value > ALL_BITS else -(-value & ALL_BITS) if value < -ALL_BITS else value
