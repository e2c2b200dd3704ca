"""Overheads of a whole host: what a release anywhere costs everybody.

A release interrupts whoever runs; the woken vCPU waits for the path to a decision, and perhaps for somebody's blocking or switching that has
begun; it takes the pCPU, which costs a switch, blocks when it is done, and a second switch gives the pCPU back. All of that is charged
to *every* supply, at once and before anything else, for every release of every VM: crude, and safe. Releases without a bound then leave
nothing to anybody. (Task-centric accounting of Phan, Xu, Lee and Sokolsky, RTAS 2013; interrupts as Jeffay and Stone, RTSS 1993.)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ...system import System, Task
from ..limits import NEVER
from ..overheads import Overheads
from ..supply import FixedPriorityPartition, Supply
from ..tasksets import largest_demand, taskset

Row = tuple[int, int, int]          # cost, period, jitter [ns]


@dataclass(frozen=True)
class Charges:
    """What the host's overheads cost.

    Attributes
    ----------
    rows : tuple of (cost, period, jitter) [ns]
        Of all releases of all VMs, and of ticks.
    flood : str
        A task with unbounded arrivals, if releases cost anything; else empty.
    switch : int [ns]
        From a decision to the new vCPU's first work.
    latency : int [ns]
        Longest from a wake-up to the decision that it asks for, others' blocking and switching included.
    overrun : int [ns]
        Longest beyond the end of a slice or a budget.
    late : int [ns]
        Longest from when a replenishment is due to the decision that follows.
    """

    rows: tuple[Row, ...]
    flood: str
    switch: int
    latency: int
    overrun: int
    late: int

    @classmethod
    def of(cls, system: System, overheads: Overheads) -> Charges:
        """The charges in a system."""
        costs, blocking = system.costs, system.costs.block_path + overheads.hypercall
        slower = max(0, (costs.block_switch_in or 0) - costs.switch_in)
        switch = overheads.vm_switch + slower
        latency = costs.wake_path + costs.saved_path + blocking + 2 * switch
        slice_late = costs.timer_late if costs.slice_late is None else costs.slice_late
        replenish_late = costs.timer_late if costs.replenish_late is None else costs.replenish_late
        servers = sum(vm.vcpus for vm in system.vms)
        each = overheads.interrupt + latency + 2 * switch
        tasks = [(f"{vm.name}/{task.name}", task) for vm in system.vms for task in vm.tasks]
        endless = [name for name, task in tasks if not task.is_hog and not taskset([task.replace(deadline=None)]).bounded.all()] if each else []
        rows = [row for _, task in tasks for row in releases(task, each)] if each and not endless else []
        if overheads.tick:
            rows.append((overheads.tick, overheads.tick_period, 0))
        late = replenish_late + costs.replenish_path + servers * costs.replenish_each
        overrun = costs.timer_slop + costs.rearm_path + slice_late + blocking + 2 * switch + overheads.section
        return cls(tuple(rows), endless[0] if endless else "", switch, latency, overrun,
                   (late + 2 * switch if late or switch else 0) + overheads.section)

    @property
    def free(self) -> bool:
        """True if nothing costs anything."""
        return not (self.rows or self.flood or self.switch or self.latency or self.overrun or self.late)

    def taken(self, window: int, more: Iterable[Row] = ()) -> int:
        """Most that is taken from a window [ns]."""
        return sum(cost * (-(-(window + jitter) // period) if period < NEVER else 1) for cost, period, jitter in (*self.rows, *more)
                   if window + jitter > 0)

    def left(self, supply: Supply, more: Iterable[Row] = ()) -> Supply:
        """What the charges leave of a supply."""
        above = (*self.rows, *more)
        return FixedPriorityPartition(above, on=supply) if above else supply


def releases(task: Task, each: int) -> list[Row]:
    """Releases of a task, and each step of its script that may block or wake, as (cost, period, jitter)."""
    steps = 1 + calls_of(task)
    if task.is_hog:
        return [(each * steps, NEVER, 0)]
    asked = taskset([task])
    return [(each * steps, period, -offset) for period, offset in zip(asked.stair_period.tolist(), asked.stair_offset.tolist())]


def calls_of(task: Task) -> int:
    """Steps of a script that call the hypervisor, and may block or wake: all but computing and traps, whose cost is their length."""
    return sum(step.kind not in ("run", "trap") for step in task.actions or ())


def inflated(task: Task, guest: str, quantum: int, overheads: Overheads) -> Task:
    """A task whose jobs pay for the guest's switches and for their hypercalls; hogs stay as they are."""
    work = largest_demand(task)
    extra = (2 * overheads.guest_switch + overheads.hypercall) * (1 + calls_of(task))
    extra += overheads.section * sum(step.kind in ("block", "yield") for step in task.actions or ())      # somebody may trap meanwhile
    if guest == "rr" and work is not None:
        extra += 2 * overheads.guest_switch * -(-work // quantum)
    return task if work is None or not extra else task.replace(wcet=work + extra, actions=None)
