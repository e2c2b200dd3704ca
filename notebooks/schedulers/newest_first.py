"""Newest first: who wakes up is the next to run. Turns, queue and parameters are those of round robin."""

from dataclasses import dataclass
from typing import ClassVar

from rtvirt.jit import kernel
from rtvirt.schedulers.round_robin import ALL, RoundRobin, idle_pcpu
from rtvirt.schedulers.round_robin import account, decide, leave, sleep, start, tick, worth, yield_  # noqa: F401  (the loop calls them)
from rtvirt.schedulers.runqueue import NOBODY, insert_after
from rtvirt.state import ask_decision


@dataclass(frozen=True)
class NewestFirst(RoundRobin):
    """Who wakes up is the next to run; after a `quantum` [ns] everybody goes to the tail."""

    kernel_name: ClassVar[str] = "newest_first"


@kernel
def place(st, own, now, v):
    """A new vCPU, as if it woke up."""
    if not st.vcpus[v].blocked and st.vcpus[v].paused == 0:
        wake(st, own, now, v)


@kernel
def wake(st, own, now, v):
    """To the head of the queue, not to its tail; an idle pCPU, if there is one, is told."""
    if st.pcpus[st.vcpus[v].pcpu].current == v or own.queues.links[v].where != NOBODY:
        return
    insert_after(own.queues, ALL, NOBODY, v)
    p = idle_pcpu(st, v)
    if p != NOBODY:
        ask_decision(st, p, now + st.costs.wake_path)
