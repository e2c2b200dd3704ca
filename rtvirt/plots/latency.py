"""Distributions and shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from ..results import Run
from ..units import format_ns
from .style import COLOURS, DASHES, FOURTH, colours_of, new_axes, styled

LINEAR = 10_000        # [ns] the time axis is linear up to here
BELOW = 1e-12          # stands for 0 on the logarithmic axis of shares


def tail(times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every different time, ascending, and the share of times that are longer.

    Parameters
    ----------
    times : (n,) int64 [ns]

    Examples
    --------
    >>> [column.tolist() for column in tail(np.array([0, 9, 5, 0]))]
    [[0, 5, 9], [0.5, 0.25, 0.0]]
    """
    ends, counts = np.unique(times, return_counts=True)
    return ends, (len(times) - np.cumsum(counts)) / max(1, len(times))


def short(time: int) -> str:
    """A time in four digits, as a legend has room for; never rounded down, since a bound is none then."""
    step = 10 ** max(0, len(str(time)) - 4)
    return format_ns(-(-time // step) * step)


def ecdf(samples: Mapping[str, Any] | Any, *, ax: Axes | None = None, xlabel: str = "latency [ms]", bound: int | None = None,
         miss: int | None = None, scale: str = "log") -> Axes:
    """Share of samples that took longer, on a logarithmic axis so that the tail shows; with n.

    Parameters
    ----------
    samples : mapping of label to times, or times [ns]
    ax : Axes, optional
    xlabel : str
    bound : int [ns], optional
        Drawn as a black dashed line.
    miss : int [ns], optional
        A time beyond which a deadline is missed: a vermillion line.
    scale : {"log", "linear"}
        Of the time axis. Logarithmic shows microseconds beside hundreds of milliseconds; its first stretch, from 0 to 10 us, is
        linear, because many latencies are exactly 0 in a model without costs.

    Notes
    -----
    A group without samples is left out. A longest sample has nothing beyond it: its curve leaves the picture downwards there.
    """
    groups = samples if isinstance(samples, Mapping) else {"": samples}
    with styled():
        ax = new_axes(ax)
        palette = [COLOURS["real-time"], COLOURS["best effort"], COLOURS["driver"], COLOURS["miss"] if miss is None else FOURTH]
        most, longest = 1, LINEAR
        for i, (label, times) in enumerate(groups.items()):
            times = np.asarray(times, np.int64)
            if not len(times):
                continue
            ends, beyond = tail(times)
            most, longest = max(most, len(times)), max(longest, int(ends[-1]))
            beyond[-1] = BELOW                                   # nothing waits longer: down, out of the picture
            ax.step(np.append(0, ends) / 1e6, np.append(1, beyond), where="post", color=palette[i % 4],
                    linestyle=DASHES[i % 4], label=f"{label} (n = {len(times)})".strip())
        for time, colour, dashes, label in ((bound, COLOURS["bound"], "--", "bound"), (miss, COLOURS["miss"], "-", "deadline lost beyond")):
            if time is not None:
                longest = max(longest, time)
                ax.axvline(time / 1e6, color=colour, linestyle=dashes, label=f"{label} ({short(time)})")
        if scale == "log":
            ax.set_xscale("symlog", linthresh=LINEAR / 1e6, linscale=0.5)
            ax.set_xlim(0, 1.25 * longest / 1e6)
            ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
        ax.set_yscale("log")
        ax.set_ylim(0.5 / most, 1.3)
        ax.set_ylabel("share that takes longer")
        ax.set_xlabel(xlabel)
        for share, text in ((0.5, "p50"), (0.01, "p99"), (0.001, "p99.9")):
            if share > 0.5 / most:
                ax.axhline(share, color="#bbbbbb", linewidth=0.8)
                ax.text(1.0, share, f" {text}", transform=ax.get_yaxis_transform(), va="center", fontsize=11, color="#555555")
        ax.legend(loc="best")
    return ax


def shares(run: Run, *, ax: Axes | None = None) -> Axes:
    """Share of one pCPU that each VM got, as bars."""
    with styled():
        ax = new_axes(ax, 1.2 + 0.5 * len(run.vms))
        looks = colours_of(run.system.vms)
        for i, (name, share) in enumerate(run.vms["share"].items()):
            colour, hatch = looks[name]
            ax.barh(i, 100 * share, color=colour, hatch=hatch, edgecolor="white")
            ax.text(100 * share + 0.5, i, f"{100 * share:.1f} %", va="center")
        ax.set_yticks(range(len(run.vms)), run.vms.index)
        ax.invert_yaxis()
        ax.set_xlabel("share of one pCPU [%]")
        ax.grid(axis="y", visible=False)
    return ax


def compare(runs: Mapping[str, Run] | Sequence[Run], *, ax: Axes | None = None) -> Axes:
    """Shares of the VMs in several runs, side by side."""
    from ..comparison import default_labels

    named = dict(runs) if isinstance(runs, Mapping) else dict(zip(default_labels(runs), runs, strict=True))
    with styled():
        ax = new_axes(ax)
        first = next(iter(named.values()))
        looks = colours_of(first.system.vms)
        width = 0.8 / len(first.vms)
        for i, name in enumerate(first.vms.index):
            colour, hatch = looks[name]
            ax.bar(np.arange(len(named)) + (i - (len(first.vms) - 1) / 2) * width, [100 * run.vms["share"][name] for run in named.values()],
                   width, color=colour, hatch=hatch, edgecolor="white", label=name)
        ax.set_xticks(range(len(named)), list(named))
        ax.set_ylabel("share of one pCPU [%]")
        ax.grid(axis="x", visible=False)
        ax.legend(ncols=len(first.vms), loc="upper center")
    return ax
