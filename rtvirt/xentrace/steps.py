"""What a traced scheduler was shown, and what it decided: the steps of a walk through a window."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from .window import Window

IDLE_DOMAIN = 32767
TO_DECISION = 1_440              # from the record that a decision begins to the clock it reads [ns], window E3b
RECORDED_WITHIN = 40_000         # an accounting's records follow it within so long [ns]
UNKNOWN = -1
WAKE, BLOCK, TICK, ACCOUNT, DECIDE = range(5)


class Step(NamedTuple):
    """One thing that the scheduler was shown (wake, block, tick, accounting) or decided.

    `flag` is 1 for a wake-up that started a boost (`UNKNOWN` if nothing tells), and for a decision that changed who runs.
    """

    at: int
    kind: int
    domain: int
    flag: int


class Books(NamedTuple):
    """Who was on the active list, and who was parked, once an accounting was over; None where the trace does not tell."""

    active: tuple[bool | None, ...]
    parked: tuple[bool | None, ...]


def steps_of(window: Window) -> list[Step]:
    """Wake-ups, blockings and decisions of a window of one pCPU, in order; ticks and accountings are added by `with_clocks`."""
    return recorded_steps(window) if window.events is not None else inferred_steps(window)


def recorded_steps(window: Window) -> list[Step]:
    """From the records of all events; who never ran has no part in it."""
    events = window.events[window.events["dom"].isin([*window.domains, IDLE_DOMAIN, -1])]
    names, at, domains = events["event"].to_numpy(), events["t_ns"].to_numpy(), events["dom"].to_numpy()
    boosted = set(np.flatnonzero(names == "C_BOOST_START"))
    left = blocked_for_good(names, domains)
    steps, begun = [], -1
    for i, name in enumerate(names):
        if name == "RS_blocked_runnable":
            steps.append(Step(int(at[i]), WAKE, int(domains[i]), int(i + 1 in boosted)))
        elif i in left:
            steps.append(Step(int(at[i]), BLOCK, int(domains[i]), 0))
        elif name == "C_SCHEDULE":
            begun = int(at[i])
        elif name in ("INFNEXT", "INFCONT") and begun >= 0:
            steps.append(Step(begun + TO_DECISION, DECIDE, int(domains[i]), int(name == "INFNEXT")))
            begun = -1
    return sorted(steps, key=lambda step: step.at)


def blocked_for_good(names: np.ndarray, domains: np.ndarray) -> set[int]:
    """Records of blockings after which the vCPU really left its pCPU.

    What wakes a vCPU between its blocking and the decision only clears its flag (1.5.3): it goes on being runnable, and as it is found
    running no new run state is recorded.
    """
    left, asked = set(), {}
    for i in np.flatnonzero(np.isin(names, ["BLOCK", "RS_running_blocked"])):
        if names[i] == "BLOCK":
            asked[domains[i]] = int(i)
        elif domains[i] in asked:
            left.add(asked.pop(domains[i]))
    return left


def inferred_steps(window: Window) -> list[Step]:
    """From runs and wake-ups alone: decisions that changed nothing are missing, which costs little."""
    costs, steps = window.costs, []
    for wake in window.wakes[window.wakes["dom"].isin(window.domains)].itertuples():
        steps.append(Step(int(wake.wake_ns), WAKE, int(wake.dom), int(getattr(wake, "boost_start", UNKNOWN))))
    blocked = False
    for run in window.all_runs.itertuples():
        if run.start_ns > 0:
            steps.append(Step(int(run.start_ns) - (costs.block_switch_in if blocked else costs.switch_in) + TO_DECISION, DECIDE, int(run.dom), 1))
        blocked = run.end == "blocked"
        if blocked:
            steps.append(Step(int(run.end_ns) - costs.block_switch_out - costs.block_path + TO_DECISION, BLOCK, int(run.dom), 0))
    return sorted(steps, key=lambda step: step.at)


def with_clocks(steps: list[Step], ticks: np.ndarray, accountings: np.ndarray) -> list[Step]:
    """The steps, and the instants of the scheduler's own timers among them."""
    clocks = [Step(int(at), TICK, -1, 0) for at in ticks] + [Step(int(at), ACCOUNT, -1, 0) for at in accountings]
    return sorted(steps + clocks, key=lambda step: step[:2])


def books_of(window: Window, accountings: np.ndarray) -> dict[int, Books]:
    """What each accounting left in the scheduler's books, as far as the trace tells."""
    domains = window.domains
    if window.events is None:
        nothing = (None,) * len(domains)
        return {int(at): Books(nothing, nothing) for at in accountings}
    active = [history(window, d, "C_ACCT_START", "C_ACCT_STOP", accountings) for d in domains]
    parked = [history(window, d, "SLEEP", "RS_offline_runnable", accountings) for d in domains]
    return {int(at): Books(tuple(a[i] for a in active), tuple(p[i] for p in parked)) for i, at in enumerate(accountings)}


def history(window: Window, domain: int, on: str, off: str, accountings: np.ndarray) -> list[bool | None]:
    """State of a domain that the records `on` and `off` switch, after each accounting; None before the first and without any."""
    mine = window.events[(window.events["dom"] == domain) & window.events["event"].isin([on, off])]
    if mine.empty:
        return [False if on == "SLEEP" else None] * len(accountings)
    at, values = mine["t_ns"].to_numpy(), (mine["event"] == on).to_numpy()
    last = np.searchsorted(at, accountings + RECORDED_WITHIN) - 1
    return [bool(values[i]) if i >= 0 else bool(not values[0]) for i in last]
