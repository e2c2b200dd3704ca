"""From devices to plumbing, and to the tasks that devices bring into VMs (docs/io-model.md 1)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...errors import Problem, SpecError
from ..task import Step, Task
from ..task import run as run_step
from .plumbing import MOST_BATCH, MOST_STAGES, Path, Plumbing, Thread

if TYPE_CHECKING:
    from ..system import System


def plumbing_of(system: System) -> Plumbing:
    """Everything that the devices of a system are made of, in the order of the devices; checked."""
    parts = [device.plumb(system) for device in system.devices]
    threads = {thread.key: thread for part in parts for thread in part.threads}      # a thread or line that several devices name is one
    lines = {line.name: line for part in parts for line in part.lines}
    whole = Plumbing(tuple(threads.values()), tuple(lines.values()), tuple(path for part in parts for path in part.paths),
                     {name: size for part in parts for name, size in part.pools.items()},
                     {vm: upcall for part in parts for vm, upcall in part.upcalls.items()})
    problems = list(check(system, whole))
    if problems:
        raise SpecError(problems)
    return whole


def expanded(system: System) -> tuple[System, Plumbing]:
    """The system with the devices' tasks in its VMs, and the plumbing. Without devices: the system itself."""
    if not system.devices:
        return system, Plumbing()
    plumbing = plumbing_of(system)
    vms = tuple(vm.replace(tasks=(*vm.tasks, *device_tasks(vm.name, plumbing))) for vm in system.vms)
    return system.replace(vms=vms), plumbing


def device_tasks(vm: str, plumbing: Plumbing) -> Iterator[Task]:
    """Interrupt handlers of a VM, one for each vCPU that a port is bound to, then its threads (1.1)."""
    threads = {thread.key: thread for thread in plumbing.threads}
    bound = sorted({threads[stage.server].vcpu for _, _, stage in plumbing.ports() if threads[stage.server].vm == vm})
    for vcpu in bound:
        yield Task(f"irq{vcpu}", arrival="woken", vcpu=vcpu, actions=(Step(kind="scan"),))
    for thread in plumbing.threads:
        if thread.vm == vm:
            yield thread_task(thread)


def thread_task(thread: Thread) -> Task:
    """A thread as a task."""
    steps = ((run_step(thread.wake),) if thread.wake else ()) + (Step(kind="serve"),)
    when = {"arrival": "woken"} if thread.period is None else {"period": thread.period, "offset": thread.offset}
    return Task(thread.name, vcpu=thread.vcpu, priority=thread.priority, budget=thread.budget, server_period=thread.server_period,
                actions=steps, **when)


def is_kernel(task: Task) -> bool:
    """Is it more urgent than any task of the guest (1.2)?"""
    return task.of_device and task.priority is None and task.budget is None


def check(system: System, plumbing: Plumbing) -> Iterator[Problem]:
    """What does not fit together."""
    vms = {vm.name: vm for vm in system.vms}
    threads, lines = {thread.key: thread for thread in plumbing.threads}, {line.name for line in plumbing.lines}
    for thread in plumbing.threads:
        if thread.vm not in vms:
            yield Problem(f"devices: thread {thread.key}", thread.vm, ", ".join(vms) or "no VMs", "name a VM of the system", "")
        elif not 0 <= thread.vcpu < vms[thread.vm].vcpus:
            yield Problem(f"devices: thread {thread.key}", thread.vcpu, f"vCPUs 0 to {vms[thread.vm].vcpus - 1}", "name a vCPU of the VM", "")
        elif thread.name in {task.name for task in vms[thread.vm].tasks if not task.of_device}:
            yield Problem(f"devices: thread {thread.key}", thread.name, "a name that no task of the VM has", "rename the task or the device", "")
        if not 1 <= thread.batch <= MOST_BATCH:
            yield Problem(f"devices: thread {thread.key}.batch", thread.batch, f"1 to {MOST_BATCH}", "take fewer messages at a time", "")
    names = [path.name for path in plumbing.paths]
    for path in plumbing.paths:
        if names.count(path.name) > 1:
            yield Problem(f"devices: path {path.name}", path.name, "a name used once", "rename one of the devices", "")
        if path.frontend not in vms:
            yield Problem(f"devices: path {path.name}", path.frontend, ", ".join(vms) or "no VMs", "name a VM of the system as its front end", "")
        if not 1 <= len(path.stages) <= MOST_STAGES:
            yield Problem(f"devices: path {path.name}", len(path.stages), f"1 to {MOST_STAGES} stages", "leave some out", "")
        yield from check_stages(path, set(threads), lines, plumbing)
        if path.into is not None and not is_channel_task(system, path.into):
            yield Problem(f"devices: path {path.name}", path.into, "a task with arrival='channel', written vm/task",
                          "name the task that gets the messages", "")
    yield from check_submits(system, plumbing)


def check_stages(path: Path, threads: set[str], lines: set[str], plumbing: Plumbing) -> Iterator[Problem]:
    """Each stage needs a server that is there, and only threads can be told by a port."""
    for stage in path.stages:
        where = f"devices: path {path.name}, stage {stage.name}"
        if stage.server not in threads | lines:
            yield Problem(where, stage.server, ", ".join(sorted(threads | lines)) or "nothing",
                          "name a thread (vm/thread) or a line of the device", "")
        elif stage.server in lines and (stage.port or stage.distance is not None):
            yield Problem(where, stage.server, "a thread", "a line takes no interrupts: leave the port and the distance out", "")
    if path.pool is not None and path.pool not in plumbing.pools:
        yield Problem(f"devices: path {path.name}", path.pool, ", ".join(plumbing.pools) or "no pools", "name a pool of the device", "")


def is_channel_task(system: System, name: str) -> bool:
    """Is there such a task, waiting for messages?"""
    return any(f"{vm.name}/{task.name}" == name and task.arrival == "channel" for vm in system.vms for task in vm.tasks)


def check_submits(system: System, plumbing: Plumbing) -> Iterator[Problem]:
    """A submission must name a path that takes them, from the VM of its front end."""
    paths = {path.name: path for path in plumbing.paths}
    for vm in system.vms:
        for task in vm.tasks:
            for step in task.actions or ():
                if step.kind in ("submit", "request") and (step.target not in paths or paths[step.target].frontend != vm.name):
                    yield Problem(f"vms[{vm.name}].tasks[{task.name}].actions", step.target,
                                  ", ".join(name for name, path in paths.items() if path.frontend == vm.name) or "no paths of this VM's devices",
                                  "submit to a path whose front end is this VM", "")
