"""How often a VM crosses into the hypervisor: streams of crossings, each with an arrival curve, a price, and how long one may be under way.

What a task's script does is tied to its jobs: all of it lies between a job's release and its end. So a window of length w meets only jobs that
arrived in it, or less than a longest response before it; with a rate limit on the crossings themselves, only those less than their length before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np

from ..analysis.arrivals import ArrivalCurve
from ..analysis.limits import NEVER
from ..analysis.tasksets import curve_of
from ..errors import Problem, SpecError
from ..system import VM, Costs, Task
from ..units import LONGEST
from .checks import table
from .costs import cost
from .platforms import Platform
from .platforms import platform as platform_of


@dataclass(frozen=True)
class Stream:
    """Crossings of a kind, `cost` ns altogether at each arrival, each of at most `longest` ns, over within `span` ns of the arrival."""

    kind: str
    cost: int
    longest: int
    span: int
    curve: ArrivalCurve

    def charged(self, window: np.ndarray) -> np.ndarray:
        """Most that is charged in any window of these lengths [ns]."""
        return np.where(window > 0, self.cost * self.curve.count(window + max(0, self.span - 1)), 0)


def price(platform: Any, kind: str) -> int:
    """What one crossing of a kind costs [ns]: of a mapping, of `Costs`, of an object with a method `ns`, or of a structure on a machine."""
    if isinstance(platform, (str, Platform)):
        platform = (first_structure(platform), platform)
    if isinstance(platform, tuple) and len(platform) == 2:
        return on_machine(*platform, kind)
    if isinstance(platform, Costs) and kind in ("hypercall", "interrupt"):
        return int(getattr(platform, kind))
    known = platform if isinstance(platform, Mapping) else {}
    found = platform.ns(kind) if hasattr(platform, "ns") else known.get(kind)
    if isinstance(found, bool) or not isinstance(found, (int, np.integer)) or not 0 <= found <= LONGEST:
        raise SpecError([Problem(f"platform[{kind!r}]", found, f"0 to {LONGEST} ns, an integer",
                                 f"give what one costs, for example {{{kind!r}: 1_200}}", "")])
    return int(found)


def first_structure(platform: str | Platform) -> Any:
    """What was measured on a machine, the first of it."""
    machine = platform_of(platform)
    if not machine.structures:
        raise SpecError([Problem("platform", machine.name, "a machine with a structure that was measured there",
                                 f'say which: ("paravirtual", {machine.name!r})', "")])
    return machine.structures[0]


def on_machine(structure: Any, machine: str | Platform, kind: str) -> int:
    """What a structure adds to an operation on a machine [ns], rounded up."""
    machine = platform_of(machine)
    if machine.clock_mhz is None:
        raise SpecError([Problem("platform", machine.name, "a machine whose clock is published",
                                 f"rv.traps.platform({machine.name!r}).change(clock_mhz=...)", "")])
    return ceil(max(0, cost(structure, machine, kind).overhead) * 1000 / machine.clock_mhz)


def curves(field: str, given: Any) -> Mapping[str, ArrivalCurve]:
    """Arrival curves by name; SpecError for what is none."""
    wrong = [Problem(f"{field}[{name!r}]", curve, "an ArrivalCurve", "make it with rv.analysis.periodic(...) or bursts(...)", "")
             for name, curve in table(field, given, "arrival curves").items() if not isinstance(curve, ArrivalCurve)]
    if wrong:
        raise SpecError(wrong)
    return given


def limited(platform: Any, limits: Mapping[str, ArrivalCurve]) -> list[Stream]:
    """Streams of crossings whose rate is limited by themselves."""
    return [Stream(kind, ns, ns, ns, curve) for kind, curve in curves("limits", limits).items() if (ns := price(platform, kind))]


def scripted(vm: VM, platform: Any, arrivals: Mapping[str, ArrivalCurve], responses: Mapping[str, int | None]) -> list[Stream]:
    """Streams that the tasks of a VM cause: releases as interrupts, trap steps as they are, other calls and the last block of a job as hypercalls."""
    known = [task.name for task in vm.tasks]
    unknown = [Problem(f"{field}[{name!r}]", name, ", ".join(known) or "no tasks at all", "write the name of a task of this VM", "")
               for field, names in (("arrivals", arrivals), ("responses", responses)) for name in names if name not in known]
    if unknown:
        raise SpecError(unknown)
    interrupt, hypercall = price(platform, "interrupt"), price(platform, "hypercall")
    return [stream for task in vm.tasks for stream in of_task(task, interrupt, hypercall, arrivals.get(task.name), responses)]


def of_task(task: Task, interrupt: int, hypercall: int, given: ArrivalCurve | None, responses: Mapping[str, int | None]) -> list[Stream]:
    """The streams of one task."""
    steps = task.actions or ()
    lengths = [step.duration or 0 for step in steps if step.kind == "trap"]
    calls = sum(step.kind not in ("run", "trap") for step in steps) + (not task.is_hog)
    per_job = [("trap", sum(lengths), max(lengths, default=0)), ("hypercall", hypercall * calls, hypercall)]
    per_job = [(kind, cost, longest) for kind, cost, longest in per_job if cost]
    if not per_job and not (interrupt and not task.is_hog):
        return []
    curve = given or (ArrivalCurve(((NEVER, 0),)) if task.is_hog else curve_of(task))
    if curve is None:
        raise SpecError([Problem(f"arrivals[{task.name!r}]", None, "an ArrivalCurve, since nothing else bounds how often it is released",
                                 f"give arrivals={{{task.name!r}: rv.analysis.periodic(...)}}", "")])
    found = [] if not interrupt or task.is_hog else [Stream("interrupt", interrupt, interrupt, interrupt + task.jitter, curve)]
    if per_job:
        response = 0 if task.is_hog else response_of(task, responses)
        found += [Stream(kind, cost, longest, response + (longest if kind == "hypercall" else 0), curve) for kind, cost, longest in per_job]
    return found


def response_of(task: Task, responses: Mapping[str, int | None]) -> int:
    """Longest time from a job's arrival to its end [ns]: as given, else its deadline, which is then taken to be met."""
    found = responses.get(task.name, task.deadline)
    if isinstance(found, bool) or not isinstance(found, (int, np.integer)) or not 1 <= found <= LONGEST:
        raise SpecError([Problem(f"responses[{task.name!r}]", found, f"1 to {LONGEST} ns, an integer",
                                 "jobs that pile up trap together: give a bound, as of rv.admit(...).bounds, or give the task a deadline", "")])
    return int(found)
