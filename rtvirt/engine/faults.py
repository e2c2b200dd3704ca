"""What goes wrong: interrupts, drivers and front ends that fail (docs/io-model.md 9).

Executed once for each scheduler, together with `vcpus.py` and `loop.py`, for systems that have devices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtvirt.engine.messages import await_timeout
from rtvirt.jit import kernel, seldom
from rtvirt.timers import NEVER, set_alarm
from rtvirt.traffic import BAD_INDEX, HANG, LOST, MASK, NOBODY

if TYPE_CHECKING:   # for readers: `loop_for` executes these files into the same names
    from rtvirt.engine.outages import break_off, go_on_lines
    from rtvirt.engine.ports import send, wake_thread


@kernel
@seldom
def start_faults(st):
    """Arm every fault."""
    for f in range(st.io.rails.faults):
        set_alarm(st.alarms, st.io.rails.fault + f, st.io.faults[f].at)


@kernel
@seldom
def fault_strikes(st, q, now, f):
    """Something goes wrong; or a hang is over; or a storm goes on."""
    io, fault = st.io, st.io.faults[f]
    if fault.kind == HANG:
        hang(st, q, now, f)
    elif fault.kind == BAD_INDEX:
        publish_nonsense(st, q, now, fault.target)
    else:
        alive = st.vms[st.vcpus[io.ports[fault.target].vcpu].vm].alive
        if alive and fault.kind == LOST:
            io.ports[fault.target].lose += fault.count
        elif alive:
            send(st, q, now, fault.target)
        if fault.every > 0 and now + fault.every < fault.until:
            set_alarm(st.alarms, io.rails.fault + f, now + fault.every)


# ------------------------------------------------------------------ interrupts and drivers


@kernel
@seldom
def lose_notification(st, now, s):
    """A port is sent, which takes a hypercall, and nobody sees it: the messages stay unknown, and only a timeout helps (9.1)."""
    st.io.ports[st.io.stages[s].port].lose -= 1
    await_timeout(st, now, s)
    return 1


@kernel
@seldom
def hang(st, q, now, f):
    """A thread takes nothing from `at` until `until`; then it looks (9.4)."""
    fault, thread = st.io.faults[f], st.io.threads[st.io.faults[f].target]
    t = fault.target
    if now == fault.at and now < fault.until:
        if not st.vms[st.tasks[t].vm].alive:
            return
        thread.hung, thread.hung_until = 1, max(fault.until, thread.hung_until if thread.hung else 0)
        set_alarm(st.alarms, st.io.rails.fault + f, fault.until)
    elif thread.hung and now >= thread.hung_until:
        thread.hung = 0
        wake_thread(st, q, now, t)


# ------------------------------------------------------------------ front ends that lie


@kernel
@seldom
def publish_nonsense(st, q, now, p):
    """The front end claims one request more than its ring has slots, and tells the back end of it (9.5)."""
    io, path = st.io, st.io.paths[p]
    stage = io.stages[path.first_stage + path.enter]
    if path.down or not st.vms[stage.vm].alive:
        return
    stage.prod = (stage.cons + path.slots + 1) & MASK
    io.rails.liars += 1
    if stage.port != NOBODY and not io.threads[stage.thread].polled:
        send(st, q, now, stage.port)
    else:
        wake_thread(st, q, now, stage.thread)


@kernel
@seldom
def check_indices(st, q, now, t):
    """A back end counts what lies in its rings: more than there are slots cannot be (8.1.8). 1 if it has disconnected somebody."""
    io, found = st.io, 0
    s = io.threads[t].first_stage
    while s != NOBODY and not io.threads[t].hung:
        p = io.stages[s].path
        if io.stages[s].place == io.paths[p].enter and io.paths[p].slots != NEVER and not io.paths[p].down:
            if ((io.stages[s].prod - io.stages[s].cons) & MASK) > io.paths[p].slots:
                disconnect(st, q, now, p)
                found = 1
        s = io.stages[s].next_stage
    return found


@kernel
@seldom
def disconnect(st, q, now, p):
    """No more of this front end: its messages are lost, and the path is down until one of its VMs has restarted."""
    st.io.paths[p].cut = 1
    break_off(st, q, now, p, NOBODY)
    go_on_lines(st, now)
