"""Schedulability ratios: which share of random task sets passes a test, against their utilization."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from matplotlib.axes import Axes

from ..errors import Problem, SpecError
from .style import COLOURS, DASHES, new_axes, styled

if TYPE_CHECKING:
    import pandas as pd

MARKERS = ("o", "s", "^", "D")
CROWD = 6                 # more lines than so have their names beside the picture
Z95 = 1.959964            # 97.5 % quantile of the normal distribution


def wilson(passed: int, sets: int) -> tuple[float, float]:
    """95 % interval of a share, also near 0 and 1, where the usual one is wrong.

    References
    ----------
    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", J. American Statistical Association 22, 1927.

    Examples
    --------
    >>> [round(x, 3) for x in (*wilson(50, 100), *wilson(0, 100))]
    [0.404, 0.596, 0.0, 0.037]
    """
    share, square = passed / sets, Z95 * Z95
    middle, half = share + square / (2 * sets), Z95 * sqrt(share * (1 - share) / sets + square / (4 * sets * sets))
    return max(0.0, (middle - half) / (1 + square / sets)), min(1.0, (middle + half) / (1 + square / sets))


def ratio(table: pd.DataFrame, *, x: str = "utilization", passed: str | list[str] = "schedulable", sets: str | None = None, by: str | None = None,
          ax: Axes | None = None) -> Axes:
    """Share of task sets that pass, with 95 % intervals, a line a test.

    Parameters
    ----------
    table : DataFrame
        Tidy, as `rv.sweep` returns it; rows of one `x` are added up.
    x : str
        Column of the horizontal axis.
    passed : str or list of str
        Columns with how many sets passed (or, a row a set, whether it did): a line each.
    sets : str, optional
        Column with how many sets there were; one a row unless given.
    by : str, optional
        Column with something else to draw a line each for.
    ax : Axes, optional

    Raises
    ------
    SpecError
        Unknown columns, or more passed than there were.

    Examples
    --------
    >>> import pandas as pd, rtvirt as rv
    >>> ax = rv.plots.ratio(pd.DataFrame({"utilization": [0.7, 0.8], "EDF": [10, 10], "FP": [10, 4], "sets": 10}), passed=["EDF", "FP"], sets="sets")
    >>> [line.get_label() for line in ax.get_lines()], ax.get_lines()[1].get_ydata().tolist()
    (['EDF', 'FP'], [1.0, 0.4])
    """
    wanted = [passed] if isinstance(passed, str) else list(passed)
    columns = [x, *wanted, *(name for name in (sets, by) if name is not None)]
    if missing := [name for name in columns if name not in table]:
        raise SpecError([Problem("column", name, ", ".join(map(str, table.columns)), "name columns of the table") for name in missing])
    groups = [("", table)] if by is None else list(table.groupby(by, sort=False))
    lines = [(" ".join(part for part in (column if len(wanted) > 1 or by is None else "", str(label)) if part), column, rows)
             for label, rows in groups for column in wanted]
    palette = [COLOURS["real-time"], COLOURS["best effort"], COLOURS["driver"], COLOURS["miss"]]
    with styled():
        ax = new_axes(ax)
        for i, (label, column, rows) in enumerate(lines):
            sums = rows.assign(**{"all of": 1 if sets is None else rows[sets]}).groupby(x)[[column, "all of"]].sum()
            counts = [(float(at), int(k), int(n)) for at, (k, n) in zip(sums.index, sums.to_numpy().tolist()) if n]
            if any(k > n for _, k, n in counts):
                raise SpecError([Problem(column, "more than there were", f"at most the sets ({sets or 'one a row'})",
                                         "name the column with their number: sets=")])
            ends = [wilson(k, n) for _, k, n in counts]
            at = [u for u, _, _ in counts]
            ax.plot(at, [k / n for _, k, n in counts], label=label, color=palette[i % 4], linestyle=DASHES[i // 4 % 4],
                    marker=MARKERS[(i + i // 4) % 4])
            ax.fill_between(at, [low for low, _ in ends], [high for _, high in ends], color=palette[i % 4], alpha=0.25, linewidth=0)
        ax.set_ylim(-0.02, 1.02)
        ax.set_xlabel(x)
        ax.set_ylabel(f"share of {'task sets' if sets in (None, 'sets') else sets} that pass")
        beside = {"loc": "center left", "bbox_to_anchor": (1.01, 0.5)}
        ax.legend(handlelength=3, **({"loc": "lower left"} if len(lines) <= CROWD else beside))      # long enough to tell dashes
    return ax
