"""Mixed criticality: tasks that may turn out to need more, and then others are dropped. Adaptive mixed criticality under fixed priorities.

The system starts in LO mode. When a job of high criticality has run for its LO wcet and is not done, HI mode begins: jobs of low criticality are
dropped, and no more are started; those of high criticality may need their HI wcet. High criticality must meet its deadlines in any case, low
criticality in LO mode.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal, NamedTuple

from ..errors import LimitError, Problem, SpecError
from ..system import VM, Task
from ..units import LONGEST
from .multicore.rows import Sporadic, check_sporadic, hopeless
from .supply.base import check_times
from .tasksets import given_tasks, largest_demand, taskset
from .verdict import FirstMiss, Verdict

STEPS = 1_000_000         # after so many a fixed point is given up


@dataclass(frozen=True)
class HighCriticality:
    """A task of high criticality; a plain `Task` is one of low criticality.

    Parameters
    ----------
    task : Task
        Its wcet is what it needs by all experience: in LO mode.
    wcet_hi : int [ns]
        What it needs in no case more of: in HI mode. At least the task's wcet.
    """

    task: Task
    wcet_hi: int

    def __post_init__(self) -> None:
        least = largest_demand(self.task) if isinstance(self.task, Task) else None
        if least is None:
            raise SpecError([Problem("HighCriticality.task", self.task, "a Task with a wcet", "make it with rv.Task(...)")])
        check_times("HighCriticality", wcet_hi=(self.wcet_hi, least, LONGEST, "from the wcet on"))


class Mixed(NamedTuple):
    """One task, or one VM as its host sees it [ns]."""

    name: str
    lo: int                   # wcet or budget in LO mode
    hi: int                   # in HI mode; 0: dropped
    deadline: int
    period: int
    high: bool


@dataclass(frozen=True)
class MixedVerdict(Verdict):
    """A verdict on both modes.

    Attributes
    ----------
    lo, hi : {name: int or None} [ns]
        Response bounds in LO mode, and through the change to HI mode (of high criticality only); None beyond the deadline.
    order : tuple of str
        Priorities, highest first.
    """

    lo: dict[str, int | None] = field(default_factory=dict)
    hi: dict[str, int | None] = field(default_factory=dict)
    order: tuple[str, ...] = ()


MixedTasks = Sequence[Task | HighCriticality]


def amc_schedulable(tasks: MixedTasks, *, priorities: Literal["given", "audsley"] = "given") -> MixedVerdict:
    """Whether all deadlines are met in LO mode, and those of high criticality through the change and after it: AMC-rtb, on one pCPU.

    Parameters
    ----------
    tasks : sequence of Task and HighCriticality
        Deadlines up to periods.
    priorities : {"given", "audsley"}
        As given (1 is the highest), else deadline monotonic; or found by Audsley's algorithm: if any order passes this test, one is found.

    Returns
    -------
    MixedVerdict
        With bounds in both modes; its witness is the `FirstMiss` (or `Endless`) of the most important task that may miss.

    Raises
    ------
    SpecError
        Jitter, arrival lists, pinned or self-suspending tasks, deadlines beyond periods.

    Notes
    -----
    LO mode: exact. The change: for task i, ``R = C(HI) + sum over hp of high criticality of ceil(R/T)·C(HI) + sum over hp of low criticality of
    ceil(R_LO/T)·C(LO)``, since the change happens while its job is there, no later than R_LO after its release. Sufficient. The way back to LO
    mode (at an idle instant) adds nothing. A task of high criticality that overruns C(HI) is outside of the model.

    References
    ----------
    Baruah, Burns and Davis, Response-time analysis for mixed criticality systems, RTSS 2011, section IV (AMC-rtb). Vestal, RTSS 2007. Audsley, On
    priority assignment in fixed priority scheduling, Information Processing Letters 79, 2001.

    Examples
    --------
    >>> import rtvirt as rv
    >>> tasks = [rv.Task("log", wcet=2, period=5), HighCriticality(rv.Task("brake", wcet=2, period=10), wcet_hi=4), rv.Task("ui", wcet=1, period=20)]
    >>> verdict = amc_schedulable(tasks)
    >>> bool(verdict), verdict.lo, verdict.hi
    (True, {'log': 2, 'brake': 4, 'ui': 5}, {'brake': 6})
    """
    if priorities not in ("given", "audsley"):
        raise SpecError([Problem("priorities", priorities, "'given' or 'audsley'", "choose one of these")])
    rows, endless = mixed(tasks)
    check_deadlines(rows)
    lost = hopeless([Sporadic(row.name, row.hi or row.lo, row.deadline, row.period) for row in rows], Fraction(len(rows) + 1), endless)
    if lost is not None:
        return MixedVerdict(False, "AMC-rtb", witness=lost)
    found = assigned(rows) if priorities == "audsley" else None
    return verdict_on(rows if found is None else found)


def verdict_on(rows: Sequence[Mixed]) -> MixedVerdict:
    """The verdict on prepared tasks, highest priority first."""
    lo = {row.name: lo_response(row, rows[:i]) for i, row in enumerate(rows)}
    hi = {row.name: hi_response(row, rows[:i], lo[row.name]) for i, row in enumerate(rows) if row.hi}
    bounds = {row.name: hi.get(row.name) if row.high else lo[row.name] for row in rows}
    late = next((row for row in rows if lo[row.name] is None or (row.hi and hi[row.name] is None)), None)
    witness = None if late is None else first_miss(late, rows[:rows.index(late)], lo[late.name])
    return MixedVerdict(late is None, "AMC-rtb", bounds, witness, exact=late is None or lo[late.name] is None, lo=lo, hi=hi,
                        order=tuple(row.name for row in rows))


def mixed(tasks: MixedTasks) -> tuple[list[Mixed], str | None]:
    """Rows by priority, and the first task whose work has no bound, if it has a deadline or comes before one that has; the rest is left out."""
    plain = [one.task if isinstance(one, HighCriticality) else one for one in given_tasks(tasks)]  # type: ignore[arg-type]
    high = {one.task.name: int(one.wcet_hi) for one in tasks if isinstance(one, HighCriticality)} if not isinstance(tasks, VM) else {}
    asked, by_name = taskset(plain, by_priority=True), {task.name: task for task in plain}
    last = max((i for i, name in enumerate(asked.names) if by_name[name].deadline is not None), default=-1)
    check_sporadic(by_name[name] for name in asked.names[:last + 1])
    rows = []
    for i, name in enumerate(asked.names[:last + 1]):
        if not asked.bounded[i]:
            return rows, name
        rows.append(Mixed(name, int(asked.cost[i]), high.get(name, 0), int(asked.deadline[i]), int(asked.stair_period[asked.first[i]]), name in high))
    return rows, None


def check_deadlines(rows: Sequence[Mixed]) -> None:
    """Refuse deadlines beyond periods."""
    for row in rows:
        if row.deadline > row.period:
            raise SpecError([Problem(f"tasks[{row.name}].deadline", row.deadline, f"up to its period, {row.period}", "shorten it")])


def lo_response(row: Mixed, higher: Sequence[Mixed]) -> int | None:
    """Longest response in LO mode [ns]; None beyond the deadline."""
    return least_window(row.lo, lo_asks(higher), row.deadline)


def lo_asks(higher: Sequence[Mixed]) -> Callable[[int], int]:
    """What more important tasks ask for in a window in LO mode."""
    return lambda w: sum(-(-w // j.period) * j.lo for j in higher)


def hi_response(row: Mixed, higher: Sequence[Mixed], before: int | None) -> int | None:
    """Longest response through the change, and after it [ns]; `before` is the response in LO mode. None beyond the deadline, or without `before`."""
    return None if before is None else least_window(row.hi, hi_asks(higher, before), row.deadline)


def hi_asks(higher: Sequence[Mixed], before: int) -> Callable[[int], int]:
    """What more important tasks ask for in a window with the change in its first `before` ns.

    High criticality: HI wcets all along. Low: jobs up to the change with all they have, later ones with what is left to them (often nothing).
    """
    early = [-(-before // k.period) for k in higher]
    return lambda w: sum(-(-w // j.period) * j.hi if j.high else jobs * j.lo + max(0, -(-w // j.period) - jobs) * j.hi
                         for j, jobs in zip(higher, early))


def least_window(cost: int, asks: Callable[[int], int], limit: int) -> int | None:
    """The least w with ``w = cost + asks(w)`` [ns]; None beyond `limit`."""
    w = cost
    for _ in range(STEPS):
        longer = cost + asks(w)
        if longer > limit:
            return None
        if longer == w:
            return w
        w = longer
    raise LimitError(f"no response within {STEPS:,} steps: lower the utilization a little, or use a coarser unit of time")


def first_miss(row: Mixed, higher: Sequence[Mixed], before: int | None) -> FirstMiss:
    """The walk to the fixed point of a task that is late, in LO mode or through the change."""
    cost, asks = (row.lo, lo_asks(higher)) if before is None else (row.hi, hi_asks(higher, before))
    steps, w = [], cost
    while w <= row.deadline:
        steps.append((w, cost + asks(w)))
        w = steps[-1][1]
    return FirstMiss(row.name, row.deadline, w, 0, tuple(steps))


def assigned(rows: Sequence[Mixed]) -> list[Mixed] | None:
    """An order in which all pass, found from the lowest priority up; None if there is none. Who is above counts, not in which order (Audsley)."""
    left, order = list(rows), []
    while left:
        for row in reversed(left):
            higher = [other for other in left if other is not row]
            before = lo_response(row, higher)
            if before is not None and (not row.hi or hi_response(row, higher, before) is not None):
                break
        else:
            return None
        left.remove(row)
        order.insert(0, row)
    return order
