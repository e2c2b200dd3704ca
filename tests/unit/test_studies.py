"""The worked studies: arrays say what `admit` says, blocks are parts of one row, fronts are what nobody beats; and their pictures."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from conftest import LONG

import rtvirt as rv
from rtvirt.errors import SpecError
from rtvirt.jit import DISABLED
from rtvirt.sweeps import studies
from rtvirt.sweeps.studies.fronts import KINDS, PERIODS, bounds, cheapest, contracts, pareto
from rtvirt.sweeps.studies.promises import VERDICTS
from rtvirt.sweeps.studies.ratio import disagreements, served
from rtvirt.units import ms, us

compiled = pytest.mark.skipif(DISABLED, reason="thousands of simulations")


@compiled
@pytest.mark.parametrize("utilization", [0.3, 0.5, 0.7, 0.85, 0.95])
def test_verdicts_by_arrays_are_those_of_admit(utilization, seed):
    for row in range(400 if LONG else 4):
        for vms in (2, 4):
            assert disagreements(utilization, row, vms=vms, seed=seed) == {}, (row, vms)


def test_blocks_are_parts_of_one_row():
    whole, part = studies.draw(4, 0.6, count=30, seed=7), studies.draw(4, 0.6, count=10, first=20, seed=7)
    assert all(np.array_equal(a[20:], b) for a, b in zip(whole, part))
    counts = [served(0.7, block, size=20) for block in range(3)]
    together = served(0.7, 0, size=60)
    assert all(sum(one[name] for one in counts) == together[name] for name in together)


def test_contracts_are_least_and_periods_divide_each_other():
    some = studies.draw(3, 0.6, count=200, seed=3)
    assert (4 * some.server <= some.period).all() and (8 * some.server > some.period).all()
    assert (some.server.max(axis=1, keepdims=True) % some.server == 0).all()
    least = rv.analysis.batch.min_budget(some.cost.reshape(-1, 1), some.period.reshape(-1, 1), some.server.ravel()).reshape(some.cost.shape)
    assert ((some.budget >= least) & (some.budget < least + us(10)))[some.budget < some.server].all()
    assert (some.alike().server == some.server.min(axis=1, keepdims=True)).all()


def test_the_shipped_million_is_a_million_of_these():
    shipped = studies.million()
    assert list(shipped.columns) == ["utilization", "systems", *VERDICTS] and int(shipped["systems"].sum()) == 1_000_000
    few = studies.schedulability(4000, progress=False, workers=1).set_index("utilization")
    shipped = shipped.set_index("utilization")
    for name in VERDICTS:             # the points of a curve share their random numbers: 4 standard deviations of one
        assert (few[name] / few["systems"] - shipped[name] / shipped["systems"]).abs().max() < 4 * 0.5 / 200**0.5, name
    assert set(studies.SCHEDULERS) == set(VERDICTS)


@pytest.mark.parametrize("count", [0, -5, 1.5, True, "many"])
def test_a_count_is_a_number_of_systems(count):
    with pytest.raises(SpecError, match="count"):
        studies.schedulability(count)


@compiled
def test_attacks_break_no_bound():
    table = studies.tightness(["FixedPriority", "RTDS"], systems=range(3), runs=15, progress=False, workers=1)
    assert len(table) == 18 and (table["tightness"] >= 1).all() and (table.query("scheduler == 'FixedPriority'")["tightness"] < 1.02).all()
    with pytest.raises(SpecError, match="schedulers"):
        studies.tightness(["Cfs"])


@compiled
def test_boost_helps_those_it_is_for():
    plane = studies.boost((0.1,), (1, 4), seeds=range(2), duration=ms(4000), progress=False, workers=1)
    assert len(plane) == 2 and (plane["io"] < 1).all() and (plane["decoder"] > 0.5).all()


@pytest.mark.parametrize("kind", list(KINDS))
def test_bounds_are_those_of_the_supplies(kind):
    for period in (ms(1), us(700)):
        for budget in (us(10), us(333), us(699)):
            for wcet in (1, us(333), us(2000)):
                assert bounds(kind, wcet, np.array([period]), np.array([budget])) == KINDS[kind].supply(period, budget).inverse(wcet)


def test_a_front_is_what_nobody_beats():
    found = contracts("periodic", ms(1), ms(20), ms(15), switch=us(20), steps=24)
    rows = pareto(found.share, found.bound)
    good = np.flatnonzero(found.bound >= 0)
    beaten = [((found.share[good] <= found.share[i]) & (found.bound[good] <= found.bound[i])
               & ((found.share[good] < found.share[i]) | (found.bound[good] < found.bound[i]))).any() for i in good]
    assert {(found.share[i], found.bound[i]) for i in rows} == {(found.share[i], found.bound[i]) for i, out in zip(good, beaten) if not out}
    assert (np.diff(found.bound[rows]) > 0).all() and (np.diff(found.share[rows]) < 0).all()


@pytest.mark.parametrize("kind", list(KINDS))
def test_the_cheapest_contract_is_exact(kind):
    """With one ns less of its budget the latency is not promised; and no period is cheaper."""
    found = cheapest(kind, ms(8), ms(1), ms(20), us(20))
    period, budget = (np.array([found[name]]) for name in ("period", "budget"))
    work = ms(1) + us(20)
    assert bounds(kind, work, period, budget) <= ms(8) < bounds(kind, work, period, budget - 1)
    every = np.array(PERIODS)
    less = np.maximum(1, np.ceil(found["share"] * every).astype(np.int64) - us(20) - 1)
    assert (bounds(kind, work, every, less)[less > 1] > ms(8)).all()
    assert cheapest(kind, ms(1), ms(1), ms(20), us(20))["share"] is None


@pytest.mark.parametrize("wrong", [dict(kind="lottery"), dict(wcet=0), dict(deadline=ms(30)), dict(switch=-1), dict(periods=()), dict(steps=0)])
def test_what_makes_no_contract_is_refused(wrong):
    with pytest.raises(SpecError):
        contracts(**(dict(kind="polling", wcet=ms(1), every=ms(20), deadline=ms(10)) | wrong))


def test_pictures():
    tight = pd.DataFrame({"scheduler": ["A", "A", "B"], "tightness": [1.5, 0.9, 1.0]})
    ax = rv.plots.tightness(tight)
    assert [line.get_xdata().tolist() for line in ax.get_lines() if line.get_marker() == "X"] == [[], [0.9]]
    plane = pd.DataFrame([(u, n, 0.5, 2.0) for u in (0.1, 0.2) for n in (1, 2)], columns=["u", "n", "io", "decoder"])
    assert [len(panel.texts) for panel in rv.plots.gains(plane, x="u", y="n", columns={"io": "io", "decoder": "d"}).figure.axes] == [4, 4]
    lines = rv.plots.fronts(studies.fronts(latencies=[ms(5), ms(9)], progress=False), used=0.05).get_lines()
    assert len(lines) == 7 and lines[0].get_ydata()[0] > lines[0].get_ydata()[1] > 5
    for call in (lambda: rv.plots.tightness(tight.rename(columns={"tightness": "t"})), lambda: rv.plots.tightness(tight[:0]),
                 lambda: rv.plots.gains(plane, x="u", y="n", columns={"cpu": ""}), lambda: rv.plots.fronts(plane),
                 lambda: rv.plots.gains(pd.concat([plane, plane]), x="u", y="n", columns={"io": ""})):
        with pytest.raises(SpecError):
            call()
