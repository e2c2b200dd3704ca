"""Bounds against simulation: whatever `admit` bounds, no attack may exceed. (`test_bounds_mutants.py`: wrong bounds are found out.)"""

from __future__ import annotations

import time

import bounded_systems
import pytest
from conftest import LONG

import rtvirt as rv
from rtvirt.jit import DISABLED

SECONDS, LEAST = (1e9, 3000) if LONG and not DISABLED else (0.1, 1 if DISABLED else 3)
RUNS = 2 if DISABLED else 20 if LONG else 12
PAIRS = [(name, guest) for k, name in enumerate(bounded_systems.SCHEDULERS) for j, guest in enumerate(bounded_systems.GUESTS)
         if not DISABLED or (j - k) % len(bounded_systems.GUESTS) == 0]              # without the JIT one guest for each: the kernels are the same


@pytest.mark.parametrize("costs", [False, True], ids=["free", "costs"])
@pytest.mark.parametrize("name, guest", PAIRS)
def test_no_bound_is_broken(name, guest, costs, seed):
    """Today's shard of a pair; the full count in the long run."""
    end, systems, bounded, jobs = time.monotonic() + SECONDS, 0, 0, 0
    least = LEAST // 6 if LONG and costs else LEAST
    while systems < least or (SECONDS < 1e9 and time.monotonic() < end):
        one = f"{seed}/{systems}"
        spec, scheduler = bounded_systems.system(one, name, guest, costs=costs)
        found = rv.analysis.attack(spec, scheduler, runs=RUNS, seed=systems)
        assert not found, f"system({one!r}, {name!r}, {guest!r}, costs={costs}) under {scheduler!r}: {found.broken}"
        systems, jobs = systems + 1, jobs + found.jobs
        bounded += any(shown.bound is not None for shown in found.tasks.values())
    print(f"{name}, guest {guest}: {systems} systems, {bounded} of them with bounds, {jobs} jobs; none broken")
