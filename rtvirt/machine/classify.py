"""Which instructions are privileged, which are sensitive? Decided from the 1974 definitions, not looked up.

Every definition speaks of one state, or of two that differ in M or in l only. So an opcode runs in supervisor and in user mode, and again with
l moved, over the same lazily chosen cells (lazy.py); at each leaf the definitions are read off. Rules: docs/popek-goldberg.md, section 2.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ..errors import Problem, SpecError
from .bind import rebound
from .isa import ISA, Opcode
from .layout import HALT, MEMORY, OK, PRIVILEGED
from .lazy import Branches, Cell, Draws, Lazy
from .report import Classification, Verdict, Witness
from .variants import isa as find

MODELS = ("1974", "extended")
FORMS = ((0, 0), (1, 0), (0, 1), (1, 1), (1, 2))      # register operands, up to renaming: none as base, one, the same, two
EXTENSION = ("ie", "t")
CONTROL = {"l": "R", "b": "R", "ie": "switch", "t": "timer"}


@dataclass
class Outcome:
    """What one run did: the state it started in, how it ended, what it wrote."""

    mode: int
    other: dict[Cell, int]
    ended: int
    writes: dict[Cell, int]
    controls: tuple[str, ...] = ()    # control state that it changed

    @property
    def completes(self) -> bool:
        """It does not trap."""
        return self.ended in (OK, HALT)


@dataclass
class Case:
    """One opcode under examination."""

    opcode: Opcode
    view: Lazy
    model: str
    form: tuple[int, int, int] = (0, 0, 0)
    leaves: int = 0
    pairs: int = 0
    both_trap: bool = True
    counter: Witness | None = None
    found: dict[str, Witness] = field(default_factory=dict)
    controls: set[str] = field(default_factory=set)
    semantics: Any = None

    def run(self, mode: int, other: dict[Cell, int]) -> Outcome:
        """Execute the instruction once."""
        view = self.view
        view.begin(mode, other)
        if mode == 1 and self.opcode.privileged:
            return Outcome(mode, other, PRIVILEGED, {})
        ended = self.semantics(None, 0, *self.form)
        out = Outcome(mode, other, ended, view.writes)
        if out.completes:
            out.controls = tuple(self.changed(out))
        return out

    def before(self, out: Outcome, cell: Cell) -> int:
        """A cell's value before the run."""
        self.view.begin(out.mode, out.other)
        return self.view.before(cell)

    def changed(self, out: Outcome) -> Iterator[str]:
        """Rule 2.2: the control state that changed. Once some has, a cell that was written but not read is not branched over: among the
        states that this leaf stands for, it changes in some."""
        writes, extended, found = out.writes, self.model == "extended", False
        if writes.get("m", out.mode) != out.mode:
            found = True
            yield "M"
        for cell, name in CONTROL.items():
            if cell in writes and (name == "R" or extended):
                open_cell = found and cell not in self.view.cells.values and cell not in out.other
                if open_cell or writes[cell] != self.before(out, cell):
                    found = True
                    yield name
        if any(cell[0] == "x" for cell in writes):
            yield "storage outside E|R"                              # difference D5
        if extended and any(cell[0] == "out" for cell in writes):
            yield "device"
        if extended and out.ended == HALT:
            yield "halt"

    def differ(self, one: Outcome, two: Outcome) -> bool:
        """Rule 2.3: E|R, registers or P differ after the two runs (or one halts and the other goes on)."""
        if one.ended != two.ended:
            return True
        for cell in {**one.writes, **two.writes}:
            if cell in ("m", "l", "b") or (self.model == "extended" and (cell in EXTENSION or cell[0] == "out")):
                continue
            if cell[0] == "out" and (cell in one.writes) != (cell in two.writes):
                return True
            if self.after(one, cell) != self.after(two, cell):
                return True
        return False

    def after(self, out: Outcome, cell: Cell) -> int:
        """A cell's value after the run."""
        if cell in out.writes:
            return out.writes[cell]
        value = self.before(out, cell)
        return (value + 1) & self.view.mask if cell == "p" else value

    # -------------------------------------------------------------- one leaf

    def examine(self) -> None:
        """Read all definitions off at this leaf."""
        self.leaves += 1
        sup, usr = self.run(0, {}), self.run(1, {})
        if MEMORY not in (sup.ended, usr.ended):                     # rule 2.1
            self.pairs += 1
            if not sup.completes or usr.completes:
                self.refute(sup, usr)
        for out in (sup, usr):
            self.both_trap &= not out.completes
            if out.controls:
                self.controls.update(out.controls)
                self.note("control", out)
                if out.mode == 1:
                    self.note("user control", out)
        if not self.may_pair(sup) and not self.may_pair(usr):
            return
        self.compare("mode", sup, usr)
        if not self.settled():
            for other in self.moved("l"):
                self.compare_moved(sup, usr, other)
        if self.model == "extended":
            for cell in [c for c in self.view.cells.values if c in EXTENSION or c[0] == "in"]:
                for other in self.moved(cell):
                    for base in (sup, usr):
                        self.compare("resource", base, self.run(base.mode, other))

    def may_pair(self, out: Outcome) -> bool:
        """False if no pair with this run can be a witness of behaviour: it changed control state, or a trap says all there is to say."""
        return not out.controls and out.ended != MEMORY and not (out.mode == 1 and self.opcode.privileged)

    def compare_moved(self, sup: Outcome, usr: Outcome, other: dict[Cell, int]) -> None:
        """The same contents elsewhere: l + x."""
        there = self.run(0, other), self.run(1, other)
        self.compare("location", sup, there[0])
        self.compare("location", usr, there[1])
        if "location" not in self.found and "mode" not in self.found:
            self.compare("mixed", sup, there[1])
            self.compare("mixed", usr, there[0])

    def settled(self) -> bool:
        """True when moving l can bring no smaller witness of anything."""
        wanted = ("location",) if self.opcode.privileged else ("location", "user location")
        now = self.weight(())
        return all(kind in self.found and self.found[kind].weight <= now for kind in wanted)

    def moved(self, cell: Cell) -> Iterator[dict[Cell, int]]:
        """Other values of a cell that was read. A cell that was not read cannot matter. Only larger ones: pairs have no order."""
        cells = self.view.cells
        if cell in cells.values:
            value = cells.values[cell]
            if cells.exact:
                for x in range(value + 1, cells.most(cell) + 1):
                    yield {cell: x}
            else:
                yield {cell: 1 - value if cell == "ie" else cells.random.randrange(cells.size)}  # type: ignore[attr-defined]

    def compare(self, kind: str, one: Outcome, two: Outcome) -> None:
        """Note a pair that leaves control state alone and still differs: in what it does, or in whether it traps (difference D6)."""
        if one.controls or two.controls or MEMORY in (one.ended, two.ended):
            return
        if one.completes and two.completes:
            found = self.differ(one, two)
        else:
            found = one.completes != two.completes and not (max(one, two, key=traps).mode == 1 and min(one, two, key=traps).mode == 0)
        if found:
            self.note(kind, one, two)
            if kind in ("location", "resource") and one.mode == 1:
                self.note(f"user {kind}", one, two)

    # -------------------------------------------------------------- witnesses

    def note(self, kind: str, *outcomes: Outcome) -> None:
        """Keep the smallest witness: fewest cells that are not 0, then the smallest sum."""
        found = self.found.get(kind)
        if found is None or self.weight(outcomes) < found.weight:
            self.found[kind] = self.witness(kind, outcomes)

    def refute(self, sup: Outcome, usr: Outcome) -> None:
        """A pair that shows the opcode not to be privileged."""
        if self.counter is None or self.weight((sup, usr)) < self.counter.weight:
            self.counter = self.witness("not privileged", (sup, usr))

    def weight(self, outcomes: tuple[Outcome, ...]) -> tuple[int, int]:
        """Size of a witness."""
        numbers = [v for v in (*self.view.cells.values.values(), *self.form, *(x for o in outcomes for x in o.other.values())) if v]
        return len(numbers), sum(numbers)

    def witness(self, kind: str, outcomes: tuple[Outcome, ...]) -> Witness:
        """Write the states down."""
        cells = dict(self.view.cells.values)
        states = tuple((o.mode, {**cells, **o.other}, o.ended, dict(o.writes)) for o in outcomes)
        return Witness(kind, self.opcode.name, self.opcode.operands, self.form, states, self.weight(outcomes), self.view.mask)


def traps(out: Outcome) -> bool:
    """It does not complete."""
    return not out.completes


def forms(operands: str, cells: Branches) -> Iterator[tuple[int, int, int]]:
    """Operand fields to try. Registers are alike, so only whether they are the same matters, and whether b names a base (b = 0: none)."""
    pairs = [(a, b) for a, b in FORMS if ("a" in operands or a == 0) and ("b" in operands or b == 0)]
    if "imm" not in operands:
        numbers = [0]
    elif cells.exact:
        numbers = list(range(1 << cells.bits))
    else:
        numbers = [0, 1, 2, cells.size - 1, (1 << cells.bits) - 1]
    for a, b in pairs:
        for imm in numbers:
            yield a, b, imm


def explore(opcode: Opcode, cells: Branches, model: str) -> Iterator[Case]:
    """Examine an opcode leaf by leaf; whoever has seen enough may stop."""
    case = Case(opcode, Lazy(cells), model)
    case.semantics = rebound(opcode.does, case.view)
    each = list(forms(opcode.operands, cells))
    for case.form in each:
        cells.start(len(each))
        case.examine()
        yield case
        while cells.next():
            case.examine()
            yield case


def judge(opcode: Opcode, cells: Branches, model: str) -> Verdict:
    """Examine one opcode at every leaf."""
    case = deque(explore(opcode, cells, model), maxlen=1)[0]
    if {"location", "mode"} & set(case.found):
        case.found.pop("mixed", None)                                # a purer witness says more
    return Verdict(opcode.name, case.pairs > 0 and case.counter is None, case.both_trap, case.found, case.counter, tuple(sorted(case.controls)),
                   case.leaves, cells.exact, opcode.text)


def classify(isa: str | ISA, *, model: str = "1974", bits: int = 2, store: int | None = None, trials: int | None = None, seed: int = 0,
             only: str | None = None) -> Classification:
    """Classify every opcode of an instruction set by the definitions of Popek and Goldberg.

    Parameters
    ----------
    isa : str or ISA
        Name of a built-in instruction set, or one of your own.
    model : {"1974", "extended"}
        "1974": M and R are control state, nothing else. "extended": so are the interrupt switch, the timer, devices, and whether the
        machine halts (rule 1.9).
    bits, store : int
        Size of the machine that is exhausted: bits of a word, words of storage (default: two more than a word can address, so that
        R may point beyond the end, and both a moved and an unmoved program fit).
    trials, seed : int
        Instead of exhausting, draw that many states per opcode: for machines of 32-bit words. Sensitivity found is still proved by its
        witness; "innocuous" then only means "no witness in N trials".
    only : str
        One opcode instead of all.

    Returns
    -------
    Classification

    Examples
    --------
    >>> import rtvirt as rv
    >>> rv.machine.classify("m68000")["MOVESR"].classes
    ('mode-sensitive',)
    """
    table = find(isa)
    size = store if store is not None else min((1 << bits) + 2, 1 << 16)
    problems = []
    if model not in MODELS:
        problems.append(Problem("model", model, " or ".join(MODELS), 'write model="1974" or model="extended"'))
    if not 2 <= bits <= 32 or (trials is None and bits > 4):
        problems.append(Problem("bits", bits, "2 to 4 to exhaust, 2 to 32 with trials=N", "make the word smaller, or draw: trials=10_000"))
    if trials is not None and trials < 1:
        problems.append(Problem("trials", trials, "1 or more", "write for example trials=10_000"))
    if size < 1:
        problems.append(Problem("store", size, "1 or more words", "write for example store=4"))
    if problems:
        raise SpecError(problems)
    chosen = [table.opcode(only)] if only else list(table.opcodes)
    verdicts = [judge(o, Branches(bits, size) if trials is None else Draws(bits, size, trials, seed), model) for o in chosen]
    return Classification(table.name, table.title, model, bits, size, trials, seed, verdicts)
