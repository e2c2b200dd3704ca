"""What both generations of the credit scheduler share: the books, the active list, the run queue's order.

Numbers are rules of docs/xen-rules.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..jit import kernel, seldom
from ..rows import Log, Many, Row, Struct, fill, make, put_row
from ..state import ACTIVATE, DEACTIVATE, IDLE, MAX_PCPUS, MAX_VCPUS, MAX_VMS, log
from ..timers import NEVER, set_timer
from .runqueue import NOBODY, RunQueues, insert_after, reset_runqueues

CREDITS_PER_MS = 10
NS_PER_CREDIT = 100_000
MILLISECOND = 1_000_000

# priorities (2.1): greater runs first
PRIO_BOOST, PRIO_UNDER, PRIO_OVER, PRIO_IDLE, PRIO_PARKED = 0, -1, -2, -64, -65
CLASSES = 3                                           # BOOST, UNDER, OVER: -priority is the class


class VcpuCredit(Row):
    """What the scheduler knows of a vCPU (2.2.1)."""

    credit: int
    priority: int
    residual: int             # fraction of a credit [10^-6 credit], see `burn`
    charged_to: int           # running: up to when its time has been paid [ns]; else minus what is still unpaid
    active: int               # 1: on its VM's active list
    yielded: int
    parked: int
    next_active: int          # behind it on that list; NOBODY
    boosted: int              # how long it has run at BOOST in its window [ns]
    boost_from: int           # running at BOOST: up to when that has been counted [ns]
    boost_ends: int           # its window [ns]


class VmCredit(Row):
    """What it knows of a VM."""

    weight: int
    cap: int                  # percent of one pCPU; 0: none
    first_active: int         # head of its active list; NOBODY
    active_count: int
    next_vm: int              # behind it on the pool's list of VMs with active vCPUs; NOBODY


class PcpuCredit(Row):
    """What it knows of a pCPU."""

    idle: int                 # 1: idle and not tickled
    sorted_epoch: int
    last_steal: int           # instant of the last attempt [ns]


class Pool(Row):
    """The pool of pCPUs: parameters, and what concerns all."""

    timeslice: int            # [ns]
    tick_period: int          # [ns]
    tick_grid: int            # latest multiple of it that was asked for [ns]
    slice_credits: int        # P: credits that one pCPU hands out in one accounting period
    ratelimit: int            # [ns]
    steal_ratelimit: int      # [ns]; negative: no limit
    skip_yielders: int        # 1: a yielding vCPU is not stolen
    boosting: int             # 1: waking UNDER vCPUs are boosted
    boost_bounded: int        # 1: no longer than `boost_limit` in a window of `boost_period`
    boost_limit: int          # [ns]; NEVER
    boost_period: int         # [ns]
    first_vm: int             # head of the list of active VMs; NOBODY
    weight_sum: int           # of active vCPUs (2007: of active VMs)
    balance: int              # sum of the active vCPUs' credits at the last accounting
    epoch: int                # sort epoch
    last_tickled: int         # pCPU
    bias: int                 # pCPU last stolen from
    ticks: int                # 2007: ticks of the master pCPU
    cpus: int                 # how many pCPUs there are
    tick_count: int           # measured ticks, see `CreditState`
    account_count: int        # measured accountings


MAX_MEASURED = 1 << 16


class CreditState(Struct):
    """The scheduler's own state (2.2)."""

    pool = Pool
    pcpus = Many(PcpuCredit, MAX_PCPUS)
    vms = Many(VmCredit, MAX_VMS)
    vcpus = Many(VcpuCredit, MAX_VCPUS)
    queues = RunQueues                                # waiting vCPUs, one queue a pCPU
    latest = Many(int, MAX_PCPUS, CLASSES)            # vCPU that joined a pCPU's queue last, for each priority; see `latest_of`
    measured_ticks = Log(int, MAX_MEASURED)           # instants to tick at instead of the model's own, from a trace [ns]
    measured_accounts = Log(int, MAX_MEASURED)        # the same for accounting


def make_credit_state(*, cpus: int, vcpus: int, weight: np.ndarray, cap: np.ndarray, **parameters: int) -> Any:
    """The books of a pool of pCPUs before anybody has run: credit 0, UNDER, nobody active. `parameters` are of `Pool`."""
    cr = make(CreditState, {"pcpus": cpus, "vms": len(weight), "vcpus": vcpus, "latest": cpus, "queues": {"line": cpus, "links": vcpus}})
    pool = {"cpus": cpus, "steal_ratelimit": -1, "boosting": 1, "boost_limit": NEVER, "first_vm": NOBODY, "last_tickled": cpus - 1, "bias": cpus - 1}
    put_row(cr.pool, **(pool | parameters))
    fill(cr.vcpus, vcpus, priority=PRIO_UNDER, next_active=NOBODY)
    fill(cr.vms, len(weight), weight=weight, cap=cap, first_active=NOBODY, next_vm=NOBODY)
    fill(cr.pcpus, cpus, idle=1, last_steal=-(2**62))
    cr.latest[:cpus, :] = NOBODY
    reset_runqueues(cr.queues, vcpus, cpus)
    return cr


# ------------------------------------------------------------------ the run queue (2.7)


@kernel
def insert(st, cr, p, v):
    """Queue `v` on pCPU `p` before the first of strictly lower priority: first come, first served among equals (2.7.1)."""
    queues, priority = cr.queues, cr.vcpus[v].priority
    before = latest_of(cr, p, priority)
    after = queues.line[p].head if before == NOBODY else queues.links[before].next
    while after != NOBODY and cr.vcpus[after].priority >= priority:
        before, after = after, queues.links[after].next
    passed = cr.vcpus[v].yielded and after != NOBODY      # a yielder also lets one vCPU of lower priority pass, but not idle (2.7.2)
    insert_after(queues, p, after if passed else before, v)
    if priority >= PRIO_OVER:
        cr.latest[p, -priority] = NOBODY if passed else v


@kernel
def latest_of(cr, p, priority):
    """Who joined pCPU `p`'s queue last with this priority, if still there: nobody before it is of lower priority, so look behind it.

    Without it every insertion would walk past the whole class. NOBODY: look from the head.
    """
    v = cr.latest[p, -priority] if priority >= PRIO_OVER else NOBODY
    if v != NOBODY and cr.queues.links[v].where == p and cr.vcpus[v].priority == priority:
        return v
    return NOBODY


@kernel
def forget_latest(cr, p):
    """Priorities of vCPUs that wait on `p` are about to change."""
    for k in range(CLASSES):
        cr.latest[p, k] = NOBODY


@kernel
@seldom
def sort_queue(st, cr, p):
    """Bring UNDER (and BOOST) before OVER, stably, if priorities have changed since this pCPU last did (2.4 step 2)."""
    if cr.pcpus[p].sorted_epoch == cr.pool.epoch:
        return
    cr.pcpus[p].sorted_epoch = cr.pool.epoch
    queues = cr.queues
    last_high, previous, v = NOBODY, NOBODY, queues.line[p].head
    while v != NOBODY:
        after = queues.links[v].next
        if cr.vcpus[v].priority >= PRIO_UNDER and previous != last_high:
            queues.links[previous].next = after      # unlink, and put behind the last of the high ones
            if last_high == NOBODY:
                queues.links[v].next = queues.line[p].head
                queues.line[p].head = v
            else:
                queues.links[v].next = queues.links[last_high].next
                queues.links[last_high].next = v
            last_high = v
        else:
            if cr.vcpus[v].priority >= PRIO_UNDER:
                last_high = v
            previous = v
        v = after
    queues.line[p].tail = previous


@kernel
def priority_of(cr, v):
    """Priority of a vCPU, or of the idle vCPU."""
    return PRIO_IDLE if v == IDLE else cr.vcpus[v].priority


# ------------------------------------------------------------------ the active list (2.4 step 1c, 2.5)


@kernel
@seldom
def activate(st, cr, now, v, weight):
    """Put `v` on the active list, and its VM on the pool's, both at the head; `weight` joins the pool's sum."""
    vm = st.vcpus[v].vm
    cr.vcpus[v].active = 1
    cr.vcpus[v].next_active = cr.vms[vm].first_active
    cr.vms[vm].first_active = v
    cr.vms[vm].active_count += 1
    cr.pool.weight_sum += weight
    if cr.vms[vm].active_count == 1:
        cr.vms[vm].next_vm = cr.pool.first_vm
        cr.pool.first_vm = vm
    log(st, now, st.vcpus[v].pcpu, v, ACTIVATE, cr.vcpus[v].credit)


@kernel
@seldom
def deactivate(st, cr, now, v, weight):
    """Take `v` off the active list: it earns nothing until a tick finds it running again."""
    vm = st.vcpus[v].vm
    cr.vcpus[v].active = 0
    if cr.vms[vm].first_active == v:
        cr.vms[vm].first_active = cr.vcpus[v].next_active
    else:
        other = cr.vms[vm].first_active
        while cr.vcpus[other].next_active != v:
            other = cr.vcpus[other].next_active
        cr.vcpus[other].next_active = cr.vcpus[v].next_active
    cr.vms[vm].active_count -= 1
    cr.pool.weight_sum -= weight
    if cr.vms[vm].active_count == 0:
        unlink_vm(cr, vm)
    log(st, now, st.vcpus[v].pcpu, v, DEACTIVATE, cr.vcpus[v].credit)


@kernel
def unlink_vm(cr, vm):
    """Take a VM off the pool's list of active VMs."""
    if cr.pool.first_vm == vm:
        cr.pool.first_vm = cr.vms[vm].next_vm
    else:
        other = cr.pool.first_vm
        while cr.vms[other].next_vm != vm:
            other = cr.vms[other].next_vm
        cr.vms[other].next_vm = cr.vms[vm].next_vm


@kernel
@seldom
def move_vm_to_head(cr, vm):
    """Let a VM be served first at the next accounting (2.5 step 3e)."""
    unlink_vm(cr, vm)
    cr.vms[vm].next_vm = cr.pool.first_vm
    cr.pool.first_vm = vm


@kernel
def measured(times, count, now, computed):
    """First of the measured instants after `now`; `computed` when nothing was measured or nothing is left."""
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        if times[middle] > now:
            high = middle
        else:
            low = middle + 1
    return times[low] if low < count else computed


@kernel
def ceil_div(x, y):
    """x / y rounded up, for x, y > 0."""
    return (x + y - 1) // y


@kernel
def next_grid_tick(cr, now):
    """First multiple of the tick's period after `now` (2.4.2). It divides once a period: a division takes longer than a decision."""
    if now - cr.pool.tick_grid >= cr.pool.tick_period:
        cr.pool.tick_grid = now - now % cr.pool.tick_period
    return cr.pool.tick_grid + cr.pool.tick_period


# ------------------------------------------------------------------ time (today's generation)


@kernel
def arm_account(st, cr, now):
    """Next accounting: a time slice after this one, plus its lateness, so that it drifts as on a real machine (2.4.0)."""
    due = now + cr.pool.timeslice + st.costs.account_late
    set_timer(st.timers, st.slots.account, measured(cr.measured_accounts, cr.pool.account_count, now, due))


@kernel
def arm_tick(st, cr, p, now, due):
    """Next tick of a pCPU."""
    due += st.costs.tick_late
    set_timer(st.timers, st.slots.tick + p, measured(cr.measured_ticks, cr.pool.tick_count, now, due))


@kernel
def burn(cr, now, v):
    """Charge the running vCPU for the time since it was last charged: 10 credits a millisecond (2.3.1).

    Whole credits only. The remainder is kept twice, in `residual` and in `charged_to`; so the charge may run up to one credit
    ahead, and evens out because time that is already paid is not charged (2.3.2).
    """
    elapsed = now - cr.vcpus[v].charged_to
    if elapsed <= 0:
        return
    value = elapsed * CREDITS_PER_MS + cr.vcpus[v].residual
    whole = value // MILLISECOND
    cr.vcpus[v].residual = value - whole * MILLISECOND
    cr.vcpus[v].credit -= whole
    cr.vcpus[v].charged_to += whole * NS_PER_CREDIT
