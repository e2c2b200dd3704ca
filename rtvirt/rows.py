"""Tables of integers that kernels and people both read as ``st.vcpus[v].state``.

A `Row` names the fields of one thing; a `Struct` puts rows and tables of rows together. For compiled kernels a struct is one
block of memory laid out like a C struct, tables at their largest size: a kernel gets a single pointer, and a field is an address
known at compile time. Memory that is never touched costs nothing (it comes zeroed from the system, page by page). The host reads and
writes the same block by the same names. With the JIT off the same struct is made of plain Python objects and lists, which a debugger
shows field by field.
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
        vars(self).update(self.zeros())
        for name, value in values.items():
            setattr(self, name, int(value))

    @classmethod
    @cache
    def columns(cls) -> tuple[str, ...]:
        """Names of the fields, in order."""
        return tuple(cls.__annotations__)

    @classmethod
    @cache
    def zeros(cls) -> dict[str, int]:
        """The fields of a row to which nothing is given."""
        return dict.fromkeys(cls.columns(), 0)

    @classmethod
    @cache
    def places(cls) -> dict[str, int]:
        """Where each field is in the row."""
        return {name: place for place, name in enumerate(cls.columns())}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)}' for name in self.columns())})"


class Many:
    """A table of up to `capacity` rows (or ints) in a struct; a second number makes it a matrix of ints."""

    def __init__(self, kind: type, *capacity: int) -> None:
        self.kind, self.capacity = kind, capacity


class Log(Many):
    """A table that is only appended to: a row is written before it is read, so it need not begin with zeros."""


class Struct:
    """Base of all structs. Class attributes name the parts: a `Row` or `Struct` class, or `Many` of one.

    An instance has them as attributes. In compiled form they are views of its memory, made when first asked for.
    """

    memory: np.ndarray                        # (numbers,) int64: this struct's share of the block

    def __init_subclass__(cls) -> None:
        for name, part in list(vars(cls).items()):
            if isinstance(part, (Many, type)):
                setattr(cls, name, Part(name, part))

    @classmethod
    @cache
    def parts(cls) -> dict[str, Any]:
        """The parts by name, in order."""
        return {name: part.kind for name, part in vars(cls).items() if isinstance(part, Part)}

    def __getstate__(self) -> dict[str, Any]:
        return {"memory": self.memory} if "memory" in vars(self) else vars(self)


class Part:
    """A part of a struct in compiled form, found in its memory when first asked for."""

    def __init__(self, name: str, kind: Any) -> None:
        self.name, self.kind = name, kind

    def __get__(self, struct: Struct | None, owner: type[Struct]) -> Any:
        if struct is None:
            return self
        layout, offset = dtype_of(owner).fields[self.name][:2]
        view = view_of(self.kind, struct.memory[offset // 8:(offset + layout.itemsize) // 8])
        vars(struct)[self.name] = view
        return view


def view_of(kind: Any, memory: np.ndarray) -> Any:
    """A row, a table or a struct in memory, as the host reads and writes it."""
    if not isinstance(kind, Many):
        return StoredRow(kind, memory) if issubclass(kind, Row) else struct_in(kind, memory)
    if kind.kind is int:
        return memory.reshape(kind.capacity)
    return StoredRows(kind.kind, memory.reshape(*kind.capacity, -1))


def struct_in(kind: type[Struct], memory: np.ndarray) -> Any:
    """A struct in memory."""
    struct = kind()
    struct.memory = memory
    return struct


class StoredRow:
    """A row in memory: its fields are read and written by name, as Python ints."""

    __slots__ = ("numbers", "places")

    def __init__(self, kind: type[Row], numbers: np.ndarray) -> None:
        object.__setattr__(self, "numbers", numbers)
        object.__setattr__(self, "places", kind.places())

    def __getattr__(self, name: str) -> int:
        try:
            return self.numbers.item(self.places[name])
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name: str, value: int) -> None:
        self.numbers[self.places[name]] = value

    def __repr__(self) -> str:
        return f"({', '.join(f'{name}={getattr(self, name)}' for name in self.places)})"


class StoredRows:
    """A table in memory: ``numbers`` is (rows, fields) int64."""

    def __init__(self, kind: type[Row], numbers: np.ndarray) -> None:
        self.kind, self.numbers = kind, numbers

    def __getitem__(self, index: int) -> StoredRow:
        return StoredRow(self.kind, self.numbers[index])


class NoNegative:
    """A table in plain Python form. It refuses negative indices: compiled kernels do not know them (`lowering.index_like_c`)."""

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
    if type(index) is int:                 # nearly always
        wrong = index < 0
    else:
        wrong = any(isinstance(number, (int, np.integer)) and number < 0 for number in (index if isinstance(index, tuple) else (index,)))
    if wrong:
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


# ------------------------------------------------------------------ making


spare: dict[type, list[Any]] = {}      # structs that are no longer needed
KEPT = 4                               # so many of a kind: one for each thread of a small machine


def make(kind: type, sizes: Mapping[str, Any], plain: bool = DISABLED) -> Any:
    """A struct full of zeros, for compiled kernels or as `plain` objects. `sizes` says how many rows of each table will be used; the
    others must not be looked at.
    """
    if plain:
        return make_plain(kind, sizes)
    try:
        struct = spare[kind].pop()
        clear(struct, sizes)
    except (KeyError, IndexError):
        block = mmap.mmap(-1, dtype_of(kind).itemsize)      # numpy.zeros may ask for huge pages, and those are zeroed at once
        struct = struct_in(kind, np.frombuffer(block, np.int64))
    return struct


def give_back(struct: Any) -> None:
    """Keep a struct for the next `make`: a first touch of fresh memory costs more than most runs. Nobody may look at it again."""
    if not DISABLED and len(kept := spare.setdefault(type(struct), [])) < KEPT:
        kept.append(struct)


def clear(struct: Any, sizes: Mapping[str, Any]) -> None:
    """Zeros wherever a struct of these sizes is looked at before it is written."""
    for name, part in struct.parts().items():
        if isinstance(part, Log) or sizes.get(name) == 0:
            continue
        value = getattr(struct, name)
        if isinstance(value, Struct):
            clear(value, sizes[name])
        elif isinstance(value, StoredRow):
            value.numbers[:] = 0
        else:
            (value.numbers if isinstance(value, StoredRows) else value)[:sizes[name]] = 0


def make_plain(kind: type, sizes: Mapping[str, Any]) -> Any:
    """The same as Python objects and lists, with no more rows than will be used."""
    world = kind()
    for name, part in kind.parts().items():
        count = sizes.get(name, part.capacity[0]) if isinstance(part, Many) else 1
        if not isinstance(part, Many):
            value = make_plain(part, sizes.get(name, {})) if issubclass(part, Struct) else part()
        elif len(part.capacity) > 1:
            value = np.zeros((count, part.capacity[1]), np.int64).view(Grid)
        else:
            value = Table([0] * count if part.kind is int else [part.kind() for _ in range(count)])
        setattr(world, name, value)
    return world


def handle(struct: Any) -> Any:
    """What the loop is given: the struct as the only element of an array (a record by itself would take Numba 12 us to recognize)."""
    if "memory" not in vars(struct):
        return (struct,)
    if "handle" not in vars(struct):
        vars(struct)["handle"] = struct.memory.view(dtype_of(type(struct)))      # numpy takes its time to see that this is safe
    return vars(struct)["handle"]


# ------------------------------------------------------------------ filling and reading


def fill(rows: Any, count: int, /, **values: int | Sequence[int] | np.ndarray) -> None:
    """Set columns of the first `count` rows; a value is the same for all rows, or one for each."""
    for name, value in values.items():
        if isinstance(rows, StoredRows):
            rows.numbers[:count, rows.kind.places()[name]] = value
        else:
            for row, one in zip(rows, np.broadcast_to(np.asarray(value, np.int64), count).tolist(), strict=False):
                setattr(row, name, one)


def put_row(row: Any, **values: int) -> None:
    """Set fields of a row."""
    for name, value in values.items():
        setattr(row, name, value)


def put_rows(rows: Any, values: Sequence[Mapping[str, int]]) -> None:
    """Set the first rows of a table; fields that are not named become 0."""
    if isinstance(rows, StoredRows):
        names = rows.kind.columns()
        if values:
            rows.numbers[:len(values)] = [[row.get(name, 0) for name in names] for row in values]
    else:
        for row, named in zip(rows, values, strict=False):
            put_row(row, **named)


def put(ints: Any, values: int | Sequence[int] | np.ndarray, count: int) -> None:
    """Set the first `count` of a table of ints."""
    ints[:count] = np.broadcast_to(np.asarray(values, np.int64), count).tolist() if isinstance(ints, list) else values


def copied(rows: Any, kind: type[Row], count: int) -> np.ndarray:
    """(count, fields) int64: a copy of the first rows of a table of `kind`."""
    if isinstance(rows, StoredRows):
        return rows.numbers[:count].copy()
    return np.array([[getattr(row, name) for name in kind.columns()] for row in rows[:count]], np.int64).reshape(count, len(kind.columns()))
