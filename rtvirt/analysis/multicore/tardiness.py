"""How late jobs can be under global EDF when nobody asks for more than the pCPUs have: a bound, though deadlines may be missed."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import ceil

from ...errors import Problem, SpecError
from ...system import VM, Task
from ..tasksets import given_tasks
from .rows import Sporadic, check_cpus, sporadic, total


def edf_tardiness(tasks: Sequence[Task] | VM, cpus: int) -> dict[str, int | None]:
    """Bounds on how long after its deadline a job may end under preemptive global EDF.

    Parameters
    ----------
    tasks : sequence of Task, or VM
        Deadlines equal to periods. Tasks without a deadline come last and are left out.
    cpus : int
        pCPUs that are there all the time.

    Returns
    -------
    {name: int or None} [ns]
        ``x + wcet``; None for all if a task alone needs more than one pCPU, or all more than there are; and for tasks without a deadline.

    Raises
    ------
    SpecError
        Deadlines that are not the periods; what `global_edf_schedulable` refuses.

    Notes
    -----
    With L = ceil(U) − 1: x is the sum of the L largest wcets less the smallest one, divided by m less the sum of the L − 1 largest
    utilizations. Unlike the schedulability tests this loses no utilization: every set that fits at all has a bound. It is rounded down to whole ns,
    as the schedule is in whole ns. One pCPU: no lateness.

    References
    ----------
    Devi and Anderson, Tardiness bounds under global EDF scheduling on a multiprocessor, Real-Time Systems 38, 2008 (RTSS 2005), theorem 2.

    Examples
    --------
    >>> import rtvirt as rv
    >>> edf_tardiness([rv.Task("a", wcet=2, period=3), rv.Task("b", wcet=2, period=3), rv.Task("c", wcet=4, period=6)], 2)
    {'a': 3, 'b': 3, 'c': 5}
    """
    m = check_cpus("edf_tardiness", cpus)
    rows, endless = sporadic(tasks)
    found = [Problem(f"tasks[{row.name}].deadline", row.deadline, f"the period, {row.period}", "leave the deadline out") for row in rows
             if row.deadline != row.period]
    if found:
        raise SpecError(found)
    late: dict[str, int | None] = {task.name: None for task in given_tasks(tasks)}
    if endless is None and total(rows) <= m and all(row.cost <= row.period for row in rows):
        x = delay(rows, m)
        late.update({row.name: int(x + row.cost) if m > 1 else 0 for row in rows})
    return late


def delay(rows: Sequence[Sporadic], m: int) -> Fraction:
    """Devi and Anderson's x [ns]."""
    most = ceil(total(rows)) - 1
    if most < 1:
        return Fraction(0)
    costs, shares = sorted(row.cost for row in rows), sorted(row.utilization for row in rows)
    beside = sum(shares[len(shares) - most + 1:], Fraction(0))
    return Fraction(sum(costs[-most:]) - costs[0]) / (m - beside)
