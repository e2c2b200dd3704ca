"""The draws behind the generators: compiled, without state, the same bits everywhere.

Number i of set s is a function of (seed, purpose, s, i): a batch may be made in slices, by any number of threads. Floats are added,
multiplied and divided only, which rounds alike on every machine; logarithms, which do not, are computed here from those.
"""

from __future__ import annotations

from math import frexp
from pathlib import Path

from ..jit import PACKAGE, F, cache_root, entry, fingerprint, kernel
from ..rng import MASK, draw, mix, quantile, task_key

SOURCES = ("jit.py", "kernels.py", "lowering.py", "rng.py", "workloads/kernels.py")
UTILIZATION, PERIOD, DEADLINE, ARRIVAL = range(4)     # purposes: what a number is for
HALF, UNIT = 0.5, 2.0**-32                            # 32 random bits u stand for (u + HALF)·UNIT, between 0 and 1
LN2 = 0.6931471805599453
MANY = 10_000             # cheap candidates for one set, before it is given up
VERY_MANY = 1_000_000     # of `tilted`, which needs some dozens


def compiled(function: F) -> F:
    """Compile an entry point; its machine code is kept under a digest of these kernels."""
    return entry(function, Path(cache_root()) / f"workloads-{fingerprint(PACKAGE / name for name in SOURCES)}")


def keys(seed: int, purpose: int) -> tuple[int, int]:
    """The two keys of a stream. One of 32 bits would give some of a million sets the numbers of others."""
    return task_key(seed, purpose, 0), task_key(seed, purpose, 1)


@kernel
def logarithm(x):
    """ln(x) for x > 0, to within 2 units in the last place."""
    part, power = frexp(x)
    if part < 0.7071067811865476:
        part, power = part * 2.0, power - 1
    f = (part - 1.0) / (part + 1.0)
    square, term, total = f * f, f, f
    for k in range(3, 25, 2):
        term = term * square
        total = total + term / k
    return 2.0 * total + power * LN2


@kernel
def spread(a, b, i):
    """The number i of a set, between 0 and 1."""
    return (draw(a, i, b) + HALF) * UNIT


def _spacings(key, other, first, total, high, out):
    """Fill rows of (sets, n) with points of the simplex that sums to `total`: the gaps between n − 1 sorted cuts are uniform on it.

    A row with an entry above `high` is drawn again. Returns how many rows were given up.
    """
    sets, n = out.shape
    scale, refused = total * UNIT, 0
    for s in range(sets):
        a, b = mix(key ^ ((first + s) & MASK)), mix(other ^ ((first + s) & MASK))
        refused += 1
        for again in range(MANY):
            for i in range(n - 1):
                x, j = float(draw(a, again * n + i, b)), i
                while j > 0 and out[s, j - 1] > x:
                    out[s, j] = out[s, j - 1]
                    j -= 1
                out[s, j] = x
            before, largest = 0.0, 0.0
            for i in range(n):
                cut = out[s, i] if i < n - 1 else 4294967296.0
                out[s, i] = (cut - before) * scale
                before, largest = cut, max(largest, out[s, i])
            if largest <= high:
                refused -= 1
                break
    return refused


def _tilted(key, other, first, total, width, mass, tilt, peak, out):
    """Fill rows of (sets, n) with uniform points of the box [0, width] that sum to `total`, by rejection (see `simplex`).

    All but the last two are drawn with density ∝ exp(−tilt·y) on [0, width], ``mass = 1 − exp(−tilt·width)``. The last two lie on a
    segment of length L(rest). Candidates have density ∝ exp(tilt·rest); accepting them with probability ∝ L(rest)·exp(−tilt·rest), which
    is largest at `peak`, where L(peak) = peak, makes it L(rest): uniform. Returns how many rows were given up.
    """
    sets, n = out.shape
    one, two, given_up = width[n - 2], width[n - 1], 0
    for s in range(sets):
        a, b = mix(key ^ ((first + s) & MASK)), mix(other ^ ((first + s) & MASK))
        given_up += 1
        i = 0
        for _ in range(VERY_MANY):
            rest = total
            for j in range(n - 2):
                u = spread(a, b, i)
                i += 1
                y = u * width[j] if tilt == 0.0 else -logarithm(1.0 - u * mass[j]) / tilt
                out[s, j] = min(y, width[j])
                rest -= out[s, j]
                if rest < 0.0:
                    break
            low, top = max(0.0, rest - two), min(one, rest)
            if rest < 0.0 or top <= low:
                continue
            if n > 2 and logarithm(spread(a, b, i)) >= logarithm((top - low) / peak) - tilt * (rest - peak):
                i += 1
                continue
            out[s, n - 2] = low + spread(a, b, i + 1) * (top - low)
            out[s, n - 1] = min(two, max(0.0, rest - out[s, n - 2]))
            given_up -= 1
            break
    return given_up


def _quantiles(key, other, first, table, grain, out):
    """Fill rows of (sets, n) from a table of quantiles (`rng.quantile`), rounded to multiples of `grain`."""
    sets, n = out.shape
    for s in range(sets):
        a, b = mix(key ^ ((first + s) & MASK)), mix(other ^ ((first + s) & MASK))
        for i in range(n):
            out[s, i] = max(1, (quantile(table, 0, draw(a, i, b)) + grain // 2) // grain) * grain


def _choices(key, other, first, values, upto, out):
    """Fill rows of (sets, n) with one of `values`: the first k of which `upto[k]` is above 32 random bits."""
    sets, n = out.shape
    for s in range(sets):
        a, b = mix(key ^ ((first + s) & MASK)), mix(other ^ ((first + s) & MASK))
        for i in range(n):
            u, k = draw(a, i, b), 0
            while upto[k] <= u:
                k += 1
            out[s, i] = values[k]


def _tasks(key, other, first, utilization, period, low, high, cost, deadline):
    """Costs from utilizations, deadlines between cost and period, and each row sorted by deadline (ties: as they were)."""
    sets, n = period.shape
    for s in range(sets):
        a, b = mix(key ^ ((first + s) & MASK)), mix(other ^ ((first + s) & MASK))
        for i in range(n):
            t = period[s, i]
            c = min(t, max(1, int(utilization[s, i] * t + HALF)))
            share = low + (high - low) * spread(a, b, i)
            d, j = c + int((t - c) * share), i
            u = utilization[s, i]
            while j > 0 and deadline[s, j - 1] > d:
                cost[s, j], period[s, j], deadline[s, j], utilization[s, j] = \
                    cost[s, j - 1], period[s, j - 1], deadline[s, j - 1], utilization[s, j - 1]
                j -= 1
            cost[s, j], period[s, j], deadline[s, j], utilization[s, j] = c, t, d, u


spacings, tilted, quantiles, choices, tasks = (compiled(f) for f in (_spacings, _tilted, _quantiles, _choices, _tasks))
