"""libvirt's XML read: domains as VMs, on hardware that is given."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from ...interop.xml import Node
from ...interop.xml import parse as parse_xml
from ..board import Board, Scheduler
from ..contract import NoContract, Rank, Reservation, Share
from ..fields import UNITS
from ..interface import Channel, Chip, Clock, CpuShare, Health, Image, Operations, VmDevice, VmInterface, Window
from .common import MOST_VMS, Import, Source, assembled
from .partial import as_seen
from .xen_guest import RAM0
from .xl_read import with_back_ends
from .xl_script import made

ARCHES = {"aarch64": "aarch64", "armv7l": "armv7-a", "x86_64": "x86-64", "riscv64": "rv64", "i686": "x86-64"}
BASES = {"aarch64": RAM0, "armv7-a": RAM0, "x86-64": 0, "rv64": 0x80000000}
"""Where QEMU's machines virt and q35 have memory."""
PCI_MEMORY = 0x8000000000
"""Where shared memory is taken to be seen: QEMU's high window for PCI on its machine virt."""
SIZES = {"b": 1, "bytes": 1, "kb": 10**3, "k": 2**10, "mb": 10**6, "m": 2**20, "gb": 10**9, "g": 2**30, "t": 2**40,
         **{unit.lower(): size for unit, size in UNITS.items()}}
DEFAULT_SHARES = 1024     # of a domain that says nothing (cgroups)
KNOWN = {"name", "memory", "vcpu", "cputune", "os", "on_poweroff", "on_reboot", "on_crash", "devices", "features", "clock", "memoryBacking",
         "currentMemory", "uuid"}


def read(files: Mapping[str, str], hardware: Board) -> Import:
    """libvirt's XML, on hardware that is given.

    Notes
    -----
    Memory is where QEMU's machines have it; images are taken to be loaded and entered there. VMs are in the order of their ids, and those without one
    get the next.
    """
    sources = {name: Source(PurePosixPath(name).name, text) for name, text in sorted(files.items()) if name.endswith(".xml")}
    any_source = next(iter(sources.values()), Source(next(iter(files), "no file"), ""))
    if files and not sources:
        raise any_source.refusal(1, "file", sorted(files)[:5], "at least one .xml file", "give a domain's XML")
    roots = [(source, root) for source in sources.values() for root in domains(source, parse_xml(source))]
    any_source.few(1, "domains", len(roots), MOST_VMS)
    taken, used = set[str](), {number for source, root in roots if (number := given_id(source, root)) is not None}
    vms: list[VmInterface] = []
    for source, root in roots:
        number = given_id(source, root)
        if number is None:
            number = next(k for k in range(1, 65536) if k not in used)
            used.add(number)
        vms.append(Domain(source, root, hardware).vm(number, taken))
    vms = with_peers(with_back_ends(sorted(vms, key=lambda vm: vm.id)))
    board = assembled(any_source, hardware, vms, scheduler_for(any_source, vms))
    return Import(board, tuple(note for source in sources.values() for note in source.notes))


def domains(source: Source, root: Node) -> list[Node]:
    """The domains of a file: one, or some in an element around them."""
    if root.tag not in ("domain", "domains"):
        raise source.refusal(root.line, "file", f"<{root.tag}>", "<domain>", "give a domain's XML")
    return [root] if root.tag == "domain" else root.all("domain")


def given_id(source: Source, root: Node) -> int | None:
    """The number in the file, which libvirt writes for domains that run."""
    text = root.attributes.get("id")
    return None if text is None else source.whole(root.line, "id", text, 0, 65535)


def scheduler_for(source: Source, vms: list[VmInterface]) -> Scheduler:
    """The scheduler whose contracts are most like what the domains have."""
    names = {"none": "null", "share": "credit2", "reservation": "deferrable", "priority": "fp"}
    found = list(dict.fromkeys(vm.contract.kind for vm in vms if vm.contract.kind != "none")) or ["none"]
    if len(found) > 1:
        source.note(f"domains have contracts of kinds {', '.join(found)}, and a scheduler keeps one: {names[found[0]]} is taken")
    if "reservation" in found:
        source.note("quotas are limits that Linux enforces; that they are promised is assumed")
    return Scheduler(name=names[found[0]])  # type: ignore[arg-type]


class Domain:
    """A domain being read."""

    def __init__(self, source: Source, root: Node, hardware: Board) -> None:
        self.source, self.root, self.hardware, self.names = source, root, hardware, set[str]()
        for child in root.children:
            if child.tag not in KNOWN:
                source.note(f"<{child.tag}> is not carried")

    def first(self, *path: str) -> Node | None:
        """An element by its path."""
        node: Node | None = self.root
        for tag in path:
            node = node.first(tag) if node else None
        return node

    def text(self, *path: str) -> str:
        """The text of an element; nothing if it is not there."""
        node = self.first(*path)
        return node.text if node else ""

    def vm(self, number: int, taken: set[str]) -> VmInterface:
        """The domain as a VM."""
        source, line = self.source, self.root.line
        name = source.name(self.text("name") or "domain", taken)
        kind = self.first("os", "type")
        arch = kind.attributes.get("arch", "x86_64") if kind else "x86_64"
        if arch not in ARCHES:
            raise source.refusal(kind.line if kind else line, "arch", arch, ", ".join(ARCHES), "choose one of these")
        isa = ARCHES[arch]
        fields: dict[str, Any] = {"cpus": self.cpus(), "contract": self.contract(), "health": self.health(), "image": self.image(isa),
                                  "irqchip": self.chip(), "timer": self.timer()}
        if kind and kind.text.strip() in ("linux", "xen"):
            fields["operations"] = Operations(by="hypercall")
        fields["devices"] = self.devices()
        windows, fields["channels"] = self.shared(isa)
        fields["memory"] = [*self.memory(isa), *windows]
        return made(source, line, lambda: VmInterface(name=name, id=number, architecture=isa, **{k: v for k, v in fields.items() if v is not None}))

    def cpus(self) -> CpuShare:
        """vCPUs and where they may run."""
        node = self.first("vcpu")
        count = self.source.whole(node.line, "vcpu", node.text, 1, 64) if node else 1
        pins = [(pin.line, pin.attributes.get("cpuset", "")) for pin in (self.first("cputune") or self.root).all("vcpupin")]
        if not pins and node and "cpuset" in node.attributes:
            pins = [(node.line, node.attributes["cpuset"])]
        sets = list(dict.fromkeys(self.source.cpus(line, "cpuset", text) for line, text in pins))
        if len(sets) > 1:
            self.source.note("vCPUs have different pCPUs: a VM has one affinity, all of them")
        return CpuShare(count=count, affinity=tuple(sorted(set().union(*sets))) if sets else None)

    def contract(self) -> Any:
        """Priority, quota, or shares: the first of them that is there."""
        tune = self.first("cputune")
        if tune is None:
            return NoContract()

        def number(tag: str, least: int, most: int) -> int | None:
            node = tune.first(tag)
            return None if node is None else self.source.whole(node.line, tag, node.text, least, most)

        ranks = [self.source.whole(one.line, "priority", one.attributes.get("priority", "0"), 1, 99) for one in tune.all("vcpusched")
                 if one.attributes.get("scheduler") in ("fifo", "rr")]
        period, quota = number("period", 1000, 10**6), number("quota", -1, 2**44)
        whole, cap = number("global_period", 1000, 10**6), number("global_quota", -1, 2**44)
        shares = number("shares", 1, 262144)
        percent = round(100 * cap / (whole or 100_000)) if cap is not None and cap > 0 else 0
        limited = quota is not None and quota > 0
        said = [word for word, there in (("a priority", ranks), ("a quota", limited), ("shares", shares), ("a quota of all", percent)) if there]
        if len(said) > 1 and said != ["shares", "a quota of all"]:
            self.source.note(f"a contract is of one kind: of {', '.join(said)} the first is taken")
        if len(set(ranks)) > 1:
            self.source.note("vCPUs have different priorities: the first is taken")
        if ranks:
            return Rank(priority=100 - ranks[0])
        if quota is not None and quota > 0:
            if not (length := period or 100_000) >= quota:
                self.source.note("a quota longer than its period is no limit for one vCPU")
            return Reservation(budget=min(quota, length) * 1000, period=length * 1000)
        if shares is None and not percent:
            return NoContract()
        if shares is not None and shares > 65535:
            self.source.note("shares above 65535 are read as 65535")
        return Share(weight=min(shares or DEFAULT_SHARES, 65535), cap=min(percent, 102_400))

    def health(self) -> Health:
        """What is done when the domain stops."""
        again = [self.text(tag).strip().endswith("restart") for tag in ("on_poweroff", "on_crash")]
        return Health(restart="always" if all(again) else "on-failure" if again[1] else "never")

    def image(self, isa: str) -> Image | None:
        """The image, where memory begins."""
        return Image(entry=BASES[isa], load=BASES[isa], cmdline=self.text("os", "cmdline")[:400]) if self.first("os", "kernel") else None

    def chip(self) -> Chip | None:
        """The interrupt controller, if it is said."""
        gic = self.first("features", "gic")
        if gic is not None and gic.attributes.get("version") in ("2", "3"):
            return Chip(model="gic-v2" if gic.attributes["version"] == "2" else "gic-v3")
        return Chip(model="ioapic", mode="emulated") if self.first("features", "ioapic") else None

    def timer(self) -> Clock | None:
        """The timer, if it is said."""
        timers = {timer.attributes.get("name"): timer.attributes.get("present", "yes") for timer in (self.first("clock") or self.root).all("timer")}
        if "armvtimer" in timers:
            return Clock(model="arm-generic")
        return Clock(model="hpet", mode="emulated") if timers.get("hpet") == "yes" else None

    def size(self, node: Node, otherwise: str) -> int:
        """A size with its unit, in bytes."""
        unit = node.attributes.get("unit", otherwise)
        if unit.lower() not in SIZES:
            raise self.source.refusal(node.line, "unit", unit, "b, KB, k, KiB, MB, M, MiB, GB, G, GiB, T, TiB", "choose one of these")
        return self.source.whole(node.line, node.tag, node.text, 0, 2**52 // SIZES[unit.lower()]) * SIZES[unit.lower()]

    def memory(self, isa: str) -> list[Window]:
        """The domain's memory."""
        node = self.first("memory")
        size = self.size(node, "KiB") if node else 0
        flags = ("read", "write", "execute", "huge") if self.first("memoryBacking", "hugepages") else ("read", "write", "execute")
        return [made(self.source, node.line, lambda: Window(name="ram", guest=BASES[isa], size=size, flags=flags))] if node and size else []

    def shared(self, isa: str) -> tuple[list[Window], list[Channel]]:
        """Shared memory, one after another in a window of PCI; its peers are found when all domains are read."""
        windows, channels, at, names = list[Window](), list[Channel](), PCI_MEMORY, {"ram"}
        for node in (self.first("devices") or self.root).all("shmem"):
            given = node.first("size")
            size = self.size(given, "M") if given else 4 << 20
            at = -(-at // max(size, 1)) * size
            name = self.source.name(node.attributes.get("name", "shmem"), names)
            windows.append(made(self.source, node.line, lambda name=name, at=at, size=size: Window(
                name=name, guest=at, size=size, flags=("read", "write", "shared"))))
            channels.append(Channel(name=name, region=name, peers=["all"]))
            at += size
        return windows, channels

    def devices(self) -> list[VmDevice]:
        """Networks, disks, UARTs, PCI devices."""
        found: list[VmDevice] = []
        holder = self.first("devices")
        nodes = holder.children if holder else []
        self.source.few(self.root.line, "devices", len(nodes))
        for k, node in enumerate(nodes):
            read_one = {"interface": self.interface, "disk": self.disk, "serial": self.serial, "hostdev": self.hostdev}.get(node.tag)
            if read_one is None:
                self.source.note(f"<{node.tag}> is not carried") if node.tag != "shmem" else None
                continue
            alias = node.first("alias")
            name = alias.attributes.get("name", "").removeprefix("ua-") if alias else f"{node.tag}{k}"
            device = read_one(node, self.source.name(name, self.names))
            found += [device] if device is not None else []
        return found

    def interface(self, node: Node, name: str) -> VmDevice:
        """A network."""
        model = node.first("model")
        return self.half(node, name, "net", model.attributes.get("type", "virtio") if model else "virtio")

    def disk(self, node: Node, name: str) -> VmDevice:
        """A disk."""
        target = node.first("target")
        bus = target.attributes.get("bus", "virtio") if target else "virtio"
        return self.half(node, name, "block", "virtio" if bus in ("virtio", "xen") else "ahci")

    def half(self, node: Node, name: str, function: str, model: str) -> VmDevice:
        """A front end, if it is of virtio or Xen; else an emulated device."""
        back = node.first("backenddomain")
        backend = back.attributes.get("name") if back else None
        if model in ("virtio", "netfront"):
            return made(self.source, node.line, lambda: VmDevice(name=name, mode="split-frontend", function=function, backend=backend))
        return made(self.source, node.line, lambda: VmDevice(name=name, mode="virtual", function=function, driver=model))

    def serial(self, node: Node, name: str) -> VmDevice:
        """A UART."""
        target = node.first("target")
        driver = "pl011" if target and target.attributes.get("type") == "system-serial" else "uart-16550"
        return VmDevice(name=name, mode="virtual", function="uart", driver=driver)

    def hostdev(self, node: Node, name: str) -> VmDevice | None:
        """A PCI device passed through, if the hardware has it."""
        source = node.first("source")
        address = source.first("address") if source else None
        if node.attributes.get("type") != "pci" or address is None:
            self.source.note("host devices other than PCI are not carried")
            return None
        parts = [address.attributes.get(key, "0x0") for key in ("domain", "bus", "slot", "function")]
        if not all(re.fullmatch(r"(0x)?[0-9a-fA-F]{1,4}", part) for part in parts):
            raise self.source.refusal(address.line, "address", " ".join(parts)[:60], "hexadecimal numbers", "write for example 0x03")
        domain, bus, slot, function = (int(part, 16) for part in parts)
        pci = f"{domain:04x}:{bus:02x}:{slot:02x}.{function:x}"
        real = next((device for device in self.hardware.devices if device.pci == pci), None)
        if real is None:
            self.source.note(f"{pci} is passed through, which {self.hardware.name} does not have")
            return None
        return as_seen(real, name, (), real.irqs)


def with_peers(vms: list[VmInterface]) -> list[VmInterface]:
    """VMs whose channels name their peers: those with shared memory of the same name. Without any, a channel leads nowhere, and is left out."""
    sharing: dict[str, list[str]] = {}
    for vm in vms:
        for channel in vm.channels:
            sharing.setdefault(channel.name, []).append(vm.name)
    return [vm.replace(channels=[channel.replace(peers=[other for other in sharing[channel.name] if other != vm.name])
                                 for channel in vm.channels if len(sharing[channel.name]) > 1]) for vm in vms]
