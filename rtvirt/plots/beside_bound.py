"""What was seen beside what is promised, as something is turned up."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from ..errors import Problem, SpecError
from .style import COLOURS, DASHES, new_axes, styled

MARKERS = "osD^"


def beside_bound(seen: Mapping[str, Mapping[float, int]], bound: Mapping[float, int] | None = None, *, xlabel: str, ylabel: str = "longest [ms]",
                 scale: str = "log", ax: Axes | None = None) -> Axes:
    """Longest times seen, as curves with markers, and their bounds above, black and dashed.

    Parameters
    ----------
    seen : {label: {x: time}} [ns]
        A curve each.
    bound : {x: time}, optional [ns]
        What none of them may exceed.
    xlabel, ylabel : str
    scale : {"log", "linear"}
        Of the times.
    ax : Axes, optional

    Returns
    -------
    Axes

    Raises
    ------
    SpecError
        Nothing to show, or more curves than there are markers.

    Examples
    --------
    >>> ax = beside_bound({"seen": {1: 2_000_000, 2: 3_000_000}}, {1: 4_000_000, 2: 4_000_000}, xlabel="hogs")
    >>> [line.get_label() for line in ax.get_lines()], ax.get_lines()[0].get_ydata().tolist()
    (['seen', 'bound'], [2.0, 3.0])
    """
    if not 1 <= len(seen) <= len(MARKERS) or not all(seen.values()):
        raise SpecError([Problem("seen", list(seen), f"1 to {len(MARKERS)} curves, none without points", "leave out some, or what is empty", "")])
    palette = [COLOURS["real-time"], COLOURS["best effort"], COLOURS["driver"], COLOURS["miss"]]
    with styled():
        ax = new_axes(ax, 3.9)
        for i, (label, points) in enumerate(seen.items()):
            ax.plot(list(points), [time / 1e6 for time in points.values()], marker=MARKERS[i], linestyle=DASHES[i], color=palette[i], label=label)
        if bound:
            ax.plot(list(bound), [time / 1e6 for time in bound.values()], color=COLOURS["bound"], linestyle="--", label="bound")
        ax.set_yscale(scale)
        ax.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
        if scale == "linear":
            ax.set_ylim(bottom=0)
        ax.set_xlabel(xlabel)
        ax.set_ylabel(ylabel)
        ax.legend(loc="best")
    return ax
