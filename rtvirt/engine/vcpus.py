"""vCPUs: waking, switching, and starting, pausing and crashing their VMs.

Executed once for each scheduler, together with `loop.py`, with ``policy`` naming the scheduler's module (see `rtvirt.jit.loop_for`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtvirt.engine.jobs import arm_task, drop_jobs, reset_task, take_release
from rtvirt.engine.messages import count_blocked, count_ran
from rtvirt.engine.record import record_stint, record_wakeup
from rtvirt.engine.work import assign, cut_section, delay_work, drop_task, resume_work
from rtvirt.jit import kernel, seldom
from rtvirt.state import (
    BLOCKED,
    CRASH,
    CRASH_VM,
    DISPATCH,
    IDLE,
    NO_TASK,
    OFFLINE,
    PAUSE_VM,
    PAUSED,
    PREEMPT,
    READY,
    RECONFIGURED,
    RESUME_VM,
    RUNNABLE,
    RUNNING,
    START,
    START_SCHEDULER,
    START_VM,
    UNPAUSED,
    WAKE,
    log,
    set_slice,
)
from rtvirt.timers import NEVER, set_alarm

if TYPE_CHECKING:
    from rtvirt.engine.faults import start_faults
    from rtvirt.engine.lines import start_arrivals
    from rtvirt.engine.outages import came_up, crashed

if "policy" not in globals():   # for readers and linters: `loop_for` binds the scheduler, says whether there are devices
    from rtvirt.schedulers import credit as policy

    DEVICES = True


@kernel
def no_hook(st, q, now, subject):
    """Stands in for what a scheduler does not ask for."""


@kernel
def no_saved(st, q, now, p, v):
    """The same."""


# what only some schedulers ask for: an alarm of theirs rings; the vCPU that left a pCPU is saved (1.4.8); a contract has changed
OWN_ALARMS, SAVES = hasattr(policy, "replenish"), hasattr(policy, "saved")
replenish = getattr(policy, "replenish", no_hook)
saved = getattr(policy, "saved", no_saved)
reconfigured = getattr(policy, "reconfigured", no_hook)


@kernel
def tick(st, q, now, p):
    """The scheduler's tick on pCPU `p`; whoever runs there pays for it."""
    policy.tick(st, q, now, p)
    if st.pcpus[p].current != IDLE:
        delay_work(st, st.pcpus[p].current, st.costs.tick)


@kernel
def wake(st, q, now, v):
    """A blocked vCPU has something to do (1.5.2)."""
    vcpus = st.vcpus
    if DEVICES:
        count_blocked(st, v, now)
    vcpus[v].blocked = 0
    if vcpus[v].paused > 0:
        vcpus[v].state = OFFLINE
        return
    p = vcpus[v].pcpu
    vcpus[v].state = RUNNING if st.pcpus[p].current == v else RUNNABLE
    if vcpus[v].woken == NEVER:
        vcpus[v].woken = now
    log(st, now, p, v, WAKE, policy.worth(q, v))
    policy.wake(st, q, now, v)


@kernel
def next_to_decide(st):
    """The lowest-numbered pCPU that is due to reschedule; its request is taken, and the next one looked up."""
    due = st.agenda.next_decision
    chosen, soonest = -1, NEVER
    for p in range(st.agenda.pcpus):
        at = st.pcpus[p].decide_at
        if at == due and chosen < 0:
            chosen = p
            st.pcpus[p].decide_at = NEVER
        elif at < soonest:
            soonest = at
    st.agenda.next_decision = soonest
    return chosen


@kernel
def reschedule(st, q, now, p):
    """Ask the scheduler who runs on pCPU `p` now, and switch to it (1.4.5)."""
    old = st.pcpus[p].current
    new, length = policy.decide(st, q, now, p)
    set_slice(st, p, now, length)
    if new == old:
        if old != IDLE:
            go_on(st, now, p, old)
        return
    st.agenda.handled += 1
    costs = st.costs
    switch_in, switch_out = costs.switch_in, costs.switch_out
    if old != IDLE:
        if st.vcpus[old].blocked or st.vcpus[old].paused > 0:
            switch_in, switch_out = costs.block_switch_in, costs.block_switch_out
        if new == IDLE:
            switch_in, switch_out = switch_in - costs.idle_saving, switch_out - costs.idle_saving
        take_off(st, q, now, p, old, switch_out)
    else:
        switch_in -= costs.idle_saving
    st.pcpus[p].current = new
    st.pcpus[p].since = now
    st.pcpus[p].work_from = now + switch_in + costs.context_switch + costs.decision
    if SAVES and old != IDLE:
        save(st, p, old, st.pcpus[p].work_from)
    if new != IDLE:
        st.pcpus[p].work_from = max(st.pcpus[p].work_from, st.vcpus[new].saved)      # stolen from a pCPU that still saves it
    st.pcpus[p].held_until = st.pcpus[p].work_from
    if new != IDLE:
        dispatch(st, q, now, p, new)
    if SAVES and old != IDLE and st.alarms.at[st.slots.saved + p] == now:
        set_alarm(st.alarms, st.slots.saved + p, NEVER)          # without path costs it takes no time
        saved(st, q, now, p, old)


@kernel
def save(st, p, v, at):
    """The registers of the vCPU that leaves a pCPU will be saved when the switch is over."""
    st.pcpus[p].saving = v
    set_alarm(st.alarms, st.slots.saved + p, at)


@kernel
def go_on(st, now, p, v):
    """The same vCPU is chosen again: its stint goes on."""
    if st.vcpus[v].woken != NEVER:
        record_wakeup(st, v, now)
    delay_work(st, v, st.costs.decision)
    if st.vcpus[v].task == NO_TASK:
        assign(st, st.vcpus[v].vm, now)
    resume_work(st, v, now)


@kernel
def take_off(st, q, now, p, v, switch_out):
    """A vCPU leaves its pCPU: blocked, paused, or still runnable (1.3.3)."""
    vcpus = st.vcpus
    drop_task(st, v, now)
    if DEVICES:
        count_ran(st, v, now)
    record_stint(st, p, v, st.pcpus[p].work_from, now + switch_out)
    vcpus[v].saved = max(st.pcpus[p].work_from, now + switch_out)
    if vcpus[v].blocked:
        vcpus[v].state = BLOCKED
    elif vcpus[v].paused > 0:
        vcpus[v].state = OFFLINE
    else:
        vcpus[v].state = RUNNABLE
        log(st, now, p, v, PREEMPT, policy.worth(q, v))
    if st.vms[vcpus[v].vm].vcpus > 1:
        assign(st, vcpus[v].vm, now)


@kernel
def dispatch(st, q, now, p, v):
    """A vCPU gets a pCPU; its guest chooses a task."""
    vcpus, pcpus, book = st.vcpus, st.pcpus, st.book
    vcpus[v].state = RUNNING
    vcpus[v].pcpu = p
    book.vcpus[v].stints += 1
    log(st, now, p, v, DISPATCH, policy.worth(q, v))
    if vcpus[v].woken != NEVER:
        record_wakeup(st, v, pcpus[p].work_from)
    assign(st, vcpus[v].vm, now)
    if pcpus[p].last_ran != v:
        book.vcpus[v].switches += 1
        delay_work(st, v, st.costs.cache_reload)
    pcpus[p].last_ran = v


# ------------------------------------------------------------------ commands


@kernel
@seldom
def obey(st, q, now, command, vm):
    """Start, pause, resume, crash or reconfigure a VM (model sections 5 and 6)."""
    if command == START_SCHEDULER:
        policy.start(st, q)
        if DEVICES:
            start_arrivals(st)
            start_faults(st)
        return
    first = st.vms[vm].first_vcpu
    if command == START_VM:
        start_vm(st, q, now, vm)
        if DEVICES:
            came_up(st, q, now, vm)
        return
    for v in range(first, first + st.vms[vm].vcpus):
        if command == RECONFIGURED:
            reconfigured(st, q, now, v)
        elif command == RESUME_VM:
            resume(st, q, now, v)
        else:
            pause(st, q, now, v, PAUSED if command == PAUSE_VM else CRASH)
    if command == CRASH_VM:
        st.vms[vm].alive = 0
        for t in range(st.vms[vm].first_task, st.vms[vm].first_task + st.vms[vm].tasks):
            if st.tasks[t].on_vcpu >= 0:
                cut_section(st, st.tasks[t].on_vcpu, now)
                drop_task(st, st.tasks[t].on_vcpu, now)
            drop_jobs(st, t)
        if DEVICES:
            crashed(st, q, now, vm)
        for v in range(first, first + st.vms[vm].vcpus):
            policy.leave(st, q, now, v)


@kernel
@seldom
def pause(st, q, now, v, event):
    """Keep a vCPU from running (1.5.6)."""
    log(st, now, st.vcpus[v].pcpu, v, event, 0)
    st.vcpus[v].paused += 1
    st.vcpus[v].woken = NEVER
    if st.vcpus[v].state == RUNNABLE:
        st.vcpus[v].state = OFFLINE
    policy.sleep(st, q, now, v)


@kernel
@seldom
def resume(st, q, now, v):
    """Let a paused vCPU run again; if it has something to do it wakes (1.5.2)."""
    vcpus = st.vcpus
    log(st, now, vcpus[v].pcpu, v, UNPAUSED, 0)
    vcpus[v].paused -= 1
    if vcpus[v].paused == 0 and vcpus[v].state == OFFLINE:
        if DEVICES:
            count_blocked(st, v, now)
        vcpus[v].blocked = 1                 # a wake-up from being paused counts like any other
        wake(st, q, now, v)


@kernel
@seldom
def start_vm(st, q, now, vm):
    """Release what is due, and queue as many vCPUs as there are ready tasks (model section 5)."""
    tasks, vcpus = st.tasks, st.vcpus
    first, end = st.vms[vm].first_vcpu, st.vms[vm].first_vcpu + st.vms[vm].vcpus
    st.vms[vm].alive = 1
    first_t, end_t = st.vms[vm].first_task, st.vms[vm].first_task + st.vms[vm].tasks
    for v in range(first, end):
        if DEVICES:
            count_blocked(st, v, now)
        vcpus[v].blocked = 1
        vcpus[v].paused -= 1
    for t in range(first_t, end_t):
        reset_task(st, t, now)
        while tasks[t].next_release <= now:
            take_release(st, t, now)
        arm_task(st, t)
        if tasks[t].state == READY and tasks[t].pinned >= 0:
            vcpus[tasks[t].pinned].blocked = 0
    for t in range(first_t, end_t):
        if tasks[t].state == READY and tasks[t].pinned < 0:
            for v in range(first, end):
                if vcpus[v].blocked:
                    vcpus[v].blocked = 0
                    break
    for v in range(first, end):
        vcpus[v].state = BLOCKED if vcpus[v].blocked else RUNNABLE
        if not vcpus[v].blocked:
            log(st, now, vcpus[v].pcpu, v, START, policy.worth(q, v))
        policy.place(st, q, now, v)
