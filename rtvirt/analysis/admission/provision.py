"""Provisioning: from a service level to budgets and periods, or to the requirement that has to go, and by how much."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import groupby
from typing import Any

import pandas as pd

from ...system import System
from ...units import format_ns
from .concessions import Concession, concessions, left_out
from .dimensioning import cheapest, hindrance, trimmed
from .outcome import Admission
from .service import Service, service_of


@dataclass(frozen=True)
class Provision:
    """Budgets and periods for a system; true if all that is asked for can be promised.

    Attributes
    ----------
    service : Service
        What was asked for.
    admission : Admission or None
        Of the system with the contracts that were found; None if there are none.
    """

    service: Service
    admission: Admission | None

    def __bool__(self) -> bool:
        return self.admission is not None

    @property
    def system(self) -> System | None:
        """With the contracts that were found."""
        return None if self.admission is None else self.admission.system

    @cached_property
    def give_up(self) -> tuple[Concession, ...]:
        """Changes each of which alone is enough; empty if nothing has to go, or one is not enough. Searched for when first asked for."""
        return () if self else tuple(concessions(self.service))

    @cached_property
    def leave_out(self) -> tuple[str, ...]:
        """Where one change is not enough: tasks ("vm/task") and shares ("vm") that go together, none of which can stay."""
        found = None if self or self.give_up else left_out(self.service)
        return () if found is None else found[0]

    @property
    def table(self) -> pd.DataFrame:
        """A row a VM: budget, period [ns], share of a pCPU."""
        vms = () if self.system is None else self.system.vms
        return pd.DataFrame([(vm.name, vm.budget, vm.period, vm.budget / vm.period) for vm in vms], columns=["vm", "budget", "period", "share"])

    @property
    def choices(self) -> pd.DataFrame:
        """A row for each change that is enough: whose, what, asked and fitting values and the step between tries [ns, or share]."""
        rows = [(one.vm, one.task, one.field, one.asked, one.fits, one.step) for one in self.give_up]
        return pd.DataFrame(rows, columns=["vm", "task", "field", "asked", "fits", "step"], dtype=object)

    def why(self) -> str:
        """The result in words."""
        if self.system is not None:
            told = ", ".join(f"{vm.name} {format_ns(vm.budget)} in {format_ns(vm.period)}" for vm in self.system.vms)
            return f"every deadline is met with {told}"
        reason = f"not everything can be promised: {hindrance(self.service)}"
        if self.give_up:
            lines = [f"  {whose}: {', or '.join(one.change for one in changes)}" for whose, changes in groupby(self.give_up, lambda one: one.whose)]
            return "\n".join([reason, "to give up, any one of:", *lines])
        if self.leave_out:
            return f"{reason}\none change is not enough; to leave out together: {', '.join(self.leave_out)}"
        return f"{reason}\nnothing that is asked for could be left out to mend it: use more pCPUs, fewer VMs, or another scheduler"

    def __repr__(self) -> str:
        told = self.why().splitlines()[0]
        return f"<Provision: {'found' if self else 'refused'} under {self.service.scheduler!r}; {told}>"


def provision(system: System, scheduler: Any, *, bounds: Mapping[str, int] | None = None,
              shares: Mapping[str, Fraction | float] | None = None) -> Provision:
    """Find budgets and periods with which all that is asked for is promised, or say what to give up.

    Parameters
    ----------
    system : System
        Its budgets and periods, if any, are replaced. Tasks and deadlines are the service level asked for.
    scheduler : RTDS, SEDF, CBS, DeferrableServers, PeriodicServers, PollingServers or SporadicServers
        One that goes by budgets.
    bounds : {"vm/task": int} [ns], optional
        Longest response times, where they must be shorter than the deadline, or there is none. Priorities stay as deadlines make them.
    shares : {"vm": Fraction or float}, optional
        Least share of a pCPU, 0 to 1, that a VM is surely given, deadlines or not.

    Returns
    -------
    Provision

    Raises
    ------
    SpecError
        VMs with several vCPUs, guests without an interface test (only "fp" and "edf" have one), schedulers without budgets, bounds and shares of
        what does not exist, or out of range.

    Notes
    -----
    All VMs get one common period, a fraction of the shortest deadline: then no server's deadline comes before another's, and little is lost.
    Budgets begin at the smallest that the guest needs, are raised until `admit` agrees, and the cheapest period wins; then each is lowered as far as
    `admit` agrees: with 10 us less of one of them it would not. VMs that ask for nothing share evenly what is left. Sound, since `admit` has the last
    word; not optimal, since periods are few and common. Costs make short periods dear through `admit`.

    What to give up is searched for when `give_up`, `choices` or `why` are read: one deadline later (up to ten times), or one wcet or share
    smaller, each in steps of at most a thousandth, or one task or VM left out; always budgeted and admitted anew, see `Concession.system`.
    Where no single change is enough, `leave_out` names a minimal set.

    References
    ----------
    Shin and Lee, Periodic resource model for compositional real-time guarantees, RTSS 2003 (smallest budgets).

    Examples
    --------
    >>> import rtvirt as rv
    >>> from rtvirt.units import ms, us
    >>> phone = rv.System(vms=[rv.VM("modem", tasks=[rv.Task("slot", wcet=us(300), period=ms(5))]), rv.VM("android", tasks=[rv.hog()])])
    >>> found = provision(phone, rv.RTDS(), shares={"android": 0.5})
    >>> bool(found), found.admission.late
    (True, ())
    >>> print(provision(phone, rv.RTDS(), shares={"android": 0.95}).why())
    not everything can be promised: in every 830 us VMs need at least modem 60 us, android 790 us; pCPUs: 1
    to give up, any one of:
      task 'slot' of 'modem': wcet 300 us -> 210 us (steps of 100 ns), or leave it out
      VM 'android': share 0.95 -> 0.927 (steps of 0.001), or leave it out
    """
    asked = service_of(system, scheduler, bounds or {}, shares or {})
    found = cheapest(asked)
    return Provision(asked, None if found is None else trimmed(asked, found))
