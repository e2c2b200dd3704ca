"""Global fixed priorities: the m most important jobs run, on any of the m pCPUs. One test, and three kinds of response times."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from fractions import Fraction
from heapq import nlargest
from itertools import combinations
from math import comb
from typing import Any, Literal

from ...system import VM, Task
from ..tasksets import given_tasks
from ..verdict import Endless, FirstMiss, Verdict
from .global_edf import check_test
from .rows import Sporadic, check_cpus, hopeless, sporadic
from .windows import fixed_point, with_carry_in, without_carry_in, workload
from .witnesses import Crowded

Test = Literal["bcl", "rta", "rta-lc", "rta-ce", "any"]
CarryIn = Literal["enumerated", "limited", "all"]
Others = Callable[[int], Callable[[int], int]]
MOST_SETS = 3_000         # of tasks that may carry work in: beyond that they are not looked at one by one


def global_fp_schedulable(tasks: Sequence[Task] | VM, cpus: int, *, test: Test = "any") -> Verdict:
    """Whether every deadline is surely met under preemptive global fixed priorities on so many pCPUs.

    Parameters
    ----------
    tasks : sequence of Task, or VM
        Priorities as given (1 is the highest), else deadline monotonic; ties in the order given.
    cpus : int
        pCPUs that are there all the time.
    test : {"bcl", "rta", "rta-lc", "rta-ce", "any"}
        ``"bcl"``: who can interfere with a job in its window (Bertogna, Cirinei and Lipari). ``"rta"``: response times (Bertogna and Cirinei).
        ``"rta-lc"`` and ``"any"``: response times, at most m − 1 tasks carrying work in (Guan et al.). ``"rta-ce"``: the same, each choice of
        these tasks by itself (Sun et al.). Each accepts what the ones before it do.

    Returns
    -------
    Verdict
        With bounds, except for ``"bcl"``. The witness is of the most important task that may miss: `Crowded`, `Endless`, or `FirstMiss`
        (a response found beyond the deadline); or `Overload`.

    Raises
    ------
    SpecError
        Release jitter, arrival lists, pinned or self-suspending tasks.
    LimitError
        It takes too many steps.

    Notes
    -----
    Sufficient; sporadic tasks and jobs that need less than their wcet are covered. A deadline beyond the period counts as one at the period: no
    two jobs of a task may be there at once.

    "rta-lc" takes the worst carriers anew for every length of the window; but who carries work into the window of a job is settled when that
    begins. So "rta-ce" finds the least fixed point of every choice of m − 1 carriers, and takes the largest: never more than the fixed point of
    the largest demands. It gains little: of 27,185 random sets (4 to 7 tasks, 2 and 3 pCPUs) 16 had a smaller bound, 4 of these one where
    "rta-lc" has none. What is called RTA-CE (carry-in enumeration) is known to us by its name and by this idea; the paper was not at hand, and it
    may cut carried work more closely. Beyond 3,000 choices for a task its "rta-lc" bound is taken.

    References
    ----------
    Bertogna, Cirinei and Lipari, Schedulability analysis of global scheduling algorithms on multiprocessor platforms, TPDS 20(4), 2009, theorem 8.
    Bertogna and Cirinei, RTSS 2007. Guan, Stigge, Yi and Yu, New response time bounds for fixed priority multiprocessor scheduling, RTSS 2009.
    Sun, Lipari, Guan and Yi, Improving the response time analysis of global fixed-priority multiprocessor scheduling, RTCSA 2014.

    Examples
    --------
    >>> import rtvirt as rv
    >>> tasks = [rv.Task(n, wcet=c, period=t) for n, c, t in (("a", 5, 10), ("b", 4, 10), ("c", 5, 14), ("d", 5, 18))]
    >>> [bool(global_fp_schedulable(tasks, 2, test=test)) for test in ("bcl", "rta", "rta-lc")]
    [False, False, True]
    >>> global_fp_response_times(tasks, 2)
    {'a': 5, 'b': 4, 'c': 9, 'd': 18}
    """
    m = check_cpus("global_fp_schedulable", cpus)
    check_test(test, ("any", "bcl", "rta", "rta-lc", "rta-ce"))
    rows, endless = sporadic(tasks, by_priority=True)
    lost = hopeless(rows, Fraction(m))
    if lost is not None:
        return Verdict(False, "global fixed priorities", witness=lost)
    if test == "bcl":
        return bcl(rows, m, endless)
    bounds = responses(rows, m, CARRY_IN[test])
    late = next((k for k, row in enumerate(rows) if bounds[k] is None or bounds[k] > row.deadline), None)
    witness = Endless(endless) if endless else None
    if late is not None:
        found = bounds[late]
        witness = crowded(rows, late, m) if found is None else FirstMiss(rows[late].name, rows[late].deadline, found, 0, ((found, found),))
    return Verdict(witness is None, "global fixed-priority response times", named(tasks, rows, bounds), witness, exact=isinstance(witness, Endless))


def global_fp_response_times(tasks: Sequence[Task] | VM, cpus: int, *, carry_in: CarryIn = "limited") -> dict[str, int | None]:
    """Bounds on the responses under preemptive global fixed priorities.

    Parameters
    ----------
    tasks : sequence of Task, or VM
        As in `global_fp_schedulable`.
    cpus : int
    carry_in : {"limited", "enumerated", "all"}
        Whether at most m − 1 tasks carry work into a window (Guan et al. 2009), or all (Bertogna and Cirinei 2007); ``"enumerated"``: every choice
        of m − 1 by itself, which is closest and takes longest.

    Returns
    -------
    {name: int or None} [ns]
        None where no bound within the period was found, and for all less important tasks. Bounds are given beyond deadlines, too.

    Raises
    ------
    SpecError, LimitError
        As in `global_fp_schedulable`.
    """
    m = check_cpus("global_fp_response_times", cpus)
    check_test(carry_in, ("limited", "enumerated", "all"))
    rows, _ = sporadic(tasks, by_priority=True)
    return named(tasks, rows, responses(rows, m, carry_in))


def named(tasks: Sequence[Task] | VM, rows: Sequence[Sporadic], bounds: Sequence[int | None]) -> dict[str, int | None]:
    """Bounds by name, in the order given."""
    found = {row.name: bound for row, bound in zip(rows, bounds)}
    return {task.name: found.get(task.name) for task in given_tasks(tasks)}


def bcl(rows: Sequence[Sporadic], m: int, endless: str | None) -> Verdict:
    """For each k: what more important tasks can do in its window, each cut at the wait that would be too long, must not fill that wait."""
    witness: Any = next((crowded(rows, k, m) for k in range(len(rows)) if not waits_less(rows, k, m)), None)
    witness = Endless(endless) if witness is None and endless else witness
    return Verdict(witness is None, "global fixed priorities, BCL", witness=witness, exact=isinstance(witness, Endless))


def latest(row: Sporadic) -> int:
    """Where a job must have ended: a longer deadline counts as one at the period."""
    return min(row.deadline, row.period)


def waits_less(rows: Sequence[Sporadic], k: int, m: int) -> bool:
    """BCL's inequality for task k."""
    wait = latest(rows[k]) - rows[k].cost + 1
    return wait > 0 and sum(min(workload(row, latest(rows[k]), latest(row)), wait) for row in rows[:k]) < m * wait


def crowded(rows: Sequence[Sporadic], k: int, m: int) -> Crowded:
    """The witness of BCL's inequality, or of a response that was not found."""
    window, wait = latest(rows[k]), latest(rows[k]) - rows[k].cost + 1
    taken = sum(min(workload(row, window, latest(row)), wait) for row in rows[:k])
    return Crowded(rows[k].name, window, Fraction(taken), Fraction(m * wait - 1))


def responses(rows: Sequence[Sporadic], m: int, carry_in: str) -> list[int | None]:
    """Bounds in order of priority, up to the period; none after the first that has none."""
    bounds: list[int | None] = [None] * len(rows)
    for k, row in enumerate(rows):
        higher = list(zip(rows[:k], bounds))
        if row.cost > row.period:
            break
        ends = [fixed_point(row.cost, others, m, row.period) for others in carriers(higher, m, carry_in)]
        if None in ends:
            break
        bounds[k] = max(end for end in ends if end is not None)
    return bounds


def carriers(higher: Sequence[tuple[Sporadic, Any]], m: int, carry_in: str) -> Iterator[Others]:
    """Who may carry work into the window: one answer that covers all, or each choice of m − 1 by itself."""
    if carry_in == "all":
        yield all_carry_in(higher)
    elif carry_in == "limited" or m == 1 or len(higher) < m or comb(len(higher), m - 1) > MOST_SETS:
        yield some_carry_in(higher, m)
    else:
        yield from (these_carry_in(higher, chosen) for chosen in combinations(range(len(higher)), m - 1))


def all_carry_in(higher: Sequence[tuple[Sporadic, Any]]) -> Others:
    """More important work in a window, whatever was there before it."""
    def taken_in(window: int) -> Callable[[int], int]:
        work = [workload(row, window, end) for row, end in higher]
        return lambda cut: sum(min(one, cut) for one in work)

    return taken_in


def some_carry_in(higher: Sequence[tuple[Sporadic, Any]], m: int) -> Others:
    """More important work in a window before which not all m pCPUs had it: at most m − 1 tasks carry some in, those that gain most by it."""
    def taken_in(window: int) -> Callable[[int], int]:
        fresh = [without_carry_in(row, window) for row, _ in higher]
        carried = [with_carry_in(row, window, end) for row, end in higher]

        def taken(cut: int) -> int:
            gains = [min(more, cut) - min(less, cut) for less, more in zip(fresh, carried)]
            return sum(min(one, cut) for one in fresh) + sum(gain for gain in nlargest(m - 1, gains) if gain > 0)

        return taken

    return taken_in


def these_carry_in(higher: Sequence[tuple[Sporadic, Any]], chosen: Collection[int]) -> Others:
    """More important work in a window, if nobody but the chosen carries some in."""
    def taken_in(window: int) -> Callable[[int], int]:
        work = [without_carry_in(row, window) for row, _ in higher]
        for i in chosen:
            work[i] = max(work[i], with_carry_in(higher[i][0], window, higher[i][1]))
        return lambda cut: sum(min(one, cut) for one in work)

    return taken_in


CARRY_IN: dict[str, str] = {"rta": "all", "rta-lc": "limited", "rta-ce": "enumerated", "any": "limited"}
