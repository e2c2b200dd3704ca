"""One opcode under examination: it runs from every state of the finite machine, and the definitions are read off at each.

Every definition speaks of one state, or of two that differ in M or in l only. So an opcode runs in supervisor and in user mode, and again with
l moved, over the same lazily chosen cells (lazy.py). Rules: docs/popek-goldberg.md, section 2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .bind import bad_ending, rebound
from .isa import Opcode
from .layout import ENDINGS, HALT, MEMORY, OK, PRIVILEGED
from .lazy import Branches, Cell, Lazy
from .witness import Witness

FORMS = ((0, 0), (1, 0), (0, 1), (1, 1), (1, 2))      # register operands, up to renaming: none as base, one, the same, two
CONTROL = {"l": "R", "b": "R", "ie": "switch", "t": "timer"}
NOTHING = -1                                          # what a port was sent by a run that sent nothing
RESOURCES = ("b", "ie", "t")                          # of the extended model, with what devices say (difference D7)


@dataclass
class Outcome:
    """What one run did: the state it started in, how it ended, what it wrote."""

    mode: int
    other: dict[Cell, int]
    ended: int
    writes: dict[Cell, int]
    controls: tuple[str, ...] = ()    # control state that it changed
    width: int = 0                    # at least so many words from l on are named as those of E|R (see Lazy.begin)

    @property
    def completes(self) -> bool:
        """It does not trap."""
        return self.ended in (OK, HALT)

    @property
    def may_pair(self) -> bool:
        """False if no pair with this run can witness behaviour (rule 2.3): it took a memory trap, or changed M or R."""
        return self.ended != MEMORY and "M" not in self.controls and "R" not in self.controls


@dataclass
class Case:
    """One opcode under examination.

    With `quick`, a state is compared with the next comparable one only, not with all: results are equal or not, and equality passes on, so
    that an opcode without a pair of neighbours that differ has no pair that does. The smallest witness needs all pairs.
    """

    opcode: Opcode
    view: Lazy
    model: str
    quick: bool = False
    form: tuple[int, int, int] = (0, 0, 0)
    leaves: int = 0
    pairs: int = 0
    both_trap: bool = True
    counter: Witness | None = None
    found: dict[str, Witness] = field(default_factory=dict)
    controls: set[str] = field(default_factory=set)
    semantics: Any = None

    def run(self, mode: int, other: dict[Cell, int], width: int = 0) -> Outcome:
        """Execute the instruction once."""
        view = self.view
        view.begin(mode, other, width)
        if mode == 1 and self.opcode.privileged:
            return Outcome(mode, other, PRIVILEGED, {})
        ended = self.semantics(None, 0, *self.form)
        if ended not in ENDINGS:
            raise bad_ending(self.opcode.name, ended)
        out = Outcome(mode, other, ended, view.writes, width=width)
        if out.completes:
            out.controls = tuple(self.changed(out))
        return out

    def before(self, out: Outcome, cell: Cell) -> int:
        """A cell's value before the run."""
        self.view.begin(out.mode, out.other, out.width)
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
        if extended and any(cell[0] in ("in", "out") for cell in writes):
            yield "device"                                           # what is read is taken away
        if extended and out.ended == HALT:
            yield "halt"

    def differ(self, one: Outcome, two: Outcome) -> bool:
        """Rule 2.3: what programs own, P, or the extension differ after the two runs (or one halts and the other goes on). What differed
        before, and what is not in E|R, does not count."""
        if one.ended != two.ended:
            return True
        given = {"m", "l", "b", *one.other, *two.other}
        return any(self.after(one, cell) != self.after(two, cell)
                   for cell in {**one.writes, **two.writes} if cell not in given and cell[0] != "x")

    def after(self, out: Outcome, cell: Cell) -> int:
        """A cell's value after the run."""
        if cell in out.writes:
            return out.writes[cell]
        if cell[0] == "out":
            return NOTHING                                           # was sent
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
        runs = [out for out in (sup, usr) if out.may_pair and not (out.mode == 1 and self.opcode.privileged)]
        if not runs:
            return
        self.compare("mode", sup, usr)
        if not self.settled():
            for out in runs:
                self.vary("location", out, "l")
            if "location" not in self.found and "mode" not in self.found:
                self.vary_both(sup, usr)
        if self.model == "extended":
            for cell in [c for c in self.view.cells.values if c in RESOURCES or c[0] == "in"]:
                for out in runs:
                    self.vary("resource", out, cell)

    def vary(self, kind: str, one: Outcome, cell: Cell) -> None:
        """Pairs in one mode whose states differ in one cell: the same contents elsewhere (l + x), or another resource."""
        for other in self.moved(cell):
            two = self.run(one.mode, other)
            if cell == "b":
                one = self.run(one.mode, {}, other["b"])              # the storage between the bounds is the same in both states
            if not self.compare(kind, one, two) and self.quick and two.may_pair:
                return

    def vary_both(self, sup: Outcome, usr: Outcome) -> None:
        """Pairs whose states differ in M and l. They can say more than the others only where one state at this leaf cannot be compared."""
        if self.quick and sup.may_pair and usr.may_pair:
            return
        for other in self.moved("l"):
            self.compare("mixed", sup, self.run(1, other))
            self.compare("mixed", usr, self.run(0, other))

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
                drawn = cells.random.randrange(cells.size)  # type: ignore[attr-defined]
                yield {cell: 1 - value if cell == "ie" else max(cells.least(cell), drawn)}

    def compare(self, kind: str, one: Outcome, two: Outcome) -> bool:
        """Note a pair that leaves M and R alone and still differs: in what it does, or in whether it traps (difference D6)."""
        if not (one.may_pair and two.may_pair):
            return False
        if one.completes and two.completes:
            found = self.differ(one, two)
        else:
            found = one.completes != two.completes and not (max(one, two, key=traps).mode == 1 and min(one, two, key=traps).mode == 0)
        if found:
            self.note(kind, one, two)
            if kind in ("location", "resource") and one.mode == 1:
                self.note(f"user {kind}", one, two)
        return found

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
        states = tuple((o.mode, self.state(o), o.ended, {outside(cell): value for cell, value in o.writes.items()}) for o in outcomes)
        return Witness(kind, self.opcode.name, self.opcode.operands, self.form, states, self.weight(outcomes), self.view.mask)

    def state(self, out: Outcome) -> dict[Cell, int]:
        """The cells of one state: without those that are another state's storage, and with an R under which P can be fetched."""
        cells = {**self.view.cells.values, **out.other}
        if "l" in cells or "b" in cells:
            cells = {"l": 0, "b": cells.get("p", 0) + 1, **cells}
        width = max(out.width, cells.get("b", 0))
        return {outside(cell): value for cell, value in cells.items()
                if not (cell[0] == "e" and width and cell[1] >= width
                        or cell[0] == "x" and (cell[1] != cells["l"] or cells["l"] <= cell[2] < cells["l"] + width))}


def outside(cell: Cell) -> Cell:
    """Storage outside E|R is known by the l of its state and its address (lazy.py); in a state that is written down the address is enough."""
    return ("x", cell[2]) if cell[0] == "x" else cell


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


def explore(opcode: Opcode, cells: Branches, model: str, quick: bool = False) -> Iterator[Case]:
    """Examine an opcode leaf by leaf; whoever has seen enough may stop."""
    case = Case(opcode, Lazy(cells), model, quick)
    case.semantics = rebound(opcode.does, case.view)
    each = list(forms(opcode.operands, cells))
    for case.form in each:
        cells.start(len(each))
        case.examine()
        yield case
        while cells.next():
            case.examine()
            yield case
