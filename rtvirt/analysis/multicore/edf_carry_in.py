"""Responses under global EDF, if at most m − 1 tasks carry work into a window (the window of Baruah 2007, the responses of Guan et al. 2009).

Take a job of task k, released at r with its deadline d = r + D, and x <= D. It is done by r + x, if for every A >= 0

    sum of I_i < m·L,   where L = A + x − C + 1,

and I_i is the most that task i may do, by jobs with deadlines up to d, of L units of time out of a window of A + x.

Why. Later deadlines do not disturb, so leave such jobs out of the schedule. Let r − A be the last instant up to r, just before which not all m pCPUs
worked. If the job is not done by r + x, it has run for C − 1 units at most since r, so in x − C + 1 units it waited, and all pCPUs ran others. So they
did in all of the A units before. In these L units the others, and earlier jobs of k, did m·L, and none of the tasks did more than L.

What may task i do in the window? In the unit before it fewer than m tasks had work, and all of them ran. So at most m − 1 carry a job in, and at
least one unit of this job is done; of task i it leaves C_i − 1 at most. Both of these are bounds on I_i, and the smaller counts:

* by deadlines: with t = A + D, N = floor((t − D_i) / T_i) + 1 jobs have both release and deadline in [r − A, d]. A job before these was released
  t − D_i − N·T_i after r − A at the latest (a negative number), so if it ends within R_i, it does min(C_i − 1, t − N·T_i − (D_i − R_i)) in the window.
* by releases: what `without_carry_in` and `with_carry_in` find in a window of A + x; they are about arrivals, whatever the scheduler.

Of k itself, the job in question is one of the N, and is taken away.

Which R_i may be used? Suppose that all deadlines before d are met. A job that counts has its deadline before d, or at d; if R_i = D_i, all that the
formula says of it is that it stops at its deadline, which is no earlier than the end of the window in the second case, and true in the first. So a
bound found with these holds for each job before whose deadline none was missed; and so, by induction, does one that is found with such bounds. If
each task has a bound up to its deadline, there is no first miss, and they hold for all jobs. The bounds are those of `others` in `global_edf.py`
to begin with, which rest on the same supposition.

The window asked for is the least x that no A speaks against. Each A by itself may have a smaller one, and each choice of carriers (as "rta-ce" has it
for fixed priorities); both would be safe, and are not looked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from ...errors import LimitError
from ..limits import SAFE, TOO_LARGE, refuse
from .limited_carry_in import every
from .rows import Sporadic, total

MOST_POINTS = 200_000     # values of A that are looked at for a task
SOME = 500                # at a time, about
STEPS = 10_000            # by which a window grows


def carried_responses(rows: Sequence[Sporadic], bounds: Sequence[int | None], m: int, rounds: int) -> list[int | None]:
    """Bounds of responses that start from some others, improved in turn until nothing changes.

    Where it takes too many steps to say, a bound stays as it is.
    """
    found = list(bounds)
    for _ in range(rounds if total(rows) < m else 0):
        before = list(found)
        for k in range(len(rows)):
            try:
                better = carried_response(rows, k, found, m)
            except LimitError:
                continue
            if better is not None and (found[k] is None or better < found[k]):
                found[k] = better
        if found == before:
            break
    return found


def carried_response(rows: Sequence[Sporadic], k: int, bounds: Sequence[int | None], m: int) -> int | None:
    """The least x up to the deadline of k that no A speaks against; None if there is none."""
    table = np.array([(row.cost, row.deadline, row.period, row.deadline if bound is None else bound) for row, bound in zip(rows, bounds)], np.int64)
    x, end, seen = rows[k].cost, longest_before(rows, k, m), 0
    reach = float(end + rows[k].deadline + 2 * max(row.period for row in rows))
    refuse(TOO_LARGE if (len(rows) + m) * reach > SAFE else 0, rows[k].name)
    stretch = int(SOME / float((14.0 / table[:, 2]).sum())) + 1
    settled = 0
    while x != settled:                                  # where the bends are depends on x: look at all once more after a change
        settled = x
        for low in range(0, end + 1, stretch):
            high = min(end, low + stretch - 1)
            for step in range(STEPS + 1):
                a = instants(table, k, x, low, high)
                seen += len(a)
                if seen > MOST_POINTS or step == STEPS:
                    raise LimitError(f"more than {MOST_POINTS:,} windows of {rows[k].name!r} to look at")
                longer = int((taken(table, k, m, x, a) // m - a).max()) + rows[k].cost
                if longer <= x:
                    break
                x = longer
                if x > rows[k].deadline:
                    return None
    return x


def longest_before(rows: Sequence[Sporadic], k: int, m: int) -> int:
    """No larger A speaks against any x [ns]: straight lines above what may be done, by deadlines and by releases, and below m·L cross there."""
    used, carried = total(rows), sum(sorted(row.cost - 1 for row in rows)[max(0, len(rows) - m + 1):])
    by_deadlines = used * rows[k].deadline + sum(row.utilization * (row.period - row.deadline) for row in rows) - rows[k].cost
    by_releases = used * rows[k].cost + sum(row.cost * (1 - row.utilization) for row in rows)
    return max(0, int((min(by_deadlines, by_releases) + carried - m) / (m - used)))


def taken(table: np.ndarray, k: int, m: int, x: int, a: np.ndarray) -> np.ndarray:
    """(windows,) int64 [ns]: the sum of all I_i for windows that begin `a` before a release of k, and end `x` after it."""
    cut = (a + x - table[k, 0] + 1)[:, None]
    fresh_due, fresh, carried_due, carried = pieces(table, k, x, a)
    fresh = np.minimum(np.minimum(fresh_due, fresh), cut)
    gain = np.minimum(np.minimum(carried_due, carried), cut) - fresh
    if m - 1 < len(table):
        gain = np.partition(gain, len(table) - m, axis=1)[:, len(table) - m + 1:]
    return fresh.sum(axis=1) + gain.sum(axis=1)


def pieces(table: np.ndarray, k: int, x: int, a: np.ndarray) -> np.ndarray:
    """(4, windows, tasks) int64 [ns]: what a task may do that carries nothing in, by deadlines and by releases, and the same of one that does."""
    cost, deadline, period, response = table.T
    due, length, own = (a + deadline[k])[:, None], (a + x)[:, None], np.arange(len(table)) == k
    jobs = np.maximum(0, (due - deadline) // period + 1)
    fresh_due = (jobs - own) * cost
    carried_due = fresh_due + np.clip(due - jobs * period - (deadline - response), 0, cost - 1)
    fresh = length // period * cost + np.minimum(length % period, cost)
    after = np.maximum(length - cost, 0)
    carried = (after // period + 1) * cost + np.clip(after % period - (period - response), 0, cost - 1)
    return np.stack([fresh_due, fresh, carried_due, carried])


def instants(table: np.ndarray, k: int, x: int, low: int, high: int) -> np.ndarray:
    """The values of A from `low` to `high` that must be looked at.

    Between two of them all pieces and the cut are straight lines that do not cross. So what is taken, a sum with some of the largest gains, is
    convex there, and exceeds no line that it does not exceed at an end.
    """
    cost, deadline, period, response = table.T
    slack, due = deadline - response, -table[k, 1]
    firsts = [deadline + due, slack + due, slack + cost - 1 + due, 0 * cost - x, cost - x, cost - response - x, 2 * cost - 1 - response - x]
    steps = np.concatenate([every(int(first), int(step), low, high) for some in firsts for first, step in zip(some, period)])
    points = np.unique(np.concatenate([[low, high], steps, steps[steps > low] - 1]))
    at = points[:-1]
    lines = [*pieces(table, k, x, at), np.broadcast_to((at + x - table[k, 0] + 1)[:, None], (len(at), len(table)))]
    crossings = np.stack([np.abs(one - two) for one, two in combinations(lines, 2)]) + at[:, None]
    return np.unique(np.concatenate([points, crossings[(crossings > at[:, None]) & (crossings < points[1:, None])]]))
