"""What must hold after every run, whatever the scheduler."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .errors import RtvirtError

if TYPE_CHECKING:
    import pandas as pd

    from .results import Run


class InvariantError(RtvirtError, AssertionError):
    """A run contradicts itself: a defect of the engine, worth a report."""


def check(run: Run) -> None:
    """Raise `InvariantError` for the first invariant that a run breaks; only what was recorded can be checked."""
    statistics_add_up(run)
    if run.record == "trace":
        stints_do_not_overlap(run)
        statistics_equal_tables(run)
        wakeups_are_served(run)
        if getattr(run.scheduler, "work_conserving", False):
            no_idle_while_waiting(run)
    if run.record in ("trace", "jobs"):
        jobs_make_sense(run)


def demand(ok: bool, what: str, rows: pd.DataFrame | str = "") -> None:
    """Raise unless `ok`."""
    if not ok:
        raise InvariantError(f"{what}:\n{rows if isinstance(rows, str) else rows.head().to_string()}")


def statistics_add_up(run: Run) -> None:
    """vCPUs cannot have run longer than there were pCPUs."""
    total = int(run.recording.runtime.sum())
    demand(0 <= total <= run.system.cpus * run.duration, "time is not conserved", f"{total} ns on {run.system.cpus} pCPUs")
    demand(bool((run.recording.runtime >= 0).all()), "a vCPU ran for negative time", str(run.recording.runtime))


def stints_do_not_overlap(run: Run) -> None:
    """No two vCPUs on a pCPU, no vCPU on two pCPUs, nothing outside the run."""
    table = run.slices
    bad = table[(table["end"] < table["start"]) | (table["start"] < 0) | (table["end"] > run.duration)]
    demand(bad.empty, "a stint has no proper beginning and end", bad)
    for keys in (["cpu"], ["vm", "vcpu"]):
        ordered = table.sort_values([*keys, "start", "end"], kind="stable")
        same = (ordered[keys] == ordered[keys].shift()).all(axis=1)
        bad = ordered[same & (ordered["start"] < ordered["end"].shift())]
        demand(bad.empty, f"two stints overlap on one {' '.join(keys)}", bad)


def statistics_equal_tables(run: Run) -> None:
    """Sums over the tables equal the statistics that the kernel kept."""
    rec = run.recording
    n = len(rec.runtime)
    runtime = np.zeros(n, np.int64)
    np.add.at(runtime, rec.slices["vcpu"], rec.slices["end"] - rec.slices["start"])
    demand(bool((runtime == rec.runtime).all()), "stints do not add up to the runtime", f"{runtime} and {rec.runtime}")
    woken = np.bincount(rec.wakeups["vcpu"], minlength=n)
    demand(bool((woken == rec.latency[:, 0]).all()), "wake-ups are miscounted", f"{woken} and {rec.latency[:, 0]}")
    demand(int(run.jobs["missed"].sum()) == int(rec.misses.sum()), "misses are miscounted",
           f"{int(run.jobs['missed'].sum())} and {int(rec.misses.sum())}")


def wakeups_are_served(run: Run) -> None:
    """Nobody is dispatched before being woken."""
    bad = run.wakeups[run.wakeups["latency"] < 0]
    demand(bad.empty, "a vCPU was dispatched before it was woken", bad)


def jobs_make_sense(run: Run) -> None:
    """Release <= start <= finish; the jobs of a task are worked on in order, one at a time; constant demands are met."""
    jobs = run.jobs
    started, done = jobs["start"] >= 0, jobs["finish"] >= 0
    bad = jobs[(started & (jobs["start"] < jobs["release"])) | (done & (jobs["finish"] < jobs["start"])) | (done & ~started)]
    demand(bad.empty, "a job runs before its release or ends before its start", bad)
    for (vm, name), mine in jobs.groupby(["vm", "task"], sort=False):
        finished = mine[mine["finish"] >= 0]
        demand(bool(finished["finish"].is_monotonic_increasing) and bool(mine["release"].is_monotonic_increasing),
               f"jobs of {vm}/{name} overtake each other", mine)
        task = next(task for task in run.system[vm].tasks if task.name == name)
        if isinstance(task.wcet, int):
            bad = finished[finished["finish"] - finished["start"] < task.wcet]
            demand(bad.empty, f"a job of {vm}/{name} finished without having done its work", bad)


def no_idle_while_waiting(run: Run) -> None:
    """A work-conserving scheduler leaves no pCPU idle while a vCPU that may run there waits (systems without path costs)."""
    if any(value for _, value in run.system.costs) or any(vm.affinity is not None for vm in run.system.vms) or run.system.changes:
        return
    if any(vm.cap for vm in run.system.vms) or len(run.wakeups) == 0:
        return
    waits = run.wakeups[run.wakeups["latency"] > 0]
    if len(waits) == 0:
        return
    step = np.concatenate([np.stack([run.slices["start"], np.ones(len(run.slices), np.int64)], 1),
                           np.stack([run.slices["end"], -np.ones(len(run.slices), np.int64)], 1)])
    times, where = np.unique(step[:, 0], return_inverse=True)
    busy = np.cumsum(np.bincount(where, weights=step[:, 1]).astype(np.int64))
    idle_from = times[busy < run.system.cpus]
    idle_to = np.append(times, run.duration)[1:][busy < run.system.cpus]
    long_idle = idle_to > idle_from
    idle_from, idle_to = idle_from[long_idle], idle_to[long_idle]
    at = np.searchsorted(idle_to, waits["woken"].to_numpy(), side="right")
    hit = (at < len(idle_from)) & (idle_from[np.minimum(at, len(idle_from) - 1)] < waits["dispatched"].to_numpy()) if len(idle_from) else \
        np.zeros(len(waits), bool)
    bad = waits[hit]
    demand(bad.empty, "a vCPU waited while a pCPU was idle", bad)
