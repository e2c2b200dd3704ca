"""The points of a grid, and what a function finds at one: for threads here and for workers elsewhere the same."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from itertools import product
from math import prod
from typing import Any

import numpy as np

from ..errors import Problem, SpecError
from .spelling import spell

PLAIN = {bool, int, float, str, type(None)}        # what a cell may be


class Points:
    """Every combination of a grid's values, the last name fastest; made when asked for: a million of them need no memory."""

    def __init__(self, grid: Mapping[str, Iterable[Any]]) -> None:
        self.names, self.values = list(grid), [list(one) for one in grid.values()]
        self.spelled = [[spell(value, f"grid[{name!r}]") for value in one] for name, one in zip(self.names, self.values)]
        self.sizes = [len(one) for one in self.values]

    def __len__(self) -> int:
        return prod(self.sizes)

    def places(self, i: int) -> list[int]:
        """Which value of each name the point has."""
        found = []
        for size in reversed(self.sizes):
            i, place = divmod(i, size)
            found.append(place)
        return found[::-1]

    def point(self, i: int) -> dict[str, Any]:
        """The parameters of a point."""
        return dict(zip(self.names, self.values_of(i)))

    def values_of(self, i: int) -> tuple[Any, ...]:
        """The same without names."""
        return tuple([one[k] for one, k in zip(self.values, self.places(i))])

    def text(self, i: int) -> dict[str, str]:
        """The same as text that says all about them."""
        return {name: one[k] for name, one, k in zip(self.names, self.spelled, self.places(i))}

    def column(self, n: int) -> list[Any]:
        """The values of one name, point by point."""
        inner, outer = prod(self.sizes[n + 1:]), prod(self.sizes[:n])
        return [value for value in self.values[n] for _ in range(inner)] * outer

    def keys(self, version: str) -> list[str]:
        """What the result of each point is found by."""
        parts = sorted(range(len(self.names)), key=self.names.__getitem__)
        texts = [[f"\0{name}={value}" for value in one] for name, one in zip(self.names, self.spelled)]
        return [hashlib.sha256((version + "".join([texts[n][places[n]] for n in parts])).encode()).hexdigest()[:24]
                for places in product(*map(range, self.sizes))]


def compute(function: Callable[..., Any], point: dict[str, Any], errors: str) -> dict[str, Any]:
    """What the function finds at a point: ``{"result": {column: value}}``, or ``{"error": text}``.

    With ``errors="raise"`` the function's exception comes out, the point in its notes.
    """
    try:
        value = function(**point)
    except Exception as error:
        error.add_note(f"at the point {', '.join(f'{name}={value!r}' for name, value in point.items())}")
        if errors == "raise":
            raise
        return {"error": f"{type(error).__name__}: {error}"}
    return {"result": columns(value, getattr(function, "__name__", "value"), point)}


def plain(value: Any, column: str) -> Any:
    """A number of NumPy's as Python's; SpecError for what is no cell."""
    value = value.item() if isinstance(value, np.generic) else value
    if not isinstance(value, tuple(PLAIN)):
        raise SpecError([Problem(f"function's {column}", value, "a number, text or None", "return numbers, or a dict of them")])
    return value


def columns(value: Any, name: str, point: dict[str, Any]) -> dict[str, Any]:
    """A result as {column: plain value}; SpecError if it makes no row."""
    if hasattr(value, "_asdict"):
        value = value._asdict()
    named = dict(value) if isinstance(value, Mapping) or hasattr(value, "to_dict") else {"value" if name.startswith("<") else name: value}
    found = {}
    for column, one in named.items():
        if type(one) not in PLAIN:
            one = plain(one, column)
        if column in point or column == "error":
            raise SpecError([Problem("function", column, "columns that are no parameters, and not called error", "rename this part of its result")])
        found[str(column)] = one
    return found
