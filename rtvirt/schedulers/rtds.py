"""RTDS, Xen's real-time deferrable-server scheduler (docs/xen-rules.md section 6; rule numbers in brackets).

The idea. Every vCPU is a *server*: it may run `budget` in every `period`, and its deadline is the end of the period. The vCPUs with the
earliest deadlines run (global EDF). A budget is used up by running only; one that is left over is lost at the deadline. Periods lie on a
fixed grid: waking late does not start a new one.

What to look for. If the budgets fit on the pCPU and nobody has extratime, each vCPU gets its budget in each period, whatever the others do.
With extratime replenishments may come late and untold (6.2.13, 6.2.15), and then somebody gets less. What a budget buys within a period is
less clear: the wait can be almost two periods' rests (6.3.5), and equal deadlines are decided by who came first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ..jit import kernel
from ..rows import fill
from ..state import DEPLETE, IDLE, NO_LIMIT, ask_decision, log
from .checks import check_choice, check_version
from .contracts import Contracts
from .rtds_contracts import apply_initial, budgets_and_periods, check_server
from .rtds_queues import NEXT, READY, arm, beats, enqueue, expect, forget, make_rtds_state, queued, renew
from .rtds_replenish import CLOCK, hold_up_replenishment, look_for_deadlines, replenish, tickle  # noqa: F401  (the loop calls policy.replenish)
from .runqueue import NOBODY, append, remove

MILLISECOND = 1_000_000


@dataclass(frozen=True)
class RTDS:
    """Xen's real-time scheduler: global EDF over deferrable servers.

    Each vCPU may run `VM.budget` in every `VM.period`; without them, Xen's 4 ms in 10 ms. With `VM.extratime` a vCPU that has used up
    its budget goes on at a lower priority level, behind everybody who has not; otherwise it waits for its next period.

    Parameters
    ----------
    xen : {"4.17", "4.22", "4.5"}
        Whose rules. 4.22 differs from 4.17 in one thing: a depleted vCPU that is given extratime has it at once (6.2.10). 4.5 decides
        every millisecond and looks for replenishments only then, knows no extratime, gives all vCPUs of a VM the same budget, and breaks
        ties the other way (6.2.5, 6.3.1).
    replenish_by : {"priority", "deadline"}
        Order of the replenishment queue. "priority" is what Xen does: a vCPU that runs on extratime may be replenished late (6.2.13).
        "deadline" is what was meant, and what 4.7 to 4.9 did, before there was extratime.

    Notes
    -----
    There is no admission control: budgets that do not fit are accepted (1.8.1), and then deadlines decide who gets less. `extratime` is
    off unless a VM says otherwise; in Xen it is on. Soft affinity is ignored (1.6.2); hard affinity is honoured, and can leave a pCPU to
    a less urgent vCPU (6.3.3). Time in the hypervisor is charged to whoever is current (6.3.4). The model leaves out cpupools, and the
    saturation of the level counter at 2^32 (6.2.12).

    `Change` can give a VM another budget, period or extratime; the new budget and period count from the next replenishment on (6.2.10).

    Raises
    ------
    SpecError
        An unknown version; and, when it is simulated, a budget or period below 10 us or a budget beyond its period.

    References
    ----------
    docs/xen-rules.md 6, with the origin of each rule; docs/model.md 7.6. S. Xi et al., "Real-time multi-core virtual machine scheduling in
    Xen", EMSOFT 2014.

    Examples
    --------
    >>> import rtvirt as rv
    >>> from rtvirt.units import ms
    >>> two = rv.System(vms=[rv.VM("A", tasks=[rv.hog()], budget=ms(2), period=ms(5)), rv.VM("B", tasks=[rv.hog()], budget=ms(5), period=ms(10))])
    >>> run = rv.simulate(two, RTDS(), duration=ms(20))
    >>> run.slices[["vm", "start", "end"]].head(3).values.tolist()
    [['A', 0, 2000000], ['B', 2000000, 7000000], ['A', 7000000, 9000000]]
    """

    xen: str = "4.17"
    replenish_by: str = "priority"

    VERSIONS: ClassVar[tuple[str, ...]] = ("4.17", "4.22", "4.5")
    ORDERS: ClassVar[tuple[str, ...]] = ("priority", "deadline")
    kernel_name: ClassVar[str] = "rtds"
    alarms: ClassVar[int] = 1          # one timer replenishes everybody
    saves: ClassVar[bool] = True       # a vCPU is queued again when its registers are saved

    def __post_init__(self) -> None:
        check_version("RTDS", self.xen, self.VERSIONS)
        check_choice("RTDS.replenish_by", self.replenish_by, self.ORDERS)

    def make_state(self, cpus: int, contracts: Contracts) -> Any:
        """The scheduler's tables."""
        n = len(contracts.vcpu_vm)
        budget, period = budgets_and_periods(contracts, self.xen)
        rt = make_rtds_state(cpus, n)
        fill(rt.vcpus, n, vm=contracts.vcpu_vm, budget=budget, period=period, extratime=0 if self.xen == "4.5" else contracts.extratime)
        rt.rules.quantum = MILLISECOND if self.xen == "4.5" else 0
        rt.rules.old_ties = int(self.xen == "4.5")
        rt.rules.refill = int(self.xen == "4.22")
        rt.rules.by_deadline = int(self.replenish_by == "deadline")
        return rt

    def reconfigure(self, state: Any, vm: int, field: str, value: int) -> bool:
        """Change the budget, period or extratime of a VM's vCPUs while it runs; False for any other field."""
        if field not in ("budget", "period", "extratime") or (field == "extratime" and self.xen == "4.5"):
            return False
        for v in range(state.rules.vcpus):
            if state.vcpus[v].vm == vm:
                setattr(state.vcpus[v], field, int(value))
        return True

    def check_contracts(self, state: Any, contracts: Contracts) -> None:
        """Refuse budgets and periods that Xen would refuse, after a change."""
        for v in range(state.rules.vcpus):
            server = state.vcpus[v]
            check_server(f"changes[{contracts.names[server.vm]}]", server.budget, server.period, self.xen)

    def set_initial(self, state: Any, initial: Mapping[str, Any], first_vcpu: Mapping[str, int], contracts: Contracts) -> None:
        """Start from given deadlines, budgets left, levels and depleted vCPUs."""
        apply_initial(state, initial, first_vcpu, contracts)


# ------------------------------------------------------------------ wake, sleep, yield


@kernel
def start(st, rt):
    """The replenishment timer is set by whoever comes first."""


@kernel
def place(st, rt, now, v):
    """A VM starts: on the grid of its periods, which begins at 0, with a full budget (6.2.2)."""
    runnable = not st.vcpus[v].blocked and st.vcpus[v].paused == 0
    if rt.vcpus[v].opened:                       # a trace's opening: it has been going on
        rt.vcpus[v].opened = 0
        if runnable:
            append(rt.replenishments, NEXT, v)
            arm(st, rt, now)
            enqueue(rt, v)
            tickle(st, rt, v, now + st.costs.wake_path)
        return
    if now >= rt.vcpus[v].deadline:
        renew(st, rt, now, v)
        rt.vcpus[v].depleted = 0
    if runnable:
        wake(st, rt, now, v)


@kernel
def wake(st, rt, now, v):
    """A blocked vCPU has something to do: it goes on with what it has left, or with a new budget if its deadline has passed (6.2.6)."""
    if st.pcpus[st.vcpus[v].pcpu].current == v:
        expect(st, rt, now, v)                 # it is there already, unless its VM has just been restarted
        return
    if queued(rt, v):
        return
    if now >= rt.vcpus[v].deadline:
        renew(st, rt, now, v)
        rt.vcpus[v].depleted = 0
        forget(st, rt, now, v)
    expect(st, rt, now, v)
    if rt.vcpus[v].saving:
        rt.vcpus[v].requeue = 1
        return
    if rt.rules.quantum > 0:
        look_for_deadlines(st, rt, now)
    enqueue(rt, v)
    tickle(st, rt, v, now + st.costs.wake_path)


@kernel
def sleep(st, rt, now, v):
    """A vCPU is paused: a running one leaves at the next decision, a waiting one is taken off the queues (1.5.6)."""
    p = st.vcpus[v].pcpu
    if st.pcpus[p].current == v:
        ask_decision(st, p, now)
    elif queued(rt, v):
        remove(rt.queues, v)
        forget(st, rt, now, v)
    else:
        rt.vcpus[v].requeue = 0


@kernel
def yield_(st, rt, now, v):
    """RTDS has no rule for a yield: it is a decision like any other, and only an equal can win it."""


@kernel
def leave(st, rt, now, v):
    """The VM of `v` has crashed: if it is started again, it starts on the grid with a full budget."""
    forget(st, rt, now, v)
    rt.vcpus[v].deadline = 0


# ------------------------------------------------------------------ the decision


@kernel
def burn(st, rt, now, p, v):
    """Charge the running vCPU for the time since it was last charged (6.2.3).

    Who has nothing left is depleted, or with extratime goes on with a new budget one level lower. What it ran too long is forgiven.
    """
    server = rt.vcpus[v]
    server.left -= now - server.charged_to
    server.charged_to = now
    if server.left <= 0:
        if server.extratime:
            server.level += 1
            server.left = server.budget
        else:
            server.left = 0
            if server.depleted:
                return
            server.depleted = 1
        log(st, now, p, v, DEPLETE, server.level)


@kernel
def decide(st, rt, now, p):
    """Who runs on pCPU `p` now? The most urgent that may; among equals, not the one that runs (6.2.4, 6.2.5)."""
    servers, current = rt.vcpus, st.pcpus[p].current
    rt.pcpus[p].tickled = 0
    if current != IDLE:
        burn(st, rt, now, p, current)
    if rt.rules.quantum > 0:
        look_for_deadlines(st, rt, now)
    chosen = rt.queues.line[READY].head
    while chosen != NOBODY and not st.allowed[chosen, p]:
        chosen = rt.queues.links[chosen].next
    runnable = current != IDLE and not st.vcpus[current].blocked and st.vcpus[current].paused == 0
    if runnable and servers[current].left > 0 and (chosen == NOBODY or stays(rt, current, chosen)):
        chosen = current
    elif current != IDLE:
        servers[current].saving = 1
        servers[current].requeue = int(runnable)
    if p == CLOCK:
        hold_up_replenishment(st, now)
    if chosen == NOBODY:
        return IDLE, rt.rules.quantum if rt.rules.quantum > 0 else NO_LIMIT
    servers[chosen].charged_to = now
    if chosen != current:
        remove(rt.queues, chosen)
    return chosen, min(servers[chosen].budget, rt.rules.quantum) if rt.rules.quantum > 0 else servers[chosen].left


@kernel
def stays(rt, current, rival):
    """Does the running vCPU go on? Only if it is strictly more urgent; until 4.9 also if it is as urgent (6.2.5)."""
    return not beats(rt, rival, current) if rt.rules.old_ties else beats(rt, current, rival)


@kernel
def saved(st, rt, now, p, v):
    """The registers of the vCPU that left `p` are saved: if it is runnable, it waits from now on, and may be sent elsewhere (6.2.4).

    The pCPU is told even for a depleted vCPU, whose old deadline is early: an extra decision, at which the running vCPU loses a tie (6.2.15).
    """
    rt.vcpus[v].saving = 0
    if rt.vcpus[v].requeue:
        rt.vcpus[v].requeue = 0
        enqueue(rt, v)
        tickle(st, rt, v, now + st.costs.saved_path)
    else:
        forget(st, rt, now, v)


@kernel
def reconfigured(st, rt, now, v):
    """A vCPU's contract has changed. Since 4.22 one that is depleted and has extratime now goes on at once, one level lower (6.2.10)."""
    server = rt.vcpus[v]
    if rt.rules.refill and server.depleted and server.extratime:
        server.depleted = 0
        server.level += 1
        server.left = server.budget
        log(st, now, st.vcpus[v].pcpu, v, DEPLETE, server.level)
        if queued(rt, v):
            remove(rt.queues, v)
            enqueue(rt, v)
            tickle(st, rt, v, now)


# ------------------------------------------------------------------ what the loop asks for besides


@kernel
def tick(st, rt, now, p):
    """No ticks."""


@kernel
def account(st, rt, now):
    """No accounting."""


@kernel
def worth(rt, v):
    """What is left of the budget [ns]."""
    return rt.vcpus[v].left
