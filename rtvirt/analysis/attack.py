"""Attack: look for the worst response by simulation, to see how far it stays below its bound.

A bound is a claim about every offset, every demand and every pattern of arrivals that the tasks allow. The attacker chooses them: all
releases at once, releases at the edges of budgets and turns and an ns beside them, full and tiny demands in turn, bursts where arrivals have no
bound. It climbs from what was worst so far, one task at a time, and starts anew when that leads nowhere.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import Problem, SpecError
from ..results import Run
from ..simulation import simulate
from ..system import Distribution, System, Task
from ..units import format_ns
from .admission import admit
from .admission.outcome import Admission
from .tasksets import largest_demand

PATIENCE = 12             # steps without a worse response before the climb starts anew
PERIODS = 12              # of the longest task, in a run
BURST = 6                 # most arrivals of a burst


@dataclass(frozen=True)
class Shown:
    """The worst response of a task that a run has shown [ns], and the system and seed of that run."""

    bound: int | None
    worst: int
    system: System
    seed: int

    @property
    def tightness(self) -> float | None:
        """Bound / worst seen: 1 is exact, below 1 the bound is broken; None without a bound, or a response."""
        return self.bound / self.worst if self.bound and self.worst > 0 else None


@dataclass(frozen=True)
class Attack:
    """What an attack found.

    Attributes
    ----------
    tasks : {"vm/task": Shown}
    admission : Admission
    runs, jobs : int
        Simulations, and jobs looked at.
    duration : int [ns]
        Of each simulation.
    """

    tasks: dict[str, Shown]
    admission: Admission
    runs: int
    jobs: int
    duration: int

    @property
    def broken(self) -> dict[str, Shown]:
        """Tasks whose bound was broken."""
        return {name: shown for name, shown in self.tasks.items() if shown.bound is not None and shown.worst > shown.bound}

    def __bool__(self) -> bool:
        return bool(self.broken)

    def __repr__(self) -> str:
        told = ", ".join(f"{name} {format_ns(shown.worst)} of {'no bound' if shown.bound is None else format_ns(shown.bound)}"
                         for name, shown in self.tasks.items() if name in self.admission.deadlines)
        return (f"<Attack: {'BROKEN' if self else 'no bound broken'} in {self.runs} runs, {self.jobs:,} jobs; worst response of its bound: "
                f"{told or '-'}>")


def attack(system: System, scheduler: Any, *, runs: int = 100, seed: int = 0, duration: int | None = None, overheads: Any = None,
           admission: Admission | None = None) -> Attack:
    """Search for the worst responses of a system under a VM scheduler.

    Parameters
    ----------
    system : System
    scheduler
        As in `admit`.
    runs : int
        Simulations to spend.
    seed : int
    duration : int [ns], optional
        Of each; a dozen periods of the slowest task unless given.
    overheads : Overheads, optional
        As in `admit`.
    admission : Admission, optional
        Its bounds, if they are known already.

    Returns
    -------
    Attack
        True if a bound was broken. Responses count from a job's arrival if it has a deadline, as bounds do; of a job that is not
        done when a run ends, its age counts.

    Notes
    -----
    Finds, does not prove: what it has not seen may still happen. Budgets, periods, priorities stay; only what a bound must hold for changes.

    Examples
    --------
    >>> import rtvirt as rv
    >>> from rtvirt.units import ms, us
    >>> phone = rv.System(vms=[rv.VM("modem", tasks=[rv.Task("slot", wcet=us(300), period=ms(5))], budget=ms(1), period=ms(3)),
    ...                        rv.VM("android", tasks=[rv.hog()], budget=ms(6), period=ms(12))])
    >>> found = attack(phone, rv.RTDS(), runs=20)
    >>> bool(found), found.tasks["modem/slot"].worst <= found.tasks["modem/slot"].bound
    (False, True)
    """
    if not isinstance(runs, int) or runs < 1:
        raise SpecError([Problem("runs", runs, "a number of simulations, at least 1", "write for example runs=100", "")])
    verdict = admit(system, scheduler, overheads=overheads) if admission is None else admission
    rng = random.Random(seed)
    length = duration or length_of(system)
    found: dict[str, Shown] = {name: Shown(verdict.bounds[name], 0, system, 0) for name in verdict.bounds}
    targets = [name for name, bound in verdict.bounds.items() if bound is not None] or list(verdict.bounds)
    marks, jobs, idle = marks_of(system, scheduler), 0, PATIENCE
    best, score, target = system, -1.0, ""
    for run in range(runs):
        if idle >= PATIENCE:
            target, idle, score = targets[run % len(targets)] if targets else "", 0, -1.0
            tried = together(system, length, rng) if rng.random() < 0.5 else scattered(system, marks, length, rng)
        else:
            tried = step(best, system, marks, length, rng)
        one = simulate(tried, scheduler, length, seed=run, record="jobs")
        seen = responses(one)
        jobs += len(one.table("jobs")["task"])
        for name, worst in seen.items():
            if name in found and worst > found[name].worst:          # devices bring tasks that have no bound of their own
                found[name] = Shown(found[name].bound, worst, tried, run)
        now = seen.get(target, 0) / (verdict.bounds.get(target) or length)
        best, score, idle = (tried, now, 0) if now > score else (best, score, idle + 1)
    return Attack(found, verdict, runs, jobs, length)


def responses(run: Run) -> dict[str, int]:
    """Worst response of each task in a run [ns], from the arrival where there is a deadline."""
    raw, (vms, tasks) = run.table("jobs"), run.task_names
    due = np.array([-1 if task.deadline is None else task.deadline for vm in run.whole.vms for task in vm.tasks], np.int64)
    known = (raw["deadline"] >= 0) & (due[raw["task"]] >= 0)
    arrival = np.where(known, raw["deadline"] - due[raw["task"]], raw["release"])
    age = np.where(raw["finish"] >= 0, raw["finish"], run.duration) - arrival
    worst = np.zeros(len(tasks), np.int64)
    np.maximum.at(worst, raw["task"], age)
    return {f"{vm}/{task}": int(time) for vm, task, time in zip(vms, tasks, worst)}


def length_of(system: System) -> int:
    """A dozen of the longest periods [ns]."""
    periods = [time for vm in system.vms for time in (*(task.period for task in vm.tasks), *vm.per_vcpu("period")) if time]
    return min(PERIODS * max(periods, default=10_000_000), 2**53)


def marks_of(system: System, scheduler: Any) -> list[int]:
    """Times at whose multiples something may change [ns]: budgets, periods, what is between them, demands, turns."""
    found = {getattr(scheduler, "quantum", 0), getattr(scheduler, "major_frame", None) or 0, 1}
    for vm in system.vms:
        for budget, period in zip(vm.per_vcpu("budget"), vm.per_vcpu("period")):
            if budget and period:
                found |= {budget, period, period - budget}
        for task in vm.tasks:
            found |= {task.period or 0, (largest_demand(task) or 0)}
    return sorted(found - {0})


def changed(system: System, choose: Any) -> System:
    """The system with some tasks replaced: `choose(task)` gives another, or the same."""
    return system.unchecked(vms=tuple(vm.unchecked(tasks=tuple(choose(task) for task in vm.tasks)) for vm in system.vms))


def together(system: System, length: int, rng: random.Random) -> System:
    """Everything is released at once, at some instant, with its largest demand."""
    at = rng.choice([0, rng.randrange(length // 2 + 1)])
    return changed(system, lambda task: placed(task, at, length, rng, full=True))


def scattered(system: System, marks: list[int], length: int, rng: random.Random) -> System:
    """Offsets near the edges of things; demands full or mixed."""
    return changed(system, lambda task: placed(task, edge(marks, length // 2, rng), length, rng, full=rng.random() < 0.6))


def step(best: System, original: System, marks: list[int], length: int, rng: random.Random) -> System:
    """Move one or two tasks of what was worst."""
    places = [(i, k) for i, vm in enumerate(original.vms) for k, task in enumerate(vm.tasks) if not task.is_hog]
    if not places:
        return best
    vms = [list(vm.tasks) for vm in best.vms]
    for i, k in rng.sample(places, min(len(places), rng.choice([1, 1, 2]))):
        vms[i][k] = placed(original.vms[i].tasks[k], edge(marks, length // 2, rng), length, rng, full=rng.random() < 0.7)
    return best.unchecked(vms=tuple(vm.unchecked(tasks=tuple(tasks)) for vm, tasks in zip(best.vms, vms)))


def edge(marks: list[int], limit: int, rng: random.Random) -> int:
    """An instant: sums of marks, now and then an ns off, or anywhere."""
    if rng.random() < 0.2:
        return rng.randrange(limit + 1)
    at = sum(rng.choice(marks) * rng.choice([0, 1, 1, 2, 3]) for _ in range(rng.choice([1, 2, 3]))) + rng.choice([0, 0, -1, 1])
    return max(0, at) % (limit + 1)


def placed(task: Task, at: int, length: int, rng: random.Random, *, full: bool) -> Task:
    """A task that begins at an offset, with demands and arrivals within what it may ask for."""
    if task.is_hog or task.arrival == "channel":
        return task
    fields: dict[str, Any] = {} if task.actions else {"wcet": demands(task, rng, full)}
    if task.releases is not None:
        return task.unchecked(**fields)
    if task.arrival == "periodic":
        return task.unchecked(offset=at % (task.period or 1), **fields)
    return task.unchecked(releases=arrivals(task, at, length, rng), period=None, arrival="periodic", jitter=0, offset=0, **fields)


def demands(task: Task, rng: random.Random, full: bool) -> Any:
    """The largest demand each time, or some smaller ones in between."""
    most = largest_demand(task)
    if most is None or (isinstance(task.wcet, (tuple, list)) and not isinstance(task.wcet, Distribution)):
        return task.wcet
    return most if full else tuple(rng.choice([most, most, 1, rng.randint(1, most)]) for _ in range(rng.randint(2, 5)))


def arrivals(task: Task, at: int, length: int, rng: random.Random) -> tuple[int, ...]:
    """Arrivals: as dense as a sporadic task may be, with a pause now and then; bursts, where nothing bounds them."""
    period, found = task.period or 1, []
    while at < length and len(found) < 2000:
        found += [at] * (rng.randint(1, BURST) if task.arrival == "poisson" else 1)
        at += period if task.arrival == "sporadic" and rng.random() < 0.8 else period + rng.randrange(period)
    return tuple(found) or (at,)

