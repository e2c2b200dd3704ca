"""Credit2, Xen's default scheduler since 4.12 (docs/xen-rules.md section 5; rule numbers in brackets).

The idea. Every vCPU has credits and burns them while it runs, the faster the less weight it has. Whoever has most runs. When the best
of those who wait has none left, everybody gets 10 ms more. There are no classes and no boost: who slept is ahead because the others ran.
pCPUs that share a cache share a run queue.

What to look for. Who waits a little is served soon, since a slice lasts only until somebody else would be ahead — unless it comes at the
wrong moment: who has run for less than the ratelimit is not even asked, and nobody comes back to ask again (5.4.1). So a short sleep
against one hog costs up to 10 ms. Nothing here knows a deadline, either.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..errors import Problem, SpecError
from ..jit import kernel, seldom
from ..rows import fill
from ..state import IDLE, NO_LIMIT, RATELIMIT, ask_decision, log
from .checks import check_choice, check_time, check_version
from .contracts import Contracts
from .credit2_accounts import FIRST, OF_IDLE, burn, enqueue, make_credit2_state, queued, reset, runs, weigh
from .credit2_balance import balance
from .credit2_caps import LEAST_QUOTA, PERIOD, begin_cap, change_cap, end_cap, give_back, grab, replenish  # noqa: F401  (the loop calls it)
from .credit2_initial import apply_initial
from .credit2_load import FIRST_LOAD, GRAIN, count, join, least_loaded, quit_queue
from .credit2_placement import COMPENSATION, RESISTANCE, arrive, better_place, likes, tickle
from .runqueue import NOBODY, remove

MILLISECOND = 1_000_000
SHORTEST, LONGEST = 500_000, 10_000_000       # slice [ns] (5.1)


@dataclass(frozen=True)
class Credit2:
    """Xen's credit2 scheduler.

    `VM.weight` divides the time under contention, `VM.cap` limits it, in percent of one pCPU.

    Parameters
    ----------
    ratelimit : int [ns]
        A vCPU that was just given a pCPU keeps it at least so long. 0 (off) or 0.1 to 500 ms.
    xen : {"4.17", "4.22", "4.9"}
        Whose rules. Between 4.17 and 4.22 no difference is known that the model has. 4.9 knows no caps, and tells a pCPU of a wake-up
        even if who runs there is within its ratelimit, so that the wake-up is served when that is over (5.4.1).
    runqueue : {"socket", "cpu", "core", "node", "all"}
        Which pCPUs share a run queue. The model's pCPUs are one socket of cores without siblings: "cpu" and "core" give each its own,
        the others one for all.
    max_cpus : int, 1 to 64
        So many pCPUs share a run queue at most (in Xen: sched_credit2_max_cpus_runqueue); neighbours go together.

    Notes
    -----
    Several run queues: a new vCPU joins the one with the least average load, and at resets a waiting or sleeping one may be moved, or two
    swapped (5.5). What the model leaves out: moving a vCPU that runs; SMT siblings, NUMA nodes, cpupools. Time in the hypervisor is charged
    to the vCPU that comes.

    On several pCPUs one can be idle while a vCPU waits: one that has less than -9.5 ms of credit is not taken from another pCPU (5.3 step 4).

    `Change` can give a VM another weight or cap: a weight counts at once, also for time not charged yet; see docs/model.md 7.9.

    Raises
    ------
    SpecError
        A parameter out of its range; when it is simulated, different weights for the vCPUs of a VM, or a cap of more than 100 a vCPU.

    References
    ----------
    docs/xen-rules.md 5, with the origin of each rule; docs/model.md 7.9; docs/fidelity.md.

    Examples
    --------
    The latency trap: at 0.3 ms the hog has run for less than the ratelimit, so nobody is told of the wake-up.

    >>> import rtvirt as rv
    >>> from rtvirt.units import ms, us
    >>> task = rv.Task("t", releases=[us(300)], wcet=us(100))
    >>> system = rv.System(vms=[rv.VM("hog", tasks=[rv.hog()]), rv.VM("io", tasks=[task])])
    >>> int(rv.simulate(system, Credit2(), duration=ms(20)).wakeups["dispatched"][0])
    10000000
    >>> int(rv.simulate(system, Credit2(xen="4.9"), duration=ms(20)).wakeups["dispatched"][0])
    1000000
    """

    ratelimit: int = MILLISECOND
    xen: str = "4.17"
    runqueue: str = "socket"
    max_cpus: int = 16

    VERSIONS: ClassVar[tuple[str, ...]] = ("4.17", "4.22", "4.9")
    RUNQUEUES: ClassVar[tuple[str, ...]] = ("socket", "cpu", "core", "node", "all")
    kernel_name: ClassVar[str] = "credit2"
    work_conserving: ClassVar[str] = "on one pCPU"
    alarms: ClassVar[int] = 1          # one timer fills the pools of all caps
    saves: ClassVar[bool] = True       # a vCPU is queued again when its registers are saved

    def __post_init__(self) -> None:
        check_version("Credit2", self.xen, self.VERSIONS)
        check_time("Credit2.ratelimit", self.ratelimit, MILLISECOND // 10, 500 * MILLISECOND, zero=True)
        check_choice("Credit2.runqueue", self.runqueue, self.RUNQUEUES)
        if not isinstance(self.max_cpus, int) or isinstance(self.max_cpus, bool) or not 1 <= self.max_cpus <= 64:
            raise SpecError([Problem("Credit2.max_cpus", self.max_cpus, "1 to 64 pCPUs", "leave it out: 16 in Xen", "")])

    def make_state(self, cpus: int, contracts: Contracts) -> Any:
        """The scheduler's tables."""
        weight, vcpus, vms = contracts.weight_per_vm("Credit2"), len(contracts.vcpu_vm), len(contracts.cap)
        c2 = make_credit2_state(cpus, vcpus, vms, 1 if self.runqueue in ("cpu", "core") else self.max_cpus)
        fill(c2.vcpus, vcpus, vm=contracts.vcpu_vm, weight=weight[contracts.vcpu_vm])
        fill(c2.vms, vms, vcpus=np.bincount(contracts.vcpu_vm, minlength=vms))
        for vm in range(vms):
            self.reconfigure(c2, vm, "cap", int(contracts.cap[vm]))
        c2.rules.ratelimit, c2.rules.trap = self.ratelimit, int(self.xen != "4.9")
        return c2

    def reconfigure(self, state: Any, vm: int, field: str, value: int) -> bool:
        """Change a VM's weight or cap while it runs; False for any other field."""
        if field == "weight":
            for v in range(state.rules.vcpus):
                if state.vcpus[v].vm == vm:
                    state.vcpus[v].weight = int(value)
        elif field == "cap" and self.xen != "4.9":
            domain = state.vms[vm]
            domain.total = int(value) * PERIOD // 100
            domain.quota = max(domain.total // max(domain.vcpus, 1), LEAST_QUOTA)
        return field in ("weight", "cap")

    def set_initial(self, state: Any, initial: Mapping[str, Any], first_vcpu: Mapping[str, int], contracts: Contracts) -> None:
        """Start from given credits."""
        apply_initial(state, initial, first_vcpu, contracts)


# ------------------------------------------------------------------ wake, sleep, yield


@kernel
def start(st, c2):
    """Timers are set by the caps."""


@kernel
@seldom
def place(st, c2, now, v):
    """A VM starts: a full credit; and from now on it counts in a run queue, runnable or not (5.2.1, 5.5.2)."""
    account, path = c2.vcpus[v], 0                     # a trace's opening: it has been there, and nobody has to be told first
    if not account.opened:
        account.credit, path = FIRST, st.costs.wake_path
    account.opened = account.rest = account.budget = account.load = 0
    account.charged_to, account.average, account.load_at = now, FIRST_LOAD, now >> GRAIN
    join(st, c2, now, v, c2.pcpus[st.vcpus[v].pcpu].queue if runs(st, v) else least_loaded(st, c2, now, v))
    begin_cap(st, c2, now, st.vcpus[v].vm)
    if runs(st, v):                                    # its VM has been restarted before it was off
        count(st, c2, now, v, 1)
    elif runnable(st, v):
        arrive(st, c2, now, v, now + path)


@kernel
def wake(st, c2, now, v):
    """A blocked vCPU has something to do: it is queued with the credit that it kept; there is no boost (5.2.3)."""
    if not runs(st, v):
        arrive(st, c2, now, v, now + st.costs.wake_path)


@kernel
def sleep(st, c2, now, v):
    """A vCPU is paused: a running one leaves at the next decision, a waiting one is taken off the queue (1.5.6)."""
    if runs(st, v):
        ask_decision(st, st.vcpus[v].pcpu, now)
    elif queued(c2, v):
        remove(c2.queues, v)
        count(st, c2, now, v, 0)
    else:
        c2.vcpus[v].requeue = 0


@kernel
def yield_(st, c2, now, v):
    """The guest gives the pCPU up: at the decision that follows, anybody may have it, whatever the credits (5.3.1)."""
    c2.vcpus[v].yielded = 1


@kernel
def leave(st, c2, now, v):
    """The VM of `v` has crashed: it does not count any more; if it is started again, it starts with a full credit."""
    account = c2.vcpus[v]
    if account.parked:
        account.parked = 0
        st.vcpus[v].paused -= 1
    account.budget = 0
    if account.assigned:
        quit_queue(st, c2, now, v)
    account.load = 0
    end_cap(st, c2, now, st.vcpus[v].vm)


@kernel
def reconfigured(st, c2, now, v):
    """A vCPU's VM has another weight or cap."""
    if st.vcpus[v].number == 0:                        # once for all its vCPUs
        for q in range(c2.rules.queues):
            weigh(st, c2, q)
        change_cap(st, c2, now, st.vcpus[v].vm)


# ------------------------------------------------------------------ the decision


@kernel
def decide(st, c2, now, p):
    """Who runs on pCPU `p` now, and for how long at most? (5.3)"""
    current, line = st.pcpus[p].current, c2.queues.line[c2.pcpus[p].queue]
    c2.pcpus[p].tickled = 0
    if current != IDLE:
        burn(st, c2, now, current)                                                # step 1
        grab(st, c2, now, current)
    chosen = choose(st, c2, now, p, current)                                      # steps 2 to 4
    if current != IDLE:
        c2.vcpus[current].yielded = 0
        if chosen != current:
            c2.vcpus[current].saving = 1
            c2.vcpus[current].requeue = int(runnable(st, current))
    if chosen == IDLE:
        return IDLE, NO_LIMIT
    if c2.vcpus[chosen].credit <= 0 and (line.head == NOBODY or c2.vcpus[line.head].credit <= 0):
        reset(st, c2, now, p, chosen)                                             # step 5
        if c2.rules.queues > 1:
            balance(st, c2, now, p, chosen)
    ran = now - st.pcpus[p].since
    if chosen != current:
        take_on(st, c2, now, p, chosen)
        ran = 0
    return chosen, slice_of(c2, chosen, c2.pcpus[p].queue, ran)                   # step 6


@kernel
def runnable(st, v):
    """May it run?"""
    return not st.vcpus[v].blocked and st.vcpus[v].paused == 0


@kernel
def choose(st, c2, now, p, current):
    """The current vCPU, if it has run too little, or nobody who may come is ahead of it; else who comes first (5.3 steps 2 to 4)."""
    stays, yielded = False, False
    if current != IDLE and runnable(st, current):
        ran, yielded = now - st.pcpus[p].since, c2.vcpus[current].yielded == 1
        if ran < c2.rules.ratelimit and not yielded:
            log(st, now, p, current, RATELIMIT, c2.rules.ratelimit - ran)
            return current
        stays = likes(st, current, p) or not better_place(st, c2, current)
    credit = c2.vcpus[current].credit if stays else OF_IDLE
    v = c2.queues.line[c2.pcpus[p].queue].head
    while v != NOBODY and (yielded or c2.vcpus[v].credit > credit):
        following = c2.queues.links[v].next
        if suits(st, c2, v, p, credit):
            if grab(st, c2, now, v):
                return v
            remove(c2.queues, v)                                                  # parked
            count(st, c2, now, v, 0)
        v = following
    return current if stays else IDLE


@kernel
def suits(st, c2, v, p, credit):
    """May `v` come to `p`? Not where it is not allowed, nor if another pCPU was told to take it; from another one only if it is well ahead."""
    promised = c2.vcpus[v].promised
    if not st.allowed[v, p] or (promised != NOBODY and promised != p and c2.pcpus[promised].tickled):
        return False
    return st.vcpus[v].pcpu == p or c2.vcpus[v].credit >= credit + RESISTANCE


@kernel
def take_on(st, c2, now, p, v):
    """A vCPU comes from the queue. Who comes from another pCPU is compensated for its cold cache (5.3 step 5)."""
    remove(c2.queues, v)
    account = c2.vcpus[v]
    account.promised, account.charged_to = NOBODY, now
    if st.vcpus[v].pcpu != p:
        account.credit += COMPENSATION


@kernel
def slice_of(c2, v, q, ran):
    """Until the head of the queue would be ahead, or the cap's budget ends; but not too short, and not too long (5.3 step 6).

    Who has just been preempted is not in the queue yet, and does not count. The least wins over the budget, so caps are overrun a little.
    """
    account, head, group = c2.vcpus[v], c2.queues.line[q].head, c2.groups[q]
    lead = account.credit - (max(0, c2.vcpus[head].credit) if head != NOBODY else 0)
    length = max(0, lead) * account.weight // group.heaviest
    if c2.vms[account.vm].total > 0:
        length = min(length, account.budget)
    least = max(SHORTEST, c2.rules.ratelimit - ran)
    return least if length < least else min(length, LONGEST)


@kernel
def saved(st, c2, now, p, v):
    """The registers of the vCPU that left `p` are saved: if it is runnable, it waits from now on, and may be sent elsewhere (5.3.7)."""
    account, asked_at = c2.vcpus[v], now + st.costs.saved_path
    account.saving = 0
    if account.requeue:
        account.requeue = 0
        enqueue(st, c2, v)
        tickle(st, c2, now, v, asked_at)
    else:
        count(st, c2, now, v, 0)
    if account.assigned and c2.vms[account.vm].total > 0:
        give_back(st, c2, now, v, asked_at)


# ------------------------------------------------------------------ what the loop asks for besides


@kernel
def tick(st, c2, now, p):
    """No ticks."""


@kernel
def account(st, c2, now):
    """No accounting."""


@kernel
def worth(c2, v):
    """Its credit."""
    return c2.vcpus[v].credit
