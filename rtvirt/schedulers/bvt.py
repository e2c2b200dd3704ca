"""BVT, borrowed virtual time: Xen's first scheduler (docs/xen-rules.md 4.1; rule numbers in brackets).

The idea. Running costs *virtual time*, the more the smaller one's share; whoever has had the least runs. So everybody advances at the same
pace, and shares are fair without any quota. Whoever sleeps is brought up to the others when it wakes: sleeping earns nothing. A VM in a hurry
may *warp*: its effective virtual time is moved back, it goes first, and pays for it later by what it has run.

What to look for. A vCPU that wakes preempts at once on a tie (4.1.7), so latency is short; the longest wait grows with the number of vCPUs, and
there is a promise only if the others wake up rarely enough (docs/shares.md). And a slip of units in Xen makes all slices 5 ms (4.1.6).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from ..jit import kernel
from ..rows import make, put_row
from ..state import IDLE, ask_decision, set_slice
from ..timers import NEVER
from .bvt_time import MCU, BvtState, charged_time, effective_time, slice_for
from .bvt_warp import limit_warp, replenish, set_warp_alarm  # noqa: F401  (the loop calls policy.replenish)
from .checks import check_choice, check_time
from .contracts import Contracts
from .runqueue import NOBODY, append, insert_after, remove, reset_runqueues

ALONE = 10                 # a lone vCPU's slice, in context-switch allowances (4.1.6)
FIELDS = ("mcu_advance", "warp", "warp_value", "warp_limit", "unwarp")      # of a contract


@dataclass(frozen=True)
class BVT:
    """Xen's borrowed virtual time scheduler, removed before 3.0.3.

    Parameters
    ----------
    units : {"faithful", "intended"}
        A slice should last until the runner-up is 5 ms of running ahead. "faithful": what Xen computes, where a number of 100 us units is
        added to nanoseconds, so that the lead of the chosen vCPU counts for nothing. "intended": what was meant (4.1.6).
    ctx_allow : int [ns]
        Context-switch allowance, the least that a slice lasts: 10 us to 1 s.

    Notes
    -----
    Shares are set by `VM.bvt` (`BvtContract`): ``mcu_advance`` is the inverse of a weight; 10, if a VM does not say. Each pCPU has the vCPUs
    that its VMs' starts have placed there: no balancing, no migration (4.1.2). Virtual times are whole numbers without bound; Xen's have 32 bits,
    and a correction when they are nearly used up (4.1.3), which is left out, and with it what underflows: a warp beyond the virtual time
    that has passed. Time in the hypervisor is charged to whoever is current.

    Raises
    ------
    SpecError
        Unknown units, or an allowance out of range.

    References
    ----------
    docs/xen-rules.md 4.1; docs/model.md 7.10. K. Duda and D. Cheriton, "Borrowed-virtual-time (BVT) scheduling", SOSP 1999.

    Examples
    --------
    >>> import rtvirt as rv
    >>> from rtvirt.units import ms
    >>> two = rv.System(vms=[rv.VM("A", tasks=[rv.hog()]), rv.VM("B", tasks=[rv.hog()])])
    >>> run = rv.simulate(two, BVT(units="intended"), duration=ms(40))
    >>> run.slices[["vm", "start"]].values.tolist()
    [['A', 0], ['B', 5000000], ['A', 15000000], ['B', 25000000], ['A', 35000000]]
    """

    units: str = "faithful"
    ctx_allow: int = 5_000_000

    UNITS: ClassVar[tuple[str, ...]] = ("faithful", "intended")
    kernel_name: ClassVar[str] = "bvt"
    work_conserving: ClassVar[str] = "on one pCPU"
    alarms: ClassVar[int] = 1          # the next end, or beginning, of a warp

    def __post_init__(self) -> None:
        check_choice("BVT.units", self.units, self.UNITS)
        check_time("BVT.ctx_allow", self.ctx_allow, 10_000, 1_000_000_000)

    def make_state(self, cpus: int, contracts: Contracts) -> Any:
        """The scheduler's tables."""
        n = len(contracts.vcpu_vm)
        bv = make(BvtState, {"vms": len(contracts.names), "vcpus": n, "pcpus": cpus, "queues": {"line": cpus, "links": n}})
        put_row(bv.rules, vms=len(contracts.names), gap_unit=1 if self.units == "faithful" else MCU, ctx_allow=self.ctx_allow)
        for vm, contract in enumerate(contracts.bvt):
            self.reconfigure(bv, vm, "bvt", contract)
        reset_runqueues(bv.queues, n, cpus)
        return bv

    def reconfigure(self, state: Any, vm: int, field: str, value: Any) -> bool:
        """Give a VM another contract, by which it warps or does not from now on; False for anything but `bvt`."""
        if field != "bvt":
            return False
        put_row(state.vms[vm], **{name: int(getattr(value, name)) for name in FIELDS},
                warping=int(value.warp), warp_due=NEVER, unwarp_due=NEVER)
        return True


# ------------------------------------------------------------------ wake, sleep, yield


@kernel
def start(st, bv):
    """Nobody warps on time before somebody runs."""


@kernel
def place(st, bv, now, v):
    """A VM starts: its vCPUs line up behind the others, and else it is as when they wake."""
    if not st.vcpus[v].blocked and st.vcpus[v].paused == 0 and is_new(st, bv, v):
        append(bv.queues, st.vcpus[v].pcpu, v)
        catch_up(st, bv, now, v)


@kernel
def wake(st, bv, now, v):
    """To the head of the queue (4.1.7)."""
    if is_new(st, bv, v):
        insert_after(bv.queues, st.vcpus[v].pcpu, NOBODY, v)
        catch_up(st, bv, now, v)


@kernel
def is_new(st, bv, v):
    """Does it neither run nor wait?"""
    return st.pcpus[st.vcpus[v].pcpu].current != v and bv.queues.links[v].where == NOBODY


@kernel
def catch_up(st, bv, now, v):
    """Who has slept is brought up to the others. It preempts if it is not behind, also on a tie; else the slice is cut to its lead (4.1.7)."""
    p, time = st.vcpus[v].pcpu, bv.vcpus[v]
    current = st.pcpus[p].current
    time.actual = max(time.actual, bv.pcpus[p].system)
    time.effective = effective_time(st, bv, v, time.actual)
    if current == IDLE:
        ask_decision(st, p, now + st.costs.wake_path)
        return
    theirs = effective_time(st, bv, current, charged_time(st, bv, now, current))
    if time.effective <= theirs:
        ask_decision(st, p, now + st.costs.wake_path)
        return
    ends = st.pcpus[p].since + slice_for(st, bv, current, time.effective - theirs)
    if ends < bv.pcpus[p].ends:
        bv.pcpus[p].ends = ends
        set_slice(st, p, now, max(0, ends - now))


@kernel
def sleep(st, bv, now, v):
    """A vCPU is paused: a running one leaves at the next decision, a waiting one is taken off its queue (1.5.6)."""
    p = st.vcpus[v].pcpu
    if st.pcpus[p].current == v:
        ask_decision(st, p, now)
    elif bv.queues.links[v].where != NOBODY:
        remove(bv.queues, v)


@kernel
def yield_(st, bv, now, v):
    """BVT has no rule for a yield: it is a decision like any other, and an equal wins it."""


@kernel
def leave(st, bv, now, v):
    """The VM of `v` has crashed: if it is started again, it has paid nothing, and warps as its contract says."""
    domain = bv.vms[st.vcpus[v].vm]
    domain.warping = domain.warp
    domain.warp_due = NEVER
    domain.unwarp_due = NEVER
    bv.vcpus[v].actual = 0
    bv.vcpus[v].effective = 0
    set_warp_alarm(st, bv)


# ------------------------------------------------------------------ the decision


@kernel
def decide(st, bv, now, p):
    """Who has the least effective virtual time? The first in the queue, among equals; the current one stands last (4.1.5)."""
    current = st.pcpus[p].current
    if current != IDLE:
        time = bv.vcpus[current]
        time.actual = charged_time(st, bv, now, current)
        time.effective = effective_time(st, bv, current, time.actual)
        if not st.vcpus[current].blocked and st.vcpus[current].paused == 0:
            append(bv.queues, p, current)
    bv.pcpus[p].since = now
    chosen = least(bv, p, NOBODY)
    length = bv.rules.ctx_allow
    if chosen != NOBODY:
        runner_up = least(bv, p, chosen)
        bv.pcpus[p].system = least_actual(bv, p)
        length = ALONE * bv.rules.ctx_allow
        if runner_up != NOBODY:
            length = slice_for(st, bv, chosen, bv.vcpus[runner_up].effective - bv.vcpus[chosen].effective)
        remove(bv.queues, chosen)
        limit_warp(st, bv, now, st.vcpus[chosen].vm)
    bv.pcpus[p].ends = now + length
    return (IDLE if chosen == NOBODY else chosen), length


@kernel
def least(bv, p, but):
    """Who in the queue has the least effective virtual time, `but` left out; NOBODY, if there is nobody else."""
    best, v = NOBODY, bv.queues.line[p].head
    while v != NOBODY:
        if v != but and (best == NOBODY or bv.vcpus[v].effective < bv.vcpus[best].effective):
            best = v
        v = bv.queues.links[v].next
    return best


@kernel
def least_actual(bv, p):
    """The system virtual time: the least that anybody in the queue has paid; who wakes is brought up to it."""
    v = bv.queues.line[p].head
    found = bv.vcpus[v].actual
    while v != NOBODY:
        found = min(found, bv.vcpus[v].actual)
        v = bv.queues.links[v].next
    return found


@kernel
def reconfigured(st, bv, now, v):
    """Another contract: timers of the old one are gone."""
    set_warp_alarm(st, bv)


# ------------------------------------------------------------------ what the loop asks for besides


@kernel
def tick(st, bv, now, p):
    """No ticks."""


@kernel
def account(st, bv, now):
    """No accounting."""


@kernel
def worth(bv, v):
    """What it has paid: its actual virtual time."""
    return bv.vcpus[v].actual
