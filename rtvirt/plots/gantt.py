"""Who held which pCPU when, and which jobs were in time."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection

from ..errors import Problem, SpecError
from ..results import Run
from .style import COLOURS, colours_of, new_axes, styled

PIXELS = 1600           # bars nearer than a pixel are merged
HEIGHT = 0.72


def gantt(run: Run, *, until: int | None = None, start: int = 0, ax: Axes | None = None) -> Axes:
    """Timeline: a lane for each vCPU, coloured while it holds a pCPU; below, arrows for releases and crosses for misses.

    Parameters
    ----------
    run : Run
        Recorded with ``record="trace"``.
    until, start : int [ns], optional
        The part to show; by default all.
    ax : Axes, optional

    Returns
    -------
    Axes
        The time axis is in ms. Thin grey bars mark the time between a vCPU's wake-up and its dispatch.

    Raises
    ------
    RecordError
        The run kept no stints.
    SpecError
        `start` and `until` leave nothing to show.
    """
    end = run.duration if until is None else min(until, run.duration)
    if not 0 <= start < end:
        raise SpecError([Problem("start, until", (start, until), f"0 <= start < until, and start before the run's end, {run.duration} ns",
                                 "write for example start=0, until=ms(120)")])
    names, numbers = run.vcpu_names
    with styled():
        ax = new_axes(ax, 1.6 + 0.62 * len(names))
        looks = colours_of(run.system.vms)
        lane_of = {}
        for lane, (vm, k) in enumerate(zip(names, numbers, strict=True)):
            lane_of[vm, int(k)] = lane
            mine = run.slices[(run.slices["vm"] == vm) & (run.slices["vcpu"] == k)]
            colour, hatch = looks[vm]
            bars(ax, mine["start"].to_numpy(), mine["end"].to_numpy(), lane, HEIGHT, start, end, facecolor=colour, hatch=hatch,
                 edgecolor="white", linewidth=0.4)
            waits = run.wakeups[(run.wakeups["vm"] == vm) & (run.wakeups["vcpu"] == k)]
            bars(ax, waits["woken"].to_numpy(), waits["dispatched"].to_numpy(), lane, 0.16, start, end,
                 facecolor=COLOURS["hypervisor"], edgecolor="none")
        misses = mark_jobs(run, ax, lane_of, start, end)
        labels = [vm if run.system[vm].vcpus == 1 else f"{vm}.{k}" for vm, k in zip(names, numbers, strict=True)]
        ax.set_yticks(range(len(labels)), labels)
        ax.set_ylim(len(labels) - 0.4, -0.75)
        ax.set_xlim(start / 1e6, end / 1e6)
        ax.set_xlabel("time [ms]")
        ax.grid(axis="y", visible=False)
        ax.set_title(f"{type(run.scheduler).__name__}: {misses} deadline{'s' * (misses != 1)} missed in this picture", loc="left")
    return ax


def bars(ax: Axes, left: np.ndarray, right: np.ndarray, lane: int, height: float, start: int, end: int, **look: object) -> None:
    """Rectangles of one meaning as one collection, merged where the eye could not tell them apart."""
    inside = (right > start) & (left < end) & (right > left)
    left, right = np.clip(left[inside], start, end), np.clip(right[inside], start, end)
    order = np.argsort(left, kind="stable")
    left, right = left[order], right[order]
    if len(left) > PIXELS:
        gap = (end - start) / PIXELS
        new = np.concatenate([[True], left[1:] - right[:-1] > gap])
        right = np.maximum.reduceat(right, np.flatnonzero(new))
        left = left[new]
    low, high = lane - height / 2, lane + height / 2
    corners = [[(a, low), (b, low), (b, high), (a, high)] for a, b in zip(left / 1e6, right / 1e6, strict=True)]
    ax.add_collection(PolyCollection(corners, **look))


def mark_jobs(run: Run, ax: Axes, lane_of: dict[tuple[str, int], int], start: int, end: int) -> int:
    """Releases of tasks with a deadline as arrows, missed deadlines as crosses; how many misses are shown."""
    jobs = run.jobs[run.jobs["deadline"] >= 0]
    lanes = np.array([lane_of[vm, 0] for vm in jobs["vm"]], float)
    shown = (jobs["release"] >= start) & (jobs["release"] < end)
    ax.plot(jobs["release"][shown] / 1e6, lanes[shown] - 0.47, linestyle="none", marker="v", markersize=5, color=COLOURS["real-time"],
            label="_release")
    missed = jobs["missed"] & (jobs["deadline"] >= start) & (jobs["deadline"] < end)
    ax.plot(jobs["deadline"][missed] / 1e6, lanes[missed] - 0.45, linestyle="none", marker="X", markersize=10, color=COLOURS["miss"],
            markeredgecolor="white", label="_miss", zorder=5)
    return int(missed.sum())
