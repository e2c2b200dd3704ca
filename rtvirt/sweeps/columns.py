"""Columns of a table as Parquet's types, exactly: what comes back is what went in, whatever a function returned."""

from __future__ import annotations

import json
from typing import Any

KINDS = {bool: "bool", int: "int", float: "float", str: "text"}


def kind_of(values: list[Any]) -> str:
    """What values are: ``null``, ``bool``, ``int``, ``float``, ``text``, ``number`` (int and float), or ``json`` for other mixtures."""
    kinds = {KINDS[type(value)] for value in values if value is not None}
    kind = "null" if not kinds else kinds.pop() if len(kinds) == 1 else "number" if kinds == {"int", "float"} else "json"
    small = kind not in ("int", "number") or all(-2**63 <= value < 2**63 for value in values if isinstance(value, int))
    return kind if small else "json"


def widest(a: str, b: str) -> str:
    """The kind that holds both."""
    if a == b or b == "null":
        return a
    if a == "null":
        return b
    return "number" if {a, b} <= {"int", "float", "number"} else "json"


def encoded(values: list[Any], kind: str) -> Any:
    """An Arrow array of this kind."""
    import pyarrow as pa

    if kind == "json":
        return pa.array([None if value is None else json.dumps(value) for value in values], pa.string())
    if kind == "number":
        values = [None if value is None else float(value) for value in values]
    types = {"null": pa.null(), "bool": pa.bool_(), "int": pa.int64(), "float": pa.float64(), "number": pa.float64(), "text": pa.string()}
    return pa.array(values, types[kind], from_pandas=False)


def decoded(array: Any, kind: str) -> list[Any]:
    """The values again; of numbers, all as float."""
    values = array.to_pylist()
    return [None if value is None else json.loads(value) for value in values] if kind == "json" else values


def integers(columns: dict[str, list[Any]], kinds: dict[str, str]) -> list[str | None]:
    """For each row the integers among results that are numbers, as JSON: a column of doubles cannot tell 1 from 1.0."""
    mixed = [name for name, kind in kinds.items() if kind == "number" and name in columns and name.startswith("=")]
    found = []
    for row in zip(*(columns[name] for name in mixed)):
        exact = {name: value for name, value in zip(mixed, row) if isinstance(value, int)}
        found.append(json.dumps(exact) if exact else None)
    return found
