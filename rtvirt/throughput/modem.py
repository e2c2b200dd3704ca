"""A soft modem: signal processing in software, at each interrupt of a line card; and the reservations that carry it.

After Jones and Saroiu (2001), who moved a vendor's driver from its interrupt routine into a thread with a reservation.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from ..errors import Problem, SpecError
from .loops import exact

TRIED = ((2, 8), (1, 4), (1, 8), (3, 16), (2, 16))        # ms in every so many ms (section 4)


class Reservation(NamedTuple):
    """Whether a reservation carries a periodic job."""

    share: Fraction           # of the processor, reserved
    needed: Fraction          # work / period
    gap: Fraction             # longest time without the processor, as long as its place in the period is fixed
    enough: bool              # share >= needed
    in_time: bool             # gap <= period of the job

    @property
    def carries(self) -> bool:
        """Both."""
        return self.enough and self.in_time


def reservation(budget: float, every: float, *, work: float, period: float) -> Reservation:
    """Does `budget` in every `every` carry `work` in each `period`? All in one unit.

    Two conditions: enough of the processor in the long run, and no gap that outlasts a period of the job, for then a second buffer comes before the
    first is looked at.

    Notes
    -----
    The budget has a fixed place in its period, as in a plan made beforehand; a server that may shift it has gaps of up to twice as long
    (`rtvirt.analysis`). `work` is the mean: a worst case that is seldom is carried by the buffers.

    Examples
    --------
    1.8 ms in each 12.5 ms. A share of 18.75 % is more than the 14.4 % needed, and yet too coarse:

    >>> [(budget, every, reservation(budget, every, work=1.8, period=12.5).carries) for budget, every in TRIED]
    [(2, 8, True), (1, 4, True), (1, 8, False), (3, 16, False), (2, 16, False)]
    >>> coarse = reservation(3, 16, work=1.8, period=12.5)
    >>> coarse.enough, coarse.in_time, float(coarse.needed)
    (True, False, 0.144)
    """
    budget, every, work, period = (exact(name, value) for name, value in
                                   (("budget", budget), ("every", every), ("work", work), ("period", period)))
    if budget > every:
        raise SpecError([Problem("budget", float(budget), "above 0, at most `every`", "a reservation is a share of one processor", "")])
    share, needed, gap = budget / every, work / period, every - budget
    return Reservation(share, needed, gap, share >= needed, gap <= period)
