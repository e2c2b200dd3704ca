"""Earliest deadline first: the demand bound against the supply, from the far end; response times; first come, first served.

*QPA on a supply.* A set fits if dbf(t) <= sbf(t) for all t up to a horizon beyond which it cannot fail. From t downwards: let u be the
smallest window that brings dbf(t). If u > t, t is a witness. If u < t, everything between fits (dbf is at most dbf(t) there, and sbf at least
that), so go on at u; if u = t, at t − 1. On a dedicated pCPU u = dbf(t), and this is the algorithm of Zhang and Burns. Floats that are never too
small may take the place of dbf(t) as long as the walk goes down; only exact numbers make a witness.

References: Zhang and Burns, Schedulability analysis for real-time systems with EDF scheduling, IEEE Trans. Computers 58(9), 2009. Spuri,
Analysis of deadline scheduled real-time systems, INRIA RR-2772, 1996 (response times). George, Rivierre and Spuri, INRIA RR-2966, 1996 (blocking).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..jit import kernel
from .limits import FINE, FUEL, HORIZON, MISSED, NEVER, SAFE, TOO_CLOSE, TOO_LARGE, TOO_LONG, compiled
from .pattern import needed
from .requests import EXACT, FEW, at_least_demand, demand, put_row, requests

CLOSE = 1e-9              # of utilization and rate: floats decide beyond this only


class DeadlineSets(NamedTuple):
    """Sets of staircases, end to end."""

    stairs: np.ndarray        # (sets + 1,) where each set's staircases begin
    cost: np.ndarray          # (stairs,) [ns]
    period: np.ndarray        # (stairs,) [ns]
    due: np.ndarray           # (stairs,) [ns] first deadline: offset + relative deadline
    hold_until: np.ndarray    # (holds,) [ns] relative deadlines of what may hold others up, ascending; for all sets
    hold: np.ndarray          # (holds,) [ns] most that one with this or a later deadline may hold


@kernel
def held(sets, t):
    """Longest that work with a deadline beyond `t` may hold up work with one within it; and from when on it is no longer."""
    since = 0
    for k in range(len(sets.hold)):
        if sets.hold_until[k] > t:
            return sets.hold[k], since
        since = sets.hold_until[k]
    return 0, since


@kernel
def last_deadline(rows, count, t):
    """The last deadline that is not after `t`; there is one."""
    last = 0
    for j in range(count):
        if rows.offset[j] <= t:
            last = max(last, t - (t - rows.offset[j]) % rows.period[j])
    return last


@kernel
def search(sup, sets, rows, count, horizon, bottom):
    """Largest window of [bottom, horizon] in which the demand is more than the supply, cut to the deadline it ends with; FINE; TOO_LONG."""
    t, holds = horizon, len(sets.hold) > 0
    for _ in range(FUEL):
        if t < bottom:
            return FINE
        if count > FEW and not holds:
            rough = at_least_demand(rows, count, float(t))
            if rough < EXACT:
                u = needed(sup, int(rough))
                if u < t:
                    t = u
                    continue
        work = demand(rows, count, t)
        if work == 0:
            return FINE
        floor = 0
        if holds:
            most, floor = held(sets, t)
            work += most
        u = needed(sup, work)
        if u > NEVER:
            return TOO_LONG
        if u > t:
            return last_deadline(rows, count, t)         # as much is due by then, and less is supplied
        u = max(u, floor)                                # below it more may be held up
        t = u if u < t else t - 1
    return TOO_LONG


@kernel
def demand_horizon(rate, delay, rows, count):
    """A window beyond which dbf(t) <= rate·(t − delay) for certain; MISSED if the utilization is above the rate; TOO_CLOSE.

    dbf(t) <= sum of U·(t + T − due), from the largest due − T on; or with max(0, T − due), everywhere. The better of the two.
    """
    used, signed, clipped, latest = 0.0, rate * delay, rate * delay, 0.0
    for j in range(count):
        share = rows.fcost[j] / float(rows.period[j])
        slack = float(rows.period[j]) - rows.foffset[j]
        used += share
        signed += share * slack
        clipped += share * max(0.0, slack)
        latest = max(latest, -slack)
    if used > rate + CLOSE:
        return MISSED
    if used > rate - CLOSE:
        return TOO_CLOSE
    spare = (rate - used) * (1.0 - 1e-5)                 # rounding is below 1e-5 of the least spare there is
    bound = min(clipped / spare, max(latest, signed / spare))
    return int(bound) + 2 if bound < 2.0**60 else TOO_LARGE


def _verdicts(sup, rate, delay, sets, rows, horizon, out):           # type: ignore[no-untyped-def]
    """Of every set into `out` (sets,): FINE, the length of a violating window, MISSED (overload), or why there is no answer.

    `horizon` (sets,) of −1 is found here; another is taken as given.
    """
    for s in range(len(sets.stairs) - 1):
        begin, count = sets.stairs[s], sets.stairs[s + 1] - sets.stairs[s]
        most, few = 0.0, 0.0
        for j in range(count):
            put_row(rows, j, sets.cost[begin + j], sets.period[begin + j], sets.due[begin + j])
            most += rows.fcost[j] * rows.high[j]
            few += rows.fcost[j] * (abs(rows.foffset[j]) * rows.high[j] + 2.0)
        end = horizon[s] if horizon[s] >= 0 else demand_horizon(rate, delay, rows, count)
        if end >= 0 and len(sets.hold):
            end = max(end, sets.hold_until[len(sets.hold) - 1])
        if end < 0:
            out[s] = end
        elif float(end) * most + few > SAFE:
            out[s] = TOO_LARGE
        else:
            out[s] = search(sup, sets, rows, count, end, 0)


@kernel
def competing(rows, due, first, count, w, until, deadline):
    """Requests in [0, w) of the rows [0, count) but [first, …) of the task itself, of jobs that are due by `until` + deadline."""
    total = 0
    for j in range(count):
        if j >= first[0] and j < first[1]:
            continue
        x, room = w - rows.offset[j], until + deadline - due[j] - rows.offset[j]
        if x > 0 and room >= 0:
            total += min((x - 1) // rows.period[j] + 1, room // rows.period[j] + 1) * rows.cost[j]
    return total


@kernel
def own_jobs(rows, first, last, a):
    """Jobs of the task itself that arrive up to `a`, at most."""
    total = 0
    for j in range(first, last):
        if a >= rows.offset[j]:
            total += (a - rows.offset[j]) // rows.period[j] + 1
    return total


@kernel
def edf_finish(sup, rows, due, span, count, a, deadline, cost, horizon):
    """When a job that arrives at `a` is done at the latest, in a busy period of work that is due no later; > horizon; TOO_LONG."""
    own = own_jobs(rows, span[0], span[1], a) * cost
    w = own
    for _ in range(FUEL):
        if w > horizon:
            return w
        later = needed(sup, own + competing(rows, due, span, count, w, a, deadline))
        if later <= w:
            return w
        w = later
    return TOO_LONG


@kernel
def next_change(rows, due, count, a, deadline):
    """Next arrival time after `a` at which more work is due before the task's deadline."""
    best = NEVER
    for j in range(count):
        start = rows.offset[j] + due[j] - deadline
        if start > a:
            best = min(best, start)
        elif rows.period[j] < NEVER:
            best = min(best, start + ((a - start) // rows.period[j] + 1) * rows.period[j])
    return best


def _edf_responses(sup, rows, stairs, cost, due, deadline, horizon, released, out):          # type: ignore[no-untyped-def]
    """Response of every task under EDF into `out` (tasks,); TOO_LONG. `due` is the relative deadline of each staircase's task.

    Spuri: the worst job of a task arrives at some a in a busy period of work that is due no later, in which all other tasks arrive together;
    only such a matter at which another deadline, or an arrival of its own, falls due.
    """
    count = len(rows.cost)
    for i in range(len(cost)):
        span = (stairs[i], stairs[i + 1])
        a, worst = NEVER, 0
        for j in range(span[0], span[1]):
            a = min(a, rows.offset[j])
        for _ in range(FUEL):
            done = edf_finish(sup, rows, due, span, count, a, deadline[i], cost[i], horizon)
            if done < 0 or done > horizon:
                worst = TOO_LONG
                break
            worst = max(worst, done - max(a, 0) if released else done - a)
            a = next_change(rows, due, count, a, deadline[i])
            if a >= horizon:
                break
        out[i] = worst if a >= horizon or worst == TOO_LONG else TOO_LONG


def _fifo_responses(sup, rows, stairs, horizon, released, out):      # type: ignore[no-untyped-def]
    """Response of every task, first come first served, into `out` (tasks,); TOO_LONG. One answer for all, but for release jitter.

    A job released at a waits for all that was released by then: done by inverse(requests in [0, a]).
    """
    count, a, worst = len(rows.cost), 0, 0
    for _ in range(FUEL):
        worst = max(worst, needed(sup, requests(rows, count, a + 1)) - a)
        after = NEVER
        for j in range(count):
            if rows.offset[j] > a:
                after = min(after, rows.offset[j])
            elif rows.period[j] < NEVER:
                after = min(after, rows.offset[j] + ((a - rows.offset[j]) // rows.period[j] + 1) * rows.period[j])
        a = after
        if a >= horizon:
            break
    for i in range(len(stairs) - 1):
        late = 0
        for j in range(stairs[i], stairs[i + 1]):
            late = max(late, -rows.offset[j])
        out[i] = (worst if released else worst + late) if a >= horizon and worst < HORIZON else TOO_LONG


verdicts_of = compiled(_verdicts)
edf_responses_of = compiled(_edf_responses)
fifo_responses_of = compiled(_fifo_responses)
