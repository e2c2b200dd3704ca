"""Random execution times and gaps, as integer tables of quantiles.

A distribution is a table of 4097 times, the quantiles 0, 1/4096, ..., 1; between them it is linear. The tables are made with
decimal arithmetic, which rounds alike on every machine, so that runs are bit for bit the same everywhere (docs/model.md 9).
"""

from __future__ import annotations

from decimal import Decimal, localcontext
from functools import lru_cache
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, model_validator

from ..errors import Problem
from .spec import Duration, List, Spec, Time, know_fields, wrong

PIECES = 4096


class Distribution(Spec):
    """Base of all distributions of times."""

    def table(self) -> np.ndarray:
        """(4097,) int64 [ns]: quantiles i/4096, each at least 1."""
        raise TypeError("a distribution is one of uniform, exponential, normal, empirical")


class Uniform(Distribution):
    """Evenly on [low, high]."""

    kind: Literal["uniform"] = "uniform"
    low: Time
    high: Duration

    @model_validator(mode="after")
    def check(self) -> Uniform:
        """Low must not exceed high."""
        wrong([Problem("low", self.low, f"at most high = {self.high}", "swap low and high")] if self.low > self.high else [])
        return self

    def table(self) -> np.ndarray:
        """(4097,) int64 [ns]."""
        i = exact(np.arange(PIECES + 1), self.high * PIECES)
        return np.maximum(1, (self.low + (self.high - self.low) * i // PIECES).astype(np.int64))


class Exponential(Distribution):
    """Memoryless, with a mean. Beyond the quantile 4095/4096 (8.3 means) it is linear, up to 10.3 means, with the right mean."""

    kind: Literal["exponential"] = "exponential"
    mean: Duration

    def table(self) -> np.ndarray:
        """(4097,) int64 [ns]."""
        return np.maximum(1, scaled(unit_exponential(), self.mean))


class Normal(Distribution):
    """Gaussian, cut to what is at least 1 ns; the outermost 1/4096 on each side is linear, to 4 standard deviations."""

    kind: Literal["normal"] = "normal"
    mean: Duration
    sd: Time

    def table(self) -> np.ndarray:
        """(4097,) int64 [ns]."""
        return np.maximum(1, self.mean + scaled(unit_normal(), self.sd))


class Empirical(Distribution):
    """What was measured: sorted samples, linear between them."""

    kind: Literal["empirical"] = "empirical"
    values: Annotated[tuple[Duration, ...], List] = Field(min_length=1)

    def table(self) -> np.ndarray:
        """(4097,) int64 [ns]."""
        last = len(self.values) - 1
        values = exact(np.array(sorted(self.values)), max(self.values) * PIECES)
        k, part = np.divmod(np.arange(PIECES + 1) * last, PIECES)
        rows = values[k] + (values[np.minimum(k + 1, last)] - values[k]) * part // PIECES
        return rows.astype(np.int64)


SCALE = 2**32


def exact(values: np.ndarray, top: int) -> np.ndarray:
    """Whole numbers to calculate with, exactly: int64, or Python's own integers where a product as large as `top` may occur."""
    return values.astype(np.int64 if top < 2**62 else object)


def scaled(unit: np.ndarray, factor: int) -> np.ndarray:
    """A table in units of 2^-32, times a factor, rounded down."""
    return (exact(unit, int(unit[-1]) * factor) * factor // SCALE).astype(np.int64)


@lru_cache(maxsize=1)
def unit_exponential() -> np.ndarray:
    """Quantiles of the exponential distribution of mean 1, in units of 2^-32."""
    with localcontext() as context:
        context.prec = 20
        rows = [int(-(Decimal(PIECES - i) / PIECES).ln() * SCALE) for i in range(PIECES)]
    return np.array([*rows, rows[-1] + 2 * SCALE])


@lru_cache(maxsize=1)
def unit_normal() -> np.ndarray:
    """Quantiles of the normal distribution of deviation 1, in units of 2^-32."""
    upper = [int(normal_quantile(i) * SCALE) for i in range(PIECES // 2 + 1, PIECES)]
    upper.append(4 * SCALE)
    return np.array([*(-value for value in reversed(upper)), 0, *upper])


def normal_quantile(i: int) -> float:
    """Quantile i/4096 of the standard normal distribution, rounded to 9 decimals so that every platform gives the same."""
    from statistics import NormalDist

    return round(NormalDist().inv_cdf(i / PIECES), 9)


def uniform(low: int, high: int) -> Distribution:
    """Evenly distributed times on [low, high] `int [ns]`."""
    return Uniform(low=low, high=high)


def exponential(mean: int) -> Distribution:
    """Exponentially distributed times `int [ns]`."""
    return Exponential(mean=mean)


def normal(mean: int, sd: int) -> Distribution:
    """Normally distributed times, at least 1 ns `int [ns]`."""
    return Normal(mean=mean, sd=sd)


def empirical(values: Any) -> Distribution:
    """Times as measured `iterable of int [ns]`."""
    return Empirical(values=values)


know_fields(Uniform, Exponential, Normal, Empirical)
