"""What all server-based schedulers keep: a server for each vCPU, who holds which pCPU, who waits (docs/servers.md S1; rule numbers in brackets)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..errors import Problem, SpecError
from ..jit import kernel
from ..rows import Many, Row, Struct, fill, make
from ..state import FOREVER, MAX_PCPUS, MAX_VCPUS
from ..timers import NEVER, Timers, first_timer, reset_timers, set_alarm, tournament_size
from .checks import check_choice
from .contracts import Contracts
from .runqueue import NOBODY, RunQueues, insert_after, reset_runqueues

WAITING = 0               # the one line of `queues`: who is ready and holds no pCPU, first in the order first


class Server(Row):
    """A vCPU's contract, and what is left of it."""

    budget: int               # [ns]; NEVER: background (S1.1)
    period: int               # [ns]
    rank: int                 # its place under fixed priorities, and among equal deadlines; 0 is the first (S1.2)
    left: int                 # what it may use now; negative: overrun [ns]
    deadline: int             # [ns]; NEVER: background
    charged_to: int           # its use is charged up to here [ns]
    holds: int                # pCPU that it was given; NOBODY


class Holder(Row):
    """What is kept of a pCPU."""

    vcpu: int                 # whose server it was given to; NOBODY


class Rules(Row):
    """Parameters."""

    edf: int                  # 1: the earliest deadline goes first; 0: the rank alone
    idles: int                # 1: a server with nothing to run uses up its budget all the same (S3.2)
    hard: int                 # 1: a CBS waits for its deadline (S6.4)
    pieces: int               # places for pieces of budget of a sporadic server (S5.5)


class ServersState(Struct):
    """Tables of the polling, periodic, deferrable and constant bandwidth servers."""

    rules = Rules
    vcpus = Many(Server, MAX_VCPUS)
    pcpus = Many(Holder, MAX_PCPUS)
    queues = RunQueues
    due = Timers              # when each vCPU's next replenishment is due


@dataclass(frozen=True)
class Servers:
    """What the parameters of all kinds of servers have in common; see the kinds."""

    order: str = "fp"

    ORDERS: ClassVar[tuple[str, ...]] = ("fp", "edf")
    alarms: ClassVar[int] = 1          # one for whoever is due first

    def __post_init__(self) -> None:
        check_choice(f"{type(self).__name__}.order", self.order, self.ORDERS)

    def make_state(self, cpus: int, contracts: Contracts) -> Any:
        """The scheduler's tables."""
        return make_servers(self, ServersState, cpus, contracts)


def make_servers(scheduler: Servers, kind: type[Struct], cpus: int, contracts: Contracts, **more: int) -> Any:
    """Tables of a kind, for so many pCPUs and these VMs; `more` are sizes of tables that only this kind has."""
    n, slots = len(contracts.vcpu_vm), tournament_size(len(contracts.vcpu_vm))
    check_pairs(type(scheduler).__name__, contracts)
    own = make(kind, {"vcpus": n, "pcpus": cpus, "queues": {"line": 1, "links": n}, "due": {"at": slots, "winner": slots}, **more})
    background = contracts.budget == NEVER
    period = np.where(background, NEVER, contracts.period)
    order = np.lexsort((np.arange(n), period, contracts.priority, background))
    fill(own.vcpus, n, budget=contracts.budget, period=period, rank=np.argsort(order), left=np.where(background, FOREVER, 0),
         deadline=np.where(background, NEVER, 0), holds=NOBODY)
    fill(own.pcpus, cpus, vcpu=NOBODY)
    own.rules.edf = int(scheduler.order == "edf")
    reset_runqueues(own.queues, n, 1)
    reset_timers(own.due, slots)
    return own


def check_pairs(name: str, contracts: Contracts) -> None:
    """SpecError for a budget without a period: nobody could say how often it comes."""
    alone = (contracts.budget != NEVER) & (contracts.period == NEVER)
    if alone.any():
        raise SpecError([Problem(f"vms[{contracts.names[vm]}].period", None, f"a period beside the budget, under {name}",
                                 "give the VM a period too, or no budget: then it runs behind all servers", "")
                         for vm in dict.fromkeys(contracts.vcpu_vm[alone].tolist())])


# ------------------------------------------------------------------ order, readiness, queue


@kernel
def reserved(own, v):
    """Has it a budget? Otherwise it runs in the background (S1.1)."""
    return own.vcpus[v].budget != NEVER


@kernel
def runnable(st, v):
    """Has it something to run?"""
    return not st.vcpus[v].blocked and st.vcpus[v].paused == 0


@kernel
def ready(st, own, v):
    """Could it use a pCPU? A server needs something left, and something to run unless it idles (S1.3)."""
    return own.vcpus[v].left > 0 and (runnable(st, v) or (own.rules.idles and reserved(own, v)))


@kernel
def before(own, a, b):
    """Is `a` more important than `b`? The earlier deadline under EDF, then the rank; background last (S1.2)."""
    servers = own.vcpus
    if own.rules.edf and servers[a].deadline != servers[b].deadline:
        return servers[a].deadline < servers[b].deadline
    return servers[a].rank < servers[b].rank


@kernel
def insert(own, v):
    """Let `v` wait behind all that are more important."""
    last, after = NOBODY, own.queues.line[WAITING].head
    while after != NOBODY and before(own, after, v):
        last, after = after, own.queues.links[after].next
    insert_after(own.queues, WAITING, last, v)


@kernel
def waits(own, v):
    """Is it in the queue?"""
    return own.queues.links[v].where != NOBODY


@kernel
def expect(st, own, v, at):
    """The next replenishment of `v` is due at `at` (NEVER: none); the scheduler's alarm is set for whoever is first (S1.9)."""
    set_alarm(own.due, v, at)
    first = own.due.at[first_timer(own.due)]
    set_alarm(st.alarms, st.slots.replenish, first + st.costs.replenish_late if first != NEVER else NEVER)
