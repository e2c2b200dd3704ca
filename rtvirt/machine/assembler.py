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
address``, ``.word expression, ...``, ``.space count``, ``.ascii "text"`` (a character a word), ``.equ name, expression``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from ..errors import Problem, SpecError
from .isa import ISA, Opcode
from .layout import FIRST_FREE, MASK, REGISTERS, STORE
from .syntax import Mistake, register, split, text_of, value, without_comment
from .tables import html_table, text_table
from .variants import isa as find

LINE = re.compile(r"\s*(?:(?P<label>[A-Za-z_]\w*)\s*:)?\s*(?P<op>\.?[A-Za-z_]\w*)?\s*(?P<rest>.*)$", re.S)
NAME = re.compile(r"[A-Za-z_]\w*")
DIRECTIVES = (".org", ".word", ".space", ".ascii", ".equ")


class AssemblyError(SpecError):
    """Every mistake of a program, each with its line; `problems` holds them."""


@dataclass(frozen=True)
class Program:
    """Words from address 0 on, what the labels mean, which line each word comes from, and which words are instructions."""

    isa: ISA
    words: list[int]
    labels: dict[str, int]
    lines: dict[int, int]
    source: str = ""
    code: frozenset[int] = frozenset()

    def rows(self) -> list[tuple[str, ...]]:
        """The listing: address, word, instruction, line of the source."""
        text = self.source.split("\n")
        return [(str(at), f"{self.words[at]:08x}", disassemble(self.words[at], self.isa), str(line), text[line - 1].strip())
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
    labels: dict[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    words: dict[int, int] = field(default_factory=dict)
    lines: dict[int, int] = field(default_factory=dict)
    code: set[int] = field(default_factory=set)

    def complain(self, line: Line, mistake: Mistake) -> None:
        """Note a mistake and go on: all are reported at once."""
        self.problems.append(Problem(*mistake.args, where=f"line {line.number}"))

    # -------------------------------------------------------------- first pass

    def place(self, source: str) -> list[Line]:
        """Give every line its address and every label its value."""
        at, lines = FIRST_FREE, []
        for number, text in enumerate(source.split("\n"), 1):
            found = LINE.match(without_comment(text))
            line = Line(number, found["label"] or "", found["op"] or "", found["rest"].strip(), at)
            try:
                if line.label:
                    self.define(line.label, at)
                at = self.advance(line, at)
                if at > STORE:
                    raise Mistake("program", f"{at} words", f"up to {STORE}", "make it smaller")
            except Mistake as mistake:
                self.complain(line, mistake)
                at = min(at, STORE) + (not line.op.startswith("."))
            lines.append(line)
        return lines

    def define(self, name: str, value: int) -> None:
        """A label or constant, once."""
        if name in self.labels or re.fullmatch(r"r\d+", name):
            raise Mistake("label", name, "each name once, and no register's", "choose another name")
        self.labels[name] = value

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
            self.define(name.strip(), self.number(text))
            return at
        if line.op not in DIRECTIVES:
            raise Mistake("directive", line.op, ", ".join(DIRECTIVES), "correct the name")
        count = self.number(line.rest)
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
        """Write a line's words."""
        if line.op == ".word":
            words = [self.word(part) for part in split(line.rest)]
        elif line.op == ".ascii":
            words = [ord(c) for c in text_of(line.rest)]
        elif not line.op or line.op.startswith("."):
            return
        else:
            words = [self.instruction(line)]
            self.code.add(line.at)
        for k, word in enumerate(words):
            if line.at + k in self.words:
                raise Mistake("address", line.at + k, "each address once", f"line {self.lines[line.at + k]} has written it: move one of them")
            self.words[line.at + k], self.lines[line.at + k] = word, line.number

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

def assemble(source: str, isa: str | ISA = "clean") -> Program:
    """Assemble a program.

    Raises
    ------
    AssemblyError
        With every mistake, each naming its line.

    Examples
    --------
    >>> import rtvirt as rv
    >>> rv.machine.assemble("LDI r1, 7")
    address  word      instruction  line  source
    -------  --------  -----------  ----  ---------
    12       00070102  LDI r1, 7    1     LDI r1, 7
    """
    if not isinstance(source, str):
        raise SpecError([Problem("source", source, "a string", "give the program as text")])
    work = Assembly(find(isa))
    lines = work.place(source)
    for line in lines:
        if work.problems and any(p.where == f"line {line.number}" for p in work.problems):
            continue
        try:
            work.fill(line)
        except Mistake as mistake:
            work.complain(line, mistake)
    if work.problems:
        raise AssemblyError(sorted(work.problems, key=lambda problem: int(problem.where.split()[1])))
    words = [work.words.get(at, 0) for at in range(max(work.words, default=-1) + 1)]
    return Program(work.isa, words, work.labels, work.lines, source, frozenset(work.code))


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
