"""From a board to what can be simulated and admitted: a `System`, and the scheduler."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import Problem, SpecError
from ..schedulers import ARINC653
from ..system import VM, EmulatedDevice, PassThrough, SplitDriver, System
from ..system.devices import Device
from .contract import AnyContract, Rank, Reservation, Share, Slots
from .interface import VmDevice, VmInterface

if TYPE_CHECKING:
    from .board import Board


def system_of(board: Board) -> System:
    """The VMs with their contracts, and devices whose traffic is described."""
    vms = [vm_of(vm) for vm in board.vms]
    devices = [made for vm in board.vms for device in vm.devices if (made := device_of(board, vm, device)) is not None]
    return System(cpus=board.cpus, vms=vms, devices=devices)


def vm_of(vm: VmInterface) -> VM:
    """A VM as the engine knows it."""
    drives = any(device.mode == "split-backend" for device in vm.devices)
    affinity = {} if vm.cpus.affinity is None else {"affinity": vm.cpus.affinity}
    return VM(vm.name, tasks=vm.tasks, vcpus=vm.cpus.count, guest=vm.guest, control=drives, **affinity, **terms(vm.contract))


def terms(contract: AnyContract) -> dict[str, Any]:
    """A contract as fields of `rv.VM`."""
    if isinstance(contract, Share):
        return {"weight": contract.weight, "cap": contract.cap}
    if isinstance(contract, Reservation):
        sedf = {"period": contract.period, "slice": contract.budget, "extratime": contract.extratime}
        return {"budget": contract.budget, "period": contract.period, "priority": contract.priority, "extratime": contract.extratime, "sedf": sedf}
    return {"priority": contract.priority} if isinstance(contract, Rank) else {}


def device_of(board: Board, vm: VmInterface, device: VmDevice) -> Device | None:
    """A device as the engine knows it; None without traffic, or for a back end, which belongs to its front end."""
    if device.rx is None or device.mode == "split-backend":
        return None
    name = f"{vm.name}.{device.name}"
    if device.mode == "passthrough":
        real = board.device(device.device)
        lines = device.irqs or (real.irqs if real else ())                # the real ones unless others are given
        routes = {irq.route for irq in vm.irqs if irq.line in lines}
        return PassThrough(name, frontend=vm.name, injection="direct" if routes == {"direct"} else "trapped", rx=device.rx, into=device.into)
    if device.mode == "virtual":
        return EmulatedDevice(name, frontend=vm.name, rx=device.rx, into=device.into)
    return SplitDriver(name, driver=device.backend, frontend=vm.name, rx=device.rx, into=device.into)


def scheduler_of(board: Board) -> Any:
    """The scheduler; the table of ARINC 653 is made of the VMs' slots, by their starts."""
    return board.scheduler.made() if board.scheduler.name != "arinc653" else table_of(board)


def table_of(board: Board) -> ARINC653:
    """One table for the pool: as Xen's, it has one pCPU."""
    own = [(slot.start, vm.name, slot.length, vm.contract.frame) for vm in board.vms if isinstance(vm.contract, Slots) for slot in vm.contract.slots]
    if not own:
        raise SpecError([Problem("scheduler", "arinc653", "slots of at least one VM", "give some VM a contract of kind slots")])
    if len({frame for *_, frame in own}) > 1:
        raise SpecError([Problem("scheduler", "arinc653", "one frame for all", "give all contracts the same frame")])
    table: list[tuple[str | None, int, int]] = []
    now = 0
    for start, name, length, _ in sorted(own):
        if start < now:
            raise SpecError([Problem(f"vms[{name}].contract.slots", start, f"not before {now}, when the slot before it ends", "move it")])
        table += [(None, 0, start - now)] if start > now else []
        table.append((name, 0, length))
        now = start + length
    return ARINC653(table, major_frame=own[0][3])
