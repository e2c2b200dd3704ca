"""Solutions of the exercises of notebook 4."""


def fits(contracts):
    """4.1: shares of a core add up to one at most."""
    return sum(budget / period for budget, period in contracts) <= 1 + 1e-12


def runs(running, head, occasion):
    """4.2: a wake-up needs an earlier deadline, a decision only an equal one."""
    if occasion == "wake":
        return "head" if head < running else "running"
    return "running" if running < head else "head"


def level(ran, budget, extratime):
    """4.3: one level for each budget used up."""
    if not extratime:
        return 0, max(0, budget - ran)
    return ran // budget, budget - ran % budget


def longest_wait(windows, frame):
    """4.4: from each window's end to the next one's start, round the frame."""
    waits = []
    for k, (start, length) in enumerate(windows):
        following = windows[(k + 1) % len(windows)][0]
        waits.append((following - start - length) % frame)
    return max(waits)


def bvt_share(advances, i):
    """4.5: shares are inverse to the advance."""
    return (1 / advances[i]) / sum(1 / advance for advance in advances)


SOLUTIONS = {"4.1": fits, "4.2": runs, "4.3": level, "4.4": longest_wait, "4.5": bvt_share}
