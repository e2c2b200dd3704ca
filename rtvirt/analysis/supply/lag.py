"""The form of a proportional share: nobody is far ahead of anybody by what it has paid (docs/shares.md)."""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property

from ..pattern import Pattern
from .base import Supply
from .simple import BoundedDelay


class LagShare(Supply):
    """A share of a pCPU that is never idle meanwhile, by weights of some kind.

    While this one is runnable and pays g, every other runs at most ``head + g·pace``, and it has run at least ``(g − lag)·own`` itself. The window
    is what all of them ran; without g that is a straight line.
    """

    own: int                                          # its pace: what it runs for a payment of 1, in `unit`
    lag: int                                          # by so much it may have paid in advance
    rivals: tuple[tuple[int, int], ...]               # of each other: (pace, head [ns])
    unit: tuple[int, int]                             # of paces: numerator and denominator of ns

    @cached_property
    def line(self) -> BoundedDelay:
        """Rate and delay."""
        against = sum(pace for pace, _ in self.rivals)
        late = -(-self.lag * against * self.unit[0] // self.unit[1])
        return BoundedDelay(Fraction(self.own, self.own + against), sum(head for _, head in self.rivals) + late)

    @cached_property
    def pattern(self) -> Pattern:
        """A line."""
        return self.line.pattern
