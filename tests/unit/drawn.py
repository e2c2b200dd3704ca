"""Random small task sets that are not overloaded."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

Row = dict[str, Any]


def within(load: float, count: int, draw: Callable[[], Row], *, cost: str = "cost", full: bool = True) -> list[Row]:
    """`count` rows whose costs by periods sum up to `load` at most (below it, unless `full`).

    A set is given up with the first row that is too much, and begun anew: what is accepted is distributed as if whole sets were drawn and refused,
    of which seven tasks on one pCPU need a thousand. Floats decide what is surely too much, fractions what is accepted.
    """
    while True:
        rows, sum_ = [], 0.0
        while len(rows) < count and sum_ <= load + 1e-9:
            rows.append(draw())
            sum_ += rows[-1][cost] / rows[-1]["period"]
        if len(rows) == count:
            exact = sum(Fraction(row[cost], row["period"]) for row in rows)
            if exact < load or (full and exact == load):
                return rows
