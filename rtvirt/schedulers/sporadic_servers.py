"""Sporadic servers: what was used comes back a period after it could first be used (docs/servers.md S5; rule numbers in brackets).

The idea. A deferrable server hurts others because its budget comes back by the clock, however late the old one was used. Here each *piece* of budget
that is used comes back on its own: a period after the instant from which the server could have begun to use it. Work is served at once, as by a
deferrable server, and nobody is hurt more than by a periodic task.

What to look for. The pieces. Whoever uses its budget in many small parts gets it back in as many, and each has its own alarm: a limit on their number
bounds the cost, and delays budget when it is reached. The wording that became POSIX's SCHED_SPORADIC let what was used by two pieces come back by the
clock of the first, which breaks the promise (Stanovich et al. 2010); here every piece keeps its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from ..jit import kernel
from ..rows import Many, Row, Struct
from ..state import DEPLETE, MAX_PCPUS, MAX_VCPUS, REPLENISH, log
from ..timers import NEVER, Timers, first_timer
from .contracts import Contracts
from .initial import whole
from .runqueue import NOBODY, RunQueues
from .server_dispatch import account, come, elect, leave, look_again, sleep, start, tick, worth, yield_  # noqa: F401  (the loop's)
from .server_queues import Holder, Rules, Server, Servers, expect, make_servers, reserved

MOST = 64                 # places for the pieces of a budget


class Ring(Row):
    """Where a vCPU's pieces are in its row of `amount` and `since`: a ring."""

    first: int                # place of the first
    count: int


class SporadicState(Struct):
    """As `ServersState`, and the pieces."""

    rules = Rules
    rings = Many(Ring, MAX_VCPUS)                     # in front: Numba would take a longer `ServersState` for one
    vcpus = Many(Server, MAX_VCPUS)
    pcpus = Many(Holder, MAX_PCPUS)
    queues = RunQueues
    due = Timers
    amount = Many(int, MAX_VCPUS, MOST)               # [ns]
    since = Many(int, MAX_VCPUS, MOST)                # when it can first be used [ns]


@dataclass(frozen=True)
class SporadicServers(Servers):
    """Each vCPU may use `VM.budget`; what it used comes back `VM.period` after it could first be used.

    Parameters
    ----------
    order : {"fp", "edf"}
        As in `DeferrableServers`; the deadline is when the piece in use will come back.
    pieces : int, 1 to 64
        Into how many pieces the budget may fall. With no place left, the rest of a piece joins the next one: it comes later than it might, and the
        supply bound does not hold. (POSIX: sched_ss_max_repl.)

    Notes
    -----
    As in `DeferrableServers`. What a late timer lets a vCPU use too long is taken from the pieces that follow, and comes back when they do.

    Raises
    ------
    SpecError
        As in `DeferrableServers`; a number of pieces out of range.

    References
    ----------
    docs/servers.md S1, S5. Sprunt, Sha and Lehoczky, Real-Time Systems 1(1), 1989; Stanovich, Baker, Wang and González Harbour, Defects of the POSIX
    sporadic server and how to correct them, RTAS 2010. `rtvirt.analysis.SporadicServer` is what it guarantees.

    Examples
    --------
    >>> import rtvirt as rv
    >>> from rtvirt.units import ms
    >>> late = rv.VM("late", tasks=[rv.Task("burst", releases=[ms(3)], wcet=ms(4))], budget=ms(2), period=ms(5))
    >>> run = rv.simulate(rv.System(vms=[late]), SporadicServers(), duration=ms(20))
    >>> run.slices[["start", "end"]].values.tolist()                # used from 3 on, it comes back at 8
    [[3000000, 5000000], [8000000, 10000000]]
    """

    pieces: int = MOST

    kernel_name: ClassVar[str] = "sporadic_servers"

    def __post_init__(self) -> None:
        super().__post_init__()
        whole("SporadicServers.pieces", self.pieces, 1, MOST)

    def make_state(self, cpus: int, contracts: Contracts) -> Any:
        """The scheduler's tables."""
        n = len(contracts.vcpu_vm)
        own = make_servers(self, SporadicState, cpus, contracts, rings=n, amount=n, since=n)
        own.rules.pieces = self.pieces
        return own


@kernel
def place(st, own, now, v):
    """A VM starts with its budget in one piece (S5.1)."""
    if reserved(own, v):
        own.vcpus[v].charged_to = now
        own.rings[v].count = 0
        add_piece(own, v, own.vcpus[v].budget, now)
        look_at_first(st, own, now, v)
        log(st, now, st.vcpus[v].pcpu, v, REPLENISH, own.vcpus[v].left)
    come(st, own, v, now + st.costs.wake_path)


@kernel
def wake(st, own, now, v):
    """Pieces that have come by now could not have been used before: they become one (S5.4)."""
    if reserved(own, v) and own.vcpus[v].holds == NOBODY and own.since[v, own.rings[v].first] <= now:
        amount = 0
        while own.rings[v].count > 0 and own.since[v, own.rings[v].first] <= now:
            amount += own.amount[v, own.rings[v].first]
            drop_first(own, v)
        ring = own.rings[v]                            # in front of those to come
        ring.first = (ring.first + MOST - 1) % MOST
        ring.count += 1
        own.amount[v, ring.first], own.since[v, ring.first] = amount, now
        look_at_first(st, own, now, v)
    come(st, own, v, now + st.costs.wake_path)


@kernel
def look_at_first(st, own, now, v):
    """What the first piece allows; a piece to come is expected (S5.2)."""
    server, first = own.vcpus[v], own.rings[v].first
    since = own.since[v, first]
    server.deadline = since + server.period
    if since <= now:
        server.left = own.amount[v, first]
        expect(st, own, v, NEVER)
    else:
        server.left = 0
        expect(st, own, v, since)


@kernel
def decide(st, own, now, p):
    """What was used goes back; then the first that is ready."""
    if own.pcpus[p].vcpu != NOBODY:
        give_back(st, own, now, own.pcpus[p].vcpu)
    return elect(st, own, now, p)


@kernel
def give_back(st, own, now, v):
    """Charge the holder: used time leaves the pieces in front and joins the line at its end, each part by its own piece's clock (S5.3)."""
    server = own.vcpus[v]
    used, server.charged_to = now - server.charged_to, now
    if used == 0 or not reserved(own, v):
        return
    if used >= server.left:
        log(st, now, server.holds, v, DEPLETE, used - server.left)
    while used > 0:
        first = own.rings[v].first
        part, back = min(used, own.amount[v, first]), own.since[v, first] + server.period
        used -= part
        own.amount[v, first] -= part
        if own.amount[v, first] == 0:
            drop_first(own, v)
        add_piece(own, v, part, back)
    look_at_first(st, own, now, v)


@kernel
def add_piece(own, v, amount, since):
    """At the end of the line, to the last piece if that comes at the same time (S5.3). With no place left, the first joins the second (S5.5)."""
    ring = own.rings[v]
    last = (ring.first + ring.count + MOST - 1) % MOST
    if ring.count > 0 and own.since[v, last] == since:
        own.amount[v, last] += amount
        return
    if ring.count > 0 and ring.count == own.rules.pieces:
        rest = own.amount[v, ring.first]
        drop_first(own, v)
        if ring.count > 0:
            own.amount[v, ring.first] += rest
        else:
            amount += rest
    place_of_new = (ring.first + ring.count) % MOST
    own.amount[v, place_of_new], own.since[v, place_of_new] = amount, since
    ring.count += 1


@kernel
def drop_first(own, v):
    """The next piece is the first."""
    ring = own.rings[v]
    ring.first = (ring.first + 1) % MOST
    ring.count -= 1


@kernel
def replenish(st, own, now, k):
    """The first piece has come."""
    v = first_timer(own.due)
    if own.vcpus[v].holds != NOBODY:
        give_back(st, own, now, v)
    look_at_first(st, own, now, v)
    log(st, now, st.vcpus[v].pcpu, v, REPLENISH, own.vcpus[v].left)
    look_again(st, own, now, v)
