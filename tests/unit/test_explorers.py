"""The explorer without a browser: compute, scene, sentence, errors, representation."""

from __future__ import annotations

from rtvirt.explorers import credit


def test_a_slider_changes_the_picture():
    explorer = credit.explorer()
    before, sentence = explorer.image.value, explorer.sentence.value
    explorer.controls["period"].value = 11
    assert explorer.image.value != before and explorer.sentence.value != sentence
    assert repr(explorer) == f"Explorer({explorer.params})" and explorer.params.period == 11


def test_contradictions_are_said_in_words():
    explorer = credit.explorer(timeslice=1)
    explorer.controls["ratelimit"].value = 50
    assert "cannot be run" in explorer.sentence.value and "ratelimit" in explorer.sentence.value
    explorer.controls["ratelimit"].value = 5
    assert "deadlines missed" in explorer.sentence.value


def test_the_scene_shows_what_ran():
    run, scene = credit.compute(credit.Params()), credit.Scene()
    text = scene.update(run)
    jobs = run.jobs[run.jobs["task"] == "io"]
    assert text.startswith(f"{int(jobs['missed'].sum())} of {len(jobs)} ")
    assert len(scene.mine.get_paths()) == int(((run.slices["vm"] == "task") & (run.slices["start"] < credit.SHOWN)).sum())
