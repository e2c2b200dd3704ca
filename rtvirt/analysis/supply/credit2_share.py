"""What credit2 surely gives a vCPU by its weight: on one pCPU there is a bound.

Rule numbers in brackets are those of docs/xen-rules.md; W is the largest weight, and R the ratelimit.

A vCPU j burns W/w_j credits a nanosecond (5.2.1), and only a *reset* gives more: 10 ms to everybody (5.2.4). So whoever runs more than its
share must pay by credits, and those are few: at most 10.5 ms above 0, and below 0 what one *overrun* takes. A stint begins with more than
0 credits, or there was a reset; its slice ends at 0 (5.3 step 6), but lasts at least 0.5 ms, or R after a switch; and a decision within R
(5.3 step 2) keeps the vCPU and sets 0.5 ms again. So between two resets nobody runs more than R + 0.5 ms on less than 0 credits.

Now let i be runnable throughout a window, and g the credits that resets give it there. At every reset i has at most 0, since whoever waits
and whoever is chosen has at most 0: so nothing of its 10 ms is clipped. Everybody else is given at most g as well, and so runs at most

    own_j + g·w_j/W,    own_j = 10.5 ms·w_j/W + R + 0.5 ms.

And i has run at least (g − 10 ms − its debt at the beginning)·w_i/W, as it ends with at most 10 ms. One pCPU is never idle meanwhile: the
window is what i ran and what the others ran. Without g that is a straight line: rate w_i / (sum of the weights), and a delay.

*Light vCPUs.* An overrun of (R + 0.5 ms)·W/w_j >= 10 ms of credit hits the floor of -10 ms: the rest of the debt is forgiven. By default
that is so from a seventh of the largest weight on. Such a vCPU may run own_j between any two resets: it counts as if it had the *effective
weight* W·own_j/10 ms. And a reset for one at the floor gives 20 ms; who has a debt can then take more of it than i, but not more than
min(20 ms, 10.5 ms and its debt) to 10.5 ms of i.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from .base import check_times
from .lag import LagShare

FIRST = 10_000_000        # what a reset gives [credits] (5.1)
MOST = 10_500_000         # nobody has more
SHORTEST = 500_000        # the least slice [ns]
RATELIMIT = 1_000_000     # by default [ns]
GRAIN = 1000              # effective weights are rounded up to a thousandth


@dataclass(frozen=True)
class Credit2Share(LagShare):
    """A vCPU's share by weight under credit2, on one pCPU.

    Parameters
    ----------
    weight : int
        Its own, 1 to 65535.
    others : tuple of int
        Weights of all other vCPUs of the pCPU that ever run.
    ratelimit : int [ns]
    idle : tuple of int
        Weights of those that never run: with them, too, the heaviest is chosen (5.2.1).

    Notes
    -----
    Holds in every window in which the vCPU is runnable and does not yield, whatever the others do: sleep, wake, yield, be capped. Left out:
    time in the hypervisor; vCPUs that come and go, and weights that change; a cap of its own; several pCPUs. `ProportionalShare` makes one
    from a system, and refuses what is left out.

    `sbf` is a straight line after `delay`. `latency` is less than the delay: nobody can use all of it to hold a vCPU off at once.

    References
    ----------
    docs/shares.md; docs/xen-rules.md 5; and this module's docstring. In form it is the lag of proportional-share scheduling: Stoica et al.,
    A proportional share resource allocation algorithm for real-time, time-shared systems, RTSS 1996.

    Examples
    --------
    Against one hog of the same weight:

    >>> share = Credit2Share(256, (256,))
    >>> share.rate, share.latency, int(share.delay)
    (Fraction(1, 2), 13500002, 23500004)
    """

    weight: int
    others: tuple[int, ...]
    ratelimit: int = RATELIMIT
    idle: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for number in (self.weight, *self.others, *self.idle):
            check_times("Credit2Share", weight=(number, 1, 65_535, "weights of Xen"))
        check_times("Credit2Share", ratelimit=(self.ratelimit, 0, 500_000_000, "ratelimits of Xen"))

    @cached_property
    def heaviest(self) -> int:
        """The largest weight."""
        return max(self.weight, *self.others, *self.idle, 1)

    @property
    def overrun(self) -> int:
        """Longest run on less than 0 credits between two resets [ns]."""
        return self.ratelimit + SHORTEST

    def debt(self, weight: int) -> int:
        """What an overrun costs, and a credit for roundings; nobody owes more than 10 ms."""
        return min(FIRST, -(-self.overrun * self.heaviest // weight) + 1)

    def light(self, weight: int) -> bool:
        """Can a vCPU of this weight come to the floor, where debts are forgiven?"""
        return self.debt(weight) >= FIRST

    @cached_property
    def forgiving(self) -> bool:
        """Can anybody?"""
        return any(self.light(weight) for weight in (self.weight, *self.others))

    def alone(self, weight: int) -> int:
        """The most that a vCPU runs without a reset [ns]."""
        return -(-MOST * weight // self.heaviest) + self.overrun + 1

    def effective(self, weight: int) -> int:
        """The weight by which another vCPU counts [1/1000]: its own, unless debts are forgiven."""
        if self.light(weight):
            return -(-GRAIN * self.heaviest * self.alone(weight) // FIRST)
        if self.forgiving:
            return -(-GRAIN * weight * min(2 * FIRST, MOST + self.debt(weight)) // MOST)
        return GRAIN * weight

    @cached_property
    def own(self) -> int:                                                                          # type: ignore[override]
        """Its pace."""
        return GRAIN * self.weight

    @cached_property
    def lag(self) -> int:                                                                          # type: ignore[override]
        """Its debt at the beginning, and what it has at the end."""
        return ((MOST if self.forgiving else FIRST) + self.debt(self.weight) + 2) if self.others else 0

    @cached_property
    def rivals(self) -> tuple[tuple[int, int], ...]:                                               # type: ignore[override]
        """Effective weights, and what is run without a reset."""
        return tuple((self.effective(weight), self.alone(weight)) for weight in self.others)

    @cached_property
    def unit(self) -> tuple[int, int]:                                                             # type: ignore[override]
        """A credit is a ns of the heaviest."""
        return 1, GRAIN * self.heaviest

    @cached_property
    def latency(self) -> int:
        """The longest that it waits, runnable, before it runs [ns].

        At worst it has its debt, and the others have 10.5 ms. They run to 0; after the reset, which gives all the same, they run until they
        have no more than it has, and overrun that. So each burns at most 10.5 ms and the debt of who waits, besides one overrun.
        """
        if self.forgiving:
            return int(self.line.delay)
        lead = MOST + self.debt(self.weight)
        return sum(-(-lead * weight // self.heaviest) + self.overrun + 1 for weight in self.others)
