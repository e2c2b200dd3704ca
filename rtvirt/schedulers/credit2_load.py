"""How loaded the run queues are, and which of them a new vCPU joins (docs/xen-rules.md 5.5; rule numbers in brackets).

With one run queue nobody asks, so averages are kept only where there are several.
"""

from __future__ import annotations

from ..jit import kernel, seldom
from .credit2_accounts import queue_of, weigh
from .runqueue import NOBODY

GRAIN = 10                            # time is counted in steps of 2^10 ns (5.5.1)
WINDOW = 20                           # and averaged over 2^20 of them, about 1.07 s
PRECISION = 18                        # bits behind the point of an average
ONE = 1 << PRECISION                  # the average of a vCPU that always runs or waits
FIRST_LOAD = ONE // 2                 # of a new vCPU (5.1)


@kernel
def average(row, now):
    """Bring an average up to now: it moves towards the load, the faster the longer that has lasted (5.5.1)."""
    steps = (now >> GRAIN) - row.load_at
    row.load_at = now >> GRAIN
    if steps > 1 << WINDOW:
        row.average = row.load << PRECISION
    else:
        row.average += (steps * (row.load << PRECISION) >> WINDOW) - (steps * row.average >> WINDOW)


@kernel
def count(st, c2, now, v, load):
    """From now on `v` can run (1), or cannot (0)."""
    account = c2.vcpus[v]
    if c2.rules.queues > 1 and account.load != load:
        shift_load(c2.groups[queue_of(st, c2, v)], account, now, load)


@kernel
@seldom
def shift_load(group, account, now, load):
    """The part of `count` that one run queue does not need."""
    average(account, now)
    average(group, now)
    group.load += load - account.load
    account.load = load


@kernel
@seldom
def join(st, c2, now, v, q):
    """Assign `v` to a run queue: to the pCPU it has, if that belongs to it, else to the first there that it likes, or may use."""
    group, account = c2.groups[q], c2.vcpus[v]
    if queue_of(st, c2, v) != q:
        st.vcpus[v].pcpu = first_pcpu(st, v, group)
    average(group, now)
    group.average += account.average
    group.load += account.load
    account.assigned = 1
    weigh(st, c2, q)


@kernel
@seldom
def quit_queue(st, c2, now, v):
    """Take `v` out of its run queue's books."""
    q, account = queue_of(st, c2, v), c2.vcpus[v]
    average(account, now)
    average(c2.groups[q], now)
    c2.groups[q].average = max(0, c2.groups[q].average - account.average)
    c2.groups[q].load -= account.load
    account.assigned = 0
    weigh(st, c2, q)


@kernel
@seldom
def first_pcpu(st, v, group):
    """The first pCPU of a run queue that `v` likes, else the first that it may use; NOBODY if it may use none."""
    found = NOBODY
    for p in range(group.first, group.first + group.pcpus):
        if st.allowed[v, p] and (found == NOBODY or (st.preferred[v, p] and not st.preferred[v, found])):
            found = p
    return found


@kernel
@seldom
def least_loaded(st, c2, now, v):
    """The run queue with the least average load, among those where it has a pCPU that it likes; else where it may run (5.5.2)."""
    found, liked, least = NOBODY, False, 0
    for q in range(c2.rules.queues):
        p = first_pcpu(st, v, c2.groups[q])
        if p == NOBODY:
            continue
        average(c2.groups[q], now)
        likes = st.vcpus[v].picky == 1 and st.preferred[v, p] == 1
        if found == NOBODY or (likes and not liked) or (likes == liked and c2.groups[q].average < least):
            found, liked, least = q, likes, c2.groups[q].average
    return found
