"""A VM with several vCPUs: global EDF in the guest, on budgets that the hypervisor gives to all vCPUs together (MPR, DMPR)."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Any

from ...errors import Problem, SpecError
from ...system import VM, Task
from ..edf import edf_schedulable
from ..supply import DeterministicMultiprocessorPeriodicResource, MultiprocessorPeriodicResource
from ..supply.base import check_times
from ..supply.periodic import MOST_CPUS
from ..verdict import Verdict
from .limited_carry_in import carry_in_verdict
from .rows import Sporadic, check_cpus, constrained, hopeless, sporadic, total

Shape = MultiprocessorPeriodicResource | DeterministicMultiprocessorPeriodicResource


def mpr_schedulable(tasks: Sequence[Task] | VM, supply: Shape) -> Verdict:
    """Whether every deadline is surely met under global EDF in a guest whose vCPUs together get an MPR or a DMPR supply.

    Parameters
    ----------
    tasks : sequence of Task, or VM
        Deadlines up to periods. Those without a deadline never constrain.
    supply : MultiprocessorPeriodicResource or DeterministicMultiprocessorPeriodicResource

    Returns
    -------
    Verdict
        Its witness is a `ViolatingInterval` (or `Overload`, `Endless`, `FirstMiss`). One vCPU: the exact test for one.

    Raises
    ------
    SpecError
        Other supplies; deadlines beyond periods; tasks that `global_edf_schedulable` refuses.
    LimitError
        Too many windows to look at, or numbers that do not fit.

    Notes
    -----
    Sufficient. Every vCPU's budget must be there for the tasks while any of them is ready: a guest must not let a vCPU with budget sleep while
    another, without budget, keeps its task waiting. RTDS's vCPUs do that if they sleep: a guest that polls when idle does not.
    One unit of time stricter than the form that is mostly quoted, which admits sets that miss (`limited_carry_in`).

    References
    ----------
    Shin, Easwaran and Lee, Hierarchical scheduling framework for virtual clustering of multiprocessors, ECRTS 2008, theorem 1; DMPR: Phan, Xu,
    Lee and Sokolsky, RTAS 2013.

    Examples
    --------
    >>> import rtvirt as rv
    >>> three = [rv.Task(name, wcet=20, period=100) for name in "abc"]
    >>> min_mpr_budget(three, 10, 2), min_dmpr(three, 10), min_mpr_budget(three, 10, 1)
    (9, DeterministicMultiprocessorPeriodicResource(period=10, budget=7, full=0), 7)
    """
    if not isinstance(supply, (MultiprocessorPeriodicResource, DeterministicMultiprocessorPeriodicResource)):
        raise SpecError([Problem("supply", supply, "an MPR or a DMPR supply", "for pCPUs that are there all the time use global_edf_schedulable")])
    if supply.cpus <= 1:
        return edf_schedulable(tasks, supply)
    rows, witness = prepared(tasks, supply.rate)
    return Verdict(False, "global EDF on MPR", witness=witness) if witness else verdict_on(rows, supply)


def verdict_on(rows: Sequence[Sporadic], supply: Shape) -> Verdict:
    """The same for prepared tasks and several vCPUs."""
    whole = supply.cpus - 1 if supply.rate < supply.cpus else supply.cpus
    if isinstance(supply, MultiprocessorPeriodicResource) and supply.rate < supply.cpus:
        whole = 0                                        # none of them is there all the time
    if len(rows) <= whole:
        return Verdict(True, "global EDF, a pCPU for each task")
    return carry_in_verdict(rows, supply, supply.cpus, "global EDF on MPR")


def prepared(tasks: Sequence[Task] | VM, rate: Any) -> tuple[list[Sporadic], Any]:
    """The tasks that count, and what makes them hopeless."""
    rows, endless = sporadic(tasks)
    if not constrained(rows):
        late = next(row for row in rows if row.deadline > row.period)
        raise SpecError([Problem(f"tasks[{late.name}].deadline", late.deadline, f"up to its period, {late.period}", "shorten it")])
    return rows, hopeless(rows, rate, endless)


def min_mpr_budget(tasks: Sequence[Task] | VM, period: int, cpus: int) -> int | None:
    """Smallest budget of `cpus` vCPUs together, in every `period`, with which global EDF surely meets every deadline.

    Parameters
    ----------
    tasks : sequence of Task, or VM
        As in `mpr_schedulable`.
    period : int [ns]
    cpus : int

    Returns
    -------
    int or None [ns]
        None if not even `cpus` whole pCPUs are surely enough.

    Raises
    ------
    SpecError, LimitError
        As `mpr_schedulable`.

    Notes
    -----
    Exact to the ns for that test, which never rejects a larger budget: bisection. `MultiprocessorPeriodicResource.vcpu_budgets` shares it out.
    """
    check_times("min_mpr_budget", period=(period, 1, MultiprocessorPeriodicResource.longest(), f"so that {MOST_CPUS} pCPUs fit"))
    m, period = check_cpus("min_mpr_budget", cpus), int(period)

    def enough(budget: int) -> bool:
        return bool(mpr_schedulable(tasks, MultiprocessorPeriodicResource(period, budget, m)))

    low, high = -1, m * period
    if not enough(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def best_mpr(tasks: Sequence[Task] | VM, period: int, cpus: int) -> MultiprocessorPeriodicResource | None:
    """The MPR supply of least budget with this period, on up to `cpus` vCPUs; of equal ones that of the fewest vCPUs.

    Parameters
    ----------
    tasks, period
        As in `min_mpr_budget`.
    cpus : int

    Returns
    -------
    MultiprocessorPeriodicResource or None

    Notes
    -----
    Mostly the fewest vCPUs that are enough are best: the same budget on more of them may all come at once (Shin, Easwaran and Lee 2008).

    Examples
    --------
    >>> import rtvirt as rv
    >>> best_mpr([rv.Task(name, wcet=40, period=100) for name in "abc"], 10, 4)
    MultiprocessorPeriodicResource(period=10, budget=17, cpus=2)
    """
    best = None
    fewest = max(1, ceil(total(prepared(tasks, MOST_CPUS)[0])))
    for m in range(fewest, check_cpus("best_mpr", cpus) + 1):
        budget = min_mpr_budget(tasks, period, m)
        if budget is not None and (best is None or budget < best.budget):
            best = MultiprocessorPeriodicResource(period, budget, m)
    return best


def min_dmpr(tasks: Sequence[Task] | VM, period: int, cpus: int = MOST_CPUS) -> DeterministicMultiprocessorPeriodicResource | None:
    """The DMPR supply of least bandwidth with this period on up to `cpus` vCPUs: the fewest whole ones, and the smallest budget of the partial one.

    Parameters
    ----------
    tasks, period
        As in `min_mpr_budget`.
    cpus : int

    Returns
    -------
    DeterministicMultiprocessorPeriodicResource or None

    Raises
    ------
    SpecError, LimitError
        As `mpr_schedulable`.

    Notes
    -----
    A whole vCPU more is tried only when no partial one is enough; of each number of whole vCPUs the smallest budget is exact to the ns.
    """
    check_times("min_dmpr", period=(period, 1, MultiprocessorPeriodicResource.longest(), f"so that {MOST_CPUS} pCPUs fit"))
    check_cpus("min_dmpr", cpus)
    rows, witness = prepared(tasks, MOST_CPUS)
    if witness:
        return None
    for full in range(int(total(rows)), min(cpus, max(1, len(rows))) + 1):

        def supply(budget: int, full: int = full) -> DeterministicMultiprocessorPeriodicResource:
            return DeterministicMultiprocessorPeriodicResource(period, budget, full)

        if full and mpr_schedulable(tasks, supply(0)) or not rows:
            return supply(0)
        low, high = 0, period
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if mpr_schedulable(tasks, supply(middle)) else (middle, high)
        if high < period and full < cpus:
            return supply(high)
    return None
