"""Turns and shares: what round robin guarantees, and why the credit scheduler guarantees nothing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NoReturn

from ...errors import RtvirtError
from ...units import LONGEST
from ..pattern import Pattern
from .base import Supply, check_times
from .periodic import late_budgets


class NoBound(RtvirtError):
    """A supply that no window is long enough to promise: the message is the witness, rule by rule."""


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


WITNESSES = {
    "credit": """Xen's credit scheduler promises a share in the long run, but no window that surely holds any of it (docs/xen-rules.md):
a vCPU that was not sampled while it ran has a debt that nobody sees; the tick that samples it makes it OVER for an accounting period of 30 ms
or more, without boost (2.9.3); meanwhile any other vCPU that blocks before each tick stays UNDER or BOOST whatever it uses (2.9.2), and boosted
vCPUs run first come, first served, for a whole slice each (2.6.5). So for every length of window there is a pattern of the others in which it
holds nothing.""",
}


def ProportionalShare(scheduler: str) -> NoReturn:     # noqa: N802 - reads like the other supplies
    """A share by weight: the supply that credit schedulers seem to sell.

    Parameters
    ----------
    scheduler : {"credit"}

    Raises
    ------
    NoBound
        Always, with the witness. `RoundRobinShare` has a bound; so has every server.
    """
    raise NoBound(WITNESSES.get(scheduler, f"no bound is known here for {scheduler!r}; known: {', '.join(WITNESSES)}"))
