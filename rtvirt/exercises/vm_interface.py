"""Exercises of notebook 8: the interface of a VM."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from .base import Exercise, exercise

Windows = tuple[int, int, bool]                        # physical address, size, shared
Shares = Sequence[tuple[float, frozenset[int]]]        # share of a pCPU, pCPUs where it may be had


def collide(first: Windows, second: Windows) -> bool:
    """Whether two windows of two VMs are a finding: they have memory in common, and not both say shared."""
    (base, size, shared), (other, length, also) = first, second
    return base < other + length and other < base + size and not (shared and also)


exercise(Exercise(
    "8.1", collide,
    [((0, 4, False), (4, 4, False)), ((0, 8, False), (4, 8, False)), ((0, 8, True), (4, 8, True)), ((0, 8, True), (4, 8, False)),
     ((0, 16, False), (4, 4, False)), ((4, 4, False), (0, 16, False)), ((8, 4, True), (0, 4, False))],
    "The last address of a window is base + size - 1. And a VM that does not know that its memory is shared has been robbed.",
    [(lambda first, second: first[0] <= second[0] + second[1] and second[0] <= first[0] + first[1] and not (first[2] and second[2]),
      "A window ends before base + size: neighbours do not overlap."),
     (lambda first, second: first[0] < second[0] + second[1] and second[0] < first[0] + first[1] and not (first[2] or second[2]),
      "One side alone cannot decide to share: both have to say it."),
     (lambda first, second: first[0] == second[0] and not (first[2] and second[2]), "Windows may overlap without beginning at the same address."),
     (lambda first, second: first[0] < second[0] + second[1] and second[0] < first[0] + first[1],
      "What both flag as shared is shared on purpose: a channel.")]))


def adds_up(shares: Shares) -> bool:
    """Whether reservations fit: for each set of pCPUs, those that can go nowhere else ask for no more than it has."""
    places = [cpus for _, cpus in shares]
    unions = {frozenset().union(*some) for n in range(1, len(places) + 1) for some in combinations(places, n)}
    return all(sum(share for share, cpus in shares if cpus <= union) <= len(union) + 1e-9 for union in unions)


def each_cpu(shares: Shares) -> bool:
    """The mistake of looking at each pCPU alone, with what may only run there."""
    every = frozenset().union(*(cpus for _, cpus in shares))
    return all(sum(share for share, cpus in shares if cpus == {cpu}) <= 1 for cpu in every)


def equal_sets(shares: Shares) -> bool:
    """The mistake of adding only those up that have the same pCPUs."""
    return all(sum(share for share, cpus in shares if cpus == own) <= len(own) + 1e-9 for _, own in shares)


A, B, AB, BC = frozenset({0}), frozenset({1}), frozenset({0, 1}), frozenset({1, 2})
exercise(Exercise(
    "8.2", adds_up,
    [([(0.5, A), (0.5, A)],), ([(0.6, A), (0.6, A)],), ([(0.6, A), (0.6, B), (0.6, AB)],), ([(0.9, A), (0.9, B), (0.2, AB)],),
     ([(0.9, A), (0.9, B), (0.3, AB), (0.5, BC)],), ([(1.5, AB), (1.0, BC)],),
     ([(1.2, AB), (1.2, AB)],), ([(1.8, AB), (1.0, BC), (0.3, frozenset({2}))],)],
    "Which VMs have nowhere else to go than the pCPUs of this set? Ask it for every union of affinities.",
    [(each_cpu, "A VM that may run on two pCPUs counts too: beside those that are bound to one of the two."),
     (lambda shares: sum(share for share, _ in shares) <= len(frozenset().union(*(cpus for _, cpus in shares))) + 1e-9,
      "The sum over all pCPUs may fit, while some pCPUs are asked for too much and others stand idle."),
     (equal_sets, "A VM bound to pCPU 0 takes its share from one that may run on 0 and 1, too.")]))


def wake_bound(budget: int, period: int, rivals: Sequence[int], sections: Sequence[int]) -> int:
    """Longest wait for the first ns of a budget, beside rivals of the same period on one pCPU: used up early, then all others first."""
    return period - budget + sum(rivals) + sum(sections)


exercise(Exercise(
    "8.3", wake_bound,
    [(1000, 2000, [500], [20, 20, 20]), (400, 2000, [500], [60]), (300, 1000, [300, 300], []), (5, 10, [], []), (2, 10, [3, 1], [4])],
    "When may the budget be used up at the earliest? Who can go first when the next one is there? What holds the pCPU against everybody?",
    [(lambda budget, period, rivals, sections: 2 * (period - budget),
      "That is the bound if nothing is known of the others. Here they are known: only their budgets can come before."),
     (lambda budget, period, rivals, sections: period - budget, "The next budget is there, but the others may go first."),
     (lambda budget, period, rivals, sections: period - budget + sum(rivals), "A section that cannot be preempted delays the most urgent, too."),
     (lambda budget, period, rivals, sections: sum(rivals) + sum(sections),
      "Its budget may be used up already: until the next period there is none.")]))


def technique(prices: Mapping[str, int | None]) -> str:
    """The technique of the lowest known price; one without a price only if there is nothing else; "open" if there is none at all."""
    known = {name: price for name, price in prices.items() if price is not None}
    return min(known, key=lambda name: known[name]) if known else min(prices, default="open")


exercise(Exercise(
    "8.4", technique,
    [({"split driver": 320, "emulation": 7050},), ({"split driver": None, "emulation": 7050},), ({"emulation": 7050, "pass-through": 160},),
     ({"patching": None},), ({},)],
    "None means that nobody published a price. Is that cheap? And what is a gap that no technique closes?",
    [(lambda prices: min(prices, key=lambda name: prices[name] or 0, default="open"), "A price that is not known is not 0."),
     (lambda prices: min((name for name in prices if prices[name] is not None), key=lambda name: prices[name], default="open"),
      "A technique without a published price still closes the gap: the gap is not open."),
     (lambda prices: max(prices, key=lambda name: prices[name] or 0, default="open"), "The cheapest one, not the dearest.")]))
