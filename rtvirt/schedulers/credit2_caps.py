"""Caps under credit2: a VM may run so much in 10 ms, all its vCPUs together (docs/xen-rules.md 5.6; rule numbers in brackets).

A pool is filled every 10 ms. A vCPU takes a part of it when it starts running, and gives back what it has left when it stops. Who finds
the pool empty is *parked*: it runs nowhere and waits nowhere until the pool is filled, or somebody gives back.
"""

from __future__ import annotations

from ..jit import kernel, seldom
from ..state import OFFLINE, PARK, REPLENISH, RUNNABLE, UNPARK, ask_decision, log
from ..timers import NEVER, set_alarm
from .credit2_accounts import burn, runs
from .credit2_placement import arrive

PERIOD = 10_000_000                   # [ns] (5.1)
LEAST_QUOTA = 500_000                 # [ns] (5.6.2)


@kernel
def grab(st, c2, now, v):
    """Has `v` a budget, or can it take one? If not it is parked; what it ran too long its VM pays (5.6.2)."""
    account, domain = c2.vcpus[v], c2.vms[st.vcpus[v].vm]
    if domain.total == 0 or account.budget > 0 or not account.assigned:
        return True
    return take(st, c2, now, v, account, domain)


@kernel
@seldom
def take(st, c2, now, v, account, domain):
    """The part of `grab` that not everybody needs."""
    domain.pool += account.budget
    account.budget = 0
    if domain.pool > 0:
        account.budget = min(domain.pool, domain.quota)
        domain.pool -= account.budget
        return True
    account.parked = 1
    log(st, now, st.vcpus[v].pcpu, v, PARK, account.credit)
    st.vcpus[v].paused += 1
    if st.vcpus[v].state == RUNNABLE:
        st.vcpus[v].state = OFFLINE
    return False


@kernel
@seldom
def give_back(st, c2, now, v, at):
    """What is left of a vCPU's budget goes into the pool, once it has stopped; who is parked can try again (5.6.2)."""
    account, domain = c2.vcpus[v], c2.vms[st.vcpus[v].vm]
    if account.budget > 0:
        domain.pool += account.budget
        account.budget = 0
    unpark(st, c2, now, st.vcpus[v].vm, at)


@kernel
@seldom
def unpark(st, c2, now, vm, at):
    """Let the parked vCPUs of a VM go on, if there is something in its pool."""
    domain = c2.vms[vm]
    if domain.total > 0 and domain.pool <= 0:
        return
    for v in range(st.vms[vm].first_vcpu, st.vms[vm].first_vcpu + st.vms[vm].vcpus):
        if c2.vcpus[v].parked:
            c2.vcpus[v].parked = 0
            st.vcpus[v].paused -= 1
            log(st, now, st.vcpus[v].pcpu, v, UNPARK, c2.vcpus[v].credit)
            if st.vcpus[v].paused == 0 and not st.vcpus[v].blocked and st.vcpus[v].state == OFFLINE:
                st.vcpus[v].state = RUNNABLE
                arrive(st, c2, now, v, at)


@kernel
@seldom
def replenish(st, c2, now, k):
    """Fill the pools that are due: their total is added, and what is more than it is lost; so a debt is paid first (5.6.1)."""
    for vm in range(c2.rules.vms):
        domain = c2.vms[vm]
        if domain.refill <= now:
            domain.pool = min(domain.pool + domain.total, domain.total)
            domain.refill += ((now - domain.refill) // PERIOD + 1) * PERIOD
            first = st.vms[vm].first_vcpu
            log(st, now, st.vcpus[first].pcpu, first, REPLENISH, domain.pool)
            unpark(st, c2, now, vm, now + st.costs.replenish_path)
    arm(st, c2)


@kernel
@seldom
def arm(st, c2):
    """Set the timer for the pool that is due next. In Xen each VM has a timer of its own (5.6.1); this one stands for all of them."""
    due = NEVER
    for vm in range(c2.rules.vms):
        due = min(due, c2.vms[vm].refill)
    set_alarm(st.alarms, st.slots.replenish, due if due == NEVER else due + st.costs.replenish_late)


@kernel
@seldom
def begin_cap(st, c2, now, vm):
    """A VM's periods begin when its cap is set: VMs are not synchronised (5.6.1)."""
    domain = c2.vms[vm]
    if domain.total > 0 and domain.refill == NEVER:
        domain.pool, domain.refill = domain.total, now + PERIOD
        arm(st, c2)


@kernel
@seldom
def end_cap(st, c2, now, vm):
    """The cap has been taken away, or the VM is gone."""
    if c2.vms[vm].refill != NEVER:
        c2.vms[vm].refill = NEVER
        arm(st, c2)


@kernel
@seldom
def change_cap(st, c2, now, vm):
    """A cap may have been set, or taken away. One that begins counts from now on; one that changes, from the next refill on."""
    first, end = st.vms[vm].first_vcpu, st.vms[vm].first_vcpu + st.vms[vm].vcpus
    if c2.vms[vm].total == 0:
        end_cap(st, c2, now, vm)
        unpark(st, c2, now, vm, now)
    elif c2.vms[vm].refill == NEVER and c2.vcpus[first].assigned:
        begin_cap(st, c2, now, vm)
        for v in range(first, end):
            if runs(st, v):
                burn(st, c2, now, v)
                ask_decision(st, st.vcpus[v].pcpu, now)
            c2.vcpus[v].budget = 0
