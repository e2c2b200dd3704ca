"""What RTDS promises: global EDF over deferrable servers (docs/xen-rules.md section 6).

Why utilization is not enough. A server keeps its budget while it sleeps. One that wakes late in its period uses all of it right before its
deadline, and whoever shares that deadline waits. So what counts for a server j is what the others may use *before the end of a period of
its own*: within the last y of it, with deadlines no later, server i uses at most

    W_i(y) = floor(y / P_i)·Q_i + min(Q_i, y mod P_i),

whatever it does. What it does not use by its deadline is lost, so nothing is carried into a period but what is counted here. If m pCPUs are
busy with others while j waits for I in a period, then m·I <= sum of min(W_i(P_j), I) (the argument of Bertogna, Cirinei and Lipari). The largest such
I bounds j's wait; if Q_j + I <= P_j, j has its budget within Q_j + I of any period in which it wants it, and a j that wakes x before its deadline
gets min(what is left, x − I). That is a deferrable server with a host response of Q_j + I.

On one pCPU servers that never sleep can be counted as what they are: jobs that come with their period. They use floor(y / P_i)·Q_i of the
y since the pCPU was last without work of such deadlines, so I <= demand(y) − Q_j − (y − P_j) for some y >= P_j.
"""

from __future__ import annotations

from dataclasses import replace

from ...schedulers.rtds_contracts import budgets_and_periods
from ...units import format_ns
from ..supply import DeferrableServer
from .budgets import Server, longest_wait, since_idle
from .host import Host, Promise, Vcpu, names, nothing, uneven


def rtds(host: Host) -> list[Promise]:
    """A deferrable server each, if budgets fit and nobody has extratime."""
    budgets, periods = budgets_and_periods(host.contracts, host.scheduler.xen)
    servers = [Server(int(b), int(p), vcpu.steady) for b, p, vcpu in zip(budgets, periods, host.vcpus)]
    reason = never(host)
    return [nothing(vcpu, reason) if reason else promise(host, vcpu, servers) if host.shares_evenly(vcpu) else uneven(vcpu) for vcpu in host.vcpus]


def never(host: Host) -> str:
    """Why no budget at all is kept; empty if they may be."""
    greedy = [vcpu for vcpu in host.running if host.contracts.extratime[vcpu.index]]
    if host.scheduler.xen == "4.5":
        return ("RTDS of Xen 4.5 enforces budgets to a millisecond, at its own decisions (docs/xen-rules.md 6.3.1); no bound is derived for it: "
                "take 4.17")
    if greedy:
        return (f"{names(greedy)} may use extratime: then replenishments come late (docs/xen-rules.md 6.2.13) and nobody is told of a replenished "
                "vCPU (6.2.15), so budgets are not kept; set extratime=False for all")
    if host.system.costs.timer_slop:
        return ("timer_slop: every decision shortly before a replenishment puts it off once more (docs/xen-rules.md 1.7.1), and no bound is derived "
                "for that; set it to 0")
    return ""


def promise(host: Host, vcpu: Vcpu, servers: list[Server]) -> Promise:
    """The server, with the response that its rivals and the overheads leave it."""
    own, others, charges = servers[vcpu.index], host.rivals(vcpu), host.charges
    rivals = [replace(servers[other.index], budget=servers[other.index].budget + charges.overrun) for other in others]
    divided = any(other.cpus != vcpu.cpus for other in host.running)
    more = tuple((4 * charges.switch, server.period, charges.late) for server in (own, *rivals)) if charges.switch else ()
    extra = charges.late + charges.taken(own.period, more)
    wait, counts = wait_of(own, rivals, len(vcpu.cpus), together=charges.free and not divided)
    evidence = {"rule": "servers", "cpus": len(vcpu.cpus), "wait": wait, "counts": counts, "window": own.period, "overheads": extra, "polls": 0,
                "own": [own.budget, own.period, int(own.steady)],
                "rivals": [[server.budget, server.period, int(server.steady)] for server in rivals]}
    wait += extra
    if own.budget + wait > own.period:
        uses = [server.late(own.period) for server in rivals]
        asked = ", ".join(f"{other.name} {format_ns(use)}" for other, use in zip(others, uses))
        return nothing(vcpu, f"within {format_ns(own.period)} before a deadline of its own its rivals may use so much ({asked}; pCPUs: "
                       f"{len(vcpu.cpus)}) that it may wait {format_ns(wait)}, and cannot be sure of {format_ns(own.budget)}: lower their budgets, "
                       "or give all the same period", evidence)
    supply = DeferrableServer(own.period, own.budget, response=own.budget + wait)
    return Promise(supply, f"{vcpu.name} has {format_ns(own.budget)} in every {format_ns(own.period)}, within {format_ns(own.budget + wait)} of "
                   f"wanting it, beside {names(others)}", evidence, more)


def wait_of(own: Server, rivals: list[Server], cpus: int, *, together: bool) -> tuple[int, str]:
    """Longest time within a period of `own` in which it wants to run and does not [ns], and what it was counted by.

    `together`: no vCPU lives on other pCPUs, and overheads are free, so all that this pCPU did since it was last without such work is known. On a
    divided host it is not: a replenishment tells only the head of the one run queue, which may not run here (6.2.8), and a vCPU whose deadline has
    moved on runs on. But no longer than the budget lasts with which it began: what is used late in a period is still bounded.
    """
    wait = longest_wait([rival.late(own.period) for rival in rivals], cpus)
    if together and cpus == 1 and any(rival.steady for rival in rivals):
        other = since_idle(own, rivals)
        if other is not None and other < wait:
            return other, "asks"
    return wait, "late"
