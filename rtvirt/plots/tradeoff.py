"""Two costs of one knob: what it saves against what it makes worse, a point a setting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from ..errors import Problem, SpecError
from .against import LOOKS
from .style import new_axes, styled

Setting = tuple[str, float, float]      # what it is called, x, y


def tradeoff(knobs: Mapping[str, Sequence[Setting]], *, xlabel: str, ylabel: str, ax: Axes | None = None) -> Axes:
    """A line for each knob, through its settings (name, x, y) in order; y on a logarithmic axis.

    Raises
    ------
    SpecError
        No settings, or a y that is not above 0.

    Examples
    --------
    >>> ax = tradeoff({"batch": [("1", 8.0, 0.1), ("32", 4.0, 3.0)]}, xlabel="us a packet", ylabel="latency [ms]")
    >>> [text.get_text() for text in ax.texts]
    ['1', '32']
    """
    if not knobs or not all(knobs.values()) or min(y for settings in knobs.values() for _, _, y in settings) <= 0:
        raise SpecError([Problem("knobs", list(knobs), "settings for each, y above 0", "leave out what cannot be drawn")])
    with styled():
        ax = new_axes(ax, 4.6)
        for i, ((name, settings), (colour, marker)) in enumerate(zip(knobs.items(), LOOKS * 4)):
            ax.plot([x for _, x, _ in settings], [y for _, _, y in settings], color=colour, marker=marker, markersize=8,
                    markeredgecolor="white", label=name)
            for text, x, y in settings:
                ax.annotate(text, (x, y), (6, 6) if i % 2 == 0 else (-6, -14), textcoords="offset points", fontsize=11,
                            ha="left" if i % 2 == 0 else "right")
        ax.set_yscale("log")
        ax.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
        ax.margins(x=0.08, y=0.12)
        ax.set_xlabel(xlabel)
        ax.set_ylabel(ylabel)
        ax.legend(loc="best")
    return ax
