"""Instruction sets side by side: how many instructions trap, and how many break which theorem."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from ..machine.report import Classification
from ..silicon import Classification as Silicon
from .classes import Item, items
from .style import COLOURS, LIGHTER, new_axes, styled, towards_white

LOOKS = {                     # colour and hatch, in the order of the bar
    "breaks Theorems 1 and 3": (COLOURS["miss"], ""),
    "breaks Theorem 1 only": (towards_white(COLOURS["miss"], LIGHTER[1]), "//"),
    "traps in some configuration": (towards_white(COLOURS["hypervisor"], 0.2), "xx"),
    "traps": (towards_white(COLOURS["hypervisor"], LIGHTER[1]), ""),
    "innocuous": ("#f0f0f0", ""),
    "not decided": (towards_white(COLOURS["hypervisor"], 0.75), ".."),
}


def verdicts(found: Sequence[Classification | Silicon], *, ax: Axes | None = None) -> Axes:
    """Bars of instruction counts by what they do to the theorems, a bar a set, the worst first.

    Parameters
    ----------
    found : sequence of machine or silicon Classification
    ax : Axes, optional

    Examples
    --------
    >>> import rtvirt as rv
    >>> ax = rv.plots.verdicts([rv.silicon.classify(name, live=False) for name in ("m68000", "coldfire")])
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['m68000', 'coldfire']
    """
    counts = {one.isa: count(one) for one in found}
    names = sorted(counts, key=lambda name: (-counts[name]["breaks Theorems 1 and 3"], -counts[name]["breaks Theorem 1 only"]))
    with styled():
        ax = new_axes(ax, 1.5 + 0.36 * len(names))
        for y, name in enumerate(names):
            left = 0
            for kind, (colour, hatch) in LOOKS.items():
                width = counts[name][kind]
                ax.barh(y, width, 0.74, left, color=colour, hatch=hatch, edgecolor="white", label=kind if y == 0 else "_more")
                if width:
                    ax.text(left + width / 2, y, str(width), ha="center", va="center", fontsize=11,
                            color="white" if kind == "breaks Theorems 1 and 3" else "#222222")
                left += width
        ax.set_yticks(range(len(names)), names)
        ax.invert_yaxis()
        ax.set_xlabel("instruction forms")
        ax.grid(axis="y", visible=False)
        ax.legend(ncols=3, loc="lower left", bbox_to_anchor=(0, 1))
    return ax


def count(found: Classification | Silicon) -> dict[str, int]:
    """Instructions of each kind."""
    undecided = set(found.table.index[found.table["verdict"] == "engine failure"]) if isinstance(found, Silicon) else set()
    kinds = ["not decided" if item.name in undecided else kind_of(item) for item in items(found)]
    return {kind: kinds.count(kind) for kind in LOOKS}


def kind_of(item: Item) -> str:
    """Which part of the bar an instruction belongs to."""
    if item.breaks:
        return "breaks Theorems 1 and 3" if 3 in item.breaks else "breaks Theorem 1 only"
    return "innocuous" if not item.traps else "traps" if item.traps == "yes" else "traps in some configuration"
