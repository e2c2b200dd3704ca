"""Warp: how a VM of BVT borrows virtual time, and for how long it may (docs/xen-rules.md 4.1.8)."""

from __future__ import annotations

from ..jit import kernel, seldom
from ..timers import NEVER, set_alarm


@kernel
def limit_warp(st, bv, now, vm):
    """A warping VM has been chosen: from now on it may warp for so long. Every choice begins anew (4.1.8)."""
    domain = bv.vms[vm]
    if domain.warping and domain.warp_limit > 0:
        domain.warp_due = now + domain.warp_limit
        set_warp_alarm(st, bv)


@kernel
@seldom
def set_warp_alarm(st, bv):
    """Set the one alarm for whichever warp ends, or begins again, next."""
    due = NEVER
    for vm in range(bv.rules.vms):
        due = min(due, min(bv.vms[vm].warp_due, bv.vms[vm].unwarp_due))
    set_alarm(st.alarms, st.slots.replenish, due)


@kernel
def replenish(st, bv, now, k):
    """A warp ends, or may begin again. Effective virtual times follow when they are next computed, and nobody is told (4.1.8)."""
    for vm in range(bv.rules.vms):
        domain = bv.vms[vm]
        if domain.warp_due <= now:
            domain.warp_due = NEVER
            domain.warping = 0
            if domain.unwarp > 0:
                domain.unwarp_due = now + domain.unwarp
        elif domain.unwarp_due <= now:
            domain.unwarp_due = NEVER
            domain.warping = 1
    set_warp_alarm(st, bv)
