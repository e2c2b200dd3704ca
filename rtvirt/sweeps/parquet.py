"""A store of results as partitioned Parquet: one folder a function, in it one a version, in that one file some 100,000 points.

    misses.parquet/rtvirt=8f3c…/part-00000.parquet, part-00001.parquet …    what pandas, Polars, DuckDB, Spark read
    misses.parquet/_tail.jsonl                                               points since the last part

A finished point is a line of the tail at once, so killing loses as little as with the store of lines; files that begin with ``_`` or ``.``
are left alone by readers of Parquet. A part appears complete or not at all, then the tail is emptied; whoever is killed in between finds
the tail's points in the part.
"""

from __future__ import annotations

import json
import os
from ast import literal_eval
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

from ..errors import RtvirtError
from ..files import atomically, folder_for
from .columns import decoded, encoded, integers, kind_of, widest
from .store import Store, StoreError, found_in, read_line

PART = 100_000        # points
KEY = "_key"          # column of what a point is found by
EXACT = "=_integers"  # column of integers among floats, if there are any
META = b"rtvirt"
FORMAT = 1


class ParquetStore:
    """The results of one function as Parquet; the same duties as `Store`.

    Attributes
    ----------
    path : Path
        Of the function: a folder that is one table.
    results, other_versions, damaged
        As in `Store`.
    """

    def __init__(self, folder: str | Path, name: str, version: str, about: dict[str, Any]) -> None:
        needs_pyarrow()
        self.path, self.version = folder_for(folder) / f"{name}.parquet", version
        self.tail = Store(self.path, "_tail", version, about)
        try:
            self.fold(about)
            self.parts = Parts(self.path / f"rtvirt={version}")
            self.results = self.parts.records()
            self.other_versions = sum(rows_in(path) for path in self.path.glob("rtvirt=*/part-*.parquet") if path.parent != self.parts.folder)
            self.damaged = self.tail.damaged
        except BaseException:
            self.tail.close()
            raise

    def fold(self, about: dict[str, Any]) -> None:
        """Make a part of the tail, whose version is that of the sweep that was killed, and empty it."""
        lines = [read_line(line) for line in self.tail.path.read_bytes().split(b"\n")[:-1]]
        rows = [record for record in lines if record and "key" in record]
        before = next((record["about"] for record in lines if record and "about" in record), about)
        for row in rows:
            row["point"] = {name: plain(text) for name, text in row["point"].items()}
        for version in dict.fromkeys(record["version"] for record in rows):
            Parts(self.path / f"rtvirt={version}").append([record for record in rows if record["version"] == version], before)
        os.ftruncate(self.tail.file, 0)
        os.lseek(self.tail.file, 0, os.SEEK_SET)
        self.tail.end, self.tail.about = 0, about
        self.tail.results.clear()
        self.tail.begin()

    def add(self, done: Sequence[tuple[str, dict[str, str], dict[str, Any]]]) -> None:
        """Keep finished points: any thread may call it."""
        self.tail.add(done)
        self.results.update((key, record) for key, _, record in done)
        if len(self.tail.results) >= PART:
            with self.tail.writing:
                if len(self.tail.results) >= PART:
                    self.fold(self.tail.about or {})

    def forget(self, keys: Iterable[str]) -> None:
        """Take points out of the table, to compute them again."""
        gone = set(keys)
        self.parts.drop(gone)
        for key in gone:
            del self.results[key]

    def close(self) -> None:
        """Make a part of what is left, and let others write."""
        try:
            if self.tail.results:
                self.fold(self.tail.about or {})
        finally:
            self.tail.close()


class Parts:
    """The files of one version."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def files(self) -> list[Path]:
        """In the order in which they were written."""
        return sorted(self.folder.glob("part-*.parquet"))

    def records(self) -> dict[str, dict[str, Any]]:
        """All results by key."""
        found: dict[str, dict[str, Any]] = {}
        for path in self.files():
            rows, _ = read(path, parameters=False)
            found.update((row["key"], found_in(row)) for row in rows)
        return found

    def append(self, rows: list[dict[str, Any]], about: dict[str, Any]) -> None:
        """A new part of lines of a store, of those that no part has yet."""
        rows = list({row["key"]: row for row in rows}.values())
        files = self.files()
        have = {key for path in files for key in keys_in(path)}
        rows = [row for row in rows if row["key"] not in have]
        if rows:
            folder_for(self.folder)
            number = int(files[-1].stem.split("-")[1]) + 1 if files else 0
            self.write({self.folder / f"part-{number:05}.parquet": (rows, about)})

    def drop(self, keys: set[str]) -> None:
        """Take points out."""
        for path in self.files():
            if keys & set(keys_in(path)):
                rows, about = read(path)
                self.write({path: ([row for row in rows if row["key"] not in keys], about)})

    def write(self, new: dict[Path, tuple[list[dict[str, Any]], dict[str, Any]]]) -> None:
        """Write parts. All parts have the same columns and types, so that they are one table: if the new one needs others, old ones follow."""
        made = {path: columns_of(rows) for path, (rows, _) in new.items()}
        kinds = {path: kinds_in(path) for path in self.files() if path not in new}
        wanted: dict[str, str] = {}
        for one in [*kinds.values(), *({name: kind_of(values) for name, values in columns.items()} for columns in made.values())]:
            for name, kind in one.items():
                wanted[name] = widest(wanted.get(name, kind), kind)
        if any(kind == "number" for name, kind in wanted.items() if name.startswith("=")):
            wanted[EXACT] = "text"
        wanted = {name: wanted[name] for name in sorted(wanted, key=lambda name: name.startswith("="))}     # parameters first
        for path, one in kinds.items():
            if one != wanted:
                rows, about = read(path)
                save(path, rows, about, columns_of(rows), wanted)
        for path, (rows, about) in new.items():
            save(path, rows, about, made[path], wanted)


def columns_of(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """Columns of rows: parameters by name, results by name behind ``=``, and the error."""
    points, results = [row["point"] for row in rows], [row.get("result", {}) for row in rows]
    found = {name: [point.get(name) for point in points] for name in dict.fromkeys(chain.from_iterable(points))}
    found |= {f"={name}": [result.get(name) for result in results] for name in dict.fromkeys(chain.from_iterable(results))}
    return {**found, "=error": [row.get("error") for row in rows]}


def plain(text: str | None) -> Any:
    """A parameter from its text: numbers, words and truth values as they are, others as text."""
    if text in ("nan", "inf", "-inf"):
        return float(text)
    try:
        value = literal_eval(text) if text is not None else None
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
    return value if value is None or isinstance(value, (bool, int, float, str)) else text


def save(path: Path, rows: list[dict[str, Any]], about: dict[str, Any], columns: dict[str, list[Any]], kinds: dict[str, str]) -> None:
    """Write a part."""
    import pyarrow as pa
    from pyarrow import parquet

    if EXACT in kinds:
        columns = {**columns, EXACT: integers(columns, kinds) or [None] * len(rows)}
    none = [None] * len(rows)
    arrays = {name.removeprefix("="): encoded(columns.get(name, none), kind) for name, kind in kinds.items()}
    made = pa.table({**arrays, KEY: pa.array([row["key"] for row in rows], pa.string())})
    made = made.replace_schema_metadata({META: json.dumps({"format": FORMAT, **about, "schema": kinds})})

    def write(temporary: Path) -> None:
        with temporary.open("wb") as file:
            parquet.write_table(made, file, compression="zstd", write_page_checksum=True)
            file.flush()
            os.fsync(file.fileno())       # the tail is emptied next

    try:
        atomically(path, write)
    except RtvirtError as error:
        raise StoreError(f"{error}: the points are safe in {path.parents[1] / '_tail.jsonl'}: make room, and call the same sweep again") from error


def read(path: Path, parameters: bool = True) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Rows of a part again, and their provenance."""
    from pyarrow import parquet

    with readable(path):
        note = json.loads(parquet.read_schema(path).metadata[META])
        kinds = {name: kind for name, kind in note["schema"].items() if parameters or name.startswith("=")}
        names = [KEY, *(name.removeprefix("=") for name in kinds)]
        made = parquet.read_table(path, columns=names, partitioning=None, page_checksum_verification=True)
        columns = {name: decoded(made[name.removeprefix("=")], kind) for name, kind in kinds.items()}
        keys, errors, exact = made[KEY].to_pylist(), columns.pop("=error"), columns.pop(EXACT, None)
    for k, text in enumerate(exact or ()):
        for name, value in json.loads(text or "{}").items():
            columns[name][k] = value
    points = rows_of({name: values for name, values in columns.items() if not name.startswith("=")}, len(keys))
    results = rows_of({name[1:]: values for name, values in columns.items() if name.startswith("=")}, len(keys))
    return [{"key": key, "point": point, **({"error": error} if error is not None else {"result": result})}
            for key, point, result, error in zip(keys, points, results, errors)], \
        {name: one for name, one in note.items() if name not in ("format", "schema")}


def rows_of(columns: dict[str, list[Any]], count: int) -> list[dict[str, Any]]:
    """Columns as rows."""
    names = list(columns)
    return [dict(zip(names, row)) for row in zip(*columns.values())] if names else [{} for _ in range(count)]


def kinds_in(path: Path) -> dict[str, str]:
    """Columns of a part, and what they are."""
    from pyarrow import parquet

    with readable(path):
        return json.loads(parquet.read_schema(path).metadata[META])["schema"]


def keys_in(path: Path) -> list[str]:
    """Keys of a part."""
    from pyarrow import parquet

    with readable(path):
        return parquet.read_table(path, columns=[KEY], partitioning=None, page_checksum_verification=True)[KEY].to_pylist()


def rows_in(path: Path) -> int:
    """Points of a part."""
    from pyarrow import parquet

    with readable(path):
        return int(parquet.read_metadata(path).num_rows)


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Say in words that a part is damaged, or no part of ours."""
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RtvirtError(f"{path} cannot be read ({error}): remove it to compute its points again, or choose another store") from error


def needs_pyarrow() -> None:
    """Say what to do without it."""
    try:
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise RtvirtError("a store of Parquet needs pyarrow: install the extra with `pip install 'rtvirt[parquet]'`; or leave format= out, and write "
                          "the table with to_csv") from error
