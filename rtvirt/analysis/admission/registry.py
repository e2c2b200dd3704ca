"""Who knows what a scheduler promises: one line a scheduler, by the name of its kernel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ...errors import Problem, SpecError
from ..limits import NEVER
from .host import Host, Promise, Vcpu, nothing
from .plain import fixed_priority, null, round_robin
from .rtds import rtds
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
    if known is None:
        raise SpecError([Problem("scheduler", host.scheduler, f"a scheduler whose promises are known: {', '.join(PROMISES)}",
                                 "choose one of these, or add a line to analysis/admission/registry.py", "")])
    return [charged(host, vcpu, promise) for vcpu, promise in zip(host.vcpus, known(host))]


def charged(host: Host, vcpu: Vcpu, promise: Promise) -> Promise:
    """What releases of all VMs leave of a promise: each vCPU's first wake-up, and then every release anywhere."""
    if promise.supply is None or host.charges.free:
        return promise
    if host.charges.flood:
        return nothing(vcpu, f"each release costs time, and there is no bound on how often {host.charges.flood!r} is released: set costs to 0, or "
                       "make it sporadic")
    return replace(promise, supply=host.charges.left(promise.supply, [(host.charges.latency + host.charges.switch, NEVER, 0), *promise.more]))
