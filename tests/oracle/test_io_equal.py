"""The engine and the oracle give equal traces and equal messages on random systems with devices, a third of which fail."""

from __future__ import annotations

import time
from typing import Any

import pytest
from conftest import LONG, SEED
from io_invariants import check_messages

import rtvirt as rv
from rtvirt.jit import DISABLED
from rtvirt.system.devices import CAUSES, CustomDevice, Line, Path, Plumbing, Port, Stage, Thread
from rtvirt.units import ms, us

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


def test_who_submits_and_moves_to_another_vcpu_pays_there():
    """Found by the random systems: the interrupt for its own message took its vCPU; the hypercall that it owed ended its quantum on the other."""
    serve = Stage("serve", "v/w", each=us(30), port=Port())
    path = Path("d.p", "v", (serve,))
    tasks = [rv.Task("sender", releases=[0], actions=[rv.run(us(10)), rv.submit("d.p"), rv.run(us(40))]), rv.hog()]
    spec = rv.System(cpus=2, vms=[rv.VM("v", vcpus=2, tasks=tasks, guest="rr", quantum=us(100))], costs=rv.Costs(hypercall=us(5)),
                     devices=[CustomDevice("d", plumbing=Plumbing((Thread("v", "w"),), paths=(path,)))])
    assert not differences(spec, rv.Credit(), ms(1), 0)
    assert rv.simulate(spec, rv.Credit(), ms(1)).jobs.set_index("task")["finish"]["sender"] == us(55)


def test_a_job_that_requests_at_last_is_not_done_before_it_has_looked():
    """Found by the random systems: it had its answer, and its vCPU was being switched to when the clock stopped (io-model 1.7)."""
    path = Path("d.p", "v", (Stage("disk", "disk", each=us(100)),))
    task = rv.Task("t", releases=[0], actions=[rv.run(us(10)), rv.request("d.p")])
    spec = rv.System(vms=[rv.VM("v", tasks=[task])], costs=rv.Costs(switch_in=us(50)),
                     devices=[CustomDevice("d", plumbing=Plumbing(lines=(Line("disk"),), paths=(path,)))])
    for duration in range(us(100), us(300), us(5)):
        assert not differences(spec, rv.Credit(), duration, 0), duration
