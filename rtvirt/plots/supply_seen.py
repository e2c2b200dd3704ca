"""What a VM that always wanted the processor really got, beside what its contract promises."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from ..analysis import Supply
from .style import COLOURS, DASHES, new_axes, styled

POINTS = 601


def least_supply(run: Any, vm: str, windows: np.ndarray) -> np.ndarray:
    """Least processor time that a VM got in any window of each length.

    Parameters
    ----------
    run : Run or xentrace.Window
        Whatever has `slices` and a `duration`; the VM is taken to have wanted a pCPU all the time, as a hog does.
    vm : str
    windows : (n,) int64 [ns]

    Returns
    -------
    (n,) int64 [ns]

    Notes
    -----
    What a window holds is least where one begins as a stint ends, or ends as a stint begins: between these it changes in one direction.
    """
    mine = run.slices[run.slices["vm"] == vm]
    start, end = mine["start"].to_numpy(), mine["end"].to_numpy()
    corners, got = np.ravel([start, end], "F"), np.concatenate([[0], np.cumsum(end - start)])
    total = np.ravel([got[:-1], got[1:]], "F")
    least = []
    for length in windows.tolist():
        origins = np.concatenate([end[end + length <= run.duration], start[start >= length] - length])
        least.append(int((np.interp(origins + length, corners, total) - np.interp(origins, corners, total)).min()))
    return np.array(least, np.int64)


def supply_seen(runs: Mapping[str, Any], vm: str, supply: Supply, *, until: int, ax: Axes | None = None) -> Axes:
    """Least supply seen in windows up to `until` [ns], a line a run, above what `supply` promises (black, dashed)."""
    windows = np.linspace(0, until, POINTS).astype(np.int64)
    with styled():
        ax = new_axes(ax)
        for k, (name, run) in enumerate(runs.items()):
            colour = (COLOURS["real-time"], COLOURS["best effort"], COLOURS["driver"])[k % 3]
            ax.plot(windows / 1e6, least_supply(run, vm, windows) / 1e6, color=colour, linestyle=DASHES[k % 4], label=f"least seen, {name}")
        ax.plot(windows / 1e6, supply.sbf(windows) / 1e6, color=COLOURS["bound"], linestyle="--", label="promised")
        ax.set_xlim(0, until / 1e6)
        ax.set_ylim(0)
        ax.set_xlabel("length of the window [ms]")
        ax.set_ylabel("processor time [ms]")
        ax.legend(loc="upper left")
    return ax
