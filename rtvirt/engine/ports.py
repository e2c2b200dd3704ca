"""Event channels: how a VM is told that something has happened (8.3; docs/io-model.md 3).

Executed once for each scheduler, together with `vcpus.py` and `loop.py`, for systems that have devices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtvirt.engine.jobs import take_release
from rtvirt.engine.work import assign, vcpu_to_wake
from rtvirt.jit import kernel, large, seldom
from rtvirt.timers import NEVER, set_alarm
from rtvirt.traffic import ENTER, FIFO_ABI, LOWEST, NOBODY, PICK, SERVED

if TYPE_CHECKING:   # for readers: `loop_for` executes these files into the same names
    from rtvirt.engine.loop import tell_vm
    from rtvirt.engine.vcpus import wake

DOUBLINGS, LONGEST_PENALTY = 24, 1_000_000_000       # of a late end of interrupt, one second [ns]


@kernel
@large
def send(st, q, now, port):
    """Set a port's bit; the first event that nobody has looked at yet raises the vCPU's upcall (8.3.3)."""
    end = st.io.ports[port]
    if end.pending:
        return                                   # merged: nobody counts (8.3.1)
    end.pending = 1
    end.raised = st.io.upcalls[end.vcpu].raised
    st.io.upcalls[end.vcpu].raised += 1
    if not end.masked:
        kick(st, q, now, end.vcpu)


@kernel
@large
def kick(st, q, now, v):
    """Let a vCPU see its upcall: one that is blocked wakes, one that runs is interrupted, one that waits for a pCPU goes on waiting (8.3.9)."""
    upcall = st.io.upcalls[v]
    if not upcall.up:
        upcall.up = 1
        take_release(st, upcall.handler, now)
        tell_vm(st, q, now, upcall.handler, True)


@kernel
@large
def tell_inside(st, q, now, t):
    """A task that became ready by something in its own VM: no interrupt, perhaps a wake-up of another vCPU, perhaps a switch."""
    v = vcpu_to_wake(st, t)
    if v >= 0:
        wake(st, q, now, v)
    assign(st, st.tasks[t].vm, now)


@kernel
@large
def wake_thread(st, q, now, t):
    """Let a thread look at its queues, if it does not anyway; one that looks by the clock waits for it."""
    if st.tasks[t].pending == 0 and not st.io.threads[t].polled and st.vms[st.tasks[t].vm].alive:
        take_release(st, t, now)
        tell_inside(st, q, now, t)


@kernel
@large
def pick_port(st, v):
    """The next port for a handler, by the guest's order of scanning (8.3.6, 8.3.7); NOBODY."""
    io, upcall = st.io, st.io.upcalls[v]
    best, after = NOBODY, NOBODY
    port = upcall.first_port
    while port != NOBODY:
        end = io.ports[port]
        if end.pending and not end.masked:
            if upcall.order == FIFO_ABI:
                if best == NOBODY or end.priority < io.ports[best].priority or (
                        end.priority == io.ports[best].priority and end.raised < io.ports[best].raised):
                    best = port
            else:
                if best == NOBODY:
                    best = port
                if after == NOBODY and port > upcall.last_port:
                    after = port
        port = end.next_port
    if upcall.order != FIFO_ABI and upcall.order != LOWEST and after != NOBODY:
        best = after
    return best


@kernel
@large
def handle_port(st, q, now, t):
    """An interrupt handler's next move; returns what it computes [ns], -1 when there is nothing left to do."""
    io, handler = st.io, st.io.threads[t]
    v = st.tasks[t].pinned
    if handler.phase == ENTER:
        handler.phase = PICK
        return io.upcalls[v].entry
    if handler.phase == SERVED:
        wake_thread(st, q, now, io.stages[io.ports[handler.port].stage].thread)
    port = pick_port(st, v)
    if port == NOBODY:
        io.upcalls[v].up = 0
        handler.phase = ENTER
        return -1
    io.ports[port].pending = 0
    io.ports[port].masked = io.ports[port].late_eoi
    io.upcalls[v].last_port = port
    handler.port, handler.phase = port, SERVED
    return io.ports[port].handler


@kernel
@large
def unmask_ports(st, now, t):
    """A thread goes to sleep: its ports may ring again; one that has rung meanwhile raises the upcall (8.3.4)."""
    io, s = st.io, st.io.threads[t].first_stage
    while s != NOBODY:
        port = io.stages[s].port
        if port != NOBODY and io.ports[port].masked and st.alarms.at[io.rails.unmask + port] == NEVER and not punish(st, now, port, s):
            io.ports[port].masked = 0
            upcall = io.upcalls[io.ports[port].vcpu]
            if io.ports[port].pending and not upcall.up:
                upcall.up = 1
                take_release(st, upcall.handler, now)
        io.stages[s].fruitful = 0
        s = io.stages[s].next_stage


@kernel
@seldom
def punish(st, now, port, s):
    """Does a port stay masked because its events come for nothing? The first is free, then each doubles the time (8.4.4)."""
    end = st.io.ports[port]
    end.fruitless = 0 if st.io.stages[s].fruitful else min(end.fruitless + 1, DOUBLINGS)
    if end.fruitless < 2 or end.penalty == 0:
        return False
    set_alarm(st.alarms, st.io.rails.unmask + port, now + min(end.penalty << (end.fruitless - 2), LONGEST_PENALTY))
    return True


@kernel
@seldom
def penalty_over(st, q, now, port):
    """The port may ring again; if it has been sent meanwhile it does."""
    st.io.ports[port].masked = 0
    if st.io.ports[port].pending:
        kick(st, q, now, st.io.ports[port].vcpu)
