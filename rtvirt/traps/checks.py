"""Checks of what is asked: names with near ones, numbers with their range."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any

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


def whole_number(field: str, value: Any, low: int) -> int:
    """An integer, at least `low`."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < low:
        raise SpecError([Problem(field, value, f"a whole number from {low} on", f"write for example {max(low, 1)}")])
    return int(value)


def cycles(field: str, value: Any) -> int:
    """A cost in cycles: not negative, rounded to whole cycles."""
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= value < 2**53:
        raise SpecError([Problem(field, value, "cycles, 0 to 2^53", "give a cost that is not negative, for example 1300")])
    return round(value)
