"""Global EDF: the m jobs with the earliest deadlines run, on any of the m pCPUs. Four tests of this file, two of others, and response times."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, Literal

from ...errors import LimitError, Problem, SpecError
from ...system import VM, Task
from ..tasksets import given_tasks
from ..verdict import Verdict
from .edf_carry_in import carried_responses
from .limited_carry_in import bar
from .rows import Sporadic, check_cpus, constrained, hopeless, sporadic
from .windows import fixed_point, urgent_work, workload
from .witnesses import Crowded, Dense

Test = Literal["gfb", "bak", "bcl", "bar", "rta", "rta-lc", "any"]
CarryIn = Literal["limited", "all"]
ROUNDS = 100              # every round is safe: this many are enough for what can be gained


def global_edf_schedulable(tasks: Sequence[Task] | VM, cpus: int, *, test: Test = "any") -> Verdict:
    """Whether every deadline is surely met under preemptive global EDF on so many pCPUs.

    Parameters
    ----------
    tasks : sequence of Task, or VM
        Those without a deadline come last in an EDF guest and never constrain it.
    cpus : int
        pCPUs that are there all the time: a VM of so many vCPUs, each with a pCPU of its own. For less, see `mpr_schedulable`.
    test : {"gfb", "bak", "bcl", "bar", "rta", "rta-lc", "any"}
        ``"gfb"``: the densities leave room for the largest (Goossens, Funk and Baruah). ``"bak"``: what every task adds to the load of a busy
        interval (Baker). ``"bcl"``: who can interfere with a job in its window (Bertogna, Cirinei and Lipari). ``"bar"``: the same over longer
        windows, in which at most m − 1 tasks carry work in (Baruah). ``"rta"``: response times (Bertogna and Cirinei). ``"rta-lc"``: the same, made
        smaller by Baruah's windows, into which a job is carried that has begun and is done by its response (Guan et al.). ``"any"``: one of these.

    Returns
    -------
    Verdict
        ``"rta"``, ``"rta-lc"`` and ``"any"`` with bounds where they were found. The witness is `Dense`, `Crowded`, a `ViolatingInterval`, or, where
        no scheduler could do it, `Overload`, `Endless` or `FirstMiss`; only the last three are exact.

    Raises
    ------
    SpecError
        Release jitter, arrival lists, pinned or self-suspending tasks; deadlines beyond periods, except for ``"gfb"`` and ``"any"``.
    LimitError
        ``"bar"``: too many windows to look at, or numbers that do not fit. (``"any"`` then goes by the others.)

    Notes
    -----
    Offsets are left out; sporadic tasks are covered, and jobs that need less than their wcet. "rta-lc" contains "rta", "bcl" and "bar", unless it
    takes too many steps. Of 29,868 random sets (3 to 5 tasks, 2 pCPUs) "gfb" and "bak" accepted none that it does not; none is known to contain it.

    References
    ----------
    Goossens, Funk and Baruah, Real-Time Systems 25, 2003; with densities Baker and Baruah, Handbook of Real-Time and Embedded Systems, 2007.
    Baker, Multiprocessor EDF and deadline monotonic schedulability analysis, RTSS 2003, theorem 12. Bertogna, Cirinei and Lipari, Improved
    schedulability analysis of EDF on multiprocessor platforms, ECRTS 2005, and TPDS 20(4), 2009. Baruah, Techniques for multiprocessor global
    schedulability analysis, RTSS 2007. Bertogna and Cirinei, Response-time analysis for globally scheduled symmetric multiprocessor platforms,
    RTSS 2007. Guan, Stigge, Yi and Yu, New response time bounds for fixed priority multiprocessor scheduling, RTSS 2009, which "rta-lc" carries over
    to deadlines; its proof is that of `rtvirt.analysis.multicore.edf_carry_in`, no paper was at hand.

    Examples
    --------
    >>> import rtvirt as rv
    >>> three = [rv.Task(name, wcet=3, period=10) for name in "abc"]
    >>> bool(global_edf_schedulable(three, 2)), global_edf_response_times(three, 2)
    (True, {'a': 6, 'b': 6, 'c': 6})
    >>> heavy = [rv.Task("a", wcet=1, period=10), rv.Task("b", wcet=1, period=10), rv.Task("c", wcet=10, period=11)]
    >>> verdict = global_edf_schedulable(heavy, 2, test="gfb")
    >>> bool(verdict), verdict.witness.density, verdict.witness.room
    (False, Fraction(61, 55), Fraction(12, 11))
    """
    m = check_cpus("global_edf_schedulable", cpus)
    check_test(test, ("any", *TESTS))
    rows, endless = sporadic(tasks)
    lost = hopeless(rows, Fraction(m), endless)
    if lost is not None:
        return Verdict(False, "global EDF", witness=lost)
    if test == "any":
        return any_of(rows, m)
    if test != "gfb" and not constrained(rows):
        late = next(row for row in rows if row.deadline > row.period)
        raise SpecError([Problem(f"tasks[{late.name}].deadline", late.deadline, f"up to its period, {late.period}",
                                 'shorten it, or choose test="gfb" or "any"')])
    return TESTS[test](rows, m)


def global_edf_response_times(tasks: Sequence[Task] | VM, cpus: int, *, carry_in: CarryIn = "limited") -> dict[str, int | None]:
    """Bounds on the responses under preemptive global EDF.

    Parameters
    ----------
    tasks : sequence of Task, or VM
    cpus : int
    carry_in : {"limited", "all"}
        Whether windows are looked at, too, into which at most m − 1 tasks carry work, or only those into which all may; the second is quicker.

    Returns
    -------
    {name: int or None} [ns]
        None for tasks without a deadline. A bound relies on every other task meeting its deadline: if one is not sure to, all are None.

    Raises
    ------
    SpecError
        As `global_edf_schedulable` with ``test="rta"``.

    Notes
    -----
    Safe, not exact. A task that surely ends early disturbs the others less late: the bounds are improved in turn until nothing changes.

    References
    ----------
    Bertogna and Cirinei, RTSS 2007, theorem 6 with the slack of section 4. "limited": `rtvirt.analysis.multicore.edf_carry_in`.
    """
    check_test(carry_in, ("limited", "all"))
    verdict = global_edf_schedulable(tasks, cpus, test="rta" if carry_in == "all" else "rta-lc")
    given = given_tasks(tasks)
    return {task.name: verdict.bounds.get(task.name) if verdict else None for task in given}


def any_of(rows: Sequence[Sporadic], m: int) -> Verdict:
    """The first test that accepts, the quick ones first; else what the response times say against it."""
    verdict = gfb(rows, m)
    if verdict or not constrained(rows):
        return verdict
    for test in (rta, bak, bar, rta_lc):                 # "bcl" accepts nothing that "rta" does not; "bar" is quicker than "rta-lc"
        try:
            found = test(rows, m)
        except LimitError:
            continue                                     # not answered is not accepted
        if found:
            return found
        verdict = found if test is rta else verdict
    return Verdict(False, "global EDF, all tests", witness=verdict.witness, exact=False)


def check_test(test: Any, names: Sequence[str]) -> None:
    """Refuse other names of tests."""
    if test not in names:
        raise SpecError([Problem("test", test, ", ".join(names), "choose one of these")])


def gfb(rows: Sequence[Sporadic], m: int) -> Verdict:
    """Sum of densities <= m − (m − 1)·largest."""
    if not rows:
        return Verdict(True, "global EDF, GFB")
    densest = max(rows, key=lambda row: row.density)
    density = sum(row.density for row in rows)
    room = m - (m - 1) * densest.density
    if density <= room:
        return Verdict(True, "global EDF, GFB")
    return Verdict(False, "global EDF, GFB", witness=Dense(Fraction(density), densest.density, room, densest.name), exact=False)


def bak(rows: Sequence[Sporadic], m: int) -> Verdict:
    """For each k: sum over all i of min(1, beta) <= m·(1 − lambda) + lambda, here times the deadline of k."""
    for k in rows:
        taken = sum(min(Fraction(k.deadline), busy_share(i, k)) for i in rows)
        room = m * (k.deadline - k.cost) + k.cost
        if taken > room:
            return Verdict(False, "global EDF, BAK", witness=Crowded(k.name, k.deadline, Fraction(taken), Fraction(room)), exact=False)
    return Verdict(True, "global EDF, BAK")


def busy_share(i: Sporadic, k: Sporadic) -> Fraction:
    """Baker's beta, times the deadline of k: what i adds at most to an interval that k's density keeps busy."""
    share = i.utilization * (k.deadline + i.period - i.deadline)
    return share + max(Fraction(0), i.cost - k.density * i.period)


def bcl(rows: Sequence[Sporadic], m: int) -> Verdict:
    """For each k: what the others can take of its window, each cut at the wait that would be too long, must not fill that wait on all pCPUs."""
    for k in rows:
        wait = k.deadline - k.cost + 1
        taken = sum(min(urgent_work(i, k.deadline), wait) for i in rows if i is not k)
        if taken >= m * wait:
            return Verdict(False, "global EDF, BCL", witness=Crowded(k.name, k.deadline, Fraction(taken), Fraction(m * wait - 1)), exact=False)
    return Verdict(True, "global EDF, BCL")


def rta(rows: Sequence[Sporadic], m: int) -> Verdict:
    """Response times; all rest on each other's slack, which is 0 until a response is found."""
    return by_responses(rows, responses(rows, m), m, "global EDF, response times")


def rta_lc(rows: Sequence[Sporadic], m: int) -> Verdict:
    """The same, made smaller by windows into which not all carry work."""
    return by_responses(rows, carried_responses(rows, responses(rows, m), m), m, "global EDF, response times with limited carry-in")


def responses(rows: Sequence[Sporadic], m: int) -> list[int | None]:
    """Bounds within deadlines, from windows into which all may carry work; they hold if each task has one."""
    bounds: list[int | None] = [None] * len(rows)
    for _ in range(ROUNDS):
        before = list(bounds)
        for k in range(len(rows)):
            bounds[k] = response(rows, k, bounds, m)
        if bounds == before:
            break
    return bounds


def by_responses(rows: Sequence[Sporadic], bounds: Sequence[int | None], m: int, test: str) -> Verdict:
    """What bounds say; the witness is what "rta" has against the first task without one."""
    found = {row.name: bound for row, bound in zip(rows, bounds)}
    late = next((row for row, bound in zip(rows, bounds) if bound is None), None)
    if late is None:
        return Verdict(True, test, found)
    wait = late.deadline - late.cost + 1
    taken = others(rows, rows.index(late), bounds)(late.deadline)(wait)
    return Verdict(False, test, witness=Crowded(late.name, late.deadline, Fraction(taken), Fraction(m * wait - 1)), exact=False)


def response(rows: Sequence[Sporadic], k: int, bounds: Sequence[int | None], m: int) -> int | None:
    """Bound on the response of task k, if there is one within its deadline."""
    return fixed_point(rows[k].cost, others(rows, k, bounds), m, rows[k].deadline)


def others(rows: Sequence[Sporadic], k: int, bounds: Sequence[int | None]) -> Callable[[int], Callable[[int], int]]:
    """What the others do in a window that begins with a release of k, and of that what has deadlines up to k's."""
    ends = [(i, row.deadline if bounds[i] is None else bounds[i]) for i, row in enumerate(rows) if i != k]
    urgent = {i: urgent_work(rows[i], rows[k].deadline, rows[i].deadline - end) for i, end in ends}

    def taken_in(window: int) -> Callable[[int], int]:
        work = [min(workload(rows[i], window, end), urgent[i]) for i, end in ends]
        return lambda cut: sum(min(one, cut) for one in work)

    return taken_in


TESTS: dict[str, Callable[[Sequence[Sporadic], int], Verdict]] = {"gfb": gfb, "bak": bak, "bcl": bcl, "bar": bar, "rta": rta,
                                                                       "rta-lc": rta_lc}
