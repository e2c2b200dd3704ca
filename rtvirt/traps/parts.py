"""Parts: what a crossing is made of. A structure counts them, a platform has a constant [cycles] for each."""

from __future__ import annotations

from typing import NamedTuple


class Part(NamedTuple):
    """A piece of work that some structure adds to an operation."""

    name: str
    what: str
    transition: bool = False           # control passes to the hypervisor (or kernel) and comes back
    made_of: tuple[str, ...] = ()      # finer parts, used instead where a platform has their constants


NATIVE = "native"   # the operation itself, as on the bare machine

PARTS: dict[str, Part] = {part.name: part for part in (
    Part(NATIVE, "the operation as the bare machine does it"),
    # classic and translated
    Part("trap_emulate", "a trap from deprivileged code: decoded, emulated, returned", True),
    Part("interpret", "one instruction fetched, decoded and carried out by software"),
    Part("callout", "translated code calls the monitor instead of trapping"),
    Part("in_place", "the translator puts emulation code in line (a rdtsc, a port kept in memory)"),
    Part("in_place_store", "the translator puts one store to a virtual register in line (cli, cr8)"),
    Part("translate", "one guest instruction translated, once"),
    Part("guest_walk", "the monitor walks the guest's page table to see whose fault it is, and forwards it"),
    Part("shadow_update", "the monitor brings a shadow page table entry in step"),
    Part("shadow_switch", "the monitor finds the shadow of another address space"),
    # hosted
    Part("world_switch", "the whole machine state exchanged, monitor to host or host to monitor", True),
    Part("host_work", "the host's application and driver carry out the request"),
    Part("ptrace_stop", "the host stops the process, runs the tracer, and runs the process again", True),
    Part("host_switch", "the host changes to the process that stands for the guest's next one"),
    # paravirtual
    Part("bounce", "a fault or interrupt enters the hypervisor, which enters the guest's kernel", True),
    Part("hypercall", "a call into the hypervisor, validated, with its first page-table update", True),
    Part("further_update", "one more validated update in a hypercall that carries a batch"),
    # hardware assist
    Part("vm_exit", "the processor saves the guest's state and loads the hypervisor's", True),
    Part("vm_entry", "the processor loads the guest's state"),
    Part("round_trip", "exit and entry, where a source measured both in one (with the least handler between)", True, ("vm_exit", "vm_entry")),
    Part("vmcb_read", "one field of the control block read"),
    Part("vmcb_write", "one field of the control block written"),
    Part("kernel_emulation", "a device emulated inside hypervisor or host kernel"),
    Part("user_exit", "the host kernel returns to a process that emulates the device, and is called again"),
    Part("device_emulation", "that process's model of the device"),
    Part("interrupt_dispatch", "the hypervisor takes a physical interrupt and finds whose it is"),
    # ARM and RISC-V
    Part("trap", "the processor enters the hypervisor's mode; no state is saved", True),
    Part("return", "the processor leaves the hypervisor's mode"),
    Part("gp_registers", "general registers saved and restored, and the handler"),
    Part("mode_call", "trap, general registers, return", True, ("trap", "gp_registers", "return")),
    Part("vgic", "the virtual interrupt controller's registers saved and restored"),
    Part("other_state", "EL1 system registers, floating point and timer saved and restored"),
    Part("host_state", "all that the host kernel needs exchanged", False, ("vgic", "other_state")),
    Part("mode_bounce", "a second trap and return, because the host kernel is not in the hypervisor's mode", True, ("trap", "return")),
    # nested
    Part("nested_exit", "the guest hypervisor itself exits", True),
    Part("nested_work", "the rest of a nested exit: the guest hypervisor's own work and the switch to it", True),
    # microkernel
    Part("ipc", "one message, one way, to another address space", True),
    Part("irq_message", "an interrupt made a message to a driver thread", True),
    Part("notification", "a signal to another thread", True),
    Part("budget_charge", "time accounted, and the timer set, when the scheduling context changes"),
    # same privilege
    Part("irq_dispatch", "an interrupt routed to the operating system it belongs to"),
    Part("full_switch", "the other operating system's registers saved, this one's restored"),
)}
