"""The debugger's view of a machine, and the words for why it stopped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import layout as L
from .assembler import disassemble
from .tables import html_table, text_table

if TYPE_CHECKING:
    from .cpu import Machine

AROUND = 3              # instructions shown before and after P


@dataclass(frozen=True)
class Snapshot:
    """A machine at one moment: PSW, registers, instructions around P, the last trap, the end of the console."""

    psw: tuple[tuple[str, str], ...]
    registers: tuple[tuple[str, ...], ...]
    code: tuple[tuple[str, ...], ...]
    trap: str
    console: str
    last: str

    @classmethod
    def of(cls, machine: Machine) -> Snapshot:
        """Take one."""
        cpu, psw = machine.state.cpus[0], machine.psw
        timer = "off" if int(cpu.alarm) == L.NEVER else f"{max(0, int(cpu.alarm) - int(cpu.clock))} instructions left"
        shown = (("M", mode(psw["user"])), ("P", str(psw["p"])), ("R", f"l={psw['l']}, b={psw['b']}"),
                 ("switch", "on" if psw["enabled"] else "off"), ("timer", timer), ("instructions", f"{machine.instructions:,}"))
        values = tuple((f"r{k}", str(x), f"0x{x:08x}") for k, x in enumerate(machine.registers))
        return cls(shown, values, tuple(code_around(machine)), last_trap(machine), machine.console[-200:], machine.last.text)

    def __repr__(self) -> str:
        top = "   ".join(f"{name} {value}" for name, value in self.psw)
        registers = "  ".join(f"{name}={value}" for name, value, _ in self.registers)
        return "\n".join([top, registers, "", text_table(CODE, self.code), "", self.trap, self.last,
                          *([f"console: {self.console!r}"] if self.console else [])])

    def _repr_html_(self) -> str:
        below = "  ".join(x for x in (self.trap, self.last, f"console: {self.console!r}" if self.console else "") if x)
        return html_table([n for n, _ in self.psw], [[v for _, v in self.psw]], "PSW") + \
            html_table([n for n, _, _ in self.registers], [[v for _, v, _ in self.registers], [h for _, _, h in self.registers]], "registers") + \
            html_table(CODE, self.code, "storage around P", below)


CODE = ("", "P", "E[]", "word", "instruction", "label")


def mode(user: int) -> str:
    """Name of a mode."""
    return "user" if user else "supervisor"


def code_around(machine: Machine) -> list[tuple[str, ...]]:
    """Rows of instructions around P; an arrow marks the next one."""
    cpu = machine.state.cpus[0]
    p, window, reach = int(cpu.p), int(cpu.window), int(cpu.reach)
    if p >= reach:
        return [("->", str(p), "", "", f"not reachable: R allows P below {reach}", "")]
    names = machine.program.names
    rows = []
    for at in range(max(0, p - AROUND), min(reach, p + AROUND + 1)):
        word = machine[window + at]
        rows.append(("->" if at == p else "", str(at), str(window + at), f"{word:08x}", disassemble(word, machine.isa), names.get(window + at, "")))
    return rows


def last_trap(machine: Machine) -> str:
    """The last trap: what, where, why."""
    cpu = machine.state.cpus[0]
    cause, p, info = int(cpu.cause), int(cpu.trap_p), int(cpu.info)
    if cause == L.OK or not sum(machine.traps.values()):
        return "no trap so far"
    counts = ", ".join(f"{name} {count}" for name, count in machine.traps.items())
    return f"last trap: {explain(machine, cause, p, info)} (traps: {counts})"


def explain(machine: Any, cause: int, p: int, info: int) -> str:
    """A trap in words."""
    if cause == L.MEMORY:
        return f"memory trap at P={p}: address {info} is not below the bound, or past the end of the storage"
    if cause == L.PRIVILEGED:
        return f"privileged instruction in user mode at P={p}: {disassemble(info, machine.isa)}"
    if cause == L.SVC:
        return f"system call {info} at P={p}"
    if cause == L.ILLEGAL:
        return f"illegal instruction at P={p}: {disassemble(info, machine.isa)}"
    return f"the timer ran down before P={p}"


def why_it_stopped(machine: Machine, reason: int, begun: int, trapped: int) -> str:
    """One line on how a run of `begun` instructions ended, `trapped` of which trapped, and what to do about it."""
    cpu = machine.state.cpus[0]
    where, after = f"in {mode(int(cpu.user))} mode", f"after {begun:,} instruction{'s' * (begun != 1)}"
    if reason == L.HALTED:
        return f"halted at P={int(cpu.at)} ({here(machine, int(cpu.at))}) {where} {after}"
    if reason == L.TRAPPED:
        return f"stopped {after} by a trap, {where}: {explain(machine, int(cpu.cause), int(cpu.trap_p), int(cpu.info))}"
    if reason == L.WEDGED:
        return (f"wedged {after}: {explain(machine, int(cpu.cause), int(cpu.trap_p), int(cpu.info))}; and no handler: the new PSW at "
                f"E[{L.NEW_PSW}..{L.NEW_PSW + 3}] has P={int(cpu.p)}, which R=({int(cpu.l)}, {int(cpu.b)}) does not reach. "
                "Store the PSW of a handler there")
    if 2 * trapped > begun > 2:
        why = explain(machine, int(cpu.cause), int(cpu.trap_p), int(cpu.info))
        return (f"out of fuel {after}, {trapped:,} of which trapped, at P={int(cpu.p)} {where}: {why}; "
                f"it looks as if the handler that the new PSW at E[{L.NEW_PSW}..{L.NEW_PSW + 3}] leads to traps itself")
    return f"out of fuel {after}, at P={int(cpu.p)} ({here(machine, int(cpu.p))}) {where}: no HLT yet; run() goes on from here"


def here(machine: Machine, p: int) -> str:
    """The instruction at a relative address."""
    cpu = machine.state.cpus[0]
    return disassemble(machine[int(cpu.window) + p], machine.isa) if p < int(cpu.reach) else "not reachable"
