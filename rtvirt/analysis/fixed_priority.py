"""Response times under fixed priorities, on any supply."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import lcm
from typing import Any, Literal

import numpy as np

from ..errors import Problem, SpecError
from ..system import VM, Task
from .demand import evaluate
from .kernels_demand import requests_of
from .kernels_fp import Sets, bounds_of
from .limits import HORIZON, NEVER, TOO_LONG, refuse
from .overheads import Overheads
from .requests import empty_rows
from .supply import Dedicated, Supply
from .tasksets import Arrivals, TaskSet, check_tasks, given_tasks, taskset
from .verdict import Endless, FirstMiss, Overload, Verdict

Preemption = Literal["full", "none", "limited"]
Times = Mapping[str, Any] | int | None


def fp_response_times(tasks: Sequence[Task] | VM, supply: Supply = Dedicated(), *, preemption: Preemption = "full", blocking: Times = None,  # noqa: B008
                      regions: Mapping[str, Any] | None = None, overhead: Overheads | None = None, arrivals: Arrivals | None = None,
                      since: Literal["arrival", "release"] = "arrival") -> dict[str, int | None]:
    """Longest response of each task under fixed priorities.

    Parameters
    ----------
    tasks : sequence of Task, or VM
        Priorities as given (1 is the highest), else deadline monotonic; ties in the order given.
    supply : Supply
        What the guest surely gets; a dedicated pCPU unless given.
    preemption : {"full", "none", "limited"}
        ``"limited"``: jobs have `regions` that cannot be preempted by the guest's other tasks. (The hypervisor can always.)
    blocking : {name: int} or int [ns], optional
        Longest time for which less important work may hold a task up, once a busy period (priority ceiling protocol).
    regions : {name: int or (longest, last)} [ns], optional
        The longest region that cannot be preempted, and the last of the job, if it is known to end in one.
    overhead : Overheads, optional
        Costs of switches, ticks and interrupts, charged as `overheads.py` says.
    arrivals : {name: ArrivalCurve}, optional
        In place of what a task says of its arrivals.
    since : {"arrival", "release"}
        Arrival: with release jitter, as deadlines count. Release: as `rv.simulate` measures a response.

    Returns
    -------
    {name: int or None} [ns]
        None where there is no bound: something that the task waits for has none, or the work of this and higher priorities comes at
        the supply's rate or faster and the busy period never ends. Bounds are given beyond deadlines, too.

    Raises
    ------
    SpecError
        Unknown names, regions longer than the job.
    LimitError
        The numbers do not fit 64 bits, or it takes too many steps.

    Notes
    -----
    Exact on a dedicated pCPU for tasks that may all arrive together (offsets are left out), preemptive or not, in whole nanoseconds; blocking is
    taken as given. On another supply: the largest response over all supplies that keep to its `sbf`, exact if its worst window may begin at any
    instant.
    Guests with several vCPUs are not covered; nor is work that suspends itself, except as work (`taskset`).

    References
    ----------
    Joseph and Pandya, Finding response times in a real-time system, Computer Journal 29(5), 1986. Lehoczky, Fixed priority scheduling of
    periodic task sets with arbitrary deadlines, RTSS 1990. Tindell, Burns and Wellings, An extendible approach for analyzing fixed priority hard
    real-time tasks, Real-Time Systems 6, 1994. Davis, Burns, Bril and Lukkien, Controller Area Network (CAN) schedulability analysis: refuted,
    revisited and revised, Real-Time Systems 35, 2007. On a supply: Shin and Lee 2003; Davis and Burns 2005.

    Examples
    --------
    >>> import rtvirt as rv
    >>> three = [rv.Task("a", wcet=1, period=4), rv.Task("b", wcet=2, period=6), rv.Task("c", wcet=3, period=12)]
    >>> fp_response_times(three)
    {'a': 1, 'b': 3, 'c': 10}
    >>> fp_response_times(three, rv.analysis.PeriodicResource(4, 3))
    {'a': 3, 'b': 7, 'c': None}
    """
    asked, options, supply = prepare(tasks, supply, preemption, blocking, regions, overhead, arrivals)
    found = bounds(asked, supply, options, released=since == "release")
    order = [task.name for task in given_tasks(tasks)]
    return {name: found[name] for name in order}


def fp_schedulable(tasks: Sequence[Task] | VM, supply: Supply = Dedicated(), **options: Any) -> Verdict:  # noqa: B008
    """Whether every deadline is met under fixed priorities; parameters as in `fp_response_times`.

    Returns
    -------
    Verdict
        With bounds; its witness is the most important task that may miss: `FirstMiss`, `Overload`, or `Endless`.

    Examples
    --------
    >>> import rtvirt as rv
    >>> verdict = fp_schedulable([rv.Task("a", wcet=2, period=5), rv.Task("b", wcet=4, period=7)])
    >>> bool(verdict), verdict.witness.bound, verdict.witness.steps
    (False, 8, ((4, 6), (6, 8), (8, 8)))
    """
    if options.pop("since", "arrival") != "arrival":
        raise SpecError([Problem("since", "release", "'arrival'", "deadlines count from arrivals")])
    names = ("preemption", "blocking", "regions", "overhead", "arrivals")
    for name in options:
        if name not in names:
            raise TypeError(f"fp_schedulable has no parameter {name!r}; it has supply, {', '.join(names)}")
    asked, extra, left = prepare(tasks, supply, *(options.get(name, "full" if name == "preemption" else None) for name in names))
    found = bounds(asked, left, extra)
    late = [i for i, name in enumerate(asked.names) if asked.deadline[i] < NEVER and (found[name] is None or found[name] > asked.deadline[i])]
    witness = None if not late else explain(asked, left, extra, late[0], found[asked.names[late[0]]])
    order = [task.name for task in given_tasks(tasks)]
    return Verdict(not late, "fixed-priority response times", {name: found[name] for name in order}, witness, exact=isinstance(supply, Dedicated))


Options = tuple[np.ndarray, np.ndarray]       # blocking (tasks,), −1 for endless; last region (tasks,)


def prepare(tasks: Sequence[Task] | VM, supply: Supply, preemption: str, blocking: Times, regions: Mapping[str, Any] | None,
            overhead: Overheads | None, arrivals: Arrivals | None) -> tuple[TaskSet, Options, Supply]:
    """The tasks by priority, their blocking and last regions, and what interrupts leave of the supply."""
    one_pcpu(supply)
    if preemption not in ("full", "none", "limited"):
        raise SpecError([Problem("preemption", preemption, "'full', 'none' or 'limited'", "choose one of these")])
    if (preemption == "limited") != (regions is not None):
        raise SpecError([Problem("regions", regions, "regions with preemption='limited', and only then", "give both, or neither")])
    given = given_tasks(tasks)
    check_tasks(given, [*(blocking if isinstance(blocking, Mapping) else ()), *(regions or ())])
    asked = taskset(given, arrivals=arrivals, by_priority=True)
    if overhead is not None:
        asked, supply = overhead.charge(asked), overhead.left(supply, asked)
    n = len(asked)
    longest, last = np.ones(n, np.int64), np.ones(n, np.int64)
    for i, name in enumerate(asked.names):
        if preemption == "none":
            longest[i] = last[i] = asked.cost[i] if asked.bounded[i] else 1
        elif regions and name in regions:
            longest[i], last[i] = region_of(name, regions[name], int(asked.cost[i]))
    held = np.zeros(n, np.int64)
    for i, name in enumerate(asked.names):
        own = blocking.get(name, 0) if isinstance(blocking, Mapping) else (blocking or 0)
        if not isinstance(own, (int, np.integer)) or not 0 <= own <= 2**53:
            raise SpecError([Problem(f"blocking[{name}]", own, "0 ns to 2^53 ns", "give integer nanoseconds")])
        held[i] = max(int(own), int(longest[i + 1:].max(initial=1)) - 1)
        if preemption == "none" and not asked.bounded[i + 1:].all():
            held[i] = -1
    return asked, (held, last), supply


def region_of(name: str, region: Any, cost: int) -> tuple[int, int]:
    """Longest and last region of a task; 1 ns is none."""
    longest, last = region if isinstance(region, tuple) else (region, 1)
    if not 1 <= last <= longest <= cost:
        raise SpecError([Problem(f"regions[{name}]", region, f"1 <= last <= longest <= the wcet, {cost}", "give (longest, last) in ns")])
    return longest, last


def bounds(asked: TaskSet, supply: Supply, options: Options, *, released: bool = False) -> dict[str, int | None]:
    """Bounds of a prepared set, None where there is none."""
    held, last = options
    answerable = [i for i in range(len(asked)) if asked.bounded[:i + 1].all() and held[i] >= 0]
    count = answerable[-1] + 1 if answerable else 0
    horizon = np.array([busy_limit(asked, supply, i, max(0, int(held[i]))) for i in range(count)], np.int64)
    sets = Sets(np.array([0, count]), asked.first[:count + 1], asked.cost[:count], np.full(count, NEVER), np.maximum(held[:count], 0), last[:count],
                horizon, asked.stair_period, asked.stair_offset)
    out = np.zeros(count, np.int64)
    bounds_of(supply.pattern, sets, empty_rows(len(asked.stair_cost) + 1), int(released), out)
    found: dict[str, int | None] = dict.fromkeys(asked.names)
    for i in answerable:
        if horizon[i] == 0 or (out[i] == TOO_LONG and asked.utilization(i + 1) >= supply.rate):
            continue
        refuse(int(out[i]), f"response of {asked.names[i]!r}")
        found[asked.names[i]] = int(out[i])
    return found


def busy_limit(asked: TaskSet, supply: Supply, i: int, blocking: int) -> int:
    """No busy period of task i that ends is longer [ns]; 0 if none ends."""
    used, rate = asked.utilization(i + 1), supply.rate
    if used > rate or rate <= 0:
        return 0
    stairs = asked.first[i + 1]
    rows = list(zip(asked.stair_cost[:stairs].tolist(), asked.stair_period[:stairs].tolist(), asked.stair_offset[:stairs].tolist()))
    if used == rate:                          # ends within a common multiple of the periods, if at all
        cycle = lcm(*(t for _, t, _ in rows if t < NEVER), int(supply.pattern.form[2]))
        return min(HORIZON, 4 * cycle + sum(c for c, _, _ in rows) + int(supply.delay) + 1)
    # rate·(w − delay) = blocking + sum of C·(1 + (w − offset)/T) has its solution here
    asks = blocking + sum(c + (c * max(0, -o) / t if t < NEVER else 0) for c, t, o in rows)
    return min(HORIZON, int((asks + float(rate * supply.delay)) / float(rate - used) * (1 + 1e-6)) + 2)


def one_pcpu(supply: Supply) -> None:
    """Refuse what is not a supply of at most one pCPU."""
    if not isinstance(supply, Supply) or getattr(supply, "cpus", 1) > 1:
        raise SpecError([Problem("supply", supply, "a supply of one pCPU", "for several pCPUs use a global test")])


def explain(asked: TaskSet, supply: Supply, options: Options, i: int, bound: int | None) -> Any:
    """The witness of a task that may miss."""
    endless = [asked.names[k] for k in range(len(asked)) if not asked.bounded[k] and (k <= i or options[0][i] < 0)]
    if endless:
        return Endless(endless[0])
    if bound is None:
        return Overload(asked.utilization(i + 1), supply.rate, asked.names[:i + 1])
    higher = asked.pick(range(i)).rows()
    own, (held, last) = asked.pick([i]), options
    job, came = 0, 0
    while True:                               # the first job that is late, as the textbook computes it
        work = int(held[i] + (job + 1) * asked.cost[i])
        window, steps = work - int(last[i]) + 1, []
        while True:
            asks = work - int(last[i]) + 1 + evaluate(requests_of, higher, window, [])
            steps.append((window, asks))
            later = supply.inverse(asks)
            if later <= window:
                break
            window = later
        done = supply.inverse(asks + int(last[i]) - 1)
        came = nth_arrival(own, job)
        if done - came > asked.deadline[i]:
            return FirstMiss(asked.names[i], int(asked.deadline[i]), int(done - came), job, tuple(steps))
        job += 1


def nth_arrival(own: TaskSet, job: int) -> int:
    """Earliest arrival number `job` of a task."""
    times = sorted(offset + k * period for period, offset in zip(own.stair_period.tolist(), own.stair_offset.tolist())
                   for k in range(job + 1 if period < NEVER else 1))
    return times[job]
