"""Golden scenarios of RTDS (docs/xen-rules.md 10.5); each id is in its test's name. (period, budget[, extratime]) in ms."""

from __future__ import annotations

import pytest

import rtvirt as rv
from golden.scenes import once, shares, simulate, trace
from rtvirt.units import ms, us

EVENT_DRIVEN = pytest.mark.parametrize("xen", ["4.17", "4.22"])


def servers(**contracts: tuple[float, ...]) -> list[rv.VM]:
    """One VM with one hog for each name."""
    return [server(name, *contract, tasks=[rv.hog()]) for name, contract in contracts.items()]


def server(name: str, period: float, budget: float, extratime: int = 0, **vm) -> rv.VM:
    """A VM with a contract."""
    return rv.VM(name, period=ms(period), budget=ms(budget), extratime=bool(extratime), **vm)


def with_idle(run: rv.Run, cpu: int = 0) -> str:
    """As `trace`, idle times shown too."""
    rows, shown, end = run.slices[run.slices["cpu"] == cpu].sort_values("start"), [], 0
    for row in rows[rows["end"] > rows["start"]].itertuples():
        if row.start > end:
            shown.append(f"{end / 1e6:g} idle")
        shown.append(f"{row.start / 1e6:g} {row.vm}")
        end = row.end
    return ", ".join(shown + ([f"{end / 1e6:g} idle"] if end < run.duration else []))


def events(run: rv.Run, vm: str, *kinds: str) -> list[tuple[float, int]]:
    """(time [ms], value) of a VM's events of some kinds."""
    rows = run.events[(run.events["vm"] == vm) & run.events["event"].isin(kinds)]
    return [(row.time / 1e6, row.value) for row in rows.itertuples()]


def supplied(run: rv.Run, vm: str, start: float, end: float) -> float:
    """Time that a VM ran within [start, end) [ms]."""
    rows = run.slices[run.slices["vm"] == vm]
    return float((rows["end"].clip(ms(start), ms(end)) - rows["start"].clip(ms(start), ms(end))).sum()) / 1e6


def longest_gap(run: rv.Run, vm: str) -> float:
    """Longest time without a VM between two of its stints [ms]."""
    rows = run.slices[run.slices["vm"] == vm].sort_values("start")
    return float((rows["start"].to_numpy()[1:] - rows["end"].to_numpy()[:-1]).max()) / 1e6


# ------------------------------------------------------------------ one pCPU


@EVENT_DRIVEN
@pytest.mark.parametrize(("period", "budget", "levels"), [(10, 4, [(4, 1), (8, 2)]), (10, 3, [(3, 1), (6, 2), (9, 3)]), (7, 7, [])])
def test_G_R_02_extratime_alone(xen, period, budget, levels):
    run = simulate(servers(A=(period, budget, 1)), rv.RTDS(xen=xen), period + 0.5)
    assert with_idle(run) == "0 A"
    assert events(run, "A", "deplete") == levels or period == budget
    assert events(run, "A", "replenish") == [(0, ms(budget)), (period, ms(budget))]       # back to level 0 with a full budget


@EVENT_DRIVEN
def test_G_R_04_a_tie_at_a_replenishment_does_not_preempt(xen):
    run = simulate(servers(A=(5, 2), B=(10, 5)), rv.RTDS(xen=xen), 20)
    assert with_idle(run) == "0 A, 2 B, 7 A, 9 idle, 10 A, 12 B, 17 A, 19 idle"
    other = simulate(servers(A=(6, 1), B=(12, 7)), rv.RTDS(xen=xen), 24)       # at 6 A ties with B's deadline 12
    assert with_idle(other) == "0 A, 1 B, 8 A, 9 idle, 12 A, 13 B, 20 A, 21 idle"


@EVENT_DRIVEN
def test_G_R_05_full_utilization(xen):
    run = simulate(servers(A=(4, 2), B=(6, 3)), rv.RTDS(xen=xen), 120)
    assert trace(run, until=10) == "0 A, 2 B, 5 A, 7 B, 10 A"
    assert shares(run) == {"A": 0.5, "B": 0.5} and "idle" not in with_idle(run)
    assert all(supplied(run, "A", t, t + 4) == 2 for t in range(0, 120, 4)) and all(supplied(run, "B", t, t + 6) == 3 for t in range(0, 120, 6))


@EVENT_DRIVEN
def test_G_R_06_three_servers_full_utilization(xen):
    run = simulate(servers(A=(4, 1), B=(5, 2), C=(20, 7)), rv.RTDS(xen=xen), 20)
    assert trace(run) == "0 A, 1 B, 3 C, 4 A, 5 B, 7 C, 8 A, 9 C, 10 B, 12 A, 13 C, 17 B, 19 A"
    assert [supplied(run, vm, 0, 20) for vm in "ABC"] == [5, 8, 7]


@EVENT_DRIVEN
def test_G_R_07_overload_alternates(xen):
    assert trace(simulate(servers(A=(10, 8), B=(10, 8)), rv.RTDS(xen=xen), 40)) == "0 A, 8 B, 16 A, 24 B, 32 A"
    # less overload: at 10 B is replenished while it runs, and its slice goes on to 12; there it is charged 2, and loses the tie
    assert trace(simulate(servers(A=(10, 6), B=(10, 6)), rv.RTDS(xen=xen), 30)) == "0 A, 6 B, 12 A, 18 B, 22 A, 28 B"


@EVENT_DRIVEN
def test_G_R_09_a_late_wake_keeps_the_grid(xen):
    sleeper = server("A", 10, 4, tasks=[rv.Task("t", actions=[rv.run(ms(2)), rv.block(ms(25)), rv.run(2**62)])])
    run = simulate([sleeper], rv.RTDS(xen=xen), 45)
    assert with_idle(run) == "0 A, 2 idle, 27 A, 34 idle, 40 A, 44 idle"       # 3 ms of the period that ends at 30, then 4 new ones
    other = server("A", 12, 5, tasks=[rv.Task("t", actions=[rv.run(ms(1)), rv.block(ms(32)), rv.run(2**62)])])
    assert with_idle(simulate([other], rv.RTDS(xen=xen), 54)) == "0 A, 1 idle, 33 A, 41 idle, 48 A, 53 idle"


@EVENT_DRIVEN
@pytest.mark.parametrize(("start", "deadline"), [(3.7, 10), (0.001, 10), (10, 20), (19.999, 20)])
def test_G_R_11_a_new_vcpu_is_on_the_grid_of_the_boot(xen, start, deadline):
    run = simulate([server("A", 10, 4, tasks=[rv.hog()], start=ms(start))], rv.RTDS(xen=xen), 45)
    assert events(run, "A", "replenish")[:2] == [(start, ms(4)), (deadline, ms(4))]
    assert supplied(run, "A", start, deadline) == pytest.approx(min(4, deadline - start))


@EVENT_DRIVEN
def test_G_R_12_equal_periods_are_synchronous(xen):
    vms = [server("A", 10, 2, tasks=[rv.hog()], start=ms(1.1)), server("B", 10, 2, tasks=[rv.hog()], start=ms(7.9))]
    run = simulate(vms, rv.RTDS(xen=xen), 35)
    assert [t for t, _ in events(run, "A", "replenish")] == [1.1, 10, 20, 30]
    assert [t for t, _ in events(run, "B", "replenish")] == [7.9, 10, 20, 30]


@EVENT_DRIVEN
def test_G_R_14_extratime_beside_a_server_without(xen):
    run = simulate(servers(A=(10, 5, 1), B=(20, 5)), rv.RTDS(xen=xen), 40)
    assert trace(run) == "0 A, 5 B, 10 A, 25 B, 30 A"
    assert [supplied(run, "B", t, t + 20) for t in (0, 20)] == [5, 5]


@EVENT_DRIVEN
def test_G_R_15_extratime_is_shared_by_budget(xen):
    assert shares(simulate(servers(A=(10, 4, 1), B=(10, 2, 1)), rv.RTDS(xen=xen), 40)) == {"A": 0.65, "B": 0.35}
    assert shares(simulate(servers(A=(25, 10, 1), B=(25, 5, 1)), rv.RTDS(xen=xen), 100)) == {"A": 0.65, "B": 0.35}


@EVENT_DRIVEN
def test_G_R_17_a_tie_tickles_nobody(xen):
    """B wakes (or is replenished) with A's deadline: A goes on; a decision for another reason gives way to the queued B."""
    run = simulate([*servers(A=(10, 6)), server("B", 10, 2, tasks=[rv.Task("t", releases=[ms(1)], wcet=ms(2))])], rv.RTDS(xen=xen), 10)
    assert with_idle(run) == "0 A, 6 B, 8 idle"
    third = simulate([*servers(A=(10, 6)), server("B", 10, 2, tasks=[rv.Task("t", releases=[ms(1)], wcet=ms(2))]),
                      server("C", 5, 1, tasks=[rv.Task("t", releases=[ms(3)], wcet=ms(1))])], rv.RTDS(xen=xen), 10)
    assert trace(third) == "0 A, 3 C, 4 B, 6 A"          # B is ahead of A, which was queued behind it when C came


# ------------------------------------------------------------------ several pCPUs


@EVENT_DRIVEN
def test_G_R_18_dhall(xen):
    run = simulate(servers(A=(10, 2), B=(10, 2), C=(11, 10)), rv.RTDS(xen=xen), 14, cpus=2)
    assert with_idle(run, 0) == "0 A, 2 C, 11 B, 13 idle" and with_idle(run, 1) == "0 B, 2 idle, 10 A, 12 C"
    assert supplied(run, "C", 0, 11) == 9


@EVENT_DRIVEN
def test_G_R_19_three_on_two(xen):
    run = simulate(servers(A=(10, 6), B=(10, 6), C=(10, 6)), rv.RTDS(xen=xen), 30, cpus=2)
    assert trace(run, 10, 0) == "0 A, 6 C" and with_idle(run, 1).startswith("0 B, 6 idle, 10 A")
    assert supplied(run, "C", 0, 10) == 4


@EVENT_DRIVEN
def test_G_R_29_a_pcpu_that_was_told_is_not_told_again(xen):
    """While pCPU 0 has been told and has not decided (path 1 ms), a second wake-up looks at pCPU 1 only."""
    def wakes(deadline: float) -> rv.Run:
        vms = [server("X", 40, 30, tasks=[rv.hog()], affinity=[0]), server("Y", 30, 20, tasks=[rv.hog()], affinity=[1]),
               server("V", 10, 2, tasks=[rv.Task("t", releases=[ms(2)], wcet=ms(1))]),
               server("W", deadline, 2, tasks=[rv.Task("t", releases=[ms(2.5)], wcet=ms(1))])]
        return rv.simulate(rv.System(cpus=2, vms=vms, costs=rv.Costs(wake_path=ms(1))), rv.RTDS(xen=xen), ms(10)).check()

    early = wakes(20).slices
    assert early[early["vm"].isin(["V", "W"])][["cpu", "vm", "start"]].values.tolist() == [[0, "V", ms(3)], [1, "W", ms(3.5)]]
    late = wakes(35).slices                      # later than Y: nobody is told; it waits for V to end, on pCPU 0
    assert late[late["vm"].isin(["V", "W"])][["cpu", "vm", "start"]].values.tolist() == [[0, "V", ms(3)], [0, "W", ms(4)]]


# ------------------------------------------------------------------ edges


@EVENT_DRIVEN
@pytest.mark.parametrize("periods", [2000, 1, 3])
def test_G_R_21_a_deadline_long_past(xen, periods):
    wakes = periods * 10 + 3
    run = simulate([once("A", wakes, 30, period=ms(10), budget=ms(4))], rv.RTDS(xen=xen), wakes + 20)
    found = events(run, "A", "replenish")
    assert found == [(0, ms(4)), (wakes, ms(4)), (wakes + 7, ms(4)), (wakes + 17, ms(4))]


def refused(xen: str = "4.17", **contract: object) -> str:
    """What a VM's contract is told."""
    with pytest.raises(rv.SpecError) as told:
        rv.simulate(rv.System(vms=[rv.VM("A", tasks=[rv.hog()], **contract)]), rv.RTDS(xen=xen), ms(1))
    return str(told.value)


@EVENT_DRIVEN
def test_G_R_22_what_is_too_small_is_refused(xen):
    assert "period" in refused(xen, period=us(9), budget=us(9)) and "10 us" in refused(xen, period=us(9), budget=us(9))
    assert "budget" in refused(xen, period=ms(1), budget=us(9))
    assert "budget" in refused(xen, vcpus=2, period=[ms(1), ms(1)], budget=[us(9), us(10)])
    assert "at most the period" in refused(xen, period=ms(5), budget=ms(6))
    assert "at most the period" in refused(xen, period=ms(2)) and "at most the period" in refused(xen, budget=ms(11))      # against the defaults
    rv.simulate(rv.System(vms=[rv.VM("A", tasks=[rv.hog()], period=us(10), budget=us(10))]), rv.RTDS(xen=xen), ms(1)).check()
    with pytest.raises(rv.SpecError, match="at least 10 us"):
        system = rv.System(vms=servers(A=(10, 4)), changes=[rv.Change(ms(1), "A", budget=us(9))])
        rv.simulate(system, rv.RTDS(xen=xen), ms(5))


def test_G_R_22_domain_wide_was_not_checked():
    rv.simulate(rv.System(vms=[rv.VM("A", tasks=[rv.hog()], period=us(9), budget=us(4))]), rv.RTDS(xen="4.5"), ms(1)).check()
    assert "one budget a VM" in refused("4.5", vcpus=2, budget=[ms(1), ms(2)])


@EVENT_DRIVEN
def test_G_R_23_there_is_no_admission_control(xen):
    run = simulate(servers(A=(10, 10), B=(10, 10), C=(10, 10)), rv.RTDS(xen=xen), 3000)
    assert sum(shares(run).values()) == 1 and "idle" not in with_idle(run)


@EVENT_DRIVEN
def test_G_R_25_a_depleted_vcpu_that_wakes_waits(xen):
    """A runs out at 4 and wakes at 7: it has to wait for 10. B is asked to decide in vain at 7, and goes on."""
    sleeper = server("A", 10, 4, tasks=[rv.Task("t", releases=[0, ms(7)], wcet=[ms(4), ms(1)])])
    run = simulate([sleeper], rv.RTDS(xen=xen), 20)
    assert with_idle(run) == "0 A, 4 idle, 10 A, 11 idle"
    assert events(run, "A", "wake") == [(7, 0)]
    beside = simulate([sleeper, *servers(B=(30, 26))], rv.RTDS(xen=xen), 20)
    assert with_idle(beside) == "0 A, 4 B, 10 A, 11 B" and beside.slices["vm"].value_counts()["B"] == 2


@pytest.mark.parametrize(("left", "slop", "runs"), [(20, 50, 50), (20, 0, 20), (49, 50, 50), (60, 50, 60), (7, 30, 30)])
@EVENT_DRIVEN
def test_G_R_26_an_overrun_is_forgiven(xen, left, slop, runs):
    system = rv.System(vms=servers(A=(10, 4)), costs=rv.Costs(timer_slop=us(slop)))
    run = rv.simulate(system, rv.RTDS(xen=xen), ms(25), initial={"deadline": {"A": ms(10)}, "budget": {"A": us(left)}}).check()
    assert run.slices[["start", "end"]].values.tolist() == [[0, us(runs)], [ms(10), ms(14)], [ms(20), ms(24)]]
    assert events(run, "A", "preempt")[0] == (runs / 1000, 0)


def test_G_R_27_old_xen_decides_every_millisecond():
    run = simulate(servers(A=(10, 4)), rv.RTDS(xen="4.5"), 25)
    assert with_idle(run) == "0 A, 4 idle, 10 A, 14 idle, 20 A, 24 idle"
    uneven = simulate(servers(A=(10, 3.3)), rv.RTDS(xen="4.5"), 25)         # enforced to a millisecond
    assert with_idle(uneven) == "0 A, 4 idle, 10 A, 14 idle, 20 A, 24 idle"
    late = simulate([*servers(A=(7.5, 1)), once("B", 0, 1, period=ms(20), budget=ms(5))], rv.RTDS(xen="4.5"), 10)
    assert trace(late) == "0 A, 1 B, 8 A"                                   # due at 7.5, seen at 8


@pytest.mark.parametrize(("xen", "expected"), [("4.22", "0 A, 4 idle, 6 A"), ("4.17", "0 A, 4 idle, 10 A")])
def test_G_R_28_extratime_for_a_depleted_vcpu(xen, expected):
    system = rv.System(vms=servers(A=(10, 4)), changes=[rv.Change(ms(6), "A", extratime=True)])
    run = rv.simulate(system, rv.RTDS(xen=xen), ms(19)).check()
    assert with_idle(run) == expected
    assert ((6, 1) in events(run, "A", "deplete")) == (xen == "4.22")


@EVENT_DRIVEN
@pytest.mark.parametrize(("period", "budget"), [(10, 4), (10, 2), (8, 5)])
def test_G_R_30_the_longest_gap_without_supply(xen, period, budget):
    """A runs as early as it can in one period, and as late as it can in the next: between, 2 (period - budget)."""
    rest = period - budget
    load = server("H", 2 * period, rest, tasks=[rv.Task("t", releases=[ms(period)], wcet=ms(rest))])
    run = rv.simulate(rv.System(vms=[*servers(A=(period, budget)), load]), rv.RTDS(xen=xen), ms(2 * period),
                      initial={"deadline": {"H": ms(2 * period - 0.001)}, "budget": {"H": ms(rest)}}).check()
    assert longest_gap(run, "A") == 2 * rest
    assert supplied(run, "A", 0, budget) == budget and supplied(run, "A", period + rest, 2 * period) == budget


# ------------------------------------------------------------------ rules without a row


def test_rule_6_2_2_defaults_are_xens():
    run = simulate([rv.VM("A", tasks=[rv.hog()])], rv.RTDS(), 25)
    assert with_idle(run) == "0 A, 4 idle, 10 A, 14 idle, 20 A, 24 idle"


def test_rule_6_2_5_ties_in_old_xen():
    """Until 4.9 a newcomer goes before its equals, and who runs keeps the pCPU on a tie."""
    vms = servers(A=(12, 2), B=(12, 2), C=(12, 2))
    assert trace(simulate(vms, rv.RTDS(), 6)) == "0 A, 2 B, 4 C"
    assert trace(simulate(vms, rv.RTDS(xen="4.5"), 6)) == "0 C, 2 B, 4 A"


def test_rule_6_2_10_a_new_contract_counts_from_the_next_replenishment():
    system = rv.System(vms=servers(A=(10, 4)), changes=[rv.Change(ms(3), "A", budget=ms(2), period=ms(5))])
    run = rv.simulate(system, rv.RTDS(), ms(21)).check()
    assert with_idle(run) == "0 A, 4 idle, 10 A, 12 idle, 15 A, 17 idle, 20 A"


def test_rule_6_2_16_a_change_keeps_the_phase():
    system = rv.System(vms=servers(A=(7, 2), B=(10, 2)), changes=[rv.Change(ms(5), "A", period=ms(10))])
    run = rv.simulate(system, rv.RTDS(), ms(40)).check()
    assert [t for t, _ in events(run, "A", "replenish")] == [0, 7, 17, 27, 37]
    assert [t for t, _ in events(run, "B", "replenish")] == [0, 10, 20, 30]


@pytest.mark.parametrize(("order", "due"), [("priority", 12), ("deadline", 10)])
def test_rule_6_2_13_a_demoted_vcpu_is_replenished_late(order, due):
    """A has used up a budget before B comes (deadline 12, level 0): B stands before A, whose deadline is 10."""
    vms = [*servers(A=(10, 3, 1)), server("B", 12, 2, tasks=[rv.Task("t", releases=[ms(5)], wcet=ms(60))])]
    run = simulate(vms, rv.RTDS(replenish_by=order), 20)
    assert [t for t, _ in events(run, "A", "replenish")][1] == due


def test_rule_6_3_3_affinity_can_leave_a_pcpu_to_the_less_urgent():
    vms = [server("A", 10, 5, tasks=[rv.hog()], affinity=[0]), server("B", 12, 5, tasks=[rv.hog()], affinity=[0]),
           server("C", 30, 20, tasks=[rv.hog()])]
    run = simulate(vms, rv.RTDS(), 10, cpus=2)
    assert trace(run, cpu=0) == "0 A, 5 B" and trace(run, cpu=1) == "0 C"


def test_per_vcpu_contracts():
    vm = rv.VM("A", vcpus=2, budget=[ms(2), ms(4)], period=[ms(10), ms(5)], affinity=[[0], [1]],
               tasks=[rv.Task("a", wcet=rv.hog().wcet, vcpu=0), rv.Task("b", wcet=rv.hog().wcet, vcpu=1)])
    run = simulate([vm], rv.RTDS(), 100, cpus=2)
    rows = run.slices.groupby("vcpu").apply(lambda rows: int((rows["end"] - rows["start"]).sum()), include_groups=False)
    assert rows.tolist() == [ms(20), ms(80)]


def test_initial_states_are_checked():
    system = rv.System(vms=servers(A=(10, 4)))
    for initial, told in (({"credit": {"A": 1}}, "deadline, budget"), ({"budget": {"A": -1}}, "budget"), ({"level": {"B": 1}}, "VMs A"),
                          ({"depleted": {"A": 3}}, "True or False")):
        with pytest.raises(rv.SpecError, match=told):
            rv.simulate(system, rv.RTDS(), ms(5), initial=initial)
    for wrong in ({"xen": "4.10"}, {"replenish_by": "luck"}):
        with pytest.raises(rv.SpecError, match="one of"):
            rv.RTDS(**wrong)
