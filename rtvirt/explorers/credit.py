"""Explorer of the credit scheduler: a task that sleeps and computes, against hogs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from ..errors import Problem, SpecError
from ..plots import credit_curves, credits, ecdf, gantt, styled
from ..results import Run
from ..schedulers import Credit
from ..simulation import simulate
from ..system import VM, Costs, System, Task, hog
from ..units import format_ns, ms
from .base import Explorer, Fixed, check_ranges, choice, settle, slider
from .tail import Limit, Tail, short
from .timeline import Timeline
from .timeline_data import Curve, missed, timeline_data, vcpu_labels

SHOWN, SIMULATED = ms(200), ms(2000)


@dataclass(frozen=True)
class Params:
    """What can be moved."""

    burst: float = slider(3.0, 0.1, 15.0, 0.1, "burst of the task [ms]")
    period: int = slider(11, 2, 60, 1, "period of the task [ms]")
    weight: int = slider(256, 32, 2048, 32, "weight of the task's VM")
    cap: int = slider(0, 0, 100, 5, "its cap [%]; 0: none")
    hogs: int = slider(2, 0, 6, 1, "number of hogs")
    hog_weight: int = slider(256, 32, 2048, 32, "weight of each hog")
    timeslice: int = slider(30, 1, 60, 1, "time slice [ms]")
    ratelimit: float = slider(1.0, 0.0, 10.0, 0.1, "ratelimit [ms]")
    xen: str = choice("4.17", ["4.17", "4.22", "3.1", "3.0.3"], "Xen version")
    costs: str = choice("none", ["none", "traced-xen"], "path costs")


def fixed(params: Params) -> dict[str, Fixed]:
    """What cannot be moved beside the other parameters, and why."""
    found = {}
    if params.hogs == 0:
        found["hog_weight"] = Fixed(256, "there are no hogs")
    if params.xen.startswith("3"):
        found["timeslice"] = Fixed(30, f"Xen {params.xen}: always 30 ms")
        found["ratelimit"] = Fixed(0.0, f"Xen {params.xen} has no ratelimit")
    return found


def compute(params: Params) -> Run:
    """Two seconds of the system; what is fixed is taken as it is.

    Raises
    ------
    SpecError
        The parameters contradict each other.
    """
    params = settle(params, fixed(params))
    if params.ratelimit > params.timeslice:
        raise SpecError([Problem("ratelimit [ms]", params.ratelimit, f"at most the time slice, {params.timeslice} ms",
                                 "lower the ratelimit, or raise the time slice")])
    task = Task("io", wcet=ms(params.burst), period=ms(params.period))
    vms = [VM("task", tasks=[task], weight=params.weight, cap=params.cap),
           *(VM(f"hog{i}", tasks=[hog()], weight=params.hog_weight) for i in range(params.hogs))]
    scheduler = Credit(timeslice=ms(params.timeslice), ratelimit=ms(params.ratelimit), xen=params.xen)
    return simulate(System(vms=vms, costs=Costs() if params.costs == "none" else params.costs), scheduler, SIMULATED)


def waits_of(run: Run) -> np.ndarray:
    """Wake-up latencies of the task's VM; (n,) int64 [ns]."""
    wakeups = run.recording.wakeups
    return (wakeups["dispatched"] - wakeups["woken"])[wakeups["vcpu"] == 0]


def limits(run: Run) -> list[Limit]:
    """Waits that mean something: where a deadline is lost, and what two of the scheduler's rules allow."""
    task = run.system.vms[0].tasks[0]
    found = [Limit(f"time slice {format_ns(run.scheduler.timeslice)}", run.scheduler.timeslice)]
    if run.scheduler.ratelimit:
        found.append(Limit(f"ratelimit {format_ns(run.scheduler.ratelimit)}", run.scheduler.ratelimit))
    slack = task.deadline - task.wcet
    return [Limit(f"deadline lost beyond {format_ns(slack)}", slack, "miss"), *found] if slack >= 0 else found


class Scene:
    """The timeline with credits to pan and zoom, and the tail of the latencies below it."""

    def __init__(self) -> None:
        self.timeline = Timeline(view=[0.0, float(SHOWN)])
        self.tail = Tail()
        self.front = [self.timeline, self.tail]

    def update(self, run: Run) -> str:
        """Show a run; what it says, in a sentence."""
        self.run = run
        curves = [Curve(label["name"], label["meaning"], *points) for label, points in zip(vcpu_labels(run.system), credit_curves(run), strict=True)]
        full = 30 if run.scheduler.xen == "3.0.3" else run.scheduler.timeslice // 100_000
        low = min([-1.1 * full, *(curve.values.min() for curve in curves)])
        self.timeline.show(timeline_data(run), curves=curves, curve_label="credits", curve_range=(low, 1.1 * full),
                           curve_ticks=(-full, 0, full))
        waits = waits_of(run)
        self.tail.show(waits, name="the task's VM", limits=limits(run))
        jobs = run.recording.jobs
        late, mine = missed(jobs, run.duration), int(np.count_nonzero(jobs["task"] == 0))
        longest = short(int(waits.max())) if len(waits) else "0 ns"
        return f"{int(late.sum())} of {mine} deadlines missed in 2 s; the longest wait after a wake-up was {longest}."

    def figure(self) -> Figure:
        """Timeline, latencies and credits of the run that is shown."""
        with styled():
            figure = Figure(figsize=(12, 6.8))
            places = figure.subplot_mosaic([["time", "time"], ["tail", "credits"]], height_ratios=(1.2, 1))
            gantt(self.run, until=SHOWN, ax=places["time"])
            beyond = [limit for limit in limits(self.run) if limit.meaning == "miss"]
            ecdf({"task": waits_of(self.run)}, ax=places["tail"], xlabel="wake-up latency [ms]", miss=beyond[0].time if beyond else None)
            credits(self.run, until=SHOWN, ax=places["credits"])
        return figure


def explorer(**values: float | str) -> Explorer:
    """The explorer, starting from given parameters; SpecError in words where they cannot be run."""
    check_ranges(Params(), values)
    return Explorer(Params(**values), compute, Scene(), "A task that sleeps and computes shares one core with hogs under Xen's credit "
                    "scheduler. Move a slider (arrow keys work) and see when it runs, how long it waits, and its credits.", fixed)
