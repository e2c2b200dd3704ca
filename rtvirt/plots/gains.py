"""Where something helps and where it hurts: ratios over a plane of two parameters, a panel a measure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from ..errors import Problem, SpecError
from .style import COLOURS, styled

if TYPE_CHECKING:
    import pandas as pd

COLOURING = LinearSegmentedColormap.from_list("gains", [COLOURS["real-time"], "#ffffff", COLOURS["miss"]])
MOST = 4.0                # ratios beyond a factor of so much have the full colour


def gains(table: pd.DataFrame, *, x: str, y: str, columns: Mapping[str, str], xlabel: str | None = None, ylabel: str | None = None) -> Axes:
    """A map a measure: ratios below 1 blue (helps), above 1 vermillion (hurts), each written into its field, so that colours are not needed.

    Parameters
    ----------
    table : DataFrame
        A row a point of the plane.
    x, y : str
        Columns of the axes.
    columns : mapping of column to title
        Ratios above 0.
    xlabel, ylabel : str, optional

    Returns
    -------
    Axes
        The first panel; ``ax.figure.axes`` has all.

    Raises
    ------
    SpecError
        A column that is not there, a point that comes twice, a ratio that is not above 0.

    Examples
    --------
    >>> import pandas as pd
    >>> ax = gains(pd.DataFrame({"u": [0.1, 0.2], "n": [1, 1], "wait": [0.5, 2.0]}), x="u", y="n", columns={"wait": "their wait"})
    >>> [text.get_text() for text in ax.texts], ax.get_title(loc="left")
    (['0.50', '2.00'], 'their wait')
    """
    if missing := [name for name in (x, y, *columns) if name not in table]:
        raise SpecError([Problem("column", name, ", ".join(map(str, table.columns)), "name columns of the table") for name in missing])
    if not columns or not len(table) or table.duplicated([x, y]).any() or not (table[list(columns)] > 0).all(axis=None):
        raise SpecError([Problem("table, columns", f"{len(table)} rows", "each point once, ratios above 0", "average over seeds first")])
    with styled():
        figure = Figure(figsize=(12, 1.5 + 0.55 * table[y].nunique()))
        panels = figure.subplots(1, len(columns), squeeze=False)[0]
        for ax, (column, title) in zip(panels, columns.items()):
            plane = table.pivot(index=y, columns=x, values=column)
            shown = np.log(plane.to_numpy(float)) / np.log(MOST)
            ax.imshow(shown, cmap=COLOURING, vmin=-1, vmax=1, aspect="auto", origin="lower")
            for (row, at), ratio in np.ndenumerate(plane.to_numpy(float)):
                ax.text(at, row, f"{ratio:.2f}", ha="center", va="center", color="white" if abs(shown[row, at]) > 0.75 else "black", fontsize=12)
            ax.set_xticks(range(plane.shape[1]), [f"{value:g}" for value in plane.columns])
            ax.set_yticks(range(plane.shape[0]), [f"{value:g}" for value in plane.index])
            ax.grid(False)
            ax.set_xlabel(x if xlabel is None else xlabel)
            ax.set_title(title, loc="left")
        panels[0].set_ylabel(y if ylabel is None else ylabel)
    return panels[0]
