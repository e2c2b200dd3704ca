"""What the plain schedulers promise: a pCPU of one's own, what the more important leave, a turn in each round."""

from __future__ import annotations

from collections.abc import Mapping

from ...schedulers.contracts import importance
from ..supply import Dedicated, DeferrableServer, FixedPriorityPartition, RoundRobinShare, Supply
from ..tasksets import taskset
from .charges import inflated
from .global_priority import Load, beneath, load_of
from .host import Host, Promise, Vcpu, names, nothing, uneven


def null(host: Host) -> list[Promise]:
    """The whole pCPU for those that have one (docs/xen-rules.md 7.2.1); the others wait for ever."""
    homes = assigned(host)
    return [Promise(Dedicated(), f"{vcpu.name} has pCPU {homes[vcpu.index]} to itself (docs/xen-rules.md 7.2.1)", {"rule": "dedicated"})
            if vcpu.index in homes else
            nothing(vcpu, "no pCPU is free for it: it waits and never runs (docs/xen-rules.md 7.2.1); raise cpus") for vcpu in host.vcpus]


def assigned(host: Host) -> dict[int, int]:
    """pCPU of each vCPU that gets one, in the order in which they start: the proposed one, else the first free one, soft affinities first."""
    born = {change.vm: change.at for change in host.system.changes if change.state == "create"}
    soft = [wish for vm in host.system.vms for wish in vm.per_vcpu("soft_affinity")]
    free, homes = set(range(host.system.cpus)), {}
    for vcpu in sorted(host.vcpus, key=lambda vcpu: (born.get(vcpu.vm.name, vcpu.vm.start), vcpu.index)):
        allowed = sorted(vcpu.cpus)
        proposed = allowed[vcpu.number % len(allowed)]
        wish = set(allowed) & set(allowed if soft[vcpu.index] is None else soft[vcpu.index])
        choice = [*(p for p in (proposed, *allowed) if p in wish), proposed, *allowed]
        place = next((p for p in choice if p in free), None)
        if place is not None:
            free.remove(place)
            homes[vcpu.index] = place
    return homes


def fixed_priority(host: Host) -> list[Promise]:
    """A pCPU for the m most important of those that share m; for others what these leave."""
    rank = importance(host.contracts.priority, host.contracts.period)
    found: dict[int, Promise] = {}
    loads: dict[int, Load | None] = {}                    # of those that share several pCPUs, the most important first
    for vcpu in sorted(host.vcpus, key=lambda vcpu: rank[vcpu.index]):
        higher = [other for other in host.rivals(vcpu) if rank[other.index] < rank[vcpu.index]]
        found[vcpu.index] = left_over(host, vcpu, higher, loads)
        if len(vcpu.cpus) > 1:
            loads[vcpu.index] = load_of(host, vcpu, found[vcpu.index])
    return [found[vcpu.index] for vcpu in host.vcpus]


def left_over(host: Host, vcpu: Vcpu, higher: list[Vcpu], loads: Mapping[int, Load | None]) -> Promise:
    """What vCPUs of more importance leave."""
    if not host.shares_evenly(vcpu):
        return uneven(vcpu)
    if len(higher) < len(vcpu.cpus):
        return Promise(Dedicated(), f"{vcpu.name} shares {len(vcpu.cpus)} pCPUs with {len(higher)} more important vCPUs: one is always free for it",
                       {"rule": "dedicated"})
    if len(vcpu.cpus) > 1:
        return beneath(host, vcpu, higher, loads)
    known = [(other.vm, task) for other in higher if not other.roams for task in other.tasks]
    whole = [(vm, task) for vm in {other.vm.name: other.vm for other in higher if other.roams}.values() for task in vm.tasks]
    above = [inflated(task, vm.guest, vm.quantum, host.overheads) for vm, task in (*known, *whole)]
    rows = [row for other in {other.vm.name: other for other in higher}.values() for row in host.trapping(other).rows]
    supply = FixedPriorityPartition([*above, *rows])
    if supply.rate <= 0:
        endless = [f"{task.name!r} asks for any amount" for task in above if not taskset([task]).bounded.all()]
        return nothing(vcpu, f"more important ones ({names(higher)}) may take the whole pCPU: {', '.join(endless) or 'their tasks need all of it'}")
    return Promise(supply, f"{vcpu.name} has what the tasks of {names(higher)} leave",
                   {"rule": "left", "higher": [(work, period, -offset) for work, period, offset in supply.stairs()]})


def round_robin(host: Host) -> list[Promise]:
    """One turn in each round of all that ever run."""
    found = []
    for vcpu in host.vcpus:
        others = host.rivals(vcpu)
        if not host.shares_evenly(vcpu):
            found.append(uneven(vcpu))
        elif len(others) < len(vcpu.cpus):
            found.append(Promise(Dedicated(), f"{vcpu.name} shares {len(vcpu.cpus)} pCPUs with {len(others)} others: one is always free for it",
                                 {"rule": "dedicated"}))
        elif vcpu.has_step("block") or vcpu.has_step("yield"):
            found.append(nothing(vcpu, "its scripts block or yield, and with each the rest of a turn is lost and a whole round passes"))
        else:
            found.append(turns(host, vcpu, others))
    return found


def turns(host: Host, vcpu: Vcpu, others: list[Vcpu]) -> Promise:
    """One turn of its own after one of each other, all with their overheads."""
    quantum, charges = host.scheduler.quantum, host.charges
    own, rest = quantum - charges.switch, len(others) * (quantum + charges.overrun)
    if own <= 0:
        return nothing(vcpu, f"a switch costs {charges.switch} ns, and a turn is {quantum} ns: give a longer quantum")
    supply: Supply = RoundRobinShare(quantum, len(others) + 1) if charges.free else DeferrableServer(own + rest, own, response=own)
    return Promise(supply, f"{vcpu.name} takes turns of one quantum with {names(others)}", {"rule": "turns", "own": own, "rest": rest})
