"""Paravirtualization: the guest's kernel is changed to ask instead of trapping (Barham et al. 2003)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from ...errors import Problem, SpecError
from ..checks import whole_number
from .structure import Structure, Table

LARGEST_BATCH = 2048     # page-table updates that one hypercall takes (XEN03, p. 10)


@dataclass(frozen=True)
class Paravirtual(Structure):
    """Hypercalls for what is privileged, batched where the guest can wait; faults bounce through the hypervisor.

    `bits`: a 32-bit guest's system calls go straight to its kernel (a fast trap gate to ring 1); with 64 bits, kernel and user
    code share a ring, so each enters through the hypervisor and leaves by a hypercall. `batch`: page-table updates per hypercall.
    """

    name: ClassVar[str] = "paravirtual"
    what: ClassVar[str] = "a changed kernel: hypercalls, batched page-table updates, validated tables, events"
    who: ClassVar[str] = "Xen PV"

    bits: int = 32
    batch: int = 1

    def __post_init__(self) -> None:
        if self.bits not in (32, 64):
            raise SpecError([Problem("Paravirtual.bits", self.bits, "32 or 64", "choose the guest's mode")])
        if whole_number("Paravirtual.batch", self.batch, 1) > LARGEST_BATCH:
            raise SpecError([Problem("Paravirtual.batch", self.batch, f"1 to {LARGEST_BATCH}", "send several hypercalls")])

    def table(self) -> Table:
        """The guest reads its own virtual state from shared memory: masks, priorities and time cost no crossing."""
        bounce: dict[str, Any] = {"bounce": 1} if self.bits == 32 else {"bounce": 1, "hypercall": 1}   # the iret hypercall
        call = {"hypercall": 1}
        return {
            "system_call": {} if self.bits == 32 else bounce,
            "exception": bounce, "protection_fault": bounce, "interrupt": bounce,
            "page_fault": {**bounce, "hypercall": bounce.get("hypercall", 0) + 1},     # the fault, and the update that mends it
            "pte_write": call, "context_switch": call,
            "port_read": call, "kernel_io": call, "interrupt_controller": call, "interrupt_end": {}, "idle": call, "hypercall": call,
            "ipi": {**bounce, "hypercall": bounce.get("hypercall", 0) + 1},
        }

    def count(self, operation: str, times: int = 1) -> dict[str, int]:
        """As the table says; page-table writes travel in batches."""
        if operation != "pte_write":
            return super().count(operation, times)
        calls = -(-times // self.batch)
        return {"native": times, "hypercall": calls, **({"further_update": times - calls} if times > calls else {})}
