"""The verdict of an admission test, and its reasons."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ...system import System
from ...units import format_ns
from ..supply import Supply
from .guests import Outcome
from .host import Promise, Vcpu


@dataclass(frozen=True)
class Admission:
    """Whether all deadlines are met; true if so.

    Attributes
    ----------
    system, scheduler
        What was judged; with the new VM, if there was one.
    bounds : {"vm/task": int or None} [ns]
        Longest time from a job's arrival to its end; None where there is no bound.
    vcpus, promises, outcomes
        Each vCPU, what the scheduler promises it, and what its guest makes of that.
    new : str or None
        Name of the VM that asked to come in.
    """

    system: System
    scheduler: Any
    bounds: dict[str, int | None]
    vcpus: tuple[Vcpu, ...]
    promises: tuple[Promise, ...]
    outcomes: tuple[Outcome, ...]
    new: str | None = None

    def __bool__(self) -> bool:
        return self.admitted

    @cached_property
    def deadlines(self) -> dict[str, int]:
        """{"vm/task": deadline} [ns] of the tasks that have one."""
        return {f"{vm.name}/{task.name}": task.deadline for vm in self.system.vms for task in vm.tasks if task.deadline is not None}

    @cached_property
    def slack(self) -> dict[str, int | None]:
        """{"vm/task": deadline − bound} [ns] of the tasks that have a deadline; None without a bound, negative if it may be missed."""
        return {name: None if (bound := self.bounds[name]) is None else deadline - bound for name, deadline in self.deadlines.items()}

    @cached_property
    def late(self) -> tuple[str, ...]:
        """Tasks that may miss a deadline."""
        return tuple(name for name, slack in self.slack.items() if slack is None or slack < 0)

    @property
    def admitted(self) -> bool:
        """True if no task may miss."""
        return not self.late

    @cached_property
    def supplies(self) -> dict[str, Supply | None]:
        """{"vm/vcpu": what it surely gets}."""
        return {vcpu.name: promise.supply for vcpu, promise in zip(self.vcpus, self.promises)}

    @cached_property
    def reasons(self) -> dict[str, str]:
        """{"vm/task": why it may miss} of those that may."""
        found, late = {}, set(self.late)
        for vcpu, result in zip(self.vcpus, self.outcomes):
            for name in result.bounds:
                if (full := f"{vcpu.vm.name}/{name}") in late and result.witness is not None:
                    found[full] = result.witness.why()
        return found

    def why(self) -> str:
        """The reason, in words."""
        if self.admitted:
            return self.because()
        lines = []
        for reason in dict.fromkeys(self.reasons.values()):
            lines.append(f"{', '.join(name for name, own in self.reasons.items() if own == reason)}: {reason}")
        others = [name for name in self.late if self.new is not None and not name.startswith(f"{self.new}/")]
        if self.new is not None and others:
            lines.append(f"with {self.new!r}, VMs that run already would lose their guarantee: {', '.join(others)}")
        return "\n".join(lines)

    def because(self) -> str:
        """Why it is admitted: the tightest task, and what it relies on."""
        tightest = min(self.slack, key=lambda name: self.slack[name] or 0, default=None)
        if tightest is None:
            return "no task has a deadline"
        bound = self.bounds[tightest]
        promise = next(p for v, p, o in zip(self.vcpus, self.promises, self.outcomes) if tightest in {f"{v.vm.name}/{name}" for name in o.bounds})
        return (f"every deadline is met; the tightest is {tightest}: done within {format_ns(bound or 0)} of {format_ns(self.deadlines[tightest])}, "
                f"since {promise.reason}")

    def certificate(self) -> dict[str, Any]:
        """What the verdict rests on, in integers: fixed points, witnesses, supplies, demands; for `python -m rtvirt.checker`."""
        from .certificate import certificate_of

        return certificate_of(self)

    def save(self, path: str | Path) -> None:
        """Write the certificate as JSON."""
        Path(path).write_text(json.dumps(self.certificate(), indent=1) + "\n", encoding="utf-8")

    def __repr__(self) -> str:
        return f"<Admission: {'admitted' if self.admitted else 'refused'} under {self.scheduler!r}; {self.why().splitlines()[0]}>"
