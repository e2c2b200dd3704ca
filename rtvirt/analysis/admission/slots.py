"""What ARINC 653 promises: the windows of the table, whatever anybody does."""

from __future__ import annotations

from ...schedulers.arinc653 import default_table
from ...schedulers.arinc653_table import check_names, slots_of
from ...units import format_ns
from ..supply import SlotTable
from .host import Host, Promise, Vcpu, nothing


def arinc653(host: Host) -> list[Promise]:
    """Each vCPU its windows."""
    scheduler, vms = host.scheduler, host.system.vms
    if scheduler.later:
        return [nothing(vcpu, "another table comes later: admit each table by itself") for vcpu in host.vcpus]
    table = scheduler.table or default_table([(vm.name, vm.vcpus) for vm in vms if vm.control])
    check_names(table, {vm.name: vm.vcpus for vm in vms})
    frame = scheduler.major_frame or sum(runtime for _, _, runtime in table)
    return [windows(host, vcpu, slots_of(table, vcpu.vm.name, vcpu.number), frame) for vcpu in host.vcpus]


def windows(host: Host, vcpu: Vcpu, slots: tuple[tuple[int, int], ...], frame: int) -> Promise:
    """Its windows; with overheads, the end of the window before and the switch come off the beginning of each."""
    late = host.charges.overrun + host.charges.switch
    left = tuple((start + late, length - late) for start, length in slots if length > late)
    if not left:
        return nothing(vcpu, "no window of the table is its own: it never runs (docs/xen-rules.md 7.1.2)" if not slots else
                       f"each of its windows is used up by overheads of {format_ns(late)}")
    total = sum(length for _, length in left)
    return Promise(SlotTable(left, frame), f"{vcpu.name} has its windows, {format_ns(total)} of {format_ns(frame)} (docs/xen-rules.md 7.1.3)",
                   {"rule": "slots", "slots": [list(slot) for slot in left], "frame": frame})
