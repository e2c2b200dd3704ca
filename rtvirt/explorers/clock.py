"""Explorer of virtual time: a guest's clock against the world's, while the VM is there and while it is not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from ..plots import gantt, styled
from ..plots.style import COLOURS
from ..results import Run
from ..schedulers import RTDS, Credit
from ..simulation import simulate
from ..system import VM, System, Task, hog
from ..traps.clock import POLICIES, GuestTime, guest_time, own_period
from ..units import ms
from .base import Explorer, Fixed, check_ranges, choice, settle, slider
from .tail import short
from .timeline import Timeline
from .timeline_data import Curve, timeline_data

SHOWN, SIMULATED = ms(300), ms(3000)
SCHEDULERS = ["credit", "RTDS"]


@dataclass(frozen=True)
class Params:
    """What can be moved."""

    scheduler: str = choice("credit", SCHEDULERS, "scheduler of the VMs")
    hogs: int = slider(2, 0, 4, 1, "hogs beside the guest")
    budget: float = slider(3.0, 0.5, 20.0, 0.5, "RTDS: its budget [ms]")
    period: int = slider(10, 2, 40, 1, "RTDS: period [ms]")
    tick: int = slider(10, 1, 20, 1, "its tick period [ms]")
    policy: str = choice("lost", list(POLICIES), "ticks missed are")
    busy: str = choice("yes", ["yes", "no"], "always busy")


def fixed(params: Params) -> dict[str, Fixed]:
    """Credit knows no budgets."""
    return {name: Fixed(default, "credit knows weights only") for name, default in (("budget", 3.0), ("period", 10))} \
        if params.scheduler == "credit" else {}


def ends(params: Params) -> dict[str, float]:
    """A budget is at most its period."""
    return {"budget": float(params.period)}


@dataclass(frozen=True)
class Found:
    """The run, the guest's time, and the period its control task measures: really, and by the guest's clock; (n,) int64 [ns]."""

    params: Params
    run: Run
    time: GuestTime
    real: np.ndarray
    seen: np.ndarray


def compute(params: Params) -> Found:
    """Three seconds of a guest with a control task of 1 ms in every 20 ms, beside hogs.

    Raises
    ------
    SpecError
        The parameters contradict each other.
    """
    params = settle(params, fixed(params))
    tasks = [Task("control", wcet=ms(1), period=ms(20)), *([hog()] if params.busy == "yes" else [])]
    contract = {} if params.scheduler == "credit" else {"budget": ms(params.budget), "period": ms(params.period)}
    others = {} if params.scheduler == "credit" else {"budget": ms(4), "period": ms(10)}
    vms = [VM("guest", tasks=tasks, **contract), *(VM(f"hog{k}", tasks=[hog()], **others) for k in range(params.hogs))]
    run = simulate(System(vms=vms), Credit() if params.scheduler == "credit" else RTDS(), SIMULATED)
    time = guest_time(run, "guest", period=ms(params.tick), policy=params.policy)
    return Found(params, run, time, own_period(run, "guest", "control"), own_period(run, "guest", "control", time))


def error(time: GuestTime, until: int = SIMULATED) -> tuple[np.ndarray, np.ndarray]:
    """How far the guest's clock is off, as corners of a line: times (n,) [ns], error (n,) [ms].

    A clock that is read is read while the guest runs; until then the guest goes by what it read last.
    """
    if time.policy == "paravirtual":
        at = np.stack([time.starts, time.starts, time.ends], axis=1).ravel()
        away = time.starts - np.concatenate([[0], time.ends[:-1]])
        off = np.stack([-away, np.zeros_like(away), np.zeros_like(away)], axis=1).ravel()
    else:
        at = np.repeat(time.delivered, 2)
        counted = np.arange(1, len(time.delivered) + 1) * time.period
        off = np.stack([counted - time.period - time.delivered, counted - time.delivered], axis=1).ravel()
    kept = at <= until
    running = time.policy == "paravirtual" and bool(((time.starts <= until) & (until < time.ends)).any())
    corner, was = (at[kept][-1], off[kept][-1]) if kept.any() else (0, 0)
    last = 0 if running else was - (until - corner)
    return np.concatenate([[0], at[kept], [until]]), np.concatenate([[0], off[kept], [last]]) / 1e6


def sentence(found: Found) -> str:
    """What the picture says."""
    time, off = found.time, abs(found.time.drift)
    clock = f"The guest's clock is right when it is read, and {short(round(-1e6 * error(time)[1].min()))} old at most" \
        if time.policy == "paravirtual" else f"After 3 s the guest's clock has lost {short(round(off * found.run.duration))}"
    worst = f"its 20 ms period was {span(found.real)} in the world"
    return f"{clock}; {worst}, and {span(found.seen)} by the guest's clock." if len(found.real) else f"{clock}; its task never ran twice."


def span(periods: np.ndarray) -> str:
    """Shortest to longest."""
    low, high = int(periods.min()), int(periods.max())
    return short(low) if low == high else f"{short(low)} to {short(high)}"


class Scene:
    """Who runs, and below it the error of the guest's clock."""

    def __init__(self) -> None:
        self.timeline = Timeline(view=[0.0, float(SHOWN)])
        self.front = [self.timeline]

    def update(self, found: Found) -> str:
        """Show a run; what it says, in a sentence."""
        self.found = found
        times, off = error(found.time)
        low = min(-10.0, float(off[times <= SHOWN].min()) if len(off) else 0.0)
        curve = Curve("the guest's clock, beside the true one", "real-time", times, off)
        self.timeline.show(timeline_data(found.run), curves=[curve], curve_label="error [ms]", curve_range=(1.1 * low, max(1.0, -0.1 * low)),
                           curve_ticks=(round(low), 0))
        return sentence(found)

    def figure(self) -> Figure:
        """The same, for print."""
        with styled():
            figure = Figure(figsize=(12, 5.6))
            above, below = figure.subplots(2, 1, sharex=True, height_ratios=(1.2, 1))
            gantt(self.found.run, until=SHOWN, ax=above).set_xlabel("")
            times, off = error(self.found.time, SHOWN)
            below.plot(times / 1e6, off, color=COLOURS["real-time"], label="the guest's clock")
            below.axhline(0, color=COLOURS["bound"], linestyle="--", linewidth=1, label="true time")
            below.set(xlabel="true time [ms]", ylabel="clock error [ms]")
            below.legend(loc="lower left")
        return figure


def explorer(**values: float | str) -> Explorer:
    """The explorer, starting from given parameters; SpecError in words where they cannot be run."""
    check_ranges(Params(), values)
    return Explorer(Params(**values), compute, Scene(), "A guest counts ticks to know the time, on a core that it shares. Above, who runs; below, "
                    "how far the guest's clock is off. Move a slider (arrow keys work), and ask whether the guest could know.", fixed, ends)
