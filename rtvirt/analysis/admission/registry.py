"""Who knows what a scheduler promises: one line a scheduler, by the name of its kernel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ...errors import Problem, SpecError
from ...schedulers.contracts import importance
from ..limits import NEVER
from .host import Host, Promise, Vcpu, nothing
from .plain import fixed_priority, null, round_robin
from .rtds import rtds
from .sections import FIXED, KNOWN
from .servers import sedf, servers
from .shares import by_weight
from .slots import arinc653

PROMISES: dict[str, Callable[[Host], list[Promise]]] = {
    "arinc653": arinc653,
    "bvt": by_weight,
    "cbs": servers,
    "credit": by_weight,
    "credit2": by_weight,
    "credit_2007": by_weight,
    "deferrable_servers": servers,
    "fixed_priority": fixed_priority,
    "null": null,
    "periodic_servers": servers,
    "polling_servers": servers,
    "round_robin": round_robin,
    "rtds": rtds,
    "sedf": sedf,
    "sporadic_servers": servers,
}


def by_budget(scheduler: Any) -> bool:
    """True if a scheduler keeps budgets and periods."""
    return PROMISES.get(getattr(scheduler, "kernel_name", "")) in (rtds, sedf, servers)


def promises(host: Host) -> list[Promise]:
    """What the scheduler promises each vCPU, in the order VM, vCPU."""
    known = PROMISES.get(getattr(host.scheduler, "kernel_name", ""))
    if isinstance(host.scheduler, type):
        raise SpecError([Problem("scheduler", host.scheduler, "a scheduler, not its class", f"write {host.scheduler.__name__}() with brackets", "")])
    if known is None:
        raise SpecError([Problem("scheduler", host.scheduler, f"a scheduler whose promises are known: {', '.join(PROMISES)}",
                                 "choose one of these, or add a line to analysis/admission/registry.py", "")])
    return [charged(host, vcpu, promise) for vcpu, promise in zip(host.vcpus, known(host))]


def charged(host: Host, vcpu: Vcpu, promise: Promise) -> Promise:
    """What releases of all VMs leave of a promise: each vCPU's first wake-up, and then every release anywhere."""
    if promise.supply is None or (host.charges.free and not host.trapping(vcpu).rows):
        return promise
    others = host.rivals(vcpu)
    held = host.held(vcpu, in_the_way(host, vcpu, others))
    traps = others and host.scheduler.kernel_name not in FIXED and any(host.trapping(one).section for one in (vcpu, *others))
    if traps and (len(vcpu.cpus) > 1 or host.scheduler.kernel_name not in KNOWN):
        return nothing(vcpu, "some VMs trap, and no bound is derived for sections of the hypervisor on pCPUs that vCPUs share and move between: pin "
                       "them (affinity)" if host.scheduler.kernel_name in KNOWN else
                       f"some VMs trap, and no bound is derived for sections of the hypervisor under {type(host.scheduler).__name__}")
    if host.charges.flood:
        return nothing(vcpu, f"each release costs time, and there is no bound on how often {host.charges.flood!r} is released: give it "
                       "a least distance (arrival=\"sporadic\"), or set costs to 0")
    own = [*([(held, NEVER, 0)] if held else []), *host.trapping(vcpu).rows]
    evidence = promise.evidence | ({"higher": [*promise.evidence.get("higher", ()), *own]} if own else {})
    first = host.charges.latency + host.charges.switch
    more = [*([(first, NEVER, 0)] if first else []), *own, *promise.more]
    return replace(promise, supply=host.charges.left(promise.supply, more), evidence=evidence)


def in_the_way(host: Host, vcpu: Vcpu, others: list[Vcpu]) -> list[Vcpu]:
    """Whose sections a vCPU waits for beside all that its promise takes account of already."""
    if host.scheduler.kernel_name in FIXED:
        return []                            # windows begin later by a section; without windows there is nobody else
    if host.scheduler.kernel_name == "fixed_priority":
        rank = importance(host.contracts.priority, host.contracts.period)
        return [other for other in others if rank[other.index] > rank[vcpu.index]]
    return others
