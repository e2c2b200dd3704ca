"""Assembly language in, words out, and back. Two passes: the first gives every label its address, the second writes words.

            .org 8               ; the new PSW that traps load (rule 1.5)
            .word 0, oops, 0, 4096
    start:  LDI  r1, 10          ; a comment
    loop:   ADD  r2, r1
            ADDI r1, r1, -1
            JNZ  r1, loop
            ST   r2, sum
            HLT
    oops:   HLT
    sum:    .word 0

A program begins at address 12, after the trap area; ``.org`` goes elsewhere, also back.

Operands: registers ``r0`` to ``r7``; expressions of numbers, ``'c'`` characters, labels, ``+ - *``; addresses ``expression(rN)``. Directives: ``.org
address``, ``.word expression, ...``, ``.space count``, ``.ascii "text"`` (a character a word), ``.equ name, expression``, and ``.phase address``:
words go on where they are, but labels count from there, as a program sees them that will run relocated; ``.org`` ends it.

Several sources, given by name, make one program: labels of one are known in all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..errors import Problem, SpecError
from .isa import ISA, Opcode
from .layout import FIRST_FREE, MASK, REGISTERS, STORE
from .syntax import Mistake, register, split, text_of, value, without_comment
from .tables import html_table, text_table
from .variants import isa as find

LINE = re.compile(r"\s*(?:(?P<label>[A-Za-z_]\w*)\s*:)?\s*(?P<op>\.?[A-Za-z_]\w*)?\s*(?P<rest>.*)$", re.S)
NAME = re.compile(r"[A-Za-z_]\w*")
DIRECTIVES = (".org", ".word", ".space", ".ascii", ".equ", ".phase")


class AssemblyError(SpecError):
    """Every mistake of a program, each with its line; `problems` holds them."""


@dataclass(frozen=True)
class Program:
    """Words from address 0 on, where the labels are, which line each word comes from, and which words are instructions.

    Attributes
    ----------
    words : list of int
    labels : dict of str to int
        Absolute addresses, also of labels after ``.phase``; and the values of ``.equ``.
    lines : dict of int to int
        Address to line of `source`, counted from 1.
    source : str
        All sources, one after the other.
    code : frozenset of int
        Addresses of instructions, rather than data.
    files : tuple of (int, str)
        Number of lines before each named source, and its name.
    names : dict of int to str
        Address to label, without ``.equ``.
    """

    isa: ISA
    words: list[int]
    labels: dict[str, int]
    lines: dict[int, int]
    source: str = ""
    code: frozenset[int] = frozenset()
    files: tuple[tuple[int, str], ...] = ()
    names: dict[int, str] = field(default_factory=dict)

    def rows(self) -> list[tuple[str, ...]]:
        """The listing: address, word, instruction, line of the source."""
        text = self.source.split("\n")
        return [(str(at), f"{self.words[at]:08x}", disassemble(self.words[at], self.isa), place_of(line, self.files), text[line - 1].strip())
                for at, line in sorted(self.lines.items())]

    def __repr__(self) -> str:
        return text_table(("address", "word", "instruction", "line", "source"), self.rows())

    def _repr_html_(self) -> str:
        return html_table(("address", "word", "instruction", "line", "source"), self.rows())


@dataclass
class Line:
    """A line taken apart."""

    number: int
    label: str
    op: str
    rest: str
    at: int = 0


@dataclass
class Assembly:
    """A program in the making."""

    isa: ISA
    files: tuple[tuple[int, str], ...] = ()
    labels: dict[str, int] = field(default_factory=dict)         # what a name means in an expression
    places: dict[str, int] = field(default_factory=dict)         # where it is: another number after .phase
    names: dict[int, str] = field(default_factory=dict)          # labels by place
    shift: int = 0                                               # the difference
    problems: list[tuple[int, Problem]] = field(default_factory=list)      # each with the number of its line
    words: dict[int, int] = field(default_factory=dict)
    lines: dict[int, int] = field(default_factory=dict)
    taken: dict[int, int] = field(default_factory=dict)          # the same, with what .space keeps free
    code: set[int] = field(default_factory=set)

    def complain(self, line: Line, mistake: Mistake) -> None:
        """Note a mistake and go on: all are reported at once."""
        name = place_of(line.number, self.files)
        self.problems.append((line.number, Problem(*mistake.args, where=name if self.files else f"line {name}")))

    # -------------------------------------------------------------- first pass

    def place(self, source: str) -> list[Line]:
        """Give every line its address and every label its value."""
        at, lines = FIRST_FREE, []
        for number, text in enumerate(source.split("\n"), 1):
            found = LINE.match(without_comment(text))
            line = Line(number, found["label"] or "", found["op"] or "", found["rest"].strip(), at)
            try:
                if line.label:
                    self.define(line.label, at + self.shift, at)
                    self.names[at] = line.label
                at = self.advance(line, at)
                if at > STORE:
                    raise Mistake("program", f"{at} words", f"up to {STORE}", "make it smaller")
            except Mistake as mistake:
                self.complain(line, mistake)
                at = min(at, STORE) + (not line.op.startswith("."))
            lines.append(line)
        return lines

    def define(self, name: str, value: int, at: int) -> None:
        """A label or constant, once."""
        if name in self.labels or re.fullmatch(r"r\d+", name):
            raise Mistake("label", name, "each name once, and no register's", "choose another name")
        self.labels[name], self.places[name] = value, at

    def advance(self, line: Line, at: int) -> int:
        """Address after a line."""
        if not line.op:
            if line.rest:
                raise Mistake("line", line.rest, "label: OPERATION operands ; comment", "begin with an operation or a label")
            return at
        if not line.op.startswith("."):
            return at + 1
        if line.op == ".word":
            if not line.rest:
                raise Mistake(".word", "", ".word expression, ...", "give it a number")
            return at + len(split(line.rest))
        if line.op == ".ascii":
            return at + len(text_of(line.rest))
        if line.op == ".equ":
            name, _, text = line.rest.partition(",")
            if not NAME.fullmatch(name.strip()):
                raise Mistake(".equ", line.rest, ".equ name, expression", "give it a name")
            constant = self.number(text)
            self.define(name.strip(), constant, constant)
            return at
        if line.op not in DIRECTIVES:
            raise Mistake("directive", line.op, ", ".join(DIRECTIVES), "correct the name")
        count = self.number(line.rest)
        if line.op in (".phase", ".org"):
            self.shift = count - at if line.op == ".phase" else 0
        if line.op == ".phase":
            return at
        line.at = count if line.op == ".org" else at
        target = count if line.op == ".org" else at + count
        if not 0 <= target <= STORE or count < 0:
            raise Mistake(line.op, line.rest, f"0 to {STORE}", "stay within the storage")
        return target

    def number(self, text: str) -> int:
        """An expression's value."""
        return value(text, self.labels)

    # -------------------------------------------------------------- second pass

    def fill(self, line: Line) -> None:
        """Write a line's words, and take care that nothing has two."""
        if line.op == ".word":
            words = [self.word(part) for part in split(line.rest)]
        elif line.op == ".ascii":
            words = [ord(c) for c in text_of(line.rest)]
        elif line.op == ".space":
            words = [None] * self.number(line.rest)
        elif not line.op or line.op.startswith("."):
            return
        else:
            words = [self.instruction(line)]
            self.code.add(line.at)
        for at, word in enumerate(words, line.at):
            if at in self.taken:
                other = place_of(self.taken[at], self.files)
                raise Mistake("address", at, "each address once", f"line {other} has it already: move one of them")
            self.taken[at] = line.number
            if word is not None:
                self.words[at], self.lines[at] = word, line.number

    def word(self, text: str) -> int:
        """A word's value: with a sign or without."""
        number = self.number(text)
        if not -(MASK + 1) // 2 <= number <= MASK:
            raise Mistake("word", number, f"{-(MASK + 1) // 2} to {MASK}", "make it smaller: a word has 32 bits")
        return number & MASK

    def instruction(self, line: Line) -> int:
        """One instruction's word. Every operand is looked at, so that all that is wrong is reported at once."""
        opcode = next((o for o in self.isa.opcodes if line.op.upper() in (o.name, *o.aliases)), None)
        if opcode is None:
            raise Mistake("operation", line.op, ", ".join(o.name for o in self.isa.opcodes), f"correct the name (instruction set {self.isa.name})")
        wanted, given = split(opcode.operands), split(line.rest)
        if len(wanted) != len(given):
            raise Mistake("operands", line.rest, f"{opcode.name} {opcode.operands}".strip(), f"write {len(wanted)} operand(s)")
        fields, mistakes = {"a": 0, "b": 0, "imm": 0}, []
        for want, text in zip(wanted, given):
            try:
                fields |= self.operand(want, text)
            except Mistake as mistake:
                mistakes.append(mistake)
        for mistake in mistakes[1:]:
            self.complain(line, mistake)
        if mistakes:
            raise mistakes[0]
        return opcode.number | fields["a"] << 8 | fields["b"] << 12 | (fields["imm"] & 0xFFFF) << 16

    def operand(self, want: str, text: str) -> dict[str, int]:
        """The fields that an operand fills."""
        if want in ("a", "b"):
            return {want: register(text)}
        found = re.fullmatch(r"(.*)\(\s*(\w+)\s*\)", text) if want == "imm(b)" else None
        base = register(found[2]) if found else 0
        if found and base == 0:
            raise Mistake("base register", "r0", "r1 to r7", "r0 cannot be a base: leave (r0) out, or use another register")
        imm = self.number((found[1].strip() or "0") if found else text)
        if not -0x8000 <= imm <= 0x7FFF:
            raise Mistake("immediate", imm, "-32768 to 32767", "put the number into a .word and load it")
        return {"imm": imm, "b": base} if want == "imm(b)" else {"imm": imm}


def assemble(source: str | Mapping[str, str], isa: str | ISA = "clean") -> Program:
    """Assemble a program.

    Parameters
    ----------
    source : str, or mapping of str to str
        One text; or several by name, assembled in this order as if they were one.
    isa : str or ISA

    Raises
    ------
    AssemblyError
        With every mistake, each naming its line, and its source where there are several.

    Examples
    --------
    >>> import rtvirt as rv
    >>> rv.machine.assemble("LDI r1, 7")
    address  word      instruction  line  source
    -------  --------  -----------  ----  ---------
    12       00070102  LDI r1, 7    1     LDI r1, 7
    """
    texts = source if isinstance(source, Mapping) else {"": source}
    if not all(isinstance(text, str) for text in texts.values()):
        raise SpecError([Problem("source", source, "a string, or strings by name", "give the program as text")])
    text, files = joined(texts)
    work = Assembly(find(isa), files if isinstance(source, Mapping) else ())
    lines = work.place(text)
    wrong = {number for number, _ in work.problems}
    for line in lines:
        if line.number in wrong:
            continue
        try:
            work.fill(line)
        except Mistake as mistake:
            work.complain(line, mistake)
    if work.problems:
        raise AssemblyError([problem for _, problem in sorted(work.problems, key=lambda found: found[0])])
    words = [work.words.get(at, 0) for at in range(max(work.words, default=-1) + 1)]
    return Program(work.isa, words, work.places, work.lines, text, frozenset(work.code), work.files, work.names)


def joined(sources: Mapping[str, str]) -> tuple[str, tuple[tuple[int, str], ...]]:
    """One text of several, and how many lines come before each."""
    lines: list[str] = []
    files = []
    for name, text in sources.items():
        files.append((len(lines), name))
        lines += text.removesuffix("\n").split("\n")
    return "\n".join(lines), tuple(files)


def place_of(line: int, files: tuple[tuple[int, str], ...]) -> str:
    """A line's number for people, in its own source."""
    before, name = next(((before, name) for before, name in reversed(files) if before < line), (0, ""))
    return f"{name}:{line - before}" if name else str(line)


def disassemble(word: int, isa: str | ISA = "clean") -> str:
    """The instruction in a word; ``.word`` where there is none, or where it has bits that the processor does not look at."""
    table = find(isa)
    if not isinstance(word, int):
        raise SpecError([Problem("word", word, f"0 to {MASK}", "give a word as a number")])
    opcode = next((o for o in table.opcodes if o.number == word & 255), None)
    text = "" if opcode is None else written(opcode, word)
    return text or f".word 0x{word & MASK:08x}"


def listing(words: Iterable[int], isa: str | ISA = "clean") -> str:
    """Source text that assembles to exactly these words."""
    return "\n".join(disassemble(word, isa) for word in words)


def written(opcode: Opcode, word: int) -> str:
    """An instruction as it is written, '' if other bits than its operands' are set."""
    a, b, imm = word >> 8 & 15, word >> 12 & 15, (word >> 16 ^ 0x8000) - 0x8000
    unused = ("a" not in opcode.operands and a) or ("b" not in opcode.operands and b) or ("imm" not in opcode.operands and imm)
    if unused or a >= REGISTERS or b >= REGISTERS or not 0 <= word <= MASK:
        return ""
    parts = {"a": f"r{a}", "b": f"r{b}", "imm": str(imm), "imm(b)": f"{imm}(r{b})" if b else str(imm)}
    return f"{opcode.name} {', '.join(parts[want] for want in split(opcode.operands))}".strip()
