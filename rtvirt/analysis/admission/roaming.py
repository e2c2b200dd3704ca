"""Guests that move their tasks between vCPUs: global tests, where each vCPU has a pCPU to itself.

On budgets the test for multiprocessor periodic resources (`mpr_schedulable`) would seem to be the one: it adds the budgets up. But it takes for
granted that a job goes wherever there is supply. Here, as in a real guest, a vCPU without a task has blocked, and it is woken by the release of a
task, not because another vCPU has used up its budget: the task on that one waits, beside a budget that nobody uses (`unused_budget`).
"""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import SpecError
from ...schedulers import RTDS
from ...system import VM, System, Task
from ...units import ms
from ..multicore import global_edf_response_times, global_edf_schedulable, global_fp_response_times, global_fp_schedulable
from ..supply import Dedicated
from .guests import Outcome, refused
from .host import Promise

PIN = "pin its tasks (Task(vcpu=...))"


def roaming(vm: VM, promises: Sequence[Promise]) -> Outcome:
    """Bounds of the tasks of a VM over all its vCPUs; none unless these are as good as pCPUs."""
    tasks = list(vm.tasks)
    short = next((promise for promise in promises if not isinstance(promise.supply, Dedicated)), None)
    if short is not None:
        reason = short.reason if short.supply is None else (f"{vm.name}'s vCPUs are not always there, and what one has left does "
                                                                  "not help a task on another (rtvirt.analysis.admission.roaming.unused_budget)")
        return refused(tasks, f"{vm.name} moves its tasks between {vm.vcpus} vCPUs: {reason}; or {PIN}")
    if vm.guest not in ("fp", "dm", "edf"):
        return refused(tasks, f"{vm.name} moves its tasks between {vm.vcpus} vCPUs, and no test is known for a guest {vm.guest!r} that does: {PIN}")
    if vm.guest == "dm":
        tasks = [task.replace(priority=None) for task in tasks]
    try:
        if vm.guest != "edf":
            verdict = global_fp_schedulable(tasks, vm.vcpus)
            return Outcome(global_fp_response_times(tasks, vm.vcpus), verdict.test, verdict.witness)
        return by_deadlines(tasks, vm.vcpus)
    except SpecError as reason:
        return refused(tasks, f"{vm.name} moves its tasks between {vm.vcpus} vCPUs: {reason}")


def by_deadlines(tasks: list[Task], cpus: int) -> Outcome:
    """An EDF guest: whichever test admits, bounds are responses where those are found, and else the deadlines."""
    verdict = global_edf_schedulable(tasks, cpus)
    if not verdict:
        return Outcome(dict.fromkeys((task.name for task in tasks), None), verdict.test, verdict.witness)
    bounds: dict[str, int | None] = {task.name: task.deadline for task in tasks}
    if all(task.deadline is None or task.period is None or task.deadline <= task.period for task in tasks):
        found = verdict.bounds if verdict.test.endswith("limited carry-in") else global_edf_response_times(tasks, cpus)
        bounds |= {name: bound for name, bound in found.items() if bound is not None}
    return Outcome(bounds, verdict.test, verdict.witness)


def unused_budget() -> tuple[System, RTDS]:
    """A task of 3 ms alone on two vCPUs of 2 ms in 10: nobody wakes the second, and the task waits for the first one's next period.

    Examples
    --------
    >>> import rtvirt as rv
    >>> system, scheduler = unused_budget()
    >>> rv.simulate(system, scheduler, duration=ms(20)).slices[["vcpu", "start", "end"]].values.tolist()
    [[0, 0, 2000000], [0, 10000000, 11000000]]
    """
    return System(cpus=2, vms=[VM("g", tasks=[Task("t", wcet=ms(3), period=ms(20), deadline=ms(10))], vcpus=2, budget=ms(2), period=ms(10),
                                  guest="edf")]), RTDS()
