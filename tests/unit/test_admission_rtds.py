"""RTDS with extratime, and of Xen 4.5: promises worked out by hand, witnesses replayed, certificates checked."""

from __future__ import annotations

import pytest

import rtvirt as rv
from rtvirt import checker
from rtvirt.analysis import DeferrableServer
from rtvirt.analysis.admission.rtds_witness import idle_beside, late_replenishment
from rtvirt.units import ms, us


def vm(name, budget, period, **fields):
    """A VM with one task."""
    return rv.VM(name, tasks=[rv.Task("t", wcet=us(500), period=ms(40))], budget=budget, period=period, **fields)


def admitted(vms, scheduler, **fields):
    """The verdict on a system of these VMs."""
    return rv.admit(rv.System(vms=vms, **fields), scheduler)


def test_who_has_extratime_may_wait_for_one_more_budget():
    """A: 2 of B and 1 of C before its deadline, and the larger of them when nobody was told (6.2.15). B, without extratime, is always told."""
    three = [vm("A", ms(1), ms(10), extratime=True), vm("B", ms(2), ms(10)), vm("C", ms(1), ms(10))]
    verdict = admitted(three, rv.RTDS(replenish_by="deadline"))
    assert verdict.supplies == {"A/0": DeferrableServer(ms(10), ms(1), response=ms(6)), "B/0": DeferrableServer(ms(10), ms(2), response=ms(4)),
                                "C/0": DeferrableServer(ms(10), ms(1), response=ms(4))}
    assert checker.check(verdict.certificate())


def test_xens_own_order_keeps_the_budget_of_a_single_rival_only():
    two = [vm("A", ms(2), ms(10)), vm("B", ms(2), ms(10), extratime=True)]
    verdict = admitted(two, rv.RTDS())
    assert verdict.supplies["A/0"] == DeferrableServer(ms(10), ms(2), response=ms(4)) and verdict.supplies["B/0"] is None
    assert "6.2.13" in verdict.why() and "rtds_witness" in verdict.why()
    assert admitted([*two, vm("C", ms(1), ms(10))], rv.RTDS()).supplies["A/0"] is None


def test_a_witness_of_late_replenishments():
    """Forty periods without budget under Xen's order, refused by name; the same budgets hold in the other order, and more closely than promised."""
    system, scheduler = late_replenishment()
    assert "6.2.13" in rv.admit(system, scheduler).why()
    assert int(rv.simulate(system, scheduler, ms(600)).tasks.loc[("own", "t"), "response_max"]) > 39 * ms(7)
    meant = rv.RTDS(replenish_by="deadline")
    bound = rv.admit(system, meant).bounds["own/t"]
    assert int(rv.simulate(system, meant, ms(600)).tasks.loc[("own", "t"), "response_max"]) <= bound < 3 * ms(7)


def test_budgets_of_a_millisecond_quantum_by_hand():
    """A waits for two budgets of B, one of them old, each overrun by 1 ms less 1 ns; and its own new budget is seen a quantum late."""
    verdict = admitted([vm("A", ms(2), ms(20)), vm("B", ms(3), ms(20))], rv.RTDS(xen="4.5"))
    assert verdict.supplies["A/0"] == DeferrableServer(ms(20), ms(2), response=ms(2) + 2 * (ms(4) - 1) + ms(1)) and verdict
    assert checker.check(verdict.certificate())
    refused = admitted([vm("A", ms(2), ms(8)), vm("B", ms(3), ms(20))], rv.RTDS(xen="4.5"))
    assert refused.late == ("A/t",) and "6.3.1" in refused.why() and checker.check(refused.certificate())
    assert "overheads" in rv.admit(rv.System(vms=[vm("A", ms(2), ms(8))], costs="traced-xen"), rv.RTDS(xen="4.5")).why()


def test_a_witness_of_idle_pcpus():
    """The second pCPU of two is never asked: `own` waits three of its budgets for the one that both know."""
    system, scheduler = idle_beside()
    slices = rv.simulate(system, scheduler, ms(20)).slices
    assert slices[slices.vm == "own"].start.tolist() == [0, ms(13)] and set(slices.cpu) == {0}
    verdict = admitted([vm("A", ms(2), ms(20)), vm("B", ms(3), ms(20))], rv.RTDS(xen="4.5"), cpus=2)
    assert "rtds_witness" in verdict.why()
    pinned = [vm("A", ms(2), ms(20), affinity=[0]), vm("B", ms(3), ms(20), affinity=[1])]
    assert admitted(pinned, rv.RTDS(xen="4.5"), cpus=2)


@pytest.mark.parametrize("order", ["priority", "deadline"])
def test_nobody_who_never_runs_harms_anybody(order):
    nobody = [rv.VM(name, budget=ms(2), period=ms(10), extratime=True) for name in "XYZ"]
    assert admitted([vm("A", ms(2), ms(10)), *nobody], rv.RTDS(replenish_by=order)).supplies["A/0"] == DeferrableServer(ms(10), ms(2), response=ms(2))
