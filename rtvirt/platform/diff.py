"""What changes between two boards, and what a guest's abstraction layer must change to move."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import Problem, SpecError
from ..system.specfile import plain
from .board import Board, need_boards
from .fields import format_size
from .hardware import HostDevice, Timer
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
    "speed": "nothing in the guest; its tasks take other times: measure or scale them, and admit it again",
    "price": "nothing in the guest; crossings cost otherwise: ask rv.platform.fit again",
    "iommu": "nothing in the guest: the hypervisor's driver and numbers of streams",
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
    driver before others. Names of parts, sources, `assumed`, `about` and `why` do not count.

    Examples
    --------
    >>> import rtvirt as rv
    >>> phone, drone = rv.platform.load("phone"), rv.platform.load("drone")
    >>> [change.after for change in diff(phone, drone) if change.place == "devices[ufs].driver"]
    ['arasan-sdhci']
    >>> diff(phone, phone)
    no differences
    """
    need_boards(before, after)
    if vm is not None and vm not in [one.name for one in before.vms]:
        raise SpecError([Problem("vm", vm, ", ".join(one.name for one in before.vms) or "no VM", "name a VM of the first board")])
    own = before[vm] if vm is not None else None
    found = [*processor_changes(before, after, own), *chip_changes(before, after), *memory_changes(before, after, own),
             *device_changes(before, after, own), *(board_changes(before, after) if own is None else ()), *vm_changes(before, after, vm)]
    return Diff(found)


def change(group: str, place: str, before: Any, after: Any) -> Iterator[Change]:
    """A change, if there is one."""
    if before != after:
        yield Change(group, place, before, after, WORK[group])


def board_changes(before: Board, after: Board) -> Iterator[Change]:
    """What concerns no guest's code: name, how many lines, IOMMUs, prices."""
    yield from change("identity", "name", before.name, after.name)
    yield from change("identity", "revision", before.revision, after.revision)
    if before.irqchip.model == after.irqchip.model:
        for field in ("lines", "priorities"):
            yield from change("irqs", f"irqchip.{field}", getattr(before.irqchip, field), getattr(after.irqchip, field))
    yield from change("price", "irqchip.direct", before.irqchip.direct, after.irqchip.direct)
    ours, theirs = ([{"model": iommu.model, "registers": places(iommu), "streams": iommu.streams} for iommu in board.iommus]
                    for board in (before, after))
    yield from change("iommu", "iommus", ours, theirs)
    prices = [board.prices and {name: value for name, value in plain(board.prices).items() if name != "why"} for board in (before, after)]
    yield from change("price", "prices", *prices)


def by_core(board: Board, field: str) -> dict[str, list[Any]]:
    """{core: its values of a field, each once}: there may be several clusters of a kind."""
    return {core: list(dict.fromkeys(getattr(one, field) for one in board.clusters if one.core == core))
            for core in dict.fromkeys(one.core for one in board.clusters)}


def processor_changes(before: Board, after: Board, own: VmInterface | None) -> Iterator[Change]:
    """Instruction sets, extensions, number, kind and speed of cores."""
    for group, field in (("architecture", "isa"), ("operations", "extension")):
        ours, theirs = (sorted({getattr(c, field) for c in board.clusters}) for board in (before, after))
        yield from change(group, f"clusters.{field}", ours, theirs)
        mine, other = by_core(before, field), by_core(after, field)
        if ours == theirs and set(mine) == set(other):             # the same ones, but of other cores
            yield from change(group, f"clusters.{field}", mine, other)
    if own is None:
        yield from change("cpus", "clusters.cpus", numbers(before), numbers(after))
        yield from change("speed", "clusters.clock", by_core(before, "clock"), by_core(after, "clock"))
        yield from change("contract", "scheduler", *({"name": one.name, **one.options} for one in (before.scheduler, after.scheduler)))


def numbers(board: Board) -> dict[str, list[int]]:
    """{core: numbers of the pCPUs that are such}."""
    return {core: sorted(cpu for one in board.clusters if one.core == core for cpu in one.cpus) for core in by_core(board, "core")}


def chip_changes(before: Board, after: Board) -> Iterator[Change]:
    """Interrupt controller and timers."""
    ours, theirs = before.irqchip, after.irqchip
    yield from change("irqchip", "irqchip.model", ours.model, theirs.model)
    if ours.model == theirs.model:
        yield from change("registers", "irqchip.registers", places(ours), places(theirs))
    mine, other = timers(before), timers(after)
    yield from change("timer", "timers.model", sorted(timer.model for timer in mine.values()), sorted(timer.model for timer in other.values()))
    for key in sorted(set(mine) & set(other)):
        one, two, place = mine[key], other[key], f"timers[{mine[key].name}]"
        yield from change("registers", f"{place}.registers", places(one), places(two))
        yield from change("irqs", f"{place}.irqs", list(one.irqs), list(two.irqs))
        yield from change("operations", f"{place}.virtual", one.virtual, two.virtual)


def timers(board: Board) -> dict[tuple[str, int], Timer]:
    """{(model, the how-manieth of it): timer}."""
    found: dict[tuple[str, int], Timer] = {}
    for timer in board.timers:
        found[timer.model, sum(model == timer.model for model, _ in found)] = timer
    return found


def places(part: Any) -> list[str]:
    """Where registers are, to read: 0x9000000 (4 KiB)."""
    return [f"{one.base:#x} ({format_size(one.size)}{' of ports' if one.space == 'port' else ''})" for one in part.registers]


def memory_changes(before: Board, after: Board, own: VmInterface | None) -> Iterator[Change]:
    """Where memory is, and colours of caches; of a VM only memory with a fixed place that the other board does not have."""
    for window in own.memory if own else ():
        if window.behind and "io" not in window.flags and not any(region.holds(window.behind) for region in after.memory):
            yield Change("memory", f"vms[{own.name}].memory[{window.name}].phys", f"{window.phys:#x}", None, WORK["memory"])
    if own is None:
        ours, theirs = ([(f"{m.base:#x}", format_size(m.size), m.kind) for m in board.memory] for board in (before, after))
        yield from change("memory", "memory", ours, theirs)
        yield from change("cache", "caches.colours", max((c.colours for c in before.caches), default=1),
                          max((c.colours for c in after.caches), default=1))
        kept = ("level", "size", "ways", "line", "cpus", "partition")
        yield from change("speed", "caches", *([{field: getattr(c, field) for field in kept} for c in board.caches] for board in (before, after)))


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
        yield from change("driver", f"{place}.kind", device.kind, other.kind)
        yield from change("registers", f"{place}.registers", places(device), places(other))
        yield from change("registers", f"{place}.pci", device.pci, other.pci)
        yield from change("irqs", f"{place}.irqs", list(device.irqs), list(other.irqs))
        yield from change("dma", f"{place}.streams", reach(device), reach(other))
        if own is None and reach(device) == reach(other):
            yield from change("iommu", f"{place}.streams", translated(before, device), translated(after, other))
    for device in after.devices if own is None else ():
        if device.name not in taken:
            yield Change("new", f"devices[{device.name}]", None, device.driver, WORK["new"])


def translated(board: Board, device: HostDevice) -> tuple[Any, ...]:
    """Through which IOMMU a device goes, by its number, as which streams."""
    names = [iommu.name for iommu in board.iommus]
    return (names.index(device.iommu) if device.iommu in names else None, *device.streams)


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
