"""In what state a traced scheduler stood when the window opened: fitted on the window's first 2.5 s, which are not scored.

A trace shows no credits. But it shows what follows from them: who runs next, who is boosted, who leaves the active list. So credits
are searched that name most of that right, one VM after another, ever finer, from several starts (the count has many local maxima).
Without a file of events the phases of the tick and of the accounting are searched in the same way.
With caps the order of the active list is searched too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import islice, permutations
from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np

from ..schedulers.credit import NS_PER_CREDIT
from .clocks import ACCOUNT_LATE
from .steps import WAKE, Step, books_of, steps_of, with_clocks
from .walk import Walk

if TYPE_CHECKING:
    from .window import Window

UNSCORED = 2_500_000_000         # [ns] at the window's beginning: for fitting
STARTS = (0.0, 0.5, -0.5)        # credits at which the search starts, in parts of what one time slice is worth
STRIDES = (0.5, 0.25, 0.12, 0.06, 0.03, 0.01)
SCATTERED, BEST_STARTS, BEST_ORDERS = 120, 2, 3     # with caps: credits tried for each order of the active list; what is searched further
MOST_ORDERS = 24                 # of the active list that are tried: three capped VMs, and those without a cap
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
    boosted : tuple of str
        VMs in BOOST.
    """

    credits: dict[str, int]
    active: tuple[str, ...]
    balance: int
    ticks: np.ndarray
    accountings: np.ndarray
    boosted: tuple[str, ...] = ()

    def initial(self) -> dict[str, Any]:
        """As `simulate` takes it."""
        return {"credit": dict(self.credits), "active": dict.fromkeys(self.active, True), "balance": self.balance,
                "priority": dict.fromkeys(self.boosted, "BOOST"), "tick_times": self.ticks.tolist(), "account_times": self.accountings.tolist()}


def opening_of(window: Window) -> Opening:
    """The state that explains most of a window's unscored first 2.5 s.

    A window of several pCPUs, whose queues a trace does not show, opens with credits of 0.
    """
    guess = first_guess(window)
    if window.cpus != 1:
        return guess
    steps = [step for step in steps_of(window) if step.at < UNSCORED]
    if not (len(guess.ticks) and len(guess.accountings)):
        found = fit_credits(window, steps, fit_phases(window, steps, guess), even_starts(window, guess))
        guess = fit_phases(window, steps, replace(guess, credits=found.credits))      # credits and phases depend on each other
    if any(window.cap(name) for name in guess.active):
        return fit_order(window, steps, guess)
    return fit_credits(window, steps, guess, even_starts(window, guess))


def first_guess(window: Window) -> Opening:
    """What follows from the rules before anything is fitted: active VMs in the middle, the others somewhat below half of the bound.

    A vCPU leaves the active list with half of just over the bound (2.5.3), and burns until a tick finds it running, which happens once
    in a tick period of its running time on average. So what it has burned is spread exponentially; the guess is the median.
    """
    active = active_at_start(window)
    idle = round(window.parameters.slice_credits / 2 - np.log(2) * window.parameters.tick_period / NS_PER_CREDIT)
    credits = {f"d{d}": 0 if f"d{d}" in active else idle for d in window.domains}
    return Opening(credits, active, 0, window.ticks, window.accountings, boosted_at_start(window, active))


def active_at_start(window: Window) -> tuple[str, ...]:
    """VMs on the active list when the window opens: a tick that finds one running either asks where it should run, or puts it there (2.4).

    Whom no tick finds within the first 2.5 s is thought active if it runs much.
    """
    found = {}
    if window.events is not None:
        events = window.events[window.events["t_ns"] < UNSCORED]
        marks = events[events["event"].isin(["C_PICKED_CPU", "C_ACCT_START", "C_ACCT_STOP"])].drop_duplicates("dom")
        found = dict(zip(marks["dom"].astype(int), marks["event"] != "C_ACCT_START"))
    ends = window.runs[window.runs["start_ns"] < UNSCORED].groupby("dom")["end"].agg(lambda end: (end != "blocked").mean())
    return tuple(f"d{d}" for d in window.domains if found.get(d, ends.get(d, 0.0) > BUSY))


def boosted_at_start(window: Window, active: tuple[str, ...]) -> tuple[str, ...]:
    """Sleeping VMs that are in BOOST when the window opens.

    Who is not active is never OVER (2.9.1), so if its first wake-up starts no boost, it has one. The same is assumed of who
    sleeps for longer than 2.5 s: without a tick it keeps its boost (2.6.4).
    """
    first = {step.domain: step.flag for step in reversed(steps_of(window)) if step.kind == WAKE and step.at < UNSCORED}
    return tuple(f"d{d}" for d in window.domains if f"d{d}" not in active and d not in window.awake_at_start and first.get(d, 0) != 1)


def balanced(window: Window, opening: Opening, credits: dict[str, int]) -> Opening:
    """With these credits, and the balance that follows: the active VMs have burned since the accounting before."""
    first = int(opening.accountings[0]) if len(opening.accountings) else window.parameters.timeslice
    burned = max(window.parameters.timeslice - first, 0) // NS_PER_CREDIT
    return replace(opening, credits=credits, balance=sum(credits[name] for name in opening.active) + burned)


def wrong_names(window: Window, steps: list[Step], opening: Opening) -> Callable[..., int]:
    """A function of credits: how much of the first 2.5 s they name wrong.

    Its second argument is what is still of interest: a walk that has more wrong is given up there, which most of them soon have, and
    the number until then is returned.
    """
    timeline = with_clocks(steps, opening.ticks, opening.accountings)
    books, known = books_of(window, opening.accountings), {}

    def wrong(credits: dict[str, int], most: float = inf) -> int:
        key = tuple(credits.values())
        found, asked = known.get(key, (0, -1))
        if found > asked and most > asked:              # never walked, or given up earlier than now
            found = Walk(window, balanced(window, opening, credits), mending=False).go(timeline, books, 0, UNSCORED, most).wrong
            known[key] = found, most
        return found

    return wrong


def fit_credits(window: Window, steps: list[Step], guess: Opening, starts: list[dict[str, int]]) -> Opening:
    """The best credits that the search finds from these starts."""
    wrong, most = wrong_names(window, steps, guess), window.parameters.slice_credits
    found = [climb(wrong, start, guess.active, most) for start in starts]
    return balanced(window, guess, centred(wrong, min(found, key=wrong), most))


def even_starts(window: Window, guess: Opening) -> list[dict[str, int]]:
    """All active VMs at the same credit."""
    return [guess.credits | dict.fromkeys(guess.active, round(part * window.parameters.slice_credits)) for part in STARTS]


def climb(wrong: Callable[..., int], found: dict[str, int], active: tuple[str, ...], most: int) -> dict[str, int]:
    """Each VM's credit in turn, and each pair's in opposite directions, ever finer."""
    moves = [{name: sign} for name in found for sign in (1, -1, 2, -2)]
    moves += [{one: 1, other: -1} for one, other in permutations(active, 2)]
    least = wrong(found)
    for stride in STRIDES:
        for move in moves:
            tried = found | {name: found[name] + sign * max(round(stride * most), 1) for name, sign in move.items()}
            if possible(tried, most) and (reached := wrong(tried, least - 1)) < least:
                least, found = reached, tried
    return found


def fit_order(window: Window, steps: list[Step], guess: Opening) -> Opening:
    """Credits and the active list's order, for a window with caps.

    What a capped VM cannot use goes to those behind it in the list (2.5 step 3e), so with caps the order decides who has how much; and
    credits lie further apart. So each order is tried with scattered credits, and the search starts from the best of them.
    """
    random, most = np.random.default_rng(0), window.parameters.slice_credits
    starts = [guess.credits | {name: int(random.integers(-most, most + 1)) for name in guess.active} for _ in range(SCATTERED)]
    tried, seen = [], set()
    for order in possible_orders(window, guess.active):
        one = replace(guess, active=order)
        wrong, counts = wrong_names(window, steps, one), []
        for credits in starts:
            counts.append(wrong(credits, sorted(counts)[BEST_STARTS - 1] if len(counts) >= BEST_STARTS else inf))
        if tuple(counts) in seen:                       # an order that comes to the same as one before
            continue
        seen.add(tuple(counts))
        ranked = sorted(zip(counts, starts), key=lambda row: (row[0], apart(row[1], guess.credits)))[:BEST_STARTS]
        tried.append((ranked[0][0], one, [*even_starts(window, one), *(credits for _, credits in ranked)]))
    tried.sort(key=lambda row: row[0])
    fitted = [fit_credits(window, steps, one, best) for _, one, best in tried[:BEST_ORDERS]]
    return min(fitted, key=lambda one: (wrong_names(window, steps, one)(one.credits), apart(one.credits, guess.credits)))


def apart(one: dict[str, int], other: dict[str, int]) -> int:
    """How far credits are from others: of those that name as much right, the nearer to the first guess are the likelier."""
    return sum(abs(credit - other[name]) for name, credit in one.items())


def possible_orders(window: Window, active: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Orders in which the active list may stand; VMs without a cap are kept together, as among them the order hardly matters."""
    free = tuple(name for name in active if not window.cap(name))
    blocks = [(name,) for name in active if name not in free] + [free] * bool(free)
    return [sum(order, ()) for order in islice(permutations(blocks), MOST_ORDERS)]


def possible(credits: dict[str, int], most: int) -> bool:
    """Within what an accounting and a time slice after it leave."""
    return all(-2 * most <= credit <= most for credit in credits.values())


def centred(wrong: Callable[..., int], credits: dict[str, int], most: int) -> dict[str, int]:
    """The middle of those credits that name as much right: the edge, where the search stopped, is an accident."""
    for _ in range(2):
        for name in credits:
            edges = []
            for sign in (1, -1):
                reach = 0
                for stride in STRIDES[1:]:
                    further = credits | {name: credits[name] + sign * (reach + round(stride * most))}
                    if possible(further, most) and wrong(further, wrong(credits)) <= wrong(credits):
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
        best, least = opening, inf
        for one in tried:
            if (reached := wrong_names(window, steps, one)(one.credits, least - 1)) < least:
                best, least = one, reached
        return best

    found = guess
    if not len(guess.accountings):
        found = replace(found, accountings=np.arange(slice_, window.duration, slice_))
    if not len(guess.ticks):
        found = best_of("ticks", tick, 40, found)
    if not len(guess.accountings):
        found = best_of("accountings", slice_, 60, found)
    return found
