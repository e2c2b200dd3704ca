"""The exercises of notebook 2 say what the models say."""

from __future__ import annotations

import numpy as np
import pytest

import rtvirt as rv
from rtvirt.exercises import trap_overhead as exercises
from rtvirt.traps.clock import lost_ticks

TRAPS = rv.traps


@pytest.mark.parametrize(("entries", "faults", "batch"), [(64, 1, 16), (65, 3, 16), (1, 2, 2048), (4096, 70, 2048)])
def test_entries_are_the_models(entries, faults, batch):
    batched = TRAPS.crossings(TRAPS.Paravirtual(batch=batch), "pte_write", times=entries).transitions
    touched = sum(TRAPS.crossings("paravirtual", "page_fault").transitions for _ in range(faults))
    assert exercises.hypervisor_entries(entries, faults, batch) == batched + touched


def test_the_line_is_the_models():
    found = TRAPS.crossover("hardware_assist", "binary_translation", "p4-672", x="system_call", y="page_fault", points=2)
    assert exercises.calls_per_fault((2030, 3000), (0, 3000 + 2310)) == pytest.approx(float(found.slope))


@pytest.mark.parametrize("exits", [0, 8, 31])
def test_nested_exits_are_the_models(exits):
    one = TRAPS.crossings(TRAPS.Nested(exits), "hypercall").transitions
    assert exercises.exits_at_the_bottom(exits, 2) == one and exercises.exits_at_the_bottom(exits, 3) == one * one


@pytest.mark.parametrize("case", rv.exercises.EXERCISES["2.4"].cases)
def test_lost_time_is_the_clocks(case):
    """Many turns: what is lost grows by the same each turn, but for the first ones."""
    runs, waits, period = case
    starts = np.arange(0, 40 * (runs + waits), runs + waits)
    ticks = lost_ticks(starts, starts + runs, period)
    inside = (ticks >= 20 * (runs + waits)) & (ticks < 40 * (runs + waits))
    assert 20 * exercises.time_lost(runs, waits, period) == 20 * (runs + waits) - period * int(inside.sum())


def test_one_trap_more_is_late():
    for wcet, period, deadline, cost, blocking in rv.exercises.EXERCISES["2.5"].cases:
        n = exercises.traps_allowed(wcet, period, deadline, cost, blocking)
        assert n >= 0 and blocking + wcet + n * cost <= deadline < blocking + wcet + (n + 1) * cost
