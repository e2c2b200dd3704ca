"""How tight bounds are: bound ÷ worst seen, a row a scheduler."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

from ..errors import Problem, SpecError
from .style import COLOURS, new_axes, styled

if TYPE_CHECKING:
    import pandas as pd

TICKS = 0.1, 0.2, 0.5, 0.8, 1, 1.1, 1.2, 1.5, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000
SPREAD = 0.28             # of a row, for dots that would lie on each other


def tightness(table: pd.DataFrame, *, by: str = "scheduler", column: str = "tightness", ax: Axes | None = None) -> Axes:
    """A dot a task, a row a scheduler in the order of the medians (black bars), exact bounds at 1; left of it a bound is broken: vermillion.

    Parameters
    ----------
    table : DataFrame
        As `rv.sweeps.studies.tightness` returns it.
    by, column : str
    ax : Axes, optional

    Raises
    ------
    SpecError
        A column that is not there, or nothing to draw.

    Examples
    --------
    >>> import pandas as pd
    >>> ax = tightness(pd.DataFrame({"scheduler": ["A", "A", "B"], "tightness": [2.0, 3.0, 1.0]}))
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['B (1)', 'A (2)']
    """
    if missing := [name for name in (by, column) if name not in table]:
        raise SpecError([Problem("column", name, ", ".join(map(str, table.columns)), "name columns of the table") for name in missing])
    if not len(table):
        raise SpecError([Problem("table", "no rows", "a row a task", "attack something first")])
    rows = {str(name): np.sort(values.to_numpy(float)) for name, values in table.groupby(by, sort=False)[column]}
    rows = dict(sorted(rows.items(), key=lambda item: float(np.median(item[1]))))
    with styled():
        ax = new_axes(ax, 1.3 + 0.5 * len(rows))
        for k, values in enumerate(rows.values()):
            heights = k + SPREAD * (np.arange(len(values)) * 0.618034 % 1 * 2 - 1)      # the golden ratio spreads them evenly, the same each time
            for some, colour, marker in ((values >= 1, COLOURS["real-time"], "o"), (values < 1, COLOURS["miss"], "X")):
                ax.plot(values[some], heights[some], marker, color=colour, markersize=6, alpha=0.55, markeredgewidth=0)
            ax.plot([np.median(values)] * 2, [k - 0.4, k + 0.4], color="black", linewidth=3)
        ax.axvline(1, color=COLOURS["bound"], linestyle="--")
        ax.set_yticks(range(len(rows)), [f"{name} ({len(values)})" for name, values in rows.items()])
        ax.invert_yaxis()
        ax.set_xscale("log")
        low, high = ax.get_xlim()
        ax.set_xticks([at for at in TICKS if low <= at <= high], [f"{at:g}" for at in TICKS if low <= at <= high])
        ax.xaxis.set_minor_locator(NullLocator())
        ax.set_xlabel("bound ÷ worst response seen (black: median)")
    return ax
