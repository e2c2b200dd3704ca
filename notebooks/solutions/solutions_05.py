"""Solutions of the exercises of notebook 5."""

from rtvirt.analysis import best_interface
from rtvirt.units import us


def blackout(budget, period):
    """5.1: first in one period, last in the next."""
    return 2 * (period - budget)


def enough(wcet, deadline, budget, period):
    """5.2: the supply of a window as long as the deadline."""
    after = deadline - 2 * (period - budget)
    if after <= 0:
        return False
    return after // period * budget + min(budget, after % period) >= wcet


def response(tasks):
    """5.3: the fixed point."""
    *higher, (wcet, _) = tasks
    t, longer = 0, wcet
    while longer > t:
        t = longer
        longer = wcet + sum(-(-t // period) * c for c, period in higher)
    return t


def demand(tasks, t):
    """5.4: jobs that arrive and have their deadline within t."""
    return sum(max(0, (t - deadline) // period + 1) * wcet for wcet, period, deadline in tasks)


def sell(customers, switch):
    """5.5: the cheapest period of many, for each customer."""
    found = {name: best_interface(tasks, [us(100 * k) for k in range(5, 100)], switch=switch) for name, tasks in customers.items()}
    return {name: (one.budget, one.period) for name, one in found.items()}


SOLUTIONS = {"5.1": blackout, "5.2": enough, "5.3": response, "5.4": demand, "5.5": sell}
