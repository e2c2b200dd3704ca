"""Checks of what is asked: names with near ones, numbers with their range."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np

from ..errors import Problem, SpecError


def choose(field: str, value: Any, names: Iterable[str]) -> str:
    """The name, if it is one of these; spaces and hyphens may stand for underscores."""
    known = list(names)
    wanted = value.strip().lower() if isinstance(value, str) else ""
    for name in known:
        if wanted.replace(" ", "_").replace("-", "_") == name.replace("-", "_"):
            return name
    close = difflib.get_close_matches(wanted.replace(" ", "_"), known, n=3, cutoff=0.5)
    raise SpecError([Problem(field, value, ", ".join(known), f"did you mean {', '.join(close)}?" if close else "choose one of these")])


def is_whole(value: Any, low: int, high: int) -> bool:
    """True for an integer of that range."""
    return isinstance(value, Integral) and not isinstance(value, bool) and low <= value <= high


def whole_number(field: str, value: Any, low: int, high: int | None = None) -> int:
    """An integer, at least `low`, at most `high`."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < low or (high is not None and value > high):
        shown = f"from {low} on" if high is None else f"from {low} to {high}"
        raise SpecError([Problem(field, value, f"a whole number {shown}", f"write for example {max(low, 1)}")])
    return int(value)


def numbers(field: str, value: Any, *, low: float = 0.0, high: float = np.inf) -> Any:
    """A number, or an array of numbers, each from `low` to `high`, as float64."""
    try:
        found = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        found = np.array(np.nan)
    if not (np.isfinite(found) & (found >= low) & (found <= high)).all():
        shown = f"{low:g} to {high:g}" if high < np.inf else f"from {low:g} on"
        raise SpecError([Problem(field, value, f"numbers, {shown}", f"write for example {max(low, min(high, 100)):g}")])
    return found


def table(field: str, value: Any, what: str) -> Mapping[str, Any]:
    """A mapping from names to something."""
    if not isinstance(value, Mapping):
        raise SpecError([Problem(field, value, f"a dict of {what}", f"write for example {field}={{...}}")])
    return value


def cycles(field: str, value: Any) -> int:
    """A cost in cycles: not negative, rounded to whole cycles."""
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= value < 2**53:
        raise SpecError([Problem(field, value, "cycles, 0 to 2^53", "give a cost that is not negative, for example 1300")])
    return round(value)
