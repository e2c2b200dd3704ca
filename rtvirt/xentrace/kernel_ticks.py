"""The tick of a guest that goes on running: no record shows it, but a slice that ends at the same instant ends late.

Linux asks Xen for a timer interrupt every 4 ms. A slice that is due within the few microseconds in which Xen comes to serve it is served by the same
pass of the timer interrupt, and the decision comes when the pass is over (docs/xen-rules.md 1.7.1, 9.2.3). When passes come, and when they are
over, is read off the first fifth of the window; the rest is predicted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..results import Run
from ..simulation import Machine
from .guest import KERNEL_TICK, phase
from .interpreted import interpreted

if TYPE_CHECKING:
    from .window import Window

PART = 5                             # the first fifth of a window is read
LATER = 2_500, 9_000                 # a slice that a tick holds up is later than others by so much [ns]; a timer slop is more
FEWEST = 5                           # of such slices; fewer may have another cause
TO_BURN = 1_700                      # from a decision to its record of the budget, E4a [ns]


class Pass(NamedTuple):
    """A pass of the timer interrupt that serves the guest's tick [ns]: slices due within `width` of `begins`, an instant on the grid of
    4 ms, end `serves` after it."""

    begins: int
    width: int
    serves: int


def slice_ends(window: Window) -> np.ndarray:
    """Slices that ran out: when they were due, and how late the decision came [ns]; two columns.

    A slice is what was left of the budget at the last record; if the budget was renewed since, the slice timer went on with the old one.
    """
    left: dict[int, int] = {}
    found = []
    table = window.rtds
    for at, event, d, budget, ran in zip(table["t_ns"], table["event"], table["dom"], table["budget_ns"], table["delta_ns"]):
        if event == "burn" and d in left and ran >= left[d]:
            late = int(ran) - left[d]
            found.append((at - TO_BURN - late, late))
        if event == "replenish":
            left.pop(d, None)
        else:
            left[d] = int(budget)
    return np.array(found, np.int64).reshape(-1, 2)


def pass_of(window: Window) -> Pass | None:
    """When a tick is served, read off the first fifth of the window.

    None if it holds up too few slices there, or fewer than half of those that are due at the same time of the grid: then something else decides.
    It is as wide as the timer interrupt takes to get to a decision, and lies around the median of those held up.
    """
    ends = slice_ends(window)
    due, late = ends[ends[:, 0] < window.duration // PART].T
    width = later = window.costs.slice_late
    held = (late >= later + LATER[0]) & (late <= later + LATER[1])
    if held.sum() < FEWEST:
        return None
    begins = phase(due[held], KERNEL_TICK) - width // 2
    offset = (due - begins) % KERNEL_TICK
    within = offset <= width
    if 2 * (held & within).sum() < max(within.sum(), 2 * FEWEST):
        return None
    return Pass(begins, width, int(np.median((offset + late)[held & within])))


def replay(window: Window) -> Run:
    """A model run of an RTDS window in which guests that run have their ticks.

    If the pass that serves a tick also wakes a guest, the decision comes when that wake-up has been dealt with.
    """
    system, tick = window.system(), pass_of(window)
    machine = Machine(system, window.scheduler(), 0, "trace", {})
    machine.state.agenda.end = window.duration
    wakes = np.sort(window.wakes["wake_ns"].to_numpy())
    for at in range(tick.begins, window.duration, KERNEL_TICK) if tick else ():
        machine.run_until(at, window.duration, None)
        woken = wakes[np.searchsorted(wakes, at):][:1]
        over = at + tick.serves
        if len(woken) and woken[0] <= over + tick.width:
            over = int(woken[0]) + window.costs.wake_path
        hold_slices(machine.state, at, at + tick.width, over, window.costs.slice_late)
    machine.run_until(window.duration, window.duration, None)
    return Run(system, window.scheduler(), window.duration, 0, "trace", machine.close(window.duration))


def hold_slices(state: Any, first: int, last: int, over: int, late: int) -> None:
    """Slices that are due from `first` to `last` end when the pass is over."""
    for slot in range(int(state.slots.slice), int(state.slots.slice) + int(state.agenda.pcpus)):
        if first <= int(state.timers.at[slot]) - late <= last:
            interpreted("timers").set_timer(state.timers, slot, over)
