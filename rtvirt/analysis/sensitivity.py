"""Sensitivity: how much larger, faster or poorer may it become before a test says no? Bisection over whole numbers, with any test.

A test is any function whose answer is true or false: ``lambda tasks: fp_schedulable(tasks, supply)``. Bisection finds a place where the answer
changes, and both sides of it have been tried. It is *the* place if the test never accepts a harder question than one it rejects (it is then called
sustainable). The exact tests for one pCPU are, for wcets, periods and budgets; of those for several pCPUs GFB, BCL and the response times are,
for wcets.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from ..errors import Problem, SpecError
from ..system import VM, Task
from ..units import LONGEST, format_ns
from .limits import NEVER
from .scaled_tasks import costlier, respaced, work_of
from .supply import Supply
from .tasksets import check_tasks, given_tasks, taskset

Test = Callable[[list[Task]], Any]

STEP = Fraction(1, 1_000_000)
LARGEST = 1_000_000       # no factor beyond this is tried


@dataclass(frozen=True)
class Scaling:
    """How far a quantity may be scaled.

    Attributes
    ----------
    what : str
        "wcet of all tasks", …
    factor : Fraction
        With this the test accepts.
    beyond : Fraction or None
        With this it does not; it is the next one that was to be told apart. None: the largest there is was accepted.
    tasks : tuple of Task
        As accepted.
    """

    what: str
    factor: Fraction
    beyond: Fraction | None
    tasks: tuple[Task, ...]

    def why(self) -> str:
        """In words."""
        rest = "nothing larger is asked about" if self.beyond is None else f"with {float(self.beyond):.9g} it is not"
        return f"{self.what} times {float(self.factor):.9g}: accepted; {rest}"


@dataclass(frozen=True)
class Margin:
    """What a set withstands.

    Attributes
    ----------
    overall : Fraction
        All wcets may be larger by this part of them; negative if they are too large already.
    each : {name: int or None} [ns]
        What the wcet of one task may be larger by, all others as they are; None for any amount (and for hogs). Empty if the set is not accepted.
    weakest : str or None
        The task that may grow least, relative to its wcet.
    """

    overall: Fraction
    each: dict[str, int | None]
    weakest: str | None

    def why(self) -> str:
        """In words."""
        if self.weakest is None:
            return f"all wcets may grow by {100 * float(self.overall):.4g} %"
        return (f"all wcets may grow by {100 * float(self.overall):.4g} %; alone, {self.weakest!r} is the weakest: it may grow by "
                f"{format_ns(self.each[self.weakest] or 0)}")


def last_accepted(accepts: Callable[[int], Any], low: int, high: int) -> int | None:
    """The largest whole number of [low, high] that is accepted, if all below it are; None if `low` is not.

    Examples
    --------
    >>> last_accepted(lambda x: x * x < 50, 0, 100), first_accepted(lambda x: x * x > 50, 0, 100), last_accepted(lambda x: False, 0, 9)
    (7, 8, None)
    """
    if high < low or not accepts(low):
        return None
    if accepts(high):
        return high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if accepts(middle) else (low, middle)
    return low


def first_accepted(accepts: Callable[[int], Any], low: int, high: int) -> int | None:
    """The smallest whole number of [low, high] that is accepted, if all above it are; None if `high` is not."""
    found = last_accepted(lambda x: accepts(-x), -high, -low)
    return None if found is None else -found


def wcet_scaling(tasks: Sequence[Task] | VM, test: Test, *, task: str | None = None, step: Fraction = STEP) -> Scaling | None:
    """Critical scaling: the largest factor of the wcets, of all tasks or of one, that the test accepts.

    Parameters
    ----------
    tasks : sequence of Task, or VM
        Hogs stay as they are. Times of scripts and lists are scaled one by one, distributions not at all: give their largest value as wcet.
    test : callable
        From a list of tasks to a verdict, or anything true or false.
    task : str, optional
        Only this one; then exact to the ns.
    step : Fraction
        Factors are multiples of this for all tasks together; scaled wcets are rounded up, so that the factor itself is safe.

    Returns
    -------
    Scaling or None
        None if the test does not even accept wcets of 1 ns (one task), or scaled by one `step`.

    Raises
    ------
    SpecError
        Unknown names, distributions.

    References
    ----------
    Lehoczky, Sha and Ding, RTSS 1989 (critical scaling factor). Vestal, Fixed-priority sensitivity analysis for linear compute time models, IEEE TSE
    20(4), 1994. Punnekkat, Davis and Burns, Sensitivity analysis of real-time task sets, ASIAN 1997. Bini, Di Natale and Buttazzo, Sensitivity
    analysis for fixed-priority real-time systems, Real-Time Systems 39, 2008.

    Examples
    --------
    >>> import rtvirt as rv
    >>> from rtvirt.units import ms
    >>> two = [rv.Task("a", wcet=ms(1), period=ms(4)), rv.Task("b", wcet=ms(2), period=ms(6))]
    >>> wcet_scaling(two, rv.analysis.edf_schedulable).factor, wcet_scaling(two, rv.analysis.fp_schedulable, task="a").factor
    (Fraction(342857, 200000), Fraction(2, 1))
    """
    given = listed_tasks(tasks, [] if task is None else [task])
    if task is None:
        return scaling("wcet of all tasks", lambda factor: [costlier(one, factor) for one in given], test, step)
    own = next(one for one in given if one.name == task)
    cost = work_of(own)
    step = Fraction(1, cost)
    return scaling(f"wcet of {task!r}", lambda factor: [costlier(one, factor) if one is own else one for one in given], test, step)


def period_scaling(tasks: Sequence[Task] | VM, test: Test, *, task: str | None = None, step: Fraction = STEP) -> Scaling | None:
    """The smallest factor of the periods, of all tasks or of one, that the test accepts: how much faster may they come?

    Parameters
    ----------
    tasks, test, task
        As in `wcet_scaling`. A deadline that equals its period stays equal to it; a shorter one is cut where the period becomes shorter still.
    step : Fraction
        Factors are multiples of this; scaled periods are rounded down. For one task exact to the ns.

    Returns
    -------
    Scaling or None
        `beyond` is smaller here. None if not even periods a million times as long are accepted.

    Examples
    --------
    >>> import rtvirt as rv
    >>> two = [rv.Task("a", wcet=1, period=40), rv.Task("b", wcet=2, period=60)]
    >>> period_scaling(two, rv.analysis.edf_schedulable, task="b").tasks[1].period
    3
    """
    given = listed_tasks(tasks, [] if task is None else [task])
    chosen = [one for one in given if one.period is not None and task in (None, one.name)]
    if not chosen:
        raise SpecError([Problem("task", task, "a task with a period", "choose another")])
    step = Fraction(1, chosen[0].period) if task is not None else step

    def faster(factor: Fraction) -> list[Task] | None:
        periods = {one.name: int(one.period * factor) for one in chosen}
        if min(periods.values()) < 1 or max(periods.values()) > LONGEST:
            return None
        return [respaced(one, periods[one.name]) if one.name in periods else one for one in given]

    most = min(LARGEST * step.denominator // step.numerator, min(int(LONGEST / (step * one.period)) for one in chosen))
    found = first_accepted(lambda k: (made := faster(k * step)) is not None and test(made), 1, most)
    if found is None:
        return None
    what = "period of all tasks" if task is None else f"period of {task!r}"
    return Scaling(what, found * step, (found - 1) * step if found > 1 else None, tuple(faster(found * step) or ()))


def supply_scaling(supply: Supply, test: Callable[[Any], Any], field: str = "budget") -> Any:
    """The poorest supply that the test accepts: its smallest budget, or its longest period.

    Parameters
    ----------
    supply : PeriodicResource, DeferrableServer, MultiprocessorPeriodicResource, …
        Whatever has the field.
    test : callable
        From a supply to a verdict: ``lambda supply: edf_schedulable(tasks, supply)``.
    field : str
        "budget", "deadline" (the latest, of an EDP supply) or "period" (with the same budget).

    Returns
    -------
    Supply or None
        The supply with that field changed, exact to the ns; None if the test accepts none.

    Notes
    -----
    The slack is the difference of the fields, in ns: ``supply.budget - supply_scaling(supply, test).budget``.

    Examples
    --------
    >>> import rtvirt as rv
    >>> two = [rv.Task("a", wcet=7, period=50), rv.Task("b", wcet=9, period=75)]
    >>> vcpu = rv.analysis.PeriodicResource(10, 6)
    >>> fits = lambda supply: rv.analysis.edf_schedulable(two, supply)
    >>> supply_scaling(vcpu, fits), supply_scaling(vcpu, fits, "period")
    (PeriodicResource(period=10, budget=3), PeriodicResource(period=19, budget=6))
    """
    if field not in ("budget", "period", "deadline") or not hasattr(supply, field):
        raise SpecError([Problem("field", field, "budget, period or deadline, if the supply has it", "choose one of these")])

    def changed(value: int) -> Any:
        try:
            return replace(supply, **{field: value})          # type: ignore[type-var]
        except SpecError:
            return None                                  # the supply does not go so far

    def accepts(value: int) -> bool:
        made = changed(value)
        return made is not None and bool(test(made))

    start = int(getattr(supply, field))
    if field == "budget":
        most = last_accepted(lambda value: changed(value) is not None, start, NEVER)
        found = first_accepted(accepts, 0, start if most is None else most)
    else:
        least = first_accepted(lambda value: changed(value) is not None, 1, start)
        found = last_accepted(accepts, start if least is None else least, LONGEST)
    return None if found is None else changed(found)


def breakdown_utilization(tasks: Sequence[Task] | VM, test: Test, *, step: Fraction = STEP) -> Fraction | None:
    """Utilization of the set when all wcets have been scaled as far as the test accepts: in pCPUs.

    Parameters
    ----------
    tasks, test, step
        As in `wcet_scaling`.

    Returns
    -------
    Fraction or None

    References
    ----------
    Lehoczky, Sha and Ding, The rate monotonic scheduling algorithm: exact characterization and average case behavior, RTSS 1989.

    Examples
    --------
    >>> import rtvirt as rv
    >>> from rtvirt.units import ms
    >>> two = [rv.Task("a", wcet=ms(1), period=ms(4)), rv.Task("b", wcet=ms(2), period=ms(6))]
    >>> [round(float(breakdown_utilization(two, test)), 4) for test in (rv.analysis.edf_schedulable, rv.analysis.fp_schedulable)]
    [1.0, 0.875]
    """
    found = wcet_scaling(tasks, test, step=step)
    return None if found is None else taskset(found.tasks).utilization()


def robustness_margin(tasks: Sequence[Task] | VM, test: Test, *, step: Fraction = STEP) -> Margin | None:
    """How much larger the wcets may turn out to be: all together, and of each task alone.

    Parameters
    ----------
    tasks, test, step
        As in `wcet_scaling`.

    Returns
    -------
    Margin or None
        None if the test accepts no scaling at all.

    Examples
    --------
    >>> import rtvirt as rv
    >>> two = [rv.Task("a", wcet=100, period=400), rv.Task("b", wcet=200, period=600)]
    >>> margin = robustness_margin(two, rv.analysis.fp_schedulable)
    >>> margin.overall, margin.each, margin.weakest
    (Fraction(1, 2), {'a': 100, 'b': 200}, 'a')
    """
    given = listed_tasks(tasks, [])
    whole = wcet_scaling(given, test, step=step)
    if whole is None:
        return None
    each: dict[str, int | None] = {}
    if test(given):
        for one in given:
            alone = None if one.is_hog else wcet_scaling(given, test, task=one.name)
            each[one.name] = None if alone is None or alone.beyond is None else int((alone.factor - 1) * work_of(one))
    grows = {one.name: Fraction(each[one.name] or 0, work_of(one)) for one in given if each.get(one.name) is not None}
    return Margin(whole.factor - 1, each, min(grows, key=lambda name: grows[name]) if grows else None)


def scaling(what: str, change: Callable[[Fraction], list[Task | None]], test: Test, step: Fraction) -> Scaling | None:
    """The largest multiple of `step` whose tasks are accepted; a set that cannot be made is not."""
    if not isinstance(step, Fraction) or not 0 < step <= 1:
        raise SpecError([Problem("step", step, "a Fraction of 0 to 1", "write for example Fraction(1, 1000)")])
    if not callable(test):
        raise SpecError([Problem("test", test, "a function of tasks", "give its name, for example edf_schedulable")])

    def make(factor: Fraction) -> list[Task] | None:
        made = change(factor)
        return None if any(task is None for task in made) else [task for task in made if task is not None]

    def accepts(k: int) -> bool:
        made = make(k * step)
        return made is not None and bool(test(made))

    last = last_accepted(lambda k: make(k * step) is not None, 1, int(LARGEST / step)) or 1
    found = last_accepted(accepts, 1, last)
    if found is None:
        return None
    return Scaling(what, found * step, None if found == last else (found + 1) * step, tuple(make(found * step) or ()))


def listed_tasks(tasks: Sequence[Task] | VM, named: Sequence[str]) -> list[Task]:
    """The tasks as a list, names checked."""
    given = given_tasks(tasks)
    check_tasks(given, named)
    return list(given)
