"""Tasks as the analyses see them: numbers in arrays, made once.

A job costs at most its worst demand; it comes at most as often as its arrival curve says. What has no such bound (a hog, Poisson
arrivals, a channel whose senders are not looked at) is marked, and whoever has to wait for it has no bound either.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ..errors import Problem, SpecError
from ..system import FOREVER, VM, Distribution, Task, ranks_of
from .arrivals import ArrivalCurve, listed, periodic
from .limits import NEVER
from .requests import Rows, make_rows

Arrivals = Mapping[str, ArrivalCurve]


@dataclass(frozen=True)
class TaskSet:
    """n tasks, in an order that the maker chose; their staircases end to end.

    The staircases of task i are rows ``first[i]`` to ``first[i + 1] - 1``.
    """

    names: tuple[str, ...]
    cost: np.ndarray          # (n,) int64 [ns]; 0 where it has no bound
    deadline: np.ndarray      # (n,) int64 [ns], relative to the arrival; NEVER if there is none
    bounded: np.ndarray       # (n,) bool: cost and arrivals have bounds
    first: np.ndarray         # (n + 1,) int64
    stair_cost: np.ndarray    # (stairs,) int64 [ns]
    stair_period: np.ndarray  # (stairs,) int64 [ns]; NEVER: once
    stair_offset: np.ndarray  # (stairs,) int64 [ns]; −jitter
    flooding: bool = False    # some task may arrive any number of times

    def __len__(self) -> int:
        return len(self.names)

    def owner(self) -> np.ndarray:
        """(stairs,) the task of each staircase."""
        return np.repeat(np.arange(len(self)), np.diff(self.first))

    def rows(self) -> Rows:
        """All staircases as kernels read them."""
        return make_rows(self.stair_cost, self.stair_period, self.stair_offset)

    def deadline_rows(self) -> Rows:
        """The same, each with its first deadline in place of its offset."""
        return make_rows(self.stair_cost, self.stair_period, self.stair_offset + self.deadline[self.owner()])

    def utilization(self, upto: int | None = None) -> Fraction:
        """Exact utilization of the first `upto` tasks."""
        last = self.first[len(self) if upto is None else upto]
        parts = zip(self.stair_cost[:last].tolist(), self.stair_period[:last].tolist())
        return sum((Fraction(cost, period) for cost, period in parts if period < NEVER), Fraction(0))

    def pick(self, chosen: Iterable[int]) -> TaskSet:
        """A set of some of the tasks, in the order given."""
        chosen = list(chosen)
        rows = [np.arange(self.first[i], self.first[i + 1]) for i in chosen]
        flat = np.concatenate(rows).astype(np.int64) if rows else np.zeros(0, np.int64)
        first = np.cumsum([0] + [len(row) for row in rows], dtype=np.int64)
        return TaskSet(tuple(self.names[i] for i in chosen), self.cost[chosen], self.deadline[chosen], self.bounded[chosen], first,
                       self.stair_cost[flat], self.stair_period[flat], self.stair_offset[flat], self.flooding)


def taskset(tasks: Iterable[Task] | VM, *, arrivals: Arrivals | None = None, by_priority: bool = False) -> TaskSet:
    """Turn tasks into arrays.

    Parameters
    ----------
    tasks : sequence of Task, or VM
    arrivals : {name: ArrivalCurve}, optional
        In place of what the task itself says; the way to bound a channel or a Poisson task.
    by_priority : bool
        Highest priority first (by priority given, else by deadline; ties in the order given), instead of in the order given.

    Raises
    ------
    SpecError
        Names used twice, unknown names in `arrivals`.

    Notes
    -----
    Offsets are left out: all tasks may arrive together. A script's `block` steps count as work (suspension-oblivious): safe under preemptive
    scheduling, and pessimistic. Random demands count with their largest value.
    """
    given = given_tasks(tasks)
    check_tasks(given, arrivals or {})
    if by_priority:
        ranks = ranks_of(given)
        given = tuple(sorted(given, key=lambda task: ranks[given.index(task)]))
    costs = [largest_demand(task) for task in given]
    curves = [(arrivals or {}).get(task.name) or curve_of(task) for task in given]
    bounded = np.array([cost is not None and curve is not None for cost, curve in zip(costs, curves)], bool)
    stairs = [[(cost, *stair) for stair in curve.stairs] if cost is not None and curve is not None else [] for cost, curve in zip(costs, curves)]
    flat = np.array([row for rows in stairs for row in rows], np.int64).reshape(-1, 3)
    return TaskSet(
        names=tuple(task.name for task in given), cost=np.array([cost or 0 for cost in costs], np.int64),
        deadline=np.array([NEVER if task.deadline is None else task.deadline for task in given], np.int64), bounded=bounded,
        first=np.cumsum([0] + [len(rows) for rows in stairs], dtype=np.int64),
        stair_cost=flat[:, 0].copy(), stair_period=flat[:, 1].copy(), stair_offset=flat[:, 2].copy(),
        flooding=any(curve is None and not task.is_hog for curve, task in zip(curves, given)))


def check_tasks(tasks: tuple[Task, ...], named: Iterable[str]) -> None:
    """Names must be unique, and keys of mappings must be among them."""
    found = [Problem("tasks", task, "a Task", "make it with rv.Task(...)") for task in tasks if not isinstance(task, Task)]
    names = [task.name for task in tasks if isinstance(task, Task)]
    found += [Problem("tasks", name, "names used once", "rename one of them") for name in dict.fromkeys(n for n in names if names.count(n) > 1)]
    found += [Problem("a task's name", name, ", ".join(names) or "no tasks at all", "choose one of these") for name in named if name not in names]
    if found:
        raise SpecError(found)


def given_tasks(tasks: Sequence[Task] | VM) -> tuple[Task, ...]:
    """The tasks of a VM, or of a sequence; SpecError for what is neither."""
    if isinstance(tasks, VM):
        return tasks.tasks
    if isinstance(tasks, Iterable) and not isinstance(tasks, str):
        return tuple(tasks)
    raise SpecError([Problem("tasks", tasks, "tasks in a list, or a VM", "write [rv.Task(...), ...]")])


def largest_demand(task: Task) -> int | None:
    """The most that a job can need [ns]; None for a hog."""
    if task.actions:
        cost = sum(step.duration or 0 for step in task.actions)
    elif isinstance(task.wcet, Distribution):
        cost = int(task.wcet.table().max())
    else:
        cost = max(task.wcet) if isinstance(task.wcet, (tuple, list)) else task.wcet
    return None if cost >= FOREVER else cost


def curve_of(task: Task) -> ArrivalCurve | None:
    """How often the task's jobs may come; None if that has no bound (or a hog: its one job never ends)."""
    if task.is_hog or task.arrival in ("poisson", "channel"):
        return None
    if task.releases is not None:
        return listed(task.releases)
    return periodic(task.period, jitter=task.jitter if task.arrival == "periodic" else 0)
