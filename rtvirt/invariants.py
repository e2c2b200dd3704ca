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
        promise = getattr(run.scheduler, "work_conserving", False)
        if promise is True or (promise == "on one pCPU" and run.system.cpus == 1):
            no_idle_while_waiting(run)
    if run.record in ("trace", "jobs"):
        jobs_make_sense(run)


def demand(ok: bool, what: str, rows: pd.DataFrame | str = "") -> None:
    """Raise unless `ok`."""
    if not ok:
        raise InvariantError(f"{what}:\n{rows if isinstance(rows, str) else rows.head().to_string()}")


def none_of(bad: np.ndarray, what: str, run: Run, table: str, rows: np.ndarray | slice = slice(None)) -> None:
    """Raise if any row is bad; only then is the table made that shows them."""
    if bad.any():
        demand(False, what, getattr(run, table).iloc[rows][bad])


def statistics_add_up(run: Run) -> None:
    """vCPUs cannot have run longer than there were pCPUs."""
    total = int(run.recording.runtime.sum())
    demand(0 <= total <= run.system.cpus * run.duration, "time is not conserved", f"{total} ns on {run.system.cpus} pCPUs")
    demand(bool((run.recording.runtime >= 0).all()), "a vCPU ran for negative time", str(run.recording.runtime))


def stints_do_not_overlap(run: Run) -> None:
    """No two vCPUs on a pCPU, no vCPU on two pCPUs, nothing outside the run."""
    table = run.recording.slices
    start, end = table["start"], table["end"]
    none_of((end < start) | (start < 0) | (end > run.duration), "a stint has no proper beginning and end", run, "slices")
    for owner in ("cpu", "vcpu"):
        order = np.lexsort((end, start, table[owner]))
        same = table[owner][order][1:] == table[owner][order][:-1]
        bad = same & (start[order][1:] < end[order][:-1])
        none_of(bad, f"two stints overlap on one {owner}", run, "slices", order[1:])


def statistics_equal_tables(run: Run) -> None:
    """Sums over the tables equal the statistics that the kernel kept."""
    rec = run.recording
    n = len(rec.runtime)
    runtime = np.zeros(n, np.int64)
    np.add.at(runtime, rec.slices["vcpu"], rec.slices["end"] - rec.slices["start"])
    demand(bool((runtime == rec.runtime).all()), "stints do not add up to the runtime", f"{runtime} and {rec.runtime}")
    woken = np.bincount(rec.wakeups["vcpu"], minlength=n)
    demand(bool((woken == rec.latency[:, 0]).all()), "wake-ups are miscounted", f"{woken} and {rec.latency[:, 0]}")
    missed = int(run.missed.sum())
    demand(missed == int(rec.misses.sum()), "misses are miscounted", f"{missed} and {int(rec.misses.sum())}")


def wakeups_are_served(run: Run) -> None:
    """Nobody is dispatched before being woken."""
    table = run.recording.wakeups
    none_of(table["dispatched"] < table["woken"], "a vCPU was dispatched before it was woken", run, "wakeups")


def jobs_make_sense(run: Run) -> None:
    """Release <= start <= finish; the jobs of a task are worked on in order, one at a time; constant demands are met."""
    table = run.recording.jobs
    task, release, start, finish = (table[name] for name in ("task", "release", "start", "finish"))
    started, done = start >= 0, finish >= 0
    none_of((started & (start < release)) | (done & (finish < start)) | (done & ~started),
            "a job runs before its release or ends before its start", run, "jobs")
    for time, rows in ((release, np.arange(len(task))), (finish, np.flatnonzero(done))):
        order = rows[np.argsort(task[rows], kind="stable")]
        same = task[order][1:] == task[order][:-1]
        none_of(same & (time[order][1:] < time[order][:-1]), "jobs of a task overtake each other", run, "jobs", order[1:])
    work = np.array([task.wcet if isinstance(task.wcet, int) else 0 for vm in run.whole.vms for task in vm.tasks], np.int64)
    if len(work):
        none_of(done & (finish - start < work[task]), "a job finished without having done its work", run, "jobs")


def no_idle_while_waiting(run: Run) -> None:
    """A work-conserving scheduler leaves no pCPU idle while a vCPU that may run there waits (systems without path costs)."""
    if any(value for _, value in run.system.costs) or any(vm.affinity is not None for vm in run.system.vms) or run.system.changes:
        return
    if any(vm.cap for vm in run.system.vms):
        return
    woken, dispatched = run.recording.wakeups["woken"], run.recording.wakeups["dispatched"]
    idle_from, idle_to = idle_intervals(run)
    if not len(idle_from):
        return
    at = np.searchsorted(idle_to, woken, side="right")
    bad = (dispatched > woken) & (at < len(idle_from)) & (idle_from[np.minimum(at, len(idle_from) - 1)] < dispatched)
    none_of(bad, "a vCPU waited while a pCPU was idle", run, "wakeups")


def idle_intervals(run: Run) -> tuple[np.ndarray, np.ndarray]:
    """(from, to) [ns] of the intervals in which at least one pCPU ran nobody."""
    start, end = run.recording.slices["start"], run.recording.slices["end"]
    steps = np.repeat([1, -1], len(start))
    times, where = np.unique(np.concatenate([start, end]), return_inverse=True)
    busy = np.cumsum(np.bincount(where, weights=steps).astype(np.int64)) if len(times) else np.zeros(0, np.int64)
    idle = (busy < run.system.cpus) & (times < np.append(times, run.duration)[1:])
    return times[idle], np.append(times, run.duration)[1:][idle]
