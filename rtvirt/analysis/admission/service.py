"""A service level: what is asked for, before anybody has a budget."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

from ...errors import Problem, SpecError
from ...system import VM, System, Task
from ...units import LONGEST, format_ns
from .admit import check as check_system
from .outcome import Admission
from .registry import by_budget


@dataclass(frozen=True)
class Service:
    """Deadlines of a system, bounds that are tighter than deadlines, and least shares.

    Attributes
    ----------
    bounds : {"vm/task": int} [ns]
        Longest response times asked for, where not just the deadline.
    shares : {"vm": Fraction}
        Least share of a pCPU.
    """

    system: System
    scheduler: Any
    bounds: Mapping[str, int]
    shares: Mapping[str, Fraction]

    @cached_property
    def due(self) -> dict[str, int]:
        """{"vm/task": longest response asked for} [ns]."""
        asked = {f"{vm.name}/{task.name}": self.bounds.get(f"{vm.name}/{task.name}", task.deadline) for vm in self.system.vms for task in vm.tasks}
        return {name: time for name, time in asked.items() if time is not None}

    def tasks_of(self, vm: VM) -> list[Task]:
        """The tasks of a VM that must be done in time, each with a deadline."""
        return [task if task.deadline is not None else task.replace(deadline=self.due[name])
                for task in vm.tasks if (name := f"{vm.name}/{task.name}") in self.due]

    def asks(self, vm: VM) -> bool:
        """True if anything is asked for a VM."""
        return vm.name in self.shares or bool(self.tasks_of(vm))

    def lacks(self, verdict: Admission) -> dict[str, str]:
        """What an admission does not promise of what is asked for, by "vm/task" or "vm", in words."""
        found = {}
        for name, time in self.due.items():
            if (bound := verdict.bounds[name]) is None or bound > time:
                found[name] = "no bound" if bound is None else f"done within {format_ns(bound)}, asked for {format_ns(time)}"
        for name, share in self.shares.items():
            if (supply := verdict.supplies[f"{name}/0"]) is None or supply.rate < share:
                found[name] = f"sure of {0 if supply is None else float(supply.rate):.4g} of a pCPU, asked for {float(share):.4g}"
        return found

    def with_task(self, vm: VM, task: Task, **fields: Any) -> Service:
        """The same with a task changed."""
        tasks = tuple(one.replace(**fields) if one is task else one for one in vm.tasks)
        return replace(self, system=self.system.with_vm(vm.replace(tasks=tasks)))

    def without(self, names: Collection[str]) -> Service:
        """The same without some tasks ("vm/task") and shares ("vm")."""
        vms = tuple(vm.replace(tasks=tuple(task for task in vm.tasks if f"{vm.name}/{task.name}" not in names)) for vm in self.system.vms)
        return Service(self.system.replace(vms=vms), self.scheduler, less(self.bounds, names), less(self.shares, names))

    def without_vm(self, vm: VM) -> Service:
        """The same without a VM."""
        names = {vm.name, *(f"{vm.name}/{task.name}" for task in vm.tasks)}
        vms = tuple(other for other in self.system.vms if other.name != vm.name)
        changes = tuple(change for change in self.system.changes if change.vm != vm.name)
        return Service(self.system.replace(vms=vms, changes=changes), self.scheduler, less(self.bounds, names), less(self.shares, names))


def less(asked: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """A mapping without some of its keys."""
    return {name: value for name, value in asked.items() if name not in names}


def service_of(system: System, scheduler: Any, bounds: Mapping[str, int], shares: Mapping[str, Any]) -> Service:
    """A service level that makes sense; SpecError with all that does not."""
    check_system(system, None)
    if not by_budget(scheduler):
        raise SpecError([Problem("scheduler", scheduler, "a scheduler of budgets: RTDS, SEDF, CBS, or one of the servers",
                                 "choose one of these; to judge others use admit", "")])
    wrong = [*bound_problems(system, bounds), *share_problems(system, shares)]
    if wrong:
        raise SpecError(wrong)
    asked = Service(system, scheduler, dict(bounds), {name: exact(share) for name, share in shares.items()})
    wrong = [Problem(f"vms[{vm.name}].vcpus", vm.vcpus, "1", "provision one VM a vCPU", "") for vm in system.vms if vm.vcpus > 1]
    wrong += [Problem(f"vms[{vm.name}].guest", vm.guest, "fp or edf", "other guests have no test of their smallest budget", "")
              for vm in system.vms if asked.tasks_of(vm) and vm.guest not in ("fp", "edf")]
    if wrong:
        raise SpecError(wrong)
    return asked


def bound_problems(system: System, bounds: Mapping[str, int]) -> list[Problem]:
    """Bounds for tasks there are, that tell something new."""
    tasks = {f"{vm.name}/{task.name}": task for vm in system.vms for task in vm.tasks if not task.is_hog}
    found = []
    for name, time in bounds.items():
        if name not in tasks:
            found.append(Problem(f"bounds[{name}]", name, ", ".join(tasks) or "no task that ever ends", "write it vm/task", ""))
            continue
        most = tasks[name].deadline or LONGEST
        if not isinstance(time, int) or isinstance(time, bool) or not 1 <= time <= most:
            found.append(Problem(f"bounds[{name}]", time, f"1 to {most} [ns]", "ask for no more than the deadline, or remove the bound", ""))
    return found


def share_problems(system: System, shares: Mapping[str, Any]) -> list[Problem]:
    """Shares of one pCPU, for VMs there are."""
    names = [vm.name for vm in system.vms]
    found = [Problem(f"shares[{name}]", name, ", ".join(names) or "no VMs", "name a VM of the system", "") for name in shares if name not in names]
    return found + [Problem(f"shares[{name}]", share, "above 0, up to 1 (of a pCPU)", "write for example 0.25, or Fraction(1, 4)", "")
                    for name, share in shares.items() if name in names and not 0 < exact(share) <= 1]


def exact(share: Any) -> Fraction:
    """A share as a fraction, a float by its shortest decimal form; 0 for what is none."""
    try:
        return Fraction(0) if isinstance(share, (bool, str)) else share if isinstance(share, Fraction) else Fraction(str(share))
    except ValueError:
        return Fraction(0)
