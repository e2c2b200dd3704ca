"""Global EDF on any supply: windows in which at most m − 1 tasks carry work in (Baruah 2007), and so on MPR interfaces (Shin, Easwaran, Lee 2008).

Suppose a job of task k is the first to miss. Go back from its release, by A, to the last instant at which not all m pCPUs worked: at most m − 1
tasks had work left there. In the window of length t = A + D since then the job has run for C − 1 units at most, so there are t − C + 1 units in
which others used all that was supplied: ``sum of I_i >= supply(t) − m·(C − 1)``, every I_i cut at t − C + 1. If no window of any task allows
that, no job misses.

As we know both tests (the papers were not at hand) they cut at t − C and accept ``sum of I_i + m·C <= supply(t)``. With equality that admits
sets that miss: three tasks of wcet 1 and deadline 1 on two pCPUs, whose I_i are then all cut to nothing. The whole unit here repairs it, as in
the BCL test.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import zip_longest

import numpy as np

from ...errors import LimitError
from ..limits import NEVER, SAFE, TOO_LARGE, refuse
from ..pattern import PERIOD, START
from ..supply import Supply
from ..supply.deterministic import DeterministicMultiprocessorPeriodicResource
from ..verdict import Overload, Verdict, ViolatingInterval
from .rows import Sporadic, total

MOST_POINTS = 300_000   # windows of a task that are looked at
SOME = 2_000              # at a time, about


def bar(rows: Sequence[Sporadic], m: int) -> Verdict:
    """The test on m pCPUs that are there all the time."""
    return carry_in_verdict(rows, DeterministicMultiprocessorPeriodicResource(1, 0, m), m, "global EDF, BAR")


def carry_in_verdict(rows: Sequence[Sporadic], supply: Supply, m: int, test: str) -> Verdict:
    """Whether every window of every task fits; deadlines must not exceed periods. `m` is the number of pCPUs of the supply."""
    used = total(rows)
    if used >= supply.rate and rows:
        return Verdict(False, test, witness=Overload(used, supply.rate, tuple(row.name for row in rows)), exact=used > supply.rate)
    table = np.array([(row.cost, row.deadline, row.period) for row in rows], np.int64).reshape(-1, 3)
    ends = [longest_window(rows, k, supply, m) for k in range(len(rows))]
    refuse(TOO_LARGE if (len(rows) + m) * float(max(ends, default=0) + max((row.period for row in rows), default=0)) > SAFE else 0, test)
    walks = [windows(table, row, supply, end) for row, end in zip(rows, ends)]
    for some in zip_longest(*walks):                     # short windows of all tasks first: what fails mostly fails there
        for k, t in enumerate(some):
            if t is not None and (found := shortfall(rows, demand(table, k, m, t), t, supply)) is not None:
                return Verdict(False, test, witness=found, exact=False)
    return Verdict(True, test)


def shortfall(rows: Sequence[Sporadic], asked: np.ndarray, t: np.ndarray, supply: Supply) -> ViolatingInterval | None:
    """The first window that asks for more than it surely gets."""
    given = supply.sbf(t)
    short = np.flatnonzero(asked.sum(axis=1) > given)
    if not len(short):
        return None
    s = short[0]
    parts = {row.name: int(asked[s, i]) for i, row in enumerate(rows)}
    return ViolatingInterval(int(t[s]), sum(parts.values()), int(given[s]), parts)


def longest_window(rows: Sequence[Sporadic], k: int, supply: Supply, m: int) -> int:
    """No longer window can be too short for what is asked [ns]: straight lines above the demand and below the supply cross there."""
    asks = sum((row.utilization * (row.period - row.deadline) for row in rows), Fraction(0))
    asks += sum(sorted(row.cost for row in rows)[-(m - 1):]) if m > 1 else 0
    asks += m * rows[k].cost + supply.rate * supply.delay
    return int(asks / (supply.rate - total(rows)))


def demand(table: np.ndarray, k: int, m: int, t: np.ndarray) -> np.ndarray:
    """(windows, tasks) int64 [ns]: what each task may do in windows `t` that end with a deadline of k; for k itself with m·(C − 1) + 1 for its job.

    Every task is cut at the time that the job of k waits, t − C + 1. The m − 1 tasks that gain most by it carry work in. (The usual form cuts k's own
    earlier jobs at t − D, too; they never reach it.)
    """
    cost, deadline, period = table.T
    x = t[:, None]
    own = np.arange(len(table)) == k
    cut = x - cost[k] + 1
    fresh = np.minimum(np.maximum(0, (x - deadline) // period + 1) * cost - own * cost, cut)
    carried = np.minimum(x // period * cost + np.minimum(x % period, cost) - own * cost, cut)
    gain = carried - fresh
    if 1 < m <= len(table):
        smallest = np.partition(gain, len(table) - m + 1, axis=1)[:, len(table) - m + 1, None]     # of the m − 1 largest
        larger = gain > smallest
        ties = (gain == smallest) & (np.cumsum(gain == smallest, axis=1) <= m - 1 - larger.sum(axis=1, keepdims=True))
        gain = np.where(larger | ties, gain, 0)
    elif m == 1:
        gain = np.zeros_like(gain)
    return fresh + gain + own * (m * (cost - 1) + 1)


def windows(table: np.ndarray, k: Sporadic, supply: Supply, end: int) -> Iterator[np.ndarray]:
    """All windows from the deadline of k to `end` [ns] that must be looked at, some at a time.

    Between two of them every part of the demand and of the supply is a straight line, so that their difference is convex (a sum of the largest
    lines is) and nowhere larger than at the ends: the windows where something bends, steps up, or reaches its cut.
    """
    cost, deadline, period = table.T
    form, at = supply.pattern.form, supply.pattern.at
    at = at if len(at) > 1 else at[:0]                   # a straight line
    density = float((3.0 / period).sum()) + len(at) / float(form[PERIOD])
    stretch, seen, low = int(SOME / density) + 1, 0, k.deadline
    while low <= end:
        high = min(end, low + stretch)
        bends = [every(first, step, low, high) for first, step in
                 [*zip(deadline, period), *zip(0 * period, period), *zip(cost, period)]]
        bends += [every(int(first), int(form[PERIOD]) if first >= form[START] else NEVER, low, high) for first in at]
        points = np.unique(np.concatenate([np.array([low, high], np.int64), *bends]))
        x, beyond = points[:, None], np.append(points[1:], high)[:, None]
        levels = np.concatenate([np.maximum(0, (x - deadline) // period + 1) * cost, (x // period + 1) * cost], axis=1)
        cuts = levels + (k.cost - 1)
        points = np.unique(np.concatenate([points, cuts[(cuts > x) & (cuts < beyond)]]))
        seen += len(points)
        if seen > MOST_POINTS:
            raise LimitError(f"more than {MOST_POINTS:,} windows of {k.name!r} to look at: lower the utilization a little, or choose another test")
        yield points
        low = high + 1


def every(first: int, step: int, low: int, high: int) -> np.ndarray:
    """first, first + step, …: those from `low` to `high`."""
    start = first if first >= low else first + -(-(low - first) // step) * step
    return np.arange(start, high + 1, step, np.int64)
