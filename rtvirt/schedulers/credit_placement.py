"""Which pCPU? The credit scheduler's placing, tickling and stealing (docs/xen-rules.md 1.6, 2.10, 2.11).

On one pCPU nothing of this matters. On several, a vCPU waits in the queue of the pCPU where it last ran, idle pCPUs are told of it,
and a pCPU whose best is OVER or idle looks into the others' queues.
"""

from __future__ import annotations

from ..jit import kernel, seldom
from ..state import IDLE, RUNNABLE, STEAL, ask_decision, log
from .credit_accounting import insert
from .runqueue import NOBODY, remove


@kernel
@seldom
def place(st, cr, now, v):
    """Choose a pCPU for a new vCPU: the proposed one, or the first that is quite idle (model 5.2); queue it if it is runnable."""
    vcpus, cpus = st.vcpus, cr.pool.cpus
    home = vcpus[v].pcpu
    for k in range(cpus):
        p = (home + k) % cpus
        if st.allowed[v, p] and st.pcpus[p].current == IDLE and cr.pcpus[p].idle and cr.queues.line[p].head == NOBODY:
            vcpus[v].pcpu = p
            break
    if vcpus[v].state == RUNNABLE:
        insert(st, cr, vcpus[v].pcpu, v)
        tickle(st, cr, v, now + st.costs.wake_path)


@kernel
def tickle(st, cr, v, at):
    """After `v` was queued: which pCPU should reschedule? (2.10)

    The pCPU where it last ran, if that is idle; or a suitable idle one, *whatever the priorities*; or, with no pCPU idle, again
    the one where it last ran, if `v` has strictly higher priority than what runs there.
    """
    home = st.vcpus[v].pcpu
    current = st.pcpus[home].current
    chosen = NOBODY
    if current == IDLE:
        chosen = home
    else:
        if st.vcpus[v].picky:
            chosen = next_idle(st, cr, v, True)
        if chosen == NOBODY:
            chosen = next_idle(st, cr, v, False)
        if chosen != NOBODY:
            cr.pool.last_tickled = chosen
        elif cr.vcpus[v].priority > cr.vcpus[current].priority:
            chosen = home
    if chosen != NOBODY:
        cr.pcpus[chosen].idle = 0                       # so that a second wake-up picks another one (2.10.1)
        ask_decision(st, chosen, at)


@kernel
def next_idle(st, cr, v, soft):
    """Next idle pCPU in turn that suits `v`, by its soft or its hard affinity; NOBODY if there is none."""
    p = cr.pool.last_tickled
    for _ in range(cr.pool.cpus):
        p = following(cr, p)
        suits = st.preferred[v, p] if soft else st.allowed[v, p]
        if cr.pcpus[p].idle and suits:
            return p
    return NOBODY


@kernel
def following(cr, p):
    """The pCPU after `p`, in a ring (a division would cost as much as the rest of the search)."""
    return p + 1 if p + 1 < cr.pool.cpus else 0


@kernel
def steal(st, cr, now, p, local_best):
    """Look for a waiting vCPU of strictly higher priority on another busy pCPU, soft affinities first (2.11)."""
    if cr.pool.steal_ratelimit >= 0:
        if now - cr.pcpus[p].last_steal <= cr.pool.steal_ratelimit:
            return NOBODY
        cr.pcpus[p].last_steal = now
    for step in range(2):
        peer = cr.pool.bias
        for _ in range(cr.pool.cpus):
            peer = following(cr, peer)
            if peer == p or cr.pcpus[peer].idle or runnable_on(st, cr, peer) <= 1:
                continue
            v = stealable(st, cr, peer, p, local_best, step == 0)
            if v != NOBODY:
                remove(cr.queues, v)
                st.vcpus[v].pcpu = p
                cr.pool.bias = peer
                log(st, now, p, v, STEAL, peer)
                return v
    return NOBODY


@kernel
def runnable_on(st, cr, p):
    """How many vCPUs run or wait on a pCPU."""
    current = st.pcpus[p].current
    running = current != IDLE and not st.vcpus[current].blocked and st.vcpus[current].paused == 0
    return cr.queues.line[p].length + (1 if running else 0)


@kernel
def stealable(st, cr, peer, p, local_best, soft):
    """First vCPU in a peer's queue that may run here and has a higher priority than the local best; NOBODY if none."""
    v = cr.queues.line[peer].head
    while v != NOBODY and cr.vcpus[v].priority > local_best:      # the rest of the queue is no better
        suits = (st.vcpus[v].picky and st.preferred[v, p]) if soft else st.allowed[v, p]
        if suits and not (cr.pool.skip_yielders and cr.vcpus[v].yielded):
            return v
        v = cr.queues.links[v].next
    return NOBODY
