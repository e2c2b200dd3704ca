"""The event loop: one source for all schedulers.

`rtvirt.jit.loop_for` executes this file once for each scheduler, with the name ``policy`` bound to that scheduler's module, and
compiles the result. The loop calls ``policy.start, place, wake, sleep, yield_, decide, tick, account, leave, worth``.

Order at one instant (docs/model.md 1.2): work ends < releases < ticks < accounting < slice timers < decisions. The first five are
timers, and timer slots are laid out in that order; a decision is taken only when no timer is due.
"""

from __future__ import annotations

from rtvirt.engine.jobs import arm_task, close_task, drop_jobs, finish_job, queue_task, reset_task, take_release
from rtvirt.engine.record import book_is_full, record_stint, record_wakeup
from rtvirt.engine.work import assign, begin_work, delay_work, drop_task, resume_work, stop_work, vcpu_to_wake
from rtvirt.jit import kernel
from rtvirt.state import (
    BLOCKED,
    BOOK_FULL,
    BREATHE,
    CHANNEL_FULL,
    CLOSE,
    CRASH,
    CRASH_VM,
    DISPATCH,
    DONE,
    IDLE,
    NO_TASK,
    OFFLINE,
    PAUSE_VM,
    PAUSED,
    PREEMPT,
    READY,
    RESUME_VM,
    RUNNABLE,
    RUNNING,
    SLEEPING,
    START,
    START_SCHEDULER,
    START_VM,
    STEP_BLOCK,
    STEP_RUN,
    STEP_YIELD,
    UNPAUSED,
    WAKE,
    YIELD,
    ask_decision,
    log,
    set_slice,
)
from rtvirt.timers import NEVER, first_timer, set_timer

if "policy" not in globals():   # for readers and linters: `loop_for` binds the scheduler
    from rtvirt.schedulers import credit as policy


def run(st, q, horizon, events, command, subject):
    """Handle events before `horizon` [ns], at most `events` of them; or carry out one command.

    `st` is the shared `State`, `q` the scheduler's own arrays. A command (START_VM, PAUSE_VM, ..., CLOSE) concerns VM `subject` and
    happens at `horizon`, when no earlier event is left. Returns why it stopped: DONE, BOOK_FULL, CHANNEL_FULL or BREATHE;
    all state is in the arrays, so calling again goes on.
    """
    if command == CLOSE:
        return close(st, horizon)
    if command != 0:
        obey(st, q, horizon, command, subject)
        return DONE
    timers, slots = st.timers, st.slots
    for _ in range(events):
        slot = first_timer(timers)
        now = timers.at[slot]
        if st.agenda.next_decision < now:
            now = st.agenda.next_decision
            if now >= horizon:
                return DONE
            reschedule(st, q, now, next_to_decide(st))
        else:
            if now >= horizon:
                return DONE
            st.agenda.handled += 1
            if slot < slots.replenish:
                work_ends(st, q, now, slot - slots.work)
            elif slot < slots.tick:
                task_timer(st, q, now, slot - slots.task)
            elif slot >= slots.slice:
                set_timer(timers, slot, NEVER)
                ask_decision(st, slot - slots.slice, now)
            elif slot < slots.account:
                tick(st, q, now, slot - slots.tick)
            else:
                policy.account(st, q, now)
        if book_is_full(st.book):
            return BOOK_FULL
        if st.agenda.failed != DONE:
            return CHANNEL_FULL
    return BREATHE


# ------------------------------------------------------------------ tasks


@kernel
def work_ends(st, q, now, p):
    """The task running on pCPU `p` has finished a step, or used up its guest quantum."""
    v = st.pcpus[p].current
    t = st.vcpus[v].task
    stop_work(st, v, now)
    if st.tasks[t].remaining > 0:
        turn_ends(st, now, v, t)
    else:
        next_step(st, q, now, v, t)


@kernel
def turn_ends(st, now, v, t):
    """A round-robin guest's quantum is used up: to the tail, if somebody else could run here (model 3.3)."""
    tasks, vm = st.tasks, st.tasks[t].vm
    first = st.vms[vm].first_task
    for other in range(first, first + st.vms[vm].tasks):
        if tasks[other].state == READY and tasks[other].on_vcpu < 0 and (tasks[other].pinned < 0 or tasks[other].pinned == v):
            queue_task(st, t, now)
            assign(st, vm, now)
            break
    tasks[t].quantum_left = st.vms[vm].quantum
    resume_work(st, v, now)


@kernel
def next_step(st, q, now, v, t):
    """The task goes on with its script; a task without one has finished its job."""
    tasks = st.tasks
    while True:
        tasks[t].step += 1
        if tasks[t].step >= tasks[t].steps or tasks[t].steps == 0:
            finish_job(st, t, now)
            leave_vcpu_if_idle(st, v, t)
            assign(st, tasks[t].vm, now)
            resume_work(st, v, now)
            return
        step = tasks[t].first_step + tasks[t].step
        kind, amount = st.steps[step].kind, st.steps[step].amount
        if kind == STEP_RUN:
            tasks[t].remaining = amount
            begin_work(st, v, now)
            return
        if kind == STEP_BLOCK:
            tasks[t].state = SLEEPING
            st.vms[tasks[t].vm].ready -= 1
            tasks[t].sleep_until = now + amount
            arm_task(st, t)
            leave_vcpu_if_idle(st, v, t)
            assign(st, tasks[t].vm, now)
            return
        tasks[t].remaining = st.costs.hypercall
        if kind == STEP_YIELD:
            log(st, now, st.vcpus[v].pcpu, v, YIELD, 0)
            policy.yield_(st, q, now, v)
            ask_decision(st, st.vcpus[v].pcpu, now + st.costs.block_path)
            return
        release(st, q, now, amount)                      # a send
        if st.vcpus[v].task != t or st.vcpus[v].state != RUNNING:
            return                                       # the receiver took over; the script goes on when this task next runs
        if tasks[t].remaining > 0:
            begin_work(st, v, now)
            return


@kernel
def leave_vcpu_if_idle(st, v, t):
    """A task that has nothing to do frees its vCPU."""
    if st.tasks[t].state != READY:
        st.vcpus[v].task = NO_TASK
        st.tasks[t].on_vcpu = -1


@kernel
def task_timer(st, q, now, t):
    """A `block` step ends, or a job is released."""
    tasks = st.tasks
    if tasks[t].sleep_until <= now:
        tasks[t].sleep_until = NEVER
        queue_task(st, t, now)
        tasks[t].state = READY
        tasks[t].remaining = 0
        st.vms[tasks[t].vm].ready += 1
        arm_task(st, t)
        tell_vm(st, q, now, t, True)
    else:
        release(st, q, now, t)
        arm_task(st, t)


@kernel
def release(st, q, now, t):
    """A job of task `t` is released, by a timer, a list or a send. What is sent to a VM that is not there is lost."""
    if not st.vms[st.tasks[t].vm].alive:
        return
    tell_vm(st, q, now, t, take_release(st, t, now))


@kernel
def tell_vm(st, q, now, t, became_ready):
    """An event for task `t` reaches its VM: an interrupt, perhaps a wake-up, perhaps a switch inside the guest."""
    v = vcpu_to_wake(st, t)
    if st.costs.interrupt > 0:
        interrupt(st, t, v)
    if became_ready:
        if v >= 0:
            wake(st, q, now, v)
        assign(st, st.tasks[t].vm, now)


@kernel
def interrupt(st, t, woken):
    """Charge the handling of an interrupt to whoever runs where the addressed vCPU last ran (9.1.5)."""
    v = woken
    if v < 0:
        v = st.tasks[t].pinned if st.tasks[t].pinned >= 0 else st.vms[st.tasks[t].vm].first_vcpu
    victim = st.pcpus[st.vcpus[v].pcpu].current
    if victim != IDLE and st.vcpus[victim].state == RUNNING:
        delay_work(st, victim, st.costs.interrupt)


# ------------------------------------------------------------------ vCPUs


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
        take_off(st, q, now, p, old, switch_out)
    st.pcpus[p].current = new
    st.pcpus[p].since = now
    st.pcpus[p].work_from = now + switch_in + costs.context_switch + costs.decision
    if new != IDLE:
        dispatch(st, q, now, p, new)


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
    record_stint(st, p, v, st.pcpus[p].work_from, now + switch_out)
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
def obey(st, q, now, command, vm):
    """Start, pause, resume or crash a VM (model sections 5 and 6)."""
    first = st.vms[vm].first_vcpu
    if command == START_SCHEDULER:
        policy.start(st, q)
        return
    if command == START_VM:
        start_vm(st, q, now, vm)
        return
    for v in range(first, first + st.vms[vm].vcpus):
        if command == RESUME_VM:
            resume(st, q, now, v)
        else:
            pause(st, q, now, v, PAUSED if command == PAUSE_VM else CRASH)
    if command == CRASH_VM:
        st.vms[vm].alive = 0
        for t in range(st.vms[vm].first_task, st.vms[vm].first_task + st.vms[vm].tasks):
            if st.tasks[t].on_vcpu >= 0:
                drop_task(st, st.tasks[t].on_vcpu, now)
            drop_jobs(st, t)
        for v in range(first, first + st.vms[vm].vcpus):
            policy.leave(st, q, now, v)


@kernel
def pause(st, q, now, v, event):
    """Keep a vCPU from running (1.5.6)."""
    log(st, now, st.vcpus[v].pcpu, v, event, 0)
    st.vcpus[v].paused += 1
    st.vcpus[v].woken = NEVER
    if st.vcpus[v].state == RUNNABLE:
        st.vcpus[v].state = OFFLINE
    policy.sleep(st, q, now, v)


@kernel
def resume(st, q, now, v):
    """Let a paused vCPU run again; if it has something to do it wakes (1.5.2)."""
    vcpus = st.vcpus
    log(st, now, vcpus[v].pcpu, v, UNPAUSED, 0)
    vcpus[v].paused -= 1
    if vcpus[v].paused == 0 and vcpus[v].state == OFFLINE:
        vcpus[v].blocked = 1                 # a wake-up from being paused counts like any other
        wake(st, q, now, v)


@kernel
def start_vm(st, q, now, vm):
    """Release what is due, and queue as many vCPUs as there are ready tasks (model section 5)."""
    tasks, vcpus = st.tasks, st.vcpus
    first, end = st.vms[vm].first_vcpu, st.vms[vm].first_vcpu + st.vms[vm].vcpus
    st.vms[vm].alive = 1
    first_t, end_t = st.vms[vm].first_task, st.vms[vm].first_task + st.vms[vm].tasks
    for v in range(first, end):
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


@kernel
def close(st, end):
    """The clock stops: finish jobs that are done at this very instant, end open stints, write down unfinished jobs."""
    tasks = st.tasks
    for p in range(st.agenda.pcpus):
        v = st.pcpus[p].current
        if v == IDLE:
            continue
        t = st.vcpus[v].task
        if t != NO_TASK:
            stop_work(st, v, end)
            if tasks[t].remaining == 0 and tasks[t].step + 1 >= tasks[t].steps and tasks[t].started >= 0:
                finish_job(st, t, end)
        record_stint(st, p, v, st.pcpus[p].work_from, end)
        st.pcpus[p].current = IDLE
    for t in range(st.agenda.tasks):
        if not close_task(st, t, end):
            return BOOK_FULL
    return DONE
