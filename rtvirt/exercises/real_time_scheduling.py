"""Exercises of notebook 4: schedulers that know deadlines."""

from __future__ import annotations

from collections.abc import Callable

from .base import Exercise, exercise

Contracts = list[tuple[int, int]]            # (budget, period)
Windows = list[tuple[int, int]]              # (start, length) within a frame


def share(parts: Contracts) -> float:
    """Part of a core that is sold."""
    return sum(budget / period for budget, period in parts)


exercise(Exercise(
    "4.1", lambda contracts: share(contracts) <= 1 + 1e-12,
    [([(4, 10), (5, 20), (1, 5)],), ([(10, 10), (10, 10)],), ([(5, 10), (10, 20)],), ([(3, 4), (2, 6)],), ([(6, 10), (9, 20)],)],
    "RTDS is EDF on budgets. How much of the core is sold in the long run?",
    [(lambda contracts: all(budget <= period for budget, period in contracts), "Each fits by itself; RTDS does not ask whether they fit together."),
     (lambda contracts: sum(budget for budget, _ in contracts) <= max(period for _, period in contracts),
      "A budget with a short period comes several times while a long one passes: add shares, not budgets."),
     (lambda contracts: share(contracts) < 1, "EDF can sell a core to the last bit: exactly 1 is still kept.")]))


def runs(running: int, head: int, occasion: str) -> str:
    """Who has the core: "running" or "head" of the queue, given both deadlines."""
    wins = head < running if occasion == "wake" else head <= running
    return "head" if wins else "running"


exercise(Exercise(
    "4.2", runs, [(10, 9, "wake"), (10, 10, "wake"), (10, 10, "decision"), (9, 10, "decision"), (10, 9, "decision"), (9, 10, "wake")],
    "Rule 6.2.5: the same tie is decided one way when somebody wakes, and the other way when the scheduler decides anyway.",
    [(lambda running, head, occasion: "head" if head < running else "running",
      "At a decision the head of the queue wins a tie: who runs is put back behind its equals."),
     (lambda running, head, occasion: "head" if head <= running else "running", "A wake-up with an equal deadline preempts nobody."),
     (lambda running, head, occasion: "running" if running <= head or occasion == "wake" else "head",
      "A wake-up with an earlier deadline does preempt.")]))


def level(ran: int, budget: int, extratime: bool) -> tuple[int, int]:
    """(priority level, budget left) after running so long in one period."""
    return (ran // budget, budget - ran % budget) if extratime else (0, max(0, budget - ran))


def at_most_one(ran: int, budget: int, extratime: bool) -> tuple[int, int]:
    """A mistake: there are two levels only."""
    found = level(ran, budget, extratime)
    return min(1, found[0]), found[1]


exercise(Exercise(
    "4.3", level, [(3, 4, True), (4, 4, True), (9, 4, True), (3, 4, False), (9, 4, False)],
    "Rule 6.2.3: a used-up budget is refilled at once if there is extratime, and costs a level of priority each time.",
    [(lambda ran, budget, extratime: (0, max(0, budget - ran)),
      "That is a VM without extratime: with it, a used-up budget is refilled at once, a level lower."),
     (at_most_one, "Each used-up budget costs another level, however many there were."),
     (lambda ran, budget, extratime: ((ran - 1) // budget, budget - (ran - 1) % budget - 1) if extratime else (0, max(0, budget - ran)),
      "At exactly 0 the budget is used up: the next level begins.")]))


def longest_wait(windows: Windows, frame: int) -> int:
    """Longest time between the windows of one VM."""
    starts = [start for start, _ in windows]
    return max((following - start - length) % frame for (start, length), following in zip(windows, starts[1:] + starts[:1], strict=True))


def after(rest: Callable[[int, int], int]) -> Callable[[Windows, int], int]:
    """A mistake: what is left of the frame, made of the sum of the windows."""
    return lambda windows, frame: rest(sum(length for _, length in windows), frame)


exercise(Exercise(
    "4.4", longest_wait, [([(0, 2)], 10), ([(0, 2), (5, 1)], 10), ([(1, 1), (3, 1)], 20), ([(4, 6)], 10)],
    "Work that comes just as a window ends waits for the next one. Where is the longest gap, over the frame's end too?",
    [(after(lambda given, frame: frame - given), "Between two windows one waits only for the next of them: look for the longest gap."),
     (after(lambda given, frame: frame), "A window may be used while it lasts; count from its end."),
     (lambda windows, frame: max([b[0] - a[0] - a[1] for a, b in zip(windows, windows[1:])], default=frame - windows[0][1]),
      "The frame repeats: the gap from the last window to the first of the next frame counts.")]))
exercise(Exercise(
    "4.5", lambda advances, i: (1 / advances[i]) / sum(1 / a for a in advances), [([10, 10], 0), ([10, 20], 0), ([5, 10, 20], 2)],
    "BVT runs whoever has least virtual time. Whose virtual time advances twice as fast, runs half as long.",
    [(lambda advances, i: advances[i] / sum(advances), "mcu_advance is the inverse of a weight: who advances fast is soon behind the others."),
     (lambda advances, i: 1 / len(advances), "Equal shares would need equal advances.")], 1e-6))
