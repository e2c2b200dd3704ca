"""Explorers of a message's way and of its bound, without a browser: what they compute, say and show."""

from __future__ import annotations

import numpy as np
import pytest
from numba import config

import rtvirt as rv
from rtvirt.explorers import io_bound, packet_path, timeline
from rtvirt.explorers.steps import rounded
from rtvirt.explorers.timeline import Timeline
from rtvirt.explorers.way import around, way_of
from rtvirt.system.devices import CAUSES
from rtvirt.units import ms, us


@pytest.fixture(scope="module", autouse=True)
def shorter():
    """Without the JIT a part of the run is enough: under credit the first packet takes 0.2 s."""
    with pytest.MonkeyPatch.context() as patch:
        if config.DISABLE_JIT:
            patch.setattr(packet_path, "SIMULATED", ms(100))
            patch.setattr(io_bound, "SIMULATED", ms(400))
        yield
        packet_path.ran.cache_clear()


@pytest.fixture(scope="module")
def explorer(shorter):
    return packet_path.explorer()


@pytest.mark.parametrize("path", list(packet_path.PATHS))
def test_the_way_is_without_gaps_and_takes_as_long_as_the_message(path):
    """Steps follow one another from the first instant to delivery; legs fill them; a hop is where the lane changes."""
    found = packet_path.compute(packet_path.Params(path=path, rank=97.0))
    way = found.way
    assert way.end - way.start == found.picked["total"] == sum(int(found.picked[cause]) for cause in CAUSES)
    assert [step.end for step in way.steps[:-1]] == [step.start for step in way.steps[1:]]
    assert sum(leg.end - leg.start for leg in way.legs) == way.end - way.start
    lanes = [step.lane for step in way.steps]
    changes = [(a, b, step.start) for a, b, step in zip(lanes, lanes[1:], way.steps[1:], strict=False) if a != b]
    first = way.steps[0].lane != [vm.name for vm in found.ran.run.system.vms].index("modem")      # one more, from who hands it over at once
    assert way.hops[-len(changes):] == changes and len(way.hops) - len(changes) == first


@pytest.mark.parametrize("path, lanes", [("receive", ["dom0", "dom0", "modem", "modem"]), ("transmit", ["modem", "dom0", "wire"]),
                                         ("block read", ["dom0", "disk", "dom0", "modem"])])
def test_stages_are_in_the_lanes_of_those_who_serve_them(path, lanes):
    found = packet_path.compute(packet_path.Params(path=path))
    assert [step.where for step in found.way.steps if step.name != "ring"] == lanes
    names = [vm.name for vm in found.ran.run.system.vms]
    assert all(names[step.lane] == step.where if step.lane < len(names) else step.where == found.way.hardware for step in found.way.steps)


def test_a_served_leg_lies_where_its_vm_runs():
    """What dom0 does for the message it does in its own stints: none of its service lies in a hog's."""
    found = packet_path.compute(packet_path.Params(rank=50.0))
    slices, names = found.ran.run.slices, [vm.name for vm in found.ran.run.system.vms]
    for leg in found.way.legs:
        mine = slices[(slices["vm"] == names[leg.lane]) & (slices["end"] > leg.start) & (slices["start"] < leg.end)]
        covered = (mine["end"].clip(upper=leg.end) - mine["start"].clip(lower=leg.start)).sum()
        assert leg.kind != "served" or covered == pytest.approx(leg.end - leg.start, abs=us(2)) or len(mine) > 1
    assert any(leg.kind == "served" for leg in found.way.legs)


def test_the_picked_message_is_the_one_of_its_rank(explorer):
    explorer.set(rank=0.0)
    fastest = explorer._scene.found
    assert fastest.picked["total"] == fastest.totals.min() and "longer than 0.0 %" in explorer.sentence.value
    explorer.set(rank=100.0)
    assert explorer._scene.found.picked["total"] == fastest.totals.max() and explorer._scene.found.ran is fastest.ran, "not simulated again"


def test_a_message_is_picked_in_the_curve(explorer):
    """The browser says how long the chosen one took; slider, way and bars follow."""
    explorer.set(rank=50.0)
    totals, before = explorer._scene.found.totals, explorer._scene.timeline.picture["way"]
    explorer._scene.tail.chosen = float(totals[-3])
    found = explorer._scene.found
    assert found.picked["total"] == totals[-3] and explorer.controls["rank"].value > 95
    assert explorer._scene.tail.picture["picked"] == totals[-3] and explorer._scene.timeline.picture["way"] != before
    low, high = explorer._scene.timeline.view
    assert low <= found.way.start and found.way.end <= high


def test_the_bar_is_the_message_and_what_it_says(explorer):
    explorer.set(rank=99.0)
    picture, found = explorer._scene.stacks.picture, explorer._scene.found
    mine, everybody, slowest = picture["bars"]
    assert sum(mine["pieces"]) == pytest.approx(found.picked["total"] / 1e6)
    assert sum(everybody["pieces"]) == pytest.approx(found.totals.mean() / 1e6)
    assert sum(slowest["pieces"]) == pytest.approx(found.totals[-(len(found.totals) // 100):].mean() / 1e6)
    assert picture["most"] >= max(sum(bar["pieces"]) for bar in picture["bars"]) and "dom0 waits for the core" in explorer.sentence.value


def switched(cause, **values):
    """Mean of a cause with its switch on and off [ns]."""
    return [packet_path.compute(packet_path.Params(**{**values, cause: state})).ran.table[cause].mean() for state in ("on", "off")]


@pytest.mark.parametrize("cause", packet_path.SWITCHES)
def test_switches_take_their_cause_away(cause):
    on, off = switched(cause, rate=8.0, scheduler="fixed priority")
    assert on > us(1) and off < (0.7 * on if cause == "batching" else 1)           # messages still queue behind one another


def test_who_needs_no_core_does_not_wait_for_one():
    params = packet_path.Params(waits="nobody")
    table = packet_path.compute(params).ran.table
    assert (table["driver_wait"] == 0).all() and packet_path.compute(params).way.steps[0].where == "dom0"
    assert packet_path.compute(packet_path.Params()).ran.table["driver_wait"].mean() > ms(1)


def test_what_a_scheduler_does_not_know_is_off(explorer):
    explorer.set(path="receive", scheduler="credit")
    assert explorer.controls["budget"].disabled and not explorer.controls["weight"].disabled
    explorer.controls["path"].value = "transmit"
    assert explorer.controls["moderation"].disabled and "after delivery" in explorer.notes["moderation"].value
    explorer.controls["path"].value = "receive"
    with pytest.raises(rv.SpecError, match="budgets"):
        explorer.set(budget=3.0)


def test_static_pictures_show_way_bars_and_curve(explorer):
    way, bars, curve = explorer._scene.figure().axes
    assert way.get_yticklabels()[-1].get_text() == "NIC" and len(bars.patches) == 3 * len(CAUSES)
    assert f"packets (n = {len(explorer._scene.found.totals)})" in [line.get_label() for line in curve.get_lines()]
    assert "static fallback" in repr(explorer.static()) and repr(explorer) == f"Explorer({explorer.params})"


def test_a_timeline_without_a_message_is_as_before():
    widget = Timeline()
    widget.show(packet_path.compute(packet_path.Params()).ran.timeline)
    assert widget.picture["way"] is None


def test_any_runs_timeline_shows_the_way_of_a_message():
    found = packet_path.compute(packet_path.Params())
    run, number = found.ran.run, int(found.picked["message"])
    widget = timeline(run, message=("net0.rx", number))
    assert widget.picture["way"]["legs"] == found.way.lay_out()["legs"] and widget.view == around(found.way)
    assert timeline(run, message=("net0.rx", number), until=ms(5)).view == [0.0, float(ms(5))]
    with pytest.raises(rv.SpecError, match="delivered on net0.rx"):
        timeline(run, message=("net0.rx", 10**6))


def test_waiting_for_a_slot_is_a_step():
    done = packet_path.compute(packet_path.Params(path="block read", rate=10.0)).ran
    row = done.table[done.table["ring"] > 0].iloc[-1]
    first, second = way_of(done.run, "disk0.read", row).steps[:2]
    assert (first.name, first.where, second.name) == ("ring", "modem", "blkback") and first.end - first.start == row["ring"]


def test_nobody_is_slower_than_the_bound():
    explorer = io_bound.explorer()
    short = {"driver_period": 5, "front_period": 5, "driver_budget": 1.0, "front_budget": 1.0}
    for values in ({}, {"busy": "no"}, {"timeout": 1500}, {"hogs": 0}, short):
        found = io_bound.compute(io_bound.Params(**values))
        assert found.bound and us(50) < found.totals.max() <= found.bound.total and found.waits <= found.bound.total
    limits = explorer._scene.tail.picture["limits"]
    assert [limit["meaning"] for limit in limits] == ["bound"] and limits[0]["time"] == explorer._scene.found.bound.total
    assert "whatever the hogs do" in explorer.sentence.value and "0.0 % take longer" in explorer._scene.tail.picture["label"]


def test_without_a_bound_it_says_why():
    explorer = io_bound.explorer()
    explorer.set(scheduler="credit")
    assert explorer.sentence.value.startswith("<b>No bound: dom0: Xen&#x27;s credit scheduler promises a share in the long run, but no window")
    assert explorer._scene.tail.picture["limits"] == [] and explorer.controls["driver_budget"].disabled
    assert len(explorer._scene.stacks.picture["bars"]) == 2 and explorer._scene.figure().axes[0].get_title(loc="left") == "no bound under credit"
    explorer.set(scheduler="RTDS", driver_period=5)
    assert "give all the same period" in explorer.sentence.value and " use so much" in explorer.sentence.value


def test_a_shorter_timeout_is_a_lower_bound():
    bounds = [io_bound.compute(io_bound.Params(timeout=timeout)).bound.total for timeout in (0, 1000, 3000)]
    assert bounds[0] < bounds[1] < bounds[2] and bounds[2] - bounds[1] >= ms(2)


def test_the_sentence_tells_of_those_who_still_wait():
    found = io_bound.compute(io_bound.Params(driver_budget=0.1, distance=100))
    assert found.waits <= found.totals.max() or "has waited" in io_bound.sentence(found)
    assert not found.bound and "No bound: " in io_bound.sentence(found)
    assert np.isfinite(found.totals).all()


def test_ends_of_axes_stay_while_a_slider_moves():
    assert [rounded(value, 1) for value in (0, 1, 1.2, 23, 30, 71)] == [1, 1, 2, 30, 30, 100]
