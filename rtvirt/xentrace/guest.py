"""What a traced guest would do whenever it is served: a model of Linux with one periodic task, instead of its measured wake-ups.

A task sleeps until absolute instants on a grid (`clock_nanosleep`); served late, it catches up job after job without sleeping. After each
job the kernel's own tick, on a grid of 4 ms, wakes the VM once more before it goes quiet. Grids and amounts of work are medians of the
window's unscored first 2.5 s; the rest follows.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from ..system import Costs, Task
from ..units import ms
from .opening import UNSCORED

if TYPE_CHECKING:
    from .window import Window

KERNEL_TICK = 4_000_000          # [ns], Linux at 250 Hz
LONG = 500_000                   # work beyond this is a job's, below it a tick's [ns]
PERIODIC = re.compile(r"per\((\d+)ms,\s*\d+ms\)")


def period_of(window: Window, domain: int) -> int:
    """Period of a domain's task [ns]; 0 if the table of experiments does not call it periodic."""
    told = PERIODIC.fullmatch(str(window.setting("jobs").get(f"d{domain}", "")))
    return 0 if told is None else int(ms(int(told.group(1))))


def guest_tasks(window: Window, domain: int, costs: Costs) -> list[Task] | None:
    """A periodic guest's task and its kernel's tick; None for a domain that the table of experiments does not call periodic."""
    period = period_of(window, domain)
    if not period:
        return None
    wakes, work = (np.array(x) for x in window.demands(domain, costs))
    early = (wakes > 0) & (wakes < UNSCORED)
    jobs, ticks = early & (work >= LONG), early & (work < LONG)
    if not jobs.any():
        return None
    job_work = int(np.median(work[jobs]))
    releases = np.arange(phase(wakes[jobs], period), window.duration, period)
    tasks = [Task("job", releases=releases.tolist(), wcet=job_work)]
    if ticks.any():
        first = phase(wakes[ticks], KERNEL_TICK)
        after = releases + job_work
        grid = after + (first - after) % KERNEL_TICK
        tasks.append(Task("kernel", releases=np.unique(grid[grid < window.duration]).tolist(), wcet=int(np.median(work[ticks]))))
    return tasks


def phase(instants: np.ndarray, period: int) -> int:
    """Median of instants on a grid, whichever side of a grid line they lie on [ns]."""
    around = int(instants[0]) - period // 2
    return int(np.median((instants - around) % period) + around) % period
