"""How long each step of a transition takes, and what stands against one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from math import ceil

from ..analysis import admit
from ..analysis.admission import Admission
from ..analysis.admission.admit import saved_up
from ..analysis.admission.host import Host, Vcpu
from ..analysis.admission.judging import judge
from ..analysis.admission.sections import trapping_of
from ..analysis.overheads import Overheads
from ..analysis.supply import BoundedDelay, DeferrableServer, Supply
from ..analysis.tasksets import largest_demand
from ..system import Task
from ..units import format_ns
from .board import Board
from .check_contracts import traps_of
from .contract import AnyContract, Reservation, Slots
from .interface import VmInterface

BUDGETED = ("rtds",)
STEPS = 10_000                 # of a fixed point
LONGEST_BUSY = 60_000_000_000  # beyond that a guest counts as never idle [ns]
BACKGROUND = ("fp", "dm", "edf")
"""Guests in which work without a deadline or priority comes last."""


@dataclass
class Settling:
    """The waits of a transition [ns]."""

    told: int = 0
    expires: int = 0
    window: int = 0
    settles: int = 0
    hindrances: list[str] = field(default_factory=list)


def cautious(board: Board, late: Collection[str] | None = None) -> Admission:
    """The board's verdict if VMs of some names, or all, may have saved a budget up: nothing is concluded from their never sleeping."""
    system = board.system()
    names = [vm.name for vm in system.vms] if late is None else late
    return admit(saved_up(system, names), board.made_scheduler(), traps=traps_of(board))


def settle(before: Board, after: Board, gone: Sequence[str], less: Sequence[str], more: Sequence[str], came: Sequence[str]) -> Settling:
    """What has to be waited for, if VMs change so."""
    found, waits = Settling(), bool(gone or less or more)
    old = cautious(before) if before.vms else None
    new = cautious(after, None if waits else came) if after.vms else None
    broken = [name for name in (new.late if new else ()) if old is None or name not in old.late]
    if broken:
        found.hindrances.append(f"{', '.join(broken)} may miss, counted without what VMs that never sleep leave to others")
    if not waits or old is None or new is None or before.scheduler.name == "null":
        return found
    found.hindrances += hindrances(before, after, less, more)
    section = max((vm.contract.section for board in (before, after) for vm in board.vms), default=0)
    if not found.hindrances:
        for name in less:
            shrink(found, before[name], after[name], old, new, after, section)
        for name in more:
            grow(found, before[name], after[name], old, new, after, section)
        if (came or more) and before.scheduler.name in BUDGETED:
            stay = [vm.name for vm in after.vms if vm.name not in came]
            found.window = max((period_of(board[name].contract) for board in (before, after) for name in stay), default=0)
        if any(before[name].contract != after[name].contract for name in less):
            found.expires = max(period_of(before[name].contract) for name in less if before[name].contract != after[name].contract)
    return found


def hindrances(before: Board, after: Board, less: Sequence[str], more: Sequence[str]) -> Iterable[str]:
    """What the argument does not cover."""
    scheduler = before.scheduler.name
    if scheduler not in (*BUDGETED, "arinc653"):
        yield f"no argument is made for {scheduler}"
    elif scheduler == "rtds" and before.made_scheduler().xen == "4.5":
        yield "no argument is made for Xen 4.5's RTDS, which replenishes by the quantum"
    if (less or more) and (before.system().devices or after.system().devices):
        yield "traffic of devices is described, whose rates depend on the responses of several VMs"
    if any(isinstance(vm.contract, Reservation) and vm.contract.extratime for board in (before, after) for vm in board.vms):
        yield "somebody may use extratime, and is not told of its replenishment (docs/xen-rules.md 6.2.15)"
    for name in (*less, *more):
        old, new = (before[name], after[name]) if name in less else (after[name], before[name])
        if old.cpus != new.cpus or old.guest != new.guest:
            yield f"{name} changes its pCPUs, or its guest's scheduler"
        if not promised_less(old.contract, new.contract):
            yield f"the contracts of {name} are not one a lower budget, or a longer period, of the other"
        if any(not lighter(task, new.tasks) for task in old.tasks):
            yield f"the tasks of {name} differ in more than longer periods, or some left out"


def promised_less(old: AnyContract, new: AnyContract) -> bool:
    """True if whoever has the new contract uses, in each window, no more than with the old one."""
    if isinstance(old, Reservation) and isinstance(new, Reservation):
        return new.budget <= old.budget and new.period >= old.period and new.extratime == old.extratime
    return old == new or (isinstance(old, Slots) and isinstance(new, Slots) and old.frame == new.frame)


def lighter(task: Task, others: Sequence[Task]) -> bool:
    """True if a task is left out, or comes less often and is the same otherwise."""
    other = next((one for one in others if one.name == task.name), None)
    if other is None or other == task:
        return True
    same = task.replace(period=other.period, deadline=other.deadline) == other
    return same and task.period is not None and other.period >= task.period and (other.deadline or 0) >= (task.deadline or 0)


def period_of(contract: AnyContract) -> int:
    """When a contract's budget comes again at the latest [ns]."""
    return contract.period if isinstance(contract, Reservation) else contract.frame if isinstance(contract, Slots) else 0


def shrink(found: Settling, old_vm: VmInterface, new_vm: VmInterface, old: Admission, new: Admission, after: Board, section: int) -> None:
    """A VM that gets less: how long its guest needs, and whether it meets its deadlines across the change."""
    if old_vm.tasks != new_vm.tasks and old_vm.contract != new_vm.contract:
        wait_until_idle(found, "told", old_vm, old, section)
    if old_vm.contract != new_vm.contract:
        across(found, new_vm, old, new, after)


def grow(found: Settling, old_vm: VmInterface, new_vm: VmInterface, old: Admission, new: Admission, after: Board, section: int) -> None:
    """A VM that gets more: when its guest may do more."""
    if old_vm.tasks != new_vm.tasks:
        wait_until_idle(found, "settles", old_vm, old, section)
        found.settles += period_of(old_vm.contract)
    if old_vm.contract != new_vm.contract:
        across(found, old_vm, old, new, after)


def wait_until_idle(found: Settling, step: str, vm: VmInterface, verdict: Admission, section: int) -> None:
    """Wait until a guest has been without work once, on what its VM has had so far."""
    for vcpu, promise in zip(verdict.vcpus, verdict.promises):
        if vcpu.vm.name == vm.name:
            length = None if promise.supply is None or vcpu.roams else busiest(vcpu.tasks, promise.supply, vm.guest, section)
            if length is None:
                found.hindrances.append(f"there is no bound on how long the guest of {vm.name} may be busy")
            else:
                setattr(found, step, max(getattr(found, step), length))


def busiest(tasks: Sequence[Task], supply: Supply, guest: str, section: int = 0) -> int | None:
    """Longest time for which a guest may have work, hogs and the like aside [ns]; None if there is no bound."""
    rows = []
    for task in tasks:
        cost = largest_demand(task)
        if cost is None or task.period is None or task.arrival not in ("periodic", "sporadic"):
            if task.deadline is not None or task.priority is not None or guest not in BACKGROUND:
                return None
            continue
        rows.append((cost, task.period, task.jitter if task.arrival == "periodic" else 0))
    if not rows:
        return 0
    w = 1
    for _ in range(STEPS):
        longer = supply.inverse(section + sum(-(-(w + jitter) // period) * cost for cost, period, jitter in rows))
        if longer is None or longer > LONGEST_BUSY:
            return None
        if longer <= w:
            return w
        w = longer
    return None


def across(found: Settling, vm: VmInterface, old: Admission, new: Admission, board: Board) -> None:
    """Judge a VM's smaller workload on what it surely gets while one contract follows the other."""
    host, promises = host_of(board, new), list(new.promises)
    mine: list[Vcpu] = [vcpu for vcpu in new.vcpus if vcpu.vm.name == vm.name]
    tasks = {task.name: task for task in vm.tasks}
    for vcpu in mine:
        before, after = old.supplies[vcpu.name], new.supplies[vcpu.name]
        if before is None or after is None:
            found.hindrances.append(f"{vcpu.name} is promised nothing")
            return
        supply = both(before, after)
        promises[vcpu.index] = replace(promises[vcpu.index], supply=supply)
        first = supply.inverse(1)
        if vm.contract.wakeup is not None and (first is None or first - 1 > vm.contract.wakeup):
            found.hindrances.append(f"{vcpu.name} may wait longer than {format_ns(vm.contract.wakeup)} for its pCPU when its contract changes")
    for vcpu in mine:
        less = replace(vcpu, tasks=tuple(tasks[task.name] for task in vcpu.tasks if task.name in tasks))
        for name, bound in judge(host, less, promises, {}).bounds.items():
            due = tasks[name].deadline
            if due is not None and (bound is None or bound > due):
                found.hindrances.append(f"{vm.name}/{name} may miss its deadline when the contract of {vm.name} changes")


def both(old: Supply, new: Supply) -> Supply:
    """What two supplies give if one follows the other at an end of its period: in the periods of one budget, or as two straight lines."""
    if isinstance(old, DeferrableServer) and isinstance(new, DeferrableServer) and old.period == new.period:
        return DeferrableServer(new.period, min(old.budget, new.budget), max(old.response or 0, new.response or 0))
    if old == new:
        return new
    return BoundedDelay(min(old.rate, new.rate), ceil(old.delay + new.delay))


def host_of(board: Board, verdict: Admission) -> Host:
    """The host that a verdict on a board was made on."""
    given = Overheads.of(verdict.system.costs)
    found = trapping_of(verdict.system, traps_of(board), given.section)
    return Host(verdict.system, verdict.scheduler, replace(given, section=max((own.section for own in found.values()), default=0)), found)
