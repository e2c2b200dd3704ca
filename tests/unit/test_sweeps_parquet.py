"""A store of Parquet: one table for everybody, exact for us, and nothing lost wherever it is broken off."""

from __future__ import annotations

import json
import random
import sys
from collections import deque

import numpy as np
import pandas as pd
import pytest

import rtvirt as rv
from rtvirt.errors import RtvirtError
from rtvirt.sweeps import columns, parquet, running
from rtvirt.sweeps.store import StoreError

pytest.importorskip("pyarrow")

CALLS: deque[int] = deque()
MIXED = [1, 0.5, 1.0, -3, None, "x", True, 2**70, float("nan"), float("inf"), -0.0, "", "1", 2**53 + 1]


def sweep(function, grid, folder, **more):
    return rv.sweep(function, grid, store=folder, format="parquet", progress=False, **more)


def part(folder, number=0):
    return sorted(folder.glob("*.parquet/*/part-*.parquet"))[number]


def test_one_table_with_provenance(tmp_path):
    import pyarrow.parquet as pq

    def misses(scheduler, seed):
        return {"ratio": seed / 4, "jobs": seed, "why": "late" if seed else None}

    grid = dict(scheduler=[rv.RTDS(), rv.Credit()], seed=range(3))
    found = sweep(misses, grid, tmp_path, workers=1)
    table = pd.read_parquet(tmp_path / "misses.parquet")
    assert table["ratio"].tolist() == found["ratio"].tolist() and table["seed"].tolist() == found["seed"].tolist()
    assert table["jobs"].dtype == np.int64 and [w if isinstance(w, str) else None for w in table["why"]] == [None, "late", "late"] * 2
    assert table["scheduler"][0].startswith("rtvirt.schedulers.rtds.RTDS(") and table["_key"].is_unique and table["rtvirt"].nunique() == 1
    about = json.loads(pq.read_schema(part(tmp_path)).metadata[b"rtvirt"])
    assert about["function"].endswith("misses") and about["seed"] == {"count": 3, "values": ["0", "1", "2"]} and about["points"] == 6
    assert f"{about['code']}-{about['model']}" == table["rtvirt"][0] and about["packages"]["numpy"] == np.__version__
    assert about["parameters"]["scheduler"]["count"] == 2 and about["schema"]["=ratio"] == "float"


def test_what_comes_back_is_what_went_in(tmp_path, seed, long):
    rng = random.Random(seed)
    for round_ in range(200 if long else 10):
        cells = {a: {name: rng.choice(rng.choice([MIXED, [1, 2, None], [0.5, 1, 2], ["a", None], [True, False], [None]])) for name in "xyz"}
                 for a in range(6)}

        def look(a, cells=cells):
            if a == 5:
                raise ValueError("five")
            return cells[a]

        fresh = rv.sweep(look, dict(a=range(6)), workers=1, progress=False)
        folder = tmp_path / str(round_)
        for few in (range(2), range(4), range(6)):                  # three parts, whose types may have to be widened
            sweep(look, dict(a=few), folder)
        assert len(list(folder.glob("*.parquet/*/part-*"))) == 3
        again = sweep(look, dict(a=range(6)), folder)
        pd.testing.assert_frame_equal(again, fresh, check_exact=True)
        assert [repr(x) for x in again.to_numpy().ravel()] == [repr(x) for x in fresh.to_numpy().ravel()]
        assert sorted(pd.read_parquet(folder / "look.parquet")["a"]) == list(range(6))


def square(a):
    CALLS.append(a)
    return {"square": 1 // a}


def test_stored_points_are_not_computed_again_and_errors_on_demand(tmp_path):
    CALLS.clear()
    table = sweep(square, dict(a=[0, 1, 2]), tmp_path)
    assert sweep(square, dict(a=[2, 1, 0]), tmp_path)["square"].tolist()[:2] == [0, 1] and sorted(CALLS) == [0, 1, 2]
    assert table["error"].tolist()[0].startswith("ZeroDivisionError")
    sweep(square, dict(a=[0, 1, 2]), tmp_path, retry=True)
    assert sorted(CALLS) == [0, 0, 1, 2] and sorted(pd.read_parquet(tmp_path / "square.parquet")["a"]) == [0, 1, 2]


def identity(a):
    return a


@pytest.mark.parametrize("when", ["before the part", "between part and tail"])
def test_killed_while_a_part_is_made(tmp_path, monkeypatch, when):
    class Killed(BaseException):
        pass

    def killed(*_):
        raise Killed

    monkeypatch.setattr(parquet, "PART", 4)
    with monkeypatch.context() as patch:
        patch.setattr(*((parquet, "save") if when == "before the part" else (parquet.os, "ftruncate")), killed)
        patch.setattr(parquet.ParquetStore, "close", lambda self: self.tail.close())
        with pytest.raises(Killed):
            if when != "before the part":
                patch.setattr(parquet.ParquetStore, "__init__", gently(parquet.ParquetStore.__init__, patch, killed))
            sweep(identity, dict(a=range(10)), tmp_path, workers=1)
    assert sweep(identity, dict(a=range(10)), tmp_path, workers=1)["identity"].tolist() == list(range(10))
    assert sorted(pd.read_parquet(tmp_path / "identity.parquet")["a"]) == list(range(10))


def gently(init, patch, killed):
    """Let a store be opened, and kill later."""
    def opened(self, *arguments):
        patch.setattr(parquet.os, "ftruncate", lambda *_: None)
        init(self, *arguments)
        patch.setattr(parquet.os, "ftruncate", killed)
    return opened


def test_another_version_has_a_folder_of_its_own(tmp_path, monkeypatch):
    sweep(identity, dict(a=[1]), tmp_path)
    monkeypatch.setattr(running, "model_version", lambda: "another")
    with pytest.warns(RuntimeWarning, match="holds 1 points of another version"):
        sweep(identity, dict(a=[1]), tmp_path)
    assert pd.read_parquet(tmp_path / "identity.parquet")["rtvirt"].nunique() == 2


def test_what_cannot_be_read_or_written_is_said(tmp_path, monkeypatch):
    sweep(identity, dict(a=[1]), tmp_path)
    good = part(tmp_path).read_bytes()
    for k in range(4, len(good) - 20, 97):                   # a damaged place is noticed, or is none that counts
        part(tmp_path).write_bytes(good[:k] + bytes(20) + good[k + 20:])
        try:
            assert sweep(identity, dict(a=[1]), tmp_path)["identity"].tolist() == [1]
        except RtvirtError as error:
            assert "cannot be read" in str(error)
    for bad in (b"", good[:-20]):
        part(tmp_path).write_bytes(bad)
        with pytest.raises(RtvirtError, match="(?s)cannot be read .*remove it"):
            sweep(identity, dict(a=[1]), tmp_path)
    part(tmp_path).write_bytes(good)
    with monkeypatch.context() as patch:
        patch.setattr(parquet.os, "fsync", lambda file: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(StoreError, match="No space left on device.*the points are safe in .*_tail.jsonl"):
            sweep(identity, dict(a=[1, 2]), tmp_path)
    assert sweep(identity, dict(a=[1, 2]), tmp_path)["identity"].tolist() == [1, 2] and len(list(tmp_path.glob("*/*/part-*"))) == 2
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "pyarrow", None)
        with pytest.raises(RtvirtError, match=r"pip install 'rtvirt\[parquet\]'`; or leave format= out"):
            sweep(identity, dict(a=[1]), tmp_path)


def test_kinds():
    some = ([], [None], [True, None], [1, None], [1.5], ["a"], [1, 0.5], [1, True], [2**63], [2**63, 0.5])
    assert [columns.kind_of(values) for values in some] == \
        ["null", "null", "bool", "int", "float", "text", "number", "json", "json", "json"]
    assert columns.widest("null", "int") == "int" and columns.widest("int", "float") == "number" and columns.widest("number", "text") == "json"
    assert [parquet.plain(text) for text in ("1", "'a'", "nan", "None", "b'a'", "f(1)", "-0.5", None)][:2] == [1, "a"]
    assert parquet.plain("b'a'") == "b'a'" and parquet.plain("f(1)") == "f(1)" and parquet.plain("(1, 2)") == "(1, 2)"
