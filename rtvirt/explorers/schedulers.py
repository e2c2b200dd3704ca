"""Explorer of two schedulers: the same phone under both, their timelines moved together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any
from uuid import uuid4

import ipywidgets as widgets
import numpy as np
from matplotlib.figure import Figure

from ..plots import gantt, styled
from ..results import Run
from ..schedulers import ARINC653, RTDS, SEDF, Credit, Credit2, FixedPriority, RoundRobin
from ..simulation import simulate
from ..system import VM, System, Task, hog
from ..units import ms
from .base import Explorer, Fixed, check_ranges, choice, settle, slider
from .tail import short
from .timeline import Timeline
from .timeline_data import missed, timeline_data

SHOWN, SIMULATED = ms(100), ms(2000)


def table(system: System) -> ARINC653:
    """A frame as long as the modem's period: its budget first, then the rest for the hogs in equal windows."""
    modem, *hogs = system.vms
    rest = (modem.period - modem.budget) // max(1, len(hogs))
    return ARINC653([("modem", 0, modem.budget), *((vm.name, 0, rest) for vm in hogs if rest)], major_frame=modem.period)


SCHEDULERS: dict[str, Callable[[System], Any]] = {
    "credit": lambda system: Credit(),
    "RTDS": lambda system: RTDS(),
    "SEDF": lambda system: SEDF(),
    "ARINC 653": table,
    "fixed priority": lambda system: FixedPriority(),
    "round robin": lambda system: RoundRobin(ms(10)),
    "credit2": lambda system: Credit2(),
}
RESERVE = ("RTDS", "SEDF", "ARINC 653")             # those that look at budgets


@dataclass(frozen=True)
class Params:
    """What can be moved."""

    left: str = choice("credit", list(SCHEDULERS), "above")
    right: str = choice("RTDS", list(SCHEDULERS), "below")
    wcet: float = slider(0.3, 0.1, 4.0, 0.1, "a slot takes [ms]")
    every: int = slider(5, 2, 40, 1, "a slot every [ms]")
    decode: float = slider(6.0, 0.0, 12.0, 0.5, "decoding takes [ms]")
    budget: float = slider(2.0, 0.1, 20.0, 0.1, "modem's budget [ms]")
    period: int = slider(4, 1, 20, 1, "modem's period [ms]")
    hogs: int = slider(2, 0, 5, 1, "number of hogs")
    hog_budget: float = slider(2.5, 0.5, 10.0, 0.5, "a hog's budget / 10 ms")
    extratime: str = choice("nobody", ["nobody", "hogs", "all"], "extratime for")


def fixed(params: Params) -> dict[str, Fixed]:
    """What cannot be moved beside the other parameters, and why."""
    found = {}
    if not {params.left, params.right} & {"RTDS", "SEDF"}:
        found |= {"hog_budget": Fixed(2.5, "neither scheduler knows it"), "extratime": Fixed("nobody", "neither scheduler knows it")}
    if params.left not in RESERVE and params.right not in RESERVE:
        found |= {"budget": Fixed(2.0, "neither scheduler knows it"), "period": Fixed(4, "neither scheduler knows it")}
    if params.hogs == 0:
        found |= {"hog_budget": Fixed(2.5, "there are no hogs")}
    return found


def ends(params: Params) -> dict[str, float]:
    """A budget is at most its period."""
    return {"budget": float(params.period)}


def system(params: Params) -> System:
    """A modem with a slot and some decoding, which has no deadline, beside hogs."""
    tasks = [Task("slot", wcet=ms(params.wcet), period=ms(params.every), priority=1)]
    if params.decode:
        tasks.append(Task("decode", wcet=ms(params.decode), period=ms(40), arrival="poisson", priority=2))
    modem = VM("modem", tasks=tasks, budget=ms(params.budget), period=ms(params.period), priority=1, extratime=params.extratime == "all")
    hogs = [VM(f"hog{i}", tasks=[hog()], budget=ms(params.hog_budget), period=ms(10), priority=2 + i, extratime=params.extratime != "nobody")
            for i in range(params.hogs)]
    return System(vms=[modem, *hogs])


def compute(params: Params) -> dict[str, Run]:
    """Two seconds of the system under both schedulers; what is fixed is taken as it is."""
    params = settle(params, fixed(params))
    phone = system(params)
    return {side: simulate(phone, SCHEDULERS[getattr(params, side)](phone), SIMULATED) for side in ("left", "right")}


@dataclass(frozen=True)
class Outcome:
    """What became of the slots of a run: how many, how many late, the worst response [ns], and whether that one still waits."""

    slots: int
    late: int
    worst: int
    waits: bool

    def __str__(self) -> str:
        many = "no deadline is" if not self.late else f"{self.late} of {self.slots} deadlines {'is' if self.late == 1 else 'are'}"
        return f"{many} missed, worst response {'over ' if self.waits else ''}{short(self.worst)}"


def outcome(run: Run) -> Outcome:
    """Misses and worst response of the slot; one that never finished has waited until the end at least."""
    jobs = run.recording.jobs
    mine = {name: column[jobs["task"] == 0] for name, column in jobs.items()}
    response = np.where(mine["finish"] >= 0, mine["finish"], run.duration) - mine["release"]
    worst = int(response.argmax())
    return Outcome(len(response), int(missed(mine, run.duration).sum()), int(response[worst]), bool(mine["finish"][worst] < 0))


class Scene:
    """Two timelines that are panned and zoomed together, each below its scheduler's name and outcome."""

    def __init__(self) -> None:
        group = uuid4().hex
        self.heads = {side: widgets.HTML().add_class("rtvirt-head") for side in ("left", "right")}
        self.timelines = {side: Timeline(view=[0.0, float(SHOWN)], linked=group) for side in ("left", "right")}
        self.front = [part for side in ("left", "right") for part in (self.heads[side], self.timelines[side])]

    def update(self, runs: dict[str, Run]) -> str:
        """Show two runs; what they say, in a sentence."""
        self.runs = runs
        said = {side: f"{name_of(run)}: {outcome(run)}" for side, run in runs.items()}
        for side, run in runs.items():
            self.timelines[side].show(timeline_data(run))
            self.heads[side].value = f"<b>{escape(name_of(run))}</b>: {escape(str(outcome(run)))}"
        return f"{said['left']}. {said['right']}."

    def figure(self) -> Figure:
        """Both timelines, one below the other."""
        with styled():
            figure = Figure(figsize=(12, 6.8))
            axes = figure.subplots(2, 1, sharex=True)
            start = first_seen(self.runs)
            for ax, run in zip(axes, self.runs.values(), strict=True):
                gantt(run, start=start, until=start + SHOWN, ax=ax)
                ax.set_title(f"{name_of(run)}: {outcome(run)}", loc="left")
            axes[0].set_xlabel("")
        return figure


def first_seen(runs: dict[str, Run]) -> int:
    """Where a picture begins that has the first miss of all in its middle, or else the beginning of the run [ns]."""
    times = [int(run.recording.jobs["deadline"][late].min()) for run in runs.values() if (late := missed(run.recording.jobs, run.duration)).any()]
    return min(max(0, min(times) - SHOWN // 2), SIMULATED - SHOWN) if times else 0


def name_of(run: Run) -> str:
    """The scheduler of a run, as the list names it."""
    return next(name for name, make in SCHEDULERS.items() if type(make(run.system)) is type(run.scheduler))


def explorer(**values: float | str) -> Explorer:
    """The explorer, starting from given parameters; SpecError in words where they cannot be run."""
    check_ranges(Params(), values)
    return Explorer(Params(**values), compute, Scene(), "One phone, two schedulers. Choose them from the lists, move a slider (arrow keys work), "
                    "pan and zoom either timeline: the other follows. ✕ ▶ goes to the next missed deadline.", fixed, ends)
