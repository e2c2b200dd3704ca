"""Throughput against the size of packets: one cost a packet is a straight line, until the line is full."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullLocator

from ..errors import Problem, SpecError
from ..throughput import Machine, Path, machine, published, rate
from ..throughput.paths import path_of
from .against import LOOKS
from .style import COLOURS, new_axes, styled

SMALLEST, LARGEST, POINTS = 64, 9000, 80        # bytes


def throughput(paths: Sequence[str | Path] = ("native", "page_flip", "hosted"), on: str | Machine = "dell-2650", *, direction: str = "tx",
               ax: Axes | None = None) -> Axes:
    """Rates of paths on a machine, packets of 64 to 9000 bytes, and what was published of them.

    Parameters
    ----------
    paths : sequence of str or Path
        Priced on the machine.
    on : str or Machine
    direction : "tx" or "rx"
    ax : Axes, optional

    Raises
    ------
    SpecError
        No path, or a price that was not published.

    Notes
    -----
    Filled markers: the price rests on the row. Hollow ones: rows that are predicted, or not explained. Dashed: what the line carries.

    Examples
    --------
    >>> [line.get_label() for line in throughput(["native", "hosted"]).get_lines() if line.get_linestyle() == "-"]
    ['native', 'hosted']
    """
    if not paths:
        raise SpecError([Problem("paths", paths, "one path or more", "name them, for example ['native', 'page_flip']", "")])
    on = machine(on)
    sizes = np.unique(np.geomspace(SMALLEST, LARGEST, POINTS).round().astype(int)).tolist()
    with styled():
        ax = new_axes(ax, 4.8)
        for path, (colour, marker) in zip(map(path_of, paths), LOOKS * 4):
            ax.plot(sizes, [rate(path, on, mtu=size, direction=direction).mbit for size in sizes], color=colour, label=path.name)
            for one in published(path, on, direction=direction).itertuples():
                ax.plot([one.mtu], [one.mbit], color=colour, marker=marker, markersize=9, linestyle="none", label="_",
                        markerfacecolor=colour if one.role in ("fit", "given", "native") else "none", markeredgewidth=1.6)
        if on.line is not None:
            ax.plot(sizes, [float(on.capacity(size) or 0) for size in sizes], color=COLOURS["bound"], linestyle="--", linewidth=1, label="the line")
        ax.set_xscale("log")
        ax.set_yscale("log")
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axis.set_minor_locator(NullLocator())
            axis.set_major_formatter("{x:,g}")
        ax.set_xlabel("packet [bytes]; filled: fitted on, hollow: predicted or not explained")
        ax.set_ylabel("throughput [Mb/s]")
        ax.legend(loc="lower right")
    return ax
