"""Exercises of notebook 9: research at scale."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import Any

from .base import Exercise, exercise

Z95 = 1.959964            # 97.5 % quantile of the normal distribution
Contract = tuple[float, float]               # (share, bound)
Event = tuple[int, str, str]                 # (time, VM, event)


def needed(half: float, spread: float = 0.25) -> int:
    """Systems for an interval of plus and minus `half`."""
    return ceil(round(Z95 * Z95 * spread / half**2, 6))


exercise(Exercise(
    "9.1", needed, [(0.1,), (0.01,), (0.002,), (0.05,)],
    "A share p of n systems has the standard deviation sqrt(p(1 − p)/n); the interval is 1.96 of them to each side. Which p is the worst?",
    [(lambda half: needed(half, 1.0), "The worst share is one half, and its p(1 − p) is 1/4."),
     (lambda half: ceil(round(Z95 / 2 / half, 6)), "An interval shrinks with the root of the number: half as wide takes four times as many."),
     (lambda half: needed(2 * half), "Half to each side: the interval is twice as wide as that.")]))


def front(contracts: list[Contract]) -> list[Contract]:
    """Contracts that no other beats in one without losing in the other, cheapest first."""
    kept = {one for one in contracts if not any(other != one and other[0] <= one[0] and other[1] <= one[1] for other in contracts)}
    return sorted(kept)


exercise(Exercise(
    "9.2", front, [([(0.3, 5), (0.2, 9), (0.4, 4), (0.35, 6)],), ([(0.5, 1), (0.5, 2), (0.4, 2)],), ([(0.1, 10)],),
                   ([(0.1, 10), (0.2, 9), (0.3, 2)],)],
    "A contract is dominated if another one is no dearer and no slower, and is not the same. Keep the rest, sorted.",
    [(lambda contracts: sorted({min(contracts), min(contracts, key=lambda one: (one[1], one[0]))}),
      "Those are its two ends. Between them are contracts that are cheaper than the one and faster than the other."),
     (lambda contracts: sorted({one for one in contracts if not any(other[0] < one[0] and other[1] < one[1] for other in contracts)}),
      "Who is as cheap and faster dominates, too: better in one, no worse in the other, is enough."),
     (lambda contracts: sorted(set(contracts)), "Some of them are dominated: another contract is no dearer and no slower.")]))


def to_do(grid: list[Any], kept: dict[Any, str]) -> list[Any]:
    """Points that have no result yet, in order, each once."""
    return [point for point in dict.fromkeys(grid) if kept.get(point, "error") == "error"]


exercise(Exercise(
    "9.3", to_do, [([1, 2, 3, 2], {2: "done"}), ([1, 2, 3], {1: "done", 2: "error"}), ([5, 5, 5], {}), ([3, 1, 2], {9: "done", 1: "done"})],
    "Go through the grid in its order. What is not in the store is to be done, and what ended in an error; the same point only once.",
    [(lambda grid, kept: grid[len(kept):], "Threads finish out of order, and a store may hold points of another grid: look each one up."),
     (lambda grid, kept: [point for point in dict.fromkeys(grid) if point not in kept], "An error is not a result: it is tried again here."),
     (lambda grid, kept: [point for point in grid if kept.get(point, "error") == "error"], "Equal points have equal results: compute them once.")]))


def waits(events: list[Event], of: Callable[[str, str], bool] = lambda woken, ran: woken == ran) -> list[int]:
    """Times from each wake-up to the same VM's next dispatch, sorted: whoever goes from wake to wake finds them in another order."""
    found, woken = [], dict[str, int]()
    for time, vm, event in events:
        if event == "wake":
            woken[vm] = time
        elif event == "dispatch":
            for one in [one for one in woken if of(one, vm)]:
                found.append(time - woken.pop(one))
    return sorted(found)


def since_left(events: list[Event]) -> list[int]:
    """A mistake: every wait for the pCPU, from whatever came before."""
    last = dict[str, int]()
    found = []
    for time, vm, event in events:
        if event == "dispatch" and vm in last:
            found.append(time - last[vm])
        last[vm] = time
    return sorted(found)


TRACES: list[list[Event]] = [
    [(0, "a", "dispatch"), (3, "b", "wake"), (5, "a", "preempt"), (5, "b", "dispatch"), (6, "b", "block"), (6, "a", "dispatch")],
    [(0, "a", "wake"), (1, "b", "wake"), (4, "b", "dispatch"), (7, "b", "block"), (7, "a", "dispatch"), (9, "a", "block"), (12, "a", "wake"),
     (12, "a", "dispatch")],
    [(0, "a", "dispatch"), (2, "a", "preempt"), (2, "b", "dispatch")]]
exercise(Exercise(
    "9.4", waits, [(trace,) for trace in TRACES],
    "Remember for each VM when it woke up. When it is dispatched, and only if it had woken, note the difference, and forget it. Sort at the end.",
    [(lambda events: waits(events, lambda woken, ran: True), "Another VM's dispatch ends nobody's wait: keep them apart by VM."),
     (since_left, "Who was preempted waits, too, but has not woken up: that is no wake-up latency.")]))
