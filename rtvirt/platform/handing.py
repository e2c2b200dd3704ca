"""Hand a device, or a pCPU, from one VM of a board to another, without asking whether that fits: `check` says so afterwards."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Literal, get_args

from ..errors import Problem, SpecError
from .board import Board, need_boards
from .interface import Irq, VmDevice, VmInterface

NOBODY = "board"
"""Where a device is that no VM has."""
PCPU = re.compile(r"pCPU (\d{1,2})")
Along = Literal["device and lines", "device only", "a second owner"]


def hand_over(board: Board, what: str, source: str | None, target: str | None, *, along: Along = "device and lines") -> Board:
    """A copy of a board in which another VM has something.

    Parameters
    ----------
    board : Board
    what : str
        The name of a device as `source` calls it (of the board's own, if nobody has it); or a pCPU, as "pCPU 4".
    source, target : str or None
        VMs; None for the board, where devices are that nobody has.
    along : {"device and lines", "device only", "a second owner"}
        Interrupt lines follow their device; stay; or the source keeps all, and both have it.

    Raises
    ------
    SpecError
        For what is not there, and a name that the target has already.

    Notes
    -----
    Nothing else follows: not the front ends of a driver that moved, and no memory.

    Examples
    --------
    >>> import rtvirt as rv
    >>> phone = rv.platform.load("phone")
    >>> rv.platform.check(hand_over(phone, "ufs", "drivers", "android")).rules == {"split", "dma"}
    True
    """
    need_boards(board)
    if not isinstance(what, str):
        refuse("what", what, "the name of a device, or a pCPU as text", 'write for example "pCPU 4"')
    if along not in get_args(Along):
        refuse("along", along, ", ".join(get_args(Along)), "choose one of these")
    for name in (source, target):
        if name is not None:
            vm_of(board, name)
    if source == target:
        return board
    found = PCPU.fullmatch(what)
    if found:
        return hand_cpu(board, int(found[1]), source, target, along != "a second owner")
    if source is None:
        given, lines = fresh(board, what)
    else:
        giver = vm_of(board, source)
        given = next((device for device in giver.devices if device.name == what), None) or refuse(
            "what", what, ", ".join(device.name for device in giver.devices) or f"nothing: {source} has no device", "name a device that it has")
        wanted = lines_of(board, given)
        lines = [irq for irq in giver.irqs if irq.line in wanted]
        if along != "a second owner":
            board = board.with_vm(without(board, giver, given, lines if along == "device and lines" else []))
    if target is None:
        return board
    return board.with_vm(taken(board, vm_of(board, target), given, lines if along != "device only" else []))


def refuse(field: str, value: Any, allowed: str, fix: str) -> Any:
    """The error for one wrong argument."""
    raise SpecError([Problem(field, value, allowed, fix)])


def vm_of(board: Board, name: str) -> VmInterface:
    """A VM, or an error that lists what there is."""
    return next((vm for vm in board.vms if vm.name == name), None) or refuse(
        "source, target", name, ", ".join([*(vm.name for vm in board.vms), NOBODY]), f"name a VM of {board.name}")


def fresh(board: Board, name: str) -> tuple[VmDevice, list[Irq]]:
    """A device of the board, as it is passed through for the first time, with its lines."""
    real = board.device(name) or refuse("what", name, ", ".join(free_devices(board)) or "nothing is free", "name a device of the board")
    made = VmDevice(name=name, mode="passthrough", kind=real.kind, function=real.function, device=name)
    return made, [Irq(line=line) for line in real.irqs]


def free_devices(board: Board) -> list[str]:
    """Devices that are passed through to nobody."""
    given = {device.device for vm in board.vms for device in vm.devices if device.mode == "passthrough"}
    return [device.name for device in board.devices if device.name not in given]


def lines_of(board: Board, device: VmDevice) -> set[int]:
    """Interrupt lines of a device as a VM has it."""
    real = board.device(device.device) if device.mode == "passthrough" else None
    return set(device.irqs or (real.irqs if real else ()))


def without(board: Board, vm: VmInterface, device: VmDevice, lines: Iterable[Irq]) -> VmInterface:
    """A VM without a device, and without its lines unless another device has them too."""
    rest = tuple(one for one in vm.devices if one is not device)
    kept = {line for one in rest for line in lines_of(board, one)}
    gone = {irq.line for irq in lines} - kept
    return vm.replace(devices=rest, irqs=tuple(irq for irq in vm.irqs if irq.line not in gone))


def taken(board: Board, vm: VmInterface, device: VmDevice, lines: Iterable[Irq]) -> VmInterface:
    """A VM with a device more. Only a device that is passed through may go by another name: halves of a split driver know each other by theirs."""
    names = {one.name for one in vm.devices}
    if device.name in names:
        if device.mode != "passthrough":
            refuse("what", device.name, f"a name that {vm.name} does not have yet", "rename one of them, in both halves")
        device = device.replace(name=next(name for n in range(2, 99) if (name := f"{device.name}-{n}") not in names))
    has = {irq.line for irq in vm.irqs}
    return vm.replace(devices=(*vm.devices, device), irqs=(*vm.irqs, *(irq for irq in lines if irq.line not in has)))


def hand_cpu(board: Board, cpu: int, source: str | None, target: str | None, leave: bool) -> Board:
    """A pCPU more in the affinity of one VM, and out of the other's."""
    if cpu >= board.cpus:
        refuse("what", f"pCPU {cpu}", f"pCPU 0 to {board.cpus - 1}", "name a pCPU of the board")
    everywhere = tuple(range(board.cpus))
    if source is not None and leave:
        giver = vm_of(board, source)
        rest = tuple(one for one in giver.cpus.affinity or everywhere if one != cpu)
        if not rest:
            refuse("what", f"pCPU {cpu}", f"a pCPU beside which {source} keeps one", "give it another first")
        board = board.with_vm(giver.replace(cpus=giver.cpus.replace(affinity=rest)))
    if target is not None:
        taker = vm_of(board, target)
        more = tuple(sorted({*(taker.cpus.affinity or everywhere), cpu}))
        board = board.with_vm(taker.replace(cpus=taker.cpus.replace(affinity=more)))
    return board
