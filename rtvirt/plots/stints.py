"""The same VMs in several runs or traces, lane below lane."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes

from .gantt import HEIGHT, bars, frame
from .style import COLOURS, HATCHES, new_axes, styled, towards_white


def stints(runs: Mapping[str, Any], vms: Sequence[str], *, start: int = 0, until: int, ax: Axes | None = None) -> Axes:
    """Who held a pCPU when: for each VM a lane a run, so that differences stand below each other.

    Parameters
    ----------
    runs : mapping of name to Run or xentrace.Window
        Whatever has `slices`; the first in full colour, the others lighter and hatched.
    vms : sequence of str
    start, until : int [ns]
        The part to show.
    ax : Axes, optional
    """
    with styled():
        ax = new_axes(ax, 1.4 + 0.4 * len(vms) * len(runs))
        labels = []
        for vm in vms:
            for k, (name, run) in enumerate(runs.items()):
                mine = run.slices[run.slices["vm"] == vm]
                look = {"facecolor": towards_white(COLOURS["real-time"], 0.45 if k else 0.0), "hatch": HATCHES["best effort"] if k else ""}
                bars(ax, mine["start"].to_numpy(), mine["end"].to_numpy(), len(labels), HEIGHT, start, until, edgecolor="white", linewidth=0.3,
                     **look)
                labels.append(f"{vm}, {name}")
        for edge in range(len(runs), len(labels), len(runs)):
            ax.axhline(edge - 0.5, color="#bbbbbb", linewidth=0.8)
        frame(ax, labels, start, until)
    return ax
