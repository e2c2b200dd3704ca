"""Who executed a guest's instructions: the processor, or its monitor in one of several ways."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.patches import Patch

from ..machine.monitors import Step
from .style import new_axes, styled

# Okabe-Ito, and a hatch as the second cue; as explorers/walk.js has them.
EXECUTORS = {"directly": ("#56B4E9", ""), "interpreted": ("#999999", "xx"), "emulated": ("#E69F00", "//"), "call-out": ("#F0E442", "\\\\"),
             "hypercall": ("#009E73", ".."), "reflected": ("#CC79A7", "")}
HEIGHT, LEAST = 0.7, 1 / 700           # of a row; width of a single step, as a share of the picture


def executors(runs: Mapping[str, Sequence[Step]], *, ax: Axes | None = None) -> Axes:
    """A row for each run, its steps from left to right, coloured by who executed them.

    Parameters
    ----------
    runs : mapping of str to sequence of Step
        Name of the row, and the steps of ``monitor.trace(...)``.
    ax : Axes, optional

    Notes
    -----
    A step among many is drawn wider than it is, so that it can be seen; so widths do not add up to shares.
    """
    longest = max((len(steps) for steps in runs.values()), default=1)
    with styled():
        ax = new_axes(ax, 1.5 + 0.75 * len(runs))
        seen = []
        for row, steps in enumerate(runs.values()):
            who = np.array([step.who for step in steps])
            for name, (colour, hatch) in EXECUTORS.items():
                mine = np.flatnonzero(who == name)
                if not len(mine):
                    continue
                seen.append(name)
                breaks = np.flatnonzero(np.diff(mine) > 1)
                left, right = mine[np.append(0, breaks + 1)], mine[np.append(breaks, len(mine) - 1)] + 1
                right = np.maximum(right, left + LEAST * longest)
                low, high = row - HEIGHT / 2, row + HEIGHT / 2
                corners = [[(a, low), (b, low), (b, high), (a, high)] for a, b in zip(left, right, strict=True)]
                ax.add_collection(PolyCollection(corners, facecolor=colour, hatch=hatch, edgecolor="white" if hatch else "none", linewidth=0))
        ax.set_xlim(0, longest)
        ax.set_ylim(len(runs) - 0.4, -0.6)
        ax.set_yticks(range(len(runs)), list(runs))
        ax.set_xlabel("step")
        ax.grid(axis="y", visible=False)
        shown = [name for name in EXECUTORS if name in seen]
        ax.legend(handles=[Patch(facecolor=EXECUTORS[name][0], hatch=EXECUTORS[name][1], edgecolor="white", label=name) for name in shown],
                  ncols=len(shown), loc="lower left", bbox_to_anchor=(-0.02, 1), borderaxespad=0.2, columnspacing=1.1, handlelength=1.3)
    return ax
