"""Arrival curves: how many jobs may come in a window, as a few staircases.

Whatever repeats in the end is a sum of staircases. With ``distance(k)`` the smallest window that holds arrival 0 and arrival k, a burst
is single arrivals at their smallest distances, followed by one staircase for the rest; release jitter J is an offset of −J.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import Problem, SpecError
from .kernels_demand import requests_of
from .limits import NEVER, whole_times
from .requests import Rows, make_rows

LONGEST_LIST = 4096


@dataclass(frozen=True)
class ArrivalCurve:
    """At most so many arrivals in a window, wherever it begins.

    Parameters
    ----------
    stairs : sequence of (period, offset) [ns]
        One arrival at offset, offset + period, …; a period of 2^62 is "once". An offset of −J is a release jitter of J.

    Notes
    -----
    Made by `periodic`, `bursts` or `listed`.

    References
    ----------
    Thiele et al. 2000 (arrival curves); Richter, Compositional scheduling analysis using standard event models, 2005 (period, jitter, distance).

    Examples
    --------
    >>> bursts(period=10, jitter=25, distance=2).count([1, 2, 3, 5, 7, 16]).tolist()
    [1, 1, 2, 3, 4, 5]
    """

    stairs: tuple[tuple[int, int], ...]

    @property
    def rows(self) -> Rows:
        """The stairs as kernels read them, one job each."""
        return make_rows([1] * len(self.stairs), [period for period, _ in self.stairs], [offset for _, offset in self.stairs])

    def count(self, t: Any) -> Any:
        """Most arrivals in a window [0, t); t is an int, or an array of int [ns]."""
        times = whole_times(t, "t")
        out = np.empty(times.size, np.int64)
        requests_of(self.rows, times.ravel(), out)
        return out.reshape(times.shape) if times.shape else int(out[0])


def periodic(period: int, *, jitter: int = 0) -> ArrivalCurve:
    """Every `period`, or at least so far apart (sporadic); each up to `jitter` late [ns]."""
    return ArrivalCurve(((period, -jitter),))


def bursts(*, period: int, jitter: int, distance: int) -> ArrivalCurve:
    """Periodic with jitter, but never closer than `distance` [ns]: ``distance(k) = max(k·distance, k·period − jitter)``."""
    if not 1 <= distance <= period:
        raise SpecError([Problem("bursts.distance", distance, f"1 to the period, {period}", "give the least distance of two arrivals")])
    alone = 0 if jitter <= 0 or distance == period else -(-jitter // (period - distance))      # arrivals with k·distance > k·period − jitter
    if alone > LONGEST_LIST:
        raise SpecError([Problem("bursts.jitter", jitter, f"less than {LONGEST_LIST} arrivals in a burst", "give a larger distance")])
    single = [(NEVER, k * distance) for k in range(alone)]
    return ArrivalCurve((*single, (period, max(alone * distance, alone * period - jitter))))


def listed(releases: Any) -> ArrivalCurve:
    """Exactly these arrivals [ns], in order: for k + 1 of them the smallest window that holds as many."""
    times = np.asarray(releases, np.int64)
    if not 0 < len(times) <= LONGEST_LIST:
        raise SpecError([Problem("releases", f"{len(times)} times", f"1 to {LONGEST_LIST}, to be analysed",
                                 "analyse a part of the list, or its least distance")])
    return ArrivalCurve(tuple((NEVER, int((times[k:] - times[:len(times) - k]).min())) for k in range(len(times))))
