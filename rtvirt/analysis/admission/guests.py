"""From what a vCPU gets to when its tasks are done: the guest's schedulability test on the vCPU's supply."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...system import Task
from ...units import format_ns
from ..edf import edf_response_times, edf_schedulable, fifo_response_times
from ..fixed_priority import fp_response_times, fp_schedulable
from ..overheads import Overheads
from ..supply import Supply
from ..tasksets import largest_demand, taskset
from ..verdict import Endless, Overload
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
    """Bounds of the tasks of one vCPU by name [ns], and why some are too late: a witness, if any is.

    `tasks` are as the test saw them, overheads included; `held` is how long each may be blocked; `turns` are what a round-robin guest's jobs are made
    of: the quantum, the time that a turn takes, and each task's own work.
    """

    bounds: dict[str, int | None]
    test: str
    witness: Any = None
    tasks: tuple[Task, ...] = ()
    held: dict[str, int] = field(default_factory=dict)
    turns: tuple[int, int, dict[str, int]] | None = None


def outcome(vcpu: Vcpu, supply: Supply, overheads: Overheads, blocking: Mapping[str, int]) -> Outcome:
    """The guest's own test on its supply, which interrupts have been taken from already."""
    guest, held = vcpu.vm.guest, dict(blocking)
    tasks = [inflated(task, guest, vcpu.vm.quantum, overheads) for task in vcpu.tasks]
    if guest in ("rr", "fifo") and (vcpu.suspends or vcpu.has_step("yield")):
        return refused(tasks, f"guest {guest!r}: a script that blocks or yields queues anew each time; no bound is derived for that")
    if guest in ("rr", "fifo") and held:
        return refused(tasks, f"guest {guest!r}: no bound is derived for tasks that block each other")
    if guest == "cbs" and any(task.budget is not None for task in tasks):
        return refused(tasks, "guest 'cbs': no bound is derived beside tasks that have a server of their own")
    if guest == "dm":                                  # whatever priorities say
        tasks = [task.replace(priority=None) for task in tasks]
    if guest in ("fp", "dm"):
        verdict = fp_schedulable(tasks, supply, blocking=held or None)
        return Outcome(verdict.bounds, verdict.test, verdict.witness, tuple(tasks), held)
    if guest in ("edf", "cbs"):
        due = [task for task in tasks if task.deadline is not None]
        if supply.has_less() and taskset(due).utilization() == supply.rate:
            return refused(tasks, f"guest {guest!r}: the tasks need {float(supply.rate):.4g} of a pCPU in the long run, and that is exactly what the "
                           "supply brings; no window is known after which all would repeat. Give it a little more")
        verdict = edf_schedulable(tasks, supply, blocking=held or None)
        bounds = edf_response_times(tasks, supply) if not held else {task.name: task.deadline if verdict else None for task in tasks}
        return Outcome(bounds, verdict.test, verdict.witness, tuple(tasks), held)
    if guest == "fifo":
        bounds = fifo_response_times(tasks, supply)
        return Outcome(bounds, "first come, first served", late(tasks, bounds, supply), tuple(tasks))
    if guest == "rr":
        return in_turns(vcpu, tasks, supply, overheads)
    return refused(tasks, f"no test is known here for a guest that schedules by {guest!r}")


def refused(tasks: list[Task], reason: str) -> Outcome:
    """No bounds."""
    due = any(task.deadline is not None for task in tasks)
    return Outcome(dict.fromkeys(task.name for task in tasks), "none", Unknown(reason) if due else None)


def late(tasks: list[Task], bounds: dict[str, int | None], supply: Supply) -> Any:
    """The witness of the first task that is late, if any is."""
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
    quantum = vcpu.vm.quantum
    turn, others = quantum + 2 * overheads.guest_switch + overheads.section, len(tasks) - 1
    work = {task.name: own for task in tasks if (own := largest_demand(task)) is not None}
    longer = {name: own + -(-own // quantum) * others * turn for name, own in work.items()}
    alone = [task.replace(wcet=longer[task.name], actions=None) if task.name in longer else task for task in tasks]
    bounds: dict[str, int | None] = {}
    for task in alone:
        bounds |= fp_response_times([task], supply)
    witness = late(tasks, bounds, supply)
    if isinstance(witness, Overload) and witness.utilization <= witness.rate:          # no overload: too long turns
        name = next(task.name for task in tasks if task.deadline is not None and bounds[task.name] is None)
        witness = Unknown(f"guest 'rr': {name!r} needs {format_ns(work[name])}, and before each of its turns {others} others may take one of "
                          f"{format_ns(turn)}: it may fall behind for good. Shorten the quantum (VM(quantum=...)), or take another guest")
    return Outcome(bounds, "turns of a round-robin guest", witness, tuple(alone), {}, (quantum, turn, work))
