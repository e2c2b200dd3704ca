"""Extra time: what SEDF does with time that nobody's guarantee claims (docs/xen-rules.md 4.2.9; rule numbers in brackets).

It is given out in quanta of 500 us, those of L0 first, then those of L1. In L1 a vCPU's *score* is a distance: who has just run is put as
far back as its weight is small, and everybody else comes nearer by the distance that it had. That is weighted round robin.
"""

from __future__ import annotations

from ..jit import kernel
from .runqueue import NOBODY, insert_after, remove
from .sedf_queues import PENALTY, SHARE

QUANTUM = 500_000          # [ns] (4.2.2)
WHOLE = 1 << 17            # score of an extra weight of 1 (4.2.9)
FIXED_POINT = 1024         # scores by utilization have ten binary places


@kernel
def join_penalty(sd, v):
    """Into L0, by its score."""
    p = sd.vcpus[v].home
    before, after = NOBODY, sd.penalty.line[p].head
    while after != NOBODY and sd.vcpus[after].penalty_score <= sd.vcpus[v].penalty_score:
        before, after = after, sd.penalty.links[after].next
    insert_after(sd.penalty, p, before, v)


@kernel
def join_shares(sd, v):
    """Into L1, by its score."""
    p = sd.vcpus[v].home
    before, after = NOBODY, sd.shares.line[p].head
    while after != NOBODY and sd.vcpus[after].share_score <= sd.vcpus[v].share_score:
        before, after = after, sd.shares.links[after].next
    insert_after(sd.shares, p, before, v)


@kernel
def join_extra(sd, v):
    """Awake: into the extra queues that it has a claim to, by the scores it had (4.2.10)."""
    if sd.vcpus[v].extratime:
        if sd.vcpus[v].penalized:
            join_penalty(sd, v)
        join_shares(sd, v)


@kernel
def penalize(sd, v, lost):
    """It has lost so much of its slice by blocking: a claim to L0, the more urgent the more of its period that is (4.2.10 b)."""
    server = sd.vcpus[v]
    if lost > 0 and server.extratime:
        server.penalty_score = server.period * FIXED_POINT // lost
        server.penalized = 1


@kernel
def new_share_score(sd, v):
    """How far back it goes after a quantum in L1: by its weight, else by its utilization."""
    server = sd.vcpus[v]
    if server.extraweight > 0:
        return WHOLE // server.extraweight
    if server.slice > 0:
        return server.period * FIXED_POINT // server.slice
    return WHOLE


@kernel
def charge_extra(sd, p, v, runnable):
    """A quantum of extra time is over, however short it was. One in L0 ends the claim; one in L1 puts `v` back (4.2.9)."""
    server = sd.vcpus[v]
    if sd.pcpus[p].mode == PENALTY:
        server.penalized = 0
        if sd.penalty.links[v].where != NOBODY:
            remove(sd.penalty, v)
        return
    distance = server.share_score
    server.share_score = new_share_score(sd, v)
    if runnable and sd.shares.links[v].where != NOBODY:
        remove(sd.shares, v)
        other = sd.shares.line[p].head
        while other != NOBODY:
            sd.vcpus[other].share_score -= distance
            other = sd.shares.links[other].next
        join_shares(sd, v)


@kernel
def choose_extra(sd, p, length):
    """Who gets the next quantum, with `length` ns to go before the next period begins? Nobody, if a quantum does not fit in."""
    if length < QUANTUM:
        return NOBODY
    if sd.penalty.line[p].head != NOBODY:
        sd.pcpus[p].mode = PENALTY
        return sd.penalty.line[p].head
    sd.pcpus[p].mode = SHARE
    return sd.shares.line[p].head
