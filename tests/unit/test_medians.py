"""The picture of a sweep over seeds: dots, lines, panels."""

from __future__ import annotations

import pandas as pd
import pytest

import rtvirt as rv
from rtvirt.errors import SpecError

TABLE = pd.DataFrame({"kind": ["B"] * 41 + ["A"] * 41, "late": [*range(41), *([5] * 41)], "wait": [0.0] * 82})


def ends(ax):
    """(left, row) and (right, row) of the lines."""
    return [path.vertices.tolist() for path in ax.collections[0].get_paths()]


def test_a_dot_at_the_median_and_a_line_over_95_percent_of_the_seeds():
    ax = rv.plots.medians(TABLE, by="kind", columns={"late": "jobs late"})
    assert ax.get_lines()[0].get_xydata().tolist() == [[20, 0], [5, 1]]
    assert ends(ax) == [[[1, 0], [39, 0]], [[5, 1], [5, 1]]], "of 41 seeds one is left out at either end"
    assert [label.get_text() for label in ax.get_yticklabels()] == ["B", "A"] and ax.get_ylim() == (1.5, -0.5), "in the order given, downwards"
    assert ax.get_title(loc="left") == "jobs late" and ax.get_xlim()[0] < 0 < 39 < ax.get_xlim()[1]


def test_a_panel_a_measure_with_rows_named_once():
    table, names = TABLE.assign(twice=TABLE["late"] * 2, more=1), ("late", "wait", "twice", "more")
    first = rv.plots.medians(table, by="kind", columns={name: name for name in names})
    axes = first.figure.axes
    assert [ax.get_title(loc="left") for ax in axes] == list(names)
    assert axes[2].get_lines()[0].get_xdata().tolist() == [40, 10] and axes[1].get_lines()[0].get_xdata().tolist() == [0, 0]


def test_axes_that_are_given_are_used():
    from matplotlib.figure import Figure

    mine = Figure().add_subplot()
    assert rv.plots.medians(TABLE, by="kind", columns={"late": "late"}, ax=mine) is mine
    figure = mine.figure
    assert rv.plots.medians(TABLE, by="kind", columns={"late": "a", "wait": "b"}, ax=mine).figure is figure and len(figure.axes) == 2


def test_wrong_columns_are_named():
    with pytest.raises(SpecError, match="column is 'good'; allowed: kind, late, wait"):
        rv.plots.medians(TABLE, by="kind", columns={"good": "good"})
    with pytest.raises(SpecError, match="'seed'"):
        rv.plots.medians(TABLE, by="seed", columns={"late": "late"})
    for table, columns in ((TABLE, {}), (TABLE[:0], {"late": "late"})):
        with pytest.raises(SpecError, match="a measure and a row"):
            rv.plots.medians(table, by="kind", columns=columns)
