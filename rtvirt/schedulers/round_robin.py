"""Round robin: one queue, equal turns. The plainest scheduler that shares pCPUs, and the yardstick for the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from ..jit import kernel
from ..rows import Many, Row, Struct, make
from ..state import IDLE, MAX_VCPUS, NO_LIMIT, ask_decision
from ..timers import NEVER
from .checks import check_time
from .contracts import Contracts
from .runqueue import NOBODY, RunQueues, append, remove, reset_runqueues

ALL = 0   # the one queue


class Turn(Row):
    """Length of a turn."""

    quantum: int              # [ns]


class RoundRobinState(Struct):
    """The queue, and until when each running vCPU has its turn."""

    turn = Turn
    queues = RunQueues
    turn_ends = Many(int, MAX_VCPUS)                  # [ns]


@dataclass(frozen=True)
class RoundRobin:
    """One first-come-first-served queue for all pCPUs; everybody runs for `quantum` and goes to the tail.

    Parameters
    ----------
    quantum : int [ns]
        Length of a turn, 1 us to 10 s.

    Notes
    -----
    A textbook scheduler, not one of Xen's: no weights, no priorities; a vCPU that wakes queues behind everybody.
    """

    quantum: int = 10_000_000

    kernel_name: ClassVar[str] = "round_robin"
    work_conserving: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_time("RoundRobin.quantum", self.quantum, 1_000, 10_000_000_000)

    def make_state(self, cpus: int, contracts: Contracts) -> Any:
        """The scheduler's tables; weights and caps mean nothing here."""
        n = len(contracts.vcpu_vm)
        rr = make(RoundRobinState, {"queues": {"line": 1, "links": n}, "turn_ends": n})
        rr.turn.quantum = self.quantum
        reset_runqueues(rr.queues, n, 1)
        return rr


@kernel
def start(st, rr):
    """No timers of its own."""


@kernel
def place(st, rr, now, v):
    """Queue a new vCPU."""
    if not st.vcpus[v].blocked and st.vcpus[v].paused == 0:
        wake(st, rr, now, v)


@kernel
def wake(st, rr, now, v):
    """To the tail; an idle pCPU, if there is one, is told."""
    if st.pcpus[st.vcpus[v].pcpu].current == v or rr.queues.links[v].where != NOBODY:
        return
    append(rr.queues, ALL, v)
    p = idle_pcpu(st, v)
    if p != NOBODY:
        ask_decision(st, p, now + st.costs.wake_path)


@kernel
def idle_pcpu(st, v):
    """An idle pCPU, not yet tickled, on which `v` may run: the one it ran on last, else the lowest-numbered; else NOBODY."""
    pcpus, home = st.pcpus, st.vcpus[v].pcpu
    if pcpus[home].current == IDLE and pcpus[home].decide_at == NEVER and st.allowed[v, home]:
        return home
    for p in range(st.agenda.pcpus):
        if pcpus[p].current == IDLE and pcpus[p].decide_at == NEVER and st.allowed[v, p]:
            return p
    return NOBODY


@kernel
def sleep(st, rr, now, v):
    """Paused: leave the pCPU or the queue."""
    p = st.vcpus[v].pcpu
    if st.pcpus[p].current == v:
        ask_decision(st, p, now)
    elif rr.queues.links[v].where != NOBODY:
        remove(rr.queues, v)


@kernel
def yield_(st, rr, now, v):
    """The turn is over."""
    rr.turn_ends[v] = now


@kernel
def decide(st, rr, now, p):
    """Go on until the turn ends; then the first in the queue that may run here."""
    vcpus = st.vcpus
    current = st.pcpus[p].current
    if current != IDLE and not vcpus[current].blocked and vcpus[current].paused == 0:
        if now < rr.turn_ends[current]:
            return current, rr.turn_ends[current] - now
        append(rr.queues, ALL, current)
    v = rr.queues.line[ALL].head
    while v != NOBODY and not st.allowed[v, p]:
        v = rr.queues.links[v].next
    if v == NOBODY:
        return IDLE, NO_LIMIT
    remove(rr.queues, v)
    rr.turn_ends[v] = now + rr.turn.quantum
    return v, rr.turn.quantum


@kernel
def tick(st, rr, now, p):
    """No ticks."""


@kernel
def account(st, rr, now):
    """No accounting."""


@kernel
def leave(st, rr, now, v):
    """The VM of `v` is gone: nothing to forget."""


@kernel
def worth(rr, v):
    """What the log shows beside the vCPU: nothing."""
    return 0
