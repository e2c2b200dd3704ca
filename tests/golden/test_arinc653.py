"""Golden scenarios of ARINC 653 (docs/xen-rules.md 10.6 and 7.1); times in ms."""

from __future__ import annotations

import pytest

import rtvirt as rv
from golden.scenes import hogs, once, simulate, trace
from rtvirt.analysis import SlotTable
from rtvirt.schedulers import ARINC653
from rtvirt.units import ms


def table(*windows: tuple[str | None, float], frame: float | None = None, **more: object) -> ARINC653:
    """Windows of (VM, runtime)."""
    return ARINC653([(vm, 0, ms(length)) for vm, length in windows], major_frame=None if frame is None else ms(frame), **more)


def stints(run: rv.Run, vm: str) -> list[tuple[float, float]]:
    """(start, end) [ms] of a VM's stints that are not empty."""
    rows = run.slices[(run.slices["vm"] == vm) & (run.slices["end"] > run.slices["start"])]
    return [(row.start / 1e6, row.end / 1e6) for row in rows.itertuples()]


@pytest.mark.parametrize(("a", "b", "frame"), [(30, 50, 100), (10, 10, 20), (7, 2, 40)])
def test_G_A_02_a_blocked_owner_leaves_its_window_idle(a, b, frame):
    run = simulate([once("A", 0, 4), *hogs(B=256)], table(("A", a), ("B", b), frame=frame), 2.5 * frame)
    assert stints(run, "A") == [(0, 4)]
    begins = [a, frame + a] if 2 * a >= frame else [a, frame + a, 2 * frame + a]
    assert stints(run, "B") == [(t, min(t + b, 2.5 * frame)) for t in begins]


def test_G_A_03_a_wake_in_its_own_window_starts_at_once():
    run = simulate([once("A", 10, 90), *hogs(B=256)], table(("A", 30), ("B", 70)), 100)
    assert stints(run, "A") == [(10, 30)] and run.wakeups["latency"].tolist() == [0]


def test_G_A_04_a_wake_outside_waits_for_the_window():
    run = simulate([once("A", 35, 5), *hogs(B=256)], table(("A", 30), ("B", 50), frame=100), 200)
    assert stints(run, "A") == [(100, 105)] and run.wakeups["latency"].tolist() == [ms(65)]


def test_G_A_05_several_windows_of_one_partition():
    scheduler = table(("A", 20), ("B", 20), ("A", 20), frame=100)
    run = simulate(hogs(A=256, B=256), scheduler, 160)
    assert trace(run) == "0 A, 20 B, 40 A, 100 A, 120 B, 140 A" and stints(run, "A")[:2] == [(0, 20), (40, 60)]
    assert scheduler.slots("A") == ((0, ms(20)), (ms(40), ms(20)))


def test_G_A_06_a_new_table_takes_effect_at_once():
    scheduler = table(("A", 30), ("B", 70), later=[(ms(47), table(("A", 10), ("B", 5), frame=20))])
    run = simulate(hogs(A=256, B=256), scheduler, 80)
    assert trace(run) == "0 A, 30 B, 47 A, 57 B, 67 A, 77 B" and stints(run, "B") == [(30, 47), (57, 62), (77, 80)]
    early = table(("A", 30), ("B", 70), later=[(ms(12), table(("B", 7), ("A", 1))), (ms(25), table((None, 2), ("A", 9)))])
    assert trace(simulate(hogs(A=256, B=256), early, 40)) == "0 A, 12 B, 19 A, 20 B, 27 A, 38 A"


def test_G_A_08_without_a_table_only_the_control_vm_runs():
    vms = [rv.VM("domU", tasks=[rv.hog()]), rv.VM("dom0", tasks=[rv.hog()], control=True)]
    run = simulate(vms, ARINC653(), 100)
    assert stints(run, "dom0") == [(0, 100)] and stints(run, "domU") == []
    two = simulate([rv.VM("dom0", tasks=[rv.hog("a"), rv.hog("b")], vcpus=2, control=True)], ARINC653(), 40)
    assert two.slices[["vcpu", "start"]].values.tolist() == [[0, 0], [1, ms(10)], [0, ms(20)], [1, ms(30)]]
    assert simulate(hogs(A=256), ARINC653(), 40).vms["runtime"].tolist() == [0]


@pytest.mark.parametrize(("late", "expected"), [
    (5, [("A", 0, 35), ("B", 35, 85), ("A", 105, 135), ("B", 135, 185), ("A", 205, 235), ("B", 235, 285)]),
    (170, [("A", 0, 200), ("A", 200, 400), ("A", 400, 600)]),                      # 30 + 170: the frame of 200 begins in time
    (175, [("A", 0, 205), ("A", 205, 405), ("A", 405, 605)]),                      # looked at 205, until 230; at 405, until 430
    (210, [("A", 0, 240), ("B", 240, 490), ("A", 710, 940)]),                      # two frames are skipped, and it is idle at 490
])
def test_G_A_09_a_late_decision_does_not_move_the_frame(late, expected):
    system = rv.System(vms=hogs(A=256, B=256), costs=rv.Costs(slice_late=ms(late)))
    run = rv.simulate(system, table(("A", 30), ("B", 50), frame=100), expected[-1][2] * 1_000_000).check()
    found: list[tuple[str, float, float]] = []
    for row in run.slices.itertuples():
        found.append((row.vm, row.start / 1e6, row.end / 1e6))
    if late in (170, 175):              # the same VM goes on: one stint
        expected = [("A", 0, expected[-1][2])]
    assert found == expected


# ------------------------------------------------------------------ rules without a row


@pytest.mark.parametrize(("slot", "frame"), [(30, 100), (1, 20), (19, 20)])
def test_rule_7_1_5_the_longest_wait(slot, frame):
    """Work that comes just after its window waits M - s; the analysis says the same."""
    scheduler = table(("A", slot), (None, frame - slot))
    run = simulate([once("A", slot, 0.5)], scheduler, 3 * frame)
    assert run.wakeups["latency"].tolist() == [ms(frame - slot)]
    supply = SlotTable(scheduler.slots("A"), scheduler.major_frame)
    assert [int(supply.sbf(ms(frame - slot) + extra)) for extra in (0, 1)] == [0, 1]


def test_rule_7_1_1_what_is_refused():
    def refused(*arguments: object, **more: object) -> str:
        with pytest.raises(rv.SpecError) as told:
            ARINC653(*arguments, **more)
        assert all(p.field and p.allowed and p.fix for p in told.value.problems)
        return str(told.value)

    assert "1 to 64 windows" in refused([]) and "1 to 64 windows" in refused([("A", 0, 1)] * 65)
    assert "1 ns to" in refused([("A", 0, 0)]) and "table[1].runtime" in refused([("A", 0, 1), ("B", 0, -5)])
    assert "no less than the runtimes" in refused([("A", 0, ms(20)), ("B", 0, ms(20))], major_frame=ms(39))
    assert "major_frame" in refused([("A", 0, 5)], major_frame=0) and "without a table" in refused(major_frame=5)
    assert "vcpu" in refused([("A", -1, 5)]) and "name of a VM" in refused([(3, 0, 5)]) and "table[0]" in refused([("A", 5)])
    assert "later" in refused(later=[(ms(5), ARINC653()), (ms(5), ARINC653())]) and "pair" in refused(later=[ARINC653()])
    assert ARINC653([("A", 0, 1)] * 64).major_frame == 64


def test_rule_7_1_1_names_of_the_system():
    system = rv.System(vms=hogs(A=256))
    with pytest.raises(rv.SpecError, match="a VM of the system: A"):
        rv.simulate(system, table(("B", 5)), ms(1))
    with pytest.raises(rv.SpecError, match="0 to 0, the vCPUs of A"):
        rv.simulate(system, ARINC653([("A", 1, 5)]), ms(1))
    with pytest.raises(rv.SpecError, match="a VM of the system: A"):
        rv.simulate(system, table(("A", 5), later=[(ms(3), table(("C", 5)))]), ms(1))


def test_rule_7_1_3_another_pcpu_is_idle_meanwhile():
    vms = [rv.VM("A", tasks=[rv.hog()], affinity=[0]), rv.VM("B", tasks=[rv.hog()], affinity=[1])]
    run = simulate(vms, table(("A", 5), ("B", 5)), 20, cpus=2)
    assert (trace(run), trace(run, cpu=1)) == ("0 A, 10 A", "5 B, 15 B")


def test_the_check_tells_what_is_probably_not_meant():
    system = rv.System(vms=[rv.VM("A", tasks=[rv.hog()], budget=ms(4), period=ms(10)), rv.VM("B", tasks=[rv.hog()]), rv.VM("C")])
    assert table(("A", 4), ("B", 6)).check(system) == []
    assert table(("A", 4), frame=11).check(system) == ["A vCPU 0 has 4 ms in 11 ms: less than its budget of 4 ms in 10 ms",
                                                      "B has tasks and no window: it never runs"]
    with pytest.raises(rv.SpecError):
        table(("D", 4)).check(system)


# ------------------------------------------------------------------ the builder


@pytest.mark.parametrize("needs", [
    {"A": (5, 20), "B": (10, 40)}, {"A": (5, 10), "B": (6, 20)}, {"A": (2, 5), "B": (3, 10), "C": (6, 20)}, {"A": (1, 4), "B": (3, 6), "C": (3, 12)},
    {"A": (1, 100)}, {"A": (10, 10)}, {"A": (3, 7), "B": (5, 11)},
])
def test_a_built_table_gives_every_runtime_in_every_period(needs):
    scheduler = ARINC653.build({vm: (ms(runtime), ms(period)) for vm, (runtime, period) in needs.items()})
    for vm, (runtime, period) in needs.items():
        given = [0] * (scheduler.major_frame // ms(period))
        for start, length in scheduler.slots(vm):
            for k in range(len(given)):
                given[k] += max(0, min(start + length, ms((k + 1) * period)) - max(start, ms(k * period)))
        assert given == [ms(runtime)] * len(given)
    run = simulate([rv.VM(vm, tasks=[rv.Task("t", wcet=ms(c), period=ms(p))]) for vm, (c, p) in needs.items()], scheduler, 400)
    assert not run.missed.any()


def test_what_cannot_be_built_is_refused():
    def refused(needs: object, **more: object) -> str:
        with pytest.raises(rv.SpecError) as told:
            ARINC653.build(needs, **more)
        return str(told.value)

    assert "110.0%" in refused({"A": (ms(6), ms(10)), "B": (ms(5), ms(10))})
    assert "64 windows" in refused({"A": (ms(1), ms(3)), "B": (ms(1), ms(500))})
    assert "common multiple" in refused({"A": (1, 999_999_937), "B": (1, 999_999_929)})
    assert "no less than the runtime" in refused({"A": (ms(6), ms(5))}) and "mapping" in refused([]) and "mapping" in refused({})
    assert "divide it" in refused({"A": (ms(1), ms(4))}, major_frame=ms(10)) and "(runtime" in refused({"A": 5}) and "name" in refused({3: (1, 2)})
    assert "mapping" in refused(rv.System(vms=[rv.VM("A")]))


def test_a_table_from_the_contracts_of_a_system():
    vms = [rv.VM("A", vcpus=2, budget=[ms(2), ms(3)], period=ms(10)), rv.VM("B", budget=ms(4), period=ms(20)), rv.VM("C")]
    first = (("A", 0, ms(2)), ("A", 1, ms(3)))
    assert ARINC653.build(rv.System(vms=vms)).table == (*first, ("B", 0, ms(4)), (None, 0, ms(1)), *first)
    assert ARINC653.build({"A": (ms(1), ms(5))}, major_frame=ms(10)).table == (("A", 0, ms(1)), (None, 0, ms(4)), ("A", 0, ms(1)))
