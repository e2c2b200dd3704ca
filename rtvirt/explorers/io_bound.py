"""Explorer of a promise for I/O: the bound of a path through a reserved driver VM, beside the latencies that are simulated."""

from __future__ import annotations

from dataclasses import dataclass
from re import sub

import ipywidgets as widgets
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ..analysis import PathBound, path_bound
from ..plots import ecdf, styled
from ..results import Run
from ..schedulers import RTDS, Credit
from ..simulation import simulate
from ..system import VM, Arrivals, Costs, SplitDriver, System, Task, hog
from ..units import ms, us
from .base import Explorer, Fixed, check_ranges, choice, settle, slider
from .packet_figure import draw_bars
from .stacks import Bar, Key, Stacks
from .steps import rounded
from .tail import Limit, Tail, short

SIMULATED = ms(2000)
PATH = "net0.rx"
SCHEDULERS = {"RTDS": RTDS(), "credit": Credit()}
TOLD_OF = 4                # the front end asks to be told of the 4th packet, where there is a timeout
KEYS = {"nic": Key("dom0: the NIC's interrupt", "#009E73", "dots"), "netback": Key("dom0: back end", "#009E73", "diagonal"),
        "netfront": Key("modem: front end", "#0072B2", "upright"), "app": Key("modem: its task", "#0072B2", "none")}


@dataclass(frozen=True)
class Params:
    """What can be moved."""

    scheduler: str = choice("RTDS", list(SCHEDULERS), "scheduler of the VMs")
    driver_budget: float = slider(2.0, 0.1, 10.0, 0.1, "dom0's budget [ms]")
    driver_period: int = slider(10, 1, 20, 1, "dom0's period [ms]")
    front_budget: float = slider(2.0, 0.1, 10.0, 0.1, "the modem's budget [ms]")
    front_period: int = slider(10, 1, 20, 1, "the modem's period [ms]")
    timeout: int = slider(0, 0, 5000, 100, "told after at most [µs]")
    distance: int = slider(1000, 100, 5000, 100, "packets apart at least [µs]")
    hogs: int = slider(2, 0, 5, 1, "number of hogs")
    share: int = slider(40, 5, 90, 5, "RTDS: theirs together [%]")
    busy: str = choice("yes", ["yes", "no"], "both also compute")


def fixed(params: Params) -> dict[str, Fixed]:
    """Credit knows no budgets."""
    found = {}
    if params.scheduler == "credit":
        budgets = {"driver_budget": 2.0, "driver_period": 10, "front_budget": 2.0, "front_period": 10, "share": 40}
        found |= {name: Fixed(value, "credit knows weights only") for name, value in budgets.items()}
    elif params.hogs == 0:
        found["share"] = Fixed(40, "there are no hogs")
    return found


def ends(params: Params) -> dict[str, float]:
    """A budget is at most its period."""
    return {"driver_budget": float(min(10, params.driver_period)), "front_budget": float(min(10, params.front_period))}


def system(params: Params) -> System:
    """A modem that gets packets through dom0, and hogs, on one core. Who also computes uses up its budget as early as it can: the worst for packets.

    Packets come at random, but never nearer than their distance; costs are those of `SplitDriver`.
    """
    waiting = {"front_after": TOLD_OF, "timeout": us(params.timeout)} if params.timeout else {}
    net0 = SplitDriver("net0", driver="dom0", frontend="modem", rx=Arrivals(us(params.distance), arrival="sporadic"), into="work", **waiting)
    more = [hog()] if params.busy == "yes" else []
    modem = VM("modem", tasks=[Task("work", wcet=us(20), arrival="channel", deadline=ms(100)), *more], budget=ms(params.front_budget),
               period=ms(params.front_period))
    dom0 = VM("dom0", control=True, tasks=more, budget=ms(params.driver_budget), period=ms(params.driver_period))
    frame = ms(params.driver_period)
    hogs = [VM(f"hog{k}", tasks=[hog()], budget=frame * params.share // (100 * params.hogs), period=frame) for k in range(params.hogs)]
    return System(vms=[*hogs, modem, dom0], devices=[net0], costs=Costs.preset("xen-4.5-pv"))


@dataclass(frozen=True)
class Found:
    """The bound, a run, and its messages that were delivered; how long the oldest of the others has waited at the end [ns]."""

    params: Params
    bound: PathBound
    run: Run
    table: pd.DataFrame
    waits: int

    @property
    def totals(self) -> np.ndarray:
        """Latencies; (n,) int64 [ns]."""
        return self.table["total"].to_numpy()

    @property
    def worst(self) -> pd.Series | None:
        """The slowest message."""
        return self.table.iloc[int(self.totals.argmax())] if len(self.table) else None


def compute(params: Params) -> Found:
    """Bound by analysis, latencies by simulation, of the same system; what is fixed is taken as it is.

    Raises
    ------
    SpecError
        A budget is beyond its period.
    """
    params = settle(params, fixed(params))
    asked, scheduler = system(params), SCHEDULERS[params.scheduler]
    run = simulate(asked, scheduler, SIMULATED)
    table = run.paths[PATH]
    delivered, came = table["total"].to_numpy() >= 0, table["nic.in"].to_numpy()
    return Found(params, path_bound(asked, scheduler, PATH), run, table[delivered], int((SIMULATED - came[~delivered]).max(initial=0)))


def why(found: Found) -> str:
    """Why there is no bound, in the analysis's words; what it refers to in the documentation is left to ``bound.why()``."""
    said = " ".join(found.bound.reason.partition(" (docs/")[0].split()).replace("/0", "")
    return sub(r"(\d) us\b", r"\1 µs", said).rstrip(".:")


def sentence(found: Found) -> str:
    """Bound beside the worst that was seen."""
    worst = None if found.worst is None else int(found.worst["total"])
    seen = "not one packet was delivered" if worst is None else f"the slowest of {len(found.totals):,} took {short(worst)}"
    late = f"; one that is not there yet has waited {short(found.waits)}" if found.waits > (worst or 0) else ""
    if found.bound.total is None:
        return f"No bound: {why(found)}. In the simulation {seen}{late}."
    tight = "" if worst is None else f": the bound is {found.bound.total / worst:.2f} times that"
    return f"No packet takes longer than {short(found.bound.total)}, whatever the hogs do. In the simulation {seen}{tight}{late}."


def bars(found: Found) -> dict[str, dict[str, float]]:
    """Time [ns] in each stage of the slowest message; longest that any message was in each; the bounds of single stages.

    These add up to more than the path's bound, which counts a wait for one vCPU once for stages in a row.
    """
    if found.worst is None:
        return {}
    stays = {name: found.table[f"{name}.out"] - found.table[f"{name}.in"] for name in KEYS}
    made = {"the slowest packet": {name: float(stays[name].loc[found.worst.name]) for name in KEYS},
            "longest in each stage, by different packets": {name: float(stays[name].max()) for name in KEYS}}
    single = {stage.name: stage.bound for stage in found.bound.stages}
    if found.bound and None not in single.values():
        made["each stage's own bound, added up"] = {name: float(single[name] or 0) for name in KEYS}
    return made


class Scene:
    """Latencies with the bound, and where the slowest message was."""

    def __init__(self) -> None:
        self.tail, self.stacks = Tail(), Stacks()
        self.front: list[widgets.Widget] = [widgets.GridBox([self.tail, self.stacks], layout=widgets.Layout(
            grid_template_columns="repeat(auto-fit, minmax(400px, 1fr))", grid_gap="0 16px", width="100%"))]

    def update(self, found: Found) -> str:
        """Show bound and latencies; what they say, in a sentence."""
        self.found = found
        limits = [Limit(f"bound {short(found.bound.total)}", found.bound.total, "bound")] if found.bound.total is not None else []
        self.tail.show(found.totals, name=PATH, limits=limits, what="Latency", verb="take longer", none="no packet was delivered")
        made = bars(found)
        drawn = [Bar(name, tuple(time / 1e6 for time in each.values()), short(round(sum(each.values())))) for name, each in made.items()]
        most = rounded(1e6 * max((sum(bar.pieces) for bar in drawn), default=1.0), 1e3) / 1e6
        self.stacks.show(drawn, list(KEYS.values()), most=most, least=0.0, axis="time in each stage [ms]")
        return sentence(found)

    def figure(self) -> Figure:
        """The same, for print."""
        with styled():
            figure = Figure(figsize=(12, 5.4))
            left, right = figure.subplots(1, 2)
            bound = self.found.bound.total
            ecdf({"packets": self.found.totals}, ax=left, xlabel="latency [ms]", bound=bound)
            if bound is None:
                left.set_title(f"no bound under {self.found.params.scheduler}", loc="left")
            draw_bars(right, bars(self.found), KEYS, "time in each stage [ms]")
        return figure


def explorer(**values: float | str) -> Explorer:
    """The explorer, starting from given parameters; SpecError in words where they cannot be run."""
    check_ranges(Params(), values)
    return Explorer(Params(**values), compute, Scene(), "What can be promised to packets on their way through a driver VM (black, dashed), and "
                    "what a simulation of the same system sees (blue). Move a slider (arrow keys work); then let credit keep the promise.",
                    fixed, ends)
