"""Response times under fixed priorities: one kernel for one set and for a million.

The response of job q in the *busy period* of task i, which begins with everything more important arriving together, is found from its
last part that cannot be preempted. In whole nanoseconds its first ns ends at the least x with

    supply(x) >= blocking + (q + 1)·C − last + 1 + requests of more important tasks in [0, x)

and from there on nothing comes between. ``last = 1`` is preemptive scheduling, ``last = C`` is not, and everything between is limited
preemption. The busy period is over when q + 1 jobs and all that is more important are done before job q + 1 arrives.

References: Joseph and Pandya 1986; Lehoczky 1990 (several jobs); Tindell, Burns and Wellings 1994 (jitter); George, Rivierre and Spuri 1996
and Davis, Burns, Bril and Lukkien 2007 (not preemptive, several jobs); Bril, Lukkien and Verhaegh 2009 (limited preemption).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..jit import kernel
from .limits import FUEL, MISSED, NEVER, SAFE, TOO_LARGE, TOO_LONG, compiled
from .pattern import needed
from .requests import FEW, at_most_requests, put_row, requests


class Sets(NamedTuple):
    """Sets of tasks, end to end, each highest priority first."""

    tasks: np.ndarray         # (sets + 1,) where each set's tasks begin
    stairs: np.ndarray        # (tasks + 1,) where each task's staircases begin
    cost: np.ndarray          # (tasks,) [ns]
    deadline: np.ndarray      # (tasks,) [ns]; NEVER: answer for any response
    blocking: np.ndarray      # (tasks,) [ns] by less important work
    last: np.ndarray          # (tasks,) [ns] last part that cannot be preempted: 1 … cost
    horizon: np.ndarray       # (tasks,) [ns] no busy period is longer
    stair_period: np.ndarray  # (stairs,) [ns]
    stair_offset: np.ndarray  # (stairs,) [ns]


@kernel
def settle(sup, rows, count, own, start, horizon):
    """Least w with supply(w) >= own + requests(w), from a `start` that is not above it; > `horizon` if it is beyond; TOO_LONG."""
    w = start
    if count > FEW:                                      # floats never overshoot: they bring us near
        for _ in range(FUEL):
            later = needed(sup, own + int(at_most_requests(rows, count, float(w))))
            if later <= w or w > horizon:
                break
            w = later
    for _ in range(FUEL):
        if w > horizon:
            return w
        later = needed(sup, own + requests(rows, count, w))
        if later <= w:
            return w
        w = later
    return TOO_LONG


@kernel
def arrival(rows, first, count, job):
    """Arrival of the job number `job` of the task with staircases [first, first + count), all of them beginning as early as they can."""
    if count == 1:
        if job == 0:
            return rows.offset[first]
        return NEVER if rows.period[first] == NEVER else rows.offset[first] + job * rows.period[first]
    low, high = rows.offset[first] - 1, NEVER - 1        # bisect: the least t until which job + 1 have come
    for j in range(first, first + count):
        low = min(low, rows.offset[j] - 1)
    while high - low > 1:
        middle = low + (high - low) // 2
        come = 0
        for j in range(first, first + count):
            if middle >= rows.offset[j]:
                come += (middle - rows.offset[j]) // rows.period[j] + 1
        if come > job:
            high = middle
        else:
            low = middle
    return NEVER if high == NEVER - 1 else high


@kernel
def response(sup, rows, first, count, cost, blocking, last, deadline, horizon, start, released):
    """Longest time from arrival (or, if `released`, from release) to completion; MISSED, TOO_LONG; and where the first fixed point was.

    More important staircases are rows [0, first), the task's own [first, first + count). No answer beyond `horizon`: TOO_LONG.
    """
    worst, came, x, first_x = 0, arrival(rows, first, count, 0), start, 0
    for job in range(FUEL):
        limit = horizon if deadline == NEVER else min(horizon, came + deadline)
        x = settle(sup, rows, first, blocking + (job + 1) * cost - last + 1, x, limit)
        if job == 0:
            first_x = x
        if x < 0 or x > horizon:
            return TOO_LONG, first_x
        done = x if last == 1 else needed(sup, blocking + (job + 1) * cost + requests(rows, first, x))
        if done - came > deadline:
            return MISSED, first_x
        if done > horizon:
            return TOO_LONG, first_x
        worst = max(worst, done - max(came, 0) if released else done - came)
        over = done if last == 1 else settle(sup, rows, first, blocking + (job + 1) * cost, done, horizon)
        if over < 0:
            return TOO_LONG, first_x
        came = arrival(rows, first, count, job + 1)
        if over <= came:
            return worst, first_x
    return TOO_LONG, first_x


def _bounds(sup, sets, rows, released, out):             # type: ignore[no-untyped-def]
    """Response of every task into `out` (tasks,): a bound [ns], MISSED, TOO_LARGE, TOO_LONG. A task without staircases has none."""
    for s in range(len(sets.tasks) - 1):
        begin = sets.stairs[sets.tasks[s]]
        carried, held, load, shift, most, few = 0, 0, 0.0, 0.0, 0.0, 0.0
        for i in range(sets.tasks[s], sets.tasks[s + 1]):
            first, count = sets.stairs[i] - begin, sets.stairs[i + 1] - sets.stairs[i]
            cost, blocking, last, horizon = sets.cost[i], sets.blocking[i], sets.last[i], sets.horizon[i]
            for j in range(first, first + count):
                put_row(rows, j, cost, sets.stair_period[begin + j], sets.stair_offset[begin + j])
                most += rows.fcost[j] * rows.high[j]
                few += rows.fcost[j] * (abs(rows.foffset[j]) * rows.high[j] + 2.0)
            # Where to begin: the task before, which this one waits for, was not done earlier; and rounding up makes nothing smaller.
            own = cost - last + 1
            start = carried + own if blocking >= held else own
            if load < 0.999:
                start = max(start, int((float(blocking + own) - shift) / (1.0 - load) * (1.0 - 2.0**-40)))
            held = blocking
            if count == 0:
                out[i], carried = TOO_LONG, 0
            elif float(horizon) * most + few + float(blocking) > SAFE:
                out[i], carried = TOO_LARGE, 0
            else:
                out[i], carried = response(sup, rows, first, count, cost, blocking, last, sets.deadline[i], horizon, start, released)
            for j in range(first, first + count):
                load += rows.fcost[j] * rows.low[j]
                shift += rows.fcost[j] * rows.low[j] * rows.foffset[j]
                if rows.offset[j] > 0:                   # the arguments above want arrivals at 0
                    carried, load = 0, 1.0


bounds_of = compiled(_bounds)
