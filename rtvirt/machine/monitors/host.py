"""A monitor with its virtual machines: the allocator, the turns that guests take, and tables of who executed what."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ...errors import Problem, SpecError
from .. import layout as L
from .. import loop
from ..assembler import Program, assemble
from ..bind import monitor_of
from ..cpu import Machine
from ..isa import ISA
from ..tables import html_table, text_table
from . import dispatch
from .patching import patch, patched_sites
from .trace import Step, Trace, step, trace

if TYPE_CHECKING:
    import pandas as pd

STYLES = {"trap-and-emulate": dispatch.TRAP_AND_EMULATE, "hybrid": dispatch.HYBRID, "interpreter": dispatch.INTERPRETER,
          "paravirtual": dispatch.PARAVIRTUAL, "binary-translation": dispatch.BINARY_TRANSLATION}
COUNTS = ("instructions", "directly", "emulated", "interpreted", "callouts", "hypercalls", "operations", "reflected", "crossings")
REASONS = {L.HALTED: "halted", L.OUT_OF_FUEL: "out of fuel", L.WEDGED: "wedged", L.FULL: "out of fuel", L.YIELDED: "yielded"}
GOES_ON = ("not run", "out of fuel", "yielded")


class VirtualMachine:
    """A guest's machine. Addresses are the guest's own: its word 0 is word `origin` of the real storage."""

    def __init__(self, monitor: Monitor, number: int, program: Program, origin: int, size: int) -> None:
        self.monitor, self.number, self.program, self.origin, self.size = monitor, number, program, origin, size
        self.text, self.reason = "", "not run"
        cpu = self.cpu
        cpu.origin = cpu.window = origin
        cpu.size = cpu.b = cpu.reach = size
        cpu.alarm, cpu.p = L.NEVER, program.labels.get("start", L.FIRST_FREE)
        share = L.DISK // (L.CPUS - 1)
        cpu.disk_origin, cpu.disk_size, cpu.console = share * (number - 1), share, L.GUEST * number
        for at, word in enumerate(program.words):
            monitor.machine.state.store[origin + at] = word

    @property
    def cpu(self) -> Any:
        """The virtual processor."""
        return self.monitor.machine.state.cpus[self.number]

    @property
    def psw(self) -> dict[str, int]:
        """The virtual PSW: what the guest believes."""
        cpu = self.cpu
        return {"user": int(cpu.user), "enabled": int(cpu.enabled), "p": int(cpu.p), "l": int(cpu.l), "b": int(cpu.b)}

    @property
    def registers(self) -> list[int]:
        """r0 to r7."""
        first = self.number * L.REGISTERS
        return [int(x) for x in self.monitor.machine.state.registers[first:first + L.REGISTERS]]

    @property
    def console(self) -> str:
        """What this guest printed."""
        return self.text

    @property
    def traps(self) -> dict[str, int]:
        """Traps that the guest has seen, by cause."""
        counts = self.monitor.machine.state.traps[self.number * 8:self.number * 8 + 8]
        return {L.CAUSES[cause]: int(n) for cause, n in enumerate(counts) if n}

    @property
    def goes_on(self) -> bool:
        """False once it has halted, wedged or escaped."""
        return self.reason in GOES_ON

    def word(self, at: int) -> int | None:
        """The word, as the guest wrote it, at an address relative to the virtual R; None where R does not reach."""
        cpu = self.cpu
        state = self.monitor.machine.state
        return int(loop.as_written(state, self.number, state.store[int(cpu.window) + at])) if at < int(cpu.reach) else None

    def memory(self) -> list[int]:
        """The guest's storage as the guest wrote it: f⁻¹, with originals in place of call-outs."""
        machine = self.monitor.machine
        words = machine.memory(self.origin, self.size)
        return [int(loop.as_written(machine.state, self.number, word)) for word in words] if self.cpu.patch else words

    @property
    def patched(self) -> list[tuple[int, str, str]]:
        """Call-outs in its storage: (address, original instruction, word in its place)."""
        return patched_sites(self)

    def fingerprint(self) -> tuple[Any, ...]:
        """Everything a guest can know, in the order of `Machine.fingerprint`: g = f⁻¹ applied to the real state."""
        cpu = self.cpu
        return (*self.psw.values(), int(cpu.alarm), int(cpu.clock), *self.registers, tuple(self.memory()), self.text, int(cpu.disk_at),
                tuple(self.traps.items()))

    @property
    def counts(self) -> dict[str, int]:
        """Instructions begun; who executed them; what hypercalls asked for (operations); traps that the guest has seen (reflected); and how
        often the monitor came in (crossings)."""
        cpu = self.cpu
        return {"instructions": int(cpu.clock), "reflected": sum(self.traps.values())} | {
            name: int(getattr(cpu, name)) for name in COUNTS if name not in ("instructions", "reflected")}


class Monitor:
    """A virtual machine monitor on a bare machine.

    Parameters
    ----------
    isa : str or ISA
        The machine's instruction set.
    style : {"trap-and-emulate", "hybrid", "interpreter", "paravirtual", "binary-translation"}
        Who executes the guest's supervisor mode: the processor, with privileged instructions trapping to the monitor (Theorem 1); an
        interpreter (Theorem 3); or an interpreter for all modes (no monitor by the 1974 definition: it is not efficient). "paravirtual"
        is the first, and offers hypercalls to guests that were written for it. "binary-translation" is the first, and replaces sensitive
        instructions that do not trap when it loads a program.
    store : int
        Words of real storage; the monitor keeps the first 12.
    compiled : bool
        As for `Machine`.

    Examples
    --------
    >>> import rtvirt as rv
    >>> monitor = rv.machine.monitors.Monitor("clean")
    >>> guest = monitor.create("LDI r1, 'A'\\n OUT r1, 0\\n HLT", size=64)
    >>> monitor.run(); guest.console
    {1: 'halted'}
    'A'
    """

    def __init__(self, isa: str | ISA = "clean", style: str = "trap-and-emulate", *, store: int = 1 << 16, compiled: bool | None = None) -> None:
        if style not in STYLES:
            raise SpecError([Problem("style", style, ", ".join(STYLES), "choose one of these")])
        self.style, self.machine = style, Machine(isa, store=store, compiled=compiled)
        self.kernel = monitor_of(self.machine.engine).monitor
        self.guests: list[VirtualMachine] = []
        self.free, self.originals = L.FIRST_FREE, 0

    def create(self, program: str | Program, size: int = 4096, *, sites: str | Iterable[int] = "assembler") -> VirtualMachine:
        """The allocator: a virtual machine of `size` words that no other guest has. `sites` says where binary translation looks for
        instructions (`patching.find_sites`)."""
        program = assemble(program, self.machine.isa) if isinstance(program, str) else program
        left = self.machine.size - self.free
        problems = []
        if not max(L.FIRST_FREE, len(program.words)) <= size <= left:
            allowed = f"{max(L.FIRST_FREE, len(program.words))} to {left} words"
            problems.append(Problem("size", size, allowed, "choose another size, or more real storage"))
        if len(self.guests) >= L.CPUS - 1:
            problems.append(Problem("guests", len(self.guests) + 1, f"up to {L.CPUS - 1}", "use another monitor"))
        if problems:
            raise SpecError(problems)
        guest = VirtualMachine(self, len(self.guests) + 1, program, self.free, size)
        if self.style == "binary-translation":
            self.originals += patch(guest, sites, self.originals)
        self.free += size
        self.guests.append(guest)
        return guest

    def run(self, fuel: int = 100_000_000, *, quantum: int = 1_000_000) -> dict[int, str]:
        """Let the guests take turns of `quantum` instructions until each has halted, wedged, or begun `fuel`. Returns how each ended."""
        if not isinstance(fuel, int) or fuel < 1 or not isinstance(quantum, int) or quantum < 1:
            raise SpecError([Problem("fuel, quantum", (fuel, quantum), "1 or more instructions", "write for example fuel=1_000_000")])
        end = {guest.number: int(guest.cpu.clock) + fuel for guest in self.guests}
        waiting = [guest for guest in self.guests if guest.goes_on]
        while waiting:
            for guest in list(waiting):
                self.turn(guest, min(quantum, end[guest.number] - int(guest.cpu.clock)))
                if not guest.goes_on or int(guest.cpu.clock) >= end[guest.number]:
                    waiting.remove(guest)
        return {guest.number: guest.reason for guest in self.guests}

    def turn(self, guest: VirtualMachine, share: int) -> None:
        """One guest's turn."""
        stop = self.kernel(self.machine.record, 0, guest.number, STYLES[self.style], share)
        guest.reason = "escaped" if int(guest.cpu.escaped) else REASONS[int(stop)]
        self.drain()

    def step(self, guest: VirtualMachine | None = None) -> Step:
        """One instruction of a guest (the first unless named), or a timer trap that is due: what, and who executed it."""
        guest = guest or self.first()
        if not guest.goes_on:
            raise SpecError([Problem("guest", guest.number, "a guest that goes on", f"this one has {guest.reason}: create another")])
        return step(self, guest)

    def trace(self, guest: VirtualMachine | None = None, count: int = 20) -> Trace:
        """Up to `count` steps of a guest (the first unless named) as a table; fewer if it ends."""
        if not isinstance(count, int) or not 1 <= count <= 100_000:
            raise SpecError([Problem("count", count, "1 to 100000 steps", "write for example count=20")])
        return trace(self, guest or self.first(), count)

    def first(self) -> VirtualMachine:
        """The first guest."""
        if not self.guests:
            raise SpecError([Problem("guests", 0, "1 or more", "create one first: monitor.create(program)")])
        return self.guests[0]

    def drain(self) -> None:
        """Give every guest what it printed."""
        state = self.machine.state
        for word in state.console[:int(state.ports[L.CONSOLE_USED])]:
            number, character = divmod(int(word), L.GUEST)
            printable = character < 0x110000 and not 0xD800 <= character < 0xE000
            self.guests[number - 1].text += chr(character) if printable else "\ufffd"
        state.ports[L.CONSOLE_USED] = 0

    @property
    def table(self) -> pd.DataFrame:
        """One row a guest: instructions begun, and who executed them."""
        import pandas as pd

        return pd.DataFrame([guest.counts for guest in self.guests], index=pd.Index([g.number for g in self.guests], name="guest"))

    def rows(self) -> list[tuple[str, ...]]:
        """The table as text."""
        return [(str(g.number), g.reason, *(f"{g.counts[name]:,}" for name in COUNTS),
                 f"{g.counts['directly'] / max(1, g.counts['instructions']):.1%}") for g in self.guests]

    def __repr__(self) -> str:
        return f"{self.style} monitor on {self.machine.isa.name}\n" + text_table(HEAD, self.rows())

    def _repr_html_(self) -> str:
        return html_table(HEAD, self.rows(), f"{self.style} monitor on {self.machine.isa.name}")


HEAD = ("guest", "state", *COUNTS, "share direct")
