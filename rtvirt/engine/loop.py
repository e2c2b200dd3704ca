"""The event loop: one source for all schedulers.

`rtvirt.jit.loop_for` executes `vcpus.py` and this file once for each scheduler, with the name ``policy`` bound to that scheduler's module, and
compiles the result; once more, with `paths.py` and its companions, for systems that have devices (``DEVICES``).
The loop calls ``policy.start, place, wake, sleep, yield_, decide, tick, account, leave, worth``, and, of schedulers
that have them, ``replenish, saved, reconfigured`` (`vcpus.py`).

Order at one instant (docs/model.md 1.2): work ends < replenishments < registers saved < releases < ticks < accounting < slice timers <
decisions. The second to the fourth are alarms, the others are timers with slots in that order (`state.Slots`); a decision is taken only
when neither is due.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtvirt.engine.jobs import arm_task, close_task, finish_job, queue_task, take_release, unqueue_task
from rtvirt.engine.messages import close_messages, record_message
from rtvirt.engine.record import count_notes, record_stint
from rtvirt.engine.work import (
    assign,
    begin_anew,
    begin_work,
    clear_work,
    delay_work,
    enter_section,
    halt_work,
    leave_section,
    resume_work,
    stop_work,
    vcpu_to_wake,
)
from rtvirt.jit import kernel, seldom
from rtvirt.state import (
    BOOK_FULL,
    BREATHE,
    CBS,
    CHANNEL,
    CLOSE,
    DONE,
    IDLE,
    NO_TASK,
    READY,
    RR,
    RUNNING,
    SLEEPING,
    STEP_BLOCK,
    STEP_RUN,
    STEP_SUBMIT,
    STEP_TRAP,
    STEP_YIELD,
    TRAPPED,
    YIELD,
    ask_decision,
    log,
)
from rtvirt.timers import NEVER, first_timer, set_alarm, set_timer

if TYPE_CHECKING:
    from rtvirt.engine.paths import end_message
    from rtvirt.engine.submissions import NEXT_STEP, SLEEP, application_over, device_alarm, device_step, over_at_the_end

if "policy" not in globals():   # for readers and linters: `loop_for` binds the scheduler, and executes vcpus.py and others into the same names
    from rtvirt.engine.vcpus import OWN_ALARMS, next_to_decide, obey, replenish, reschedule, saved, tick, wake
    from rtvirt.schedulers import credit as policy

    DEVICES = True


def run(engine, scheduler, horizon, events, command, subject):
    """Handle events before `horizon` [ns], at most `events` of them; or carry out one command.

    `engine` holds the shared `State`, `scheduler` the scheduler's own tables (`rows.handle`). A command (START_VM, PAUSE_VM, ...,
    CLOSE) concerns VM `subject` and happens at `horizon`, when no earlier event is left. Returns why it stopped: DONE, BOOK_FULL,
    CHANNEL_FULL or BREATHE; all state is in the arrays, so calling again goes on.
    """
    st, q = engine[0], scheduler[0]
    if command == CLOSE:
        return close(st, q, horizon)
    if command != 0:
        obey(st, q, horizon, command, subject)
        return DONE
    timers, alarms = st.timers, st.alarms
    for _ in range(events):
        timer, alarm = first_timer(timers), first_timer(alarms)
        now, rings = timers.at[timer], alarms.at[alarm]
        alarm_first = rings < now or (rings == now and timer >= st.slots.tick)
        if alarm_first:
            now = rings
        if st.agenda.next_decision < now:
            now = st.agenda.next_decision
            if now >= horizon:
                return DONE
            reschedule(st, q, now, next_to_decide(st))
        else:
            if now >= horizon:
                return DONE
            st.agenda.handled += 1
            if alarm_first:
                alarm_rings(st, q, now, alarm)
            else:
                pcpu_timer(st, q, now, timer)
        if st.agenda.stop != DONE:
            reason, st.agenda.stop = st.agenda.stop, DONE
            return reason
    return BREATHE


@kernel
def pcpu_timer(st, q, now, timer):
    """What a pCPU waited for."""
    slots = st.slots
    if timer < slots.tick:
        work_ends(st, q, now, timer - slots.work)
    elif timer >= slots.slice:
        set_timer(st.timers, timer, NEVER)
        ask_decision(st, timer - slots.slice, now)
    elif timer < slots.account:
        tick(st, q, now, timer - slots.tick)
    else:
        policy.account(st, q, now)


@kernel
def alarm_rings(st, q, now, alarm):
    """What a task waited for, a device, or the scheduler, if it has alarms of its own."""
    if DEVICES and alarm >= st.io.rails.source:
        device_alarm(st, q, now, alarm)
        return
    if not OWN_ALARMS or alarm >= st.slots.task:
        task_timer(st, q, now, alarm - st.slots.task)
        return
    set_alarm(st.alarms, alarm, NEVER)
    if alarm < st.slots.saved:
        replenish(st, q, now, alarm - st.slots.replenish)
    else:
        p = alarm - st.slots.saved
        saved(st, q, now, p, st.pcpus[p].saving)


# ------------------------------------------------------------------ tasks


@kernel
def work_ends(st, q, now, p):
    """The task running on pCPU `p` has finished a step, or used up its guest quantum or its server's budget."""
    v = st.pcpus[p].current
    t = st.vcpus[v].task
    halt_work(st, v, now)
    if st.vcpus[v].state == TRAPPED:
        trap_ends(st, q, now, v, t)
    elif st.tasks[t].remaining > 0:
        turn_ends(st, now, v, t)
    else:
        next_step(st, q, now, v, t)
    clear_work(st, p)


@kernel
@seldom
def turn_ends(st, now, v, t):
    """A round-robin guest's quantum is used up: to the tail, if somebody else could run here (model 3.3). Or a server's budget (S7.3)."""
    tasks, vm = st.tasks, st.tasks[t].vm
    served = st.vms[vm].guest == CBS
    if served or somebody_waits(st, v):
        unqueue_task(st, t)
        queue_task(st, t, now)
        assign(st, vm, now)
    if not served:
        tasks[t].quantum_left = st.vms[vm].quantum
    resume_work(st, v, now)


@kernel
@seldom
def trap_ends(st, q, now, v, t):
    """Back in the guest: it sees what has happened meanwhile, and what the section has taken of a quantum or a server's budget (model 3.8)."""
    leave_section(st, v)
    assign(st, st.tasks[t].vm, now)
    guest = st.vms[st.tasks[t].vm].guest
    if st.vcpus[v].task != t:
        return
    if (guest == RR or guest == CBS) and st.tasks[t].quantum_left <= 0:
        turn_ends(st, now, v, t)
    else:
        next_step(st, q, now, v, t)


@kernel
@seldom
def somebody_waits(st, v):
    """Could another task of the VM run on `v`?"""
    tasks, t = st.tasks, st.vms[st.vcpus[v].vm].first_ready
    while t != NO_TASK and (tasks[t].on_vcpu >= 0 or (tasks[t].pinned >= 0 and tasks[t].pinned != v)):
        t = tasks[t].next_ready
    return t != NO_TASK


@kernel
def next_step(st, q, now, v, t):
    """The task goes on with its script; a task without one has finished its job."""
    tasks = st.tasks
    while True:
        tasks[t].step += 1
        if tasks[t].step >= tasks[t].steps or tasks[t].steps == 0:
            job, started = tasks[t].job, tasks[t].started
            finish_job(st, t, now)
            leave_vcpu_if_idle(st, v, t)
            m = message_of(st, now, t, job, started)
            if m >= 0:
                end_message(st, q, now, m)
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
            unqueue_task(st, t)
            tasks[t].sleep_until = now + amount
            arm_task(st, t)
            leave_vcpu_if_idle(st, v, t)
            assign(st, tasks[t].vm, now)
            return
        if kind == STEP_TRAP:
            if st.pcpus[st.vcpus[v].pcpu].decide_at > now:
                enter_section(st, v, now, amount)
            else:
                tasks[t].step -= 1                           # the way out of the last section, if it was one, decides first
            return
        if DEVICES and kind >= STEP_SUBMIT:
            tasks[t].remaining = 0
            work = device_step(st, q, now, t, kind, amount)      # which may interrupt the task itself
            if work == NEXT_STEP:
                continue
            if work == SLEEP:
                leave_vcpu_if_idle(st, v, t)
                assign(st, tasks[t].vm, now)
                return
            tasks[t].step -= 1                               # the same step goes on, after that much work
            tasks[t].remaining += work
            if st.vcpus[v].task != t or st.vcpus[v].state != RUNNING:
                begin_anew(st, t, now)
                return
            if tasks[t].remaining > 0:
                begin_work(st, v, now)
                return
            continue
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
def message_of(st, now, t, job, started):
    """The message that had released a job which is done now; -1."""
    if DEVICES and st.tasks[t].source == CHANNEL:
        return application_over(st, now, t, job, started)
    return -1


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
@seldom
def interrupt(st, t, woken):
    """Charge the handling of an interrupt to whoever runs where the addressed vCPU last ran (9.1.5)."""
    v = woken
    if v < 0:
        v = st.tasks[t].pinned if st.tasks[t].pinned >= 0 else st.vms[st.tasks[t].vm].first_vcpu
    victim = st.pcpus[st.vcpus[v].pcpu].current
    if victim != IDLE and (st.vcpus[victim].state == RUNNING or st.vcpus[victim].state == TRAPPED):
        delay_work(st, victim, st.costs.interrupt)


# ------------------------------------------------------------------ the end


@kernel
@seldom
def close(st, q, end):
    """The clock stops: finish jobs that are done at this very instant, end open stints, write down unfinished jobs."""
    tasks = st.tasks
    for p in range(st.agenda.pcpus):
        v = st.pcpus[p].current
        if v == IDLE:
            continue
        t = st.vcpus[v].task
        if t != NO_TASK:
            stop_work(st, v, end)
            over = over_at_the_end(st, t) if DEVICES else tasks[t].step + 1 >= tasks[t].steps
            if tasks[t].remaining == 0 and over and tasks[t].started >= 0:
                job, started = tasks[t].job, tasks[t].started
                finish_job(st, t, end)
                m = message_of(st, end, t, job, started)
                if m >= 0:
                    record_message(st, m, end, -1)
        record_stint(st, p, v, st.pcpus[p].work_from, end)
        st.pcpus[p].current = IDLE
    for t in range(st.agenda.tasks):
        if not close_task(st, t, end):
            return BOOK_FULL
    if DEVICES and not close_messages(st):
        return BOOK_FULL
    count_notes(st.book)
    return DONE
