"""Solutions of the exercises of notebook 8."""

from itertools import combinations


def collide(first, second):
    """8.1: each begins before the other ends, and not both say shared."""
    (base, size, shared), (other, length, also) = first, second
    apart = base + size <= other or other + length <= base
    return not apart and not (shared and also)


def adds_up(shares):
    """8.2: for every union of affinities."""
    for n in range(1, len(shares) + 1):
        for some in combinations(shares, n):
            union = set().union(*(cpus for _, cpus in some))
            if sum(share for share, cpus in shares if cpus <= union) > len(union) + 1e-9:
                return False
    return True


def wake_bound(budget, period, rivals, sections):
    """8.3: nothing until the next period, then the others, then sections."""
    return period - budget + sum(rivals) + sum(sections)


def technique(prices):
    """8.4: what is known first, the cheapest of it."""
    if not prices:
        return "open"
    return min(prices, key=lambda name: (prices[name] is None, prices[name] or 0))


SOLUTIONS = {"8.1": collide, "8.2": adds_up, "8.3": wake_bound, "8.4": technique}
