"""Random task sets: as arrays for `rv.analysis.batch`, as tasks, as systems; and random arrivals."""

from __future__ import annotations

from math import isfinite
from typing import Any, NamedTuple

import numpy as np

from ..errors import Problem, SpecError
from ..rng import task_key
from ..system import VM, System, Task, exponential, hog
from ..units import LONGEST
from .kernels import ARRIVAL, DEADLINE, keys, quantiles, tasks
from .periods import LogUniform, Periods
from .utilizations import simplex


class TaskSets(NamedTuple):
    """Many task sets, a row each, sorted by deadline: highest priority first under deadline-monotonic priorities."""

    cost: np.ndarray          # (sets, n) int64 [ns]
    period: np.ndarray        # (sets, n) int64 [ns]
    deadline: np.ndarray      # (sets, n) int64 [ns]
    utilization: np.ndarray   # (sets, n) float64, as drawn: the costs are rounded to whole ns, and are at least 1 ns


def tasksets(n: int, utilization: float, *, sets: int = 1, seed: int = 0, first: int = 0, periods: Periods = LogUniform(),  # noqa: B008
             deadlines: tuple[float, float] = (1.0, 1.0), high: float = 1.0) -> TaskSets:
    """Random task sets as arrays.

    Parameters
    ----------
    n : int
        Tasks in each.
    utilization : float
        Of each set; uniform on the simplex below `high` (`simplex`).
    sets, seed, first
        As in `uunifast`: slices of one batch can be made apart, by several threads (the GIL is released).
    periods : LogUniform, Automotive or Harmonic
    deadlines : (float, float)
        Each is uniform between these shares of the way from cost to period; (1, 1): the period.
    high : float
        Largest utilization of one task, up to 1.

    Returns
    -------
    TaskSets

    Raises
    ------
    SpecError

    Examples
    --------
    >>> import rtvirt as rv
    >>> some = tasksets(5, 0.7, sets=1000, deadlines=(0.5, 1))
    >>> schedulable = (rv.analysis.batch.fp_response_times(*some[:3]) >= 0).all(axis=1)
    >>> schedulable.shape, bool(0.4 < schedulable.mean() < 1)
    ((1000,), True)
    """
    found = []
    if not hasattr(periods, "draw"):
        found.append(Problem("periods", periods, "LogUniform(...), Automotive() or Harmonic(...)", "for periods between two times write "
                             "LogUniform(ms(1), ms(100))"))
    if not (len(deadlines) == 2 and 0 <= deadlines[0] <= deadlines[1] <= 1):
        found.append(Problem("deadlines", deadlines, "(low, high) with 0 <= low <= high <= 1", "(1, 1) makes them equal to the periods"))
    if not (isfinite(high) and 0 < high <= 1):
        found.append(Problem("high", high, "above 0, up to 1: a task cannot use more than one pCPU", "choose one of these"))
    if found:
        raise SpecError(found)
    share = simplex(n, utilization, high=high, sets=sets, seed=seed, first=first)
    period = periods.draw(n, sets=sets, seed=seed, first=first)
    cost, deadline = np.empty_like(period), np.empty_like(period)
    tasks(*keys(seed, DEADLINE), first, share, period, float(deadlines[0]), float(deadlines[1]), cost, deadline)
    return TaskSets(cost, period, deadline, share)


def taskset(n: int, utilization: float, *, seed: int = 0, arrival: str = "periodic", **options: Any) -> list[Task]:
    """One random set as tasks, shortest deadline first.

    Parameters
    ----------
    n, utilization, seed
    arrival : {"periodic", "sporadic"}
    **options
        Of `tasksets`: periods, deadlines, high.

    Examples
    --------
    >>> [(task.name, task.wcet, task.period) for task in taskset(2, 0.5, seed=1, periods=LogUniform(100, 10_000))]
    [('t1', 29, 112), ('t2', 75, 312)]
    """
    cost, period, deadline = (rows[0].tolist() for rows in tasksets(n, utilization, seed=seed, **options)[:3])
    return [Task(f"t{i + 1}", wcet=c, period=t, deadline=d, arrival=arrival) for i, (c, t, d) in enumerate(zip(cost, period, deadline))]


def system(vms: int, n: int, utilization: float, *, cpus: int = 1, seed: int = 0, guest: str = "fp", server_period: int = 10_000_000,
           margin: float = 0.1, best_effort: int = 0, **options: Any) -> System:
    """A random system: `vms` real-time VMs of `n` tasks, and `best_effort` VMs that always compute.

    Parameters
    ----------
    vms, n : int
    utilization : float
        Of all tasks, in pCPUs; divided among the VMs uniformly, each at most 1 (`simplex`).
    cpus : int
    seed : int
    guest : {"fp", "edf", "rr", "fifo"}
    server_period : int [ns]
        Period of each VM's budget.
    margin : float
        The budget is so much more than the tasks' utilization asks for, and at most the period. It need not be enough: see
        `rv.analysis.min_budget`.
    best_effort : int
    **options
        Of `tasksets`: periods, deadlines, high.

    Examples
    --------
    >>> made = system(3, 4, 0.6, seed=5, best_effort=1)
    >>> [vm.name for vm in made.vms], round(made.utilization(), 6)
    (['rt1', 'rt2', 'rt3', 'be1'], 0.6)
    """
    shares = simplex(vms, utilization, seed=task_key(seed, vms, n))[0].tolist()
    real_time = [
        VM(f"rt{i + 1}", tasks=taskset(n, share, seed=task_key(seed, i, n), **options), guest=guest, period=server_period,
           budget=min(server_period, max(1, round(server_period * share * (1 + margin)))))
        for i, share in enumerate(shares)]
    return System(cpus=cpus, vms=[*real_time, *(VM(f"be{i + 1}", tasks=[hog()]) for i in range(best_effort))])


def sporadic_arrivals(least: int, until: int, *, mean: int | None = None, seed: int = 0) -> tuple[int, ...]:
    """Arrivals at least so far apart, for ``Task(releases=...)``: gaps are `least` plus an exponential time.

    Parameters
    ----------
    least : int [ns]
        Least distance; 0 with a mean: Poisson arrivals.
    until : int [ns]
        Arrivals are before it.
    mean : int [ns], optional
        Mean distance; 1.5 times the least unless given.
    seed : int

    Raises
    ------
    SpecError

    Examples
    --------
    >>> times = sporadic_arrivals(10, 100, mean=15, seed=4)
    >>> times, min(b - a for a, b in zip(times, times[1:])) >= 10
    ((7, 26, 50, 64, 77, 88), True)
    """
    mean = least * 3 // 2 if mean is None else mean
    if not (0 <= least < mean and 0 < until <= LONGEST):
        raise SpecError([Problem("least, mean, until", (least, mean, until), "0 <= least < mean, 0 < until <= 2^53 ns",
                                 "give a mean above the least distance")])
    table = exponential(mean - least).table()
    found: list[int] = []
    now, part = 0, 0
    while now < until:
        gaps = np.empty((1, 256), np.int64)
        quantiles(*keys(seed, ARRIVAL), part, table, 1, gaps)
        part += 1
        for gap in gaps[0].tolist():
            now += gap + (least if found else 0)
            if now >= until:
                break
            found.append(now)
    return tuple(found)
