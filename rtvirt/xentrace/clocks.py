"""When a traced Xen's scheduler ticked and accounted, read off the records that ticks and accountings leave.

A tick leaves a record whenever it finds a vCPU running; an accounting only when it changes something: a vCPU leaves the active list,
is parked or unparked. Between two of those the accounting's timer is followed by Xen's own rules: it is armed a time slice after it
last ran (2.4.0), and when another timer's handler has just run, it is held up until the timer slop is over (1.7.1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .window import Window

ACCOUNT_LATE = 3_300        # from an accounting to the next, beyond a time slice [ns]: E3b's longest undisturbed gaps, 9 x 30.0033 ms
HELD_UP = {"tick": 55_200, "slice": 50_500, "wake": 48_000}
"""From a handler's record to an accounting that it held up [ns]: the slop of 50 us and the path around it."""
SAME = 1_000_000            # records closer than this stem from one accounting [ns]
UNPARK_PATH = 1_970         # from the record of a wake-up to that of the new run state [ns]


def ticks_of(window: Window) -> np.ndarray:
    """Instants of ticks [ns]; empty without events, or with several pCPUs."""
    if window.events is None or window.cpus != 1:
        return np.zeros(0, np.int64)
    return np.unique(times(window, "C_PICKED_CPU", "C_ACCT_START"))


def accountings_of(window: Window) -> np.ndarray:
    """Instants of accountings, seen and inferred [ns]; empty if none was seen."""
    seen = seen_accountings(window)
    if not len(seen):
        return seen
    period = window.parameters.timeslice + ACCOUNT_LATE
    handlers, released = other_handlers(window)
    before = seen[0] - period * np.arange(int(seen[0] // period), 0, -1)
    found = [before, seen[:1]]
    for start, stop in zip(seen, np.append(seen[1:], window.duration)):
        inferred = follow(int(start), int(stop), period, handlers, released)
        if stop != window.duration:                     # the last of them is the next one seen; what remains is spread over all
            steps = np.arange(1, len(inferred) + 1)
            inferred = inferred + ((int(stop) - inferred[-1]) * steps // len(inferred) if len(inferred) else 0)
        found.append(inferred)
    return np.concatenate(found).astype(np.int64)


def follow(start: int, stop: int, period: int, handlers: np.ndarray, released: np.ndarray) -> np.ndarray:
    """Accountings after `start`, up to about `stop`: each a period after the last, later if another handler has just run."""
    found, now = [], start
    while now + period / 2 < stop:
        due = now + period
        last = int(np.searchsorted(handlers, due)) - 1
        if last >= 0 and handlers[last] > now:
            due = max(due, int(released[last]))
        now = due
        found.append(now)
    return np.array(found, np.int64)


def seen_accountings(window: Window) -> np.ndarray:
    """Accountings that left a record [ns]."""
    if window.events is None:
        return first_of_each(window.runs[window.runs["end"] == "offline"]["end_ns"].to_numpy() - window.costs.switch_out - 6_000)
    unparked = times(window, "RS_offline_runnable") - UNPARK_PATH
    return first_of_each(np.concatenate([times(window, "C_ACCT_STOP", "SLEEP"), unparked]))


def other_handlers(window: Window) -> tuple[np.ndarray, np.ndarray]:
    """Timer handlers other than the accounting's: their records, and until when each holds an accounting up [ns]."""
    if window.events is None:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    kinds = {"tick": window.ticks, "wake": times(window, "RS_blocked_runnable") - UNPARK_PATH, "slice": slice_ends(window)}
    handlers = np.concatenate(list(kinds.values()))
    released = np.concatenate([at + HELD_UP[kind] for kind, at in kinds.items()])
    order = np.argsort(handlers, kind="stable")
    return handlers[order], released[order]


def slice_ends(window: Window) -> np.ndarray:
    """Decisions that the slice timer asked for: those made when the last decision's slice was over [ns]."""
    events = window.events
    names, at, args = events["event"].to_numpy(), events["t_ns"].to_numpy(), events["args"].to_numpy()
    found, begun, expiry = [], 0, -1
    for i in np.flatnonzero(np.isin(names, ["C_SCHEDULE", "INFNEXT", "INFCONT"])):
        if names[i] == "C_SCHEDULE":
            begun = int(at[i])
            if 0 <= begun - expiry < 120_000 and expiry > 0:
                found.append(begun)
        else:
            given = str(args[i]).split()[-1:]
            expiry = begun + int(given[0]) if given and given[0].isdigit() else -1       # no slice: idle, or an old record without it
    return np.array(found, np.int64)


def times(window: Window, *names: str) -> np.ndarray:
    """Instants of records of these names [ns]."""
    return window.events.loc[window.events["event"].isin(names), "t_ns"].to_numpy()


def first_of_each(at: np.ndarray) -> np.ndarray:
    """Sorted, without what follows another within `SAME`."""
    at = np.sort(at)
    return at[np.append(True, np.diff(at) > SAME)] if len(at) else at.astype(np.int64)
