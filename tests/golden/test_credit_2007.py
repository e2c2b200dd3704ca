"""Golden scenarios of the credit scheduler of 2006 and 2007 (docs/xen-rules.md 10.2)."""

from __future__ import annotations

import pytest

import rtvirt as rv
from golden.scenes import bursts, hogs, once, shares, simulate, trace
from rtvirt.units import ms


def test_G_C0_01_same_trace_as_today():
    run = simulate(hogs(A=256, B=512), rv.Credit(xen="3.1"), 400)
    assert trace(run) == "0 A, 30 B, 60 A, 90 B, 120 A, 150 B, 210 A, 240 B, 300 A, 330 B, 390 A"


def test_G_C0_02_sleeping_over_the_tick_is_free():
    run = simulate([bursts("C", 0.1, 9.5), *hogs(H=256)], rv.Credit(xen="3.1"), 6000)
    assert shares(run)["C"] == pytest.approx(0.95, abs=0.001)
    assert int(run.recording.scheduler.vcpus[0].credit) == 0


def test_G_C0_03_running_only_at_ticks_costs_whole_ticks():
    run = simulate([bursts("C", 9.9, 0.2), *hogs(H=256)], rv.Credit(xen="3.1"), 100)
    ticks = run.events[(run.events["event"] == "tick") & (run.events["vm"] == "C")]
    assert ticks["value"].tolist()[:2] == [-100, -200]
    account = run.events[(run.events["event"] == "account") & (run.events["vm"] == "C")].iloc[0]
    assert (account["time"], account["value"]) == (ms(30), 0)       # alone active: 300 debited, 300 earned


def test_G_C0_06_without_boost_a_wakeup_queues():
    run = simulate([*hogs(H=256, J=256), once("I", 5, 1)], rv.Credit(xen="3.0.3"), 100)
    assert trace(run, until=60) == "0 H, 30 J, 60 I"
    assert run.wakeups["latency"].tolist() == [ms(55)]


def test_G_C0_07_with_boost_it_does_not():
    run = simulate([*hogs(H=256, J=256), once("I", 5, 1)], rv.Credit(xen="3.1"), 100)
    assert run.wakeups["latency"].tolist() == [0]


def test_G_C0_08_every_idle_pcpu_is_tickled():
    run = simulate([rv.VM("H", tasks=[rv.hog()], affinity=[0]), once("W", 5, 1, affinity=None)], rv.Credit(xen="3.1"), 20, cpus=3)
    assert run.wakeups["latency"].tolist() == [0]


def test_G_C0_09_a_yielder_passes_its_class_only():
    yielder = rv.VM("d", tasks=[rv.Task("y", actions=[rv.run(ms(0.2)), rv.yield_(), rv.run(2**62)])])
    run = simulate([yielder, *hogs(b=256, c=256)], rv.Credit(xen="3.1"), 29, initial={"priority": {("c", 0): "OVER"}})
    assert trace(run) == "0 d, 0.2 b"
    run = simulate([yielder, *hogs(c=256)], rv.Credit(xen="3.1"), 29, initial={"priority": {("c", 0): "OVER"}})
    assert trace(run) == "0 d"


def test_G_C1_10_weight_is_per_domain_in_2007():
    two = rv.VM("Y", vcpus=2, tasks=[rv.Task("a", wcet=rv.hog().wcet, vcpu=0), rv.Task("b", wcet=rv.hog().wcet, vcpu=1)])
    found = shares(simulate([*hogs(X=256), two], rv.Credit(xen="3.1"), 9000))
    assert found == pytest.approx({"X": 1 / 2, "Y": 1 / 2}, abs=0.01)


@pytest.mark.parametrize("xen", ["3.1", "3.0.3"])
def test_rule_3_2_2_ticks_go_on_while_idle(xen):
    run = simulate([once("A", 35, 30)], rv.Credit(xen=xen), 100)
    assert run.events.loc[run.events["event"] == "tick", "time"].tolist() == [ms(40), ms(50), ms(60)]


def test_rule_3_2_11_a_cap_in_2006_parks_below_idle():
    run = simulate([rv.VM("A", tasks=[rv.hog()], cap=25)], rv.Credit(xen="3.0.3"), 3000)
    assert shares(run)["A"] == pytest.approx(0.25, abs=0.05)
    assert run.events[run.events["event"] == "park"].empty
