"""Sensitivity: against linear search, textbooks, and both sides of every answer."""

from __future__ import annotations

import random
from fractions import Fraction
from functools import partial

import numpy as np
import pytest
from test_analysis_multicore import as_tasks, random_rows

import rtvirt as rv
from rtvirt.analysis import (
    DeferrableServer,
    ExplicitDeadlinePeriodic,
    MultiprocessorPeriodicResource,
    PeriodicResource,
    breakdown_utilization,
    edf_schedulable,
    fp_schedulable,
    global_edf_schedulable,
    global_fp_schedulable,
    min_budget,
    min_mpr_budget,
    mpr_schedulable,
    period_scaling,
    robustness_margin,
    supply_scaling,
    taskset,
    wcet_scaling,
)
from rtvirt.errors import SpecError
from rtvirt.jit import DISABLED
from rtvirt.units import ms, us

TESTS = {"edf": edf_schedulable, "fp": fp_schedulable, "server": lambda tasks: fp_schedulable(tasks, PeriodicResource(3, 2)),
         "global edf": lambda tasks: global_edf_schedulable(tasks, 2, test="rta"), "global fp": lambda tasks: global_fp_schedulable(tasks, 2)}


@pytest.mark.parametrize("name", TESTS)
def test_factors_are_those_of_linear_search(seed, name):
    rng, test, tenth = random.Random(f"{seed}/{name}"), TESTS[name], Fraction(1, 10)
    for _ in range(2 if DISABLED else 8):
        tasks = as_tasks(random_rows(rng, rng.randint(1, 4), 1, load=0.8), scale=10)
        good = [k for k in range(1, 80) if test([task.replace(wcet=-(-task.wcet * k // 10)) for task in tasks])]
        found = wcet_scaling(tasks, test, step=tenth)
        assert (found and found.factor) == (Fraction(good[-1], 10) if good else None)
        assert found is None or (test(found.tasks) and found.beyond == found.factor + tenth and not test(
            [task.replace(wcet=-(-task.wcet * found.beyond.numerator // found.beyond.denominator)) for task in tasks]))
        own = rng.choice(tasks)
        good = [c for c in range(1, 400) if test([task.replace(wcet=c) if task is own else task for task in tasks])]
        found = wcet_scaling(tasks, test, task=own.name)
        assert (found and found.factor * own.wcet) == (good[-1] if good else None)
        good = [p for p in range(1, own.period + 1) if test([respaced(task, p) if task is own else task for task in tasks])]
        found = period_scaling(tasks, test, task=own.name)
        if good:
            assert found.factor * own.period == good[0] and [task.period for task in found.tasks if task.name == own.name] == [good[0]]
        good = [k for k in range(1, 400) if all(int(task.period * Fraction(k, 100)) for task in tasks)
                and test([respaced(task, int(task.period * Fraction(k, 100))) for task in tasks])]
        found = period_scaling(tasks, test, step=Fraction(1, 100))
        assert not good or found.factor == Fraction(good[0], 100)


def respaced(task, period):
    return task.replace(period=period, deadline=period if task.deadline == task.period else min(task.deadline, period))


def test_supplies_are_those_of_linear_search(seed):
    rng = random.Random(seed)
    for _ in range(3 if DISABLED else 15):
        tasks = as_tasks(random_rows(rng, rng.randint(1, 3), 1, load=0.5))
        period = rng.randint(2, 6)
        for test, guest in ((edf_schedulable, "edf"), (fp_schedulable, "fp")):
            found = supply_scaling(PeriodicResource(period, period), partial(test, tasks))
            assert (found and found.budget) == min_budget(tasks, period, guest)
            good = [p for p in range(2, 60) if test(tasks, PeriodicResource(p, 2))]
            found = supply_scaling(PeriodicResource(2, 2), partial(test, tasks), "period")
            assert (found and found.period) == (good[-1] if good else None)
            good = [d for d in range(2, 7) if test(tasks, ExplicitDeadlinePeriodic(6, 2, d))]
            found = supply_scaling(ExplicitDeadlinePeriodic(6, 2, 3), partial(test, tasks), "deadline")
            assert (found and found.deadline) == (good[-1] if good else None)
        found = supply_scaling(MultiprocessorPeriodicResource(period, 2 * period, 2), partial(mpr_schedulable, tasks))
        assert (found and found.budget) == min_mpr_budget(tasks, period, 2)
    server = supply_scaling(DeferrableServer(10, 5), lambda supply: fp_schedulable([rv.Task("a", wcet=3, period=40)], supply))
    assert server.budget < 5 and not fp_schedulable([rv.Task("a", wcet=3, period=40)], DeferrableServer(10, server.budget - 1))
    with pytest.raises(SpecError, match="field"):
        supply_scaling(PeriodicResource(2, 2), bool, "deadline")


def test_breakdown_of_the_books():
    """EDF: 1 for implicit deadlines; rate monotonic: harmonic sets 1, Liu and Layland's worst case n(2^(1/n) − 1)."""
    harmonic = [rv.Task("a", wcet=ms(1), period=ms(10)), rv.Task("b", wcet=ms(1), period=ms(20)), rv.Task("c", wcet=ms(1), period=ms(40))]
    worst = [rv.Task("a", wcet=us(41_421), period=us(100_000)), rv.Task("b", wcet=us(58_578), period=us(141_421))]
    for tasks, fp in ((harmonic, 1), (worst, 2 * (2**0.5 - 1))):
        assert float(breakdown_utilization(tasks, edf_schedulable)) == pytest.approx(1, abs=1e-5)
        assert float(breakdown_utilization(tasks, fp_schedulable)) == pytest.approx(fp, abs=1e-4)
    assert breakdown_utilization(harmonic, lambda tasks: False) is None


def test_realistic_numbers_have_an_answer(seed):
    """Nanoseconds, periods over two decades, bisection up to the edge of utilization 1."""
    rng = np.random.default_rng(seed)
    for n in (3,) if DISABLED else (5, 10, 20):
        period = np.exp(rng.uniform(np.log(1e7), np.log(1e9), n)).astype(int)
        tasks = [rv.Task(f"t{i}", wcet=max(1, int(u * p)), period=int(p)) for i, (u, p) in enumerate(zip(rng.dirichlet(np.ones(n)) * 0.5, period))]
        found = wcet_scaling(tasks, edf_schedulable)
        used = taskset(tasks).utilization()
        assert found.factor * used <= 1 + Fraction(1, 10**5) and found.beyond * used > 1 - Fraction(1, 10**5)
        assert breakdown_utilization(tasks, fp_schedulable) <= 1
        margin = robustness_margin(tasks, fp_schedulable, step=Fraction(1, 1000))
        assert all(extra >= int(margin.overall * task.wcet) for task, extra in zip(tasks, margin.each.values()))


def test_margins():
    two = [rv.Task("a", wcet=100, period=400), rv.Task("b", wcet=200, period=600)]
    margin = robustness_margin(two, fp_schedulable)
    assert margin.each == {"a": 100, "b": 200} and "50 %" in margin.why() and "'a'" in margin.why()
    late = robustness_margin([rv.Task("a", wcet=300, period=400), two[1]], edf_schedulable)
    assert late.overall < 0 and late.each == {} and late.weakest is None
    assert robustness_margin(two, lambda tasks: False) is None
    free = [rv.hog(), rv.Task("x", wcet=5, period=9, arrival="poisson")]
    margin = robustness_margin([*two, *free], edf_schedulable)
    assert margin.each["hog"] is None and margin.each["x"] is None and margin.each["b"] is not None
    assert wcet_scaling(free, edf_schedulable).beyond is None and "nothing larger" in wcet_scaling(free, edf_schedulable).why()


def test_all_kinds_of_work_scale():
    tasks = [rv.Task("list", wcet=[10, 20], period=100), rv.Task("script", period=100, actions=[rv.run(10), rv.block(5), rv.run(5)]), rv.hog()]
    found = wcet_scaling(tasks, edf_schedulable, step=Fraction(1, 10))
    assert found.factor == Fraction(27, 10) and found.tasks[0].wcet == (27, 54) and found.tasks[1].actions[0].duration == 27
    assert found.tasks[1].actions[1].duration == 5 and found.tasks[2].is_hog and "2.7: accepted; with 2.8" in found.why()
    for bad, words in (((tasks, edf_schedulable, {"task": "x"}), "choose one"), ((tasks, edf_schedulable, {"task": "hog"}), "hog"),
                       (([rv.Task("d", wcet=rv.uniform(1, 5), period=9)], edf_schedulable, {}), "largest value"),
                       ((tasks, edf_schedulable, {"step": 0.1}), "Fraction")):
        with pytest.raises(SpecError, match=words):
            wcet_scaling(*bad[:2], **bad[2])
    with pytest.raises(SpecError, match="with a period"):
        period_scaling([rv.hog()], edf_schedulable)
    assert period_scaling([tasks[0]], lambda tasks: False) is None
