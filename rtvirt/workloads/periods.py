"""Periods of random tasks."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, localcontext
from functools import lru_cache

import numpy as np

from ..errors import Problem, SpecError
from ..units import LONGEST
from .kernels import PERIOD, choices, keys, quantiles

PIECES = 4096
AUTOMOTIVE = {1: 3, 2: 2, 5: 2, 10: 25, 20: 25, 50: 3, 100: 20, 200: 1, 1000: 4}     # [ms]: [% of runnables]; the other 15 % follow the crankshaft


@dataclass(frozen=True)
class LogUniform:
    """Each order of magnitude is as likely as the next: ln(period) is uniform on [ln low, ln high].

    Parameters
    ----------
    low, high : int [ns]
    grain : int [ns]
        Periods are multiples of it, rounded to the nearest.

    Raises
    ------
    SpecError

    References
    ----------
    P. Emberson, R. Stafford and R. Davis, "Techniques for the synthesis of multiprocessor tasksets", WATERS 2010.

    Examples
    --------
    >>> LogUniform(10, 1000).draw(4, sets=2).tolist()
    [[17, 34, 39, 109], [390, 49, 32, 22]]
    """

    low: int = 10_000_000
    high: int = 1_000_000_000
    grain: int = 1

    def __post_init__(self) -> None:
        check_range("LogUniform", self.low, self.high)
        if not 1 <= self.grain <= self.low:
            raise SpecError([Problem("LogUniform.grain", self.grain, f"1 ns to low, {self.low} ns", "choose a finer grain")])

    def draw(self, n: int, *, sets: int = 1, seed: int = 0, first: int = 0) -> np.ndarray:
        """(sets, n) int64 [ns]."""
        out = np.empty((sets, n), np.int64)
        quantiles(*keys(seed, PERIOD), first, log_table(self.low, self.high), self.grain, out)
        return out


@dataclass(frozen=True)
class Automotive:
    """The periods of a real engine controller: 1, 2, 5, 10, 20, 50, 100, 200, 1000 ms, in its proportions.

    Notes
    -----
    The paper counts runnables, of which several share a task; another 15 % of them follow the crankshaft's angle, and are left out.

    References
    ----------
    S. Kramer, D. Ziegenbein and A. Hamann, "Real world automotive benchmarks for free", WATERS 2015, Table III.

    Examples
    --------
    >>> (Automotive().draw(5, seed=2) // 1_000_000).tolist()
    [[10, 2, 10, 1, 10]]
    """

    def draw(self, n: int, *, sets: int = 1, seed: int = 0, first: int = 0) -> np.ndarray:
        """(sets, n) int64 [ns]."""
        return chosen(np.array(list(AUTOMOTIVE)) * 1_000_000, np.array(list(AUTOMOTIVE.values())), n, sets, seed, first)


@dataclass(frozen=True)
class Harmonic:
    """Of any two periods one divides the other: `low` times a power of `ratio`, up to `high`, each as likely as the next.

    Parameters
    ----------
    low, high : int [ns]
    ratio : int

    Notes
    -----
    Under fixed priorities such sets are schedulable up to utilization 1.

    References
    ----------
    C.-C. Han and H.-Y. Tyan, "A better polynomial-time schedulability test for real-time fixed-priority scheduling algorithms", RTSS 1997.

    Examples
    --------
    >>> Harmonic(5, 80).draw(6, seed=1).tolist()
    [[5, 10, 20, 40, 5, 10]]
    """

    low: int = 10_000_000
    high: int = 640_000_000
    ratio: int = 2

    def __post_init__(self) -> None:
        check_range("Harmonic", self.low, self.high)
        if not isinstance(self.ratio, int) or self.ratio < 2:
            raise SpecError([Problem("Harmonic.ratio", self.ratio, "2 or more", "choose another ratio")])

    def draw(self, n: int, *, sets: int = 1, seed: int = 0, first: int = 0) -> np.ndarray:
        """(sets, n) int64 [ns]."""
        values = [self.low]
        while values[-1] * self.ratio <= self.high:
            values.append(values[-1] * self.ratio)
        return chosen(np.array(values), np.ones(len(values), np.int64), n, sets, seed, first)


Periods = LogUniform | Automotive | Harmonic


def chosen(values: np.ndarray, shares: np.ndarray, n: int, sets: int, seed: int, first: int) -> np.ndarray:
    """One of `values` for each place, in proportion to `shares`."""
    upto = np.cumsum(shares) * 2**32 // shares.sum()
    out = np.empty((sets, n), np.int64)
    choices(*keys(seed, PERIOD), first, values.astype(np.int64), upto, out)
    return out


@lru_cache(maxsize=32)
def log_table(low: int, high: int) -> np.ndarray:
    """(4097,) int64 [ns]: quantiles of the log-uniform distribution, by decimal arithmetic: the same on every machine."""
    with localcontext() as context:
        context.prec = 30
        step = (Decimal(high) / low).ln() / PIECES
        return np.array([int(low * (step * i).exp() + Decimal("0.5")) for i in range(PIECES)] + [high], np.int64)


def check_range(name: str, low: int, high: int) -> None:
    """Refuse what is no range of periods."""
    found = [Problem(f"{name}.{field}", value, "1 ns to 2^53 ns, an integer", "write for example ms(10)")
             for field, value in (("low", low), ("high", high))
             if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or not 1 <= value <= LONGEST]
    if not found and low > high:
        found = [Problem(f"{name}.low", low, f"at most high, {high}", "swap them")]
    if found:
        raise SpecError(found)
