"""The smallest budget that is enough: EDF from the demand bound, fixed priorities by bisection.

*EDF.* A window in which the demand is more than the supply asks for a larger budget, and says how large at least. More budget never breaks a
window that was fine. So walks down to zero, over stretches that double, find the answer: at a witness, raise the budget until that window
fits, and go on.

*Fixed priorities.* Each task in turn: if the budget so far is enough, go on; else bisect for this task.
"""

from __future__ import annotations

from ..jit import kernel
from .kernels_edf import demand_horizon, search
from .kernels_fp import response
from .limits import FINE, FUEL, MISSED, NEVER, SAFE, TOO_CLOSE, TOO_LARGE, TOO_LONG, compiled
from .pattern import CORNERS, GAIN, LESS, PERIOD, START, UNIT, supplied
from .requests import demand, put_row

REACH = 2**58             # how far a response is followed
TURNS = 1 << 12           # and for how many of the longest period: a busy period that is longer is looked at elsewhere


@kernel
def set_budget(sup, period, deadline, budget):
    """Make a pattern with room for three corners that of an EDP resource (`supply.periodic.late_budgets`)."""
    blackout = period + deadline - 2 * budget
    form = sup.form
    form[CORNERS], form[START], form[PERIOD], form[GAIN], form[UNIT], form[LESS] = 3, blackout, period, budget, 1, 0
    sup.at[0], sup.work[0], sup.slope[0] = 0, 0, 0
    sup.at[1], sup.work[1], sup.slope[1] = blackout, 0, 1
    sup.at[2], sup.work[2], sup.slope[2] = blackout + budget, budget, 0


@kernel
def least_budget(sup, period, deadline, low, t, work):
    """Smallest budget from `low` on that surely brings `work` in a window of length `t`; deadline + 1 if none does. Leaves it set."""
    high = deadline + 1
    set_budget(sup, period, deadline, low)
    if supplied(sup, t) >= work:
        return low
    while high - low > 1:
        middle = (low + high) >> 1
        set_budget(sup, period, deadline, middle)
        if supplied(sup, t) >= work:
            high = middle
        else:
            low = middle
    if high <= deadline:
        set_budget(sup, period, deadline, high)
    return high


@kernel
def edf_budget(sup, sets, rows, count, period, deadline, most, few, least):
    """Smallest budget under EDF, MISSED, or why there is no answer; `rows` hold first deadlines, `least` is where to begin."""
    low, furthest = least, period
    for j in range(2 * count):                           # a first guess: the windows up to the first two deadlines of each
        t = rows.offset[j >> 1] + (j & 1) * rows.period[j >> 1]
        if t < NEVER // 2:
            furthest = max(furthest, t)
            work = demand(rows, count, t)
            if t < 0 or work > t:
                return MISSED
            low = least_budget(sup, period, deadline, low, t, work)
            if low > deadline:
                return MISSED
    bottom, top = 0, 4 * furthest                        # farther and farther: what is near raises the budget, and so nears the horizon
    for _ in range(FUEL):
        end = demand_horizon(float(low) / float(period), float(period + deadline - 2 * low), rows, count)
        if end == MISSED and low < deadline:             # the first guess was rounded down
            low += 1
            continue
        if end == TOO_CLOSE and top < 64 * furthest:     # look as far as the stretch; a larger budget will tell
            end = top
        if end < 0:
            return end
        if float(end) * most + few > SAFE:
            return TOO_LARGE
        set_budget(sup, period, deadline, low)
        if end > top:
            end = top
        found = search(sup, sets, rows, count, end, bottom)
        while found >= 0:
            low = least_budget(sup, period, deadline, low + 1, found, demand(rows, count, found))
            if low > deadline:
                return MISSED
            found = search(sup, sets, rows, count, found, bottom)
        if found != FINE:
            return found
        if end < top:
            return low
        bottom, top = top, 2 * top
    return TOO_LONG


@kernel
def fp_budget(sup, deadlines, first_task, tasks, begin, stairs, rows, period, deadline, most, few, least):
    """Smallest budget under fixed priorities, MISSED, or why there is no answer; `rows` hold offsets."""
    low, furthest = least, period
    for i in range(first_task, first_task + tasks):
        if deadlines[i] < NEVER:
            furthest = max(furthest, deadlines[i])
        for j in range(stairs[i] - begin, stairs[i + 1] - begin):
            if rows.period[j] < NEVER:
                furthest = max(furthest, rows.period[j])
    reach = furthest * TURNS if furthest < REACH // TURNS else REACH
    for i in range(first_task, first_task + tasks):
        if deadlines[i] >= NEVER:
            continue
        if float(deadlines[i]) * 4.0 * most + few > SAFE:
            return TOO_LARGE
        first, count = stairs[i] - begin, stairs[i + 1] - stairs[i]
        cost, high, middle = rows.cost[first], deadline + 1, low
        while high > low:                                # the least budget in [low, high] that is enough; high: deadline + 1, none is
            set_budget(sup, period, deadline, middle)
            found, _ = response(sup, rows, first, count, cost, 0, 1, deadlines[i], reach, cost, 0)
            if found == TOO_LONG:
                return TOO_LONG
            if found == MISSED:
                low = middle + 1
            else:
                high = middle
            middle = (low + high) >> 1
            if middle > deadline:
                middle = deadline
        if low > deadline:
            return MISSED
    return low


def _budgets(sup, edf, tasks, stairs, cost, stair_period, offset, deadline, sets, rows, server, limit, out):     # type: ignore[no-untyped-def]
    """Smallest budget of every set into `out` (sets,), for a server of period ``server[s]`` and deadline ``limit[s]``.

    `tasks` and `stairs` as in kernels_fp.Sets; tasks without a deadline may only come last under fixed priorities, and not at all under EDF.
    """
    for s in range(len(tasks) - 1):
        begin, count = stairs[tasks[s]], stairs[tasks[s + 1]] - stairs[tasks[s]]
        most, few, used = 0.0, 0.0, 0.0
        for i in range(tasks[s], tasks[s + 1]):
            for j in range(stairs[i] - begin, stairs[i + 1] - begin):
                put_row(rows, j, cost[i], stair_period[begin + j], offset[begin + j] + (deadline[i] if edf else 0))
                most += rows.fcost[j] * rows.high[j]
                few += rows.fcost[j] * (abs(rows.foffset[j]) * rows.high[j] + 2.0)
                if deadline[i] < NEVER:
                    used += rows.fcost[j] * rows.low[j]
        least = max(1, int(used * (1.0 - 2.0**-40) * float(server[s])))
        if count == 0:
            out[s] = 0
        elif least > limit[s]:
            out[s] = MISSED
        elif edf:
            out[s] = edf_budget(sup, sets, rows, count, server[s], limit[s], most, few, least)
        else:
            out[s] = fp_budget(sup, deadline, tasks[s], tasks[s + 1] - tasks[s], begin, stairs, rows, server[s], limit[s], most, few, least)


budgets_of = compiled(_budgets)
