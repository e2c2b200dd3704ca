"""A window replayed with guests that react: Linux with one periodic task, whose kernel's tick follows what the guest has just done.

Measured wake-ups are those of a guest that was served when it was served then. Where the model serves it at another time, a tick that came
after a job comes before it, is worked on together with it, and wakes nobody: wake-ups get lost. So here the task is released on its grid,
with the measured work of its jobs, and at each point of the kernel's grid of 4 ms the run is held to see what the guest has done since:

* a tick wakes a guest that is asleep if a job has ended since the last point; once it has ticked it is quiet until the next job;
* a tick that finds the guest at work, or waiting, costs nothing of its own; it comes at the next point after that;
* a tick that has woken the guest, and is still not served when the next job is released, is served with that job;
* a job that is released while the one before is not done comes when the guest has blocked and, as its timer is due, has been woken at once;
* a job that has been preempted takes longer, by what preempted jobs took longer in the unscored first 2.5 s.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Any

import numpy as np

from ..results import Run
from ..simulation import Machine
from ..state import RUNNABLE
from ..system import Task
from ..timers import NEVER
from . import kernel_ticks
from .guest import KERNEL_TICK, LONG, period_of, phase
from .interpreted import interpreted
from .opening import UNSCORED

if TYPE_CHECKING:
    from .window import Window

HOLD = 500_000                       # a preempted guest waits longer than this, as whoever took its place has a ratelimit [ns]

SOON = 100_000                       # a wake-up within so long of a blocking is due to a timer that was late [ns]


def replay(window: Window) -> Run:
    """A model run of a window: guests with a periodic task react, the others do what they were measured to do.

    Under RTDS, whose windows have no periodic guests, slices end later where a running guest's tick is served (`kernel_ticks`).

    Parameters
    ----------
    window : Window
        One vCPU a domain, as in all shipped windows. Without periodic guests this is `simulate(window.system(), window.scheduler(), ...)`.
    """
    if window.row["sched"] == "rtds":
        return kernel_ticks.replay(window)
    rhythms = {f"d{d}": Rhythm(window, d) for d in window.domains if period_of(window, d)}
    system = window.system()
    system = system.replace(vms=[vm.replace(tasks=rhythms[vm.name].tasks) if vm.name in rhythms else vm for vm in system.vms])
    machine = Machine(system, window.scheduler(), 0, "trace", {})
    machine.state.agenda.end = window.duration
    guests = [Guest(machine, i, rhythms[vm.name]) for i, vm in enumerate(system.vms) if vm.name in rhythms]
    agenda = [(at, order, guest, number) for guest in range(len(guests)) for order, grid in enumerate(guests[guest].grids)
              for number, at in enumerate(grid)]
    heapify(agenda)
    while agenda and agenda[0][0] < window.duration:
        at, order, guest, number = heappop(agenda)
        machine.run_until(at, window.duration, None)
        again = (guests[guest].look, guests[guest].job, guests[guest].tick)[order](number, at)
        if again:
            heappush(agenda, (again, order, guest, number))
    machine.run_until(window.duration, window.duration, None)
    return Run(system, window.scheduler(), window.duration, 0, "trace", machine.close(window.duration))


class Rhythm:
    """When a guest's task and its kernel's tick are due, and how much work they are. Grids are those of the unscored first 2.5 s."""

    def __init__(self, window: Window, domain: int) -> None:
        period = period_of(window, domain)
        wakes, work = (np.array(x) for x in window.demands(domain, window.costs))
        starts = window.runs.loc[window.runs["dom"] == domain, "start_ns"].to_numpy()
        stints = np.bincount(np.maximum(np.searchsorted(wakes, starts, "right") - 1, 0), minlength=len(wakes))
        jobs, early = work >= LONG, (wakes > 0) & (wakes < UNSCORED)
        whole, split = (work[jobs & early & (stints == n)] for n in (1, 2))
        self.resume = int(np.median(split) - np.median(whole)) if len(split) and len(whole) else 0
        ends = window.runs.loc[(window.runs["dom"] == domain) & (window.runs["end"] == "blocked"), "end_ns"].to_numpy()
        after = wakes[early] - ends[np.maximum(np.searchsorted(ends, wakes[early]) - 1, 0)]
        soon = after[(after > 0) & (after < SOON)]
        path = window.costs.block_path + (window.costs.block_switch_out or window.costs.switch_out)
        self.late_timer = int(np.median(soon)) + path if len(soon) else 0
        work = np.maximum(work - self.resume * np.maximum(stints - 1, 0), 1)
        self.jobs = np.arange(phase(wakes[jobs & early], period), window.duration, period).tolist()
        self.ticks = np.arange(phase(wakes[~jobs & early], KERNEL_TICK), window.duration, KERNEL_TICK).tolist()
        self.tasks = [Task("job", releases=self.jobs, wcet=work[jobs].tolist(), priority=1),
                      Task("kernel", releases=self.ticks, wcet=work[~jobs].tolist(), priority=2)]


class Guest:
    """A guest of a machine that runs, at an instant at which it is held."""

    def __init__(self, machine: Machine, vm: int, rhythm: Rhythm) -> None:
        self.state, self.ticks, self.resume, self.late_timer = machine.state, rhythm.ticks, rhythm.resume, rhythm.late_timer
        self.grids = (range(0, rhythm.jobs[-1], HOLD), rhythm.jobs, rhythm.ticks)
        self.vcpu, self.first = int(self.state.vms[vm].first_vcpu), int(self.state.vms[vm].first_task)
        self.set_alarm = interpreted("timers").set_alarm
        self.seen = 0                                      # jobs done by the last point at which it slept
        self.waits = -1                                    # job that is to be released after the one before
        self.lengthened = -1                               # stint after which its job was made longer

    def look(self, number: int, at: int) -> None:
        """If it waits with a job that has begun, the job takes longer: once for each time that it is preempted."""
        job, stints = self.state.tasks[self.first], int(self.state.book.vcpus[self.vcpu].stints)
        if self.state.vcpus[self.vcpu].state == RUNNABLE and job.pending and job.started >= 0 and stints != self.lengthened:
            job.remaining += self.resume
            self.lengthened = stints

    def job(self, number: int, at: int) -> int:
        """A job is released next: a tick that still waits to be served goes with it. Says when to look again, if it has to wait itself."""
        job, kernel = self.state.tasks[self.first], self.state.tasks[self.first + 1]
        if job.pending and self.late_timer:
            self.waits = number
            self.put_off(0, NEVER)
            return at + max(int(job.remaining), 0) + 1
        if self.waits == number:
            self.waits = -1
            self.put_off(0, at - 1 + self.late_timer)
        if kernel.pending and kernel.started < 0:
            kernel.remaining = 1
        return 0

    def tick(self, number: int, at: int) -> None:
        """A tick is due next: it is struck out unless the guest sleeps, and has done a job since it last did so."""
        job, asleep = self.state.tasks[self.first], self.state.vcpus[self.vcpu].blocked
        done = job.next_job - job.pending
        if not (asleep and done > self.seen):
            self.strike_out(self.ticks[number + 1] if number + 1 < len(self.ticks) else NEVER)
        if asleep:
            self.seen = done

    def strike_out(self, following: int) -> None:
        """The tick that is due next does not happen."""
        self.state.tasks[self.first + 1].next_job += 1
        self.put_off(1, following)

    def put_off(self, task: int, until: int) -> None:
        """The job (0) or tick (1) that is due next comes at another time."""
        row: Any = self.state.tasks[self.first + task]
        row.next_arrival = row.next_release = until
        self.set_alarm(self.state.alarms, int(self.state.slots.task) + self.first + task, until)
