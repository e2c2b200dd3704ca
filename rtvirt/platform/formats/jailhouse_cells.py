"""What Jailhouse can say of a board: a root cell, cells that take from it, pins, virtual PCI devices with shared memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ...errors import Problem
from ..board import Board, Scheduler
from ..fields import PAGE, Extent
from ..hardware import HostDevice
from ..interface import Channel, Chip, Clock, CpuShare, Irq, VmDevice, VmInterface, Window
from .jailhouse_layout import ARCHITECTURES, NAME_LONGEST
from .partition import (
    Block,
    End,
    Link,
    blocks_of,
    cpu_problems,
    in_order,
    links,
    occupied,
    passed,
    pinned,
    placed,
    refuse_all,
    room,
    said_device,
    window_of,
)

HYPERVISOR = 4 * 2**20
"""Memory for Jailhouse itself `int [bytes]`."""
PEERS, PCI_SLOTS, PINS = 12, 32, (32, 1020)
"""Most peers of one shared memory; devices on a virtual PCI bus; a GIC's shared lines."""


class Wire(NamedTuple):
    """A virtual PCI device: the link that it is an end of, its number on the bus, and which of the peers it is."""

    link: Link
    slot: int
    peer: int


class Plan(NamedTuple):
    """A board as cells: what is said of it, and what has to be chosen for it."""

    said: Board
    root: str
    hypervisor: int                        # where Jailhouse itself is
    wires: Mapping[str, list[Wire]]        # of each cell
    pins: Mapping[str, int]                # first of the four lines of each cell's virtual PCI bus


def plan(board: Board) -> Plan:
    """What remains of a board, and how it is wired.

    Raises
    ------
    SpecError
        All that stands in the way: vCPUs, architectures, names, memory that the root cell would lose, RAM that is too small.
    """
    refuse_all([*cpu_problems(board), *cell_problems(board)])
    root = root_of(board)
    taken = occupied(board)
    fixed = placed(board, taken)
    refuse_all(root_problems(fixed, root))
    hypervisor = room(board, HYPERVISOR, taken, "Jailhouse", top=True)
    joined = [link for link in links(fixed) if joinable(fixed, link)][:PCI_SLOTS - 1]
    wires, pins = wired(fixed, root, joined)
    cpus = pinned(board)
    vms = tuple(said_cell(fixed, vm, root, cpus[vm.name], wires[vm.name], pins) for vm in fixed.vms)
    return Plan(board.replace(scheduler=Scheduler(), vms=minus(vms, root)), root, hypervisor, wires, pins)


def is_arm(vm: VmInterface) -> bool:
    """True for ARM's 32 and 64 bits."""
    return vm.architecture in ("aarch64", "armv7-a")


def cell_problems(board: Board) -> list[Problem]:
    """Architectures and names that Jailhouse does not have."""
    found = [Problem(f"vms[{vm.name}].architecture", vm.architecture, ", ".join(ARCHITECTURES), "Jailhouse runs on these: use another format")
             for vm in board.vms if vm.architecture not in ARCHITECTURES]
    return found + [Problem(f"vms[{vm.name}].name", vm.name, f"at most {NAME_LONGEST} characters in a cell's name", "choose a shorter name")
                    for vm in board.vms if len(vm.name) > NAME_LONGEST]


def root_of(board: Board) -> str:
    """The VM that loads Jailhouse and the other cells: number 0; without one, the first of those with most vCPUs."""
    return min(board.vms, key=lambda vm: (vm.id != 0, -vm.cpus.count)).name


def owned(board: Board, vm: VmInterface) -> list[tuple[str, Extent, bool]]:
    """What a cell has for itself: its place in the description, where it is, and whether it is shared."""
    found = [(f"memory[{window.name}]", window.behind, "shared" in window.flags) for window in vm.memory if window.behind]
    for device in vm.devices:
        real = board.device(device.device) if passed(board, device) else None
        found += [(f"devices[{device.name}]", Extent(base=base, size=size), False) for base, _, size in (blocks_of(device, real) if real else [])]
    return found


def root_problems(board: Board, root: str) -> list[Problem]:
    """What another cell would take from the root cell."""
    found = []
    for place, extent, _ in owned(board, board[root]):
        for vm in board.vms:
            hit = next((other for other, there, shared in owned(board, vm) if not shared and there.overlaps(extent)), None)
            if vm.name != root and hit:
                found.append(Problem(f"vms[{root}].{place}", f"what vms[{vm.name}].{hit} has too", "one cell for it", "take it from one of them"))
    return found


def joinable(board: Board, link: Link) -> bool:
    """True if a shared-memory device can join the ends: whole pages, one for its state table, the same size for all."""
    windows = [window for end in link.ends if (window := window_of(board, end))]
    return len(windows) <= PEERS and link.size >= 2 * PAGE and all(
        window.size == link.size and window.size % PAGE == 0 and window.guest % PAGE == 0 and (window.phys or 0) % PAGE == 0 for window in windows)


def doorbell(board: Board, link: Link, end: End) -> int | None:
    """The line by which an end wants to be notified."""
    return next(channel.doorbell for channel in board[end.vm].channels if channel.name == link.name)


def lines_of(vm: VmInterface) -> set[int]:
    """Lines of real devices that have a pin."""
    low, high = PINS if is_arm(vm) else (0, 8192)
    return {irq.line for irq in vm.irqs if irq.route != "emulated" and low <= irq.line < high}


def wired(board: Board, root: str, joined: Sequence[Link]) -> tuple[dict[str, list[Wire]], dict[str, int]]:
    """Numbers on the bus and lines: device n of a bus has its line base + n % 4, so that doorbells are kept where they fit."""
    busy = {real.pci for real in board.devices if real.pci}
    free = [slot for slot in range(PCI_SLOTS) if f"0000:00:{slot:02x}.0" not in busy]
    wires: dict[str, list[Wire]] = {vm.name: [] for vm in board.vms}
    wanted: dict[str, int] = {}
    for link in joined:
        bells = {end.vm: bell for end in link.ends if (bell := doorbell(board, link, end)) is not None}
        slot = next((one for one in free if all(wanted.get(vm, bell - one % 4) == bell - one % 4 for vm, bell in bells.items())), free[0])
        free.remove(slot)
        for vm, bell in bells.items():
            wanted.setdefault(vm, bell - slot % 4)
        for peer, end in enumerate(link.ends):
            wires[end.vm].append(Wire(link, slot, peer))
    pins: dict[str, int] = {}
    real = set().union(*map(lines_of, board.vms))
    for vm in sorted(board.vms, key=lambda vm: vm.name == root):                  # the root cell last: others take lines from it
        if wires[vm.name] and is_arm(vm):
            others = {pins[name] + wire.slot % 4 for name in pins for wire in wires[name]} if vm.name == root else set()
            pins[vm.name] = base_of(wanted.get(vm.name, board.irqchip.lines), {wire.slot % 4 for wire in wires[vm.name]}, real | others)
    return wires, pins


def base_of(wanted: int, offsets: set[int], busy: set[int]) -> int:
    """The first of four lines: the one that is wanted, or the next that is free, from the beginning again if need be."""
    low, high = PINS
    start = min(max(wanted, low), high - 4)
    return next((base for base in [*range(start, high - 3), *range(low, start)] if not busy & {base + offset for offset in offsets}), start)


# -------------------------------------------------------------- one cell

def said_cell(board: Board, vm: VmInterface, root: str, cpus: tuple[int, ...], wires: Sequence[Wire], pins: Mapping[str, int]) -> VmInterface:
    """What remains of a VM."""
    reset = vm.cpus.reset if vm.cpus.reset is not None else vm.image.entry if vm.image else None
    joined = {wire.link.ends[wire.peer].window: wire for wire in wires}
    channels = [said_channel(vm, wire, pins) for wire in wires]
    heard = {line: Irq(line=line) for line in lines_of(vm)}
    heard |= {one.doorbell: Irq(line=one.doorbell, trigger="edge", route="emulated") for one in channels if one.doorbell is not None}
    devices = [said_device(device.name, real, blocks_of(device, real)) for device in vm.devices if (real := real_of(board, device))]
    return VmInterface(name=vm.name, id=vm.id, architecture=vm.architecture, irqs=[heard[line] for line in sorted(heard)], channels=channels,
                       cpus=CpuShare(count=vm.cpus.count, affinity=cpus, reset=None if vm.name == root else reset), devices=devices,
                       memory=[said_window(window, window.name in joined) for window in vm.memory],
                       irqchip=chip_of(vm.architecture, board), timer=timer_of(vm.architecture))


def real_of(board: Board, device: VmDevice) -> HostDevice | None:
    """The board's device, if a cell can be given it: by registers, by ports, or by its place on the PCI bus."""
    real = board.device(device.device) if passed(board, device) else None
    return real if real and (real.registers or real.pci) else None


def said_window(window: Window, joined: bool) -> Window:
    """Memory without colours, and without flags that have no bit."""
    flags = in_order([flag for flag in window.flags if flag != "huge"] + (["shared"] if joined else []))
    return Window(name=window.name, guest=window.guest, phys=window.phys, size=window.size, flags=flags)


def said_channel(vm: VmInterface, wire: Wire, pins: Mapping[str, int]) -> Channel:
    """An end of a shared-memory device."""
    old = next(channel for channel in vm.channels if channel.name == wire.link.name)
    return Channel(name=old.name, region=old.region, peers=[end.vm for end in wire.link.ends if end.vm != vm.name],
                   protocol="vring" if old.protocol == "vring" else "raw", doorbell=pins[vm.name] + wire.slot % 4 if vm.name in pins else None)


def chip_of(architecture: str, board: Board) -> Chip:
    """The interrupt controller of a cell: the board's; its registers are emulated on a PC."""
    return Chip(model=board.irqchip.model, mode="emulated" if architecture == "x86-64" else "virtual")


def timer_of(architecture: str) -> Clock:
    """The timer of a cell: each core's own."""
    return Clock(model="lapic", mode="direct") if architecture == "x86-64" else Clock(model="arm-generic")


def minus(vms: Sequence[VmInterface], root: str) -> tuple[VmInterface, ...]:
    """Cells, the root cell without lines that others have taken."""
    taken = {irq.line for vm in vms if vm.name != root for irq in vm.irqs}
    return tuple(vm.replace(irqs=tuple(irq for irq in vm.irqs if irq.line not in taken)) if vm.name == root else vm for vm in vms)


def seen_blocks(board: Board, device: VmDevice) -> list[Block]:
    """Register blocks of a device of a cell."""
    real = board.device(device.device)
    return blocks_of(device, real) if real else []
