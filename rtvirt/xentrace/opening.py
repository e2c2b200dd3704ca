"""In what state a traced scheduler stood when the window opened: fitted on the window's first 2.5 s, which are not scored.

A trace shows no credits. But it shows what follows from them: who runs next, who is boosted, who leaves the active list. So credits
are searched that name most of that right, one VM after another, ever finer, from several starts (the count has many local maxima).
Without a file of events the phases of the tick and of the accounting are searched in the same way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import permutations
from typing import TYPE_CHECKING, Any

import numpy as np

from ..schedulers.credit import NS_PER_CREDIT
from .clocks import ACCOUNT_LATE
from .steps import Step, books_of, steps_of, with_clocks
from .walk import Walk

if TYPE_CHECKING:
    from .window import Window

UNSCORED = 2_500_000_000         # [ns] at the window's beginning: for fitting
STARTS = (0.0, 0.5, -0.5)        # credits at which the search starts, in parts of what one time slice is worth
STRIDES = (0.5, 0.25, 0.12, 0.06, 0.03, 0.01)
BUSY = 0.2                       # a VM more than that part of whose stints end otherwise than by blocking is thought active


@dataclass(frozen=True)
class Opening:
    """State of a credit scheduler at an instant.

    Attributes
    ----------
    credits : dict of VM name to int
    active : tuple of str
        VMs on the active list.
    balance : int
        Sum of the active vCPUs' credits at the accounting before.
    ticks, accountings : ndarray [ns]
        When its timers run, from there on; empty where unknown.
    """

    credits: dict[str, int]
    active: tuple[str, ...]
    balance: int
    ticks: np.ndarray
    accountings: np.ndarray

    def initial(self) -> dict[str, Any]:
        """As `simulate` takes it."""
        return {"credit": dict(self.credits), "active": dict.fromkeys(self.active, True), "balance": self.balance,
                "tick_times": self.ticks.tolist(), "account_times": self.accountings.tolist()}


def opening_of(window: Window) -> Opening:
    """The state that explains most of a window's unscored first 2.5 s.

    A window of several pCPUs, whose queues a trace does not show, opens with credits of 0.
    """
    guess = first_guess(window)
    if window.cpus != 1:
        return guess
    steps = [step for step in steps_of(window) if step.at < UNSCORED]
    if len(guess.ticks) and len(guess.accountings):
        return fit_credits(window, steps, guess)
    found = fit_credits(window, steps, fit_phases(window, steps, guess))
    again = fit_phases(window, steps, replace(guess, credits=found.credits))          # credits and phases depend on each other
    return fit_credits(window, steps, again)


def first_guess(window: Window) -> Opening:
    """What follows from the rules before anything is fitted: active VMs in the middle, the others somewhat below half of the bound.

    A vCPU leaves the active list with half of just over the bound (2.5.3), and burns until a tick finds it running, which happens once
    in a tick period of its running time on average. So what it has burned is spread exponentially; the guess is the median.
    """
    active = active_at_start(window)
    idle = round(window.parameters.slice_credits / 2 - np.log(2) * window.parameters.tick_period / NS_PER_CREDIT)
    credits = {f"d{d}": 0 if f"d{d}" in active else idle for d in window.domains}
    return Opening(credits, active, 0, window.ticks, window.accountings)


def active_at_start(window: Window) -> tuple[str, ...]:
    """VMs on the active list when the window opens: those whose first change is to leave it, and those that never change and run much."""
    first = {}
    if window.events is not None:
        marks = window.events[window.events["event"].isin(["C_ACCT_START", "C_ACCT_STOP"])].drop_duplicates("dom")
        first = dict(zip(marks["dom"].astype(int), marks["event"] == "C_ACCT_STOP"))
    ends = window.runs.groupby("dom")["end"].agg(lambda end: (end != "blocked").mean())
    return tuple(f"d{d}" for d in window.domains if first.get(d, ends[d] > BUSY))


def balanced(window: Window, opening: Opening, credits: dict[str, int]) -> Opening:
    """With these credits, and the balance that follows: the active VMs have burned since the accounting before."""
    first = int(opening.accountings[0]) if len(opening.accountings) else window.parameters.timeslice
    burned = max(window.parameters.timeslice - first, 0) // NS_PER_CREDIT
    return replace(opening, credits=credits, balance=sum(credits[name] for name in opening.active) + burned)


def right_names(window: Window, steps: list[Step], opening: Opening) -> Callable[[dict[str, int]], int]:
    """A function of credits: how much of the first 2.5 s they name right."""
    timeline = with_clocks(steps, opening.ticks, opening.accountings)
    books, known = books_of(window, opening.accountings), {}

    def count(credits: dict[str, int]) -> int:
        key = tuple(credits.values())
        if key not in known:
            score = Walk(window, balanced(window, opening, credits)).go(timeline, books, 0, UNSCORED)
            known[key] = score.agreed + score.boosts_agreed - (score.books - score.books_agreed)
        return known[key]

    return count


def fit_credits(window: Window, steps: list[Step], guess: Opening) -> Opening:
    """Each VM's credit in turn, and each pair's in opposite directions, ever finer, from several starts."""
    count, most = right_names(window, steps, guess), window.parameters.slice_credits
    names = list(guess.credits)
    moves = [{name: sign} for name in names for sign in (1, -1, 2, -2)]
    moves += [{one: 1, other: -1} for one, other in permutations(guess.active, 2)]
    best, top = guess.credits, -1
    for start in STARTS:
        found = {name: round(start * most) if name in guess.active else credit for name, credit in guess.credits.items()}
        value = count(found)
        for stride in STRIDES:
            for move in moves:
                tried = found | {name: found[name] + sign * max(round(stride * most), 1) for name, sign in move.items()}
                if possible(tried, most) and (reached := count(tried)) > value:
                    value, found = reached, tried
        if value > top:
            top, best = value, found
    return balanced(window, guess, centred(count, best, most))


def possible(credits: dict[str, int], most: int) -> bool:
    """Within what an accounting and a time slice after it leave."""
    return all(-2 * most <= credit <= most for credit in credits.values())


def centred(count: Callable[[dict[str, int]], int], credits: dict[str, int], most: int) -> dict[str, int]:
    """The middle of those credits that name as much right: the edge, where the search stopped, is an accident."""
    for _ in range(2):
        for name in credits:
            edges = []
            for sign in (1, -1):
                reach = 0
                for stride in STRIDES[1:]:
                    further = credits | {name: credits[name] + sign * (reach + round(stride * most))}
                    if possible(further, most) and count(further) >= count(credits):
                        reach += round(stride * most)
                edges.append(sign * reach)
            credits = credits | {name: credits[name] + sum(edges) // 2}
    return credits


def fit_phases(window: Window, steps: list[Step], guess: Opening) -> Opening:
    """Phases of tick and accounting that name most right with the given credits, where the trace does not show them.

    First the tick, which decides who is boosted; then the accounting.
    """
    tick, slice_ = window.parameters.tick_period + window.costs.tick_late, window.parameters.timeslice + ACCOUNT_LATE

    def best_of(field: str, period: int, tries: int, opening: Opening) -> Opening:
        tried = [replace(opening, **{field: np.arange(period * i // tries, window.duration, period)}) for i in range(tries)]
        return max(tried, key=lambda one: right_names(window, steps, one)(one.credits))

    found = guess
    if not len(guess.accountings):
        found = replace(found, accountings=np.arange(slice_, window.duration, slice_))
    if not len(guess.ticks):
        found = best_of("ticks", tick, 40, found)
    if not len(guess.accountings):
        found = best_of("accountings", slice_, 60, found)
    return found
