"""Chains of tasks across VMs: from something that happens to an output that knows of it, and how old the data behind an output may be.

Tasks read what others wrote when they begin, and write when they are done (implicit communication); who reads finds the last value written. Each
task of a chain is released by its own clock. A path in between carries what the task before it submits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...errors import Problem, SpecError
from ...system import System, Task
from ...system.devices import Path
from ...units import format_ns
from .rounds import Rounds
from .settled import settled


@dataclass(frozen=True)
class Link:
    """A task or path of a chain: how long something waits for it at most, and how long it then takes [ns]."""

    name: str
    wait: int
    takes: int


@dataclass(frozen=True)
class ChainBound:
    """The bound of a chain; true if there is one.

    Attributes
    ----------
    what : str
        Reaction time, or data age.
    bound : int or None [ns]
    links : tuple of Link
    reason : str
        Why there is no bound.
    """

    what: str
    bound: int | None
    links: tuple[Link, ...]
    reason: str = ""

    def __bool__(self) -> bool:
        return self.bound is not None

    def why(self) -> str:
        """In words, link by link."""
        if self.bound is None:
            return f"no bound on the {self.what}: {self.reason}"
        lines = [f"{self.what}: at most {format_ns(self.bound)}"]
        lines += [f"  {link.name}: waits up to {format_ns(link.wait)}, takes up to {format_ns(link.takes)}" for link in self.links]
        return "\n".join(lines)


def reaction_time(system: System, scheduler: Any, chain: Sequence[str]) -> ChainBound:
    """Longest from an event that the first task of a chain can read to the first output of the last that takes account of it.

    Parameters
    ----------
    system : System
    scheduler
        As in `admit`.
    chain : sequence of str
        Tasks, ``"vm/task"``, periodic and in any VMs; and paths, each after the task that submits to it at every job, or first, with arrivals of its
        own. A channel task that a path releases belongs to the path: it is not named.

    Returns
    -------
    ChainBound
        ``sum(T + R)``: just missed, waits for a period, then for the response.

    Raises
    ------
    SpecError
        Names that do not exist, tasks that do not submit to the path behind them, a path that leads elsewhere.

    Notes
    -----
    Safe for all offsets, also when jobs are late and queue. Offsets that are known would allow less.

    References
    ----------
    Davare et al., Period optimization for hard real-time distributed automotive systems, DAC 2007; Dürr, von der Brüggen, Chen and Chen, End-to-end
    timing analysis of sporadic cause-effect chains in distributed systems, ACM TECS 18(5s), 2019; Günzel et al., On the equivalence of maximum
    reaction time and maximum data age for cause-effect chains, ECRTS 2023.

    Examples
    --------
    >>> import rtvirt as rv
    >>> from rtvirt.units import ms
    >>> car = rv.System(cpus=2, vms=[rv.VM("io", tasks=[rv.Task("sample", wcet=ms(1), period=ms(5))]),
    ...                              rv.VM("control", tasks=[rv.Task("loop", wcet=ms(2), period=ms(10))])])
    >>> reaction_time(car, rv.Null(), ["io/sample", "control/loop"]).bound
    18000000
    """
    return chained("reaction time", system, scheduler, chain, replaced=True)


def data_age(system: System, scheduler: Any, chain: Sequence[str], *, replaced: bool = True) -> ChainBound:
    """How old the data may be that the last output of a chain was made from.

    Parameters
    ----------
    system, scheduler, chain
        As in `reaction_time`.
    replaced : bool
        While the output stands, until the next replaces it; False: at the instant at which it is written, which is a period of the last task less.

    Returns
    -------
    ChainBound
        Counted from the release of the job that read the data.

    Notes
    -----
    The maximum data age equals the maximum reaction time (Günzel et al. 2023), and so do these bounds. Before the first data have come through
    there is no age.

    Examples
    --------
    >>> import rtvirt as rv
    >>> from rtvirt.units import ms
    >>> car = rv.System(cpus=2, vms=[rv.VM("io", tasks=[rv.Task("sample", wcet=ms(1), period=ms(5))]),
    ...                              rv.VM("control", tasks=[rv.Task("loop", wcet=ms(2), period=ms(10))])])
    >>> data_age(car, rv.Null(), ["io/sample", "control/loop"], replaced=False).bound
    8000000
    """
    return chained("data age", system, scheduler, chain, replaced=replaced)


def chained(what: str, system: System, scheduler: Any, chain: Sequence[str], *, replaced: bool) -> ChainBound:
    """The sum of a chain's links."""
    rounds = settled(system, scheduler)
    tasks = {f"{vm.name}/{task.name}": task for vm in system.vms for task in vm.tasks}
    check(rounds, tasks, chain)
    bounds = {f"{vcpu.vm.name}/{name}": bound for vcpu, found in zip(rounds.host.vcpus, rounds.outcomes) for name, bound in found.bounds.items()}
    links: list[Link] = []
    for name in chain:
        if name in tasks:
            task = tasks[name]
            if task.arrival != "periodic" or task.period is None:
                return ChainBound(what, None, tuple(links), f"{name} is not periodic: nothing bounds how long it may wait for its next job")
            if (takes := bounds.get(name)) is None:
                return ChainBound(what, None, tuple(links), f"{name} has no bound: {reason_of(rounds, name)}")
            links.append(Link(name, task.period, takes))
        else:
            path = rounds.house.paths[name]
            last = len(path.stages) - 1 + (path.into is not None)
            takes = rounds.longest(path, last)
            if takes is None or rounds.why((name, last)):
                return ChainBound(what, None, tuple(links), f"{name} has no bound: {rounds.why((name, last))}")
            wait = 0
            if not links and path.arrivals is not None:
                if path.arrivals.arrival != "periodic" or path.arrivals.period is None:
                    return ChainBound(what, None, (), f"messages of {name} are not periodic: nothing bounds how long the next may be in coming")
                wait = path.arrivals.period + path.arrivals.jitter
            links.append(Link(name, wait, takes))
    total = sum(link.wait + link.takes for link in links)
    return ChainBound(what, total if replaced else total - next((link.wait for link in reversed(links) if link.wait), 0), tuple(links))


def reason_of(rounds: Rounds, name: str) -> str:
    """Why a task has no bound."""
    for vcpu, found in zip(rounds.host.vcpus, rounds.outcomes):
        if name in {f"{vcpu.vm.name}/{task}" for task in found.bounds} and found.witness is not None:
            return str(found.witness.why())
    return rounds.reasons.get((name, -1), "something that it waits for has none")


def check(rounds: Rounds, tasks: dict[str, Task], chain: Sequence[str]) -> None:
    """Names that exist, and follow each other."""
    paths = rounds.house.paths
    if isinstance(chain, str):
        raise SpecError([Problem("chain", chain, "a list of tasks and paths", f"write [{chain!r}]", "")])
    found = []
    if not chain:
        found.append(Problem("chain", chain, "at least one task or path", "write for example ['io/sample', 'control/loop']", ""))
    for k, name in enumerate(chain):
        if name not in tasks and name not in paths:
            found.append(Problem(f"chain[{k}]", name, ", ".join([*tasks, *paths]), "name a task (vm/task) or a path", ""))
        elif name in paths and not (submits(tasks.get(chain[k - 1]), name) if k else paths[name].arrivals is not None):
            found.append(Problem(f"chain[{k}]", name, "a path that the task before it submits to, or a first one with arrivals",
                                 "put the task that submits before it", ""))
        elif name in tasks and tasks[name].arrival == "channel":
            found.append(Problem(f"chain[{k}]", name, "a task with a period", "leave it out: it belongs to the path that releases it", ""))
        elif k and chain[k - 1] in paths and not leads_to(paths[chain[k - 1]], name):
            found.append(Problem(f"chain[{k}]", name, f"a task of the VM at the end of {chain[k - 1]}", "name the task that reads what it brings",
                                 ""))
    if found:
        raise SpecError(found)


def submits(task: Task | None, path: str) -> bool:
    """Does every job of a task put one message on a path?"""
    return task is not None and any(step.kind in ("submit", "request") and step.target == path for step in task.actions or ())


def leads_to(path: Path, name: str) -> bool:
    """Is a task in the VM where the messages of a path come to their end? Nobody can tell of a path that ends on a line."""
    vm = name.partition("/")[0]
    if path.into is not None:
        return path.into.partition("/")[0] == vm
    return "/" not in path.stages[-1].server or path.stages[-1].server.partition("/")[0] == vm
