"""Fixed priorities: against a unit-time scheduler, textbooks, the engine, and with wrong formulas."""

from __future__ import annotations

import random
from fractions import Fraction

import numpy as np
import pytest
from drawn import within
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import analysis_uniprocessor as oracle

import rtvirt as rv
from rtvirt.analysis import FixedPriorityPartition, PeriodicResource, SlotTable, fp_response_times, fp_schedulable
from rtvirt.errors import LimitError, SpecError
from rtvirt.jit import DISABLED
from rtvirt.units import ms, us


def random_tasks(rng, count, top=7, jitter=False, load=1.0):
    def draw():
        period = rng.randint(2, top)
        return {"period": period, "cost": rng.randint(1, max(1, period // 2)), "deadline": 10**6,
                "jitter": rng.randint(0, 2 * period) if jitter else 0}

    return within(load, count, draw, full=False)


def as_tasks(rows):
    return [rv.Task(f"t{i}", wcet=row["cost"], period=row["period"], deadline=row["deadline"], jitter=row.get("jitter", 0), priority=i + 1)
            for i, row in enumerate(rows)]


@pytest.mark.parametrize("since", ["arrival", "release"])
def test_preemptive_bounds_are_the_worst_of_the_critical_instant(seed, since):
    rng = random.Random(seed)
    for _ in range(150):
        rows = random_tasks(rng, rng.randint(1, 4), top=9, jitter=rng.random() < 0.5)
        expected = oracle.worst_responses(rows, "fp", since=since, all_offsets=False)
        assert list(fp_response_times(as_tasks(rows), since=since).values()) == expected, rows


@pytest.mark.parametrize("kind", ["none", "limited", "full"])
def test_bounds_are_the_worst_over_all_offsets(seed, kind):
    rng = random.Random(seed + 1)
    for _ in range(25):
        rows = random_tasks(rng, rng.randint(2, 3), top=6)
        regions = {}
        for i, row in enumerate(rows):
            cost = row["cost"]
            last = cost if kind == "none" else 1 if kind == "full" else rng.randint(1, cost)
            rest = cost - last
            row["parts"] = ([rest] if rest and rest <= last and kind == "limited" else [1] * rest) + [last]
            regions[f"t{i}"] = (last, last)
        expected = oracle.worst_responses(rows, "fp")
        found = fp_response_times(as_tasks(rows), preemption=kind, regions=regions if kind == "limited" else None)
        assert list(found.values()) == expected, (rows, kind)


def test_bounds_on_a_periodic_resource_are_those_of_its_worst_supply(seed):
    rng = random.Random(seed + 2)
    for _ in range(100):
        period = rng.randint(2, 6)
        supply = PeriodicResource(period, rng.randint((period + 1) // 2, period))
        rows = random_tasks(rng, rng.randint(1, 3), top=12, load=supply.rate)
        units = np.diff(supply.sbf(np.arange(3001))).tolist()
        jobs = oracle.run(oracle.periodic_jobs(rows, (0,) * len(rows), 900), "fp", units, end=3000)
        expected = [max(job.done - job.arrival for job in jobs if job.task == i) for i in range(len(rows))]
        assert list(fp_response_times(as_tasks(rows), supply).values()) == expected, (rows, supply)


def test_textbooks():
    def bounds(*rows, **options):
        return list(fp_response_times([rv.Task(f"t{i}", wcet=c, period=t, deadline=10**6, priority=i + 1) for i, (c, t) in enumerate(rows)],
                                      **options).values())

    assert bounds((3, 7), (3, 12), (5, 20)) == [3, 6, 20]                    # Burns and Wellings, Real-Time Systems, process set B
    assert bounds((26, 70), (62, 100)) == [26, 118]                          # Lehoczky 1990: 114 102 116 104 118 106 94; the fifth is the worst
    assert bounds((10, 25), (10, 35), (10, 35), preemption="none") == [20 - 1, 30 - 1, 35]       # Davis et al. 2007, table 3: 3.5, not 3
    assert bounds((1, 2), (1, 4), (2, 8)) == [1, 2, 8]                       # harmonic, utilization 1
    assert bounds((2, 5), (4, 7)) == [2, 8 + 0]                              # Liu and Layland 1973: utilization 0.97 is too much for 7


def test_lehoczkys_jobs_one_by_one():
    verdict = fp_schedulable([rv.Task("a", wcet=26, period=70, priority=1), rv.Task("b", wcet=62, period=100, deadline=117, priority=2)])
    assert not verdict and (verdict.witness.task, verdict.witness.job, verdict.witness.bound) == ("b", 4, 118)
    assert "job 5 of a busy period of 'b' may take 118 ns" in verdict.why()
    assert fp_schedulable([rv.Task("a", wcet=26, period=70, priority=1), rv.Task("b", wcet=62, period=100, deadline=118, priority=2)])


def test_what_has_no_bound():
    tasks = [rv.Task("a", wcet=2, period=4, priority=1), rv.Task("noise", wcet=1, period=9, arrival="poisson", priority=2),
             rv.Task("b", wcet=1, period=8, priority=3)]
    assert fp_response_times([*tasks, rv.hog()]) == {"a": 2, "noise": None, "b": None, "hog": None}
    verdict = fp_schedulable([*tasks, rv.hog()])
    assert not verdict and "'noise'" in verdict.why()
    bursts = {"noise": rv.analysis.bursts(period=9, jitter=9, distance=2)}
    assert fp_response_times([*tasks, rv.hog()], arrivals=bursts)["b"] == 7
    assert fp_schedulable([rv.Task("a", wcet=2, period=4), rv.hog()])               # hogs never constrain ...
    assert fp_response_times([rv.Task("a", wcet=2, period=4), rv.hog()], preemption="none")["a"] is None      # ... if they can be preempted
    overload = fp_schedulable([rv.Task("a", wcet=3, period=4), rv.Task("b", wcet=2, period=5)])
    assert not overload and "need 1.15 of a pCPU" in overload.why() and overload.bounds == {"a": 3, "b": None}
    assert fp_response_times([rv.Task("a", wcet=3, period=4)], PeriodicResource(4, 0)) == {"a": None}


def test_lists_of_releases_and_of_demands():
    listed = rv.Task("io", releases=[0, 2, 31, 32, 33], wcet=(1, 3), priority=1, deadline=9)
    assert fp_response_times([listed, rv.Task("b", wcet=2, period=50, priority=2)]) == {"io": 7, "b": 11}


def test_bad_input():
    tasks = [rv.Task("a", wcet=2, period=4)]
    for options, words in (({"preemption": "some"}, "'full', 'none' or 'limited'"), ({"blocking": {"x": 1}}, "choose one of these"),
                           ({"regions": {"a": 1}}, "give both"), ({"preemption": "limited", "regions": {"a": (3, 3)}}, "the wcet, 2"),
                           ({"blocking": -1}, "2\\^53"), ({"supply": 3}, "a supply of one pCPU"),
                           ({"supply": rv.analysis.MultiprocessorPeriodicResource(10, 15, 2)}, "global test")):
        with pytest.raises(SpecError, match=words):
            fp_response_times(tasks, **options)
    with pytest.raises(LimitError, match="response of 'once': no answer within"):       # 1 ns in a million is left: done after 36,000 years
        fp_response_times([rv.Task("once", wcet=2**50, releases=[0])], FixedPriorityPartition([(2**20 - 1, 2**20, 0)]))


def test_small_and_large_are_alike():
    """Times near the largest that there are: the same answers, scaled."""
    rows = [(3, 7), (3, 12), (5, 20)]
    factor = 2**48
    tasks = [rv.Task(f"t{i}", wcet=c * factor, period=t * factor) for i, (c, t) in enumerate(rows)]
    assert list(fp_response_times(tasks).values()) == [3 * factor, 6 * factor, 20 * factor]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 30))
def test_more_work_takes_longer(number, count):
    rng = random.Random(number)
    rows = random_tasks(rng, count, top=1000, load=50)
    scale = 2 * sum(Fraction(r["cost"], r["period"]) for r in rows)
    for row in rows:
        row["period"] = int(row["period"] * scale) + 1
    before = fp_response_times(as_tasks(rows))
    rows[rng.randrange(count)]["cost"] += 1
    after = fp_response_times(as_tasks(rows))
    assert all(after[name] is None or before[name] <= after[name] for name in before)
    slower = fp_response_times(as_tasks(rows), PeriodicResource(100, 90))
    assert all(slower[name] is None or after[name] is not None and after[name] <= slower[name] for name in before)


def simulated(tasks, guest, *, vms=(), scheduler=None):
    system = rv.System(cpus=1, vms=[*vms, rv.VM("rt", tasks=tasks, guest=guest, priority=100)])
    run = rv.simulate(system, scheduler or rv.FixedPriority(), duration=us(100) if DISABLED else ms(2), record="summary")
    table = run.tasks
    return {task.name: int(table.loc[("rt", task.name), "response_max"]) for task in tasks}


@pytest.mark.parametrize("round_", range(8))
def test_no_simulation_breaks_a_bound(seed, round_):
    rng = random.Random(seed * 100 + round_)
    rows = random_tasks(rng, 5, top=2000, load=0.95, jitter=round_ % 2 == 1)
    tasks = as_tasks(rows)
    bounds = fp_response_times(tasks, since="release")
    worst = simulated(tasks, "fp")
    assert all(worst[name] <= bounds[name] for name in worst), (rows, worst, bounds)
    if round_ % 2 == 0:
        assert worst["t0"] == bounds["t0"]                                          # and it is reached: all start together
    higher = rv.VM("high", tasks=[rv.Task("x", wcet=50, period=1000, offset=rng.randint(0, 900))], priority=1)
    bounds = fp_response_times(tasks, FixedPriorityPartition([higher]), since="release")
    worst = simulated(tasks, "fp", vms=[higher])
    assert all(bounds[name] is None or worst[name] <= bounds[name] for name in worst)


def test_a_slot_table_supply_is_never_overestimated(seed):
    rng = random.Random(seed)
    for _ in range(60):
        frame = rng.randint(4, 8)
        slots = [(0, rng.randint(1, 2)), (3, 1)]
        supply = SlotTable(slots, frame)
        rows = random_tasks(rng, 2, top=20, load=supply.rate)
        bounds = list(fp_response_times(as_tasks(rows), supply).values())
        units = [int(any(s <= t < s + n for s, n in slots)) for t in range(frame)]
        for shift in range(frame):
            turned = units[shift:] + units[:shift]
            jobs = oracle.run(oracle.periodic_jobs(rows, (0, 0), 200), "fp", turned)
            for i in range(2):
                assert max(job.done - job.arrival for job in jobs if job.task == i) <= bounds[i]
