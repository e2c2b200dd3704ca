"""Ends of axes that do not follow every step of a slider."""

from __future__ import annotations

STEPS = (1, 2, 3, 5, 7, 10)


def rounded(value: float, least: float) -> float:
    """The next of 1, 2, 3, 5, 7 times a power of ten, from `least` on.

    Examples
    --------
    >>> rounded(23_000, 1_000), rounded(0, 1_000)
    (30000.0, 1000.0)
    """
    power = 10.0 ** (len(str(int(max(value, least)))) - 1)
    return next(k * power for k in STEPS if k * power >= max(value, least))
