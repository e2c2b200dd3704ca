"""Evening out the run queues, after a reset and only then (docs/xen-rules.md 5.5.3; rule numbers in brackets)."""

from __future__ import annotations

from ..jit import kernel, seldom
from ..state import MIGRATE, log
from .credit2_accounts import enqueue, queue_of, queued, runs
from .credit2_load import ONE, average, first_pcpu, join, quit_queue
from .credit2_placement import tickle
from .runqueue import NOBODY, remove

LEAST_ABOVE = ONE // 8                # difference that is worth a move where there are more vCPUs than pCPUs
LEAST_BELOW = ONE                     # and where there are not


@kernel
@seldom
def balance(st, c2, now, p, chosen):
    """Give a vCPU to the run queue that differs most, take one from it, or both: the pair that leaves the least difference.

    Only who does not run is moved, and only if the difference falls by as much as makes one look for a move: else the last bits of the
    averages would send a third hog to and fro between two pCPUs. pCPU `p` is deciding, and need not be told.
    """
    mine = c2.pcpus[p].queue
    other = most_different(c2, now, mine)
    if other == NOBODY:
        return
    ahead = c2.groups[mine].average - c2.groups[other].average
    least, given, taken = abs(ahead) - threshold(c2, mine, other) + 1, NOBODY, NOBODY
    if least < 1:
        return
    for push in range(-1, c2.rules.vcpus):
        if push != NOBODY and not movable(st, c2, push, mine, other, chosen):
            continue
        for pull in range(-1, c2.rules.vcpus):
            if pull != NOBODY and not movable(st, c2, pull, other, mine, chosen):
                continue
            left = abs(ahead - 2 * load_of(c2, now, push) + 2 * load_of(c2, now, pull))
            if left < least:
                least, given, taken = left, push, pull
    c2.pcpus[p].tickled = 1
    if given != NOBODY:
        move(st, c2, now, given, other)
    if taken != NOBODY:
        move(st, c2, now, taken, mine)
    c2.pcpus[p].tickled = 0


@kernel
@seldom
def most_different(c2, now, mine):
    """The run queue whose average load differs most from that of `mine`."""
    found, most = NOBODY, 0
    average(c2.groups[mine], now)
    for q in range(c2.rules.queues):
        average(c2.groups[q], now)
        difference = abs(c2.groups[q].average - c2.groups[mine].average)
        if difference > most:
            found, most = q, difference
    return found


@kernel
@seldom
def threshold(c2, a, b):
    """Difference from which on something is moved: little if one of them has more load than pCPUs, else a whole vCPU."""
    busiest = max(c2.groups[a].average, c2.groups[b].average)
    return LEAST_BELOW if busiest < max(c2.groups[a].pcpus, c2.groups[b].pcpus) * ONE else LEAST_ABOVE


@kernel
@seldom
def load_of(c2, now, v):
    """Average load of a vCPU; 0 for nobody."""
    if v == NOBODY:
        return 0
    average(c2.vcpus[v], now)
    return c2.vcpus[v].average


@kernel
@seldom
def movable(st, c2, v, source, target, chosen):
    """Is it in the one run queue, could it run in the other, and does it neither run, nor is about to, nor is still being saved?"""
    if not c2.vcpus[v].assigned or queue_of(st, c2, v) != source or v == chosen or c2.vcpus[v].saving:
        return False
    return not runs(st, v) and first_pcpu(st, v, c2.groups[target]) != NOBODY


@kernel
@seldom
def move(st, c2, now, v, target):
    """To another run queue; who waits is queued there by the same credit, and somebody told."""
    waits = queued(c2, v)
    if waits:
        remove(c2.queues, v)
    quit_queue(st, c2, now, v)
    join(st, c2, now, v, target)
    c2.vcpus[v].promised = NOBODY
    log(st, now, st.vcpus[v].pcpu, v, MIGRATE, target)
    if waits:
        enqueue(st, c2, v)
        tickle(st, c2, now, v, now)
