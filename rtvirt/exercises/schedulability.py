"""Exercises of notebook 5: schedulability."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..analysis import PeriodicResource, edf_schedulable
from ..system import Task
from ..units import format_ns, ms, us
from .base import Exercise, Judgement, exercise

Periodic = list[tuple[int, int]]             # (wcet, period), most important first


def supply(budget: int, period: int, window: int) -> int:
    """Least supply of a window under the periodic resource model, whole numbers of any unit."""
    return PeriodicResource(period, budget).sbf(window)


exercise(Exercise(
    "5.1", lambda budget, period: 2 * (period - budget), [(4, 10), (1, 4), (10, 10), (1, 100)],
    "Let the budget come as early as it can in one period, and as late as it can in the next.",
    [(lambda budget, period: period - budget, "That is what is left of one period. The budget may come first in one period and last in the next."),
     (lambda budget, period: period, "Measure from the end of an early budget to the beginning of a late one.")]))
exercise(Exercise(
    "5.2", lambda wcet, deadline, budget, period: supply(budget, period, deadline) >= wcet,
    [(1000, 5000, 1600, 4000), (1000, 5000, 2000, 4000), (3000, 12000, 2000, 4000), (3000, 8000, 2000, 4000), (500, 2000, 4000, 4000),
     (1500, 3000, 2000, 4000)],
    "How much does a window as long as the deadline surely bring? After the blackout the budgets come one a period.",
    [(lambda wcet, deadline, budget, period: wcet * period <= budget * deadline,
      "Utilization is not enough: the share may be right and come too late. A blackout of 2(P − Q) comes first."),
     (lambda wcet, deadline, budget, period: deadline - 2 * (period - budget) >= wcet,
      "After the blackout the VM does not run for ever: it gets one budget a period."),
     (lambda wcet, deadline, budget, period: supply(budget, period, deadline + period - budget) >= wcet,
      "The blackout is 2(P − Q), not P − Q.")]))


def response(tasks: Periodic, count: Callable[[int, int], int] = lambda t, period: -(-t // period)) -> int:
    """Response of the last task, by the fixed point; `count` says how many jobs of a period a window of t sees."""
    *higher, (wcet, _) = tasks
    t = 0
    while (longer := max(wcet, wcet + sum(c * count(t, period) for c, period in higher))) > t:
        t = longer
    return t


exercise(Exercise(
    "5.3", response, [([(1, 4), (2, 6), (3, 12)],), ([(2, 5), (4, 15)],), ([(3, 10)],), ([(1, 3), (1, 5), (2, 12)],)],
    "Begin with t = wcet. While it waits, more important jobs arrive: t = wcet + sum of ceil(t / period)·wcet of those. Repeat until t stays.",
    [(lambda tasks: sum(wcet for wcet, _ in tasks), "That is one job of each. While the last one waits, more important jobs come again."),
     (lambda tasks: response(tasks, lambda t, period: t // period),
      "A job that has just arrived counts as a whole one: round up, not down."),
     (lambda tasks: round(tasks[-1][0] / (1 - sum(wcet / period for wcet, period in tasks[:-1])), 3),
      "That spreads the more important work evenly. It comes in whole jobs, all at once in the worst case.")]))


def demand(tasks: list[tuple[int, int, int]], t: int) -> int:
    """Work with arrival and deadline within a window of t."""
    return sum(max(0, (t - deadline) // period + 1) * wcet for wcet, period, deadline in tasks)


exercise(Exercise(
    "5.4", demand, [([(2, 5, 5), (4, 7, 7)], 7), ([(2, 5, 5), (4, 7, 7)], 35), ([(1, 10, 4)], 4), ([(1, 10, 4)], 13), ([(1, 10, 25), (2, 4, 4)], 4)],
    "A job counts if it arrives and has its deadline within the window: the first deadline at D, then one every T.",
    [(lambda tasks, t: sum(-(-t // period) * wcet for wcet, period, _ in tasks),
      "That counts all jobs that arrive. Those whose deadline lies beyond the window need not be done in it."),
     (lambda tasks, t: sum(t // period * wcet for wcet, period, _ in tasks),
      "A deadline before the period's end comes earlier: it is D that counts, not T."),
     (lambda tasks, t: sum(((t - deadline) // period + 1) * wcet for wcet, period, deadline in tasks),
      "Before the first deadline nothing is demanded, and not less than nothing.")]))

CUSTOMERS = {
    "car": [Task("brakes", wcet=ms(1), period=ms(10)), Task("steering", wcet=ms(2), period=ms(25), deadline=ms(20))],
    "radio": [Task("slot", wcet=us(500), period=ms(5)), Task("filter", wcet=ms(3), period=ms(30))],
}
SWITCH = us(50)
RESULT = {"car": (366_667, us(1700)), "radio": (us(400), us(1900))}


def judge_sale(answer: Callable[..., Any]) -> Judgement:
    """Are both customers served, and is half of the chip left?"""
    try:
        sold = answer(CUSTOMERS, SWITCH)
        if sold is None:
            return None, ""
        pairs = {name: tuple(sold[name]) for name in CUSTOMERS}
        for name, (budget, period) in pairs.items():
            verdict = edf_schedulable(CUSTOMERS[name], PeriodicResource(period, budget))
            if not verdict:
                return False, (f"{name}: {verdict.witness.why()}. Utilization is not enough: the blackout is 2(P − Q) = "
                               f"{format_ns(2 * (period - budget))}")
    except Exception as error:
        return False, f"give {{name: (budget, period)}} in whole ns for {', '.join(CUSTOMERS)} ({type(error).__name__}: {error})"
    left = 100 * (1 - sum((budget + SWITCH) / period for budget, period in pairs.values()))
    if left < 50:
        return False, (f"both are served, and {left:.1f} % of the chip are left; half of it can be. Each period costs a switch of "
                       f"{format_ns(SWITCH)}, so short ones are dear; long ones have long blackouts, which cost budget")
    return True, f"sold to both, and {left:.1f} % of the chip are left"


def by_utilization(customers: dict[str, list[Task]], switch: int) -> dict[str, tuple[int, int]]:
    """A mistake: exactly the share that the tasks use."""
    return {name: (int(sum(task.wcet / task.period for task in tasks) * ms(2)) + 1, ms(2)) for name, tasks in customers.items()}


def by_short_periods(customers: dict[str, list[Task]], switch: int) -> dict[str, tuple[int, int]]:
    """A mistake: switches are forgotten."""
    return {"car": (102_565, us(500)), "radio": (101_695, us(500))}


exercise(Exercise(
    "5.5", lambda customers, switch: RESULT, [(CUSTOMERS, SWITCH)],
    "rv.analysis.best_interface finds the cheapest of the periods that you give it; give it many, down to a millisecond, and the switch.",
    [(by_utilization, "Utilization is not enough"), (by_short_periods, "so short ones are dear")], judge=judge_sale))
