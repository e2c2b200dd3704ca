"""Whatever goes wrong: every message is delivered, dropped or unfinished, once; rings stay consistent; in the end everything goes on."""

from __future__ import annotations

import random
import time

import faulty_systems as faulty
import pytest
from conftest import LONG

import rtvirt as rv
from rtvirt.jit import DISABLED
from rtvirt.results import Run
from rtvirt.simulation import Machine
from rtvirt.system.devices import CAUSES
from rtvirt.traffic import MASK, NOBODY

SECONDS, LEAST = (1e9, 4000) if LONG and not DISABLED else (0.2, 1 if DISABLED else 5)


def watched(system: rv.System, scheduler: object, seed: int) -> tuple[Run, list[int]]:
    """The run, stopped at random instants and at every change to look at the rings; and how many messages each path has made."""
    machine, rnd = Machine(system, scheduler, seed, "trace", {}), random.Random(seed)
    machine.state.agenda.end = faulty.END
    liars = {fault.target for fault in system.faults if fault.kind == "bad_index"}
    todo = [(change.at, k, change) for k, change in enumerate(system.changes)]
    todo += [(rnd.randrange(2 * faulty.QUIET), -1, None) for _ in range(10)]
    for at, _, change in sorted(todo, key=lambda one: one[:2]):
        machine.run_until(at, faulty.END, None)
        check_rings(machine, liars)
        if change is not None:
            machine.change(change)
            check_rings(machine, liars)
    machine.run_until(faulty.END, faulty.END, None)
    check_rings(machine, set())
    made = [machine.state.io.paths[p].created for p in range(len(machine.plumbing.paths))]
    return Run(system, scheduler, faulty.END, seed, "trace", machine.close(faulty.END)), made


def check_rings(machine: Machine, liars: set[str]) -> None:
    """Indices, queues, slots and pools say the same."""
    io, plumbing = machine.state.io, machine.plumbing
    mine = [io.messages[m] for m in range(io.rails.fresh) if io.messages[m].path != NOBODY]
    for s, (path, _, _) in enumerate(plumbing.stages()):
        stage, queue = io.stages[s], 0
        m = stage.first
        while m != NOBODY:
            assert io.messages[m].stage == s and io.messages[m].path == stage.path
            queue, m = queue + 1, io.messages[m].next
        assert stage.fresh == 0
        if stage.line == NOBODY:
            assert queue == stage.waiting
            assert ((stage.prod - stage.cons) & MASK) == queue or path.name in liars, (path.name, s)
    for p, path in enumerate(plumbing.paths):
        held = sum(message.slot for message in mine if message.path == p)
        assert io.paths[p].held == held <= (path.slots or held), (path.name, io.paths[p].held, held)
    for k, name in enumerate(plumbing.pools):
        used = sum(message.pooled for message in mine if io.paths[message.path].pool == k)
        assert io.pools[k].used == used <= plumbing.pools[name]


def check(one: object, name: str, seed: int) -> tuple[int, int, int]:
    """All properties of one random system; messages delivered, dropped, unfinished."""
    system, scheduler = faulty.system(one, name)
    run, made = watched(system, scheduler, seed)
    run.check()
    counts = [0, 0, 0]
    for path, created in zip(run.recording.plumbing.paths, made, strict=True):
        table = run.paths[path.name]
        assert sorted(table["message"]) == list(range(created)), path.name                      # nothing lost, nothing duplicated
        delivered, dropped = table[table["total"] >= 0], table[table["dropped"] != ""]
        assert not (set(delivered["message"]) & set(dropped["message"]))
        assert (delivered[list(CAUSES)].sum(axis=1) == delivered["total"]).all()
        if faulty.keeps_order(path):
            assert delivered["message"].is_monotonic_increasing, path.name
        unfinished = created - len(delivered) - len(dropped)
        if faulty.stops_nowhere(system):
            assert unfinished == 0, path.name
        if faulty.drops_nothing(system):
            assert len(dropped) == 0, path.name
        counts = [a + b for a, b in zip(counts, (len(delivered), len(dropped), unfinished), strict=True)]
    return counts[0], counts[1], counts[2]


def charged(system: rv.System) -> rv.System:
    """What `admit` is asked: no devices, and every neighbour as bad as its contract allows; each real-time job does what interrupts may add to it.

    An interrupt is charged to whoever runs where its vCPU last ran, once until that vCPU has run (io-model 9.3): at most once for each other
    vCPU and each stint of the job, here at most as many as there are budgets that begin meanwhile. Releases are interrupts, too: one for each
    job of another VM meanwhile, and for those it finds.
    """
    def reached(vm: rv.VM) -> int:
        wait = vm.tasks[0].deadline
        others = [other for other in system.vms if other.name != vm.name]
        stints = 1 + sum(wait // other.period + 2 for other in system.vms)
        return 2 * stints + sum(wait // task.period + 2 for other in others for task in other.tasks) + 1

    def worst(vm: rv.VM) -> rv.VM:
        if vm.name in ("d0", "f0"):
            return vm.replace(tasks=[rv.hog()])
        task = vm.tasks[0]
        return vm.replace(tasks=[task.replace(wcet=task.wcet + system.costs.interrupt * reached(vm))])

    return system.replace(vms=[worst(vm) for vm in system.vms], devices=[], faults=[], changes=[], costs=rv.Costs())


@pytest.mark.parametrize("name", ["rtds", "fp"])
def test_bounds_of_others_hold_while_drivers_fail(name, seed):
    """Whatever crashes, floods, hangs: tasks of other VMs stay within what `admit` promises them, interrupts that are charged to them included."""
    end, count, jobs, bounded = time.monotonic() + SECONDS, 0, 0, 0
    while count < LEAST or (SECONDS < 1e9 and time.monotonic() < end):
        one = f"{seed}/{count}"
        system, scheduler = faulty.neighbours(one, name)
        verdict = rv.admit(charged(system), scheduler)
        run = rv.simulate(system, scheduler, 2 * faulty.QUIET, count).check()
        for vm in system.vms:
            bound = verdict.bounds.get(f"{vm.name}/t")
            if vm.tasks and bound is not None:
                mine = run.jobs[(run.jobs["vm"] == vm.name) & (run.jobs["finish"] >= 0)]
                assert mine["response"].max() <= bound, f"neighbours({one!r}, {name!r}): {vm.name}/t took {mine['response'].max()}, bound {bound}"
                jobs, bounded = jobs + len(mine), bounded + 1
        count += 1
    assert bounded > 0
    print(f"{name}: {count} systems, {bounded} bounds, {jobs} jobs; none broken")


@pytest.mark.parametrize("name", list(faulty.SCHEDULERS))
def test_nothing_is_lost_or_duplicated_whatever_fails(name, seed):
    """Today's shard; 12,000 fault schedules in the long run."""
    end, count, total = time.monotonic() + SECONDS, 0, [0, 0, 0]
    while count < LEAST or (SECONDS < 1e9 and time.monotonic() < end):
        one = f"{seed}/{count}"
        try:
            total = [a + b for a, b in zip(total, check(one, name, count), strict=True)]
        except AssertionError as error:
            raise AssertionError(f"check({one!r}, {name!r}, {count}): {error}") from error
        count += 1
    print(f"{name}: {count} fault schedules; messages delivered, dropped, unfinished: {total}")
