"""The tasks that devices bring into VMs (docs/io-model.md 1)."""

from __future__ import annotations

from collections.abc import Iterator

from ..task import Step, Task
from ..task import run as run_step
from .plumbing import Plumbing, Thread


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
