"""Arrivals, releases and jobs of a task (docs/model.md section 2)."""

from __future__ import annotations

from ..guests import cbs, deadline_monotonic, edf, fifo, fixed_priority, round_robin
from ..jit import kernel, seldom
from ..rng import ARRIVAL, DEMAND, JITTER, draw, quantile, uniform
from ..state import (
    CBS,
    CHANNEL,
    CHANNEL_FULL,
    DM,
    EDF,
    FOREVER,
    FP,
    JOBS,
    LIST,
    NO_TASK,
    ONCE,
    PERIODIC,
    POISSON,
    READY,
    RING,
    RR,
    SPORADIC,
    STEP_RUN,
    WAITING,
    WOKEN,
)
from ..timers import NEVER, set_alarm
from .record import record_job


@kernel
def arrival_after(st, t, job, arrival):
    """Arrival of job `job`, given that of the job before it (for job 0: the VM's start plus the offset) [ns]; NEVER if none."""
    tasks = st.tasks
    source = tasks[t].source
    if source == PERIODIC:
        return arrival + tasks[t].period if job > 0 else arrival
    if source == LIST:
        if job >= tasks[t].gaps:
            return NEVER
        return tasks[t].origin + st.values[tasks[t].first_gap + job]
    if source == POISSON:
        return arrival + quantile(st.values, tasks[t].first_gap, draw(tasks[t].key, job, ARRIVAL))
    if source == SPORADIC:
        if job == 0:
            return arrival
        extra = tasks[t].jitter if tasks[t].jitter > 0 else tasks[t].period
        return arrival + tasks[t].period + uniform(draw(tasks[t].key, job - 1, ARRIVAL), extra)
    if source == ONCE and job == 0:
        return arrival
    return NEVER


@kernel
def release_of(st, t, job, arrival, earlier):
    """Release of a job: its arrival plus jitter, never before the release of the job before it [ns]."""
    if arrival == NEVER:
        return NEVER
    release = arrival
    if st.tasks[t].source == PERIODIC and st.tasks[t].jitter > 0:
        release += uniform(draw(st.tasks[t].key, job, JITTER), st.tasks[t].jitter)
    return release if release > earlier else earlier


@kernel
def demand_of(st, t, job):
    """Execution time of a job [ns]."""
    tasks = st.tasks
    if tasks[t].wcet > 0:
        return tasks[t].wcet
    if tasks[t].values_used >= 0:
        return st.values[tasks[t].first_value + job % tasks[t].values_used]
    return quantile(st.values, tasks[t].first_value, draw(tasks[t].key, job, DEMAND))


@kernel
def arm_task(st, t):
    """Set the task's timer to its next release or the end of its sleep, whichever is first."""
    release, wake = st.tasks[t].next_release, st.tasks[t].sleep_until
    set_alarm(st.alarms, st.slots.task + t, release if release < wake else wake)


@kernel
@seldom
def reset_task(st, t, now):
    """Forget everything and wait for the first job; the VM starts now."""
    tasks = st.tasks
    tasks[t].origin = now
    tasks[t].state = WAITING
    tasks[t].pending = 0
    tasks[t].sleep_until = NEVER
    tasks[t].on_vcpu = -1
    tasks[t].next_job = 0
    tasks[t].quantum_left = 0
    tasks[t].server_deadline = 0
    if tasks[t].source == CHANNEL:
        tasks[t].next_arrival = NEVER
        tasks[t].next_release = NEVER
        channel = st.channels[tasks[t].channel]
        channel.head = channel.tail
    else:
        tasks[t].next_arrival = arrival_after(st, t, 0, now + tasks[t].offset)
        tasks[t].next_release = release_of(st, t, 0, tasks[t].next_arrival, 0)
    arm_task(st, t)


@kernel
def take_release(st, t, now):
    """A job is released now: advance the release cursor; if the task had no job, begin this one. True if it became ready."""
    tasks = st.tasks
    job = tasks[t].next_job
    tasks[t].next_job = job + 1
    arrival, release = tasks[t].next_arrival, tasks[t].next_release
    if tasks[t].source == CHANNEL or tasks[t].source == WOKEN:
        arrival, release = now, now
    else:
        tasks[t].next_arrival = arrival_after(st, t, job + 1, arrival)
        tasks[t].next_release = release_of(st, t, job + 1, tasks[t].next_arrival, release)
    tasks[t].pending += 1
    if tasks[t].pending > 1:
        if tasks[t].source == CHANNEL and not post_message(st, t, now):
            st.agenda.stop = CHANNEL_FULL
        return False
    tasks[t].job, tasks[t].arrival, tasks[t].release = job, arrival, release
    begin_job(st, t, now)
    return True


@kernel
def begin_job(st, t, now):
    """The task starts to work on its current job: it is ready."""
    tasks = st.tasks
    tasks[t].started = -1
    if tasks[t].steps == 0:
        tasks[t].remaining = demand_of(st, t, tasks[t].job)
    elif st.steps[tasks[t].first_step].kind == STEP_RUN:
        tasks[t].step = 0
        tasks[t].remaining = st.steps[tasks[t].first_step].amount
    else:
        tasks[t].step = -1                     # nothing to compute before the first step
        tasks[t].remaining = 0
    queue_task(st, t, now)                     # which tells a task that had nothing to do from one that goes on
    tasks[t].state = READY


@kernel
def queue_task(st, t, now):
    """Give the task its urgency and its place among the ready ones of its VM: the most urgent first, ties in task order (model 3.1)."""
    guest = st.vms[st.tasks[t].vm].guest
    if st.tasks[t].kernel > 0:
        st.tasks[t].urgency, st.tasks[t].quantum_left = st.tasks[t].kernel - FOREVER, FOREVER
    elif guest == FP:
        st.tasks[t].urgency = fixed_priority.urgency(st, t, now)
    elif guest == EDF:
        st.tasks[t].urgency = edf.urgency(st, t, now)
    elif guest == RR:
        st.tasks[t].urgency = round_robin.urgency(st, t, now)
    elif guest == DM:
        st.tasks[t].urgency = deadline_monotonic.urgency(st, t, now)
    elif guest == CBS:
        st.tasks[t].urgency = cbs.urgency(st, t, now)
    else:
        st.tasks[t].urgency = fifo.urgency(st, t, now)
    tasks, vm = st.tasks, st.tasks[t].vm
    before, after = NO_TASK, st.vms[vm].first_ready
    while after != NO_TASK and (tasks[after].urgency < tasks[t].urgency or (tasks[after].urgency == tasks[t].urgency and after < t)):
        before, after = after, tasks[after].next_ready
    tasks[t].next_ready = after
    if before == NO_TASK:
        st.vms[vm].first_ready = t
    else:
        tasks[before].next_ready = t


@kernel
def unqueue_task(st, t):
    """The task has nothing to do any more, or changes its place."""
    tasks, vm = st.tasks, st.tasks[t].vm
    if st.vms[vm].first_ready == t:
        st.vms[vm].first_ready = tasks[t].next_ready
        return
    other = st.vms[vm].first_ready
    while tasks[other].next_ready != t:
        other = tasks[other].next_ready
    tasks[other].next_ready = tasks[t].next_ready


@kernel
def finish_job(st, t, now):
    """The job is done: record it, and go on with the next one that is pending, if any."""
    tasks = st.tasks
    task = tasks[t]
    record_job(st, t, now, task.deadline != NEVER and now > task.arrival + task.deadline)
    unqueue_task(st, t)
    tasks[t].pending -= 1
    if tasks[t].pending == 0:
        tasks[t].state = WAITING
        return
    next_job(st, t)
    begin_job(st, t, now)


@kernel
@seldom
def post_message(st, t, now):
    """Keep the time of a send while its task is busy with an earlier job; False when the channel is full."""
    c = st.tasks[t].channel
    channel = st.channels[c]
    if channel.tail - channel.head >= RING:
        return False
    st.messages[c, channel.tail % RING] = now
    channel.tail += 1
    return True


@kernel
@seldom
def take_message(st, t):
    """Time of the oldest send that has not been worked on [ns]."""
    c = st.tasks[t].channel
    channel = st.channels[c]
    at = st.messages[c, channel.head % RING]
    channel.head += 1
    return at


@kernel
@seldom
def drop_jobs(st, t):
    """Forget the task's jobs and its releases: its VM has crashed."""
    tasks = st.tasks
    if tasks[t].state == READY:
        unqueue_task(st, t)
    tasks[t].state = WAITING
    tasks[t].pending = 0
    tasks[t].next_release = NEVER
    tasks[t].sleep_until = NEVER
    arm_task(st, t)


@kernel
@seldom
def close_task(st, t, end):
    """At the end of the run: write down the jobs that are not finished. False when the table is full (call again)."""
    task, book = st.tasks[t], st.book
    while task.pending > 0:
        if book.pages.level >= JOBS and book.pages.jobs > book.pages.room:
            return False
        record_job(st, t, -1, task.deadline != NEVER and task.arrival + task.deadline <= end)
        task.pending -= 1
        if task.pending > 0:
            next_job(st, t)
            task.started = -1
    return True


@kernel
def next_job(st, t):
    """Move the cursor of the task's current job to the next one that is pending."""
    tasks = st.tasks
    job = tasks[t].job + 1
    if tasks[t].source == CHANNEL:
        tasks[t].arrival = take_message(st, t)
        tasks[t].release = tasks[t].arrival
    else:
        tasks[t].arrival = arrival_after(st, t, job, tasks[t].arrival)
        tasks[t].release = release_of(st, t, job, tasks[t].arrival, tasks[t].release)
    tasks[t].job = job
