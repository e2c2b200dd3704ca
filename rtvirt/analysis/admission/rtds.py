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

Extratime. Who goes on after its budget does so behind all budgets, and takes nothing from them. But when it is replenished while it waits,
nobody is told (6.2.15): the pCPU goes on with what it runs, to the end of that slice. So it may wait for one more budget of a rival, the largest.
That needs replenishments to be on time. They are if they are ordered by deadline, or if a vCPU without extratime has one rival only. Xen's own order
(6.2.13) puts whoever is replenished before those who are on extratime, whatever their deadlines; two that are replenished in turn keep
everything behind these from its budget until both are due at once: see `rtds_witness.py`.
"""

from __future__ import annotations

from dataclasses import replace

from ...schedulers.rtds_contracts import budgets_and_periods
from ...units import format_ns
from ..supply import DeferrableServer
from .budgets import Server, longest_wait, since_idle
from .host import Host, Promise, Vcpu, names, nothing, uneven
from .rtds_quantum import by_quantum


def rtds(host: Host) -> list[Promise]:
    """A deferrable server each, if budgets fit and come on time."""
    if host.scheduler.xen == "4.5":
        return by_quantum(host)
    budgets, periods = budgets_and_periods(host.contracts, host.scheduler.xen)
    servers = [Server(int(b), int(p), vcpu.steady) for b, p, vcpu in zip(budgets, periods, host.vcpus)]
    return [nothing(vcpu, reason) if (reason := never(host, vcpu)) else promise(host, vcpu, servers) if host.shares_evenly(vcpu) else uneven(vcpu)
            for vcpu in host.vcpus]


def never(host: Host, vcpu: Vcpu) -> str:
    """Why a budget is not kept at all; empty if it may be."""
    greedy = greedy_ones(host)
    if greedy and host.scheduler.replenish_by == "priority" and (vcpu in greedy or len(host.running) > 2):
        return (f"{names(greedy)} may use extratime, and stands behind all that have budget where it waits for its next one (docs/xen-rules.md "
                "6.2.13), and so do those behind it: others that are replenished in turn can put that off for as long as their periods do not end "
                "together (rtvirt.analysis.admission.rtds_witness shows it); set extratime=False for all, or replenish_by=\"deadline\"")
    if host.system.costs.timer_slop:
        return ("timer_slop: every decision shortly before a replenishment puts it off once more (docs/xen-rules.md 1.7.1), and no bound is derived "
                "for that; set it to 0")
    return ""


def greedy_ones(host: Host) -> list[Vcpu]:
    """Those that may go on after their budget."""
    return [vcpu for vcpu in host.running if host.contracts.extratime[vcpu.index]]


def promise(host: Host, vcpu: Vcpu, servers: list[Server]) -> Promise:
    """The server, with the response that its rivals and the overheads leave it."""
    own, others, charges = servers[vcpu.index], host.rivals(vcpu), host.charges
    rivals = [replace(servers[other.index], budget=servers[other.index].budget + charges.overrun) for other in others]
    apart = bool(greedy_ones(host)) or any(other.cpus != vcpu.cpus for other in host.running)
    more = tuple((4 * charges.switch, server.period, charges.late) for server in (own, *rivals)) if charges.switch else ()
    extra = charges.late + charges.taken(own.period, more)
    if host.contracts.extratime[vcpu.index]:
        extra += max((rival.budget for rival in rivals), default=0)          # nobody is told (6.2.15)
    wait, counts = wait_of(own, rivals, len(vcpu.cpus), together=charges.free and not apart)
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
