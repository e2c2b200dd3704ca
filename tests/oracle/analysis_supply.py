"""Least supplies from their definitions: every way to hand out the budget is tried. Plain Python, small numbers."""

from __future__ import annotations

from functools import cache
from itertools import product


@cache
def handouts(length: int, budget: int, cpus: int, deadline: int) -> tuple[tuple[int, ...], ...]:
    """Every way to hand out `budget` within the first `deadline` units of a period, up to `cpus` at once."""
    ways = product(range(cpus + 1), repeat=deadline)
    return tuple(way + (0,) * (length - deadline) for way in ways if sum(way) == budget)


@cache
def least_in(length: int, budget: int, cpus: int, deadline: int, begin: int, end: int) -> int:
    """Least that any handout gives to the part [begin, end) of a period."""
    return min(sum(way[begin:end]) for way in handouts(length, budget, cpus, deadline))


def budget_sbf(t: int, period: int, budget: int, deadline: int, cpus: int = 1) -> int:
    """Least supply in any window of length t: periods are independent, so the least of each part adds up."""
    least = None
    for start in range(period):
        total, now = 0, start
        while now < start + t:
            base = now // period * period
            end = min(base + period, start + t)
            total += least_in(period, budget, cpus, deadline, now - base, end - base)
            now = end
        least = total if least is None else min(least, total)
    return least or 0


def table_sbf(t: int, slots: list[tuple[int, int]], frame: int) -> int:
    """Least supply of a slot table: every start is tried."""
    given = [0] * frame
    for start, length in slots:
        for unit in range(start, start + length):
            given[unit] = 1
    return min(sum(given[unit % frame] for unit in range(start, start + t)) for start in range(frame))


def left_over(t: int, stairs: list[tuple[int, int, int]], given: list[int]) -> int:
    """Units of `given[0:t]` that are left when queued requests (cost, period, jitter) are served first, all coming as early as they may."""
    waiting = left = 0
    for now in range(t):
        for cost, period, jitter in stairs:
            arrival = -jitter
            while arrival <= now:
                if max(0, arrival) == now:
                    waiting += cost
                arrival += period
        if given[now]:
            if waiting:
                waiting -= 1
            else:
                left += 1
    return left
