"""What RTDS keeps: a server for each vCPU, and three queues (docs/xen-rules.md 6.1; rule numbers in brackets).

* The *run queue*: vCPUs that could run and wait, most urgent first.
* The *depleted queue*: vCPUs that would run if they had budget. It has no order.
* The *replenishment queue*: every vCPU that runs, waits or is depleted, next to be replenished first — in principle (6.2.13).
"""

from __future__ import annotations

from typing import Any

from ..jit import kernel
from ..rows import Many, Row, Struct, make
from ..state import MAX_PCPUS, MAX_VCPUS, REPLENISH, log
from ..timers import NEVER, set_alarm
from .runqueue import NOBODY, RunQueues, append, insert_after, remove, reset_runqueues

READY, DEPLETED = 0, 1    # lines of `queues`
NEXT = 0                  # the one line of `replenishments`


class Server(Row):
    """A vCPU's contract, and what is left of it."""

    vm: int
    period: int               # [ns]
    budget: int               # in every period [ns]
    extratime: int            # 1: a used-up budget lowers its priority instead of stopping it
    left: int                 # of the budget [ns]
    deadline: int             # when the budget will be replenished, and the priority [ns]
    level: int                # budgets used up before this deadline, with extratime; 0 goes first
    charged_to: int           # its running time is charged up to here [ns]
    depleted: int             # 1: seen without budget, and not replenished since
    saving: int               # 1: a pCPU still saves its registers after a switch: it can be in no queue
    requeue: int              # 1: and it is to be queued once they are saved
    opened: int               # 1: `initial` has said how it stands: its VM's start is no reason to renew it
    renewed: int              # next on the stack of those that a replenishment has served


class Pcpu(Row):
    """What RTDS keeps of a pCPU."""

    tickled: int              # 1: it has been told to decide, and has not yet (6.2.7)


class Rules(Row):
    """How versions differ."""

    vcpus: int                # how many there are
    quantum: int              # longest time between two decisions [ns]; 0: driven by events (6.3.1)
    old_ties: int             # 1: the newcomer goes before its equals, the current vCPU wins a tie (6.2.5)
    refill: int               # 1: a depleted vCPU that is given extratime gets it at once (6.2.10)
    by_deadline: int          # 1: replenishments are queued by deadline alone (6.2.13)


class RtdsState(Struct):
    """The scheduler's tables."""

    rules = Rules
    vcpus = Many(Server, MAX_VCPUS)
    pcpus = Many(Pcpu, MAX_PCPUS)
    queues = RunQueues
    replenishments = RunQueues


def make_rtds_state(cpus: int, vcpus: int) -> Any:
    """Empty tables."""
    rt = make(RtdsState, {"vcpus": vcpus, "pcpus": cpus, "queues": {"line": 2, "links": vcpus}, "replenishments": {"line": 1, "links": vcpus}})
    rt.rules.vcpus = vcpus
    reset_runqueues(rt.queues, vcpus, 2)
    reset_runqueues(rt.replenishments, vcpus, 1)
    return rt


@kernel
def beats(rt, a, b):
    """Has vCPU `a` strictly the higher priority? The lower level first, then the earlier deadline (6.1.3)."""
    if rt.vcpus[a].level != rt.vcpus[b].level:
        return rt.vcpus[a].level < rt.vcpus[b].level
    return rt.vcpus[a].deadline < rt.vcpus[b].deadline


@kernel
def renew(st, rt, now, v):
    """The deadline has passed: the next one on the grid of periods, a full budget, the first level (6.2.1)."""
    server = rt.vcpus[v]
    server.deadline += ((now - server.deadline) // server.period + 1) * server.period
    server.left = server.budget
    server.level = 0
    server.charged_to = now
    log(st, now, st.vcpus[v].pcpu, v, REPLENISH, server.left)


@kernel
def enqueue(rt, v):
    """Among those that wait, if it has budget or extratime; else among the depleted (6.1.4)."""
    if rt.vcpus[v].left <= 0 and not rt.vcpus[v].extratime:
        append(rt.queues, DEPLETED, v)
        return
    before, after = NOBODY, rt.queues.line[READY].head
    while after != NOBODY and not goes_before(rt, v, after):
        before, after = after, rt.queues.links[after].next
    insert_after(rt.queues, READY, before, v)


@kernel
def goes_before(rt, v, other):
    """Is `v`, a newcomer, queued before `other`? Equals are served in the order they came, until 4.9 in the opposite one (6.2.5)."""
    return not beats(rt, other, v) if rt.rules.old_ties else beats(rt, v, other)


@kernel
def queued(rt, v):
    """Is it in the run queue or the depleted queue?"""
    return rt.queues.links[v].where != NOBODY


@kernel
def expect(st, rt, now, v):
    """Put `v` into the replenishment queue, sorted like the run queue: level first (6.2.13).

    So who has used up a budget, with extratime, may stand behind a vCPU whose deadline is later, and be replenished late.
    """
    if rt.rules.quantum > 0 or rt.replenishments.links[v].where != NOBODY:
        return
    before, after = NOBODY, rt.replenishments.line[NEXT].head
    while after != NOBODY and not earlier(rt, v, after):
        before, after = after, rt.replenishments.links[after].next
    insert_after(rt.replenishments, NEXT, before, v)
    if before == NOBODY:
        arm(st, rt, now)


@kernel
def earlier(rt, v, other):
    """Is `v` replenished before `other`?"""
    return rt.vcpus[v].deadline < rt.vcpus[other].deadline if rt.rules.by_deadline else beats(rt, v, other)


@kernel
def forget(st, rt, now, v):
    """Take `v` out of the replenishment queue: who is blocked needs no timer (6.2.9)."""
    if rt.replenishments.links[v].where != NOBODY:
        first = rt.replenishments.line[NEXT].head == v
        remove(rt.replenishments, v)
        if first:
            arm(st, rt, now)


@kernel
def arm(st, rt, now):
    """Set the timer for the head of the replenishment queue; one that is near or past fires a timer slop from now (1.7.1)."""
    v, slot = rt.replenishments.line[NEXT].head, st.slots.replenish
    if v == NOBODY:
        set_alarm(st.alarms, slot, NEVER)
    else:
        set_alarm(st.alarms, slot, max(rt.vcpus[v].deadline, now + st.costs.timer_slop) + st.costs.replenish_late)
