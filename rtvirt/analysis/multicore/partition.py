"""Partitioned scheduling: each task stays on one pCPU, and each pCPU is proved by the exact tests for one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from ...errors import Problem, SpecError
from ...system import VM, Task
from ..edf import edf_schedulable
from ..fixed_priority import fp_schedulable
from ..limits import NEVER
from ..supply import Dedicated, Supply
from ..tasksets import TaskSet, check_tasks, given_tasks, taskset
from .rows import check_cpus

Heuristic = Literal["first-fit", "best-fit", "worst-fit", "next-fit"]
Order = Literal["decreasing utilization", "decreasing density", "increasing period", "increasing deadline", "given"]

CHOICES: dict[str, Callable[[Sequence[Fraction], int], list[int]]] = {
    "first-fit": lambda loads, last: list(range(len(loads))),
    "best-fit": lambda loads, last: sorted(range(len(loads)), key=lambda p: (-loads[p], p)),
    "worst-fit": lambda loads, last: sorted(range(len(loads)), key=lambda p: (loads[p], p)),
    "next-fit": lambda loads, last: list(range(last, len(loads))),
}

ORDERS: dict[str, Callable[[TaskSet], Fraction | int]] = {        # of a set of one task
    "decreasing utilization": lambda one: -one.utilization(),
    "decreasing density": lambda one: -Fraction(int(one.cost[0]), min(int(one.deadline[0]), shortest(one))),
    "increasing period": lambda one: shortest(one),
    "increasing deadline": lambda one: int(one.deadline[0]),
    "given": lambda one: 0,
}


def shortest(one: TaskSet) -> int:
    """Its period [ns], NEVER if it has none."""
    return int(one.stair_period.min(initial=NEVER))


@dataclass(frozen=True)
class Partition:
    """Which task goes where; true if all have a place.

    Attributes
    ----------
    bins : tuple of tuple of Task
        One for each pCPU (or vCPU), every one schedulable.
    left : str or None
        The first task that did not fit; None if all did.
    """

    bins: tuple[tuple[Task, ...], ...]
    left: str | None = None

    def __bool__(self) -> bool:
        return self.left is None

    @property
    def assignment(self) -> dict[str, int]:
        """{task: number of its pCPU}."""
        return {task.name: p for p, tasks in enumerate(self.bins) for task in tasks}

    def pinned(self) -> list[Task]:
        """The tasks, each with its vCPU: for a VM of so many vCPUs."""
        return [task.replace(vcpu=p) for p, tasks in enumerate(self.bins) for task in tasks]


def partition(tasks: Sequence[Task] | VM, cpus: int, heuristic: Heuristic = "first-fit", order: Order = "decreasing utilization", *,
              guest: Literal["edf", "fp"] = "edf", supply: Supply = Dedicated()) -> Partition:  # noqa: B008
    """Give each task a pCPU, one after the other, and none back.

    Parameters
    ----------
    tasks : sequence of Task, or VM
    cpus : int
    heuristic : {"first-fit", "best-fit", "worst-fit", "next-fit"}
        Where a task goes that several pCPUs could take: the lowest number; the fullest; the emptiest; the one that took the task before, or
        a later one.
    order : {"decreasing utilization", "decreasing density", "increasing period", "increasing deadline", "given"}
        Who is placed first; ties as given.
    guest : {"edf", "fp"}
        How each pCPU is scheduled; a task is taken where the exact test for one pCPU still holds.
    supply : Supply
        What each of them has; a dedicated pCPU unless given. A vCPU of a VM: for example a `PeriodicResource`.

    Returns
    -------
    Partition
        The bins are schedulable in any case; `left` names the first task without a place, and then the rest is not placed either.

    Raises
    ------
    SpecError, LimitError
        As `edf_schedulable` and `fp_schedulable`; tasks that are already pinned.

    Notes
    -----
    Best fit, first fit … are heuristics: that one fails does not mean that no partition exists (bin packing is NP-hard in the strong sense).
    Hogs take part, and disturb nobody under EDF; so do other tasks without a deadline.

    References
    ----------
    Lopez, Diaz and Garcia, Utilization bounds for EDF scheduling on real-time multiprocessor systems, Real-Time Systems 28, 2004. Baruah and
    Fisher, The partitioned multiprocessor scheduling of sporadic task systems, RTSS 2005.

    Examples
    --------
    >>> import rtvirt as rv
    >>> heavy = [rv.Task("a", wcet=2, period=10), rv.Task("b", wcet=2, period=10), rv.Task("c", wcet=10, period=11)]
    >>> partition(heavy, 2).assignment, rv.analysis.global_edf_schedulable(heavy, 2).schedulable
    ({'c': 0, 'a': 1, 'b': 1}, False)
    >>> partition([rv.Task(name, wcet=6, period=10) for name in "abc"], 2).left
    'c'
    """
    m = check_cpus("partition", cpus)
    for name, value, known in (("heuristic", heuristic, CHOICES), ("order", order, ORDERS), ("guest", guest, ("edf", "fp"))):
        if value not in known:
            raise SpecError([Problem(name, value, ", ".join(known), "choose one of these")])
    given = given_tasks(tasks)
    check_tasks(given, ())
    pinned = [task for task in given if isinstance(task, Task) and task.vcpu is not None]
    if pinned:
        raise SpecError([Problem(f"tasks[{pinned[0].name}].vcpu", pinned[0].vcpu, "no vCPU", "leave it out: this is what is asked for")])
    asked = taskset(given)
    test = edf_schedulable if guest == "edf" else fp_schedulable
    bins: list[list[Task]] = [[] for _ in range(m)]
    loads, last = [Fraction(0)] * m, 0
    for i in sorted(range(len(given)), key=lambda i: (ORDERS[order](asked.pick([i])), i)):
        place = next((p for p in CHOICES[heuristic](loads, last) if test([*bins[p], given[i]], supply)), None)
        if place is None:
            return Partition(tuple(map(tuple, bins)), given[i].name)
        bins[place].append(given[i])
        loads[place] += asked.pick([i]).utilization()
        last = place
    return Partition(tuple(map(tuple, bins)))
