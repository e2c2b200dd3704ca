"""The life of a message: across VMs, stage by stage; and what made messages wait, cause by cause."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes

from ..errors import Problem, SpecError
from ..results import Run
from ..system.devices import CAUSES
from .gantt import bars
from .style import COLOURS, colours_of, new_axes, styled

if TYPE_CHECKING:
    import pandas as pd

CAUSE_LOOKS = {"cost": (COLOURS["hypervisor"], "xx"), "driver_wait": (COLOURS["driver"], ".."), "frontend_wait": (COLOURS["real-time"], ""),
               "batching": ("#56B4E9", "//"), "suppression": ("#CC79A7", "--"), "shared": ("#F0E442", "||"),
               "moderation": (COLOURS["best effort"], "xx"), "ring": (COLOURS["miss"], "")}
"""Colour and hatch of each cause, here and in the explorer of a packet's way: green waits for the driver VM, blue for the front end."""

MILLISECONDS = 2_000_000       # a picture longer than this [ns] has an axis in ms
MARGIN = 0.04                  # of the message's time, before and after it
ROOM = 0.075                   # of the picture: stages that are nearer are named at another height


def path_timeline(run: Run, path: str, message: int, *, ax: Axes | None = None) -> Axes:
    """One message on its way: a lane for each VM and line, arrows where it changes lanes.

    Parameters
    ----------
    run : Run
        Recorded with ``record="trace"``.
    path : str
        Such as ``"net0.rx"``.
    message : int
        Its number, as in ``run.paths[path]["message"]``.
    ax : Axes, optional

    Returns
    -------
    Axes
        Time counts from the message's first instant, in us, or in ms if it took long. Pale bars: who held a pCPU. Thin black lines: the message
        waits in a queue. Black bars: it is worked on. A dot: its consumer has been told.

    Raises
    ------
    SpecError
        The message was not delivered, or there is none of this number.
    KeyError
        No such path.
    """
    stations = stations_of(run, path, message)
    begin, end = stations[0][1], stations[-1][4]
    unit, name = (1e6, "ms") if end - begin > MILLISECONDS else (1e3, "us")
    low, high = begin - MARGIN * (end - begin), end + MARGIN * (end - begin)
    ran = run.slices[(run.slices["end"] > low) & (run.slices["start"] < high)]
    lanes = lanes_of(run, stations, set(ran["vm"]))
    with styled():
        ax = new_axes(ax, 1.7 + 0.75 * len(lanes))
        looks = colours_of(run.system.vms)
        scaled = 1e6 / unit                                     # `bars` draws in ms
        for vm, mine in ran.groupby("vm"):
            starts, ends = (((mine[edge].to_numpy() - begin) * scaled) for edge in ("start", "end"))
            bars(ax, starts, ends, lanes[vm], 0.5, int((low - begin) * scaled), int((high - begin) * scaled), facecolor=looks[vm][0],
                 hatch=looks[vm][1], edgecolor="white", linewidth=0.4, alpha=0.45)
        draw_stations(ax, stations, lanes, begin, unit)
        ax.set_yticks(range(len(lanes)), list(lanes))
        ax.set_ylim(len(lanes) - 0.4, -0.85)
        ax.set_xlim((low - begin) / unit, (high - begin) / unit)
        ax.set_xlabel(f"time since the message began [{name}]")
        ax.grid(axis="y", visible=False)
        ax.set_title(f"{path}, message {message}: {(end - begin) / unit:,.1f} {name} from its first instant to its last stage", loc="left",
                     fontsize=13)
    return ax


Station = tuple[str, int, int, int, int, str]           # name, in, known, taken, out [ns], lane


def stations_of(run: Run, path: str, message: int) -> list[Station]:
    """Where a message was, and when: submission if there was one, its stages, the receiving task."""
    table = run.paths[path]
    found = table[(table["message"] == message) & (table["total"] >= 0)]
    if not len(found):
        raise SpecError([Problem("message", message, f"a delivered message of {path}: {int((table['total'] >= 0).sum())} of {len(table)} were",
                                 "look at run.paths[path]")])
    row: Any = found.iloc[0]
    plumbing = run.paths.recording.plumbing
    this = next(each for each in plumbing.paths if each.name == path)
    threads = {thread.key: thread.vm for thread in plumbing.threads}
    stations: list[Station] = []
    for stage in this.stages:
        entered, known, taken, out = (int(row[f"{stage.name}.{stamp}"]) for stamp in ("in", "known", "taken", "out"))
        stations.append((stage.name, entered, known, taken, out, threads.get(stage.server, stage.server)))
    stations = [station for station in stations if station[4] >= 0]
    if this.into is not None:
        stations.append((this.into.split("/")[1], int(row["app.in"]), int(row["app.in"]), int(row["app.taken"]), int(row["app.out"]),
                         this.into.split("/")[0]))
    last = stations[-1][4] if this.ends is None else int(row[f"{this.stages[this.ends].name}.out"])
    begin = last - int(row["total"])
    if begin < stations[0][1]:
        stations.insert(0, ("submit", begin, -1, begin, stations[0][1], this.frontend))
    return stations


def lanes_of(run: Run, stations: list[Station], running: set[str]) -> dict[str, int]:
    """Lanes from above: lines and wires, then VMs that ran or were visited, in the system's order."""
    visited = dict.fromkeys(station[5] for station in stations)
    vms = [vm.name for vm in run.system.vms if vm.name in visited or vm.name in running]
    return {lane: i for i, lane in enumerate([*(lane for lane in visited if lane not in vms), *vms])}


def draw_stations(ax: Axes, stations: list[Station], lanes: dict[str, int], begin: int, unit: float) -> None:
    """Waits, work, names, and arrows between lanes."""
    whole = (stations[-1][4] - begin) / unit
    named: dict[int, list[float]] = {}
    for i, (name, entered, known, taken, out, lane) in enumerate(stations):
        y = lanes[lane]
        x = [(when - begin) / unit for when in (entered, taken, out)]
        ax.plot(x[:2], [y, y], color="black", linewidth=1.6, solid_capstyle="butt", label="_waits")
        ax.barh(y, max(x[2] - x[1], whole / 500), 0.24, left=x[1], color="black", label="_works")
        if known >= 0:
            ax.plot([(known - begin) / unit], [y], marker="o", markersize=5, markerfacecolor="white", color="black", linestyle="none", label="_known")
        near = sum(abs(x[1] - other) < ROOM * whole * max(1.0, len(name) / 7) for other in named.setdefault(y, []))
        named[y].append(x[1])
        ax.text(min(x[1], 0.97 * whole), y - 0.31 if near % 2 == 0 else y + 0.46, name, fontsize=11, ha="center", va="bottom", zorder=6,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6})
        if i + 1 < len(stations) and lanes[stations[i + 1][5]] != y:
            ax.annotate("", ((stations[i + 1][1] - begin) / unit, lanes[stations[i + 1][5]]), (x[2], y),
                        arrowprops={"arrowstyle": "-|>", "color": COLOURS["miss"], "linewidth": 1.6, "shrinkA": 0, "shrinkB": 0})


def causes(tables: Mapping[str, pd.DataFrame], *, slowest: float = 1.0, ax: Axes | None = None) -> Axes:
    """What messages spent their time on: a bar a table, stacked from the causes, as long as the mean total.

    Parameters
    ----------
    tables : mapping of label to DataFrame
        As ``run.paths[name]``; messages that were dropped, or are still on their way, are left out.
    slowest : float, 0 to 1
        The mean over this share of the messages, the slowest ones; by default over all.
    ax : Axes, optional

    Returns
    -------
    Axes
        In us, or in ms if a bar is long. The mean total stands at the end of a bar.

    Raises
    ------
    SpecError
        A table without a delivered message, or a share that is none.

    Notes
    -----
    A mean hides a tail: show an `ecdf` beside it, or the slowest.

    Examples
    --------
    >>> import pandas as pd
    >>> row = dict.fromkeys(CAUSES, 0) | {"cost": 3_000, "ring": 5_000, "total": 8_000}
    >>> ax = causes({"a": pd.DataFrame([row])})
    >>> [float(bar.get_width()) for bar in ax.patches], [text.get_text().strip() for text in ax.texts]
    ([3.0, 5.0], ['8.0'])
    """
    if not 0 < slowest <= 1:
        raise SpecError([Problem("slowest", slowest, "a share, above 0, at most 1", "write for example 0.01")])
    means = {label: mean_causes(label, table, slowest) for label, table in tables.items()}
    longest = max((sum(each.values()) for each in means.values()), default=0.0)
    unit, name = (1e6, "ms") if longest > MILLISECONDS else (1e3, "us")
    with styled():
        ax = new_axes(ax, 1.5 + 0.45 * len(means))
        labelled: set[str] = set()
        for row, parts in enumerate(means.values()):
            left = 0.0
            for cause, mean in parts.items():
                if mean:
                    colour, hatch = CAUSE_LOOKS[cause]
                    ax.barh(row, mean / unit, left=left, color=colour, hatch=hatch, edgecolor="white",
                            label="_" if cause in labelled else cause.replace("_", " "))
                    labelled.add(cause)
                    left += mean / unit
            ax.text(left, row, f" {left:,.1f}", va="center")
        ax.set_yticks(range(len(means)), list(means))
        ax.invert_yaxis()
        ax.set_xlim(0, 1.12 * longest / unit or 1.0)
        ax.set_xlabel(f"{'mean' if slowest == 1 else f'mean of the slowest {100 * slowest:g} %'} [{name}]")
        ax.grid(axis="y", visible=False)
        handles, labels = ax.get_legend_handles_labels()
        order = sorted(range(len(labels)), key=lambda i: CAUSES.index(labels[i].replace(" ", "_")))
        ax.legend([handles[i] for i in order], [labels[i] for i in order], loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0)
    return ax


def mean_causes(label: str, table: pd.DataFrame, slowest: float) -> dict[str, float]:
    """Mean of each cause [ns], over the slowest delivered messages."""
    delivered = table[table["total"] >= 0]
    if not len(delivered):
        raise SpecError([Problem("tables", label, "a delivered message in each", "run it for longer, or leave it out")])
    count = max(1, int(np.ceil(slowest * len(delivered))))
    chosen = delivered.nlargest(count, "total")
    return {cause: float(chosen[cause].mean()) for cause in CAUSES}
