"""Tasks that send messages and wait for them (docs/io-model.md 4.4, 6), and what a device's alarms and steps are.

Executed once for each scheduler, together with `vcpus.py` and `loop.py`, for systems that have devices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtvirt.engine.jobs import demand_of, queue_task, unqueue_task
from rtvirt.engine.messages import leaves_application, make_message, ran, some, split, vcpu_of
from rtvirt.jit import kernel, large, seldom
from rtvirt.state import READY, RING, SLEEPING, STEP_REQUEST, STEP_SCAN, STEP_SERVE, STEP_SUBMIT
from rtvirt.timers import NEVER, set_alarm
from rtvirt.traffic import AWAIT, BEGIN, COST, DELIVER, LOOK, NOBODY, SHARED, SUBMITTED

if TYPE_CHECKING:   # for readers: `loop_for` executes these files into the same names
    from rtvirt.engine.faults import check_indices, fault_strikes
    from rtvirt.engine.lines import interposed_done, line_done, messages_arrive
    from rtvirt.engine.outages import reconnected
    from rtvirt.engine.paths import deliver, enter, final_check, look, publish, tell
    from rtvirt.engine.ports import handle_port, penalty_over, tell_inside, unmask_ports

NEXT_STEP, SLEEP = -1, -2


@kernel
@large
def device_step(st, q, now, t, kind, path):
    """Go on with a device's step. Returns what the task computes before it goes on with the same step [ns], or NEXT_STEP, or SLEEP."""
    if kind == STEP_SCAN:
        return handle_port(st, q, now, t)
    if kind == STEP_SERVE:
        return serve(st, q, now, t)
    return submit(st, q, now, t, path, kind == STEP_REQUEST)


@kernel
@large
def serve(st, q, now, t):
    """A thread looks, works, delivers, pays for its hypercalls, and looks again; once in a job it goes to rest and looks again (4.1)."""
    thread = st.io.threads[t]
    if thread.phase == DELIVER:
        thread.phase = LOOK
        deliver(st, q, now, t)
        hypercalls, thread.sent = thread.sent, 0
        return st.costs.hypercall * hypercalls
    if st.io.rails.liars > 0 and check_indices(st, q, now, t):
        return 0                                             # somebody may have become more urgent
    work = look(st, q, now, t)
    if work < 0:
        if thread.rested < thread.rest:
            thread.rested = thread.rest
            return thread.rest
        thread.rested = 0
        thread.told = 0
        if not thread.hung:
            final_check(st, t)
            unmask_ports(st, now, t)
        return NEXT_STEP
    thread.phase = DELIVER
    return work


@kernel
@large
def submit(st, q, now, t, p, waits):
    """A task puts a message on a path: computes, enters it, pays for the hypercall; and may sleep until it has ended."""
    io, task = st.io, st.io.threads[t]
    if task.phase == BEGIN:
        task.phase, task.began = SUBMITTED, now
        task.ran = ran(st, vcpu_of(st, t), now)
        return io.paths[p].submit
    if task.phase == SUBMITTED:
        task.phase = AWAIT
        m = make_message(st, p, task.began)
        io.messages[m].ran = task.ran
        rest = split(st, m, st.tasks[t].vm, vcpu_of(st, t), now)
        rest = some(st, m, COST, rest, io.paths[p].submit)
        some(st, m, SHARED, rest, rest)
        task.message = m if waits else NOBODY
        io.messages[m].task = t if waits else NOBODY
        enter(st, q, now, m, io.paths[p].first_stage)
        return st.costs.hypercall * publish(st, q, now, io.paths[p].first_stage)
    task.phase = BEGIN
    if task.message == NOBODY:
        return NEXT_STEP
    st.tasks[t].state = SLEEPING
    unqueue_task(st, t)
    return SLEEP


@kernel
@seldom
def over_at_the_end(st, t):
    """Is a script over but for going on, so that its job is done when the clock stops? Not if it requests at last: it would look first (1.7)."""
    task, waiting = st.tasks[t], st.io.threads[t]
    if task.steps == 0:
        return True
    kind = st.steps[task.first_step + task.steps - 1].kind
    if kind == STEP_SUBMIT:
        return task.step + 1 >= task.steps or (task.step + 2 == task.steps and waiting.phase == AWAIT)
    return kind != STEP_REQUEST and task.step + 1 >= task.steps


@kernel
@large
def answer(st, q, now, t):
    """The message that task `t` has requested, if any, has ended."""
    if t == NOBODY:
        return
    st.io.threads[t].message = NOBODY
    if st.tasks[t].state == SLEEPING and st.tasks[t].sleep_until == NEVER:
        queue_task(st, t, now)
        st.tasks[t].state = READY
        st.tasks[t].remaining = 0
        tell_inside(st, q, now, t)


@kernel
@seldom
def application_over(st, now, t, job, started):
    """A job of a channel task is done: so is the message that has released it, which is returned; or NOBODY."""
    c = st.tasks[t].channel
    m = st.io.carried[c, job % RING] - 1
    if m >= 0:
        st.io.carried[c, job % RING] = 0
        leaves_application(st, m, t, started, demand_of(st, t, job) if st.tasks[t].steps == 0 else -1, now)
    return m


@kernel
@large
def device_alarm(st, q, now, alarm):
    """What a path, a line or a stage waited for."""
    rails = st.io.rails
    set_alarm(st.alarms, alarm, NEVER)
    if alarm < rails.line:
        messages_arrive(st, q, now, alarm - rails.source)
    elif alarm < rails.interposed:
        line_done(st, q, now, alarm - rails.line)
    elif alarm < rails.hold:
        interposed_done(st, q, now, alarm - rails.interposed)
    elif alarm < rails.reconnect:
        if st.io.stages[alarm - rails.hold].first_unknown != NOBODY:
            tell(st, q, now, alarm - rails.hold)
    elif alarm < rails.unmask:
        reconnected(st, q, now, alarm - rails.reconnect)
    elif alarm < rails.fault:
        penalty_over(st, q, now, alarm - rails.unmask)
    else:
        fault_strikes(st, q, now, alarm - rails.fault)
