"""The fourth study: what does a shorter latency cost? Budgets against bounds, for one task in a VM, and the Pareto fronts of it.

A contract is a kind of server, a period P and a budget Q. It takes (Q + switch) / P of a pCPU, and promises the task a longest response. Short
periods promise much and switch often; long ones the other way round. A switch a period is counted, beside VMs with longer periods and no windows
shorter than a switch (such a window would hold the pCPU longer than it lasts), and one more when the task wakes its VM within a budget. A
contract that another one beats in both is *dominated*; the others are the front.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ...analysis import PeriodicResource, PollingServer, SlotTable, Supply
from ...errors import Problem, SpecError
from ...units import ms, us
from ..running import sweep

if TYPE_CHECKING:
    import pandas as pd

PERIODS = tuple(us(100 * k) for k in (2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100, 125, 160, 200))
STEPS = 96                # budgets tried for each period


class Kind(NamedTuple):
    """A kind of server: its longest blackout as ``of_period·P - of_budget·Q``, and the supply that says so."""

    of_period: int
    of_budget: int
    supply: Callable[[int, int], Supply]


KINDS = {
    "fixed slot": Kind(1, 1, lambda period, budget: SlotTable(((0, budget),), period)),
    "periodic": Kind(2, 2, PeriodicResource),
    "polling": Kind(2, 1, PollingServer),
}


class Contracts(NamedTuple):
    """Contracts and what they come to. (n,) each."""

    period: np.ndarray        # [ns]
    budget: np.ndarray        # [ns], of the task's own: switches come on top
    share: np.ndarray         # of a pCPU, switches included
    bound: np.ndarray         # longest response [ns]; -1 if the task may be late, or there is no bound


def bounds(kind: str, wcet: int, period: np.ndarray, budget: np.ndarray) -> np.ndarray:
    """Longest response of a job [ns] that finds nothing of itself before it: the least window that surely holds its work.

    Examples
    --------
    >>> bounds("periodic", 3, np.array([10]), np.array([4])), PeriodicResource(10, 4).inverse(3)
    (array([15]), 15)
    """
    shape = KINDS[kind]
    whole = (wcet - 1) // budget                                         # budgets before the one in which it ends
    return shape.of_period * period - shape.of_budget * budget + whole * period + wcet - whole * budget


def contracts(kind: str, wcet: int, every: int, deadline: int, *, switch: int = 0, periods: Sequence[int] = PERIODS, steps: int = STEPS) -> Contracts:
    """All contracts of a grid: each period with `steps` budgets up to all of it, less the switch.

    Parameters
    ----------
    kind : {"fixed slot", "periodic", "polling"}
        One window in each period, always the same (also the most important server); a budget anywhere in each period (periodic, deferrable and
        sporadic servers, RTDS, CBS); one that looks for work at the beginning of each period only (SEDF, too).
    wcet, every, deadline : int [ns]
        Of the task; deadline up to `every`, its least distance of arrivals.
    switch : int [ns]
        What a period costs beside the budget.
    periods : sequence of int [ns]
    steps : int

    Raises
    ------
    SpecError
    """
    check(kind, wcet, every, deadline, switch, periods, steps)
    period = np.repeat(np.asarray(periods, np.int64), steps)
    budget = np.maximum(1, (period - switch) * np.tile(np.arange(1, steps + 1), len(periods)) // steps)
    room = period > switch
    period, budget = period[room], budget[room]
    bound = bounds(kind, wcet + switch, period, budget)
    return Contracts(period, budget, (budget + switch) / period, np.where(bound <= deadline, bound, -1))


def check(kind: str, wcet: int, every: int, deadline: int, switch: int, periods: Sequence[int], steps: int) -> None:
    """SpecError for what makes no contract."""
    found = [] if kind in KINDS else [Problem("kind", kind, ", ".join(KINDS), "choose one of these")]
    if not 0 < wcet <= deadline <= every:
        found.append(Problem("wcet, deadline, every", (wcet, deadline, every), "0 < wcet <= deadline <= every", "lower the demand, or the deadline"))
    if not (switch >= 0 and steps >= 1 and len(periods) and min(periods) >= 1):
        found.append(Problem("switch, periods, steps", (switch, len(periods), steps), "times of 0 ns or more, at least one period and step",
                             "give some"))
    if found:
        raise SpecError(found)


def pareto(share: np.ndarray, bound: np.ndarray) -> np.ndarray:
    """Rows of the front, dearest and fastest first: nobody else has as low a share and as low a bound. Bounds below 0 are none.

    Examples
    --------
    >>> pareto(np.array([0.5, 0.3, 0.4, 0.2]), np.array([1, 2, 3, -1])).tolist()
    [0, 1]
    """
    rows = np.flatnonzero(bound >= 0)
    rows = rows[np.lexsort((share[rows], bound[rows]))]
    cheapest = np.minimum.accumulate(share[rows])
    return rows[np.diff(cheapest, prepend=np.inf) < 0]


def least_budgets(kind: str, wcet: int, latency: int, most: np.ndarray, period: np.ndarray) -> np.ndarray:
    """Least budget [ns] of each period with which the bound is no more than `latency`; 0 where `most` [ns] is not enough. By bisection."""
    low, high = np.zeros_like(period), most.copy()
    while (high - low > 1).any():
        middle = np.maximum(1, (low + high) // 2)
        enough = bounds(kind, wcet, period, middle) <= latency
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return np.where(bounds(kind, wcet, period, np.maximum(1, most)) <= latency, high, 0)


def cheapest(kind: str, latency: int, wcet: int, every: int, switch: int) -> dict[str, float | int | None]:
    """The least share that promises a latency, and its contract; None where nothing does."""
    check(kind, wcet, every, latency, switch, PERIODS, 1)
    period = np.array([one for one in PERIODS if one > switch], np.int64)
    budget = least_budgets(kind, wcet + switch, latency, period - switch, period)
    share = np.where(budget > 0, (budget + switch) / period, np.inf)
    i = int(share.argmin())
    if not np.isfinite(share[i]):
        return {"share": None, "period": None, "budget": None}
    return {"share": float(share[i]), "period": int(period[i]), "budget": int(budget[i])}


def fronts(*, wcet: int = ms(1), every: int = ms(20), latencies: Sequence[int] = tuple(ms(k) // 2 for k in range(4, 41)),
           switches: Sequence[int] = (0, us(20)), kinds: Sequence[str] = tuple(KINDS), **options: Any) -> pd.DataFrame:
    """The least share of a pCPU that promises a latency, by kind of server and cost of a switch: a table for `rv.plots.fronts`.

    Parameters
    ----------
    wcet, every : int [ns]
        Of the task, which comes no oftener than so.
    latencies : sequence of int [ns]
        Longest responses asked for, up to `every`.
    switches : sequence of int [ns]
    kinds : names of `studies.KINDS`
    **options
        Of `rv.sweep`.

    Returns
    -------
    DataFrame
        kind, switch, latency, and share, period and budget of the cheapest contract; empty cells where no contract promises it.

    Examples
    --------
    >>> found = fronts(latencies=[ms(4), ms(10)], switches=[us(20)], progress=False)
    >>> bool((found[found["latency"] == ms(10)]["share"].to_numpy() < found[found["latency"] == ms(4)]["share"].to_numpy()).all())
    True
    """
    grid = dict(kind=kinds, switch=switches, latency=latencies, wcet=[wcet], every=[every])
    return sweep(cheapest, grid, **options)[["kind", "switch", "latency", "share", "period", "budget"]]
