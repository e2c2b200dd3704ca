"""The host as an admission test sees it: who ever runs, where, and what each vCPU is promised.

A scheduler's promises are made vCPU by vCPU. What they depend on is little: which vCPUs ever run, whether a vCPU can save budget up
(one that always computes cannot), and which pCPUs each may use.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ...build import contracts_of
from ...schedulers.contracts import Contracts
from ...system import FOREVER, VM, System, Task
from ..overheads import Overheads
from ..supply import Supply
from .charges import Charges
from .sections import Trapping


@dataclass(frozen=True)
class Vcpu:
    """One vCPU, and what runs on it.

    `tasks` are those that only this vCPU runs. In a guest that moves tasks between vCPUs (`roams`) nobody knows which these are.
    """

    index: int                # in the order VM, vCPU
    number: int               # within its VM
    vm: VM
    tasks: tuple[Task, ...]
    roams: bool
    cpus: frozenset[int]      # where it may run

    @property
    def name(self) -> str:
        """``vm/number``, as supplies are called."""
        return f"{self.vm.name}/{self.number}"

    @property
    def runs(self) -> bool:
        """False if it never has anything to do."""
        return bool(self.tasks) or self.roams

    @property
    def steady(self) -> bool:
        """True if it always has something to do, from time 0 on: it never saves any budget up."""
        return not self.roams and not self.vm.start and any(task.is_hog and task.wcet == FOREVER and not task.offset for task in self.tasks)

    @property
    def suspends(self) -> bool:
        """True if some job sleeps on its way."""
        return self.has_step("block")

    def has_step(self, kind: str) -> bool:
        """True if a script here has such a step."""
        return any(step.kind == kind for task in self.tasks for step in task.actions or ())


@dataclass(frozen=True)
class Promise:
    """What a vCPU surely gets.

    Attributes
    ----------
    supply : Supply or None
        None if nothing is promised.
    reason : str
        The rule that it follows from, or why there is none.
    evidence : dict
        For certificates: what the promise was computed from, in integers.
    more : tuple of (cost, period, jitter) [ns]
        Overheads of the scheduler's own events.
    """

    supply: Supply | None
    reason: str
    evidence: dict[str, Any] = field(default_factory=dict)
    more: tuple[tuple[int, int, int], ...] = ()


@dataclass(frozen=True)
class Host:
    """A system, its scheduler, and what its overheads cost."""

    system: System
    scheduler: Any
    overheads: Overheads
    traps: Mapping[str, Trapping] = field(default_factory=dict)

    @cached_property
    def contracts(self) -> Contracts:
        """One row a vCPU."""
        return contracts_of(self.system)

    @cached_property
    def vcpus(self) -> tuple[Vcpu, ...]:
        """All of them, in the order VM, vCPU."""
        found: list[Vcpu] = []
        for vm in self.system.vms:
            roams = vm.vcpus > 1 and any(task.vcpu is None for task in vm.tasks)
            for k, allowed in enumerate(vm.per_vcpu("affinity")):
                mine = tuple(task for task in vm.tasks if not roams and (vm.vcpus == 1 or task.vcpu == k))
                found.append(Vcpu(len(found), k, vm, mine, roams, frozenset(range(self.system.cpus) if allowed is None else allowed)))
        return tuple(found)

    @cached_property
    def running(self) -> tuple[Vcpu, ...]:
        """Those that ever run."""
        return tuple(vcpu for vcpu in self.vcpus if vcpu.runs)

    def rivals(self, vcpu: Vcpu) -> list[Vcpu]:
        """Others that ever run, and may use one of its pCPUs."""
        return [other for other in self.running if other is not vcpu and other.cpus & vcpu.cpus]

    def shares_evenly(self, vcpu: Vcpu) -> bool:
        """True if all rivals, and theirs, may use the very same pCPUs: a group by itself, within which nobody is skipped."""
        return all(other.cpus == vcpu.cpus for other in self.rivals(vcpu))

    def trapping(self, vcpu: Vcpu) -> Trapping:
        """What the hypervisor does for its VM."""
        return self.traps.get(vcpu.vm.name, Trapping())

    def held(self, vcpu: Vcpu, others: Sequence[Vcpu]) -> int:
        """Longest section that a task of the vCPU may have to wait for: of others, and of its own guest's other tasks [ns]."""
        own = self.trapping(vcpu).section if vcpu.roams or len(vcpu.tasks) > 1 else 0
        return max([own, *(self.trapping(other).section for other in others)])

    @cached_property
    def charges(self) -> Charges:
        """What releases anywhere cost everybody."""
        return Charges.of(self.system, self.overheads)


def nothing(vcpu: Vcpu, reason: str, evidence: dict[str, Any] | None = None) -> Promise:
    """No supply, and why."""
    return Promise(None, f"{vcpu.name}: {reason}", evidence or {"rule": "none"})


def uneven(vcpu: Vcpu) -> Promise:
    """The refusal that all schedulers share when affinities overlap."""
    return nothing(vcpu, "its affinity overlaps others' without being the same: a more urgent vCPU that may not run here is skipped "
                   "(docs/xen-rules.md 6.3.3); give all of them the same pCPUs, or one each")


def names(vcpus: Sequence[Vcpu]) -> str:
    """In words."""
    return ", ".join(vcpu.name for vcpu in vcpus) or "nobody"
