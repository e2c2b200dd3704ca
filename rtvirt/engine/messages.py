"""Messages: where each of them is, where its time went, and what is written down (docs/io-model.md 6 and 8).

`mark` is the instant up to which a message's causes are known: every function here moves it to now.
"""

from __future__ import annotations

from ..jit import kernel, large, seldom
from ..state import BOOK_FULL, MESSAGES_FULL, TRACE
from ..timers import NEVER, set_alarm
from ..traffic import (
    AT_DOOR,
    BATCHING,
    CAUSES,
    COST,
    DRIVER_WAIT,
    FRONTEND_WAIT,
    IN,
    KNOWN,
    MODERATION,
    NOBODY,
    OUT,
    SHARED,
    STAGES_OF_A_PATH,
    STAMP_COLUMNS,
    STAMPS,
    SUPPRESSION,
    TAKEN,
    WITH_APPLICATION,
)
from .record import note_time

APPLICATION = STAMPS * STAGES_OF_A_PATH          # first of its stamps: in, taken, out


@kernel
def ran(st, v, now):
    """How long vCPU `v` has not waited for a pCPU so far [ns]: it has executed its guest, from the end of each switch to the decision that
    took it off; or, taken off, it was blocked."""
    total, p = st.io.upcalls[v].ran, st.vcpus[v].pcpu
    if st.pcpus[p].current == v:
        return total + max(0, now - st.pcpus[p].work_from)
    if st.vcpus[v].blocked:
        return total + now - st.io.upcalls[v].left
    return total


@kernel
def count_ran(st, v, now):
    """The vCPU leaves its pCPU."""
    st.io.upcalls[v].ran = ran(st, v, now)
    st.io.upcalls[v].left = now


@kernel
def count_blocked(st, v, now):
    """The vCPU, if it has left its pCPU, wakes, or begins anew: what comes now is waiting."""
    if st.pcpus[st.vcpus[v].pcpu].current != v:
        count_ran(st, v, now)


@kernel
@large
def make_message(st, path, born):
    """A new message of a path, that counts from `born`."""
    io = st.io
    m = io.rails.free
    if m != NOBODY:
        io.rails.free = io.messages[m].next
    else:
        m = io.rails.fresh
        io.rails.fresh += 1
        if m >= io.rails.room:
            st.agenda.stop = MESSAGES_FULL
    message = io.messages[m]
    message.path, message.number = path, io.paths[path].created
    io.paths[path].created += 1
    message.stage, message.task, message.next = NOBODY, NOBODY, NOBODY
    message.born, message.mark, message.delivered = born, born, -1
    message.known, message.rang, message.slot, message.pooled, message.where = NEVER, 0, 0, 0, AT_DOOR
    for i in range(CAUSES):
        io.causes[m, i] = 0
    for i in range(STAMP_COLUMNS):
        io.stamps[m, i] = -1
    return m


@kernel
def stamp(st, m, s, which, now):
    """Note when something happened to a message at a stage."""
    st.io.stamps[m, STAMPS * st.io.stages[s].place + which] = now


@kernel
@large
def blame(st, m, cause, until):
    """All the time since the mark has one cause. What comes after delivery is nobody's matter."""
    some(st, m, cause, until - st.io.messages[m].mark, NEVER)
    st.io.messages[m].mark = until


@kernel
@large
def is_known(st, m, s, now, rang):
    """The consumer has been told of a message, or is awake anyway."""
    stage, message = st.io.stages[s], st.io.messages[m]
    blame(st, m, MODERATION if stage.by_line else SUPPRESSION, now)
    message.known, message.rang, message.done = now, rang, stage.served
    message.ran = ran(st, stage.vcpu, now)
    stamp(st, m, s, KNOWN, now)


@kernel
@large
def await_timeout(st, now, s):
    """Somebody has not been told of a message: no longer than the timeout, if there is one (2.7)."""
    stage, hold = st.io.stages[s], st.io.rails.hold + s
    if stage.timeout != NEVER and stage.first_unknown != NOBODY and st.alarms.at[hold] == NEVER:
        set_alarm(st.alarms, hold, now + stage.timeout)


@kernel
@large
def all_known(st, s, now, rang):
    """Whoever is told of one message knows all that are in the queue."""
    io, stage = st.io, st.io.stages[s]
    m = stage.first_unknown
    while m != NOBODY:
        if io.messages[m].known == NEVER:
            is_known(st, m, s, now, rang)
        m = io.messages[m].next
    stage.first_unknown = NOBODY
    set_alarm(st.alarms, io.rails.hold + s, NEVER)


@kernel
@large
def next_unknown(st, s):
    """The first message that nobody has been told of has left the queue: who is it now? Without one no timeout runs."""
    io, stage = st.io, st.io.stages[s]
    while stage.first_unknown != NOBODY and io.messages[stage.first_unknown].known != NEVER:
        stage.first_unknown = io.messages[stage.first_unknown].next
    if stage.first_unknown == NOBODY:
        set_alarm(st.alarms, io.rails.hold + s, NEVER)


@kernel
@large
def split(st, m, vm, v, now):
    """Blame the VM's wait for the time since the mark in which its vCPU did not run; returns the rest [ns]."""
    message = st.io.messages[m]
    total, seen = now - message.mark, ran(st, v, now)
    rest = min(total, seen - message.ran)
    some(st, m, FRONTEND_WAIT if vm == st.io.paths[message.path].frontend else DRIVER_WAIT, total - rest, NEVER)
    message.mark, message.ran = now, seen
    return rest


@kernel
def some(st, m, cause, rest, most):
    """Blame a cause for at most `most` of the `rest`; returns what is left [ns]."""
    part = min(rest, most)
    if st.io.messages[m].delivered < 0:
        st.io.causes[m, cause] += part
    return rest - part


@kernel
@large
def is_taken(st, m, s, now):
    """A thread has taken a message from its queue."""
    io, stage = st.io, st.io.stages[s]
    message = io.messages[m]
    if message.known == NEVER:
        is_known(st, m, s, now, 0)
    rest = split(st, m, stage.vm, stage.vcpu, now)
    if message.rang:
        rest = some(st, m, COST, rest, io.upcalls[stage.vcpu].entry + io.ports[stage.port].handler)
    rest = some(st, m, BATCHING, rest, stage.served - message.done)
    some(st, m, SHARED, rest, rest)
    stamp(st, m, s, TAKEN, now)


@kernel
@large
def has_left(st, m, s, now, together):
    """A thread has worked on a message, and on `together - 1` others of the stage in the same batch."""
    stage = st.io.stages[s]
    rest = split(st, m, stage.vm, stage.vcpu, now)
    rest = some(st, m, COST, rest, st.io.threads[stage.thread].fixed + stage.each)
    rest = some(st, m, BATCHING, rest, (together - 1) * stage.each)
    some(st, m, SHARED, rest, rest)
    leaves(st, m, s, now)


@kernel
def leaves(st, m, s, now):
    """The end of a stage, and of delivery perhaps."""
    stamp(st, m, s, OUT, now)
    path = st.io.paths[st.io.messages[m].path]
    if st.io.stages[s].place == path.ends:
        st.io.messages[m].delivered = now


@kernel
@large
def line_takes(st, m, s, now):
    """A line begins to serve a message."""
    message = st.io.messages[m]
    rest = some(st, m, BATCHING, now - message.mark, st.io.stages[s].served - message.done)
    some(st, m, SHARED, rest, rest)
    message.mark = now
    stamp(st, m, s, TAKEN, now)


@kernel
@large
def enters_stage(st, m, s, now):
    """A message has come in."""
    message = st.io.messages[m]
    message.arrived, message.done, message.known, message.rang = now, st.io.stages[s].served, NEVER, 0
    stamp(st, m, s, IN, now)


@kernel
@large
def before_stage(st, m, s):
    """A message stands before a stage's door."""
    message = st.io.messages[m]
    message.stage, message.where, message.next = s, AT_DOOR, NOBODY


@kernel
@seldom
def enters_application(st, m, t, now):
    """A message has released a job of task `t`."""
    message = st.io.messages[m]
    message.where = WITH_APPLICATION
    message.ran = ran(st, vcpu_of(st, t), now)
    st.io.stamps[m, APPLICATION] = now


@kernel
@seldom
def leaves_application(st, m, t, started, demand, now):
    """That job is done; `demand` is its execution time, -1 if it followed a script."""
    rest = split(st, m, st.tasks[t].vm, vcpu_of(st, t), now)
    rest = some(st, m, COST, rest, rest if demand < 0 else demand)
    some(st, m, SHARED, rest, rest)
    st.io.stamps[m, APPLICATION + 1] = started
    st.io.stamps[m, APPLICATION + 2] = now


@kernel
def vcpu_of(st, t):
    """The vCPU on which a task is thought to run: its own if pinned, else the first of its VM."""
    return st.tasks[t].pinned if st.tasks[t].pinned >= 0 else st.vms[st.tasks[t].vm].first_vcpu


@kernel
@large
def record_message(st, m, now, dropped):
    """A message has ended at `now`, was dropped at a place of its path (`dropped` >= 0), or (now -1) is still on its way."""
    io, message = st.io, st.io.messages[m]
    totals = io.totals[message.path]
    total = -1
    if dropped >= 0:
        totals.dropped += 1
    elif now >= 0:
        total = (now if message.delivered < 0 else message.delivered) - message.born
        totals.delivered += 1
        note_time(st.book, st.agenda.vcpus + st.agenda.tasks + message.path, total)
        totals.cost += io.causes[m, 0]
        totals.driver_wait += io.causes[m, 1]
        totals.frontend_wait += io.causes[m, 2]
        totals.batching += io.causes[m, 3]
        totals.suppression += io.causes[m, 4]
        totals.shared += io.causes[m, 5]
        totals.moderation += io.causes[m, 6]
        totals.ring += io.causes[m, 7]
    if st.book.pages.level == TRACE:
        row = st.book.pages.messages
        io.rows[row, 0], io.rows[row, 1], io.rows[row, 2], io.rows[row, 3] = message.path, message.number, dropped, total
        for i in range(CAUSES):
            io.rows[row, 4 + i] = io.causes[m, i]
        for i in range(STAMP_COLUMNS):
            io.rows[row, 4 + CAUSES + i] = io.stamps[m, i]
        st.book.pages.messages += 1
        if st.book.pages.messages > st.book.pages.room:
            st.agenda.stop = BOOK_FULL
    message.path, message.next = NOBODY, io.rails.free
    io.rails.free = m


@kernel
@seldom
def close_messages(st):
    """At the end of the run: write down what is still on its way. False when the table is full (call again)."""
    for m in range(st.io.rails.fresh):
        if st.io.messages[m].path != NOBODY:
            if st.book.pages.level == TRACE and st.book.pages.messages > st.book.pages.room:
                return False
            record_message(st, m, -1, -1)
    return True
