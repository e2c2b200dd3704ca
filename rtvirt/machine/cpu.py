"""A machine that runs programs: storage, one processor, and a debugger's view of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from ..errors import Problem, SpecError
from ..jit import DISABLED
from ..rows import handle, make
from . import layout as L
from .assembler import Program, assemble
from .bind import interpreter, primitives
from .debug import Snapshot, why_it_stopped
from .isa import ISA
from .variants import catalogue
from .variants import isa as find

FUEL, PLAIN_FUEL = 100_000_000, 1_000_000      # instructions of a run without `fuel`: half a second compiled, two seconds in plain Python
SLICE = 50_000_000         # instructions between two looks at the keyboard: about a tenth of a second
DEVICES = {"read_port", "write_port", "HALT"}                                               # what names a resource that is not storage
ONE_BY_ONE = {"set_user", "timer", "set_timer", "set_enabled", "read_port", "write_port"}     # primitives that end a sprint


@dataclass(frozen=True)
class Report:
    """How a run ended.

    Attributes
    ----------
    reason : str
        "halted", "out of fuel", "trapped" (`stop_on_trap`), or "wedged": a trap whose handler cannot be reached.
    instructions : int
        Begun in this run.
    text : str
        The same in words, with where and why.
    """

    reason: str
    instructions: int
    text: str

    def __repr__(self) -> str:
        return self.text


class Machine:
    """A bare machine.

    Parameters
    ----------
    isa : str or ISA
        Its instruction set.
    program : str or Program
        A string is assembled first.
    store : int
        Words of storage [12 to 2**18].
    start : int
        First P; the label ``start`` if there is one, else the first address after the trap area (12).
    compiled : bool
        False interprets in plain Python, bit for bit the same. Default: compiled, but for opcodes that are not built in.

    Notes
    -----
    It starts in supervisor mode with R = (0, store), the timer off and traps from it disabled.

    Examples
    --------
    >>> import rtvirt as rv
    >>> machine = rv.machine.Machine("clean", '''
    ... start:  LDI r1, 'A'
    ...         OUT r1, 0
    ...         HLT
    ... ''')
    >>> machine.run()
    halted at P=14 (HLT) in supervisor mode after 3 instructions
    >>> machine.console
    'A'
    """

    def __init__(self, isa: str | ISA = "clean", program: str | Program = "", *, store: int = 4096, start: int | None = None,
                 compiled: bool | None = None) -> None:
        self.isa = find(isa)
        if not isinstance(store, int) or not L.FIRST_FREE <= store <= L.STORE:
            raise SpecError([Problem("store", store, f"{L.FIRST_FREE} to {L.STORE} words", "choose a size in that range")])
        if start is not None and (not isinstance(start, int) or not 0 <= start < store):
            raise SpecError([Problem("start", start, f"0 to {store - 1}", "leave it out, and name the place `start:` in the program")])
        self.program = program if isinstance(program, Program) else assemble(program, self.isa)
        if len(self.program.words) > store:
            raise SpecError([Problem("store", store, f"{len(self.program.words)} words or more, the program's size", "make the storage larger")])
        known = catalogue()
        own = tuple(o.does for o in self.isa.opcodes if o.does not in known)
        self.compiled = (not own if compiled is None else compiled) and not DISABLED
        self.fuel = PLAIN_FUEL if compiled is False or (own and not compiled) else FUEL       # the same with the JIT off
        self.functions = (*known, *dict.fromkeys(own))
        self.engine = interpreter(self.functions, self.compiled, not own)
        self.state = make(L.Machine, {}, plain=not self.compiled)
        self.record = handle(self.state)[0]         # the same, as kernels take it
        for number, entry in enumerate(entries(self.isa, self.functions)):
            self.state.isa[number] = entry
        for at, word in enumerate(self.program.words):
            self.state.store[at] = word
        self.size, self.text = store, ""
        self.reset(self.program.labels.get("start", L.FIRST_FREE) if start is None else start)

    def reset(self, p: int) -> None:
        """Set the PSW as it is at power-on, with the given P. Storage is left as it is."""
        cpu = self.state.cpus[0]
        cpu.user, cpu.p, cpu.l, cpu.b, cpu.enabled, cpu.alarm = 0, int(p), 0, self.size, 0, L.NEVER
        cpu.origin, cpu.size, cpu.window, cpu.reach = 0, self.size, 0, self.size
        cpu.disk_origin, cpu.disk_size = 0, L.DISK
        self.last = Report("not run", 0, "not run yet")

    # -------------------------------------------------------------- run

    def run(self, fuel: int | None = None, *, stop_on_trap: bool = False) -> Report:
        """Run until the machine halts, or has begun `fuel` instructions; calling again goes on.

        Parameters
        ----------
        fuel : int
            Instructions at most. Default: 100 million; one million where opcodes of your own, or ``compiled=False``, mean plain Python.
        stop_on_trap : bool
            Come back at the first trap, before the hardware stores the PSW. Going on then executes the trapping instruction again.
        """
        fuel = self.fuel if fuel is None else fuel
        if not isinstance(fuel, int) or not 0 < fuel <= 10**15:
            raise SpecError([Problem("fuel", fuel, "1 to 10**15 instructions", "write for example fuel=1_000_000")])
        cpu, left, reason, trapped = self.state.cpus[0], fuel, L.OUT_OF_FUEL, sum(self.traps.values())
        cpu.monitored = int(stop_on_trap)
        while left > 0:
            begun = int(cpu.clock)
            reason = self.engine.run(self.record, 0, min(left, SLICE if self.compiled else 10_000))
            left -= int(cpu.clock) - begun
            self.drain()
            if reason not in (L.OUT_OF_FUEL, L.FULL):
                break
        self.last = Report(("", "halted", "out of fuel", "trapped", "wedged", "console full")[reason], fuel - left,
                           why_it_stopped(self, reason, fuel - left, sum(self.traps.values()) - trapped))
        return self.last

    def step(self, count: int = 1) -> Snapshot:
        """Execute `count` instructions (traps included) and show where the machine is."""
        self.run(count)
        return self.view()

    def drain(self) -> None:
        """Take what was printed out of the console's buffer."""
        used = int(self.state.ports[L.CONSOLE_USED])
        self.text += "".join(chr(int(c)) if int(c) < 0x110000 and not 0xD800 <= int(c) < 0xE000 else "\ufffd" for c in self.state.console[:used])
        self.state.ports[L.CONSOLE_USED] = 0

    def type(self, text: str) -> None:
        """Put text into the console's input."""
        if not isinstance(text, str):
            raise SpecError([Problem("text", text, "a string", 'write for example type("abc")')])
        waiting = [int(c) for c in self.state.keyboard[int(self.state.ports[L.KEYS_READ]):int(self.state.ports[L.KEYS])]]
        words = [*waiting, *map(ord, text)]
        if len(words) > L.CONSOLE:
            raise SpecError([Problem("text", f"{len(text)} characters after {len(waiting)} unread ones", f"up to {L.CONSOLE} together",
                                     "type it in parts")])
        for i, word in enumerate(words):
            self.state.keyboard[i] = word
        self.state.ports[L.KEYS_READ], self.state.ports[L.KEYS] = 0, len(words)

    # -------------------------------------------------------------- look

    @property
    def console(self) -> str:
        """Everything printed so far."""
        return self.text

    @property
    def registers(self) -> list[int]:
        """r0 to r7."""
        return [int(x) for x in self.state.registers[:L.REGISTERS]]

    @property
    def psw(self) -> dict[str, int]:
        """M (0 supervisor, 1 user), the interrupt switch, P, R = (l, b)."""
        cpu = self.state.cpus[0]
        return {"user": int(cpu.user), "enabled": int(cpu.enabled), "p": int(cpu.p), "l": int(cpu.l), "b": int(cpu.b)}

    @property
    def instructions(self) -> int:
        """Begun since the machine was made."""
        return int(self.state.cpus[0].clock)

    @property
    def traps(self) -> dict[str, int]:
        """Traps so far, by cause."""
        return {name: int(self.state.traps[cause]) for cause, name in enumerate(L.CAUSES) if cause and self.state.traps[cause]}

    def memory(self, at: int = 0, count: int | None = None) -> list[int]:
        """Words of storage, from absolute address `at`."""
        if not 0 <= at <= self.size or (count is not None and count < 0):
            raise SpecError([Problem("address", at, f"0 to {self.size}, and a count of 0 or more", "correct it")])
        words = self.state.store[at:self.size if count is None else min(self.size, at + count)]
        return words.tolist() if self.compiled else list(words)

    def __getitem__(self, place: int | str) -> int:
        """The word at an absolute address, or at a label of the program."""
        at = self.program.labels.get(place, -1) if isinstance(place, str) else place
        if not isinstance(at, int) or not 0 <= at < self.size:
            raise SpecError([Problem("address", place, f"0 to {self.size - 1}, or a label of the program", "correct it")])
        return int(self.state.store[at])

    def poke(self, at: int, words: Sequence[int]) -> None:
        """Write words into storage, from absolute address `at`."""
        if not 0 <= at <= self.size - len(words):
            raise SpecError([Problem("address", at, f"0 to {self.size - len(words)} for {len(words)} words", "correct it")])
        for k, value in enumerate(words):
            self.state.store[at + k] = int(value) & L.MASK

    def fingerprint(self) -> tuple[Any, ...]:
        """The whole state, to compare: PSW, timer, registers, storage, console."""
        cpu = self.state.cpus[0]
        return (*self.psw.values(), int(cpu.alarm), int(cpu.clock), *self.registers, tuple(self.memory()), self.text,
                int(cpu.disk_at), tuple(self.traps.items()))

    def view(self) -> Snapshot:
        """Registers, PSW, the instructions around P, and the last trap, for people."""
        return Snapshot.of(self)

    def __repr__(self) -> str:
        return repr(self.view())

    def _repr_html_(self) -> str:
        return self.view()._repr_html_()


@cache
def entries(isa: ISA, functions: tuple[Any, ...]) -> list[int]:
    """What the interpreter is told of each operation code: number of its semantics, and flags."""
    table = [L.SPECIAL | L.UNDEFINED] * 256
    for opcode in isa.opcodes:
        names = primitives(opcode.does)
        flags = L.TRAPS_IN_USER if opcode.privileged else 0
        flags |= L.DEVICE if DEVICES & names else 0
        flags |= L.SPECIAL if flags or ONE_BY_ONE & names else 0
        table[opcode.number] = functions.index(opcode.does) | flags
    return table
