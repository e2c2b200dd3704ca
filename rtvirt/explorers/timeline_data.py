"""What a timeline shows: stints, waits, markers and a description, as plain columns made from a run. No widget here."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..engine.record import EVENTS, Recording
from ..errors import Problem, SpecError
from ..plots import meaning_of
from ..results import Run
from ..system import System
from ..units import format_ns
from .columns import MAX_NUMBERS

KINDS = ("release", "deadline", "miss", "boost", "park", "steal")     # of markers, as timeline_draw.js numbers them
OPENS = [EVENTS.index(name) for name in ("wake", "preempt", "start", "unpark", "unpause")]
CLOSES = [EVENTS.index(name) for name in ("dispatch", "block", "park", "pause", "crash")]


@dataclass(frozen=True)
class Curve:
    """A line below the lanes that shares their time axis: whose, what it is for (its colour), times (n,) [ns], values (n,)."""

    name: str
    meaning: str
    times: np.ndarray
    values: np.ndarray


@dataclass(frozen=True)
class TimelineData:
    """A timeline as data.

    Attributes
    ----------
    cpus : int
    duration : int [ns]
    vcpus : list of dict
        ``name`` and ``meaning`` of every vCPU, in the order of the system.
    columns : dict of str to (n,) array
        ``slice_*`` stints, ``wait_*`` times runnable without a pCPU, ``mark_*`` markers (kinds index `KINDS`); times in ns.
    description : str
        The same in words, for those who do not see the picture.
    """

    cpus: int
    duration: int
    vcpus: list[dict[str, str]]
    columns: dict[str, np.ndarray] = field(repr=False)
    description: str


def vcpu_labels(system: System) -> list[dict[str, str]]:
    """Name and meaning of every vCPU; the number is left out where a VM has one."""
    return [{"name": vm.name if vm.vcpus == 1 else f"{vm.name}.{k}", "meaning": meaning_of(vm)}
            for vm in system.vms for k in range(vm.vcpus)]


def task_lanes(system: System) -> np.ndarray:
    """The vCPU in whose lane the jobs of each task are marked: where it is pinned, else the first of its VM."""
    lanes, first = [], 0
    for vm in system.vms:
        lanes += [first + (task.vcpu or 0) for task in vm.tasks]
        first += vm.vcpus
    return np.array(lanes, dtype=np.int64)


def missed(jobs: dict[str, np.ndarray], duration: int) -> np.ndarray:
    """Which jobs were not done by a deadline that lies within the run; (n,) bool."""
    finish, deadline = jobs["finish"], jobs["deadline"]
    return (deadline >= 0) & np.where(finish >= 0, finish > deadline, deadline <= duration)


def waits(recording: Recording, duration: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """When vCPUs were runnable without a pCPU: vcpu, start [ns], end [ns].

    A wait opens with a wake-up, a preemption, the start of the VM or its unparking, and closes with the vCPU's next event that
    closes one. What overlaps the vCPU's own stints is cut off: with path costs, a vCPU may be woken before it has left its pCPU.
    """
    code = recording.events["event"]
    opens = np.isin(code, OPENS)
    keep = (opens | np.isin(code, CLOSES)) & (recording.events["vcpu"] >= 0)
    vcpu, time, opens = recording.events["vcpu"][keep], recording.events["time"][keep], opens[keep]
    order = np.argsort(vcpu, kind="stable")          # by vCPU; within one, as it happened
    vcpu, time, opens = vcpu[order], time[order], opens[order]
    until = np.where(np.append(vcpu[1:] == vcpu[:-1], False), np.append(time[1:], duration), duration)
    vcpu, time, until = vcpu[opens], time[opens], until[opens]
    for v in np.unique(vcpu):
        mine, stints = vcpu == v, recording.slices["vcpu"] == v
        start, end = recording.slices["start"][stints], recording.slices["end"][stints]
        if len(start):
            last = np.searchsorted(start, time[mine], side="right") - 1
            time[mine] = np.where(last >= 0, np.maximum(time[mine], end[last]), time[mine])
    real = until > time
    return vcpu[real], time[real], until[real]


def markers(system: System, recording: Recording, duration: int) -> dict[str, np.ndarray]:
    """Releases, deadlines and misses of jobs, boosts, parkings and steals of vCPUs, in time order.

    The value of a miss is how late the job was [ns], -1 if it was never finished; that of an event is the engine's.
    """
    jobs, events = recording.jobs, recording.events
    vcpu, deadline, late = task_lanes(system)[jobs["task"]], jobs["deadline"], missed(jobs, duration)
    overrun, timed = np.where(jobs["finish"] >= 0, jobs["finish"] - deadline, -1), deadline >= 0
    rows = [(vcpu[timed], jobs["release"][timed], overrun[timed]), (vcpu[timed], deadline[timed], overrun[timed]),
            (vcpu[late], deadline[late], overrun[late])]
    for kind in KINDS[3:]:
        hit = events["event"] == EVENTS.index(kind)
        rows.append((events["vcpu"][hit], events["time"][hit], events["value"][hit]))
    time = np.concatenate([row[1] for row in rows])
    order = np.argsort(time, kind="stable")
    return {"mark_vcpu": np.concatenate([row[0] for row in rows])[order], "mark_time": time[order],
            "mark_kind": np.repeat(np.arange(len(rows)), [len(row[0]) for row in rows])[order],
            "mark_value": np.concatenate([row[2] for row in rows])[order]}


def describe(system: System, recording: Recording, duration: int) -> str:
    """A timeline in words: shares, stints and misses."""
    pcpus = "1 pCPU" if system.cpus == 1 else f"{system.cpus} pCPUs"
    parts = [f"Timeline of {format_ns(duration)} on {pcpus}."]
    for v, vcpu in enumerate(vcpu_labels(system)):
        share, stints = 100 * int(recording.runtime[v]) / duration, int(recording.stints[v])
        parts.append(f"{vcpu['name']} ran {share:.1f} % of the time in {stints} stint{'s' * (stints != 1)}.")
    timed = int(np.count_nonzero(recording.jobs["deadline"] >= 0))
    if timed:
        parts.append(f"{int(np.count_nonzero(missed(recording.jobs, duration)))} of {timed} deadlines were missed.")
    return " ".join(parts)


def timeline_data(run: Run) -> TimelineData:
    """What the timeline of a run shows.

    Raises
    ------
    RecordError
        The run kept no trace.
    SpecError
        The trace is longer than a browser can take.
    """
    columns = {f"slice_{name}": run.table("slices")[name] for name in ("cpu", "vcpu", "start", "end")}
    recording, duration = run.recording, run.duration
    columns |= dict(zip(("wait_vcpu", "wait_start", "wait_end"), waits(recording, duration), strict=True))
    columns |= markers(run.whole, recording, duration)
    numbers = sum(len(values) for values in columns.values())
    if numbers > MAX_NUMBERS:
        raise SpecError([Problem("run.duration", duration, f"a trace of at most {MAX_NUMBERS} numbers; this one has {numbers}",
                                 "simulate a shorter duration, or draw a part with rv.plots.gantt(run, start=..., until=...)")])
    return TimelineData(run.system.cpus, duration, vcpu_labels(run.system), columns, describe(run.system, recording, duration))
