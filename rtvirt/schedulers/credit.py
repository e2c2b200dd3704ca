"""Xen's credit scheduler, as it is since about 4.8 (docs/xen-rules.md section 2; rule numbers in brackets).

The idea. Every 30 ms each vCPU that has been seen running *earns* credits according to its weight, and a running vCPU *burns*
10 of them a millisecond. Whoever has credits left is UNDER, the others are OVER; UNDER goes first, round robin within a class.
A vCPU that wakes while UNDER is put above both, BOOST, so that I/O is answered at once — until a tick finds it running.

What to look for. Nothing here knows a deadline. Priorities change at ticks and accountings only, boosted vCPUs do not preempt
each other, and who is never seen by a tick never earns. The third notebook makes a class of each of these.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ..jit import kernel, seldom
from ..state import ACCOUNT, BOOST, IDLE, NO_LIMIT, OFFLINE, PARK, RATELIMIT, RUNNABLE, TICK, UNBOOST, UNPARK, ask_decision, log
from ..timers import NEVER, set_timer
from .checks import check_time, check_version
from .contracts import Contracts
from .credit_accounting import (
    CREDITS_PER_MS,
    MILLISECOND,
    NS_PER_CREDIT,  # noqa: F401  (others look for it here)
    PRIO_BOOST,
    PRIO_OVER,
    PRIO_UNDER,
    activate,
    arm_account,
    arm_tick,
    burn,
    ceil_div,
    deactivate,
    forget_latest,
    insert,
    make_credit_state,
    move_vm_to_head,
    next_grid_tick,
    priority_of,
    sort_queue,
)
from .credit_boost import boost_slice, check_budget, count_boost, end_boost, renew_boost
from .credit_initial import apply_initial
from .credit_placement import place, steal, tickle  # noqa: F401  (the loop calls policy.place)
from .runqueue import NOBODY, remove


@dataclass(frozen=True)
class Credit:
    """Xen's credit scheduler.

    Parameters
    ----------
    timeslice : int [ns]
        How long a vCPU may run before the next of its class has a turn; also the accounting period. 1 to 1000 ms, whole
        milliseconds.
    ratelimit : int [ns]
        A vCPU that was just given a pCPU keeps it at least so long. 0 (off) or 0.1 to 500 ms, at most `timeslice`.
    xen : {"4.17", "4.22", "3.1", "3.0.3"}
        Whose rules. 4.22 differs from 4.17 in stealing (2.11, since 4.18). 3.1 is what studies of 2007 and 2008 measured: time
        is debited by sampling, there is no ratelimit (section 3.2). 3.0.3 is 2006, before BOOST (3.2.11).
    boost_budget : int [ns], optional
        Not in Xen: a vCPU may run at BOOST for so long in a window of `boost_period`, then it is UNDER. The first wake-up after a window
        begins the next. 0: nobody is boosted. None: as in Xen, until a tick or an accounting.
    boost_period : int [ns]
        Of that budget.

    Notes
    -----
    Xen's default scheduler has been credit2 since 4.12; credit is what most published measurements saw. The model leaves out
    SMT siblings, NUMA nodes, cpupools and the migration delay (0 by default in Xen).

    On several pCPUs one can be idle while a vCPU waits: two that wake at once, both last seen on the same idle pCPU, tickle only
    that one (2.10 step 2), and the second waits until some pCPU decides and steals it, at most about a tick.

    Raises
    ------
    SpecError
        A parameter out of its range, or one that the version did not have.

    References
    ----------
    docs/xen-rules.md 2 (today's) and 3 (of 2006 to 2008), with the origin of each rule.

    Examples
    --------
    >>> Credit(xen="3.1").ratelimit, Credit(timeslice=5 * MILLISECOND).tick_period
    (0, 1666000)
    """

    timeslice: int = 30 * MILLISECOND
    ratelimit: int | None = None
    xen: str = "4.17"
    boost_budget: int | None = None
    boost_period: int = 10 * MILLISECOND

    VERSIONS: ClassVar[tuple[str, ...]] = ("4.17", "4.22", "3.1", "3.0.3")
    work_conserving: ClassVar[str] = "on one pCPU"

    def __post_init__(self) -> None:
        check_version("Credit", self.xen, self.VERSIONS)
        check_time("Credit.timeslice", self.timeslice, MILLISECOND, 1000 * MILLISECOND, multiple=MILLISECOND)
        if self.ratelimit is None:      # the default of the version: 1 ms since 4.2, none before
            object.__setattr__(self, "ratelimit", 0 if self.xen.startswith("3") else MILLISECOND)
        check_time("Credit.ratelimit", self.ratelimit, MILLISECOND // 10, min(self.timeslice, 500 * MILLISECOND), zero=True)
        if self.xen.startswith("3"):
            check_time("Credit.ratelimit", self.ratelimit, 0, 0, why=f"Xen {self.xen} has no ratelimit")
            check_time("Credit.timeslice", self.timeslice, 30 * MILLISECOND, 30 * MILLISECOND,
                       why=f"Xen {self.xen} has a fixed time slice")
        check_budget(self.boost_budget, self.boost_period, self.xen)

    @property
    def kernel_name(self) -> str:
        """File of `rtvirt/schedulers/` that holds the algorithm."""
        return "credit_2007" if self.xen.startswith("3") else "credit"

    @property
    def tick_period(self) -> int:
        """Nominal time from tick to tick [ns]: a third of the time slice if that is 3 ms or more, in whole microseconds (2.1, 2.4.0)."""
        return self.timeslice // 1000 // (3 if self.timeslice >= 3 * MILLISECOND else 1) * 1000

    @property
    def slice_credits(self) -> int:
        """Credits that one time slice of running burns, and that one pCPU hands out in an accounting period (2.1)."""
        return CREDITS_PER_MS * self.timeslice // MILLISECOND

    def make_state(self, cpus: int, contracts: Contracts) -> Any:
        """The scheduler's arrays for a pool of `cpus` pCPUs."""
        weight, cap = contracts.weight_per_vm("Credit"), contracts.cap
        vcpus = len(contracts.vcpu_vm)
        if self.xen.startswith("3"):
            from .credit_2007 import make_state

            return make_state(self.xen, cpus=cpus, vcpus=vcpus, weight=weight, cap=cap)
        return make_credit_state(
            cpus=cpus, vcpus=vcpus, weight=weight, cap=cap, timeslice=self.timeslice,
            tick_period=self.tick_period, slice_credits=self.slice_credits, ratelimit=self.ratelimit,
            steal_ratelimit=MILLISECOND if self.xen == "4.22" else -1, skip_yielders=int(self.xen == "4.22"),
            boost_bounded=int(self.boost_budget is not None), boost_limit=NEVER if self.boost_budget is None else self.boost_budget,
            boost_period=self.boost_period,
        )

    def reconfigure(self, state: Any, vm: int, field: str, value: int) -> bool:
        """Change a VM's weight or cap while it runs; False for any other field."""
        if field == "cap":
            state.vms[vm].cap = value
        elif field == "weight":
            counted = min(state.vms[vm].active_count, 1) if self.xen.startswith("3") else state.vms[vm].active_count
            state.pool.weight_sum += (value - state.vms[vm].weight) * counted
            state.vms[vm].weight = value
        return field in ("cap", "weight")

    def set_initial(self, state: Any, initial: Mapping[str, Any], first_vcpu: Mapping[str, int], contracts: Contracts) -> None:
        """Start from given credits, priorities, active list and, for traces, measured ticks and accountings."""
        apply_initial(state, initial, first_vcpu, contracts, per_vcpu_weight=not self.xen.startswith("3"))


# ------------------------------------------------------------------ timers


@kernel
@seldom
def start(st, cr):
    """Arm the pool's master timer: accounting every time slice (2.1)."""
    arm_account(st, cr, 0)


@kernel
def tick(st, cr, now, p):
    """Every 10 ms on a pCPU that is not idle (2.4). It never forces a reschedule (2.4.1)."""
    v = st.pcpus[p].current
    if v != IDLE:
        if cr.vcpus[v].priority == PRIO_BOOST:
            if cr.pool.boost_bounded:
                count_boost(cr, now, v)
            cr.vcpus[v].priority = PRIO_UNDER
            log(st, now, p, v, UNBOOST, cr.vcpus[v].credit)
        burn(cr, now, v)
        if not cr.vcpus[v].active:                     # only here does a vCPU join those who earn (2.9.1)
            activate(st, cr, now, v, cr.vms[st.vcpus[v].vm].weight)
        log(st, now, p, v, TICK, cr.vcpus[v].credit)
    sort_queue(st, cr, p)
    arm_tick(st, cr, p, now, now + cr.pool.tick_period)


@kernel
@seldom
def account(st, cr, now):
    """Every 30 ms: hand out credits by weight, set priorities, park who is over its cap (2.5)."""
    weight_sum = cr.pool.weight_sum
    balance = cr.pool.balance
    total = cr.pool.slice_credits * cr.pool.cpus
    if balance < 0:
        total -= balance                         # what was overdrawn is handed out again (step 1)
    left, new_balance, surplus = weight_sum, 0, False
    vm = cr.pool.first_vm
    while vm != NOBODY:
        following = cr.vms[vm].next_vm
        n = cr.vms[vm].active_count
        weight = cr.vms[vm].weight * n               # a VM's weight counts per vCPU (since 4.1)
        left -= weight
        peak = cr.pool.slice_credits * n              # nobody can use more than n pCPUs
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
            if left > 0:                         # what this VM cannot use is offered to those behind it in the list
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
    cr.pool.epoch += 1                             # each pCPU sorts at its own next tick (step 5)
    arm_account(st, cr, now)


@kernel
def settle(st, cr, now, v, share, cap_per_vcpu):
    """Pay one active vCPU its share and set its priority; its credit afterwards (2.5 step 3f)."""
    p = st.vcpus[v].pcpu
    was_boosted = cr.vcpus[v].priority == PRIO_BOOST
    forget_latest(cr, p)
    cr.vcpus[v].credit += share
    if cr.vcpus[v].credit < 0:
        cr.vcpus[v].priority = PRIO_OVER
        if cap_per_vcpu > 0 and cr.vcpus[v].credit < -cap_per_vcpu and not cr.vcpus[v].parked:
            park(st, cr, now, v)
        if cr.vcpus[v].credit < -cr.pool.slice_credits:
            cr.vcpus[v].credit = -cr.pool.slice_credits
    else:
        cr.vcpus[v].priority = PRIO_UNDER
        if cr.vcpus[v].parked:
            unpark(st, cr, now, v)
        if cr.vcpus[v].credit > cr.pool.slice_credits:      # it does not use what it earns: off the list, with half (2.5.3)
            deactivate(st, cr, now, v, cr.vms[st.vcpus[v].vm].weight)
            cr.vcpus[v].credit //= 2
    if was_boosted:
        if cr.pool.boost_bounded and st.pcpus[p].current == v:
            count_boost(cr, now, v)
        log(st, now, p, v, UNBOOST, cr.vcpus[v].credit)
    log(st, now, p, v, ACCOUNT, cr.vcpus[v].credit)
    return cr.vcpus[v].credit


@kernel
@seldom
def park(st, cr, now, v):
    """Keep a vCPU that overran its cap off every pCPU until its credit is back to 0 (2.12)."""
    cr.vcpus[v].parked = 1
    log(st, now, st.vcpus[v].pcpu, v, PARK, cr.vcpus[v].credit)
    st.vcpus[v].paused += 1
    if st.vcpus[v].state == RUNNABLE:
        st.vcpus[v].state = OFFLINE
    sleep(st, cr, now, v)


@kernel
@seldom
def unpark(st, cr, now, v):
    """Let a parked vCPU go on. The flag is still set while it wakes: no boost (2.5.3f)."""
    log(st, now, st.vcpus[v].pcpu, v, UNPARK, cr.vcpus[v].credit)
    st.vcpus[v].paused -= 1
    if st.vcpus[v].paused == 0 and not st.vcpus[v].blocked and st.vcpus[v].state == OFFLINE:
        st.vcpus[v].state = RUNNABLE
        wake(st, cr, now, v)
    cr.vcpus[v].parked = 0


# ------------------------------------------------------------------ wake, sleep, yield


@kernel
def wake(st, cr, now, v):
    """A blocked vCPU has something to do: boost it if it is UNDER, queue it where it last ran, see who should look (2.6, 2.10)."""
    p = st.vcpus[v].pcpu
    if st.pcpus[p].current == v or cr.queues.links[v].where != NOBODY:       # running or queued: nothing changes (2.6.2)
        return
    asked_at = now + st.costs.wake_path
    if cr.pool.boost_bounded:
        renew_boost(cr, now, v)
    if cr.pool.boosting and cr.vcpus[v].priority == PRIO_UNDER and not cr.vcpus[v].parked and cr.vcpus[v].boosted < cr.pool.boost_limit:
        cr.vcpus[v].priority = PRIO_BOOST
        asked_at += st.costs.boost_path
        log(st, now, p, v, BOOST, cr.vcpus[v].credit)
    insert(st, cr, p, v)
    tickle(st, cr, v, asked_at)


@kernel
def sleep(st, cr, now, v):
    """A vCPU is paused: a running one leaves at the next decision, a waiting one is taken off the queue (1.5.6)."""
    p = st.vcpus[v].pcpu
    if st.pcpus[p].current == v:
        ask_decision(st, p, now)
    elif cr.queues.links[v].where != NOBODY:
        remove(cr.queues, v)


@kernel
def yield_(st, cr, now, v):
    """The guest gives the pCPU up; the flag lasts until the vCPU is next taken off the queue (2.7.2)."""
    cr.vcpus[v].yielded = 1


# ------------------------------------------------------------------ the decision


@kernel
def decide(st, cr, now, p):
    """Who runs on pCPU `p` now, and for how long at most? (2.7.3)"""
    vcpus, queues = st.vcpus, cr.queues
    current = st.pcpus[p].current
    runnable = current != IDLE and not vcpus[current].blocked and vcpus[current].paused == 0
    if current != IDLE:
        burn(cr, now, current)                                                     # step 1
        if cr.pool.boost_bounded:
            end_boost(st, cr, now, p, current)
    if runnable and not cr.vcpus[current].yielded:
        ran = now - st.pcpus[p].since
        if ran < cr.pool.ratelimit:                                                     # step 2 (2.8)
            log(st, now, p, current, RATELIMIT, cr.pool.ratelimit - ran)
            return current, boost_slice(cr, now, current, cr.pool.ratelimit - ran) if cr.pool.boost_bounded else cr.pool.ratelimit - ran
    if runnable:
        insert(st, cr, p, current)                                                 # step 3: to the tail of its class
    chosen = queues.line[p].head                                                        # step 4
    if priority_of(cr, chosen) <= PRIO_OVER:                                       # step 5
        stolen = steal(st, cr, now, p, priority_of(cr, chosen))
        if stolen != NOBODY:
            chosen = stolen
    if chosen == NOBODY:
        chosen = IDLE
    elif queues.links[chosen].where != NOBODY:
        remove(queues, chosen)
    hand_over(st, cr, now, p, current, chosen)
    if chosen == IDLE:
        return IDLE, NO_LIMIT
    cr.vcpus[chosen].yielded = 0
    return chosen, boost_slice(cr, now, chosen, cr.pool.timeslice) if cr.pool.boost_bounded else cr.pool.timeslice      # step 6


@kernel
def hand_over(st, cr, now, p, old, new):
    """Keep the books of a decision: unpaid remainders, the set of idle pCPUs, the tick (2.3.1, 2.7.3 step 7, 2.4.2)."""
    if old != IDLE:
        cr.vcpus[old].charged_to -= now
    if new != IDLE:
        cr.vcpus[new].charged_to += now
    cr.pcpus[p].idle = 1 if new == IDLE else 0
    if new == IDLE:
        set_timer(st.timers, st.slots.tick + p, NEVER)
    elif old == IDLE:
        arm_tick(st, cr, p, now, next_grid_tick(cr, now))


@kernel
def leave(st, cr, now, v):
    """The VM of `v` is gone: it earns no more, and starts from nothing should the VM come back."""
    if cr.vcpus[v].parked:
        cr.vcpus[v].parked = 0
        st.vcpus[v].paused -= 1
    if cr.vcpus[v].active:
        deactivate(st, cr, now, v, cr.vms[st.vcpus[v].vm].weight)
    cr.vcpus[v].credit = 0
    cr.vcpus[v].residual = 0
    cr.vcpus[v].boosted = cr.vcpus[v].boost_ends = 0
    cr.vcpus[v].priority = PRIO_UNDER


@kernel
def worth(cr, v):
    """What the log shows beside the vCPU: its credit."""
    return cr.vcpus[v].credit
