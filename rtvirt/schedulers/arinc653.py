"""ARINC 653: a table says who runs when (docs/xen-rules.md 7.1; rule numbers in brackets).

The idea. Time is cut into *major frames* of equal length, a frame into *windows*, and each window belongs to one partition. Nothing that
one partition does, or fails to do, moves another's window: aircraft are certified part by part on that promise.

What to look for. A window whose owner has nothing to do stays idle, and work that comes just after its window waits for the next one:
M - s with one window of s in a frame of M (7.1.5). That is what isolation costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from ..errors import Problem, SpecError
from ..jit import kernel
from ..rows import Many, Row, Struct, make, put_row, put_rows
from ..state import IDLE, ask_decision
from ..timers import set_alarm
from ..units import LONGEST, format_ns
from .arinc653_table import MOST, Window, build_table, check_names, checked_table, slots_of
from .checks import check_time
from .contracts import Contracts
from .runqueue import NOBODY

WINDOW = 10_000_000       # of a vCPU of the control VM, while there is no table [ns] (7.1.2)
MOST_TABLES = 64          # one after the other


class OwnedWindow(Row):
    """A window of a table."""

    vcpu: int                 # whose; NOBODY
    length: int               # [ns]


class Schedule(Row):
    """A table."""

    at: int                   # takes effect [ns]
    first: int                # of its windows
    end: int                  # behind its last window
    major: int                # length of a frame [ns]


class Frame(Row):
    """Where we are. All pCPUs share it (7.1.1)."""

    schedule: int             # in force
    schedules: int            # how many there are
    window: int               # of the table; `end` after the last
    next_switch: int          # when this window ends [ns]
    next_major: int           # when this frame ends [ns]


class Arinc653State(Struct):
    """The tables, and the place in them."""

    frame = Frame
    schedules = Many(Schedule, MOST_TABLES)
    windows = Many(OwnedWindow, MOST_TABLES * MOST)


@dataclass(frozen=True)
class ARINC653:
    """Xen's ARINC 653 scheduler: a cyclic table of windows.

    Parameters
    ----------
    table : sequence of (VM name, vCPU number, runtime [ns]), optional
        Windows in the order of time, 1 to 64. A VM may have several. None for a VM is a window in which nobody runs. Without a table each
        vCPU of the control VMs has a window of 10 ms, and nobody else ever runs (7.1.2).
    major_frame : int [ns], optional
        Length of a frame, at least the runtimes together, which is also the default. What is left after the last window is idle.
    later : sequence of (instant [ns], ARINC653)
        Tables that replace this one, each at its instant, where a new major frame begins (7.1.1).

    Notes
    -----
    Not work conserving: a window is its owner's, used or not. A vCPU runs on the pCPU where its VM's start has placed it; with more than one
    pCPU the others idle during its window (one frame for all, 7.1.3). The model leaves out cpupools. Affinities only place.

    Raises
    ------
    SpecError
        A table that Xen would refuse (7.1.1); and, when it is simulated, a VM or vCPU that the system does not have.

    References
    ----------
    docs/xen-rules.md 7.1; docs/model.md 7.7. ARINC Specification 653 part 1 (partition period and duration, major frame).

    Examples
    --------
    >>> import rtvirt as rv
    >>> from rtvirt.units import ms
    >>> two = rv.System(vms=[rv.VM("A", tasks=[rv.hog()]), rv.VM("B", tasks=[rv.hog()])])
    >>> run = rv.simulate(two, ARINC653([("A", 0, ms(20)), ("B", 0, ms(30))], major_frame=ms(100)), duration=ms(200))
    >>> run.slices[["vm", "start", "end"]].head(3).values.tolist()
    [['A', 0, 20000000], ['B', 20000000, 50000000], ['A', 100000000, 120000000]]
    """

    table: Sequence[Window] | None = None
    major_frame: int | None = field(default=None, kw_only=True)
    later: Sequence[tuple[int, ARINC653]] = field(default=(), kw_only=True)

    kernel_name: ClassVar[str] = "arinc653"
    work_conserving: ClassVar[bool] = False
    alarms: ClassVar[int] = 1          # the next table takes effect

    def __post_init__(self) -> None:
        if self.table is not None:
            table, major_frame = checked_table(self.table, self.major_frame)
            object.__setattr__(self, "table", table)
            object.__setattr__(self, "major_frame", major_frame)
        elif self.major_frame is not None:
            raise SpecError([Problem("ARINC653.major_frame", self.major_frame, "nothing, without a table", "give a table, or leave it out")])
        object.__setattr__(self, "later", checked_later(self.later))

    @classmethod
    def build(cls, partitions: Any, *, major_frame: int | None = None) -> ARINC653:
        """A table that gives each partition its runtime in each of its periods.

        Parameters
        ----------
        partitions : mapping of VM name, or (VM name, vCPU number), to (runtime [ns], period [ns]); or System
            Of a system, the VMs that have a budget and a period.
        major_frame : int [ns], optional
            A multiple of all periods; by default their least common multiple.

        Returns
        -------
        ARINC653
            Its windows are laid out by earliest deadline first, which succeeds whenever runtimes and periods fit on one processor at all. A
            runtime may be cut into several windows.

        Raises
        ------
        SpecError
            Needs of more than 100 %, or more than 64 windows.

        Notes
        -----
        The runtime is somewhere within each period: the longest wait can be almost two periods' rests. Costs of switching are not added.

        References
        ----------
        Liu and Layland, Scheduling algorithms for multiprogramming in a hard-real-time environment, 1973 (theorem 7: EDF fits up to 100 %).

        Examples
        --------
        >>> ARINC653.build({"flight": (5, 10), "cabin": (6, 20)}).table
        (('flight', 0, 5), ('cabin', 0, 6), ('flight', 0, 5))
        """
        table, frame = build_table(partitions, major_frame)
        return cls(table, major_frame=frame)

    def slots(self, vm: str, vcpu: int = 0) -> tuple[tuple[int, int], ...]:
        """(start, length) [ns] within a frame of the times that a vCPU has, as `rv.analysis.SlotTable` takes them; windows that touch are one.

        Examples
        --------
        >>> ARINC653([("A", 0, 2), ("A", 0, 3), ("B", 0, 1), ("A", 0, 4)]).slots("A")
        ((0, 5), (6, 4))
        """
        if self.table is None:
            raise SpecError([Problem("ARINC653.table", None, "a table", "the default table depends on the system: write it out")])
        return slots_of(self.table, vm, vcpu)

    def check(self, system: Any) -> list[str]:
        """SpecError for a table that does not fit a `System`; else remarks on what is legal and probably not meant.

        Examples
        --------
        >>> import rtvirt as rv
        >>> ARINC653([("A", 0, 5)]).check(rv.System(vms=[rv.VM("A"), rv.VM("B", tasks=[rv.hog()])]))
        ['B has tasks and no window: it never runs']
        """
        table = self.table or default_table([(vm.name, vm.vcpus) for vm in system.vms if vm.control])
        check_names(table, {vm.name: vm.vcpus for vm in system.vms})
        frame = self.major_frame or sum(runtime for _, _, runtime in table)
        said = []
        for vm in system.vms:
            given = [sum(length for _, length in slots_of(table, vm.name, k)) for k in range(vm.vcpus)]
            if vm.tasks and not any(given):
                said.append(f"{vm.name} has tasks and no window: it never runs")
                continue
            for k, (budget, period) in enumerate(zip(vm.per_vcpu("budget"), vm.per_vcpu("period"), strict=True)):
                if budget and period and given[k] * period < budget * frame:
                    said.append(f"{vm.name} vCPU {k} has {format_ns(given[k])} in {format_ns(frame)}: less than its budget of "
                                f"{format_ns(budget)} in {format_ns(period)}")
        return said

    def make_state(self, cpus: int, contracts: Contracts) -> Any:
        """The scheduler's tables."""
        vcpus = {name: int((contracts.vcpu_vm == vm).sum()) for vm, name in enumerate(contracts.names)}
        firsts = {name: int((contracts.vcpu_vm < vm).sum()) for vm, name in enumerate(contracts.names)}
        by_default = default_table([(name, vcpus[name]) for vm, name in enumerate(contracts.names) if contracts.control[vm]])
        schedules, windows = [], []
        for at, other in ((0, self), *self.later):
            table = other.table or by_default
            check_names(table, vcpus)
            schedules.append({"at": at, "first": len(windows), "end": len(windows) + len(table),
                              "major": other.major_frame or sum(runtime for _, _, runtime in table)})
            windows += [{"vcpu": NOBODY if vm is None else firsts[vm] + k, "length": runtime} for vm, k, runtime in table]
        az = make(Arinc653State, {"schedules": len(schedules), "windows": len(windows)})
        put_row(az.frame, schedules=len(schedules))
        put_rows(az.schedules, schedules)
        put_rows(az.windows, windows)
        return az


def checked_later(later: Any) -> tuple[tuple[int, ARINC653], ...]:
    """Tables to come, in the order of time."""
    def problem(where: str, value: Any, allowed: str) -> SpecError:
        return SpecError([Problem(f"ARINC653.later{where}", value, allowed, "write for example [(ms(47), ARINC653([('A', 0, ms(20))]))]")])

    if not isinstance(later, (tuple, list)) or len(later) >= MOST_TABLES:
        raise problem("", later, f"a list of fewer than {MOST_TABLES} pairs (instant [ns], ARINC653)")
    after = 0
    for i, pair in enumerate(later):
        if not isinstance(pair, (tuple, list)) or len(pair) != 2 or not isinstance(pair[1], ARINC653) or pair[1].later:
            raise problem(f"[{i}]", pair, "a pair (instant [ns], ARINC653 without later tables)")
        check_time(f"ARINC653.later[{i}]", pair[0], after + 1, LONGEST, why="after the table before it")
        after = pair[0]
    return tuple((at, other) for at, other in later)


def default_table(control: Sequence[tuple[str, int]]) -> tuple[Window, ...]:
    """10 ms for each vCPU of the control VMs, (name, vCPUs) each; nobody's, if there is none (7.1.2)."""
    table: list[Window] = [(name, k, WINDOW) for name, vcpus in control for k in range(vcpus)]
    return tuple(table[:MOST]) or ((None, 0, WINDOW),)


@kernel
def start(st, az):
    """The first frame begins at 0; the next table waits for its time."""
    await_table(st, az)


@kernel
def await_table(st, az):
    """Set the alarm for the table that comes after the one in force."""
    following = az.frame.schedule + 1
    if following < az.frame.schedules:
        set_alarm(st.alarms, st.slots.replenish, az.schedules[following].at)


@kernel
def replenish(st, az, now, k):
    """Another table takes effect, at once: a new frame begins (7.1.1)."""
    az.frame.schedule += 1
    az.frame.next_major = now
    for p in range(st.agenda.pcpus):
        ask_decision(st, p, now)
    await_table(st, az)


@kernel
def place(st, az, now, v):
    """A VM starts."""
    if not st.vcpus[v].blocked and st.vcpus[v].paused == 0:
        wake(st, az, now, v)


@kernel
def wake(st, az, now, v):
    """The pCPU is always told, and looks into the table: outside its window `v` has to wait (7.1.4)."""
    ask_decision(st, st.vcpus[v].pcpu, now + st.costs.wake_path)


@kernel
def sleep(st, az, now, v):
    """A vCPU is paused: a running one leaves, and its window goes on without it (1.5.6)."""
    if st.pcpus[st.vcpus[v].pcpu].current == v:
        ask_decision(st, st.vcpus[v].pcpu, now)


@kernel
def yield_(st, az, now, v):
    """Nobody else may use the window."""


@kernel
def turn_to(az, now):
    """Find the window that holds `now`: perhaps in another frame, perhaps further on in this one (7.1.3).

    A frame begins where the table says, however late anybody looks.
    """
    frame = az.frame
    schedule = az.schedules[frame.schedule]
    if now >= frame.next_major:
        began = now - (now - frame.next_major) % schedule.major
        frame.next_major = began + schedule.major
        frame.window = schedule.first
        frame.next_switch = began + az.windows[frame.window].length
    while now >= frame.next_switch:
        frame.window += 1
        if frame.window < schedule.end:
            frame.next_switch += az.windows[frame.window].length
        else:
            frame.next_switch = frame.next_major


@kernel
def decide(st, az, now, p):
    """Whose window is it? The owner runs until it ends, if it can and its place is on `p`; else nobody does (7.1.3)."""
    turn_to(az, now)
    frame = az.frame
    left = frame.next_switch - now
    if frame.window < az.schedules[frame.schedule].end:
        v = az.windows[frame.window].vcpu
        if v != NOBODY and st.vcpus[v].pcpu == p and not st.vcpus[v].blocked and st.vcpus[v].paused == 0:
            return v, left
    return IDLE, left


@kernel
def tick(st, az, now, p):
    """No ticks."""


@kernel
def account(st, az, now):
    """No accounting."""


@kernel
def leave(st, az, now, v):
    """The VM of `v` is gone: its windows stay, idle."""


@kernel
def worth(az, v):
    """What the log shows beside the vCPU: nothing."""
    return 0
