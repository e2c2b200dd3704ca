"""What the servers of docs/servers.md promise, under fixed priorities and EDF, and SEDF, whose guarantees are servers too.

A kind of server is described by two things: how it can hurt others (may it save its budget up?), and how long its own vCPU waits after
the worst instant at which work can come (must it wait for the next period?).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from ...schedulers.contracts import importance
from ...timers import NEVER
from ...units import format_ns
from ..supply import ConstantBandwidthServer, PollingServer, SporadicServer, Supply
from ..supply.servers import Server as AnyServer
from ..tasksets import taskset
from .budgets import Server, longest_wait, response_wait, since_idle
from .host import Host, Promise, Vcpu, names, nothing, uneven


@dataclass(frozen=True)
class Kind:
    """A kind of server."""

    supply: Callable[..., Supply]   # of its own vCPU, by period, budget, response
    saves: bool                     # its budget can be saved up: two of them back to back
    idles: bool = False             # it uses its budget even if there is nothing to run
    sleeps: bool = False            # a job may sleep on its way, and its sleep counts as work


KINDS = {
    "deferrable_servers": Kind(AnyServer, saves=True, sleeps=True),
    "periodic_servers": Kind(AnyServer, saves=False, idles=True, sleeps=True),
    "polling_servers": Kind(PollingServer, saves=False),
    "sporadic_servers": Kind(SporadicServer, saves=False),
    "cbs": Kind(ConstantBandwidthServer, saves=False),
    "sedf": Kind(PollingServer, saves=False),      # a vCPU that wakes within its period waits for the next, too (docs/xen-rules.md 4.2.10 b)
}


def servers(host: Host) -> list[Promise]:
    """A budget in each period, for those that have one."""
    budgets, periods = host.contracts.budget, host.contracts.period
    host.scheduler.make_state(host.system.cpus, host.contracts)                       # refuses what the scheduler refuses
    found = {v.index: Server(int(budgets[v.index]), int(periods[v.index]), not KINDS[host.scheduler.kernel_name].saves)
             for v in host.vcpus if budgets[v.index] != NEVER}
    return [one(host, vcpu, found) for vcpu in host.vcpus]


def sedf(host: Host) -> list[Promise]:
    """A slice in each period on the first pCPU that is allowed; extra time is never promised.

    With overheads: who overruns its slice has so much less of the next (docs/xen-rules.md 4.2.7), which is why an overrun is taken from a vCPU's
    own slice; and all of the slice must be used up by the deadline, or else a period is skipped (4.2.8): the wait for its beginning counts, too.
    """
    state = host.scheduler.make_state(host.system.cpus, host.contracts)
    found = {v: Server(int(server.slice), int(server.period), True) for v in range(len(host.vcpus)) if (server := state.vcpus[v]).slice > 0}
    homes = Host(host.system, host.scheduler, host.overheads)
    homes.__dict__["vcpus"] = tuple(replace(v, cpus=frozenset({int(host.contracts.first_cpu[v.index])})) for v in host.vcpus)
    return [one(homes, vcpu, found) for vcpu in homes.vcpus]


def one(host: Host, vcpu: Vcpu, found: dict[int, Server]) -> Promise:
    """The promise to one vCPU."""
    kind, name = KINDS[host.scheduler.kernel_name], type(host.scheduler).__name__
    others = [other for other in host.vcpus if other is not vcpu and other.index in found and other.cpus & vcpu.cpus and (other.runs or kind.idles)]
    if vcpu.index not in found:
        return nothing(vcpu, f"it has no budget, and runs when all servers leave time; {name} promises it nothing: give it a budget and a period")
    if any(other.cpus != vcpu.cpus for other in others):
        return uneven(vcpu)
    if vcpu.suspends and not kind.sleeps:
        return nothing(vcpu, f"its scripts block, and each time {name} may give up or put off what is left; no bound is derived for that")
    if reason := missing(host, vcpu, found[vcpu.index]):
        return nothing(vcpu, reason)
    charges = host.charges
    own = replace(found[vcpu.index], budget=found[vcpu.index].budget - charges.overrun)
    rank = importance(host.contracts.priority, host.contracts.period)
    first = [other for other in others if order_of(host) == "edf" or rank[other.index] < rank[vcpu.index]]
    rivals = [replace(found[other.index], budget=found[other.index].budget + charges.overrun) for other in first]
    more = tuple((4 * charges.switch, server.period, charges.late) for server in (own, *rivals)) if charges.switch else ()
    late = charges.overrun if host.scheduler.kernel_name == "sedf" else 0    # its periods begin where a slice ends: of idling, or of extra time
    extra = charges.late + late + charges.taken(own.period, more)
    wait, evidence = wait_of(host, own, rivals, len(vcpu.cpus))
    if own.budget <= 0 or own.budget + wait + extra > own.period:
        return nothing(vcpu, f"{names(first)} may keep it waiting for {format_ns(wait + extra)} in a period of {format_ns(own.period)}, and it "
                       f"cannot be sure of {format_ns(own.budget)}: lower budgets, or use more pCPUs",
                       evidence | {"overheads": extra, "polls": 0} if evidence["counts"] == "late" else None)
    response = own.budget + wait + extra
    supply = kind.supply(own.period, own.budget, response)
    return Promise(supply, f"{vcpu.name} has {format_ns(own.budget)} in every {format_ns(own.period)}, within {format_ns(response)} of its "
                   f"beginning, beside {names(first)}", evidence | {"overheads": extra, "polls": int(kind.supply is PollingServer)}, more)


def order_of(host: Host) -> str:
    """Who goes first."""
    return getattr(host.scheduler, "order", "edf")


def missing(host: Host, vcpu: Vcpu, own: Server) -> str:
    """Why a scheduler's own rules keep it from promising; empty if they do not."""
    if host.scheduler.kernel_name == "cbs" and not host.scheduler.hard:
        return ("a soft server that used k budgets ahead in idle time may wait for k periods (deadline aging, docs/servers.md S6.3): "
                "take CBS(hard=True)")
    if host.scheduler.kernel_name == "cbs" and not host.charges.free:
        return "no bound is derived for constant bandwidth servers with overheads: set costs to 0"
    if host.scheduler.kernel_name == "sporadic_servers" and (count := pieces_of(vcpu, own.period)) > host.scheduler.pieces:
        return (f"its budget may fall into more than {host.scheduler.pieces} pieces within a period, and what finds no place comes back late "
                "(docs/servers.md S5.5)" + ("" if count < NEVER else ": the arrivals of some task have no bound"))
    return ""


def pieces_of(vcpu: Vcpu, period: int) -> int:
    """Most pieces of a sporadic server's budget: one for each wake-up within a period, and two at its ends."""
    tasks = [task for task in vcpu.tasks if not task.is_hog]
    asked = taskset(tasks)
    if vcpu.roams or not asked.bounded.all():
        return NEVER
    stairs = zip(asked.stair_period.tolist(), asked.stair_offset.tolist())
    return 2 + sum(1 if t >= NEVER else -(-(period - min(0, o)) // t) for t, o in stairs) + sum(task.is_hog for task in vcpu.tasks)


def wait_of(host: Host, own: Server, rivals: list[Server], cpus: int) -> tuple[int, dict[str, Any]]:
    """Longest wait for the budget within a period [ns], and what it was computed from."""
    evidence: dict[str, Any] = {"rule": "servers", "cpus": cpus, "window": own.period, "own": [own.budget, own.period, int(own.steady)],
                                "rivals": [[rival.budget, rival.period, int(rival.steady)] for rival in rivals]}
    saves, edf = KINDS[host.scheduler.kernel_name].saves, order_of(host) == "edf"
    if host.scheduler.kernel_name == "cbs":
        wait = shared_out(own, rivals, cpus)
        return wait, evidence | {"wait": wait, "counts": "rates"}
    if not edf:
        jobs = cpus == 1 and not saves
        use = Server.jobs if jobs else Server.anywhere
        wait = response_wait(own, rivals, use, cpus) if host.charges.free else longest_wait([use(rival, own.period) for rival in rivals], cpus)
        window = own.budget + wait if host.charges.free else own.period
        return wait, evidence | {"wait": wait, "counts": "jobs" if jobs else "anywhere", "window": window}
    wait = longest_wait([rival.late(own.period) for rival in rivals], cpus)
    if cpus == 1 and not saves and host.charges.free and (other := since_idle(own, rivals)) is not None and other < wait:
        return other, evidence | {"wait": other, "counts": "asks"}
    return wait, evidence | {"wait": wait, "counts": "late"}


def shared_out(own: Server, rivals: list[Server], cpus: int) -> int:
    """Constant bandwidth servers ask for their rates and no more, in every window (docs/servers.md S6.2): one pCPU, or Goossens, Funk and Baruah."""
    rates = [server.rate for server in (own, *rivals)]
    if cpus == 1 and sum(rates) <= 1:
        return int(-(-sum((rival.rate for rival in rivals), Fraction(0)) * own.period // 1))
    if cpus > 1 and sum(rates) <= cpus - (cpus - 1) * max(rates):
        return own.period - own.budget
    return own.period
