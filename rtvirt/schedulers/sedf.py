"""SEDF, "simple EDF": Xen's default scheduler before credit (docs/xen-rules.md 4.2; rule numbers in brackets).

The idea. Every vCPU is guaranteed a *slice* in every *period*, and the earliest deadline runs first. Each pCPU has its own vCPUs for ever.
Time that no guarantee claims is *extra time*, given out in small quanta to those that may have it.

What to look for. A vCPU that blocks and wakes within its period has lost what was left of its slice (4.2.10 b): it lives on extra time, if
it may, until the next period. That is just what a VM that serves I/O does all the time (4.2.11). Nor does anybody check whether the
guarantees fit: when they do not, missed periods are skipped without a word (4.2.8).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ..jit import kernel, seldom
from ..rows import put_row, put_rows
from ..state import DEPLETE, IDLE, ask_decision, log
from .contracts import Contracts
from .runqueue import NOBODY
from .sedf_contracts import apply_initial, by_contract, check_guarantees, granted, share_out
from .sedf_extra import QUANTUM, charge_extra, choose_extra, join_extra, join_shares, penalize
from .sedf_queues import (
    GUARANTEE,
    PENALTY,
    SHARE,
    begin_period,
    join_wait,
    make_sedf_state,
    period_start,
    queued,
    update_queues,
    withdraw,
    withdraw_all,
)

IDLE_SLICE = 1_000_000_000         # [ns] (4.2.6)


@dataclass(frozen=True)
class SEDF:
    """Xen's scheduler of 2005 to 2006, kept until 4.5: partitioned EDF with guarantees and extra time.

    What a vCPU is granted is its VM's `sedf` (`SedfContract`): ``{"period": ms(20), "slice": ms(5)}`` (time-driven), ``{"weight": 2}`` (a
    slice by weight in every 100 ms), ``{"weight": 2, "extratime": True}`` (best effort). Without `sedf`, budget and period are slice and
    period; without those either, Xen's own: 15 ms in 20 ms and extra time for the control VM, extra time alone for the others (4.2.3).

    Notes
    -----
    There is no admission control, and no migration: a vCPU runs on the first pCPU that its affinity allows. Slices by weight are computed
    from the VMs of the whole system, whether they run at the time or not, and again after a `Change` of a contract (in Xen: at each setting).
    The model leaves out what Xen 3.1 does not compile in: scaling of periods by the latency hint, bursts. Time in the hypervisor is charged to
    whoever is current.

    Raises
    ------
    SpecError
        When it is simulated, a budget or period that Xen would refuse (4.2.2).

    References
    ----------
    docs/xen-rules.md 4.2; docs/model.md 7.8. L. Cherkasova et al., "Comparison of the three CPU schedulers in Xen", SIGMETRICS Performance
    Evaluation Review 35(2), 2007.

    Examples
    --------
    >>> import rtvirt as rv
    >>> from rtvirt.units import ms
    >>> two = rv.System(vms=[rv.VM("A", tasks=[rv.hog()], sedf={"period": ms(20), "slice": ms(5)}),
    ...                      rv.VM("B", tasks=[rv.hog()], sedf={"period": ms(10), "slice": ms(3)})])
    >>> run = rv.simulate(two, SEDF(), duration=ms(40))
    >>> run.slices[["vm", "start", "end"]].head(3).values.tolist()
    [['B', 3000000, 6000000], ['A', 6000000, 11000000], ['B', 13000000, 16000000]]
    """

    kernel_name: ClassVar[str] = "sedf"
    work_conserving: ClassVar[bool] = False        # extra time is not given in less than a quantum

    def make_state(self, cpus: int, contracts: Contracts) -> Any:
        """The scheduler's tables."""
        n = len(contracts.vcpu_vm)
        sd = make_sedf_state(cpus, n)
        put_rows(sd.vcpus, [{"vm": int(contracts.vcpu_vm[v]), "home": int(contracts.first_cpu[v]), "fresh": 1} | granted(contracts, v)
                            for v in range(n)])
        check_guarantees(sd, contracts)
        share_out(sd)
        return sd

    def reconfigure(self, state: Any, vm: int, field: str, value: Any) -> bool:
        """Grant a VM's vCPUs something else while it runs: `sedf`, or, for those that have that instead, budget, period or extratime."""
        for v in range(state.size.vcpus):
            server = state.vcpus[v]
            if server.vm != vm:
                continue
            if field == "sedf":
                nothing = dict.fromkeys(("slice", "weight", "extraweight", "plain"), 0)
                put_row(server, **(nothing | by_contract(value)))
            elif field in ("budget", "period", "extratime") and server.plain:
                setattr(server, "slice" if field == "budget" else field, int(value))
            else:
                return False
        return True

    def check_contracts(self, state: Any, contracts: Contracts) -> None:
        """Refuse what Xen would refuse, after a change; and share out anew what is shared by weight."""
        check_guarantees(state, contracts)
        share_out(state)

    def set_initial(self, state: Any, initial: Mapping[str, Any], first_vcpu: Mapping[str, int], contracts: Contracts) -> None:
        """Start from given deadlines: ends of periods that began before, so that a first wake is not the first ever."""
        apply_initial(state, initial, first_vcpu, contracts)


# ------------------------------------------------------------------ wake, sleep, yield


@kernel
def start(st, sd):
    """Everybody goes to its pCPU (4.2.1)."""
    for v in range(st.agenda.vcpus):
        st.vcpus[v].pcpu = sd.vcpus[v].home


@kernel
def place(st, sd, now, v):
    """A VM starts."""
    if not st.vcpus[v].blocked and st.vcpus[v].paused == 0:
        wake(st, sd, now, v)


@kernel
def wake(st, sd, now, v):
    """A vCPU has something to do. What it may still have depends on when it comes (4.2.10)."""
    server = sd.vcpus[v]
    if st.pcpus[server.home].current == v or queued(sd, v):
        return
    if server.fresh:
        server.fresh = 0
        server.deadline = now + server.slice
    if now < period_start(sd, v):               # a: it had used its slice before it blocked
        join_wait(sd, v)
    elif now < server.deadline:                 # b: a short block; what is left of its slice is lost
        penalize(sd, v, server.slice - server.used)
        server.deadline += server.period
        server.used = 0
        join_wait(sd, v)
    else:                                       # c: a long block; a new period begins now
        server.deadline = now + server.period
        server.used = 0
        begin_period(st, sd, now, v)
    join_extra(sd, v)
    if should_switch(st, sd, v):
        ask_decision(st, server.home, now + st.costs.wake_path)


@kernel
def should_switch(st, sd, v):
    """Should the pCPU look whether `v` is to run? Yes, if its period begins before the current slice ends; else by class (4.2.12)."""
    server, p = sd.vcpus[v], sd.vcpus[v].home
    current, mode = st.pcpus[p].current, sd.pcpus[p].mode
    if current == IDLE or period_start(sd, v) < sd.pcpus[p].ends:
        return True
    if mode == PENALTY:
        return server.penalized and server.penalty_score < sd.vcpus[current].penalty_score
    return mode == SHARE and server.penalized


@kernel
def sleep(st, sd, now, v):
    """A vCPU is paused: a running one leaves at the next decision, a waiting one is taken off the queues (1.5.6)."""
    p = sd.vcpus[v].home
    if st.pcpus[p].current == v:
        ask_decision(st, p, now)
    else:
        withdraw_all(sd, v)


@kernel
def yield_(st, sd, now, v):
    """SEDF has no rule for a yield: it is a decision like any other."""


@kernel
def leave(st, sd, now, v):
    """The VM of `v` has crashed: if it is started again, its first wake is the first ever."""
    server = sd.vcpus[v]
    server.fresh = 1
    server.penalized = 0
    server.used = 0
    server.share_score = 0


# ------------------------------------------------------------------ the decision


@kernel
def decide(st, sd, now, p):
    """Who runs on pCPU `p` now? The earliest deadline among the periods that have begun; else extra time, until the next begins (4.2.6)."""
    current = st.pcpus[p].current
    if current != IDLE:
        charge(st, sd, now, p, current)
    update_queues(st, sd, now, p)
    chosen, following = sd.run.line[p].head, sd.wait.line[p].head
    length = period_start(sd, following) - now if following != NOBODY else IDLE_SLICE
    if chosen != NOBODY:
        left = sd.vcpus[chosen].slice - sd.vcpus[chosen].used
        length = left if following == NOBODY else min(left, length)
        sd.pcpus[p].mode = GUARANTEE
    elif following != NOBODY:
        chosen = choose_extra(sd, p, length)
        length = QUANTUM if chosen != NOBODY else length
    sd.pcpus[p].since = now
    sd.pcpus[p].ends = now + length
    return (IDLE if chosen == NOBODY else chosen), length


@kernel
def charge(st, sd, now, p, v):
    """Account for what the current vCPU has run since the last decision, and see where it belongs now (4.2.7, 4.2.9)."""
    server = sd.vcpus[v]
    runnable = not st.vcpus[v].blocked and st.vcpus[v].paused == 0
    if sd.pcpus[p].mode == GUARANTEE:
        server.used += now - sd.pcpus[p].since
        if server.used >= server.slice:         # what it ran too long is carried over
            server.used -= server.slice
            server.deadline += server.period
            withdraw(sd.run, v)
            withdraw(sd.wait, v)
            join_wait(sd, v)
            log(st, now, p, v, DEPLETE, server.used)
    else:
        charge_extra(sd, p, v, runnable)
    if not runnable:
        withdraw_all(sd, v)


@kernel
@seldom
def reconfigured(st, sd, now, v):
    """A VM's contract has changed: its next periods may begin at another time; extra time may begin or end for it."""
    if st.vcpus[v].number > 0:
        return                                  # all of them at once: one in its old place would stop the walk of the next
    end = v + st.vms[st.vcpus[v].vm].vcpus
    for u in range(v, end):
        sd.vcpus[u].moves = sd.wait.links[u].where != NOBODY
        withdraw(sd.wait, u)
    for u in range(v, end):
        if sd.vcpus[u].moves:
            join_wait(sd, u)
        if not sd.vcpus[u].extratime:
            sd.vcpus[u].penalized = 0
            withdraw(sd.penalty, u)
            withdraw(sd.shares, u)
        elif queued(sd, u) and sd.shares.links[u].where == NOBODY:
            join_shares(sd, u)


# ------------------------------------------------------------------ what the loop asks for besides


@kernel
def tick(st, sd, now, p):
    """No ticks."""


@kernel
def account(st, sd, now):
    """No accounting."""


@kernel
def worth(sd, v):
    """What is left of its slice [ns]."""
    return sd.vcpus[v].slice - sd.vcpus[v].used
