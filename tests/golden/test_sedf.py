"""Golden scenarios of SEDF (docs/xen-rules.md 10.3 and 4.2); times in ms. A period that is given by `initial` began at 0."""

from __future__ import annotations

import pytest

import rtvirt as rv
from golden.scenes import shares, simulate, trace
from rtvirt.jit import DISABLED
from rtvirt.units import ms, us

FOREVER = 2**61


def vm(name: str, period: float = 0, slice_: float = 0, *, tasks: list[rv.Task] | None = None, extratime: bool = False, **fields) -> rv.VM:
    """A VM with a guarantee, or with whatever else `fields` say; a hog unless tasks are given."""
    if period:
        fields["sedf"] = {"period": ms(period), "slice": ms(slice_), "extratime": extratime}
    return rv.VM(name, tasks=tasks or [rv.hog()], **fields)


def script(*steps: float) -> list[rv.Task]:
    """A task that runs, blocks, runs, blocks ... for so long each, and then runs on."""
    actions = [(rv.block if i % 2 else rv.run)(ms(length)) for i, length in enumerate(steps)]
    return [rv.Task("t", releases=[0], actions=[*actions, rv.run(FOREVER)])]


def stints(run: rv.Run, name: str) -> list[tuple[float, float]]:
    """(start, end) [ms] of a VM's stints, those that touch taken as one."""
    found: list[tuple[float, float]] = []
    for row in run.slices[run.slices["vm"] == name].sort_values("start").itertuples():
        start, end = row.start / 1e6, row.end / 1e6
        if found and found[-1][1] == start:
            found[-1] = (found[-1][0], end)
        elif end > start:
            found.append((start, end))
    return found


@pytest.mark.parametrize(("seconds", "tolerance"), [(1, 0.03), (10, 0.005)])
def test_G_S_01_defaults(seconds, tolerance):
    """15 ms of 20 for dom0; of the 5 ms that remain each has half."""
    run = simulate([vm("dom0", control=True), vm("domU")], rv.SEDF(), 1000 * seconds)
    assert shares(run)["dom0"] == pytest.approx(0.875, abs=tolerance) and shares(run)["domU"] == pytest.approx(0.125, abs=tolerance)
    two = simulate([vm("dom0", control=True), vm("domU"), vm("domV")], rv.SEDF(), 1000 * seconds)
    assert list(shares(two).values()) == pytest.approx([0.75 + 0.25 / 3, 0.25 / 3, 0.25 / 3], abs=tolerance)


def test_G_S_02_guarantees_and_nothing_more():
    run = simulate([vm("A", 20, 5), vm("B", 10, 3)], rv.SEDF(), 6000)
    assert shares(run) == pytest.approx({"A": 0.25, "B": 0.30}, abs=0.001)
    # budget and period say the same, for who has no `sedf`
    plain = [rv.VM("A", tasks=[rv.hog()], budget=ms(5), period=ms(20)), rv.VM("B", tasks=[rv.hog()], budget=ms(3), period=ms(10))]
    assert simulate(plain, rv.SEDF(), 6000).slices.equals(run.slices)


@pytest.mark.parametrize(("wakes", "expected"), [(27, [(0, 2), (27, 32), (47, 52)]), (20, [(0, 2), (20, 25), (40, 45)]),
                                                 (33.5, [(0, 2), (33.5, 38.5), (53.5, 58.5)])])
def test_G_S_04_a_long_block_begins_a_new_period(wakes, expected):
    run = simulate([vm("A", 20, 5, tasks=script(2, wakes - 2))], rv.SEDF(), 60, initial={"deadline": {"A": 0}})
    assert stints(run, "A") == expected and run.wakeups["latency"].tolist() == [0]


def test_G_S_05_a_short_block_forfeits_the_rest_of_the_slice():
    """Released at 0, blocks at 2, wakes at 4: one quantum of L0, and then nothing but its share of the extra time until 20."""
    own = {"deadline": {"A": 0}}
    alone = simulate([vm("A", 20, 5, tasks=script(2, 2), extratime=False)], rv.SEDF(), 45, initial=own)
    assert stints(alone, "A") == [(0, 2), (20, 25), (40, 45)]
    vms = [vm("A", 20, 5, tasks=script(2, 2), extratime=True), vm("B", sedf={"weight": 65535, "extratime": True})]      # B's score is 2
    run = simulate(vms, rv.SEDF(), 40, initial=own)
    assert stints(run, "A") == [(0, 2), (4, 5), (20, 25)]                # L0; one of L1, where it is new; then L1 is B's: A's score is 4096
    within = vms[0].replace(tasks=script(2, 2.1))                         # in the middle of B's quantum: its claim to L0 preempts
    assert stints(simulate([within, vms[1]], rv.SEDF(), 40, initial=own), "A") == [(0, 2), (4.1, 5.1), (20, 25)]


def test_rule_4_2_9_score_of_the_penalty():
    """pen = 3 ms of 20: score 20 * 1024 / 3. Who has lost more of its period goes first, within L0."""
    vms = [vm("A", 20, 5, tasks=script(2, 4), extratime=True), vm("B", 40, 5, tasks=script(2, 2), extratime=True)]        # 6826; 13653
    run = simulate(vms, rv.SEDF(), 15, initial={"deadline": {"A": 0, "B": 0}})
    assert trace(run, until=8).startswith("0 A, 2 B, 6 A, 6.5 B")                 # both wake at 6: A has lost the larger part


@pytest.mark.parametrize("weights", [(2, 3, 4, 2), (1, 1), (5,), (7, 13, 101)])
def test_G_S_06_slices_by_weight(weights):
    vms = [vm(f"v{i}", sedf={"weight": weight}) for i, weight in enumerate(weights)]
    run = simulate(vms, rv.SEDF(), 10_000)
    each = [95_000_000 * weight // sum(weights) for weight in weights]
    granted = run.events[run.events["event"] == "replenish"].groupby("vm")["value"].unique()
    assert [granted[f"v{i}"].tolist() for i in range(len(weights))] == [[slice_] for slice_ in each]
    assert list(shares(run).values()) == pytest.approx([slice_ / 1e8 for slice_ in each], abs=0.01)
    if weights == (2, 3, 4, 2):
        assert [round(slice_ / 1e6, 2) for slice_ in each] == [17.27, 25.91, 34.55, 17.27]


def test_rule_4_2_4_weights_share_what_the_time_driven_leave():
    vms = [vm("T", 20, 5), vm("X", sedf={"weight": 1}), vm("Y", sedf={"weight": 3, "period": ms(7), "extratime": True})]
    run = simulate(vms, rv.SEDF(), 400)
    granted = run.events[run.events["event"] == "replenish"].groupby("vm")["value"].max()
    assert granted.to_dict() == {"T": ms(5), "X": ms(17.5), "Y": ms(52.5)}                # of 95 - 25 = 70
    other = rv.System(cpus=2, vms=[vm("T", 20, 5, affinity=[1]), vm("X", sedf={"weight": 1})])
    granted = rv.simulate(other, rv.SEDF(), ms(400)).check().events
    assert granted[(granted["vm"] == "X") & (granted["event"] == "replenish")]["value"].unique().tolist() == [ms(95)]      # not its pCPU


@pytest.mark.parametrize(("weights", "expected"), [((1, 3), (0.25, 0.75)), ((1, 1), (0.5, 0.5)), ((2, 6, 8), (0.125, 0.375, 0.5))])
def test_G_S_07_extra_weights(weights, expected):
    vms = [vm(f"v{i}", sedf={"weight": weight, "extratime": True}) for i, weight in enumerate(weights)]
    assert list(shares(simulate(vms, rv.SEDF(), 5_000 if DISABLED else 20_000)).values()) == pytest.approx(expected, abs=0.005)


def test_G_S_08_overload_is_accepted_and_periods_are_skipped():
    run = simulate([vm("A", 10, 6), vm("B", 10, 6)], rv.SEDF(), 3000)
    assert sum(shares(run).values()) == pytest.approx(1, abs=0.003)
    used = run.events[run.events["event"] == "deplete"]["vm"].value_counts()
    assert 298 <= used["A"] <= 300 and used["B"] < 240 and min(shares(run).values()) > 0.39      # B skips periods: slices it never used up
    # at 16 B's deadline is not past yet, and it goes on; at 48 that of 46 is past, and B begins anew behind A (4.2.8)
    assert stints(run, "B")[:5] == [(12, 18), (24, 30), (36, 42), (54, 60), (66, 72)]


def test_G_S_09_what_is_refused():
    for contract, field in (({"period": us(5), "slice": us(5)}, "sedf.period"), ({"period": ms(10), "slice": us(4)}, "sedf.slice"),
                            ({"period": ms(10), "slice": ms(11)}, "sedf.slice"), ({"period": ms(10_001), "slice": ms(1)}, "sedf.period"),
                            ({"slice": ms(1)}, "sedf.period"), ({"period": ms(1)}, "sedf.slice"), ({"extratime": True}, "sedf.period"),
                            ({"weight": 0}, "sedf.weight"), ({"weight": 1, "slise": 3}, "sedf.slise"),
                            ({"weight": 1, "latency": -1}, "sedf.latency")):
        with pytest.raises(rv.SpecError) as told:
            rv.VM("A", sedf=contract)
        assert told.value.problems[0].field == field and told.value.problems[0].fix
    for contract, word in (({"budget": us(4), "period": ms(1)}, "5 us"), ({"budget": us(9), "period": us(9)}, "10 us to 10 s")):
        with pytest.raises(rv.SpecError, match=word):
            rv.simulate(rv.System(vms=[rv.VM("A", **contract)]), rv.SEDF(), ms(1))
    rv.simulate(rv.System(vms=[vm("A", sedf={"period": us(10), "slice": us(10)})]), rv.SEDF(), ms(1)).check()


@pytest.mark.parametrize(("gap", "runs"), [(0.4, False), (0.499, False), (0.5, True), (0.6, True)])
def test_G_S_10_no_quantum_that_does_not_fit(gap, runs):
    """A is guaranteed [0, 10 - gap) of 10: B gets the gap only if it is a quantum; and one quantum at most."""
    vms = [vm("A", 10, 10 - gap), vm("B", sedf={"weight": 1, "extratime": True})]
    run = simulate(vms, rv.SEDF(), 30, initial={"deadline": {"A": 0}})
    assert stints(run, "B") == ([(10 * k - gap, 10 * k - gap + 0.5) for k in (1, 2, 3)] if runs else [])


# ------------------------------------------------------------------ rules without a row


def test_rule_4_2_10_the_first_period_begins_a_slice_late():
    """First wake at 0: deadline 5, so a short block; the first period is [5, 25)."""
    assert stints(simulate([vm("A", 20, 5)], rv.SEDF(), 50), "A") == [(5, 10), (25, 30), (45, 50)]


def test_rule_4_2_10_a_woken_after_its_slice_it_waits_for_its_period():
    run = simulate([vm("A", 20, 5, tasks=script(5, 3))], rv.SEDF(), 40, initial={"deadline": {"A": 0}})
    assert stints(run, "A") == [(0, 5), (20, 25)] and run.wakeups["latency"].tolist() == [ms(12)]


def test_rule_4_2_12_a_wake_with_a_new_period_preempts_only_by_deadline():
    """C's long block ends at 33, in A's slice: the pCPU looks at once. The earlier deadline runs."""
    for period, first in ((100, "C"), (300, "A")):
        vms = [vm("A", 200, 50), vm("C", period, 5, tasks=[rv.Task("t", releases=[ms(33)], wcet=ms(5))])]
        run = simulate(vms, rv.SEDF(), 60, initial={"deadline": {"A": 0, "C": -ms(1)}})
        assert stints(run, "C") == [(33, 38) if first == "C" else (50, 55)]


def test_rule_4_2_12_in_extra_time_only_a_claim_to_L0_preempts():
    """A blocks for 1.25 within its period (short), while B has extra time: at its wake, A's claim to L0 wins."""
    for extratime, starts in ((True, 3.25), (False, 40)):
        vms = [vm("A", 40, 5, tasks=script(2, 1.25), extratime=extratime), vm("B", sedf={"weight": 1, "extratime": True})]
        run = simulate(vms, rv.SEDF(), 50, initial={"deadline": {"A": 0}})
        assert stints(run, "A")[1][0] == starts


def test_rule_4_2_7_an_overrun_is_carried_over():
    """The slice timer is 1 ms late: 6 ms run are charged to 5, and the next slice is one shorter."""
    system = rv.System(vms=[vm("A", 20, 5)], costs=rv.Costs(slice_late=ms(1)))
    run = rv.simulate(system, rv.SEDF(), ms(75), initial={"deadline": {"A": 0}}).check()
    assert stints(run, "A") == [(0, 6), (21, 26), (41, 46), (61, 66)]
    used = run.events[run.events["event"] == "deplete"]
    assert used["value"].tolist() == [ms(1)] * 4


def test_rule_4_2_1_nobody_moves():
    vms = [vm("A", 10, 4, extratime=True), vm("B", 10, 4, extratime=True), vm("C", 10, 4, affinity=[1, 2])]
    run = simulate(vms, rv.SEDF(), 200, cpus=3)
    assert run.slices.groupby("vm")["cpu"].unique().map(list).to_dict() == {"A": [0], "B": [0], "C": [1]}


def test_rule_4_2_4_a_contract_can_change():
    system = rv.System(vms=[vm("A", 10, 2), vm("B", sedf={"weight": 1})], changes=[rv.Change(ms(200), "A", sedf={"period": ms(10), "slice": ms(4)})])
    run = rv.simulate(system, rv.SEDF(), ms(600)).check()
    granted = run.events[run.events["event"] == "replenish"]
    assert set(granted[(granted["vm"] == "A") & (granted["time"] > ms(210))]["value"]) == {ms(4)}
    assert granted[granted["vm"] == "B"]["value"].unique().tolist() == [ms(75), ms(55)]
    plain = rv.System(vms=[rv.VM("A", budget=ms(2), period=ms(10), tasks=[rv.hog()])], changes=[rv.Change(ms(50), "A", budget=us(4))])
    with pytest.raises(rv.SpecError, match="budget"):
        rv.simulate(plain, rv.SEDF(), ms(60))
    with pytest.raises(rv.SpecError, match="SEDF does not look at `budget`"):
        rv.simulate(rv.System(vms=system.vms, changes=[rv.Change(1, "A", budget=ms(1))]), rv.SEDF(), ms(60))


def test_rule_4_2_8_a_slice_that_is_cut_below_what_is_used_skips_a_period():
    """A has had 9 of 10 when its slice becomes 4: at the slice's old end, 10, it is charged 10; the 6 too many are more than the next slice."""
    system = rv.System(vms=[vm("A", 20, 10)], changes=[rv.Change(ms(9), "A", sedf={"period": ms(20), "slice": ms(4)})])
    run = rv.simulate(system, rv.SEDF(), ms(90), initial={"deadline": {"A": 0}}).check()
    assert stints(run, "A") == [(0, 10), (40, 44), (60, 64), (80, 84)]


def test_initial_makes_sense():
    system = rv.System(vms=[vm("A", 10, 2)])
    for initial in ({"deadline": {"B": 5}}, {"deadline": {"A": "x"}}, {"budget": {"A": 5}}, {"deadline": 5}, {"deadline": {("A", 1): 5}}):
        with pytest.raises(rv.SpecError):
            rv.simulate(system, rv.SEDF(), ms(1), initial=initial)
