"""What a shorter latency costs: the least share that promises it, by kind of server and cost of a switch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from ..errors import Problem, SpecError
from ..units import format_ns
from .style import COLOURS, DASHES, new_axes, styled

if TYPE_CHECKING:
    import pandas as pd

PALETTE = (COLOURS["real-time"], COLOURS["best effort"], COLOURS["driver"], COLOURS["miss"])
NEEDED = ("kind", "switch", "latency", "share")


def fronts(table: pd.DataFrame, *, used: float | None = None, ax: Axes | None = None) -> Axes:
    """A line for each kind of server (colour) and cost of a switch (dashes); both axes logarithmic.

    Parameters
    ----------
    table : DataFrame
        As `rv.sweeps.studies.fronts` returns it.
    used : float, optional
        What the task itself uses: nothing can be cheaper. Black and dashed.
    ax : Axes, optional

    Raises
    ------
    SpecError
        A column that is not there, or no share at all.

    Examples
    --------
    >>> import pandas as pd
    >>> ax = fronts(pd.DataFrame({"kind": "polling", "switch": 0, "latency": [1_000_000, 2_000_000], "share": [0.5, 0.2]}))
    >>> ax.get_lines()[0].get_ydata().tolist(), ax.get_lines()[0].get_label()
    ([50.0, 20.0], 'polling')
    """
    if missing := [name for name in NEEDED if name not in table]:
        raise SpecError([Problem("column", name, ", ".join(map(str, table.columns)), "take a table of rv.sweeps.studies.fronts") for name in missing])
    known = table.dropna(subset="share")
    if not len(known):
        raise SpecError([Problem("share", "empty", "at least one", "ask for longer latencies: no contract promises these")])
    kinds, switches = list(dict.fromkeys(known["kind"])), list(dict.fromkeys(known["switch"]))
    with styled():
        ax = new_axes(ax, 4.8)
        for (kind, switch), rows in known.groupby(["kind", "switch"], sort=False):
            label = str(kind) if len(switches) == 1 else f"{kind}, a switch {f'costs {format_ns(int(switch))}' if switch else 'is free'}"
            ax.plot(rows["latency"] / 1e6, 100 * rows["share"].astype(float), color=PALETTE[kinds.index(kind) % 4],
                    linestyle=DASHES[switches.index(switch) % 4], label=label)
        if used is not None:
            ax.axhline(100 * used, color=COLOURS["bound"], linestyle="--", label="what the task uses")
        for axis in (ax.xaxis, ax.yaxis):
            getattr(ax, f"set_{axis.axis_name}scale")("log")
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axis.set_minor_formatter(FuncFormatter(lambda value, _: f"{value:g}" if f"{value:.0e}"[0] in "25" else ""))
        ax.set_xlabel("promised response [ms]")
        ax.set_ylabel("share of a pCPU [%]")
        ax.legend(loc="upper right")
    return ax
