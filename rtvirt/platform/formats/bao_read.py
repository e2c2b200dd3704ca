"""Bao's config.c, read: which VMs it describes on known hardware."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..board import Board, Scheduler
from ..interface import Channel, Chip, Clock, CpuShare, Image, Irq, VmDevice, VmInterface, Window
from .c_read import Source, read_source
from .c_table import Call, Entry, Table, Unknown, known
from .c_text import numbers
from .c_tokens import refuse
from .common import Import
from .partition import Block, Label, at, labelled, meant, plain, said_device

CONSTANTS = {"true": 1, "false": 0, "NULL": 0}
VIRTUAL_TIMER = 27
KNOWN = {
    "config": {"shmemlist_size", "shmemlist", "vmlist_size", "vmlist", "fdt_header", "config_header_size", "config_size"},
    "shmem": {"size", "place_phys", "phys", "base"},
    "vm": {"image", "entry", "cpu_affinity", "colors", "platform"},
    "image": {"base_addr", "load_addr", "size", "separately_loaded"},
    "platform": {"cpu_num", "region_num", "regions", "ipc_num", "ipcs", "dev_num", "devs", "arch", "mmu"},
    "region": {"base", "size", "place_phys", "phys"},
    "ipc": {"base", "size", "shmem_id", "interrupt_num", "interrupts"},
    "dev": {"pa", "va", "size", "interrupt_num", "interrupts", "id"},
}
"""Fields that are read; others are noted."""


def read_config(files: Mapping[str, str], hardware: Board) -> Import:
    """The one configuration among the files."""
    sources = [read_source(name, text, CONSTANTS, blank=("CONFIG_HEADER",), raw=("XSTR",)) for name, text in files.items()]
    found = [source for source in sources if "config" in source.tables]
    if len(found) != 1:
        first = next(iter(files), "no file")
        refuse(f"{first}:1", f"{len(found)} tables called config", "one `struct config config = {...}`", "give one configuration")
    return Reading(found[0], hardware).run()


class Reading:
    """One configuration being read."""

    def __init__(self, source: Source, hardware: Board) -> None:
        self.source, self.hardware, self.config = source, hardware, source.tables["config"]
        self.notes = list(source.notes)
        self.images = {call.arguments[0].text: stem(call.arguments[1]) for call, _ in source.calls
                       if call.name == "VM_IMAGE" and len(call.arguments) == 2 and isinstance(call.arguments[0], Unknown)}
        self.users: dict[int, list[tuple[str, Channel]]] = {}

    def run(self) -> Import:
        """All VMs, then who shares memory with whom."""
        self.strange(self.config, "config")
        shared = [row for _, row in self.listed(self.config, "shmemlist", "shmemlist_size")]
        for row in shared:
            self.strange(row, "shmem")
        used: set[str] = set()
        if not self.config.table("vmlist").entries:
            refuse(self.config.where("vmlist"), "no VM", "a .vmlist with at least one VM", "describe the VMs")
        vms = [self.vm(n, entry, row, shared, used) for n, (entry, row) in enumerate(self.listed(self.config, "vmlist", "vmlist_size"))]
        with at(self.config.where("vmlist")):
            return Import(self.hardware.replace(scheduler=Scheduler(), vms=tuple(map(self.joined, vms))), tuple(self.notes))

    def strange(self, table: Table, kind: str) -> None:
        """Note fields that are not read."""
        for entry in table.entries:
            first = (entry.key or "").partition(".")[0]
            if entry.key is None and entry.value != 0:
                refuse(f"{table.file}:{entry.line}", "a value without a name", "fields with names: .name = value", "write the name")
            if first and first not in KNOWN[kind]:
                self.notes.append(f"{table.file}:{entry.line}: .{entry.key} of {kind} is not carried")

    def listed(self, table: Table, name: str, count: str) -> Iterator[tuple[Entry, Table]]:
        """Rows of a list, whose number is said beside it."""
        rows = list(table.table(name).rows())
        if table.number(count) != len(rows):
            refuse(table.where(count if table.get(count) is not None else name), table.number(count), f"{count} as in the list: {len(rows)}",
                   "let both agree: Bao believes the number")
        for n, (entry, row) in enumerate(rows):
            if entry.key not in (None, f"[{n}]"):
                refuse(f"{table.file}:{entry.line}", entry.key, f"entries in order, here [{n}]", "order them")
            yield entry, row

    def vm(self, number: int, entry: Entry, row: Table, shared: Sequence[Table], used: set[str]) -> dict[str, Any]:
        """Fields of one VM, its channels still without peers."""
        self.strange(row, "vm")
        platform = row.table("platform")
        self.strange(platform, "platform")
        called, image = self.image(row)
        name = plain(called or labelled(entry.label).name, f"vm{number}", used)
        colours = numbers(row.number("colors"))
        names: set[str] = set()
        memory = [self.region(one, part, colours, names) for one, part in self.listed(platform, "regions", "region_num")]
        channels = [self.ipc(name, one, part, shared, names, memory) for one, part in self.listed(platform, "ipcs", "ipc_num")]
        bells = {line for _, lines in channels for line in lines}
        lines, devices, timer = self.devices(platform, memory, names)
        self.chip(platform)
        with at(row.where("platform")):
            affinity = numbers(row.number("cpu_affinity"))
            irqs = [Irq(line=line, trigger="edge", route="emulated") if line in bells else Irq(line=line) for line in sorted(bells | lines)]
            return dict(name=name, id=number, architecture=self.hardware.clusters[0].isa, image=image, memory=memory, irqs=irqs, timer=timer,
                        devices=devices, irqchip=Chip(model=self.hardware.irqchip.model), channels=[channel for channel, _ in channels],
                        cpus=CpuShare(count=platform.number("cpu_num"), affinity=affinity or None), where=f"{row.file}:{row.line}")

    def joined(self, fields: dict[str, Any]) -> VmInterface:
        """A VM whose channels know their peers: all who use the same shared memory."""
        name, where = fields["name"], fields.pop("where")
        kept = []
        for channel in fields["channels"]:
            group = next(users for users in self.users.values() if any(channel is one for _, one in users))
            peers = [vm for vm, _ in group if vm != name]
            if peers:
                kept.append(channel.replace(peers=tuple(dict.fromkeys(peers))))
            else:
                self.notes.append(f"{where}: {name} alone uses the shared memory {channel.region}: no channel")
        with at(where):
            return VmInterface(**(fields | {"channels": kept}))

    def image(self, row: Table) -> tuple[str, Image]:
        """Name and place of the image."""
        image, entry = row.get("image"), row.number("entry")
        where = row.where("image")
        if isinstance(image, Call) and image.name == "VM_IMAGE_BUILTIN" and len(image.arguments) == 2:
            name, load, size = self.images.get(getattr(image.arguments[0], "text", ""), ""), known(image.arguments[1], where, "base_addr"), None
        elif isinstance(image, Call) and image.name == "VM_IMAGE_LOADED" and len(image.arguments) == 3:
            load, _, size = (known(one, where, field) for one, field in zip(image.arguments, ("base_addr", "load_addr", "size"), strict=True))
            name = ""
            self.notes.append(f"{where}: where the image is loaded before it is copied is not carried")
        elif isinstance(image, Table):
            self.strange(image, "image")
            offset, size = image.get("load_addr"), image.get("size")
            name = self.images.get(getattr(offset.arguments[0], "text", ""), "") if isinstance(offset, Call) and offset.arguments else ""
            load, size = image.number("base_addr"), size if isinstance(size, int) else None
        else:
            refuse(where, getattr(image, "text", image), "an image: VM_IMAGE_BUILTIN, VM_IMAGE_LOADED, or a table", "write .image = ...")
        with at(where):
            return name, Image(entry=entry, load=load, size=size or None)

    def region(self, entry: Entry, row: Table, colours: tuple[int, ...], names: set[str]) -> Window:
        """Memory of the VM alone."""
        self.strange(row, "region")
        said = comment(entry, row)
        with at(f"{row.file}:{row.line}"):
            return Window(name=plain(said.name, "mem", names), guest=row.number("base"), size=row.number("size"), colours=colours,
                          phys=row.number("phys") if row.number("place_phys") else None)

    def ipc(self, vm: str, entry: Entry, row: Table, shared: Sequence[Table], names: set[str], memory: list[Window]) -> tuple[Channel, list[int]]:
        """An end of a channel, and its lines; the window is added to the memory."""
        self.strange(row, "ipc")
        number, said = row.number("shmem_id"), comment(entry, row)
        if number >= len(shared):
            refuse(row.where("shmem_id"), number, f"a shared memory below {len(shared)}", "correct shmem_id, or add to shmemlist")
        memory_of = shared[number]
        lines = self.lines(row)
        where = f"{row.file}:{row.line}"
        if row.number("size") > memory_of.number("size"):
            self.notes.append(f"{where}: the end is larger than its shared memory")
        with at(where):
            window = Window(name=plain(said.of or said.name, "shared", names), guest=row.number("base"), size=row.number("size"),
                            phys=memory_of.number("phys") if memory_of.number("place_phys") else None, flags=("read", "write", "shared"))
            memory.append(window)
            taken = {channel.name for users in self.users.values() for who, channel in users if who == vm}
            name = plain(said.name if said.kind == "channel" else f"ipc{number}", "ipc", taken)
            channel = Channel(name=name, region=window.name, peers=[vm], doorbell=lines[0] if lines else None)
        if len(lines) > 1:
            self.notes.append(f"{where}: a channel has one doorbell; of {lines} the first is taken")
        self.users.setdefault(number, []).append((vm, channel))
        return channel, lines

    def lines(self, row: Table) -> list[int]:
        """Interrupt lines of an entry."""
        found = row.table("interrupts").numbers()
        if row.number("interrupt_num") != len(found):
            refuse(row.where("interrupt_num"), row.number("interrupt_num"), f"interrupt_num as in the list: {len(found)}", "let both agree")
        return found

    def devices(self, platform: Table, memory: list[Window], names: set[str]) -> tuple[set[int], list[VmDevice], Clock | None]:
        """Lines, devices of the board, the timer; registers of nothing known are added to the memory."""
        lines: set[int] = set()
        blocks: dict[tuple[str, str], list[Block]] = {}
        ids: list[tuple[str, str, int]] = []
        for entry, row in self.listed(platform, "devs", "dev_num"):
            self.strange(row, "dev")
            lines |= set(self.lines(row))
            said, where = comment(entry, row), f"{row.file}:{row.line}"
            real = meant(self.hardware, said, row.number("pa")) if row.number("size") else None
            owner = real.name if real else said.of
            if real:
                own = said.name if said.kind == "device" and said.of == real.name else real.name
                blocks.setdefault((own, real.name), []).append((row.number("pa"), row.number("va"), row.number("size")))
            elif row.number("size"):
                with at(where):
                    memory.append(Window(name=plain(said.name, "registers", names), guest=row.number("va"), phys=row.number("pa"),
                                         size=row.number("size"), flags=("read", "write", "io")))
            ids += [(where, owner, row.number("id"))] if row.number("id") else []
        self.streams(ids)
        timed = self.hardware.clusters[0].isa != "rv64" and VIRTUAL_TIMER in lines
        devices = []
        for (name, device), found in blocks.items():
            real = self.hardware.device(device)
            with at(platform.where("devs")):
                devices += [said_device(name, real, found)] if real else []
        return lines - ({VIRTUAL_TIMER} if timed else set()), devices, Clock(model="arm-generic") if timed else None

    def streams(self, ids: list[tuple[str, str, int]]) -> None:
        """Note streams that the hardware does not have."""
        for where, owner, number in ids:
            real = self.hardware.device(owner)
            if real is None or number not in real.streams:
                self.notes.append(f"{where}: stream {number:#x} is none of {owner or 'a known device'}'s")

    def chip(self, platform: Table) -> None:
        """Note an interrupt controller that the VM sees elsewhere, and what else the architecture's part says."""
        real = [block.base for block in self.hardware.irqchip.registers]
        arch = platform.table("arch")
        for entry in arch.entries:
            if (entry.key or "").partition(".")[0] not in ("gic", "irqc", "plic_base"):
                self.notes.append(f"{arch.file}:{entry.line}: .{entry.key} of arch is not carried")
        for name in ("gic.gicd_addr", "gic.gicc_addr", "gic.gicr_addr", "irqc.plic.base", "irqc.aia.aplic.base", "plic_base"):
            if arch.get(name) is not None and arch.number(name) not in (*real, 0):
                self.notes.append(f"{arch.where(name)}: the VM sees the interrupt controller at {arch.number(name):#x}: not carried")


def comment(entry: Entry, row: Table) -> Label:
    """The comment before an entry, or before the first thing in it."""
    return labelled(entry.label or (row.entries[0].label if row.entries else ""))


def stem(path: Any) -> str:
    """Name of an image file, without folder and ending."""
    text = path.arguments[0] if isinstance(path, Call) and path.arguments else path
    name = text.replace("\\", "/").rpartition("/")[2] if isinstance(text, str) else ""
    return name.removesuffix(".bin")
