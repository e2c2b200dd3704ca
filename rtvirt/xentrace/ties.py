"""What a real choice that the model did not name says about credits.

A priority hangs on the sign of a credit at the last accounting, and the walk knows each credit to within a few at best: those at the
beginning are fitted, and fractions of a credit are not to be had from a trace at all (2.3.2). So where the trace's choice contradicts the
model's queue, the likeliest error is a credit on the wrong side of 0. It is moved to the right side, as little as that takes, and only if
that is little. Left alone it would name somebody wrong again and again: the error is counted once, where it arises.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..schedulers.credit_accounting import PRIO_BOOST, PRIO_OVER, PRIO_UNDER

if TYPE_CHECKING:
    from .walk import Walk

MENDED_PART = 30            # what is more than this part of a slice's credits is no tie (a slice of 30 ms: 10 credits, 1 ms of running)


def waiting(walk: Walk) -> list[int]:
    """Who waits, first in the queue first."""
    queues, found = walk.cr.queues, []
    v = queues.line[0].head
    while v >= 0:
        found.append(v)
        v = queues.links[v].next
    return found


def mend_credits(walk: Walk, named: int, real: int) -> None:
    """After the model has decided for `named`: the smallest change of credits, if a small one there is, after which `real` comes first.

    Either all that are ahead of `real` and UNDER were OVER, or `real` was not OVER. Who is not active does not change priority
    at an accounting, and BOOST has nothing to do with credits of now.
    """
    queue, vcpus, settled = waiting(walk), walk.cr.vcpus, walk.settled
    if real not in queue or named < 0:
        return
    ahead = {named, *queue[:queue.index(real)]}
    high = [v for v in ahead if vcpus[v].priority > PRIO_OVER]
    changes = []
    if high and all(vcpus[v].priority == PRIO_UNDER and settled.get(v, -1) >= 0 for v in high):
        changes.append({v: -1 - settled[v] for v in high})
    if vcpus[real].priority == PRIO_OVER and real in settled and all(vcpus[v].priority < PRIO_BOOST for v in high):
        changes.append({real: -settled[real]})
    if changes:
        least = min(changes, key=size)
        if size(least) <= max(walk.cr.pool.slice_credits // MENDED_PART, 1):
            for v, by in least.items():
                move(walk, v, by)


def size(change: dict[int, int]) -> int:
    """Credits moved."""
    return sum(map(abs, change.values()))


def move(walk: Walk, v: int, by: int) -> None:
    """Change a credit as if it had been so at the last accounting already, and with it the priority and the place in the queue."""
    cr = walk.cr
    cr.vcpus[v].credit += by
    cr.pool.balance += by
    walk.settled[v] += by
    cr.vcpus[v].priority = PRIO_UNDER if walk.settled[v] >= 0 else PRIO_OVER
    walk.policy.forget_latest(cr, 0)
    if by < 0:
        if cr.queues.links[v].where >= 0:
            walk.queue.remove(cr.queues, v)
        walk.queue.insert_after(cr.queues, 0, last_before(walk, v), v)


def last_before(walk: Walk, v: int) -> int:
    """Behind whom `v` would wait had it had its priority all the time: those that wait since the last accounting keep their order."""
    vcpus, order, before = walk.cr.vcpus, walk.waited, -1
    behind = {*range(len(walk.names)), v} - {*order[:order.index(v)]} if v in order else set()
    for other in waiting(walk):
        priority = vcpus[other].priority
        if priority < vcpus[v].priority or (priority == vcpus[v].priority and other in behind):
            break
        before = other
    return before
