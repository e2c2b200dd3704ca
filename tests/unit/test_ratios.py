"""The schedulability-ratio plot: shares, intervals, lines."""

from __future__ import annotations

import math

import pandas as pd
import pytest

import rtvirt as rv
from rtvirt.errors import SpecError


def covered(n: int, p: float) -> float:
    """How often the interval of a binomial count holds the share it came from."""
    return sum(math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1) if rv.plots.wilson(k, n)[0] <= p <= rv.plots.wilson(k, n)[1])


@pytest.mark.parametrize("n", [20, 100])
def test_intervals_hold_what_they_promise(n):
    shares = [i / 200 for i in range(1, 200)]
    assert 0.945 < sum(covered(n, p) for p in shares) / len(shares) < 0.965 and min(covered(n, p) for p in shares) > 0.83


def test_a_line_a_test_and_sums_over_rows():
    table = pd.DataFrame({"u": [0.5, 0.5, 0.9, 0.9], "guest": ["fp", "edf"] * 2, "good": [9, 10, 1, 7], "n": [10, 10, 10, 10]})
    both = rv.plots.ratio(table, x="u", passed="good", sets="n")
    assert both.get_lines()[0].get_ydata().tolist() == [0.95, 0.4]
    each = rv.plots.ratio(table, x="u", passed="good", sets="n", by="guest")
    assert {line.get_label(): line.get_ydata().tolist() for line in each.get_lines()} == {"fp": [0.9, 0.1], "edf": [1.0, 0.7]}
    band = each.collections[0].get_paths()[0].vertices[:, 1]
    assert (band.min(), band.max()) == pytest.approx((rv.plots.wilson(1, 10)[0], rv.plots.wilson(9, 10)[1]))
    single = rv.plots.ratio(pd.DataFrame({"utilization": [0.5] * 4, "schedulable": [True, True, False, True]}))
    assert single.get_lines()[0].get_ydata().tolist() == [0.75]


def test_wrong_columns_are_named():
    with pytest.raises(SpecError, match="column is 'good'; allowed: u"):
        rv.plots.ratio(pd.DataFrame({"u": [1]}), x="u", passed="good")
    with pytest.raises(SpecError, match="name the column with their number"):
        rv.plots.ratio(pd.DataFrame({"u": [1], "good": [3]}), x="u", passed="good")
