"""Operations: what guests do that a hypervisor may have to take part in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Operation(NamedTuple):
    """What a guest does; a composite consists of other operations, so that its cost falls out of theirs."""

    name: str
    what: str
    consists: Mapping[str, int] = {}
    why: str = ""                      # where the counts of a composite are from


TABLES = "page-fault equivalents, counted on VMware Workstation in XEN03 and used for every structure"

OPERATIONS: dict[str, Operation] = {operation.name: operation for operation in (
    Operation("innocuous", "Instructions that are not sensitive: arithmetic, call and return, user code."),
    Operation("system_call", "User code enters its kernel on purpose and comes back."),
    Operation("exception", "An instruction fails (division by zero) and the guest's kernel handles it."),
    Operation("protection_fault", "An access that the page table forbids; the guest's kernel handles it."),
    Operation("page_fault", "An access without a page; the guest's kernel handles it and writes one page-table entry."),
    Operation("context_switch", "The guest's kernel changes to another process: the page-table base is loaded."),
    Operation("pte_write", "The guest's kernel writes a page-table entry in use."),
    Operation("register_read", "A privileged register is read (the class of rdtsc, mrs, cpuid)."),
    Operation("interrupt_mask", "Interrupts are disabled or enabled (cli, sti)."),
    Operation("priority_write", "The interrupt priority is set (cr8, TPR)."),
    Operation("port_read", "A device register is read whose device a process or the host's driver emulates."),
    Operation("kernel_io", "A device register is accessed whose device the hypervisor emulates."),
    Operation("interrupt_controller", "A register of the interrupt controller's distributor is accessed."),
    Operation("interrupt_end", "An interrupt is acknowledged and completed."),
    Operation("interrupt", "A device interrupt reaches the guest's handler."),
    Operation("ipi", "One vCPU interrupts another, which runs."),
    Operation("idle", "The guest has nothing to do and gives the processor away."),
    Operation("hypercall", "The guest calls its hypervisor, which does nothing."),
    Operation("message", "One message, one way: the microkernel's primitive."),
    Operation("timer", "A timer is set and expires.", {"kernel_io": 1, "interrupt": 1, "interrupt_end": 1}, "one access, one interrupt"),
    Operation("packet", "A packet is sent and its completion told.", {"port_read": 1, "interrupt": 1, "interrupt_end": 1},
              "one notification and one interrupt; SUGERMAN01 counts 11 more port accesses for an emulated card"),
    Operation("mmap", "lmbench's mmap latency: a file mapped and touched.", {"page_fault": 50}, TABLES),
    Operation("fork", "lmbench's fork: a process copied, and its exit.", {"page_fault": 70}, TABLES),
    Operation("exec", "lmbench's exec: fork, and another program loaded.", {"page_fault": 161}, TABLES),
    Operation("shell", "lmbench's sh: a shell started to start a program.", {"page_fault": 546}, TABLES),
    Operation("kernel_build", "A Linux kernel compiled (XEN03's).", {"page_fault": 6_466_000}, TABLES),
)}
ELEMENTARY = tuple(name for name, operation in OPERATIONS.items() if not operation.consists)
