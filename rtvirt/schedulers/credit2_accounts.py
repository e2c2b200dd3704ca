"""What credit2 keeps, and how credits burn and come back (docs/xen-rules.md 5.1, 5.2; rule numbers in brackets).

A credit is a nanosecond of running for the heaviest vCPU of the run queue; a lighter one pays more for each. When the best of those who
wait has nothing left, everybody gets 10 ms more: so credits order the vCPUs by how much they have run, each by its weight.
"""

from __future__ import annotations

from typing import Any

from ..jit import kernel, seldom
from ..rows import Many, Row, Struct, fill, make
from ..state import MAX_PCPUS, MAX_VCPUS, MAX_VMS, RESET, log
from ..timers import NEVER
from .runqueue import NOBODY, RunQueues, insert_after, reset_runqueues

FIRST = 10_000_000                    # credit of a new vCPU, and what a reset gives (5.1)
LEAST = -10_000_000                   # nobody owes more
MOST = FIRST + 500_000                # nobody keeps more over a reset
OF_IDLE = LEAST - 1                   # so that everybody beats an idle pCPU


class Account(Row):
    """What a vCPU has, and owes."""

    vm: int
    credit: int               # [ns of the heaviest vCPU]
    weight: int
    rest: int                 # what the last division left over: an eternal account loses nothing (5.2.1)
    charged_to: int           # its running time is charged up to here [ns]
    assigned: int             # 1: its VM is there, and it counts in the run queue of its pCPU, runnable or not
    promised: int             # pCPU that was told to take it, and has not decided yet; NOBODY
    yielded: int              # 1: at the next decision anybody may take its place (5.3.1)
    saving: int               # 1: a pCPU still saves its registers after a switch: it can be in no queue
    requeue: int              # 1: and it is to be queued once they are saved
    budget: int               # of its VM's cap, what it may still run; less than 0 if it ran too long [ns]
    parked: int               # 1: kept from running by its VM's cap (5.6.2)
    load: int                 # 1: it runs or waits
    average: int              # of that [2^-18]
    load_at: int              # the average is up to date to here [1024 ns]
    opened: int               # 1: `initial` has said what it has: its VM's start is no reason to give it more


class Domain(Row):
    """A VM's cap."""

    vcpus: int                # how many it has
    total: int                # it may run so much in 10 ms, all its vCPUs together [ns]; 0: it has no cap
    pool: int                 # what nobody has taken yet; less than 0 if they ran too long [ns]
    quota: int                # what a vCPU takes when it starts running [ns]
    refill: int               # when the pool is filled next [ns]; NEVER


class Pcpu(Row):
    """What credit2 keeps of a pCPU."""

    queue: int                # its run queue
    tickled: int              # 1: it has been told to decide, and has not yet (5.4)


class Group(Row):
    """The pCPUs of a run queue."""

    first: int                # its lowest-numbered pCPU
    pcpus: int                # how many follow
    heaviest: int             # largest weight of the vCPUs assigned, runnable or not (5.2.1)
    load: int                 # vCPUs that run or wait (5.5.1)
    average: int              # of that [2^-18]
    load_at: int              # the average is up to date to here [1024 ns]


class Rules(Row):
    """Parameters, and how versions differ."""

    vcpus: int                # how many there are
    vms: int
    queues: int
    ratelimit: int            # [ns]
    trap: int                 # 1: who has just been given a pCPU is not even asked (5.4.1)


class Credit2State(Struct):
    """The scheduler's tables."""

    rules = Rules
    vcpus = Many(Account, MAX_VCPUS)
    vms = Many(Domain, MAX_VMS)
    pcpus = Many(Pcpu, MAX_PCPUS)
    groups = Many(Group, MAX_PCPUS)
    queues = RunQueues


def make_credit2_state(cpus: int, vcpus: int, vms: int, per_queue: int) -> Any:
    """Empty tables; `per_queue` neighbouring pCPUs share a run queue."""
    firsts = range(0, cpus, per_queue)
    c2 = make(Credit2State, {"vcpus": vcpus, "vms": vms, "pcpus": cpus, "groups": len(firsts),
                             "queues": {"line": len(firsts), "links": vcpus}})
    reset_runqueues(c2.queues, vcpus, len(firsts))
    fill(c2.groups, len(firsts), first=list(firsts), pcpus=[min(per_queue, cpus - first) for first in firsts], heaviest=1)
    fill(c2.pcpus, cpus, queue=[p // per_queue for p in range(cpus)])
    fill(c2.vcpus, vcpus, credit=FIRST, promised=NOBODY)
    fill(c2.vms, vms, refill=NEVER)
    c2.rules.vcpus, c2.rules.vms, c2.rules.queues = vcpus, vms, len(firsts)
    return c2


@kernel
def queue_of(st, c2, v):
    """The run queue that a vCPU is assigned to: that of its pCPU."""
    return c2.pcpus[st.vcpus[v].pcpu].queue


@kernel
def runs(st, v):
    """Is it the current vCPU of its pCPU?"""
    return st.pcpus[st.vcpus[v].pcpu].current == v


@kernel
def burn(st, c2, now, v):
    """Charge the running vCPU for the time since it was last charged: the lighter, the more (5.2.1)."""
    account = c2.vcpus[v]
    ran = now - account.charged_to
    if ran <= 0:
        return
    account.charged_to = now
    value = ran * max(c2.groups[queue_of(st, c2, v)].heaviest, account.weight) + account.rest
    account.credit = max(LEAST, account.credit - value // account.weight)
    account.rest = value % account.weight
    if account.assigned and c2.vms[st.vcpus[v].vm].total > 0:
        account.budget -= ran


@kernel
@seldom
def reset(st, c2, now, p, chosen):
    """The best of those who wait has nothing left: 10 ms more for everybody of the queue, asleep or not (5.2.4).

    Nobody keeps more than 10.5 ms. So who sleeps long comes back with a little more than the others, not with all that it left unused.
    """
    more = 2 * FIRST if c2.vcpus[chosen].credit == LEAST else FIRST
    q = c2.pcpus[p].queue
    for v in range(c2.rules.vcpus):
        if c2.vcpus[v].assigned and queue_of(st, c2, v) == q:
            if runs(st, v):
                burn(st, c2, now, v)
            c2.vcpus[v].credit = min(c2.vcpus[v].credit + more, MOST)
    log(st, now, p, chosen, RESET, c2.vcpus[chosen].credit)


@kernel
def enqueue(st, c2, v):
    """Sorted by credit; behind its equals (5.2.2)."""
    q = queue_of(st, c2, v)
    before, after = NOBODY, c2.queues.line[q].head
    while after != NOBODY and c2.vcpus[after].credit >= c2.vcpus[v].credit:
        before, after = after, c2.queues.links[after].next
    insert_after(c2.queues, q, before, v)


@kernel
def queued(c2, v):
    """Does it wait?"""
    return c2.queues.links[v].where != NOBODY


@kernel
@seldom
def weigh(st, c2, q):
    """Look up the largest weight of a run queue anew."""
    heaviest = 1
    for v in range(c2.rules.vcpus):
        if c2.vcpus[v].assigned and queue_of(st, c2, v) == q:
            heaviest = max(heaviest, c2.vcpus[v].weight)
    c2.groups[q].heaviest = heaviest
