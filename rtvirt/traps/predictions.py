"""All published rows beside the model: what was measured, what is predicted, and the residual."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from .calibrate import UNITS, to_cycles
from .crossings import crossings
from .platforms import Platform, calibrated
from .rows import Row, rows, terms
from .structures.nested import EXITS
from .structures.paravirtual import LARGEST_BATCH

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ["row", "source", "year", "hardware", "system", "metric", "measured", "low", "high", "unit", "predicted", "residual", "tolerance",
           "role", "evidence", "platform", "structure", "transitions", "reason"]


def counted(row: int) -> float:
    """Rows that hold an integer of the model, not a time."""
    integers: dict[int, Callable[[], float]] = {
        122: lambda: LARGEST_BATCH,
        123: lambda: crossings("paravirtual", "page_fault").transitions,
        193: lambda: 100 - 100 * crossings("hardware_assist", "kernel_io").transitions
                     / crossings("hardware_assist", "kernel_io", times=2).transitions,
        225: lambda: EXITS["neve_non_vhe"], 226: lambda: EXITS["neve_vhe"], 227: lambda: EXITS["neve"], 230: lambda: EXITS["turtles"]}
    return integers[row]()


INTEGERS = (122, 123, 193, 225, 226, 227, 230)
SHARE_OF_BUILD = 149          # an overhead [%], where the row it belongs to gives the time


def predicted(row: Row) -> float | None:
    """What the model says, in the row's unit; None where it says nothing."""
    if row.number in INTEGERS:
        return counted(row.number)
    if not row.platform:
        return None
    machine = calibrated()[row.platform]
    total, bare = added(row, machine), bare_cost(row, machine)
    if row.number == SHARE_OF_BUILD:
        return 100 * total / bare
    return from_cycles(total + bare, row.unit, machine)


def added(row: Row, machine: Platform) -> float:
    """Cycles of the crossings; where the row is not explained, of those parts that are known."""
    counts = machine.parts(row.parts())
    return sum(n * (machine.constants.get(part, 0) if row.role == "unexplained" else machine.constant(part)) for part, n in counts.items())


def bare_cost(row: Row, machine: Platform) -> float:
    """Cycles of the bare machine in it."""
    return sum(n * machine.natives[key] for key, n in terms(row.native))


def from_cycles(value: float, unit: str, machine: Platform) -> float:
    """Cycles in the unit of the row."""
    return value / to_cycles(1.0, unit, float(machine.clock_mhz or 0)) if unit in UNITS else value


def residual(row: Row, value: float | None) -> float | None:
    """Predicted against measured [%]; against the nearer end of a published range, 0 inside it."""
    if value is None:
        return None
    low, high = row.span
    nearest = min(max(value, low), high)
    return 100 * (value - nearest) / nearest


def predictions() -> pd.DataFrame:
    """Every row of data/published/trap_costs.csv, with the model's value.

    Returns
    -------
    pandas.DataFrame
        Row number (from 1), source, year, hardware, system, metric, measured (the middle of a range; low, high), unit, predicted,
        residual [%] = predicted / measured - 1, tolerance [%], role, evidence, platform, structure, transitions, reason.

        Roles: *fit* (a constant rests on it), *given* (read off a row whose evidence is too weak to fit: secondary, or a post),
        *native* (an input), *predicted*, *unexplained* and *not a crossing* (each with its reason).

    Examples
    --------
    >>> table = predictions()
    >>> len(table), int((table.role == "fit").sum())
    (330, 63)
    """
    import pandas as pd

    found = []
    for row in rows():
        value = predicted(row)
        low, high = row.span
        transitions = sum(n * crossings(row.made(), name).transitions for name, n in terms(row.counts)) if row.structure else None
        found.append((row.number, row.source, row.year, row.hardware, row.system, row.metric, row.value, low, high, row.unit, value,
                      residual(row, value), row.tolerance, row.role, row.evidence, row.platform, row.structure, transitions, row.reason))
    return pd.DataFrame(found, columns=COLUMNS).astype({"predicted": float, "residual": float, "tolerance": float, "transitions": "Int64"})


def residuals() -> pd.DataFrame:
    """Residuals by role and source: how many rows, how many within tolerance, the median and the largest absolute residual [%].

    Examples
    --------
    >>> list(residuals().columns)
    ['role', 'source', 'rows', 'within', 'median', 'largest']
    """
    table = predictions().dropna(subset=["residual"])
    table = table[~table.role.isin(["native", "not a crossing"])]
    table = table.assign(size=table.residual.abs(), within=table.residual.abs() <= table.tolerance.fillna(0) + 1e-9)
    grouped = table.groupby(["role", "source"], as_index=False)
    return grouped.agg(rows=("row", "size"), within=("within", "sum"), median=("size", "median"), largest=("size", "max"))
