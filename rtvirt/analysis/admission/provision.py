"""Provisioning: from the deadlines to budgets and periods, or to the requirement that has to go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ...errors import Problem, SpecError
from ...system import VM, System
from ...units import format_ns
from ..interfaces import min_budget
from .admit import admit
from .outcome import Admission

GRAIN = 10_000            # budgets and periods are multiples of this [ns]: Xen's least budget is 10 us (docs/xen-rules.md 6.1)
FRACTIONS = range(1, 6)   # periods that are tried: the shortest deadline divided by these
STEPS = 40                # of raising budgets until the host's own test agrees


@dataclass(frozen=True)
class Provision:
    """Budgets and periods for a system; true if every deadline can be met.

    Attributes
    ----------
    system : System or None
        With the contracts that were found; None if there are none.
    admission : Admission or None
        Of that system.
    give_up : tuple of str
        VMs each of which, if its deadlines were given up, would leave enough for the others; empty if nothing has to go, or one is not enough.
    """

    system: System | None
    admission: Admission | None
    give_up: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.system is not None

    @property
    def table(self) -> pd.DataFrame:
        """A row a VM: budget, period [ns], share of a pCPU."""
        vms = () if self.system is None else self.system.vms
        return pd.DataFrame([(vm.name, vm.budget, vm.period, vm.budget / vm.period) for vm in vms], columns=["vm", "budget", "period", "share"])

    def why(self) -> str:
        """The result in words."""
        if self.system is not None:
            told = ", ".join(f"{vm.name} {format_ns(vm.budget)} in {format_ns(vm.period)}" for vm in self.system.vms)
            return f"every deadline is met with {told}"
        if self.give_up:
            return f"not all deadlines can be promised; giving up those of one VM would do: {', '.join(self.give_up)}"
        return "not all deadlines can be promised, nor is it enough to give up those of one VM: use more pCPUs, or less work"


def provision(system: System, scheduler: Any) -> Provision:
    """Find budgets and periods with which every deadline is met under a scheduler of budgets.

    Parameters
    ----------
    system : System
        Its budgets and periods, if any, are replaced. Tasks and deadlines are the service level asked for.
    scheduler : RTDS
        One that `admit` knows, and that goes by budgets.

    Returns
    -------
    Provision

    Raises
    ------
    SpecError
        VMs with several vCPUs, or guests without an interface test (only "fp" and "edf" have one).

    Notes
    -----
    All VMs get one common period, a fraction of the shortest deadline: then no server's deadline comes before another's, and little is lost.
    Budgets begin at the smallest that the guest needs, are raised until `admit` agrees, and the cheapest period wins. VMs without deadlines share
    evenly what is left. Sound, since `admit` has the last word; not optimal, since periods are few and common. Costs make short periods dear
    through `admit`.

    References
    ----------
    Shin and Lee, Periodic resource model for compositional real-time guarantees, RTSS 2003 (smallest budgets).

    Examples
    --------
    >>> import rtvirt as rv
    >>> from rtvirt.units import ms, us
    >>> phone = rv.System(vms=[rv.VM("modem", tasks=[rv.Task("slot", wcet=us(300), period=ms(5))]), rv.VM("android", tasks=[rv.hog()])])
    >>> found = provision(phone, rv.RTDS())
    >>> bool(found), found.admission.late
    (True, ())
    """
    check(system)
    found = cheapest(system, scheduler, [vm.name for vm in system.vms if is_timed(vm)])
    if found is not None:
        return found
    timed = [vm.name for vm in system.vms if is_timed(vm)]
    return Provision(None, None, tuple(name for name in timed if cheapest(system, scheduler, [other for other in timed if other != name])))


def check(system: System) -> None:
    """Refuse what has no interface."""
    wrong = [Problem(f"vms[{vm.name}].vcpus", vm.vcpus, "1", "provision one VM a vCPU", "") for vm in system.vms if vm.vcpus > 1]
    wrong += [Problem(f"vms[{vm.name}].guest", vm.guest, "fp or edf", "other guests have no test of their smallest budget", "")
              for vm in system.vms if is_timed(vm) and vm.guest not in ("fp", "edf")]
    if wrong:
        raise SpecError(wrong)


def is_timed(vm: VM) -> bool:
    """True if some task of the VM has a deadline."""
    return any(task.deadline is not None for task in vm.tasks)


def cheapest(system: System, scheduler: Any, timed: list[str]) -> Provision | None:
    """The admitted contracts that leave most for VMs without deadlines, when only those of `timed` count."""
    best: tuple[float, Provision] | None = None
    for period in periods(system, timed):
        found = contracts(system, scheduler, timed, period)
        if found is not None:
            used = sum(vm.budget / vm.period for vm in found.system.vms if vm.name in timed)
            if best is None or used < best[0]:
                best = used, found
    return None if best is None else best[1]


def periods(system: System, timed: list[str]) -> Iterator[int]:
    """Common periods to try [ns]."""
    shortest = min((task.deadline for vm in system.vms if vm.name in timed for task in vm.tasks if task.deadline is not None), default=10_000_000)
    return iter(dict.fromkeys(max(10 * GRAIN, shortest // k // GRAIN * GRAIN) for k in FRACTIONS))


def contracts(system: System, scheduler: Any, timed: list[str], period: int) -> Provision | None:
    """Budgets for one common period: the smallest, raised where the host's test is not content yet."""
    budgets: dict[str, int] = {}
    for vm in system.vms:
        if vm.name in timed:
            least = min_budget([task for task in vm.tasks if task.deadline is not None], period, guest=vm.guest)
            if least is None:
                return None
            budgets[vm.name] = up(least)
    for _ in range(STEPS):
        rest = period * system.cpus - sum(budgets.values())
        others = [vm.name for vm in system.vms if vm.name not in timed]
        share = min(period, rest // max(1, len(others)) // GRAIN * GRAIN)
        if rest < 0 or (others and share < GRAIN) or max(budgets.values(), default=0) > period:
            return None
        whole = system.replace(vms=tuple(vm.replace(budget=budgets.get(vm.name, share), period=period) for vm in system.vms))
        verdict = admit(whole, scheduler)
        late = {name.split("/")[0] for name in verdict.late} & set(timed)
        if not late:
            return Provision(whole, verdict)
        for name in late:
            budgets[name] = up(budgets[name] + budgets[name] // 20)
    return None


def up(budget: int) -> int:
    """The next multiple of the grain above or at a budget."""
    return max(GRAIN, -(-budget // GRAIN) * GRAIN)
