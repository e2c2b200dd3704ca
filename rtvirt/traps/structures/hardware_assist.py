"""Hardware assist on x86: the processor itself leaves the guest, for reasons that the hypervisor chose (VT-x, SVM)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .structure import Structure, Table

EXIT = {"round_trip": 1}


@dataclass(frozen=True)
class HardwareAssist(Structure):
    """The guest keeps its rings; only chosen events exit. Each option removes a reason to exit.

    `nested_paging`: the processor walks two page tables, so page faults and page-table writes are the guest's own.
    `posted_interrupts`: interrupts and their completion reach the guest without an exit (virtual APIC).
    `control_block`: count reads and writes of the control block, for platforms where those were measured.
    """

    name: ClassVar[str] = "hardware_assist"
    what: ClassVar[str] = "the processor exits to the hypervisor for chosen reasons, and enters the guest again"
    who: ClassVar[str] = "VT-x, SVM: KVM, Xen HVM, ACRN"

    nested_paging: bool = False
    posted_interrupts: bool = False
    control_block: bool = False

    def table(self) -> Table:
        """Exit reasons."""
        emulated = {"native": 0, **self.exit(reads=4, writes=1)}                  # reason, qualification, address, length; new address
        forwarded = self.exit(reads=5, writes=3)                                   # and what happened, to be injected into the guest
        kernel = {**emulated, "kernel_emulation": 1}
        found = {
            "port_read": {**emulated, "user_exit": 1, "device_emulation": 1},
            "kernel_io": kernel, "interrupt_controller": kernel, "hypercall": emulated, "idle": emulated,
            "register_read": {}, "interrupt_mask": {}, "priority_write": {}, "system_call": {}, "exception": {},
        }
        if not self.nested_paging:
            walked = {**forwarded, "guest_walk": 1}
            found |= {"page_fault": {**walked, "shadow_update": 1}, "protection_fault": walked,
                      "context_switch": {**emulated, "native": 1, "shadow_switch": 1},
                      "pte_write": {**emulated, "native": 1, "shadow_update": 1}}
        if not self.posted_interrupts:
            found |= {"interrupt": forwarded, "interrupt_end": emulated,
                      "ipi": {"round_trip": 2}}                                    # the sender's, and the one that stops the receiver
        else:
            found |= {"ipi": EXIT}                                                 # the sender's
        return found

    def exit(self, *, reads: int, writes: int) -> dict[str, int]:
        """An exit with its accesses to the control block."""
        return {**EXIT, "vmcb_read": reads, "vmcb_write": writes} if self.control_block else dict(EXIT)


@dataclass(frozen=True)
class HardwareAssistToday(HardwareAssist):
    """With what came after 2006: nested paging and posted interrupts."""

    name: ClassVar[str] = "hardware_assist_today"
    what: ClassVar[str] = "hardware assist with nested paging and posted interrupts: memory and interrupts need no exit"
    who: ClassVar[str] = "VT-x with EPT and APICv, SVM with NPT and AVIC"

    nested_paging: bool = True
    posted_interrupts: bool = True
