"""Explorer of one message's way: who held the core meanwhile, what the message waited for, and how the others fared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from html import escape
from typing import Any

import ipywidgets as widgets
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ..plots import styled
from ..plots.paths import CAUSE_LOOKS
from ..results import Run
from ..schedulers import RTDS, Credit, FixedPriority
from ..simulation import simulate
from ..system import VM, Arrivals, Costs, SplitDriver, System, Task, hog, run, submit
from ..system.devices import CAUSES
from ..units import ms, us
from .base import Explorer, Fixed, check_ranges, choice, settle, slider
from .packet_figure import draw_bars, draw_tail, draw_way
from .stacks import Bar, Key, Stacks
from .steps import rounded
from .tail import Tail, short
from .timeline import Timeline
from .timeline_data import KINDS, TimelineData, timeline_data
from .way import Way, around, way_of

SIMULATED, PERIOD = ms(1000), ms(10)
FEW = 50                                                    # messages under way are worth a word if they are more than one in so many
MODERATION, TOLD_OF, TIMEOUT = us(125), 4, us(500)          # round numbers: the hardware's, and those of who asks not to be told of each
PATHS = {"receive": ("net0.rx", "NIC", "packet"), "transmit": ("net0.tx", "wire", "packet"), "block read": ("disk0.read", "disk", "read")}
SCHEDULERS = {"credit": Credit(), "RTDS": RTDS(), "fixed priority": FixedPriority()}
WAITS = {"dom0 and modem": (), "the modem only": ("driver_wait",), "dom0 only": ("frontend_wait",), "nobody": ("driver_wait", "frontend_wait")}
SWITCHES = ("batching", "suppression", "moderation")
CALLED = {"cost": "work for it", "driver_wait": "dom0 waits for the core", "frontend_wait": "the modem waits for the core",
          "batching": "batching and queueing", "suppression": "not told yet", "shared": "other work in these VMs",
          "moderation": "interrupt moderation", "ring": "ring full"}
KEYS = {cause: Key.like(CALLED[cause], look) for cause, look in CAUSE_LOOKS.items()}


@dataclass(frozen=True)
class Params:
    """What can be moved."""

    path: str = choice("receive", list(PATHS), "path")
    scheduler: str = choice("credit", list(SCHEDULERS), "scheduler of the VMs")
    rank: float = slider(99.0, 0.0, 100.0, 0.1, "message: slower than [%]")
    rate: float = slider(2.0, 0.1, 10.0, 0.1, "messages [1000/s]")
    hogs: int = slider(2, 0, 5, 1, "number of hogs")
    own: int = slider(20, 0, 60, 5, "dom0's own work [%]")
    weight: int = slider(256, 32, 2048, 32, "credit: dom0's weight")
    budget: float = slider(2.0, 0.5, 7.5, 0.1, "RTDS: dom0 / 10 ms [ms]")
    waits: str = choice("dom0 and modem", list(WAITS), "who waits for the core")
    batching: str = choice("on", ["on", "off"], "batching")
    suppression: str = choice("on", ["on", "off"], "suppression")
    moderation: str = choice("on", ["on", "off"], "moderation")


def fixed(params: Params) -> dict[str, Fixed]:
    """What cannot be moved beside the other parameters, and why."""
    found = {}
    if params.scheduler != "credit":
        found["weight"] = Fixed(256, f"{params.scheduler} knows no weights")
    if params.scheduler != "RTDS":
        found["budget"] = Fixed(2.0, f"{params.scheduler} knows no budgets")
    if params.path == "transmit":
        found["moderation"] = Fixed("on", "it comes after delivery")
    return found


def device(params: Params) -> SplitDriver:
    """The device of a path, with what is switched off left out.

    Network costs are those of `SplitDriver`; what the block device's are is not known, and 10 us and 80 us of a disk are round numbers.
    """
    off = (*WAITS[params.waits], *(cause for cause in SWITCHES if getattr(params, cause) == "off"))
    common: dict[str, Any] = {"driver": "dom0", "frontend": "modem", "moderation": MODERATION, "timeout": TIMEOUT}
    if params.path == "receive":
        found = SplitDriver("net0", rx=Arrivals(every(params), arrival="poisson"), into="work", front_after=TOLD_OF, **common)
    elif params.path == "transmit":
        found = SplitDriver("net0", rx=None, device=us(12), back_after=TOLD_OF, **common)          # 1500 bytes at 1 Gb/s
    else:
        found = SplitDriver("disk0", kind="block", serve=us(10), complete=us(10), receive=us(10), device=us(80), front_after=TOLD_OF, **common)
    return found.without(*off)


def every(params: Params) -> int:
    """Mean distance of messages [ns]."""
    return round(1e6 / params.rate)


def system(params: Params) -> System:
    """Hogs, a modem, and dom0 with a device and some work of its own, on one core; on top the modem, whose task gets or sends messages."""
    work = {"wcet": us(20), "arrival": "channel"} if params.path == "receive" else \
        {"period": every(params), "arrival": "poisson", "actions": [run(us(20)), submit(PATHS[params.path][0])]}
    own = [Task("own", wcet=params.own * PERIOD // 100, period=PERIOD)] if params.own else []
    left = PERIOD - ms(params.budget) - ms(2)
    hogs = [VM(f"hog{k}", tasks=[hog()], budget=left // params.hogs, period=PERIOD, priority=3 + k) for k in range(params.hogs)]
    modem = VM("modem", tasks=[Task("work", deadline=ms(5), **work)], budget=ms(2), period=PERIOD, priority=2)
    dom0 = VM("dom0", control=True, tasks=own, weight=params.weight, budget=ms(params.budget), period=PERIOD, priority=1)
    return System(vms=[*hogs, modem, dom0], devices=[device(params)], costs=Costs.preset("xen-4.5-pv"))


@dataclass(frozen=True)
class Ran:
    """A run: messages that were delivered, fastest first; how many were lost, and were still on their way; who ran when."""

    run: Run
    table: pd.DataFrame
    lost: int
    underway: int
    timeline: TimelineData


@lru_cache(maxsize=8)
def ran(params: Params) -> Ran:
    """The system, run for a second; kept, because the reader looks at many messages of it."""
    done = simulate(system(params), SCHEDULERS[params.scheduler], SIMULATED)
    table = done.paths[PATHS[params.path][0]]
    lost, total = table["dropped"].to_numpy() != "", table["total"].to_numpy()
    arrived = np.flatnonzero(total >= 0)
    shown = timeline_data(done)
    boosts = shown.columns["mark_kind"] == KINDS.index("boost")          # of the markers these: jobs are not the subject
    columns = {name: values[boosts] if name.startswith("mark_") else values for name, values in shown.columns.items()}
    return Ran(done, table.iloc[arrived[np.argsort(total[arrived], kind="stable")]], int(lost.sum()), int(((total < 0) & ~lost).sum()),
               replace(shown, columns=columns))


@dataclass(frozen=True)
class Found:
    """A run, and the message that is looked at; None if none was delivered."""

    params: Params
    ran: Ran
    picked: pd.Series | None
    way: Way | None

    @property
    def totals(self) -> np.ndarray:
        """Latencies, ascending; (n,) int64 [ns]."""
        return self.ran.table["total"].to_numpy()

    @property
    def noun(self) -> str:
        """What a message is."""
        return PATHS[self.params.path][2]


def compute(params: Params) -> Found:
    """A second of the system, and the message of this rank; what is fixed is taken as it is."""
    params = settle(params, fixed(params))
    done = ran(replace(params, rank=99.0))
    name, hardware, _ = PATHS[params.path]
    if not len(done.table):
        return Found(params, done, None, None)
    picked = done.table.iloc[round(params.rank / 100 * (len(done.table) - 1))]
    return Found(params, done, picked, way_of(done.run, name, picked, hardware))


def rank_of(found: Found, total: float) -> float:
    """Rank of the message that took so long [ns], in percent."""
    last = max(1, len(found.totals) - 1)
    return round(100 * min(int(np.searchsorted(found.totals, total)), last) / last, 4)


def sentence(found: Found) -> str:
    """The message, its longest waits, and what became of the others."""
    lost = f" {found.ran.lost:,} more were lost." if found.ran.lost else ""
    late = f" {found.ran.underway:,} are still on their way at the end." if found.ran.underway > len(found.totals) / FEW else ""
    if found.picked is None:
        return f"Not one {found.noun} was delivered in a second.{lost}{late}"
    faster = 100 * np.mean(found.totals < found.picked["total"])
    causes = sorted(((int(found.picked[cause]), KEYS[cause].name) for cause in CAUSES), reverse=True)
    parts = ", ".join(f"{name} {short(time)}" for time, name in causes[:3] if time)
    return f"This {found.noun} took {short(int(found.picked['total']))}, longer than {faster:.1f} % of {len(found.totals):,}: {parts}.{lost}{late}"


def steps(way: Way) -> str:
    """The stages, by the numbers in the picture, in HTML."""
    return " &nbsp; ".join(f"<b>{k} {escape(step.name)}</b> ({escape(step.where)}) {short(step.end - step.start)}"
                           for k, step in enumerate(way.steps, 1))


def means(found: Found) -> Mapping[str, Mapping[str, float]]:
    """Causes [ns] of the message, and on average of all and of the slowest 1 %."""
    if found.picked is None:
        return {}
    slowest = found.ran.table.iloc[-max(1, len(found.totals) // 100):]
    return {f"this {found.noun}": {cause: float(found.picked[cause]) for cause in CAUSES},
            f"mean of all {len(found.totals):,}": {cause: float(found.ran.table[cause].mean()) for cause in CAUSES},
            f"mean of the slowest {len(slowest):,}": {cause: float(slowest[cause].mean()) for cause in CAUSES}}


class Scene:
    """The timeline with the message's way; below it what it waited for, and the latencies of all, to pick one."""

    def __init__(self) -> None:
        self.timeline, self.stacks, self.tail = Timeline(), Stacks(), Tail()
        self.steps = widgets.HTML().add_class("rtvirt-head")
        below = widgets.GridBox([self.stacks, self.tail], layout=widgets.Layout(grid_template_columns="repeat(auto-fit, minmax(400px, 1fr))",
                                                                                grid_gap="0 16px", width="100%"))
        self.front: list[widgets.Widget] = [self.timeline, self.steps, below]

    def update(self, found: Found) -> str:
        """Show a message of a run; what it says, in a sentence."""
        self.found, text = found, sentence(found)
        with self.timeline.hold_sync():
            if found.way is not None:
                self.timeline.view = around(found.way)
            self.timeline.show(found.ran.timeline, way=found.way)
        self.steps.value = steps(found.way) if found.way is not None else ""
        bars = [Bar(name, tuple(time / 1e6 for time in causes.values()), short(round(sum(causes.values())))) for name, causes in means(found).items()]
        most = rounded(1e6 * max((sum(bar.pieces) for bar in bars), default=1.0), 1e3) / 1e6
        self.stacks.show(bars, list(KEYS.values()), most=most, least=0.0, axis="time from its first instant to delivery [ms]")
        self.tail.show(found.totals, name=f"{PATHS[found.params.path][0]}, all {found.noun}s of a second", what="Latency", verb="take longer",
                       none=f"no {found.noun} was delivered", picked=None if found.picked is None else int(found.picked["total"]))
        return text

    def figure(self) -> Figure:
        """The same, for print."""
        with styled():
            figure = Figure(figsize=(12, 8.6))
            places = figure.subplot_mosaic([["way", "way"], ["bars", "tail"]], height_ratios=(1.5, 1))
            if self.found.way is not None:
                draw_way(places["way"], self.found.ran.run, self.found.way, around(self.found.way))
                draw_bars(places["bars"], means(self.found), KEYS)
                draw_tail(places["tail"], self.found.totals, int(self.found.picked["total"]), self.found.noun)
        return figure


def explorer(**values: float | str) -> Explorer:
    """The explorer, starting from given parameters; SpecError in words where they cannot be run."""
    check_ranges(Params(), values)
    scene = Scene()
    made = Explorer(Params(**values), compute, scene, "One message on its way through VMs that share a core: above, who runs and where the "
                    "message is; below, what it waited for. Choose another by its slider, or in the curve by click or arrow keys. "
                    "Switch off what makes it wait, cause by cause.", fixed)

    def choose(change: Mapping[str, Any]) -> None:
        made.controls["rank"].value = rank_of(scene.found, change["new"])

    scene.tail.observe(choose, names="chosen")
    return made
