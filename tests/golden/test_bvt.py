"""Golden scenarios of BVT (docs/xen-rules.md 10.3 and 4.1); times in ms."""

from __future__ import annotations

import pytest

import rtvirt as rv
from golden.scenes import shares, simulate
from rtvirt.units import ms, us

NS = 1_000_000          # of a ms


def vm(name: str, advance: int = 10, *, tasks: list[rv.Task] | None = None, **bvt) -> rv.VM:
    """A VM of some pace; a hog unless tasks are given."""
    return rv.VM(name, tasks=tasks or [rv.hog()], bvt={"mcu_advance": advance} | bvt)


def job(at: float, length: float) -> list[rv.Task]:
    """A task that runs once."""
    return [rv.Task("t", releases=[ms(at)], wcet=ms(length))]


def dispatches(run: rv.Run, count: int) -> list[tuple[str, int]]:
    """(VM, start [ns]) of the first stints."""
    return [(row.vm, row.start) for row in run.slices.sort_values("start").head(count).itertuples()]


def charges(run: rv.Run, name: str, event: str) -> list[int]:
    """Actual virtual time of a VM at its events of one kind."""
    rows = run.events[(run.events["vm"] == name) & (run.events["event"] == event)]
    return rows["value"].tolist()


def test_G_B_01_two_equals():
    """Faithful: 5 ms each, but for the slip: a lead of 50 units makes the slice 50 *nano*seconds longer. Intended: 50 times 100 us longer."""
    run = simulate([vm("A"), vm("B")], rv.BVT(), 20)
    assert dispatches(run, 4) == [("A", 0), ("B", ms(5)), ("A", ms(10) + 50), ("B", ms(15) + 51)]
    run = simulate([vm("A"), vm("B")], rv.BVT(units="intended"), 60)
    assert dispatches(run, 5) == [("A", 0), ("B", ms(5)), ("A", ms(15)), ("B", ms(25)), ("A", ms(35))]


@pytest.mark.parametrize(("advance", "ran", "charged"), [(10, 1, 10), (10, 100, 10), (10, 101, 20), (7, 250, 21), (10, 0.001, 10), (1, 1000, 10)])
def test_G_B_04_an_mcu_that_has_begun_costs_a_whole_one(advance, ran, charged):
    run = simulate([vm("A", advance, tasks=[rv.Task("t", releases=[ms(1), ms(9)], wcet=us(ran))])], rv.BVT(), 20)
    assert charges(run, "A", "wake") == [0, charged]


@pytest.mark.parametrize(("allow", "slice_"), [(5, 50), (1, 10), (0.3, 3)])
def test_G_B_07_a_lone_vcpu(allow, slice_):
    """A hog's decisions: one each time that a slice of ten allowances ends."""
    run = rv.simulate(rv.System(vms=[vm("A")]), rv.BVT(ctx_allow=ms(allow)), ms(200), record="summary").check()
    assert run.recording.handled == 1 + (200_000 - 1) // round(1000 * slice_)       # the dispatch, and the timers


# ------------------------------------------------------------------ rules without a row


@pytest.mark.parametrize("advances", [(10, 20), (10, 10, 30), (5, 10, 20, 40)])
@pytest.mark.parametrize("units", rv.BVT.UNITS)
def test_rule_4_1_2_shares_are_inverse_to_the_advance(advances, units):
    run = simulate([vm(f"v{i}", advance) for i, advance in enumerate(advances)], rv.BVT(units=units), 20_000)
    whole = sum(1 / advance for advance in advances)
    assert list(shares(run).values()) == pytest.approx([1 / advance / whole for advance in advances], abs=0.01)


def test_rule_4_1_7_a_sleeper_gets_no_credit_for_sleeping():
    """I sleeps for 202 ms while A runs alone. It is brought up to A's time at A's last decision, at 200, and goes first; then they take turns."""
    run = simulate([vm("A"), vm("I", tasks=job(202, 100))], rv.BVT(), 260)
    assert run.wakeups["latency"].tolist() == [0] and charges(run, "I", "dispatch")[0] == 20_000
    assert [name for name, _ in dispatches(run, 6)] == ["A", "I", "A", "I", "A", "I"]
    assert (run.slices["end"] - run.slices["start"])[1:-1].max() < ms(5.001)


@pytest.mark.parametrize(("at", "starts"), [(2.0, ms(2)), (1.901, ms(1.901)), (1.9, ms(6) + 1), (1.8, ms(6) + 2), (1.05, ms(6) + 9)])
def test_rule_4_1_7_a_wake_preempts_on_a_tie(at, starts):
    """I has run 1 ms (100 of virtual time), and A since then. From 1.9 on A is charged 100; before, I is behind, and A's slice is cut."""
    vms = [vm("I", tasks=[rv.Task("t", releases=[0, ms(at)], wcet=ms(1))]), vm("A", tasks=job(1, 90))]
    assert dispatches(simulate(vms, rv.BVT(), 30), 3)[1:] == [("A", ms(1)), ("I", starts)]


@pytest.mark.parametrize(("units", "lead"), [("faithful", 10), ("intended", ms(1))])
def test_rule_4_1_7_who_wakes_behind_shortens_the_slice(units, lead):
    """I is 10 MCUs ahead when it wakes at 3: A, alone since 2 with 50 ms to go, may run until that is used up, and 5 ms more."""
    vms = [vm("I", tasks=[rv.Task("t", releases=[0, ms(3)], wcet=[ms(2), ms(1)])]), vm("A", tasks=job(2, 90))]
    run = simulate(vms, rv.BVT(units=units), 30)
    assert dispatches(run, 3) == [("I", 0), ("A", ms(2)), ("I", ms(2) + lead + ms(5))]


def test_rule_4_1_8_a_warped_vm_goes_first_until_its_limit():
    """W is 1000 ahead: A gets nothing until W has paid so much, 10 ms. Where it may warp for 3 ms, that shows when it is charged next, at 5."""
    def run(limit: float, unwarp: float, duration: float = 100) -> rv.Run:
        return simulate([vm("W", warp=True, warp_value=1000, warp_limit=ms(limit), unwarp=ms(unwarp)), vm("A")], rv.BVT(), duration)

    free, limited, again = run(0, 0), run(3, 0), run(3, 20)
    assert dispatches(free, 2) == [("W", 0), ("A", ms(10) + 149)]               # slices of 5 ms and a lead of 100, then 49, units
    assert dispatches(limited, 2) == [("W", 0), ("A", ms(5) + 100)]
    assert charges(free, "W", "preempt")[0] == 1020 and charges(limited, "W", "preempt")[0] == 510
    assert shares(limited)["W"] == pytest.approx(0.5, abs=0.03)                 # and never again
    longest = (again.slices["end"] - again.slices["start"])[again.slices["vm"] == "W"].iloc[1:].max()
    assert longest > ms(6)                                                      # after 20 ms it may warp again
    assert run(12, 0).slices.equals(free.slices)                                # every choice begins the limit anew: it never ends
    assert shares(run(6, 0)) == pytest.approx({"W": 0.5, "A": 0.5}, abs=0.01)    # but it runs on while others run: from 5 to 11


def test_rule_4_1_9_what_is_refused():
    for bvt, field in (({"mcu_advance": 0}, "bvt.mcu_advance"), ({"warp_limit": -1}, "bvt.warp_limit"), ({"unwarp": -1}, "bvt.unwarp"),
                       ({"warp": "yes"}, "bvt.warp"), ({"warp_value": -1}, "bvt.warp_value"), ({"advance": 3}, "bvt.advance")):
        with pytest.raises(rv.SpecError) as told:
            rv.VM("A", bvt=bvt)
        assert told.value.problems[0].field == field and told.value.problems[0].fix
    for arguments, field in (({"units": "metric"}, "BVT.units"), ({"ctx_allow": us(9)}, "BVT.ctx_allow"), ({"ctx_allow": 0.5}, "BVT.ctx_allow")):
        with pytest.raises(rv.SpecError) as told:
            rv.BVT(**arguments)
        assert told.value.problems[0].field == field
    with pytest.raises(rv.SpecError, match="weight"):
        rv.simulate(rv.System(vms=[vm("A")], changes=[rv.Change(1, "A", weight=5)]), rv.BVT(), ms(1))


def test_the_pace_can_change():
    system = rv.System(vms=[vm("A"), vm("B")], changes=[rv.Change(ms(1000), "A", bvt={"mcu_advance": 30})])
    run = rv.simulate(system, rv.BVT(), ms(5000)).check()
    late = run.slices[run.slices["start"] >= ms(1000)]
    ran = (late["end"] - late["start"]).groupby(late["vm"]).sum()
    assert ran["A"] / ran["B"] == pytest.approx(1 / 3, abs=0.02)
