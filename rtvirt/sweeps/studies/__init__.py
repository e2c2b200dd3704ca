"""Worked studies: each one call, a progress bar, a table, and a figure of `rv.plots` that one would print.

`schedulability` → `rv.plots.ratio`; `tightness` → `rv.plots.tightness`; `boost` → `rv.plots.gains`; `fronts` → `rv.plots.fronts`.
Notebook 9 has them all.
"""

from . import ratio
from .boost import boost, io_system
from .fronts import KINDS, Contracts, contracts, fronts, pareto
from .ratio import SCHEDULERS, million, schedulability
from .systems import Systems, draw
from .tightness import BOUNDED, tightness

__all__ = ["BOUNDED", "KINDS", "SCHEDULERS", "Contracts", "Systems", "boost", "contracts", "draw", "fronts", "io_system", "million", "pareto",
           "ratio", "schedulability", "tightness"]
