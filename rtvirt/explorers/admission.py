"""Explorer of admission: sell a chip to two customers, and keep as much of it as you can."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import lcm
from re import sub

import ipywidgets as widgets
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..analysis import Admission, PeriodicResource, admit, best_interface
from ..exercises.schedulability import CUSTOMERS
from ..plots import COLOURS, SupplyDemand, curves, styled
from ..plots.supply_demand import draw
from ..schedulers import RTDS, Credit, PeriodicServers
from ..system import VM, System, hog
from ..units import ms, us
from .base import Explorer, check_ranges, choice, slider
from .curves import Curves
from .supply_demand import put, words

SHOWN = ms(32)
PERIODS = [us(100 * k) for k in range(5, 101)]
LOOKS = {"car": (COLOURS["real-time"], "#ffffff"), "radio": ("#56B4E9", "#000000"), "switches": (COLOURS["hypervisor"], "#000000"),
         "Android": (COLOURS["best effort"], "#000000")}
LEGIBLE = 0.1             # of the chip: pieces of the bar that are narrower say their name when pointed at
SCHEDULERS = {"periodic servers": PeriodicServers(order="edf"), "RTDS": RTDS(), "credit": Credit()}


@dataclass(frozen=True)
class Params:
    """What can be moved."""

    car_budget: float = slider(0.6, 0.02, 10.0, 0.02, "the car's budget [ms]")
    car_period: float = slider(3.0, 0.5, 10.0, 0.1, "in every [ms]")
    radio_budget: float = slider(0.5, 0.02, 10.0, 0.02, "the radio's budget [ms]")
    radio_period: float = slider(2.5, 0.5, 10.0, 0.1, "in every [ms]")
    switch: int = slider(50, 0, 200, 10, "a switch costs [µs]")
    scheduler: str = choice("periodic servers", list(SCHEDULERS), "the chip is shared by")


def ends(params: Params) -> dict[str, float]:
    """A budget is at most its period."""
    return {"car_budget": params.car_period, "radio_budget": params.radio_period}


@dataclass(frozen=True)
class Sale:
    """The verdict, what each customer sees, who has which share of the chip, and the most that could be left to Android."""

    admission: Admission
    seen: dict[str, SupplyDemand]
    shares: dict[str, Fraction]
    best: Fraction

    @property
    def admitted(self) -> bool:
        """Everybody is served, and no more is sold than there is."""
        return bool(self.admission) and self.shares["Android"] >= 0


def shares_of(params: Params) -> dict[str, Fraction]:
    """Of the chip: what is sold, a switch in each period, and the rest."""
    found, switch = {}, us(params.switch)
    for name in CUSTOMERS:
        period = ms(getattr(params, f"{name}_period"))
        found |= {name: Fraction(ms(getattr(params, f"{name}_budget")), period), "switches": found.get("switches", 0) + Fraction(switch, period)}
    return {name: found.get(name, 1 - sum(found.values(), Fraction(0))) for name in LOOKS}


def system(params: Params) -> System:
    """The customers, their switches, and Android with all the rest; each a VM, so that nobody's time is forgotten.

    A switch in each period is a VM of its own, as dear as the switch. Android's period is one that the others divide: its budget is exactly the
    rest then. Weights are the shares: for schedulers that go by these.
    """
    vms = []
    for name, tasks in CUSTOMERS.items():
        budget, period, switch = ms(getattr(params, f"{name}_budget")), ms(getattr(params, f"{name}_period")), us(params.switch)
        vms.append(VM(name, tasks=tasks, guest="edf", budget=budget, period=period, weight=weight(Fraction(budget, period))))
        if switch:
            vms.append(VM(f"{name}-switch", tasks=[hog()], budget=switch, period=period, weight=weight(Fraction(switch, period))))
    rest, period = shares_of(params)["Android"], lcm(*(vm.period for vm in vms))
    if rest > 0:
        vms.append(VM("Android", tasks=[hog()], budget=int(rest * period), period=period, weight=weight(rest)))
    return System(vms=vms)


def weight(share: Fraction) -> int:
    """A weight in ten thousandths of the chip."""
    return max(1, round(10_000 * share))


@lru_cache
def possible(scheduler: str, switch: int) -> Fraction:
    """The most that can be left to Android, with a switch of so many ns: under RTDS with one period for all, else with each customer's best."""
    if scheduler == "RTDS":
        sold = [[best_interface(tasks, [period], switch=switch) for tasks in CUSTOMERS.values()] for period in PERIODS]
    else:
        sold = [[best_interface(tasks, PERIODS, switch=switch) for tasks in CUSTOMERS.values()]]
    return max((1 - sum((one.bandwidth for one in each), Fraction(0)) for each in sold if all(each)), default=Fraction(0))


def compute(params: Params) -> Sale:
    """Is each customer's budget enough for its tasks (EDF inside), and is the chip enough for the budgets?

    Raises
    ------
    SpecError
        A budget is beyond its period.
    """
    verdict = admit(system(params), SCHEDULERS[params.scheduler])
    nothing = PeriodicResource(ms(1), 0)
    seen = {name: curves(tasks, verdict.supplies[f"{name}/0"] or nothing, until=SHOWN) for name, tasks in CUSTOMERS.items()}
    return Sale(verdict, seen, shares_of(params), possible(params.scheduler, us(params.switch)))


def percent(share: Fraction) -> str:
    """A share in words."""
    return f"{100 * float(share):.1f} %"


def judgement(name: str, sale: Sale) -> str:
    """What a customer gets to hear."""
    shape = sale.seen[name]
    if sale.admission.supplies[f"{name}/0"] is None:
        return f"the {name} is promised nothing"
    if shape.verdict:
        return f"the {name} is served"
    if shape.violation:
        v = shape.violation
        sure = words(v.supply) if v.supply else "nothing"
        return f"the {name} is not: in some window of {words(v.length)} it must do {words(v.demand)}, and {sure} is sure"
    return f"the {name} is not: it uses more than it has bought"


def sentence(sale: Sale) -> str:
    """Verdict, customers, and what is left."""
    reasons, left = refusals(sale), sale.shares["Android"]
    said = "; ".join(judgement(name, sale) for name in CUSTOMERS)
    if len(reasons) == len(CUSTOMERS):
        said = f"the {' and the '.join(reasons)} are promised nothing"
    if left < 0:
        return f"Not admitted: {said}; and {percent(-left)} more is sold than there is."
    if sale.admitted:
        return f"Admitted: {said}. Android keeps {percent(left)}; {percent(sale.best)} is possible."
    if not reasons:
        return f"Not admitted: {said}. Android keeps {percent(left)}."
    first, reason = next(iter(reasons.items()))
    common = len(reasons) == len(CUSTOMERS) and len(set(reasons.values())) == 1
    return f"Not admitted: {said}. {reason if common else f'The {first}: {reason}'}"


def refusals(sale: Sale) -> dict[str, str]:
    """Why customers are promised nothing; `why` tells the rules behind it, too."""
    found = {}
    for vcpu, promise in zip(sale.admission.vcpus, sale.admission.promises):
        if vcpu.vm.name in CUSTOMERS and promise.supply is None:
            short, *_rules = promise.reason.removeprefix(f"{vcpu.name}: ").partition(" (docs/")
            reason = sub(r"(\d) us", r"\1 µs", " ".join(short.replace("/0", "").split()))
            found[vcpu.vm.name] = f"{reason.removesuffix('.')}."
    return found


def bar(shares: dict[str, Fraction]) -> str:
    """The chip as a bar of HTML, a piece a share."""
    whole = max(1.0, float(sum(share for share in shares.values() if share > 0)))
    pieces = [f'<div style="flex:0 0 {100 * float(share) / whole:.3f}%;background:{LOOKS[name][0]};color:{LOOKS[name][1]}" '
              f'title="{name} {percent(share)}">{f"<span>{name} {percent(share)}</span>" if share > LEGIBLE * whole else ""}</div>'
              for name, share in shares.items() if share > 0]
    return f'<div class="rtvirt-bar" role="img" aria-label="{said_of(shares)}">{"".join(pieces)}</div>'


def said_of(shares: dict[str, Fraction]) -> str:
    """The bar in words."""
    return "Shares of the chip: " + ", ".join(f"{name} {percent(share)}" for name, share in shares.items())


def head(name: str, sale: Sale) -> str:
    """Above a customer's curves."""
    return "served" if sale.seen[name].verdict else "not served" if sale.admission.supplies[f"{name}/0"] else "promised nothing"


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
            self.heads[name].value = f"<b>{name}</b>: {head(name, sale)}"
            put(self.curves[name], shape, f"{name}: {judgement(name, sale)}", tall=250)
        return sentence(sale)

    def figure(self) -> Figure:
        """The same, for print."""
        with styled():
            figure = Figure(figsize=(12, 6.4))
            places = figure.subplot_mosaic([["bar", "bar"], list(CUSTOMERS)], height_ratios=(0.35, 2))
            draw_bar(places["bar"], self.sale.shares)
            for name, shape in self.sale.seen.items():
                draw(shape, places[name])
                places[name].set_title(f"{name}: {head(name, self.sale)}", loc="left")
        return figure


def draw_bar(ax: Axes, shares: dict[str, Fraction]) -> None:
    """The bar with matplotlib."""
    left = np.cumsum([0.0, *(100 * max(0.0, float(share)) for share in shares.values())])
    for (name, share), at in zip(shares.items(), left, strict=False):
        if share > 0:
            wide = 100 * float(share)
            ax.barh(0, wide, left=at, color=LOOKS[name][0], edgecolor="white")
            if wide > 100 * LEGIBLE:
                ax.text(at + wide / 2, 0, f"{name} {percent(share)}", ha="center", va="center", color=LOOKS[name][1])
    ax.set_xlim(0, max(100.0, left[-1]))
    ax.set_yticks([])
    ax.set_xlabel("share of the chip [%]; grey: switches")


def explorer(**values: float) -> Explorer:
    """The explorer, starting from given parameters; SpecError in words where they cannot be run."""
    check_ranges(Params(), values)
    return Explorer(Params(**values), compute, Scene(), "Sell a chip to a car maker and a radio maker, and keep as much as you can for Android. "
                    "Move a slider (arrow keys work): nowhere may blue be above black. Grey in the bar: switches. "
                    "Then let another scheduler keep the promises.", ends=ends)
