"""Sporadic tasks as the tests for several pCPUs see them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from ...errors import Problem, SpecError
from ...system import VM, Task
from ..limits import NEVER
from ..supply.base import check_times
from ..supply.periodic import MOST_CPUS
from ..tasksets import check_tasks, given_tasks, taskset
from ..verdict import Endless, FirstMiss, Overload


class Sporadic(NamedTuple):
    """One task [ns]."""

    name: str
    cost: int
    deadline: int
    period: int

    @property
    def utilization(self) -> Fraction:
        """Share of a pCPU in the long run."""
        return Fraction(self.cost, self.period)

    @property
    def density(self) -> Fraction:
        """Share of a pCPU within its deadline, or its period if that is shorter."""
        return Fraction(self.cost, min(self.deadline, self.period))


def sporadic(tasks: Sequence[Task] | VM, *, by_priority: bool = False) -> tuple[list[Sporadic], str | None]:
    """The tasks that count, and the first of them whose work has no bound; those after it are left out.

    Under EDF the tasks with a deadline count; `by_priority`, highest first, those down to the last that has one.
    """
    given = given_tasks(tasks)
    check_tasks(given, ())
    asked, by_name = taskset(given, by_priority=by_priority), {task.name: task for task in given}
    due = [i for i in range(len(asked)) if asked.deadline[i] < NEVER]
    count = range(due[-1] + 1) if by_priority and due else due
    check_sporadic([by_name[asked.names[i]] for i in count])
    rows = []
    for i in count:
        if not asked.bounded[i]:
            return rows, asked.names[i]
        period = int(asked.stair_period[asked.first[i]])
        rows.append(Sporadic(asked.names[i], int(asked.cost[i]), int(min(asked.deadline[i], NEVER)), period))
    return rows, None


def check_sporadic(tasks: Iterable[Task]) -> None:
    """Refuse what the theorems do not cover: they let a job run anywhere, and be ready from its arrival to its end."""
    found = []
    for task in tasks:
        if task.vcpu is not None:
            found.append(Problem(f"tasks[{task.name}].vcpu", task.vcpu, "no vCPU: a global test lets every task run on all", "leave it out, or "
                                 "use edf_schedulable and fp_schedulable for each vCPU"))
        if task.releases is not None:
            found.append(Problem(f"tasks[{task.name}].releases", "a list", "a period", "give the least distance of its arrivals as period"))
        elif task.jitter and task.arrival == "periodic":
            found.append(Problem(f"tasks[{task.name}].jitter", task.jitter, "0", "take it from the deadline and from the period: a sporadic task"))
        if any(step.kind == "block" for step in task.actions or ()):
            found.append(Problem(f"tasks[{task.name}].actions", "a block step", "run steps", "jobs that suspend themselves have no test here"))
    if found:
        raise SpecError(found)


def check_cpus(name: str, cpus: Any) -> int:
    """Refuse numbers of pCPUs that make no sense."""
    check_times(name, cpus=(cpus, 1, MOST_CPUS, "a number of pCPUs"))
    return int(cpus)


def total(rows: Iterable[Sporadic]) -> Fraction:
    """Utilization of all."""
    return sum((row.utilization for row in rows), Fraction(0))


def hopeless(rows: Sequence[Sporadic], rate: Fraction, endless: str | None = None) -> Any:
    """The witness of a set that no scheduler could serve, None if there is none. Every test relies on this having been looked at."""
    if endless is not None:
        return Endless(endless)
    for row in rows:
        if row.cost > row.deadline:
            return FirstMiss(row.name, row.deadline, row.cost, 0, ((row.cost, row.cost),))
    used = total(rows)
    return Overload(used, rate, tuple(row.name for row in rows)) if used > rate else None


def constrained(rows: Sequence[Sporadic]) -> bool:
    """True if no deadline is longer than its period."""
    return all(row.deadline <= row.period for row in rows)
