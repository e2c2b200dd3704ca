"""A microkernel with the guest's operating system as a server: every crossing is a message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .structure import Structure, Table


@dataclass(frozen=True)
class Microkernel(Structure):
    """A call is a message there and a message back. `scheduling_contexts`: time is accounted to budgets (seL4 MCS), so that whatever
    changes the budget in charge, an interrupt or a signal, pays for it; a call lends its own and does not.
    """

    name: ClassVar[str] = "microkernel"
    what: ClassVar[str] = "the operating system as a server: system calls, faults and I/O are messages there and back"
    who: ClassVar[str] = "seL4, L4Linux"

    scheduling_contexts: bool = False

    def table(self) -> Table:
        """The system call's own native trap is part of the message."""
        there_and_back = {"ipc": 2}
        budget = {"budget_charge": 1} if self.scheduling_contexts else {}
        return {
            "message": {"native": 0, "ipc": 1}, "hypercall": there_and_back, "system_call": there_and_back, "exception": there_and_back,
            "protection_fault": there_and_back, "page_fault": there_and_back, "context_switch": {"ipc": 1}, "pte_write": there_and_back,
            "port_read": there_and_back, "kernel_io": there_and_back, "interrupt_controller": there_and_back,
            "interrupt": {"native": 0, "irq_message": 1, **budget}, "interrupt_end": {"ipc": 1},
            "ipi": {"native": 0, "notification": 1, **budget}, "idle": {},
        }
