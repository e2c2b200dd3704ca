"""Xen's null scheduler: one vCPU a pCPU, for ever (docs/xen-rules.md 7.2). What industry does when latency must be small."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from ..jit import kernel
from ..rows import Many, Row, Struct, make, put
from ..state import IDLE, MAX_PCPUS, MAX_VCPUS, NO_LIMIT, RUNNABLE, ask_decision
from .contracts import Contracts
from .runqueue import NOBODY


class Tickets(Row):
    """The queue of vCPUs that wait for a pCPU."""

    given: int                # tickets handed out so far


class NullState(Struct):
    """Who is assigned to each pCPU, and where each vCPU is assigned."""

    tickets = Tickets
    owner = Many(int, MAX_PCPUS)                      # of a pCPU: a vCPU; NOBODY
    home = Many(int, MAX_VCPUS)                       # of a vCPU: a pCPU; NOBODY while it waits for one
    ticket = Many(int, MAX_VCPUS)                     # place in the wait queue; 0 if it does not wait


@dataclass(frozen=True)
class Null:
    """Each vCPU has a pCPU of its own; vCPUs beyond the number of pCPUs wait, and never run (7.2.1).

    No slice, no tick, no ratelimit, no accounting (7.2.2). Blocking does not free the pCPU (7.2.3).

    References
    ----------
    docs/xen-rules.md 7.2.
    """

    kernel_name: ClassVar[str] = "null"
    work_conserving: ClassVar[bool] = False

    def make_state(self, cpus: int, contracts: Contracts) -> Any:
        """The scheduler's tables; weights and caps mean nothing here."""
        n = len(contracts.vcpu_vm)
        nl = make(NullState, {"owner": cpus, "home": n, "ticket": n})
        put(nl.owner, NOBODY, cpus)
        put(nl.home, NOBODY, n)
        return nl


@kernel
def start(st, nl):
    """No timers of its own."""


@kernel
def place(st, nl, now, v):
    """Assign a pCPU: the proposed one if it is free and allowed, else the first free one, soft affinities first (7.2.1)."""
    vcpus = st.vcpus
    if nl.home[v] == NOBODY:
        p = find_free(st, nl, v)
        if p == NOBODY:
            nl.tickets.given += 1
            nl.ticket[v] = nl.tickets.given
            return
        assign(st, nl, v, p)
    if not vcpus[v].blocked and vcpus[v].paused == 0:
        wake(st, nl, now, v)


@kernel
def assign(st, nl, v, p):
    """`v` owns pCPU `p` from now on."""
    nl.owner[p] = v
    nl.home[v] = p
    nl.ticket[v] = 0
    st.vcpus[v].pcpu = p


@kernel
def find_free(st, nl, v):
    """A pCPU that nobody owns, or NOBODY."""
    vcpus, home = st.vcpus, st.vcpus[v].pcpu
    for step in range(2):
        if step == 0 and not vcpus[v].picky:
            continue
        if nl.owner[home] == NOBODY and suits(st, v, home, step == 0):
            return home
        for p in range(st.agenda.pcpus):
            if nl.owner[p] == NOBODY and suits(st, v, p, step == 0):
                return p
    return NOBODY


@kernel
def suits(st, v, p, soft):
    """May `v` run on `p`, by its soft or by its hard affinity?"""
    return st.preferred[v, p] if soft else st.allowed[v, p]


@kernel
def wake(st, nl, now, v):
    """Tell the pCPU of `v`, if it is idle."""
    p = nl.home[v]
    if p != NOBODY and st.pcpus[p].current == IDLE:
        ask_decision(st, p, now + st.costs.wake_path)


@kernel
def sleep(st, nl, now, v):
    """Paused: leave the pCPU (and keep it)."""
    if nl.home[v] != NOBODY and st.pcpus[nl.home[v]].current == v:
        ask_decision(st, nl.home[v], now)


@kernel
def yield_(st, nl, now, v):
    """Nobody to yield to."""


@kernel
def decide(st, nl, now, p):
    """The owner, if it is runnable."""
    v = nl.owner[p]
    if v != NOBODY and not st.vcpus[v].blocked and st.vcpus[v].paused == 0:
        return v, NO_LIMIT
    return IDLE, NO_LIMIT


@kernel
def tick(st, nl, now, p):
    """No ticks."""


@kernel
def account(st, nl, now):
    """No accounting."""


@kernel
def leave(st, nl, now, v):
    """The VM of `v` is gone: the first waiting vCPU that is allowed here takes the pCPU (7.2.3)."""
    p = nl.home[v]
    nl.ticket[v] = 0
    if p == NOBODY:
        return
    nl.home[v] = NOBODY
    nl.owner[p] = NOBODY
    heir = NOBODY
    for other in range(st.agenda.vcpus):
        if nl.ticket[other] > 0 and st.allowed[other, p] and (heir == NOBODY or nl.ticket[other] < nl.ticket[heir]):
            heir = other
    if heir != NOBODY:
        assign(st, nl, heir, p)
        if st.vcpus[heir].state == RUNNABLE:
            ask_decision(st, p, now)


@kernel
def worth(nl, v):
    """What the log shows beside the vCPU: nothing."""
    return 0
