"""Xen's credit scheduler as of 2006 to 2008: what the early studies measured (docs/xen-rules.md section 3).

The same idea as `credit.py`, with one great difference: time is not measured but *sampled*. Every 10 ms whoever is running at
the tick pays for the whole 10 ms, whatever it really used; everybody else pays nothing (3.2.1). Weights belong to domains, not
to vCPUs; there is no ratelimit; a wake-up tickles every idle pCPU.

Xen 3.1 (2007) boosts vCPUs that wake; 3.0.3 (2006) does not, and parks capped vCPUs by a priority below idle.
`rv.Credit(xen="3.1")` or ``"3.0.3"`` selects this file.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..jit import kernel
from ..state import ACCOUNT, BOOST, IDLE, OFFLINE, PARK, RUNNABLE, STEAL, TICK, UNBOOST, UNPARK, ask_decision, log
from ..timers import NEVER, set_timer
from .credit_accounting import (
    PRIO_BOOST,
    PRIO_IDLE,
    PRIO_OVER,
    PRIO_PARKED,
    PRIO_UNDER,
    activate,
    ceil_div,
    deactivate,
    forget_latest,
    insert,
    make_credit_state,
    move_vm_to_head,
    priority_of,
    sort_queue,
)
from .runqueue import NOBODY, remove

TICK_PERIOD = 10_000_000       # [ns]
TICKS_PER_ACCOUNTING = 3
MASTER = 0                     # the pCPU whose tick does the accounting (3.2.3)


def make_state(xen: str, *, cpus: int, vcpus: int, weight: np.ndarray, cap: np.ndarray) -> Any:
    """The scheduler's arrays. Xen 3.0.3 counts credits in milliseconds: 30 a slice and pCPU; 3.1 counts 300."""
    modern = xen == "3.1"
    return make_credit_state(cpus=cpus, vcpus=vcpus, weight=weight, cap=cap, timeslice=30_000_000, tick_period=TICK_PERIOD,
                             slice_credits=300 if modern else 30, boosting=int(modern))


# ------------------------------------------------------------------ timers


@kernel
def start(st, cr):
    """Every pCPU ticks from the beginning, idle or not (3.2.2)."""
    for p in range(cr.pool.cpus):
        set_timer(st.timers, st.slots.tick + p, TICK_PERIOD + st.costs.tick_late)


@kernel
def tick(st, cr, now, p):
    """Every 10 ms: debit whoever is caught running; on the master, every third time, account; then sort the queue (3.2.3)."""
    v = st.pcpus[p].current
    if v != IDLE:
        if cr.vcpus[v].priority == PRIO_BOOST:
            cr.vcpus[v].priority = PRIO_UNDER
            log(st, now, p, v, UNBOOST, cr.vcpus[v].credit)
        cr.vcpus[v].credit -= cr.pool.slice_credits // TICKS_PER_ACCOUNTING          # the whole tick, whatever it used (3.2.1)
        if not cr.vcpus[v].active:
            activate(st, cr, now, v, 0 if cr.vms[st.vcpus[v].vm].active_count else cr.vms[st.vcpus[v].vm].weight)
        log(st, now, p, v, TICK, cr.vcpus[v].credit)
    if p == MASTER:
        cr.pool.ticks += 1
        if cr.pool.ticks % TICKS_PER_ACCOUNTING == 0:
            account_now(st, cr, now)
    sort_queue(st, cr, p)
    set_timer(st.timers, st.slots.tick + p, now + TICK_PERIOD + st.costs.tick_late)


@kernel
def account_now(st, cr, now):
    """Hand out credits by *domain* weight, set priorities, park who is over its cap (3.2.4, 2.5)."""
    weight_sum, balance = cr.pool.weight_sum, cr.pool.balance
    total = cr.pool.slice_credits * cr.pool.cpus
    if balance < 0:
        total -= balance
    left, new_balance, surplus = weight_sum, 0, False
    vm = cr.pool.first_vm
    while vm != NOBODY:
        following = cr.vms[vm].next_vm
        n, weight = cr.vms[vm].active_count, cr.vms[vm].weight
        left -= weight
        peak = cr.pool.slice_credits * n
        if balance < 0:
            peak += ceil_div(-balance * weight, weight_sum)
        cap_per_vcpu = 0
        if cr.vms[vm].cap > 0:
            cap = ceil_div(cr.vms[vm].cap * cr.pool.slice_credits, 100)
            peak = min(peak, cap)
            cap_per_vcpu = ceil_div(cap, n)
        fair = ceil_div(total * weight, weight_sum)
        if fair < peak:
            surplus = True
        else:
            if left > 0:
                total += ceil_div((fair - peak) * weight_sum, left)
                if surplus:
                    move_vm_to_head(cr, vm)
            fair = peak
        share = ceil_div(fair, n)
        v = cr.vms[vm].first_active
        while v != NOBODY:
            next_v = cr.vcpus[v].next_active
            new_balance += settle(st, cr, now, v, share, cap_per_vcpu)
            v = next_v
        vm = following
    cr.pool.balance = new_balance
    cr.pool.epoch += 1


@kernel
def settle(st, cr, now, v, share, cap_per_vcpu):
    """Pay one active vCPU its share and set its priority; its credit afterwards. Too much credit is lost (3.2.4)."""
    p = st.vcpus[v].pcpu
    was_boosted = cr.vcpus[v].priority == PRIO_BOOST
    forget_latest(cr, p)
    cr.vcpus[v].credit += share
    if cr.vcpus[v].credit < 0:
        cr.vcpus[v].priority = PRIO_OVER
        if cap_per_vcpu > 0:
            if not cr.pool.boosting:
                cr.vcpus[v].priority = PRIO_PARKED                              # 3.0.3: below idle (3.2.11)
            elif cr.vcpus[v].credit < -cap_per_vcpu and not cr.vcpus[v].parked:
                park(st, cr, now, v)
        if cr.vcpus[v].credit < -cr.pool.slice_credits:
            cr.vcpus[v].credit = -cr.pool.slice_credits
    else:
        cr.vcpus[v].priority = PRIO_UNDER
        if cr.vcpus[v].parked:
            unpark(st, cr, now, v)
        if cr.vcpus[v].credit > cr.pool.slice_credits:
            vm = st.vcpus[v].vm
            deactivate(st, cr, now, v, cr.vms[vm].weight if cr.vms[vm].active_count == 1 else 0)
            cr.vcpus[v].credit = 0 if cr.pool.boosting else cr.pool.slice_credits
    if was_boosted:
        log(st, now, p, v, UNBOOST, cr.vcpus[v].credit)
    log(st, now, p, v, ACCOUNT, cr.vcpus[v].credit)
    return cr.vcpus[v].credit


@kernel
def account(st, cr, now):
    """No timer of its own: accounting is part of the master's tick."""


@kernel
def park(st, cr, now, v):
    """Keep a vCPU that overran its cap off every pCPU until its credit is back to 0."""
    cr.vcpus[v].parked = 1
    log(st, now, st.vcpus[v].pcpu, v, PARK, cr.vcpus[v].credit)
    st.vcpus[v].paused += 1
    if st.vcpus[v].state == RUNNABLE:
        st.vcpus[v].state = OFFLINE
    sleep(st, cr, now, v)


@kernel
def unpark(st, cr, now, v):
    """Let a parked vCPU go on, without boost."""
    log(st, now, st.vcpus[v].pcpu, v, UNPARK, cr.vcpus[v].credit)
    st.vcpus[v].paused -= 1
    if st.vcpus[v].paused == 0 and not st.vcpus[v].blocked and st.vcpus[v].state == OFFLINE:
        st.vcpus[v].state = RUNNABLE
        wake(st, cr, now, v)
    cr.vcpus[v].parked = 0


# ------------------------------------------------------------------ wake, sleep, yield


@kernel
def place(st, cr, now, v):
    """Choose a pCPU for a new vCPU: the proposed one, or the first that is quite idle; queue it if it is runnable."""
    vcpus, cpus = st.vcpus, cr.pool.cpus
    home = vcpus[v].pcpu
    for k in range(cpus):
        p = (home + k) % cpus
        if (st.allowed[v, p] and st.pcpus[p].current == IDLE and cr.queues.line[p].head == NOBODY
                and st.pcpus[p].decide_at == NEVER):
            vcpus[v].pcpu = p
            break
    if vcpus[v].state == RUNNABLE:
        insert(st, cr, vcpus[v].pcpu, v)
        tickle(st, cr, v, now + st.costs.wake_path)


@kernel
def wake(st, cr, now, v):
    """A blocked vCPU has something to do: boost it if it is UNDER (3.1 only), queue it, see who should look (3.2.5)."""
    p = st.vcpus[v].pcpu
    if st.pcpus[p].current == v or cr.queues.links[v].where != NOBODY:
        return
    asked_at = now + st.costs.wake_path
    if cr.pool.boosting and cr.vcpus[v].priority == PRIO_UNDER and not cr.vcpus[v].parked:
        cr.vcpus[v].priority = PRIO_BOOST
        asked_at += st.costs.boost_path
        log(st, now, p, v, BOOST, cr.vcpus[v].credit)
    insert(st, cr, p, v)
    tickle(st, cr, v, asked_at)


@kernel
def sleep(st, cr, now, v):
    """A vCPU is paused: a running one leaves at the next decision, a waiting one is taken off the queue."""
    p = st.vcpus[v].pcpu
    if st.pcpus[p].current == v:
        ask_decision(st, p, now)
    elif cr.queues.links[v].where != NOBODY:
        remove(cr.queues, v)


@kernel
def yield_(st, cr, now, v):
    """Nothing but a decision: the caller goes to the tail of its class (3.2.7)."""


@kernel
def tickle(st, cr, v, at):
    """The pCPU where `v` last ran, if `v` has higher priority; and, if that is busy, *every* suitable idle pCPU (3.2.6)."""
    home = st.vcpus[v].pcpu
    current = st.pcpus[home].current
    if cr.vcpus[v].priority > priority_of(cr, current):
        ask_decision(st, home, at)
    if current != IDLE:
        for p in range(cr.pool.cpus):
            if cr.pcpus[p].idle and st.allowed[v, p]:
                ask_decision(st, p, at)


# ------------------------------------------------------------------ the decision


@kernel
def decide(st, cr, now, p):
    """Who runs on pCPU `p` now, and for how long at most? Always a full slice, even for idle (3.2.8)."""
    vcpus, queues = st.vcpus, cr.queues
    current = st.pcpus[p].current
    if current != IDLE and not vcpus[current].blocked and vcpus[current].paused == 0:
        insert(st, cr, p, current)
    chosen = queues.line[p].head
    if priority_of(cr, chosen) < PRIO_IDLE:                       # parked below idle
        chosen = NOBODY
    if priority_of(cr, chosen) <= PRIO_OVER:
        stolen = steal(st, cr, now, p, priority_of(cr, chosen))
        if stolen != NOBODY:
            chosen = stolen
    if chosen == NOBODY:
        chosen = IDLE
    elif queues.links[chosen].where != NOBODY:
        remove(queues, chosen)
    cr.pcpus[p].idle = 1 if chosen == IDLE else 0
    return chosen, cr.pool.timeslice


@kernel
def steal(st, cr, now, p, local_best):
    """Ask the other pCPUs, cyclically from the next one, for a waiting vCPU of strictly higher priority (3.2.8)."""
    cpus = cr.pool.cpus
    for k in range(1, cpus):
        peer = (p + k) % cpus
        v = cr.queues.line[peer].head
        while v != NOBODY and cr.vcpus[v].priority > local_best:
            if st.allowed[v, p]:
                remove(cr.queues, v)
                st.vcpus[v].pcpu = p
                log(st, now, p, v, STEAL, peer)
                return v
            v = cr.queues.links[v].next
    return NOBODY


@kernel
def leave(st, cr, now, v):
    """The VM of `v` is gone: it earns no more, and starts from nothing should the VM come back."""
    if cr.vcpus[v].parked:
        cr.vcpus[v].parked = 0
        st.vcpus[v].paused -= 1
    if cr.vcpus[v].active:
        vm = st.vcpus[v].vm
        deactivate(st, cr, now, v, cr.vms[vm].weight if cr.vms[vm].active_count == 1 else 0)
    cr.vcpus[v].credit = 0
    cr.vcpus[v].residual = 0
    cr.vcpus[v].priority = PRIO_UNDER


@kernel
def worth(cr, v):
    """What the log shows beside the vCPU: its credit."""
    return cr.vcpus[v].credit
