"""What changes between two boards, and what a guest's abstraction layer must change to move."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import Problem, SpecError
from ..system.specfile import plain
from .board import Board
from .hardware import HostDevice
from .interface import VmInterface

if TYPE_CHECKING:
    import pandas as pd


class Change(NamedTuple):
    """One difference, and the work that it makes."""

    group: str
    place: str
    before: Any
    after: Any
    work: str


WORK = {
    "identity": "nothing, unless it asks for its name or revision",
    "architecture": "compile for the other instruction set; write processor start-up, page tables and exceptions anew",
    "operations": "replace privileged operations: traps, hypercalls or patches of the other board",
    "cpus": "start the other number of processors; look at affinities",
    "memory": "link and map for the other addresses (a device tree or memory map does)",
    "irqchip": "a driver for the other interrupt controller",
    "irqs": "renumber the lines (a device tree does)",
    "timer": "a driver for the other timer",
    "driver": "a driver for the other device",
    "registers": "the other base address (a device tree does)",
    "dma": "addresses for DMA: translated by an IOMMU on one board, physical on the other",
    "gone": "do without, or through a split driver or an emulated device",
    "new": "nothing, unless it wants to use it",
    "channels": "the other shared memory and doorbell",
    "image": "link or load at the other address, with the other command line",
    "contract": "nothing in the guest: admit it again (rv.platform.check); its tasks may need other priorities or periods",
    "health": "the other heartbeat",
    "devices": "another way to the device: a driver of its own, a front end, or the driver of what is emulated",
    "cache": "nothing in the guest: colours are given anew",
    "tasks": "the workload is another: admit it again",
}
"""What the abstraction layer must change, by group."""
OF_VM = {"id": "identity", "revision": "identity", "architecture": "architecture", "cpus": "cpus", "memory": "memory", "irqs": "irqs",
         "irqchip": "irqchip", "timer": "timer", "devices": "devices", "channels": "channels", "image": "image", "operations": "operations",
         "contract": "contract", "health": "health", "guest": "tasks", "tasks": "tasks", "criticality": "contract", "degraded": "contract"}
"""Group of each field of a `VmInterface`."""


class Diff(tuple[Change, ...]):
    """All differences; empty, and false, if there are none."""

    __slots__ = ()

    @property
    def groups(self) -> dict[str, int]:
        """{group: number of differences}."""
        names = [change.group for change in self]
        return {name: names.count(name) for name in dict.fromkeys(names)}

    def table(self) -> pd.DataFrame:
        """One row a difference."""
        import pandas as pd

        return pd.DataFrame(list(self), columns=list(Change._fields))

    def __repr__(self) -> str:
        return "\n".join(f"{c.place}: {c.before} -> {c.after} ({c.group}: {c.work})" for c in self) or "no differences"


def diff(before: Board, after: Board, vm: str | None = None) -> Diff:
    """What differs from one board to another, and what that means for a guest's abstraction layer.

    Parameters
    ----------
    before, after : Board
        Two boards, or two revisions of one.
    vm : str, optional
        Only what concerns the VM of this name (of `before`): devices it drives itself, its interface where `after` has a VM of the name.

    Returns
    -------
    Diff
        A tuple of `Change` (group, place, before, after, work).

    Raises
    ------
    SpecError
        For what is no board, or a VM that `before` does not have.

    Notes
    -----
    Devices correspond by name; where `after` has none of the name, the first of the same function does that no other stands for, one with the same
    driver before others. Sources and names of parts do not count.

    Examples
    --------
    >>> import rtvirt as rv
    >>> phone, drone = rv.platform.load("phone"), rv.platform.load("drone")
    >>> [change.after for change in diff(phone, drone) if change.place == "devices[ufs].driver"]
    ['arasan-sdhci']
    >>> diff(phone, phone)
    no differences
    """
    for board in (before, after):
        if not isinstance(board, Board):
            raise SpecError([Problem("board", board, "a Board", "make it with rv.platform.Board(...), or load one")])
    if vm is not None and vm not in {one.name for one in before.vms}:
        raise SpecError([Problem("vm", vm, ", ".join(one.name for one in before.vms) or "no VM", "name a VM of the first board")])
    own = before[vm] if vm is not None else None
    found = [*processor_changes(before, after, own), *chip_changes(before, after), *memory_changes(before, after, own),
             *device_changes(before, after, own), *vm_changes(before, after, vm)]
    return Diff(found)


def change(group: str, place: str, before: Any, after: Any) -> Iterator[Change]:
    """A change, if there is one."""
    if before != after:
        yield Change(group, place, before, after, WORK[group])


def processor_changes(before: Board, after: Board, own: VmInterface | None) -> Iterator[Change]:
    """Instruction sets, extensions, number and kind of cores."""
    yield from change("architecture", "clusters.isa", sorted({c.isa for c in before.clusters}), sorted({c.isa for c in after.clusters}))
    ours, theirs = (sorted({c.extension for c in board.clusters}) for board in (before, after))
    yield from change("operations", "clusters.extension", ours, theirs)
    if own is None:
        yield from change("cpus", "clusters.cpus", {c.core: len(c.cpus) for c in before.clusters}, {c.core: len(c.cpus) for c in after.clusters})
        yield from change("contract", "scheduler", plain(before.scheduler), plain(after.scheduler))


def chip_changes(before: Board, after: Board) -> Iterator[Change]:
    """Interrupt controller and timers."""
    yield from change("irqchip", "irqchip.model", before.irqchip.model, after.irqchip.model)
    if before.irqchip.model == after.irqchip.model:
        yield from change("registers", "irqchip.registers", bases(before.irqchip), bases(after.irqchip))
    ours, theirs = ({timer.model: timer for timer in board.timers} for board in (before, after))
    yield from change("timer", "timers.model", sorted(ours), sorted(theirs))
    for model in sorted(set(ours) & set(theirs)):
        yield from change("registers", f"timers[{ours[model].name}].registers", bases(ours[model]), bases(theirs[model]))
        yield from change("irqs", f"timers[{ours[model].name}].irqs", list(ours[model].irqs), list(theirs[model].irqs))


def bases(part: Any) -> list[str]:
    """Base addresses of registers, to read."""
    return [f"{registers.base:#x}" for registers in part.registers]


def memory_changes(before: Board, after: Board, own: VmInterface | None) -> Iterator[Change]:
    """Where memory is, and colours of caches; of a VM only memory with a fixed place that the other board does not have."""
    for window in own.memory if own else ():
        if window.behind and "io" not in window.flags and not any(region.holds(window.behind) for region in after.memory):
            yield Change("memory", f"vms[{own.name}].memory[{window.name}].phys", f"{window.phys:#x}", None, WORK["memory"])
    if own is None:
        yield from change("memory", "memory", [(f"{m.base:#x}", m.size) for m in before.memory], [(f"{m.base:#x}", m.size) for m in after.memory])
        yield from change("cache", "caches.colours", max((c.colours for c in before.caches), default=1),
                          max((c.colours for c in after.caches), default=1))


def counterparts(before: Board, after: Board) -> Iterator[tuple[HostDevice, HostDevice | None]]:
    """Each device of a board, and the one of the other that stands for it."""
    free = {device.name: device for device in after.devices}
    named = {device.name: free.pop(device.name) for device in before.devices
             if device.name in free and free[device.name].function == device.function}
    for device in before.devices:
        rivals = sorted((one for one in free.values() if one.function == device.function), key=lambda one: one.driver != device.driver)
        yield device, named.get(device.name) or (free.pop(rivals[0].name) if rivals else None)


def device_changes(before: Board, after: Board, own: VmInterface | None) -> Iterator[Change]:
    """Drivers, registers, lines, streams; what is gone, and what is new."""
    wanted = None if own is None else {device.device for device in own.devices if device.mode == "passthrough"}
    taken = set()
    for device, other in counterparts(before, after):
        taken |= {other.name} if other else set()
        place = f"devices[{device.name}]"
        if wanted is not None and device.name not in wanted:
            continue
        if other is None:
            yield Change("gone", place, device.driver, None, WORK["gone"])
            continue
        yield from change("driver", f"{place}.driver", device.driver, other.driver)
        yield from change("registers", f"{place}.registers", bases(device) or device.pci, bases(other) or other.pci)
        yield from change("irqs", f"{place}.irqs", list(device.irqs), list(other.irqs))
        yield from change("dma", f"{place}.streams", reach(device), reach(other))
    for device in after.devices if own is None else ():
        if device.name not in taken:
            yield Change("new", f"devices[{device.name}]", None, device.driver, WORK["new"])


def reach(device: HostDevice) -> str:
    """How a device accesses memory."""
    return "no DMA" if not device.dma else "DMA through an IOMMU" if device.streams else "DMA at physical addresses"


def vm_changes(before: Board, after: Board, name: str | None) -> Iterator[Change]:
    """Interfaces of VMs that both boards have; VMs that only one has."""
    ours, theirs = ({vm.name: vm for vm in board.vms if name in (None, vm.name)} for board in (before, after))
    for one in ours if name is None else ():
        if one not in theirs:
            yield Change("gone", f"vms[{one}]", ours[one].id, None, "it is not on the other board: see rv.platform.fit")
    for one in theirs if name is None else ():
        if one not in ours:
            yield Change("new", f"vms[{one}]", None, theirs[one].id, WORK["new"])
    for one in ours:
        if one in theirs:
            for field, group in OF_VM.items():
                yield from deeper(group, f"vms[{one}].{field}", plain(getattr(ours[one], field), field), plain(getattr(theirs[one], field), field))


def deeper(group: str, place: str, before: Any, after: Any) -> Iterator[Change]:
    """Differences within fields and lists of named parts."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in dict.fromkeys([*before, *after]):
            yield from deeper(group, f"{place}.{name}", before.get(name), after.get(name))
    elif named(before) and named(after) and (before or after):
        ours, theirs = ({part["name"]: part for part in parts} for parts in (before, after))
        for name in dict.fromkeys([*ours, *theirs]):
            yield from deeper(group, f"{place}[{name}]", ours.get(name), theirs.get(name))
    else:
        yield from change(group, place, before, after)


def named(value: Any) -> bool:
    """True for a list of parts with names."""
    return isinstance(value, list) and all(isinstance(part, Mapping) and "name" in part for part in value)
