"""One message's way through the stages of its path, as what a timeline draws over its lanes. No widget here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd

from ..results import Run
from .steps import rounded

LEAST_VIEW = 100_000                          # [ns]
KINDS = ("unheard", "waits", "served")        # of legs, as timeline_way.js numbers them


class Leg(NamedTuple):
    """A stretch of the way in one lane: a vCPU's number, or how many there are for the hardware; times in ns."""

    lane: int
    kind: str
    start: int
    end: int


class Step(NamedTuple):
    """A stage that the message went through: its name, where, when it came and when it was out [ns]."""

    name: str
    where: str
    lane: int
    start: int
    end: int


@dataclass(frozen=True)
class Way:
    """A message's way.

    Attributes
    ----------
    message : int
        Its number in ``run.paths[path]``.
    steps : list of Step
    legs : list of Leg
        Each step's: until anybody knows of the message, until it is taken, until it is out.
    hops : list of (int, int, int [ns])
        From lane to lane, and when.
    hardware : str
        Name of the lane below the vCPUs: a NIC, a wire, a disk.
    """

    message: int
    steps: list[Step]
    legs: list[Leg]
    hops: list[tuple[int, int, int]]
    hardware: str

    @property
    def start(self) -> int:
        """The message's first instant [ns]."""
        return self.steps[0].start

    @property
    def end(self) -> int:
        """When it was delivered [ns]."""
        return self.steps[-1].end

    def lay_out(self) -> dict[str, Any]:
        """The same, as numbers for the browser."""
        return {"legs": [[leg.lane, KINDS.index(leg.kind), leg.start, leg.end] for leg in self.legs], "hops": [list(hop) for hop in self.hops],
                "marks": [[step.lane, step.start, f"{k} {step.name}"] for k, step in enumerate(self.steps, 1)], "hardware": self.hardware}


def around(way: Way) -> list[float]:
    """A stretch of time around a way, a round one, so that it does not change with every message [ns]."""
    span = rounded(1.25 * (way.end - way.start), LEAST_VIEW)
    start = max(0.0, float((way.start + way.end - int(span)) // 2))
    return [start, start + span]


class Lanes:
    """Which lane a server's work is seen in."""

    def __init__(self, run: Run, hardware: str) -> None:
        self.first, self.hardware = {}, hardware
        self.count = 0
        for vm in run.system.vms:
            self.first[vm.name] = self.count
            self.count += vm.vcpus
        self.threads = {thread.key: thread for thread in run.recording.plumbing.threads}

    def of(self, server: str) -> tuple[int, str]:
        """Lane and name of a thread's VM, or of the hardware. A thread that needs no vCPU (`Device.without`) stays with its VM."""
        vm = server.partition("/")[0]
        if vm not in self.first or "/" not in server:
            return self.count, self.hardware
        return self.first[vm] + (self.threads[server].vcpu if server in self.threads else 0), vm


def way_of(run: Run, path: str, row: pd.Series, hardware: str = "hardware") -> Way:
    """The way of a message that was delivered.

    Parameters
    ----------
    run : Run
        Recorded with ``record="trace"``.
    path : str
    row : Series
        Its row of ``run.paths[path]``.
    hardware : str
        How the reader calls what is no vCPU.
    """
    plan = next(one for one in run.recording.plumbing.paths if one.name == path)
    lanes = Lanes(run, hardware)
    stages = [(stage.name, lanes.of(stage.server)) for stage in plan.stages[:None if plan.ends is None else plan.ends + 1]]
    if plan.into is not None and plan.ends is None:
        stages.append(("app", lanes.of(plan.into)))
    end = int(row[f"{stages[-1][0]}.out"])
    steps: list[Step] = []
    legs: list[Leg] = []
    here, where = (lanes.count, hardware) if plan.arrivals else lanes.of(f"{plan.frontend}/")
    first, came = end - int(row["total"]), int(row[f"{stages[0][0]}.in"])
    ready = came - int(row["ring"]) if plan.enter == 0 else came               # then it waited for a slot
    for name, kind, start, stop in (("submit", "served", first, ready), ("ring", "waits", ready, came)):
        if stop > start:
            steps.append(Step(name, where, here, start, stop))
            legs.append(Leg(here, kind, start, stop))
    hops = []
    for name, (lane, where) in stages:
        came, taken, out = (int(row[f"{name}.{what}"]) for what in ("in", "taken", "out"))
        known = min(max(came, int(row.get(f"{name}.known", came))), taken)        # -1 where nobody is ever told
        if lane != here:
            hops.append((here, lane, came))
        steps.append(Step(name, where, lane, came, out))
        parts = (("unheard", came, known), ("waits", known, taken), ("served", taken, out))
        legs += [Leg(lane, kind, start, stop) for kind, start, stop in parts if stop > start]
        here = lane
    return Way(int(row["message"]), steps, legs, hops, hardware)


__all__ = ["Leg", "Step", "Way", "around", "way_of"]
