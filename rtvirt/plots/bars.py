"""Named values side by side: a bar and its number for each."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from matplotlib.axes import Axes

from ..errors import Problem, SpecError
from .style import COLOURS, new_axes, styled


def bars(values: Mapping[str, float], *, xlabel: str, marked: Collection[str] = (), form: str = "{:,.4g}", log: bool = False,
         ax: Axes | None = None) -> Axes:
    """Horizontal bars, the first on top.

    Parameters
    ----------
    values : mapping of str to float
        Not negative; with `log` above 0.
    xlabel : str
        What, and in which unit.
    marked : collection of str
        Names whose bars are orange and hatched; the rest is blue.
    form : str
        How the number at a bar's end is written.
    log : bool
        A logarithmic axis: where the largest is many times the least.
    ax : Axes, optional

    Raises
    ------
    SpecError
        Nothing to draw, a value out of range, or a marked name that is none.

    Examples
    --------
    >>> [text.get_text().strip() for text in bars({"trap": 137, "state": 5987}, xlabel="cycles", marked=["state"]).texts]
    ['137', '5,987']
    """
    least = min(values.values(), default=-1.0)
    if not values or least < 0 or (log and least == 0):
        raise SpecError([Problem("values", dict(values), f"one value or more, each {'above' if log else 'at least'} 0",
                                 "leave out what cannot be drawn")])
    if strange := set(marked) - set(values):
        raise SpecError([Problem("marked", ", ".join(sorted(strange)), ", ".join(values), "mark bars that are there")])
    with styled():
        ax = new_axes(ax, 1.3 + 0.42 * len(values))
        for row, (name, value) in enumerate(values.items()):
            colour, hatch = (COLOURS["best effort"], "//") if name in marked else (COLOURS["real-time"], "")
            ax.barh(row, value, color=colour, hatch=hatch, edgecolor="white")
            ax.text(value, row, f" {form.format(value)}", va="center")
        ax.set_yticks(range(len(values)), list(values))
        ax.invert_yaxis()
        if log:
            ax.set_xscale("log")
            ax.xaxis.set_major_formatter("{x:,g}")
            ax.set_xlim(least / 2, max(values.values()) * 3)
        else:
            ax.set_xlim(0, max(values.values()) * 1.18 or 1.0)
        ax.set_xlabel(xlabel)
    return ax
