"""What RTDS of Xen 4.5 promises: budgets, enforced to a millisecond (docs/xen-rules.md 6.3.1).

Each pCPU decides every quantum q = 1 ms, at the latest, and only then (or when somebody wakes) are those who wait looked at for new budgets. So

* a budget may be overrun by what a quantum is longer than its rest: at most by q, or the whole budget if that is shorter, less 1 ns;
* who runs at the end of its period is not replenished: with its old, most urgent deadline it runs the old budget to its end, and has the new one
  right after. So in a period of j a rival uses the budgets whose periods end there, and one old one: (ceil(P_j / P_i) + 1)·(Q_i + overrun);
* a new budget, and what is more urgent by then, is seen by the pCPU at its next decision: up to q late.

On several pCPUs no bound holds in this model: a pCPU decides again and again only once it has decided at all, and a renewed vCPU is sent nowhere. A
vCPU can wait for another on the one pCPU that both know, beside idle ones (`rtds_witness.idle_beside` shows it).

The rest is as in `rtds.py`: j waits for I at most, the sum of these uses, in a period, and if Q + I + q <= P, then it has its budget within
Q + I + q of the period's beginning. An old budget of its own comes first, and is supply as well.
"""

from __future__ import annotations

from ...schedulers.rtds import MILLISECOND
from ...schedulers.rtds_contracts import budgets_and_periods
from ...units import format_ns
from ..limits import NEVER
from ..supply import DeferrableServer
from .budgets import Server, longest_wait
from .host import Host, Promise, Vcpu, names, nothing, uneven


def by_quantum(host: Host) -> list[Promise]:
    """A deferrable server each, if budgets, overruns and delays fit."""
    budgets, periods = budgets_and_periods(host.contracts, host.scheduler.xen)
    servers = [Server(int(budget), int(period)) for budget, period in zip(budgets, periods)]
    if not host.charges.free:
        return [nothing(vcpu, "no bound is derived for RTDS of Xen 4.5 with overheads: set costs to 0, or take 4.17") for vcpu in host.vcpus]
    return [promise(host, vcpu, servers) if host.shares_evenly(vcpu) else uneven(vcpu) for vcpu in host.vcpus]


def promise(host: Host, vcpu: Vcpu, servers: list[Server]) -> Promise:
    """The server, with the response that its rivals and the quantum leave it."""
    own, others = servers[vcpu.index], host.rivals(vcpu)
    if len(vcpu.cpus) > 1 and others:
        return nothing(vcpu, "a vCPU with a new budget is sent nowhere, and a pCPU that has never decided sets no quantum (docs/xen-rules.md 6.3.1): "
                       "it may wait beside idle pCPUs (rtvirt.analysis.admission.rtds_witness shows it); pin vCPUs (affinity), or take 4.17")
    rivals = [Server(overrun(servers[other.index]), period) for other in others for period in (servers[other.index].period, NEVER)]
    wait = longest_wait([rival.jobs(own.period) for rival in rivals], len(vcpu.cpus))
    evidence = {"rule": "servers", "cpus": len(vcpu.cpus), "wait": wait, "counts": "jobs", "window": own.period, "overheads": MILLISECOND, "polls": 0,
                "own": [own.budget, own.period, 0], "rivals": [[rival.budget, rival.period, 0] for rival in rivals]}
    response = own.budget + wait + MILLISECOND
    if response > own.period:
        return nothing(vcpu, f"with overruns of up to {format_ns(MILLISECOND)} and old budgets that run on (docs/xen-rules.md 6.3.1), "
                       f"{names(others)} may keep it waiting for {format_ns(wait)} in a period of {format_ns(own.period)}, and it cannot be sure of "
                       f"{format_ns(own.budget)}: lower budgets, or take 4.17", evidence)
    return Promise(DeferrableServer(own.period, own.budget, response=response), f"{vcpu.name} has {format_ns(own.budget)} in every "
                   f"{format_ns(own.period)}, within {format_ns(response)} of its beginning, beside {names(others)}", evidence)


def overrun(server: Server) -> int:
    """A budget, and what a quantum may add to it [ns]."""
    return server.budget + min(server.budget, MILLISECOND) - 1
