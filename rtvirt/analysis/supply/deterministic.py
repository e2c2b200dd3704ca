"""Several pCPUs, all but one of them whole."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ..pattern import Corners, Pattern, make_pattern
from .base import Supply, check_times
from .periodic import MOST_CPUS, MultiprocessorPeriodicResource


@dataclass(frozen=True)
class DeterministicMultiprocessorPeriodicResource(Supply):
    """`full` pCPUs all the time, and one more for `budget` in every `period`: the DMPR model.

    Parameters
    ----------
    period, budget : int [ns]
        Of the partial pCPU; 0 <= budget < period.
    full : int

    Notes
    -----
    ``sbf(t) = full·t`` plus that of the partial one, which is a `PeriodicResource`. The same bandwidth as an MPR interface in a fixed shape: no
    window is worse, so that its tests accept more, and hosts can pin the full vCPUs.

    References
    ----------
    Phan, Xu, Lee and Sokolsky, Overhead-aware compositional analysis of real-time systems, RTAS 2013, section III.

    Examples
    --------
    >>> dmpr = DeterministicMultiprocessorPeriodicResource(10, 4, 1)
    >>> dmpr.sbf([12, 13, 16, 22]).tolist(), dmpr.cpus, dmpr.rate
    ([12, 14, 20, 26], 2, Fraction(7, 5))
    """

    period: int
    budget: int
    full: int

    def __post_init__(self) -> None:
        name, longest = type(self).__name__, MultiprocessorPeriodicResource.longest()
        check_times(name, period=(self.period, 1, longest, f"so that {MOST_CPUS} pCPUs fit"), full=(self.full, 0, MOST_CPUS, "a number of pCPUs"))
        check_times(name, budget=(self.budget, 0, self.period - 1, "less than the period"))

    @property
    def cpus(self) -> int:
        """How many it may use at once."""
        return self.full + (self.budget > 0)

    @property
    def vcpu_budgets(self) -> list[int]:
        """A budget for each of `cpus` vCPUs with this period [ns]."""
        return [self.period] * self.full + [self.budget] * (self.budget > 0)

    @cached_property
    def pattern(self) -> Pattern:
        """The partial one's blackout and budgets, on top of a straight line."""
        blackout = 2 * (int(self.period) - int(self.budget)) if self.budget else 0
        corners: Corners = [(0, 0, self.full)] if blackout else []
        corners.append((blackout, self.full * blackout, self.full + (self.budget > 0)))
        if self.budget:
            end = blackout + self.budget
            corners.append((end, self.full * end + self.budget, self.full))
        return make_pattern(corners, blackout, self.period, self.full * self.period + self.budget)
