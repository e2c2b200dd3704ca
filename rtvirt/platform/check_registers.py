"""Addresses: what a VM sees where, and which registers of the hardware it reaches. A second stage of translation gives away whole pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, islice
from typing import NamedTuple

from .board import Board
from .fields import PAGE, Extent, shown
from .finding import Finding
from .interface import VmInterface

MOST_PAIRS = 1000         # findings of one kind: where everything overlaps, the square of all would be said


class Reached(NamedTuple):
    """Registers, by whole pages, that a VM reaches through a device or a window."""

    vm: VmInterface
    part: str                 # memory[regs], devices[uart]
    field: str
    name: str                 # of the board's device; "" of a window
    pages: Extent
    shared: bool


def register_findings(board: Board) -> Iterator[Finding]:
    """All of them."""
    for vm in board.vms:
        yield from islice(seen_twice(board, vm), MOST_PAIRS)
    reached = [one for vm in board.vms for one in reached_by(board, vm)]
    yield from islice(reached_twice(reached), MOST_PAIRS)
    yield from hypervisors_own(board, reached)
    yield from stream_findings(board)


def pairs(extents: Sequence[Extent]) -> Iterator[tuple[int, int]]:
    """Numbers (first < second) of those that have an address in common."""
    still: list[int] = []
    for k in sorted(range(len(extents)), key=lambda k: extents[k].base):
        still = [one for one in still if extents[one].end > extents[k].base]
        yield from ((min(one, k), max(one, k)) for one in still)
        still.append(k)


def seen_twice(board: Board, vm: VmInterface) -> Iterator[Finding]:
    """Addresses at which a VM would see two things: memory, registers of devices.

    A window of registers may be the same thing as a device, and devices may lie within each other where the board has them so.
    """
    things = [(f"memory[{window.name}]", "guest", window.seen, "io" in window.flags) for window in vm.memory]
    for device in vm.devices:
        real = board.device(device.device) if device.mode == "passthrough" else None
        there = device.registers or (real.registers if real else ())
        things += [(f"devices[{device.name}]", "registers", one, not device.registers) for one in there if one.space == "memory"]
    for i, j in pairs([extent for _, _, extent, _ in things]):
        (first, _, _, same), (second, field, there, too) = things[i], things[j]
        if first != second and not (second.startswith("devices") and same and too):
            yield Finding("memory-guest", f"vms[{vm.name}].{second}.{field}", f"{shown(there)} is also in {first}", "move one of them")


def reached_by(board: Board, vm: VmInterface) -> Iterator[Reached]:
    """What a VM reaches of registers."""
    for window in vm.memory:
        if "io" in window.flags and window.behind:
            yield Reached(vm, f"memory[{window.name}]", "phys", "", paged(window.behind), "shared" in window.flags)
    for device in vm.devices:
        real = board.device(device.device) if device.mode == "passthrough" else None
        for registers in real.registers if real else ():
            if registers.space == "memory":
                yield Reached(vm, f"devices[{device.name}]", "device", device.device or "", paged(registers), False)


def paged(extent: Extent) -> Extent:
    """The pages that an extent is in."""
    base = extent.base // PAGE * PAGE
    return Extent(base=base, size=-(-extent.end // PAGE) * PAGE - base)


def reached_twice(reached: Sequence[Reached]) -> Iterator[Finding]:
    """Pages of registers that two VMs reach; windows may be shared by both, and one device in two VMs is said elsewhere."""
    for i, j in pairs([one.pages for one in reached]):
        first, second = reached[i], reached[j]
        windows = not first.name and not second.name
        if first.vm is second.vm or (first.name == second.name and first.name) or windows:      # two windows: said of all memory
            continue
        why = f"its registers are in the pages {shown(second.pages)}, and vms[{first.vm.name}].{first.part} has {shown(first.pages)}"
        yield Finding("memory-overlap", f"vms[{second.vm.name}].{second.part}.{second.field}", why, "give both to one VM, or split the driver of one")


def hypervisors_own(board: Board, reached: Sequence[Reached]) -> Iterator[Finding]:
    """Registers that no VM may reach: of IOMMUs, and of the interrupt controller unless it has that for itself."""
    chip = [("chip", board.irqchip.name, paged(one)) for one in board.irqchip.registers if one.space == "memory"]
    iommus = [("dma", iommu.name, paged(one)) for iommu in board.iommus for one in iommu.registers if one.space == "memory"]
    for one in reached:
        for rule, name, pages in (*chip, *iommus):
            own = rule == "chip" and one.vm.irqchip is not None and one.vm.irqchip.mode == "direct"
            if one.pages.overlaps(pages) and not own:
                why = f"{shown(one.pages)} are registers of {name}, by which it could undo what keeps VMs apart"
                yield Finding(rule, f"vms[{one.vm.name}].{one.part}.{one.field}", why, "remove it")


def stream_findings(board: Board) -> Iterator[Finding]:
    """Devices in two VMs that an IOMMU cannot tell apart."""
    given = [(vm, device.name, real) for vm in board.vms for device in vm.devices if device.mode == "passthrough"
             and (real := board.device(device.device)) and real.streams]
    for (vm, _, real), (other, name, too) in combinations(given, 2):
        common = sorted(set(real.streams) & set(too.streams)) if vm is not other and real is not too and real.iommu == too.iommu else []
        if common:
            why = f"stream {', '.join(map(str, common))} of {too.iommu} is also that of {real.name} of {vm.name}: the IOMMU cannot tell them apart"
            yield Finding("dma", f"vms[{other.name}].devices[{name}]", why, "give both to one VM, or split the driver of one")
