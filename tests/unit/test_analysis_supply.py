"""Supplies: against exhaustive search, at the edges, and as curves."""

from __future__ import annotations

import random
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import analysis_supply as oracle

import rtvirt as rv
from rtvirt.analysis import (
    BoundedDelay,
    ConstantBandwidthServer,
    Dedicated,
    DeferrableServer,
    ExplicitDeadlinePeriodic,
    FixedPriorityPartition,
    MultiprocessorPeriodicResource,
    PeriodicResource,
    PollingServer,
    RoundRobinShare,
    SlotTable,
    SporadicServer,
)
from rtvirt.errors import LimitError, SpecError

TIMES = list(range(0, 40))


@pytest.mark.parametrize("period", range(1, 7))
def test_budgets_are_those_of_exhaustive_search(period):
    for deadline in range(1, period + 1):
        for budget in range(deadline + 1):
            expected = [oracle.budget_sbf(t, period, budget, deadline) for t in TIMES]
            assert ExplicitDeadlinePeriodic(period, budget, deadline).sbf(TIMES).tolist() == expected, (period, budget, deadline)
            if deadline == period:
                assert PeriodicResource(period, budget).sbf(TIMES).tolist() == expected


@pytest.mark.parametrize(("period", "cpus"), [(1, 1), (1, 4), (2, 3), (3, 2), (3, 3), (4, 2), (4, 3), (5, 2), (2, 5)])
def test_several_pcpus_are_those_of_exhaustive_search(period, cpus):
    times = range(0, 6 * period + 1)
    for budget in range(cpus * period + 1):
        expected = [oracle.budget_sbf(t, period, budget, period, cpus) for t in times]
        supply = MultiprocessorPeriodicResource(period, budget, cpus)
        assert supply.sbf(list(times)).tolist() == expected, budget
        assert supply.inverse(list(range(expected[-1] + 1))).tolist() == [next(t for t in times if expected[t] >= w) for w in range(expected[-1] + 1)]


def random_table(rng):
    frame = rng.randint(1, 14)
    slots, at = [], 0
    while at < frame:
        at += rng.randint(0, 3)
        length = rng.randint(0, max(0, min(4, frame - at)))
        if at + length <= frame and length:
            slots.append((at, length))
        at += max(1, length)
    return slots, frame


def test_slot_tables_are_those_of_exhaustive_search(seed):
    rng = random.Random(seed)
    for _ in range(300):
        slots, frame = random_table(rng)
        rng.shuffle(slots)
        expected = [oracle.table_sbf(t, slots, frame) for t in TIMES]
        assert SlotTable(slots, frame).sbf(TIMES).tolist() == expected, (slots, frame)


def test_what_partitions_leave_is_what_serving_them_first_leaves(seed):
    rng = random.Random(seed)
    for _ in range(150):
        stairs = [(rng.randint(1, 3), rng.randint(4, 12), rng.randint(0, 9)) for _ in range(rng.randint(0, 3))]
        base = rng.choice([Dedicated(), SlotTable([(0, 7)], 9), PeriodicResource(5, 4)])
        given = [base.sbf(t + 1) - base.sbf(t) for t in TIMES]
        expected = [oracle.left_over(t, stairs, given) for t in TIMES]
        if base.rate > sum(Fraction(c, p) for c, p, _ in stairs):
            assert FixedPriorityPartition(stairs, on=base).sbf(TIMES).tolist() == expected, (stairs, base)
        else:
            assert FixedPriorityPartition(stairs, on=base).sbf(TIMES).tolist() == [0] * len(TIMES)


def test_edges():
    assert PeriodicResource(10, 10).sbf(TIMES).tolist() == TIMES                      # a full budget is a pCPU, from t = 0 on
    assert PeriodicResource(10, 0).sbf(10**9) == 0 and PeriodicResource(10, 0).inverse(1) is None and PeriodicResource(10, 0).inverse(0) == 0
    assert MultiprocessorPeriodicResource(10, 30, 3).sbf([0, 1, 10]).tolist() == [0, 3, 30]
    assert MultiprocessorPeriodicResource(10, 12, 3).sbf([12, 13, 16, 17]).tolist() == [0, 3, 12, 12]      # a multiple of m
    assert SlotTable([(0, 5)], 5).sbf(TIMES).tolist() == TIMES and SlotTable([], 5).sbf(99) == 0
    assert Dedicated().sbf(-3) == 0 and PeriodicResource(10, 4).sbf(np.zeros((2, 0), np.int64)).shape == (2, 0)
    huge = PeriodicResource(10, 4).sbf(2**60)
    assert huge == (2**60 - 12) // 10 * 4 + min(4, (2**60 - 12) % 10)
    with pytest.raises(LimitError):
        MultiprocessorPeriodicResource(10, 1000, 100).sbf(2**60)
    with pytest.raises(LimitError):
        PeriodicResource(10, 4).sbf(2**62)
    with pytest.raises(TypeError):
        PeriodicResource(10, 4).sbf(3.5)


def test_rates_and_delays():
    assert (BoundedDelay(Fraction(1, 3), 10).rate, BoundedDelay(Fraction(1, 3), 10).delay) == (Fraction(1, 3), 10)
    assert BoundedDelay(1, 0).sbf(TIMES).tolist() == TIMES
    big = Fraction(2**52 - 1, 2**53 - 5)                                                # the product passes 2^62: digit by digit
    for t in (2**52, 2**53 - 6, 2**58 + 12345):
        assert BoundedDelay(big, 7).sbf(t) == (t - 7) * big.numerator // big.denominator
        work = BoundedDelay(big, 7).sbf(t)
        assert BoundedDelay(big, 7).inverse(work) == 7 + -(-work * big.denominator // big.numerator)
    assert MultiprocessorPeriodicResource(10, 25, 3).rate == Fraction(5, 2)
    assert SlotTable([(0, 2), (5, 1)], 10).delay == Fraction(20, 3) - 2


def test_servers():
    assert DeferrableServer(10, 4).sbf(TIMES).tolist() == PeriodicResource(10, 4).sbf(TIMES).tolist()
    assert DeferrableServer(10, 4, response=4).sbf(TIMES).tolist() == SlotTable([(0, 4)], 10).sbf(TIMES).tolist()
    assert [t for t in range(40) if PollingServer(10, 4).sbf(t) == 0][-1] == 16
    assert SporadicServer(10, 4).interference == [(4, 10, 0)] and DeferrableServer(10, 4).interference == [(4, 10, 6)]
    with pytest.raises(SpecError, match="deadline aging"):
        ConstantBandwidthServer(10, 4, hard=False)


SUPPLIES = st.one_of(
    st.tuples(st.integers(1, 60), st.floats(0, 1)).map(lambda x: PeriodicResource(x[0], int(x[0] * x[1]))),
    st.tuples(st.integers(1, 60), st.floats(0, 1), st.integers(1, 5)).map(
        lambda x: MultiprocessorPeriodicResource(x[0], int(x[0] * x[1] * x[2]), x[2])),
    st.tuples(st.fractions(Fraction(1, 50), 1, max_denominator=10**6), st.integers(0, 50)).map(lambda x: BoundedDelay(*x)),
    st.integers(0, 10**6).map(lambda x: SlotTable(*random_table(random.Random(x)))),
    st.tuples(st.integers(1, 20), st.integers(1, 5)).map(lambda x: RoundRobinShare(*x)),
    st.tuples(st.integers(2, 30), st.floats(0, 1)).map(lambda x: PollingServer(x[0], int(x[0] * x[1]))),
    st.integers(0, 20).map(lambda j: FixedPriorityPartition([(2, 9, j), (1, 7, 0)], on=PeriodicResource(6, 5))))


@settings(max_examples=80, deadline=None)
@given(SUPPLIES)
def test_curves(supply):
    t = np.arange(0, 250)
    curve = supply.sbf(t)
    assert curve[0] == 0 and (np.diff(curve) >= 0).all()                               # never falls
    if not isinstance(supply, BoundedDelay):                                           # (rounding down costs one)
        assert all(curve[a] + curve[b] <= curve[a + b] for a in range(0, 120, 7) for b in range(0, 120, 5))      # superadditive
    line = supply.lsbf(t)
    assert (line <= curve).all()
    if supply.rate > 0 and not supply.has_less() and supply.delay.denominator == 1:    # and no line of that rate is higher
        assert any(supply.rate * (x - supply.delay + 1) > y for x, y in zip(t.tolist(), curve.tolist()))
    for work in range(1, int(curve[-1]) + 1):                                          # inverse: the first t that reaches it
        assert supply.inverse(work) == int(np.searchsorted(curve, work))
    amounts = np.arange(0, int(curve[-1]) + 1)
    assert (supply.sbf(supply.inverse(amounts)) >= amounts).all()


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.floats(0, 1), st.integers(1, 10**9))
def test_scaling(period, share, factor):
    budget = int(period * share)
    t = np.arange(0, 130)
    assert (PeriodicResource(period * factor, budget * factor).sbf(t * factor) == factor * PeriodicResource(period, budget).sbf(t)).all()


def test_bad_parameters_say_what_is_wrong():
    for make, words in ((lambda: PeriodicResource(10, 11), "PeriodicResource.budget is 11; allowed: 0 ns to 10 ns"),
                        (lambda: PeriodicResource(1.5, 1), "integer nanoseconds"), (lambda: BoundedDelay(0, 1), "rate"),
                        (lambda: SlotTable([(0, 4), (3, 1)], 10), "at least 4"), (lambda: SlotTable([(8, 4)], 10), "rest of the frame"),
                        (lambda: SlotTable(3, 10), "pairs"), (lambda: FixedPriorityPartition([7]), "a server, a task"),
                        (lambda: FixedPriorityPartition([BoundedDelay(1, 0)]), "a server with a budget")):
        with pytest.raises(SpecError, match=words):
            make()


def test_a_hog_of_higher_importance_leaves_nothing():
    assert FixedPriorityPartition([rv.VM("x", tasks=[rv.hog()])]).sbf(10**6) == 0


def test_what_other_supplies_compute_is_no_default_of_a_bounded_delay():
    for arguments in ((), (0.5,)):
        with pytest.raises(TypeError, match="missing .* required"):
            BoundedDelay(*arguments)


def test_no_times_bring_no_supply():
    for none in ([], np.array([]), np.array([], np.int64)):
        assert BoundedDelay(0.5, 10).sbf(none).tolist() == []
