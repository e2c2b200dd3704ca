"""The explorer without a browser: compute, scene, sentence, errors, representation."""

from __future__ import annotations

import numpy as np
import pytest

import rtvirt as rv
from rtvirt.explorers import credit
from rtvirt.explorers.tail import Limit, Tail
from rtvirt.units import ms, us


def test_a_slider_changes_the_pictures():
    explorer = credit.explorer()
    tail, sentence = explorer._scene.tail.picture, explorer.sentence.value
    explorer.controls["period"].value = 13
    assert explorer._scene.tail.picture != tail and explorer.sentence.value != sentence
    assert repr(explorer) == f"Explorer({explorer.params})" and explorer.params.period == 13


def test_set_moves_pictures_and_controls():
    explorer = credit.explorer()
    explorer.set(period=13, burst=2.5)
    assert explorer.params.period == explorer.controls["period"].value == 13 and explorer.controls["burst"].value == 2.5


@pytest.mark.parametrize("values, said", [
    ({"perod": 3}, "period"), ({"period": 61}, "2 to 60"), ({"period": 7.5}, "2 to 60"), ({"period": "7"}, "2 to 60"),
    ({"burst": float("nan")}, "0.1 to 15"), ({"xen": "5"}, "'4.17'"), ({"timeslice": 1, "ratelimit": 5.0}, "ratelimit"),
    ({"xen": "3.1", "timeslice": 5}, "always 30 ms"), ({"xen": "3.1", "ratelimit": 1.0}, "no ratelimit"), ({"hogs": 0, "hog_weight": 512}, "no hogs"),
])
def test_code_is_told_by_an_error_and_nothing_changes(values, said):
    explorer = credit.explorer()
    before = repr(explorer), explorer.sentence.value, explorer._scene.timeline.data
    with pytest.raises(rv.SpecError, match=said):
        explorer.set(**values)
    assert (repr(explorer), explorer.sentence.value, explorer._scene.timeline.data) == before
    explorer.set(period=13)
    assert explorer.params.period == 13
    with pytest.raises(rv.SpecError, match=said):
        credit.explorer(**values) if values.get("ratelimit") != 1.0 else explorer.set(**values)


def test_readers_are_told_in_words():
    explorer = credit.explorer(timeslice=1)
    explorer.controls["ratelimit"].value = 5.0
    assert "cannot be run" in explorer.sentence.value and "ratelimit" in explorer.sentence.value
    assert "rtvirt-stale" in explorer.pictures._dom_classes
    explorer.controls["ratelimit"].value = 0.5
    assert "deadlines missed" in explorer.sentence.value and "rtvirt-stale" not in explorer.pictures._dom_classes


def test_what_a_version_fixes_is_off_and_comes_back():
    explorer = credit.explorer(timeslice=10)
    explorer.controls["xen"].value = "3.1"
    slice_, note = explorer.controls["timeslice"], explorer.notes["timeslice"]
    assert slice_.disabled and slice_.value == explorer.params.timeslice == 30 and "always 30 ms" in note.value and note.layout.display == "block"
    assert explorer.controls["ratelimit"].disabled and explorer.params.ratelimit == 0
    assert explorer._scene.run.scheduler == rv.Credit(xen="3.1")
    explorer.controls["xen"].value = "4.22"
    assert not slice_.disabled and slice_.value == explorer.params.timeslice == 10 and note.layout.display == "none"


def test_weights_of_the_hogs_count():
    light, heavy = (credit.compute(credit.Params(burst=8.0, hog_weight=weight)).vms["share"]["task"] for weight in (32, 2048))
    assert light > heavy + 0.2


def test_path_costs_show_below_a_millisecond():
    costs = rv.Costs.preset("traced-xen")
    waits = credit.waits_of(credit.compute(credit.Params(period=10, costs="traced-xen")))
    assert min(waits) >= costs.wake_path and np.median(waits) < us(30)


def test_the_scene_shows_what_ran():
    run, scene = credit.compute(credit.Params()), credit.Scene()
    text = scene.update(run)
    jobs, wakeups = run.jobs[run.jobs["task"] == "io"], run.wakeups[run.wakeups["vm"] == "task"]
    assert text.startswith(f"{int(jobs['missed'].sum())} of {len(jobs)} ")
    assert f"n = {len(wakeups)} " in scene.tail.picture["facts"]
    labels = [line.get_label() for ax in scene.figure().axes for line in ax.get_lines()]
    assert f"task (n = {len(wakeups)})" in labels and "deadline lost beyond (8 ms)" in labels


def test_the_limit_is_where_the_deadline_is_lost():
    """A wake-up that waits longer than the slack loses its deadline, whatever comes after; one that waits less and is not preempted keeps it."""
    run = credit.compute(credit.Params())
    slack = next(limit.time for limit in credit.limits(run) if limit.meaning == "miss")
    jobs, wakeups = run.jobs[run.jobs["task"] == "io"], run.wakeups[run.wakeups["vm"] == "task"]
    missed = jobs.set_index("release")["missed"]
    late = wakeups["latency"] > slack
    assert late.any() and missed[wakeups.loc[late, "woken"]].all()


def test_tail_in_words():
    widget = Tail()
    widget.show(np.array([0, us(40), us(60), ms(7)]), name="it", limits=[Limit("limit", ms(1), "miss")])
    assert repr(widget) == "<Wake-up latency of it, share that waits longer: n = 4 · p50 40 µs · p99 7 ms · longest 7 ms. " \
                           "25.0 % wait longer than 1 ms, limit.>"
    widget.show(np.array([], np.int64), name="it")
    assert "never asleep" in repr(widget)
