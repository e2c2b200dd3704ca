"""A formula, and what was measured: lines and the points on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullLocator

from ..errors import Problem, SpecError
from .against import LOOKS
from .style import new_axes, styled


def held_against(x: Sequence[float], formulas: Mapping[str, Sequence[float]], measured: Mapping[str, Sequence[float]], *, xlabel: str, ylabel: str,
                 log: bool = True, ax: Axes | None = None) -> Axes:
    """A line for each formula, and markers of its colour for what was measured at the same places.

    Parameters
    ----------
    x : (n,) sequence of float
    formulas : mapping of str to (n,) values
    measured : mapping of str to (n,) values
        By names of `formulas`.
    xlabel, ylabel : str
    log : bool
        Both axes logarithmic.
    ax : Axes, optional

    Raises
    ------
    SpecError
        Lengths that differ, or measurements without a formula.

    Examples
    --------
    >>> len(held_against([1, 10], {"twice": [2, 20]}, {"twice": [2, 21]}, xlabel="n", ylabel="cycles").get_lines())
    2
    """
    if any(len(values) != len(x) for values in [*formulas.values(), *measured.values()]) or set(measured) - set(formulas):
        raise SpecError([Problem("formulas, measured", sorted({*formulas, *measured}), f"{len(x)} values each; a formula for each measurement",
                                 "evaluate the formula where it was measured")])
    with styled():
        ax = new_axes(ax, 4.6)
        for (name, values), (colour, marker) in zip(formulas.items(), LOOKS * 4):
            ax.plot(x, values, color=colour, label=f"{name}, formula")
            if name in measured:
                ax.plot(x, measured[name], color=colour, marker=marker, markersize=9, markeredgecolor="white", linestyle="none",
                        label=f"{name}, measured")
        if log:
            ax.set_xscale("log")
            ax.set_yscale("log")
            for axis in (ax.xaxis, ax.yaxis):
                axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
                axis.set_minor_locator(NullLocator())
                axis.set_major_formatter("{x:,g}")
        ax.set_xlabel(xlabel)
        ax.set_ylabel(ylabel)
        ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0)
    return ax
