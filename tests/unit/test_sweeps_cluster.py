"""Sweeps on a Dask cluster: the table of one core, whatever happens to workers and to the driver."""

from __future__ import annotations

import importlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import LONG

import rtvirt as rv
from rtvirt.errors import RtvirtError, SpecError
from rtvirt.jit import DISABLED
from rtvirt.sweeps import carried, cluster, measures, spelling, store, worker
from rtvirt.units import ms

pytest.importorskip("distributed")
pytestmark = pytest.mark.skipif(DISABLED or os.name == "nt", reason="the same with and without the JIT; processes as POSIX systems have them")

ROOT = Path(__file__).resolve().parents[2]
FACTOR = 3


@pytest.fixture(scope="module")
def client():
    """Two processes of one thread on loopback; a task whose worker dies is not tried again by Dask, so that it comes to us at once."""
    import dask
    from distributed import Client, LocalCluster

    with dask.config.set({"distributed.scheduler.allowed-failures": 0, "distributed.deploy.lost-worker-timeout": "1h"}), \
            LocalCluster(n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None, silence_logs=50) as made, \
            Client(made, set_as_default=False, timeout="60s") as found:
        yield found


@pytest.fixture(autouse=True)
def no_hanging():
    """End the whole process rather than wait for ever."""
    def late(number, frame):
        raise TimeoutError("the sweep hangs")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(600 if LONG else 120)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@dataclass(frozen=True)
class Pair:
    a: int
    b: float

    def product(self):
        return self.a * self.b * FACTOR


def several(pair, c):
    if pair.a == 2 and c == 1:
        raise ValueError("two")
    return {"product": pair.product(), "mixed": 1 if c else 0.5, "big": 2**70 * c, "text": f"{pair.a}{c}", "none": None, "nan": float("nan")}


def test_the_same_table_with_everything_that_a_row_may_hold(client):
    grid = dict(pair=[Pair(a, 0.1) for a in range(4)], c=range(5))
    told = []
    table = rv.sweep(several, grid, client=client, progress=lambda done, total: told.append((done, total)))
    assert table.equals(rv.sweep(several, grid, workers=1, progress=False))
    assert table["error"].tolist()[11] == "ValueError: two" and told[-1] == (20, 20) and told == sorted(told)
    k = 7
    assert rv.sweep(lambda a: a + k, dict(a=[3, 1, 3]), client=client, progress=False)["value"].tolist() == [10, 8, 10]


def test_exceptions_come_back(client):
    with pytest.raises(ValueError, match="two") as error:
        rv.sweep(several, dict(pair=[Pair(2, 1.0)], c=[1]), client=client, errors="raise", progress=False)
    assert error.value.__notes__ == ["at the point pair=Pair(a=2, b=1.0), c=1"]
    with pytest.raises(SpecError, match="rename this part") as error:
        rv.sweep(lambda a: {"a": 1}, dict(a=[1]), client=client, progress=False)
    assert error.value.problems[0].value == "a"


def test_killed_workers_and_the_point_that_kills_them(client, tmp_path):
    def deadly(a):
        if a == 0:
            os.kill(os.getpid(), 9)
        return a * a

    table = rv.sweep(deadly, dict(a=range(20)), client=client, store=tmp_path, progress=False)
    assert table["error"].notna().tolist() == [a == 0 for a in range(20)] and "computed this point alone died" in table["error"][0]
    assert [int(x) for x in table["deadly"].dropna()] == [a * a for a in range(1, 20)]
    assert sorted(stored_points(tmp_path / "deadly.jsonl")) == list(range(20))


def test_a_local_worker_that_dask_gives_up_is_opened_again(tmp_path):
    import dask
    from distributed import Client, LocalCluster

    def deadly_once(a):
        if a == 3 and not (died := tmp_path / "died").exists():
            died.touch()
            os.kill(os.getpid(), 9)
        return -a

    # what 15 s are to a worker that is killed again and again on a busy machine
    with dask.config.set({"distributed.deploy.lost-worker-timeout": "1ms"}), \
            LocalCluster(n_workers=1, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, silence_logs=50) as made, \
            Client(made, set_as_default=False) as one:
        assert rv.sweep(deadly_once, dict(a=range(9)), client=one, progress=False)["deadly_once"].tolist() == [-a for a in range(9)]
    assert (tmp_path / "died").exists()


def test_a_batch_that_kills_is_cut_until_one_point_is_left():
    class Undecided:
        again: list = []
        suspects: list = []

    left = [list(range(50))]
    while left:
        Undecided.again = []
        for points in left:
            assert cluster.Flight.killed(Undecided, points, alone=False) == 0
        assert sorted([*sum(Undecided.again, []), *Undecided.suspects]) == list(range(50))
        left = Undecided.again
    assert sorted(Undecided.suspects) == list(range(50))


def stored_points(path: Path) -> list[int]:
    records = [store.read_line(line) for line in path.read_bytes().split(b"\n")[:-1]] if path.exists() else []
    return [int(record["point"]["a"]) for record in records if "point" in record]


@pytest.mark.parametrize("format", ["lines", "parquet"])
def test_control_c_loses_nothing(client, tmp_path, format):
    def slow(a):
        with (log := tmp_path / "log").open("a") as file:
            file.write(f"{a} ")
        time.sleep(0.01)
        return str(log)

    def interrupt(done, total):
        if done >= 20:
            signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt, match="of 200 points; they are in .*call the same sweep again"):
            rv.sweep(slow, dict(a=range(200)), client=client, store=tmp_path, format=format, progress=interrupt)
    finally:
        signal.signal(signal.SIGINT, before)
    begun = (tmp_path / "log").read_text().split()
    assert 20 <= len(begun) < 200
    rv.sweep(slow, dict(a=range(200)), client=client, store=tmp_path, format=format, progress=False)
    assert sorted(int(a) for a in (tmp_path / "log").read_text().split()) == list(range(200))          # nothing lost, nothing repeated


STUDY = """
import sys, time
import rtvirt as rv

def work(a):
    time.sleep(0.01)
    with open({log!r}, "a") as log:
        log.write(f"{{a}} ")
    return a * a

def study(client, progress):
    return rv.sweep(work, dict(a=range({n})), store={store!r}, client=client, format={format!r}, progress=progress)

if __name__ == "__main__":
    study(sys.argv[1], lambda done, total: print(done, flush=True))
"""


@pytest.mark.parametrize("format", ["lines", pytest.param("parquet", marks=pytest.mark.skipif(not LONG, reason="full counts"))])
def test_killed_drivers_lose_and_repeat_nothing_that_was_stored(client, tmp_path, seed, format):
    n, kills, rng = (2000, 4, random.Random(seed)) if LONG else (60, 1, random.Random(seed))
    program = tmp_path / f"study_{format}.py"
    program.write_text(STUDY.format(log=str(tmp_path / "log"), store=str(tmp_path / "store"), n=n, format=format))
    kept = tmp_path / "store" / ("work.jsonl" if format == "lines" else "work.parquet/_tail.jsonl")
    held: set[int] = set()               # what the store had when a driver was killed
    for _ in range(kills):
        process = subprocess.Popen([sys.executable, str(program), client.scheduler.address], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True, env=os.environ | {"PYTHONPATH": str(ROOT)}, cwd=tmp_path)
        assert process.stdout.readline().strip().isdigit(), process.stderr.read()
        time.sleep(1.5 * rng.random() if LONG else 0)
        process.kill()
        process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL
        assert not held & set(stored_points(kept)) or format == "lines"
        held |= set(stored_points(kept))
        time.sleep(2.5 if LONG else 0.8)                      # batches that nobody waits for any more
        (tmp_path / "log").rename(tmp_path / f"log{len(held)}")
    sys.path.insert(0, str(tmp_path))
    try:
        table = importlib.import_module(program.stem).study(client, False)
    finally:
        sys.path.remove(str(tmp_path))
    assert table["work"].tolist() == [a * a for a in range(n)]
    again = [int(a) for a in (tmp_path / "log").read_text().split()]
    assert 0 < len(held) < n and sorted(again) == sorted(set(range(n)) - held)


@pytest.mark.skipif(not LONG, reason="full counts")
def test_workers_killed_at_any_moment(client, seed):
    rng, going, grid = random.Random(seed), threading.Event(), dict(a=range(2000))

    def reaper():
        kills = 0                         # not for ever: on a busy machine no worker would live long enough to do anything
        while kills < 8 and not going.wait(0.5 + rng.random()):
            for pid in client.run(os.getpid, on_error="ignore").values():
                if rng.random() < 0.5:
                    os.kill(pid, signal.SIGKILL)
                    kills += 1

    def work(a):
        time.sleep(0.005)
        return a ** 3

    thread = threading.Thread(target=reaper, daemon=True)
    thread.start()
    table = rv.sweep(work, grid, client=client, progress=False)
    going.set()
    thread.join(30)
    assert table["work"].tolist() == [a ** 3 for a in range(2000)] and "error" not in table


@pytest.mark.skipif(not LONG, reason="full counts")
def test_a_cluster_that_is_restarted(client):
    restarted = []

    def restart(done, total):
        if done >= 50 and not restarted:
            restarted.append(done)
            client.restart(timeout="60s")

    def work(a):
        time.sleep(0.005)
        return -a

    assert rv.sweep(work, dict(a=range(600)), client=client, progress=restart)["work"].tolist() == [-a for a in range(600)]
    assert restarted


@pytest.mark.skipif(not LONG, reason="full counts")
def test_simulations_on_a_cluster_are_those_of_one_core(client, seed):
    def run(scheduler, seed):
        made = rv.workloads.system(2, 2, 0.8, seed=seed, best_effort=1)
        found = rv.simulate(made, scheduler, ms(300), seed, record="jobs")
        return {"misses": measures.miss_ratio(found), "worst": measures.worst_response(found, "rt1"), "jitter": measures.start_jitter(found, "rt2")}

    grid = dict(scheduler=[rv.RTDS(), rv.Credit()], seed=range(seed, seed + 100))
    assert rv.sweep(run, grid, client=client, progress=False).equals(rv.sweep(run, grid, workers=1, progress=False))
    assert rv.sweep(run, grid, client="local", workers=2, progress=False).equals(rv.sweep(run, grid, workers=1, progress=False))


# ------------------------------------------------------------------ what cannot be


def test_a_worker_with_another_model_is_refused(client, monkeypatch):
    monkeypatch.setattr(cluster, "model_version", lambda: "another")
    with pytest.raises(RtvirtError, match="a worker has another rtvirt .*this process has another.*install the same version"):
        rv.sweep(lambda a: a, dict(a=[1]), client=client, progress=False)


def test_what_a_worker_lacks_is_said(client, tmp_path, monkeypatch):
    import math

    monkeypatch.setattr(carried, "own", lambda thing: False)              # as if it were installed here, and not there
    there = type(math)("only_here")
    exec("def f(a):\n    return a", there.__dict__)
    monkeypatch.setitem(sys.modules, "only_here", there)
    with pytest.raises(RtvirtError, match="cannot load the function: No module named 'only_here'; install what it imports"):
        rv.sweep(there.f, dict(a=[1]), client=client, progress=False)


def test_your_own_modules_travel(client, tmp_path, monkeypatch):
    (tmp_path / "helper_of_study.py").write_text("K = 5\n\ndef add(a):\n    return a + K\n")
    (tmp_path / "some_study.py").write_text("import helper_of_study\n\ndef f(a):\n    return helper_of_study.add(a)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import some_study

    assert {module.__name__ for module in carried.modules_of(some_study.f)} == {"some_study", "helper_of_study"}
    assert rv.sweep(some_study.f, dict(a=[1]), client=client, progress=False)["f"].tolist() == [6]
    assert carried.modules_of(measures.miss_ratio) == [] and carried.modules_of((json.dumps, rv.RTDS())) == []


@pytest.mark.parametrize(("more", "words"), [
    (dict(client=3), "client is 3; allowed: a dask.distributed Client"),
    (dict(client="tcp://127.0.0.1:9", workers=2), "workers is 2; allowed: nothing beside client="),
    (dict(client="tcp://127.0.0.1:9"), "no cluster answers at tcp://127.0.0.1:9"),
    (dict(format="csv"), "format is 'csv'; allowed: 'lines' or 'parquet'")])
def test_what_is_no_cluster(more, words, monkeypatch):
    monkeypatch.setattr(cluster, "PATIENCE", 1.0)
    with pytest.raises(RtvirtError) as error:
        rv.sweep(abs, {"a": [1]}, progress=False, **more)
    assert words in str(error.value)


def test_without_dask(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(RtvirtError, match=r"pip install 'rtvirt\[cluster\]'"):
        rv.sweep(lambda a: a, dict(a=[1]), client="local", progress=False)


# ------------------------------------------------------------------ a batch, without a cluster


def job(function, **more):
    made = worker.Job("job", spelling.model_version(), sys.version_info[:2], carried.packed(function, "function", []), ("a",), (), "record")
    return made._replace(**more)


def batch(*values):
    return carried.packed([(value,) for value in values], "grid", [])


def test_a_batch_ends_when_the_time_is_over(monkeypatch):
    assert [record["result"]["value"] for record in worker.run(job(lambda a: -a), batch(1, 2, 3), 0.0).records] == [-1]      # never none
    assert len(worker.run(job(lambda a: -a), batch(1, 2, 3), 60.0).records) == 3
    monkeypatch.setattr(worker, "stopped", {"job"})
    assert worker.run(job(lambda a: -a), batch(1), 60.0).records == []


def test_batches_are_longer_in_longer_sweeps(monkeypatch):
    class Begun:
        began = 0.0

    for now, seconds in ((0, 1.0), (20, 1.0), (40, 2.0), (1e6, 4.0)):
        monkeypatch.setattr(cluster.time, "monotonic", lambda now=now: now)
        assert cluster.Flight.target(Begun) == seconds


def test_another_python_is_refused():
    with pytest.raises(RtvirtError, match="a worker has Python .*, this process 2.7"):
        worker.run(job(lambda a: -a, python=(2, 7)), batch(1), 60.0)


def test_errors_that_cannot_travel_become_text():
    class Odd(Exception):
        def __init__(self, a, b):
            super().__init__(f"{a}{b}")

    found = worker.portable(Odd(1, 2))
    assert type(found) is RtvirtError and "Odd: 12" in str(found)
    assert type(worker.portable(ValueError("x"))) is ValueError


def test_schedulers_of_the_grid_are_compiled_once(monkeypatch):
    done = []
    monkeypatch.setattr(worker, "is_warm", lambda name: name == "credit")
    monkeypatch.setattr(worker, "warmup", done.append)
    worker.prepare.cache_clear()
    for _ in range(2):
        worker.run(job(lambda a: a, schedulers=("credit", "rtds")), batch(1), 60.0)
    worker.prepare.cache_clear()
    assert done == [["rtds"]]
