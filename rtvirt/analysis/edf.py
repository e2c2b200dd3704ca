"""Earliest deadline first, and first come first served, on any supply."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import lcm
from typing import Any, Literal

import numpy as np

from ..errors import Problem, SpecError
from ..system import VM, Task
from .fixed_priority import busy_limit, one_pcpu
from .kernels_demand import busy_of, demand_of
from .kernels_edf import DeadlineSets, edf_responses_of, fifo_responses_of, verdicts_of
from .limits import FINE, HORIZON, MISSED, NEVER, TOO_CLOSE, TOO_LARGE, refuse
from .overheads import Overheads
from .requests import empty_rows
from .supply import Dedicated, Supply
from .tasksets import Arrivals, TaskSet, check_tasks, given_tasks, taskset
from .verdict import Endless, Overload, Verdict, ViolatingInterval


def edf_schedulable(tasks: Sequence[Task] | VM, supply: Supply = Dedicated(), *, preemption: Literal["full", "none"] = "full",  # noqa: B008
                    blocking: Mapping[str, int] | None = None, overhead: Overheads | None = None, arrivals: Arrivals | None = None) -> Verdict:
    """Whether every deadline is met under EDF: demand bound against supply bound, by QPA.

    Parameters
    ----------
    tasks : sequence of Task, or VM
        Those without a deadline come last in an EDF guest and never constrain it.
    supply : Supply
        What the guest surely gets; a dedicated pCPU unless given.
    preemption : {"full", "none"}
        ``"none"``: the guest's jobs cannot be preempted by each other.
    blocking : {name: int} [ns], optional
        Longest time for which a task may hold up others with earlier deadlines (stack resource policy: its longest critical section).
    overhead : Overheads, optional
    arrivals : {name: ArrivalCurve}, optional

    Returns
    -------
    Verdict
        Its witness is a `ViolatingInterval`, an `Overload`, or `Endless`.

    Raises
    ------
    SpecError
        Unknown names.
    LimitError
        Utilization equal to the supply's rate, with periods that have no small common multiple; numbers beyond 64 bits.

    Notes
    -----
    Exact for preemptive sporadic tasks on a dedicated pCPU, and on supplies whose worst window may begin at any instant (budgets in periods);
    otherwise safe. Without preemption exact for sporadic tasks on a dedicated pCPU. Offsets are left out.

    References
    ----------
    Baruah, Rosier and Howell 1990; Zhang and Burns 2009; on a supply Shin and Lee 2003, theorem 1; blocking: Baker 1991, George et al. 1996.

    Examples
    --------
    >>> import rtvirt as rv
    >>> two = [rv.Task("a", wcet=2, period=5), rv.Task("b", wcet=4, period=7)]
    >>> bool(edf_schedulable(two)), bool(edf_schedulable(two, rv.analysis.PeriodicResource(10, 10)))
    (True, True)
    >>> verdict = edf_schedulable(two, rv.analysis.SlotTable([(0, 98)], 100))
    >>> verdict.witness.length, verdict.witness.demand, verdict.witness.supply
    (7, 6, 5)
    """
    if preemption not in ("full", "none"):
        raise SpecError([Problem("preemption", preemption, "'full' or 'none'", "choose one of these")])
    given = given_tasks(tasks)
    check_tasks(given, blocking or ())
    one_pcpu(supply)
    asked = taskset(given, arrivals=arrivals)
    if overhead is not None:
        asked, supply = overhead.charge(asked), overhead.left(supply, asked)
    return verdict_of(asked, supply, holds_of(asked, preemption, blocking or {}))


def verdict_of(asked: TaskSet, supply: Supply, holds: dict[int, int] | None = None) -> Verdict:
    """The verdict on prepared tasks; `holds` is {relative deadline: longest hold} [ns]."""
    test, exact = "EDF demand bound", isinstance(supply, Dedicated)
    due = asked.pick([i for i in range(len(asked)) if asked.deadline[i] < NEVER])
    endless = [name for name, bounded in zip(due.names, due.bounded) if not bounded]
    if endless:
        return Verdict(False, test, witness=Endless(endless[0]), exact=exact)
    holds = holds or {}
    if NEVER in holds.values():
        return Verdict(False, test, witness=Endless(next(name for name, bounded in zip(asked.names, asked.bounded) if not bounded)), exact=exact)
    if not len(due):
        return Verdict(True, test)
    used, rate = due.utilization(), supply.rate
    if used > rate:
        return Verdict(False, test, witness=Overload(used, rate, due.names), exact=True)
    limits = sorted(holds)
    sets = DeadlineSets(np.array([0, len(due.stair_cost)]), due.stair_cost, due.stair_period, due.deadline_rows().offset,
                        np.array(limits, np.int64), np.array([max(holds[later] for later in limits[k:]) for k in range(len(limits))], np.int64))
    out, rows, ends = np.zeros(1, np.int64), empty_rows(len(due.stair_cost)), [-1]
    verdicts_of(supply.pattern, float(rate), float(supply.delay), sets, rows, np.array(ends), out)
    if out[0] in (TOO_CLOSE, MISSED, TOO_LARGE):
        end = exact_horizon(due, supply)
        refuse(TOO_LARGE if end > HORIZON else FINE, "EDF demand bound")
        verdicts_of(supply.pattern, float(rate), float(supply.delay), sets, rows, np.array([end]), out)
    refuse(int(out[0]), "EDF demand bound")
    if out[0] == FINE:
        return Verdict(True, test)
    t = first_violation(due, supply, holds, int(out[0]))
    parts = {name: int(demand_at(due.pick([k]), t)) for k, name in enumerate(due.names)}
    late = max((holds[later] for later in limits if later > t), default=0)
    if late:
        parts["(held up)"] = late
    return Verdict(False, test, witness=ViolatingInterval(t, sum(parts.values()), supply.sbf(t), parts), exact=exact)


def first_violation(due: TaskSet, supply: Supply, holds: dict[int, int], known: int) -> int:
    """A short window that shows the violation: the first among the first thousands of deadlines, or else the one that is known."""
    steps = [np.arange(first, known + 1, period)[:4096] if period < NEVER else np.array([first])
             for first, period in zip(due.deadline_rows().offset.tolist(), due.stair_period.tolist()) if first <= known]
    points = np.unique(np.concatenate([step for step in steps if len(step)]))
    points = points[(points >= 0) & (points <= min([step[-1] for step in steps if len(step) == 4096] + [known]))]
    asks = np.zeros(len(points), np.int64)
    demand_of(due.deadline_rows(), points, asks)
    asks += np.array([max((hold for later, hold in holds.items() if later > t), default=0) for t in points.tolist()], np.int64)
    short = points[asks > supply.sbf(points)]
    return int(short[0]) if len(short) else known


def demand_at(asked: TaskSet, t: int) -> int:
    """dbf of prepared tasks at one t."""
    out = np.zeros(1, np.int64)
    demand_of(asked.deadline_rows(), np.array([t]), out)
    return int(out[0])


def holds_of(asked: TaskSet, preemption: str, blocking: Mapping[str, int]) -> dict[int, int]:
    """{relative deadline: longest time that a task with it may hold up one with an earlier deadline} [ns]; NEVER for ever."""
    found: dict[int, int] = {}
    for i, name in enumerate(asked.names):
        whole = (int(asked.cost[i]) - 1 if asked.bounded[i] else NEVER) if preemption == "none" else 0
        longest = max(whole, blocking.get(name, 0))
        if longest:
            until = int(min(asked.deadline[i], HORIZON))
            found[until] = max(found.get(until, 0), longest)
    return found


def exact_horizon(due: TaskSet, supply: Supply) -> int:
    """A window beyond which nothing new can happen, from exact fractions: linear bounds, or where everything repeats [ns]."""
    used, rate, rows = due.utilization(), supply.rate, due.deadline_rows()
    stairs = list(zip(rows.cost.tolist(), rows.period.tolist(), rows.offset.tolist()))
    once = sum((Fraction(c) for c, t, _ in stairs if t == NEVER), Fraction(0))
    asks = once + rate * supply.delay + sum((Fraction(c, t) * max(0, t - o) for c, t, o in stairs if t < NEVER), Fraction(0))
    if used < rate:
        return int(asks / (rate - used)) + 2
    # dbf(t + cycle) = dbf(t) + rate·cycle once all have begun, and the supply repeats alike
    form = supply.pattern.form
    cycle = lcm(*(t for _, t, _ in stairs if t < NEVER), int(form[2]))
    settled = max(max(o for _, _, o in stairs), int(form[1])) + int(form[2])
    return NEVER if supply.has_less() else settled + cycle


def edf_response_times(tasks: Sequence[Task] | VM, supply: Supply = Dedicated(), *, overhead: Overheads | None = None,  # noqa: B008
                       arrivals: Arrivals | None = None, since: Literal["arrival", "release"] = "arrival") -> dict[str, int | None]:
    """Longest response of each task under preemptive EDF.

    Parameters
    ----------
    tasks, supply, overhead, arrivals
        As in `edf_schedulable`.
    since : {"arrival", "release"}
        As in `fp_response_times`.

    Returns
    -------
    {name: int or None} [ns]
        None for tasks without a deadline, and for all when some work that is due has no bound or comes at the supply's rate or faster without end.

    Raises
    ------
    LimitError
        The numbers do not fit 64 bits, or it takes too many steps.

    Notes
    -----
    Exact for sporadic tasks on a dedicated pCPU, if ties of deadlines may go either way. On another supply it is the largest response over all
    supplies that keep to its `sbf`: a safe bound, reached if the worst window may begin with the busy period.

    References
    ----------
    Spuri 1996, section 3; with jitter section 6.

    Examples
    --------
    >>> import rtvirt as rv
    >>> edf_response_times([rv.Task("a", wcet=1, period=4), rv.Task("b", wcet=2, period=6), rv.Task("c", wcet=3, period=9)])
    {'a': 2, 'b': 4, 'c': 7}
    """
    asked, due, supply, end = ready(tasks, supply, overhead, arrivals)
    found: dict[str, int | None] = dict.fromkeys(asked.names)
    if end:
        out = np.zeros(len(due), np.int64)
        edf_responses_of(supply.pattern, due.rows(), due.first, due.cost, due.deadline[due.owner()], due.deadline, end, int(since == "release"), out)
        put(found, due, out, supply)
    return found


def fifo_response_times(tasks: Sequence[Task] | VM, supply: Supply = Dedicated(), *, overhead: Overheads | None = None,  # noqa: B008
                        arrivals: Arrivals | None = None, since: Literal["arrival", "release"] = "arrival") -> dict[str, int | None]:
    """Longest response of each task in a guest that serves jobs first come, first served.

    Parameters
    ----------
    tasks, supply, overhead, arrivals, since
        As in `edf_response_times`; here tasks without a deadline count, too.

    Returns
    -------
    {name: int or None} [ns]

    Notes
    -----
    A job waits for all that was released before or with it: the largest of ``inverse(rbf(a + 1)) − a`` over the busy period. Exact as in
    `edf_response_times`.

    References
    ----------
    George, Rivierre and Spuri 1996, section on FIFO.

    Examples
    --------
    >>> import rtvirt as rv
    >>> fifo_response_times([rv.Task("a", wcet=1, period=4), rv.Task("b", wcet=2, period=6)])
    {'a': 3, 'b': 3}
    """
    asked, everything, supply, end = ready(tasks, supply, overhead, arrivals, deadlines=False)
    found: dict[str, int | None] = dict.fromkeys(asked.names)
    if end:
        out = np.zeros(len(everything), np.int64)
        fifo_responses_of(supply.pattern, everything.rows(), everything.first, end, int(since == "release"), out)
        put(found, everything, out, supply)
    return found


def ready(tasks: Any, supply: Supply, overhead: Overheads | None, arrivals: Arrivals | None, *,
          deadlines: bool = True) -> tuple[TaskSet, TaskSet, Supply, int]:
    """All tasks; those that compete; what interrupts leave of the supply; and the longest busy period of theirs [ns], 0 if it has no end."""
    one_pcpu(supply)
    asked = taskset(tasks, arrivals=arrivals)
    if overhead is not None:
        asked, supply = overhead.charge(asked), overhead.left(supply, asked)
    due = asked.pick([i for i in range(len(asked)) if not deadlines or asked.deadline[i] < NEVER])
    return asked, due, supply, busy_period(due, supply) if due.bounded.all() else 0


def busy_period(due: TaskSet, supply: Supply) -> int:
    """Longest busy period: the least w > 0 with sbf(w) >= rbf(w), as one more task of lowest priority would see it [ns]; 0 if it has no end."""
    if not len(due):
        return 0
    limit = busy_limit(due, supply, len(due) - 1, 0)
    if not limit:
        return 0
    rows, out = due.rows(), np.zeros(1, np.int64)
    busy_of(supply.pattern, rows, limit, out)
    if not (out[0] < 0 and due.utilization() == supply.rate):
        refuse(int(out[0]), "busy period")
    return max(0, int(out[0]))


def put(found: dict[str, int | None], asked: TaskSet, out: np.ndarray, supply: Supply) -> None:
    """Bounds by name."""
    for name, bound in zip(asked.names, out.tolist()):
        refuse(bound, f"response of {name!r}")
        found[name] = bound
