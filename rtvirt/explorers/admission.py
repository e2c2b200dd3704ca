"""Explorer of admission: sell a chip to two customers, and keep as much of it as you can."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import ipywidgets as widgets
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..analysis import PeriodicResource, best_interface
from ..exercises.schedulability import CUSTOMERS
from ..plots import COLOURS, SupplyDemand, curves, styled
from ..plots.supply_demand import draw
from ..units import ms, us
from .base import Explorer, check_ranges, slider
from .curves import Curves
from .supply_demand import put, words

SHOWN = ms(32)
PERIODS = [us(100 * k) for k in range(5, 101)]
LOOKS = {"car": (COLOURS["real-time"], "#ffffff"), "radio": ("#56B4E9", "#000000"), "switches": (COLOURS["hypervisor"], "#000000"),
         "Android": (COLOURS["best effort"], "#000000")}


@dataclass(frozen=True)
class Params:
    """What can be moved."""

    car_budget: float = slider(0.6, 0.02, 10.0, 0.02, "the car's budget [ms]")
    car_period: float = slider(3.0, 0.5, 10.0, 0.1, "in every [ms]")
    radio_budget: float = slider(0.5, 0.02, 10.0, 0.02, "the radio's budget [ms]")
    radio_period: float = slider(2.5, 0.5, 10.0, 0.1, "in every [ms]")
    switch: int = slider(50, 0, 200, 5, "a switch costs [µs]")


def ends(params: Params) -> dict[str, float]:
    """A budget is at most its period."""
    return {"car_budget": params.car_period, "radio_budget": params.radio_period}


@dataclass(frozen=True)
class Sale:
    """What each customer sees, the share of the chip that goes to each, to switches and to Android, and the most that could be left to it."""

    seen: dict[str, SupplyDemand]
    shares: dict[str, Fraction]
    best: Fraction

    @property
    def admitted(self) -> bool:
        """Everybody is served, and no more is sold than there is."""
        return all(shape.verdict for shape in self.seen.values()) and self.shares["Android"] >= 0


def compute(params: Params) -> Sale:
    """Is each customer's budget enough for its tasks (EDF inside), and the chip for the budgets (periodic servers, EDF among them)?

    Raises
    ------
    SpecError
        A budget is beyond its period.
    """
    seen, shares, switch = {}, {"switches": Fraction(0)}, us(params.switch)
    for name, tasks in CUSTOMERS.items():
        budget, period = ms(getattr(params, f"{name}_budget")), ms(getattr(params, f"{name}_period"))
        seen[name] = curves(tasks, PeriodicResource(period, budget), until=SHOWN)
        shares |= {name: Fraction(budget, period), "switches": shares["switches"] + Fraction(switch, period)}
    shares["Android"] = 1 - sum(shares.values(), Fraction(0))
    cheapest = [best_interface(tasks, PERIODS, switch=switch) for tasks in CUSTOMERS.values()]
    return Sale(seen, {name: shares[name] for name in LOOKS}, 1 - sum((one.bandwidth for one in cheapest if one), Fraction(0)))


def percent(share: Fraction) -> str:
    """A share in words."""
    return f"{100 * float(share):.1f} %"


def judgement(name: str, shape: SupplyDemand) -> str:
    """What a customer gets to hear."""
    if shape.verdict:
        return f"the {name} is served"
    if shape.violation:
        v = shape.violation
        return f"the {name} is not: in some window of {words(v.length)} it must do {words(v.demand)}, and {words(v.supply)} is sure"
    return f"the {name} is not: it uses more than it has bought"


def sentence(sale: Sale) -> str:
    """Verdict, customers, and what is left."""
    said = "; ".join(judgement(name, shape) for name, shape in sale.seen.items())
    left = sale.shares["Android"]
    if left < 0:
        return f"Not admitted: {said}; and {percent(-left)} more is sold than there is."
    end = f"Android keeps {percent(left)}"
    return f"Admitted: {said}. {end}; {percent(sale.best)} is possible." if sale.admitted else f"Not admitted: {said}. {end}."


def bar(shares: dict[str, Fraction]) -> str:
    """The chip as a bar of HTML, a piece a share."""
    whole = max(1.0, float(sum(share for share in shares.values() if share > 0)))
    pieces = [f'<div style="flex:0 0 {100 * float(share) / whole:.3f}%;background:{LOOKS[name][0]};color:{LOOKS[name][1]}">'
              f"<span>{name} {percent(share)}</span></div>" for name, share in shares.items() if share > 0]
    return f'<div class="rtvirt-bar" role="img" aria-label="{said_of(shares)}">{"".join(pieces)}</div>'


def said_of(shares: dict[str, Fraction]) -> str:
    """The bar in words."""
    return "Shares of the chip: " + ", ".join(f"{name} {percent(share)}" for name, share in shares.items())


class Scene:
    """The chip as a bar, and each customer's supply and demand."""

    def __init__(self) -> None:
        self.bar = widgets.HTML()
        self.curves = {name: Curves() for name in CUSTOMERS}
        self.heads = {name: widgets.HTML().add_class("rtvirt-head") for name in CUSTOMERS}
        grid = widgets.GridBox([widgets.VBox([self.heads[name], self.curves[name]]) for name in CUSTOMERS],
                               layout=widgets.Layout(grid_template_columns="repeat(auto-fit, minmax(400px, 1fr))", grid_gap="0 12px", width="100%"))
        self.front = [self.bar, grid]

    def update(self, sale: Sale) -> str:
        """Show a sale; what it says, in a sentence."""
        self.sale, self.bar.value = sale, bar(sale.shares)
        for name, shape in sale.seen.items():
            self.heads[name].value = f"<b>{name}</b>: {'served' if shape.verdict else 'not served'}"
            put(self.curves[name], shape, f"{name}: {judgement(name, shape)}", tall=250)
        return sentence(sale)

    def figure(self) -> Figure:
        """The same, for print."""
        with styled():
            figure = Figure(figsize=(12, 6.4))
            places = figure.subplot_mosaic([["bar", "bar"], list(CUSTOMERS)], height_ratios=(0.35, 2))
            draw_bar(places["bar"], self.sale.shares)
            for name, shape in self.sale.seen.items():
                draw(shape, places[name])
                places[name].set_title(f"{name}: {'served' if shape.verdict else 'not served'}", loc="left")
        return figure


def draw_bar(ax: Axes, shares: dict[str, Fraction]) -> None:
    """The bar with matplotlib."""
    left = np.cumsum([0.0, *(100 * max(0.0, float(share)) for share in shares.values())])
    for (name, share), at in zip(shares.items(), left, strict=False):
        if share > 0:
            wide = 100 * float(share)
            ax.barh(0, wide, left=at, color=LOOKS[name][0], edgecolor="white")
            if wide > 9:
                ax.text(at + wide / 2, 0, f"{name} {percent(share)}", ha="center", va="center", color=LOOKS[name][1])
    ax.set_xlim(0, max(100.0, left[-1]))
    ax.set_yticks([])
    ax.set_xlabel("share of the chip [%]")


def explorer(**values: float) -> Explorer:
    """The explorer, starting from given parameters; SpecError in words where they cannot be run."""
    check_ranges(Params(), values)
    return Explorer(Params(**values), compute, Scene(), "Sell a chip to a car maker and a radio maker, and keep as much as you can for Android. "
                    "Budgets are given by EDF, as periodic servers. Move a slider (arrow keys work): nowhere may blue be above black.", ends=ends)
