"""Servers that get a new budget at the beginning of each period: polling, periodic, deferrable (docs/servers.md S2.1)."""

from __future__ import annotations

from ..jit import kernel
from ..state import REPLENISH, log
from ..timers import first_timer
from .runqueue import NOBODY
from .server_dispatch import charge, come, look_again
from .server_queues import expect, reserved


@kernel
def place(st, own, now, v):
    """A VM starts, and with it its first period (S1.8)."""
    if reserved(own, v):
        own.vcpus[v].left, own.vcpus[v].charged_to, own.vcpus[v].deadline = 0, now, now
        begin_period(st, own, now, v)
    come(st, own, v, now + st.costs.wake_path)


@kernel
def begin_period(st, own, now, v):
    """A full budget, less what was overrun; the deadline is the end of the period."""
    server = own.vcpus[v]
    while server.deadline <= now:
        server.deadline += server.period
    server.left = server.budget + min(server.left, 0)
    expect(st, own, v, server.deadline)
    log(st, now, st.vcpus[v].pcpu, v, REPLENISH, server.left)


@kernel
def replenish(st, own, now, k):
    """A period has ended; whoever holds a pCPU is charged to the old budget first (S1.9)."""
    v = first_timer(own.due)
    if own.vcpus[v].holds != NOBODY:
        charge(st, own, now, v)
    begin_period(st, own, now, v)
    look_again(st, own, now, v)
