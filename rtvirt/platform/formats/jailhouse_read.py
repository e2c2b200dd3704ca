"""Jailhouse's cell configurations, read: which VMs they describe on known hardware."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..board import Board, Scheduler
from ..hardware import HostDevice
from ..interface import Channel, CpuShare, Irq, VmDevice, VmInterface, Window
from .c_read import read_source
from .c_table import Call, Entry, Table, known
from .c_text import numbers
from .c_tokens import refuse
from .common import Import
from .jailhouse_cells import chip_of, timer_of
from .jailhouse_layout import (
    AARCH32,
    BAR_MASK_INTX,
    BAR_MASK_MSIX,
    CELL,
    COMM_REGION,
    CONSTANTS,
    IO_UNALIGNED,
    LISTS,
    MEMORY_FLAGS,
    NO_HUGEPAGES,
    PCI_DEVICE,
    PCI_IVSHMEM,
    SYSTEM,
    VIRTIO_FRONT,
)
from .partition import Block, Label, at, in_order, labelled, meant, pci_of, plain, said_device

MOST_FILES, MOST_REGIONS = 64, 2048
"""Most files and memory regions that are read at once: each region is compared with each `int`."""
NET_MACRO = "JAILHOUSE_SHMEM_NET_REGIONS"
HEADS = {name for name, _ in CELL} | {"__pad", "padding"}
SYSTEM_HEADS = {name for name, _ in SYSTEM}
PARTS = {"header", "cell", *(name for name, _, _, _ in LISTS)}


class Region(NamedTuple):
    """A memory region as it is written."""

    phys: int
    virt: int
    size: int
    flags: int
    said: Label
    where: str


class Cell(NamedTuple):
    """A configuration: the whole, its header, its regions, whether it is the root cell."""

    config: Table
    head: Table
    regions: list[Region]
    root: bool


def read_cells(files: Mapping[str, str], hardware: Board) -> Import:
    """All cells of the files."""
    if len(files) > MOST_FILES:
        refuse("files", len(files), f"at most {MOST_FILES} files", "read fewer at once")
    constants = CONSTANTS | {"JAILHOUSE_IVSHMEM_BAR_MASK_INTX": row_of(BAR_MASK_INTX), "JAILHOUSE_IVSHMEM_BAR_MASK_MSIX": row_of(BAR_MASK_MSIX)}
    sources = [read_source(name, text, constants) for name, text in files.items()]
    notes = [note for source in sources for note in source.notes]
    found = []
    for source in sources:
        config = source.tables.get("config")
        if config is None:
            refuse(f"{source.file}:1", "no table called config", "a variable config with .header or .cell", "give files of configurations only")
        found.append(cell_of(config, notes))
    if sum(cell.root for cell in found) > 1:
        refuse(", ".join(files), "two root cells", "one file with .header", "give the files of one system")
    if sum(len(cell.regions) for cell in found) > MOST_REGIONS:
        refuse(", ".join(files), "more memory regions", f"at most {MOST_REGIONS}", "read fewer files at once")
    return Reading(found, hardware, notes).run()


def row_of(values: Sequence[int]) -> Table:
    """A table of numbers."""
    return Table("", 0, tuple(Entry(None, value, 0, "") for value in values))


def cell_of(config: Table, notes: list[str]) -> Cell:
    """One configuration, its regions expanded, its counts compared with its lists."""
    root = config.get("header") is not None
    head = config.table("header").table("root_cell") if root else config.table("cell")
    if not head.entries:
        refuse(config.where(), "no cell", ".header = {... .root_cell = {...}} or .cell = {...}", "give a cell configuration")
    for table, fields in ((config, PARTS), (config.table("header"), SYSTEM_HEADS), (head, HEADS)):
        notes += [f"{table.file}:{entry.line}: .{entry.key} is not carried" for entry in table.entries
                  if entry.key and entry.key.partition(".")[0].partition("[")[0] not in fields]
    for name, count, _, _ in LISTS:
        said = head.get(count)
        length = len(expanded(config.table(name))) * (8 if name == "cpus" else 1)
        if isinstance(said, int) and said != length:
            refuse(head.where(count), said, f"{count} as in the list: {length}", "let both agree")
    return Cell(config, head, [region_of(*row) for row in expanded(config.table("mem_regions")) if row], root)


def expanded(table: Table) -> list[Any]:
    """Rows of a list, with the macro for a virtual network in place of its four regions."""
    found: list[Any] = []
    for entry in table.entries:
        value, where = entry.value, f"{table.file}:{entry.line}"
        if isinstance(value, Call) and value.name == NET_MACRO and len(value.arguments) == 2:
            start, own = (known(one, where, NET_MACRO) for one in value.arguments)
            found += [(entry, row) for row in net_regions(table.file, entry.line, start, own)]
        elif isinstance(value, Call) and value.name == "PIO_RANGE" and len(value.arguments) == 2:
            base, length = (known(one, where, "PIO_RANGE") for one in value.arguments)
            parts = (("base", base), ("length", length))
            found.append((entry, Table(table.file, entry.line, tuple(Entry(name, part, entry.line, "") for name, part in parts))))
        elif isinstance(value, Table):
            found.append((entry, value))
        elif isinstance(value, int):
            found.append((entry, Table(table.file, entry.line)))
        elif value is not None:
            refuse(where, getattr(value, "text", value), "a table in braces", "write { ... }")
    return found


def net_regions(file: str, line: int, start: int, own: int) -> list[Table]:
    """State table, nothing for both, and a section of 0x7f000 bytes for each of two peers, writable by its owner."""
    parts = [(start, 0x1000, 1), (0, 0, 0), *[(start + 0x1000 + n * 0x7F000, 0x7F000, 3 if own == n else 1) for n in (0, 1)]]
    return [Table(file, line, tuple(Entry(name, value, line, "") for name, value in
                                    (("phys_start", phys), ("virt_start", phys), ("size", size), ("flags", flags | 0x80 if size else 0))))
            for phys, size, flags in parts]


def region_of(entry: Entry, row: Table) -> Region:
    """One memory region."""
    said = labelled(entry.label or (row.entries[0].label if row.entries else ""))
    return Region(row.number("phys_start"), row.number("virt_start"), row.number("size"), row.number("flags"), said, f"{row.file}:{row.line}")


class Reading:
    """Cells being read together: the root cell has what the others leave."""

    def __init__(self, cells: list[Cell], hardware: Board, notes: list[str]) -> None:
        self.cells, self.hardware, self.notes = cells, hardware, notes
        self.users: dict[int, list[tuple[int, str, Channel]]] = {}      # of each virtual PCI device: peer's number, cell, its end

    def run(self) -> Import:
        """All cells, then who shares memory with whom."""
        others = [cell for cell in self.cells if not cell.root]
        taken_cpus = {cpu for cell in others for cpu in cpus_of(cell)}
        taken_pins = {pin for cell in others for pin in pins_of(cell)}
        taken = [one for cell in others for one in cell.regions if one.size and not one.flags & (MEMORY_FLAGS["shared"] | COMM_REGION)]
        used: set[str] = set()
        ids: set[int] = set()
        fields = []
        for cell in self.cells:
            shared = {n for start, peers in shared_devices(cell) for n in range(start, start + 2 + peers)}
            regions = [piece for n, one in enumerate(cell.regions) if n not in shared for piece in (without(one, taken) if cell.root else [one])]
            cpus = cpus_of(cell) - (taken_cpus if cell.root else set())
            pins = pins_of(cell) - (taken_pins if cell.root else set())
            with at(cell.head.where()):
                fields.append(self.cell(cell, regions, cpus, pins, used, ids))
        where = self.cells[0].config.where() if self.cells else "files"
        with at(where):
            return Import(self.hardware.replace(scheduler=Scheduler(), vms=tuple(map(self.joined, fields))), tuple(self.notes))

    def cell(self, cell: Cell, regions: list[Region], cpus: set[int], pins: set[int], used: set[str], ids: set[int]) -> dict[str, Any]:
        """Fields of one VM, its channels still without peers."""
        head = cell.head
        said = head.get("name")
        name = plain(said if isinstance(said, str) else "", "cell", used)
        if name != said:
            self.notes.append(f"{head.where('name')}: the cell {said!r} is called {name} here")
        architecture = self.architecture(cell)
        names: set[str] = set()
        windows, channels = self.channels(cell, name, architecture, pins, names)
        bells = {channel.doorbell for channel in channels} - {None}
        devices = self.memory(cell, regions, windows, names)
        reset = head.number("cpu_reset_address") if head.get("cpu_reset_address") is not None and not cell.root else None
        irqs = [Irq(line=pin, trigger="edge", route="emulated") if pin in bells else Irq(line=pin) for pin in sorted(pins)]
        return dict(name=name, id=self.number(cell, ids), architecture=architecture, irqs=irqs, memory=windows, devices=devices, channels=channels,
                    cpus=CpuShare(count=len(cpus), affinity=sorted(cpus), reset=reset), irqchip=chip_of(architecture, self.hardware),
                    timer=timer_of(architecture), where=head.where())

    def number(self, cell: Cell, ids: set[int]) -> int:
        """The cell's number if it is said and free, else the next; the root cell's is 0."""
        said = cell.head.number("id") if cell.head.get("id") is not None else 0 if cell.root else None
        free = (n for n in range(len(ids) + 2) if n not in ids and (n or cell.root))
        number = said if said is not None and said not in ids else next(free)
        if said is not None and number != said:
            self.notes.append(f"{cell.head.where('id')}: number {said} is taken; here it is {number}")
        ids.add(number)
        return number

    def architecture(self, cell: Cell) -> str:
        """What the cell is made for; as the board's if it is not said, as before revision 14."""
        outer = cell.config.table("header") if cell.root else cell.head
        if outer.get("architecture") is None:
            return self.hardware.clusters[0].isa
        number = outer.number("architecture")
        if number > 2:
            refuse(outer.where("architecture"), number, "JAILHOUSE_X86, JAILHOUSE_ARM, JAILHOUSE_ARM64", "correct the architecture")
        return "armv7-a" if number == 2 and cell.head.number("flags") & AARCH32 else ("x86-64", "armv7-a", "aarch64")[number]

    def channels(self, cell: Cell, name: str, architecture: str, pins: set[int], names: set[str]) -> tuple[list[Window], list[Channel]]:
        """Shared-memory devices: a window and an end of a channel each."""
        windows, channels, taken = [], [], set[str]()
        for entry, row in expanded(cell.config.table("pci_devices")):
            if row.number("type") != PCI_IVSHMEM:
                continue
            start, peers, bdf = row.number("shmem_regions_start"), row.number("shmem_peers", bits=8), row.number("bdf", bits=16)
            said, where = labelled(entry.label or (row.entries[0].label if row.entries else "")), f"{row.file}:{row.line}"
            with at(where):
                window = self.window(cell.regions[start:start + 2 + peers], said, names, where)
                line = cell.head.number("vpci_irq_base") + 32 + (bdf >> 3) % 4
                protocol = "vring" if row.number("shmem_protocol") >= VIRTIO_FRONT else "raw"
                channel = Channel(name=plain(said.name if said.kind == "channel" else f"ivshmem{bdf:x}", "ivshmem", taken), region=window.name,
                                  peers=[name], protocol=protocol, doorbell=line if architecture != "x86-64" and line in pins else None)
            windows.append(window)
            channels.append(channel)
            self.users.setdefault(bdf, []).append((row.number("shmem_dev_id"), name, channel))
        return windows, channels

    def window(self, sections: list[Region], said: Label, names: set[str], where: str) -> Window:
        """Sections of a shared memory as one window: from the first to the end of the last."""
        real = [one for one in sections if one.size]
        if not real:
            refuse(where, "no memory", "a state table of a page or more", "correct shmem_regions_start")
        flags = (sections[1].flags if sections[1].size else 0) or sum({one.flags & bit for one in real for bit in MEMORY_FLAGS.values()})
        first, end = min(real, key=lambda one: one.phys), max(one.phys + one.size for one in real)
        if any(one.virt - one.phys != first.virt - first.phys for one in real) or not sections[1].size and len(real) > 1:
            self.notes.append(f"{where}: sections of a shared memory have places or rights of their own: not carried")
        return Window(name=plain(said.of or first.said.name, "shared", names), guest=first.virt, phys=first.phys, size=end - first.phys,
                      flags=flags_of(flags | MEMORY_FLAGS["shared"]))

    def memory(self, cell: Cell, regions: Sequence[Region], windows: list[Window], names: set[str]) -> list[VmDevice]:
        """Memory is added to the windows; registers, ports and PCI devices of the board become devices."""
        blocks: dict[tuple[str, str], list[Block]] = {}
        for one in regions:
            real = meant(self.hardware, one.said, one.phys) if one.flags & MEMORY_FLAGS["io"] else None
            if one.flags & COMM_REGION:
                self.notes.append(f"{one.where}: the page that the cell shares with Jailhouse is not carried")
            elif real:
                blocks.setdefault(owner(one.said, real), []).append((one.phys, one.virt, one.size))
            elif one.size:
                if one.flags & (NO_HUGEPAGES | IO_UNALIGNED):
                    self.notes.append(f"{one.where}: flags for small pages and unaligned accesses are not carried")
                with at(one.where):
                    windows.append(Window(name=plain(one.said.name, "mem", names), guest=one.virt, phys=one.phys, size=one.size,
                                          flags=flags_of(one.flags)))
        self.ports(cell, blocks)
        self.functions(cell, blocks)
        devices = [said_device(name, real, found) for (name, device), found in blocks.items() if (real := self.hardware.device(device))]
        streams = {stream for device in devices if (real := self.hardware.device(device.device)) for stream in real.streams}
        self.notes += [f"{cell.config.where('stream_ids')}: stream {number:#x} is no passed device's"
                       for number in stream_ids(cell) if number not in streams]
        return devices

    def ports(self, cell: Cell, blocks: dict[tuple[str, str], list[Block]]) -> None:
        """Devices by their ports."""
        for entry, row in expanded(cell.config.table("pio_regions")):
            base, said = row.number("base"), labelled(entry.label)
            having = [one for one in self.hardware.devices if any(block.space == "port" and block.base == base for block in one.registers)]
            real = next((one for one in having if one.name == said.of), having[0] if having else None)
            if real:
                blocks.setdefault(owner(said, real), [])
            else:
                self.notes.append(f"{row.file}:{row.line}: ports from {base:#x} on are no device's: not carried")

    def functions(self, cell: Cell, blocks: dict[tuple[str, str], list[Block]]) -> None:
        """Devices by their place on the PCI bus."""
        for entry, row in expanded(cell.config.table("pci_devices")):
            kind, place, said = row.number("type"), (row.number("domain"), row.number("bdf")), labelled(entry.label)
            if kind == PCI_IVSHMEM:
                continue
            having = [one for one in self.hardware.devices if one.pci and pci_of(one.pci) == place]
            real = next((one for one in having if one.name == said.of), having[0] if having else None)
            if real and kind == PCI_DEVICE:
                blocks.setdefault(owner(said, real), [])
            else:
                self.notes.append(f"{row.file}:{row.line}: PCI device {place[0]:04x}:{place[1] >> 8:02x}:{place[1] >> 3 & 31:02x}.{place[1] & 7} "
                                  "is no device of the board: not carried")

    def joined(self, fields: dict[str, Any]) -> VmInterface:
        """A VM whose channels know their peers: the ends with the same number on the bus, in the order of their own numbers."""
        name, where, kept = fields["name"], fields.pop("where"), []
        for channel in fields["channels"]:
            group = next(users for users in self.users.values() if any(channel is one for _, _, one in users))
            peers = tuple(dict.fromkeys(vm for _, vm, _ in sorted(group, key=lambda user: user[0]) if vm != name))
            if peers:
                kept.append(channel.replace(peers=peers))
            else:
                self.notes.append(f"{where}: nobody else has the other end of {channel.name}: no channel")
        with at(where):
            return VmInterface(**(fields | {"channels": kept}))


def owner(said: Label, real: HostDevice) -> tuple[str, str]:
    """Names of a device for the VM and for the board."""
    return (said.name if said.kind == "device" and said.of == real.name else real.name), real.name


def flags_of(bits: int) -> tuple[str, ...]:
    """Names of flags."""
    return in_order([name for name, bit in MEMORY_FLAGS.items() if bits & bit])


def cpus_of(cell: Cell) -> set[int]:
    """pCPUs of a cell."""
    words = cell.config.table("cpus").numbers()
    if len(words) > 1:
        refuse(cell.config.where("cpus"), len(words) * 64, "64 pCPUs", "write one word of 64 bits")
    return {cpu for word in words for cpu in numbers(word & 2**64 - 1)}


def pins_of(cell: Cell) -> set[int]:
    """Lines of a cell."""
    found = set()
    for _, row in expanded(cell.config.table("irqchips")):
        words = row.table("pin_bitmap").numbers()
        if len(words) > 4:
            refuse(row.where("pin_bitmap"), len(words), "4 words", "add another interrupt controller's row")
        found |= {row.number("pin_base") + 32 * n + pin for n, word in enumerate(words) for pin in numbers(word & 2**32 - 1)}
    return found


def stream_ids(cell: Cell) -> list[int]:
    """Streams of a cell."""
    return [known(entry.value, f"{cell.config.file}:{entry.line}", "stream") for entry in cell.config.table("stream_ids").entries]


def without(region: Region, taken: Sequence[Region]) -> list[Region]:
    """What others leave of a region, in pieces."""
    pieces = [region]
    for other in taken:
        if any(one.phys < other.phys + other.size and other.phys < one.phys + one.size for one in pieces):
            pieces = [piece for one in pieces for piece in around(one, other.phys, other.phys + other.size) if piece.size]
    return pieces if region.size else [region]


def around(region: Region, low: int, high: int) -> tuple[Region, Region]:
    """What is below and above a hole; of size 0 if nothing is."""
    end = region.phys + region.size
    return cut(region, region.phys, min(low, end)), cut(region, max(high, region.phys), end)


def cut(region: Region, start: int, end: int) -> Region:
    """The part of a region between two addresses; of size 0 if there is none."""
    return region._replace(phys=start, virt=region.virt + start - region.phys, size=max(0, end - start))


def shared_devices(cell: Cell) -> list[tuple[int, int]]:
    """First region and number of peers of each shared-memory device; all its regions exist."""
    found = []
    for _, row in expanded(cell.config.table("pci_devices")):
        if row.number("type") == PCI_IVSHMEM:
            start, peers = row.number("shmem_regions_start"), row.number("shmem_peers", bits=8)
            if start + 2 + peers > len(cell.regions):
                refuse(row.where("shmem_regions_start"), start, f"{2 + peers} regions from there on, of {len(cell.regions)}", "correct the numbers")
            found.append((start, peers))
    return found
