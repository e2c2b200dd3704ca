"""Global fixed priorities: what more important vCPUs leave of several pCPUs.

A vCPU that wants to run waits only while *all* m pCPUs run more important ones. So if those do W in a window, it waits for no longer than W / m.
Some of them are better counted as always there: each takes one pCPU at most, and only the others' work, on the m − x pCPUs that are left,

    (m − x)·wait <= sum of the others' work in the window,

can make it wait. A hog that is more important is of that kind, and where m of them are, nothing is left.

How much work is it? Let the window begin at the last instant, before the vCPU had something to do, at which not all pCPUs ran more important
vCPUs: until then it has waited for nothing but them. Each that had work left there was running, one instant before, so at most m − 1 had (Guan et
al. 2009, whose tasks are vCPUs here), and one fewer for each hog that is more important. What one of these had left is no more than its
*backlog*: the most that its tasks may have asked for since it last had nothing to do, less what it was surely supplied with since then. To that
come the requests of all within the window. A job that sleeps has work left, and does not run: whoever has such jobs carries its backlog beside
the m − 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from ...errors import LimitError
from ...system import Task
from ..demand import rbf
from ..limits import NEVER
from ..supply import FixedPriorityPartition, Supply
from ..tasksets import taskset
from .charges import Row, inflated
from .host import Host, Promise, Vcpu, names, nothing

MOST_STEPS = 20_000       # of the requests within a busy period


@dataclass(frozen=True)
class Load:
    """What a more important vCPU may do: the stairs of its requests, and what it may have left at any time [ns]."""

    stairs: tuple[Row, ...]
    backlog: int

    @property
    def rate(self) -> Fraction:
        """Share of a pCPU in the long run."""
        return sum((Fraction(cost, period) for cost, period, _ in self.stairs if period < NEVER), Fraction(0))


def load_of(host: Host, vcpu: Vcpu, promise: Promise) -> Load | None:
    """The load of a vCPU that was promised so much; None if it may run for ever, or nobody knows what it runs."""
    if promise.supply is None or vcpu.roams or host.charges.flood:
        return None
    tasks = [inflated(task, vcpu.vm.guest, vcpu.vm.quantum, host.overheads) for task in vcpu.tasks]
    asked = taskset(tasks)
    if not asked.bounded.all():
        return None
    start = host.charges.latency + host.charges.switch
    left = backlog(tasks, host.charges.left(promise.supply, [*([(start, NEVER, 0)] if start else []), *promise.more]))
    stairs = zip(asked.stair_cost.tolist(), asked.stair_period.tolist(), asked.stair_offset.tolist())
    return None if left is None else Load(tuple((cost, period, -offset) for cost, period, offset in stairs), left)


def backlog(tasks: Sequence[Task], supply: Supply) -> int | None:
    """Most that a vCPU has left to do at any time [ns]; None if no bound is found.

    Between two arrivals it only shrinks, so it is looked at just after each of them, until all is done.
    """
    asked = taskset(tasks)
    try:
        end = busy_period(tasks, supply)
        if end is None or sum(end // period + 2 for period in asked.stair_period.tolist()) > MOST_STEPS:
            return None
        points = {1} | {k * period + offset + 1 for period, offset in zip(asked.stair_period.tolist(), asked.stair_offset.tolist())
                        for k in range((end - offset) // period + 1 if period < NEVER else 1) if 0 < k * period + offset < end}
        at = np.array(sorted(points), np.int64)
        return int(max(0, (rbf(tasks, at) - supply.sbf(at)).max()))
    except LimitError:
        return None


def busy_period(tasks: Sequence[Task], supply: Supply) -> int | None:
    """After so long everything that came is done, at the latest [ns]; None if that may never be."""
    end = 1
    for _ in range(MOST_STEPS):
        later = supply.inverse(rbf(tasks, end))
        if later is None or later <= end:
            return end if later is not None else None
        end = later
    return None


def beneath(host: Host, vcpu: Vcpu, higher: Sequence[Vcpu], loads: Mapping[int, Load | None]) -> Promise:
    """What at least as many more important vCPUs as there are pCPUs leave to one that shares these with them."""
    m, known = len(vcpu.cpus), [(other, load) for other in higher if (load := loads[other.index]) is not None]
    known.sort(key=lambda one: -one[1].rate)
    always = [other for other in higher if loads[other.index] is None]
    carriers = m - 1 - sum(other.steady for other in higher)
    found: list[tuple[Any, Supply, list[Row], Sequence[Vcpu]]] = []
    for more in range(m - len(always)):
        whole, rest = [*always, *(other for other, _ in known[:more])], known[more:]
        rows = taken(rest, m - len(whole), carriers)
        supply = FixedPriorityPartition(rows)
        if supply.rate > 0:
            found.append((first_answer(vcpu, supply), supply, rows, whole))
    if not found:
        return nothing(vcpu, f"{names(higher)} are more important and may fill all {m} pCPUs in the long run"
                       + (f"; of these, {names(always)} may always have work" if always else "") + ": lower their demands, or pin vCPUs (affinity)")
    _, supply, rows, whole = min(found, key=lambda one: one[0])
    links = tuple((cost * (m - 1), period, jitter) for cost, period, jitter in host.charges.rows)     # one who is displaced displaces another
    return Promise(supply, f"{vcpu.name} has what {names(higher)} leave of {m} pCPUs" + (f", if {names(whole)} always ran" if whole else ""),
                   {"rule": "left", "cpus": m - len(whole), "higher": [list(row) for row in rows]}, links)


def taken(rest: Sequence[tuple[Vcpu, Load]], cpus: int, carriers: int) -> list[Row]:
    """The time that all of so many pCPUs may be taken, as requests [ns]: their work, what some carry in included, divided up and rounded up."""
    awake = sorted((load.backlog for other, load in rest if not other.suspends), reverse=True)
    carried = sum(awake[:carriers]) + sum(load.backlog for other, load in rest if other.suspends)
    rows = [(carried, NEVER, 0), *(stair for _, load in rest for stair in load.stairs)]
    return [(-(-cost // cpus), period, jitter) for cost, period, jitter in rows if cost]


def first_answer(vcpu: Vcpu, supply: Supply) -> int:
    """How long all of the vCPU's tasks take once, by which supplies are compared [ns]."""
    try:
        done = supply.inverse(max(1, int(taskset(vcpu.tasks).cost.sum())))
    except LimitError:
        done = None
    return NEVER if done is None else done
