"""Shared rings: the arithmetic of free-running indices (8.1; docs/io-model.md 2).

Producer and consumer count messages with 32-bit indices that wrap; a slot is an index modulo the ring's size. All differences are taken
modulo 2^32, so a ring works across the wrap.

The engine counts the slots that messages hold (`traffic.Path.held`) and keeps no private indices: `free_slots` and `unconsumed` say the same
by index, as a driver must that shares only the page. They are there to be read and to be held to the golden scenarios (10.7).
"""

from __future__ import annotations

from ..jit import kernel
from ..traffic import MASK


@kernel
def must_tell(old, new, event):
    """Publishing has moved the producer's index from `old` to `new`: has the consumer asked to be told of one of these messages? (8.1.5)"""
    return ((new - event) & MASK) < ((new - old) & MASK)


@kernel
def event_after(cons, after, outstanding):
    """Where a consumer that goes to sleep sets its event index: at the next message, a later one (8.1.7), or (`after` 0) at half of what
    is outstanding (8.4.5)."""
    if after == 0:
        return (cons + (outstanding >> 1) + 1) & MASK
    return (cons + after) & MASK


@kernel
def free_slots(size, req_prod_pvt, rsp_cons):
    """Requests that still fit (8.1.3)."""
    return size - ((req_prod_pvt - rsp_cons) & MASK)


@kernel
def unconsumed(size, req_prod, req_cons, rsp_prod_pvt):
    """Requests that the back end has not taken, as it must count them when the front end's index cannot be trusted (8.1.8)."""
    return min((req_prod - req_cons) & MASK, size - ((req_cons - rsp_prod_pvt) & MASK))
