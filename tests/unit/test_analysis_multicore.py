"""Several pCPUs: against definitions, a unit-time scheduler, textbooks, known relations between the tests, and the engine."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import product

import pytest
from drawn import within
from oracle import analysis_multicore as oracle

import rtvirt as rv
from rtvirt.analysis import (
    Crowded,
    Dense,
    DeterministicMultiprocessorPeriodicResource,
    Endless,
    FirstMiss,
    Overload,
    ViolatingInterval,
    edf_schedulable,
    edf_tardiness,
    fp_response_times,
    fp_schedulable,
    global_edf_response_times,
    global_edf_schedulable,
    global_fp_response_times,
    global_fp_schedulable,
    partition,
)
from rtvirt.analysis.multicore import edf_carry_in
from rtvirt.analysis.multicore.edf_carry_in import CarryIn
from rtvirt.analysis.multicore.limited_carry_in import longest_window
from rtvirt.analysis.multicore.rows import Sporadic, sporadic
from rtvirt.analysis.multicore.windows import with_carry_in, workload
from rtvirt.errors import LimitError, SpecError
from rtvirt.jit import DISABLED
from rtvirt.units import ms, us

EDF_TESTS = ("gfb", "bak", "bcl", "bar", "rta", "rta-lc")


def random_rows(rng, count, cpus, *, top=12, implicit=False, load=1.0):
    """Small tasks in order of priority, deadlines up to periods, utilization up to `load` a pCPU."""
    def draw():
        period = rng.randint(2, top)
        cost = rng.randint(1, max(1, 2 * period // 3))
        return {"period": period, "cost": cost, "deadline": period if implicit else rng.randint(cost, period)}

    return within(load * cpus, count, draw)


def used(rows):
    return sum(Fraction(row["cost"], row["period"]) for row in rows)


def as_tasks(rows, scale=1):
    return [rv.Task(f"t{i}", wcet=scale * row["cost"], period=scale * row["period"], deadline=scale * row["deadline"], priority=i + 1)
            for i, row in enumerate(rows)]


def test_windows_hold_what_counting_finds(seed):
    rng = random.Random(seed)
    for _ in range(300):
        period = rng.randint(2, 12)
        cost = rng.randint(1, period)
        response, window = rng.randint(cost, period), rng.randint(1, 40)
        row, task = Sporadic("x", cost, period, period), {"cost": cost, "period": period}
        assert min(window, workload(row, window, response)) == oracle.workload(task, window, response)
        assert min(window, with_carry_in(row, window, response)) == max(oracle.capped(task, window, response), min(window, cost))


def test_edf_tests_are_their_definitions(seed):
    """BAR at every instant, with every choice of tasks that carry work in."""
    rng = random.Random(seed)
    accepted = dict.fromkeys(EDF_TESTS, 0)
    for _ in range(20 if DISABLED else 150):
        m, n = rng.randint(1, 3), rng.randint(1, 6)
        rows = random_rows(rng, n, m, load=0.9)
        tasks = as_tasks(rows)
        for test in ("gfb", "bak", "bcl"):
            assert bool(global_edf_schedulable(tasks, m, test=test)) == getattr(oracle, test)(rows, m), (test, rows, m)
        end = max(longest_window([Sporadic("", r["cost"], r["deadline"], r["period"]) for r in rows], k,
                                 DeterministicMultiprocessorPeriodicResource(1, 0, m), m) for k in range(n))
        if end < 300:
            found = global_edf_schedulable(tasks, m, test="bar")
            assert bool(found) == oracle.carry_in_fits(rows, [m * t for t in range(end + 30)], m), (rows, m)
            if not found:
                bad = found.witness
                k = next(k for k, row in enumerate(rows) if bad.length >= row["deadline"] and
                         oracle.carry_in_demand(rows, k, m, bad.length - row["deadline"]) == bad.demand)
                assert bad.demand > bad.supply == m * bad.length and sum(bad.parts.values()) == bad.demand and k >= 0
        for test in EDF_TESTS:
            accepted[test] += bool(global_edf_schedulable(tasks, m, test=test))
    assert DISABLED or all(5 < count < 145 for count in accepted.values()), accepted


def test_edf_responses_are_their_definitions(seed):
    """Limited carry-in: every A and every x, unit by unit, every first release, every choice of carriers."""
    rng = random.Random(seed + 6)
    better = looked = 0
    while looked < (5 if DISABLED else 40):
        m, n = rng.randint(1, 3), rng.randint(1, 5)
        rows = random_rows(rng, n, m, load=0.9)
        tasks = as_tasks(rows)
        windows = CarryIn(sporadic(tasks)[0], [None] * n, m, 30_000)
        end = max(windows.longest_before(k, row["cost"]) for k, row in enumerate(rows))
        if end < 60:
            looked += 1
            all_carry, expected = oracle.edf_responses(rows, m), oracle.edf_responses_limited(rows, m, end + 12)
            for way, bounds in (("all", all_carry), ("limited", expected)):
                assert list(global_edf_response_times(tasks, m, carry_in=way).values()) == (bounds if None not in bounds else [None] * n), (rows, m)
            better += all_carry != expected
    assert better or DISABLED


def test_few_carriers_bound_what_all_do_not():
    """Found by random search; the bounds of `rta-lc` are reached by offsets."""
    rows = [{"cost": c, "deadline": d, "period": t} for c, d, t in ((1, 2, 3), (2, 2, 4), (2, 5, 5))]
    tasks = as_tasks(rows)
    assert not any(global_edf_schedulable(tasks, 2, test=test) for test in EDF_TESTS[:-1]) and global_edf_schedulable(tasks, 2)
    bounds = list(global_edf_response_times(tasks, 2).values())
    seen = [oracle.worst(rows, 2, "edf", list(offsets), 60) for offsets in product(*(range(row["period"]) for row in rows))]
    assert [max(column) for column in zip(*seen)] == bounds


def test_windows_are_left_where_they_take_too_long(monkeypatch):
    """Nanoseconds take many steps: whatever was found until then is safe, and never worse than what it began with."""
    times = ((6_000_001, 37_000_001), (7_000_008, 39_000_006), (8_000_007, 38_000_009), (4_000_009, 15_000_004))
    tasks = [rv.Task(f"t{i}", wcet=c, period=t) for i, (c, t) in enumerate(times)]
    whole, seen = global_edf_response_times(tasks, 2, carry_in="all"), []
    for fuel in (0, 40, 400, 30_000):
        monkeypatch.setattr(edf_carry_in, "FUEL", fuel)
        seen.append(global_edf_response_times(tasks, 2))
    assert seen[0] == whole and seen[-1] != whole
    assert all(after[name] <= before[name] for before, after in zip(seen, seen[1:]) for name in whole)


def test_fp_responses_are_their_definitions(seed):
    rng = random.Random(seed + 1)
    for _ in range(10 if DISABLED else 60):
        m, n = rng.randint(1, 3), rng.randint(1, 5)
        rows = random_rows(rng, n, m)
        for carry_in in ("all", "limited", "enumerated"):
            bounds = []
            for k in range(n):
                found = oracle.fp_response_by_choice(rows, k, bounds, m) if carry_in == "enumerated" else \
                    oracle.fp_response(rows, k, bounds, m, carry_in == "limited")
                if found is None:
                    break
                bounds.append(found)
            expected = bounds + [None] * (n - len(bounds))
            assert list(global_fp_response_times(as_tasks(rows), m, carry_in=carry_in).values()) == expected, (rows, m)


@pytest.mark.parametrize("policy", ["edf", "fp"])
def test_no_offsets_break_a_bound_of_a_unit_time_scheduler(seed, policy):
    """Three tasks on two pCPUs, every offset; and more, some offsets."""
    rng = random.Random(seed + 2)
    for _ in range(6 if DISABLED else 25):
        m = 2
        rows = random_rows(rng, rng.choice([3, 3, 5]), m, top=5)
        tasks = as_tasks(rows)
        found = global_edf_response_times(tasks, m) if policy == "edf" else global_fp_response_times(tasks, m, carry_in="enumerated")
        bounds = list(found.values())
        fits = any(global_edf_schedulable(tasks, m, test=test) for test in EDF_TESTS) if policy == "edf" else global_fp_schedulable(tasks, m)
        choices = list(product(*(range(row["period"]) for row in rows)))
        for offsets in choices if len(choices) < 130 else rng.sample(choices, 130):
            worst = oracle.worst(rows, m, policy, list(offsets), 130)
            assert all(bound is None or seen <= bound for seen, bound in zip(worst, bounds)), (rows, bounds, worst)
            assert not fits or all(seen <= row["deadline"] for seen, row in zip(worst, rows)), (rows, offsets)


def test_tardiness_is_never_exceeded(seed):
    rng = random.Random(seed + 3)
    late = 0
    for _ in range(20 if DISABLED else 100):
        m = rng.choice([2, 3])
        rows = random_rows(rng, rng.randint(m + 1, 6), m, implicit=True)
        while used(rows) < Fraction(9, 10) * m:
            rows = random_rows(rng, rng.randint(m + 1, 6), m, implicit=True)
        bounds = list(edf_tardiness(as_tasks(rows), m).values())
        for offsets in ([0] * len(rows), [rng.randrange(row["period"]) for row in rows]):
            lateness = [max(0, seen - row["period"]) for seen, row in zip(oracle.worst(rows, m, "edf", offsets, 150), rows)]
            assert all(seen <= bound for seen, bound in zip(lateness, bounds)), (rows, m, bounds, lateness)
            late += any(lateness)
    assert late or DISABLED                                                      # some jobs are late, so this says something


def test_tardiness_of_the_books():
    assert edf_tardiness([rv.Task(n, wcet=c, period=t) for n, c, t in (("a", 2, 3), ("b", 2, 3), ("c", 4, 6))], 2) == {"a": 3, "b": 3, "c": 5}
    assert edf_tardiness([rv.Task("a", wcet=2, period=2), rv.Task("b", wcet=1, period=2)], 1) == {"a": None, "b": None}
    assert edf_tardiness([rv.Task("a", wcet=1, period=2), rv.Task("b", wcet=1, period=2), rv.hog()], 1) == {"a": 0, "b": 0, "hog": None}
    with pytest.raises(SpecError, match="the period, 4"):
        edf_tardiness([rv.Task("a", wcet=2, period=4, deadline=3)], 2)
    assert edf_tardiness([], 2) == {}


def test_what_the_literature_knows():
    """Dhall and Liu 1978: hardly more than one of m is used, and it fails; Goossens, Funk and Baruah 2003; Lopez et al. 2004."""
    dhall = [rv.Task("l0", wcet=2, period=1000), rv.Task("l1", wcet=2, period=1000), rv.Task("heavy", wcet=1000, period=1001)]
    assert int(simulated(dhall, 2, "edf", None, duration=us(2)).loc[("rt", "heavy"), "misses"])
    assert not global_edf_schedulable(dhall, 2) and not global_fp_schedulable(dhall, 2) and partition(dhall, 2)
    assert global_edf_schedulable(dhall, 3) and global_fp_schedulable(dhall, 3)
    tight = [rv.Task(n, wcet=c, period=10) for n, c in (("a", 5), ("b", 5), ("c", 5))]               # U = m − (m−1)·Umax: GFB is tight here
    assert global_edf_schedulable(tight, 2, test="gfb")
    assert not global_edf_schedulable([*tight[:2], tight[2].replace(wcet=6)], 2, test="gfb")
    assert partition(tight, 2) and partition([t.replace(wcet=6) for t in tight], 2).left == "c"      # m + 1 tasks of more than one half


# found by random search, and pinned: (cost, deadline, period) on two pCPUs
ONLY = {"bar": [(7, 14, 14), (6, 15, 17), (4, 7, 8)], "rta": [(7, 9, 17), (1, 4, 4), (1, 1, 3)],
        "gfb": [(1, 3, 3), (7, 15, 18), (4, 11, 11), (1, 3, 3)]}


def test_no_test_contains_the_others():
    """But for the responses with limited carry-in."""
    for test, rows in ONLY.items():
        tasks = [rv.Task(f"t{i}", wcet=c, deadline=d, period=t) for i, (c, d, t) in enumerate(rows)]
        assert [name for name in EDF_TESTS[:-1] if global_edf_schedulable(tasks, 2, test=name)] == [test]
        assert global_edf_schedulable(tasks, 2, test="rta-lc")
        assert global_edf_schedulable(tasks, 2)


def test_windows_cut_without_the_unit_admit_what_misses():
    """Three tasks without any laxity on two pCPUs: cut at t − C, everything is cut to nothing at A = 0."""
    rows = [{"period": 4, "cost": 2, "deadline": 2}, {"period": 3, "cost": 1, "deadline": 1}, {"period": 2, "cost": 1, "deadline": 1}]
    assert any(seen > row["deadline"] for seen, row in zip(oracle.worst(rows, 2, "edf", [0, 0, 0], 24), rows))
    found = global_edf_schedulable(as_tasks(rows), 2, test="bar")
    assert not found and (found.witness.length, found.witness.demand, found.witness.supply) == (2, 5, 4)


def test_who_carries_work_in_is_settled_before_the_window():
    """The worst carriers of a short window are not those of a longer one; found by random search, and no offsets break it."""
    rows = [{"cost": c, "period": t, "deadline": t} for c, t in ((1, 8), (1, 3), (2, 6), (2, 8), (3, 9))]
    found = [list(global_fp_response_times(as_tasks(rows), 2, carry_in=way).values()) for way in ("limited", "enumerated")]
    assert found == [[1, 1, 3, 4, 8], [1, 1, 3, 4, 7]]
    for offsets in random.Random(0).sample(list(product(*(range(row["period"]) for row in rows))), 30 if DISABLED else 150):
        assert oracle.worst(rows, 2, "fp", list(offsets), 90)[-1] <= 7


def test_relations(seed):
    """What contains what; one pCPU; less to do is never worse for tests that are sustainable."""
    rng = random.Random(seed + 4)
    for _ in range(10 if DISABLED else 25):
        m = rng.randint(1, 4)
        rows = random_rows(rng, rng.randint(1, 7), m, load=0.9)
        tasks = as_tasks(rows)
        edf = {test: bool(global_edf_schedulable(tasks, m, test=test)) for test in EDF_TESTS}
        assert edf["rta"] or not edf["bcl"]
        assert edf["rta-lc"] or not (edf["rta"] or edf["bar"])
        assert bool(global_edf_schedulable(tasks, m)) == any(edf.values())
        fp = [bool(global_fp_schedulable(tasks, m, test=test)) for test in ("bcl", "rta", "rta-lc", "rta-ce")]
        assert fp == sorted(fp) and bool(global_fp_schedulable(tasks, m)) == fp[-1]
        if edf["rta"]:
            few, most = (global_edf_response_times(tasks, m, carry_in=way) for way in ("limited", "all"))
            assert all(few[name] <= most[name] for name in few)
        each, limited, whole = (global_fp_response_times(tasks, m, carry_in=way) for way in ("enumerated", "limited", "all"))
        assert all(whole[name] is None or limited[name] <= whole[name] for name in limited)
        assert all(limited[name] is None or each[name] <= limited[name] for name in each)
        if m == 1:
            assert edf_schedulable(tasks) or not any(edf.values())
            exact = fp_response_times(tasks)
            assert all(bound is None or exact[name] <= bound for name, bound in limited.items())
            assert all(exact[t.name] is None or exact[t.name] > t.period or limited[t.name] == exact[t.name] for t in tasks
                       if all(exact[o.name] is not None and exact[o.name] <= o.period for o in tasks))
        for test in ("gfb", "bcl", "rta"):
            if edf[test]:
                assert global_edf_schedulable(tasks, m + 1, test=test)


def test_witnesses_speak():
    for tasks, cpus, kind, words in (
            ([rv.Task(n, wcet=7, period=10) for n in "abc"], 2, Overload, "2.1 of a pCPU"),
            ([rv.Task("a", wcet=5, period=10, deadline=4)], 2, FirstMiss, "deadline is 4 ns"),
            ([rv.Task("a", wcet=5, period=10, deadline=9, arrival="poisson")], 2, Endless, "'a'")):
        for verdict in (global_edf_schedulable(tasks, cpus), global_fp_schedulable(tasks, cpus)):
            assert not verdict and isinstance(verdict.witness, kind) and words in verdict.why()
    four = [rv.Task(n, wcet=6, period=10) for n in "abc"]
    kinds = {"gfb": Dense, "bak": Crowded, "bcl": Crowded, "rta": Crowded, "bar": ViolatingInterval, "rta-lc": Crowded, "any": Crowded}
    for test, kind in kinds.items():
        verdict = global_edf_schedulable(four, 2, test=test)
        assert not verdict and isinstance(verdict.witness, kind) and "sufficient" in verdict.why(), test
    for test in ("bcl", "rta", "rta-lc", "rta-ce"):
        verdict = global_fp_schedulable(four, 2, test=test)
        assert not verdict and verdict.witness.task == "c" and "sufficient" in verdict.why()
    late = global_fp_schedulable([rv.Task("a", wcet=2, period=4), rv.Task("b", wcet=2, period=4), rv.Task("c", wcet=1, period=9, deadline=2)], 2)
    assert not late or late.bounds["c"] <= 2


def test_what_does_not_count_and_what_is_refused():
    light = [rv.Task("a", wcet=1, period=4), rv.Task("b", wcet=1, period=4), rv.hog(), rv.Task("log", wcet=9, period=10, arrival="poisson")]
    assert global_edf_schedulable(light, 2) and global_fp_schedulable(light, 2)
    assert global_edf_response_times(light, 2)["hog"] is None and global_fp_response_times(light, 2)["log"] is None
    hogged = [rv.hog().replace(priority=1), rv.Task("a", wcet=1, period=4, priority=2)]
    assert not global_fp_schedulable(hogged, 2) and "'hog'" in global_fp_schedulable(hogged, 2).why()
    assert global_fp_response_times(hogged, 2) == {"hog": None, "a": None}
    long = [rv.Task("a", wcet=2, period=4, deadline=9), rv.Task("b", wcet=1, period=4), rv.Task("c", wcet=1, period=4)]
    assert global_edf_schedulable(long, 2) and global_edf_schedulable(long, 2, test="gfb") and global_fp_schedulable(long, 2)
    with pytest.raises(SpecError, match='choose test="gfb"'):
        global_edf_schedulable(long, 2, test="rta")
    for bad, words in ((rv.Task("a", wcet=1, period=4, vcpu=0), "vcpu"), (rv.Task("a", wcet=1, period=4, jitter=1), "jitter"),
                       (rv.Task("a", wcet=1, releases=[1, 2], deadline=3), "period"),
                       (rv.Task("a", period=4, actions=[rv.run(1), rv.block(1), rv.run(1)]), "block")):
        for function in (global_edf_schedulable, global_fp_schedulable):
            with pytest.raises(SpecError, match=words):
                function([bad], 2)
    for cpus in (0, 2.0, True, 2000):
        with pytest.raises(SpecError, match="cpus"):
            global_edf_schedulable(light, cpus)
    with pytest.raises(SpecError, match="rta-lc"):
        global_fp_schedulable(light, 2, test="gfb")
    assert global_edf_schedulable([], 2) and global_fp_schedulable([], 2) and all(global_edf_schedulable([], 2, test=t) for t in EDF_TESTS)


def test_numbers_that_do_not_fit_are_refused():
    """Whole numbers of any size for all tests but the walk over windows, which says that it cannot."""
    huge = [rv.Task(f"t{i}", wcet=2**50, period=2**53) for i in range(20)]
    assert global_edf_schedulable(huge, 4) and global_fp_schedulable(huge, 4)
    near = [rv.Task(f"t{i}", wcet=2**52 + 2**51 - (i == 0), period=2**53) for i in range(8)]                     # 6 pCPUs but for 2^-53
    with pytest.raises(LimitError):
        global_edf_schedulable(near, 6, test="bar")
    assert not global_edf_schedulable(near, 6)
    for test in ("gfb", "bak", "bcl", "rta"):
        assert not global_edf_schedulable(near, 6, test=test)


@pytest.mark.parametrize("heuristic", ["first-fit", "best-fit", "worst-fit", "next-fit"])
@pytest.mark.parametrize("guest", ["edf", "fp"])
def test_partitions_hold(seed, heuristic, guest):
    rng = random.Random(seed + 5)
    test, full = edf_schedulable if guest == "edf" else fp_schedulable, 0
    for _ in range(3 if DISABLED else 12):
        m = rng.randint(1, 3)
        tasks = as_tasks(random_rows(rng, rng.randint(1, 7), m))
        for order in ("decreasing utilization", "decreasing density", "increasing period", "increasing deadline", "given"):
            found = partition(tasks, m, heuristic, order, guest=guest)
            assert len(found.bins) == m and all(test(part) for part in found.bins)
            assert bool(found) == (len(found.assignment) == len(tasks)) == (found.left is None)
            if not found and heuristic != "next-fit":
                left = next(task for task in tasks if task.name == found.left)
                assert not any(test([*part, left]) for part in found.bins)
                full += 1
    assert DISABLED or heuristic == "next-fit" or full


def test_heuristics_choose_as_they_are_called():
    tasks = [rv.Task(n, wcet=c, period=10) for n, c in (("a", 5), ("b", 7), ("c", 4), ("d", 3))]
    given = {h: partition(tasks, 3, h, "given").assignment for h in ("first-fit", "best-fit", "worst-fit", "next-fit")}
    assert given == {"first-fit": {"a": 0, "c": 0, "b": 1, "d": 1}, "best-fit": {"a": 0, "c": 0, "b": 1, "d": 1},
                     "worst-fit": {"a": 0, "b": 1, "c": 2, "d": 2}, "next-fit": {"b": 1, "a": 0, "c": 2, "d": 2}}
    tasks = [rv.Task(n, wcet=c, period=10) for n, c in (("a", 5), ("b", 7), ("c", 2))]
    assert [partition(tasks, 2, h, "given").assignment["c"] for h in ("first-fit", "best-fit", "worst-fit")] == [0, 1, 0]
    assert partition(tasks, 2, guest="fp", supply=rv.analysis.PeriodicResource(5, 3)).left == "b"
    with pytest.raises(SpecError, match="already|asked"):
        partition([tasks[0].replace(vcpu=0)], 2)
    with pytest.raises(SpecError, match="best-fit"):
        partition(tasks, 2, "luck")


@pytest.mark.parametrize("round_", range(3))
@pytest.mark.parametrize("guest", ["edf", "fp"])
def test_no_simulation_breaks_a_bound(seed, guest, round_):
    """One VM with m vCPUs on m pCPUs of their own schedules its tasks globally."""
    rng = random.Random(seed * 100 + round_)
    for _ in range(2 if DISABLED else 15):
        m = rng.randint(2, 4)
        rows = random_rows(rng, rng.randint(m, 3 * m), m, top=100, implicit=rng.random() < 0.5)
        tasks = as_tasks(rows, scale=50)
        bounds = global_edf_response_times(tasks, m) if guest == "edf" else global_fp_response_times(tasks, m, carry_in="enumerated")
        table = simulated(tasks, m, guest, rng)
        seen = {name: int(table.loc[("rt", name), "response_max"]) for name in bounds}
        assert all(bound is None or seen[name] <= bound for name, bound in bounds.items()), (rows, m, bounds, seen)
        test = global_edf_schedulable if guest == "edf" else global_fp_schedulable
        if test(tasks, m):
            assert int(table["misses"].sum()) == 0, (rows, m)
        if guest == "edf" and all(task.deadline == task.period for task in tasks):
            late = edf_tardiness(tasks, m)
            assert all(seen[task.name] - task.period <= late[task.name] for task in tasks)


def simulated(tasks, m, guest, rng, duration=None):
    """Statistics of a run: synchronous (also without `rng`), with offsets, or sporadic."""
    way = "synchronous" if rng is None else rng.choice(["synchronous", "offsets", "sporadic"])
    changes = {"offsets": lambda task: {"offset": rng.randrange(task.period)},
               "sporadic": lambda task: {"arrival": "sporadic", "jitter": task.period // 4 + 1}}
    placed = [task.replace(**changes[way](task)) for task in tasks] if way in changes else tasks
    system = rv.System(cpus=m, vms=[rv.VM("rt", tasks=placed, guest=guest, vcpus=m)])
    return rv.simulate(system, rv.Null(), duration=duration or (us(40) if DISABLED else ms(1)), record="summary").tasks


def test_partitions_run_without_a_miss(seed):
    rng = random.Random(seed + 6)
    for guest in ("edf", "fp"):
        for _ in range(2 if DISABLED else 8):
            tasks = as_tasks(random_rows(rng, 7, 3, top=60, load=0.85), scale=50)
            if guest == "fp":
                tasks = [task.replace(priority=None) for task in tasks]
            found = partition(tasks, 3, guest=guest)
            if found:
                assert int(simulated(found.pinned(), 3, guest, rng)["misses"].sum()) == 0
