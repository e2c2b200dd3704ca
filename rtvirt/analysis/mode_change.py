"""A change of mode of the whole machine: when a critical guest needs more, other VMs get less, or nothing.

Each VM has a budget in every period, from a host with fixed priorities; each guest has fixed priorities too. In LO mode budgets are as for all to be
served. When a task of high criticality overruns its LO wcet, its guest tells the hypervisor: from then on, and already in the periods that run,
critical VMs get their larger budgets and the others their smaller ones; guests drop their tasks of low criticality.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import LimitError, Problem, SpecError
from ..units import LONGEST, format_ns
from .mixed_criticality import HighCriticality, Mixed, MixedTasks, MixedVerdict, check_deadlines, hi_asks, lo_asks, mixed, verdict_on
from .supply import PeriodicResource, Supply
from .supply.base import check_times
from .verdict import Endless, Verdict

MOST_CORNERS = 1_000_000  # of two supplies within a window
STEPS = 100_000           # after so many a fixed point is given up


@dataclass(frozen=True)
class ModalVM:
    """A VM with a budget for each mode.

    Parameters
    ----------
    name : str
    period : int [ns]
    budget : int [ns]
        In LO mode.
    budget_hi : int [ns]
        In HI mode: of a VM with tasks of high criticality at least `budget`, of another at most; 0: it is not served any more.
    tasks : sequence of Task and HighCriticality
        Under fixed priorities, with deadlines up to periods.
    priority : int, optional
        At the host, 1 is the highest; VMs without one come after those, by period; ties in the order given.
    """

    name: str
    period: int
    budget: int
    budget_hi: int
    tasks: MixedTasks = ()
    priority: int | None = None

    def __post_init__(self) -> None:
        check_times(f"ModalVM({self.name!r})", period=(self.period, 1, LONGEST, ""))
        check_times(f"ModalVM({self.name!r})", budget=(self.budget, 0, self.period, "the period"))
        low, high = (self.budget, self.period) if self.critical else (0, self.budget)
        check_times(f"ModalVM({self.name!r})", budget_hi=(self.budget_hi, low, high, "from the budget on if critical, else up to it"))

    @property
    def critical(self) -> bool:
        """True if some task is of high criticality."""
        return any(isinstance(one, HighCriticality) for one in self.tasks)


@dataclass(frozen=True)
class LateBudget:
    """The host cannot give a VM its budget in time."""

    vm: str
    mode: str
    period: int

    def why(self) -> str:
        """In words."""
        return f"the host cannot give {self.vm!r} its budget within every period of {format_ns(self.period)} {self.mode}"


@dataclass(frozen=True)
class LateTask:
    """A guest's task may miss its deadline."""

    vm: str
    task: str
    mode: str
    deadline: int

    def why(self) -> str:
        """In words."""
        return f"{self.task!r} in {self.vm!r} may not end within its deadline, {format_ns(self.deadline)}, {self.mode}"


@dataclass(frozen=True)
class ModeChange(Verdict):
    """A verdict on all VMs in both modes.

    Attributes
    ----------
    host : MixedVerdict
        When budgets have been given, from the beginning of their periods: `lo` and `hi` by VM.
    lo, hi : {vm: {task: int or None}} [ns]
        Response bounds in LO mode; and of high criticality through the change and after it. None beyond the deadline.
    """

    host: MixedVerdict | None = None
    lo: dict[str, dict[str, int | None]] = field(default_factory=dict)
    hi: dict[str, dict[str, int | None]] = field(default_factory=dict)


def mode_change_schedulable(vms: Sequence[ModalVM]) -> ModeChange:
    """Whether all deadlines are met in LO mode, and those of high criticality through the change and after it; VMs share one pCPU.

    Parameters
    ----------
    vms : sequence of ModalVM

    Returns
    -------
    ModeChange
        The witness is a `LateBudget`, a `LateTask`, or `Endless`.

    Raises
    ------
    SpecError
        As `amc_schedulable`; names used twice.
    LimitError
        It takes too many steps.

    Notes
    -----
    *Host*: AMC-rtb with the VMs as tasks (`amc_schedulable`); a VM that goes on with less counts with its whole budget up to the change. So each
    critical VM has its LO budget in every period, and its HI budget in the one of the change and all later ones. This is for periodic servers: a
    budget that is not used runs down.
    *Guest*: the change comes no later than R_LO after a release, R_LO being the response on the LO budget. If it comes after s, a window t holds
    at least ``sbf_lo(s) + sbf_hi(t − s)``, and ``sbf_lo(t)`` in any case; what is asked for is as in AMC-rtb. Sufficient.
    Guests hear of the change at once. What VMs that go on with less can still promise is asked with `fp_schedulable` on their supply.

    References
    ----------
    Baruah, Burns and Davis, RTSS 2011, applied to budgets; with reduced budgets Burns and Baruah, Towards a more practical model for mixed
    criticality systems, WMC 2013; supplies: Shin and Lee, RTSS 2003.

    Examples
    --------
    >>> import rtvirt as rv
    >>> brakes = ModalVM("brakes", 10, 3, 6, [HighCriticality(rv.Task("b", wcet=3, period=60), wcet_hi=12)])
    >>> video = ModalVM("video", 20, 9, 0, [rv.Task("v", wcet=8, period=80)])
    >>> found = mode_change_schedulable([brakes, video])
    >>> bool(found), found.lo, found.hi["brakes"]["b"] <= 60
    (True, {'brakes': {'b': 17}, 'video': {'v': 30}}, True)
    >>> print(mode_change_schedulable([brakes, ModalVM("video", 20, 15, 0)]).why())
    mode change: the host cannot give 'video' its budget within every period of 20 ns in LO mode; the test is sufficient, not exact
    """
    check_names(vms)
    test = "mode change"
    order = sorted(range(len(vms)), key=lambda i: (vms[i].priority is None, vms[i].priority or vms[i].period, i))
    rows = [Mixed(vms[i].name, int(vms[i].budget), int(vms[i].budget_hi), int(vms[i].period), int(vms[i].period), vms[i].critical) for i in order]
    host = verdict_on(rows)
    lo: dict[str, dict[str, int | None]] = {}
    hi: dict[str, dict[str, int | None]] = {}
    witness: Any = None
    for row in rows:
        if host.lo[row.name] is None or (row.hi and host.hi[row.name] is None):
            witness = LateBudget(row.name, "in LO mode" if host.lo[row.name] is None else "through the change", row.period)
            break
    for vm in vms:
        tasks, endless = mixed(vm.tasks)
        check_deadlines(tasks)
        witness = witness or (Endless(endless) if endless else None)
        calm, wild = PeriodicResource(int(vm.period), int(vm.budget)), PeriodicResource(int(vm.period), int(vm.budget_hi))
        lo[vm.name], hi[vm.name] = {}, {}
        for i, row in enumerate(tasks):
            before = lo[vm.name][row.name] = lo_on(row, tasks[:i], calm)
            if row.high:
                hi[vm.name][row.name] = None if before is None else hi_on(row, tasks[:i], before, calm, wild)
            mode = "in LO mode" if before is None else "through the change" if row.high and hi[vm.name][row.name] is None else None
            witness = witness or (mode and LateTask(vm.name, row.name, mode, row.deadline))
    return ModeChange(witness is None, test, witness=witness, exact=False, host=host, lo=lo, hi=hi)


def check_names(vms: Sequence[ModalVM]) -> None:
    """VMs, with names used once."""
    names = [vm.name if isinstance(vm, ModalVM) else vm for vm in vms]
    if not all(isinstance(vm, ModalVM) for vm in vms) or len(set(names)) < len(names):
        raise SpecError([Problem("vms", names, "ModalVMs with names used once", "make them with ModalVM(...), rename one")])


def lo_on(row: Mixed, higher: Sequence[Mixed], supply: Supply) -> int | None:
    """Longest response on a supply in LO mode [ns]; None beyond the deadline."""
    asks = lo_asks(higher)
    return least_on(lambda w: row.lo + asks(w), supply.sbf, row.deadline)


def hi_on(row: Mixed, higher: Sequence[Mixed], before: int, calm: PeriodicResource, wild: PeriodicResource) -> int | None:
    """Longest response through the change [ns], which comes within `before` of the release; None beyond the deadline."""
    asks = hi_asks(higher, before)
    return least_on(lambda w: row.hi + asks(w), lambda t: supplied_through(t, before, calm, wild), row.deadline)


def supplied_through(t: int, before: int, calm: PeriodicResource, wild: PeriodicResource) -> int:
    """Least supply in a window t, with a change to the `wild` supply after `before` or earlier [ns]: one up to any s, then the other."""
    last = min(t, before)
    ends = [np.array([0, last], np.int64), corners(calm, last), t - corners(wild, t)]
    s = np.concatenate(ends)
    s = s[(s >= 0) & (s <= last)]
    return max(int(calm.sbf(t)), int((calm.sbf(s) + wild.sbf(t - s)).min()))


def corners(supply: PeriodicResource, until: int) -> np.ndarray:
    """Where a supply begins and ends to grow, up to `until` [ns]: its sum with another is least at one of these."""
    if until // supply.period > MOST_CORNERS:
        raise LimitError(f"more than {MOST_CORNERS:,} periods of a budget within a deadline: use longer ones")
    starts = np.arange(2 * (supply.period - supply.budget), until + 1, supply.period, np.int64)
    return np.concatenate([starts, starts + supply.budget])


def least_on(asks: Callable[[int], int], supplied: Callable[[int], int], limit: int) -> int | None:
    """The least window, up to `limit`, that surely brings all that is asked for in it [ns]; None if there is none."""
    w = 1
    for _ in range(STEPS):
        work = asks(w)
        low, high = w - 1, limit + 1                     # too short, or surely long enough
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if supplied(middle) >= work else (middle, high)
        if high > limit:
            return None
        if high == w:
            return w
        w = high
    raise LimitError(f"no response within {STEPS:,} steps: lower the utilization a little, or use a coarser unit of time")
