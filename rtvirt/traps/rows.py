"""What each published row is to the model: an equation between a measured value and counts of parts."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from ..datafolder import path
from .parts import NATIVE
from .structures import STRUCTURES
from .structures.structure import Structure

ROLES = {"fit": "a constant was fitted to it", "given": "a constant read off it as it is: its evidence is too weak to fit",
         "native": "the bare machine's cost, an input", "predicted": "compared only", "unexplained": "compared, and the reason why it differs",
         "not a crossing": "no crossing in it, or too little published to count them"}
STRONG = ("primary", "author data")          # what may be fitted


class Row(NamedTuple):
    """One published value, and what the model makes of it."""

    number: int
    source: str
    year: int
    hardware: str
    system: str
    metric: str
    text: str                     # the value as published
    unit: str
    evidence: str
    role: str
    platform: str
    structure: str
    options: str
    counts: str                   # "system_call*2", or parts: "@trap+@return"
    native: str                   # key of the native cost, "" if there is none in it
    tolerance: float | None       # [%]
    reason: str

    @property
    def span(self) -> tuple[float, float]:
        """Lowest and highest published value."""
        low, _, high = self.text.partition("-")
        return float(low), float(high or low)

    @property
    def value(self) -> float:
        """The published value; the middle of a range."""
        return sum(self.span) / 2

    def made(self) -> Structure:
        """The structure with its options."""
        import yaml

        return STRUCTURES[self.structure](**yaml.safe_load("{" + self.options + "}"))

    def parts(self) -> dict[str, int]:
        """Counts of parts, without the native cost."""
        from .crossings import crossings

        found: dict[str, int] = {}
        for name, times in terms(self.counts):
            one: Mapping[str, int] = {name[1:]: 1} if name.startswith("@") else crossings(self.made(), name)
            for part, count in one.items():
                if part != NATIVE:
                    found[part] = found.get(part, 0) + times * count
        return found


def terms(text: str) -> list[tuple[str, int]]:
    """``"a*2+b"`` as [("a", 2), ("b", 1)]."""
    found = [re.fullmatch(r"(.+?)(?:\*(\d+))?", term) for term in text.split("+") if term]
    return [(match[1], int(match[2] or 1)) for match in found if match]


@lru_cache(maxsize=1)
def rows() -> tuple[Row, ...]:
    """All rows of data/published/trap_costs.csv, joined with data/traps/rows.csv."""
    published, judged = table("published/trap_costs.csv"), table("traps/rows.csv")
    return tuple(Row(number, p["source"], int(p["year"]), p["hardware"], p["system"], p["metric"], p["value"], p["unit"], p["evidence"],
                     j["role"], j["platform"], j["structure"], j["options"], j["counts"], j["native"],
                     float(j["tolerance"]) if j["tolerance"] else None, j["reason"])
                 for number, (p, j) in enumerate(zip(published, judged, strict=True), 1))


def table(name: str) -> list[dict[str, Any]]:
    """A CSV file of the data folder."""
    with path(name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
