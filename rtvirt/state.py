"""The arrays that the event loop, the VM schedulers and the guests share, and the few operations everybody needs on them.

One named tuple of int64 arrays a kind of thing; an index is a name: `v` is a vCPU, `p` a pCPU, `t` a task, `vm` a VM. Whoever
reads `st.vcpus[v].state` reads a sentence.
"""

from __future__ import annotations

from .jit import kernel, seldom
from .rows import Log, Many, Row, Struct
from .timers import NEVER, Timers, set_timer
from .traffic import MAX_PATHS, Traffic

IDLE = -1        # "no vCPU": what an idle pCPU runs
NO_TASK = -1
NO_LIMIT = -1    # slice of a decision that needs no timer
FOREVER = 2**62  # work that never ends

# run states of a vCPU (1.3.1); one that has trapped runs, in the hypervisor
RUNNING, RUNNABLE, BLOCKED, OFFLINE, TRAPPED = 0, 1, 2, 3, 4

# states of a task
WAITING, READY, SLEEPING = 0, 1, 2     # no job; has work; in a `block` step

# where a task's jobs come from
PERIODIC, LIST, SPORADIC, POISSON, CHANNEL, ONCE, WOKEN = 0, 1, 2, 3, 4, 5, 6

# guest schedulers
FP, EDF, RR, FIFO, DM, CBS = 0, 1, 2, 3, 4, 5

# steps of a scripted task
STEP_RUN, STEP_BLOCK, STEP_YIELD, STEP_SEND, STEP_TRAP, STEP_SUBMIT, STEP_REQUEST, STEP_SERVE, STEP_SCAN = 0, 1, 2, 3, 4, 5, 6, 7, 8

# record levels
SUMMARY, JOBS, TRACE = 0, 1, 2

# why the loop returned: reached its horizon; a table is full; a channel overflowed; it has done its share of events; too many messages
DONE, BOOK_FULL, CHANNEL_FULL, BREATHE, MESSAGES_FULL = 0, 1, 2, 3, 4

# what the loop is asked to do first
NOTHING, START_SCHEDULER, START_VM, PAUSE_VM, RESUME_VM, CRASH_VM, CLOSE, RECONFIGURED = 0, 1, 2, 3, 4, 5, 6, 7

EVENTS = ("dispatch", "preempt", "block", "wake", "boost", "unboost", "tick", "account", "activate", "deactivate", "park",
          "unpark", "yield", "steal", "ratelimit", "migrate", "start", "pause", "unpause", "crash", "replenish", "deplete",
          "reset", "trap")
(DISPATCH, PREEMPT, BLOCK, WAKE, BOOST, UNBOOST, TICK, ACCOUNT, ACTIVATE, DEACTIVATE, PARK, UNPARK, YIELD, STEAL, RATELIMIT,
 MIGRATE, START, PAUSED, UNPAUSED, CRASH, REPLENISH, DEPLETE, RESET, TRAP) = range(len(EVENTS))


class Pcpu(Row):
    """A physical CPU."""

    current: int              # vCPU that was dispatched last, even if it has blocked since; IDLE
    since: int                # instant of the decision that dispatched it [ns]: the stint as the scheduler sees it
    work_from: int            # its guest's work counts from here: `since` and the cost of the switch [ns]
    work_start: int           # start of the piece of work that its task is doing now [ns]; NEVER if nobody computes
    held_until: int           # no decision before: the end of a switch, or of a section of the hypervisor [ns]
    decide_at: int            # instant of the decision that has been asked for [ns]; NEVER
    last_ran: int             # vCPU that ran here last: whose cache lines are warm; IDLE at first
    saving: int               # vCPU whose registers are being saved after a switch, for schedulers that wait for it (1.4.8)


class Vcpu(Row):
    """A virtual CPU."""

    vm: int
    number: int               # within its VM
    state: int                # RUNNING, RUNNABLE, BLOCKED, OFFLINE, TRAPPED
    blocked: int              # it waits for an event (independent of being paused)
    paused: int               # how many reasons keep it from running: pause, park, not started
    pcpu: int                 # where it runs, or ran last
    task: int                 # task it executes; NO_TASK
    last_task: int            # task it executed last; NO_TASK
    claim: int                # scratch of the guest's assignment
    woken: int                # instant of a wake-up that has not been served yet [ns]; NEVER
    last_pcpu: int            # where it was dispatched last; -1
    saved: int                # instant at which the pCPU that it left has saved its registers [ns]
    picky: int                # 1 if the soft affinity really restricts (1.6.1)


class Vm(Row):
    """A virtual machine."""

    first_vcpu: int
    vcpus: int                # how many
    first_task: int
    tasks: int                # how many
    guest: int                # FP, EDF, RR, FIFO, DM, CBS
    quantum: int              # of a round-robin guest [ns]
    queued: int               # counter behind round-robin urgencies
    first_ready: int          # the most urgent task that has work; NO_TASK
    alive: int                # 1: started, and not crashed since


class Task(Row):
    """A task. It has two cursors on its arrivals: the next to be released, and the job it is working on."""

    vm: int
    pinned: int               # vCPU it is bound to; -1
    source: int               # PERIODIC, LIST, SPORADIC, POISSON, CHANNEL, ONCE, WOKEN
    period: int               # period, or mean gap [ns]
    offset: int               # from the VM's start to the first arrival [ns]
    jitter: int               # [ns]
    deadline: int             # relative [ns]; NEVER if it has none
    rank: int                 # fixed-priority order within the VM
    kernel: int               # place among the threads of the guest's kernel, from 1; 0 for others
    key: int                  # of its random numbers
    budget: int               # of its server in a CBS guest [ns]; 0 if it has none
    server_period: int        # [ns]
    server_deadline: int      # absolute [ns]
    wcet: int                 # constant demand [ns]; 0 when demands come from a list or a distribution
    first_value: int          # of its demands or quantiles in `values`
    values_used: int          # number of list demands; -1 for a distribution
    first_gap: int            # of its quantiles of gaps (POISSON) or its releases (LIST) in `values`
    gaps: int                 # number of releases (LIST)
    first_step: int           # of its script in `steps`
    steps: int                # length of its script; 0 if it just computes
    channel: int              # index of the channel that releases it; -1
    origin: int               # instant its VM started [ns]
    next_job: int             # index of the next job to be released
    next_arrival: int         # [ns]
    next_release: int         # [ns]; NEVER if there is none
    sleep_until: int          # end of a `block` step [ns]; NEVER
    state: int                # WAITING, READY, SLEEPING
    pending: int              # jobs released and not finished
    job: int                  # index of the job it works on
    arrival: int              # of that job [ns]
    release: int              # of that job [ns]
    started: int              # instant that job first ran [ns]; -1
    step: int                 # of the script; -1 before the first
    remaining: int            # work left in this step [ns]
    quantum_left: int         # of a round-robin guest's quantum, or of the budget of the task's server [ns]
    urgency: int              # the guest runs the least
    next_ready: int           # the next most urgent of its VM; NO_TASK
    last_vcpu: int            # where it ran last; -1
    on_vcpu: int              # where it runs; -1


class Step(Row):
    """A step of a script."""

    kind: int                 # STEP_RUN, ...
    amount: int               # duration [ns] (of a trap: of the section), the task that a send releases, the path of a submission


class Channel(Row):
    """A first-in first-out queue of releases: how tasks release each other."""

    head: int                 # messages taken so far
    tail: int                 # messages sent so far


class Agenda(Row):
    """What concerns the whole run."""

    pcpus: int                # how many there are
    vcpus: int
    tasks: int
    end: int                  # of the run [ns]
    next_decision: int        # the least of the pCPUs' decide_at [ns]
    handled: int              # events handled: timers that fired, and decisions that changed who runs
    stop: int                 # why the loop should return after this event; DONE if it need not


class Slots(Row):
    """First slot of each kind, in the order in which simultaneous events happen (docs/model.md 1.2).

    Work < alarms < ticks: there are two tournaments, because what concerns pCPUs is set more often than what concerns tasks, and has
    fewer rivals.
    """

    work: int                 # timer of a pCPU: a step or a guest quantum ends
    replenish: int            # alarms that the scheduler owns: replenishments of budgets
    saved: int                # alarm of a pCPU: the old vCPU's registers are saved, for schedulers that wait for it
    task: int                 # alarm of a task: a release, or the end of a `block` step
    tick: int                 # timer of a pCPU
    account: int              # one timer
    slice: int                # timer of a pCPU


class CostTable(Row):
    """Path costs and overheads [ns] (docs/model.md 8)."""

    wake_path: int
    boost_path: int
    block_path: int
    switch_out: int
    switch_in: int
    block_switch_out: int
    block_switch_in: int
    idle_saving: int
    timer_slop: int
    slice_late: int
    tick_late: int
    account_late: int
    replenish_late: int
    replenish_path: int
    replenish_each: int
    rearm_path: int
    saved_path: int
    decision: int
    context_switch: int
    guest_switch: int
    tick: int
    hypercall: int
    interrupt: int
    cache_reload: int


class SliceRow(Row):
    """A stint: a vCPU held a pCPU from `start` to `end` [ns]."""

    cpu: int
    vcpu: int
    start: int
    end: int


class JobRow(Row):
    """A job [ns]; -1 for what has not happened."""

    task: int
    release: int
    start: int
    finish: int
    deadline: int


class WakeupRow(Row):
    """A vCPU was woken, and got a pCPU [ns]."""

    vcpu: int
    woken: int
    dispatched: int


class EventRow(Row):
    """A scheduling event [ns], with the credit, budget ... that explains it."""

    time: int
    cpu: int
    vcpu: int
    event: int
    value: int


class VcpuTotals(Row):
    """Statistics of a vCPU."""

    runtime: int              # time on a pCPU [ns]
    stints: int               # times it was given a pCPU
    switches: int             # those at which another vCPU had run there last


class TaskTotals(Row):
    """Statistics of a task."""

    misses: int               # jobs that missed their deadline
    unfinished: int           # jobs released and not finished by the end


class Note(Row):
    """A time that has been measured and not been counted yet."""

    row: int                  # of `times`
    time: int                 # [ns]


class TimeTotals(Row):
    """Statistics of a time: wake-up latency of a vCPU, response of a task."""

    count: int
    least: int                # [ns]
    most: int                 # [ns]
    total: int                # [ns]


class Pages(Row):
    """How full the book is."""

    level: int                # SUMMARY, JOBS, TRACE
    room: int                 # rows that a table may have before the loop returns to have it emptied
    slices: int               # rows used
    jobs: int
    wakeups: int
    events: int
    notes: int
    messages: int


# the largest system there is room for
MAX_PCPUS, MAX_VMS, MAX_VCPUS, MAX_TASKS = 64, 1024, 1024, 4096
MAX_STEPS, MAX_VALUES, MAX_CHANNELS, MAX_ROWS = 1 << 16, 1 << 22, 64, 1 << 17
MAX_TIMES = MAX_VCPUS + MAX_TASKS + MAX_PATHS
RING = 4096                            # messages that a channel holds
SUB_BITS = 6                           # histograms: 64 buckets per power of two
NOTES = 1024                           # times after which they are counted
BUCKETS = ((40 - SUB_BITS) << SUB_BITS) + 1   # up to 2^39 ns, nine minutes; longer times fall into the last one


class Book(Struct):
    """What a run writes down: full tables at TRACE, jobs at JOBS, statistics always."""

    pages = Pages
    slices = Log(SliceRow, MAX_ROWS)
    jobs = Log(JobRow, MAX_ROWS)
    wakeups = Log(WakeupRow, MAX_ROWS)
    events = Log(EventRow, MAX_ROWS)
    vcpus = Many(VcpuTotals, MAX_VCPUS)
    tasks = Many(TaskTotals, MAX_TASKS)
    notes = Log(Note, NOTES)
    times = Many(TimeTotals, MAX_TIMES)              # of each vCPU's wake-ups, each task's finished jobs, each path's messages
    histogram = Many(int, MAX_TIMES, BUCKETS)


class State(Struct):
    """Everything the loop knows, apart from the scheduler's own tables."""

    agenda = Agenda
    slots = Slots
    costs = CostTable
    pcpus = Many(Pcpu, MAX_PCPUS)
    vcpus = Many(Vcpu, MAX_VCPUS)
    vms = Many(Vm, MAX_VMS)
    tasks = Many(Task, MAX_TASKS)
    steps = Many(Step, MAX_STEPS)                    # all scripts, end to end
    channels = Many(Channel, MAX_CHANNELS)
    messages = Many(int, MAX_CHANNELS, RING)         # times of sends [ns]
    allowed = Many(int, MAX_VCPUS, MAX_PCPUS)        # hard affinity
    preferred = Many(int, MAX_VCPUS, MAX_PCPUS)      # soft affinity within the hard one
    timers = Timers                                  # of pCPUs
    alarms = Timers                                  # of vCPUs and tasks
    book = Book
    values = Many(int, MAX_VALUES)                   # demands, releases, quantile tables, end to end [ns]
    io = Traffic                                     # devices and messages; not looked at without devices


@kernel
def log(st, now, p, v, event, value):
    """Write an event down, when events are kept."""
    if st.book.pages.level == TRACE:
        write_event(st, now, p, v, event, value)


@kernel
@seldom
def write_event(st, now, p, v, event, value):
    """A row of the table of events."""
    book = st.book
    row = book.events[book.pages.events]
    row.time = now
    row.cpu = p
    row.vcpu = v
    row.event = event
    row.value = value
    book.pages.events += 1
    if book.pages.events > book.pages.room:
        st.agenda.stop = BOOK_FULL


@kernel
def ask_decision(st, p, at):
    """Ask pCPU `p` to reschedule at an instant; an earlier request stands (8.1).

    A decision cannot come before the switch under way, or the hypervisor's section, is finished.
    """
    pcpus = st.pcpus
    if at < pcpus[p].held_until:
        at = pcpus[p].held_until
    if at < pcpus[p].decide_at:
        pcpus[p].decide_at = at
        if at < st.agenda.next_decision:
            st.agenda.next_decision = at


@kernel
def set_slice(st, p, now, length):
    """Arm the slice timer of a pCPU `length` ahead, or stop it (NO_LIMIT). A timer set very near fires a slop later (1.7.1)."""
    if length == NO_LIMIT:
        set_timer(st.timers, st.slots.slice + p, NEVER)
    else:
        ahead = length if length > st.costs.timer_slop else st.costs.timer_slop
        set_timer(st.timers, st.slots.slice + p, now + ahead + st.costs.slice_late)
