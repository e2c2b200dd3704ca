"""A message's way, what it waited for and how others fared, with matplotlib: what print and viewers without a kernel get."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from ..plots import ecdf, gantt
from ..results import Run
from .stacks import Key
from .tail import short
from .way import Way

STYLES = {"unheard": (":", 1.8), "waits": ("--", 1.8), "served": ("-", 5.0)}
ABOVE = 0.44              # of a lane: where the way runs


def draw_way(ax: Axes, run: Run, way: Way, view: list[float]) -> None:
    """Who ran, and above the lanes the message."""
    gantt(run, start=int(view[0]), until=int(view[1]), ax=ax)
    for marks in [line for line in ax.get_lines() if line.get_label() in ("_release", "_miss")]:
        marks.remove()                            # jobs are not the subject, and the way runs where they are marked
    labels = [text.get_text() for text in ax.get_yticklabels()]
    for leg in way.legs:
        style, width = STYLES[leg.kind]
        ax.plot([leg.start / 1e6, leg.end / 1e6], [leg.lane - ABOVE] * 2, style, color="black", linewidth=width, solid_capstyle="butt", zorder=6)
    for before, after, time in way.hops:
        ax.annotate("", (time / 1e6, after - ABOVE), (time / 1e6, before - ABOVE), zorder=7,
                    arrowprops={"arrowstyle": "-|>", "color": "black", "linewidth": 1.6, "shrinkA": 0, "shrinkB": 0})
    ax.set_yticks(range(len(labels) + 1), [*labels, way.hardware])
    ax.set_ylim(len(labels) + 0.3, -0.8)
    named = "  ".join(f"{k} {step.name} {short(step.end - step.start)}" for k, step in enumerate(way.steps, 1))
    ax.set_title(f"{type(run.scheduler).__name__}: {named}", loc="left")


def draw_bars(ax: Axes, means: Mapping[str, Mapping[str, float]], keys: Mapping[str, Key],
              xlabel: str = "time from first instant to delivery [ms]") -> None:
    """Stacked bars of what messages waited for, or where they were."""
    for k, (name, causes) in enumerate(means.items()):
        left = 0.0
        for cause, time in causes.items():
            key = keys[cause]
            ax.barh(k, time / 1e6, left=left, height=0.45, color=key.colour, hatch=key.pattern, edgecolor="white",
                    label=key.name if k == 0 else None)
            left += time / 1e6
        ax.text(0, k - 0.28, f"{name}: {short(round(sum(causes.values())))}", va="bottom", fontsize=12)
    ax.set(ylim=(len(means) - 0.5, -0.75), yticks=[], xlabel=xlabel)
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.22), ncols=2, fontsize=11)


def draw_tail(ax: Axes, totals: np.ndarray, picked: int, noun: str) -> None:
    """Latencies of all, and the one that is looked at."""
    ecdf({f"{noun}s": totals}, ax=ax, xlabel="latency [ms]")
    share = float(np.mean(totals >= picked))
    ax.plot(picked / 1e6, share, "o", color="black", markersize=9, markeredgecolor="white", zorder=5, clip_on=False)
    ax.annotate(f"this {noun}", (picked / 1e6, share), (-10, -16), textcoords="offset points", ha="right")


__all__ = ["draw_bars", "draw_tail", "draw_way"]
