"""Ordered queues of waiting vCPUs, as linked lists in arrays. A vCPU is in one queue at most."""

from __future__ import annotations

from typing import Any

from ..jit import kernel
from ..rows import Many, Row, Struct, fill
from ..state import MAX_PCPUS, MAX_VCPUS

NOBODY = -1


class Line(Row):
    """A queue."""

    head: int                 # first in it; NOBODY if it is empty
    tail: int                 # last in it; NOBODY
    length: int


class Link(Row):
    """A vCPU's place."""

    next: int                 # who comes after it; NOBODY
    where: int                # the queue it waits in; NOBODY if it waits in none


class RunQueues(Struct):
    """Queues, one for each pCPU or one for all, and who waits behind whom."""

    line = Many(Line, MAX_PCPUS)
    links = Many(Link, MAX_VCPUS)


def reset_runqueues(queues: Any, vcpus: int, count: int = MAX_PCPUS) -> None:
    """Empty queues for `vcpus` vCPUs."""
    fill(queues.line, count, head=NOBODY, tail=NOBODY)
    fill(queues.links, vcpus, next=NOBODY, where=NOBODY)


@kernel
def insert_after(queues, q, before, v):
    """Put `v` into queue `q` behind `before` (NOBODY: at the head)."""
    if before == NOBODY:
        queues.links[v].next = queues.line[q].head
        queues.line[q].head = v
    else:
        queues.links[v].next = queues.links[before].next
        queues.links[before].next = v
    if before == queues.line[q].tail:
        queues.line[q].tail = v
    queues.links[v].where = q
    queues.line[q].length += 1


@kernel
def append(queues, q, v):
    """Put `v` at the tail of queue `q`."""
    insert_after(queues, q, queues.line[q].tail, v)


@kernel
def remove(queues, v):
    """Take `v` out of the queue it waits in."""
    q = queues.links[v].where
    before, other = NOBODY, queues.line[q].head
    while other != v:
        before, other = other, queues.links[other].next
    if before == NOBODY:
        queues.line[q].head = queues.links[v].next
    else:
        queues.links[before].next = queues.links[v].next
    if queues.line[q].tail == v:
        queues.line[q].tail = before
    queues.links[v].where = NOBODY
    queues.line[q].length -= 1
