"""Fixed priorities, global and preemptive: the most important vCPUs run, always."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from ..jit import kernel
from ..rows import Many, Row, Struct, make, put, put_rows
from ..state import IDLE, MAX_VCPUS, NO_LIMIT, RUNNABLE, ask_decision
from ..timers import NEVER
from .contracts import Contracts, importance
from .round_robin import idle_pcpu
from .runqueue import NOBODY, RunQueues, insert_after, remove, reset_runqueues

ALL = 0   # the one queue, most important first


class Size(Row):
    """How large the tables are."""

    vcpus: int


class Seniority(Row):
    """What a vCPU's rank comes from."""

    vm: int
    priority: int             # 1 is the highest; NEVER if it has none
    period: int               # [ns]; NEVER if it has none


class FixedPriorityState(Struct):
    """A total order of the vCPUs, where it comes from, and those that wait."""

    size = Size
    rank = Many(int, MAX_VCPUS)                       # least first
    vcpus = Many(Seniority, MAX_VCPUS)
    queues = RunQueues


@dataclass(frozen=True)
class FixedPriority:
    """The m most important runnable vCPUs hold the m pCPUs at any time.

    The order is that of `VM.priority` (1 is the highest); VMs without one follow by `VM.period`, shortest first, and then those
    with neither; ties in the order given. There is no time slice: a hog of high priority starves whoever is below it. A `Change` of
    priority or period takes effect at once.
    """

    kernel_name: ClassVar[str] = "fixed_priority"
    work_conserving: ClassVar[bool] = True

    def make_state(self, cpus: int, contracts: Contracts) -> Any:
        """The scheduler's tables."""
        n = len(contracts.vcpu_vm)
        fp = make(FixedPriorityState, {"rank": n, "vcpus": n, "queues": {"line": 1, "links": n}})
        fp.size.vcpus = n
        put_rows(fp.vcpus, [{"vm": int(vm), "priority": int(priority), "period": int(period)}
                            for vm, priority, period in zip(contracts.vcpu_vm, contracts.priority, contracts.period)])
        put(fp.rank, importance(contracts.priority, contracts.period), n)
        reset_runqueues(fp.queues, n, 1)
        return fp

    def reconfigure(self, state: Any, vm: int, field: str, value: int) -> bool:
        """Give a VM's vCPUs another priority or period while it runs; False for any other field."""
        if field not in ("priority", "period"):
            return False
        n = state.size.vcpus
        for v in range(n):
            if state.vcpus[v].vm == vm:
                setattr(state.vcpus[v], field, int(value))
        put(state.rank, importance([state.vcpus[v].priority for v in range(n)], [state.vcpus[v].period for v in range(n)]), n)
        return True


@kernel
def start(st, fp):
    """No timers of its own."""


@kernel
def place(st, fp, now, v):
    """Queue a new vCPU."""
    if not st.vcpus[v].blocked and st.vcpus[v].paused == 0:
        wake(st, fp, now, v)


@kernel
def wake(st, fp, now, v):
    """Queue in order of importance, and tell a pCPU that should prefer `v` to what it runs."""
    if st.pcpus[st.vcpus[v].pcpu].current == v or fp.queues.links[v].where != NOBODY:
        return
    insert(fp, v)
    tickle(st, fp, v, now + st.costs.wake_path)


@kernel
def insert(fp, v):
    """Before the first that is less important."""
    before, after = NOBODY, fp.queues.line[ALL].head
    while after != NOBODY and fp.rank[after] < fp.rank[v]:
        before, after = after, fp.queues.links[after].next
    insert_after(fp.queues, ALL, before, v)


@kernel
def tickle(st, fp, v, at):
    """An idle pCPU; else the one that runs the least important vCPU, if that is less important than `v`."""
    chosen = idle_pcpu(st, v)
    if chosen == NOBODY:
        worst = fp.rank[v]
        for p in range(st.agenda.pcpus):
            current = st.pcpus[p].current
            if current != IDLE and st.pcpus[p].decide_at == NEVER and st.allowed[v, p] and fp.rank[current] > worst:
                worst, chosen = fp.rank[current], p
    if chosen != NOBODY:
        ask_decision(st, chosen, at)


@kernel
def sleep(st, fp, now, v):
    """Paused: leave the pCPU or the queue."""
    p = st.vcpus[v].pcpu
    if st.pcpus[p].current == v:
        ask_decision(st, p, now)
    elif fp.queues.links[v].where != NOBODY:
        remove(fp.queues, v)


@kernel
def yield_(st, fp, now, v):
    """Nobody of lower importance may pass: a yield has no effect."""


@kernel
def decide(st, fp, now, p):
    """The most important of the current vCPU and those that wait and may run here; who is displaced may displace elsewhere."""
    vcpus = st.vcpus
    current = st.pcpus[p].current
    runnable = current != IDLE and not vcpus[current].blocked and vcpus[current].paused == 0
    v = fp.queues.line[ALL].head
    while v != NOBODY and not st.allowed[v, p]:
        v = fp.queues.links[v].next
    if runnable and (v == NOBODY or fp.rank[current] < fp.rank[v]):
        return current, NO_LIMIT
    if v == NOBODY:
        return IDLE, NO_LIMIT
    remove(fp.queues, v)
    if runnable:
        insert(fp, current)
        tickle(st, fp, current, now + st.costs.wake_path)
    return v, NO_LIMIT


@kernel
def reconfigured(st, fp, now, v):
    """A VM has another importance. Its vCPUs that wait are queued anew, and tickle as when they woke; who runs has its pCPU decide again."""
    if st.vcpus[v].number > 0:
        return                                        # all of them at once: one in its old place would stop the walk of the next
    end = v + st.vms[st.vcpus[v].vm].vcpus
    for u in range(v, end):
        if fp.queues.links[u].where != NOBODY:
            remove(fp.queues, u)
    for u in range(v, end):
        p = st.vcpus[u].pcpu
        if st.pcpus[p].current == u:
            ask_decision(st, p, now)
        elif st.vcpus[u].state == RUNNABLE:
            insert(fp, u)
            tickle(st, fp, u, now + st.costs.wake_path)


@kernel
def tick(st, fp, now, p):
    """No ticks."""


@kernel
def account(st, fp, now):
    """No accounting."""


@kernel
def leave(st, fp, now, v):
    """The VM of `v` is gone: nothing to forget."""


@kernel
def worth(fp, v):
    """What the log shows beside the vCPU: nothing."""
    return 0
