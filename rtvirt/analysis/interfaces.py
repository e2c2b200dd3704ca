"""Interfaces: the smallest budget for a period, the best period, and components within components."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

import numpy as np

from ..errors import Problem, SpecError
from ..system import VM, Task
from ..units import LONGEST
from .edf import verdict_of
from .fixed_priority import bounds
from .kernels_edf import DeadlineSets
from .kernels_interface import budgets_of
from .limits import MISSED, NEVER, TOO_CLOSE, TOO_LARGE, TOO_LONG, refuse
from .multicore import min_mpr_budget
from .overheads import Overheads
from .pattern import Pattern, make_pattern
from .requests import empty_rows
from .supply import ExplicitDeadlinePeriodic, FixedPriorityPartition, MultiprocessorPeriodicResource, Supply
from .supply.base import check_times
from .tasksets import Arrivals, TaskSet, taskset

Guest = Literal["edf", "fp"]
NO_HOLDS = DeadlineSets(*(np.zeros(1, np.int64),) * 4, np.zeros(0, np.int64), np.zeros(0, np.int64))


def min_budget(tasks: Sequence[Task] | VM, period: int, guest: Guest = "edf", *, deadline: int | None = None,
               overhead: Overheads | None = None, arrivals: Arrivals | None = None) -> int | None:
    """Smallest budget in every `period` with which the guest meets every deadline.

    Parameters
    ----------
    tasks : sequence of Task, or VM
    period : int [ns]
        Of the vCPU's budget.
    guest : {"edf", "fp"}
        How the guest schedules, preemptively, on its one vCPU.
    deadline : int [ns], optional
        The budget comes within so much of the period (an EDP interface); the period unless given.
    overhead : Overheads, optional
    arrivals : {name: ArrivalCurve}, optional

    Returns
    -------
    int or None [ns]
        None if not even the whole pCPU (or the whole deadline) would do.

    Raises
    ------
    LimitError
        As in `edf_schedulable` and `fp_response_times`.

    Notes
    -----
    Exact, to the ns, for the periodic (or EDP) resource model: the supply may come as late as the contract allows, in every period. So one ns
    less has a counter-example. A budget that can be given in steps only is rounded up to the next step.

    References
    ----------
    Shin and Lee, Periodic resource model for compositional real-time guarantees, RTSS 2003; Easwaran, Anand and Lee 2007; exact budgets:
    Fisher and Dewan, Approximate bandwidth allocation for compositional real-time systems, ECRTS 2009.

    Examples
    --------
    >>> import rtvirt as rv
    >>> two = [rv.Task("a", wcet=7, period=50), rv.Task("b", wcet=9, period=75)]
    >>> min_budget(two, 10), min_budget(two, 10, guest="fp"), min_budget(two, 10, deadline=5), min_budget(two, 1000)
    (3, 4, 3, 979)
    """
    check_guest(guest)
    check_times("min_budget", period=(period, 1, LONGEST, ""))
    limit = period if deadline is None else deadline
    check_times("min_budget", deadline=(limit, 1, period, "the period"))
    asked = taskset(tasks, arrivals=arrivals, by_priority=guest == "fp")
    if overhead is None:
        return budget_of(asked, int(period), guest, int(limit))
    above = tuple(overhead.above(asked))
    return budget_of(overhead.charge(asked), int(period), guest, int(limit), above)


def budget_of(asked: TaskSet, period: int, guest: Guest, limit: int, above: tuple[Any, ...] = ()) -> int | None:
    """The same for prepared tasks, and what comes `above` all of them."""
    wanted = [i for i in range(len(asked)) if asked.deadline[i] < NEVER]
    if not wanted:
        return 0
    asked = asked.pick(wanted if guest == "edf" else range(wanted[-1] + 1))
    if not asked.bounded.all():
        return None
    if above:
        return by_bisection(asked, period, guest, limit, above)
    out = np.zeros(1, np.int64)
    budgets_of(scratch_pattern(), guest == "edf", np.array([0, len(asked)]), asked.first, asked.cost, asked.stair_period, asked.stair_offset,
               asked.deadline, NO_HOLDS, empty_rows(len(asked.stair_cost)), np.array([period]), np.array([limit]), out)
    if out[0] in (TOO_CLOSE, TOO_LARGE, TOO_LONG):
        return by_bisection(asked, period, guest, limit)
    refuse(int(out[0]), "smallest budget")
    return None if out[0] == MISSED else int(out[0])


def scratch_pattern() -> Pattern:
    """Room for the three corners of a budget."""
    return make_pattern([(0, 0, 0)] * 3, 0, 1, 0)


def by_bisection(asked: TaskSet, period: int, guest: Guest, limit: int, above: tuple[Any, ...] = ()) -> int | None:
    """The smallest budget by asking the exact tests: for sets that floats cannot tell, and where interrupts take from the budget."""
    def enough(budget: int) -> bool:
        supply: Supply = ExplicitDeadlinePeriodic(period, budget, limit)
        supply = FixedPriorityPartition(above, on=supply) if above else supply
        if guest == "edf":
            return bool(verdict_of(asked, supply))
        none = np.zeros(len(asked), np.int64)
        found = bounds(asked, supply, (none, none + 1))
        return all(found[name] is not None and found[name] <= due for name, due in zip(asked.names, asked.deadline.tolist()) if due < NEVER)

    low, high = max(0, int(asked.pick([i for i in range(len(asked)) if asked.deadline[i] < NEVER]).utilization() * period) - 1), limit
    if not enough(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


@dataclass(frozen=True)
class Interface:
    """What a component asks of the one above it.

    Attributes
    ----------
    name : str
    period, budget, deadline : int [ns]
    utilization : Fraction
        Of the component's own tasks, without the loss to interfaces below.
    switch : int [ns]
        Cost of a switch, paid once a period out of `bandwidth`.
    parts : tuple of Interface
        Of the components inside.
    cpus : int
        How many vCPUs share the budget (an MPR interface if several).
    """

    name: str
    period: int
    budget: int
    deadline: int
    utilization: Fraction
    switch: int = 0
    parts: tuple[Interface, ...] = ()
    cpus: int = 1

    @property
    def bandwidth(self) -> Fraction:
        """Share of a pCPU, switches included."""
        return Fraction(self.budget + self.cpus * self.switch, self.period)

    @property
    def abstraction_overhead(self) -> Fraction:
        """Share of a pCPU asked for beyond what the tasks use, relative to that: ``bandwidth / utilization − 1`` (Shin and Lee 2003)."""
        return self.bandwidth / self.utilization - 1 if self.utilization else Fraction(0)

    def tasks(self) -> list[Task]:
        """The interface as tasks of the component above: one a vCPU that has a budget."""
        if self.cpus == 1:
            return [Task(self.name, wcet=self.budget + self.switch, period=self.period, deadline=self.deadline)] if self.budget else []
        return [Task(f"{self.name}-{v}", wcet=budget + self.switch, period=self.period)
                for v, budget in enumerate(MultiprocessorPeriodicResource(self.period, self.budget, self.cpus).vcpu_budgets) if budget]

    def supply(self) -> ExplicitDeadlinePeriodic | MultiprocessorPeriodicResource:
        """What the component then surely gets."""
        if self.cpus > 1:
            return MultiprocessorPeriodicResource(self.period, self.budget, self.cpus)
        return ExplicitDeadlinePeriodic(self.period, self.budget, self.deadline)


def best_interface(tasks: Sequence[Task] | VM, periods: Iterable[int], guest: Guest = "edf", *, switch: int = 0,
                   arrivals: Arrivals | None = None, name: str = "interface") -> Interface | None:
    """The period, of those given, with the least bandwidth, a `switch` [ns] paid in every period; the longest of equals.

    Parameters
    ----------
    tasks : sequence of Task, or VM
    periods : iterable of int [ns]
    guest : {"edf", "fp"}
    switch : int [ns]
        What giving the budget costs each time (`Overheads.vm_switch`). With 0 short periods always look best: their blackout is short.
    arrivals : {name: ArrivalCurve}, optional
    name : str

    Returns
    -------
    Interface or None
        None if no period will do.

    References
    ----------
    Lipari and Bini, A methodology for designing hierarchical scheduling systems, J. Embedded Computing 1(2), 2005; Shin and Lee,
    Compositional real-time scheduling framework with periodic model, ACM TECS 7(3), 2008.

    Examples
    --------
    >>> import rtvirt as rv
    >>> two = [rv.Task("a", wcet=7, period=50), rv.Task("b", wcet=9, period=75)]
    >>> best_interface(two, range(1, 50), switch=1).period, best_interface(two, range(1, 50)).period
    (26, 14)
    """
    check_guest(guest)
    check_times("best_interface", switch=(switch, 0, LONGEST, ""))
    asked = taskset(tasks, arrivals=arrivals, by_priority=guest == "fp")
    used = asked.utilization()
    best: Interface | None = None
    for period in periods:
        check_times("best_interface", period=(period, 1, LONGEST, ""))
        budget = budget_of(asked, int(period), guest, int(period))
        if budget is not None and budget + switch <= period:
            found = Interface(name, int(period), budget, int(period), used, switch)
            if best is None or (found.bandwidth, -found.period) < (best.bandwidth, -best.period):
                best = found
    return best


@dataclass(frozen=True)
class Component:
    """A VM, or a group of VMs that share a budget: tasks, components inside it, and how it schedules them.

    Parameters
    ----------
    name : str
    period : int [ns]
        Of its own interface.
    tasks : sequence of Task
    parts : sequence of Component
    guest : {"edf", "fp"}
    deadline : int [ns], optional
        Of its budget; the period unless given.
    cpus : int
        vCPUs; several of them schedule by global EDF, and their budgets come within the period (`min_mpr_budget`).
    """

    name: str
    period: int
    tasks: tuple[Task, ...] = ()
    parts: tuple[Component, ...] = field(default=())
    guest: Guest = "edf"
    deadline: int | None = None
    cpus: int = 1


def compose(component: Component, *, switch: int = 0) -> Interface | None:
    """The interface of a component, from those of the components inside it, over any number of levels.

    Parameters
    ----------
    component : Component
    switch : int [ns]
        What giving a budget costs each time; it is charged to the level above.

    Returns
    -------
    Interface or None
        With the interfaces inside as `parts`; None if some component cannot be served even by a whole pCPU.

    Notes
    -----
    A child's interface is a periodic task of its parent, as CARTS does it; with several vCPUs so many tasks, which share its budget equally. Each
    level loses bandwidth (`abstraction_overhead`).

    References
    ----------
    Shin and Lee 2003; several vCPUs: Shin, Easwaran and Lee 2008. Phan et al., CARTS: a tool for compositional analysis of real-time systems,
    SIGBED Review 8(1), 2011.

    Examples
    --------
    >>> import rtvirt as rv
    >>> phone = Component("phone", 5, parts=[
    ...     Component("modem", 10, tasks=[rv.Task("slot", wcet=2, period=40)]),
    ...     Component("car", 10, parts=[Component("brakes", 20, tasks=[rv.Task("b", wcet=10, period=100)])])])
    >>> top = compose(phone)
    >>> top.budget, [(part.name, part.budget) for part in top.parts], top.parts[1].parts[0].budget, round(float(top.abstraction_overhead), 2)
    (3, [('modem', 1), ('car', 3)], 3, 3.0)
    """
    if not isinstance(component, Component):
        raise SpecError([Problem("component", component, "a Component", "make it with Component(...)")])
    if isinstance(component.parts, Component) or not all(isinstance(part, Component) for part in component.parts):
        raise SpecError([Problem("Component.parts", component.parts, "components", "make them with Component(...)")])
    inside = [compose(part, switch=switch) for part in component.parts]
    if any(part is None for part in inside):
        return None
    parts: tuple[Any, ...] = tuple(inside)
    tasks = (*component.tasks, *(task for part in parts for task in part.tasks()))
    budget = budget_for(component, tasks)
    if budget is None or -(-budget // component.cpus) + switch > component.period:
        return None
    own = taskset(component.tasks)
    used = own.utilization() + sum((part.utilization for part in parts), Fraction(0))
    return Interface(component.name, component.period, budget, component.deadline or component.period, used, switch, parts, component.cpus)


def budget_for(component: Component, tasks: Sequence[Task]) -> int | None:
    """Smallest budget of a component with these tasks; of all its vCPUs together."""
    if component.cpus == 1:
        return min_budget(tasks, component.period, component.guest, deadline=component.deadline)
    if component.guest != "edf" or component.deadline not in (None, component.period):
        raise SpecError([Problem(f"Component({component.name!r}).cpus", component.cpus, "1, with this guest or deadline",
                                 "several vCPUs schedule by global EDF, with budgets that come within the period")])
    return min_mpr_budget(tasks, component.period, component.cpus)


def check_guest(guest: str) -> None:
    """Refuse other guests."""
    if guest not in ("edf", "fp"):
        raise SpecError([Problem("guest", guest, "'edf' or 'fp'", "choose one of these")])
