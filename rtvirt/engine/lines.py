"""What serves messages without a thread: lines, and the hypervisor in another VM's time (docs/io-model.md 5).

Executed once for each scheduler, together with `vcpus.py` and `loop.py`, for systems that have devices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtvirt.engine.jobs import arrival_after, release_of
from rtvirt.engine.messages import blame, leaves, line_takes, make_message, stamp
from rtvirt.engine.work import delay_work
from rtvirt.jit import kernel, large, seldom
from rtvirt.state import IDLE, RUNNING, TRAPPED
from rtvirt.timers import NEVER, set_alarm
from rtvirt.traffic import COST, INTERPOSED, NOBODY, SERVED_BY_LINE, TAKEN

if TYPE_CHECKING:   # for readers: `loop_for` executes these files into the same names
    from rtvirt.engine.paths import enter, free_slot, go_on_from, move_backlog, publish, room_in_pool


@kernel
@seldom
def start_arrivals(st):
    """Arm the arrivals of every path that has them (5.2)."""
    for p in range(st.io.rails.paths):
        t = st.agenda.tasks + p
        if st.io.paths[p].burst > 0:
            st.tasks[t].next_arrival = arrival_after(st, t, 0, st.tasks[t].offset)
            st.tasks[t].next_release = release_of(st, t, 0, st.tasks[t].next_arrival, 0)
            set_alarm(st.alarms, st.io.rails.source + p, st.tasks[t].next_release)


@kernel
@large
def messages_arrive(st, q, now, p):
    """A burst comes from outside."""
    path, source = st.io.paths[p], st.tasks[st.agenda.tasks + p]
    for _ in range(path.burst):
        enter(st, q, now, make_message(st, p, now), path.first_stage)
        publish(st, q, now, path.first_stage)
    job, t = source.next_job + 1, st.agenda.tasks + p
    source.next_job = job
    source.next_arrival = arrival_after(st, t, job, source.next_arrival)
    source.next_release = release_of(st, t, job, source.next_arrival, source.next_release)
    set_alarm(st.alarms, st.io.rails.source + p, source.next_release)


@kernel
@large
def serve_next(st, now, n):
    """A line begins to serve the first that waits, if there is one."""
    io, line = st.io, st.io.lines[n]
    m = line.first
    line.serving = m
    if m == NOBODY:
        set_alarm(st.alarms, io.rails.line + n, NEVER)
        return
    s = io.messages[m].stage
    line.first = io.messages[m].next
    io.messages[m].next = NOBODY
    io.messages[m].where = SERVED_BY_LINE
    io.stages[s].waiting -= 1
    line_takes(st, m, s, now)
    set_alarm(st.alarms, io.rails.line + n, now + io.stages[s].each)


@kernel
@large
def line_done(st, q, now, n):
    """A line has served a message."""
    io = st.io
    m = io.lines[n].serving
    s = io.messages[m].stage
    io.stages[s].served += io.stages[s].each
    pass_on(st, q, now, m, s)
    serve_next(st, now, n)


@kernel
@large
def pass_on(st, q, now, m, s):
    """A message leaves a stage that no thread serves."""
    blame(st, m, COST, now)
    leaves(st, m, s, now)
    p, freed = st.io.stages[s].path, free_slot(st, m, s)
    s = go_on_from(st, q, now, m, s)
    if s != NOBODY:
        publish(st, q, now, s)
    if freed:
        move_backlog(st, q, now, p)


@kernel
@large
def may_interpose(st, now, s):
    """May the hypervisor handle this message in another VM's time? (Beckert et al. 2014)"""
    stage = st.io.stages[s]
    if stage.distance == NEVER:
        return False
    state = st.vcpus[stage.vcpu].state
    free = stage.interposed == NOBODY and now - stage.interposed_at >= stage.distance and room_in_pool(st, s)
    return free and state != RUNNING and state != TRAPPED


@kernel
@seldom
def interpose(st, now, m, s):
    """It does: whoever runs there pays for two switches and the handler."""
    stage = st.io.stages[s]
    stage.interposed, stage.interposed_at = m, now
    st.io.messages[m].where = INTERPOSED
    stamp(st, m, s, TAKEN, now)
    set_alarm(st.alarms, st.io.rails.interposed + s, now + stage.switch + stage.each)
    victim = st.pcpus[st.vcpus[stage.vcpu].pcpu].current
    if victim != IDLE and (st.vcpus[victim].state == RUNNING or st.vcpus[victim].state == TRAPPED):
        delay_work(st, victim, 2 * stage.switch + stage.each)


@kernel
@seldom
def interposed_done(st, q, now, s):
    """The hypervisor has handled it."""
    m, st.io.stages[s].interposed = st.io.stages[s].interposed, NOBODY
    pass_on(st, q, now, m, s)
