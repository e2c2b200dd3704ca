"""Virtual time: what a guest sees of time when it is not always there.

A guest learns of time by ticks that a hypervisor delivers, or by reading a clock. Ticks need somebody who is there to take them: a vCPU that
waits for a pCPU has none delivered. Three ways out of it, and none: ticks that are lost, ticks that are made up for later, timers that
expire on time and are noticed late, and a clock that is simply read. A guest cannot tell the difference by looking at its own ticks.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..errors import Problem, SpecError
from ..results import Run
from ..units import format_ns
from .checks import is_whole, whole_number

POLICIES = {"lost": "one tick on dispatch however many were due (Xen, docs/xen-rules.md 9.2.2)",
            "catch-up": "every tick that was due is delivered, one after another, when the vCPU runs again",
            "paravirtual": "one-shot timers with absolute expiry, and a clock that is read (9.2.3)"}
SLOP = 50_000                                             # [ns] docs/xen-rules.md 1.7
ERAS = {"3.0": "early", "3.1": "early", "3.2": "early", "3.4": "window", "4.0": "window", "4.1": "late", "4.4": "late", "4.5": "near",
        "4.17": "near", "4.22": "near"}


def timer_window(expiry: int, set_at: int, *, xen: str = "4.17") -> tuple[int, int]:
    """When a timer of Xen fires: earliest and latest instant [ns] (docs/xen-rules.md 1.7.1 to 1.7.4).

    Parameters
    ----------
    expiry, set_at : int [ns]
        What was asked for, and when.
    xen : str
        Until 3.2 up to 50 us early (any timer interrupt in that time runs it); 3.4 and 4.0 up to 50 us late, to be run together with
        others; 4.1 to 4.4 always 50 us late; since 4.5 on time unless it was set less than 50 us ahead.

    Examples
    --------
    >>> timer_window(1_000_000, 0), timer_window(1_000_000, 0, xen="4.1"), timer_window(1_000_000, 0, xen="3.1")
    ((1000000, 1000000), (1050000, 1050000), (950000, 1000000))
    >>> timer_window(20_000, 0)
    (50000, 50000)
    """
    if xen not in ERAS:
        raise SpecError([Problem("xen", xen, ", ".join(ERAS), "choose one of these versions")])
    whole_number("expiry", expiry, 0)
    whole_number("set_at", set_at, 0)
    due = max(expiry, set_at)
    return {"early": (max(set_at, due - SLOP), due), "window": (due, due + SLOP), "late": (due + SLOP, due + SLOP),
            "near": (max(due, set_at + SLOP),) * 2}[ERAS[xen]]


@dataclass(frozen=True, eq=False)
class GuestTime:
    """Time as a guest counts it, beside time as it is.

    Attributes
    ----------
    run, vm, vcpu, period, policy
        Of what, and how.
    due, delivered : (n,) int64 [ns]
        When each delivered tick (or timer) should have come, and came. Under "lost", due is the tick's place in the guest's count.
    starts, ends : (m,) int64 [ns]
        Stints of the vCPU.

    Notes
    -----
    Ticks cost nothing here (`Costs.tick` and the guest's handler do elsewhere), except that made-up ticks come `gap` apart. The vCPU's stints are
    those of the run: ticks wake nobody. That is as in Xen for periodic timers (9.2.2); a timer that wakes its guest is a task's release, and
    its lateness is `run.wakeups`.
    """

    run: Run
    vm: str
    vcpu: int
    period: int
    policy: str
    due: np.ndarray
    delivered: np.ndarray
    starts: np.ndarray
    ends: np.ndarray

    @cached_property
    def lateness(self) -> np.ndarray:
        """(n,) int64 [ns]: how late each came, by real time."""
        return self.delivered - self.due

    def reads(self, at: Any) -> Any:
        """The guest's idea of the time at real instants [ns]; int, or array for an array.

        A clock that is read is right. One that counts ticks is their number times the period.
        """
        times = np.asarray(at, np.int64)
        seen = times if self.policy == "paravirtual" else np.searchsorted(self.delivered, times, side="right") * self.period
        return seen if times.ndim else int(seen)

    @property
    def drift(self) -> float:
        """How far the guest's clock is off at the end of the run, as a share of it: −0.5 has lost half of the time."""
        return (self.reads(self.run.duration) - self.run.duration) / self.run.duration

    @cached_property
    def gaps(self) -> np.ndarray:
        """(n − 1,) int64 [ns]: real time between ticks, which the guest believes to be one period."""
        return np.diff(self.delivered)

    def summary(self) -> str:
        """In a sentence."""
        late = format_ns(int(self.lateness.max())) if len(self.lateness) and self.policy != "lost" else None
        widest = format_ns(int(self.gaps.max())) if len(self.gaps) else "the whole run"
        return (f"{self.vm} with {self.policy} ticks of {format_ns(self.period)}: drift {100 * self.drift:+.1f} %, ticks up to {widest} apart"
                + (f", up to {late} late" if late else ""))

    def __repr__(self) -> str:
        return f"<GuestTime: {self.summary()}>"


def guest_time(run: Run, vm: str, *, period: int = 10_000_000, policy: str = "lost", vcpu: int = 0, gap: int = 100_000) -> GuestTime:
    """What a VM of a run sees of time.

    Parameters
    ----------
    run : Run
        With stints (``record="trace"``).
    vm : str
    period : int [ns]
        Of the guest's tick. Xen's default for paravirtual guests is 10 ms (9.2.1).
    policy : {"lost", "catch-up", "paravirtual"}
        `POLICIES` says what each does.
    vcpu : int
    gap : int [ns]
        Between ticks that are made up for.

    Returns
    -------
    GuestTime

    Raises
    ------
    SpecError
        An unknown VM, vCPU or policy; a period or gap out of range.
    RecordError
        The run kept no stints.

    References
    ----------
    VMware, Timekeeping in VMware virtual machines (catching up); docs/xen-rules.md 9.2.

    Examples
    --------
    >>> import rtvirt as rv
    >>> from rtvirt.units import ms, s
    >>> two = rv.System(vms=[rv.VM("a", tasks=[rv.hog()]), rv.VM("b", tasks=[rv.hog()])])
    >>> run = rv.simulate(two, rv.RoundRobin(ms(30)), s(6))
    >>> guest_time(run, "a", period=ms(10))
    <GuestTime: a with lost ticks of 10 ms: drift -50.2 %, ticks up to 40 ms apart>
    >>> guest_time(run, "a", period=ms(10), policy="catch-up")
    <GuestTime: a with catch-up ticks of 10 ms: drift -0.7 %, ticks up to 40 ms apart, up to 30 ms late>
    """
    check_arguments(run, vm, period, policy, vcpu, gap)
    table = run.table("slices")
    names, numbers = run.vcpu_names
    mine = np.flatnonzero((names[table["vcpu"]] == vm) & (numbers[table["vcpu"]] == vcpu))
    starts, ends = table["start"][mine], table["end"][mine]
    ends = np.where(ends == run.duration, run.duration + 1, ends)          # the run ends there, not the stint
    if policy == "lost":
        delivered = lost_ticks(starts, ends, period)
        due = np.arange(1, len(delivered) + 1, dtype=np.int64) * period
    else:
        due = np.arange(period, run.duration + 1, period, dtype=np.int64)
        delivered = late_ticks(due, starts, ends, gap if policy == "catch-up" else 0)
        due = due[:len(delivered)]
    return GuestTime(run, vm, vcpu, period, policy, due, delivered, starts, ends)


def lost_ticks(starts: np.ndarray, ends: np.ndarray, period: int) -> np.ndarray:
    """Deliveries when a waiting vCPU's timer stands still: on dispatch one tick, if a period has passed since the last (9.2.2)."""
    found, last = [], 0
    for start, end in zip(starts.tolist(), ends.tolist()):
        first = max(start, last + period)
        if first < end:
            ticks = np.arange(first, end, period, dtype=np.int64)
            found.append(ticks)
            last = int(ticks[-1])
    return np.concatenate(found) if found else np.empty(0, np.int64)


def late_ticks(due: np.ndarray, starts: np.ndarray, ends: np.ndarray, gap: int) -> np.ndarray:
    """Deliveries when none is lost: at the first instant at which the vCPU runs, and `gap` after the one before.

    Those that the run ends before are left out.
    """
    found, stint, earliest = [], 0, 0
    for time in due.tolist():
        at = max(time, earliest)
        while stint < len(ends) and ends[stint] <= at:
            stint += 1
        if stint == len(ends):
            break
        at = max(at, int(starts[stint]))
        found.append(at)
        earliest = at + gap
    return np.array(found, np.int64)


def own_period(run: Run, vm: str, task: str, time: GuestTime | None = None) -> np.ndarray:
    """What a guest measures when it looks at its clock at the start of each job of a periodic task: (jobs − 1,) int64 [ns].

    Without `time` it looks at a good clock. With one that counts ticks it sees whole ticks only, and may find its own period in order
    while the world sees another.
    """
    check_run(run)
    if time is not None and not isinstance(time, GuestTime):
        raise SpecError([Problem("time", time, "a GuestTime, or none", "write for example time=rv.traps.guest_time(run, 'vm')")])
    jobs = run.jobs
    starts = jobs.loc[(jobs.vm == vm) & (jobs.task == task) & (jobs.start >= 0), "start"].to_numpy()
    if not len(starts):
        raise SpecError([Problem("task", f"{vm}/{task}", "a task of the run with jobs that began",
                                 "choose among " + ", ".join(f"{one.name}/{t.name}" for one in run.whole.vms for t in one.tasks))])
    return np.diff(starts if time is None else time.reads(starts))


def check_run(run: Any) -> None:
    """Refuse what is no run."""
    if not isinstance(run, Run):
        raise SpecError([Problem("run", run, "a Run", "simulate first: rv.simulate(system, scheduler, ms(100))")])


def check_arguments(run: Run, vm: str, period: int, policy: str, vcpu: int, gap: int) -> None:
    """Report every mistake at once."""
    check_run(run)
    sizes = {one.name: one.vcpus for one in run.system.vms}
    found = []
    if vm not in sizes:
        found.append(Problem("vm", vm, ", ".join(sizes), "choose a VM of the run"))
    elif not is_whole(vcpu, 0, sizes[vm] - 1):
        found.append(Problem("vcpu", vcpu, f"0 to {sizes[vm] - 1}", "choose one of the VM's vCPUs"))
    if policy not in POLICIES:
        found.append(Problem("policy", policy, ", ".join(POLICIES), "choose one of these"))
    if not is_whole(period, 10_000, run.duration):
        found.append(Problem("period", period, f"10 us to the run's length, {format_ns(run.duration)} (in ns)", "give whole nanoseconds"))
    if not is_whole(gap, 0, 1_000_000_000):
        found.append(Problem("gap", gap, "0 to 1 s (in ns)", "give whole nanoseconds"))
    if found:
        raise SpecError(found)
