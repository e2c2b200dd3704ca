"""The primitives that opcodes are written with, over a machine whose cells are not known until they are read.

The first read of a cell of the state (a register, a word of E|R, P, l, b, the timer ...) branches over every value it can have; cells that
the instruction does not read stay open and stand for all their values. Walking all branches is therefore an exhaustion of the finite
machine, and what holds at every leaf is proved for that machine (docs/popek-goldberg.md, rule 4.2).
"""

from __future__ import annotations

import random
from typing import Any

from .layout import MEMORY, OK

FUEL = 10_000            # reads of state that one instruction may make: none that ends needs that many
TAKEN: Any = "taken"     # what a port has to say after it was read: not known, but no longer what it said
Cell = Any               # ("r", 1), ("e", 3), ("x", l, 7), ("in", 0), "p", "l", "b", "ie", "t"


class Endless(Exception):
    """An instruction does not end."""


class Branches:
    """The values of the cells read so far, and the way to the next combination: a depth-first walk, zeros first."""

    exact = True

    def __init__(self, bits: int, size: int) -> None:
        self.bits, self.size, self.values, self.order = bits, size, {}, []

    def start(self, share: int) -> None:
        """Begin another form of the instruction; there are `share` of them."""
        self.values.clear()
        self.order.clear()

    def first(self, cell: Cell) -> int:
        """The value that a cell has when it is first read."""
        self.order.append(cell)
        self.values[cell] = least = self.least(cell)
        return least

    def least(self, cell: Cell) -> int:
        """Smallest value of a cell. With a bound of 0 no instruction could have been fetched."""
        return 1 if cell == "b" else 0

    def most(self, cell: Cell) -> int:
        """Largest value of a cell: a word's, but a bound is a number of words, and may be all that a word can address."""
        return 1 if cell == "ie" else 1 << self.bits if cell == "b" else (1 << self.bits) - 1

    def next(self) -> bool:
        """Go to the next combination of values; False when there is none left."""
        while self.order:
            cell = self.order[-1]
            value = self.values[cell] + 1
            if value <= self.most(cell):
                self.values[cell] = value
                return True
            del self.values[cell]
            self.order.pop()
        return False


class Draws(Branches):
    """The same for machines too large to exhaust: every cell is drawn, `trials` times. Half of the draws are small numbers, which are
    likely to be addresses."""

    exact = False

    def __init__(self, bits: int, size: int, trials: int, seed: int) -> None:
        super().__init__(bits, size)
        self.trials, self.left, self.random = trials, trials, random.Random(seed)

    def start(self, share: int) -> None:
        """A form's share of the trials."""
        super().start(share)
        self.left = max(1, self.trials // share)

    def first(self, cell: Cell) -> int:
        """Draw a value."""
        top = 2 if cell == "ie" else self.size if cell in ("l", "b", "p") or self.random.random() < 0.5 else 1 << self.bits
        self.values[cell] = value = max(self.least(cell), self.random.randrange(top))
        return value

    def next(self) -> bool:
        """Forget everything, if a trial is left."""
        self.values.clear()
        self.left -= 1
        return self.left > 0


class Lazy:
    """A view (see storage.py) of a state that comes into being as it is read.

    `begin` sets M and the cells that differ from the shared ones; then an opcode may run; then `writes` holds what it changed. Two states
    that share the words of E|R, the registers and P, but not M or l, are two runs over the same `cells`.
    """

    def __init__(self, cells: Branches) -> None:
        self.cells, self.mask, self.size = cells, (1 << cells.bits) - 1, cells.size
        self.begin(0, {})

    def begin(self, mode: int, other: dict[Cell, int], width: int = 0) -> None:
        """Start a run in mode `mode`; `other` overrules shared cells. For a pair whose bounds differ, `width` is the larger one: words between
        the bounds are the same cells in both states."""
        self.mode, self.other, self.width, self.writes, self.fuel = mode, other, width, {}, FUEL

    def before(self, cell: Cell) -> int:
        """A cell's value before the instruction."""
        if cell in self.other:
            return self.other[cell]
        value = self.cells.values.get(cell)
        return self.cells.first(cell) if value is None else value

    def now(self, cell: Cell) -> int:
        """Its present value."""
        self.fuel -= 1
        if self.fuel < 0:
            raise Endless(f"still not done after {FUEL:,} reads of the machine's state")
        return self.writes[cell] if cell in self.writes else self.before(cell)

    # -------------------------------------------------------------- words, registers, storage

    def word(self, value: int) -> int:
        """The value as a machine word."""
        return value & self.mask

    def register(self, m: Any, cpu: int, number: int) -> int:
        """A register's word."""
        return self.now(("r", number))

    def put(self, m: Any, cpu: int, number: int, value: int) -> None:
        """Set a register."""
        self.writes["r", number] = value & self.mask

    def address(self, m: Any, cpu: int, base: int, offset: int) -> int:
        """Effective address."""
        return (offset + (self.now(("r", base)) if base else 0)) & self.mask

    def reachable(self, m: Any, cpu: int, at: int) -> bool:
        """Rule 1.3."""
        return at < self.now("b") and self.now("l") + at < self.size

    def load(self, m: Any, cpu: int, at: int) -> int:
        """The word at a reachable address: a cell of E|R, named by its place in it."""
        return self.now(self.place(at))

    def store(self, m: Any, cpu: int, at: int, value: int) -> None:
        """Set a word."""
        self.writes[self.place(at)] = value & self.mask

    def place(self, at: int) -> Cell:
        """The cell at a relative address. An opcode that did not ask whether it is reachable, or changed R before, may leave E|R."""
        return self.absolute(self.now("l") + at) if "l" in self.writes or at >= self.before("b") else ("e", at)

    def absolute(self, at: int) -> Cell:
        """The cell at an absolute address: one of E|R as it was before the instruction, or one outside it, which the two states of
        a pair need not share."""
        l, b = self.before("l"), max(self.before("b"), self.width)  # noqa: E741
        return ("e", at - l) if l <= at < l + b else ("x", l, at)

    def exists(self, m: Any, cpu: int, at: int) -> bool:
        """True if the storage is that large."""
        return at < self.size

    def load_absolute(self, m: Any, cpu: int, at: int) -> int:
        """Past R."""
        return self.now(self.absolute(at))

    def store_absolute(self, m: Any, cpu: int, at: int, value: int) -> None:
        """Past R."""
        self.writes[self.absolute(at)] = value & self.mask

    def memory_trap(self, m: Any, cpu: int, at: int) -> int:
        """The reference is refused."""
        return MEMORY

    def trap(self, m: Any, cpu: int, cause: int, info: int) -> int:
        """The instruction traps."""
        return cause

    # -------------------------------------------------------------- <M, P, R>

    def user(self, m: Any, cpu: int) -> int:
        """M."""
        return self.writes.get("m", self.mode)

    def set_user(self, m: Any, cpu: int, value: int) -> None:
        """Set M."""
        self.writes["m"] = value & 1

    def next_p(self, m: Any, cpu: int) -> int:
        """P of the next instruction."""
        return self.writes["p"] if "p" in self.writes else (self.before("p") + 1) & self.mask

    def jump(self, m: Any, cpu: int, at: int) -> None:
        """Set P."""
        self.writes["p"] = at & self.mask

    def relocation(self, m: Any, cpu: int) -> int:
        """l."""
        return self.now("l")

    def bound(self, m: Any, cpu: int) -> int:
        """b."""
        return self.now("b")

    def set_r(self, m: Any, cpu: int, l: int, b: int) -> None:  # noqa: E741
        """Set R. A bound may be one more than a word can hold (see `Branches.most`)."""
        self.writes["l"], self.writes["b"] = l & self.mask, b if b == self.mask + 1 else b & self.mask

    # -------------------------------------------------------------- extension

    def enabled(self, m: Any, cpu: int) -> int:
        """The interrupt switch."""
        return self.now("ie")

    def set_enabled(self, m: Any, cpu: int, value: int) -> None:
        """Set it."""
        self.writes["ie"] = value & 1

    def timer(self, m: Any, cpu: int) -> int:
        """What is left on the timer."""
        return self.now("t")

    def set_timer(self, m: Any, cpu: int, value: int) -> None:
        """Set it."""
        self.writes["t"] = value & self.mask

    def read_port(self, m: Any, cpu: int, port: int) -> int:
        """What a device says: a cell of its own. The device has then said it."""
        value = self.before(("in", port))
        self.writes["in", port] = TAKEN
        return value

    def write_port(self, m: Any, cpu: int, port: int, value: int) -> int:
        """A word to a device."""
        self.writes["out", port] = value & self.mask
        return OK
