"""Tables of integers that kernels and people both read as ``st.vcpus[v].state``.

A `Row` names the fields of one thing; a `Struct` puts rows and tables of rows together. For compiled kernels a struct is one
block of memory laid out like a C struct, tables at their largest size: a kernel gets a single pointer, and a field is an address
known at compile time. Memory that is never touched costs nothing (it comes zeroed from the system, page by page). With the JIT
off the same struct is made of plain Python objects and lists, which a debugger shows field by field.
"""

from __future__ import annotations

import mmap
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from .jit import DISABLED


class Row:
    """Base of all rows. Every field is an int64, 0 unless a value is given."""

    def __init__(self, **values: int) -> None:
        for name in self.columns():
            setattr(self, name, int(values.get(name, 0)))

    @classmethod
    def columns(cls) -> tuple[str, ...]:
        """Names of the fields, in order."""
        return tuple(cls.__annotations__)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)}' for name in self.columns())})"


class Many:
    """A table of up to `capacity` rows (or ints) in a struct; a second number makes it a matrix of ints."""

    def __init__(self, kind: type, *capacity: int) -> None:
        self.kind, self.capacity = kind, capacity


class Struct:
    """Base of all structs. Class attributes name the parts: a `Row` or `Struct` class, or `Many` of one."""

    @classmethod
    def parts(cls) -> dict[str, Any]:
        """The parts by name, in order."""
        return {name: part for name, part in vars(cls).items() if isinstance(part, (Many, type))}


class NoNegative:
    """A table in plain Python form. It refuses negative indices: compiled kernels do not know them (`jit.index_like_c`)."""

    def __getitem__(self, index: Any) -> Any:
        refuse_negative(index)
        return super().__getitem__(index)  # type: ignore[misc]

    def __setitem__(self, index: Any, value: Any) -> None:
        refuse_negative(index)
        super().__setitem__(index, value)  # type: ignore[misc]


class Table(NoNegative, list[Any]):
    """Of one dimension."""


class Grid(NoNegative, np.ndarray):
    """Of two."""


def refuse_negative(index: Any) -> None:
    """IndexError for a negative number among the indices."""
    for number in index if isinstance(index, tuple) else (index,):
        if isinstance(number, (int, np.integer)) and number < 0:
            raise IndexError(f"row {index} of a table")


@cache
def dtype_of(kind: type) -> np.dtype:
    """Memory layout of a row or struct."""
    if kind is int:
        return np.dtype(np.int64)
    if issubclass(kind, Row):
        return np.dtype((np.record, [(name, np.int64) for name in kind.columns()]))
    fields: list[tuple[Any, ...]] = []
    for name, part in kind.parts().items():
        fields.append((name, dtype_of(part.kind), part.capacity) if isinstance(part, Many) else (name, dtype_of(part)))
    return np.dtype((np.record, fields))


def make(kind: type, sizes: Mapping[str, Any] | None = None) -> Any:
    """A struct full of zeros. `sizes` says how many rows of a table are used (for the plain Python form)."""
    if not DISABLED:
        layout = dtype_of(kind)
        block = mmap.mmap(-1, layout.itemsize)      # numpy.zeros may ask for huge pages, and those are zeroed at once
        return np.frombuffer(block, layout, 1).view(np.recarray)[0]
    sizes = sizes or {}
    world = kind()
    for name, part in kind.parts().items():
        if not isinstance(part, Many):
            value = make(part, sizes.get(name)) if issubclass(part, Struct) else part()
        else:
            count = sizes.get(name, part.capacity[0])
            if len(part.capacity) > 1:
                value = np.zeros((count, part.capacity[1]), np.int64).view(Grid)
            else:
                value = Table([0] * count if part.kind is int else [part.kind() for _ in range(count)])
        setattr(world, name, value)
    return world


def fill(rows: Any, count: int, /, **values: int | Sequence[int] | np.ndarray) -> None:
    """Set columns of the first `count` rows; a value is the same for all rows, or one for each."""
    for name, value in values.items():
        each = np.broadcast_to(np.asarray(value, np.int64), count)
        if isinstance(rows, list):
            for row, one in zip(rows, each.tolist(), strict=False):
                setattr(row, name, one)
        else:
            rows[name][:count] = each


def put(ints: Any, values: int | Sequence[int] | np.ndarray, count: int) -> None:
    """Set the first `count` of a table of ints."""
    each = np.broadcast_to(np.asarray(values, np.int64), count)
    ints[:count] = each.tolist() if isinstance(ints, list) else each


def column(rows: Any, name: str, count: int) -> np.ndarray:
    """One column of the first `count` rows as (count,) int64."""
    if isinstance(rows, list):
        return np.array([getattr(row, name) for row in rows[:count]], np.int64)
    return np.array(rows[name][:count])
