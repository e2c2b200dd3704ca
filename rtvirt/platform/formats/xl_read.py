"""xl's files read: domains as VMs, on hardware that is given."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from ..board import Board
from ..contract import Share
from ..fields import PAGE
from ..hardware import HostDevice
from ..interface import Chip, Clock, CpuShare, Health, Image, Irq, Operations, VmDevice, VmInterface, Window
from .common import MOST_VMS, Import, Source, assembled, isa_of
from .partial import Said, as_seen, at_address, device_of, lines_of, memory_of, read_partial
from .xen_guest import ARM, RAM0, always, ram_windows
from .xl_cfg import Assigned, parse
from .xl_script import Start, made, read_command_line, read_script

KNOWN = {"name", "type", "builder", "kernel", "cmdline", "extra", "memory", "llc_colors", "vcpus", "cpus", "pool", "gic_version", "apic", "hpet",
         "iomem", "ioports", "pci", "irqs", "device_tree", "dtdev", "vif", "disk", "vuart", "serial", "on_poweroff", "on_reboot", "on_crash",
         "cpu_weight", "cap"}
MOST_MIB = 2**24
ACTIONS = ("destroy", "restart", "rename-restart", "preserve", "coredump-destroy", "coredump-restart", "soft-reset")


class Domain:
    """A domain's file: its values by kind, with the line of each mistake."""

    def __init__(self, source: Source) -> None:
        self.source, self.values = source, parse(source)

    def note_unknown(self) -> None:
        """Note what is not read."""
        for name in self.values:
            if name not in KNOWN:
                self.source.note(f"{name} of {self.source.path.name} is not carried")

    def line(self, name: str) -> int:
        """Where it is assigned."""
        return self.values[name].line if name in self.values else 1

    def text(self, name: str, otherwise: str = "") -> str:
        """A string."""
        value = self.values.get(name, Assigned(otherwise, 1)).value
        if not isinstance(value, str):
            raise self.source.refusal(self.line(name), name, value, "a string", "write it in quotes")
        return value

    def number(self, name: str, otherwise: int, least: int, most: int) -> int:
        """A number; quotes do not matter."""
        value = self.values.get(name, Assigned(otherwise, 1)).value
        return self.source.whole(self.line(name), name, value if isinstance(value, int | str) else "a list", least, most)

    def list(self, name: str) -> list[str]:
        """A list of strings or numbers; one alone is a list too."""
        value = self.values.get(name, Assigned([], 1)).value
        items = value if isinstance(value, list) else [value]
        self.source.few(self.line(name), name, len(items))
        if not all(isinstance(item, int | str) for item in items):
            raise self.source.refusal(self.line(name), name, "a list in a list", "a list of strings", "correct it")
        return [str(item) for item in items]

    def matched(self, name: str, pattern: str, example: str) -> list[re.Match[str]]:
        """The parts of a list, each of some form."""
        found = [(item, re.fullmatch(pattern, item)) for item in self.list(name)]
        for item, match in found:
            if match is None:
                raise self.source.refusal(self.line(name), name, item, f"as {example}", "correct it")
        return [match for _, match in found if match is not None]

    def pairs(self, text: str, name: str) -> dict[str, str]:
        """``key=value,...``; what has no sign is a word of its own."""
        if len(text) > 2000:
            raise self.source.refusal(self.line(name), name, text, "at most 2000 characters", "shorten it")
        return {key.strip(): value.strip() for key, _, value in (part.partition("=") for part in text.split(","))}


def read(files: Mapping[str, str], hardware: Board) -> Import:
    """Files of xl, on hardware that is given.

    Notes
    -----
    Memory is where Xen's ARM domains see it, from 0 on x86; images are taken to be loaded and entered where memory begins. Devices are told by
    registers, ports and PCI addresses of the hardware; a partial device tree is taken if its source is among the files.
    """
    start, sources = Start(), {name: Source(name, text) for name, text in sorted(files.items())}
    domains, pools = dict[str, Domain](), dict[str, tuple[int, ...]]()
    for name, source in sources.items():
        if name.endswith(".sh"):
            read_script(source, start)
        elif name.endswith(".txt"):
            read_command_line(source, start)
        elif name.endswith(".cfg"):
            config = Domain(source)
            if "sched" in config.values or "nodes" in config.values or PurePosixPath(name).parent.name == "pools":
                pool(config, start, pools)
            else:
                config.note_unknown()
                domains[name] = config
    any_source = next(iter(sources.values()))
    any_source.few(1, "domains", len(domains), MOST_VMS)
    scheduler = start.made_scheduler(any_source)
    order = [*dict.fromkeys(start.created), *(name for name in domains if name not in start.created)]
    vms, k, taken = list[VmInterface](), 0, set[str]()
    if start.dom0 and "" not in order:
        order.insert(0, "")
    for name in order:
        if name == "":
            vms.append(dom0(any_source, start, hardware, taken))
        elif name not in domains:
            any_source.note(f"{name[:60]} is created by the script, and is not among the files")
        else:
            k += 1
            vms.append(vm_of(domains[name], sources, start, hardware, pools, k, taken, scheduler.name))
    vms = with_back_ends(vms)
    board = assembled(any_source, hardware, vms, scheduler)
    return Import(board, tuple(note for source in sources.values() for note in source.notes))


def pool(config: Domain, start: Start, pools: dict[str, tuple[int, ...]]) -> None:
    """A cpupool: which pCPUs, and which scheduler."""
    cpus = config.list("cpus")
    if cpus:
        pools[config.text("name")] = config.source.cpus(config.line("cpus"), "cpus", ",".join(cpus))
    if "sched" in config.values:
        sched = config.text("sched")
        if sched not in ("credit", "credit2", "rtds", "arinc653", "null"):
            raise config.source.refusal(config.line("sched"), "sched", sched, "credit, credit2, rtds, arinc653, null", "choose one of these")
        start.scheduler = start.scheduler or sched
        if sched != start.scheduler:
            config.source.note(f"pool {config.text('name')[:60]} has a scheduler of its own, {sched}: a board has one")


def dom0(source: Source, start: Start, hardware: Board, taken: set[str]) -> VmInterface:
    """Dom0: what command line and script say of it."""
    name = source.name(start.dom0 or "dom0", taken)
    affinity = start.pins.get(name, start.pins.get("0"))
    isa = isa_of(hardware, affinity)
    memory = ram_windows(isa, start.memory * PAGE * 256) if start.memory else []
    contract = {"contract": start.contracts[name]} if name in start.contracts else {}
    return made(source, start.dom0_line, lambda: VmInterface(name=name, id=0, architecture=isa, cpus=CpuShare(count=start.vcpus, affinity=affinity),
                                                            memory=memory, **contract, **always(hardware, isa)))


def vm_of(config: Domain, sources: Mapping[str, Source], start: Start, hardware: Board, pools: Mapping[str, tuple[int, ...]], number: int,
          taken: set[str], scheduler: str) -> VmInterface:
    """A domain as a VM."""
    given = config.text("name", "domain")
    name = config.source.name(given, taken)
    affinity = affinity_of(config, pools, hardware.cpus)
    affinity = start.pins.get(given, affinity)
    isa = isa_of(hardware, affinity)
    fields: dict[str, Any] = {"name": name, "id": number, "architecture": isa}
    fields["cpus"] = CpuShare(count=config.number("vcpus", 1, 1, 64), affinity=affinity)
    fields |= always(hardware, isa) | (arm_fields(config) if isa in ARM else x86_fields(config) if isa == "x86-64" else {})
    said = nodes_of(config, sources, isa)
    devices, rest = passed(config, hardware, said, isa)
    lines = {irq.line: irq for irq in lines_of(said)}
    numbers = [config.source.whole(config.line("irqs"), "irqs", text, 0, 8191) for text in config.list("irqs")]
    fields["irqs"] = [lines.get(line, Irq(line=line)) for line in dict.fromkeys(numbers)]
    size = config.number("memory", 0, 0, MOST_MIB)
    colours = colours_in(config)
    fields["memory"] = [*(ram_windows(isa, size << 20, colours) if size else []), *rest]
    fields["devices"] = [*devices, *fronts(config, {device.name for device in devices}), *uart(config)]
    fields["image"] = image(config, isa)
    fields["health"] = health(config)
    if given in start.contracts:
        fields["contract"] = start.contracts[given]
    elif scheduler in ("credit", "credit2") and ("cpu_weight" in config.values or "cap" in config.values):
        fields["contract"] = Share(weight=config.number("cpu_weight", 256, 1, 65535), cap=config.number("cap", 0, 0, 6400))
    return made(config.source, config.line("name"), lambda: VmInterface(**{field: value for field, value in fields.items() if value is not None}))


def affinity_of(config: Domain, pools: Mapping[str, tuple[int, ...]], cpus: int) -> tuple[int, ...] | None:
    """Where a domain may run: its own pCPUs, else those of its pool; of `cpus` in all."""
    parts = [re.sub(r"\ball\b", f"0-{cpus - 1}", part) for part in config.list("cpus") if part.strip() != "all"]
    if parts and isinstance(config.values["cpus"].value, list) and len(set(parts)) > 1:
        config.source.note(f"cpus of {config.source.path.name} gives each vCPU its own pCPUs: a VM has one affinity, all of them")
    if parts:
        return config.source.cpus(config.line("cpus"), "cpus", ",".join(parts))
    return pools.get(config.text("pool", ""))


def arm_fields(config: Domain) -> dict[str, Any]:
    """The interrupt controller of an ARM domain, if it is chosen; all are of one kind, whatever the file says."""
    kind_of(config)
    version = config.text("gic_version", "default")
    if version not in ("v2", "v3", "default"):
        raise config.source.refusal(config.line("gic_version"), "gic_version", version, "v2, v3, default", "choose one of these")
    return {} if version == "default" else {"irqchip": Chip(model=f"gic-{version}")}  # type: ignore[arg-type]


def x86_fields(config: Domain) -> dict[str, Any]:
    """How the guest's privileged operations reach Xen, and what is emulated for it."""
    kind = kind_of(config)
    if kind != "hvm":
        return {"operations": Operations(by="trap" if kind == "pvh" else "hypercall")}
    chip = Chip(model="ioapic", mode="emulated") if config.number("apic", 1, 0, 1) else None
    clock = Clock(model="hpet", mode="emulated") if config.number("hpet", 1, 0, 1) else None
    return {"irqchip": chip, "timer": clock}


def kind_of(config: Domain) -> str:
    """The kind of domain."""
    kind = config.text("type", config.text("builder", "pv"))
    if kind not in ("pv", "pvh", "hvm", "generic"):
        raise config.source.refusal(config.line("type"), "type", kind, "pv, pvh, hvm", "choose one of these")
    return kind


def nodes_of(config: Domain, sources: Mapping[str, Source], isa: str) -> list[Said]:
    """The partial device tree, if its source is there."""
    tree = config.text("device_tree", "")
    source = sources.get(str(PurePosixPath(tree).with_suffix(".dts"))) if tree.endswith(".dtb") and isa in ARM else None
    if tree and source is None:
        config.source.note(f"device_tree of {config.source.path.name} is not read: its source is not among the files")
    return read_partial(source) if source is not None else []


def passed(config: Domain, hardware: Board, said: list[Said], isa: str) -> tuple[list[VmDevice], list[Window]]:
    """Devices passed through, and pages that belong to none."""
    found = config.matched("iomem", r"([0-9a-f]{1,13}),([0-9a-f]{1,13})(?:@([0-9a-f]{1,13}))?", '"fff32,1@10000", in hexadecimal pages')
    pages = [(int(one[1], 16) * PAGE, int(one[2], 16) * PAGE, int(one[3] or one[1], 16) * PAGE) for one in found]
    devices, windows = [], list[Window]()
    for node in said:
        to = next((base + node.reg[0] - guest for base, size, guest in pages if guest <= node.reg[0] < guest + size), None)
        devices.append(device_of(config.source, hardware, node, to))
    there = {device.device for device in devices}
    covered = {span for one in hardware.devices if one.name in there for span in spans_of(one)}
    names = {device.name for device in devices}
    for k, (base, size, guest) in enumerate(pages):
        real = next((one for one in hardware.devices if one.name not in there and spans_of(one)[:1] == [(base, size)] and not one.pci), None)
        if real is not None and isa not in ARM:
            own = [next((at + r.base - start for start, length, at in pages if start <= r.base < start + length), r.base) for r in memory_of(real)]
            devices.append(as_seen(real, config.source.name(real.name, names), own, real.irqs))
            there.add(real.name)
            covered |= set(spans_of(real))
        elif (base, size) not in covered:
            windows.append(made(config.source, config.line("iomem"), lambda base=base, size=size, guest=guest, k=k: Window(
                name=f"io{k}", guest=guest, phys=base, size=size, flags=("read", "write", "io"))))
    for real in by_address(config, hardware):
        if real.name not in there:
            devices.append(as_seen(real, config.source.name(real.name, names), (), real.irqs))
            there.add(real.name)
    return devices, windows


def spans_of(real: HostDevice) -> list[tuple[int, int]]:
    """Pages of a device's registers: base and size of each."""
    return [(r.base // PAGE * PAGE, (-(-r.end // PAGE) - r.base // PAGE) * PAGE) for r in memory_of(real)]


def by_address(config: Domain, hardware: Board) -> list[HostDevice]:
    """Devices told by their ports, PCI addresses, and paths in the board's device tree."""
    found: list[HostDevice | None] = []
    for one in config.matched("ioports", r"([0-9a-f]{1,4})(?:-([0-9a-f]{1,4}))?", '"3f8-3ff"'):
        first = int(one[1], 16)
        found.append(next((d for d in hardware.devices for r in d.registers if r.space == "port" and r.base == first and not d.pci), None))
    for one in config.matched("pci", r"(?:([0-9a-f]{4}):)?([0-9a-f]{2}:[0-9a-f]{2}\.[0-7])(,.*)?", '"0000:03:00.0"'):
        address = f"{one[1] or '0000'}:{one[2]}"
        found.append(next((device for device in hardware.devices if device.pci == address), None))
    for one in config.matched("dtdev", r"(/[^@]{1,300})@([0-9a-f]{1,16})", '"/soc/ethernet@fff51000"'):
        found.append(at_address(hardware, int(one[2], 16)))
    if None in found:
        config.source.note(f"{config.source.path.name} passes through what {hardware.name} does not have")
    return [device for device in found if device is not None]


def colours_in(config: Domain) -> tuple[int, ...]:
    """Colours of the domain's memory."""
    found: dict[int, None] = {}
    for one in config.matched("llc_colors", r"([0-9]{1,4}(?:-[0-9]{1,4})?(?:,[0-9]{1,4}(?:-[0-9]{1,4})?){0,100})", '"0-3"'):
        for part in one[1].split(","):
            first, _, last = part.partition("-")
            found |= dict.fromkeys(range(int(first), min(int(last or first), 1023) + 1))
    return tuple(found)


def fronts(config: Domain, taken: set[str]) -> list[VmDevice]:
    """Front ends of networks and disks."""
    devices = []
    for k, text in enumerate(config.list("vif")):
        pairs = config.pairs(text, "vif")
        devices.append(("vif", "net", config.source.name(pairs.get("vifname", f"net{k}"), taken), pairs.get("backend")))
    for k, text in enumerate(config.list("disk")):
        pairs = config.pairs(text, "disk")
        last = pairs.get("target", "").rsplit("/", 1)[-1] or f"disk{k}"
        devices.append(("disk", "block", config.source.name(last, taken), pairs.get("backend")))
    return [made(config.source, config.line(key), lambda name=name, function=function, back=back: VmDevice(
        name=name, mode="split-frontend", function=function, backend=back)) for key, function, name, back in devices]


def uart(config: Domain) -> list[VmDevice]:
    """The virtual UART."""
    found = [("vuart", "pl011")] if "vuart" in config.values else []
    found += [("serial", "uart-16550")] if "serial" in config.values else []
    return [VmDevice(name=name, mode="virtual", function="uart", driver=driver) for name, driver in found]


def image(config: Domain, isa: str) -> Image | None:
    """The image, where Xen would place it at the earliest."""
    if "kernel" not in config.values:
        return None
    base = RAM0 if isa in ARM else 0
    return made(config.source, config.line("kernel"), lambda: Image(entry=base, load=base, cmdline=config.text("cmdline", config.text("extra", ""))))


def health(config: Domain) -> Health:
    """What is done when the domain stops."""
    for name in ("on_poweroff", "on_reboot", "on_crash"):
        if config.text(name, "destroy") not in ACTIONS:
            raise config.source.refusal(config.line(name), name, config.text(name), "destroy, restart, preserve ...", "choose one of these")
    again = [config.text(name, "destroy").endswith("restart") for name in ("on_poweroff", "on_crash")]
    return Health(restart="always" if all(again) else "on-failure" if again[1] else "never")


def with_back_ends(vms: list[VmInterface]) -> list[VmInterface]:
    """VMs with the back ends that others' front ends need, unless they have something of that name."""
    needed: dict[str, dict[str, str]] = {}
    for vm in vms:
        for device in vm.devices:
            if device.mode == "split-frontend" and device.backend not in (None, vm.name):
                needed.setdefault(str(device.backend), {}).setdefault(device.name, device.function)
    found = []
    for vm in vms:
        there = {device.name for device in vm.devices}
        backs = [VmDevice(name=name, mode="split-backend", function=function)
                 for name, function in needed.get(vm.name, {}).items() if name not in there]
        found.append(vm.replace(devices=(*vm.devices, *backs)) if backs else vm)
    return found
