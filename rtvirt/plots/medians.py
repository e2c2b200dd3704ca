"""A sweep over seeds: the median and the middle 95 % of each measure, a row a configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..errors import Problem, SpecError
from .style import COLOURS, new_axes, styled

if TYPE_CHECKING:
    import pandas as pd

ABREAST = 3            # panels in a line
ROW, AROUND = 0.24, 0.8     # inches: a row of a panel, its title and axis
MIDDLE = (0.025, 0.5, 0.975)


def medians(table: pd.DataFrame, *, by: str, columns: Mapping[str, str], ax: Axes | None = None) -> Axes:
    """What seeds make of a measure: a dot at the median, a line over the middle 95 % of them; a panel a measure.

    Parameters
    ----------
    table : DataFrame
        Tidy, as `rv.sweep` returns it: a row a seed and configuration.
    by : str
        Column of the rows, drawn in the order in which its values first come, downwards.
    columns : mapping of column to title
        The measures; each panel has its own scale, from 0.
    ax : Axes, optional
        Its figure is taken for the panels, if there are several.

    Returns
    -------
    Axes
        The first panel; ``ax.figure.axes`` has all.

    Raises
    ------
    SpecError
        A column that the table does not have, or nothing to draw.

    Notes
    -----
    The line is not a confidence interval of the median: it is where 95 % of the seeds lie, quantiles 0.025 to 0.975, interpolated. A value that
    is missing counts for nothing.

    Examples
    --------
    >>> import pandas as pd, rtvirt as rv
    >>> table = pd.DataFrame({"scheduler": ["A"] * 3 + ["B"] * 3, "late": [1, 2, 6, 0, 0, 0]})
    >>> ax = rv.plots.medians(table, by="scheduler", columns={"late": "jobs late"})
    >>> ax.get_lines()[0].get_xdata().tolist(), [label.get_text() for label in ax.get_yticklabels()]
    ([2.0, 0.0], ['A', 'B'])
    """
    if not columns or not len(table):
        raise SpecError([Problem("columns, table", (dict(columns), f"{len(table)} rows"), "a measure and a row", "sweep first, name what to draw")])
    if missing := [name for name in (by, *columns) if name not in table]:
        raise SpecError([Problem("column", name, ", ".join(map(str, table.columns)), "name columns of the table") for name in missing])
    found = table.groupby(by, sort=False)[list(columns)].quantile(MIDDLE).unstack()
    with styled():
        axes = panels(len(columns), len(found), ax)
        for place, (column, title) in zip(axes, columns.items()):
            low, middle, high = (found[column][share].to_numpy(float) for share in MIDDLE)
            rows = range(len(found))
            place.hlines(rows, low, high, color=COLOURS["real-time"], linewidth=5, alpha=0.35)
            place.plot(middle, rows, "o", color=COLOURS["real-time"], markersize=6)
            place.set_title(title, loc="left", fontsize=12)
            most = max(high.max(), 1e-9)
            place.set_xlim(-0.04 * most, 1.06 * most)          # a dot at 0 is a whole dot
            place.set_yticks(rows, map(str, found.index))
            place.set_ylim(len(found) - 0.5, -0.5)
            place.tick_params(labelsize=11)
            place.grid(axis="both", alpha=0.3)
    return axes[0]


def panels(count: int, rows: int, ax: Axes | None) -> list[Axes]:
    """So many panels, the names of rows only at the left."""
    if count == 1:
        return [new_axes(ax, AROUND + ROW * rows)]
    lines = -(-count // ABREAST)
    figure = Figure(figsize=(10, lines * (AROUND + ROW * rows)), layout="constrained") if ax is None else ax.figure
    if ax is not None:
        ax.remove()
    places = list(figure.subplots(lines, min(count, ABREAST), sharey=True).flat)
    for unused in places[count:]:
        unused.remove()
    return places[:count]
