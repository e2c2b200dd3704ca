"""What partitioning hypervisors have in common: each vCPU has a pCPU for itself, each channel joins windows, all else is not said.

An exporter makes of a board the board that its format can say (`said`), and writes that. What is lost is the difference of the two.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from ...errors import Problem, SpecError
from ..board import Board
from ..fields import PAGE, Extent
from ..hardware import HostDevice, Registers
from ..interface import MEMORY_FLAGS, VmDevice, VmInterface, Window
from .common import NAME, UNSAID

ALIGNED = 2 * 2**20
"""Memory that may be anywhere begins at multiples of this: pages of the second stage can then be large `int [bytes]`."""
SHARED_REASONS = UNSAID | {
    "scheduler": "a partitioning hypervisor has no scheduler: each vCPU has its pCPU",
    "vms.operations": "no word for it: what a guest needs of the hypervisor",
    "vms.contract": "no word for it: a vCPU has a whole pCPU",
    "vms.health": "no word for it",
    "vms.devices": "only devices of the board are passed through, by their registers",
    "vms.devices.driver": "no word for it",
    "vms.devices.backend": "no word for it",
    "vms.devices.irqs": "lines belong to the VM, under their own numbers",
    "vms.devices.registers": "where they are, as unless given; or none of the board's behind them",
    "vms.memory.flags": "a bitmap has no order, and no bits for some of them",
}


class End(NamedTuple):
    """One end of a channel."""

    vm: str
    window: str


class Link(NamedTuple):
    """What a channel of one name joins: ends in the order of the VMs, and where its memory is, if that is fixed."""

    name: str
    ends: tuple[End, ...]
    phys: int | None
    size: int


def links(board: Board) -> list[Link]:
    """Channels whose ends know each other and share memory, each window in one of them only.

    Examples
    --------
    >>> from rtvirt.platform import load
    >>> [(link.name, [end.vm for end in link.ends]) for link in links(load("drone"))]
    [('pose', ['autopilot', 'vision'])]
    """
    found: list[Link] = []
    taken: set[End] = set()
    for vm in board.vms:
        for channel in vm.channels:
            members = connected(board, vm.name, channel.name)
            ends = tuple(End(name, region_of(board[name], channel.name)) for name in members)
            windows = [window_of(board, end) for end in ends]
            places = {window.phys for window in windows if window and window.phys is not None}
            whole = len(members) > 1 and all(window and "shared" in window.flags for window in windows) and len(places) < 2
            if whole and members[0] == vm.name and not taken & set(ends):
                taken |= set(ends)
                found.append(Link(channel.name, ends, next(iter(places), None), max(window.size for window in windows if window)))
    return found


def connected(board: Board, start: str, name: str) -> list[str]:
    """VMs that a channel of that name joins, in the order of the board."""
    peers = {vm.name: {peer for channel in vm.channels if channel.name == name for peer in channel.peers} for vm in board.vms}
    found, waiting = {start}, [start]
    while waiting:
        one = waiting.pop()
        for other in peers[one] - found:
            if one in peers.get(other, ()):
                found.add(other)
                waiting.append(other)
    return [vm.name for vm in board.vms if vm.name in found]


def region_of(vm: VmInterface, channel: str) -> str:
    """Name of the window of a channel."""
    return next(one.region for one in vm.channels if one.name == channel)


def window_of(board: Board, end: End) -> Window | None:
    """The window at an end."""
    return next((window for window in board[end.vm].memory if window.name == end.window), None)


def pinned(board: Board) -> dict[str, tuple[int, ...]]:
    """A pCPU for each vCPU: one that the VM asks for where that is possible for all, else a free one, of the same cluster if there is one.

    Examples
    --------
    >>> from rtvirt.platform import load
    >>> pinned(load("phone"))
    {'modem': (4,), 'android': (0, 1, 2, 3), 'drivers': (5,)}
    """
    slots = [vm for vm in board.vms for _ in range(vm.cpus.count)]
    refuse_all(cpu_problems(board))
    wish = [[cpu for cpu in sorted(set(vm.cpus.affinity or range(board.cpus))) if cpu < board.cpus] for vm in slots]
    owner: dict[int, int] = {}
    left = [slot for slot in range(len(slots)) if not augment(slot, wish, owner, set())]
    cluster = {cpu: cluster.name for cluster in board.clusters for cpu in cluster.cpus}
    for slot in left:
        near = {cluster[cpu] for cpu in wish[slot]}
        free = [cpu for cpu in range(board.cpus) if cpu not in owner]
        owner[min(free, key=lambda cpu: (cluster[cpu] not in near, cpu))] = slot
    return {vm.name: tuple(sorted(cpu for cpu, slot in owner.items() if slots[slot] is vm)) for vm in board.vms}


def augment(slot: int, wish: Sequence[Sequence[int]], owner: dict[int, int], seen: set[int]) -> bool:
    """Find a pCPU for a vCPU, moving others if need be (a matching grows along a path)."""
    for cpu in wish[slot]:
        if cpu not in seen:
            seen.add(cpu)
            if cpu not in owner or augment(owner[cpu], wish, owner, seen):
                owner[cpu] = slot
                return True
    return False


def cpu_problems(board: Board) -> list[Problem]:
    """What stands against a pCPU for each vCPU."""
    asked = sum(vm.cpus.count for vm in board.vms)
    if not board.vms:
        return [Problem("vms", [], "at least one VM", "describe the VMs")]
    if asked > board.cpus:
        return [Problem("vms", f"{asked} vCPUs", f"at most {board.cpus}: each vCPU has a pCPU for itself",
                        "give VMs fewer vCPUs, or use a hypervisor with a scheduler")]
    return []


def refuse_all(problems: list[Problem]) -> None:
    """Raise the problems, if any."""
    if problems:
        raise SpecError(problems)


def room(board: Board, size: int, taken: list[Extent], what: str, top: bool = False) -> int:
    """Lowest place in the board's RAM for so much memory, or the highest; it is taken then."""
    for memory in [one for one in board.memory if one.kind == "ram"]:
        edges = [memory.base, *[one.end for one in taken]] if not top else [memory.end - size, *[one.base - size for one in taken]]
        spots = {-(-edge // ALIGNED) * ALIGNED if not top else edge // ALIGNED * ALIGNED for edge in edges}
        for at in sorted(spots, reverse=top):
            if memory.base <= at and at + size <= memory.end and not any(one.base < at + size and at < one.end for one in taken):
                taken.append(Extent(base=at, size=size))
                return at
    raise SpecError([Problem("memory", f"{size} B for {what}", "as much RAM in one piece as is asked for", "describe more memory, or give VMs less")])


def occupied(board: Board) -> list[Extent]:
    """What has its place: windows, and registers of the hardware."""
    parts = (*board.devices, *board.timers, *board.iommus, board.irqchip)
    registers = [block for part in parts for block in part.registers if block.space == "memory"]
    return [window.behind for vm in board.vms for window in vm.memory if window.behind] + [Extent(base=one.base, size=one.size) for one in registers]


def placed(board: Board, taken: list[Extent]) -> Board:
    """The board with a place for each window; ends of a link have the same."""
    where = {end: link.phys for link in links(board) for end in link.ends}
    for link in links(board):
        if link.phys is None:
            where |= dict.fromkeys(link.ends, room(board, pages(link.size), taken, link.name))
    vms = []
    for vm in board.vms:
        windows = []
        for window in vm.memory:
            phys = where.get(End(vm.name, window.name)) if window.phys is None else window.phys
            if phys is None:
                phys = room(board, pages(window.size), taken, f"vms[{vm.name}].memory[{window.name}]")
            windows.append(window.replace(phys=phys))
        vms.append(vm.replace(memory=tuple(windows)))
    return board.replace(vms=tuple(vms))


def pages(size: int) -> int:
    """A size rounded up to pages."""
    return -(-size // PAGE) * PAGE


def in_order(flags: Sequence[str], known: Sequence[str] = MEMORY_FLAGS) -> tuple[str, ...]:
    """Flags as a bitmap gives them back."""
    return tuple(flag for flag in known if flag in flags)


def passed(board: Board, device: VmDevice) -> bool:
    """True if a device of the board is behind it, whole."""
    return device.mode == "passthrough" and board.device(device.device) is not None


def pci_of(text: str) -> tuple[int, int]:
    """Domain, and bus, device and function in one number.

    Examples
    --------
    >>> pci_of("0000:03:00.1")
    (0, 769)
    """
    domain, bus, rest = text.split(":")
    return int(domain, 16), int(bus, 16) << 8 | int(rest[:-2], 16) << 3 | int(rest[-1])


# -------------------------------------------------------------- reading

def plain(name: str, other: str, used: set[str]) -> str:
    """A text as a name: other characters become dashes, and a number follows if it is used already; `other` if nothing is left.

    Examples
    --------
    >>> used = set()
    >>> plain("System RAM", "mem", used), plain("System-RAM", "mem", used), plain("4 MiB", "mem", used), plain("", "mem", used)
    ('System-RAM', 'System-RAM-2', 'mem-4-MiB', 'mem')
    """
    if not re.fullmatch(NAME, name):
        name = re.sub(r"[^A-Za-z0-9_.\-]+", "-", name[:200]).strip("-.") or other
        name = (name if name[0].isalpha() else f"{other}-{name}")[:64]
    unique, n = name, 1
    while unique in used:
        n += 1
        unique = f"{name[:56]}-{n}"
    used.add(unique)
    return unique


LABEL = re.compile(r"(memory|device|channel) ([A-Za-z][A-Za-z0-9_.\-]*)(?:: ([A-Za-z][A-Za-z0-9_.\-]*))?")


class Label(NamedTuple):
    """What a comment of ours says: a kind, a name, and what belongs to it."""

    kind: str
    name: str
    of: str


def label(kind: str, name: str, of: str = "") -> str:
    """A comment that `labelled` reads back."""
    return f"/* {kind} {name}{': ' + of if of else ''} */"


def labelled(comment: str) -> Label:
    """What a comment says; a kind of "" for one that is not ours.

    Examples
    --------
    >>> labelled("device line: uart3"), labelled("RAM")
    (Label(kind='device', name='line', of='uart3'), Label(kind='', name='RAM', of=''))
    """
    match = LABEL.fullmatch(comment)
    return Label(match[1], match[2], match[3] or "") if match else Label("", comment, "")


@contextmanager
def at(where: str) -> Iterator[None]:
    """Problems found within are here, unless they know better."""
    try:
        yield
    except SpecError as error:
        raise SpecError([problem if problem.where else problem._replace(where=where) for problem in error.problems]) from None


# -------------------------------------------------------------- devices, as both directions see them

Block = tuple[int, int, int]
"""Registers of a device: where they are, where the VM sees them, their size."""


def blocks_of(device: VmDevice, real: HostDevice) -> list[Block]:
    """Register blocks of a device that is passed through."""
    memory = [one for one in real.registers if one.space == "memory"]
    seen = device.registers if device.registers and len(memory) == len(real.registers) else memory
    return [(one.base, there.base, one.size) for one, there in zip(memory, seen, strict=False)]


def registers_of(blocks: Sequence[Block], real: HostDevice) -> tuple[Registers, ...]:
    """What a description says of such blocks: nothing if the VM sees all of them where they are."""
    whole = [(one.base, one.base, one.size) for one in real.registers if one.space == "memory"]
    return () if list(blocks) == whole else tuple(Registers(base=seen, size=size) for _, seen, size in blocks)


def said_device(name: str, real: HostDevice, blocks: Sequence[Block]) -> VmDevice:
    """A device that is passed through, as far as its registers tell."""
    return VmDevice(name=name, mode="passthrough", kind=real.kind, function=real.function, device=real.name, registers=registers_of(blocks, real))


def behind(hardware: Board, phys: int) -> HostDevice | None:
    """The device that has registers from this address on."""
    return next((one for one in hardware.devices if any(block.base == phys and block.space == "memory" for block in one.registers)), None)


def meant(hardware: Board, said: Label, phys: int) -> HostDevice | None:
    """The device that an entry is about: the one that its comment names, if it has registers there, else whichever has."""
    named = hardware.device(said.of) if said.kind == "device" else None
    here = named is not None and any(block.base == phys and block.space == "memory" for block in named.registers)
    return named if here else None if said.kind == "memory" else behind(hardware, phys)
