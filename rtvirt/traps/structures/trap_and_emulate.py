"""Classic trap-and-emulate: the guest's kernel is deprivileged, everything privileged traps (VM/370; Popek and Goldberg's monitor)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .structure import Structure, Table

TRAP = {"trap_emulate": 1}


@dataclass(frozen=True)
class TrapAndEmulate(Structure):
    """A bare-metal monitor for a machine whose sensitive instructions are all privileged; memory through shadow page tables."""

    name: ClassVar[str] = "trap_and_emulate"
    what: ClassVar[str] = "deprivileged guest; each privileged instruction and each trap of the guest enters the monitor"
    who: ClassVar[str] = "VM/370; Adams and Agesen's rdtsc that traps"

    def table(self) -> Table:
        """A trap of the guest is forwarded to its kernel (1), which returns by a privileged instruction (2)."""
        there_and_back = {"trap_emulate": 2}
        instead = {"native": 0, **TRAP}
        return {
            "system_call": there_and_back, "exception": there_and_back, "protection_fault": there_and_back,
            "page_fault": {"trap_emulate": 3, "guest_walk": 1, "shadow_update": 1},       # and the write to the write-protected table
            "pte_write": {"trap_emulate": 1, "shadow_update": 1},
            "context_switch": {"trap_emulate": 1, "shadow_switch": 1},
            "register_read": instead, "interrupt_mask": instead, "priority_write": instead, "hypercall": TRAP, "idle": TRAP,
            "port_read": {"native": 0, "trap_emulate": 1, "device_emulation": 1},
            "kernel_io": {"native": 0, "trap_emulate": 1, "kernel_emulation": 1},
            "interrupt_controller": {"native": 0, "trap_emulate": 1, "kernel_emulation": 1},
            "interrupt": there_and_back, "interrupt_end": instead, "ipi": {"trap_emulate": 3},
        }
