"""Who is cheaper: the plane of two rates, divided by the line on which two structures cost the same."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from ..traps import Crossover
from .style import COLOURS, new_axes, styled


def crossover(map_: Crossover, *, others: Mapping[str, Crossover] | None = None, per: str = "times a second", ax: Axes | None = None) -> Axes:
    """A crossover map: blue where `map_.a` is cheaper, orange and hatched where `map_.b` is.

    Parameters
    ----------
    map_ : rtvirt.traps.Crossover
    others : mapping of str to Crossover, optional
        Further borders of the same two operations, each a line with its name: other prices, for example.
    per : str
        What the rates count by.
    ax : Axes, optional

    Examples
    --------
    >>> import rtvirt as rv
    >>> rv.plots.crossover(rv.traps.crossover("hardware_assist", "binary_translation", "p4-672", x="page_fault", y="system_call",
    ...                                       points=50)).get_ylabel()
    'system call [times a second]'
    """
    with styled():
        ax = new_axes(ax, 4.6)
        filled = ax.contourf(map_.rates_x, map_.rates_y, np.sign(map_.difference), levels=[-2, 0, 2], hatches=["", "//"],
                             colors=[COLOURS["real-time"], COLOURS["best effort"]], alpha=0.35)
        filled.set_edgecolor("white")
        for cheaper, at in ((map_.a, map_.difference < 0), (map_.b, map_.difference > 0)):
            if at.any():
                y, x = (positions.mean() for positions in np.nonzero(at))
                ax.text(map_.rates_x[int(x)], map_.rates_y[int(y)], f"{cheaper.replace('_', ' ')}\nis cheaper", ha="center", va="center",
                        bbox={"facecolor": "white", "alpha": 0.85, "edgecolor": "none"})
        for (name, one), dash in zip({"": map_, **(others or {})}.items(), ("-", "--", ":", "-.") * 2):
            if one.slope:
                across = map_.rates_x
                ax.plot(across, across / float(one.slope), color=COLOURS["bound"], linestyle=dash, label=name or "both cost the same")
        ax.set_xlim(0, map_.rates_x[-1])
        ax.set_ylim(0, map_.rates_y[-1])
        ax.set_xlabel(f"{map_.x.replace('_', ' ')} [{per}]")
        ax.set_ylabel(f"{map_.y.replace('_', ' ')} [{per}]")
        ax.xaxis.set_major_formatter("{x:,.0f}")
        ax.yaxis.set_major_formatter("{x:,.0f}")
        if ax.get_lines():
            ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0)
    return ax
