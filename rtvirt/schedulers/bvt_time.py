"""What BVT keeps, and how virtual time passes (docs/xen-rules.md 4.1.1 to 4.1.6; rule numbers in brackets)."""

from __future__ import annotations

from ..jit import kernel
from ..rows import Many, Row, Struct
from ..state import MAX_PCPUS, MAX_VCPUS, MAX_VMS
from .runqueue import RunQueues

MCU = 100_000              # minimum charging unit [ns] (4.1.1)


class Domain(Row):
    """A VM's contract, and whether it warps now."""

    mcu_advance: int          # virtual time that an MCU costs
    warp: int                 # 1: it warps, when it may
    warp_value: int           # virtual time
    warp_limit: int           # from a dispatch to the end of its warping [ns]; 0: none
    unwarp: int               # from then until it warps again [ns]; 0: never
    warping: int              # 1: now
    warp_due: int             # end of its warping [ns]; NEVER
    unwarp_due: int           # it warps again [ns]; NEVER


class VirtualTime(Row):
    """A vCPU's."""

    actual: int               # what it has paid (avt)
    effective: int            # what it is compared by, as of when it was charged or woken last (evt)


class Pcpu(Row):
    """What BVT keeps of a pCPU."""

    system: int               # the least actual virtual time of its vCPUs, at its last decision (SVT)
    since: int                # its last decision [ns]
    ends: int                 # end of the slice that it gave [ns]


class Rules(Row):
    """Parameters."""

    vms: int                  # how many there are
    gap_unit: int             # what an MCU of lead is worth in a slice [ns]
    ctx_allow: int            # context-switch allowance [ns]


class BvtState(Struct):
    """The scheduler's tables."""

    rules = Rules
    vms = Many(Domain, MAX_VMS)
    vcpus = Many(VirtualTime, MAX_VCPUS)
    pcpus = Many(Pcpu, MAX_PCPUS)
    queues = RunQueues                                # of each pCPU: those that wait


@kernel
def effective_time(st, bv, v, actual):
    """The virtual time by which `v` is compared, if `actual` is what it has paid (4.1.3)."""
    domain = bv.vms[st.vcpus[v].vm]
    return actual - domain.warp_value if domain.warping else actual


@kernel
def charged_time(st, bv, now, v):
    """What the running `v` has paid by now: an MCU that has begun costs as much as a whole one (4.1.4)."""
    ran = now - bv.pcpus[st.vcpus[v].pcpu].since
    return bv.vcpus[v].actual + (ran + MCU - 1) // MCU * bv.vms[st.vcpus[v].vm].mcu_advance


@kernel
def slice_for(st, bv, v, lead):
    """How long `v` may run that is `lead` of virtual time ahead of the next: until it has used that up, and an allowance more (4.1.6)."""
    return lead // bv.vms[st.vcpus[v].vm].mcu_advance * bv.rules.gap_unit + bv.rules.ctx_allow
