"""A whole pCPU, and a fraction of one after a delay."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import cached_property

from ...errors import Problem, SpecError
from ...units import LONGEST
from ..pattern import Pattern, make_pattern
from .base import Supply, check_times


@dataclass(frozen=True)
class Dedicated(Supply):
    """A pCPU of one's own: ``sbf(t) = t``.

    Examples
    --------
    >>> Dedicated().sbf(7), Dedicated().inverse(7)
    (7, 7)
    """

    @cached_property
    def pattern(self) -> Pattern:
        """No corners: kernels know what that means."""
        return make_pattern([], 0, 1, 1)


@dataclass(frozen=True)
class BoundedDelay(Supply):
    """A share `rate` of a pCPU, at most `delay` late: ``sbf(t) = floor(rate·(t − delay))``.

    Parameters
    ----------
    rate : Fraction, int, or decimal float
        Above 0, at most 1. A float counts by its shortest decimal form: 0.1 is 1/10.
    delay : int [ns]

    Notes
    -----
    The abstraction of a partition of which nothing but these two numbers is known. Every other supply has such a line below it:
    its `rate` and `delay`.

    References
    ----------
    Mok, Feng and Chen, Resource partition for real-time systems, RTAS 2001, definition 4 (bounded-delay resource partition).

    Examples
    --------
    >>> BoundedDelay(0.5, 10).sbf([0, 10, 13, 30]).tolist()
    [0, 0, 1, 10]
    """

    rate: Fraction = field()            # type: ignore[assignment]    # field(): what other supplies compute is no default here
    delay: int = field()                # type: ignore[assignment]

    def __post_init__(self) -> None:
        check_times("BoundedDelay", delay=(self.delay, 0, LONGEST, ""))
        object.__setattr__(self, "rate", exact_rate("BoundedDelay.rate", self.rate))

    @cached_property
    def pattern(self) -> Pattern:
        """After the delay a slope of rate, written as numerator / denominator."""
        up, down = self.rate.numerator, self.rate.denominator
        corners = [(0, 0, 0), (int(self.delay), 0, up)] if self.delay else [(0, 0, up)]
        return make_pattern(corners, int(self.delay), down, up, unit=down)


def exact_rate(field: str, rate: object) -> Fraction:
    """A share of a pCPU as a fraction; SpecError unless it is in (0, 1] with a denominator of at most 2^53."""
    try:
        found = Fraction(Decimal(repr(rate))) if isinstance(rate, float) else Fraction(rate)  # type: ignore[call-overload]
        if 0 < found <= 1 and found.denominator <= LONGEST and not isinstance(rate, bool):
            return found
    except (TypeError, ValueError, ArithmeticError):
        pass
    raise SpecError([Problem(field, rate, "above 0, at most 1 (of one pCPU)", "write for example 0.25, or Fraction(1, 3)")])
