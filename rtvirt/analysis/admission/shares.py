"""Schedulers that share by weight: what they promise each vCPU, or why they cannot (docs/shares.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

from ...errors import Problem, SpecError
from ...system import VM, BvtContract, System, hog
from ...units import ms
from ..limits import NEVER
from ..overheads import Overheads
from ..supply import BVTShare, Credit2Share, Dedicated, FixedPriorityPartition, NoBound, Supply, Witness
from ..supply.lag import LagShare
from ..supply.unbound import CAPPED, COSTS, CREDIT, FLOOD, HEAVIER, MULTICORE, SLEEPS, overcharged, starved
from ..tasksets import taskset
from .charges import Row, releases
from .host import Host, Promise, Vcpu, names, nothing


def by_weight(host: Host) -> list[Promise]:
    """A share where there is one, vCPU by vCPU."""
    return [promise_of(host, vcpu) for vcpu in host.vcpus]


def promise_of(host: Host, vcpu: Vcpu) -> Promise:
    """A share, or the refusal."""
    try:
        return share(host, vcpu)
    except NoBound as reason:
        return nothing(vcpu, str(reason))


def share(host: Host, vcpu: Vcpu) -> Promise:
    """What a vCPU gets by its weight; NoBound if no window surely holds any of it."""
    kind = KINDS.get(host.scheduler.kernel_name)
    if all(other is vcpu for other in host.running) and not vcpu.vm.cap:
        return Promise(Dedicated(), f"{vcpu.name}: nobody else ever runs", {"rule": "dedicated"})
    if kind is None:
        raise NoBound(CREDIT, starved(type(host.scheduler)()))
    if vcpu.has_step("block") or vcpu.has_step("yield"):
        raise NoBound(SLEEPS)
    if not host.charges.free:
        raise NoBound(COSTS)
    return kind(host, vcpu)


def credit2(host: Host, vcpu: Vcpu) -> Promise:
    """A share of the one pCPU of its run queue, if nobody comes or goes."""
    peers = [other for other in host.vcpus if other.cpus & vcpu.cpus]
    one_each = host.system.cpus == 1 or host.scheduler.max_cpus == 1 or host.scheduler.runqueue in ("cpu", "core")
    if not one_each or len(vcpu.cpus) > 1 or any(other.cpus != vcpu.cpus for other in peers):
        bound = System(cpus=2, vms=[VM(v, affinity=(0,), tasks=[hog()]) for v in "ABC"])
        raise NoBound(MULTICORE, Witness(bound, type(host.scheduler)(), ms(1000), "A", Fraction(2, 3), Fraction(2, 5)))
    if vcpu.vm.cap and host.scheduler.xen != "4.9":
        capped = System(vms=[VM("A", cap=10, tasks=[hog()]), VM("B", tasks=[hog()])])
        raise NoBound(CAPPED, Witness(capped, host.scheduler, ms(1000), "A", Fraction(1, 2), Fraction(1, 5)))
    born = {change.vm: change.at for change in host.system.changes if change.state == "create"}
    begins = {other.index: born.get(other.vm.name, other.vm.start) for other in peers}
    weights = {other.index: other.vm.per_vcpu("weight")[other.number] for other in peers}
    if max(weights.values()) > max(weight for index, weight in weights.items() if begins[index] == min(begins.values())):
        raise NoBound(HEAVIER)
    others = [other for other in peers if other is not vcpu]
    found = Credit2Share(weights[vcpu.index], tuple(weights[other.index] for other in others if other.runs), host.scheduler.ratelimit,
                         tuple(weights[other.index] for other in others if not other.runs))
    return promised(vcpu, found, [other for other in others if other.runs])


def bvt(host: Host, vcpu: Vcpu) -> Promise:
    """A share of its pCPU, less what wake-ups of others cost. Where it is placed nobody knows: all count that may be there."""
    rivals = host.rivals(vcpu)
    contracts = dict(zip((vm.name for vm in host.system.vms), host.contracts.bvt, strict=True))
    paid = [(contracts[one.vm.name].mcu_advance, warped(contracts[one.vm.name])) for one in (vcpu, *rivals)]
    found = BVTShare(paid[0][0], tuple(paid[1:]), paid[0][1], host.scheduler.ctx_allow, host.scheduler.units)
    return promised(vcpu, found, rivals, [row for other in rivals for row in wakes(other, found.wake)])


def warped(contract: BvtContract) -> int:
    """How much virtual time it may borrow."""
    return contract.warp_value if contract.warp else 0


def wakes(other: Vcpu, each: int) -> list[Row]:
    """When a vCPU may wake up: when its VM starts, and with each release that it may serve."""
    rows: list[Row] = [(each, NEVER, 0)]
    for task in other.vm.tasks if other.roams else other.tasks:
        bounded = task.is_hog or taskset([task.replace(deadline=None)]).bounded.all()
        if not bounded or any(step.kind == "block" for step in task.actions or ()):
            raise NoBound(FLOOD.format(name=f"{other.name} with {task.name!r}"), overcharged())
        rows += [] if task.is_hog else releases(task, each)
    return [row for row in rows if row[0]]


def promised(vcpu: Vcpu, found: LagShare, rivals: list[Vcpu], higher: Iterable[Row] = ()) -> Promise:
    """The promise of a share, and what it rests on."""
    rows = list(higher)
    supply: Supply = FixedPriorityPartition(rows, on=found) if rows else found
    evidence: dict[str, Any] = {"rule": "shares", "own": found.own, "lag": found.lag, "rivals": [list(rival) for rival in found.rivals],
                                "unit": list(found.unit), "higher": [list(row) for row in rows]}
    return Promise(supply, f"{vcpu.name} has a share of {found.rate} beside {names(rivals)}, late by what they may have saved up "
                   "(docs/shares.md)", evidence)


KINDS: dict[str, Callable[[Host, Vcpu], Promise]] = {"bvt": bvt, "credit2": credit2}


def ProportionalShare(scheduler: Any, system: System, vm: str, vcpu: int = 0) -> Supply:     # noqa: N802 - reads like the other supplies
    """What a vCPU of `vm` gets by its weight, whatever the others do within what their tasks may ask for.

    Parameters
    ----------
    scheduler : Credit2, BVT or Credit
    system : System
    vm : str
    vcpu : int
        Which of its vCPUs.

    Raises
    ------
    NoBound
        With the reason and, where there is one, a witness.
    SpecError
        A scheduler that has no weights, or no such vCPU.

    Examples
    --------
    >>> import rtvirt as rv
    >>> three = rv.System(vms=[rv.VM(name, weight=weight, tasks=[rv.hog()]) for name, weight in [("A", 512), ("B", 256), ("C", 256)]])
    >>> ProportionalShare(rv.Credit2(), three, "A").rate
    Fraction(1, 2)
    """
    if getattr(scheduler, "kernel_name", "") not in (*KINDS, "credit", "credit_2007"):
        raise SpecError([Problem("scheduler", scheduler, "Credit2, BVT or Credit", "other schedulers have supplies of their own")])
    if system.changes:
        raise SpecError([Problem("system.changes", len(system.changes), "none", "analyse each configuration by itself: system.replace(changes=())")])
    if not 0 <= vcpu < system[vm].vcpus:
        raise SpecError([Problem("vcpu", vcpu, f"0 to {system[vm].vcpus - 1}", f"{vm!r} has no other")])
    host = Host(system, scheduler, Overheads.of(system.costs))
    found = share(host, next(one for one in host.vcpus if (one.vm.name, one.number) == (vm, vcpu))).supply
    assert found is not None
    return found


def share_table(schedulers: Iterable[Any], system: System) -> list[dict[str, Any]]:
    """What each scheduler promises the first vCPU of each VM by weight: a row each, ready for a table.

    Returns
    -------
    list of dict
        scheduler, vm, rate (Fraction), delay [ns], why (str). Where there is no bound, `why` has the first words of the reason and the
        numbers are None.

    Examples
    --------
    >>> import rtvirt as rv
    >>> pair = rv.System(vms=[rv.VM("A", weight=512, tasks=[rv.hog()]), rv.VM("B", tasks=[rv.hog()])])
    >>> [(row["scheduler"], row["vm"], row["delay"]) for row in share_table([rv.Credit(), rv.Credit2()], pair)]
    [('Credit', 'A', None), ('Credit', 'B', None), ('Credit2', 'A', 12500003), ('Credit2', 'B', 25000004)]
    """
    rows = []
    for scheduler in schedulers:
        for vm in system.vms:
            row = {"scheduler": type(scheduler).__name__, "vm": vm.name, "rate": None, "delay": None, "why": ""}
            try:
                found = ProportionalShare(scheduler, system, vm.name)
                row.update(rate=found.rate, delay=int(found.delay))
            except NoBound as reason:
                row["why"] = str(reason).split(":")[0].replace("\n", " ")
            rows.append(row)
    return rows
