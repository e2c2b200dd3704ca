"""Tables, statistics, exports, pictures."""

from __future__ import annotations

import json

import numpy as np
import pytest

import rtvirt as rv
from rtvirt.engine.record import bucket_low, percentile
from rtvirt.errors import RtvirtError
from rtvirt.invariants import InvariantError
from rtvirt.jit import DISABLED
from rtvirt.units import ms, s
from rtvirt.xentrace.interpreted import interpreted


@pytest.fixture(scope="module")
def run():
    return rv.simulate(rv.data.system("phone"), rv.Credit(), ms(1500)).check()


def test_columns(run):
    assert list(run.slices) == ["cpu", "vm", "vcpu", "start", "end"]
    assert list(run.jobs) == ["vm", "task", "release", "start", "finish", "response", "deadline", "missed"]
    assert list(run.wakeups) == ["vm", "vcpu", "woken", "dispatched", "latency"]
    assert list(run.events) == ["time", "cpu", "vm", "vcpu", "event", "value"]
    assert run.slices["start"].dtype == np.int64 and run.paths == {}


def test_record_modes_agree(run):
    for record in ("jobs", "summary"):
        other = rv.simulate(run.system, run.scheduler, run.duration, record=record)
        assert other.vms.equals(run.vms) and other.tasks.equals(run.tasks)
    with pytest.raises(rv.RecordError, match='record="trace"'):
        _ = other.slices


def test_statistics_agree_with_tables(run):
    for (vm, task), row in run.tasks.iterrows():
        done = run.jobs[(run.jobs["vm"] == vm) & (run.jobs["task"] == task) & (run.jobs["finish"] >= 0)]["response"]
        if len(done):
            assert (row["response_min"], row["response_max"]) == (done.min(), done.max())
            assert row["response_p99"] == pytest.approx(np.quantile(done, 0.99, method="inverted_cdf"), rel=1 / 64)
    assert run.vms["share"].sum() == pytest.approx(1.0)


def test_histogram_buckets():
    bucket_of = interpreted("engine.record").bucket_of       # compiled kernels can be called by kernels only
    rng = np.random.default_rng(1)
    for x in [0, 1, 63, 64, 127, 128, 255, 256, 2**20, 2**38, 2**39 - 1, *rng.integers(0, 2**38, 2000).tolist()]:
        b = bucket_of(int(x))
        assert bucket_low(b) <= x < bucket_low(b + 1)
        assert bucket_low(b + 1) - bucket_low(b) <= max(1, x / 64)


def test_percentile_of_nothing():
    assert percentile(np.zeros(8, np.int64), 0.5) == -1


def test_compare(run):
    other = rv.simulate(run.system, rv.RoundRobin(), run.duration)
    table = rv.compare(run, other)
    assert list(table.columns.levels[0]) == ["Credit", "RoundRobin"] and table.loc["modem", ("Credit", "misses")] > 0


def test_what_cannot_be_compared_or_simulated_is_refused(run):
    for refused in (lambda: rv.compare(), lambda: rv.compare(run, "run"), lambda: rv.compare(run, run, labels=["one"]),
                    lambda: rv.simulate("phone.yaml", rv.Credit(), 1), lambda: rv.simulate(run.system, rv.Credit, 1),
                    lambda: rv.simulate(run.system, "credit", 1), lambda: rv.plots.gantt(run, until=0)):
        with pytest.raises(rv.SpecError):
            refused()


def test_what_cannot_be_written_is_said_in_words(run, tmp_path):
    (tmp_path / "file").write_text("")
    for write in (lambda: run.to_csv(tmp_path / "file"), lambda: run.to_perfetto(tmp_path / "none" / "t.json"),
                  lambda: run.system.save(tmp_path / "none" / "s.yaml")):
        with pytest.raises(rv.RtvirtError, match="cannot"):
            write()


def test_check_finds_contradictions(run):
    broken = rv.simulate(run.system, run.scheduler, ms(200))
    broken.recording.slices["end"][3] += ms(1)
    with pytest.raises(InvariantError, match="overlap"):
        broken.check()


def test_exports(run, tmp_path):
    import pandas as pd

    assert {path.name for path in run.to_csv(tmp_path)} == {f"{n}.csv" for n in ("slices", "jobs", "wakeups", "events", "vms", "tasks")}
    assert len(pd.read_csv(tmp_path / "jobs.csv")) == len(run.jobs)
    run.to_parquet(tmp_path)
    assert pd.read_parquet(tmp_path / "slices.parquet")["end"].tolist() == run.slices["end"].tolist()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_failed_export_leaves_nothing(run, tmp_path, monkeypatch):
    import pandas as pd

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", full)
    with pytest.raises(RtvirtError, match="No space left"):
        run.to_csv(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_perfetto(run, tmp_path):
    events = json.loads(run.to_perfetto(tmp_path / "t.json").read_text())["traceEvents"]
    assert {event["ph"] for event in events} >= {"M", "X", "b", "e", "i", "C"}
    assert all({"ph", "pid", "name"} <= set(event) for event in events)
    times = [event["ts"] for event in events if event["ph"] != "M"]
    assert times == sorted(times)
    assert sum(e["ph"] == "b" for e in events) == sum(e["ph"] == "e" for e in events) == len(run.jobs)
    assert sum(e["dur"] for e in events if e["ph"] == "X" and e["pid"] == 1) == pytest.approx(1.5e6, abs=1)


def test_gantt_draws_what_ran(run):
    ax = rv.plots.gantt(run, until=ms(300))
    drawn = sum(path.vertices[:, 0].max() - path.vertices[:, 0].min() for c in ax.collections for path in c.get_paths()
                if path.vertices[:, 1].max() - path.vertices[:, 1].min() > 0.5)
    assert drawn == pytest.approx(300, abs=0.5)
    misses = next(line for line in ax.get_lines() if line.get_label() == "_miss")
    jobs = run.jobs
    assert len(misses.get_xdata()) == int((jobs["missed"] & (jobs["deadline"] < ms(300))).sum())
    assert "rows: modem, android, apps, dom0" in rv.plots.describe(ax)


def test_gantt_by_pcpu_names_who_holds_it():
    three = rv.simulate(rv.System(cpus=2, vms=[rv.VM(name, tasks=[rv.hog()]) for name in "ABC"]), rv.Credit(), ms(400))
    ax = rv.plots.gantt(three, until=ms(150), lanes="cpu")
    assert [label.get_text() for label in ax.get_yticklabels()] == ["pCPU 0", "pCPU 1"]
    # pCPU 0: A to 30, C to 60, A to 90, C to 150; pCPU 1: B to 90, A to 120, B to 150
    assert sorted((text.get_position(), text.get_text()) for text in ax.texts) == [
        ((15, 0), "A"), ((45, 0), "C"), ((45, 1), "B"), ((75, 0), "A"), ((105, 1), "A"), ((120, 0), "C"), ((135, 1), "B")]
    with pytest.raises(rv.SpecError):
        rv.plots.gantt(three, lanes="pcpu")


def test_credits_of_a_part_of_a_run(run):
    whole, part = (rv.plots.credits(run, start=start, until=ms(900)) for start in (0, ms(300)))
    assert part.get_xlim() == (300, 900)
    for a, b in zip(whole.get_lines(), part.get_lines(), strict=True):
        at = np.linspace(301, 899, 50)
        assert np.allclose(np.interp(at, *a.get_data()), np.interp(at, *b.get_data()))
    with pytest.raises(rv.SpecError):
        rv.plots.credits(rv.simulate(run.system, rv.Null(), ms(10)))


def test_pictures_show_themselves(run):
    picture = rv.plots.show(rv.plots.shares(run), "shares")
    assert repr(picture) == "<picture: shares>" and picture._repr_png_()[:4] == b"\x89PNG"
    ax = rv.plots.ecdf({"a": run.wakeups["latency"]}, bound=ms(5))
    assert f"a (n = {len(run.wakeups)})" in [text.get_text() for text in ax.get_legend().get_texts()]
    assert rv.plots.credits(run).get_ylabel() == "credits"
    assert len(rv.plots.compare([run, run]).containers) == 4


def test_memory_does_not_grow_with_time():
    import tracemalloc

    def peak(duration):
        tracemalloc.start()
        rv.simulate(rv.data.system("drone"), rv.Credit(), duration, record="summary")
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top

    short = 1 if DISABLED else 10
    peak(ms(100))
    assert peak(s(short)) < 1.1 * peak(ms(500)) + 200_000
