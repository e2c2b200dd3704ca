"""A budget in every period: periodic resource, explicit deadline, several pCPUs at once.

The worst window begins when the budget has just been used up, as early as it can be, and from then on every budget comes as late as
it may. Between the two lies the *blackout*: for a budget Q in a period P, 2·(P − Q).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ...units import LONGEST
from ..pattern import Corners, Pattern, lower_envelope, make_pattern
from .base import Supply, check_times

MOST_CPUS = 1024


def late_budgets(blackout: int, budget: int, period: int) -> Pattern:
    """Nothing for `blackout`, then `budget` at once and nothing for the rest of each `period` [ns]."""
    corners: Corners = [(0, 0, 0)] if blackout else []
    corners.append((blackout, 0, 1 if budget else 0))
    if 0 < budget < period:
        corners.append((blackout + budget, budget, 0))
    return make_pattern(corners, blackout, period, budget)


@dataclass(frozen=True)
class PeriodicResource(Supply):
    """`budget` of processor time in every `period`, at any place in it: the periodic resource model.

    Parameters
    ----------
    period, budget : int [ns]
        0 <= budget <= period.

    Notes
    -----
    What an RTDS vCPU surely gets from a host that keeps its promises, its budget being kept while it sleeps (docs/xen-rules.md 6.1.2,
    6.3.5). ``sbf(t) = k·Q + min(Q, y − k·P)``, with y = t − 2(P − Q) and k = floor(y / P), and 0 for y <= 0.

    References
    ----------
    Shin and Lee, Periodic resource model for compositional real-time guarantees, RTSS 2003, section 3.

    Examples
    --------
    >>> vcpu = PeriodicResource(10, 4)
    >>> vcpu.sbf([12, 13, 16, 22, 23]).tolist(), vcpu.inverse(5), vcpu.rate, vcpu.delay
    ([0, 1, 4, 4, 5], 23, Fraction(2, 5), Fraction(12, 1))
    """

    period: int
    budget: int

    def __post_init__(self) -> None:
        check_times("PeriodicResource", period=(self.period, 1, LONGEST, ""))
        check_times("PeriodicResource", budget=(self.budget, 0, self.period, "the period"))

    @cached_property
    def pattern(self) -> Pattern:
        """A blackout of 2(P − Q)."""
        return late_budgets(2 * (self.period - self.budget), self.budget, self.period)

    @property
    def interference(self) -> list[tuple[int, int, int]]:
        """Its budget, once a period."""
        return [(self.budget, self.period, 0)]


@dataclass(frozen=True)
class ExplicitDeadlinePeriodic(Supply):
    """`budget` of processor time in every `period`, within its first `deadline`: the EDP model.

    Parameters
    ----------
    period, budget, deadline : int [ns]
        0 <= budget <= deadline <= period.

    Notes
    -----
    The blackout is P + D − 2Q: with D = P the periodic resource, with D = Q a slot at a fixed place. An earlier deadline needs less
    bandwidth for the same tasks, and is harder on the host.

    References
    ----------
    Easwaran, Anand and Lee, Compositional analysis framework using EDP resource models, RTSS 2007, equation 1.

    Examples
    --------
    >>> ExplicitDeadlinePeriodic(10, 4, 6).sbf([8, 9, 12, 18, 19]).tolist()
    [0, 1, 4, 4, 5]
    """

    period: int
    budget: int
    deadline: int

    def __post_init__(self) -> None:
        check_times("ExplicitDeadlinePeriodic", period=(self.period, 1, LONGEST, ""))
        check_times("ExplicitDeadlinePeriodic", deadline=(self.deadline, 1, self.period, "the period"))
        check_times("ExplicitDeadlinePeriodic", budget=(self.budget, 0, self.deadline, "the deadline"))

    @cached_property
    def pattern(self) -> Pattern:
        """A blackout of P + D − 2Q."""
        return late_budgets(self.period + self.deadline - 2 * self.budget, self.budget, self.period)

    @property
    def interference(self) -> list[tuple[int, int, int]]:
        """Its budget, once a period."""
        return [(self.budget, self.period, 0)]


@dataclass(frozen=True)
class MultiprocessorPeriodicResource(Supply):
    """`budget` of processor time in every `period`, on up to `cpus` pCPUs at once: the MPR model.

    Parameters
    ----------
    period : int [ns]
    budget : int [ns]
        Of all pCPUs together: 0 <= budget <= cpus·period.
    cpus : int

    Notes
    -----
    Let f(x) = max(0, Q − m·(P − x)): what is left for the last x ns of a period whose budget was used as early as possible, and also what
    must come within the first x of one whose budget comes as late as possible. A window of length t has x in the first period, y in the last and k
    whole ones between: ``sbf(t) = min over k of k·Q + f(floor(c/2)) + f(ceil(c/2))``, c = t − k·P, since f is convex; k is floor(t/P) or one less.
    This counts whole nanoseconds, is continuous in the budget, and never falls. The closed form as it is commonly programmed is up to m too small
    when the budget is a multiple of m.

    References
    ----------
    Shin, Easwaran and Lee, Hierarchical scheduling framework for virtual clustering of multiprocessors, ECRTS 2008, section 4.

    Examples
    --------
    >>> MultiprocessorPeriodicResource(10, 25, 3).sbf([0, 2, 3, 4, 10, 11]).tolist()
    [0, 0, 1, 2, 20, 23]
    """

    period: int
    budget: int
    cpus: int

    def __post_init__(self) -> None:
        check_times("MultiprocessorPeriodicResource", period=(self.period, 1, self.longest(), f"so that {MOST_CPUS} pCPUs fit"),
                    cpus=(self.cpus, 1, MOST_CPUS, "a number of pCPUs"))
        check_times("MultiprocessorPeriodicResource", budget=(self.budget, 0, self.cpus * self.period, "the period, times the pCPUs"))

    @staticmethod
    def longest() -> int:
        """Longest period [ns]."""
        return LONGEST // MOST_CPUS

    @property
    def vcpu_budgets(self) -> list[int]:
        """A budget for each of `cpus` vCPUs with this period [ns], as equal as can be: together they never give less than the model says."""
        whole, rest = divmod(self.budget, self.cpus)
        return [whole + 1] * rest + [whole] * (self.cpus - rest)

    @cached_property
    def pattern(self) -> Pattern:
        """The first period has no period before it; from the second on two numbers of whole periods compete."""
        period, budget = int(self.period), int(self.budget)
        first = self.two_ends()
        later = [(at - period, work - budget, slope) for at, work, slope in cut(first, period)]
        lines = [later, [c for c in first if c[0] < period]]
        repeated = lower_envelope(lines, period, min(line[0][1] for line in lines) + budget)
        corners = [c for c in first if c[0] < period] + [(at + period, work + budget, slope) for at, work, slope in repeated]
        return make_pattern(corners, period, period, budget)

    def two_ends(self) -> Corners:
        """Corners of ``f(floor(c/2)) + f(ceil(c/2))`` on [0, 2·period)."""
        whole, rest = divmod(int(self.budget), int(self.cpus))
        last = 2 * (int(self.period) - whole)                      # from here on both ends have all pCPUs
        if not rest:
            return ([(0, 0, 0)] if last else []) + ([(last, 0, int(self.cpus))] if whole else [])
        rising = [(last - 2, 0, rest), (last, 2 * rest, int(self.cpus))]
        return ([(0, 0, 0)] if last > 2 else []) + (rising if whole else rising[:1])


def cut(line: Corners, start: int) -> Corners:
    """The part of a broken line from `start` on."""
    before = [c for c in line if c[0] <= start][-1]
    return [(start, before[1] + before[2] * (start - before[0]), before[2])] + [c for c in line if c[0] > start]
