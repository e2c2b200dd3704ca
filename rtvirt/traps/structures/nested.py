"""Nested: the guest is a hypervisor. Its exits are themselves handled by a hypervisor: exits multiply."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ...errors import Problem, SpecError
from ..checks import whole_number
from .hardware_assist import HardwareAssist
from .structure import Structure, Table

EXITS = {"turtles": 31, "cpuid": 8, "notify": 9, "neve_non_vhe": 126, "neve_vhe": 82, "neve": 15, "shadowed": 0}
"""Exits of the guest hypervisor while it handles one exit of its guest.

TURTLES10 counts 31 for port I/O, NEVE17 126 (guest hypervisor not in the hypervisor's mode), 82 (in it), and 15 with registers kept in
memory.
"cpuid" and "notify" are the whole numbers that fit TURTLES10's cpuid and DVH20's notification.
"shadowed": the control block is shadowed, its accesses do not exit: the nested work is all."""


@dataclass(frozen=True)
class Nested(Structure):
    """What exits under hardware assist exits `exits` times more, each handled by the hypervisor below."""

    name: ClassVar[str] = "nested"
    what: ClassVar[str] = "a hypervisor under a hypervisor: one exit of the inner guest becomes many"
    who: ClassVar[str] = "Turtles, KVM on KVM, NEVE"

    exits: int | str = "turtles"

    def __post_init__(self) -> None:
        if isinstance(self.exits, str) and self.exits not in EXITS:
            raise SpecError([Problem("Nested.exits", self.exits, ", ".join(EXITS), "choose one of these, or a number of exits")])
        if not isinstance(self.exits, str):
            whole_number("Nested.exits", self.exits, 0)

    @property
    def extra(self) -> int:
        """Exits of the guest hypervisor per exit of its guest."""
        return EXITS[self.exits] if isinstance(self.exits, str) else self.exits

    def table(self) -> Table:
        """Each round trip of one level becomes the nested work and `extra` exits; the inner guest has nested paging."""
        found = {}
        for name, parts in HardwareAssist(nested_paging=True).table().items():
            trips = parts.get("round_trip", 0)
            more = {"nested_work": trips, "nested_exit": trips * self.extra} if trips else {}
            found[name] = {**{part: n for part, n in parts.items() if part != "round_trip"}, **more}
        return found
