"""A run as Chrome trace events, for ui.perfetto.dev: pCPUs, VMs with their vCPUs, tasks, reasons, credits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .files import atomically

if TYPE_CHECKING:
    from .results import Run

PCPUS = 1             # process number of the pCPUs; VM i is process 10 + i
FIRST_VM = 10
COUNTED = {"dispatch", "preempt", "tick", "account", "boost", "unboost"}
SHOWN = {"boost", "unboost", "park", "unpark", "steal", "yield", "activate", "deactivate", "pause", "unpause", "crash", "wake"}


def to_perfetto(run: Run, path: str | Path) -> Path:
    """Write the trace-event file; needs ``record="trace"``. Times become microseconds, as the format wants."""
    events = [*names(run), *sorted([*stints(run), *jobs(run), *reasons(run)], key=lambda event: event["ts"])]
    document = {"traceEvents": events, "displayTimeUnit": "ns", "otherData": {"run": run.summary()}}
    return atomically(Path(path), lambda file: file.write_text(json.dumps(document), encoding="utf-8"))


def names(run: Run) -> Iterator[dict[str, Any]]:
    """Who is who."""
    def name(kind: str, pid: int, tid: int, text: str) -> dict[str, Any]:
        return {"ph": "M", "name": kind, "pid": pid, "tid": tid, "args": {"name": text}}

    yield name("process_name", PCPUS, 0, "pCPUs")
    for p in range(run.system.cpus):
        yield name("thread_name", PCPUS, p, f"pCPU {p}")
    for i, vm in enumerate(run.whole.vms):
        yield name("process_name", FIRST_VM + i, 0, f"VM {vm.name}")
        for k in range(vm.vcpus):
            yield name("thread_name", FIRST_VM + i, k, f"vCPU {k}")
        for j, task in enumerate(vm.tasks):
            yield name("thread_name", FIRST_VM + i, vm.vcpus + j, f"task {task.name}")


def stints(run: Run) -> Iterator[dict[str, Any]]:
    """Each stint twice: on its pCPU, and on its vCPU."""
    process = {vm.name: FIRST_VM + i for i, vm in enumerate(run.whole.vms)}
    for row in run.slices.itertuples(index=False):
        span = {"ph": "X", "ts": row.start / 1000, "dur": (row.end - row.start) / 1000, "cat": "vcpu"}
        yield span | {"name": row.vm if row.vcpu == 0 else f"{row.vm}.{row.vcpu}", "pid": PCPUS, "tid": int(row.cpu)}
        yield span | {"name": "running", "pid": process[row.vm], "tid": int(row.vcpu), "args": {"pcpu": int(row.cpu)}}


def jobs(run: Run) -> Iterator[dict[str, Any]]:
    """Each job from release to finish, as an asynchronous span of its task."""
    lane = {(vm.name, task.name): (FIRST_VM + i, vm.vcpus + j) for i, vm in enumerate(run.whole.vms) for j, task in enumerate(vm.tasks)}
    for number, row in enumerate(run.jobs.itertuples(index=False)):
        pid, tid = lane[row.vm, row.task]
        end = row.finish if row.finish >= 0 else run.duration
        common = {"cat": "job", "id": number, "name": f"{row.task}{' MISSED' if row.missed else ''}", "pid": pid, "tid": tid}
        yield common | {"ph": "b", "ts": row.release / 1000,
                        "args": {"response_us": row.response / 1000, "deadline_us": row.deadline / 1000, "missed": bool(row.missed)}}
        yield common | {"ph": "e", "ts": end / 1000}


def reasons(run: Run) -> Iterator[dict[str, Any]]:
    """Scheduling events as instants of their vCPU, credits as counters of their VM."""
    process = {vm.name: FIRST_VM + i for i, vm in enumerate(run.whole.vms)}
    for row in run.events.itertuples(index=False):
        pid, ts = process[row.vm], row.time / 1000
        if row.event in SHOWN:
            yield {"ph": "i", "s": "t", "name": row.event, "cat": "scheduler", "ts": ts, "pid": pid, "tid": int(row.vcpu),
                   "args": {"value": int(row.value), "pcpu": int(row.cpu)}}
        if row.event in COUNTED:
            yield {"ph": "C", "name": f"credit of vCPU {row.vcpu}", "ts": ts, "pid": pid, "args": {"credit": int(row.value)}}
