"""What to measure of a run, by name. Each takes a `Run`, and a VM's name where it makes sense."""

from __future__ import annotations

from math import sqrt

import numpy as np

from ..engine.record import percentile
from ..errors import Problem, SpecError
from ..results import Run, merge


def miss_ratio(run: Run, vm: str | None = None) -> float:
    """Share of the jobs with a deadline that missed it; 0 if there were none. Of one VM, or of all."""
    rows = run.tasks.loc[[(of.name, task.name) for of in run.system.vms for task in of.tasks
                          if task.deadline is not None and vm in (None, of.name)]]
    jobs = int(rows["jobs"].sum()) if len(rows) else 0
    return int(rows["misses"].sum()) / jobs if jobs else 0.0


def worst_response(run: Run, vm: str | None = None) -> int:
    """Longest response `int [ns]`; −1 if no job finished."""
    rows = run.tasks.loc[[(of.name, task.name) for of in run.system.vms for task in of.tasks if vm in (None, of.name)]]
    return int(rows["response_max"].max()) if len(rows) else -1


def worst_latency(run: Run, vm: str | None = None) -> int:
    """Longest wait from a wake-up to the pCPU `int [ns]`; −1 if nobody woke."""
    return int((run.vms if vm is None else run.vms.loc[[vm]])["latency_max"].max())


def mean_latency(run: Run, vm: str) -> float:
    """Mean wait from a wake-up to the pCPU [ns]; NaN if the VM never woke."""
    count, _, _, total = merge(run.recording.latency[vcpus(run, vm)])
    return float(total) / float(count) if count else float("nan")


def latency_quantile(run: Run, vm: str, share: float) -> int:
    """Wait from a wake-up to the pCPU that this share of wake-ups do not exceed, to 1/64 `int [ns]`; −1 if the VM never woke."""
    rows = run.recording.latency[vcpus(run, vm)]
    count, least, most, _ = (int(x) for x in merge(rows))
    return min(max(percentile(run.recording.latency_hist[vcpus(run, vm)].sum(axis=0), share), least), most) if count else -1


def share(run: Run, vm: str) -> float:
    """Part of one pCPU that a VM got."""
    return float(run.vms.loc[vm, "share"])


def idle_share(run: Run) -> float:
    """Part of all pCPUs' time in which nobody ran."""
    return 1 - int(run.vms["runtime"].sum()) / (run.system.cpus * run.duration)


def switches(run: Run) -> int:
    """How often a pCPU turned to another vCPU."""
    return int(run.vms["switches"].sum())


def start_jitter(run: Run, vm: str) -> float:
    """Standard deviation of the delay from release to start of a VM's jobs [ns]; needs ``record="jobs"`` or ``"trace"``."""
    jobs = run.jobs
    mine = jobs[(jobs["vm"] == vm) & (jobs["start"] >= 0)]
    delay = (mine["start"] - mine["release"]).to_numpy(np.float64)
    return sqrt(float(((delay - delay.mean()) ** 2).mean())) if len(delay) else float("nan")


def vcpus(run: Run, vm: str) -> slice:
    """Rows of a VM's vCPUs."""
    first = 0
    for one in run.system.vms:
        if one.name == vm:
            return slice(first, first + one.vcpus)
        first += one.vcpus
    raise SpecError([Problem("vm", vm, ", ".join(one.name for one in run.system.vms), "name a VM of the run's system")])
