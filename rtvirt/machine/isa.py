"""An instruction set: a table of opcodes, and small changes to it.

    clean = rv.machine.isa("clean")
    mine = clean.change("RSR", privileged=False).with_opcode("PEEK", peek, operands="a")

The table says of every opcode its number, how it is written, what it does (a function, see opcodes.py) and one bit: whether it traps in user
mode. Most of the machines that could not be virtualized differ from the clean one in that bit.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from ..errors import Problem, SpecError
from . import opcodes as does
from .bind import rebound
from .layout import ENDINGS
from .lazy import Branches, Lazy
from .tables import html_table, text_table

if TYPE_CHECKING:
    import pandas as pd

OPERANDS = ("", "a", "b", "imm", "a, b", "a, imm", "a, b, imm", "a, imm(b)", "imm(b)")
TRIES = 200              # states in each mode that a new function is tried on
Semantics = Callable[[Any, int, int, int, int], int]


@dataclass(frozen=True)
class Opcode:
    """One operation code.

    Attributes
    ----------
    number : int
        1 to 255, the low byte of an instruction word. 0 is never used: empty storage traps.
    name, aliases : str, tuple of str
        In assembly.
    operands : str
        How it is written: one of ``isa.OPERANDS``.
    does : callable
        Its semantics, a function of (m, cpu, a, b, imm) through the primitives of ``view``.
    privileged : bool
        Traps in user mode before it does anything.
    """

    number: int
    name: str
    operands: str
    does: Semantics
    privileged: bool = False
    aliases: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """What it does, in a line."""
        return (self.does.__doc__ or "").strip().split("\n")[0]

    def __repr__(self) -> str:
        return f"<{self.number} {self.name} {self.operands}{' privileged' if self.privileged else ''}: {self.text}>"


@dataclass(frozen=True)
class ISA:
    """An instruction set. `change`, `with_opcode` and `without` return another one; nothing is changed in place."""

    name: str
    title: str
    story: str
    opcodes: tuple[Opcode, ...]

    def opcode(self, name: str) -> Opcode:
        """The opcode of that name or alias."""
        for opcode in self.opcodes:
            if name.upper() in (opcode.name, *opcode.aliases):
                return opcode
        raise SpecError([Problem("opcode", name, ", ".join(o.name for o in self.opcodes), f"choose an opcode of {self.name!r}")])

    def __getitem__(self, name: str) -> Opcode:
        return self.opcode(name)

    def change(self, opcode: str, *, does: Semantics | None = None, privileged: bool | None = None, rename: str | None = None,
               operands: str | None = None) -> ISA:
        """The instruction set with one opcode changed. A renamed opcode keeps its old name as an alias."""
        old = self.opcode(opcode)
        new = replace(old, does=does or old.does, privileged=old.privileged if privileged is None else bool(privileged),
                      operands=old.operands if operands is None else operands)
        if rename:
            new = replace(new, name=rename.upper(), aliases=(*old.aliases, old.name))
        return self.checked(tuple(new if o is old else o for o in self.opcodes))

    def with_opcode(self, name: str, does: Semantics, *, operands: str = "", privileged: bool = False, number: int | None = None) -> ISA:
        """The instruction set with one opcode more; `number` is the next free one unless given."""
        free = 1 + max((o.number for o in self.opcodes), default=0)
        return self.checked((*self.opcodes, Opcode(free if number is None else number, name.upper(), operands, does, bool(privileged))))

    def without(self, name: str) -> ISA:
        """The instruction set without an opcode: its number becomes an illegal instruction."""
        old = self.opcode(name)
        return replace(self, opcodes=tuple(o for o in self.opcodes if o is not old))

    def named(self, name: str, title: str = "", story: str = "") -> ISA:
        """The same under another name."""
        return replace(self, name=name, title=title or self.title, story=story or self.story)

    def checked(self, opcodes: tuple[Opcode, ...]) -> ISA:
        """Self with these opcodes, or SpecError with all that is wrong with them."""
        problems, names, numbers = [], set(), set()
        for o in opcodes:
            if not isinstance(o.number, int) or not 1 <= o.number <= 255 or o.number in numbers:
                problems.append(Problem(f"opcodes[{o.name}].number", o.number, "1 to 255, each once", "leave `number` out"))
            for name in (o.name, *o.aliases):
                if not re.fullmatch(r"[A-Z_][A-Z0-9_]*", name) or name in names:
                    problems.append(Problem("opcode name", name, "letters, digits and _, each name once", "choose another name"))
                names.add(name)
            if o.operands not in OPERANDS:
                problems.append(Problem(f"opcodes[{o.name}].operands", o.operands, " | ".join(repr(x) for x in OPERANDS), "write one of these"))
            if not callable(o.does) or not hasattr(o.does, "__code__") or o.does.__code__.co_argcount != 5:
                problems.append(Problem(f"opcodes[{o.name}].does", o.does, "a function of (m, cpu, a, b, imm)", "see machine/opcodes.py"))
            elif wrong := tried(o.does):
                problems.append(Problem(f"opcodes[{o.name}].does", *wrong))
            numbers.add(o.number)
        if problems:
            raise SpecError(problems)
        return replace(self, opcodes=opcodes)

    @property
    def table(self) -> pd.DataFrame:
        """One row an opcode: number, operands, privileged, what it does."""
        import pandas as pd

        rows = [(o.name, o.number, o.operands, o.privileged, o.text) for o in self.opcodes]
        return pd.DataFrame(rows, columns=["opcode", "number", "operands", "privileged", "does"]).set_index("opcode")

    def rows(self) -> list[tuple[str, ...]]:
        """The table as text."""
        return [(str(o.number), o.name, o.operands, "traps in user mode" if o.privileged else "", o.text) for o in self.opcodes]

    def __repr__(self) -> str:
        return f"{self.name}: {self.title}\n{self.story}\n\n" + text_table(("no.", "opcode", "operands", "privileged", "does"), self.rows())

    def _repr_html_(self) -> str:
        return html_table(("no.", "opcode", "operands", "privileged", "does"), self.rows(), f"{self.name}: {self.title}", self.story)


@cache
def tried(function: Semantics) -> tuple[str, str, str] | None:
    """What is wrong with a function of yours, what is allowed, what to do; found by running it from some states. `classify` tries all."""
    if str(function.__module__).startswith((does.__name__, f"{__package__}.variants.")):
        return None
    if {"machine", "view"} <= set(function.__code__.co_names):
        return "uses rv.machine.view", "view.put(...) and the like", "write `from rtvirt.machine import view`: that name can be led to any state"
    cells = Branches(2, 6)
    view = Lazy(cells)
    mine = rebound(function, view)
    for mode in (0, 1):
        cells.start(1)
        for _ in range(TRIES):
            view.begin(mode, {})
            try:
                ended = mine(None, 0, 1, 2, 1)
            except Exception as error:
                return f"{type(error).__name__}: {error}", "the primitives of rtvirt.machine.view", "correct the function"
            if ended not in ENDINGS:
                return f"returns {ended!r}", "OK, HALT, or what a primitive returns that traps", "end every way through it with `return OK`"
            if not cells.next():
                break
    return None


PRIVILEGED = frozenset(("LPSW", "SRR", "GRR", "JRST", "SSR", "RSR", "STT", "RDT", "HLT", "IN", "OUT"))
CLEAN_TABLE = (
    ("NOP", "", does.nop), ("LDI", "a, imm", does.ldi), ("LD", "a, imm(b)", does.ld), ("ST", "a, imm(b)", does.st), ("MOV", "a, b", does.mov),
    ("ADDI", "a, b, imm", does.addi), ("ADD", "a, b", does.add), ("SUB", "a, b", does.sub), ("MUL", "a, b", does.mul),
    ("AND", "a, b", does.and_), ("XOR", "a, b", does.xor), ("SHR", "a, b", does.shr), ("LT", "a, b", does.lt),
    ("JMP", "imm(b)", does.jmp), ("JZ", "a, imm(b)", does.jz), ("JNZ", "a, imm(b)", does.jnz), ("JAL", "a, imm(b)", does.jal),
    ("SVC", "imm", does.svc), ("LPSW", "imm(b)", does.lpsw), ("SRR", "a, b", does.srr), ("GRR", "a, b", does.grr), ("JRST", "imm(b)", does.jrst),
    ("SSR", "a", does.ssr), ("RSR", "a", does.rsr), ("STT", "a", does.stt), ("RDT", "a", does.rdt), ("HLT", "", does.hlt),
    ("IN", "a, imm", does.in_), ("OUT", "a, imm", does.out),
)
CLEAN = ISA(
    "clean", "the clean machine: whatever is sensitive traps in user mode",
    "A third-generation machine as a manufacturer would have to build it for Theorem 1 to hold.",
    tuple(Opcode(i + 1, name, operands, function, name in PRIVILEGED) for i, (name, operands, function) in enumerate(CLEAN_TABLE)),
)
