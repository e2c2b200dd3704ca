"""VMs that crash with messages in their hands, and what becomes of those (docs/io-model.md 7).

Executed once for each scheduler, together with `vcpus.py` and `loop.py`, for systems that have devices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtvirt.engine.messages import blame
from rtvirt.jit import kernel, seldom
from rtvirt.state import CHANNEL, RING
from rtvirt.timers import NEVER, set_alarm
from rtvirt.traffic import (
    BEGIN,
    IN_BACKLOG,
    IN_HAND,
    INTERPOSED,
    MASK,
    NOBODY,
    ON_LINE,
    QUEUED,
    RING_WAIT,
    SERVED_BY_LINE,
    STAMP_COLUMNS,
    STAMPS,
    WITH_APPLICATION,
)

if TYPE_CHECKING:   # for readers: `loop_for` executes these files into the same names
    from rtvirt.engine.lines import serve_next
    from rtvirt.engine.paths import give_up, leave_pool, move_backlog, next_unknown


@kernel
@seldom
def crashed(st, q, now, vm):
    """A VM has crashed: what it had to do with messages is over, and their paths are down."""
    forget_hands(st, vm)
    for p in range(st.io.rails.paths):
        if needs(st, p, vm) or serves_application(st, p, vm):
            break_off(st, q, now, p, vm)
    go_on_lines(st, now)


@kernel
@seldom
def go_on_lines(st, now):
    """Lines that have lost the message they served begin with the next (7.3)."""
    for n in range(st.io.rails.lines):
        if st.io.lines[n].serving == NOBODY:
            serve_next(st, now, n)


@kernel
@seldom
def forget_hands(st, vm):
    """Its threads, handlers and applications forget what they were doing."""
    io = st.io
    for t in range(st.vms[vm].first_task, st.vms[vm].first_task + st.vms[vm].tasks):
        thread = io.threads[t]
        thread.phase, thread.taken, thread.sent, thread.told, thread.hung, thread.message = BEGIN, 0, 0, 0, 0, NOBODY
        thread.rested = 0
        thread.last_stage = NOBODY
        if st.tasks[t].source == CHANNEL:
            for job in range(RING):
                io.carried[st.tasks[t].channel, job] = 0
    for v in range(st.vms[vm].first_vcpu, st.vms[vm].first_vcpu + st.vms[vm].vcpus):
        upcall = io.upcalls[v]
        upcall.up, upcall.last_port = 0, NOBODY
        port = upcall.first_port
        while port != NOBODY:
            io.ports[port].pending, io.ports[port].masked, io.ports[port].fruitless = 0, 0, 0
            set_alarm(st.alarms, io.rails.unmask + port, NEVER)
            io.stages[io.ports[port].stage].fruitful = 0
            port = io.ports[port].next_port


@kernel
@seldom
def needs(st, p, vm):
    """Has a path to do with a VM?"""
    path = st.io.paths[p]
    found = path.frontend == vm
    for s in range(path.first_stage, path.first_stage + path.stages):
        found = found or st.io.stages[s].vm == vm
    return found


@kernel
def serves_application(st, p, vm):
    """Do a path's messages end in a task of a VM?"""
    return st.io.paths[p].into != NOBODY and st.tasks[st.io.paths[p].into].vm == vm


@kernel
@seldom
def break_off(st, q, now, p, vm):
    """A path loses a VM: messages there, and those in its ring, go back to the front end, or are lost. With NOBODY: all are lost (9.5)."""
    io, path = st.io, st.io.paths[p]
    whole = vm == NOBODY or needs(st, p, vm)
    if whole:
        path.down = path.broken = 1
        set_alarm(st.alarms, io.rails.reconnect + p, NEVER)
    first, last, again, number = NOBODY, NOBODY, 0, -1
    while True:
        m = next_of_path(st, p, number)
        if m == NOBODY:
            break
        number = io.messages[m].number
        if not is_hit(st, m, p, vm, whole):
            continue
        again_possible = io.messages[m].slot and path.reissue and vm != path.frontend and vm != NOBODY and io.messages[m].delivered < 0
        unlink(st, m)
        if not again_possible:
            if path.frontend == vm:
                io.messages[m].task = NOBODY
            give_up(st, q, now, m, place_of(st, m, path))
            continue
        io.messages[m].slot = 0
        path.held -= 1
        if io.messages[m].pooled:
            leave_pool(st, q, now, m)
        blame(st, m, RING_WAIT, now)
        for i in range(STAMPS * path.enter, STAMP_COLUMNS):
            io.stamps[m, i] = -1
        io.messages[m].stage = path.first_stage + path.enter
        io.messages[m].where, io.messages[m].next = IN_BACKLOG, NOBODY
        if first == NOBODY:
            first = m
        else:
            io.messages[last].next = m
        last = m
        again += 1
    if again > 0:                                           # before those who wait already
        io.messages[last].next = path.first_waiting if path.backlog > 0 else NOBODY
        path.last_waiting = path.last_waiting if path.backlog > 0 else last
        path.first_waiting = first
        path.backlog += again
    for s in range(path.first_stage, path.first_stage + path.stages):
        place = io.stages[s].place
        if vm == NOBODY or io.stages[s].vm == vm or (whole and path.slots != NEVER and path.enter <= place <= path.leave):
            reset_stage(st, s)


@kernel
@seldom
def next_of_path(st, p, number):
    """The message of a path with the least number above a given one; NOBODY."""
    messages, found = st.io.messages, NOBODY
    for m in range(st.io.rails.fresh):
        if messages[m].path == p and messages[m].number > number and (found == NOBODY or messages[m].number < messages[found].number):
            found = m
    return found


@kernel
@seldom
def is_hit(st, m, p, vm, whole):
    """Does the crash of `vm`, of which the whole path `p` needs something or only its last job, concern a message of it?"""
    io, message, path = st.io, st.io.messages[m], st.io.paths[p]
    if vm == NOBODY or path.frontend == vm or (whole and message.slot):
        return True
    if message.where == WITH_APPLICATION:
        return st.tasks[path.into].vm == vm
    return message.where != IN_BACKLOG and io.stages[message.stage].vm == vm


@kernel
def place_of(st, m, path):
    """Where along its path a message is."""
    return path.stages if st.io.messages[m].where == WITH_APPLICATION else st.io.stages[st.io.messages[m].stage].place


@kernel
@seldom
def unlink(st, m):
    """Take a message away from wherever it is."""
    io, message = st.io, st.io.messages[m]
    stage = io.stages[message.stage]
    if message.where == QUEUED:
        if stage.first_unknown == m:
            stage.first_unknown = message.next
            next_unknown(st, message.stage)
        stage.first, stage.last = list_without(st, stage.first, stage.last, m)
        stage.waiting -= 1
        stage.cons = (stage.cons + 1) & MASK                # it counts as consumed
    elif message.where == IN_HAND:
        for i in range(io.threads[stage.thread].taken):
            if io.hands[stage.thread, i] == m:
                io.hands[stage.thread, i] = NOBODY
    elif message.where == ON_LINE:
        line = io.lines[stage.line]
        line.first, line.last = list_without(st, line.first, line.last, m)
        stage.waiting -= 1
    elif message.where == SERVED_BY_LINE:
        io.lines[stage.line].serving = NOBODY
    elif message.where == INTERPOSED:
        stage.interposed = NOBODY
        set_alarm(st.alarms, io.rails.interposed + message.stage, NEVER)
    elif message.where == IN_BACKLOG:
        path = io.paths[message.path]
        path.first_waiting, path.last_waiting = list_without(st, path.first_waiting, path.last_waiting, m)
        path.backlog -= 1
    elif message.where == WITH_APPLICATION:
        channel = st.tasks[io.paths[message.path].into].channel
        for job in range(RING):
            if io.carried[channel, job] == m + 1:
                io.carried[channel, job] = 0


@kernel
@seldom
def list_without(st, first, last, m):
    """Take a message out of a list of messages; the list's first and last from now on."""
    messages = st.io.messages
    if first == m:
        return messages[m].next, NOBODY if last == m else last
    before = first
    while messages[before].next != m:
        before = messages[before].next
    messages[before].next = messages[m].next
    return first, before if last == m else last


@kernel
@seldom
def reset_stage(st, s):
    """A new connection: indices as at the beginning (8.1.4)."""
    stage = st.io.stages[s]
    stage.prod = stage.cons = st.io.paths[stage.path].first_index
    stage.event = (stage.cons + 1) & MASK
    stage.fresh = 0
    set_alarm(st.alarms, st.io.rails.hold + s, NEVER)


@kernel
@seldom
def came_up(st, q, now, vm):
    """A VM has started: the paths that wait for it come up when all their VMs are there."""
    for p in range(st.io.rails.paths):
        path = st.io.paths[p]
        whole = path.down and needs(st, p, vm) and st.vms[path.frontend].alive
        for s in range(path.first_stage, path.first_stage + path.stages):
            whole = whole and (st.io.stages[s].vm == NOBODY or st.vms[st.io.stages[s].vm].alive)
        if whole and path.broken and path.reconnect > 0:
            set_alarm(st.alarms, st.io.rails.reconnect + p, now + path.reconnect)
        elif whole:
            reconnected(st, q, now, p)


@kernel
@seldom
def reconnected(st, q, now, p):
    """A path is up again."""
    st.io.paths[p].down = st.io.paths[p].broken = st.io.paths[p].cut = 0
    move_backlog(st, q, now, p)
