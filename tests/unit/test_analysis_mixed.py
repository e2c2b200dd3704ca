"""Mixed criticality: against definitions, and a unit-time scheduler in which any job overruns first."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import permutations, product

import numpy as np
import pytest
from drawn import within
from oracle import analysis_mixed as oracle

import rtvirt as rv
from rtvirt.analysis import (
    Endless,
    FirstMiss,
    HighCriticality,
    LateBudget,
    LateTask,
    ModalVM,
    NoFactor,
    Overload,
    PeriodicResource,
    amc_schedulable,
    edf_schedulable,
    edf_vd_schedulable,
    fp_response_times,
    mode_change_schedulable,
)
from rtvirt.analysis.mode_change import supplied_through
from rtvirt.errors import SpecError
from rtvirt.jit import DISABLED
from rtvirt.units import ms


def random_rows(rng, count, *, top=10, implicit=False, load=1.0):
    """Small tasks, some of high criticality; LO mode not overloaded."""
    def draw():
        period = rng.randint(3, top)
        lo = rng.randint(1, max(1, period // 3))
        high = rng.random() < 0.5
        hi = rng.randint(lo, min(period, 2 * lo + 1)) if high else 0
        return {"lo": lo, "hi": hi, "period": period, "deadline": period if implicit else rng.randint(max(lo, hi), period), "high": high}

    return within(load, count, draw, cost="lo")


def as_tasks(rows, name="t", scale=1):
    tasks = [rv.Task(f"{name}{i}", wcet=scale * r["lo"], period=scale * r["period"], deadline=scale * r["deadline"], priority=i + 1)
             for i, r in enumerate(rows)]
    return [HighCriticality(task, scale * row["hi"]) if row["high"] else task for task, row in zip(tasks, rows)]


def overruns(rows, end):
    """Every job that may be the first to overrun, and none."""
    return [None] + [(i, job) for i, row in enumerate(rows) if row["high"] and row["hi"] > row["lo"] for job in range(end // row["period"])]


def test_amc_bounds_are_their_definition(seed):
    rng = random.Random(seed)
    for _ in range(300):
        rows = random_rows(rng, rng.randint(1, 5), top=20)
        found = amc_schedulable(as_tasks(rows))
        expected = oracle.amc_bounds(rows)
        assert list(found.lo.values()) == [before for before, _ in expected]
        assert found.hi == {f"t{i}": through for i, (_, through) in enumerate(expected) if rows[i]["high"]}
        assert bool(found) == passes(rows)


def test_no_overrun_breaks_a_bound_of_amc(seed):
    rng = random.Random(seed + 1)
    changes = 0
    for _ in range(8 if DISABLED else 30):
        rows = random_rows(rng, rng.choice([2, 3]), top=7)
        found = amc_schedulable(as_tasks(rows))
        offsets = list(product(*(range(row["period"]) for row in rows)))
        for first in rng.sample(offsets, min(12, len(offsets))) + [(0,) * len(rows)]:
            for overrun in overruns(rows, 40):
                guest = oracle.run(rows, list(first), overrun, 70)
                changes += guest.high_mode
                for i, jobs in enumerate(guest.responses):
                    for response, mode in jobs:
                        bound = found.hi.get(f"t{i}") if mode else found.lo[f"t{i}"]
                        assert bound is None or response <= bound, (rows, first, overrun)
                assert not found or guest.late(70) == [], (rows, first, overrun)
    assert changes > 100


def test_audsley_finds_an_order_if_there_is_one(seed):
    rng = random.Random(seed + 2)
    helped = 0
    for _ in range(20 if DISABLED else 120):
        rows = random_rows(rng, rng.randint(2, 4), top=9)
        found = amc_schedulable(as_tasks(rows), priorities="audsley")
        some = any(passes(order) for order in permutations(rows))
        assert bool(found) == some
        helped += some and not amc_schedulable(as_tasks(rows))
        if found:
            order = [rows[int(name[1:])] for name in found.order]
            assert passes(order)
    assert helped


def passes(rows):
    """AMC-rtb of the oracle."""
    return all(before is not None and (through is not None or not row["high"]) for row, (before, through) in zip(rows, oracle.amc_bounds(rows)))


def test_without_high_criticality_it_is_the_usual_test(seed):
    rng = random.Random(seed + 3)
    for _ in range(30):
        rows = [row | {"high": False, "hi": 0} for row in random_rows(rng, 3, top=20)]
        tasks = as_tasks(rows)
        exact = fp_response_times(tasks)
        assert all(bound == (exact[name] if exact[name] is not None and exact[name] <= rows[i]["deadline"] else None)
                   for i, (name, bound) in enumerate(amc_schedulable(tasks).lo.items()))
        implicit = [task.replace(deadline=task.period) for task in tasks]
        assert bool(edf_vd_schedulable(implicit)) == bool(edf_schedulable(implicit))


def test_no_overrun_breaks_edf_vd(seed):
    rng = random.Random(seed + 4)
    virtual = 0
    for _ in range(30 if DISABLED else 150):
        rows = random_rows(rng, rng.choice([2, 3]), top=9, implicit=True)
        found = edf_vd_schedulable(as_tasks(rows))
        if not found:
            continue
        virtual += found.x < 1
        with_virtual = [row | {"virtual": found.deadlines[f"t{i}"]} for i, row in enumerate(rows)]
        for first in [[0] * len(rows)] + [[rng.randrange(row["period"]) for row in rows] for _ in range(4)]:
            for overrun in overruns(rows, 40):
                assert oracle.run(with_virtual, first, overrun, 70, "edf").late(70) == [], (with_virtual, first, overrun)
    assert DISABLED or virtual > 2


def test_edf_vd_takes_three_quarters(seed):
    """Baruah et al. 2012, theorem 3: whatever a clairvoyant scheduler does on 3/4 of the speed."""
    rng = np.random.default_rng(seed)
    for _ in range(60):
        n = 4
        period = rng.integers(10**6, 10**8, n)
        low, calm = (rng.dirichlet(np.ones(n)) * 0.7499 for _ in range(2))
        part = rng.uniform(0, 1)
        tasks = [rv.Task(f"l{i}", wcet=max(1, int(low[i] * part * period[i])), period=int(period[i])) for i in range(n)]
        wild = rng.dirichlet(np.ones(n)) * 0.7499
        for i in range(n):
            lo = max(1, int(min(calm[i] * (1 - part), wild[i]) * period[i]))
            tasks.append(HighCriticality(rv.Task(f"h{i}", wcet=lo, period=int(period[i])), max(lo, int(wild[i] * period[i]))))
        assert edf_vd_schedulable(tasks)


def test_witnesses_and_refusals():
    low, high = rv.Task("low", wcet=5, period=10), HighCriticality(rv.Task("high", wcet=3, period=12), 9)
    found = amc_schedulable([low, high])
    assert isinstance(found.witness, FirstMiss) and found.witness.task == "high" and not found.exact and "its deadline is 12 ns" in found.why()
    assert found.lo == {"low": 5, "high": 8} and found.bounds == {"low": 5, "high": None}
    assert amc_schedulable([low, HighCriticality(rv.Task("high", wcet=3, period=12), 13)]).witness.bound == 13
    late = amc_schedulable([low, rv.Task("x", wcet=6, period=11)])
    assert late.exact and late.witness.task == "x"
    torn = edf_vd_schedulable([low, HighCriticality(rv.Task("high", wcet=4, period=10), 7)])
    assert torn.witness == NoFactor(Fraction(4, 5), Fraction(3, 5)) and "HI mode 0.6 times" in torn.why() and not torn.exact
    assert isinstance(edf_vd_schedulable([low, low.replace(name="b", wcet=6)]).witness, Overload)
    chased = rv.Task("p", wcet=1, period=9, deadline=9, arrival="poisson")
    assert isinstance(amc_schedulable([chased, low]).witness, Endless) and isinstance(edf_vd_schedulable([chased]).witness, Endless)
    assert amc_schedulable([low, rv.hog()]) and edf_vd_schedulable([low, rv.hog()]) and amc_schedulable([]) and edf_vd_schedulable([])
    for function, tasks in ((amc_schedulable, [low.replace(deadline=11)]), (edf_vd_schedulable, [low.replace(deadline=9)]),
                            (amc_schedulable, [low.replace(jitter=1)]), (amc_schedulable, [low, low])):
        with pytest.raises(SpecError):
            function(tasks)
    with pytest.raises(SpecError, match="wcet_hi"):
        HighCriticality(low, 4)
    for bad in (3, rv.hog()):
        with pytest.raises(SpecError, match="Task"):
            HighCriticality(bad, 4)
    with pytest.raises(SpecError, match="audsley"):
        amc_schedulable([low], priorities="best")


def test_a_supply_through_the_change_is_the_least_over_all_instants(seed):
    rng = random.Random(seed + 5)
    for _ in range(60):
        period = rng.randint(2, 8)
        q = rng.randint(0, period)
        calm, wild = PeriodicResource(period, q), PeriodicResource(period, rng.randint(q, period))
        for t in range(0, 50, 3):
            before = rng.randint(0, 30)
            least = min(calm.sbf(s) + wild.sbf(t - s) for s in range(min(t, before) + 1))
            assert supplied_through(t, before, calm, wild) == max(least, calm.sbf(t))


def random_vms(rng):
    """Two or three VMs that mostly pass."""
    vms = []
    for _ in range(rng.choice([2, 2, 3])):
        period = rng.randint(3, 8)
        budget = rng.randint(1, max(1, period // 2))
        rows = random_rows(rng, rng.choice([1, 2]), top=30, load=0.4)
        for row in rows:
            row["period"] *= 2
            row["deadline"] = row["period"] - rng.randint(0, row["period"] // 8)
        critical = any(row["high"] for row in rows)
        vms.append({"period": period, "budget": budget, "critical": critical, "tasks": rows,
                    "budget_hi": rng.randint(budget, min(period, 2 * budget)) if critical else rng.randint(0, budget // 2)})
    return vms


def as_vms(vms):
    return [ModalVM(f"v{v}", vm["period"], vm["budget"], vm["budget_hi"], as_tasks(vm["tasks"]), priority=v + 1) for v, vm in enumerate(vms)]


def test_no_change_of_mode_breaks_a_vm(seed):
    """Host and guests unit by unit, any critical job overrunning first, budgets and tasks at random offsets."""
    rng = random.Random(seed + 6)
    passed = changes = 0
    for _ in range(60 if DISABLED else 400):
        vms = random_vms(rng)
        found = mode_change_schedulable(as_vms(vms))
        if not found:
            continue
        passed += 1
        cases = [(v, *one) for v, vm in enumerate(vms) for one in overruns(vm["tasks"], 60) if one]
        for overrun in [None, *rng.sample(cases, min(6, len(cases)))]:
            for _ in range(2):
                starts = [rng.randrange(vm["period"]) for vm in vms]
                offsets = [[rng.randrange(row["period"]) + 8 for row in vm["tasks"]] for vm in vms]
                guests = oracle.run_vms(vms, offsets, starts, overrun, 250)
                changes += guests[0].high_mode
                for v, guest in enumerate(guests):
                    if vms[v]["critical"] or not guest.high_mode:
                        assert guest.late(250) == [], (vms, starts, offsets, overrun, v)
                    for i, jobs in enumerate(guest.responses):
                        for response, mode in jobs:
                            bound = (found.hi if mode else found.lo)[f"v{v}"].get(f"t{i}")
                            assert bound is None or response <= bound, (vms, starts, offsets, overrun, v, i)
    assert passed > (1 if DISABLED else 8) and changes > passed


def test_what_vms_may_not_be_sure_of():
    high = HighCriticality(rv.Task("b", wcet=3, period=60), 12)
    brakes, video = ModalVM("brakes", 10, 3, 6, [high]), ModalVM("video", 20, 9, 0, [rv.Task("v", wcet=8, period=80)])
    assert mode_change_schedulable([brakes, video]) and "every deadline" in mode_change_schedulable([brakes, video]).why()
    greedy = mode_change_schedulable([ModalVM("brakes", 10, 3, 6, [high], priority=2), ModalVM("video", 10, 5, 5, [], priority=1)])
    assert isinstance(greedy.witness, LateBudget) and "through the change" in greedy.why()
    dropped = mode_change_schedulable([ModalVM("brakes", 10, 3, 6, [high], priority=2), ModalVM("video", 10, 4, 0, [], priority=1)])
    assert dropped and dropped.host.hi == {"brakes": 10}
    late = mode_change_schedulable([ModalVM("brakes", 10, 3, 3, [HighCriticality(high.task, 18)]), video])
    assert isinstance(late.witness, LateTask) and "through the change" in late.why() and late.hi == {"brakes": {"b": None}, "video": {}}
    slow = mode_change_schedulable([brakes, ModalVM("video", 20, 2, 0, [rv.Task("v", wcet=8, period=80)])])
    assert isinstance(slow.witness, LateTask) and "in LO mode" in slow.why() and slow.witness.vm == "video"
    wild = mode_change_schedulable([ModalVM("x", 10, 5, 5, [rv.Task("p", wcet=1, period=9, deadline=9, arrival="poisson")])])
    assert isinstance(wild.witness, Endless)
    for bad in (("v", 10, 11, 0), ("v", 10, 3, 4), ("v", 0, 0, 0), ("v", 10, 3, 2, [high])):
        with pytest.raises(SpecError, match="ModalVM"):
            ModalVM(*bad)
    with pytest.raises(SpecError, match="once"):
        mode_change_schedulable([video, video])


def test_nanoseconds_are_no_matter():
    tasks = [rv.Task("log", wcet=ms(2), period=ms(5)), HighCriticality(rv.Task("brake", wcet=ms(2), period=ms(10)), ms(4))]
    assert amc_schedulable(tasks).hi == {"brake": ms(6)} and edf_vd_schedulable(tasks).x == 1
    found = mode_change_schedulable([ModalVM("a", ms(10), ms(3), ms(6), [HighCriticality(rv.Task("b", wcet=ms(3), period=ms(60)), ms(12))])])
    assert found and found.hi["a"]["b"] <= ms(60)
