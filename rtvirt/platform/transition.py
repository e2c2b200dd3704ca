"""From one set of contracts to another while the VMs run: when each of them changes so that nobody who is promised something notices.

Under RTDS (and its like: a budget lasts to the end of its period at most) in this order, from the instant at which it is asked for:

1. VMs that go stop. Guests of VMs that get less are told, drop tasks or lengthen periods, and keep their budgets.
2. `told` later each of these guests has been without work once: at most its longest busy period. What it does from then on is work of its
   degraded mode alone. Now their contracts are changed; each takes effect when the period that runs is over (docs/xen-rules.md 6.2.10).
3. `expires` later, the longest of these periods, no old budget is left.
4. `window` later, the longest period of a VM that stays, the new VM is created. A server's promise rests on what its rivals use within one period
   before a deadline of its own (`analysis.admission.budgets`, *late*). No such window holds both an old budget and the new VM: each is one of
   the old set, in which some use less, or of the new one, to which the new VM came late. Both sets were admitted.

Why not earlier: without 2 a guest's old jobs meet the small budget, without 3 budgets do not add up, without 4 a window may hold an early old
budget and a late new one, which is created with a full budget whatever is left of its period. Servers that never sleep are counted as if
they did: *asks* looks back beyond one period.

A table (ARINC 653) changes where a frame ends; a VM with the same windows notices nothing. Under the null scheduler pCPUs are nobody else's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ..errors import Problem, SpecError
from ..results import Run
from ..system import Change, System
from ..units import format_ns
from .board import PARTS, Board, need_boards
from .contract import Reservation
from .interface import VmInterface
from .rehearsal import LATER, rehearsal, schedule_of
from .settling import Settling, cautious, promised_less, settle

HARDWARE = ("scheduler", *PARTS, "irqchip")
"""What stays while VMs and contracts change."""


@dataclass(frozen=True)
class Transition:
    """A change of contracts while VMs run; true if nobody who is promised something misses a deadline on its way.

    Attributes
    ----------
    before, after : Board
    gone, less, more, new : tuple of str
        VMs that stop, that get less, that get more, that come.
    told, expires, window : int [ns]
        The three waits, see above; 0 where there is nothing to wait for.
    settles : int [ns]
        After the new contracts have begun: when tasks of VMs that get more may begin.
    hindrances : tuple of str
        Why no promise is made for the way; empty if one is.
    """

    before: Board
    after: Board
    gone: tuple[str, ...] = ()
    less: tuple[str, ...] = ()
    more: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    told: int = 0
    expires: int = 0
    window: int = 0
    settles: int = 0
    hindrances: tuple[str, ...] = field(default=())

    def __bool__(self) -> bool:
        return not self.hindrances

    @property
    def delay(self) -> int:
        """From the request to the new VM's creation [ns]."""
        return self.told + self.expires + self.window

    @cached_property
    def promised(self) -> frozenset[str]:
        """Tasks ("vm/task") of VMs that stay or come that meet their deadlines: before, meanwhile and after, as far as they run."""
        if self.hindrances:
            return frozenset()
        waits = bool(self.gone or self.less or self.more)
        verdicts = [cautious(self.before, None if waits else ()) if self.before.vms else None,
                    cautious(self.after, None if waits else self.new) if self.after.vms else None]
        late = {name for verdict in verdicts if verdict is not None for name in verdict.late}
        return frozenset(name for verdict in verdicts if verdict is not None for name in verdict.deadlines
                         if name not in late and name.split("/")[0] not in self.gone)

    @property
    def waits(self) -> bool:
        """True if somebody must give something first."""
        return bool(self.gone or self.less)

    def changes(self, at: int) -> list[Change]:
        """What the hypervisor does, asked at an instant [ns].

        Raises
        ------
        SpecError
            For what is no instant.
        """
        if not isinstance(at, int) or isinstance(at, bool) or at < 0:
            raise SpecError([Problem("at", at, "an instant, in ns, not before 0", "write for example ms(40)")])
        found = [Change(at, name, state="crash") for name in self.gone]
        found += [change for name in self.less for change in terms_of(self.before[name], self.after[name], at + self.told)]
        found += [change for name in self.more for change in terms_of(self.before[name], self.after[name], at + self.delay)]
        return found + [Change(at + self.delay, name, state="create") for name in self.new]

    def system(self, at: int, until: int, offsets: Mapping[str, int] | None = None) -> System:
        """All VMs of both boards, with the change asked for at an instant, to be simulated until another [ns].

        `offsets` of tasks ("vm/task") replace their own.
        """
        return rehearsal(self, at, until, offsets or {})

    def rehearse(self, at: int, until: int, *, seed: int = 0, offsets: Mapping[str, int] | None = None) -> Run:
        """A run with the change asked for at an instant [ns]."""
        system = self.system(at, until, offsets)
        return self.simulate(system, at, until, seed)

    def simulate(self, system: System, at: int, until: int, seed: int = 0) -> Run:
        """A run of such a system under the board's scheduler."""
        from ..simulation import simulate

        return simulate(system, schedule_of(self, at), until, seed=seed)

    def missed(self, run: Run) -> list[str]:
        """Tasks of VMs that stay, or are new, that have missed a deadline in a run; of those that are promised something by one of the boards."""
        jobs = run.jobs
        late = jobs[jobs["missed"]]
        return sorted({f"{vm}/{task.removesuffix(LATER)}" for vm, task in zip(late["vm"], late["task"])} & self.promised)

    def why(self) -> str:
        """In words."""
        if self.hindrances:
            return "while contracts change nothing is promised: " + "; ".join(self.hindrances) + ". Stop the VMs concerned first, or accept a gap"
        if not self.waits:
            return "it can begin at once: for the others it is as if it had slept until now"
        parts = [(self.told, "until guests that get less have finished what they had begun"),
                 (self.expires, "until the last old budget has expired" if self.before.scheduler.name != "arinc653" else "until the frame is over"),
                 (self.window, "for the longest period, so that no window holds an old budget and a new one")]
        told = ", ".join(f"{format_ns(time)} {why}" for time, why in parts if time)
        return f"nobody misses a deadline; the new contracts begin {format_ns(self.delay)} after the request" + (f": {told}" if told else "")

    def __repr__(self) -> str:
        return f"<Transition: {self.why()}>"


def transition(before: Board, after: Board) -> Transition:
    """How to get from a board to one with other VMs or contracts while it runs, and whether that needs no missed deadline.

    Parameters
    ----------
    before, after : Board
        The same hardware and scheduler.

    Returns
    -------
    Transition

    Raises
    ------
    SpecError
        For boards of different hardware or scheduler, and what cannot be analysed.

    Notes
    -----
    The argument is at the head of this module. It is made for RTDS since 4.7, whose contracts get smaller by a lower budget or a longer period
    (docs/xen-rules.md 6.2.10), for ARINC 653 and for the null scheduler; for a VM that just comes, for all schedulers. Not for boards with described
    traffic of devices where somebody gets less.

    Examples
    --------
    >>> import rtvirt as rv
    >>> board = rv.platform.load("phone")
    >>> transition(board, board.replace(vms=board.vms[:1]))
    <Transition: nobody misses a deadline; the new contracts begin 0 ns after the request>
    """
    need_boards(before, after)
    other = [field for field in HARDWARE if getattr(before, field) != getattr(after, field)]
    if other:
        raise SpecError([Problem(f"after.{field}", getattr(after, field), f"what it is before: {getattr(before, field)!r:.200}",
                                 "change VMs and contracts alone") for field in other])
    old, new = ({vm.name: vm for vm in board.vms} for board in (before, after))
    gone, came = (tuple(name for name in one if name not in other) for one, other in ((old, new), (new, old)))
    changed = [name for name in old if name in new and lives(old[name]) != lives(new[name])]
    more = tuple(name for name in changed if grows(old[name], new[name]))
    less = tuple(name for name in changed if name not in more)
    found = settle(before, after, gone, less, more, came) if before.vms or after.vms else Settling()
    return Transition(before, after, gone, less, more, came, found.told, found.expires, found.window, found.settles, tuple(found.hindrances))


def lives(vm: VmInterface) -> tuple[Any, ...]:
    """What a change of contracts is about."""
    return vm.contract, vm.tasks, vm.cpus, vm.guest


def grows(old: VmInterface, new: VmInterface) -> bool:
    """True if a VM goes back to more."""
    if isinstance(old.contract, Reservation) and isinstance(new.contract, Reservation):
        if old.contract != new.contract:
            return promised_less(new.contract, old.contract)
    return len(new.tasks) > len(old.tasks) or any(task.period < then.period for then in old.tasks for task in new.tasks
                                                  if task.name == then.name and task.period and then.period)


def terms_of(old: VmInterface, new: VmInterface, at: int) -> list[Change]:
    """A change of a reservation, if there is one; tables change as a whole."""
    if old.contract == new.contract or not isinstance(new.contract, Reservation) or not isinstance(old.contract, Reservation):
        return []
    fields = {name: getattr(new.contract, name) for name in ("budget", "period") if getattr(new.contract, name) != getattr(old.contract, name)}
    return [Change(at, new.name, **fields)] if fields else []


__all__ = ["Transition", "transition"]
