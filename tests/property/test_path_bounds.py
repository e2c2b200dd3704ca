"""Bounds of paths against simulation: no message takes longer than `path_bound` says, none is dropped, and no task is later than `admit` says."""

from __future__ import annotations

import random
import statistics
import time

import numpy as np
import plumbed_systems
import pytest
from conftest import LONG

import rtvirt as rv
from rtvirt.analysis.attack import responses
from rtvirt.jit import DISABLED
from rtvirt.units import ms

SECONDS, LEAST = (1e9, 1500) if LONG and not DISABLED else (0.3, 1)
RUNS = 1 if DISABLED else 6
LENGTH = ms(20) if DISABLED else ms(100)


def excess(system, scheduler, rnd, runs=RUNS, length=LENGTH, bounds=None, verdict=None):
    """(what exceeded its bound, {path: bound / worst}, messages looked at) of an attack; bounds are those of the system given."""
    if bounds is None:
        bounds = {path.name: rv.analysis.path_bound(system, scheduler, path.name) for path in paths_of(system)}
    verdict = verdict if verdict is not None else rv.admit(system, scheduler)
    worst, seen = dict.fromkeys(bounds, 0), 0
    for seed in range(runs):
        run = rv.simulate(plumbed_systems.attacked(system, rnd, length), scheduler, length, seed=seed)
        for name, bound in bounds.items():
            found = late(run, bound, length)
            if found:
                return f"run {seed}: {found}", {}, seen
            total = run.paths[name]["total"].to_numpy()
            seen += len(total)
            worst[name] = max(worst[name], int(total.max(initial=0)))
        for name, most in responses(run).items():
            if (bound := verdict.bounds.get(name)) is not None and most > bound:
                return f"run {seed}: {name} took {most}, bound {bound}", {}, seen
    return "", {name: bounds[name].total / most for name, most in worst.items() if bounds[name] and most}, seen


def late(run, bound, length):
    """What of a path's messages exceeds its bounds."""
    table = run.paths[bound.path]
    if bound and (table["dropped"] != "").any():
        return f"{bound.path}: a message was dropped"
    for stage in bound.stages:
        if stage.bound is not None:
            came, left = table[f"{stage.name}.in"].to_numpy(), table[f"{stage.name}.out"].to_numpy()
            stay = np.where(came < 0, 0, np.where(left >= 0, left, length) - came)
            if stay.max(initial=0) > stage.bound:
                return f"{bound.path}.{stage.name}: {stay.max()} > {stage.bound}"
    if bound.total is not None and table["total"].max() > bound.total:
        return f"{bound.path}: {table['total'].max()} > {bound.total}"
    return ""


def paths_of(system):
    return [path for device in system.devices for path in device.plumbing.paths]


@pytest.mark.parametrize("costs", [False, True], ids=["free", "costs"])
@pytest.mark.parametrize("name", plumbed_systems.SCHEDULERS)
def test_no_message_takes_longer(name, costs, seed):
    """Today's shard of a scheduler; the full count in the long run."""
    end, systems, messages, tight = time.monotonic() + SECONDS, 0, 0, []
    while systems < LEAST or (SECONDS < 1e9 and time.monotonic() < end):
        one = f"{seed}/{systems}"
        system, scheduler = plumbed_systems.system(one, name, costs=costs)
        found, ratios, seen = excess(system, scheduler, random.Random(one))
        assert not found, f"system({one!r}, {name!r}, costs={costs}) under {scheduler!r}: {found}"
        systems, messages, tight = systems + 1, messages + seen, tight + list(ratios.values())
    print(f"{name}: {systems} systems, {len(tight)} paths with bounds, {messages} messages; bound / worst: median "
          f"{statistics.median(tight) if tight else float('nan'):.2f}")
