"""Calibrated `Costs`: what was measured on some machine, each figure with its source (data/costs/presets.csv).

No published study measured everything that `Costs` can hold. A preset holds what its source measured; the rest of it is 0, which
means unknown, not free. Published figures that belong to no field of `Costs` are left out rather than bent to fit.
"""

from __future__ import annotations

import csv
from functools import lru_cache
from typing import Any

from ..datafolder import path
from ..errors import Problem, SpecError

TABLE = "costs/presets.csv"


@lru_cache
def table() -> tuple[dict[str, str], ...]:
    """All rows of the table."""
    with path(TABLE).open(encoding="utf-8", newline="") as stream:
        return tuple(csv.DictReader(stream))


def names() -> tuple[str, ...]:
    """Names of the presets, in the table's order."""
    return tuple(dict.fromkeys(row["preset"] for row in table()))


def sources(name: str) -> list[dict[str, str]]:
    """The rows of one preset; SpecError with the valid names when there is none."""
    rows = [dict(row) for row in table() if row["preset"] == name]
    if not rows:
        raise SpecError([Problem("costs", name, ", ".join(names()), "choose one of these, or give the costs one by one")])
    return rows


def fields(name: str) -> dict[str, int]:
    """{field of `Costs`: value [ns]} of a preset."""
    return {row["field"]: int(row["value_ns"]) for row in sources(name)}


def named(value: Any) -> Any:
    """Costs as a user may write them: a preset's name, or a mapping that starts from a `preset` and overrides some of it."""
    if isinstance(value, str):
        return fields(value)
    if isinstance(value, dict) and "preset" in value:
        rest = {key: given for key, given in value.items() if key != "preset"}
        return fields(str(value["preset"])) | rest
    return value
