"""Explorer of what traps cost: a mix of operations under every structure measured on a machine, and where one overtakes another."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache

import ipywidgets as widgets
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..errors import Problem, SpecError
from ..plots import styled
from ..traps import cost
from ..traps import platform as platform_of
from ..traps.crossover import difference
from ..traps.platforms import calibrated
from .base import Explorer, Fixed, check_ranges, choice, settle, slider
from .border import Border
from .stacks import Bar, Key, Stacks

KEYS = {"system_call": Key("system calls", "#0072B2", "none"), "page_fault": Key("page faults", "#E69F00", "diagonal"),
        "pte_write": Key("page-table writes", "#009E73", "dots"), "context_switch": Key("context switches", "#CC79A7", "cross"),
        "port_read": Key("port accesses", "#56B4E9", "upright"), "interrupt": Key("interrupts", "#F0E442", "level")}
AXES = {key.name: operation for operation, key in KEYS.items()}
PLATFORMS = [one.name for one in calibrated().values() if len(one.structures) > 1]
ENDS = (1, 2, 5, 10, 20, 50, 100)           # [%] of an axis, so that it does not follow every step of a slider


@dataclass(frozen=True)
class Params:
    """What can be moved. Rates are in thousands a second."""

    platform: str = choice("p4-672", PLATFORMS, "machine")
    system_call: int = slider(60, 0, 400, 1, "system calls [1000/s]")
    page_fault: int = slider(20, 0, 100, 1, "page faults [1000/s]")
    pte_write: int = slider(5, 0, 100, 1, "PTE writes [1000/s]")
    context_switch: int = slider(2, 0, 100, 1, "context switches [1000/s]")
    port_read: int = slider(0, 0, 100, 1, "port accesses [1000/s]")
    interrupt: int = slider(3, 0, 100, 1, "interrupts [1000/s]")
    first: int = slider(2, 1, 4, 1, "compare bar number")
    second: int = slider(3, 1, 4, 1, "with bar number")
    across: str = choice("system calls", list(AXES), "map: to the right")
    up: str = choice("page faults", list(AXES), "map: upwards")


def fixed(params: Params) -> dict[str, Fixed]:
    """Of two bars both are compared."""
    if len(platform_of(params.platform).structures) > 2:
        return {}
    return {name: Fixed(k, "two structures were measured here") for name, k in (("first", 1), ("second", 2))}


def ends(params: Params) -> dict[str, float]:
    """Bars are numbered to as many as there are."""
    bars = len(platform_of(params.platform).structures)
    return {"first": bars, "second": bars} if bars > 2 else {}


@dataclass(frozen=True)
class Price:
    """Cycles that an operation adds under a structure, and the parts that nobody published: with one, it is the least."""

    cycles: int
    unknown: tuple[str, ...]


@dataclass(frozen=True)
class Found:
    """Per structure and operation the cycles a second; what both that are compared differ by in each operation [cycles], None if unknown."""

    params: Params
    names: tuple[str, ...]
    loads: tuple[dict[str, int], ...]
    unknown: tuple[tuple[str, ...], ...]                 # parts that are missing in a structure's load
    clock_hz: int | None                                 # None: not published
    differences: dict[str, int | None]

    @property
    def line(self) -> tuple[float, float, float] | None:
        """(offset, per_x, per_y): how much dearer the first is [1000 cycles a second], at rates in thousands; None if it is not known."""
        x, y = self.axes
        if self.missing:
            return None
        step = {one: float(each or 0) for one, each in self.differences.items()}
        return sum(step[one] * rate for one, rate in rates(self.params).items() if one not in (x, y)), step[x], step[y]

    @property
    def axes(self) -> tuple[str, str]:
        """Operations of the map."""
        return AXES[self.params.across], AXES[self.params.up]

    @property
    def missing(self) -> list[str]:
        """Operations of the mix and of the map whose difference nobody has published."""
        return [one for one, rate in rates(self.params).items() if self.differences[one] is None and (rate or one in self.axes)]


def name_of(label: str) -> str:
    """A structure's label as a reader writes it: hardware_assist(control_block=True) is hardware assist (control block)."""
    for written, read in (("_", " "), ("(", " ("), ("=True", ""), ("riscv h", "RISC-V H"), ("arm ", "ARM "), ("el2", "EL2"), ("vhe", "VHE")):
        label = label.replace(written, read)
    return label


def rates(params: Params) -> dict[str, int]:
    """Operations a second, in thousands."""
    return {one: getattr(params, one) for one in KEYS}


@cache
def prices(platform: str) -> tuple[dict[str, Price], ...]:
    """What each operation adds under each structure of a machine."""
    found = []
    for structure in platform_of(platform).structures:
        costs = {one: cost(structure, platform, one, partial=True) for one in KEYS}
        found.append({one: Price(each.overhead, each.unknown) for one, each in costs.items()})
    return tuple(found)


@cache
def differences(platform: str, first: int, second: int) -> dict[str, int | None]:
    """Cycles that each operation costs more under the first; parts without a published constant cancel where both have them."""
    machine = platform_of(platform)
    found: dict[str, int | None] = {}
    for one in KEYS:
        try:
            found[one] = difference(machine.structures[first], machine.structures[second], machine, machine, one)
        except SpecError:
            found[one] = None
    return found


def compute(params: Params) -> Found:
    """Prices times rates.

    Raises
    ------
    SpecError
        Both axes of the map are the same, or a bar is asked for that there is not.
    """
    params = settle(params, fixed(params))
    machine = platform_of(params.platform)
    names = tuple(name_of(one.label) for one in machine.structures)
    problems = [Problem(field, getattr(params, field), f"1 to {len(names)}", f"{params.platform} has as many structures; choose one of them")
                for field in ("first", "second") if getattr(params, field) > len(names)]
    if params.across == params.up:
        problems.append(Problem("map: upwards", params.up, "another operation than to the right", f"choose another than {params.across}"))
    if problems:
        raise SpecError(problems)
    each = prices(params.platform)
    loads = tuple({one: price[one].cycles * 1000 * rate for one, rate in rates(params).items()} for price in each)
    unknown = tuple(tuple(sorted({part for one, rate in rates(params).items() if rate for part in price[one].unknown})) for price in each)
    clock = None if machine.clock_mhz is None else int(machine.clock_mhz * 1_000_000)
    return Found(params, names, loads, unknown, clock, differences(params.platform, params.first - 1, params.second - 1))


def scaled(found: Found, cycles: float) -> float:
    """Percent of the processor, or millions of cycles a second where the clock is not known."""
    return cycles / 1e6 if found.clock_hz is None else 100 * cycles / found.clock_hz


def total(found: Found, k: int) -> str:
    """What a structure costs, in words."""
    value = scaled(found, sum(found.loads[k].values()))
    number = f"{value:.2f}" if abs(value) < 1 else f"{value:.1f}" if abs(value) < 100 else f"{value:,.0f}"
    least = "at least " if found.unknown[k] else ""
    return f"{least}{number} {'million cycles/s' if found.clock_hz is None else '%'}"


def sentence(found: Found) -> str:
    """Both that are compared, and where their order changes."""
    a, b = found.params.first - 1, found.params.second - 1
    of = "" if found.clock_hz is None else " of the processor"
    said = f"{capital(found.names[a])} costs {total(found, a)}{of}"
    return f"{said}. {order(found)}" if a == b else f"{said}, {found.names[b]} {total(found, b)}. {order(found)}"


def order(found: Found) -> str:
    """Who is cheaper, and until when."""
    a, b = found.params.first - 1, found.params.second - 1
    if a == b:
        return "Choose another bar to compare it with."
    if found.line is None:
        sums = {k: sum(found.loads[k].values()) for k in (a, b)}
        low = min(sums, key=lambda k: sums[k])
        if sums[a] != sums[b] and not found.unknown[low]:      # the other costs at least what is known of it
            return f"{capital(found.names[low])} is cheaper here; by how much is not known, nor where the border is."
        return f"Which is cheaper is not known: there is no published cost of {', '.join(KEYS[one].name for one in found.missing)} here."
    (offset, per_x, per_y), (x, y) = found.line, found.axes
    rest = offset + per_y * getattr(found.params, y)
    here = rest + per_x * getattr(found.params, x)
    cheaper, other = (found.names[a], found.names[b]) if here < 0 else (found.names[b], found.names[a])
    if not here:
        return "Both cost the same."
    if per_x * rest >= 0:
        return f"{capital(cheaper)} is cheaper, at any rate of {found.params.across}."
    border = round(-1000 * rest / per_x)
    over = per_x * here < 0                            # more of x goes towards the border
    return f"{capital(cheaper)} is cheaper; {'above' if over else 'below'} {border:,} {found.params.across} a second, {other} is."


def capital(text: str) -> str:
    """With a capital letter, the rest as it is."""
    return text[:1].upper() + text[1:]


def most(found: Found) -> tuple[float, float]:
    """Both ends of the bars' axis: a round one, at most 100 % where there is a clock; below 0 as far as something is saved."""
    right, left = (max(abs(scaled(found, sum(sign * x for x in load.values() if sign * x > 0))) for load in found.loads) for sign in (1, -1))
    scale = 10 ** len(str(int(right))) / 100 if found.clock_hz is None else 1
    end = next((scale * one for one in ENDS if scale * one >= right), 100.0 * scale)
    return -min(left, end), end


def axis(found: Found) -> str:
    """What the bars measure."""
    return "million cycles a second (clock not published)" if found.clock_hz is None else "share of the processor that is lost [%]"


class Scene:
    """A bar for each structure, and the map of the two that are compared."""

    def __init__(self) -> None:
        self.stacks, self.border = Stacks(), Border()
        self.front: list[widgets.Widget] = [widgets.GridBox([self.stacks, self.border], layout=widgets.Layout(
            grid_template_columns="repeat(auto-fit, minmax(400px, 1fr))", grid_gap="0 16px", width="100%"))]

    def update(self, found: Found) -> str:
        """Show costs; what they say, in a sentence."""
        self.found, p = found, found.params
        bars = [Bar(f"{k + 1}  {name}", tuple(scaled(found, cycles) for cycles in load.values()), total(found, k), bool(found.unknown[k]))
                for k, (name, load) in enumerate(zip(found.names, found.loads, strict=True))]
        low, high = most(found)
        self.stacks.show(bars, list(KEYS.values()), most=high, least=low, axis=axis(found))
        x, y = found.axes
        self.border.show((found.names[p.first - 1], found.names[p.second - 1]), None if p.first == p.second else found.line,
                         point=(getattr(p, x), getattr(p, y)), most=ranges(p), axes=(f"{p.across} [1000/s]", f"{p.up} [1000/s]"), text=order(found))
        return sentence(found)

    def figure(self) -> Figure:
        """The same, for print."""
        with styled():
            figure = Figure(figsize=(12, 4.8))
            left, right = figure.subplots(1, 2, width_ratios=(1.25, 1))
            draw_bars(left, self.found)
            draw_border(right, self.found)
        return figure


def ranges(params: Params) -> tuple[float, float]:
    """How far the map reaches: as far as the sliders."""
    high = {item.name: float(item.metadata.get("high", 0)) for item in fields(params)}
    return high[AXES[params.across]], high[AXES[params.up]]


def draw_bars(ax: Axes, found: Found) -> None:
    """Stacked bars with matplotlib."""
    low, high = most(found)
    for k, load in enumerate(found.loads):
        right = left = 0.0
        for one, cycles in load.items():
            wide, key = scaled(found, cycles), KEYS[one]
            start, right, left = (right, right + wide, left) if wide >= 0 else (left, right, left + wide)
            ax.barh(k, wide, left=start, height=0.5, color=key.colour, hatch=key.pattern, edgecolor="white",
                    label=key.name if k == 0 else None)
        ax.text(low, k - 0.32, f"{k + 1}  {found.names[k]}: {total(found, k)}", va="bottom")
    ax.set(xlim=(low, high), ylim=(len(found.loads) - 0.5, -0.75), yticks=[], xlabel=axis(found))
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=3)


def draw_border(ax: Axes, found: Found) -> None:
    """The map with matplotlib: the border, and words on either side."""
    p, (wide, tall) = found.params, ranges(found.params)
    ax.set(xlim=(0, wide), ylim=(0, tall), xlabel=f"{p.across} [1000/s]", ylabel=f"{p.up} [1000/s]", title=order(found).split(";")[0])
    if found.line is not None and p.first != p.second:
        offset, per_x, per_y = found.line
        x, y = np.meshgrid(np.linspace(0, wide, 200), np.linspace(0, tall, 200))
        dearer = offset + per_x * x + per_y * y
        ax.contourf(x, y, dearer, levels=[-np.inf, 0, np.inf], colors=["#56B4E9", "#E69F00"], alpha=0.35, hatches=["", "//"])
        for sign, name in ((-1, found.names[p.first - 1]), (1, found.names[p.second - 1])):
            side = sign * dearer > 0
            if side.mean() > 0.04:
                ax.text(x[side].mean(), y[side].mean(), name, ha="center", va="center", backgroundcolor="white")
    ax.plot(getattr(p, AXES[p.across]), getattr(p, AXES[p.up]), "o", color="black", markersize=9, markeredgecolor="white", clip_on=False)


def explorer(**values: float | str) -> Explorer:
    """The explorer, starting from given parameters; SpecError in words where they cannot be run."""
    check_ranges(Params(), values)
    return Explorer(Params(**values), compute, Scene(), "What a mix of operations costs under each structure that was measured on a machine, and for "
                    "which mixes one is cheaper than another. The dot in the map is your mix. Move a slider (arrow keys work).", fixed, ends)
