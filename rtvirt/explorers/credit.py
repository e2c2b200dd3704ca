"""Explorer of the credit scheduler: a task that sleeps and computes, against hogs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..errors import SpecError
from ..plots import COLOURS
from ..results import Run
from ..schedulers import Credit
from ..simulation import simulate
from ..system import VM, System, Task, hog
from ..units import ms, us
from .base import Explorer, choice, slider
from .credit_curves import credit_curves
from .drawing import Drawing
from .timeline import Timeline
from .timeline_data import missed, timeline_data

SHOWN, SIMULATED = ms(200), ms(2000)


@dataclass(frozen=True)
class Params:
    """What can be moved."""

    burst: int = slider(30, 1, 150, 1, "burst of the task [0.1 ms]")
    period: int = slider(7, 2, 60, 1, "period of the task [ms]")
    hogs: int = slider(2, 0, 6, 1, "number of hogs")
    weight: int = slider(256, 32, 2048, 32, "weight of the task's VM")
    cap: int = slider(0, 0, 100, 5, "cap [%]; 0: none")
    timeslice: int = slider(30, 1, 60, 1, "time slice [ms]")
    ratelimit: int = slider(10, 0, 100, 1, "ratelimit [0.1 ms]")
    xen: str = choice("4.17", ["4.17", "4.22", "3.1", "3.0.3"], "Xen version")


def compute(params: Params) -> Run:
    """Two seconds of the system; SpecError in words where the parameters contradict each other."""
    task = Task("io", wcet=us(100 * params.burst), period=ms(params.period))
    vms = [VM("task", tasks=[task], weight=params.weight, cap=params.cap),
           *(VM(f"hog{i}", tasks=[hog()]) for i in range(params.hogs))]
    old = params.xen.startswith("3")
    scheduler = Credit(xen=params.xen) if old else Credit(timeslice=ms(params.timeslice), ratelimit=us(100 * params.ratelimit))
    if old and (params.timeslice != 30 or params.ratelimit not in (0, 10)):
        raise SpecError(fixed_settings(params))
    return simulate(System(vms=vms), scheduler, SIMULATED)


def fixed_settings(params: Params) -> list[Any]:
    """Old versions have a fixed slice and no ratelimit."""
    from ..errors import Problem

    return [Problem("time slice and ratelimit", f"{params.timeslice} ms, {params.ratelimit / 10:g} ms", "30 ms and 1 or 0 ms",
                    f"Xen {params.xen} has a fixed slice of 30 ms and no ratelimit: put the sliders back, or choose 4.17")]


class Scene:
    """The timeline with credits to pan and zoom, the latencies beside it; and all of it as one figure for print."""

    def __init__(self) -> None:
        self.timeline = Timeline(view=[0.0, float(SHOWN)])
        self.front = [self.timeline]
        self.latency = Drawing(latency_curve)
        self.figure = Figure(figsize=(12, 6.4))      # fixed places: laying out anew would cost more than drawing
        grid = self.figure.add_gridspec(2, 2, height_ratios=(1.2, 1), left=0.08, right=0.985, top=0.98, bottom=0.09, hspace=0.3, wspace=0.2)
        self.time = self.figure.add_subplot(grid[0, :])
        self.printed_curve = latency_curve(self.figure.add_subplot(grid[1, 0]))
        self.credit = self.figure.add_subplot(grid[1, 1])
        self.mine = self.time.add_collection(PolyCollection([], facecolor=COLOURS["real-time"]))
        self.others = self.time.add_collection(PolyCollection([], facecolor=COLOURS["best effort"], hatch="//", edgecolor="white"))
        self.misses, = self.time.plot([], [], "X", color=COLOURS["miss"], markersize=11, markeredgecolor="white", label="deadline missed")
        self.time.set(xlim=(0, SHOWN / 1e6), xlabel="time [ms]")
        self.time.legend(loc="upper right", frameon=False)
        self.credits, = self.credit.plot([], [], color=COLOURS["real-time"], linewidth=2)
        self.credit.axhspan(-30_000, 0, color="#f3f3f3", zorder=0)
        self.credit.set(xlim=(0, SIMULATED / 1e6), xlabel="time [ms]", ylabel="credits of the task's VM")

    def update(self, run: Run) -> str:
        """Show a run: the timeline at once, then the latencies; what it says, in a sentence."""
        curves = credit_curves(run)
        full = 30 if run.scheduler.xen == "3.0.3" else run.scheduler.timeslice // 100_000
        low = min([-1.1 * full, *(curve.values.min() for curve in curves)])
        self.timeline.show(timeline_data(run), curves=curves, curve_label="credits", curve_range=(low, 1.1 * full),
                           curve_ticks=(-full, 0, full))
        raw = run.recording
        waits = np.sort((raw.wakeups["dispatched"] - raw.wakeups["woken"])[raw.wakeups["vcpu"] == 0]) / 1e6
        for curve in (self.latency.line, self.printed_curve):
            curve.set_data(np.append(0, waits), np.append(1.0, 1 - np.arange(1, len(waits) + 1) / max(1, len(waits)) + 1e-9))
        self.mine.set_verts(rectangles(raw.slices, lambda v: v == 0))
        self.others.set_verts(rectangles(raw.slices, lambda v: v > 0))
        self.time.set_ylim(len(run.system.vms) - 0.4, -0.8)
        self.time.set_yticks(range(len(run.system.vms)), [vm.name for vm in run.system.vms])
        late = missed(raw.jobs, run.duration)
        shown = raw.jobs["deadline"][late & (raw.jobs["deadline"] < SHOWN)]
        self.misses.set_data(shown / 1e6, np.full(len(shown), -0.5))
        self.credits.set_data(curves[0].times / 1e6, curves[0].values)
        self.credit.set_ylim(low, 1.1 * full)
        longest = float(waits[-1]) if len(waits) else 0.0
        jobs = int(np.count_nonzero(raw.jobs["task"] == 0))
        return f"{int(late.sum())} of {jobs} deadlines missed in 2 s; the longest wait after a wake-up was {longest:.1f} ms."

    def png(self) -> bytes:
        """The latencies, drawn anew."""
        return self.latency.png()


def latency_curve(ax: Axes) -> Line2D:
    """The line of an empty latency plot: how large a share of wake-ups waits longer, tail and all."""
    curve, = ax.step([], [], where="post", color=COLOURS["real-time"], linewidth=2.2)
    ax.set_xscale("symlog", linthresh=0.1)
    ax.set(xlim=(-0.01, 1000), yscale="log", ylim=(5e-4, 1.3), xlabel="wake-up latency [ms]", ylabel="share that waits longer")
    return curve


def rectangles(slices: dict[str, np.ndarray], mine: Any) -> np.ndarray:
    """(bars, 4, 2) corners of the stints shown."""
    keep = mine(slices["vcpu"]) & (slices["start"] < SHOWN)
    left, right = slices["start"][keep] / 1e6, np.minimum(slices["end"][keep], SHOWN) / 1e6
    lane = slices["vcpu"][keep]
    x = np.stack([left, right, right, left], axis=1)
    y = np.stack([lane - 0.36, lane - 0.36, lane + 0.36, lane + 0.36], axis=1)
    return np.stack([x, y], axis=2)


def explorer(**values: Any) -> Explorer:
    """The explorer, starting from given parameters."""
    return Explorer(Params(**values), compute, Scene(), "A task that sleeps and computes shares one core with hogs under Xen's credit "
                    "scheduler. Move a slider (arrow keys work) and see when it runs, how long it waits, and its credits.")
