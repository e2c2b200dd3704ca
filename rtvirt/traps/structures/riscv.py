"""RISC-V with the hypervisor extension: traps to HS mode; without interrupt virtualization each interrupt is injected (Sa et al. 2021)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .arm import el2_table
from .structure import Structure, Table


@dataclass(frozen=True)
class RiscvH(Structure):
    """HS mode saves what software saves, as EL2. `direct_interrupts`: the platform's interrupt controller delivers to the guest itself."""

    name: ClassVar[str] = "riscv_h"
    what: ClassVar[str] = "a hypervisor in HS mode; guest traps delegated, interrupts injected"
    who: ClassVar[str] = "Bao and KVM on RISC-V"

    direct_interrupts: bool = False

    def table(self) -> Table:
        """Without virtualization of the interrupt controller, claim and completion trap too, and so does setting the timer."""
        found = dict(el2_table({"mode_call": 1}, {"host_state": 1}))
        if self.direct_interrupts:
            return found | {"interrupt": {}, "ipi": {"mode_call": 1}}
        return found | {"interrupt_end": {"native": 0, "mode_call": 2, "kernel_emulation": 2}}
