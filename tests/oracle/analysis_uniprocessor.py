"""One processor, unit by unit: who runs, by the definitions of the scheduling rules. Plain Python, small numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from math import lcm


@dataclass
class Job:
    """One job; `parts` are its regions, preemptible only between them."""

    task: int
    release: int
    arrival: int
    deadline: int
    parts: list[int]
    done: int | None = None
    into: int = 0             # units done of the current part
    left: list[int] = field(default_factory=list)


def run(jobs: list[Job], policy: str, units: list[int] | None = None, end: int = 10_000) -> list[Job]:
    """Schedule the jobs; `units[t]` is 1 where the processor is there (always, unless given). Lowest task number: highest priority."""
    for job in jobs:
        job.left = list(job.parts)
    waiting = sorted(jobs, key=lambda job: (job.release, job.task, job.arrival))
    pending: list[Job] = []
    current: Job | None = None
    now = 0
    while (waiting or pending) and now < end:
        while waiting and waiting[0].release <= now:
            pending.append(waiting.pop(0))
        if pending and (units is None or units[now % len(units)]):
            if current is None or current.into == 0:              # a part has just ended, or nobody has begun
                heads = [job for job in pending if not any(o.task == job.task and (o.arrival, id(o)) < (job.arrival, id(job)) and o is not job
                                                           and o.arrival < job.arrival for o in pending)]
                key = {"fp": lambda j: (j.task, j.arrival), "edf": lambda j: (j.deadline, j.task, j.arrival),
                       "fifo": lambda j: (j.release, j.task, j.arrival)}[policy]
                current = min(heads, key=key)
            current.into += 1
            if current.into == current.left[0]:
                current.left.pop(0)
                current.into = 0
                if not current.left:
                    current.done = now + 1
                    pending.remove(current)
                    current = None
        now += 1
    return jobs


def periodic_jobs(tasks: list[dict], offsets: tuple[int, ...], end: int) -> list[Job]:
    """Jobs of periodic tasks; a task with jitter comes as it hurts most: the first as late as it may, the others at once."""
    jobs = []
    for number, (task, offset) in enumerate(zip(tasks, offsets)):
        jitter = task.get("jitter", 0)
        arrival = offset - jitter
        while arrival < end:
            jobs.append(Job(number, max(arrival, offset), arrival, arrival + task["deadline"], list(task.get("parts", [1] * task["cost"]))))
            arrival += task["period"]
    return jobs


def worst_responses(tasks: list[dict], policy: str, *, since: str = "arrival", all_offsets: bool = True, units: list[int] | None = None) -> list[int]:
    """Longest response of each task, over all offsets (or all zero)."""
    cycle = lcm(*(task["period"] for task in tasks))
    worst = [0] * len(tasks)
    choices = product(*(range(task["period"]) for task in tasks)) if all_offsets else [(0,) * len(tasks)]
    for offsets in choices:
        horizon = (2 if all_offsets else 4) * cycle + max(offsets) + (0 if all_offsets else 200)
        for job in run(periodic_jobs(tasks, offsets, horizon), policy, units):
            if job.done is not None:
                worst[job.task] = max(worst[job.task], job.done - getattr(job, since))
    return worst


def demand_bound(tasks: list[dict], t: int) -> int:
    """dbf by counting: jobs of the worst arrival pattern that arrive, and are due, within [0, t]."""
    total = 0
    for task in tasks:
        arrival = -task.get("jitter", 0)
        while arrival <= t:
            if arrival + task["deadline"] <= t:
                total += task["cost"]
            arrival += task["period"]
    return total


def edf_fits(tasks: list[dict], sbf, end: int) -> bool:
    """Whether dbf(t) <= sbf(t) at every t up to `end`, one after the other."""
    return all(demand_bound(tasks, t) <= sbf(t) for t in range(end + 1))
