"""Measured against predicted, on logarithmic axes, by what each row was to the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from matplotlib.axes import Axes

from .style import COLOURS, new_axes, styled

if TYPE_CHECKING:
    import pandas as pd

TIMES = {"cycles": 1, "ns": 1, "us": 1e3, "us/exit": 1e3}
LOOK = {"fit": (COLOURS["hypervisor"], "s"), "given": (COLOURS["best effort"], "D"), "predicted": (COLOURS["real-time"], "o"),
        "unexplained": (COLOURS["miss"], "X")}


def residuals(table: pd.DataFrame | None = None, *, units: Mapping[str, float] = TIMES, label: str = "ns or cycles", ax: Axes | None = None) -> Axes:
    """A point for each row of a table of predictions that is in one of some units, with a bar for its tolerance.

    Parameters
    ----------
    table : DataFrame, optional
        `rv.traps.predictions()`, or rows of it; or `rv.throughput.predictions()` with its units.
    units : mapping of str to float
        Units that are drawn, and what each is multiplied by: unless given, times, in ns.
    label : str
        What is drawn, for the axes.
    ax : Axes, optional

    Notes
    -----
    Squares: a constant was fitted to the row. Diamonds: given, its evidence too weak to fit. Circles: predicted. Crosses: not explained.
    Without `units` times in us are drawn in ns, cycles as cycles, a build of minutes not at all; measured, of a range the middle.

    Examples
    --------
    >>> residuals().get_ylabel()
    'predicted [ns or cycles]'
    >>> from rtvirt.throughput import predictions
    >>> residuals(predictions(), units={"Mb/s": 1}, label="Mb/s").get_ylabel()
    'predicted [Mb/s]'
    """
    if table is None:
        from ..traps import predictions

        table = predictions()
    times = table[table.unit.isin(list(units)) & table.predicted.gt(0)]
    scale = times.unit.map(dict(units))
    x, y = times.measured * scale, times.predicted * scale
    with styled():
        ax = new_axes(ax, 6.5)
        for role, (colour, marker) in LOOK.items():
            mine = times.role == role
            if not mine.any():
                continue
            share = times.tolerance[mine].fillna(0) / 100
            ax.errorbar(x[mine], y[mine], xerr=x[mine] * share, fmt=marker, color=colour, markeredgecolor="white", markersize=7, elinewidth=0.8,
                        label=f"{role} ({int(mine.sum())})")
        ax.set_xscale("log")
        ax.set_yscale("log")
        ends = (min(x.min(), y.min()) * 0.7, max(x.max(), y.max()) * 1.4)
        ax.plot(ends, ends, color=COLOURS["bound"], linewidth=1, linestyle="--", label="_")
        ax.set_xlim(ends)
        ax.set_ylim(ends)
        ax.set_xlabel(f"measured [{label}]; the bar is the tolerance")
        ax.set_ylabel(f"predicted [{label}]")
        ax.legend(loc="upper left")
    return ax
