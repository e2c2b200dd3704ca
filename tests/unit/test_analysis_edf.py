"""EDF and FIFO: against counting, a unit-time scheduler over all offsets, textbooks, the engine."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest
from drawn import within
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import analysis_uniprocessor as oracle

import rtvirt as rv
from rtvirt.analysis import (
    Dedicated,
    FixedPriorityPartition,
    PeriodicResource,
    SlotTable,
    dbf,
    edf_response_times,
    edf_schedulable,
    fifo_response_times,
    rbf,
)
from rtvirt.errors import LimitError, SpecError
from rtvirt.jit import DISABLED
from rtvirt.units import ms, us


def random_tasks(rng, count, top=8, load=1.0, jitter=False):
    """Deadlines from short to longer than periods; utilization up to `load` (included)."""
    def draw():
        period = rng.randint(2, top)
        cost = rng.randint(1, max(1, period // 2))
        return {"period": period, "cost": cost, "deadline": rng.randint(cost, 2 * period), "jitter": rng.randint(0, period) if jitter else 0}

    return within(load, count, draw)


def as_tasks(rows):
    return [rv.Task(f"t{i}", wcet=row["cost"], period=row["period"], deadline=row["deadline"], jitter=row["jitter"], priority=i + 1)
            for i, row in enumerate(rows)]


def test_demand_is_what_counting_finds(seed):
    rng = random.Random(seed)
    for _ in range(150):
        rows = random_tasks(rng, rng.randint(1, 4), jitter=True, load=9)
        times = np.arange(0, 60)
        assert dbf(as_tasks(rows), times).tolist() == [oracle.demand_bound(rows, t) for t in times]
        released = [sum(row["cost"] for row in rows for k in range(60) if t > 0 and max(0, k * row["period"] - row["jitter"]) < t) for t in times]
        assert rbf(as_tasks(rows), times).tolist() == released


def test_qpa_is_checking_every_instant(seed):
    rng = random.Random(seed)
    fits = 0
    for _ in range(40 if DISABLED else 400):
        supply = rng.choice([Dedicated(), PeriodicResource(3, 2), PeriodicResource(5, 4), SlotTable([(0, 2), (3, 3)], 7),
                             FixedPriorityPartition([(1, 5, 3)])])
        rows = random_tasks(rng, rng.randint(1, 3), jitter=rng.random() < 0.3)
        used = sum(Fraction(r["cost"], r["period"]) for r in rows)
        curve = supply.sbf(np.arange(1500))
        expected = used <= supply.rate and oracle.edf_fits(rows, lambda t, c=curve: c[t], 1499 if used == supply.rate else 700)
        try:
            verdict = edf_schedulable(as_tasks(rows), supply)
        except LimitError:
            assert supply.has_less() and used == supply.rate
            continue
        assert bool(verdict) == expected, (rows, supply, verdict)
        fits += expected
        if not verdict and used <= supply.rate:
            found = verdict.witness
            assert found.demand == oracle.demand_bound(rows, found.length) > curve[found.length] == found.supply
            assert sum(found.parts.values()) == found.demand and "surely brings" in verdict.why()
    assert DISABLED or 40 < fits < 360


def test_exact_on_one_pcpu(seed):
    """Schedulable if and only if no offsets make a unit-time scheduler miss a deadline."""
    rng = random.Random(seed + 1)
    for _ in range(40):
        rows = random_tasks(rng, 2, top=6)
        missed = any(job.done is None or job.done > job.deadline for offset in range(rows[1]["period"])
                     for job in oracle.run(oracle.periodic_jobs(rows, (0, offset), 120), "edf") if job.deadline < 120)
        assert bool(edf_schedulable(as_tasks(rows))) == (not missed), rows


def test_without_preemption(seed):
    rng = random.Random(seed + 2)
    for _ in range(40):
        rows = random_tasks(rng, 2, top=6)
        for row in rows:
            row["parts"] = [row["cost"]]
        missed = any(job.done is None or job.done > job.deadline for a in range(rows[0]["period"]) for b in range(rows[1]["period"])
                     for job in oracle.run(oracle.periodic_jobs(rows, (a, b), 120), "edf") if job.deadline < 120)
        assert bool(edf_schedulable(as_tasks(rows), preemption="none")) == (not missed), rows


@pytest.mark.parametrize("policy", ["edf", "fifo"])
def test_responses_are_the_worst_over_all_offsets(seed, policy):
    rng = random.Random(seed + 3)
    bound = {"edf": edf_response_times, "fifo": fifo_response_times}[policy]
    for k in range(12):
        rows = random_tasks(rng, 3 if k % 4 == 0 else 2, top=6, load=0.99)
        ways = permutations(rows)                                           # the bound covers ties either way
        expected = dict.fromkeys(range(len(rows)), 0)
        for way in ways:
            for row, worst in zip(way, oracle.worst_responses(way, policy)):
                index = next(i for i, r in enumerate(rows) if r is row)
                expected[index] = max(expected[index], worst)
        assert list(bound(as_tasks(rows)).values()) == list(expected.values()), rows


def test_textbooks():
    two = [rv.Task("a", wcet=2, period=5), rv.Task("b", wcet=4, period=7)]   # Liu and Layland 1973: EDF takes what RM cannot
    assert edf_schedulable(two) and not rv.analysis.fp_schedulable(two)


def test_utilization_equal_to_the_rate():
    assert edf_schedulable([rv.Task("a", wcet=1, period=2), rv.Task("b", wcet=3, period=6)])
    assert not edf_schedulable([rv.Task("a", wcet=1, period=2, deadline=1), rv.Task("b", wcet=3, period=6, deadline=5)])
    late = [rv.Task("a", wcet=2, period=4, deadline=8)]                      # deadlines long enough for the blackout
    assert edf_schedulable(late, PeriodicResource(4, 2)) and not edf_schedulable([late[0].replace(deadline=5)], PeriodicResource(4, 2))
    over = edf_schedulable([rv.Task("a", wcet=2**50 + 1, period=2**51), rv.Task("b", wcet=2**50, period=2**51)])
    assert not over and over.witness.utilization - 1 == Fraction(1, 2**51)   # floats could not tell


def test_what_never_constrains_and_what_has_no_bound():
    tasks = [rv.Task("a", wcet=2, period=4), rv.Task("log", wcet=9, period=10, deadline=None, arrival="poisson"), rv.hog()]
    assert edf_schedulable(tasks) and edf_response_times(tasks) == {"a": 2, "log": None, "hog": None}
    assert not edf_schedulable(tasks, preemption="none") and "'log'" in edf_schedulable(tasks, preemption="none").why()
    assert fifo_response_times(tasks) == {"a": None, "log": None, "hog": None}
    chased = [rv.Task("a", wcet=2, period=4), rv.Task("p", wcet=1, period=10, deadline=9, arrival="poisson")]
    assert not edf_schedulable(chased) and "'p'" in edf_schedulable(chased).why()
    assert edf_schedulable(chased, arrivals={"p": rv.analysis.periodic(10)})
    with pytest.raises(LimitError, match="any amount"):
        rbf(tasks, 5)
    with pytest.raises(LimitError, match="2\\^62"):
        rbf([rv.Task("a", wcet=2**50, period=1)], 2**40)
    with pytest.raises(SpecError):
        edf_schedulable(tasks, preemption="limited")
    assert edf_schedulable([]) and edf_response_times([]) == {}


def test_blocking():
    tasks = [rv.Task("a", wcet=2, period=6, deadline=4), rv.Task("b", wcet=3, period=9)]
    assert edf_schedulable(tasks, blocking={"b": 2}) and not edf_schedulable(tasks, blocking={"b": 3})
    assert edf_schedulable(tasks, blocking={"b": 3}).witness.parts["(held up)"] == 3


@settings(max_examples=10 if DISABLED else 60, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 5 if DISABLED else 30))
def test_every_set_that_fits_is_met_by_its_responses(number, count):
    rng = random.Random(number)
    rows = random_tasks(rng, count, top=60, load=100)
    scale = sum(Fraction(r["cost"], r["period"]) for r in rows) * rng.choice([Fraction(5, 4) if DISABLED else Fraction(101, 100), 2, 3])
    for row in rows:
        row["period"], row["deadline"] = int(row["period"] * scale) + 1, int(row["deadline"] * scale) + 1
    tasks = as_tasks(rows)
    responses = edf_response_times(tasks)
    assert bool(edf_schedulable(tasks)) == all(responses[task.name] is not None and responses[task.name] <= task.deadline for task in tasks)


@pytest.mark.parametrize("guest", ["edf", "fifo"])
@pytest.mark.parametrize("round_", range(4))
def test_no_simulation_breaks_a_bound(seed, guest, round_):
    rng = random.Random(seed * 100 + round_)
    rows = random_tasks(rng, 5, top=2000, load=0.95, jitter=round_ % 2 == 1)
    tasks = as_tasks(rows)
    bounds = {"edf": edf_response_times, "fifo": fifo_response_times}[guest](tasks, since="release")
    system = rv.System(cpus=1, vms=[rv.VM("rt", tasks=[t.replace(offset=rng.randint(0, t.period)) for t in tasks], guest=guest)])
    table = rv.simulate(system, rv.FixedPriority(), duration=us(100) if DISABLED else ms(2), record="summary").tasks
    assert all(int(table.loc[("rt", name), "response_max"]) <= bound for name, bound in bounds.items()), (rows, bounds)
    if guest == "edf" and edf_schedulable(tasks):
        assert int(table["misses"].sum()) == 0
