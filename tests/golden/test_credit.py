"""Golden scenarios of the credit scheduler (docs/xen-rules.md 10.1); each id is in its test's name."""

from __future__ import annotations

import pytest

import rtvirt as rv
from golden.scenes import bursts, hogs, once, shares, simulate, trace
from rtvirt.units import ms

BOTH = pytest.mark.parametrize("xen", ["4.17", "4.22"])


@BOTH
def test_G_C1_02_weights_1_to_2(xen):
    run = simulate(hogs(A=256, B=512), rv.Credit(xen=xen), 400)
    assert trace(run) == "0 A, 30 B, 60 A, 90 B, 120 A, 150 B, 210 A, 240 B, 300 A, 330 B, 390 A"
    for length, share in ((1000, 0.36), (3000, 0.34), (30000, 0.334)):
        assert shares(simulate(hogs(A=256, B=512), rv.Credit(xen=xen), length))["A"] == pytest.approx(share, abs=1e-9)


@BOTH
def test_G_C1_04_weights_4_to_1(xen):
    run = simulate(hogs(A=1024, B=256), rv.Credit(xen=xen), 390)
    assert trace(run) == "0 A, 30 B, 60 A, 180 B, 210 A, 330 B, 360 A"


@BOTH
def test_G_C1_05_three_weights(xen):
    found = shares(simulate(hogs(A=256, B=256, C=512), rv.Credit(xen=xen), 6000))
    assert found == pytest.approx({"A": 0.25, "B": 0.25, "C": 0.5}, abs=0.01)


@BOTH
def test_G_C1_10_weight_is_per_vcpu(xen):
    two = rv.VM("Y", vcpus=2, tasks=[rv.Task("a", wcet=rv.hog().wcet, vcpu=0), rv.Task("b", wcet=rv.hog().wcet, vcpu=1)])
    found = shares(simulate([*hogs(X=256), two], rv.Credit(xen=xen), 9000))
    assert found == pytest.approx({"X": 1 / 3, "Y": 2 / 3}, abs=0.01)


@BOTH
def test_G_C1_11_cap_50_alone(xen):
    capped = rv.VM("A", tasks=[rv.hog()], cap=50)
    run = simulate([capped], rv.Credit(xen=xen), 240)
    assert trace(run) == "0 A, 120 A"
    assert run.slices["end"].tolist() == [ms(60), ms(180)]
    assert shares(simulate([capped], rv.Credit(xen=xen), 1200))["A"] == 0.5


@BOTH
def test_G_C1_12_cap_25_alone(xen):
    capped = rv.VM("A", tasks=[rv.hog()], cap=25)
    run = simulate([capped], rv.Credit(xen=xen), 240)
    assert [(row.start, row.end) for row in run.slices.itertuples()] == [(0, ms(30)), (ms(120), ms(150))]
    assert shares(simulate([capped], rv.Credit(xen=xen), 1200))["A"] == 0.25


@BOTH
def test_G_C1_14_cap_50_beside_a_hog(xen):
    run = simulate([rv.VM("A", tasks=[rv.hog()], cap=50), *hogs(B=256)], rv.Credit(xen=xen), 6000)
    assert shares(run) == pytest.approx({"A": 0.5, "B": 0.5}, abs=0.01)


@BOTH
def test_G_C1_16_unparking_does_not_boost(xen):
    run = simulate([rv.VM("A", tasks=[rv.hog()], cap=25), once("B", 115, 20)], rv.Credit(xen=xen), 150)
    unparked = run.events[run.events["event"] == "unpark"]
    assert unparked[["vm", "time"]].values.tolist() == [["A", ms(120)]]
    assert trace(run) == "0 A, 115 B, 135 A"       # B is UNDER by then (tick at 120): A does not pass it


@BOTH
def test_G_C1_18_ratelimit_delays_a_boosted_vcpu(xen):
    run = simulate([*hogs(H=256), once("I", 0.3, 0.2)], rv.Credit(xen=xen), 20)
    assert run.wakeups[["vm", "woken", "dispatched"]].values.tolist() == [["I", ms(0.3), ms(1)]]
    boost = run.events[run.events["event"] == "boost"]
    assert boost[["vm", "time"]].values.tolist() == [["I", ms(0.3)]]


@BOTH
def test_G_C1_26_yield_passes_the_ratelimit(xen):
    yielder = rv.VM("A", tasks=[rv.Task("y", actions=[rv.run(ms(0.2)), rv.yield_(), rv.run(2**62)])])
    run = simulate([yielder, *hogs(B=256)], rv.Credit(xen=xen), 50)
    assert trace(run, until=31) == "0 A, 0.2 B, 30.2 A"


@BOTH
def test_G_C1_27_avoiding_the_tick(xen):
    run = simulate([bursts("C", 0.1, 9.5), *hogs(H=256)], rv.Credit(xen=xen, ratelimit=0), 6000)
    assert shares(run)["C"] == pytest.approx(0.95, abs=0.001)
    mine = run.events[run.events["vm"] == "C"]
    assert mine[mine["event"] == "activate"].empty and int(run.recording.scheduler.vcpus[0].active) == 0
    assert run.wakeups.loc[run.wakeups["vm"] == "C", "latency"].max() == 0      # it never loses its boost: never OVER


@BOTH
def test_G_C1_28_debt_shock(xen):
    debtor = rv.VM("I", tasks=[rv.Task("io", releases=[ms(9), *(ms(t) for t in range(25, 75, 10))],
                                       wcet=[ms(2), *[ms(0.5)] * 5])])
    run = simulate([debtor, *hogs(H=256)], rv.Credit(xen=xen), 80, initial={"credit": {("I", 0): -1000}})
    mine = run.events[run.events["vm"] == "I"]
    assert mine.loc[mine["event"] == "activate", "time"].tolist() == [ms(10)]
    settled = mine[(mine["event"] == "account") & (mine["time"] == ms(30))]
    assert settled["value"].tolist() == [-300]
    boosts = mine.loc[mine["event"] == "boost", "time"].tolist()
    assert boosts == [ms(9), ms(25), ms(65)]        # not at 35, 45, 55: it is OVER from 30 to 60


def queue_after(vms, xen, duration, initial):
    """Dispatch order of everybody who waits, seen through their first stints."""
    run = simulate(vms, rv.Credit(xen=xen), duration, initial=initial)
    return list(dict.fromkeys(run.slices.sort_values("start", kind="stable")["vm"]))


@BOTH
def test_G_C1_29_insertion_behind_equals(xen):
    order = queue_after(hogs(x=256, a=256, b=256, c=256, d=256), xen, 200,
                        {"priority": {("x", 0): "BOOST", ("a", 0): "BOOST", ("c", 0): "OVER"}})
    assert order == ["x", "a", "b", "d", "c"]


@BOTH
def test_G_C1_30_yield_lets_one_lower_vcpu_pass(xen):
    yielder = rv.VM("d", tasks=[rv.Task("y", actions=[rv.run(ms(0.2)), rv.yield_(), rv.run(2**62)])])
    run = simulate([yielder, once("b", 0, 5), *hogs(c=256)], rv.Credit(xen=xen), 36, initial={"priority": {("c", 0): "OVER"}})
    assert trace(run) == "0 d, 0.2 b, 5.2 c, 35.2 d"
    run = simulate([yielder, *hogs(b=256)], rv.Credit(xen=xen), 35)
    assert trace(run) == "0 d, 0.2 b, 30.2 d"


@BOTH
def test_G_C1_31_an_idle_pcpu_is_preferred(xen):
    run = simulate([rv.VM("X", tasks=[rv.hog()], affinity=[0]), once("W", 5, 1)], rv.Credit(xen=xen), 20, cpus=2,
                   initial=None)
    assert run.wakeups[["vm", "latency"]].values.tolist() == [["W", 0]]
    assert run.slices[run.slices["vm"] == "X"].shape[0] == 1


def test_G_C1_33_an_over_pcpu_steals_an_under_waiter():
    vms = [rv.VM("P", tasks=[rv.Task("p", releases=[0], wcet=ms(5))], affinity=[0]),
           rv.VM("Q", tasks=[rv.hog()], affinity=[1]), rv.VM("O", tasks=[rv.hog()], affinity=[0]), rv.VM("W", tasks=[rv.hog()], vcpus=1)]
    for xen in ("4.17", "4.22"):
        run = simulate(vms, rv.Credit(xen=xen), 20, cpus=2,
                       initial={"priority": {("O", 0): "OVER", ("Q", 0): "UNDER"}})
        first = run.slices[run.slices["vm"] == "W"].iloc[0]
        assert (first["start"], first["cpu"]) == (ms(5), 0)


def test_rule_2_5_2_a_lone_hog_stays_at_zero():
    run = simulate(hogs(A=256), rv.Credit(), 3000)
    account = run.events[run.events["event"] == "account"]
    assert (account["value"] == 0).all() and len(account) == 99


def test_rule_2_9_1_only_a_tick_activates():
    run = simulate([bursts("C", 1, 2), *hogs(H=256)], rv.Credit(), 500)
    assert run.events[(run.events["vm"] == "C") & (run.events["event"] == "activate")].empty


def test_rule_2_7_4_a_preempted_hog_goes_to_the_tail():
    run = simulate([*hogs(A=256, B=256), once("I", 5, 1)], rv.Credit(), 60)
    assert trace(run) == "0 A, 5 I, 6 B, 36 A"


def test_rule_2_6_5_boosted_vcpus_do_not_preempt_each_other():
    run = simulate([*hogs(H=256), once("I", 5, 3), once("J", 6.5, 1)], rv.Credit(), 20)
    assert run.wakeups[["vm", "dispatched"]].values.tolist() == [["I", ms(5)], ["J", ms(8)]]


def test_rule_2_1_short_timeslice_has_one_tick():
    run = simulate(hogs(A=256), rv.Credit(timeslice=ms(2)), 20)
    assert run.events.loc[run.events["event"] == "tick", "time"].tolist() == [ms(2 * k) for k in range(1, 10)]


def test_rule_2_4_0_tick_period_is_whole_microseconds():
    run = simulate(hogs(A=256), rv.Credit(timeslice=ms(5)), 6)
    assert run.events.loc[run.events["event"] == "tick", "time"].tolist() == [1_666_000, 3_332_000, 4_998_000]
