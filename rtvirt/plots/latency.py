"""Distributions, shares and credits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from ..results import Run
from .style import COLOURS, colours_of, new_axes, styled

DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1.5)), (0, (6, 1.5, 1.5, 1.5)))


def ecdf(samples: Mapping[str, Any] | Any, *, ax: Axes | None = None, xlabel: str = "latency [ms]", bound: int | None = None) -> Axes:
    """Share of samples that took longer, on a logarithmic axis so that the tail shows; with n.

    Parameters
    ----------
    samples : mapping of label to times, or times [ns]
    ax : Axes, optional
    xlabel : str
    bound : int [ns], optional
        Drawn as a black dashed line.
    """
    groups = samples if isinstance(samples, Mapping) else {"": samples}
    with styled():
        ax = new_axes(ax)
        palette = [COLOURS["real-time"], COLOURS["best effort"], COLOURS["driver"], COLOURS["miss"]]
        longest = 1
        for i, (label, times) in enumerate(groups.items()):
            times = np.sort(np.asarray(times, np.int64))
            if not len(times):
                continue
            longest = max(longest, len(times))
            beyond = 1 - np.arange(len(times)) / len(times)
            ax.step(np.append(times, times[-1]) / 1e6, np.append(beyond, 1 / len(times)), where="post", color=palette[i % 4],
                    linestyle=DASHES[i % 4], label=f"{label} (n = {len(times)})".strip())
        if bound is not None:
            ax.axvline(bound / 1e6, color=COLOURS["bound"], linestyle="--", label="bound")
        ax.set_yscale("log")
        ax.set_ylim(0.5 / longest, 1.3)
        ax.set_ylabel("share that takes longer")
        ax.set_xlabel(xlabel)
        for share, text in ((0.5, "p50"), (0.01, "p99"), (0.001, "p99.9")):
            if share > 0.5 / longest:
                ax.axhline(share, color="#bbbbbb", linewidth=0.8)
                ax.text(1.0, share, f" {text}", transform=ax.get_yaxis_transform(), va="center", fontsize=11, color="#555555")
        ax.legend(loc="upper right")
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


def credits(run: Run, *, until: int | None = None, ax: Axes | None = None) -> Axes:
    """Credits of the vCPUs over time, as the credit scheduler's events show them; OVER is below 0."""
    end = run.duration if until is None else until
    events = run.events[run.events["event"].isin(["dispatch", "preempt", "tick", "account", "boost"]) & (run.events["time"] <= end)]
    with styled():
        ax = new_axes(ax)
        looks = colours_of(run.system.vms)
        for i, vm in enumerate(run.system.vms):
            for k in range(vm.vcpus):
                mine = events[(events["vm"] == vm.name) & (events["vcpu"] == k)]
                ax.plot(mine["time"] / 1e6, mine["value"], color=looks[vm.name][0], linestyle=DASHES[i % 4],
                        label=vm.name if vm.vcpus == 1 else f"{vm.name}.{k}")
        ax.axhspan(ax.get_ylim()[0], 0, color="#f3f3f3", zorder=0)
        ax.text(0.005, 0.03, "OVER", transform=ax.transAxes, color="#777777")
        ax.set_xlabel("time [ms]")
        ax.set_ylabel("credits")
        ax.legend(ncols=max(1, len(run.system.vms)), loc="lower right", bbox_to_anchor=(1, 1))
    return ax
