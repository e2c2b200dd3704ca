"""The explorer of what traps cost, without a browser: what it computes, says and draws."""

from __future__ import annotations

import pytest

import rtvirt as rv
from rtvirt.explorers import traps
from rtvirt.explorers.traps import KEYS, Params, compute, sentence


@pytest.mark.parametrize("platform", traps.PLATFORMS)
def test_bars_are_the_prices_of_the_cost_model(platform):
    found = compute(Params(platform=platform, first=1, second=2))
    machine = rv.traps.platform(platform)
    for structure, load in zip(machine.structures, found.loads, strict=True):
        for one, cycles in load.items():
            assert cycles == 1000 * traps.rates(found.params)[one] * rv.traps.cost(structure, platform, one, partial=True).overhead
    assert "None" not in sentence(found)
    scene = traps.explorer(platform=platform, first=1, second=2)._scene
    assert len(scene.stacks.picture["bars"]) == len(machine.structures) and len(scene.figure().axes) == 2


def test_the_border_is_where_both_cost_the_same():
    """Binary translation against hardware assist on the Pentium 4: the sentence's rate of system calls, one more, one less."""
    at = compute(Params())
    offset, per_x, per_y = at.line
    border = -(offset + per_y * at.params.page_fault) / per_x
    below, above = (compute(Params(system_call=rate)) for rate in (int(border), int(border) + 1))
    assert "Binary translation is cheaper" in sentence(below) and "Hardware assist (control block) is cheaper" in sentence(above)
    assert f"{round(1000 * border):,} system calls" in sentence(below)
    difference = [sum(found.loads[1].values()) - sum(found.loads[2].values()) for found in (below, above)]
    assert difference[0] < 0 < difference[1]


def test_what_nobody_published_is_said():
    """A bar that is known is cheaper than one that costs at least more; else nothing can be said."""
    found = compute(Params(platform="dell-2650"))
    assert found.line is None and not found.unknown[1] and found.unknown[2] and "Previrtualized is cheaper here" in sentence(found)
    open_ended = compute(Params(port_read=5))
    assert open_ended.line is None and "not known" in sentence(open_ended) and "port accesses" in sentence(open_ended)


@pytest.mark.parametrize("values, words", [({"up": "system calls"}, "another operation"), ({"platform": "p4-672", "first": 4}, "1 to 3"),
                                           ({"platform": "cray"}, "dell-2650"), ({"system_call": 500}, "0 to 400"),
                                           ({"platform": "acrn", "first": 3}, "two structures were measured")])
def test_mistakes_are_explained(values, words):
    with pytest.raises(rv.SpecError, match=words):
        compute(Params(**values))
        traps.explorer(**values)


def test_every_operation_has_a_colour_and_a_hatch_of_its_own():
    assert len({key.colour for key in KEYS.values()}) == len({key.hatch for key in KEYS.values()}) == len(KEYS)
    assert set(KEYS) <= set(rv.traps.operations().operation)
