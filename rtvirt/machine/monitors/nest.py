"""Monitors in monitors (Theorem 2; docs/popek-goldberg.md, sections 7 and 10): how often each of them has to come in.

    rv.machine.monitors.nest("clean", program, depth=3)                              software: monitor.asm in monitor.asm in monitor.asm
    rv.machine.monitors.nest("clean", program, depth=3, composition="hardware")      Goldberg's Hardware Virtualizer

In software every level is the same program, `monitor.asm`, and the machine is a bare one: each trap of the guest goes to the lowest monitor, which
hands it up, and each privileged instruction that a monitor executes to deal with it traps to the one below. In hardware the machine
knows all maps and composes them: exceptions stay inside the guest, and a VM fault goes to the monitor whose map misses, directly.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import Problem, SpecError
from .. import layout as L
from ..assembler import Program, assemble
from ..cpu import Machine
from ..isa import CLEAN, ISA
from ..tables import html_table, text_table
from ..variants import isa as find
from .maps import RelocationBounds, Resolution, resolve

if TYPE_CHECKING:
    import pandas as pd

SOURCE = Path(__file__).with_name("monitor.asm")
COMPOSITIONS = ("software", "hardware")
DEPTHS = 8
ENDS = ("", "halted", "wedged")
HEAD = ("level", "storage", "crossings", "emulated", "reflected")


@dataclass(frozen=True)
class Level:
    """One monitor: its number (1 is the lowest), f-map, and how often it came in."""

    number: int
    f: RelocationBounds
    origin: int            # absolute address of its guest's word 0: all f-maps up to this one composed
    crossings: int
    emulated: int
    reflected: int

    def row(self) -> tuple[str, ...]:
        """For a table."""
        return (str(self.number), f"f: a → {self.f.l} + a, a < {self.f.b}; real {self.origin}", *(f"{n:,}" for n in
                (self.crossings, self.emulated, self.reflected)))


@dataclass
class Nest:
    """A guest that has run under monitors in monitors."""

    isa: str
    composition: str
    reason: str
    instructions: int                            # that the real processor has begun, the monitors' own included
    levels: list[Level]
    psw: dict[str, int]
    timer: int | None                            # what is left; None: off
    registers: list[int]
    storage: list[int] = field(repr=False)
    console: str
    disk_at: int
    traps: dict[str, int]                        # that the guest has seen

    @property
    def depth(self) -> int:
        """Monitors between guest and machine."""
        return len(self.levels)

    @property
    def crossings(self) -> int:
        """How often any monitor came in."""
        return sum(level.crossings for level in self.levels)

    def resolve(self, name: int) -> Resolution:
        """Where an address of the guest's program ends up: through φ, its own R, then through the f-maps from the innermost out (rule 7.1).

        Examples
        --------
        >>> import rtvirt as rv
        >>> deep = rv.machine.monitors.nest("clean", "HLT", depth=2, size=64)
        >>> deep.resolve(3).path == (3, 3, 3 + deep.levels[1].f.l, 3 + deep.levels[1].origin), deep.resolve(64).fault
        (True, 'exception')
        """
        phi = RelocationBounds(self.psw["l"], max(0, min(self.psw["b"], len(self.storage) - self.psw["l"])))
        return resolve(phi, *(level.f for level in reversed(self.levels)), name=name)

    def fingerprint(self) -> tuple[Any, ...]:
        """All that a guest can know but for the number of instructions."""
        return (*self.psw.values(), self.timer, *self.registers, tuple(self.storage), self.console, self.disk_at, tuple(sorted(self.traps.items())))

    @property
    def table(self) -> pd.DataFrame:
        """One row a level."""
        import pandas as pd

        rows = [(level.number, level.f.l, level.f.b, level.origin, level.crossings, level.emulated, level.reflected) for level in self.levels]
        return pd.DataFrame(rows, columns=["level", "l", "b", "origin", "crossings", "emulated", "reflected"]).set_index("level")

    @property
    def title(self) -> str:
        """What was run."""
        return f"{self.isa}, {self.depth} monitor(s), maps composed by {self.composition}: {self.reason} after {self.instructions:,} instructions"

    def __repr__(self) -> str:
        return f"{self.title}\n" + text_table(HEAD, [level.row() for level in self.levels])

    def _repr_html_(self) -> str:
        return html_table(HEAD, [level.row() for level in self.levels], self.title)


def nest(isa: str | ISA, program: str | Program, *, depth: int = 3, composition: str = "software", size: int = 1024,
         fuel: int = 100_000_000, owner: int = 1) -> Nest:
    """Run a program under monitors in monitors, and count how often each came in.

    Parameters
    ----------
    isa : str or ISA
        Must have the privileged instructions of the clean machine and no others: those are what the monitors know.
    program : str or Program
        The innermost guest's.
    depth : int
        Monitors between it and the machine [0 to 8]; 0 is the bare machine.
    composition : {"software", "hardware"}
        Who composes the maps.
    size : int
        Words of storage that the guest has.
    fuel : int
        Instructions of the real processor at most.
    owner : int
        Level of the monitor that keeps the devices: its f-map has none, so that is where VM faults go (hardware composition).

    Examples
    --------
    >>> import rtvirt as rv
    >>> hello = "LDI r1, 'A'\\n OUT r1, 0\\n HLT"
    >>> [rv.machine.monitors.nest("clean", hello, depth=d).crossings for d in (0, 1, 2, 3)]
    [0, 2, 12, 54]
    >>> [rv.machine.monitors.nest("clean", hello, depth=d, composition="hardware").crossings for d in (0, 1, 2, 3)]
    [0, 2, 2, 2]
    """
    table = find(isa)
    problems = []
    if composition not in COMPOSITIONS:
        problems.append(Problem("composition", composition, " or ".join(COMPOSITIONS), "choose one of these"))
    if not isinstance(depth, int) or not 0 <= depth <= DEPTHS:
        problems.append(Problem("depth", depth, f"0 to {DEPTHS}", "each level has about four times the crossings of the one above"))
    elif not isinstance(owner, int) or not 1 <= owner <= max(1, depth):
        problems.append(Problem("owner", owner, f"1 to {max(1, depth)}", "name a level that there is"))
    if not {(o.number, o.does) for o in table.opcodes if o.privileged} <= {(o.number, o.does) for o in CLEAN.opcodes if o.privileged}:
        problems.append(Problem("isa", table.name, "privileged instructions of the clean machine", "use Monitor for instructions of your own"))
    if problems:
        raise SpecError(problems)
    guest = assemble(program, table) if isinstance(program, str) else program
    if not max(L.FIRST_FREE, len(guest.words)) <= size <= L.STORE // 2:
        raise SpecError([Problem("size", size, f"{max(L.FIRST_FREE, len(guest.words))} to {L.STORE // 2} words", "make the storage larger")])
    return in_software(table, guest, depth, size, fuel) if composition == "software" else in_hardware(table, guest, depth, size, fuel, owner)


@cache
def monitor_program(isa: ISA, guest_size: int, guest_start: int) -> Program:
    """`monitor.asm` for a guest of that size which begins at that P."""
    source = SOURCE.read_text(encoding="utf-8")
    sizes = f"\n.equ WSIZE, {guest_size}\n.equ GSTART, {guest_start}\n.equ QSIZE, guest + {guest_size}\n"
    return assemble(source + sizes, isa)


def stacked(isa: ISA, guest: Program, depth: int, size: int) -> tuple[list[int], int, list[Program]]:
    """Words of the whole storage, first P, and the monitors from the lowest up."""
    words, start, monitors = guest.words + [0] * (size - len(guest.words)), guest.labels.get("start", L.FIRST_FREE), []
    for _ in range(depth):
        one = monitor_program(isa, len(words), start)
        monitors.insert(0, one)
        words, start = one.words + words, one.labels["start"]
    return words, start, monitors


def f_maps(monitors: list[Program], total: int) -> list[tuple[RelocationBounds, int]]:
    """Each level's f-map, and the origin that all of them up to it compose to."""
    maps, whole = [], RelocationBounds(0, total)
    for one in monitors:
        at = one.labels["guest"]
        f = RelocationBounds(at, whole.b - at)
        whole = whole.after(f)
        maps.append((f, whole.l))
    return maps


def in_software(isa: ISA, guest: Program, depth: int, size: int, fuel: int) -> Nest:
    """Every level by `monitor.asm`, on a bare machine."""
    words, start, monitors = stacked(isa, guest, depth, size)
    machine = Machine(isa, store=len(words), start=start)
    machine.poke(0, words)
    report = machine.run(fuel)
    levels, here = [], 0
    for number, (one, (f, origin)) in enumerate(zip(monitors, f_maps(monitors, len(words))), 1):
        crosses, emulates, causes = (here + one.labels[name] for name in ("crosses", "emulates", "causes"))
        levels.append(Level(number, f, origin, machine[crosses], machine[emulates], sum(machine.memory(causes, 6))))
        here = origin
    if not depth:
        return of_processor(isa, "software", report.reason, machine, [], 0)
    at, here = monitors[-1].labels, levels[-1].origin - levels[-1].f.l
    status, p, l, b = machine.memory(here + at["vpsw"], 4)  # noqa: E741
    causes = machine.memory(here + at["causes"], 6)
    return Nest(isa.name, "software", ENDS[machine[here + at["ends"]]] or report.reason, machine.instructions, levels,
                {"user": status & 1, "enabled": status >> 1 & 1, "p": p, "l": l, "b": b},
                machine[here + at["left"]] if machine[here + at["mode"]] else None, machine.memory(here + at["regs"], 8),
                machine.memory(levels[-1].origin), machine.console, int(machine.state.cpus[0].disk_at),
                {L.CAUSES[cause]: n for cause, n in enumerate(causes) if n})


def in_hardware(isa: ISA, guest: Program, depth: int, size: int, fuel: int, owner: int) -> Nest:
    """The processor holds f₁ ∘ f₂ ∘ …, and φ is the guest's R: traps are delivered in the guest, devices are VM faults."""
    words, start, monitors = stacked(isa, guest, depth, size)
    maps, origin = f_maps(monitors, len(words)), len(words) - size
    machine = Machine(isa, store=len(words), start=guest.labels.get("start", L.FIRST_FREE))
    machine.poke(origin, guest.words)
    cpu, faults, stop = machine.state.cpus[0], 0, L.OUT_OF_FUEL
    cpu.origin = cpu.window = origin
    cpu.size = cpu.b = cpu.reach = size
    cpu.hosted = int(depth > 0)
    while cpu.clock < fuel and stop in (L.OUT_OF_FUEL, L.FULL, L.FAULTED):
        stop = machine.engine.run(machine.record, 0, fuel - int(cpu.clock))
        if stop == L.FAULTED:                 # its monitor does it for the guest, with devices of its own
            faults, cpu.hosted = faults + 1, 0
            stop = machine.engine.run(machine.record, 0, 1)
            cpu.hosted = 1
        machine.drain()
    levels = [Level(number, f, at, faults * (number == owner), faults * (number == owner), 0) for number, (f, at) in enumerate(maps, 1)]
    reason = {L.HALTED: "halted", L.WEDGED: "wedged"}.get(int(stop), "out of fuel")
    return of_processor(isa, "hardware", reason, machine, levels, origin)


def of_processor(isa: ISA, composition: str, reason: str, machine: Machine, levels: list[Level], origin: int) -> Nest:
    """A nest whose guest's state is the real processor's."""
    cpu = machine.state.cpus[0]
    timer = None if int(cpu.alarm) == L.NEVER else (int(cpu.alarm) - int(cpu.clock)) & L.MASK
    return Nest(isa.name, composition, reason, machine.instructions, levels, machine.psw, timer, machine.registers, machine.memory(origin),
                machine.console, int(cpu.disk_at), machine.traps)
