"""What time a guest takes: a pipeline, a cache and a TLB beside the machine, so that overhead is measured and not only counted.

The machine of this package counts instructions. Here each of them also takes cycles: one in the pipeline, more if its words are not in the
cache or its page is not in the TLB. A crossing into the monitor and back empties the pipeline, the monitor's own words push the guest's out
of the cache, and a TLB without tags forgets the guest's pages. So a crossing is paid twice: at once, and afterwards, in misses.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from ..errors import Problem, SpecError
from .assembler import Program, assemble
from .cpu import Machine
from .isa import ISA
from .monitors import Monitor
from .monitors.host import VirtualMachine
from .variants import isa as find

PARTS = ("work", "crossings", "monitor", "misses", "walks")


@dataclass(frozen=True)
class Timing:
    """How long things take, in cycles, and how large caches are.

    Parameters
    ----------
    instruction : int
        Of an instruction whose words are at hand.
    crossing : int
        Of a trap to the monitor and the return: the pipeline is emptied twice.
    emulate : int
        The monitor's own instructions for one that trapped, or for a trap that it hands on to the guest.
    hypercall : int
        The same for a hypercall: what to do need not be decoded.
    callout : int
        Of a call-out of translated code, crossing included: a jump, as monitor and guest share an address space (Adams and Agesen 2006).
    interpret : int
        Of one instruction that an interpreter executes.
    line, lines, miss : int
        Words in a line of the cache; lines (direct-mapped); cycles of a miss.
    page, pages, walk : int
        Words in a page; translations in the TLB (least recently used); cycles of a walk.
    footprint : int
        Lines of the cache that the monitor uses each time it comes in: the first ones.
    tagged : bool
        True if the TLB keeps the guest's pages over a crossing.

    Notes
    -----
    The defaults are round figures of a small processor, not a measurement: the shape of the curves is meant, not their height. Left out:
    branch prediction, several levels, write buffers, the monitor's data.
    """

    instruction: int = 1
    crossing: int = 40
    emulate: int = 60
    hypercall: int = 30
    callout: int = 30
    interpret: int = 20
    line: int = 4
    lines: int = 64
    miss: int = 20
    page: int = 32
    pages: int = 8
    walk: int = 30
    footprint: int = 16
    tagged: bool = False

    def __post_init__(self) -> None:
        least = {"line": 1, "lines": 1, "page": 1, "pages": 1}
        wrong = [Problem(f"Timing.{item.name}", getattr(self, item.name), f"an integer, {least.get(item.name, 0)} to 1,000,000", "correct it")
                 for item in fields(self) if item.name != "tagged" and not is_count(getattr(self, item.name), least.get(item.name, 0))]
        if not isinstance(self.tagged, bool):
            wrong.append(Problem("Timing.tagged", self.tagged, "True or False", "choose one of these"))
        if not wrong and self.footprint > self.lines:
            wrong.append(Problem("Timing.footprint", self.footprint, f"0 to {self.lines}, the lines of the cache", "make it smaller"))
        if wrong:
            raise SpecError(wrong)


def is_count(value: Any, least: int) -> bool:
    """True for an integer in range."""
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= 1_000_000


class Meter:
    """A cache and a TLB that watch a guest's words go by, and add up cycles by part."""

    def __init__(self, timing: Timing) -> None:
        self.timing, self.spent = timing, dict.fromkeys(PARTS, 0)
        self.kept: list[int] = [-1] * timing.lines        # which line of storage each line of the cache holds; the monitor's are below -1
        self.known: list[int] = []                        # pages in the TLB, the latest last

    def touch(self, address: int) -> None:
        """The guest uses a word."""
        timing, page, line = self.timing, address // self.timing.page, address // self.timing.line
        if page in self.known:
            self.known.remove(page)
        else:
            self.spent["walks"] += timing.walk
        self.known = [*self.known[-(timing.pages - 1):], page] if timing.pages > 1 else [page]
        if self.kept[line % timing.lines] != line:
            self.kept[line % timing.lines] = line
            self.spent["misses"] += timing.miss

    def cross(self, times: int = 1) -> None:
        """The monitor comes in and goes."""
        timing = self.timing
        for _ in range(times):
            self.spent["crossings"] += timing.crossing
            for k in range(timing.footprint):
                if self.kept[k] != -2 - k:
                    self.kept[k] = -2 - k
                    self.spent["misses"] += timing.miss
            if not timing.tagged:
                self.known = []


@dataclass(frozen=True)
class Cycles:
    """Cycles of a run.

    Attributes
    ----------
    instructions : int
        Of the guest.
    parts : dict of str to int [cycles]
        work, crossings, monitor (emulating, interpreting), misses, walks.
    crossings : int
    """

    instructions: int
    parts: dict[str, int]
    crossings: int

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.parts.values())

    def __repr__(self) -> str:
        shown = ", ".join(f"{name} {value:,}" for name, value in self.parts.items() if value)
        return f"<{self.total:,} cycles for {self.instructions:,} instructions and {self.crossings:,} crossings: {shown}>"


def measure(program: str | Program, isa: str | ISA = "clean", style: str | None = None, *, timing: Timing | None = None, size: int = 512,
            fuel: int = 20_000) -> Cycles:
    """Run a program, one instruction at a time, and add up what it takes.

    Parameters
    ----------
    program : str or Program
    isa : str or ISA
    style : str, optional
        Of the monitor (`monitors.Monitor`); without it the program runs on the bare machine.
    timing : Timing, optional
    size : int
        Words of storage that the program has.
    fuel : int
        Instructions at most.

    Returns
    -------
    Cycles

    Raises
    ------
    SpecError
        Unknown style; a timing that is none; a program that does not fit.

    Examples
    --------
    >>> program = loop(every=20, times=50)
    >>> bare, guest = measure(program), measure(program, style="trap-and-emulate")
    >>> bare.crossings, guest.crossings, round(guest.total / bare.total, 1)
    (0, 51, 18.2)
    """
    find_isa = find(isa)
    program = assemble(program, find_isa) if isinstance(program, str) else program
    if timing is not None and not isinstance(timing, Timing):
        raise SpecError([Problem("timing", timing, "a Timing", "write for example timing=Timing(miss=100)")])
    meter = Meter(timing or Timing())
    if not isinstance(fuel, int) or not 1 <= fuel <= 10_000_000:
        raise SpecError([Problem("fuel", fuel, "1 to 10,000,000 instructions", "write for example fuel=20_000")])
    return bare(program, find_isa, meter, size, fuel) if style is None else under(program, find_isa, style, meter, size, fuel)


def bare(program: Program, isa: ISA, meter: Meter, size: int, fuel: int) -> Cycles:
    """The program on the machine itself."""
    machine = Machine(isa, program, store=size)
    cpu, count = machine.state.cpus[0], 0
    while count < fuel and machine.last.reason not in ("halted", "wedged"):
        for address in touched(machine.state, 0, isa):
            meter.touch(address)
        meter.spent["work"] += meter.timing.instruction
        machine.run(1)
        count += 1
    return Cycles(int(cpu.clock), meter.spent, 0)


def under(program: Program, isa: ISA, style: str, meter: Meter, size: int, fuel: int) -> Cycles:
    """The program under a monitor."""
    monitor = Monitor(isa, style)
    guest = monitor.create(program, size=size)
    while guest.goes_on and int(guest.cpu.clock) < fuel:
        one(monitor, guest, isa, meter)
    return Cycles(int(guest.cpu.clock), meter.spent, int(guest.cpu.crossings))


def one(monitor: Monitor, guest: VirtualMachine, isa: ISA, meter: Meter) -> None:
    """One instruction of a guest: its words, then what the monitor had to do with it."""
    cpu, timing = guest.cpu, meter.timing
    before = [int(getattr(cpu, name)) for name in ("emulated", "interpreted", "callouts", "hypercalls", "crossings")]
    for address in touched(monitor.machine.state, guest.number, isa, guest.word(int(cpu.p))):
        meter.touch(address)
    monitor.turn(guest, 1)
    emulated, interpreted, callouts, hypercalls, crossings = (
        int(getattr(cpu, name)) - was for name, was in zip(("emulated", "interpreted", "callouts", "hypercalls", "crossings"), before, strict=True))
    meter.spent["work"] += 0 if interpreted else timing.instruction
    meter.spent["monitor"] += callouts * timing.callout + hypercalls * timing.hypercall + interpreted * timing.interpret
    meter.spent["monitor"] += max(0, crossings - callouts - hypercalls) * timing.emulate
    meter.cross(max(0, crossings - callouts))


def touched(state: Any, number: int, isa: ISA, word: int | None = None) -> list[int]:
    """Addresses that the next instruction uses: its own, and its operand's; relative to the guest's storage."""
    cpu = state.cpus[number]
    p, l = int(cpu.p), int(cpu.l)                                   # noqa: E741 - the name in the definitions
    if p >= int(cpu.reach):
        return []
    word = int(state.store[int(cpu.window) + p]) if word is None else word
    opcode = next((one for one in isa.opcodes if one.number == word & 255), None)
    if opcode is None or opcode.name not in ("LD", "ST"):
        return [l + p]
    base = word >> 12 & 7
    offset = (word >> 16 ^ 0x8000) - 0x8000
    at = offset + (int(state.registers[number * 8 + base]) if base else 0)
    return [l + p, l + (at & 0xFFFFFFFF)]


# ------------------------------------------------------------------ the experiment: overhead against density


def loop(every: int, times: int, sensitive: str = "GRR r3, r4") -> str:
    """A program that executes `sensitive` once in `every` instructions, `times` times, and halts.

    Parameters
    ----------
    every : int
        3 or more: the loop's own two instructions count.
    """
    check_every(every)
    if not is_count(times, 1):
        raise SpecError([Problem("times", times, "an integer, 1 to 1,000,000", "write for example 50")])
    plain = "\n".join(["        ADDI r2, r2, 1"] * (every - 3))
    return f"start:  LDI r1, {times}\nagain:  {sensitive}\n{plain}\n        ADDI r1, r1, -1\n        JNZ r1, again\n        HLT\n"


def check_every(every: Any) -> None:
    """Refuse a loop that cannot be: its own two instructions count."""
    if not is_count(every, 3) or every > 400:
        raise SpecError([Problem("every", every, "an integer, 3 to 400", "the loop itself has two instructions")])


def predicted(every: int, timing: Timing | None = None) -> dict[str, float]:
    """Cycles an instruction of `loop` in closed form, by style, once caches are warm.

    A loop of `every` words lies in ``every / line`` lines and ``every / page`` pages. Each crossing costs its own cycles and the monitor's
    instructions, and then one miss for each line of the loop that the monitor's footprint has pushed out (the monitor's own lines are
    pushed out by the loop in turn: that counts twice), and one walk for each page if the TLB has no tags. A hypercall is the same with
    less to decode; a call-out of translated code costs itself, as nothing is emptied or pushed out.

    Notes
    -----
    For "clean", where every sensitive instruction traps (paravirtual: for a loop whose sensitive instruction is a hypercall; binary
    translation: for one that does not trap, and is patched), and a loop that begins behind the trap area (address 13) and fits in the cache.
    """
    check_every(every)
    timing = timing or Timing()
    first, last = 13, 13 + every - 1
    lines = {at // timing.line for at in range(first, last + 1)}
    pages = {at // timing.page for at in range(first, last + 1)}
    if max(lines) >= timing.lines or len(pages) > timing.pages:
        raise SpecError([Problem("every", every, f"a loop that fits in {timing.lines} lines and {timing.pages} pages", "make it shorter")])
    pushed = sum(line < timing.footprint for line in lines)
    again = 2 * pushed * timing.miss + (0 if timing.tagged else len(pages) * timing.walk)
    native = float(timing.instruction)
    return {"bare": native, "trap-and-emulate": native + (timing.crossing + timing.emulate + again) / every,
            "paravirtual": native + (timing.crossing + timing.hypercall + again) / every, "binary-translation": native + timing.callout / every,
            "interpreter": float(timing.interpret), "hybrid": float(timing.interpret)}


def density(styles: tuple[str, ...] = ("trap-and-emulate", "interpreter"), *, every: tuple[int, ...] = (3, 5, 10, 20, 50, 100),
            isa: str = "clean", sensitive: str = "GRR r3, r4", instructions: int = 1500, timing: Timing | None = None) -> Any:
    """Overhead against how often an instruction is sensitive, measured on running guests.

    Returns
    -------
    pandas.DataFrame
        One row a monitor's style and distance: every, monitor, cycles an instruction (measured, caches warm), bare, factor.

    Examples
    --------
    >>> table = density(every=(5, 100), instructions=400)
    >>> table[table.monitor == "trap-and-emulate"].factor.round(1).tolist(), table[table.monitor == "interpreter"].factor.round(1).tolist()
    ([43.0, 8.4], [20.0, 20.0])
    """
    import pandas as pd

    rows = []
    for distance in every:
        few, many = 2, max(4, instructions // distance)
        for style in ("bare", *styles):
            chosen = None if style == "bare" else style
            short, long = (measure(loop(distance, times, sensitive), isa, chosen, timing=timing, fuel=10_000_000) for times in (few, many))
            rows.append({"every": distance, "monitor": style, "cycles": (long.total - short.total) / (long.instructions - short.instructions)})
    table = pd.DataFrame(rows)
    native = table[table.monitor == "bare"].set_index("every").cycles
    table["bare"] = table.every.map(native)
    table["factor"] = np.divide(table.cycles, table.bare)
    return table[table.monitor != "bare"].reset_index(drop=True)
