"""Devices that an ARM domain gets, as the partial device tree that Xen puts into the domain's own (docs/misc/arm/passthrough of Xen)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ...errors import SpecError
from ..board import Board
from ..fields import PAGE
from ..hardware import HostDevice, Registers
from ..interface import Irq, VmDevice, VmInterface
from .common import Source
from .devicetree import Node, node, pair, parse, quoted

LEVEL, EDGE = 4, 1        # third cell of a GIC's interrupt: level high, rising edge


class Given(NamedTuple):
    """A device of the board, as a domain sees it."""

    name: str
    real: HostDevice
    guests: tuple[int, ...]           # where its registers are seen
    irqs: tuple[int, ...]
    driver: str


class Said(NamedTuple):
    """A node of a partial device tree."""

    name: str
    line: int
    reg: list[int]                    # first addresses, as the domain sees them
    physical: list[int]               # where they are, of xen,reg
    irqs: list[tuple[int, str]]
    driver: str | None


def memory_of(real: HostDevice) -> list[Registers]:
    """Registers of a device that are in memory."""
    return [registers for registers in real.registers if registers.space == "memory"]


def at_address(hardware: Board, physical: int) -> HostDevice | None:
    """The device whose first registers are at an address."""
    return next((device for device in hardware.devices if memory_of(device) and memory_of(device)[0].base == physical), None)


def given_to(board: Board, vm: VmInterface) -> list[Given]:
    """The devices of a VM that can be told by their registers, each once."""
    found: dict[str, Given] = {}
    for device in vm.devices:
        real = board.device(device.device) if device.mode == "passthrough" else None
        own = memory_of(real) if real else []
        if real is None or not own or at_address(board, own[0].base) != real or real.name in found:
            continue
        moved = [(r.base % PAGE, r.size) for r in device.registers if r.space == "memory"] == [(r.base % PAGE, r.size) for r in own]
        guests = tuple(r.base for r in (device.registers if moved else own))
        found[real.name] = Given(device.name, real, guests, device.irqs or real.irqs, device.driver or real.driver)
    return list(found.values())


def as_seen(hardware: HostDevice, name: str, guests: Sequence[int] = (), irqs: Sequence[int] = (), driver: str | None = None) -> VmDevice:
    """The interface of a device passed through; what is as on the board need not be said."""
    own = memory_of(hardware)
    moved = bool(guests) and len(guests) == len(own) and list(guests) != [registers.base for registers in own]
    return VmDevice(name=name, mode="passthrough", kind=hardware.kind, function=hardware.function, device=hardware.name,
                    driver=None if driver == hardware.driver else driver, irqs=() if tuple(irqs) == hardware.irqs else tuple(irqs),
                    registers=[r.replace(base=guest) for r, guest in zip(own, guests)] if moved else ())


def interrupt(irq: int, trigger: str) -> str:
    """A line as cells: shared lines begin at 32, those of each pCPU at 16; software's own, below, cannot be said."""
    kind, number = (0, irq - 32) if irq >= 32 else (1, irq - 16)
    return f"{kind} {number} {EDGE if trigger == 'edge' else LEVEL}"


def host_path(real: HostDevice) -> str:
    """Where the device is in the board's device tree: a guess, of its name and address."""
    return f"/soc/{real.name}@{memory_of(real)[0].base:x}"


def partial_tree(vm: VmInterface, devices: Sequence[Given]) -> str:
    """The source of the partial device tree."""
    triggers = {irq.line: irq.trigger for irq in vm.irqs}
    inside = ['compatible = "simple-bus";', "ranges;", "#address-cells = <2>;", "#size-cells = <2>;"]
    for device in devices:
        own = memory_of(device.real)
        lines = [f"compatible = {quoted(device.driver)};",
                 f"reg = <{' '.join(f'{pair(guest)} {pair(r.size)}' for r, guest in zip(own, device.guests))}>;"]
        cells = [interrupt(irq, triggers.get(irq, "level")) for irq in device.irqs if irq >= 16]
        lines += ["interrupt-parent = <&gic>;", f"interrupts = <{'  '.join(cells)}>;"] if cells else []
        lines += [f"xen,reg = <{' '.join(f'{pair(r.base)} {pair(r.size)} {pair(guest)}' for r, guest in zip(own, device.guests))}>;",
                  f"xen,path = {quoted(host_path(device.real))};"]
        lines += [] if device.real.iommu else ["xen,force-assign-without-iommu;"]
        inside += ["", *node(f"{device.name}@{device.guests[0]:x}", lines)]
    chip = node("gic", ["#interrupt-cells = <3>;", "#address-cells = <0>;", "interrupt-controller;"], "gic")
    body = ["#address-cells = <2>;", "#size-cells = <2>;", "", *chip, "", *node("passthrough", inside)]
    return "\n".join(["/dts-v1/;", "", f"/* Devices of {vm.name}. xen,path and compatible: check them against the board's own device tree. */",
                      *node("/", body)]) + "\n"


def read_partial(source: Source) -> list[Said]:
    """The devices of a partial device tree."""
    root = parse(source)
    there = root.children.get("passthrough")
    if there is None:
        raise source.refusal(1, "passthrough", "no such node", "a node /passthrough with the devices", "add it")
    taken: set[str] = set()
    source.few(there.line, "passthrough", len(there.children))
    widths = there.width(source, "#address-cells", 2), there.width(source, "#size-cells", 2)
    return [said for child in there.children.values() if (said := said_of(source, child, taken, widths)) is not None]


def said_of(source: Source, child: Node, taken: set[str], widths: tuple[int, int]) -> Said | None:
    """One of them; None for a node without registers, as a clock."""
    reg = child.rows(source, "reg", widths)
    if not reg:
        source.note(f"node {child.name} has no registers, and is not read")
        return None
    physical = [row[0] for row in child.rows(source, "xen,reg", (*widths, widths[0]))]
    name = source.name(child.name.split("@")[0], taken)
    return Said(name, child.line, [row[0] for row in reg], physical, interrupts(source, child), next(iter(child.strings("compatible")), None))


def interrupts(source: Source, child: Node) -> list[tuple[int, str]]:
    """Lines of a node, with their triggers."""
    cells = child.numbers(source, "interrupts")
    if len(cells) % 3:
        raise source.refusal(child.at("interrupts"), "interrupts", f"{len(cells)} cells", "three cells each", "write <0 line-32 4>")
    found = []
    for kind, number, flags in zip(cells[::3], cells[1::3], cells[2::3]):
        line = number + (32 if kind == 0 else 16)
        if kind > 1 or line > 8191:
            raise source.refusal(child.at("interrupts"), "interrupts", f"{kind} {number}", "lines up to 8191 of kind 0 or 1", "correct it")
        found.append((line, "edge" if flags & 3 else "level"))
    return found


def lines_of(said: Sequence[Said]) -> list[Irq]:
    """The interrupt lines of some devices, each once."""
    return [Irq(line=line, trigger=trigger) for line, trigger in {line: trigger for one in said for line, trigger in one.irqs}.items()]  # type: ignore[arg-type]


def device_of(source: Source, hardware: Board, one: Said, physical: int | None) -> VmDevice:
    """The device of the board that a node means."""
    real = None if physical is None else at_address(hardware, physical)
    if real is None:
        where = "no physical address" if physical is None else f"{physical:#x}"
        raise source.refusal(one.line, one.name, where, f"registers of a device of {hardware.name}", "give the hardware that the files are for")
    try:
        return as_seen(real, one.name, one.reg, [line for line, _ in one.irqs], one.driver)
    except SpecError as error:
        raise SpecError([problem._replace(where=f"{source.path.name}:{one.line}") for problem in error.problems]) from None
