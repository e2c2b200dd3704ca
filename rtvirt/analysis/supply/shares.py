"""Turns: what round robin guarantees."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ...units import LONGEST
from ..pattern import Pattern
from .base import Supply, check_times
from .periodic import late_budgets


@dataclass(frozen=True)
class RoundRobinShare(Supply):
    """One of `vcpus` vCPUs that take turns of one `quantum` on a pCPU (`rv.RoundRobin`).

    Parameters
    ----------
    quantum : int [ns]
    vcpus : int
        This one included.

    Notes
    -----
    Who wakes goes to the tail, as does whoever has used up its turn: (n − 1) quanta of others, then one of its own.

    Examples
    --------
    >>> RoundRobinShare(10, 3).sbf([20, 25, 30, 50, 51]).tolist()
    [0, 5, 10, 10, 11]
    """

    quantum: int
    vcpus: int

    def __post_init__(self) -> None:
        check_times("RoundRobinShare", vcpus=(self.vcpus, 1, 1 << 16, "a number of vCPUs"))
        check_times("RoundRobinShare", quantum=(self.quantum, 1, LONGEST // self.vcpus, "so that a round fits"))

    @cached_property
    def pattern(self) -> Pattern:
        """A blackout of n − 1 quanta."""
        return late_budgets((self.vcpus - 1) * self.quantum, self.quantum, self.vcpus * self.quantum)
