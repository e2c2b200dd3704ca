"""A time against a share: how the worst latency grows with the load, a line a scheduler."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from ..units import format_ns
from .style import COLOURS, new_axes, styled

LOOKS = [("#0072B2", "o"), ("#E69F00", "s"), ("#009E73", "^"), ("#CC79A7", "D"), ("#56B4E9", "v"), ("#999999", "P"), ("#000000", "*"),
         ("#F0E442", "X")]


def against(shares: Sequence[float], times: Mapping[str, Sequence[int]], *, xlabel: str, ylabel: str, miss: int | None = None,
            ax: Axes | None = None) -> Axes:
    """Times [ns] on a logarithmic axis against shares from 0 to 1; each line ends in its name.

    Parameters
    ----------
    shares : (n,) sequence of float
    times : mapping of name to (n,) times [ns]
    xlabel, ylabel : str
    miss : int [ns], optional
        A time beyond which a deadline is missed: the space above it is vermillion.
    ax : Axes, optional

    Notes
    -----
    Colours tell lines apart here and mean nothing else; each line has a marker, too. Names that would hide each other are moved apart.
    """
    with styled():
        ax = new_axes(ax, 5.4)
        x = 100 * np.asarray(shares, float)
        for (name, values), (colour, marker) in zip(times.items(), LOOKS * 4):
            ax.plot(x, np.asarray(values, float) / 1e6, color=colour, marker=marker, markersize=7, markeredgecolor="white", label=name)
        ax.set_yscale("log")
        ax.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
        low, high = ax.get_ylim()
        if miss is not None:
            high = max(high, 3 * miss / 1e6)
            ax.axhspan(miss / 1e6, high, color=COLOURS["miss"], alpha=0.12, linewidth=0)
            ax.axhline(miss / 1e6, color=COLOURS["miss"], linewidth=1.6)
            ax.text(x[0], high * 0.9, f" beyond the deadline, {format_ns(miss)}", color=COLOURS["miss"], va="top")
        ax.set_ylim(low, high)
        names_at_ends(ax, x[-1], {name: values[-1] / 1e6 for name, values in times.items()}, dict(zip(times, (look[0] for look in LOOKS * 4))))
        ax.set_xlim(x[0], x[-1])
        ax.set_xlabel(xlabel)
        ax.set_ylabel(ylabel)
    return ax


def names_at_ends(ax: Axes, x: float, ends: Mapping[str, float], colours: Mapping[str, str]) -> None:
    """The name of each line at its end, at least one line of text apart."""
    low, high = np.log10(ax.get_ylim())
    step = (high - low) / 17
    place = -np.inf
    for name, end in sorted(ends.items(), key=lambda item: item[1]):
        place = max(place + step, np.log10(end))
        ax.annotate(name, (x, end), (x * 1.01, 10**place), va="center", color="#000000", annotation_clip=False,
                    bbox={"facecolor": "white", "edgecolor": colours[name], "pad": 1.5, "linewidth": 1.5}, fontsize=12)
