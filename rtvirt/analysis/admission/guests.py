"""From what a vCPU gets to when its tasks are done: the guest's schedulability test on the vCPU's supply."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...system import Task
from ..edf import edf_response_times, edf_schedulable, fifo_response_times
from ..fixed_priority import fp_response_times, fp_schedulable
from ..overheads import Overheads
from ..supply import Supply
from ..tasksets import largest_demand
from ..verdict import Endless, Overload, Verdict
from .charges import inflated
from .host import Vcpu


@dataclass(frozen=True)
class Late:
    """A task whose bound is beyond its deadline, where no test has a closer witness."""

    task: str
    deadline: int
    bound: int

    def why(self) -> str:
        """In words."""
        from ...units import format_ns

        return f"{self.task!r} may take {format_ns(self.bound)}, its deadline is {format_ns(self.deadline)}"


@dataclass(frozen=True)
class Unknown:
    """No test covers what the guest does."""

    reason: str

    def why(self) -> str:
        """In words."""
        return self.reason


@dataclass(frozen=True)
class Outcome:
    """Bounds of the tasks of one vCPU by name [ns], and why some are too late: a witness, if any is."""

    bounds: dict[str, int | None]
    test: str
    witness: Any = None
    details: dict[str, Any] = field(default_factory=dict)


def outcome(vcpu: Vcpu, supply: Supply, overheads: Overheads, blocking: Mapping[str, int]) -> Outcome:
    """The guest's own test on its supply, which interrupts have been taken from already."""
    tasks = [inflated(task, vcpu.vm.guest, vcpu.vm.quantum, overheads) for task in vcpu.tasks]
    if vcpu.vm.guest in ("rr", "fifo") and (vcpu.suspends or vcpu.has_step("yield")):
        return refused(tasks, f"guest {vcpu.vm.guest!r}: a script that blocks or yields queues anew each time; no bound is derived for that")
    if vcpu.vm.guest == "fp":
        return judged(tasks, fp_schedulable(tasks, supply, blocking=blocking or None),
                      fp_response_times(tasks, supply, blocking=blocking or None))
    if vcpu.vm.guest == "edf":
        verdict = edf_schedulable(tasks, supply, blocking=blocking or None)
        if blocking:
            return judged(tasks, verdict, {task.name: task.deadline if verdict else None for task in tasks})
        return judged(tasks, verdict, edf_response_times(tasks, supply))
    if vcpu.vm.guest == "fifo":
        bounds = fifo_response_times(tasks, supply)
        return Outcome(bounds, "first come, first served", late(tasks, bounds, supply))
    if vcpu.vm.guest == "rr":
        return in_turns(vcpu, tasks, supply, overheads)
    return refused(tasks, f"no test is known here for a guest that schedules by {vcpu.vm.guest!r}")


def judged(tasks: list[Task], verdict: Verdict, bounds: dict[str, int | None]) -> Outcome:
    """A verdict, and the bounds beside it."""
    return Outcome(bounds, verdict.test, verdict.witness)


def refused(tasks: list[Task], reason: str) -> Outcome:
    """No bounds."""
    due = any(task.deadline is not None for task in tasks)
    return Outcome(dict.fromkeys(task.name for task in tasks), "none", Unknown(reason) if due else None)


def late(tasks: list[Task], bounds: dict[str, int | None], supply: Supply) -> Any:
    """The witness of the first task that is late, if any is."""
    from ..tasksets import taskset

    asked = taskset(tasks)
    for task in tasks:
        bound = bounds[task.name]
        if task.deadline is None or (bound is not None and bound <= task.deadline):
            continue
        if bound is not None:
            return Late(task.name, task.deadline, bound)
        endless = [name for name, known in zip(asked.names, asked.bounded) if not known]
        return Endless(endless[0]) if endless else Overload(asked.utilization(), supply.rate, asked.names)
    return None


def in_turns(vcpu: Vcpu, tasks: list[Task], supply: Supply, overheads: Overheads) -> Outcome:
    """A round-robin guest: each turn of a job waits for a turn of every other task, so a job counts as if it were alone and so much longer."""
    turn = vcpu.vm.quantum
    bounds: dict[str, int | None] = {}
    for task in tasks:
        own = largest_demand(task)
        if own is None:
            bounds[task.name] = None
            continue
        turns = -(-own // turn) + 1 if overheads.guest_switch else -(-own // turn)      # what a switch costs may need another turn
        longer = own + turns * (len(tasks) - 1) * (turn + 2 * overheads.guest_switch)
        alone = task.replace(wcet=longer, actions=None)
        bounds |= fp_response_times([alone], supply)
    return Outcome(bounds, "turns of a round-robin guest", late(tasks, bounds, supply))
