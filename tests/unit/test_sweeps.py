"""Sweeps: tables in order, on all threads; and a store that loses and repeats nothing, however it is treated."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from pathlib import Path

import numpy as np
import pytest

import rtvirt as rv
from rtvirt.errors import RtvirtError, SpecError
from rtvirt.jit import DISABLED
from rtvirt.sweeps import measures, running, spelling, store
from rtvirt.units import ms

ROOT = Path(__file__).resolve().parents[2]
FACTOR = 1


def product_of(a, b):
    return a * b * FACTOR


def test_a_table_in_the_grids_order():
    def slow(a, b):
        time.sleep(0.002 * ((7 * a + 3 * b) % 5))
        return {"sum": a + b, "words": f"{a}{b}", "big": 2**70 * a, "nothing": None}

    table = rv.sweep(slow, dict(a=range(6), b=(1, 2)), workers=4, progress=False)
    assert table.columns.tolist() == ["a", "b", "sum", "words", "big", "nothing"]
    assert table[["a", "b"]].values.tolist() == [[a, b] for a in range(6) for b in (1, 2)]
    assert table["sum"].tolist() == [a + b for a in range(6) for b in (1, 2)] and table["big"].iloc[-1] == 5 * 2**70
    assert rv.sweep(slow, dict(a=range(6), b=(1, 2)), workers=1).equals(table)
    assert rv.sweep(product_of, dict(a=[np.int64(3)], b=[0.5]), progress=False)["product_of"].tolist() == [1.5]
    assert rv.sweep(lambda a: a, dict(a=[]), progress=False).columns.tolist() == ["a"]


def test_equal_points_are_computed_once():
    seen = []
    table = rv.sweep(lambda a: seen.append(a) or a, dict(a=[1, 2, 1, 1]), workers=2, progress=False)
    assert sorted(seen) == [1, 2] and table["value"].tolist() == [1, 2, 1, 1]


def test_simulations_in_threads_are_those_of_one(seed):
    def run(scheduler, seed):
        made = rv.workloads.system(2, 2, 0.8, seed=seed, best_effort=1)
        found = rv.simulate(made, scheduler, ms(300), seed, record="jobs")
        return {"misses": measures.miss_ratio(found), "worst": measures.worst_response(found, "rt1"), "idle": measures.idle_share(found),
                "switches": measures.switches(found), "share": measures.share(found, "be1"), "jitter": measures.start_jitter(found, "rt2")}

    grid = dict(scheduler=[rv.RTDS(), rv.RoundRobin(ms(1))], seed=range(seed, seed + (3 if DISABLED else 25)))
    assert rv.sweep(run, grid, workers=4, progress=False).equals(rv.sweep(run, grid, workers=1))


def test_errors_stay_with_their_points(tmp_path):
    calls = deque()                  # a list would count as a value that the function names

    def fragile(a):
        calls.append(a)
        return 1 // a

    table = rv.sweep(fragile, dict(a=[0, 1]), store=tmp_path, progress=False)
    assert table["error"].tolist()[0].startswith("ZeroDivisionError: ") and table["error"][1] is None and table["fragile"][1] == 1
    rv.sweep(fragile, dict(a=[0, 1]), store=tmp_path, progress=False)
    assert sorted(calls) == [0, 1]
    rv.sweep(fragile, dict(a=[0, 1]), store=tmp_path, progress=False, retry=True)
    assert sorted(calls) == [0, 0, 1]
    with pytest.raises(ZeroDivisionError) as error:
        rv.sweep(fragile, dict(a=[2, 0]), progress=False, errors="raise")
    assert error.value.__notes__ == ["at the point a=0"]


@pytest.mark.parametrize(("call", "words"), [
    (lambda: rv.sweep(3, dict(a=[1])), "function is 3"),
    (lambda: rv.sweep(product_of, [1]), "write grid=dict("),
    (lambda: rv.sweep(product_of, dict(a=3, b="xy")), "grid['a'] is 3; allowed: values to go through"),
    (lambda: rv.sweep(product_of, dict(a=[object()])), "grid['a'] is <object"),
    (lambda: rv.sweep(product_of, dict(a=[1], b=[1]), workers=0), "workers is 0"),
    (lambda: rv.sweep(product_of, dict(a=[1], b=[1]), errors="ignore"), "errors is 'ignore'"),
    (lambda: rv.sweep(lambda a: {"a": 1}, dict(a=[1]), progress=False), "rename this part"),
    (lambda: rv.sweep(lambda a: [1], dict(a=[1]), progress=False), "function's value is [1]; allowed: a number, text or None")])
def test_what_makes_no_table(call, words):
    with pytest.raises(SpecError) as error:
        call()
    assert words in str(error.value)


def test_progress_is_told(tmp_path):
    told = []
    rv.sweep(product_of, dict(a=[1, 2], b=[1]), store=tmp_path, workers=1, progress=lambda done, total: told.append((done, total)))
    rv.sweep(product_of, dict(a=[1, 2, 3], b=[1]), store=tmp_path, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 2), (2, 2), (3, 3)]


def test_threads_take_each_point_once_and_tell_of_all():
    told, taken = [], []
    rv.sweep(lambda a: taken.append(a), dict(a=range(3000)), workers=4, progress=lambda done, total: told.append((done, total)))
    assert sorted(taken) == list(range(3000)) and told == sorted(set(told)) and told[-1] == (3000, 3000)
    with pytest.raises(ZeroDivisionError):
        rv.sweep(lambda a: taken.append(a) or time.sleep(0.001) or 1 // (a - 50), dict(a=range(100_000)), workers=4, errors="raise", progress=False)
    assert len(taken) < 50_000                # the others stop, too


# ------------------------------------------------------------------ the store


def lines(folder: Path, name: str = "product_of") -> list[bytes]:
    return (folder / f"{name}.jsonl").read_bytes().splitlines(keepends=True)


def test_stored_points_are_not_computed_again(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(running.Work, "__call__", counted(running.Work.__call__, calls))
    grid = dict(a=[1, 2], b=[3.5, 4])
    first = rv.sweep(product_of, grid, store=tmp_path, progress=False)
    assert len(calls) == 4 and len(lines(tmp_path)) == 5
    assert rv.sweep(product_of, grid, store=tmp_path, progress=False).equals(first) and len(calls) == 4
    more = rv.sweep(product_of, dict(b=[4, 3.5, 7], a=[2, 1, 9]), store=tmp_path, progress=False)     # another order, and more
    assert len(calls) == 9 and more[(more.a < 3) & (more.b < 5)]["product_of"].tolist() == [8, 4, 7.0, 3.5]


def counted(function, calls):
    def counting(self, i):
        calls.append(i)
        return function(self, i)
    return counting


def test_another_version_is_left_alone_and_said(tmp_path, monkeypatch):
    rv.sweep(product_of, dict(a=[1], b=[2]), store=tmp_path, progress=False)
    monkeypatch.setattr(sys.modules[__name__], "FACTOR", 5)                  # a value that the function names
    with pytest.warns(RuntimeWarning, match="holds 1 points of another version"):
        assert rv.sweep(product_of, dict(a=[1], b=[2]), store=tmp_path, progress=False)["product_of"].tolist() == [10]
    monkeypatch.setattr(running, "model_version", lambda: "another")
    with pytest.warns(RuntimeWarning, match="holds 2 points"):
        rv.sweep(product_of, dict(a=[1], b=[2]), store=tmp_path, progress=False)
    monkeypatch.undo()
    assert rv.sweep(product_of, dict(a=[1], b=[2]), store=tmp_path, progress=False)["product_of"].tolist() == [2]      # still there
    assert len(lines(tmp_path)) == 4


def test_what_a_function_is():
    def make(source: str):
        names: dict = {}
        exec(source, names)
        return names["f"]

    texts = ["def f(a):\n    return a", "def f(a):\n    return a + 1", "def f(a, b=1):\n    return a", "def f(a, b=2):\n    return a",
             "K = 1\ndef f(a):\n    return a * K", "K = 2\ndef f(a):\n    return a * K"]
    assert len({spelling.identity(make(text)) for text in texts}) == len(texts)
    helper = {n: make(f"def g(x):\n    return x + {n}\ndef f(a):\n    return [g(x) for x in a]") for n in (1, 2)}
    for n in helper:
        helper[n].__globals__["__name__"] = "__main__"
        helper[n].__globals__["g"].__module__ = "__main__"
    assert spelling.identity(helper[1]) != spelling.identity(helper[2])
    assert spelling.identity(product_of) == spelling.identity(product_of)
    def adder(k):
        return lambda a: a + k

    closures = [adder(1), adder(2), adder(1)]
    assert spelling.identity(closures[0]) == spelling.identity(closures[2]) != spelling.identity(closures[1])


def test_parameters_as_text():
    two = [rv.System(vms=[rv.VM("a", weight=w)]) for w in (1, 2)]
    different = [1, True, 1.0, "1", (1,), [1], None, rv.Credit(), rv.Credit(xen="3.1"), rv.RTDS(), *two, {"a": 1}, {"a": 2}, {1, 2},
                 np.arange(3), np.arange(3.0), product_of, rv.Credit, Path("x"), rv.workloads.LogUniform(1, 2), float("nan")]
    assert len({spelling.spell(value) for value in different}) == len(different)
    assert spelling.spell(np.float64(0.1)) == spelling.spell(0.1) and spelling.spell({"b": 1, "a": 2}) == spelling.spell({"a": 2, "b": 1})
    assert spelling.spell(two[0]) == spelling.spell(rv.System(vms=[rv.VM("a", weight=1)]))


def test_damage_is_said_and_mended(tmp_path):
    grid = dict(a=[1, 2, 3], b=[1])
    rv.sweep(product_of, grid, store=tmp_path, progress=False)
    good = lines(tmp_path)
    path = tmp_path / "product_of.jsonl"
    path.write_bytes(b"".join([good[0], good[1], good[2].replace(b"\"result\"", b"\"resulT\""), good[3]]))
    with pytest.warns(RuntimeWarning, match="1 lines of .* are damaged"):
        assert rv.sweep(product_of, grid, store=tmp_path, progress=False)["product_of"].tolist() == [1, 2, 3]
    for cut in range(1, len(good[3])):                                       # killed while writing the last line
        path.write_bytes(b"".join(good[:3]) + good[3][:cut])
        kept = store.Store(tmp_path, "product_of", json.loads(good[1].split(b" ", 1)[1])["version"])
        assert (len(kept.results), kept.damaged) == (2, 0) and path.read_bytes() == b"".join(good[:3])
        kept.close()
    path.write_bytes(good[0].replace(b'"format":1', b'"format":2'))           # a wrong checksum: damage; a right one: another format
    text = b'{"format":2}'
    path.write_bytes(b"%08x %s\n" % (__import__("zlib").crc32(text), text))
    with pytest.raises(RtvirtError, match="format 2, this one knows 1"):
        rv.sweep(product_of, grid, store=tmp_path, progress=False)


def test_two_sweeps_do_not_share_a_store(tmp_path):
    kept = store.Store(tmp_path, "product_of", "v")
    with pytest.raises(RtvirtError, match="another sweep is writing"):
        rv.sweep(product_of, dict(a=[1], b=[1]), store=tmp_path, progress=False)
    kept.close()
    rv.sweep(product_of, dict(a=[1], b=[1]), store=tmp_path, progress=False)


def test_a_place_that_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RtvirtError, match="cannot make the folder"):
        rv.sweep(product_of, dict(a=[1], b=[1]), store=tmp_path / "file" / "x", progress=False)


SCRIPT = """
import os, sys, time
import rtvirt as rv

def work(a):
    with open({log!r}, "a") as log:
        log.write(f"{{a}} ")
    time.sleep(0.01)
    return a * a

print("started", flush=True)
{before}
table = rv.sweep(work, dict(a=range({n})), store={store!r}, workers=3, progress=False)
assert table["work"].tolist() == [a * a for a in range({n})]
print("finished", flush=True)
"""


LISTEN = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"      # background jobs of a shell ignore Ctrl-C


def script(tmp_path, n, before="pass"):
    """A sweep as a program, in a file of its own: a function's code is part of what its results are found by."""
    path = tmp_path / "program.py"
    path.write_text(SCRIPT.format(log=str(tmp_path / "log"), store=str(tmp_path / "store"), n=n, before=before))
    return subprocess.Popen([sys.executable, str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env=os.environ | {"PYTHONPATH": str(ROOT)}, cwd=tmp_path)


def finished_points(tmp_path) -> list[int]:
    path = tmp_path / "store" / "work.jsonl"
    records = [store.read_line(line) for line in path.read_bytes().split(b"\n")[:-1]] if path.exists() else []
    return [int(record["point"]["a"]) for record in records if "point" in record]


@pytest.mark.skipif(os.name == "nt", reason="kills as POSIX systems do")
def test_killed_at_any_moment_nothing_is_lost_or_repeated(tmp_path, seed):
    n, rng, kills = 300, random.Random(seed), 0
    while True:
        before = finished_points(tmp_path)
        process = script(tmp_path, n)
        assert process.stdout.readline() == "started\n"
        begun = (tmp_path / "log").read_text().split() if (tmp_path / "log").exists() else []
        try:
            process.wait(0.05 + 0.5 * rng.random() if kills < 4 else 60)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            kills += 1
        out, err = process.communicate()
        again = (tmp_path / "log").read_text().split()[len(begun):] if (tmp_path / "log").exists() else []
        assert finished_points(tmp_path)[:len(before)] == before                          # nothing is lost
        assert not {int(a) for a in again} & set(before)                                  # nothing is repeated
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL, err
    assert kills >= 2 and sorted(finished_points(tmp_path)) == list(range(n))
    assert len((tmp_path / "log").read_text().split()) <= n + 3 * kills                   # at most what three threads had in hand


@pytest.mark.skipif(os.name == "nt", reason="limits as POSIX systems have them")
def test_a_full_disk_is_said_and_nothing_is_lost(tmp_path):
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))"
    out, err = (process := script(tmp_path, 60, limit)).communicate()
    assert process.returncode == 1 and "call the same sweep again to go on" in err and "File too large" in err
    kept = finished_points(tmp_path)
    assert len(kept) > 3 and (tmp_path / "store" / "work.jsonl").read_bytes().endswith(b"\n")
    (tmp_path / "program.py").unlink()
    out, err = (process := script(tmp_path, 60)).communicate()
    assert process.returncode == 0, err
    assert finished_points(tmp_path)[:len(kept)] == kept and sorted(finished_points(tmp_path)) == list(range(60))


@pytest.mark.skipif(os.name == "nt", reason="signals as POSIX systems have them")
def test_control_c_stops_cleanly_and_says_how_to_go_on(tmp_path):
    process = script(tmp_path, 300, LISTEN)
    assert process.stdout.readline() == "started\n"
    while len(finished_points(tmp_path)) < 5:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    kept = finished_points(tmp_path)
    assert f"KeyboardInterrupt: stopped after {len(kept)} of 300 points" in err and "call the same sweep again" in err
    assert sorted(int(a) for a in (tmp_path / "log").read_text().split()) == sorted(kept)       # whoever had begun has finished


def test_control_c_without_a_store_says_what_is_lost():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def interrupted(a):
        if a == 3:
            signal.raise_signal(signal.SIGINT)
        return a

    with pytest.raises(KeyboardInterrupt, match="stopped after 3 of 9 points, which are lost: give store="):
        rv.sweep(interrupted, dict(a=range(9)), workers=1, progress=False)
    signal.signal(signal.SIGINT, before)


def test_threads_work_at_once():
    meeting = threading.Barrier(3)
    rv.sweep(lambda a: meeting.wait(30) and None, dict(a=range(6)), workers=3, progress=False, errors="raise")


@pytest.mark.skipif(DISABLED, reason="nothing is compiled")
def test_compiled_code_lets_go_of_the_gil():
    from rtvirt.analysis import kernels_edf, kernels_fp, kernels_interface
    from rtvirt.jit import loop_for
    from rtvirt.workloads import kernels

    for entry in (loop_for("credit").run, kernels_fp.bounds_of, kernels_edf.verdicts_of, kernels_interface.budgets_of, kernels.spacings,
                  kernels.tilted, kernels.tasks):
        assert entry.targetoptions["nogil"]


# ------------------------------------------------------------------ measures


def test_measures_of_a_run():
    system = rv.System(cpus=1, vms=[
        rv.VM("rt", tasks=[rv.Task("t", wcet=ms(2), period=ms(10), deadline=ms(3))], priority=2),
        rv.VM("high", tasks=[rv.Task("u", wcet=ms(2), period=ms(20), offset=0)], priority=1), rv.VM("none")])
    run = rv.simulate(system, rv.FixedPriority(), ms(100))
    assert measures.miss_ratio(run) == 5 / 15 and measures.miss_ratio(run, "rt") == 0.5 and measures.miss_ratio(run, "none") == 0
    assert measures.worst_response(run) == ms(4) and measures.worst_response(run, "high") == ms(2) and measures.worst_response(run, "none") == -1
    waits = run.wakeups[run.wakeups.vm == "rt"].latency
    assert measures.worst_latency(run, "rt") == waits.max() and measures.mean_latency(run, "rt") == pytest.approx(waits.mean())
    assert np.isnan(measures.mean_latency(run, "none")) and measures.latency_quantile(run, "none", 0.5) == -1
    assert measures.latency_quantile(run, "rt", 1.0) == pytest.approx(waits.max(), rel=1 / 64)
    assert measures.idle_share(run) == pytest.approx(0.7) and measures.share(run, "rt") == pytest.approx(0.2)
    assert measures.switches(run) == run.vms["switches"].sum() > 0
    assert measures.start_jitter(run, "rt") == pytest.approx(ms(1))          # 2 ms late, every other time
    with pytest.raises(SpecError, match="name a VM"):
        measures.mean_latency(run, "nobody")


def test_a_study_is_the_same_run_and_imported():
    """As ``python study.py`` it is ``__main__``; what it says of types must not make it another function."""
    source = "def f(a):\n    return type(a).__name__\n"
    made = []
    for name in ("__main__", "study"):
        there = {"__name__": name}
        exec(compile(source, "study.py", "exec"), there)
        made.append(running.identity(there["f"]))
    assert made[0] == made[1]
