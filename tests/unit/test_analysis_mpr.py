"""VMs with several vCPUs: supplies against every handout, tests at every instant, budgets by linear search, and RTDS in the engine."""

from __future__ import annotations

import random
from fractions import Fraction

import numpy as np
import pytest
from oracle import analysis_multicore as oracle
from oracle import analysis_supply
from test_analysis_multicore import as_tasks, random_rows, used

import rtvirt as rv
from rtvirt.analysis import (
    Component,
    DeterministicMultiprocessorPeriodicResource,
    Endless,
    MultiprocessorPeriodicResource,
    Overload,
    PeriodicResource,
    best_mpr,
    compose,
    edf_schedulable,
    min_budget,
    min_dmpr,
    min_mpr_budget,
    mpr_schedulable,
)
from rtvirt.errors import SpecError
from rtvirt.jit import DISABLED
from rtvirt.units import ms, us


def test_dmpr_is_whole_pcpus_and_a_partial_one():
    t = np.arange(30)
    for period, budget, full in ((5, 2, 1), (4, 3, 2), (3, 1, 0), (6, 0, 2), (1, 0, 3), (4, 0, 0)):
        supply = DeterministicMultiprocessorPeriodicResource(period, budget, full)
        curve = supply.sbf(t).tolist()
        assert curve == [full * int(x) + analysis_supply.budget_sbf(int(x), period, budget, period) for x in t]
        assert supply.rate == full + Fraction(budget, period) and supply.cpus == full + (budget > 0)
        assert sum(supply.vcpu_budgets) == supply.rate * period
        if supply.rate:
            assert [supply.inverse(w) for w in range(curve[-1] + 1)] == [next(x for x in range(30) if curve[x] >= w) for w in range(curve[-1] + 1)]
            assert all(supply.rate * (x - supply.delay) <= y for x, y in zip(t.tolist(), curve))
    for bad in ((0, 0, 1), (5, 5, 1), (5, -1, 1), (5, 1, -1), (5, 1.5, 1)):
        with pytest.raises(SpecError):
            DeterministicMultiprocessorPeriodicResource(*bad)


def test_a_fixed_shape_is_never_worse():
    """DMPR beside the MPR supply of the same bandwidth."""
    t = np.arange(100)
    for period, budget, full in ((5, 2, 1), (7, 3, 2), (4, 3, 1)):
        fixed = DeterministicMultiprocessorPeriodicResource(period, budget, full)
        free = MultiprocessorPeriodicResource(period, full * period + budget, full + 1)
        assert (fixed.sbf(t) >= free.sbf(t)).all() and fixed.rate == free.rate


def shapes(rng):
    period, m = rng.randint(1, 6), rng.randint(2, 3)
    if rng.random() < 0.5:
        return MultiprocessorPeriodicResource(period, rng.randint(period, m * period), m)
    return DeterministicMultiprocessorPeriodicResource(period, rng.randint(0, period - 1), m)


def test_every_window_is_looked_at(seed):
    rng = random.Random(seed)
    fits = 0
    for _ in range(10 if DISABLED else 80):
        supply = shapes(rng)
        rows = random_rows(rng, rng.randint(1, 4), supply.cpus, load=0.5)
        if used(rows) > supply.rate * Fraction(9, 10) or used(rows) == supply.rate:
            continue
        found = mpr_schedulable(as_tasks(rows), supply)
        expected = oracle.carry_in_fits(rows, supply.sbf(np.arange(250)).tolist(), supply.cpus)
        whole = supply.full if isinstance(supply, DeterministicMultiprocessorPeriodicResource) else supply.cpus * (supply.rate == supply.cpus)
        expected = expected or len(rows) <= whole                                             # a pCPU for each task
        assert bool(found) == expected, (rows, supply, found)
        fits += expected
    assert DISABLED or fits > 5


def test_budgets_are_those_of_linear_search(seed):
    rng = random.Random(seed + 1)
    for _ in range(2 if DISABLED else 10):
        m, period = rng.randint(1, 3), rng.randint(1, 6)
        tasks = as_tasks(random_rows(rng, rng.randint(1, 4), m, load=0.6))
        enough = [q for q in range(m * period + 1) if mpr_schedulable(tasks, MultiprocessorPeriodicResource(period, q, m))]
        assert min_mpr_budget(tasks, period, m) == (enough[0] if enough else None)
        assert enough == list(range(enough[0], m * period + 1)) if enough else True
        whole = [(full, q) for full in range(len(tasks) + 1) for q in range(period)
                 if mpr_schedulable(tasks, DeterministicMultiprocessorPeriodicResource(period, q, full))]
        fixed = min_dmpr(tasks, period)
        assert (fixed and (fixed.full, fixed.budget)) == (whole[0] if whole else None)
        best = best_mpr(tasks, period, 3)
        found = [(q, k) for k in (1, 2, 3) if (q := min_mpr_budget(tasks, period, k)) is not None]
        assert (best and (best.budget, best.cpus)) == (min(found) if found else None)


def test_one_vcpu_is_the_exact_test():
    two = [rv.Task("a", wcet=7, period=50), rv.Task("b", wcet=9, period=75, deadline=90)]
    assert min_mpr_budget(two, 10, 1) == min_budget(two, 10) == 3
    for q in range(11):
        assert bool(mpr_schedulable(two, MultiprocessorPeriodicResource(10, q, 1))) == bool(edf_schedulable(two, PeriodicResource(10, q)))


def test_refusals_and_witnesses():
    three = [rv.Task(n, wcet=6, period=10) for n in "abc"]
    short = mpr_schedulable(three, MultiprocessorPeriodicResource(10, 17, 2))
    assert isinstance(short.witness, Overload) and short.exact
    tight = mpr_schedulable(three, MultiprocessorPeriodicResource(10, 19, 3))
    assert not tight and "surely brings" in tight.why() and sum(tight.witness.parts.values()) == tight.witness.demand > tight.witness.supply
    chased = rv.Task("p", wcet=1, period=9, deadline=9, arrival="poisson")
    assert isinstance(mpr_schedulable([chased], MultiprocessorPeriodicResource(9, 17, 2)).witness, Endless)
    assert min_mpr_budget([*three, *[t.replace(name=t.name * 2) for t in three]], 10, 3) is None
    hopeless = [rv.Task("a", wcet=6, period=10, deadline=5)]
    assert min_mpr_budget(hopeless, 10, 3) is None and min_dmpr(hopeless, 5) is None
    assert min_mpr_budget([], 10, 3) == 0 and min_dmpr([], 10).rate == 0
    with pytest.raises(SpecError, match="an MPR or a DMPR"):
        mpr_schedulable(three, PeriodicResource(10, 5))
    with pytest.raises(SpecError, match="up to its period"):
        mpr_schedulable([three[0].replace(deadline=11)], MultiprocessorPeriodicResource(10, 19, 3))
    with pytest.raises(SpecError, match="period"):
        min_mpr_budget(three, 0, 2)


def test_components_with_several_vcpus():
    inner = Component("video", 10, tasks=[rv.Task(n, wcet=30, period=100) for n in "abcd"], cpus=2)
    whole = compose(Component("phone", 5, parts=[inner, Component("modem", 10, tasks=[rv.Task("m", wcet=2, period=40)])], cpus=2), switch=0)
    video = whole.parts[0]
    assert video.budget == min_mpr_budget(inner.tasks, 10, 2) and video.supply() == MultiprocessorPeriodicResource(10, video.budget, 2)
    assert [t.wcet for t in video.tasks()] == MultiprocessorPeriodicResource(10, video.budget, 2).vcpu_budgets
    assert whole.budget == min_mpr_budget([*video.tasks(), *whole.parts[1].tasks()], 5, 2)
    assert compose(inner, switch=1).bandwidth == video.bandwidth + Fraction(2, 10)
    assert compose(Component("x", 10, tasks=inner.tasks, cpus=1)) is None
    with pytest.raises(SpecError, match="global EDF"):
        compose(Component("x", 10, tasks=inner.tasks, cpus=2, guest="fp"))


UNIT = us(20)             # RTDS takes budgets from 10 us on


def scene(tasks, shape, awake, rng):
    """The VM under RTDS, beside hogs whose budgets take the rest of the pCPUs; `awake`: each vCPU polls when it has nothing to do."""
    polling = [rv.hog(f"poll{v}").replace(vcpu=v) for v in range(shape.cpus)] if awake else []
    placed = [task.replace(offset=rng.randrange(task.period)) for task in tasks]
    budgets = shape.vcpu_budgets
    rest = [shape.period - b for b in budgets if b < shape.period]
    others = [rv.VM(f"h{i}", tasks=[rv.hog()], budget=b, period=shape.period) for i, b in enumerate(rest) if b >= us(10)]
    guest = rv.VM("rt", tasks=[*placed, *polling], vcpus=shape.cpus, guest="edf", budget=budgets, period=shape.period)
    return rv.System(cpus=shape.cpus, vms=[*others, guest])


@pytest.mark.parametrize("kind", ["mpr", "dmpr"])
def test_no_run_under_rtds_misses(seed, kind):
    """Equal periods everywhere, so that RTDS surely gives each vCPU its budget in every period; the vCPUs stay awake."""
    rng = random.Random(f"{seed}/{kind}")
    runs = 0
    for _ in range(2 if DISABLED else 20):
        m = rng.randint(2, 3)
        rows = random_rows(rng, rng.randint(m, 6), m, top=40, load=0.6)
        tasks = as_tasks(rows, scale=UNIT)
        period = UNIT * rng.randint(2, 8)
        shape = best_mpr(tasks, period, m) if kind == "mpr" else min_dmpr(tasks, period, m)
        if shape is None or shape.cpus < 2 or min(shape.vcpu_budgets) < us(10):
            continue
        system = scene(tasks, shape, True, rng)
        table = rv.simulate(system, rv.RTDS(), ms(2) if DISABLED else ms(60), record="summary").tasks
        assert int(table.loc["rt"]["misses"].sum()) == 0, (rows, shape)
        runs += 1
    assert DISABLED or runs > 2
