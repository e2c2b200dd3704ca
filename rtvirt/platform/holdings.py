"""Who has what of a board: each VM's part as tiles, marked with the numbers of the findings that concern them. For pictures."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..units import format_ns
from .board import Board, need_boards
from .contract import AnyContract, Rank, Reservation, Share, Slots
from .fields import format_size
from .finding import Finding
from .handing import NOBODY, free_devices
from .interface import VmDevice, VmInterface

PLACE = re.compile(r"vms\[([^\]]+)\]\.?(\w*)(?:\[([^\]]+)\])?")
TILE_OF = {"contract": "contract", "tasks": "contract", "health": "contract", "cpus": "pCPU", "irqs": "lines", "irqchip": "lines"}
"""Tile that stands for a field, where the field has none of its own."""
MODES = {"passthrough": "passed through", "virtual": "emulated", "split-frontend": "front end", "split-backend": "back end"}


@dataclass(frozen=True)
class Tile:
    """One thing that somebody has.

    `kind` is contract, pCPU, lines, memory, channels or devices; `says` what there is to say; `findings` are numbers from 1; `movable` means that
    `hand_over` can move it by its name.
    """

    kind: str
    name: str
    says: str
    mode: str = ""
    findings: tuple[int, ...] = ()
    movable: bool = False


@dataclass(frozen=True)
class Holder:
    """A VM, or the board: its pCPUs, its memory, devices that nobody has. Its meaning is that of the pictures: real-time, best effort, driver
    or hypervisor."""

    name: str
    meaning: str
    says: str
    tiles: tuple[Tile, ...]
    findings: tuple[int, ...] = ()


def holdings(board: Board, findings: Sequence[Finding] = ()) -> tuple[Holder, ...]:
    """The board first, then its VMs.

    Examples
    --------
    >>> import rtvirt as rv
    >>> [(holder.name, holder.meaning) for holder in holdings(rv.platform.load("phone"))]
    [('board', 'hypervisor'), ('modem', 'real-time'), ('android', 'best effort'), ('drivers', 'driver')]
    """
    need_boards(board)
    return (pool(board, findings), *(holder_of(board, vm, findings) for vm in board.vms))


def pool(board: Board, findings: Sequence[Finding]) -> Holder:
    """The board: its pCPUs, memory, and the devices that nobody has."""
    cores = {cpu: cluster.core for cluster in board.clusters for cpu in cluster.cpus}
    tiles = [Tile("pCPU", f"pCPU {cpu}", cores[cpu], movable=True) for cpu in sorted(cores)]
    for name in free_devices(board):
        real = board.device(name)
        tiles.append(Tile("devices", name, f"{real.function}, {real.driver}" if real else "", movable=True))
    tiles += [Tile("memory", region.name, format_size(region.size)) for region in board.memory]
    concerned = tuple(n for n, finding in enumerate(findings, 1) if not PLACE.match(finding.place))
    return Holder(NOBODY, "hypervisor", "pCPUs, memory, free devices", tuple(tiles), concerned)


def holder_of(board: Board, vm: VmInterface, findings: Sequence[Finding]) -> Holder:
    """A VM's part."""
    marks = marks_of(vm, findings)
    tiles = [Tile("contract", *in_words(vm.contract), findings=marks.pop("contract", ()))]
    cpu_marks = marks.pop("pCPU", ())
    tiles += [Tile("pCPU", f"pCPU {cpu}", f"of {vm.cpus.count} vCPU{'s' * (vm.cpus.count > 1)}", findings=cpu_marks, movable=True)
              for cpu in vm.cpus.affinity or range(board.cpus)]
    tiles += [Tile("devices", device.name, device_words(device), device.mode, marks.pop(f"devices[{device.name}]", ()), True)
              for device in vm.devices]
    tiles += [Tile("memory", window.name, memory_words(window.size, window.phys, window.guest, "shared" in window.flags),
                   findings=marks.pop(f"memory[{window.name}]", ())) for window in vm.memory]
    lines = ", ".join(str(irq.line) for irq in vm.irqs)
    tiles += [Tile("lines", "lines", lines or "none", findings=marks.pop("lines", ()))] if lines or "lines" in marks else []
    tiles += [Tile("channels", f"channel {channel.name}", f"to {', '.join(channel.peers)}", findings=marks.pop(f"channels[{channel.name}]", ()))
              for channel in vm.channels]
    rest = tuple(sorted({n for numbers in marks.values() for n in numbers}))
    return Holder(vm.name, meaning_of(vm), f"{vm.cpus.count} vCPU{'s' * (vm.cpus.count > 1)}, {vm.architecture}", tuple(tiles), rest)


def marks_of(vm: VmInterface, findings: Sequence[Finding]) -> dict[str, tuple[int, ...]]:
    """Numbers of findings at each tile of a VM; "" for the VM as a whole."""
    marks: dict[str, tuple[int, ...]] = {}
    for number, finding in enumerate(findings, 1):
        at = PLACE.match(finding.place)
        if at and at[1] == vm.name:
            field, part = at[2], at[3]
            where = f"{field}[{part}]" if part and field not in TILE_OF else TILE_OF.get(field, "")
            marks[where] = (*marks.get(where, ()), number)
    return marks


def meaning_of(vm: VmInterface) -> str:
    """Driver if it has a back end, real-time if a task has a deadline, else best effort."""
    if any(device.mode == "split-backend" for device in vm.devices):
        return "driver"
    return "real-time" if any(task.deadline is not None for task in vm.tasks) else "best effort"


def in_words(contract: AnyContract) -> tuple[str, str]:
    """A contract's terms, and its wake-up bound."""
    if isinstance(contract, Reservation):
        terms = f"{format_ns(contract.budget)} in {format_ns(contract.period)}"
    elif isinstance(contract, Share):
        terms = f"weight {contract.weight}" + (f", at most {contract.cap} %" if contract.cap else "")
    elif isinstance(contract, Rank):
        terms = f"priority {contract.priority}"
    elif isinstance(contract, Slots):
        terms = f"{len(contract.slots)} slots in {format_ns(contract.frame)}"
    else:
        terms = "no contract"
    return terms, "no wake-up bound" if contract.wakeup is None else f"awake within {format_ns(contract.wakeup)}"


def memory_words(size: int, phys: int | None, guest: int, shared: bool) -> str:
    """A window in a line: its size, and whether it is where the VM sees it."""
    where = "anywhere" if phys is None else "in place" if phys == guest else "moved"
    return f"{format_size(size)}, {where}" + (", shared" if shared else "")


def device_words(device: VmDevice) -> str:
    """How a VM has a device."""
    behind = {"passthrough": f": {device.device}" if device.device != device.name else "", "split-frontend": f": to {device.backend}",
              "split-backend": f": on {device.device}" if device.device else ""}.get(device.mode, "")
    return f"{device.function}, {MODES[device.mode]}{behind}"
