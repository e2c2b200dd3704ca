"""Explorer of supply and demand: the picture of a budget that suffices, and of the window that breaks it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from ..analysis import PeriodicResource, dbf, min_budget
from ..plots import SupplyDemand, curves, styled
from ..plots.supply_demand import draw
from ..system import Task
from ..units import format_ns, ms, s
from .base import Explorer, check_ranges, choice, slider
from .curves import Curves, Line

SHOWN, LOOKED = ms(24), s(1)          # windows shown, and looked at for the margin
GUESTS = {"EDF": "edf", "fixed priority": "fp"}


@dataclass(frozen=True)
class Params:
    """What can be moved."""

    budget: float = slider(1.6, 0.0, 20.0, 0.05, "budget Q of the VM [ms]")
    period: int = slider(4, 1, 20, 1, "in every period P [ms]")
    wcet: float = slider(1.0, 0.1, 10.0, 0.1, "the slot takes [ms]")
    every: int = slider(5, 2, 40, 1, "and comes every [ms]")
    deadline: int = slider(5, 1, 40, 1, "its deadline [ms]")
    decode: float = slider(0.0, 0.0, 12.0, 0.5, "decoding in 20 ms [ms]")
    guest: str = choice("EDF", list(GUESTS), "the guest schedules by")


def ends(params: Params) -> dict[str, float]:
    """A budget is at most its period, a deadline at most the task's."""
    return {"budget": float(params.period), "deadline": params.every}


@dataclass(frozen=True)
class Found:
    """Curves, the least budget [ns] that suffices (None: none does), and the least margin [ns] (None: not met)."""

    params: Params
    curves: SupplyDemand
    least: int | None
    margin: int | None


def compute(params: Params) -> Found:
    """Supply and demand of the VM.

    Raises
    ------
    SpecError
        The budget is beyond its period.
    """
    tasks = [Task("slot", wcet=ms(params.wcet), period=ms(params.every), deadline=ms(params.deadline))]
    if params.decode:
        tasks.append(Task("decode", wcet=ms(params.decode), period=ms(20)))
    guest = GUESTS[params.guest]
    supply = PeriodicResource(ms(params.period), ms(params.budget))
    found, margin = curves(tasks, supply, guest=guest, until=SHOWN), None
    if found.verdict:
        if found.task is None:
            ends_at = np.concatenate([np.arange(task.deadline, LOOKED, task.period) for task in tasks])
            margin = int((supply.sbf(ends_at) - dbf(tasks, ends_at)).min())
        else:
            margin = int(found.task.deadline - found.bound)
    return Found(params, found, min_budget(tasks, ms(params.period), guest), margin)


def sentence(found: Found) -> str:
    """What the picture says."""
    shape, p = found.curves, found.params
    said = "The VM gets nothing. " if shape.blackout is None else f"Blackout 2(P − Q) = {words(shape.blackout)}. "
    if shape.violation:
        v = shape.violation
        said += (f"In some window of {words(v.length)}, {words(v.demand)} must be done and only {words(v.supply)} is sure: "
                 "a deadline may be missed.")
    elif not shape.verdict and shape.task is not None:
        bound = "without bound" if shape.bound is None else words(shape.bound)
        said += f"The response of {shape.task.name} is {bound}, its deadline is {words(shape.task.deadline)}: it may be missed."
    elif not shape.verdict:
        said += f"The tasks need more than {100 * p.budget / p.period:.1f} % in the long run: sooner or later a deadline is missed."
    elif shape.task is None:
        said += f"Every deadline is met, with {words(found.margin)} to spare in the tightest window."
    else:
        said += f"Every deadline is met; {shape.task.name} has {words(found.margin)} to spare."
    least = "No budget suffices." if found.least is None else f"The least budget is {up(found.least)}."
    return f"{said} {least}"


def words(t: int) -> str:
    """A time as a reader writes it."""
    return format_ns(t).replace("us", "µs")


def up(t: int) -> str:
    """A time rounded up to a microsecond."""
    return words(-(-t // 1000) * 1000)


class Scene:
    """The curves, and what to look at in them."""

    def __init__(self) -> None:
        self.curves = Curves()
        self.front = [self.curves]

    def update(self, found: Found) -> str:
        """Show curves; what they say, in a sentence."""
        self.found, text = found, sentence(found)
        put(self.curves, found.curves, f"Supply and demand. {text}")
        return text

    def figure(self) -> Figure:
        """The same, for print."""
        with styled():
            figure = Figure(figsize=(12, 5.4))
            draw(self.found.curves, figure.add_subplot())
        return figure


def put(widget: Curves, shape: SupplyDemand, label: str, tall: int = 330) -> None:
    """Supply and demand into a widget."""
    asks = "must be done" if shape.task is None else f"{shape.task.name} waits for"
    lines = [Line("supply, at least", "bound", shape.brings), Line("supply, as a line", "bound", shape.line, 1), Line(asks, "real-time", shape.asks)]
    over, under = (2, 0) if shape.task is None else (0, 0)       # under fixed priority it is enough that the curves meet once
    widget.show(shape.windows, lines, over=over, under=under, marks=marks(shape), label=label, tall=tall)


def marks(shape: SupplyDemand) -> list[dict[str, Any]]:
    """The blackout, and the violating window, or the deadline and the bound on the response."""
    top = int(max(shape.brings.max(), shape.asks.max()))
    found: list[dict[str, Any]] = []
    if shape.blackout:
        found.append({"from": 0, "to": shape.blackout, "name": f"blackout {words(shape.blackout)}", "meaning": "hypervisor"})
    if shape.violation:
        v = shape.violation
        found.append({"at": v.length, "low": v.supply, "high": v.demand, "name": f"{words(v.demand - v.supply)} too little", "meaning": "miss"})
    if shape.task is not None:
        if shape.bound is not None:
            found.append({"at": shape.bound, "low": 0, "high": top // 3, "name": f"response {words(shape.bound)}", "meaning": "real-time",
                          "top": True})
        found.append({"at": shape.task.deadline, "low": 0, "high": top, "name": f"deadline {words(shape.task.deadline)}", "meaning": "miss",
                      "top": True})
    return found


def explorer(**values: float | str) -> Explorer:
    """The explorer, starting from given parameters; SpecError in words where they cannot be run."""
    check_ranges(Params(), values)
    return Explorer(Params(**values), compute, Scene(), "What a budget surely brings in the worst window of every length (black), and what the VM's "
                    "deadlines ask for in it (blue). Move a slider (arrow keys work) until blue is nowhere above black.", ends=ends)
