"""A guest's instructions one by one, and for each who executed it: for a debugger, and for the picture of a monitor at work."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

from .. import layout as L
from .. import loop
from ..assembler import disassemble
from ..debug import mode
from ..tables import html_table, text_table

if TYPE_CHECKING:
    import pandas as pd

    from .host import Monitor, VirtualMachine

EXECUTORS = {"hypercalls": "hypercall", "callouts": "call-out", "emulated": "emulated", "interpreted": "interpreted"}
HEAD = ("clock", "M", "P", "instruction", "who", "trap", "crossings")


@dataclass(frozen=True)
class Step:
    """One instruction of a guest, or a timer trap between two.

    Attributes
    ----------
    clock : int
        Instructions that the guest had begun before.
    mode : str
        Virtual mode it was begun in: "supervisor" or "user". The real one is user mode, always.
    p : int
        Virtual P.
    instruction : str
        Disassembled: as the guest wrote it, also where a call-out stands in its place. "" for a timer trap, or if R does not reach it.
    who : str
        "directly" (the real processor), "emulated" (it trapped, and the interpretive routine of that instruction did it), "interpreted" (by a
        hybrid monitor's interpreter), "call-out" (patched, then as emulated), "hypercall", or "reflected": it trapped, and the trap is the
        guest's own.
    trap : str
        Cause of the trap that the guest has seen, or "".
    crossings : int
        How often the monitor came in.
    """

    clock: int
    mode: str
    p: int
    instruction: str
    who: str
    trap: str
    crossings: int

    def row(self) -> tuple[str, ...]:
        """For a table."""
        return tuple(str(cell) for cell in astuple(self))


@dataclass(frozen=True)
class Trace:
    """Steps of one guest, in order."""

    title: str
    steps: tuple[Step, ...]

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, index: int) -> Step:
        return self.steps[index]

    @property
    def table(self) -> pd.DataFrame:
        """One row a step."""
        import pandas as pd

        return pd.DataFrame([astuple(step) for step in self.steps], columns=list(HEAD))

    def __repr__(self) -> str:
        return f"{self.title}\n" + text_table(HEAD, [step.row() for step in self.steps])

    def _repr_html_(self) -> str:
        return html_table(HEAD, [step.row() for step in self.steps], self.title)


def step(monitor: Monitor, guest: VirtualMachine) -> Step:
    """Let a guest begin one more instruction, or take a timer trap that is due, and say who did it."""
    cpu, before, traps = guest.cpu, guest.counts, guest.traps
    clock, user, p = int(cpu.clock), int(cpu.user), int(cpu.p)
    if cpu.enabled and int(cpu.alarm) <= clock:
        wedged = loop.take(monitor.machine.state, guest.number, L.TIMER) == L.WEDGED       # the source of the compiled dispatcher, as plain Python
        guest.reason = "wedged" if wedged else "out of fuel"
        by_hardware = monitor.style != "interpreter" and (monitor.style != "hybrid" or user == 1)
        cpu.crossings += int(by_hardware)
        return Step(clock, mode(user), p, "", "reflected" if by_hardware else "interpreted", "timer", int(by_hardware))
    word = guest.word(p)
    monitor.turn(guest, 1)
    while int(cpu.clock) == clock and guest.reason == "out of fuel":                       # the console was full, and has been emptied
        monitor.turn(guest, 1)
    trap = next((name for name, count in guest.traps.items() if count != traps.get(name, 0)), "")
    who = next((who for name, who in EXECUTORS.items() if guest.counts[name] > before[name]), "reflected" if trap else "directly")
    text = "" if word is None else disassemble(word, monitor.machine.isa)
    return Step(clock, mode(user), p, text, who, trap, guest.counts["crossings"] - before["crossings"])


def trace(monitor: Monitor, guest: VirtualMachine, count: int) -> Trace:
    """Up to `count` steps, fewer if the guest ends."""
    steps = []
    while len(steps) < count and guest.goes_on:
        steps.append(step(monitor, guest))
    return Trace(f"guest {guest.number} on {monitor.machine.isa.name}, {monitor.style}: {guest.reason}", tuple(steps))
