"""Time is an integer number of nanoseconds; these functions make one, and write one down.

>>> ms(2.5), us(300), s(1)
(2500000, 300000, 1000000000)
>>> format_ns(1_250_000), parse_time("1.25 ms")
('1.25 ms', 1250000)
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from numbers import Integral, Rational, Real
from typing import Any

from .errors import Problem, SpecError

FACTORS = {"ns": 1, "us": 1_000, "µs": 1_000, "μs": 1_000, "ms": 1_000_000, "s": 1_000_000_000, "min": 60_000_000_000,
           "h":3_600_000_000_000}
LONGEST = 2**53
"""Longest time the model knows: 2^53 ns, about 104 days `int [ns]`."""


def ns(x: Real) -> int:
    """`x` nanoseconds."""
    return whole(x, "ns")


def us(x: Real) -> int:
    """`x` microseconds, in ns."""
    return whole(x, "us")


def ms(x: Real) -> int:
    """`x` milliseconds, in ns."""
    return whole(x, "ms")


def s(x: Real) -> int:
    """`x` seconds, in ns."""
    return whole(x, "s")


def whole(x: Any, unit: str) -> int:
    """`x` of a unit as an integer number of ns; SpecError if it is not one (floats count by their shortest decimal form)."""
    try:
        if isinstance(x, (bool, str)):
            raise ValueError
        x = int(x) if isinstance(x, Integral) else x          # numpy's integers would overflow
        exact = Fraction(x) if isinstance(x, Rational) else Fraction(Decimal(repr(float(x))))
        value = exact * FACTORS[unit]
    except (TypeError, ValueError, InvalidOperation, OverflowError):
        raise SpecError([Problem(f"{unit}(...)", x, "a finite number", f"write for example {unit}(5)")]) from None
    if value.denominator != 1:
        raise SpecError([Problem(f"{unit}(...)", x, "a whole number of nanoseconds", "round it, or use a smaller unit")])
    return int(value)


def parse_time(value: Any) -> int:
    """An integer number of ns, from one or from text such as ``"1.25 ms"``."""
    if isinstance(value, Integral) and not isinstance(value, bool):
        return int(value)
    match = re.fullmatch(r"\s*([+-]?\d{1,20}(?:\.\d{1,20})?)\s*(ns|us|µs|μs|ms|s|min|h)\s*", value) if isinstance(value, str) else None
    if match is None:
        raise SpecError([Problem("time", value, "an integer of ns, or text like '5 ms'", "write for example '1.5 ms' or 1500000")])
    return whole(Fraction(match[1]), match[2])


def format_ns(t: int) -> str:
    """A time in the unit that reads best, exactly."""
    for unit in ("s", "ms", "us"):
        if t and abs(t) >= FACTORS[unit]:
            return f"{(Decimal(int(t)) / FACTORS[unit]).normalize():f} {unit}"
    return f"{int(t)} ns"
