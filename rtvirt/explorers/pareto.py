"""Explorer of what a shorter latency costs: contracts of one task, their Pareto front, and a simulation of the chosen one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ipywidgets as widgets
import numpy as np
from matplotlib.figure import Figure

from ..errors import Problem, SpecError
from ..plots import COLOURS, styled
from ..schedulers import ARINC653, PeriodicServers, PollingServers
from ..simulation import simulate
from ..sweeps.studies.fronts import KINDS, Contracts, bounds, contracts, pareto
from ..system import VM, Costs, System, Task, hog
from ..units import ms, us
from .base import Explorer, check_ranges, choice, slider
from .front import Front
from .steps import rounded
from .tail import short

SIMULATED = ms(1000)
BUDGETS = 48              # for each period of the grid
SHOWN = 0.06              # beyond the deadline, of it


@dataclass(frozen=True)
class Params:
    """What can be moved."""

    period: float = slider(2.0, 0.2, 20.0, 0.1, "period of the budget [ms]")
    share: float = slider(30.0, 0.5, 99.0, 0.5, "share of the chip [%]")
    wcet: float = slider(1.0, 0.1, 10.0, 0.1, "the task's demand [ms]")
    every: int = slider(20, 2, 50, 1, "it comes every [ms]")
    deadline: int = slider(12, 1, 50, 1, "its deadline [ms]")
    switch: int = slider(20, 0, 100, 5, "a switch costs [µs]")
    kind: str = choice("periodic", list(KINDS), "kind of server")


def ends(params: Params) -> dict[str, float]:
    """A deadline is at most the period, a demand at most the deadline."""
    deadline = min(params.deadline, params.every)
    return {"deadline": params.every, "wcet": float(min(10, deadline))}


@dataclass(frozen=True)
class Found:
    """All contracts, the front among them, the chosen one's budget and bound (-1: none), and the longest response seen [ns] (-1: nothing)."""

    params: Params
    grid: Contracts
    front: np.ndarray
    budget: int
    bound: int
    seen: int

    @property
    def better(self) -> int | None:
        """Row of the cheapest contract of the grid that promises no less; None if there is no cheaper one."""
        limit = self.bound if self.bound >= 0 else ms(self.params.deadline)
        rows = [int(i) for i in self.front if self.grid.bound[i] <= limit and 100 * self.grid.share[i] < self.params.share]
        return rows[-1] if rows else None


def host(kind: str, period: int, budget: int, task: Task, switch: int) -> tuple[System, Any]:
    """The chosen contract beside a VM that takes all the rest: in the same frame, or in a longer period, so that phases drift.

    Nobody buys a rest that is over before the switch to it is: such a window would hold the pCPU longer than it lasts, so the VM keeps it.
    """
    frame = period if kind == "fixed slot" else period * 3 // 2
    left = frame - -(-(budget + switch) * frame // period)
    rest = [VM("rest", tasks=[hog()], budget=left, period=frame, priority=2)] if left > switch else []
    vm = VM("vm", tasks=[task], budget=budget + switch if rest else period, period=period, priority=1)
    system = System(vms=[vm, *rest], costs=Costs(context_switch=switch))
    if kind == "fixed slot":
        return system, ARINC653([(one.name, 0, one.budget) for one in system.vms], major_frame=period)
    return system, PollingServers(order="edf") if kind == "polling" else PeriodicServers(order="edf")


def compute(params: Params) -> Found:
    """The grid of contracts, its front, the chosen contract's bound, and a run of it.

    Raises
    ------
    SpecError
        A share that is used up by the switch.
    """
    period, switch, wcet, every, deadline = (ms(params.period), us(params.switch), ms(params.wcet), ms(params.every), ms(params.deadline))
    grid = contracts(params.kind, wcet, every, deadline, switch=switch, steps=BUDGETS)
    budget = round(params.share * period) // 100 - switch
    if budget <= 0:
        raise SpecError([Problem("share", params.share, f"more than {100 * switch / period:.1f} %, which the switch takes in each period",
                                 "sell more, or a longer period")])
    bound = int(bounds(params.kind, wcet + switch, np.array([period]), np.array([budget]))[0])
    task = Task("task", wcet=wcet, period=every, deadline=deadline, arrival="sporadic")
    run = simulate(*host(params.kind, period, budget, task, switch), SIMULATED, record="summary")
    seen = int(run.tasks.loc[("vm", "task"), "response_max"])
    return Found(params, grid, pareto(grid.share, grid.bound), budget, bound if bound <= deadline else -1, seen)


def sentence(found: Found) -> str:
    """What is promised, what was seen, and what would be better."""
    p = found.params
    what = f"{short(found.budget)} in every {short(ms(p.period))}, with switches {p.share:g} % of the chip"
    seen = "; the simulation saw no job end" if found.seen < 0 else f"; the longest that the simulation saw is {short(found.seen)}"
    if found.bound < 0:
        told = f"{what}, promises no response within the deadline of {p.deadline} ms{seen}."
        if not len(found.front):
            return f"{told} No contract does: the deadline is too short for this demand."
        if found.better is None:
            return f"{told} For less than {100 * found.grid.share[found.front[-1]]:.1f} % no contract does."
    else:
        told = f"{what}, promises a response within {short(found.bound)}{seen}."
    if found.better is None:
        return f"{told} Nothing cheaper promises as much: it is on the front, as far as the grid can tell."
    i = found.better
    return (f"{told} It is dominated: {short(int(found.grid.budget[i]))} in every {short(int(found.grid.period[i]))}, "
            f"{100 * found.grid.share[i]:.1f} %, promises {short(int(found.grid.bound[i]))}.")


class Scene:
    """The front, and the chosen contract."""

    def __init__(self) -> None:
        self.plot = Front()
        self.front: list[widgets.Widget] = [self.plot]

    def update(self, found: Found) -> str:
        """Show the contracts; what they say, in a sentence."""
        self.found = found
        said, grid = sentence(found), found.grid
        good = grid.bound >= 0
        columns = {"x": grid.bound[good], "y": 100 * grid.share[good],
                   "front_x": grid.bound[found.front], "front_y": 100 * grid.share[found.front]}
        self.plot.show(columns, chosen=None if found.bound < 0 else (found.bound, found.params.share),
                       seen=None if found.bound < 0 or found.seen < 0 else found.seen, deadline=ms(found.params.deadline), most=self.most(),
                       label=said)
        return said

    def most(self) -> tuple[float, float]:
        """Ends of the axes: a little more than the deadline [ns], and room above the chosen share [%]."""
        p = self.found.params
        return (1 + SHOWN) * ms(p.deadline), min(100.0, rounded(2 * max(p.share, 100 * p.wcet / p.every), 10.0))

    def figure(self) -> Figure:
        """The same, for print."""
        found, grid = self.found, self.found.grid
        good = grid.bound >= 0
        with styled():
            figure = Figure(figsize=(11, 5.4))
            ax = figure.subplots()
            ax.plot(grid.bound[good] / 1e6, 100 * grid.share[good], ".", color=COLOURS["hypervisor"], markersize=3, label="dominated")
            ax.step(grid.bound[found.front] / 1e6, 100 * grid.share[found.front], where="post", color=COLOURS["bound"], linewidth=2.5, label="front")
            if found.bound >= 0:
                ax.plot(found.bound / 1e6, found.params.share, "o", color=COLOURS["real-time"], markersize=10, label="chosen: bound")
                ax.plot([found.seen / 1e6, found.bound / 1e6], [found.params.share] * 2, color=COLOURS["real-time"])
                ax.plot(found.seen / 1e6, found.params.share, "o", color=COLOURS["real-time"], markerfacecolor="white", markersize=9,
                        label="chosen: seen")
            ax.axvline(found.params.deadline, color=COLOURS["miss"], linestyle="--", label="deadline")
            x, y = self.most()
            ax.set_xlim(0, x / 1e6)
            ax.set_ylim(0, y)
            ax.set_xlabel("longest response [ms]")
            ax.set_ylabel("share of a pCPU [%], switches included")
            ax.legend(loc="upper right", frameon=True, framealpha=1, edgecolor="none")      # dots and the deadline lie below
        return figure


def explorer(**values: float | str) -> Explorer:
    """The explorer, starting from given parameters; SpecError in words where they cannot be run."""
    check_ranges(Params(), values)
    return Explorer(Params(**values), compute, Scene(), "What a shorter response costs. Grey: contracts that another one beats in both; black: the "
                    "front. Choose a period and a share (arrow keys work) and come as near to the front as you can; then let switches cost more.",
                    ends=ends)
