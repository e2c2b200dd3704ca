"""Golden scenarios of credit2 (docs/xen-rules.md 10.4), with variations worked out by hand; each id or rule is in its test's name."""

from __future__ import annotations

import pytest

import rtvirt as rv
from golden.scenes import hogs, once, shares, simulate, trace
from rtvirt.schedulers import credit2_load
from rtvirt.units import ms, us

TODAY = pytest.mark.parametrize("xen", ["4.17", "4.22"])
EVERY = pytest.mark.parametrize("xen", ["4.17", "4.22", "4.9"])


def events(run: rv.Run, kind: str, vm: str | None = None) -> list[tuple[float, float]]:
    """(time [ms], value [ms]) of the events of a kind, of one VM or of all."""
    rows = run.events[(run.events["event"] == kind) & (True if vm is None else run.events["vm"] == vm)]
    return [(row.time / 1e6, row.value / 1e6) for row in rows.itertuples()]


def stints(run: rv.Run, vm: str, vcpu: int = 0) -> list[tuple[float, float]]:
    """(start, end) of a vCPU's stints [ms]."""
    rows = run.slices[(run.slices["vm"] == vm) & (run.slices["vcpu"] == vcpu) & (run.slices["end"] > run.slices["start"])]
    return [(row.start / 1e6, row.end / 1e6) for row in rows.sort_values("start").itertuples()]


def capped(name: str, cap: int, **vm: object) -> rv.VM:
    """A hog with a cap."""
    return rv.VM(name, tasks=[rv.hog()], cap=cap, **vm)


# ------------------------------------------------------------------ the rows


@EVERY
def test_G_C2_05_weights(xen):
    run = simulate(hogs(A=256, B=256, C=512), rv.Credit2(xen=xen), 100)
    assert shares(run) == {"A": 0.25, "B": 0.25, "C": 0.5}
    assert [at for at, _ in events(run, "reset")] == [20, 40, 60, 80]
    # 1 : 3, so A pays three for one: 10 ms of credit each last 3.33 + 10 ms
    other = simulate(hogs(A=100, B=300), rv.Credit2(xen=xen), 4000)
    assert shares(other) == pytest.approx({"A": 0.25, "B": 0.75}, abs=1e-3)
    assert len(events(other, "reset")) == pytest.approx(4000 / 13.333, abs=2)


@EVERY
def test_G_C2_07_the_lighter_pays_more(xen):
    run = simulate(hogs(A=256, B=512), rv.Credit2(xen=xen), 3)
    assert events(run, "preempt", "A")[0] == (1, 8.0)
    other = simulate(hogs(A=300, B=1000), rv.Credit2(xen=xen), 3)        # 3.333... a nanosecond; what is left over is not lost
    assert events(other, "preempt", "A")[0] == (1, 6.666667)


@TODAY
def test_G_C2_09_the_latency_trap(xen):
    assert trace(simulate([*hogs(H=256), once("I", 0.3, 1)], rv.Credit2(xen=xen), 12)) == "0 H, 10 I, 11 H"
    # not alone: H's slice was set to 1 ms, because J waited
    assert trace(simulate([*hogs(H=256, J=256), once("I", 0.3, 1)], rv.Credit2(xen=xen), 5)).startswith("0 H, 1 J, 2 I")


@TODAY
@pytest.mark.parametrize(("at", "served"), [(0.94, 10.0), (0.95, 10.0), (0.950001, 1.450001), (0.96, 1.46), (1.0, 1.0), (3.0, 3.0)])
def test_G_C2_10_the_trap_ends_50_us_before_the_ratelimit(xen, at, served):
    """Told within the last 50 us, the pCPU keeps its vCPU and sets its timer to 0.5 ms; told later, it switches at once."""
    run = simulate([*hogs(H=256), once("I", at, 1)], rv.Credit2(xen=xen), 12)
    assert run.wakeups[run.wakeups["vm"] == "I"]["dispatched"].tolist() == [ms(served)]


@EVERY
def test_G_C2_15_a_reset_of_who_owes_all(xen):
    for owed, left in ((-10, 10), (-9.999999, 0.000001), (0, 10)):
        initial = {"credit": {"A": ms(owed) if owed != -9.999999 else -9_999_999, "B": ms(-10)}}
        run = simulate(hogs(A=256, B=256), rv.Credit2(xen=xen), 1, initial=initial)
        assert events(run, "reset") == [(0, left)]
        assert run.vms["runtime"].tolist() == [ms(1), 0]


@TODAY
def test_G_C2_16_caps(xen):
    run = simulate([capped("A", 50)], rv.Credit2(xen=xen), 100)
    assert stints(run, "A") == [(10 * k, 10 * k + 5) for k in range(10)]
    beside = simulate([capped("A", 50), *hogs(B=256)], rv.Credit2(xen=xen), 6000)
    assert shares(beside)["A"] == pytest.approx(0.5, abs=0.025)
    assert max(end - start for start, end in stints(beside, "A")) < 6


@TODAY
def test_G_C2_16_a_debt_is_carried_over(xen):
    """0.7 ms in 10, but nobody stops within the ratelimit: 1 ms each time. After 0.7, 0.4, 0.1 ms the pool is at -0.2, and 10 ms pass."""
    run = simulate([capped("A", 7)], rv.Credit2(xen=xen), 200)
    assert stints(run, "A") == [(start, start + 1) for start in (0, 10, 20, 40, 50, 70, 80, 100, 110, 120, 140, 150, 170, 180)]
    assert [value for _, value in events(run, "replenish")][:4] == [0.4, 0.1, -0.2, 0.5]


def two_busy(y: float) -> rv.Run:
    """W wakes at 2 with credit 5, having run on pCPU 0 last; X has 5.2 there, Y has `y` on pCPU 1."""
    vms = [rv.VM("X", tasks=[rv.hog()], affinity=[0]), rv.VM("Y", tasks=[rv.hog()], affinity=[1]), once("W", 2, 1)]
    return simulate(vms, rv.Credit2(), 8, cpus=2, initial={"credit": {"X": ms(7.2), "Y": ms(y + 2), "W": ms(5)}})


def test_G_C2_17_nobody_is_tickled():
    """-0.2 here, and -0.1 there after the resistance: W waits until Y's slice ends."""
    run = two_busy(4.6)
    assert trace(run, cpu=0, until=7) == "0 X" and trace(run, cpu=1) == "0 Y, 6.6 W, 7.6 Y"


def test_G_C2_18_the_other_pcpu_is_tickled():
    run = two_busy(4.4)
    assert trace(run, cpu=0, until=7) == "0 X" and trace(run, cpu=1, until=3) == "0 Y, 2 W, 3 Y"
    assert events(run, "dispatch", "W") == [(2, 5.05)]                  # it is compensated


@EVERY
def test_G_C2_19_equals_do_not_preempt(xen):
    """A's slice ends when it has as much as B, and A goes on for the least slice: only then B has more."""
    run = simulate(hogs(A=256, B=256), rv.Credit2(xen=xen), 9, initial={"credit": {"A": ms(8), "B": ms(5)}})
    assert trace(run) == "0 A, 3.5 B, 8.5 A"


@TODAY
def test_G_C2_21_a_cap_of_more_than_all_vcpus(xen):
    with pytest.raises(rv.SpecError, match="0 to 200"):
        rv.VM("A", vcpus=2, cap=250)
    with pytest.raises(rv.SpecError, match="0 to 200"):
        rv.System(vms=[rv.VM("A", vcpus=2)], changes=[rv.Change(ms(1), "A", cap=250)])
    simulate([rv.VM("A", vcpus=2, cap=200, tasks=[rv.hog()])], rv.Credit2(xen=xen), 5)


# ------------------------------------------------------------------ rules without a row


def test_rule_5_4_1_before_the_trap():
    """4.9: the pCPU is told, keeps H until the ratelimit is over, at least half a millisecond, and then switches."""
    for at, served in ((0.3, 1.0), (0.7, 1.2), (0.94, 1.44)):
        run = simulate([*hogs(H=256), once("I", at, 1)], rv.Credit2(xen="4.9"), 12)
        assert run.wakeups["dispatched"].tolist() == [ms(served)]
        assert events(run, "ratelimit") == [(at, pytest.approx(1 - at))]


@TODAY
@pytest.mark.parametrize("ratelimit", [0, us(100)])
def test_rule_5_4_2_a_short_ratelimit_is_no_trap(xen, ratelimit):
    run = simulate([*hogs(H=256), once("I", 0.3, 1)], rv.Credit2(xen=xen, ratelimit=ratelimit), 12)
    assert trace(run) == "0 H, 0.3 I, 1.3 H"


@EVERY
def test_rule_5_2_4_a_sleeper_keeps_10_5_ms(xen):
    run = simulate([*hogs(A=256, B=256), once("I", 95.2, 1)], rv.Credit2(xen=xen), 100)
    assert events(run, "wake", "I") == [(95.2, 10.5)]
    assert len(events(run, "reset")) == 4                               # 20 ms a round


@EVERY
def test_rule_5_3_1_a_yield_asks_for_no_credit(xen):
    yielder = rv.VM("A", tasks=[rv.Task("t", actions=[rv.run(us(200)), rv.yield_(), rv.run(2**62)])])
    run = simulate([yielder, *hogs(B=256)], rv.Credit2(xen=xen), 5, initial={"credit": {"B": ms(1)}})
    assert trace(run) == "0 A, 0.2 B, 1.2 A"                            # B has 1 ms, A 9.8; B's slice does not count A, which is not queued yet
    alone = simulate([yielder], rv.Credit2(xen=xen), 5)
    assert trace(alone) == "0 A" and stints(alone, "A") == [(0, 5)]


@TODAY
def test_rule_5_6_2_vcpus_share_a_cap(xen):
    """100 % over two vCPUs: 5 ms each. What a stops too early to use, b finds when its own part is used up, or when it is parked."""
    def vm(*b: rv.Task) -> rv.VM:
        return rv.VM("A", vcpus=2, cap=100, affinity=[[0], [1]], tasks=[rv.Task("a", wcet=rv.hog().wcet, vcpu=0), *b])

    def task(at: float, length: float) -> rv.Task:
        return rv.Task("b", releases=[ms(at)], wcet=ms(length), vcpu=1)

    early = simulate([vm(task(0, 1))], rv.Credit2(xen=xen), 15, cpus=2)
    assert stints(early, "A") == [(0, 9), (10, 15)]
    late = simulate([vm(task(3, 4))], rv.Credit2(xen=xen), 12, cpus=2)
    assert stints(late, "A") == [(0, 5), (7, 8), (10, 12)] and stints(late, "A", 1) == [(3, 7)]
    assert [at for at, _ in events(late, "unpark")] == [7, 10]


@TODAY
def test_rule_5_6_1_a_cap_begins_when_it_is_set(xen):
    changes = [rv.Change(ms(3), "A", cap=50), rv.Change(ms(29), "A", cap=0)]
    run = rv.simulate(rv.System(vms=hogs(A=256), changes=changes), rv.Credit2(xen=xen), ms(40)).check()
    assert stints(run, "A") == [(0, 8), (13, 18), (23, 28), (29, 40)]


def test_caps_are_unknown_to_4_9():
    assert shares(simulate([capped("A", 50)], rv.Credit2(xen="4.9"), 50)) == {"A": 1.0}


@EVERY
def test_a_change_of_weight_counts_at_once(xen):
    """The hog that is made heavier makes everybody else pay more: wmax doubles."""
    system = rv.System(vms=hogs(A=256, B=256), changes=[rv.Change(ms(100), "B", weight=768)])
    run = rv.simulate(system, rv.Credit2(xen=xen), ms(2100)).check()
    late = run.slices[(run.slices["vm"] == "B") & (run.slices["start"] >= ms(100))]
    assert (late["end"] - late["start"]).sum() / ms(2000) == pytest.approx(0.75, abs=0.01)


@EVERY
def test_an_idle_vm_makes_the_others_pay(xen):
    """5.2.1: the largest weight of the run queue counts, runnable or not. Shares stay; credits burn faster, and resets come sooner."""
    alone = simulate(hogs(A=256, B=256), rv.Credit2(xen=xen), 100)
    beside = simulate([*hogs(A=256, B=256), rv.VM("asleep", weight=1024)], rv.Credit2(xen=xen), 100)
    assert len(events(alone, "reset")) == 4 and len(events(beside, "reset")) > 15
    assert shares(beside)["A"] == pytest.approx(0.5, abs=0.03)


@EVERY
def test_soft_affinity_comes_first_and_does_not_bind(xen):
    """B likes pCPU 1, and gets it though its own, pCPU 0, is idle too; when 1 is taken by C, which may run nowhere else, B goes on on 0."""
    vms = [rv.VM("B", tasks=[rv.hog()], soft_affinity=[1]), once("C", 20, 3, affinity=[1])]
    run = simulate(vms, rv.Credit2(xen=xen), 30, cpus=2)
    assert trace(run, cpu=1).startswith("0 B, 20 C") and trace(run, cpu=0).startswith("20 B")
    assert run.vms["runtime"]["B"] == ms(30)


def test_initial_states_are_checked():
    system = rv.System(vms=hogs(A=256))
    for initial, told in (({"budget": {"A": 1}}, "credit"), ({"credit": {"A": ms(11)}}, "10500000"), ({"credit": {"B": 1}}, "VMs A")):
        with pytest.raises(rv.SpecError, match=told):
            rv.simulate(system, rv.Credit2(), ms(5), initial=initial)
    for wrong in ({"xen": "4.5"}, {"runqueue": "thread"}, {"ratelimit": 50}, {"max_cpus": 0}, {"max_cpus": True}):
        with pytest.raises(rv.SpecError):
            rv.Credit2(**wrong)
    with pytest.raises(rv.SpecError, match="one weight a VM"):
        simulate([rv.VM("A", vcpus=2, weight=[1, 2])], rv.Credit2(), 5)


# ------------------------------------------------------------------ several run queues


@EVERY
def test_rule_5_5_2_new_vcpus_join_the_least_loaded_queue(xen):
    """One queue a pCPU: A, B, C join 0, 1, 0; two against one is no better the other way round, so they stay."""
    run = simulate(hogs(A=256, B=256, C=256), rv.Credit2(xen=xen, runqueue="cpu"), 3000, cpus=2)
    assert shares(run) == pytest.approx({"A": 0.5, "B": 1.0, "C": 0.5}, abs=0.005) and events(run, "migrate") == []
    one = simulate(hogs(A=256, B=256, C=256), rv.Credit2(xen=xen), 3000, cpus=2)
    assert shares(one) == pytest.approx(dict.fromkeys("ABC", 2 / 3), abs=0.005)
    liked = simulate([*hogs(A=256), rv.VM("B", tasks=[rv.hog()], soft_affinity=[0])], rv.Credit2(xen=xen, runqueue="cpu"), 3000, cpus=2)
    assert trace(liked, cpu=0).startswith("0 A, 1 B")                            # what it likes comes before load; a reset then moves one
    assert len(events(liked, "migrate")) == 1 and shares(liked) == pytest.approx({"A": 1, "B": 1}, abs=0.01)


@EVERY
def test_rule_5_5_3_a_reset_evens_queues_out(xen):
    """B, alone on pCPU 1, is paused: at a reset of pCPU 0's queue, whoever waits there is moved."""
    system = rv.System(cpus=2, vms=hogs(A=256, B=256, C=256), changes=[rv.Change(ms(2000), "B", state="pause")])
    run = rv.simulate(system, rv.Credit2(xen=xen, runqueue="cpu"), ms(4000)).check()
    moved = events(run, "migrate")
    assert len(moved) == 1 and 2000 < moved[0][0] < 3000
    late = run.slices[run.slices["start"] > ms(3000)]
    assert not (set(late[late["cpu"] == 0]["vm"]) & set(late[late["cpu"] == 1]["vm"]))


def test_rule_5_5_1_averages():
    """A hog's average: it starts at a half, and covers d / W of what is missing; after more than W nothing is missing."""
    class Row:
        load, average, load_at = 1, credit2_load.FIRST_LOAD, 0

    average = getattr(credit2_load.average, "py_func", credit2_load.average)
    row = Row()
    average(row, 1 << 29)                                # half the window
    assert row.average == credit2_load.ONE * 3 // 4
    average(row, (1 << 29) + (1 << 30) + 1024)
    assert row.average == credit2_load.ONE
