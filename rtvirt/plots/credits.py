"""Credits over time, as the credit scheduler counts them between the events that say them."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from ..engine.record import EVENTS
from ..errors import Problem, SpecError
from ..results import Run
from ..schedulers import Credit
from .style import DASHES, colours_of, end_of, new_axes, styled

SAYS_CREDIT = [EVENTS.index(name) for name in ("dispatch", "preempt", "tick", "account", "boost")]
CREDITS_PER_NS = 1e-5           # 10 a millisecond (docs/xen-rules.md 2.1)


def credits(run: Run, *, until: int | None = None, start: int = 0, ax: Axes | None = None) -> Axes:
    """Credits of the vCPUs over time; OVER is below 0.

    Parameters
    ----------
    run : Run
        Of the credit scheduler, recorded with ``record="trace"``.
    until, start : int [ns], optional
        The part to show; by default all.
    ax : Axes, optional

    Raises
    ------
    RecordError
        The run kept no events.
    SpecError
        Another scheduler's run, or `start` and `until` leave nothing to show.
    """
    if not isinstance(run.scheduler, Credit):
        raise SpecError([Problem("run", run.scheduler, "a run of Credit", "simulate with rv.Credit()")])
    end = end_of(run, start, until)
    curves = credit_curves(run)
    with styled():
        ax = new_axes(ax)
        looks = colours_of(run.system.vms)
        lanes = [(i, vm.name, vm.name if vm.vcpus == 1 else f"{vm.name}.{k}") for i, vm in enumerate(run.system.vms) for k in range(vm.vcpus)]
        for (i, vm, label), (times, values) in zip(lanes, curves, strict=True):
            shown = (times >= start) & (times <= end)
            ends = np.interp([start, end], times, values)
            ax.plot(np.concatenate([[start], times[shown], [end]]) / 1e6, np.concatenate([ends[:1], values[shown], ends[1:]]),
                    color=looks[vm][0], linestyle=DASHES[i % len(DASHES)], label=label)
        ax.set_xlim(start / 1e6, end / 1e6)
        low, high = ax.get_ylim()
        ax.axhspan(low, 0, color="#f3f3f3", zorder=0)
        ax.set_ylim(low, high)
        ax.text(0.005, 0.03, "OVER", transform=ax.transAxes, color="#777777")
        ax.set_xlabel("time [ms]")
        ax.set_ylabel("credits")
        ax.legend(ncols=max(1, len(run.system.vms)), loc="lower right", bbox_to_anchor=(1, 1))
    return ax


def credit_curves(run: Run) -> list[tuple[np.ndarray, np.ndarray]]:
    """Times [ns] and credits of each vCPU: down while it runs (a step at ticks, in the versions that sample), up at each accounting.

    Notes
    -----
    Events tell the credit at their instant. Between them a vCPU of today's scheduler burns 10 credits a millisecond while it runs
    and none otherwise (2.3), so the value just before an event follows from the one before it and the time run in between.
    """
    burns = 0.0 if run.scheduler.xen.startswith("3") else CREDITS_PER_NS
    return [credit_of(run, v, burns) for v in range(sum(vm.vcpus for vm in run.system.vms))]


def credit_of(run: Run, v: int, burns: float) -> tuple[np.ndarray, np.ndarray]:
    """Times [ns] and credits of one vCPU, two points at an event where the credit jumps."""
    events, slices = run.table("events"), run.table("slices")
    says = (events["vcpu"] == v) & np.isin(events["event"], SAYS_CREDIT)
    time = np.concatenate([[0], events["time"][says]])
    value = np.concatenate([[0], events["value"][says]]).astype(float)
    last = np.append(time[1:] > time[:-1], True)                # of several at one instant, what they leave
    time, value = time[last], value[last]
    mine = slices["vcpu"] == v
    start, end = slices["start"][mine], slices["end"][mine]
    corners = np.unique(np.concatenate([start, end, time, [run.duration]]))
    ran = np.interp(corners, np.ravel([start, end], "F"), np.ravel([np.cumsum(end - start) - (end - start), np.cumsum(end - start)],
                    "F")) if len(start) else np.zeros(len(corners))
    since = np.searchsorted(time, corners, side="right") - 1     # the event that says the credit at or before each corner
    before = np.maximum(np.searchsorted(time, corners, side="left") - 1, 0)
    ran_at = ran[np.searchsorted(corners, time)]
    just_before = value[before] - burns * (ran - ran_at[before])
    after = value[since] - burns * (ran - ran_at[since])
    return np.repeat(corners, 2), np.ravel([just_before, after], "F")
