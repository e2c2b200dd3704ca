"""Who held which pCPU when, and which jobs were in time."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection

from ..errors import Problem, SpecError
from ..results import Run
from .style import COLOURS, colours_of, end_of, new_axes, styled

PIXELS = 1600           # bars nearer than a pixel are merged
HEIGHT = 0.72
NAMED = 0.04            # stints longer than this share of the picture bear a name


def gantt(run: Run, *, until: int | None = None, start: int = 0, lanes: str = "vcpu", ax: Axes | None = None) -> Axes:
    """Timeline: a lane for each vCPU, coloured while it holds a pCPU; above it, arrows for releases and crosses for misses.

    Parameters
    ----------
    run : Run
        Recorded with ``record="trace"``.
    until, start : int [ns], optional
        The part to show; by default all.
    lanes : {"vcpu", "cpu"}
        ``"cpu"``: a lane for each pCPU instead, with the names of those who hold it.
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
    end = end_of(run, start, until)
    names, numbers = run.vcpu_names
    if lanes not in ("vcpu", "cpu"):
        raise SpecError([Problem("lanes", lanes, "'vcpu' or 'cpu'", "choose one of these")])
    if lanes == "cpu":
        return pcpus(run, start, end, ax)
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
        frame(ax, labels, start, end)
        counted = f": {misses} deadline{'s' * (misses != 1)} missed in this picture"
        ax.set_title(type(run.scheduler).__name__ + counted * bool((run.jobs["deadline"] >= 0).any()), loc="left")
    return ax


def pcpus(run: Run, start: int, end: int, ax: Axes | None) -> Axes:
    """A lane for each pCPU, in the colours and with the names of the VMs that hold it."""
    labels = [f"pCPU {p}" for p in range(run.system.cpus)]
    with styled():
        ax = new_axes(ax, 1.6 + 0.62 * len(labels))
        looks = colours_of(run.system.vms)
        for (vm, cpu), mine in run.slices.groupby(["vm", "cpu"]):
            colour, hatch = looks[vm]
            bars(ax, mine["start"].to_numpy(), mine["end"].to_numpy(), cpu, HEIGHT, start, end, facecolor=colour, hatch=hatch,
                 edgecolor="white", linewidth=0.4)
        shown = run.slices[(run.slices["end"].clip(upper=end) - run.slices["start"].clip(lower=start)) > NAMED * (end - start)]
        for row in shown.itertuples():
            middle = (max(row.start, start) + min(row.end, end)) / 2e6
            ax.text(middle, row.cpu, row.vm, ha="center", va="center", fontsize=12, bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5})
        frame(ax, labels, start, end)
        ax.set_title(type(run.scheduler).__name__, loc="left")
    return ax


def frame(ax: Axes, labels: list[str], start: int, end: int) -> None:
    """Names of the lanes, and the time axis in ms."""
    ax.set_yticks(range(len(labels)), labels)
    ax.set_ylim(len(labels) - 0.4, -0.75)
    ax.set_xlim(start / 1e6, end / 1e6)
    ax.set_xlabel("time [ms]")
    ax.grid(axis="y", visible=False)


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
