"""Does a guest run as on the bare machine? Both are run; their states are compared at every trap and at the end (docs/popek-goldberg.md, rule 3.7).

    rv.machine.monitors.check("x86", program, "trap-and-emulate")

What is compared is f⁻¹ of the real state, with the bare machine's: PSW, switch, timer, number of instructions, registers, all storage, console,
position on the disk, traps so far. Resource control is checked with it: the real storage around the guest must be as before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import layout as L
from ..assembler import Program, assemble
from ..cpu import Machine
from ..isa import ISA
from ..tables import html_table, text_table
from ..variants import isa as find
from .host import Monitor, VirtualMachine

if TYPE_CHECKING:
    import pandas as pd

FIELDS = ("M", "switch", "P", "l", "b", "timer", "instructions", *(f"r{k}" for k in range(L.REGISTERS)), "storage", "console", "disk at", "traps")
HEAD = ("trap", "bare machine", "virtual machine", "")


@dataclass(frozen=True)
class Equivalence:
    """What the comparison found.

    Attributes
    ----------
    traps : tuple of (int, int)
        Digest of the state at each trap, after it was delivered, on the bare machine and in the virtual one; -1 where one of them had no such
        trap. Only the last if there were more than 1024: a digest holds all before it.
    end : tuple of str
        What differs at the end, in words.
    outside : bool
        True if a word of the real storage that is not the guest's was changed.
    counts : dict
        Who executed the guest's instructions (`VirtualMachine.counts`).
    """

    isa: str
    style: str
    traps: tuple[tuple[int, int], ...]
    end: tuple[str, ...]
    outside: bool
    counts: dict[str, int]

    @property
    def first(self) -> int | None:
        """Number of the first trap at which the states differ."""
        return next((k for k, (bare, virtual) in enumerate(self.traps) if bare != virtual), None)

    @property
    def equal(self) -> bool:
        """True if a guest can tell no difference."""
        return self.first is None and not self.end and not self.outside

    @property
    def direct(self) -> float:
        """Efficiency: share of the guest's instructions that the real processor executed."""
        return self.counts["directly"] / max(1, self.counts["instructions"])

    @property
    def summary(self) -> str:
        """In a line."""
        found = [f"other states from trap {self.first} of {len(self.traps)} on"] if self.first is not None else []
        found += [f"at the end {', '.join(self.end)}"] if self.end else []
        found += ["storage outside the guest's was written"] if self.outside else []
        return f"{self.isa}, {self.style}: " + ("; ".join(found) or f"equal at {len(self.traps)} trap(s) and at the end, {self.direct:.1%} direct")

    @property
    def table(self) -> pd.DataFrame:
        """One row a trap: the two digests, and whether they are equal."""
        import pandas as pd

        return pd.DataFrame([(bare, virtual, bare == virtual) for bare, virtual in self.traps], columns=["bare", "virtual", "equal"])

    def rows(self) -> list[tuple[str, ...]]:
        """The table as text."""
        return [(str(k), *("" if x < 0 else f"{x:010x}" for x in pair), "" if pair[0] == pair[1] else "differs") for k, pair in enumerate(self.traps)]

    def __repr__(self) -> str:
        return f"{self.summary}\n" + text_table(HEAD, self.rows())

    def _repr_html_(self) -> str:
        return html_table(HEAD, self.rows(), self.summary)


def check(isa: str | ISA, program: str | Program, style: str = "trap-and-emulate", *, size: int = 1024, fuel: int = 1_000_000, origin: int = 0,
          compiled: bool | None = None) -> Equivalence:
    """Run a program on the bare machine and under a monitor, and compare.

    Parameters
    ----------
    isa : str or ISA
    program : str or Program
    style : str
        One of `STYLES`. A paravirtual guest is another program than the bare machine's; here both get the same.
    size : int
        Words of storage that both have.
    fuel : int
        Instructions that both may begin.
    origin : int
        Words of another guest before this one's storage, so that it lies elsewhere.
    compiled : bool
        As for `Machine`.

    Examples
    --------
    >>> import rtvirt as rv
    >>> program = "MOVESR r1\\n HLT"
    >>> [rv.machine.monitors.check("m68000", program, style).equal for style in ("trap-and-emulate", "hybrid", "binary-translation")]
    [False, True, True]
    """
    table = find(isa)
    words = assemble(program, table) if isinstance(program, str) else program
    monitor = Monitor(table, style, store=L.FIRST_FREE + origin + size + L.FIRST_FREE, compiled=compiled)
    if origin:
        monitor.create(Program(table, [], {}, {}), size=origin)
    guest = monitor.create(words, size=size)
    bare = Machine(table, words, store=size, compiled=compiled)
    bare.state.cpus[0].disk_size = guest.cpu.disk_size             # the same but for the amount of resources: give it as much disk
    bare.state.cpus[0].watched = guest.cpu.watched = 1
    before = surroundings(monitor, guest)
    bare.run(fuel)
    while guest.goes_on and int(guest.cpu.clock) < fuel:
        monitor.turn(guest, fuel - int(guest.cpu.clock))
    return Equivalence(table.name, style, tuple(digests(bare, guest)), tuple(differences(bare, guest)), before != surroundings(monitor, guest),
                       guest.counts)


def surroundings(monitor: Monitor, guest: VirtualMachine) -> tuple[list[int], list[int]]:
    """All real storage that is not the guest's."""
    return monitor.machine.memory(0, guest.origin), monitor.machine.memory(guest.origin + guest.size)


def digests(bare: Machine, guest: VirtualMachine) -> list[tuple[int, int]]:
    """The two machines' digests, trap by trap. Each holds all before it, so the last ones speak for those that the log has no room for."""
    mine, its = bare.state.cpus[0], guest.cpu
    logs = bare.state.digests[:L.LOG], guest.monitor.machine.state.digests[guest.number * L.LOG:(guest.number + 1) * L.LOG]
    if max(int(mine.seen), int(its.seen)) > L.LOG:
        return [(int(mine.digest), int(its.digest))]
    return [tuple(int(log[k]) if k < int(cpu.seen) else -1 for log, cpu in zip(logs, (mine, its)))      # type: ignore[misc]
            for k in range(max(int(mine.seen), int(its.seen)))]


def differences(bare: Machine, guest: VirtualMachine) -> list[str]:
    """What differs at the end."""
    found = []
    if guest.reason == "escaped":
        found.append("the guest has escaped from its monitor")
    for name, mine, its in zip(FIELDS, bare.fingerprint(), guest.fingerprint()):
        if mine != its:
            found.append(storage_difference(mine, its) if name == "storage" else f"{name} is {shown(its)} instead of {shown(mine)}")
    return found


def storage_difference(mine: tuple[int, ...], its: tuple[int, ...]) -> str:
    """Where two storages differ first, and how often."""
    places = [at for at, (a, b) in enumerate(zip(mine, its)) if a != b]
    return f"{len(places)} word(s) of storage, the first at {places[0]}: {its[places[0]]} instead of {mine[places[0]]}"


def shown(value: Any) -> str:
    """A field's value."""
    return "off" if value == L.NEVER else repr(dict(value)) if isinstance(value, tuple) else repr(value)
