"""The arrays of everything that talks: ports, stages, lines, paths, messages (docs/io-model.md).

They are part of `state.State` as ``st.io``; loops compiled for systems without devices never touch them. An index is a name: `m` is a message,
`s` a stage (numbered over all paths), `port` an event channel's end.
"""

from __future__ import annotations

from .rows import Log, Many, Row, Struct

NOBODY = -1                        # no message, stage, port, task

# causes, in the order of `system.devices.CAUSES`
COST, DRIVER_WAIT, FRONTEND_WAIT, BATCHING, SUPPRESSION, SHARED, MODERATION, RING_WAIT = 0, 1, 2, 3, 4, 5, 6, 7
CAUSES = 8

# in which order a thread serves its stages; in which order a guest scans its ports
TURNS, OLDEST, LISTED = 0, 1, 2
LOWEST, ROUND, FIFO_ABI = 0, 1, 2

# where in its step a task is: a thread looks, then delivers what it took; a handler enters, picks a port, has served it; a task submits, waits
LOOK, DELIVER = 0, 1
ENTER, PICK, SERVED = 0, 1, 2
BEGIN, SUBMITTED, AWAIT = 0, 1, 2

# what goes wrong
LOST, SPURIOUS, STORM, HANG, BAD_INDEX = 0, 1, 2, 3, 4

# where a message is
AT_DOOR, QUEUED, IN_HAND, ON_LINE, SERVED_BY_LINE, INTERPOSED, IN_BACKLOG, WITH_APPLICATION = 0, 1, 2, 3, 4, 5, 6, 7

# stamps of a message at each stage
IN, KNOWN, TAKEN, OUT = 0, 1, 2, 3
STAMPS = 4


class Upcall(Row):
    """A vCPU as ports see it."""

    up: int                  # 1 from the first event until the handler has found no other
    handler: int             # the task that handles interrupts on it
    entry: int               # what an upcall costs before the first port [ns]
    order: int               # LOWEST, ROUND, FIFO_ABI
    first_port: int          # of those bound to it, in the order of their numbers
    last_port: int           # picked last
    raised: int              # how many have become pending, for the FIFO ABI
    ran: int                 # how long it had not waited for a pCPU when it was last taken off one, or woke [ns]
    left: int                # that instant [ns]


class Port(Row):
    """One end of an event channel."""

    vcpu: int
    stage: int               # whose thread it wakes
    pending: int
    masked: int
    raised: int              # when, as a number of `Upcall.raised`
    priority: int
    handler: int             # [ns]
    late_eoi: int
    penalty: int             # of the second event for nothing [ns]; 0: none
    fruitless: int           # events for nothing, one after the other
    lose: int                # so many notifications more will vanish
    next_port: int           # of the same vCPU


class Thread(Row):
    """What a task needs who serves, handles interrupts, or submits."""

    phase: int               # LOOK, DELIVER; ENTER, PICK, SERVED; BEGIN, SUBMITTED, AWAIT
    fixed: int               # of each batch [ns]
    rest: int                # before it sleeps [ns]
    rested: int              # so much of it in this job
    batch: int
    order: int               # TURNS, OLDEST, LISTED
    hung: int                # 1: it takes nothing
    hung_until: int          # [ns]
    told: int                # 1 from being told of a message until it sleeps again
    polled: int              # 1: it looks by the clock, nobody tells it
    first_stage: int         # that it serves
    last_stage: int          # that it took from last
    taken: int               # messages in its hands
    sent: int                # ports it has sent since its last hypercalls were paid for
    port: int                # in a handler's hands
    message: int             # that a task has submitted and waits for; NOBODY: it has ended
    began: int               # instant at which a submission began [ns]
    ran: int                 # `ran` of its vCPU then [ns]


class Stage(Row):
    """A queue and who serves it."""

    path: int
    place: int               # within the path
    thread: int              # task that serves it; NOBODY: a line does
    line: int                # line that serves it; NOBODY
    vcpu: int                # of the thread
    vm: int                  # of the thread; NOBODY
    each: int                # [ns]
    port: int                # by which its thread is told; NOBODY
    after: int
    timeout: int             # [ns]; NEVER
    always: int
    capacity: int
    distance: int            # between interposed messages [ns]; NEVER
    switch: int              # [ns]
    by_line: int             # 1 if a line or arrivals fill it: what holds messages back is moderation
    next_stage: int          # of the same thread
    prod: int                # free-running 32-bit indices (8.1.1)
    cons: int
    event: int
    fresh: int               # entered, not yet published
    first: int               # message in the queue; NOBODY
    last: int
    first_unknown: int       # from it on nobody has been told
    waiting: int             # length of the queue
    batch: int               # messages of it in its thread's hands
    served: int              # work done for it [ns]
    fruitful: int            # 1 if its thread has taken a message of it since it last slept, or its VM crashed
    interposed: int          # message under way; NOBODY
    interposed_at: int       # the last one was taken [ns]


class Line(Row):
    """A wire or a disk."""

    serving: int             # message; NOBODY
    first: int               # message that waits
    last: int


class Path(Row):
    """From stage to stage."""

    first_stage: int
    stages: int
    frontend: int            # VM
    submit: int              # [ns]
    slots: int               # NEVER: no ring
    enter: int
    leave: int
    drop_full: int
    backlog_limit: int
    pool: int                # NOBODY
    pool_until: int
    into: int                # task; NOBODY
    ends: int                # stage whose end is delivery; NOBODY: the last
    first_index: int
    reissue: int
    reconnect: int           # [ns]
    burst: int               # of its arrivals
    created: int             # messages so far
    held: int                # slots in use
    down: int                # 1: a VM it needs has crashed, or has not started yet; or it has been cut off
    broken: int              # 1: one has crashed
    cut: int                 # 1: the back end has disconnected it: nobody waits
    backlog: int             # how many wait for a slot
    first_waiting: int       # message
    last_waiting: int


class Pool(Row):
    """Requests in flight that several paths share."""

    size: int
    used: int


class Message(Row):
    """A packet or a request on its way."""

    path: int                # NOBODY: this row is free
    number: int              # within the path
    stage: int               # number over all paths; of one that is with the application: the last
    where: int               # AT_DOOR, QUEUED, ...
    born: int                # [ns]
    mark: int                # causes are known up to here [ns]
    known: int               # told of, at this stage [ns]; NEVER
    rang: int                # 1 if by a port
    ran: int                 # `ran` of the stage's vCPU when known, then when taken [ns]
    done: int                # the stage's `served` when known, of a line's: when it entered [ns]
    arrived: int             # at this stage: order among stages [ns]
    slot: int                # 1 while it holds a slot
    pooled: int              # 1 while it counts in a pool
    delivered: int           # instant of delivery [ns]; -1
    task: int                # that requested it; NOBODY
    next: int                # in its queue


class Fault(Row):
    """Something that goes wrong."""

    kind: int                # LOST, SPURIOUS, STORM, HANG, BAD_INDEX
    target: int              # port, thread or path
    at: int                  # [ns]
    count: int               # of notifications that vanish
    every: int               # from one event of a storm to the next [ns]
    until: int               # end of a storm or a hang [ns]; NEVER


class Rails(Row):
    """First alarm of each kind that devices need, and how many of each thing there are."""

    source: int              # alarm of a path's arrivals
    line: int                # a message's service ends
    interposed: int          # the hypervisor has served a message in another VM's time
    hold: int                # a stage's timeout
    reconnect: int           # a path comes up again
    unmask: int              # a port's penalty is over
    fault: int               # something goes wrong
    paths: int
    stages: int
    free: int                # first row of messages that has been used and is free again; NOBODY
    lines: int
    faults: int
    liars: int               # indices that no ring can have, so far: 0 spares looks the check
    fresh: int               # rows of messages ever used
    room: int                # more than so many messages at once stop the run


class PathTotals(Row):
    """Statistics of a path; times in ns, summed over delivered messages."""

    delivered: int
    dropped: int
    cost: int
    driver_wait: int
    frontend_wait: int
    batching: int
    suppression: int
    shared: int
    moderation: int
    ring: int


MAX_PATHS, MAX_STAGES, MAX_PORTS, MAX_LINES, MAX_POOLS, MAX_FAULTS, MAX_MESSAGES = 256, 1024, 1024, 256, 64, 4096, 1 << 16
STAGES_OF_A_PATH, HAND = 8, 256
STAMP_COLUMNS = STAMPS * STAGES_OF_A_PATH + 3          # and three of the application
PATH_COLUMNS = 4 + CAUSES + STAMP_COLUMNS              # path, number, dropped, total
MASK = 0xFFFFFFFF


class Traffic(Struct):
    """Everything that talks."""

    rails = Rails
    upcalls = Many(Upcall, 1024)
    ports = Many(Port, MAX_PORTS)
    threads = Many(Thread, 4096)
    stages = Many(Stage, MAX_STAGES)
    lines = Many(Line, MAX_LINES)
    paths = Many(Path, MAX_PATHS)
    pools = Many(Pool, MAX_POOLS)
    faults = Many(Fault, MAX_FAULTS)
    totals = Many(PathTotals, MAX_PATHS)
    messages = Log(Message, MAX_MESSAGES)
    causes = Log(int, MAX_MESSAGES, CAUSES)                 # of each message so far [ns]
    stamps = Log(int, MAX_MESSAGES, STAMP_COLUMNS)          # of each message so far [ns]; -1
    hands = Many(int, 4096, HAND)                           # messages that a thread has taken
    carried = Many(int, 64, 4096)                           # message + 1 of each job of a channel task; 0
    rows = Log(int, 1 << 17, PATH_COLUMNS)                  # messages that have ended
