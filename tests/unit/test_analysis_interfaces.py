"""Budgets: against linear search; batches: against single answers; composition; overheads."""

from __future__ import annotations

import random
from fractions import Fraction

import numpy as np
import pytest
from oracle import analysis_uniprocessor as oracle
from test_analysis_edf import as_tasks, random_tasks

import rtvirt as rv
from rtvirt.analysis import (
    Component,
    Dedicated,
    ExplicitDeadlinePeriodic,
    Overheads,
    PeriodicResource,
    batch,
    best_interface,
    compose,
    edf_response_times,
    edf_schedulable,
    fp_response_times,
    fp_schedulable,
    min_budget,
)
from rtvirt.errors import LimitError, SpecError
from rtvirt.jit import DISABLED
from rtvirt.units import ms, us


def test_budgets_are_those_of_linear_search(seed):
    """Over every budget, and every instant of the demand bound."""
    rng = random.Random(seed)
    for _ in range(4 if DISABLED else 25):
        rows = random_tasks(rng, 2 if DISABLED else rng.randint(1, 3), top=12, load=0.6 if DISABLED else 0.9)
        period = rng.randint(1, 8)
        deadline = rng.randint(max(1, period // 2), period)
        used = sum(Fraction(r["cost"], r["period"]) for r in rows)
        demand = [oracle.demand_bound(rows, t) for t in range(1200)]
        enough = [q for q in range(deadline + 1) if Fraction(q, period) >= used
                  and all(d <= s for d, s in zip(demand, ExplicitDeadlinePeriodic(period, q, deadline).sbf(np.arange(1200)).tolist()))]
        assert min_budget(as_tasks(rows), period, deadline=deadline) == (enough[0] if enough else None), (rows, period, deadline)
        enough = [q for q in range(period + 1) if fp_schedulable(as_tasks(rows), PeriodicResource(period, q))]
        assert min_budget(as_tasks(rows), period, "fp") == (enough[0] if enough else None), (rows, period)


def arrays(rng, sets, n, load, *, late=False):
    """Random sets as matrices: utilization about `load`, periods log-uniform over two decades."""
    shares = rng.dirichlet(np.ones(n), sets) * load
    period = np.exp(rng.uniform(np.log(1e6), np.log(1e8), (sets, n))).astype(np.int64)
    cost = np.maximum(1, (shares * period).astype(np.int64))
    deadline = (cost + (period - cost) * rng.uniform(0.4, 1.6 if late else 1, (sets, n))).astype(np.int64)
    order = np.argsort(deadline, axis=1, kind="stable")
    return tuple(np.take_along_axis(a, order, 1) for a in (cost, period, deadline))


@pytest.mark.parametrize(("n", "late"), [(3, False), (9, True), (20, False), (20, True)])
def test_batches_are_single_answers(seed, n, late):
    """The float path of large sets, and the whole numbers of small ones."""
    rng = np.random.default_rng(seed)
    cost, period, deadline = arrays(rng, 2 if DISABLED else 12, n, rng.uniform(0.7, 0.98), late=late)
    jitter = (period * rng.uniform(0, 0.3, period.shape)).astype(np.int64) * (n == 9)
    for supply in (Dedicated(), PeriodicResource(200_000, 190_000)):
        responses = batch.fp_response_times(cost, period, deadline, jitter=jitter, supply=supply)
        fits = batch.edf_schedulable(cost, period, deadline, jitter=jitter, supply=supply)
        for s in range(len(cost)):
            tasks = [rv.Task(f"t{i}", wcet=int(cost[s, i]), period=int(period[s, i]), deadline=int(deadline[s, i]), jitter=int(jitter[s, i]),
                             priority=i + 1) for i in range(n)]
            single = fp_response_times(tasks, supply)
            assert responses[s].tolist() == [-1 if single[t.name] is None or single[t.name] > t.deadline else single[t.name] for t in tasks]
            assert fits[s] == bool(edf_schedulable(tasks, supply))
    for guest in ("edf", "fp"):
        budgets = batch.min_budget(cost, period, 500_000, deadline, guest=guest)
        for s in range(len(cost)):
            tasks = [rv.Task(f"t{i}", wcet=int(cost[s, i]), period=int(period[s, i]), deadline=int(deadline[s, i]), priority=i + 1) for i in range(n)]
            budget = None if budgets[s] < 0 else int(budgets[s])
            test = edf_schedulable if guest == "edf" else fp_schedulable
            assert budget == min_budget(tasks, 500_000, guest)
            assert budget is None or test(tasks, PeriodicResource(500_000, budget)) and not test(tasks, PeriodicResource(500_000, budget - 1))


def textbook_response(cost, period, i):
    """Joseph and Pandya in Python's integers; None beyond the period."""
    w = cost[i]
    while w <= period[i]:
        later = cost[i] + sum(-(-w // t) * c for c, t in zip(cost[:i], period[:i]))
        if later == w:
            return w
        w = later
    return -1


def test_floats_never_decide(seed):
    """Windows that are multiples of the periods, up to large numbers: where a reciprocal is most easily wrong."""
    rng = random.Random(seed)
    for _ in range(10 if DISABLED else 60):
        unit = rng.choice([1, 3, 10**6 + 3, 2**40 + 1])
        n = rng.choice([5, 16, 30])
        period = sorted(unit * rng.choice([2, 3, 4, 6, 8, 12, 24, 49, 98]) * n for _ in range(n))
        cost = [max(1, t // (n + rng.choice([0, 1, 1, 3]))) for t in period]
        expected = [textbook_response(cost, period, i) for i in range(n)]
        assert batch.fp_response_times([cost], [period])[0].tolist() == expected
        assert batch.edf_schedulable([cost], [period])[0] == (sum(Fraction(c, t) for c, t in zip(cost, period)) <= 1)


def test_batches_refuse_and_say_which():
    with pytest.raises(LimitError, match="set 1"):
        batch.fp_response_times([[1, 1], [2**53, 2**53]], [[4, 4], [1, 2**53]], [[4, 4], [2**53, 2**53]])
    for bad in ([[1.5]], [[0]], [1], [[2**60]]):
        with pytest.raises(SpecError):
            batch.fp_response_times(bad, [[4]])
    assert batch.fp_response_times(np.zeros((0, 3), np.int64), np.zeros((0, 3), np.int64)).shape == (0, 3)
    assert batch.edf_schedulable([[1, 1]], [[2, 2]]).tolist() == [True]                # utilization 1, exactly


def test_best_interfaces(seed):
    tasks = [rv.Task("a", wcet=7, period=50), rv.Task("b", wcet=9, period=75)]
    for guest in ("edf", "fp"):
        found = best_interface(tasks, range(1, 60), guest, switch=1)
        every = {p: min_budget(tasks, p, guest) for p in range(1, 60)}
        assert found.bandwidth == min(Fraction(q + 1, p) for p, q in every.items() if q is not None and q + 1 <= p)
        assert found.supply().sbf(50) >= 7 and found.abstraction_overhead > 0
    assert best_interface(tasks, [200], switch=199) is None


def test_composition_over_three_levels_asks_what_min_budget_asks():
    """Each level's budget is the least for its parts as tasks. (No run of all levels at once is made.)"""
    brakes = Component("brakes", 10, tasks=[rv.Task("b", wcet=4, period=40)])
    car = Component("car", 5, parts=[brakes], tasks=[rv.Task("c", wcet=1, period=50)])
    modem = Component("modem", 4, tasks=[rv.Task("m", wcet=2, period=30)], guest="fp")
    top = compose(Component("phone", 2, parts=[car, modem]))
    assert [part.name for part in top.parts] == ["car", "modem"] and top.parts[0].parts[0].name == "brakes"
    assert top.utilization == Fraction(4, 40) + Fraction(1, 50) + Fraction(2, 30) and top.bandwidth > top.utilization
    assert top.budget == min_budget([task for part in top.parts for task in part.tasks()], 2)
    assert compose(Component("x", 10, tasks=[rv.Task("b", wcet=11, period=12), rv.Task("c", wcet=2, period=12)])) is None
    with pytest.raises(SpecError, match="Component"):
        compose(Component("x", 10, parts=[rv.hog()]))


def test_overheads_are_charged():
    tasks = [rv.Task("a", wcet=10, period=40), rv.Task("b", wcet=20, period=60)]
    plain = fp_response_times(tasks)
    assert fp_response_times(tasks, overhead=Overheads()) == plain == {"a": 10, "b": 30}
    assert fp_response_times(tasks, overhead=Overheads(guest_switch=1)) == {"a": 12, "b": 34}
    assert fp_response_times(tasks, overhead=Overheads(tick=1, tick_period=10)) == {"a": 12, "b": 34}
    assert fp_response_times(tasks, overhead=Overheads(hypercall=3)) == {"a": 13, "b": 36}
    assert fp_response_times(tasks, overhead=Overheads(interrupt=2)) == {"a": 14, "b": 34}
    assert edf_response_times(tasks, overhead=Overheads(guest_switch=1))["b"] > edf_response_times(tasks)["b"]
    assert not edf_schedulable(tasks, overhead=Overheads(guest_switch=9))
    assert Overheads(vm_switch=1).supply(PeriodicResource(10, 4)) == PeriodicResource(10, 2)
    assert Overheads.of(rv.Costs.preset("xen-2003")).vm_switch == 375_000
    larger = [rv.Task("a", wcet=1000, period=4000), rv.Task("b", wcet=2000, period=6000)]
    for guest in ("edf", "fp"):
        free = min_budget(larger, 1000, guest)
        assert min_budget(larger, 1000, guest, overhead=Overheads(guest_switch=10)) > free
        costs = Overheads(interrupt=10, tick=5, tick_period=500)
        charged = min_budget(larger, 1000, guest, overhead=costs)
        test = edf_schedulable if guest == "edf" else fp_schedulable
        enough = [bool(test(larger, PeriodicResource(1000, q), overhead=costs)) for q in (charged - 1, charged)]
        assert charged > free and enough == [False, True]
    flood = [*tasks, rv.Task("x", wcet=1, period=9, arrival="poisson", priority=None)]
    assert fp_response_times(flood)["a"] == 10 and fp_response_times(flood, overhead=Overheads(interrupt=1))["a"] is None
    with pytest.raises(SpecError):
        Overheads(tick=-1)


@pytest.mark.parametrize("guest", ["fp", "edf"])
def test_no_simulation_with_costs_breaks_a_bound(seed, guest):
    rng = random.Random(seed)
    costs = rv.Costs(guest_switch=7, interrupt=5, hypercall=3)
    for _ in range(3):
        rows = random_tasks(rng, 4, top=4000, load=0.8)
        for row in rows:
            row["period"] += 400
        tasks = as_tasks(rows)
        bounds = (fp_response_times if guest == "fp" else edf_response_times)(tasks, overhead=Overheads.of(costs), since="release")
        system = rv.System(cpus=1, costs=costs, vms=[rv.VM("rt", tasks=tasks, guest=guest)])
        table = rv.simulate(system, rv.FixedPriority(), duration=us(100) if DISABLED else ms(2), record="summary").tasks
        assert all(bound is None or int(table.loc[("rt", name), "response_max"]) <= bound for name, bound in bounds.items()), (rows, bounds)
