"""How much one task may run in a window of time on several pCPUs, and how long that can keep another from running.

A job waits only while *all* pCPUs run others. So the work of the others is shared by m pCPUs; and of each other task only what runs beside the
waiting counts, which is why its work is cut at the length of the wait, plus 1: one unit more than the wait, and the job would have waited longer
(Bertogna and Cirinei 2007, theorem 1; integers, as everywhere here).
"""

from __future__ import annotations

from collections.abc import Callable

from ...errors import LimitError
from .rows import Sporadic

STEPS = 100_000           # after so many a fixed point is given up


def workload(row: Sporadic, window: int, response: int) -> int:
    """Most work in any window [ns], if every job ends within `response`: the first as late as it may, the others as early as they may.

    Bertogna, Cirinei and Lipari, TPDS 20(4), 2009, equations 3 and 4.
    """
    reach = window + response - row.cost
    jobs = reach // row.period
    return jobs * row.cost + min(row.cost, reach - jobs * row.period)


def urgent_work(row: Sporadic, window: int, slack: int = 0) -> int:
    """Most work in a window that ends with a deadline, by jobs with deadlines not after that, if every job ends `slack` before its own [ns].

    Deadlines aligned: the last job's is the window's end (Bertogna and Cirinei 2007, lemma 4). Deadlines must not exceed periods.
    """
    jobs, rest = divmod(window, row.period)
    return jobs * row.cost + min(row.cost, max(0, rest - slack))


def due_within(row: Sporadic, window: int) -> int:
    """Most work by jobs whose release and deadline are both in a window [ns] (Baruah 2007)."""
    return max(0, (window - row.deadline) // row.period + 1) * row.cost


def due_with_carry_in(row: Sporadic, window: int, response: int) -> int:
    """Most work by jobs with deadlines in a window at whose beginning one of them has already run for a unit [ns].

    The last deadline is the window's end; the job carried in is released so long before the others, and ends within `response`.
    """
    jobs = max(0, (window - row.deadline) // row.period + 1)
    carried = max(0, window - jobs * row.period - (row.deadline - response))
    return jobs * row.cost + min(carried, row.cost - 1)


def without_carry_in(row: Sporadic, window: int) -> int:
    """Most work in a window that begins when the task has nothing left to do [ns] (Guan et al. 2009, equation 3)."""
    jobs, rest = divmod(window, row.period)
    return jobs * row.cost + min(rest, row.cost)


def with_carry_in(row: Sporadic, window: int, response: int) -> int:
    """Most work in a window at whose beginning one of its jobs has already run for a unit [ns] (Guan et al. 2009, equation 4)."""
    after = max(window - row.cost, 0)
    jobs, rest = divmod(after, row.period)
    carried = max(0, rest - (row.period - response))
    return jobs * row.cost + row.cost + min(carried, row.cost - 1)


def longest_wait(taken: Callable[[int], int], cpus: int, most: int) -> int:
    """Longest time that all `cpus` can be taken from a job [ns], up to `most`; `most` + 1 if longer.

    `taken(e)` is what the others do, each cut at e. Waiting for w needs that ``taken(w) >= cpus·w``; once that fails it fails for every longer
    wait, since a task that is not cut any more does not grow. As `taken` does not shrink, a wait that fails excludes all down to
    ``taken(w) // cpus``: mostly a few such steps end it, and halving in between sees to it that it never takes many.
    """
    low, wait = 0, most + 1                              # possible, and not yet excluded: all beyond it is, or was not asked for
    while wait > low and (found := taken(wait)) < cpus * wait:
        wait = max(low, found // cpus)
        middle = (low + wait) // 2
        if (found := taken(middle)) >= cpus * middle:
            low = middle
        else:
            wait = max(low, found // cpus)
    return wait


def fixed_point(cost: int, taken_in: Callable[[int], Callable[[int], int]], cpus: int, limit: int) -> int | None:
    """Least window that holds a job of `cost` and its wait [ns]; None if that is longer than `limit`.

    `taken_in(x)` is what the others do in a window x, as `longest_wait` wants it.
    """
    window = cost
    for _ in range(STEPS):
        if window > limit:
            return None
        longer = cost + longest_wait(taken_in(window), cpus, limit - cost)
        if longer == window:
            return window
        window = longer
    raise LimitError(f"no response within {STEPS:,} steps: lower the utilization a little, or use a coarser unit of time")
