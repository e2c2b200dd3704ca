"""Binary translation: user code runs directly, kernel code is translated so that nothing sensitive is left in it (Adams and Agesen 2006)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .structure import Structure, Table


@dataclass(frozen=True)
class BinaryTranslation(Structure):
    """Sensitive instructions become code in place, or a call out of the translation cache; traps of user code still trap.

    `adaptive`: a site that writes page tables often is translated into a callout instead of trapping at each write.
    """

    name: ClassVar[str] = "binary_translation"
    what: ClassVar[str] = "kernel code translated: in place where it can be, a callout where not; shadow page tables"
    who: ClassVar[str] = "VMware's software VMM"

    adaptive: bool = True

    def table(self) -> Table:
        """What stays cheap is what needs no trap; what hurts is what the user code does."""
        entered = {"trap_emulate": 1}
        return {
            "system_call": entered, "exception": entered, "interrupt": entered,
            "protection_fault": {"trap_emulate": 1, "guest_walk": 1},
            "page_fault": {"trap_emulate": 1, "guest_walk": 1, "shadow_update": 1},
            "pte_write": {"callout" if self.adaptive else "trap_emulate": 1, "shadow_update": 1},
            "context_switch": {"shadow_switch": 1},
            "register_read": {"native": 0, "in_place": 1}, "port_read": {"native": 0, "in_place": 1},
            "interrupt_mask": {"native": 0, "in_place_store": 1}, "priority_write": {"native": 0, "in_place_store": 1},
            "interrupt_end": {"native": 0, "in_place_store": 1},
            "kernel_io": {"native": 0, "callout": 1, "kernel_emulation": 1},
            "interrupt_controller": {"native": 0, "callout": 1, "kernel_emulation": 1},
            "ipi": {"callout": 1, "trap_emulate": 1}, "idle": {"callout": 1}, "hypercall": {"callout": 1},
        }
