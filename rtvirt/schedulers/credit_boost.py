"""A budget for boosts: how long a vCPU may run at BOOST (docs/model.md 7.1.11). Not Xen's: off by default.

Xen takes BOOST away at ticks and accountings only (2.6.3), so whoever wakes between them keeps it as long as he likes (2.6.4), and
boosted vCPUs wait for each other (2.6.5). With a budget the wait is bounded: nobody is ahead for longer.
"""

from __future__ import annotations

from ..errors import Problem, SpecError
from ..jit import kernel, seldom
from ..state import UNBOOST, log
from .checks import check_time
from .credit_accounting import PRIO_BOOST, PRIO_UNDER

SHORTEST, LONGEST = 10_000, 1_000_000_000       # [ns]


def check_budget(budget: object, period: int, xen: str) -> None:
    """Refuse a budget that makes no sense, or that a version does not have."""
    if budget is not None and xen.startswith("3"):
        raise SpecError([Problem("Credit.boost_budget", budget, f"None, for Xen {xen}", "leave it out, or take a modern version", "")])
    check_time("Credit.boost_period", period, SHORTEST, LONGEST)
    if budget is not None:
        check_time("Credit.boost_budget", budget, SHORTEST, period, zero=True, why="no longer than boost_period")


@kernel
@seldom
def renew_boost(cr, now, v):
    """The first wake-up after the end of a window begins the next."""
    if now >= cr.vcpus[v].boost_ends:
        cr.vcpus[v].boosted = 0
        cr.vcpus[v].boost_ends = now + cr.pool.boost_period


@kernel
@seldom
def count_boost(cr, now, v):
    """A vCPU has run at BOOST until now."""
    cr.vcpus[v].boosted += now - cr.vcpus[v].boost_from
    cr.vcpus[v].boost_from = now


@kernel
@seldom
def end_boost(st, cr, now, p, v):
    """At a decision: a boost whose budget is used up is over."""
    if cr.vcpus[v].priority == PRIO_BOOST:
        count_boost(cr, now, v)
        if cr.vcpus[v].boosted >= cr.pool.boost_limit:
            cr.vcpus[v].priority = PRIO_UNDER
            log(st, now, p, v, UNBOOST, cr.vcpus[v].credit)


@kernel
@seldom
def boost_slice(cr, now, v, length):
    """For how long may it run? At BOOST until its budget is used up."""
    if cr.vcpus[v].priority == PRIO_BOOST:
        cr.vcpus[v].boost_from = now
        return min(length, cr.pool.boost_limit - cr.vcpus[v].boosted)
    return length
