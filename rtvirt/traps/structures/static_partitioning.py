"""Static partitioning: processors, memory and devices are given away at boot; the hypervisor is called for almost nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .structure import Structure, Table


@dataclass(frozen=True)
class StaticPartitioning(Structure):
    """Devices are passed through, one vCPU owns a pCPU. `direct_interrupts`: the guest takes its interrupts without the hypervisor;
    otherwise each is taken in the hypervisor's mode and injected."""

    name: ClassVar[str] = "static_partitioning"
    what: ClassVar[str] = "resources given away at boot; interrupts injected or direct"
    who: ClassVar[str] = "Jailhouse, Bao"

    direct_interrupts: bool = True

    def table(self) -> Table:
        """What is left: the distributor, which partitions share, and calls."""
        call = {"mode_call": 1}
        found: Table = {"hypercall": call, "interrupt_controller": {"native": 0, **call, "kernel_emulation": 1}, "ipi": call}
        return found if self.direct_interrupts else {**found, "interrupt": call, "ipi": {"mode_call": 2}}
