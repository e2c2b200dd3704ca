"""Proofs for certificates: fixed points where deadlines are met, chains of windows where they may not be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np

from ...errors import LimitError
from ..edf import exact_horizon
from ..fixed_priority import nth_arrival
from ..limits import HORIZON, NEVER
from ..pattern import Pattern
from ..requests import make_rows
from ..supply import FixedPriorityPartition, Supply
from ..tasksets import TaskSet

Row = tuple[int, int, int]          # cost, period, jitter [ns]
LONGEST = 100_000                   # most steps of a proof


@dataclass(frozen=True)
class Line(Supply):
    """A supply without what more important work takes from it."""

    whole: Supply

    @cached_property
    def pattern(self) -> Pattern:
        """The bare line."""
        form = self.whole.pattern.form.copy()
        form[-1] = 0
        return self.whole.pattern._replace(form=form, less=make_rows([], [], []))


def less_of(supply: Supply) -> list[Row]:
    """What more important work takes from it."""
    if not isinstance(supply, FixedPriorityPartition):
        return []
    return [(cost, period, -offset) for cost, period, offset in supply.stairs()] + less_of(supply.on)


def rows_of(asked: TaskSet) -> list[Row]:
    """All releases of some tasks."""
    return [(int(c), int(t), -int(o)) for c, t, o in zip(asked.stair_cost, asked.stair_period, asked.stair_offset)]


def requests(rows: list[Row], t: int) -> int:
    """What they ask for in [0, t)."""
    return sum(cost * (-(-(t + jitter) // period) if period < NEVER else 1) for cost, period, jitter in rows if t + jitter > 0)


def reached(line: Supply, asks: Callable[[int], int], most: int = HORIZON) -> int:
    """The smallest window that brings what is asked for in it [ns]."""
    t = 1
    for _ in range(LONGEST):
        later = line.inverse(asks(t))
        if later is None or later > most:
            break
        if later <= t:
            return t
        t = later
    raise LimitError("the fixed point is too far away to be written down")


def gaps(line: Supply, asks: Callable[[int], int], limit: int) -> list[tuple[int, int]]:
    """Windows [a, b] without gaps up to `limit`: even b brings less than a asks for, so no t in it will do."""
    found, a = [], 1
    while a <= limit:
        until = line.inverse(asks(a))
        b = limit if until is None else min(limit, until - 1)
        if b < a or len(found) > LONGEST:
            raise LimitError("too many windows to be written down")
        found.append((a, b))
        a = b + 1
    return found


def hopeless(asked: TaskSet, supply: Supply) -> dict[str, Any] | None:
    """Unbounded work, or more than is supplied in the long run."""
    if not asked.bounded.all():
        return {"endless": next(name for name, known in zip(asked.names, asked.bounded) if not known)}
    return {"overload": 1} if asked.utilization() > supply.rate else None


def fp_proof(asked: TaskSet, supply: Supply, k: int, late: list[str], held: int) -> dict[str, Any]:
    """Of task `k`, in order of priority: when each job of its longest busy period is done, or why one is late."""
    if (reason := hopeless(asked.pick(range(k + 1)), supply)) is not None:
        return reason
    line, own, above = Line(supply), asked.pick([k]), rows_of(asked.pick(range(k))) + less_of(supply)
    cost, deadline, jobs = int(asked.cost[k]), int(asked.deadline[k]), []
    while len(jobs) < LONGEST:
        work, came = held + (len(jobs) + 1) * cost, nth_arrival(own, len(jobs))
        if asked.names[k] in late:
            try:
                return {"job": len(jobs), "gaps": gaps(line, lambda t, work=work: work + requests(above, t), came + deadline)}
            except LimitError:
                pass                                  # this job is in time
        jobs.append(reached(line, lambda t, work=work: work + requests(above, t)))
        if asked.names[k] not in late and jobs[-1] <= max(0, nth_arrival(own, len(jobs))):
            return {"jobs": jobs}
    raise LimitError("too many jobs to be written down")


def edf_proof(asked: TaskSet, supply: Supply, late: bool, first: int = -NEVER) -> dict[str, Any]:
    """Steps (t, u) down from a horizon: what is due by t is there by u <= t, and nothing is due between u and the next t; no t is before `first`."""
    due = asked.pick([i for i in range(len(asked)) if asked.deadline[i] < NEVER])
    if (reason := hopeless(due, supply)) is not None:
        return reason
    if due.utilization() == supply.rate:
        raise LimitError("the tasks need all of the supply: no horizon is small enough to be written down")
    rows = [(int(c), int(t), int(d)) for c, t, d in zip(due.stair_cost, due.stair_period, due.deadline_rows().offset)]
    line, less = Line(supply), less_of(supply)

    def demand(t: int) -> int:
        return sum(cost * ((t - d) // period + 1 if period < NEVER else 1) for cost, period, d in rows if t >= d) if t >= first else 0

    def asks(work: int, t: int) -> int:
        return work + requests(less, t)

    t, steps = exact_horizon(due, supply), []
    horizon = t
    while (work := demand(t)) > 0 and len(steps) < LONGEST:
        try:
            u = reached(line, partial(asks, work), t)
        except LimitError:
            if not late:
                raise
            return {"window": t, "gaps": gaps(line, partial(asks, work), t)}
        steps.append((t, u))
        t = max([d + (u - 1 - d) // period * period if period < NEVER else d for _, period, d in rows if d < u], default=0)
        t = u - 1 if t < first < u else t
    if late or len(steps) == LONGEST:
        raise LimitError("no window was found that is small enough to be written down")
    return {"horizon": horizon, "steps": steps}


def fifo_proof(asked: TaskSet, supply: Supply, late: bool) -> dict[str, Any]:
    """First come, first served, is EDF with one deadline for all, counted from releases: the least that some task leaves after its jitter."""
    jitter = np.array([max(0, -int(asked.stair_offset[a:b].min(initial=0))) for a, b in zip(asked.first, asked.first[1:])], np.int64)
    room = int((asked.deadline - jitter)[asked.deadline < NEVER].min())
    return edf_proof(replace(asked, deadline=np.full(len(asked), room)), supply, late, room)
