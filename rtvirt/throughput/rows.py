"""What each published row is to the model: an equation between a measured rate or time and counts of parts, or a formula's result."""

from __future__ import annotations

import re
from functools import lru_cache
from math import inf
from typing import NamedTuple

from ..traps.rows import STRONG, table, terms
from .paths import PATHS

__all__ = ["ROLES", "STRONG", "Row", "interval", "row", "rows"]

ROLES = {"fit": "a constant rests on it (primary or author data)", "given": "a constant is read off it: its evidence is too weak to fit",
         "native": "the bare system, or a limit: an input", "predicted": "compared only", "unexplained": "not explained, and why"}
TIMES = {"ns": 1, "us": 1_000, "ms": 1_000_000}      # ns


class Row(NamedTuple):
    """One published value, and what the model makes of it."""

    file: str                     # of data/published
    number: int                   # in that file, from 1
    source: str
    hardware: str
    system: str
    metric: str
    text: str                     # the value as published
    unit: str
    evidence: str
    role: str
    machine: str
    model: str                    # how counts become the value, or the name of a formula
    counts: str                   # a path and a direction, "page_flip tx"; or parts, "out+world_switch*2"
    mtu: int                      # bytes of a packet, 0 where there is none
    tolerance: float | None       # [%], of idle shares in points
    check: str                    # "", "order NAME", "more than X", "at most", "A to B"
    reason: str

    @property
    def span(self) -> tuple[float, float]:
        """Lowest and highest published value."""
        return interval(self.text)

    @property
    def parts(self) -> dict[str, int]:
        """Counts of parts; of a path, those of a packet."""
        path, _, direction = self.counts.partition(" ")
        if not direction:
            return dict(terms(self.counts))
        return {part: int(n) for part, n in PATHS[path].counts(mtu=self.mtu, direction=direction).items()}

    @property
    def value(self) -> float:
        """The published value; the middle of a range."""
        return sum(self.span) / 2


def interval(text: str) -> tuple[float, float]:
    """A published value as an interval.

    Examples
    --------
    >>> interval("97-100"), interval("<800"), interval("142k,109k,146k"), interval(">89")
    ((97.0, 100.0), (0.0, 800.0), (109000.0, 146000.0), (89.0, inf))
    """
    found = [float(number) * (1000 if k else 1) for number, k in re.findall(r"(\d+(?:\.\d+)?)(k?)", text)]
    if not found:
        return 0.0, inf
    return 0.0 if text.startswith("<") else min(found), inf if text.startswith(">") else max(found)


@lru_cache(maxsize=1)
def rows() -> tuple[Row, ...]:
    """All judged rows: the whole of split_io.csv, and those of latency.csv and scheduling.csv that are about rates and paths."""
    published = {file: table(f"published/{file}.csv") for file in ("split_io", "latency", "scheduling")}
    found = []
    for j in table("throughput/rows.csv"):
        p = published[j["file"]][int(j["row"]) - 1]
        found.append(Row(j["file"], int(j["row"]), p["source"], p["hardware"], p["system"], p["metric"], p["value"], p["unit"], p["evidence"],
                         j["role"], j["machine"], j["model"], j["counts"], int(j["mtu"] or 0),
                         float(j["tolerance"]) if j["tolerance"] else None, j["check"], j["reason"]))
    return tuple(found)


def row(file: str, number: int) -> Row:
    """One row."""
    return next(one for one in rows() if (one.file, one.number) == (file, number))
