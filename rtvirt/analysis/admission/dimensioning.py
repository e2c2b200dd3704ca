"""Dimensioning: budgets and periods for a service level: the smallest that the guests need, raised until the host's test agrees."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from math import ceil

from ...system import VM, System
from ...units import format_ns
from ..interfaces import min_budget
from .admit import admit
from .outcome import Admission
from .service import Service

GRAIN = 10_000            # budgets and periods are multiples of this [ns]: Xen's least budget is 10 us (docs/xen-rules.md 6.1)
FRACTIONS = range(1, 6)   # periods that are tried: the shortest time that is asked for, divided by these,
SHORTER = (6, 8, 10, 15, 20)   # and where none of those will do, by these: they waste less, but switch more often


def every(service: Service) -> Iterator[Admission]:
    """An admission for each of the common periods with which the service level can be promised."""
    return admissions(service, [*periods(service, FRACTIONS), *periods(service, SHORTER)])


def cheapest(service: Service) -> Admission | None:
    """The one that leaves most for VMs that ask for nothing; the longer period of two alike."""
    for fractions in (FRACTIONS, SHORTER):
        if found := list(admissions(service, periods(service, fractions))):
            return min(found, key=lambda one: used(service, one.system))
    return None


def admissions(service: Service, some: Iterable[int]) -> Iterator[Admission]:
    """Those of some periods."""
    return (found for period in some if (found := with_period(service, period)) is not None)


def trimmed(service: Service, found: Admission) -> Admission:
    """The same with budgets of which none can be a grain smaller; the host's own test may ask for less than the guests' smallest budgets.

    What that leaves goes to the VMs that ask for nothing, if the test agrees.
    """
    asking, before = [vm.name for vm in found.system.vms if service.asks(vm)], None
    while before is not found:
        before = found
        for name in asking:
            found = with_less(service, found, name)
    budgets = {vm.name: vm.budget for vm in found.system.vms if vm.name in asking}
    whole = dealt(found.system, budgets, found.system.vms[0].period) if found.system.vms else None
    if whole is None or whole == found.system:
        return found
    verdict = admit(whole, service.scheduler)
    return found if service.lacks(verdict) else verdict


def with_less(service: Service, found: Admission, name: str) -> Admission:
    """The same with the smallest budget for one VM that will do beside those of the others, by bisection."""
    vm = next(one for one in found.system.vms if one.name == name)
    low, high, best = 0, vm.budget // GRAIN, found             # in grains: too small, and enough
    tried = high - 1                                           # mostly this is too small already
    while low < tried < high:
        verdict = admit(found.system.with_vm(vm.replace(budget=tried * GRAIN)), service.scheduler)
        if service.lacks(verdict):
            low = tried
        else:
            high, best = tried, verdict
        tried = (low + high) // 2
    return best


def used(service: Service, system: System) -> Fraction:
    """pCPUs that go to VMs that ask for something."""
    return sum((Fraction(vm.budget, vm.period) for vm in system.vms if service.asks(vm)), Fraction(0))


def periods(service: Service, fractions: Iterable[int]) -> list[int]:
    """Common periods to try [ns]."""
    shortest = min(service.due.values(), default=10_000_000)
    return list(dict.fromkeys(max(10 * GRAIN, shortest // k // GRAIN * GRAIN) for k in fractions))


def least(service: Service, vm: VM, period: int) -> int | None:
    """The smallest budget that can do for a VM [ns]; None if not even a whole pCPU would."""
    needed = min_budget(service.tasks_of(vm), period, guest=vm.guest)       # asks for deadlines; `admit` will ask for tighter bounds
    return None if needed is None else up(max(needed, ceil(service.shares.get(vm.name, 0) * period)))


def with_period(service: Service, period: int) -> Admission | None:
    """Budgets for one common period: the smallest, raised where the host's test is not content yet."""
    budgets: dict[str, int] = {}
    for vm in service.system.vms:
        if service.asks(vm):
            budget = least(service, vm, period)
            if budget is None:
                return None
            budgets[vm.name] = budget
    while (whole := dealt(service.system, budgets, period)) is not None:
        verdict = admit(whole, service.scheduler)
        lacking = {name.split("/")[0] for name in service.lacks(verdict)}
        if not lacking:
            return verdict
        for name in lacking:
            budgets[name] = up(budgets[name] + max(1, budgets[name] // 20))
    return None


def dealt(system: System, budgets: dict[str, int], period: int) -> System | None:
    """The system with these budgets, and what they leave shared evenly among the other VMs; None if they do not fit."""
    rest, others = period * system.cpus - sum(budgets.values()), len(system.vms) - len(budgets)
    share = min(period, rest // max(1, others) // GRAIN * GRAIN)
    if rest < 0 or (others and share < GRAIN) or max(budgets.values(), default=0) > period:
        return None
    return system.replace(vms=tuple(vm.replace(budget=budgets.get(vm.name, share), period=period) for vm in system.vms))


def up(budget: int) -> int:
    """The next multiple of the grain above or at a budget."""
    return max(GRAIN, -(-budget // GRAIN) * GRAIN)


def hindrance(service: Service) -> str:
    """Why the smallest budgets are not enough, with the period that asks for least."""
    tried = {period: {vm.name: least(service, vm, period) for vm in service.system.vms if service.asks(vm)}
             for period in periods(service, [*FRACTIONS, *SHORTER])}
    alone = [name for name in next(iter(tried.values())) if all(needs[name] is None for needs in tried.values())]
    if alone:
        return f"not even a whole pCPU serves {', '.join(alone)}"
    whole = {period: {name: period if budget is None else budget for name, budget in needs.items()} for period, needs in tried.items()}
    period = min(whole, key=lambda one: Fraction(sum(whole[one].values()), one))
    asked = ", ".join(f"{name} {format_ns(budget)}" for name, budget in whole[period].items()) or "nothing"
    system = dealt(service.system, whole[period], period)
    if system is None:
        return f"in every {format_ns(period)} VMs need at least {asked}; pCPUs: {service.system.cpus}"
    verdict = admit(system, service.scheduler)
    told = verdict.why().splitlines() if verdict.late else [f"{name}: {lack}" for name, lack in service.lacks(verdict).items()]
    more = f" (and {len(told) - 1} more)" if len(told) > 1 else ""
    return f"with {asked} in every {format_ns(period)}, the least that guests need: {told[0]}{more}"
