"""Contracts: kept by the scheduler, within what the pCPUs have, and good enough for bounds and deadlines."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations
from typing import Any

from ..analysis import admit
from ..analysis.admission import Admission, Trapping
from ..errors import LimitError, Problem, SpecError
from ..units import format_ns
from .board import Board
from .contract import Reservation, Slots
from .finding import Finding
from .interface import VmInterface

BUDGETS = ("rtds", "sedf", "cbs", "deferrable", "periodic", "polling", "sporadic")
KEEPS: dict[str, tuple[str, ...]] = {
    "null": ("none",), "rr": ("none",), "fp": ("priority",), "arinc653": ("slots",),
    **dict.fromkeys(("credit", "credit2", "bvt"), ("none", "share")), **dict.fromkeys(BUDGETS, ("reservation",)),
}
"""Contracts that each scheduler keeps."""
MOST_SETS = 10        # sets of pCPUs whose unions are tried


def contract_findings(board: Board) -> Iterator[Finding]:
    """Kinds, sums, slots; then, by analysis, bounds, deadlines, heartbeats."""
    early = [*kind_findings(board), *sum_findings(board), *slot_findings(board), *own_cpu_findings(board)]
    yield from early
    if not board.vms:
        return
    try:
        verdict = judged(board)
    except SpecError as error:
        for problem in error.problems if not early else ():       # else it is said already, nearer to its cause
            if "affinity" not in problem.field:
                yield Finding("system", problem.field or "vms", f"{problem.value!r:.60} cannot be analysed; allowed: {problem.allowed}",
                              problem.fix)
        return
    except LimitError as error:
        yield Finding("system", "vms", f"it cannot be analysed: {error}", "use rounder periods, or fewer tasks")
        return
    for vm in board.vms:
        yield from bound_findings(vm, verdict)


def traps_of(board: Board) -> dict[str, Trapping]:
    """The sections of the contracts, as `admit` takes them."""
    return {vm.name: Trapping(section=vm.contract.section) for vm in board.vms if vm.contract.section}


def judged(board: Board) -> Admission:
    """What `rv.admit` says of a board, with the sections of its contracts."""
    return admit(board.system(), board.made_scheduler(), traps=traps_of(board))


def wakeup(board: Board, vm: str) -> int | None:
    """The longest that an event for a VM may wait until it finds the VM running [ns]; None if the scheduler promises no bound.

    Examples
    --------
    >>> import rtvirt as rv
    >>> wakeup(rv.platform.load("phone"), "modem")
    1560000
    """
    names = [one.name for one in board.vms] if isinstance(board, Board) else []
    if vm not in names:
        raise SpecError([Problem("board, vm", (type(board).__name__, vm), f"a Board and a VM of it: {', '.join(names) or 'there is none'}",
                                 "name a VM of the board")])
    return wakeup_bound(board[vm], judged(board))[0]


def kind_findings(board: Board) -> Iterator[Finding]:
    """Does the scheduler keep contracts of this kind?"""
    keeps = KEEPS[board.scheduler.name]
    for vm in board.vms:
        if vm.contract.kind not in keeps:
            able = [name for name, kinds in KEEPS.items() if vm.contract.kind in kinds]
            yield Finding("contract-kind", f"vms[{vm.name}].contract", f"{board.scheduler.name} does not keep a contract of kind {vm.contract.kind}",
                          f"write a contract of kind {' or '.join(keeps)}, or choose the scheduler {', '.join(able)}")


def own_cpu_findings(board: Board) -> Iterator[Finding]:
    """Under the null scheduler each vCPU needs a pCPU of its own: a matching of vCPUs to pCPUs."""
    if board.scheduler.name != "null":
        return
    owner: dict[int, tuple[str, tuple[int, ...]]] = {}

    def find(name: str, cpus: tuple[int, ...], tried: set[int]) -> bool:
        for cpu in cpus:
            if cpu not in tried:
                tried.add(cpu)
                if cpu not in owner or find(*owner[cpu], tried):
                    owner[cpu] = (name, cpus)
                    return True
        return False

    for vm in board.vms:
        cpus = tuple(cpu for cpu in vm.cpus.affinity or range(board.cpus) if cpu < board.cpus)
        if not all(find(vm.name, cpus, set()) for _ in range(vm.cpus.count)):
            yield Finding("affinity", f"vms[{vm.name}].cpus", f"its {vm.cpus.count} vCPUs need pCPUs of their own under null, and not so many of "
                          f"{list(cpus)} are left", "give it fewer vCPUs, or others other pCPUs, or choose another scheduler")


def sum_findings(board: Board) -> Iterator[Finding]:
    """What vCPUs that can only run on some pCPUs reserve is at most these pCPUs: for each set of pCPUs that affinities make."""
    everywhere = frozenset(range(board.cpus))
    reserved: list[tuple[str, frozenset[int], Fraction]] = []
    for vm in board.vms:
        if isinstance(vm.contract, Reservation):
            share = vm.cpus.count * Fraction(vm.contract.budget, vm.contract.period)
            there = frozenset(vm.cpus.affinity or everywhere) & everywhere
            reserved += [(vm.name, there, share)] if there else []          # on none that exist: said already
    sets = list(dict.fromkeys(cpus for _, cpus, _ in reserved))
    unions = {frozenset().union(*some) for n in range(1, len(sets) + 1) for some in combinations(sets, n)} if len(sets) <= MOST_SETS else \
        {*sets, everywhere}
    blamed: set[frozenset[int]] = set()
    for cpus in sorted(unions, key=lambda one: (len(one), sorted(one))):
        inside = [(name, share) for name, own, share in reserved if own <= cpus]
        total = sum((share for _, share in inside), Fraction(0))
        if total > len(cpus) and not any(smaller <= cpus for smaller in blamed):
            blamed.add(cpus)
            parts = ", ".join(f"{name} {float(share):.4g}" for name, share in inside)
            for name, _ in inside[-1:]:
                yield Finding("contract-sum", f"vms[{name}].contract", f"{parts} together reserve {float(total):.4g} of pCPU {sorted(cpus)}, "
                              f"which is {len(cpus)}", "lower budgets, lengthen periods, or move a VM to other pCPUs")
    for vm in board.vms:
        if isinstance(vm.contract, Reservation) and vm.cpus.count > len(frozenset(vm.cpus.affinity or everywhere) & everywhere) > 0:
            yield Finding("affinity", f"vms[{vm.name}].cpus.count", f"its {vm.cpus.count} vCPUs have fewer pCPUs to run on",
                          "give it fewer vCPUs, or more pCPUs")


def slot_findings(board: Board) -> Iterator[Finding]:
    """Slots of all VMs make one table of one pCPU."""
    if board.scheduler.name != "arinc653":
        return
    own = sorted((slot.start, vm.name, slot.length) for vm in board.vms if isinstance(vm.contract, Slots) for slot in vm.contract.slots)
    end, name = 0, ""                     # of the slot that ends last so far: a long one may lie over several
    for start, other, length in own:
        if start < end:
            yield Finding("contract-slots", f"vms[{other}].contract.slots", f"its slot at {format_ns(start)} begins before that of {name} ends, at "
                          f"{format_ns(end)}", "move or shorten one of them")
        end, name = max((end, name), (start + length, other), key=lambda one: one[0])
    frames = {vm.contract.frame for vm in board.vms if isinstance(vm.contract, Slots)}
    if len(frames) > 1:
        yield Finding("contract-slots", "vms", f"there are frames of {', '.join(map(format_ns, sorted(frames)))}", "give all the same frame")
    for vm in board.vms:
        if isinstance(vm.contract, Slots) and vm.cpus.count > 1:
            yield Finding("contract-slots", f"vms[{vm.name}].cpus.count", "slots are for one vCPU", "give it one vCPU")


def wakeup_bound(vm: VmInterface, verdict: Admission) -> tuple[int | None, str]:
    """The longest any vCPU of a VM may wait for its first instruction [ns], None without a bound; and why."""
    worst, why = 0, "it has a pCPU of its own"
    for vcpu, promise in zip(verdict.vcpus, verdict.promises):
        if vcpu.vm.name != vm.name:
            continue
        first: Any = None if promise.supply is None else promise.supply.inverse(1)
        if first is None:
            return None, promise.reason
        if first > worst:
            worst, why = first, promise.reason
    return max(0, worst - 1), why            # the window that holds one ns of supply is longer than the wait by that ns


def bound_findings(vm: VmInterface, verdict: Admission) -> Iterator[Finding]:
    """Wake-up bounds, heartbeats and deadlines against what the scheduler promises."""
    bound, why = wakeup_bound(vm, verdict)
    place = f"vms[{vm.name}]"
    for rule, field, wanted, remedy in (
            ("wakeup", "contract.wakeup", vm.contract.wakeup, "shorten the period, raise the budget, give it a higher priority or a pCPU of its own"),
            ("health", "health.heartbeat", vm.health.heartbeat, "lengthen the heartbeat beyond the longest wait")):
        if wanted is not None and (bound is None or bound > wanted):
            can = "promises no bound" if bound is None else f"can make it wait {format_ns(bound)}"
            kind = type(verdict.scheduler).__name__
            yield Finding(rule, f"{place}.{field}", f"{format_ns(wanted)} is wanted, and {kind} {can}: {why}", remedy)
    late = [task.name for task in vm.tasks if f"{vm.name}/{task.name}" in verdict.late]
    for name in late:
        reason = verdict.reasons.get(f"{vm.name}/{name}", "it may miss its deadline")
        yield Finding("deadline", f"{place}.tasks[{name}]", reason, "give the VM a better contract (rv.provision says which), or the task less work")
