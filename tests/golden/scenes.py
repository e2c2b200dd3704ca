"""Small systems and the traces they must give; times in milliseconds."""

from __future__ import annotations

from typing import Any

import rtvirt as rv
from rtvirt.units import ms


def hogs(**weights: int) -> list[rv.VM]:
    """One VM with one hog for each name."""
    return [rv.VM(name, tasks=[rv.hog()], weight=weight) for name, weight in weights.items()]


def bursts(name: str, start: float, length: float, *, period: float = 10, count: int = 1000, first: int = 0, **vm: Any) -> rv.VM:
    """A VM that runs [k period + start, k period + start + length)."""
    releases = [ms(k * period) + ms(start) for k in range(first, first + count)]
    return rv.VM(name, tasks=[rv.Task("burst", releases=releases, wcet=ms(length))], **vm)


def once(name: str, at: float, length: float, **vm: Any) -> rv.VM:
    """A VM that wakes once and computes."""
    return rv.VM(name, tasks=[rv.Task("once", releases=[ms(at)], wcet=ms(length))], **vm)


def simulate(vms: list[rv.VM], scheduler: Any, duration: float, *, cpus: int = 1, initial: dict[str, Any] | None = None) -> rv.Run:
    """A checked run."""
    return rv.simulate(rv.System(cpus=cpus, vms=vms), scheduler, ms(duration), initial=initial).check()


def trace(run: rv.Run, until: float | None = None, cpu: int = 0) -> str:
    """'0 A, 30 B': who was dispatched when, in ms, empty stints left out."""
    rows = run.slices[(run.slices["cpu"] == cpu) & (run.slices["end"] > run.slices["start"])]
    if until is not None:
        rows = rows[rows["start"] <= ms(until)]
    return ", ".join(f"{row.start / 1e6:g} {row.vm}" for row in rows.sort_values("start").itertuples())


def shares(run: rv.Run) -> dict[str, float]:
    """Share of one pCPU by VM."""
    return run.vms["share"].to_dict()
