"""All judged rows beside the model: what was measured, what is predicted, the residual, and whether it is as near as it has to be."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import inf, isfinite, nan
from typing import TYPE_CHECKING

from ..errors import Problem, SpecError
from .formulas import FORMULAS
from .machines import Machine, calibrated
from .rows import TIMES, Row, rows

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ["file", "row", "source", "hardware", "system", "metric", "measured", "low", "high", "unit", "predicted", "residual", "tolerance",
           "check", "within", "role", "evidence", "machine", "mtu", "reason"]
GAINS = ("receive gain", "offload gain")      # [%] by which something grows: residuals are of what it grows to


def predicted(one: Row, machines: Mapping[str, Machine]) -> float | None:
    """What the model says, in the row's unit; None where it says nothing."""
    if one.model in FORMULAS:
        return float(FORMULAS[one.model](machines))
    if one.model == "input":
        return one.value
    if not one.counts:
        return None
    on = machines[one.machine]
    cost = Fraction(sum(n * on.price(part) for part, n in one.parts.items()))
    if one.model in ("rate", "line"):
        free, line = one.mtu * 8000 / cost, on.capacity(one.mtu)
        return float(free if line is None else min(free, line))
    if one.model == "idle":
        assert on.line is not None
        return float(100 * (1 - cost * on.line / (one.mtu * 8000)))
    return float(cost / 1000 if one.model == "million" else cost / TIMES[one.unit])


def residual(one: Row, value: float | None) -> float | None:
    """Predicted against measured [%], idle shares in points; against the nearer end of a published range, 0 inside it."""
    if value is None:
        return None
    low, high = one.span
    nearest = min(max(value, low), high)
    if one.check.startswith("order"):
        return value - nearest
    if value == nearest:
        return 0.0
    shift = 100 if one.model in GAINS else 0
    return 100 * (value - nearest) / (nearest + shift)


def as_near(one: Row, value: float | None, others: Mapping[str, list[tuple[float, float]]]) -> bool | None:
    """Whether a prediction passes what its row asks for; None where nothing is asked."""
    if value is None:
        return None
    kind, _, rest = one.check.partition(" ")
    asked = []
    if one.tolerance is not None:
        asked.append(abs(residual(one, value) or 0.0) <= one.tolerance + 0.02)       # prices are whole nanoseconds
    if kind == "order":
        pairs = sorted(others[rest])
        asked.append(all(a[1] < b[1] for a, b in zip(pairs, pairs[1:], strict=False)))
    elif kind == "more":
        asked.append(value > float(rest.split()[-1]))
    elif one.check == "at most":
        asked.append(0 < one.value <= value)
    elif kind:
        low, _, high = one.check.partition(" to ")
        asked.append(float(low) <= value <= float(high))
    return all(asked) if asked else None


def predictions(machines: Mapping[str, Machine] | None = None) -> pd.DataFrame:
    """Every row of data/published/split_io.csv, and those of latency.csv and scheduling.csv that are about rates and paths, with the model's value.

    Parameters
    ----------
    machines : {name: Machine}, optional
        In place of the calibrated ones of the same name: what would be predicted if a price were another?

    Returns
    -------
    pandas.DataFrame
        File and row (from 1), source, hardware, system, metric, measured (the middle of a range; low, high), unit, predicted, residual,
        tolerance [%], check, within, role, evidence, machine, mtu [bytes], reason.

        Residuals are predicted / measured - 1 [%]; of a range, from its nearer end. Of a gain [%] they are of what it grows to, of idle shares
        in points. Checks other than the tolerance: *order* (of all rows of that name), *more than*, *at most* (the prediction is an upper bound),
        *A to B* (a range wider than the published value's).

        Roles: *fit* (a price rests on it), *given* (the same, its evidence too weak to fit), *native* (the bare system, or a limit: an input),
        *predicted*, *unexplained* (with its reason). The prediction of an input that no price was read off is the input.

    Examples
    --------
    >>> table = predictions()
    >>> len(table), bool(table.within[table.role == "predicted"].all())
    (76, True)
    """
    import pandas as pd

    known = calibrated()
    fits = isinstance(machines, Mapping) and all(name in known and isinstance(one, Machine) for name, one in machines.items())
    if machines is not None and not fits:
        raise SpecError([Problem("machines", machines, f"names of {', '.join(known)}, each with a Machine",
                                 'write for example {"dell-2650": rv.throughput.machine("dell-2650").change(flip=2000)}', "")])
    found_machines = {**known, **(machines or {})}
    values = [(one, predicted(one, found_machines)) for one in rows()]
    series: dict[str, list[tuple[float, float]]] = {}
    for one, value in values:
        if one.check.startswith("order") and value is not None:
            series.setdefault(one.check.partition(" ")[2], []).append((one.value, value))
    found = []
    for one, value in values:
        low, high = one.span
        measured = one.value if isfinite(one.value) else low or nan
        found.append((one.file, one.number, one.source, one.hardware, one.system, one.metric, measured, low, high, one.unit, value,
                      residual(one, value), one.tolerance, one.check, as_near(one, value, series), one.role, one.evidence, one.machine, one.mtu,
                      one.reason))
    table = pd.DataFrame(found, columns=COLUMNS).astype({"predicted": float, "residual": float, "tolerance": float})
    return table.assign(high=table.high.replace(inf, nan))


def residuals() -> pd.DataFrame:
    """Residuals by role and source, of rows that something is asked of: how many, how many pass, the median and the largest absolute residual.

    Examples
    --------
    >>> list(residuals().columns)
    ['role', 'source', 'rows', 'within', 'median', 'largest']
    """
    table = predictions()
    table = table[table.within.notna() & (table.role != "native")]
    table = table.assign(size=table.residual.abs(), near=table.within.eq(True))
    return table.groupby(["role", "source"], as_index=False).agg(rows=("row", "size"), within=("near", "sum"), median=("size", "median"),
                                                                 largest=("size", "max"))
