"""Who gets a pCPU under any kind of server, and what it is charged (docs/servers.md S1; rule numbers in brackets).

The schedulers compose their `wake`, `decide` and `replenish` from these, adding the rules of their kind of server.
"""

from __future__ import annotations

from ..jit import kernel
from ..state import DEPLETE, IDLE, NO_LIMIT, ask_decision, log
from ..timers import NEVER
from .runqueue import NOBODY, remove
from .server_queues import WAITING, before, expect, insert, ready, reserved, runnable, waits


@kernel
def charge(st, own, now, v):
    """Charge who holds a pCPU for the time since it was last charged, idling or not (S1.5)."""
    server = own.vcpus[v]
    used, server.charged_to = now - server.charged_to, now
    if reserved(own, v):
        had = server.left
        server.left -= used
        if server.left <= 0 and had > 0:
            log(st, now, server.holds, v, DEPLETE, -server.left)


@kernel
def decide(st, own, now, p):
    """Charge the holder; then the first that is ready. Polling and sporadic servers, and CBS, have more to say between the two."""
    if own.pcpus[p].vcpu != NOBODY:
        charge(st, own, now, own.pcpus[p].vcpu)
    return elect(st, own, now, p)


@kernel
def elect(st, own, now, p):
    """Give `p` to the first of its holder and those that wait and may run there; for as long as something is left (S1.4)."""
    holder, first = own.pcpus[p].vcpu, own.queues.line[WAITING].head
    while first != NOBODY and not st.allowed[first, p]:
        first = own.queues.links[first].next
    goes_on = holder != NOBODY and ready(st, own, holder)
    if goes_on and (first == NOBODY or before(own, holder, first)):
        first = holder
    else:
        hand_over(st, own, now, p, holder, first, goes_on)
    if first == NOBODY:
        return IDLE, NO_LIMIT
    own.vcpus[first].charged_to = now
    return first if runnable(st, first) else IDLE, own.vcpus[first].left if reserved(own, first) else NO_LIMIT


@kernel
def hand_over(st, own, now, p, holder, heir, waits_on):
    """`p` changes hands; a holder that is displaced may displace somebody elsewhere."""
    own.pcpus[p].vcpu = heir
    if heir != NOBODY:
        remove(own.queues, heir)
        own.vcpus[heir].holds = p
    if holder != NOBODY:
        own.vcpus[holder].holds = NOBODY
        if waits_on:
            insert(own, holder)
            tickle(st, own, holder, now + st.costs.wake_path)


@kernel
def tickle(st, own, v, at):
    """Tell a pCPU that `v` should perhaps have it: one that nobody holds, else the one with the least important holder (S1.6)."""
    chosen, last = NOBODY, v
    for i in range(st.agenda.pcpus):
        p = (st.vcpus[v].pcpu + i) % st.agenda.pcpus
        if st.pcpus[p].decide_at != NEVER or not st.allowed[v, p]:
            continue
        holder = own.pcpus[p].vcpu
        if holder == NOBODY:
            chosen = p
            break
        if before(own, last, holder):
            chosen, last = p, holder
    if chosen != NOBODY:
        ask_decision(st, chosen, at)


@kernel
def come(st, own, v, at):
    """`v` may have become ready: it waits for a pCPU, or goes on with the one where it idles (S1.7)."""
    p = own.vcpus[v].holds
    if p != NOBODY:
        if st.pcpus[p].current != v:
            ask_decision(st, p, at)
    elif ready(st, own, v) and not waits(own, v):
        insert(own, v)
        tickle(st, own, v, at)


@kernel
def look_again(st, own, now, v):
    """`v` has been replenished: its pCPU decides, or it is queued by its new deadline (S1.9)."""
    if own.vcpus[v].holds != NOBODY:
        ask_decision(st, own.vcpus[v].holds, now)
        return
    if waits(own, v):
        remove(own.queues, v)
    come(st, own, v, now)


# ------------------------------------------------------------------ what the loop asks for, the same for all kinds


@kernel
def start(st, own):
    """Replenishments are expected when VMs start."""


@kernel
def sleep(st, own, now, v):
    """A pause is nothing to run (S1.8)."""
    if own.vcpus[v].holds != NOBODY:
        ask_decision(st, own.vcpus[v].holds, now)
    elif waits(own, v) and not ready(st, own, v):
        remove(own.queues, v)


@kernel
def leave(st, own, now, v):
    """The VM of `v` has crashed: its server is gone."""
    if reserved(own, v):
        own.vcpus[v].left = 0
        expect(st, own, v, NEVER)
    sleep(st, own, now, v)


@kernel
def yield_(st, own, now, v):
    """Nobody of lower importance may pass: a yield has no effect."""


@kernel
def tick(st, own, now, p):
    """No ticks."""


@kernel
def account(st, own, now):
    """No accounting."""


@kernel
def worth(own, v):
    """What is left [ns]."""
    return own.vcpus[v].left
