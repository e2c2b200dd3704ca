"""Xen's domains in a device tree, read as VMs on hardware that is given."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from ..board import Board, Scheduler
from ..interface import Channel, CpuShare, Image, VmDevice, VmInterface, Window
from .common import MOST_VMS, Import, Source, assembled, isa_of
from .devicetree import Node, Ref, parse
from .partial import Said, device_of, lines_of, read_partial
from .xen_guest import ARM, DEFAULT, RAM0, RAM0_SIZE, RAM1, SCHEDULERS, always, ram_windows
from .xl_script import made

MOST_KIB = 2**34
KNOWN = {"compatible", "#address-cells", "#size-cells", "cpus", "memory", "vpl011", "domain-cpupool", "passthrough", "llc-colors", "xen,static-mem",
         "#xen,static-mem-address-cells", "#xen,static-mem-size-cells", "direct-map"}


def read(files: Mapping[str, str], hardware: Board) -> Import:
    """A board's device tree with domains, and their partial trees, on hardware that is given.

    Notes
    -----
    The tree is the file with a domain in ``/chosen``; a partial tree is found by the name of the compiled one. Memory without a fixed place is where
    Xen's domains see it; images are taken to be loaded and entered where memory begins.
    """
    sources = {name: Source(PurePosixPath(name).name, text) for name, text in sorted(files.items()) if name.endswith(".dts")}
    trees = {name: parse(source) for name, source in sources.items()}
    any_source = next(iter(sources.values()), Source(next(iter(files)), ""))
    mains = [name for name, root in trees.items() if "chosen" in root.children and root.children["chosen"].all("xen,domain")]
    mains = mains or [name for name, root in trees.items() if "chosen" in root.children]
    if len(mains) != 1:
        raise any_source.refusal(1, "chosen", f"{len(mains)} files with a node /chosen for Xen", "one", "give one device tree with the domains")
    sources[mains[0]].few(1, "domains", len(trees[mains[0]].children["chosen"].all("xen,domain")), MOST_VMS)
    reader = Reader(sources, trees[mains[0]], sources[mains[0]], hardware, mains[0])
    vms = with_channels([reader.vm(child, k) for k, child in enumerate(reader.chosen.all("xen,domain"), 1)], reader.ids)
    board = assembled(reader.source, hardware, vms, reader.scheduler())
    return Import(board, tuple(note for source in sources.values() for note in source.notes))


class Reader:
    """The tree being read."""

    def __init__(self, sources: Mapping[str, Source], root: Node, source: Source, hardware: Board, main: str) -> None:
        self.sources, self.source, self.hardware, self.main = sources, source, hardware, main
        self.chosen, self.taken = root.children["chosen"], set[str]()
        self.ids: dict[tuple[str, str], str] = {}            # {(VM, window): name of the shared memory}
        cores = root.children.get("cpus")
        labels = {label: child for child in (cores.children.values() if cores else ()) for label in child.labels}
        self.cpus = {label: self.last(child, "reg", 0) for label, child in labels.items()}
        self.pools = {label: child for child in self.chosen.all("xen,cpupool") for label in child.labels}

    def last(self, node: Node, name: str, otherwise: int) -> int:
        """The last cell of a property."""
        return [otherwise, *node.numbers(self.source, name)][-1]

    def scheduler(self) -> Scheduler:
        """Of the command line, else of a cpupool, else Xen's default."""
        words = " ".join(self.chosen.strings("xen,xen-bootargs")).split()
        named = [(word.removeprefix("sched="), self.chosen.at("xen,xen-bootargs")) for word in words if word.startswith("sched=")]
        for word in words:
            if not word.startswith(("sched=", "hmp-unsafe")):
                self.source.note(f"{word[:60]} of Xen's command line is not carried")
        named += [(text, pool.at("cpupool-sched")) for pool in self.chosen.all("xen,cpupool") for text in pool.strings("cpupool-sched")]
        for name, line in named:
            if name not in SCHEDULERS:
                raise self.source.refusal(line, "sched", name, ", ".join(SCHEDULERS), "choose one of these")
        if len({name for name, _ in named}) > 1:
            self.source.note("cpupools have different schedulers, and a board has one: the first is taken")
        return Scheduler(name=named[0][0] if named else DEFAULT)

    def number(self, node: Node, name: str, otherwise: int, least: int, most: int) -> int:
        """A property of one number; of 64 bits, if it has two cells."""
        cells = node.numbers(self.source, name)[:2]
        value = otherwise if not cells else cells[0] if len(cells) == 1 else (cells[0] << 32) | cells[1]
        return self.source.whole(node.at(name), name, value, least, most)

    def vm(self, node: Node, number: int) -> VmInterface:
        """A domain as a VM."""
        name = self.source.name(node.name.split("@")[0], self.taken)
        for prop in node.properties:
            if prop not in KNOWN:
                self.source.note(f"{prop} is not carried")
        count = self.number(node, "cpus", 1, 1, 64)
        affinity = self.affinity(node)
        isa = isa_of(self.hardware, affinity)
        image = next(iter(node.all("multiboot,kernel")), None)
        said = [one for child in node.all("multiboot,device-tree") for one in self.partial(child)]
        source = next((self.sources[key] for child in node.all("multiboot,device-tree") if (key := self.partial_name(child))), self.source)
        devices = [device_of(source, self.hardware, one, one.physical[0] if one.physical else None) for one in said]
        base = RAM0 if isa in ARM else 0
        own = self.memory(node, isa)
        fields: dict[str, Any] = always(self.hardware, isa) | {
            "memory": [*own, *self.shared(node, name, own)], "devices": [*devices, *self.uart(node)], "irqs": lines_of(said)}
        if image is not None:
            fields["image"] = made(self.source, image.line, lambda: Image(entry=base, load=base, cmdline=" ".join(image.strings("bootargs"))))
        return made(self.source, node.line, lambda: VmInterface(name=name, id=number, architecture=isa,
                                                               cpus=CpuShare(count=count, affinity=affinity), **fields))

    def affinity(self, node: Node) -> tuple[int, ...] | None:
        """pCPUs of the vCPUs, else of the domain's pool."""
        found = [self.source.cpus(child.at("hard-affinity"), "hard-affinity", text) for child in node.all("xen,vcpu")
                 for text in child.strings("hard-affinity")]
        if len(set(found)) > 1:
            self.source.note(f"vCPUs of {node.name} have different pCPUs: a VM has one affinity, all of them")
        if found:
            return tuple(sorted(set().union(*map(set, found))))
        for cell in node.cells("domain-cpupool"):
            pool = self.pools.get(cell.label) if isinstance(cell, Ref) else None
            if pool is None:
                raise self.source.refusal(node.at("domain-cpupool"), "domain-cpupool", cell, "a label of a node xen,cpupool", "correct it")
            cpus = [self.cpus.get(one.label) if isinstance(one, Ref) else None for one in pool.cells("cpupool-cpus")]
            if None in cpus or not cpus:
                raise self.source.refusal(pool.at("cpupool-cpus"), "cpupool-cpus", "a reference", "labels of nodes in /cpus", "correct it")
            numbers = ",".join(map(str, cpus))
            return self.source.cpus(pool.at("cpupool-cpus"), "cpupool-cpus", numbers)
        return None

    def memory(self, node: Node, isa: str) -> list[Window]:
        """The domain's own memory."""
        size = self.number(node, "memory", 0, 0, MOST_KIB) * 1024
        colours = tuple(dict.fromkeys(colour for text in node.strings("llc-colors") for colour in self.colours(node, text)))
        widths = [node.width(self.source, f"#xen,static-mem-{what}-cells", self.widths(node)[k]) for k, what in enumerate(("address", "size"))]
        banks = node.rows(self.source, "xen,static-mem", widths)
        if not banks:
            return ram_windows(isa, size, colours) if size else []
        windows, seen = list[Window](), RAM0
        for k, (base, length) in enumerate(banks):
            if RAM0 <= seen < RAM1 and seen + length > RAM0 + RAM0_SIZE:
                seen = RAM1
            guest = base if "direct-map" in node.properties else seen
            windows.append(made(self.source, node.at("xen,static-mem"), lambda k=k, guest=guest, base=base, length=length: Window(
                name=f"ram{k or ''}", guest=guest, phys=base, size=length, colours=colours)))
            seen += length
        return windows

    def widths(self, node: Node) -> tuple[int, int]:
        """Cells of addresses and sizes in a domain's node."""
        return node.width(self.source, "#address-cells", 2), node.width(self.source, "#size-cells", 2)

    def colours(self, node: Node, text: str) -> tuple[int, ...]:
        """Colours, as 0-3,5."""
        found: list[int] = []
        for part in text.split(",")[:1024]:
            first, _, last = part.partition("-")
            low = self.source.whole(node.at("llc-colors"), "llc-colors", first, 0, 1023)
            found += range(low, self.source.whole(node.at("llc-colors"), "llc-colors", last or first, low, 1023) + 1)
        return tuple(found)

    def shared(self, node: Node, name: str, own: list[Window]) -> list[Window]:
        """Shared memory, called differently from the domain's own."""
        windows, names = list[Window](), {window.name for window in own}
        self.source.few(node.line, "shared memory", len(node.children))
        for child in node.all("xen,domain-shared-memory-v1"):
            address, size = self.widths(node)
            fixed = len(child.cells("xen,shared-mem")) == 2 * address + size         # where it is need not be said, since 4.20
            rows = child.rows(self.source, "xen,shared-mem", (address, address, size) if fixed else (address, size))
            cells: list[Any] = [value for row in rows for value in row]
            cells = cells if fixed else [None, *cells]
            key = next(iter(child.strings("xen,shm-id")), "")
            if len(cells) != 3 or not 0 < len(key) <= 15:
                raise self.source.refusal(child.line, child.name, key, "xen,shm-id of 1 to 15 characters, xen,shared-mem = <physical guest size>",
                                          "correct it")
            label = self.source.name(child.name.removeprefix("shared-").split("@")[0], names)
            windows.append(made(self.source, child.line, lambda label=label, cells=cells: Window(
                name=label, phys=cells[0], guest=cells[1], size=cells[2], flags=("read", "write", "shared"))))
            self.ids[name, label] = self.source.name(key, set())
        return windows

    def partial_name(self, child: Node) -> str | None:
        """The source of a partial device tree, if it is among the files."""
        binary = next(iter(child.strings("xen,uefi-binary")), "")
        name = PurePosixPath(binary).with_suffix(".dts").name if binary.endswith(".dtb") else ""
        found = [key for key in self.sources if PurePosixPath(key).name == name and key != self.main]
        return found[0] if found else None

    def partial(self, child: Node) -> list[Said]:
        """The devices of a partial device tree."""
        name = self.partial_name(child)
        if name is None:
            self.source.note(f"devices at line {child.line} are not read: the source of their device tree is not among the files")
            return []
        return read_partial(self.sources[name])

    def uart(self, node: Node) -> list[VmDevice]:
        """The virtual UART."""
        return [VmDevice(name="vpl011", mode="virtual", function="uart", driver="pl011")] if "vpl011" in node.properties else []


def with_channels(vms: list[VmInterface], ids: Mapping[tuple[str, str], str]) -> list[VmInterface]:
    """VMs with a channel for each memory that several of them share."""
    sharing: dict[str, dict[str, str]] = {}              # {name of the memory: {VM: window}}
    for (vm, window), key in ids.items():
        sharing.setdefault(key, {}).setdefault(vm, window)
    channels: dict[str, list[Channel]] = {}
    for key, there in sharing.items():
        for vm, window in there.items() if len(there) > 1 else ():
            channels.setdefault(vm, []).append(Channel(name=key, region=window, peers=[other for other in there if other != vm]))
    return [one.replace(channels=channels.get(one.name, ())) for one in vms]
