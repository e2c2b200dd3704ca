"""libvirt: a domain's XML each, for KVM.

The VM with id 0 is the host itself, and has no file. What libvirt calls ``period`` and ``quota`` are limits that Linux enforces on each vCPU: a
budget is written as one, but nobody promises it. ``shares`` are weights, ``global_quota`` is a cap, and priorities are those of SCHED_FIFO, 99 the
highest there.

Facts: libvirt's documentation of the domain's XML, and its schema (RelaxNG) of version 9. Names of devices are aliases, which a user may choose if
they begin with ``ua-``. What the description does not know is named so that it can be found: images ``/boot/NAME``, disks ``/dev/vg/DEVICE``.
"""

from __future__ import annotations

from ...interop.xml import element, worded
from ..board import Board
from ..contract import Rank, Reservation, Share
from ..interface import VmDevice, VmInterface
from .common import UNSAID, Export, exported, printable, rounded_up, spans
from .libvirt_read import read as read
from .xen_guest import ram_of
from .xl import RESTARTS, letters, short_names

ARCHES = {"aarch64": "aarch64", "armv7-a": "armv7l", "x86-64": "x86_64", "rv64": "riscv64"}
LEAST_QUOTA, PERIODS = 1000, (1000, 1_000_000)       # [us]
CAP_PERIOD = 100_000                                 # [us]: a percent of a pCPU is 1 ms, the least quota
HIGHEST = 100             # our priority p is SCHED_FIFO's 100 - p
MODELS = ("e1000", "e1000e", "rtl8139")
CHECKED = "libvirt's own schema (RelaxNG) by xmllint; what values mean: our own reader only"
REASONS = UNSAID | {
    "scheduler.name": "Linux schedules: the one is read whose contracts are most like what the domains have",
    "scheduler.options": "Linux schedules",
    "vms.cpus.affinity": "a set of pCPUs, in order",
    "vms.cpus.reset": "the image says where it starts",
    "vms.memory.guest": "QEMU chooses where a domain sees its memory, and PCI where shared memory is",
    "vms.memory.phys": "Linux chooses where memory is",
    "vms.memory.size": "whole KiB, all memory together; shared memory a power of two",
    "vms.memory.flags": "huge pages, for all of it; nothing else",
    "vms.memory.colours": "no word for colours",
    "vms.memory": "one amount of memory without a name, and what channels are in, called as they are; registers belong to devices",
    "vms.irqs": "QEMU chooses lines",
    "vms.irqchip": "a GIC, virtualized; an emulated I/O APIC",
    "vms.timer": "the generic timer, virtualized; an emulated HPET",
    "vms.devices.backend": "the host drives devices",
    "vms.devices.driver": "a model of a network card; ahci; pl011 and uart-16550; virtio for front ends, which is not said",
    "vms.devices.irqs": "QEMU chooses lines",
    "vms.devices.registers": "QEMU chooses addresses",
    "vms.devices.device": "only devices passed through have one",
    "vms.devices": "PCI devices passed through, networks, disks, UARTs; no others, and no back ends: the host drives devices",
    "vms.channels.protocol": "no word for protocols",
    "vms.channels.doorbell": "ivshmem-plain has none",
    "vms.channels.region": "it is called as the channel is",
    "vms.channels.peers": "all domains with shared memory of that name",
    "vms.channels": "shared memory of a power of two (ivshmem), between domains that both have a file",
    "vms.image.cmdline": "printable characters only",
    "vms.image": "a file and a command line; QEMU places the image",
    "vms.operations": "KVM's guests trap; no tables of hypercalls, no rates",
    "vms.contract.section": "no word for sections",
    "vms.contract.wakeup": "no word for bounds on wake-ups",
    "vms.contract.priority": "a budget has no priority; SCHED_FIFO has 1 to 99",
    "vms.contract.extratime": "a quota is a limit: there is no more than it",
    "vms.contract.budget": "whole us, rounded up",
    "vms.contract.period": "whole us, rounded down",
    "vms.contract": "shares from 2; caps; quotas from 1 ms in periods of 1 ms to 1 s; priorities from 1 to 99; no slots",
    "vms.health": "on_crash and on_poweroff say whether to restart; no heartbeat, attempts, trace buffer",
    "vms": "the VM with id 0 is the host itself",
}


def write(board: Board) -> Export:
    """The board for libvirt."""
    files = {f"{vm.name}.xml": domain(board, vm) for vm in board.vms if vm.id != 0}
    return exported(board, "libvirt", files, read, REASONS, CHECKED)


def domain(board: Board, vm: VmInterface) -> str:
    """A domain's file."""
    ram = ram_of(vm)
    pins = {"cpuset": spans(vm.cpus.affinity)} if vm.cpus.affinity else {}
    lines = worded("name", {}, vm.name, 1)
    lines += worded("memory", {"unit": "KiB"}, str(rounded_up(sum(window.size for window in ram), 1024)), 1)
    if ram and all("huge" in window.flags for window in ram):
        lines += element("memoryBacking", {}, element("hugepages", {}, indent=2), 1)
    lines += worded("vcpu", {"placement": "static", **pins}, str(vm.cpus.count), 1)
    if tune := cputune(vm):
        lines += element("cputune", {}, tune, 1)
    lines += element("os", {}, boots(vm), 1) + features(vm) + clock(vm)
    for name, action in zip(("on_poweroff", "on_reboot", "on_crash"), RESTARTS[vm.health.restart]):
        lines += worded(name, {}, action, 1)
    lines += element("devices", {}, devices(board, vm), 1)
    return "\n".join(element("domain", {"type": "kvm", "id": str(vm.id)}, lines)) + "\n"


def cputune(vm: VmInterface) -> list[str]:
    """Pins of vCPUs, and the contract."""
    lines = [line for k in range(vm.cpus.count if vm.cpus.affinity else 0)
             for line in element("vcpupin", {"vcpu": str(k), "cpuset": spans(vm.cpus.affinity or ())}, indent=2)]
    own = vm.contract
    if isinstance(own, Share) and own.weight >= 2:
        lines += worded("shares", {}, str(own.weight), 2)
        if own.cap:
            lines += worded("global_period", {}, str(CAP_PERIOD), 2) + worded("global_quota", {}, str(own.cap * CAP_PERIOD // 100), 2)
    elif isinstance(own, Reservation) and (bounds := limit(own)):
        lines += worded("period", {}, str(bounds[0]), 2) + worded("quota", {}, str(bounds[1]), 2)
    elif isinstance(own, Rank) and own.priority < HIGHEST:
        lines += element("vcpusched", {"vcpus": spans(range(vm.cpus.count)), "scheduler": "fifo", "priority": str(HIGHEST - own.priority)}, indent=2)
    return lines


def limit(own: Reservation) -> tuple[int, int] | None:
    """(period, quota) [us] of a reservation, not less than it; None outside of libvirt's ranges."""
    period = own.period // 1000
    quota = min(rounded_up(own.budget, 1000), period)
    return (period, quota) if PERIODS[0] <= period <= PERIODS[1] and quota >= LEAST_QUOTA else None


def boots(vm: VmInterface) -> list[str]:
    """Architecture and image."""
    machine = "q35" if vm.architecture == "x86-64" else "virt"
    lines = worded("type", {"arch": ARCHES[vm.architecture], "machine": machine}, "hvm", 2)
    if vm.image is not None:
        lines += worded("kernel", {}, f"/boot/{vm.name}", 2)
        lines += worded("cmdline", {}, printable(vm.image.cmdline), 2) if printable(vm.image.cmdline) else []
    return lines


def features(vm: VmInterface) -> list[str]:
    """The interrupt controller."""
    model = vm.irqchip.model if vm.irqchip else ""
    lines = element("gic", {"version": model[-1]}, indent=2) if model in ("gic-v2", "gic-v3") else []
    lines += element("ioapic", {"driver": "kvm"}, indent=2) if model == "ioapic" else []
    return element("features", {}, lines, 1) if lines else []


def clock(vm: VmInterface) -> list[str]:
    """The timer."""
    model = vm.timer.model if vm.timer else ""
    lines = element("timer", {"name": "hpet", "present": "yes"}, indent=2) if model == "hpet" else []
    lines += element("timer", {"name": "armvtimer", "tickpolicy": "discard"}, indent=2) if model == "arm-generic" else []
    return element("clock", {"offset": "utc"}, lines, 1) if lines else []


def devices(board: Board, vm: VmInterface) -> list[str]:
    """Networks, disks, UARTs, PCI devices, shared memory."""
    lines: list[str] = []
    targets = iter(short_names(device.name for device in vm.devices if device.function == "net" and device.mode != "passthrough"))
    disks, passed = 0, set[str]()
    for device in vm.devices:
        emulated = device.mode == "virtual"
        if device.mode == "passthrough":
            real = board.device(device.device)
            if real is not None and real.pci is not None and real.pci not in passed:
                passed.add(real.pci)
                lines += hostdev(device.name, real.pci)
        elif device.mode == "split-backend":
            continue
        elif device.function == "net":
            model = (device.driver if device.driver in MODELS else "e1000e") if emulated else "virtio"
            inside = [*element("source", {"bridge": "br0"}, indent=3), *element("target", {"dev": next(targets)}, indent=3),
                      *element("model", {"type": str(model)}, indent=3), *alias(device.name)]
            lines += element("interface", {"type": "bridge"}, inside, 2)
        elif device.function == "block":
            bus, prefix = ("sata", "sd") if emulated else ("virtio", "vd")
            inside = [*element("driver", {"name": "qemu", "type": "raw"}, indent=3), *element("source", {"dev": f"/dev/vg/{device.name}"}, indent=3),
                      *element("target", {"dev": f"{prefix}{letters(disks)}", "bus": bus}, indent=3), *alias(device.name)]
            lines += element("disk", {"type": "block", "device": "disk"}, inside, 2)
            disks += 1
        elif device.function == "uart" and emulated and device.driver in ("pl011", "uart-16550"):
            lines += uart(device)
    return lines + [line for name, size in shared_of(vm).items() for line in element("shmem", {"name": name}, [
        *element("model", {"type": "ivshmem-plain"}, indent=3), *worded("size", {"unit": "B"}, str(size), 3)], 2)]


def uart(device: VmDevice) -> list[str]:
    """A UART."""
    kind, model = ("system-serial", "pl011") if device.driver == "pl011" else ("isa-serial", "isa-serial")
    inside = [*element("target", {"type": kind}, element("model", {"name": model}, indent=4), 3), *alias(device.name)]
    return element("serial", {"type": "pty"}, inside, 2)


def hostdev(name: str, pci: str) -> list[str]:
    """A PCI device passed through."""
    place, function = pci.split(".")
    bus = dict(zip(("domain", "bus", "slot"), (f"0x{part}" for part in place.split(":"))))
    source = element("source", {}, element("address", {**bus, "function": f"0x{function}"}, indent=4), 3)
    return element("hostdev", {"mode": "subsystem", "type": "pci", "managed": "yes"}, [*source, *alias(name)], 2)


def alias(name: str) -> list[str]:
    """What a device is called."""
    return element("alias", {"name": f"ua-{name}"}, indent=3)


def shared_of(vm: VmInterface) -> dict[str, int]:
    """{channel: size} of those that ivshmem can be: of a power of two, each window once."""
    sizes = {window.name: window.size for window in vm.memory if "shared" in window.flags}
    found = {channel.name: sizes.get(channel.region, 0) for channel in vm.channels}
    return {name: size for name, size in found.items() if size >= 4096 and size & (size - 1) == 0}
