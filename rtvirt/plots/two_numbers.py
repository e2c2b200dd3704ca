"""An operation as two numbers: how often control crosses, and what a crossing takes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from ..errors import Problem, SpecError
from ..traps import Cost
from .style import COLOURS, new_axes, styled


def two_numbers(costs: Mapping[str, Cost], *, ax: Axes | None = None) -> Axes:
    """A point a cost, on logarithmic axes; dashed, what costs the same.

    Parameters
    ----------
    costs : mapping of str to rtvirt.traps.Cost
        By the name to write beside the point; each with a transition or more. Messages of a microkernel are squares.
    ax : Axes, optional

    Raises
    ------
    SpecError
        Nothing to draw, or a cost without a transition.

    Examples
    --------
    >>> import rtvirt as rv
    >>> two_numbers({"Xen": rv.traps.cost("paravirtual", "xeon-5540", "hypercall")}).get_xlabel()
    'crossings an operation'
    """
    without = [name for name, one in costs.items() if not one.crossings.transitions]
    if without or not costs:
        raise SpecError([Problem("costs", ", ".join(without) or None, "one cost or more, each with a transition",
                                 "leave out what crosses nothing: it costs nothing")])
    with styled():
        ax = new_axes(ax, 4.8)
        counts = [one.crossings.transitions for one in costs.values()]
        least, most = min(counts), max(counts)
        for name, one in costs.items():
            n = one.crossings.transitions
            message = one.structure == "microkernel"
            ax.plot(n, one.overhead / n, marker="s" if message else "o", color=COLOURS["driver" if message else "real-time"], markersize=9,
                    linestyle="none", markeredgecolor="white", label="_")
            side = -1 if n == least else 1          # the fewest crossings are named on the left: names would hide points
            ax.annotate(name, (n, one.overhead / n), xytext=(9 * side, 0), textcoords="offset points", va="center",
                        ha="right" if side < 0 else "left", bbox={"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 0.5})
        prices = [one.overhead / one.crossings.transitions for one in costs.values()]
        across = np.array([least / 8, most * 6])
        low, high = min(prices) / 2.2, max(prices) * 1.8
        for total in (300, 1_000, 3_000, 10_000, 30_000, 100_000):
            ax.plot(across, total / across, color=COLOURS["hypervisor"], linestyle="--", linewidth=0.9, zorder=0)
            if across[0] < total / low < across[1]:
                ax.text(total / low, low * 1.06, f"{total:,} cycles", color="#555555", fontsize="small", rotation=-35)
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.set_xlim(across)
        ax.set_ylim(low, high)
        ax.xaxis.set_major_formatter("{x:g}")
        ax.yaxis.set_major_formatter("{x:,.0f}")
        ax.set_xlabel("crossings an operation")
        ax.set_ylabel("cycles a crossing")
    return ax
