"""A transition as a system that can be simulated: VMs of both boards, the changes between them, and guests that do less, or more, in time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..schedulers import ARINC653
from ..system import VM, System, Task
from .derive import vm_of

if TYPE_CHECKING:
    from .transition import Transition

LATER = ".later"
"""Added to the name of a task whose deadline changes: its jobs from then on."""


def rehearsal(change: Transition, at: int, until: int, offsets: Mapping[str, int]) -> System:
    """The change asked for at an instant, to be simulated until another [ns]."""
    vms = []
    for vm in change.before.vms:
        made = moved(vm_of(vm), offsets)
        if vm.name in (*change.less, *change.more):
            switch = at if vm.name in change.less else at + change.delay + change.settles
            after = moved(vm_of(change.after[vm.name]), offsets)
            made = made.replace(tasks=switched(made.tasks, after.tasks, switch, until))
        vms.append(made)
    vms += [moved(vm_of(change.after[name]), offsets) for name in change.new]
    devices = {device.name: device for board in (change.before, change.after) for device in board.system().devices}
    return System(cpus=change.before.cpus, vms=vms, devices=list(devices.values()), changes=change.changes(at))


def schedule_of(change: Transition, at: int) -> Any:
    """The scheduler; with tables, the new one follows the old one."""
    if change.before.scheduler.name != "arinc653" or not change.before.vms:
        return change.after.made_scheduler()
    old, new = change.before.made_scheduler(), change.after.made_scheduler()
    return ARINC653(old.table, major_frame=old.major_frame, later=[(max(1, at + change.told), new)])


def moved(vm: VM, offsets: Mapping[str, int]) -> VM:
    """The VM with other offsets of its tasks."""
    return vm.replace(tasks=[task.replace(offset=offsets.get(f"{vm.name}/{task.name}", task.offset)) for task in vm.tasks])


def switched(old: tuple[Task, ...], new: tuple[Task, ...], at: int, until: int) -> list[Task]:
    """Tasks that are those of one mode up to an instant, and of another from then on. A hog goes on: nothing is promised to it."""
    later = {task.name: task for task in new}
    found = []
    for task in old:
        other = later.pop(task.name, None)
        if other == task or task.period is None:
            found.append(task)
            continue
        times = list(range(task.offset, min(at, until), task.period))
        then = [] if other is None else list(range(max(at, times[-1] + max(task.period, other.period)) if times else max(at, other.offset), until,
                                                   other.period))
        if other is None or other.deadline == task.deadline:
            found.append(listed(task, task.name, [*times, *then]))
        else:
            found += [listed(task, task.name, times), listed(other, task.name + LATER, then)]
    return found + [task if task.period is None else listed(task, task.name, list(range(at + task.offset, until, task.period)))
                    for task in later.values()]


def listed(task: Task, name: str, times: list[int]) -> Task:
    """The task with arrivals at such times."""
    return Task(**(dict(task) | {"name": name, "period": None, "arrival": "periodic", "jitter": 0, "offset": 0, "releases": times,
                                 "deadline": task.deadline}))
