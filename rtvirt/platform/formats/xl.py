"""Xen with its toolstack: a file of xl.cfg's syntax for each domain, cpupools, Xen's command line, and a script that starts all and sets contracts.

| file | says |
|---|---|
| ``xen-command-line.txt`` | scheduler; memory and vCPUs of dom0, which is the VM with id 0 |
| ``start.sh`` | order of creation, cpupools, contracts: ``xl sched-credit``, ``sched-credit2``, ``sched-rtds`` |
| ``domains/NAME.cfg`` | xl.cfg(5) of a domain |
| ``domains/NAME.dts`` | ARM: its devices, as a partial device tree |
| ``pools/NAME.cfg`` | xlcpupool.cfg(5), where every VM keeps to one of several kinds of cores |

Facts: xl(1), xl.cfg(5), xlcpupool.cfg(5), xen-command-line, docs/misc/arm/passthrough, of Xen 4.17 to 4.20. What the description does not know is
named so that it can be found: images ``/boot/NAME``, disks ``/dev/vg/DEVICE``.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..board import Board, as_time
from ..contract import Reservation, Share
from ..fields import PAGE
from ..hardware import Cluster
from ..interface import VmDevice, VmInterface
from .common import UNSAID, Export, exported, isa_of, printable, rounded_up, spans
from .partial import given_to, host_path, memory_of, partial_tree
from .xen_guest import ARM, SCHEDULERS, colours_of, kinds, ram_of, refuse_others
from .xl_cfg import Value, written
from .xl_read import read as read

MIB = 2**20
RESTARTS = {"never": ("destroy", "destroy", "destroy"), "on-failure": ("destroy", "restart", "restart"), "always": ("restart", "restart", "restart")}
"""{restart: on_poweroff, on_reboot, on_crash}."""
LEAST_US, MOST_US = 10, 2**32 - 1        # budgets and periods of RTDS
INTERFACE = 15                           # characters of a network interface's name (Linux)
CHECKED = "xl.cfg and pools: parsed by Xen's own libxlutil; .dts: dtc; start.sh, command line, and what values mean: our own reader only"
REASONS = UNSAID | {
    "scheduler.name": "Xen has credit, credit2, rtds, arinc653 and null: its default is read",
    "scheduler.options": "xl sets the time slice and the rate limit of credit and credit2, in ms and us; others are of the model",
    "vms.id": "Xen numbers domains in the order of their creation, from 1",
    "vms.architecture": "it is that of the pCPUs",
    "vms.cpus.affinity": "a set of pCPUs, in order",
    "vms.cpus.reset": "the image says where it starts",
    "vms.memory.guest": "Xen chooses where a domain sees its memory",
    "vms.memory.phys": "Xen chooses where memory is",
    "vms.memory.size": "whole MiB, all memory together",
    "vms.memory.flags": "memory of a domain has no flags",
    "vms.memory.colours": "all memory of a domain has the same (llc_colors)",
    "vms.memory": "one amount of memory, and pages of registers: no names, nothing shared",
    "vms.irqs": "lines passed on, without route, priority and emulated ones; triggers only of a device's lines in the partial device tree",
    "vms.irqchip": "ARM: a GIC, virtualized; x86: an emulated I/O APIC, or none",
    "vms.timer": "ARM: always the generic timer, virtualized; x86: an emulated HPET, or none",
    "vms.devices.device": "where a back end's data go is not said",
    "vms.devices.backend": "without one it is dom0",
    "vms.devices.driver": "the guest knows its drivers; of devices passed through, only partial device trees name one",
    "vms.devices.irqs": "those of the board's device, unless a partial device tree has others; event channels for the rest",
    "vms.devices.registers": "where they are, or moved by whole pages; none for the rest",
    "vms.devices": "only devices passed to domains other than dom0, a virtual UART, front ends of networks and disks, their back ends; names only in "
                   "partial device trees, of vifs and disks",
    "vms.channels": "xl.cfg has no shared memory",
    "vms.image.cmdline": "printable characters only",
    "vms.image": "a file and a command line; Xen places the image, and boots dom0's itself",
    "vms.operations": "pv or hvm on x86; no tables of hypercalls, no rates",
    "vms.contract.section": "no word for sections",
    "vms.contract.wakeup": "no word for bounds on wake-ups",
    "vms.contract.priority": "RTDS has no priorities of this kind",
    "vms.contract.budget": "whole us from 10 to 2^32 - 1",
    "vms.contract.period": "whole us from 10 to 2^32 - 1",
    "vms.contract.cap": "whole percent of a vCPU, to 100 each",
    "vms.contract": "xl has commands for shares under credit and credit2, reservations under rtds; slots of arinc653 need a program of libxc",
    "vms.health": "on_crash and on_poweroff say whether to restart; no heartbeat, attempts, trace buffer; nothing for dom0",
}


def write(board: Board) -> Export:
    """The board for Xen and xl."""
    refuse_others(board, (*ARM, "x86-64"), "xl")
    pools = pools_of(board)
    files = {"xen-command-line.txt": command_line(board, pools), "start.sh": script(board, pools)}
    for name, cluster in pools.items():
        sched = {"sched": board.scheduler.name} if board.scheduler.name in SCHEDULERS else {}
        files[f"pools/{name}.cfg"] = assignments("", {"name": name, **sched, "cpus": spans(cluster.cpus)})
    for vm in board.vms:
        if vm.id != 0:
            files[f"domains/{vm.name}.cfg"] = domain(board, vm, pools)
        if vm.id != 0 and arm(board, vm) and given_to(board, vm):
            files[f"domains/{vm.name}.dts"] = partial_tree(vm, given_to(board, vm))
    return exported(board, "xen", files, read, REASONS, CHECKED)


def arm(board: Board, vm: VmInterface) -> bool:
    """True if a VM runs on ARM."""
    return isa_of(board, vm.cpus.affinity) in ARM


def pools_of(board: Board) -> dict[str, Cluster]:
    """Cpupools besides Pool-0: one for each kind of core, if every VM keeps to one kind. Pool-0 is where dom0 must be."""
    homes = {vm.name: [cluster for cluster in board.clusters if set(vm.cpus.affinity or ()) & set(cluster.cpus)] for vm in board.vms}
    if kinds(board) < 2 or not board.vms or any(len(home) != 1 for home in homes.values()):
        return {}
    zero = next((homes[vm.name][0] for vm in board.vms if vm.id == 0), board.clusters[0])
    return {cluster.name: cluster for cluster in board.clusters if cluster is not zero}


def command_line(board: Board, pools: dict[str, Cluster]) -> str:
    """What Xen is booted with."""
    words = [f"sched={board.scheduler.name}"] if board.scheduler.name in SCHEDULERS else []
    for vm in board.vms:
        if vm.id == 0:
            size = rounded_up(sum(window.size for window in ram_of(vm)), MIB)
            words += [f"dom0_mem={size}M"] if size else []
            words += [f"dom0_max_vcpus={vm.cpus.count}"]
    words += ["hmp-unsafe=true"] if kinds(board) > 1 and board.clusters[0].isa in ARM else []
    return " ".join(words) + "\n"


def script(board: Board, pools: dict[str, Cluster]) -> str:
    """What is done in dom0, in this order: pools, domains, contracts."""
    lines = ["#!/bin/sh", f"# {board.name}: to be run in dom0, beside the folders domains and pools.", "set -e", 'cd "$(dirname "$0")"']
    for name, cluster in pools.items():
        lines += [f"xl cpupool-cpu-remove Pool-0 {spans(cluster.cpus)}", f"xl cpupool-create pools/{name}.cfg"]
    lines += options(board)
    for vm in in_order(board):
        if vm.id == 0:
            lines += [f"xl rename 0 {vm.name}"] + ([f"xl vcpu-pin {vm.name} all {spans(vm.cpus.affinity)}"] if vm.cpus.affinity else [])
        else:
            tree = f"domains/{vm.name}"
            lines += [f"dtc -q -I dts -O dtb -o {tree}.dtb {tree}.dts"] if arm(board, vm) and given_to(board, vm) else []
            lines += [f"xl create domains/{vm.name}.cfg"]
        lines += contract(board, vm)
    return "\n".join(lines) + "\n"


def in_order(board: Board) -> list[VmInterface]:
    """VMs as they can be created: as given, but back ends before their front ends."""
    waiting, ready, found = list(board.vms), set[str](), list[VmInterface]()
    while waiting:
        needs = {vm.name: {device.backend for device in vm.devices if device.mode == "split-frontend"} - ready - {vm.name} for vm in waiting}
        free = [vm for vm in waiting if not needs[vm.name] & {other.name for other in waiting}] or waiting
        found.append(free[0])
        ready.add(free[0].name)
        waiting.remove(free[0])
    return found


def options(board: Board) -> list[str]:
    """Parameters of the scheduler that can be set while Xen runs."""
    times = {name: as_time(value) for name, value in board.scheduler.options.items()}
    slice_, limit = times.get("timeslice"), times.get("ratelimit")
    flags = [f"-t {slice_ // 10**6}"] if slice_ is not None and board.scheduler.name == "credit" else []
    flags += [f"-r {limit // 10**3}"] if limit is not None and limit % 1000 == 0 and board.scheduler.name in ("credit", "credit2") else []
    return [f"xl sched-{board.scheduler.name} -s {' '.join(flags)}"] if flags else []


def contract(board: Board, vm: VmInterface) -> list[str]:
    """The contract, as a command of the scheduler."""
    own, scheduler = vm.contract, board.scheduler.name
    if isinstance(own, Share) and scheduler in ("credit", "credit2"):
        return [f"xl sched-{scheduler} -d {vm.name} -w {own.weight} -c {min(own.cap, 100 * vm.cpus.count)}"]
    if isinstance(own, Reservation) and scheduler == "rtds":
        period = max(LEAST_US, min(own.period // 1000, MOST_US))
        budget = max(LEAST_US, min(rounded_up(own.budget, 1000), period))
        return [f"xl sched-rtds -d {vm.name} -v all -p {period} -b {budget} -e {int(own.extratime)}"]
    return []


def assignments(comment: str, values: dict[str, Value]) -> str:
    """A file of assignments."""
    return "".join([f"# {comment}\n" if comment else "", *(f"{name} = {written(value)}\n" for name, value in values.items())])


def domain(board: Board, vm: VmInterface, pools: dict[str, Cluster]) -> str:
    """A domain's file."""
    off, reboot, crash = RESTARTS[vm.health.restart]
    values: dict[str, Value] = {"name": vm.name}
    x86 = isa_of(board, vm.cpus.affinity) == "x86-64"
    if x86:
        values["type"] = "hvm" if vm.operations.by == "trap" else "pv"
    if vm.image is not None:
        values |= {"kernel": f"/boot/{vm.name}"} | ({"cmdline": printable(vm.image.cmdline)} if printable(vm.image.cmdline) else {})
    ram = ram_of(vm)
    values |= {"memory": rounded_up(sum(window.size for window in ram), MIB)} if ram else {}
    values |= {"llc_colors": [spans(colours_of(ram))]} if colours_of(ram) else {}
    values |= {"vcpus": vm.cpus.count} | ({"cpus": spans(vm.cpus.affinity)} if vm.cpus.affinity else {})
    home = next((name for name, cluster in pools.items() if set(vm.cpus.affinity or ()) & set(cluster.cpus)), None)
    values |= {"pool": home} if home else {}
    values |= platform_of(vm, x86) | passed(board, vm) | front_ends(vm)
    values |= {"on_poweroff": off, "on_reboot": reboot, "on_crash": crash}
    return assignments(f"{vm.name} of {board.name}", values)


def platform_of(vm: VmInterface, x86: bool) -> dict[str, Value]:
    """Interrupt controller and timer, as far as they can be chosen."""
    if not x86:
        model = vm.irqchip.model if vm.irqchip else ""
        return {"gic_version": model.removeprefix("gic-")} if model in ("gic-v2", "gic-v3") else {}
    if vm.operations.by != "trap":
        return {}
    return {"apic": int(vm.irqchip is not None and vm.irqchip.model == "ioapic"), "hpet": int(vm.timer is not None and vm.timer.model == "hpet")}


def passed(board: Board, vm: VmInterface) -> dict[str, Value]:
    """What is passed through: registers, ports, PCI devices, lines; ARM: the partial device tree besides."""
    real = [board.device(device.device) for device in vm.devices if device.mode == "passthrough"]
    given = [one for one in given_to(board, vm) if arm(board, vm) or one.real.pci is None]
    pages = [page(r.base, r.size, guest) for one in given for r, guest in zip(memory_of(one.real), one.guests)]
    pages += [page(window.phys, window.size, window.guest) for window in vm.memory if "io" in window.flags and window.phys is not None]
    ports = [f"{r.base:x}-{r.end - 1:x}" for one in real if one and one.pci is None for r in one.registers if r.space == "port"]
    values: dict[str, Value] = {}
    if arm(board, vm) and given:
        values |= {"device_tree": f"domains/{vm.name}.dtb"}
        values |= {"dtdev": [host_path(one.real) for one in given if one.real.iommu]} if any(one.real.iommu for one in given) else {}
    for name, found in (("iomem", pages), ("ioports", ports), ("pci", [one.pci for one in real if one and one.pci and not arm(board, vm)]),
                        ("irqs", [irq.line for irq in vm.irqs if irq.route != "emulated"])):
        values |= {name: list(dict.fromkeys(found))} if found else {}
    return values


def page(base: int, size: int, guest: int) -> str:
    """Whole pages around some addresses, as iomem has them."""
    first, last = base // PAGE, (base + size - 1) // PAGE
    return f"{first:x},{last - first + 1:x}" + (f"@{guest // PAGE:x}" if guest // PAGE != first else "")


def front_ends(vm: VmInterface) -> dict[str, Value]:
    """Front ends of networks and disks, and the virtual UART."""
    fronts = [device for device in vm.devices if device.mode == "split-frontend"]
    nets, disks = ([device for device in fronts if device.function == function] for function in ("net", "block"))
    names = short_names(device.name for device in nets)
    values: dict[str, Value] = {}
    if nets:
        values["vif"] = [",".join(["type=vif", f"vifname={name}", *backend(device)]) for name, device in zip(names, nets)]
    if disks:
        values["disk"] = [",".join(["format=raw", f"vdev=xvd{letters(k)}", "access=rw", *backend(device), f"target=/dev/vg/{device.name}"])
                          for k, device in enumerate(disks)]
    uarts = {device.driver for device in vm.devices if device.mode == "virtual" and device.function == "uart"}
    return values | ({"vuart": "sbsa_uart"} if "pl011" in uarts else {}) | ({"serial": "pty"} if "uart-16550" in uarts else {})


def backend(device: VmDevice) -> list[str]:
    """Who drives the device."""
    return [f"backend={device.backend}"] if device.backend else []


def letters(k: int) -> str:
    """a, b ... z, aa ...: names of disks."""
    return (letters(k // 26 - 1) if k >= 26 else "") + chr(ord("a") + k % 26)


def short_names(names: Iterable[str]) -> list[str]:
    """Names as interfaces of a network can have them, each once."""
    found: dict[str, None] = {}
    for k, name in enumerate(names):
        short = name if len(name) <= INTERFACE and name not in found else f"{name[:INTERFACE - 4]}.{k}"
        found[short] = None
    return list(found)
