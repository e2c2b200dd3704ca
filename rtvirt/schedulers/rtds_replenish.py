"""How RTDS hands out budgets, and whom it tells (docs/xen-rules.md 6.2; rule numbers in brackets)."""

from __future__ import annotations

from ..jit import kernel
from ..state import IDLE, ask_decision
from ..timers import set_alarm, set_timer
from .rtds_queues import DEPLETED, NEXT, READY, arm, beats, enqueue, expect, queued, renew
from .runqueue import NOBODY, remove

CLOCK = 0                 # pCPU whose clock the replenishment timer uses


@kernel
def replenish(st, rt, now, k):
    """The replenishment timer: a new budget for everybody whose deadline has come, and then who should look (6.2.8).

    It stops at the first in the queue that is not due (6.2.13). Who is served is put on a stack, and so comes back into the queue in the
    reverse order, and is looked after in that order too; the run queue gets them in the order of the queue (6.2.14).
    """
    servers, stack, served = rt.vcpus, NOBODY, 0
    v = rt.replenishments.line[NEXT].head
    while v != NOBODY and servers[v].deadline <= now:
        remove(rt.replenishments, v)
        renew(st, rt, now, v)
        if queued(rt, v):
            remove(rt.queues, v)
            enqueue(rt, v)
        servers[v].renewed, stack = stack, v
        served += 1
        v = rt.replenishments.line[NEXT].head
    asked_at = now + st.costs.replenish_path + served * st.costs.replenish_each
    while stack != NOBODY:
        v, stack = stack, servers[stack].renewed
        look_after(st, rt, v, asked_at)
        expect(st, rt, now, v)
    arm(st, rt, now)
    hold_up_slice(st, now)


@kernel
def look_after(st, rt, v, asked_at):
    """Who should decide, now that `v` has a new budget?

    A running vCPU has a later deadline now: perhaps the head of the run queue should have its pCPU. It is not charged, and its slice goes
    on. A vCPU that was depleted has something to run with. Who waits on extratime was never depleted: nobody is told (6.2.15).
    """
    head = rt.queues.line[READY].head
    if st.pcpus[st.vcpus[v].pcpu].current == v and head != NOBODY:
        if beats(rt, head, v):
            tickle(st, rt, head, asked_at)
    elif rt.vcpus[v].depleted:
        rt.vcpus[v].depleted = 0
        if queued(rt, v):
            tickle(st, rt, v, asked_at)


@kernel
def tickle(st, rt, v, at):
    """Tell a pCPU that `v` should perhaps run there: an idle one, else the one that runs the least urgent vCPU (6.2.7).

    The search begins where `v` last ran. A pCPU that has been told already is left out: it will see `v` anyway.
    """
    pcpus, lowest, chosen = st.pcpus, NOBODY, NOBODY
    for i in range(st.agenda.pcpus):
        p = (st.vcpus[v].pcpu + i) % st.agenda.pcpus
        if rt.pcpus[p].tickled or not st.allowed[v, p]:
            continue
        current = pcpus[p].current
        if current == IDLE:
            lowest, chosen = NOBODY, p
            break
        if lowest == NOBODY or beats(rt, lowest, current):
            lowest, chosen = current, p
    if chosen != NOBODY and (lowest == NOBODY or beats(rt, v, lowest)):
        rt.pcpus[chosen].tickled = 1
        ask_decision(st, chosen, at)


@kernel
def look_for_deadlines(st, rt, now):
    """The 4.5 way: no timer; at wake-ups and decisions, whoever waits and has reached its deadline gets a new budget (6.3.1)."""
    for line in (READY, DEPLETED):
        v = rt.queues.line[line].head
        while v != NOBODY:
            following = rt.queues.links[v].next
            if now >= rt.vcpus[v].deadline:
                remove(rt.queues, v)
                renew(st, rt, now, v)
                rt.vcpus[v].depleted = 0
                enqueue(rt, v)
            v = following


@kernel
def hold_up_replenishment(st, now):
    """A decision sets the clock interrupt anew, no nearer than a timer slop ahead: a replenishment that is nearer waits (1.7.1)."""
    slot, late = st.slots.replenish, st.costs.replenish_late
    if now < st.alarms.at[slot] - late < now + st.costs.timer_slop:
        set_alarm(st.alarms, slot, now + st.costs.timer_slop + late)


@kernel
def hold_up_slice(st, now):
    """And a replenishment holds up the slice timer in the same way, on the pCPU whose clock it uses; its handler takes a while to get there."""
    slot, late = st.slots.slice + CLOCK, st.costs.slice_late
    soonest = now + st.costs.rearm_path + st.costs.timer_slop
    if now < st.timers.at[slot] - late < soonest:
        set_timer(st.timers, slot, soonest + late)
