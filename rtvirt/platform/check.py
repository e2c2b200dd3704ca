"""Does what is described fit together? All findings at once."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from .board import Board, need_boards
from .check_contracts import contract_findings
from .check_devices import device_findings
from .check_registers import MOST_PAIRS, pairs, register_findings
from .fields import PAGE, Extent, format_size, shown
from .finding import Finding, Findings
from .hardware import CLASSICAL, Cluster
from .interface import VmInterface, Window


def check(board: Board) -> Findings:
    """What does not fit together: the hardware's resources, the VMs' interfaces, and their contracts.

    Parameters
    ----------
    board : Board

    Returns
    -------
    Findings
        A tuple of `Finding`; each has the rule's name (`rv.platform.RULES`), place, reason and remedy, and the line for a board that was loaded.

    Raises
    ------
    SpecError
        For something that is no board.

    Notes
    -----
    Bounds and deadlines are judged by `rv.admit` on the derived system (`Board.system`): without overheads, and sufficient, so that a finding
    says that the test could not exclude a miss. Traffic of devices counts if it is described.

    Examples
    --------
    >>> import rtvirt as rv
    >>> check(rv.platform.load("drone"))
    no findings
    """
    need_boards(board)
    found = [*cpu_findings(board), *memory_findings(board), *register_findings(board), *colour_findings(board), *device_findings(board),
             *image_findings(board), *contract_findings(board)]
    return Findings(finding._replace(where=board.place(finding.place)) for finding in found)


def clusters_of(board: Board, vm: VmInterface) -> list[Cluster]:
    """Clusters on whose pCPUs a VM may run."""
    return [cluster for cluster in board.clusters if vm.cpus.affinity is None or set(vm.cpus.affinity) & set(cluster.cpus)]


def cpu_findings(board: Board) -> Iterator[Finding]:
    """Architecture, affinity, kinds of cores, operations."""
    for vm in board.vms:
        place = f"vms[{vm.name}]"
        for cpu in vm.cpus.affinity or ():
            if cpu >= board.cpus:
                yield Finding("affinity", f"{place}.cpus.affinity", f"there is no pCPU {cpu}", f"name pCPUs 0 to {board.cpus - 1}")
        there = clusters_of(board, vm)
        for cluster in there:
            if cluster.isa != vm.architecture:
                yield Finding("architecture", f"{place}.architecture", f"it is made for {vm.architecture}, and {cluster.name} runs {cluster.isa}",
                              "keep it off these pCPUs by its affinity, or compile it for them")
            if vm.operations.by == "trap" and cluster.extension == "none" and cluster.isa not in CLASSICAL:
                yield Finding("operations", f"{place}.operations.by", f"{cluster.name} has no extension for hypervisors, and some sensitive "
                              f"instructions of {cluster.isa} do not trap without", "use hypercall, or patched")
        if len({cluster.core for cluster in there}) > 1 and any(task.deadline is not None for task in vm.tasks):
            yield Finding("cluster", f"{place}.cpus.affinity", f"its tasks have deadlines, and it may run on {', '.join(c.core for c in there)}, "
                          "where they take different times", "keep it on one cluster by its affinity")
        if vm.operations.by == "hypercall" and not vm.operations.hypercalls:
            yield Finding("operations", f"{place}.operations.hypercalls", "the guest calls, and no hypercall is named", "name those it needs")


def memory_findings(board: Board) -> Iterator[Finding]:
    """Where memory is, and whose."""
    windows = [(vm, window) for vm in board.vms for window in vm.memory]
    for vm, window in windows:
        yield from place_findings(board, vm, window)
    yield from islice(had_twice(board), MOST_PAIRS)
    ram = sum(region.size for region in board.memory if region.kind == "ram")
    fixed = covered([window.behind for _, window in windows if window.behind and "io" not in window.flags])
    loose = sum(window.size for _, window in windows if window.behind is None and "io" not in window.flags)
    if loose and loose > ram - fixed:
        yield Finding("memory-full", "vms", f"{format_size(loose)} of memory may be anywhere, and {format_size(max(1, ram - fixed))} at most is left",
                      "give VMs less memory")


def had_twice(board: Board) -> Iterator[Finding]:
    """Memory that two windows have, and do not both share."""
    had = [(vm, window, window.behind) for vm in board.vms for window in vm.memory if window.behind]
    for i, j in pairs([behind for *_, behind in had]):
        (vm, window, mine), (other, second, there) = had[i], had[j]
        both = "shared" in window.flags and "shared" in second.flags
        if vm is other or not both:
            yield Finding("memory-overlap", f"vms[{other.name}].memory[{second.name}].phys", f"{shown(there)} is also {shown(mine)} of "
                          f"vms[{vm.name}].memory[{window.name}]", "move one of them, or flag both as shared")


def covered(extents: list[Extent]) -> int:
    """Bytes that some extents cover together."""
    total, end = 0, 0
    for extent in sorted(extents, key=lambda one: one.base):
        total += max(0, extent.end - max(end, extent.base))
        end = max(end, extent.end)
    return total


def place_findings(board: Board, vm: VmInterface, window: Window) -> Iterator[Finding]:
    """One window: in memory, in whole pages."""
    place = f"vms[{vm.name}].memory[{window.name}]"
    for field, value in (("guest", window.guest), ("phys", window.phys), ("size", window.size)):
        if value is not None and value % PAGE:
            yield Finding("memory-place", f"{place}.{field}", f"{value:#x} is no multiple of a page, {PAGE:#x}", "align it to pages")
    if window.behind is None or "io" in window.flags:
        return
    if not any(region.holds(window.behind) for region in board.memory):
        there = ", ".join(f"{region.name} {shown(region)}" for region in board.memory) or "no memory at all"
        yield Finding("memory-place", f"{place}.phys", f"{shown(window.behind)} is not in the board's memory", f"place it within {there}")
    elif "write" in window.flags and any(region.kind == "rom" and region.holds(window.behind) for region in board.memory):
        yield Finding("memory-place", f"{place}.flags", "it is to be written, and lies in read-only memory", "remove write, or move it")


def colour_findings(board: Board) -> Iterator[Finding]:
    """Colours of caches."""
    most = max((cache.colours for cache in board.caches), default=1)
    owner: dict[int, list[tuple[VmInterface, bool]]] = {}
    for vm in board.vms:
        for window in vm.memory:
            place, shared = f"vms[{vm.name}].memory[{window.name}].colours", "shared" in window.flags
            missing = sorted({colour for colour in window.colours if colour >= most})
            if missing:
                yield Finding("colours", place, f"there is no colour {', '.join(map(str, missing))}: the board has {most}", "name colours there are")
            taken = {other.name for c in dict.fromkeys(window.colours) for other, both in owner.get(c, ())
                     if other is not vm and not (shared and both)}
            if taken:
                yield Finding("colours", place, f"{', '.join(sorted(taken))} has some of these colours too, and so the same part of the cache",
                              "give each VM colours of its own")
            for colour in dict.fromkeys(window.colours):
                others = owner.setdefault(colour, [])
                others += [(vm, shared)] if (vm, shared) not in others else []


def image_findings(board: Board) -> Iterator[Finding]:
    """Images lie in memory that the VM has."""
    for vm in board.vms:
        if vm.image is None:
            continue
        loaded = Extent(base=vm.image.load, size=vm.image.size or 1)
        windows = [window.seen for window in vm.memory if "io" not in window.flags]
        if not any(seen.holds(loaded) for seen in windows):
            yield Finding("image", f"vms[{vm.name}].image.load", f"{shown(loaded)} is not in one window of the VM's memory",
                          "load it where the VM has memory")
        runs = [window.seen for window in vm.memory if "execute" in window.flags]
        if not any(seen.holds(Extent(base=vm.image.entry, size=1)) for seen in runs):
            yield Finding("image", f"vms[{vm.name}].image.entry", f"{vm.image.entry:#x} is not in memory that the VM may execute",
                          "enter it where the image is, or add execute to the window's flags")
