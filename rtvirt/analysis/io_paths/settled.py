"""Bounds of a system with devices, from what `admit` is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ...system import System
from ..admission.judging import judge
from ..admission.sections import Trapping, trapping_of
from ..overheads import Overheads
from .members import House
from .rounds import Rounds


def settled(system: System, scheduler: Any, *, overheads: Overheads | None = None, blocking: Mapping[str, int] | None = None,
            traps: Mapping[str, Trapping] | None = None) -> Rounds:
    """The rounds, at their fixed point."""
    given = Overheads.of(system.costs) if overheads is None else overheads
    found = trapping_of(system, traps or {}, given.section)
    longest = max((own.section for own in found.values()), default=0)
    return Rounds(House(system, replace(given, section=longest)), scheduler, blocking or {}, found, judge).settle()
