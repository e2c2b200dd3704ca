"""Releases of work as kernels see them: staircases, and how much they ask for in a window.

A *staircase* releases `cost` at ``offset``, ``offset + period``, ``offset + 2 period``, … Release jitter J is an offset of −J: what was due in
the last J ns may come at 0 all at once. A burst is several staircases of one task (`arrivals.py`). The most that is asked for in a window
[0, w), over all positions of the window, is then the sum of ``max(0, ceil((w − offset) / period))·cost``.

Division is slow; multiplying by a reciprocal is not exact. So the reciprocal is rounded down: its quotient is never too large, and
comparing whole numbers corrects it upwards. `requests` is exact. `at_most_requests` leaves the correction out, and never says too much: fit to
approach a fixed point from below, not to find it.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ..jit import kernel

DOWN, UP = 1.0 - 2.0**-50, 1.0 + 2.0**-50     # outweighs four roundings
EXACT = 2.0**52                               # sums of whole floats below this are exact, in any order
FEW = 12                                      # up to so many rows whole numbers are as fast as floats


class Rows(NamedTuple):
    """Staircases, one a row."""

    cost: np.ndarray          # (rows,) int64 [ns]
    period: np.ndarray        # (rows,) int64 [ns]
    offset: np.ndarray        # (rows,) int64 [ns]; for demand.py's kernels: the first deadline
    fcost: np.ndarray         # (rows,) float64: the same once more
    foffset: np.ndarray       # (rows,) float64
    low: np.ndarray           # (rows,) float64: 1/period, rounded down
    high: np.ndarray          # (rows,) float64: 1/period, rounded up


def make_rows(cost: Any, period: Any, offset: Any) -> Rows:
    """Rows with everything filled in."""
    c, t, o = (np.asarray(x, np.int64) for x in (cost, period, offset))
    return Rows(c, t, o, c.astype(np.float64), o.astype(np.float64), 1.0 / t * DOWN, 1.0 / t * UP)


def empty_rows(capacity: int) -> Rows:
    """Room for so many rows, which kernels fill in set after set."""
    return Rows(*(np.zeros(capacity, np.int64) for _ in range(3)), *(np.zeros(capacity) for _ in range(4)))


@kernel
def put_row(rows, j, cost, period, offset):
    """Fill in row `j`."""
    rows.cost[j], rows.period[j], rows.offset[j] = cost, period, offset
    rows.fcost[j], rows.foffset[j] = float(cost), float(offset)
    inverse = 1.0 / float(period)
    rows.low[j], rows.high[j] = inverse * DOWN, inverse * UP


@kernel
def requests(rows, count, w):
    """What the first `count` rows ask for in a window of length `w`, exactly."""
    total = 0
    for j in range(count):
        x = w - rows.offset[j]
        if x > 0:
            jobs = int(math.ceil(float(x) * rows.low[j]))
            while jobs * rows.period[j] < x:
                jobs += 1
            total += jobs * rows.cost[j]
    return total


@partial(kernel, reorder=True)
def at_most_requests(rows, count, w):
    """A float that is never above `requests`; 0 if it would not be a whole number."""
    total = 0.0
    for j in range(count):
        jobs = np.ceil((w - rows.foffset[j]) * rows.low[j])
        total += (jobs if jobs > 0.0 else 0.0) * rows.fcost[j]
    return total if total < EXACT else 0.0


@kernel
def demand(rows, count, t):
    """What the first `count` rows must have finished in a window of length `t`, exactly; `offset` is the first deadline here."""
    total = 0
    for j in range(count):
        x = t - rows.offset[j]
        if x >= 0:
            jobs = int(float(x) * rows.low[j])
            while (jobs + 1) * rows.period[j] <= x:
                jobs += 1
            total += (jobs + 1) * rows.cost[j]
    return total


@partial(kernel, reorder=True)
def at_least_demand(rows, count, t):
    """A float that is never below `demand`; infinite if it would not be a whole number."""
    total = 0.0
    for j in range(count):
        total += max(0.0, np.floor((t - rows.foffset[j]) * rows.high[j]) + 1.0) * rows.fcost[j]
    return total if total < EXACT else np.inf


@kernel
def fits(rows, count, horizon):
    """True if no sum over a window of length `horizon` can pass 2^62."""
    total = 0.0
    for j in range(count):
        total += rows.fcost[j] * ((float(horizon) + abs(rows.foffset[j])) * rows.high[j] + 2.0)
    return total < 2.0**61
