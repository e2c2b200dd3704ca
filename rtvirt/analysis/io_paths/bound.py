"""Longest way of a message: `path_bound`, and how it says what it rests on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...errors import Problem, SpecError
from ...system import System
from ...system.devices import Path
from ...units import format_ns
from ..overheads import Overheads
from .loads import least_stay
from .members import hold_of
from .rounds import Rounds
from .settled import settled


@dataclass(frozen=True)
class StageBound:
    """A stage of a path.

    Attributes
    ----------
    name, server : str
        The stage, and who serves it: ``vm/thread``, or a line.
    bound : int or None [ns]
        Longest from a message's coming to its leaving (``<stage>.in`` to ``<stage>.out`` of ``run.paths``).
    hold : int [ns]
        Of that, how long it may take until anybody is told, or looks.
    least : int [ns]
        Shortest: what the message itself costs.
    """

    name: str
    server: str
    bound: int | None
    hold: int
    least: int


@dataclass(frozen=True)
class PathBound:
    """What is known of a path's messages; true if there is a bound.

    Attributes
    ----------
    path : str
    total : int or None [ns]
        No message's ``total`` is longer, and none is dropped.
    stages : tuple of StageBound
    submission : int [ns]
        Longest time in which a task puts a message on the path.
    reason : str
        Why there is no bound; empty if there is one.
    system, scheduler
        What was judged.
    """

    path: str
    total: int | None
    stages: tuple[StageBound, ...]
    submission: int | None
    reason: str
    system: System
    scheduler: Any

    def __bool__(self) -> bool:
        return self.total is not None

    @property
    def dominant(self) -> StageBound | None:
        """The stage with the longest bound, or the first without one."""
        without = next((stage for stage in self.stages if stage.bound is None), None)
        return without or max(self.stages, key=lambda stage: stage.bound or 0, default=None)

    def why(self) -> str:
        """In words: the bound stage by stage, or the reason why there is none."""
        if self.total is None:
            return f"{self.path}: no bound: {self.reason}"
        lines = [f"{self.path}: no message takes longer than {format_ns(self.total)} under {self.scheduler!r}"]
        if self.submission:
            lines.append(f"  submission: at most {format_ns(self.submission)}")
        worst = self.dominant
        for stage in self.stages:
            hold = f", {format_ns(stage.hold)} of it until anybody looks" if stage.hold else ""
            most = "   <- the longest" if stage is worst and len(self.stages) > 1 else ""
            lines.append(f"  {stage.name} ({stage.server}): {format_ns(stage.least)} to {format_ns(stage.bound or 0)}{hold}{most}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<PathBound {self.path}: {'none' if self.total is None else format_ns(self.total)} under {self.scheduler!r}>"


def path_bound(system: System, scheduler: Any, path: str, *, overheads: Overheads | None = None) -> PathBound:
    """Longest time that a message of a path takes from its first instant to its delivery, by analysis.

    Parameters
    ----------
    system : System
        With devices, ready-made ones or laid out by hand.
    scheduler
        Any of ``rv``'s; where one promises a driver VM nothing, as Xen's credit scheduler, `why` says why.
    path : str
        Its name, such as ``"net0.rx"``.
    overheads : Overheads, optional
        As in `admit`.

    Returns
    -------
    PathBound
        True if there is a bound; it then also promises that no message is dropped, and that none waits for a slot. Where there is none because
        of the scheduler, `grown` shows how the worst message grows.

    Raises
    ------
    SpecError
        No such path; contracts that the scheduler cannot honour.
    LimitError
        Numbers that do not fit, rounds that do not settle.

    Notes
    -----
    Each thread is a fixed-priority task of its VM on what the scheduler surely gives it (`Supply`), released as often as its messages may come;
    handlers are above all threads, threads of the kernel above all tasks. A message waits for all of its own queue that came before it, for a whole
    batch to be delivered with it, and for all that is more urgent; each message is counted as a batch of its own, with its own
    interrupt, wake-up and hypercall. Other queues of the same thread go first, whatever its order of serving them. Lines are first come, first
    served. How late messages may come to the next stage follows from the bounds themselves (`rounds.py`).

    Left out, and refused in words: queues that may run full, rings that may run out of slots, notifications that wait for more messages without a
    timeout, random arrivals, VMs that change, faults. Guests other than "fp" and "dm" are taken to serve tasks that get or send messages, and
    threads with a budget, in any order: each may wait for all the others, whatever its deadline or budget is worth.

    References
    ----------
    Tindell and Clark 1994 (holistic analysis); Richter 2005 (jitter from stage to stage); Shin and Lee 2003 (supplies); Beckert, Neukirchner,
    Ernst and Petters, Sufficient temporal independence and improved interrupt latencies in a real-time hypervisor, DAC 2014 (interposed interrupts).

    Examples
    --------
    >>> import rtvirt as rv
    >>> from rtvirt.system import Arrivals
    >>> from rtvirt.system.devices import CustomDevice, Path, Plumbing, Port, Stage, Thread
    >>> from rtvirt.units import ms, us
    >>> serve = Stage("serve", server="driver/worker", each=us(5), port=Port(handler=us(2)))
    >>> rx = Path("can0.rx", frontend="driver", stages=(serve,), arrivals=Arrivals(ms(1)))
    >>> can0 = CustomDevice("can0", plumbing=Plumbing(threads=(Thread("driver", "worker"),), paths=(rx,)))
    >>> car = rv.System(vms=[rv.VM("driver", budget=ms(1), period=ms(4)), rv.VM("other", tasks=[rv.hog()], budget=ms(3), period=ms(4))],
    ...                 devices=[can0])
    >>> path_bound(car, rv.RTDS(), "can0.rx").total
    6019000
    >>> print(path_bound(car, rv.Credit(), "can0.rx").why().splitlines()[0][:60])
    can0.rx: no bound: driver/0: Xen's credit scheduler promises
    """
    return bound_of(settled(system, scheduler, overheads=overheads), system, scheduler, path)


def bound_of(rounds: Rounds, system: System, scheduler: Any, name: str) -> PathBound:
    """The bound of one path."""
    path = rounds.house.paths.get(name)
    if path is None:
        raise SpecError([Problem("path", name, ", ".join(rounds.house.paths) or "no paths: the system has no devices", "name one of these", "")])
    last = len(path.stages) - 1 + (path.into is not None) if path.ends is None else path.ends
    threads = dict(rounds.house.threads)
    unheard = rounds.state.unheard[name]
    stages = [StageBound(stage.name, stage.server, None if k in unheard else rounds.stays[name, k], hold(rounds, path, k), least_stay(stage, threads))
              for k, stage in enumerate(path.stages)]
    if path.into is not None:
        stages.append(StageBound("app", path.into, rounds.stays.get((name, len(path.stages))), 0, 0))
    submission = rounds.submitted.get(name, 0)
    stays = [stage.bound for stage in stages[:last + 1]]
    reason = rounds.why((name, last))
    if reason or None in stays or submission is None:
        return PathBound(name, None, tuple(stages), submission, reason or "the task that submits has no bound", system, scheduler)
    total = submission + (rounds.longest(path, last) or 0)
    return PathBound(name, total, tuple(stages), submission, "", system, scheduler)


def hold(rounds: Rounds, path: Path, place: int) -> int:
    """How long until somebody looks [ns]."""
    stage = path.stages[place]
    return hold_of(stage, rounds.house.threads[stage.server]) if stage.server in rounds.house.threads else 0
