"""Explorer of contracts without a browser: no simulation breaks a bound, the front is the grid's, words and picture agree."""

from __future__ import annotations

import random

import numpy as np
import pytest
from conftest import LONG

import rtvirt as rv
from rtvirt.explorers import pareto
from rtvirt.jit import DISABLED
from rtvirt.units import ms

pytestmark = pytest.mark.skipif(DISABLED, reason="a second of simulation at each point")


def anywhere(rng: random.Random, kind: str) -> pareto.Params:
    """Some point of the sliders."""
    every = rng.randint(5, 50)
    deadline = rng.randint(2, every)
    wcet = round(rng.uniform(0.1, min(10, deadline / 2)), 1)
    return pareto.Params(period=round(rng.uniform(0.2, 20), 1), share=rng.randint(20, 198) / 2, wcet=wcet, every=every, deadline=deadline,
                         switch=5 * rng.randint(0, 20), kind=kind)


@pytest.mark.parametrize("kind", list(pareto.KINDS))
def test_no_simulation_breaks_a_bound(kind, seed):
    rng, promised = random.Random(seed), 0
    for _ in range(3000 if LONG else 60):
        params = anywhere(rng, kind)
        try:
            found = pareto.compute(params)
        except rv.SpecError as error:
            assert "the switch takes" in str(error)
            continue
        promised += found.bound >= 0
        assert found.bound < 0 or 0 < found.seen <= found.bound, params
    assert promised >= 10


def test_without_switches_the_bound_is_nearly_seen():
    found = pareto.compute(pareto.Params(kind="fixed slot", switch=0, period=4.0, share=25.0))
    assert 0.85 * found.bound < found.seen <= found.bound


def test_words_and_picture_agree():
    explorer = pareto.explorer()
    found, picture = explorer._scene.found, explorer._scene.plot.picture
    assert "It is dominated" in explorer.sentence.value and picture["chosen"] == [found.bound, 30.0] and picture["seen"] == found.seen
    better = found.better
    assert found.grid.share[better] < 0.3 and found.grid.bound[better] <= found.bound
    explorer.set(share=6.0)
    assert "promises no response within the deadline" in explorer.sentence.value and explorer._scene.plot.picture["chosen"] is None
    explorer.set(share=6.0, wcet=1.0, deadline=1)
    assert "No contract does" in explorer.sentence.value and explorer.static()


def test_on_the_front_nothing_is_better():
    first = pareto.compute(pareto.Params())
    i = int(first.front[len(first.front) // 2])
    params = pareto.Params(period=first.grid.period[i] / 1e6, share=round(100 * float(first.grid.share[i]), 6))
    found = pareto.compute(params)
    assert found.better is None and "on the front" in pareto.sentence(found)


def test_dearer_switches_move_the_front():
    fronts = [pareto.compute(pareto.Params(switch=switch)) for switch in (0, 50)]
    least = [float(found.grid.share[found.front].min()) for found in fronts]
    assert least[0] < least[1] and all((np.diff(found.grid.share[found.front]) < 0).all() for found in fronts)


def test_controls_end_where_sense_ends():
    explorer = pareto.explorer()
    explorer.controls["every"].value = 6
    assert explorer.params.deadline <= 6 and explorer.controls["deadline"].max == 6
    explorer.set(period=0.2, share=1.0, switch=0)
    explorer.controls["switch"].value = 100
    assert "This cannot be run" in explorer.sentence.value and ms(explorer.params.period) == 200_000
