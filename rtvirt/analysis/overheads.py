"""Overheads as inflation: what switches, ticks, interrupts and hypercalls add, each formula with its source.

An analysis without overheads holds for a machine without them. Inflation charges each cost to somebody, at least as often as it can
occur, so that the same analysis holds for the real one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..errors import Problem, SpecError
from ..system import Costs
from ..units import LONGEST
from .supply import ExplicitDeadlinePeriodic, FixedPriorityPartition, PeriodicResource, Supply
from .supply.base import check_times
from .tasksets import TaskSet


@dataclass(frozen=True)
class Overheads:
    """Costs [ns], and how they are charged.

    Parameters
    ----------
    guest_switch : int [ns]
        Of a switch between two tasks of the guest. Each job causes at most two, one when it takes the vCPU and one when it gives it back:
        ``C + 2·guest_switch`` (Burns, Tindell and Wellings, IEEE TSE 21(5), 1995; Katcher, Arakawa and Strosnider, IEEE TSE 19(9), 1993).
    interrupt : int [ns]
        Of each release, handled before all tasks, whoever is released: it is taken from the supply, as a more important partition would
        (Jeffay and Stone, Accounting for interrupt handling costs in dynamic priority task systems, RTSS 1993; `FixedPriorityPartition`).
    tick, tick_period : int [ns]
        Of a periodic tick, likewise (Burns, Tindell and Wellings 1995; Jeffay and Stone 1993).
    hypercall : int [ns]
        Of each job's last one, which lets the vCPU block: ``C + hypercall``. A guest that blocks more often needs more.
    section : int [ns]
        Longest part of the hypervisor's work for a VM that nobody preempts: `admit` lets everybody wait for it (docs/model.md 3.8).
    vm_switch : int [ns]
        Of a vCPU's dispatch (switch, decision, reload of caches). Each budget is dispatched once at its beginning, and once more after each
        preemption by another vCPU, which that one pays for, as jobs do: a server of budget Q delivers ``Q − 2·vm_switch`` (Phan, Xu, Lee
        and Sokolsky, Overhead-aware compositional analysis of real-time systems, RTAS 2013, task-centric accounting; here for one pCPU). See
        `supply`.

    Notes
    -----
    `Overheads.of(costs)` takes the figures that the engine charges. A task whose arrivals have no bound has unbounded interrupts: with a cost, they
    leave nothing to anybody. Costs of longer paths and of late timers (`wake_path`, `timer_late`, …) delay a release: give them as jitter.

    Examples
    --------
    >>> import rtvirt as rv
    >>> two = [rv.Task("a", wcet=10, period=40), rv.Task("b", wcet=20, period=60)]
    >>> rv.analysis.fp_response_times(two, overhead=Overheads(guest_switch=1, interrupt=2))
    {'a': 16, 'b': 38}
    """

    guest_switch: int = 0
    interrupt: int = 0
    tick: int = 0
    tick_period: int = 10_000_000
    hypercall: int = 0
    vm_switch: int = 0
    section: int = 0

    def __post_init__(self) -> None:
        for name in ("guest_switch", "interrupt", "tick", "hypercall", "vm_switch", "section"):
            check_times("Overheads", **{name: (getattr(self, name), 0, LONGEST, "")})
        check_times("Overheads", tick_period=(self.tick_period, 1, LONGEST, ""))

    @classmethod
    def of(cls, costs: Costs, *, tick_period: int = 10_000_000) -> Overheads:
        """The charges for what the engine's `Costs` say (docs/model.md 8)."""
        return cls(guest_switch=costs.guest_switch, interrupt=costs.interrupt, tick=costs.tick, tick_period=tick_period, hypercall=costs.hypercall,
                   vm_switch=costs.switch_in + costs.context_switch + costs.decision + costs.cache_reload)

    def charge(self, asked: TaskSet) -> TaskSet:
        """Prepared tasks whose jobs pay for their switches and hypercalls."""
        longer = 2 * self.guest_switch + self.hypercall
        return replace(asked, cost=np.where(asked.bounded, asked.cost + longer, asked.cost), stair_cost=asked.stair_cost + longer)

    def above(self, asked: TaskSet) -> list[tuple[int, int, int]]:
        """Interrupts of all tasks, and ticks, as (cost, period, jitter) [ns]."""
        found = [(self.tick, self.tick_period, 0)] if self.tick else []
        if self.interrupt:
            releases = zip(asked.stair_period.tolist(), asked.stair_offset.tolist())
            found += [(self.interrupt, period, -offset) for period, offset in releases]
            found += [(1, 1, 0)] if asked.flooding else []
        return found

    def left(self, supply: Supply, asked: TaskSet) -> Supply:
        """What interrupts and ticks leave of a supply."""
        above = self.above(asked)
        return FixedPriorityPartition(above, on=supply) if above else supply

    def supply(self, server: Any) -> Any:
        """A periodic server with the cost of its switches taken out of its budget."""
        if not isinstance(server, (PeriodicResource, ExplicitDeadlinePeriodic)):
            raise SpecError([Problem("server", server, "a PeriodicResource or an ExplicitDeadlinePeriodic",
                                     "take the cost out of its budget yourself")])
        return replace(server, budget=max(0, server.budget - 2 * self.vm_switch))
