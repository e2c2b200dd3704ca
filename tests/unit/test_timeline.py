"""The timeline as data, and the widget's messages; the browser's half is driven in tests/browser."""

from __future__ import annotations

import numpy as np
import pytest

import rtvirt as rv
from rtvirt.explorers import credit, timeline
from rtvirt.explorers.columns import pack
from rtvirt.explorers.timeline_data import KINDS, timeline_data, vcpu_labels
from rtvirt.plots import credit_curves
from rtvirt.units import ms


@pytest.fixture(scope="module")
def run():
    return credit.compute(credit.Params())


def test_columns_come_back_as_they_went():
    layout, data = pack({"a": [1, 2**53], "b": [], "c": [-1.5]})
    assert layout == [["a", 2], ["b", 0], ["c", 1]]
    assert np.frombuffer(data, "<f8").tolist() == [1, 2**53, -1.5]


def test_each_vcpu_runs_waits_or_has_nothing_to_do(run):
    """Stints and waits of a vCPU never overlap, and a hog does one of the two all the time."""
    columns = timeline_data(run).columns
    for v in range(3):
        mine, waiting = columns["slice_vcpu"] == v, columns["wait_vcpu"] == v
        start = np.concatenate([columns["slice_start"][mine], columns["wait_start"][waiting]])
        end = np.concatenate([columns["slice_end"][mine], columns["wait_end"][waiting]])
        order = np.argsort(start, kind="stable")
        assert (start[order][1:] >= end[order][:-1]).all()
        if v:
            assert (end - start).sum() == run.duration


def test_waits_of_wakeups_are_the_latencies(run):
    columns, wakeups = timeline_data(run).columns, run.recording.wakeups
    late = (wakeups["vcpu"] == 0) & (wakeups["dispatched"] > wakeups["woken"])
    starts = set(columns["wait_start"][columns["wait_vcpu"] == 0].tolist())
    assert late.any() and set(wakeups["woken"][late].tolist()) <= starts


def test_misses_are_marked_once_each(run):
    columns = timeline_data(run).columns
    marked = columns["mark_time"][columns["mark_kind"] == KINDS.index("miss")]
    assert sorted(marked.tolist()) == sorted(run.jobs.loc[run.jobs["missed"], "deadline"].tolist())
    assert (np.diff(columns["mark_time"]) >= 0).all()


def test_credits_agree_with_what_the_events_say(run):
    for label, (times, values) in zip(vcpu_labels(run.system), credit_curves(run), strict=True):
        assert (np.diff(times) >= 0).all()
        accounted = run.events[(run.events["vm"] == label["name"]) & (run.events["event"] == "account")]
        last = np.searchsorted(times, accounted["time"], side="right") - 1
        assert np.allclose(values[last], accounted["value"], atol=1)
        slopes = np.diff(values)[np.diff(times) > 0] / np.diff(times)[np.diff(times) > 0]
        assert slopes.min() >= -1.001e-5 and slopes.max() <= 1e-12       # burns 10 a ms or nothing; earns only in steps


def test_the_widget_says_what_it_shows(run):
    widget = timeline(run, until=ms(120))
    assert widget.view == [0.0, 120e6]
    assert repr(widget).startswith("<Timeline of 2 s on 1 pCPU. task ran ")
    assert widget._repr_mimebundle_()[0]["text/plain"] == repr(widget)
    assert len(widget.data) == 8 * sum(length for _, length in widget.picture["columns"])


def test_wrong_intervals_and_missing_traces_are_said(run):
    with pytest.raises(rv.SpecError, match="choose a part of the run"):
        timeline(run, start=ms(10), until=ms(5))
    bare = rv.simulate(run.system, run.scheduler, ms(50), record="summary")
    with pytest.raises(rv.RecordError, match='record="trace"'):
        timeline(bare)


def test_a_slider_moves_the_timeline():
    explorer = credit.explorer()
    before = explorer._scene.timeline.data
    explorer.controls["period"].value = 13
    assert explorer._scene.timeline.data != before
