"""What SEDF keeps: a guarantee for each vCPU, and four queues for each pCPU (docs/xen-rules.md 4.2.1; rule numbers in brackets).

* The *run queue*: vCPUs whose period has begun and whose slice is not used up, earliest deadline first.
* The *wait queue*: vCPUs whose next period is still to begin, earliest first.
* Two *extra queues*, for time that no period claims, least score first: L0 (`penalty`) for those that lost part of a slice by blocking, L1
  (`shares`) for everybody with extratime. Who is in one of them is in the run queue or the wait queue as well.

Everybody is queued behind its equals (4.2.5).
"""

from __future__ import annotations

from typing import Any

from ..jit import kernel
from ..rows import Many, Row, Struct, make
from ..state import MAX_PCPUS, MAX_VCPUS, REPLENISH, log
from .runqueue import NOBODY, RunQueues, insert_after, remove, reset_runqueues


class Server(Row):
    """A vCPU's contract, and how far it is."""

    vm: int
    home: int                 # its pCPU, for ever (4.2.1)
    period: int               # [ns]
    slice: int                # guaranteed in every period [ns]; 0: nothing
    weight: int               # of a slice that depends on the others'; 0: the slice is its own (4.2.4)
    extraweight: int          # of its share of the extra time; 0: by its utilization (4.2.9)
    extratime: int            # 1: it may use extra time
    plain: int                # 1: the contract is the VM's budget, period and extratime
    deadline: int             # end of its period [ns]
    used: int                 # of the slice [ns]
    fresh: int                # 1: it has never been awake (4.2.10)
    penalized: int            # 1: it has a claim to L0
    penalty_score: int        # in L0
    moves: int                # 1: it waited when its contract changed (scratch)
    share_score: int          # in L1


class Pcpu(Row):
    """What a pCPU is doing."""

    mode: int                 # on what ground its current vCPU runs: GUARANTEE, PENALTY, SHARE
    since: int                # its last decision [ns]
    ends: int                 # end of the slice that it gave [ns]


class Size(Row):
    """How large the tables are."""

    vcpus: int


GUARANTEE, PENALTY, SHARE = 0, 1, 2


class SedfState(Struct):
    """The scheduler's tables. The queues have a line for each pCPU."""

    size = Size
    vcpus = Many(Server, MAX_VCPUS)
    pcpus = Many(Pcpu, MAX_PCPUS)
    run = RunQueues
    wait = RunQueues
    penalty = RunQueues
    shares = RunQueues


def make_sedf_state(cpus: int, vcpus: int) -> Any:
    """Empty tables."""
    queues = {"line": cpus, "links": vcpus}
    sd = make(SedfState, {"vcpus": vcpus, "pcpus": cpus, "run": queues, "wait": queues, "penalty": queues, "shares": queues})
    sd.size.vcpus = vcpus
    for queue in (sd.run, sd.wait, sd.penalty, sd.shares):
        reset_runqueues(queue, vcpus, cpus)
    return sd


@kernel
def period_start(sd, v):
    """When its period begins, or has begun [ns]."""
    return sd.vcpus[v].deadline - sd.vcpus[v].period


@kernel
def join_run(sd, v):
    """Its period has begun: queue it by its deadline."""
    p = sd.vcpus[v].home
    before, after = NOBODY, sd.run.line[p].head
    while after != NOBODY and sd.vcpus[after].deadline <= sd.vcpus[v].deadline:
        before, after = after, sd.run.links[after].next
    insert_after(sd.run, p, before, v)


@kernel
def join_wait(sd, v):
    """Its period is still to begin: queue it by that instant."""
    p = sd.vcpus[v].home
    before, after = NOBODY, sd.wait.line[p].head
    while after != NOBODY and period_start(sd, after) <= period_start(sd, v):
        before, after = after, sd.wait.links[after].next
    insert_after(sd.wait, p, before, v)


@kernel
def queued(sd, v):
    """Has it been seen awake, and not asleep since?"""
    return sd.run.links[v].where != NOBODY or sd.wait.links[v].where != NOBODY


@kernel
def withdraw(queues, v):
    """Leave a queue, if it is in there."""
    if queues.links[v].where != NOBODY:
        remove(queues, v)


@kernel
def withdraw_all(sd, v):
    """Who cannot run is in no queue (4.2.7)."""
    withdraw(sd.run, v)
    withdraw(sd.wait, v)
    withdraw(sd.penalty, v)
    withdraw(sd.shares, v)


@kernel
def begin_period(st, sd, now, v):
    """Its period has begun, or begins now: it competes by its deadline."""
    join_run(sd, v)
    if sd.vcpus[v].slice > 0:
        log(st, now, sd.vcpus[v].home, v, REPLENISH, sd.vcpus[v].slice - sd.vcpus[v].used)


@kernel
def update_queues(st, sd, now, p):
    """Periods that have begun go to the run queue; from there, those that have no slice, or have missed their deadline, to a later one (4.2.8)."""
    v = sd.wait.line[p].head
    while v != NOBODY and period_start(sd, v) <= now:
        remove(sd.wait, v)
        begin_period(st, sd, now, v)
        v = sd.wait.line[p].head
    v = sd.run.line[p].head
    while v != NOBODY:
        following, server = sd.run.links[v].next, sd.vcpus[v]
        if server.slice == 0:
            remove(sd.run, v)
            server.deadline = next_on_grid(server.deadline - server.period, server.period, now) + server.period
            join_wait(sd, v)
        elif server.deadline < now or server.used > server.slice:
            remove(sd.run, v)
            skip_period(st, sd, now, v)
        v = following


@kernel
def skip_period(st, sd, now, v):
    """A deadline is missed, or a slice that has been shortened is overspent: a new slice, as if nothing had been, and the next deadline ahead."""
    server = sd.vcpus[v]
    server.deadline = next_on_grid(server.deadline, server.period, now)
    server.used = 0
    if period_start(sd, v) > now:
        join_wait(sd, v)
        log(st, now, server.home, v, REPLENISH, server.slice)
    else:
        begin_period(st, sd, now, v)


@kernel
def next_on_grid(at, period, now):
    """The first of at + period, at + 2 period ... that lies after `now`."""
    return at + period * max(1, (now - at) // period + 1)
