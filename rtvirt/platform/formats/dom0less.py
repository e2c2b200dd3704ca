"""Xen without a toolstack: domains that Xen makes when it boots, as nodes of the board's device tree.

| file | says |
|---|---|
| ``board.dts`` | ``/chosen`` with a node for each domain, cpupools, Xen's command line; pCPUs and devices passed through, to stand alone |
| ``devices/NAME.dts`` | a domain's devices, as a partial device tree |

All VMs are domains without a toolstack, those with id 0 too: there is no dom0, and so nobody who connects front ends with back ends.

Facts: docs/misc/arm/device-tree/booting.txt and cpupools.txt of Xen 4.21 (``xen,vcpu`` with affinities is since 4.21, ``llc-colors`` since 4.20,
``xen,evtchn`` and ``xen,shared-mem`` since 4.17). Cache colours and static memory exclude one another. Images are named ``NAME.bin``.
"""

from __future__ import annotations

from ..board import Board
from ..fields import PAGE
from ..interface import VmInterface, Window
from .common import UNSAID, Export, exported, printable, rounded_up, spans
from .devicetree import node, pair, quoted
from .dom0less_read import read as read
from .partial import given_to, host_path, memory_of, partial_tree
from .xen_guest import ARM, SCHEDULERS, colours_of, kinds, ram_of, refuse_others

LONGEST_ID = 15           # characters of a shared memory's name
CHECKED = "all files: the device tree compiler, dtc; what properties mean: our own reader only"
REASONS = UNSAID | {
    "scheduler.name": "Xen has credit, credit2, rtds, arinc653 and null: its default is read",
    "scheduler.options": "parameters are set by a toolstack, and there is none",
    "vms.id": "Xen numbers domains in the order of their nodes, from 1",
    "vms.architecture": "it is that of the pCPUs",
    "vms.cpus.affinity": "a set of pCPUs, in order",
    "vms.cpus.reset": "the image says where it starts",
    "vms.memory.guest": "where it is, if all of a domain's is (direct-map); else Xen chooses where the domain sees it",
    "vms.memory.phys": "fixed only in whole pages, for all of a domain's memory, and on boards whose caches are not coloured",
    "vms.memory.size": "whole KiB; with fixed places whole pages",
    "vms.memory.flags": "memory of a domain has no flags but being shared",
    "vms.memory.colours": "all memory of a domain has the same (llc-colors)",
    "vms.memory": "memory of a domain has no names; shared memory has, with a fixed place; registers belong to devices",
    "vms.irqs": "lines of devices passed through, in their order, without route, priority and emulated ones",
    "vms.irqchip": "the board's GIC, virtualized",
    "vms.timer": "the generic timer, virtualized",
    "vms.devices.driver": "the partial device tree names one of devices passed through only",
    "vms.devices.irqs": "those of the board's device, unless others of a GIC from 16 are said",
    "vms.devices.registers": "where they are, or moved by whole pages",
    "vms.devices": "only devices passed through that can be told by registers, and a virtual pl011, vpl011: split drivers need a toolstack",
    "vms.channels.protocol": "no word for protocols",
    "vms.channels.doorbell": "an event channel, which has no line of an interrupt controller",
    "vms.channels.region": "what is shared in the same place",
    "vms.channels.peers": "who shares the same memory",
    "vms.channels": "memory shared by several domains is one channel of theirs, called as the shared memory is",
    "vms.image.cmdline": "printable characters only",
    "vms.image": "a file and a command line; Xen places the image",
    "vms.operations": "no word for hypercalls, patches, rates",
    "vms.contract": "no word for contracts: they are set by a toolstack, and there is none",
    "vms.health": "no word for restarts, heartbeats, trace buffers",
}


def write(board: Board) -> Export:
    """The board for Xen without a toolstack."""
    refuse_others(board, ARM, "dom0less")
    files = {"board.dts": tree(board)}
    for vm in board.vms:
        if given_to(board, vm):
            files[f"devices/{vm.name}.dts"] = partial_tree(vm, given_to(board, vm))
    return exported(board, "dom0less", files, read, REASONS, CHECKED)


def tree(board: Board) -> str:
    """The board's device tree, as far as it is described."""
    cpus = {cpu: cluster for cluster in board.clusters for cpu in cluster.cpus}
    cores = ["#address-cells = <2>;", "#size-cells = <0>;"]
    for cpu in sorted(cpus):
        core = quoted("arm," + printable(cpus[cpu].core).lower())
        cores += node(f"cpu@{cpu:x}", ['device_type = "cpu";', f"compatible = {core};", f"reg = <{pair(cpu)}>;"], f"cpu{cpu}")
    devices = ['compatible = "simple-bus";', "ranges;", "#address-cells = <2>;", "#size-cells = <2>;"]
    for real in dict.fromkeys(given.real.name for vm in board.vms for given in given_to(board, vm)):
        device = board.device(real)
        assert device is not None
        reg = " ".join(f"{pair(r.base)} {pair(r.size)}" for r in memory_of(device))
        lines = [f"compatible = {quoted(device.driver)};", f"reg = <{reg}>;", "xen,passthrough;"]
        devices += ["", *node(host_path(device).removeprefix("/soc/"), lines)]
    body = ["#address-cells = <2>;", "#size-cells = <2>;", "", *node("cpus", cores), "", *node("soc", devices), "", *node("chosen", chosen(board))]
    comment = f"/* {board.name}: /chosen goes into the board's own device tree; cpus and soc are here so that it stands alone. */"
    return "\n".join(["/dts-v1/;", "", comment, *node("/", body)]) + "\n"


def chosen(board: Board) -> list[str]:
    """Command line, cpupools, domains."""
    words = [f"sched={board.scheduler.name}"] if board.scheduler.name in SCHEDULERS else []
    words += ["hmp-unsafe=true"] if kinds(board) > 1 else []
    lines = ["#address-cells = <2>;", "#size-cells = <2>;"] + ([f"xen,xen-bootargs = {quoted(' '.join(words))};"] if words else [])
    pools = pools_of(board)
    for k, (name, cpus) in enumerate(pools.items()):
        refs = " ".join(f"&cpu{cpu}" for cpu in cpus)
        sched = [f'cpupool-sched = "{board.scheduler.name}";'] if board.scheduler.name in SCHEDULERS else []
        lines += ["", *node(name, ['compatible = "xen,cpupool";', f"cpupool-cpus = <{refs}>;", *sched], f"pool{k}")]
    shared = shared_ids(board)
    bells = doorbells(board)
    for vm in board.vms:
        lines += ["", *node(vm.name, domain(board, vm, list(pools.values()), shared, bells))]
    return lines


def pools_of(board: Board) -> dict[str, tuple[int, ...]]:
    """Cpupools, if there are several kinds of cores and every VM keeps to one kind."""
    homes = [[cluster for cluster in board.clusters if set(vm.cpus.affinity or ()) & set(cluster.cpus)] for vm in board.vms]
    if kinds(board) < 2 or any(len(home) != 1 for home in homes):
        return {}
    taken, pools = {vm.name for vm in board.vms}, dict[str, tuple[int, ...]]()
    for cluster in board.clusters:
        name = f"cpupool_{cluster.name}"
        while name in taken:
            name += "_"
        taken.add(name)
        pools[name] = cluster.cpus
    return pools


def shared_of(vm: VmInterface) -> list[Window]:
    """Shared memory with a fixed place in whole pages."""
    return [window for window in vm.memory
            if "shared" in window.flags and window.phys is not None and not (window.phys | window.guest | window.size) % PAGE]


def shared_ids(board: Board) -> dict[tuple[int, int], str]:
    """{(place, size) of shared memory: its name}: that of the first channel through it, else a number."""
    found: dict[tuple[int, int], str] = {}
    names: dict[tuple[int, int], str] = {}
    for vm in board.vms:
        for window in shared_of(vm):
            channel = next((channel.name for channel in vm.channels if channel.region == window.name), None)
            found.setdefault((window.phys or 0, window.size), "")
            if channel is not None and len(channel) <= LONGEST_ID:
                names.setdefault((window.phys or 0, window.size), channel)
    taken: set[str] = set()
    for k, place in enumerate(found):
        name = names.get(place, f"shared{k}")
        found[place] = name if name not in taken else f"shared{k}-{name}"[:LONGEST_ID]
        taken.add(found[place])
    return found


def doorbells(board: Board) -> dict[tuple[str, str], tuple[int, str]]:
    """{(VM, peer): (port, label of the peer's end)}: an event channel for each two VMs that have a channel with doorbells at both ends."""
    ends = {(vm.name, peer) for vm in board.vms for channel in vm.channels if channel.doorbell is not None for peer in channel.peers}
    order = {vm.name: k for k, vm in enumerate(board.vms)}
    both = sorted((order[one], order[other]) for one, other in ends if (other, one) in ends and one != other and other in order)
    ports: dict[tuple[int, int], int] = {}
    for two in both:
        ports[two] = 1 + sum(one == two[0] for one, _ in ports)
    names = [vm.name for vm in board.vms]
    return {(names[one], names[other]): (port, f"evtchn{other}_{one}") for (one, other), port in ports.items()}


def domain(board: Board, vm: VmInterface, pools: list[tuple[int, ...]], shared: dict[tuple[int, int], str],
           bells: dict[tuple[str, str], tuple[int, str]]) -> list[str]:
    """Properties and nodes of a domain."""
    number = [other.name for other in board.vms].index(vm.name)
    lines = ['compatible = "xen,domain";', "#address-cells = <2>;", "#size-cells = <2>;", f"cpus = <{vm.cpus.count}>;", *memory(board, vm)]
    lines += ["vpl011;"] if any(device.mode == "virtual" and device.driver == "pl011" for device in vm.devices) else []
    lines += [f"domain-cpupool = <&pool{k}>;" for k, cpus in enumerate(pools) if set(vm.cpus.affinity or ()) & set(cpus)]
    lines += ['passthrough = "enabled";'] if any(given.real.iommu for given in given_to(board, vm)) else []
    for k in range(vm.cpus.count if vm.cpus.affinity else 0):
        lines += node(f"vcpu{k}", ['compatible = "xen,vcpu";', f"id = <{k}>;", f"hard-affinity = {quoted(spans(vm.cpus.affinity or ()))};"])
    for window in shared_of(vm):
        cells = " ".join(map(pair, (window.phys or 0, window.guest, window.size)))
        lines += node(f"shared-{window.name}", ['compatible = "xen,domain-shared-memory-v1";',
                                                f"xen,shm-id = {quoted(shared[window.phys or 0, window.size])};", f"xen,shared-mem = <{cells}>;"])
    for (own, peer), (port, label) in bells.items():
        if own == vm.name:
            other = [one.name for one in board.vms].index(peer)
            lines += node(f"evtchn-{peer}", ['compatible = "xen,evtchn-v1";', f"xen,evtchn = <{port} &{label}>;"], f"evtchn{number}_{other}")
    if vm.image is not None:
        arguments = [f"bootargs = {quoted(printable(vm.image.cmdline))};"] if printable(vm.image.cmdline) else []
        lines += node("kernel", ['compatible = "multiboot,kernel", "multiboot,module";', f'xen,uefi-binary = "{vm.name}.bin";', *arguments])
    if given_to(board, vm):
        lines += node("devices", ['compatible = "multiboot,device-tree", "multiboot,module";', f'xen,uefi-binary = "{vm.name}.dtb";'])
    return lines


def memory(board: Board, vm: VmInterface) -> list[str]:
    """How much memory, and where: fixed if all of it is, and no cache of the board is coloured."""
    ram = ram_of(vm)
    size = sum(window.size for window in ram)
    lines = [f"memory = <{pair(rounded_up(size, 1024))}>;"] if ram else []
    lines += [f"llc-colors = {quoted(spans(colours_of(ram)))};"] if colours_of(ram) else []
    fixed = ram and all(window.phys is not None and not (window.phys | window.size) % PAGE for window in ram)
    if fixed and not any(window.colours for other in board.vms for window in other.memory):
        banks = " ".join(f"{pair(window.phys or 0)} {pair(window.size)}" for window in ram)
        lines += ["#xen,static-mem-address-cells = <2>;", "#xen,static-mem-size-cells = <2>;", f"xen,static-mem = <{banks}>;"]
        lines += ["direct-map;"] if all(window.identity for window in [*ram, *shared_of(vm)]) else []
    return lines
