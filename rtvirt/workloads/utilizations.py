"""Utilizations with a given sum: uniform on the simplex, with and without bounds.

How the utilizations of random task sets are drawn decides what an experiment shows (Bini and Buttazzo 2005): scaled independent draws
crowd in the middle. What is wanted is every point of {u : sum u = U} with the same density.
"""

from __future__ import annotations

from decimal import Decimal, localcontext
from math import exp, isfinite
from typing import Any

import numpy as np

from ..errors import LimitError, Problem, SpecError
from .kernels import MANY, UTILIZATION, keys, spacings, tilted

MOST = 2**31              # sets in one batch; with `first` 2^32 are within reach
STEPS = 40                # halvings of the tilt


def uunifast(n: int, total: float, *, sets: int = 1, seed: int = 0, first: int = 0) -> np.ndarray:
    """n utilizations that sum to `total`, uniform on the simplex: the distribution of UUniFast.

    Parameters
    ----------
    n : int
    total : float
        Their sum.
    sets : int
    seed : int
    first : int
        Number of the first set: ``uunifast(n, total, sets=10)[4:]`` is ``uunifast(n, total, sets=6, first=4)``.

    Returns
    -------
    (sets, n) float64
        On a grid of total/2^32.

    Raises
    ------
    SpecError

    Notes
    -----
    Bini and Buttazzo draw one entry after the other with powers of random numbers. The gaps between n − 1 sorted uniform cuts of [0, total]
    have the same distribution, and need no powers, so every machine gives the same bits. For ``total > 1`` single utilizations may
    exceed 1: see `uunifast_discard` and `simplex`.

    References
    ----------
    E. Bini and G. Buttazzo, "Measuring the performance of schedulability tests", Real-Time Systems 30, 2005. The gaps: L. Devroye,
    Non-Uniform Random Variate Generation, 1986, V.2.

    Examples
    --------
    >>> uunifast(3, 0.9, sets=2, seed=1).round(3).tolist()
    [[0.467, 0.354, 0.079], [0.242, 0.358, 0.3]]
    """
    check(n, total, sets, first)
    out = np.empty((sets, n))
    spacings(*keys(seed, UTILIZATION), first, float(total), np.inf, out)
    return out


def uunifast_discard(n: int, total: float, *, high: float = 1.0, sets: int = 1, seed: int = 0, first: int = 0) -> np.ndarray:
    """The same, sets with an entry above `high` thrown away: uniform on what is left.

    Raises
    ------
    SpecError
    LimitError
        When fewer than about one in 10,000 candidates can be kept; `simplex` has no such limit.

    References
    ----------
    R. Davis and A. Burns, "Priority assignment for global fixed priority pre-emptive scheduling in multiprocessor real-time systems",
    RTSS 2009.

    Examples
    --------
    >>> bool(uunifast_discard(4, 2.5, sets=100).max() <= 1)
    True
    """
    check(n, total, sets, first)
    if not total <= n * high:
        raise SpecError([Problem("total", total, f"at most n·high = {n * high:g}", "lower it, or raise n or high")])
    out = np.empty((sets, n))
    if spacings(*keys(seed, UTILIZATION), first, float(total), float(high), out):
        raise LimitError(f"among {MANY:,} candidates there was none with all {n} utilizations up to {high:g} and the sum {total:g}: "
                         "use simplex(), which needs few")
    return out


def simplex(n: int, total: float, *, low: Any = 0.0, high: Any = 1.0, sets: int = 1, seed: int = 0, first: int = 0) -> np.ndarray:
    """n numbers between bounds with a given sum, uniform on all such points.

    Parameters
    ----------
    n : int
    total : float
        From the sum of the lower to the sum of the upper bounds.
    low, high : float or (n,) float
        The same for all, or one for each.
    sets, seed, first
        As in `uunifast`.

    Returns
    -------
    (sets, n) float64

    Raises
    ------
    SpecError
        Bounds that leave no room for the sum.

    Notes
    -----
    Exactly uniform, up to the resolution of 32 random bits. Where no entry can reach its upper bound the points are `uunifast`'s. Elsewhere
    n − 2 entries are drawn independently with a density tilted so that their mean fits the sum; the other two lie on a segment then, and the
    candidate is kept with a probability that cancels the tilt. The tilt is the same for all entries, so it depends on their sum only, and
    cancels exactly. A few candidates are enough: about √n.
    Dirichlet-rescale (`drs`), the usual tool for single bounds, is not uniform, as its author says.

    References
    ----------
    P. Emberson, R. Stafford and R. Davis, "Techniques for the synthesis of multiprocessor tasksets", WATERS 2010 (equal bounds);
    D. Griffin, I. Bate and R. Davis, "Generating utilization vectors for the systematic evaluation of schedulability tests", RTSS 2020
    (drs). Rejection from a tilted density: L. Devroye, Non-Uniform Random Variate Generation, 1986, II.3.

    Examples
    --------
    >>> some = simplex(5, 2.0, low=0.1, high=[1, 1, 1, 0.5, 0.2], sets=1000, seed=3)
    >>> bool(some.min() >= 0.1), some.max(axis=0).round(2).tolist(), bool(np.allclose(some.sum(axis=1), 2))
    (True, [1.0, 1.0, 1.0, 0.5, 0.2], True)
    """
    check(n, total, sets, first)
    lows, widths = boxed(n, total, low, high)
    order = np.argsort(widths, kind="stable")            # the last two, which are not drawn, should have room
    w, rest, room = widths[order], float(total) - float(lows.sum()), float(widths.sum())
    out = np.empty((sets, n))
    flip = rest > room / 2                               # seen from above, what is left is what is missing
    if flip:
        rest = room - rest
    if n == 1 or rest <= 0:
        out[:] = rest if n == 1 else 0.0
    elif rest <= w[0]:                                   # no entry can reach its bound: the whole simplex
        spacings(*keys(seed, UTILIZATION), first, rest, np.inf, out)
    else:
        tilt = tilt_for(w, rest)
        with localcontext() as context:
            context.prec = 20                            # libraries' exponentials differ in the last bit
            mass = np.array([float(1 - (-Decimal(tilt) * Decimal(float(x))).exp()) for x in w])
        least = float(w[n - 2])
        peak = min(least, 1 / tilt) if tilt else least
        if tilted(*keys(seed, UTILIZATION), first, rest, w, mass, tilt, peak, out):
            raise LimitError(f"no point was found for n = {n}, total = {total:g} and these bounds; they leave next to no room")
    if flip:
        out = w - out
    placed = np.empty_like(out)
    placed[:, order] = out
    return placed + lows


def tilt_for(widths: np.ndarray, rest: float) -> float:
    """The b >= 0 for which entries of density ∝ exp(−b·y) on [0, width] sum to `rest` on average, to a few digits: any b is exact."""
    def mean(b: float) -> float:
        return sum(1 / b - x * exp(-b * x) / (1 - exp(-b * x)) if b * x > 1e-6 else x / 2 for x in map(float, widths))

    if mean(0.0) <= rest * 1.001:
        return 0.0
    low, high = 0.0, 2 * len(widths) / rest
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if mean(middle) > rest else (low, middle)
    return float(np.float32(high))


def boxed(n: int, total: float, low: Any, high: Any) -> tuple[np.ndarray, np.ndarray]:
    """Lower bounds and widths; SpecError if no point fits."""
    bounds = []
    for name, value in (("low", low), ("high", high)):
        array = np.asarray(value, float)
        if array.shape not in ((), (n,)) or not np.isfinite(array).all():
            raise SpecError([Problem(name, value, f"a number, or {n} of them", "give one for all, or one for each")])
        bounds.append(np.broadcast_to(array, (n,)))
    lows, highs = bounds
    if (lows > highs).any():
        raise SpecError([Problem("low", low, "at most high, for each", "swap them")])
    if not float(lows.sum()) <= total <= float(highs.sum()):
        raise SpecError([Problem("total", total, f"{float(lows.sum()):g} to {float(highs.sum()):g}, the sums of the bounds",
                                 "choose another sum, or other bounds")])
    return lows, highs - lows


def check(n: int, total: float, sets: int, first: int) -> None:
    """Refuse what cannot be drawn, all problems at once."""
    found = []
    for name, value, least, most in (("n", n, 1, 100_000), ("sets", sets, 0, MOST), ("first", first, 0, MOST)):
        if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or not least <= value <= most:
            found.append(Problem(name, value, f"a whole number, {least} to {most}", "choose one of these"))
    if not isinstance(total, (int, float, np.integer, np.floating)) or not isfinite(total) or total < 0:
        found.append(Problem("total", total, "a finite number, 0 or more", "choose one of these"))
    if found:
        raise SpecError(found)
