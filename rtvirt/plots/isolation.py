"""Who is isolated from what: a table of verdicts, coloured and marked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.patches import Patch, Rectangle

from .style import COLOURS, LIGHTER, new_axes, styled, towards_white

if TYPE_CHECKING:
    from ..platform import Isolation

LOOKS = {                     # colour, hatch and sign
    "intact": (towards_white(COLOURS["real-time"], LIGHTER[2]), "", "="),
    "slower": (towards_white(COLOURS["best effort"], LIGHTER[2]), "//", "~"),
    "broken": (COLOURS["miss"], "xx", "X"),
    "broken before": (towards_white(COLOURS["hypervisor"], LIGHTER[2]), "..", "?"),
}


def isolation(found: Isolation, *, ax: Axes | None = None) -> Axes:
    """A cell a configuration and misbehaviour: verdict by colour, hatch and sign; below it the worst response, in parts of its deadline.

    A black frame where `rv.admit` promises every deadline beside that misbehaviour.

    Parameters
    ----------
    found : Isolation
    ax : Axes, optional

    Examples
    --------
    >>> import rtvirt as rv
    >>> found = rv.platform.isolation(rv.platform.bench(), "android", configurations=["rtds"], misbehaviours=["overload"], runs=1)
    >>> ax = rv.plots.isolation(found)
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['rtds']
    """
    grid = found.grid
    with styled():
        ax = new_axes(ax, 1.9 + 0.62 * len(grid))
        for row in found.table.itertuples():
            x, y = grid.columns.get_loc(row.misbehaviour), grid.index.get_loc(row.configuration)
            colour, hatch, sign = LOOKS[row.verdict]
            ax.add_patch(Rectangle((x - 0.46, y - 0.44), 0.92, 0.88, facecolor=colour, edgecolor="white", hatch=hatch, linewidth=0))
            if row.promised:
                ax.add_patch(Rectangle((x - 0.46, y - 0.44), 0.92, 0.88, fill=False, edgecolor=COLOURS["bound"], linewidth=2.2))
            ax.text(x, y, f"{sign} {row.after / row.deadline:.0%}", ha="center", va="center", fontsize=13, color="#111111",
                    bbox={"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none"})
        ax.set_xlim(-0.5, len(grid.columns) - 0.5)
        ax.set_ylim(len(grid) - 0.5, -0.5)
        ax.set_xticks(range(len(grid.columns)), [name.replace(" ", "\n") for name in grid.columns])
        ax.set_yticks(range(len(grid)), list(grid.index))
        ax.set_xlabel("numbers: worst response of the others, in % of the deadline")
        ax.grid(visible=False)
        handles = [Patch(facecolor=colour, hatch=hatch, edgecolor="white", label=f"{sign} {name}") for name, (colour, hatch, sign) in LOOKS.items()
                   if name in set(found.table["verdict"])]
        handles.append(Patch(fill=False, edgecolor=COLOURS["bound"], linewidth=2.2, label="promised by admit"))
        ax.legend(handles=handles, ncols=len(handles), loc="lower left", bbox_to_anchor=(0, 1))
    return ax
