"""The system as its scheduler may see it: every load of a device is tasks that come as often as its messages may.

Schedulers' promises look at tasks for three things: what more important VMs may use, how often vCPUs wake up and what that costs, and who never
sleeps. A message's load comes as one task for each stair of its curve, whatever VM it is in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ...system import VM, System, Task
from ...units import LONGEST, ms
from ..admission.sections import Trapping
from ..limits import NEVER
from .members import House, State


def lowered(house: House, state: State, blocking: Mapping[str, int]) -> System:
    """The system without devices."""
    vms = [lower(house, vm, state, blocking) if house.touched(vm) else vm for vm in house.system.vms]
    return house.system.replace(vms=tuple(vms), devices=(), faults=())


def lower(house: House, vm: VM, state: State, blocking: Mapping[str, int]) -> VM:
    """A VM whose devices are tasks."""
    tasks, taken = [], {task.name for task in vm.tasks}
    for task in vm.tasks:
        if task.name not in house.into(vm):
            plain = house.plain(task, state)
            tasks.append(Task(task.name, wcet=ms(1), period=ms(1), arrival="poisson", vcpu=task.vcpu) if plain is None else
                         plain.replace(priority=None))
    for vcpu in range(vm.vcpus):
        kernel, guest = house.members(vm, vcpu, state, blocking)
        others = [member for one in guest or () for member in one.singly if any(part.key[1] >= 0 for part in member.parts) or member.more]
        for load in (load for member in (*kernel, *others) for load in member.loads):
            for cost, period, jitter in load.rows:
                name = next(name for n in range(1, 10**9) if (name := load.name[:50] + (f"-{n}" if n > 1 else "")) not in taken)
                taken.add(name)
                tasks.append(task_of(name, cost, period, jitter, vcpu, flood=load.curve is None))
    return vm.replace(tasks=tuple(tasks))


def task_of(name: str, cost: int, period: int, jitter: int, vcpu: int, *, flood: bool) -> Task:
    """Work that comes with messages, as a task: it has the name of their path, which reasons may give."""
    common: dict[str, Any] = {"wcet": cost, "vcpu": vcpu, "deadline": LONGEST}
    if flood:
        return Task(name, period=ms(1), arrival="poisson", **common)
    return Task(name, releases=(0,), **common) if period >= NEVER else Task(name, period=period, jitter=jitter, **common)


def interposed(house: House, own: Trapping) -> Trapping:
    """What the hypervisor does in a VM's time: its traps, and interrupts of others, no closer than their distance (Beckert et al. 2014)."""
    rows = [(2 * stage.switch + stage.each, max(1, stage.distance), 1) for _, _, stage in house.plumbing.stages()
            if stage.distance is not None and stage.server in house.threads]
    return replace(own, rows=(*own.rows, *(row for row in rows if row[0])))
