"""Work: which task of a VM each of its vCPUs executes, and how long it takes (docs/model.md section 3)."""

from __future__ import annotations

from ..jit import kernel, seldom
from ..state import BLOCK, BLOCKED, CBS, NO_TASK, RR, RUNNING, TRAP, TRAPPED, ask_decision, log
from ..timers import NEVER, set_timer
from .record import record_wakeup

UNCLAIMED = -1


@kernel
def begin_work(st, v, now):
    """The task of a running vCPU goes on computing; arm the timer of its step's end (or of its guest quantum's or server's)."""
    tasks, p, t = st.tasks, st.vcpus[v].pcpu, st.vcpus[v].task
    start = st.pcpus[p].held_until
    if start < now:
        start = now
    st.pcpus[p].work_start = start
    if tasks[t].started < 0:
        tasks[t].started = start
    length, guest = tasks[t].remaining, st.vms[tasks[t].vm].guest
    if (guest == RR or guest == CBS) and tasks[t].quantum_left < length:
        length = max(0, tasks[t].quantum_left)         # a section of the hypervisor may have taken more than there was
    set_timer(st.timers, st.slots.work + p, start + length)


@kernel
def stop_work(st, v, now):
    """The task of a running vCPU stops computing, and nobody goes on in its place."""
    halt_work(st, v, now)
    clear_work(st, st.vcpus[v].pcpu)


@kernel
def halt_work(st, v, now):
    """Count what the task of a running vCPU has done. Its timer is left to who goes on: `begin_work`, or else `clear_work`."""
    p, t = st.vcpus[v].pcpu, st.vcpus[v].task
    if st.pcpus[p].work_start != NEVER:
        done = now - st.pcpus[p].work_start
        if done > 0:
            st.tasks[t].remaining -= done
            st.tasks[t].quantum_left -= done
        elif st.tasks[t].started > now:
            st.tasks[t].started = -1                   # it was to begin after a switch, and has not
        st.pcpus[p].work_start = NEVER


@kernel
@seldom
def begin_anew(st, t, now):
    """A task that may have just begun to compute on another vCPU has more to do there than it was begun with."""
    v = st.tasks[t].on_vcpu
    if v >= 0 and st.vcpus[v].state == RUNNING and st.pcpus[st.vcpus[v].pcpu].work_start != NEVER:
        halt_work(st, v, now)
        begin_work(st, v, now)


@kernel
def clear_work(st, p):
    """Disarm the timer of a pCPU where nobody computes."""
    if st.pcpus[p].work_start == NEVER:
        set_timer(st.timers, st.slots.work + p, NEVER)


@kernel
def delay_work(st, v, extra):
    """The hypervisor or the guest's kernel takes time: the task on `v` has that much more to do (model 8.4)."""
    t = st.vcpus[v].task
    if extra > 0 and t != NO_TASK:
        st.tasks[t].remaining += extra
        st.tasks[t].quantum_left += extra
        p = st.vcpus[v].pcpu
        if st.vcpus[v].state == RUNNING and st.pcpus[p].work_start != NEVER:
            slot = st.slots.work + p
            set_timer(st.timers, slot, st.timers.at[slot] + extra)
        elif st.vcpus[v].state == TRAPPED:
            hold(st, p, st.pcpus[p].held_until + extra)


@kernel
@seldom
def enter_section(st, v, now, length):
    """The task on a running vCPU has trapped: the hypervisor works for so long, and nobody decides anything meanwhile (model 3.8)."""
    t, p = st.vcpus[v].task, st.vcpus[v].pcpu
    log(st, now, p, v, TRAP, length)
    st.vcpus[v].state = TRAPPED
    st.tasks[t].remaining += length
    st.pcpus[p].work_start = now
    hold(st, p, now + st.tasks[t].remaining)


@kernel
@seldom
def hold(st, p, until):
    """No decision on a pCPU before an instant, where the section under way will end."""
    pcpus = st.pcpus
    pcpus[p].held_until = until
    set_timer(st.timers, st.slots.work + p, until)
    if pcpus[p].decide_at < until:
        pcpus[p].decide_at = until
        st.agenda.next_decision = NEVER
        for other in range(st.agenda.pcpus):
            st.agenda.next_decision = min(st.agenda.next_decision, pcpus[other].decide_at)


@kernel
@seldom
def leave_section(st, v):
    """The section is over."""
    st.vcpus[v].state = RUNNING


@kernel
@seldom
def cut_section(st, v, now):
    """Its VM has crashed: the hypervisor's work for it ends, and its pCPU decides at once."""
    if st.vcpus[v].state == TRAPPED:
        leave_section(st, v)
        st.pcpus[st.vcpus[v].pcpu].held_until = now
        st.pcpus[st.vcpus[v].pcpu].decide_at = NEVER
        ask_decision(st, st.vcpus[v].pcpu, now)


@kernel
def put_task(st, v, t, now):
    """Give a running vCPU a task and let it compute."""
    vcpus, tasks = st.vcpus, st.tasks
    vcpus[v].task = t
    tasks[t].on_vcpu = v
    tasks[t].last_vcpu = v
    if vcpus[v].last_task != t:
        if vcpus[v].last_task != NO_TASK:      # the guest's own context switch
            tasks[t].remaining += st.costs.guest_switch
            tasks[t].quantum_left += st.costs.guest_switch
        vcpus[v].last_task = t
    begin_work(st, v, now)


@kernel
def resume_work(st, v, now):
    """Let a running vCPU go on if its task stands still."""
    vcpus = st.vcpus
    if vcpus[v].state == RUNNING and vcpus[v].task != NO_TASK and st.pcpus[vcpus[v].pcpu].work_start == NEVER:
        begin_work(st, v, now)


@kernel
def drop_task(st, v, now):
    """Take the task off a vCPU; it keeps what is left of its work."""
    lay_down(st, v, now)
    clear_work(st, st.vcpus[v].pcpu)


@kernel
def lay_down(st, v, now):
    """The same, for another task to go on at once."""
    halt_work(st, v, now)
    t = st.vcpus[v].task
    if t != NO_TASK:
        st.tasks[t].on_vcpu = -1
        st.vcpus[v].task = NO_TASK


@kernel
def block(st, v, now):
    """A vCPU that has nothing to do blocks; its pCPU will look for another (1.5.1)."""
    vcpus, p = st.vcpus, st.vcpus[v].pcpu
    vcpus[v].blocked = 1
    vcpus[v].state = BLOCKED
    if vcpus[v].woken != NEVER:
        record_wakeup(st, v, now)         # woken while still current, it has worked: nobody needs to dispatch it
    log(st, now, p, v, BLOCK, 0)
    ask_decision(st, p, now + st.costs.block_path + st.costs.hypercall)


@kernel
def assign(st, vm, now):
    """The guest's scheduling decision: match ready tasks with the vCPUs that hold a pCPU now (model 3.4, 3.5)."""
    if st.vms[vm].vcpus > 1:
        assign_many(st, vm, now)
        return
    v = st.vms[vm].first_vcpu
    if st.vcpus[v].state != RUNNING:
        return
    t = st.vms[vm].first_ready
    if t != st.vcpus[v].task:
        lay_down(st, v, now)
        if t != NO_TASK:
            put_task(st, v, t, now)
    if t == NO_TASK:
        clear_work(st, st.vcpus[v].pcpu)
        block(st, v, now)


@kernel
@seldom
def assign_many(st, vm, now):
    """The same for a VM with several vCPUs: walk the ready tasks in order of urgency, each takes the best vCPU left."""
    vcpus, tasks = st.vcpus, st.tasks
    first_v, end_v = st.vms[vm].first_vcpu, st.vms[vm].first_vcpu + st.vms[vm].vcpus
    free = 0
    for v in range(first_v, end_v):          # those in the hypervisor keep their tasks
        vcpus[v].claim = UNCLAIMED
        if vcpus[v].state == RUNNING:
            free += 1
    t = st.vms[vm].first_ready
    while free > 0 and t != NO_TASK:
        held = tasks[t].on_vcpu >= 0 and vcpus[tasks[t].on_vcpu].state == TRAPPED
        v = UNCLAIMED if held else choose_vcpu(st, t, first_v, end_v)
        if v != UNCLAIMED:
            vcpus[v].claim = t
            free -= 1
        t = tasks[t].next_ready
    for v in range(first_v, end_v):
        if vcpus[v].state == RUNNING and vcpus[v].task != vcpus[v].claim:
            drop_task(st, v, now)
    for v in range(first_v, end_v):
        if vcpus[v].state == RUNNING:
            if vcpus[v].claim == UNCLAIMED:
                block(st, v, now)
            elif vcpus[v].task != vcpus[v].claim:
                put_task(st, v, vcpus[v].claim, now)


@kernel
@seldom
def choose_vcpu(st, t, first_v, end_v):
    """vCPU for a task: its own if pinned; else the one it ran on last; else the lowest-numbered; running and unclaimed ones only."""
    vcpus = st.vcpus
    own = st.tasks[t].pinned
    if own < 0:
        own = st.tasks[t].last_vcpu
    if own >= 0 and vcpus[own].state == RUNNING and vcpus[own].claim == UNCLAIMED:
        return own
    if st.tasks[t].pinned < 0:
        for v in range(first_v, end_v):
            if vcpus[v].state == RUNNING and vcpus[v].claim == UNCLAIMED:
                return v
    return UNCLAIMED


@kernel
def vcpu_to_wake(st, t):
    """Blocked vCPU that a task which became ready should wake: its own if pinned, else the lowest-numbered; UNCLAIMED if none."""
    vcpus = st.vcpus
    own = st.tasks[t].pinned
    if own >= 0:
        return own if vcpus[own].blocked else UNCLAIMED
    vm = st.tasks[t].vm
    for v in range(st.vms[vm].first_vcpu, st.vms[vm].first_vcpu + st.vms[vm].vcpus):
        if vcpus[v].blocked:
            return v
    return UNCLAIMED
