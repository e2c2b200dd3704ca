"""Calibration: a platform's constants by non-negative least squares of relative residuals, over the rows that may be used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..errors import RtvirtError
from .parts import PARTS
from .rows import Row, terms

UNITS = {"ns": 1e-9, "us": 1e-6, "us/exit": 1e-6, "s": 1.0}


class Equation(NamedTuple):
    """value [cycles] = sum of count x constant; the value is what the structure adds, and residuals are relative to that."""

    row: int
    counts: dict[str, int]
    value: float

class Fit(NamedTuple):
    """Constants [cycles], and the rows each was fitted on."""

    constants: dict[str, int]
    rows: dict[str, tuple[int, ...]]


def to_cycles(value: float, unit: str, clock_mhz: float | None) -> float:
    """A published value in cycles; values that are not times stay as they are."""
    return value if unit not in UNITS else value * UNITS[unit] * (clock_mhz or 0) * 1e6


def expand(counts: Mapping[str, int], fine: Iterable[str], alias: Mapping[str, str]) -> dict[str, int]:
    """Composite parts by their finer ones, where the platform has those; aliases by what they stand for."""
    found: dict[str, int] = {}
    for part, count in counts.items():
        pieces = PARTS[part].made_of if part in PARTS and set(PARTS[part].made_of) & set(fine) else (alias.get(part, part),)
        for piece in pieces:
            found[piece] = found.get(piece, 0) + count
    return found


def fine_parts(rows: Iterable[Row]) -> frozenset[str]:
    """Parts that were measured by themselves."""
    return frozenset(name[1:] for row in rows for name, _ in terms(row.counts) if name.startswith("@"))


def natives_of(rows: Iterable[Row], clock_mhz: float | None) -> dict[str, int]:
    """Native costs [cycles], one row each."""
    return {row.native: round(to_cycles(row.value, row.unit, clock_mhz)) for row in rows if row.role == "native" and row.native}


def fit(equations: Sequence[Equation], what: str) -> Fit:
    """Solve; integers of cycles.

    Raises
    ------
    RtvirtError
        When the rows do not determine the constants: then the model has one too many.
    """
    names = sorted({name for one in equations for name in one.counts})
    if not names:
        return Fit({}, {})
    matrix = np.array([[one.counts.get(name, 0) / one.value for name in names] for one in equations])
    if np.linalg.matrix_rank(matrix) < len(names):
        raise RtvirtError(f"{what}: the rows do not determine {', '.join(names)}")
    solution = non_negative(matrix, np.ones(len(equations)))
    return Fit({name: round(value) for name, value in zip(names, solution.tolist(), strict=True)},
               {name: tuple(one.row for one in equations if name in one.counts) for name in names})


def non_negative(matrix: npt.NDArray[np.float64], target: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Least squares with no negative unknown (Lawson and Hanson 1974): what turns negative is set to zero, what would help comes back."""
    free = np.ones(matrix.shape[1], dtype=bool)
    found = np.zeros(matrix.shape[1])
    for _ in range(3 * matrix.shape[1]):
        found[:] = 0
        found[free] = np.linalg.lstsq(matrix[:, free], target, rcond=None)[0]
        if (found < 0).any():
            free &= found > 0
            continue
        helps = matrix.T @ (target - matrix @ found) * ~free
        if helps.max() <= 1e-12:
            break
        free[helps.argmax()] = True
    return np.asarray(found.clip(0))
