"""A guest stepped from beginning to end under a monitor: what every moment looked like, as plain data. No widget here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from ..machine import guests
from ..machine import layout as L
from ..machine.assembler import Program, disassemble
from ..machine.monitors import Monitor, Step, VirtualMachine
from ..machine.monitors.dispatch import enter

LONGEST = 2400                      # steps: mini ends after about 2,200, whichever layer it has
BEFORE, AFTER = 3, 5                # instructions shown around P
WHO = ("directly", "emulated", "call-out", "hypercall", "reflected", "interpreted")       # as Step.who
LAYERS = {("drop", "vax"): "rei", ("mask", "arm"): "cps"}                                 # where a variant has an instruction of its own


class Psw(NamedTuple):
    """M (1: user), switch, P, l, b, and what is left on the timer (-1: off)."""

    user: int
    enabled: int
    p: int
    l: int  # noqa: E741
    b: int
    timer: int


class Moment(NamedTuple):
    """The machine before a step: what the guest believes, what the processor has (None while the monitor interprets), and the rest."""

    virtual: Psw
    real: Psw | None
    registers: tuple[int, ...]
    printed: int                    # characters on the console so far
    words: tuple[int, ...]          # from P - BEFORE to P + AFTER; -1 where R does not reach


@dataclass(frozen=True)
class Recording:
    """A run: `moments` has one more than `steps`, the end."""

    program: Program
    style: str
    origin: int
    steps: tuple[Step, ...]
    moments: tuple[Moment, ...]
    console: str
    reason: str

    def code(self, position: int) -> list[tuple[int, int, str]]:
        """Lines around P: relative address, real one, and the source (what is in storage, where that has changed since)."""
        moment = self.moments[position]
        text, lines = self.program.source.split("\n"), []
        for at, word in enumerate(moment.words, moment.virtual.p - BEFORE):
            if word < 0:
                continue
            mine = moment.virtual.l + at
            written = mine < len(self.program.words) and self.program.words[mine] == word and mine in self.program.lines
            shown = re.sub(r"\s+;", "  ;", text[self.program.lines[mine] - 1]) if written else f"        {disassemble(word, self.program.isa)}"
            lines.append((at, self.origin + mine, shown))
        return lines


def layer_of(guest: str, variant: str, style: str) -> str | None:
    """The layer that a guest is given: hypercalls for a monitor that has them, else what the variant has."""
    if style == "paravirtual" and "paravirtual" in guests.GUESTS[guest]:
        return "paravirtual"
    return LAYERS.get((guest, variant))


@lru_cache(maxsize=64)
def recording(variant: str, style: str, guest: str) -> Recording:
    """Run a guest under a monitor, and look at every step."""
    program = guests.load(guest, variant, layer=layer_of(guest, variant, style))
    monitor = Monitor(variant, style, store=2048)
    machine = monitor.create(program, size=guests.SIZE)
    steps, moments = [], [look(monitor, machine)]
    while len(steps) < LONGEST and machine.goes_on:
        steps.append(monitor.step(machine))
        moments.append(look(monitor, machine))
    return Recording(program, style, machine.origin, tuple(steps), tuple(moments), machine.console, machine.reason)


def look(monitor: Monitor, guest: VirtualMachine) -> Moment:
    """The moment before the next step. f is the dispatcher's own `enter`: it sets the real processor as it will be when the guest goes on."""
    state, cpu = monitor.machine.state, guest.cpu
    interprets = monitor.style == "interpreter" or (monitor.style == "hybrid" and not int(cpu.user))
    if not interprets:
        enter(state, 0, guest.number)
    p, window, reach = int(cpu.p), int(cpu.window), int(cpu.reach)
    words = tuple(int(state.store[window + at]) if 0 <= at < reach else -1 for at in range(p - BEFORE, p + AFTER + 1))
    return Moment(psw(cpu), None if interprets else psw(state.cpus[0]), tuple(guest.registers), len(guest.console), words)


def psw(cpu: L.Cpu) -> Psw:
    """A processor's."""
    timer = -1 if int(cpu.alarm) == L.NEVER else max(0, int(cpu.alarm) - int(cpu.clock))
    return Psw(int(cpu.user), int(cpu.enabled), int(cpu.p), int(cpu.l), int(cpu.b), timer)
