"""A finished run: tables of what happened."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .engine.record import EVENTS, Recording, percentile
from .errors import RecordError
from .paths import Paths
from .system import System
from .system.devices import with_tasks
from .units import format_ns

if TYPE_CHECKING:
    import pandas as pd

KEPT_BY = {"slices": ("trace",), "wakeups": ("trace",), "events": ("trace",), "jobs": ("trace", "jobs")}


class Run:
    """What happened when a system ran under a scheduler.

    Attributes
    ----------
    system, scheduler, duration, seed, record
        What was asked for; `duration` in ns.
    whole : System
        What was simulated: the system with the tasks that its devices bring along, which the tables name, too.
    recording : Recording
        The raw int64 arrays.
    slices, jobs, wakeups, events : DataFrame
        Times are int64 ns. ``slices`` one row a stint of a vCPU on a pCPU (cpu, vm, vcpu, start, end); ``jobs`` one row a job (vm,
        task, release, start, finish, response, deadline, missed; -1 for what has not happened); ``wakeups`` one row a wake-up (vm,
        vcpu, woken, dispatched, latency); ``events`` one row a scheduling event (time, cpu, vm, vcpu, event, value).
    vms, tasks : DataFrame
        One row a VM, a task; from statistics kept in every record mode. Percentiles come from histograms and are within 1/64 of
        the exact value.
    paths : mapping of DataFrame
        One table a device path, one row a message (`paths.Paths`); empty for systems without devices. ``paths.summary`` in every record mode.

    Raises
    ------
    RecordError
        On reading a table that `record` did not keep.
    """

    def __init__(self, system: System, scheduler: Any, duration: int, seed: int, record: str, recording: Recording,
                 whole: System | None = None) -> None:
        self.system, self.scheduler, self.duration, self.seed, self.record = system, scheduler, int(duration), seed, record
        self.recording, self.simulated = recording, whole
        self.paths = Paths(recording, record)

    # -------------------------------------------------------------- names

    @cached_property
    def whole(self) -> System:
        """The system with the tasks of its devices in its VMs."""
        return self.simulated or with_tasks(self.system, self.recording.plumbing)

    @cached_property
    def vcpu_names(self) -> tuple[np.ndarray, np.ndarray]:
        """VM name and number within it of every vCPU of the system."""
        pairs = [(vm.name, k) for vm in self.system.vms for k in range(vm.vcpus)]
        return np.array([name for name, _ in pairs], object), np.array([k for _, k in pairs], np.int64)

    @cached_property
    def task_names(self) -> tuple[np.ndarray, np.ndarray]:
        """VM name and task name of every task, those of devices included."""
        pairs = [(vm.name, task.name) for vm in self.whole.vms for task in vm.tasks]
        return np.array([vm for vm, _ in pairs], object), np.array([task for _, task in pairs], object)

    def table(self, name: str) -> dict[str, np.ndarray]:
        """Raw columns of a table, if it was recorded."""
        if self.record not in KEPT_BY[name]:
            modes = " or ".join(f'record="{mode}"' for mode in KEPT_BY[name])
            raise RecordError(f"run.{name} was not recorded: this run kept record={self.record!r}; simulate with {modes}")
        return getattr(self.recording, name)

    # -------------------------------------------------------------- tables

    @cached_property
    def slices(self) -> pd.DataFrame:
        """One row a stint: cpu, vm, vcpu, start, end [ns]."""
        import pandas as pd

        raw, (vm, number) = self.table("slices"), self.vcpu_names
        return pd.DataFrame({"cpu": raw["cpu"], "vm": vm[raw["vcpu"]], "vcpu": number[raw["vcpu"]], "start": raw["start"],
                             "end": raw["end"]})

    @cached_property
    def jobs(self) -> pd.DataFrame:
        """One row a job: vm, task, release, start, finish, response, deadline [ns], missed."""
        import pandas as pd

        raw, (vm, task) = self.table("jobs"), self.task_names
        done = raw["finish"] >= 0
        return pd.DataFrame({
            "vm": vm[raw["task"]], "task": task[raw["task"]], "release": raw["release"], "start": raw["start"],
            "finish": raw["finish"], "response": np.where(done, raw["finish"] - raw["release"], -1), "deadline": raw["deadline"],
            "missed": self.missed})

    @cached_property
    def missed(self) -> np.ndarray:
        """(jobs,) bool: had a deadline within the run, and was not done by then."""
        raw = self.table("jobs")
        late = np.where(raw["finish"] >= 0, raw["finish"] > raw["deadline"], raw["deadline"] <= self.duration)
        return (raw["deadline"] >= 0) & late

    @cached_property
    def wakeups(self) -> pd.DataFrame:
        """One row a wake-up of a vCPU: vm, vcpu, woken, dispatched, latency [ns]."""
        import pandas as pd

        raw, (vm, number) = self.table("wakeups"), self.vcpu_names
        return pd.DataFrame({"vm": vm[raw["vcpu"]], "vcpu": number[raw["vcpu"]], "woken": raw["woken"],
                             "dispatched": raw["dispatched"], "latency": raw["dispatched"] - raw["woken"]})

    @cached_property
    def events(self) -> pd.DataFrame:
        """One row a scheduling event: time [ns], cpu, vm, vcpu, event, value (credit, budget ...)."""
        import pandas as pd

        raw, (vm, number) = self.table("events"), self.vcpu_names
        return pd.DataFrame({"time": raw["time"], "cpu": raw["cpu"], "vm": vm[raw["vcpu"]], "vcpu": number[raw["vcpu"]],
                             "event": np.array(EVENTS, object)[raw["event"]], "value": raw["value"]})

    @cached_property
    def vms(self) -> pd.DataFrame:
        """One row a VM: share [of one pCPU], runtime, stints, switches, wakeups, wake-up latency p50, p99, max [ns]."""
        import pandas as pd

        rec, rows, first = self.recording, [], 0
        for vm in self.system.vms:
            mine = slice(first, first + vm.vcpus)
            first += vm.vcpus
            runtime = int(rec.runtime[mine].sum())
            rows.append({"share": runtime / self.duration, "runtime": runtime, "stints": int(rec.stints[mine].sum()),
                         "switches": int(rec.switches[mine].sum()), "wakeups": int(rec.latency[mine, 0].sum()),
                         **spread("latency", merge(rec.latency[mine]), rec.latency_hist[mine].sum(axis=0), (0.5, 0.99))})
        return pd.DataFrame(rows, index=pd.Index([vm.name for vm in self.system.vms], name="vm"))

    @cached_property
    def tasks(self) -> pd.DataFrame:
        """One row a task: jobs, misses, miss_ratio, unfinished, response min, mean, p50, p99, p99.9, max [ns]."""
        import pandas as pd

        rec, rows = self.recording, []
        for t in range(len(self.task_names[0])):
            finished, unfinished = int(rec.response[t, 0]), int(rec.unfinished[t])
            jobs = finished + unfinished
            least, total = int(rec.response[t, 1]), int(rec.response[t, 3])
            rows.append({"jobs": jobs, "misses": int(rec.misses[t]), "miss_ratio": int(rec.misses[t]) / jobs if jobs else 0.0,
                         "unfinished": unfinished, "response_min": least if finished else -1,
                         "response_mean": total / finished if finished else -1.0,
                         **spread("response", rec.response[t], rec.response_hist[t], (0.5, 0.99, 0.999))})
        index = pd.MultiIndex.from_arrays(self.task_names, names=["vm", "task"])
        return pd.DataFrame(rows, index=index, columns=list(rows[0]) if rows else [])

    # -------------------------------------------------------------- in words, checks, files

    def summary(self) -> str:
        """The run in a sentence."""
        misses, jobs = int(self.recording.misses.sum()), int(self.recording.response[:, 0].sum() + self.recording.unfinished.sum())
        shares = ", ".join(f"{name} {100 * share:.1f} %" for name, share in self.vms["share"].items())
        return f"{format_ns(self.duration)} under {self.scheduler!r}: {shares}; {misses} of {jobs} jobs missed their deadline"

    def __repr__(self) -> str:
        return f"<Run: {self.summary()}>"

    def check(self) -> Run:
        """Verify the invariants of every run (docs/model.md); returns the run, raises `InvariantError` with the first bad rows."""
        from .invariants import check

        check(self)
        return self

    def to_csv(self, folder: str | Path) -> list[Path]:
        """Write each recorded table as CSV into a folder; the files written."""
        from .export import to_csv

        return to_csv(self, folder)

    def to_parquet(self, folder: str | Path) -> list[Path]:
        """Write each recorded table as Parquet into a folder (needs the extra ``parquet``); the files written."""
        from .export import to_parquet

        return to_parquet(self, folder)

    def to_perfetto(self, path: str | Path) -> Path:
        """Write the trace for ui.perfetto.dev (Chrome trace-event JSON)."""
        from .perfetto import to_perfetto

        return to_perfetto(self, path)


def merge(totals: np.ndarray) -> np.ndarray:
    """Count, least, most, total of several rows together."""
    some = totals[totals[:, 0] > 0]
    return np.array([some[:, 0].sum(), some[:, 1].min(), some[:, 2].max(), some[:, 3].sum()]) if len(some) else np.zeros(4, np.int64)


def spread(name: str, totals: np.ndarray, hist: np.ndarray, quantiles: tuple[float, ...]) -> dict[str, int]:
    """Percentiles and maximum of a time [ns]; -1 when it never occurred."""
    count, least, most, _ = (int(x) for x in totals)
    found = {f"{name}_p{100 * q:g}": min(max(percentile(hist, q), least), most) if count else -1 for q in quantiles}
    return found | {f"{name}_max": most if count else -1}
