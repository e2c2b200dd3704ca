"""The engine and the oracle give equal traces and equal messages on random systems with devices, a third of which fail."""

from __future__ import annotations

import time
from typing import Any

import pytest
from conftest import LONG, SEED
from io_invariants import check_messages

import rtvirt as rv
from rtvirt.jit import DISABLED
from rtvirt.system.devices import CAUSES, Path

from .faults import FaultyWorld
from .plumbed import system
from .systems import SCHEDULERS
from .test_equal import first_difference, policy

SECONDS, LEAST = 0.3, 2 if DISABLED else 10
FULL, PARTS = 20_000, 20 if LONG and not DISABLED else 1
NAMES = list(SCHEDULERS) if LONG or DISABLED else list(SCHEDULERS)[SEED % 5::5]       # compiled with devices, each takes 15 s: a fifth a day


def oracle(spec: rv.System, scheduler: Any, duration: int, seed: int) -> FaultyWorld:
    """The oracle's run."""
    return FaultyWorld(spec, lambda world: policy(scheduler)(world, scheduler), duration, seed).run()


def columns(path: Path) -> list[str]:
    """Of a path's table, in the order of the oracle's rows."""
    stamps = [f"{stage.name}.{stamp}" for stage in path.stages for stamp in ("in", "known", "taken", "out")]
    return ["message", "dropped", "total", *CAUSES, *stamps, "app.in", "app.taken", "app.out"]


def stage_name(path: Path, number: int) -> str:
    """As the table has it."""
    return "" if number < 0 else "app" if number == len(path.stages) else path.stages[number].name


def differences(spec: rv.System, scheduler: Any, duration: int, seed: int) -> str:
    """'' when the two agree, else what differs first."""
    run, world = rv.simulate(spec, scheduler, duration, seed), oracle(spec, scheduler, duration, seed)
    run.check()
    check_messages(world.plumbing, world.paths)
    found = first_difference(run, world, duration)
    for path in world.plumbing.paths if not found else ():
        table = run.paths[path.name]
        names = columns(path) if path.into else columns(path)[:-3]
        ours = list(zip(*(table[name].tolist() for name in names), strict=True))
        theirs = [(row[0], stage_name(path, row[1]), *row[2:])[:len(names)] for row in world.paths[path.name]]
        for a, b in zip([*ours, None], [*theirs, None]):
            if a != b:
                wrong = [(name, *pair) for name, *pair in zip(names, a, b) if pair[0] != pair[1]] if a and b else [a, b]
                return f"{path.name}, message {(a or b)[0]}: (column, engine, oracle) {wrong}"
    return found


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("name", NAMES)
def test_engine_equals_oracle_on_messages(name, part, seed):
    """Today's shard; in the long run, the full count in parts that several processes share."""
    wanted = FULL // PARTS if PARTS > 1 else LEAST
    end, count, first = time.monotonic() + (0 if PARTS > 1 else SECONDS), 0, seed * 1_000_003 + part * wanted
    while count < wanted or time.monotonic() < end:
        spec, scheduler, duration = system(first + count, name)
        found = differences(spec, scheduler, duration, seed=first + count)
        assert not found, f"plumbed.system({first + count}, {name!r}) under {scheduler!r}: {found}"
        count += 1
    print(f"{name}: {count} systems equal, from seed {first}")
