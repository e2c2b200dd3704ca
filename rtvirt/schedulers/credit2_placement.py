"""Which pCPU? Credit2's tickling (docs/xen-rules.md 5.4; rule numbers in brackets)."""

from __future__ import annotations

from ..jit import kernel
from ..state import IDLE, ask_decision
from .credit2_accounts import FIRST, burn, enqueue, queue_of, queued
from .credit2_load import count
from .runqueue import NOBODY

COMPENSATION = 50_000                 # credit that it gets for that (5.1)
RESISTANCE = 500_000                  # credit that a vCPU must be ahead to be taken to another pCPU (5.1)
TOLERANCE = 50_000                    # so long before the ratelimit's end a pCPU may be told (5.1)


@kernel
def arrive(st, c2, now, v, at):
    """A vCPU can run: it is queued, and somebody told; if its registers are still being saved, later (5.3.7)."""
    if queued(c2, v):
        return
    count(st, c2, now, v, 1)
    if c2.vcpus[v].saving:
        c2.vcpus[v].requeue = 1
        return
    enqueue(st, c2, v)
    tickle(st, c2, now, v, at)


@kernel
def likes(st, v, p):
    """Does it like to run there, by its soft affinity if that restricts it, else by its hard one? (1.6.1)"""
    return st.preferred[v, p] if st.vcpus[v].picky else st.allowed[v, p]


@kernel
def tickle(st, c2, now, v, at):
    """Tell a pCPU of its run queue that `v` should perhaps run there: an idle one, else one where it is ahead (5.4).

    Only one is told, and none twice: it will see `v` anyway. If all who might be told are within their ratelimit, nobody is, and
    nobody is woken later either: `v` waits for the next decision that comes by itself (5.4.1).
    """
    chosen = idle_pcpu(st, c2, v)
    if chosen == NOBODY:
        chosen = busy_pcpu(st, c2, now, v)
    if chosen != NOBODY:
        c2.pcpus[chosen].tickled = 1
        c2.vcpus[v].promised = chosen
        ask_decision(st, chosen, at)


@kernel
def idle_pcpu(st, c2, v):
    """An idle pCPU for `v`, one that it likes if there is; its own first, then the next, cyclically."""
    group, found = c2.groups[queue_of(st, c2, v)], NOBODY
    for i in range(group.pcpus):
        p = group.first + (st.vcpus[v].pcpu - group.first + i) % group.pcpus
        if st.pcpus[p].current == IDLE and not c2.pcpus[p].tickled and st.allowed[v, p]:
            if likes(st, v, p):
                return p
            if found == NOBODY:
                found = p
    return found


@kernel
def busy_pcpu(st, c2, now, v):
    """Its own pCPU, if `v` likes it and is ahead of who runs there; else the one where it is furthest ahead; NOBODY if it is nowhere."""
    group, home = c2.groups[queue_of(st, c2, v)], st.vcpus[v].pcpu
    found, most = NOBODY, 0
    for i in range(group.pcpus):
        p = group.first + (home - group.first + i) % group.pcpus
        if st.pcpus[p].current != IDLE and not c2.pcpus[p].tickled and st.allowed[v, p]:
            lead = lead_over(st, c2, now, v, p)
            if lead > 0 and likes(st, v, p):
                if p == home:
                    return p
                lead += FIRST                                     # those that it likes come before those that it does not
            if lead > most:
                found, most = p, lead
    return found


@kernel
def lead_over(st, c2, now, v, p):
    """By how much `v` is ahead of who runs on `p`; 0 if that one has just been given the pCPU, and keeps it (5.4.1, 5.4.2)."""
    if c2.rules.trap and c2.rules.ratelimit > TOLERANCE and now - st.pcpus[p].since <= c2.rules.ratelimit - TOLERANCE:
        return 0
    current = st.pcpus[p].current
    burn(st, c2, now, current)
    return c2.vcpus[v].credit - c2.vcpus[current].credit - (0 if p == st.vcpus[v].pcpu else RESISTANCE)


@kernel
def better_place(st, c2, v):
    """Is there an idle pCPU that it likes, and that nobody has been sent to? (5.3 step 3)"""
    p = idle_pcpu(st, c2, v)
    return p != NOBODY and likes(st, v, p)
