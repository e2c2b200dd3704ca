"""Paths: how messages move from queue to queue (docs/io-model.md 2, 4 and 6).

Executed once for each scheduler, together with `vcpus.py` and `loop.py`, for systems that have devices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtvirt.engine.jobs import take_release
from rtvirt.engine.messages import (
    all_known,
    await_timeout,
    before_stage,
    blame,
    enters_application,
    enters_stage,
    has_left,
    is_known,
    is_taken,
    next_unknown,
    record_message,
)
from rtvirt.engine.rings import event_after, must_tell
from rtvirt.jit import kernel, large, seldom
from rtvirt.state import RING
from rtvirt.traffic import IN_BACKLOG, IN_HAND, LISTED, MASK, NOBODY, OLDEST, ON_LINE, QUEUED, RING_WAIT

if TYPE_CHECKING:   # for readers: `loop_for` executes these files into the same names
    from rtvirt.engine.faults import lose_notification
    from rtvirt.engine.lines import interpose, may_interpose, serve_next
    from rtvirt.engine.ports import send, tell_inside, wake_thread
    from rtvirt.engine.submissions import answer

# ------------------------------------------------------------------ into a queue


@kernel
@large
def enter(st, q, now, m, s):
    """A message comes to a stage: it needs a slot of the ring where its path has one (2.4)."""
    io, stage = st.io, st.io.stages[s]
    path = io.paths[stage.path]
    before_stage(st, m, s)
    if stage.place == path.enter and (path.down or path.held >= path.slots or path.backlog > 0):
        refused = path.cut or not path.reissue if path.down else path.drop_full
        if refused or path.backlog >= path.backlog_limit:
            drop(st, q, now, m, stage.place)
        else:
            append_to_backlog(st, stage.path, m)
    elif accepts(st, now, s):
        go_in(st, now, m, s)
    else:
        drop(st, q, now, m, stage.place)


@kernel
@seldom
def append_to_backlog(st, p, m):
    """The last of those that wait for a slot."""
    path, messages = st.io.paths[p], st.io.messages
    messages[m].next, messages[m].where = NOBODY, IN_BACKLOG
    if path.backlog == 0:
        path.first_waiting = m
    else:
        messages[path.last_waiting].next = m
    path.last_waiting = m
    path.backlog += 1


@kernel
@large
def accepts(st, now, s):
    """Is there somebody to serve the stage, and room in its queue, or will the hypervisor serve it at once?"""
    stage = st.io.stages[s]
    if stage.vm != NOBODY and not st.vms[stage.vm].alive:
        return False
    return stage.waiting < stage.capacity or may_interpose(st, now, s)


@kernel
@large
def go_in(st, now, m, s):
    """Into the queue of a stage; a line that is free serves at once, and so may the hypervisor (5.3)."""
    io, stage = st.io, st.io.stages[s]
    message, path = io.messages[m], io.paths[stage.path]
    if stage.place == path.enter:
        message.slot = 1
        path.held += 1
    enters_stage(st, m, s, now)
    if may_interpose(st, now, s):
        join_pool(st, m, s)
        interpose(st, now, m, s)
        return
    if stage.line != NOBODY:
        line = io.lines[stage.line]
        message.where = ON_LINE
        stage.waiting += 1
        if line.first == NOBODY:
            line.first = m
        else:
            io.messages[line.last].next = m
        line.last = m
        if line.serving == NOBODY:
            serve_next(st, now, stage.line)
        return
    message.where = QUEUED
    if stage.first == NOBODY:
        stage.first = m
    else:
        io.messages[stage.last].next = m
    stage.last = m
    stage.waiting += 1
    stage.fresh += 1
    if st.tasks[stage.thread].pending > 0 or io.threads[stage.thread].told or (not room_in_pool(st, s) and not io.threads[stage.thread].polled):
        is_known(st, m, s, now, 0)
    elif stage.first_unknown == NOBODY:
        stage.first_unknown = m


@kernel
@large
def publish(st, q, now, s):
    """Make what has entered a queue visible, and tell its thread if it has asked for that (8.1.5); 1 if that took a hypercall."""
    io, stage = st.io, st.io.stages[s]
    if stage.fresh == 0:
        return 0
    old = stage.prod
    stage.prod = (old + stage.fresh) & MASK
    stage.fresh = 0
    if io.threads[stage.thread].polled:
        return 0
    if stage.always or must_tell(old, stage.prod, stage.event):
        return tell(st, q, now, s)
    await_timeout(st, now, s)
    return 0


@kernel
@large
def tell(st, q, now, s):
    """Tell a stage's thread that there are messages: by its port, or from within its VM."""
    io, stage = st.io, st.io.stages[s]
    if stage.port != NOBODY and io.ports[stage.port].lose > 0:
        return lose_notification(st, now, s)
    all_known(st, s, now, int(stage.port != NOBODY))
    io.threads[stage.thread].told = 1
    if stage.port == NOBODY:
        wake_thread(st, q, now, stage.thread)
        return 0
    send(st, q, now, stage.port)
    return 1


@kernel
@seldom
def move_backlog(st, q, now, p):
    """Slots are free again: those who wait go on; the number of hypercalls that took."""
    io, path = st.io, st.io.paths[p]
    s = path.first_stage + path.enter
    while path.backlog > 0 and path.held < path.slots and not path.down:
        m = path.first_waiting
        path.first_waiting = io.messages[m].next
        path.backlog -= 1
        io.messages[m].next = NOBODY
        blame(st, m, RING_WAIT, now)
        if accepts(st, now, s):
            go_in(st, now, m, s)
        else:
            give_up(st, q, now, m, path.enter)
    return publish(st, q, now, s)


# ------------------------------------------------------------------ threads


@kernel
@large
def look(st, q, now, t):
    """A thread takes what it finds; what that will cost [ns], or -1 if there was nothing (2.8)."""
    io, thread = st.io, st.io.threads[t]
    if thread.hung:
        return -1
    work, s = 0, thread.first_stage
    while s != NOBODY:
        io.stages[s].batch = 0
        s = io.stages[s].next_stage
    while thread.taken < thread.batch:
        s = stage_to_serve(st, t)
        if s == NOBODY:
            break
        m = take(st, now, s)
        io.hands[t, thread.taken] = m
        thread.taken += 1
        thread.last_stage = s
        work += io.stages[s].each
    if thread.taken == 0:
        return -1
    s = thread.first_stage
    while s != NOBODY:
        p = io.stages[s].path
        if io.stages[s].place == io.paths[p].leave and io.paths[p].backlog > 0:
            thread.sent += move_backlog(st, q, now, p)
        s = io.stages[s].next_stage
    return work + thread.fixed


@kernel
@large
def stage_to_serve(st, t):
    """The stage that a thread takes from next; NOBODY if all are empty."""
    io, thread = st.io, st.io.threads[t]
    best, after = NOBODY, NOBODY
    s = thread.first_stage
    while s != NOBODY:
        stage = io.stages[s]
        if stage.first != NOBODY and room_in_pool(st, s):
            if best == NOBODY or (thread.order == OLDEST and io.messages[stage.first].arrived < io.messages[io.stages[best].first].arrived):
                best = s
            if after == NOBODY and s > thread.last_stage:
                after = s
        s = stage.next_stage
    if thread.order != OLDEST and thread.order != LISTED and after != NOBODY:
        return after
    return best


@kernel
def room_in_pool(st, s):
    """May one more request of this stage's path be in flight? (8.5.1)"""
    path = st.io.paths[st.io.stages[s].path]
    return path.pool == NOBODY or st.io.stages[s].place != path.enter or st.io.pools[path.pool].used < st.io.pools[path.pool].size


@kernel
@large
def take(st, now, s):
    """The first message of a queue, which is in its thread's hands now."""
    io, stage = st.io, st.io.stages[s]
    m = stage.first
    message = io.messages[m]
    stage.first = message.next
    message.where = IN_HAND
    stage.waiting -= 1
    stage.cons = (stage.cons + 1) & MASK
    stage.batch += 1
    stage.fruitful = 1
    if stage.first_unknown == m:
        stage.first_unknown = stage.first
        next_unknown(st, s)
    is_taken(st, m, s, now)
    free_slot(st, m, s)
    join_pool(st, m, s)
    return m


@kernel
def join_pool(st, m, s):
    """A request is in flight from now on, where its path counts them."""
    path = st.io.paths[st.io.stages[s].path]
    if path.pool != NOBODY and st.io.stages[s].place == path.enter:
        st.io.messages[m].pooled = 1
        st.io.pools[path.pool].used += 1


@kernel
def free_slot(st, m, s):
    """A response has been taken: its slot can hold the next request (8.1.3). 1 if there is one more now."""
    path = st.io.paths[st.io.stages[s].path]
    if st.io.stages[s].place != path.leave or not st.io.messages[m].slot:
        return 0
    st.io.messages[m].slot = 0
    path.held -= 1
    return 1


@kernel
@large
def deliver(st, q, now, t):
    """Everything in a thread's hands goes on; then each queue that was entered is published (4.2)."""
    io, thread = st.io, st.io.threads[t]
    s = thread.first_stage
    while s != NOBODY:
        if io.stages[s].batch > 0:
            io.stages[s].served += thread.fixed + io.stages[s].batch * io.stages[s].each
        s = io.stages[s].next_stage
    taken, thread.taken = thread.taken, 0
    for i in range(taken):
        m, io.hands[t, i] = io.hands[t, i], NOBODY
        if m != NOBODY:                                   # a crash may have taken it away
            s = io.messages[m].stage
            has_left(st, m, s, now, io.stages[s].batch)
            io.hands[t, i] = go_on_from(st, q, now, m, s)
    for i in range(taken):
        s = io.hands[t, i]
        if s != NOBODY:
            thread.sent += publish(st, q, now, s)


@kernel
@large
def go_on_from(st, q, now, m, s):
    """A message has left a stage: on to the next, which is returned, or to the end of its path (NOBODY)."""
    io, stage = st.io, st.io.stages[s]
    path = io.paths[stage.path]
    if io.messages[m].pooled and stage.place == path.pool_until:
        leave_pool(st, q, now, m)
    if stage.place + 1 < path.stages:
        enter(st, q, now, m, s + 1)
        return s + 1
    if path.into == NOBODY:
        end_message(st, q, now, m)
    else:
        hand_over(st, q, now, m, path.into)
    return NOBODY


@kernel
@seldom
def leave_pool(st, q, now, m):
    """A request is answered: threads that waited for room look again."""
    io, pool = st.io, st.io.paths[st.io.messages[m].path].pool
    io.messages[m].pooled = 0
    io.pools[pool].used -= 1
    for p in range(io.rails.paths):
        s = io.paths[p].first_stage + io.paths[p].enter
        if io.paths[p].pool == pool and io.stages[s].first != NOBODY and not io.threads[io.stages[s].thread].polled:
            all_known(st, s, now, 0)
            wake_thread(st, q, now, io.stages[s].thread)


@kernel
@large
def final_check(st, t):
    """A thread that found nothing says of which message it wants to be told (8.1.6)."""
    io, thread = st.io, st.io.threads[t]
    s = thread.first_stage
    while s != NOBODY and not thread.polled:
        stage = io.stages[s]
        stage.event = event_after(stage.cons, stage.after, io.paths[stage.path].held)
        s = stage.next_stage


# ------------------------------------------------------------------ the end of a path


@kernel
@seldom
def hand_over(st, q, now, m, t):
    """A message releases a job of the application (6.1)."""
    if not st.vms[st.tasks[t].vm].alive:
        drop(st, q, now, m, st.io.paths[st.io.messages[m].path].stages)
        return
    st.io.carried[st.tasks[t].channel, st.tasks[t].next_job % RING] = m + 1
    enters_application(st, m, t, now)
    if take_release(st, t, now):
        tell_inside(st, q, now, t)


@kernel
@large
def end_message(st, q, now, m):
    """A message has come to its end; who requested it goes on."""
    t = st.io.messages[m].task
    record_message(st, m, now, -1)
    answer(st, q, now, t)


@kernel
@seldom
def drop(st, q, now, m, place):
    """A message is given up at a place of its path; the slot it held is free for the next."""
    held, p = st.io.messages[m].slot, st.io.messages[m].path
    give_up(st, q, now, m, place)
    if held:
        move_backlog(st, q, now, p)


@kernel
@seldom
def give_up(st, q, now, m, place):
    """The same, while others are looked after; who requested it is told. What had been delivered has ended well."""
    io, message = st.io, st.io.messages[m]
    t = message.task
    if message.slot:
        message.slot = 0
        io.paths[message.path].held -= 1
    if message.pooled:
        leave_pool(st, q, now, m)
    record_message(st, m, now, place if message.delivered < 0 else -1)
    answer(st, q, now, t)
