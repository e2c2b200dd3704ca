"""A micro-VMM in the same privilege level as its guests: it only shares the processor out (SPUMONE)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .structure import Structure, Table


@dataclass(frozen=True)
class MicroVMM(Structure):
    """The guests call it as a function; interrupts are routed by it. `other_running`: the interrupt finds the other guest running, so
    that one's registers are saved and this one's restored: the worst case."""

    name: ClassVar[str] = "micro_vmm"
    what: ClassVar[str] = "a layer at the guests' own privilege: interrupts routed, the processor shared, nothing protected"
    who: ClassVar[str] = "SPUMONE"

    other_running: bool = False

    def table(self) -> Table:
        """Everything but interrupts runs directly."""
        routed = {"irq_dispatch": 1, **({"full_switch": 1} if self.other_running else {})}
        return {"interrupt": routed, "ipi": routed, "idle": {"full_switch": 1}}
