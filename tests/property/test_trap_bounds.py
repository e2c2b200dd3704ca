"""Traps against their bounds: no job is late, no window holds more of the hypervisor's work than is bounded; wrong bounds are broken."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import bounded_systems
import numpy as np
import pytest
from conftest import LONG

import rtvirt as rv
from rtvirt import checker
from rtvirt.analysis.admission import admit as judge
from rtvirt.analysis.admission import charges, guests, plain, registry
from rtvirt.analysis.admission.host import Host
from rtvirt.jit import DISABLED
from rtvirt.state import TRAP
from rtvirt.traps import overhead_bound, rates
from rtvirt.units import ms, us

SECONDS, LEAST = (20.0, 200) if LONG and not DISABLED else (0.2, 1 if DISABLED else 3)
RUNS, TRIES = (2, 0) if DISABLED else (12, 300)
HOSTS = [name for name in bounded_systems.SCHEDULERS if name not in ("cbs", "sedf")]      # those have no bounds beside traps


def storm(seed: object, name: str, guest: str, *, costs: bool = False) -> tuple[rv.System, Any]:
    """A system whose tasks spend some of their time in traps: many short ones, or few long ones."""
    system, scheduler = bounded_systems.system(seed, name, guest, costs=costs)
    rnd = random.Random(f"{seed}/{name}/{guest}/traps")

    def trapped(task: rv.Task) -> rv.Task:
        if not isinstance(task.wcet, int) or task.is_hog or rnd.random() < 0.3:
            return task
        length = min(task.wcet, rnd.choice([us(5), us(50), us(200), ms(1)]))
        count = rnd.randint(1, min(6, task.wcet // length))
        steps = [rv.trap(length)] * count + ([rv.run(task.wcet - count * length)] if task.wcet > count * length else [])
        if rnd.random() < 0.1 and guest not in ("fifo", "rr"):
            steps.insert(0, rv.block(us(100)))
        rnd.shuffle(steps)
        return task.replace(wcet=None, actions=steps)

    return system.replace(vms=[vm.replace(tasks=[trapped(task) for task in vm.tasks]) for vm in system.vms]), scheduler


def held(run: rv.Run, vm: str) -> tuple[np.ndarray, np.ndarray]:
    """Sections of a VM in a run: when they begin, and how long they are [ns]."""
    raw, owners = run.table("events"), run.vcpu_names[0]
    mine = (raw["event"] == TRAP) & (owners[raw["vcpu"]] == vm)
    return raw["time"][mine], np.minimum(raw["value"][mine], run.duration - raw["time"][mine])


def fullest(at: np.ndarray, length: np.ndarray, window: int) -> int:
    """Most section time in any window: one that begins with a section, or ends with one, is a worst one [ns]."""
    edges = np.concatenate([at, at + length - window])
    overlap = np.minimum(edges[:, None] + window, at + length) - np.maximum(edges[:, None], at)
    return int(np.maximum(overlap, 0).sum(axis=1).max(initial=0))


def tightest(system: rv.System, scheduler: Any, verdict: Any, seed: int) -> list[float]:
    """Bound over measurement for each VM and window; fails where the bound is broken."""
    run = rv.simulate(system, scheduler, rv.analysis.attack(system, scheduler, runs=1, admission=verdict).duration, seed=seed)
    found = []
    for vm in system.vms:
        responses = {task.name: verdict.bounds[f"{vm.name}/{task.name}"] for task in vm.tasks}
        if any(responses[task.name] is None for task in vm.tasks if not task.is_hog):
            continue
        at, length = held(run, vm.name)
        windows = np.array([us(3), us(170), ms(1), ms(7), ms(23)])
        bound = overhead_bound(vm, rv.Costs(), windows, responses={name: r for name, r in responses.items() if r is not None})
        for window, most in zip(windows.tolist(), bound.total.tolist()):
            seen = fullest(at, length, window)
            assert seen <= most, f"{vm.name}: {seen} ns of the hypervisor's work in {window} ns, {most} are bounded"
            found += [most / seen] if seen else []
        assert length.max(initial=0) <= bound.section
    return found


@pytest.mark.parametrize("costs", [False, True], ids=["free", "costs"])
@pytest.mark.parametrize("name", HOSTS)
def test_no_bound_is_broken(name, costs, seed):
    """Jobs and windows of random systems that trap."""
    end, count, bounded, tight, close = time.monotonic() + SECONDS, 0, 0, [], []
    while count < LEAST or (not DISABLED and time.monotonic() < end):
        guest = bounded_systems.GUESTS[count % len(bounded_systems.GUESTS)]
        system, scheduler = storm(f"{seed}/{count}", name, guest, costs=costs)
        verdict = rv.admit(system, scheduler)
        found = rv.analysis.attack(system, scheduler, runs=RUNS, seed=count, admission=verdict)
        assert not found, f"storm({f'{seed}/{count}'!r}, {name!r}, {guest!r}, costs={costs}) under {scheduler!r}: {found.broken}"
        bounded += any(shown.bound is not None for shown in found.tasks.values())
        close += [shown.tightness for shown in found.tasks.values() if shown.tightness]
        tight += [] if costs else tightest(system, scheduler, verdict, count)
        count += 1
    print(f"{name}, costs={costs}: {count} systems, {bounded} with bounds; bound/seen, median: jobs {np.median(close or [0]):.2f}, "
          f"windows {np.median(tight or [0]):.2f}")


def test_two_traps_in_a_row_let_a_decision_in_between():
    """Found by the attack: the next trap, a completion, came before the decision at the same instant, and both held the pCPU as one."""
    noisy = rv.VM("noisy", priority=2, tasks=[rv.Task("storm", actions=[rv.trap(us(50))] * 6, period=ms(5))])
    urgent = rv.VM("urgent", priority=1, tasks=[rv.Task("t", wcet=us(10), releases=[us(1)])])
    run = rv.simulate(rv.System(vms=[noisy, urgent]), rv.FixedPriority(), ms(5))
    assert run.jobs["response"][run.jobs["task"] == "t"].tolist() == [us(59)]


@pytest.mark.parametrize("name", HOSTS)
def test_certificates_are_proved(name, seed):
    """By the checker, which shares nothing with the analysis; a section taken out of what is left is missed."""
    for count in range(6):
        found = json.loads(json.dumps(rv.admit(*storm(f"{seed}/{count}", name, "fp")).certificate()))
        checker.check(found)
        for part in found["vcpus"]:
            if part["promise"].get("higher") and not part["late"]:
                part["less"] = [row for row in part["less"] if row not in part["promise"]["higher"]]
                with pytest.raises(checker.Wrong):
                    checker.check(found)
                break


@pytest.mark.parametrize("gap", [us(400), us(110)])
def test_budgets_keep_a_storm_away_but_not_its_longest_section(gap):
    """Under RTDS the rate of a neighbour's traps does not matter to a control task, whose budget lasts; how long one takes does."""
    control = rv.VM("control", budget=ms(6), period=ms(10), tasks=[rv.Task("loop", wcet=ms(5), period=ms(10), deadline=ms(14))])

    def beside(section):
        noisy = rv.VM("noisy", budget=ms(3), period=ms(10), tasks=[rv.Task("storm", actions=[rv.trap(section)], period=gap, deadline=None)])
        return rv.System(vms=[control, noisy])

    bounds = [rv.admit(beside(section), rv.RTDS()).bounds["control/loop"] for section in (us(10), us(100), ms(2))]
    assert bounds[0] < bounds[1] <= ms(14) and bounds[2] is None
    assert not rv.simulate(beside(us(100)), rv.RTDS(), ms(300)).recording.misses[0]


class Mutant(NamedTuple):
    """A wrong bound, and the host under which an attack should break it."""

    name: str
    home: Any
    what: str
    wrong: Callable[..., Any]
    scheduler: str
    guest: str = "fp"


right_charges, right_held = charges.Charges.of, Host.held
right_inflated, right_streams = charges.inflated, rates.of_task


def without_sections(system: rv.System, overheads: Any) -> charges.Charges:
    """Budgets, turns and windows end on time."""
    return right_charges(system, replace(overheads, section=0))


def one_trap_too_few(task: rv.Task, guest: str, quantum: int, overheads: Any) -> rv.Task:
    """A job's last trap is free."""
    traps = [k for k, step in enumerate(task.actions or ()) if step.kind == "trap"]
    if len(traps) and len(task.actions) > 1:
        task = task.replace(actions=[step for k, step in enumerate(task.actions) if k != traps[-1]])
    return right_inflated(task, guest, quantum, overheads)


MUTANTS = [
    Mutant("the section of the less important is forgotten", registry, "in_the_way", lambda host, vcpu, others: [], "fp"),
    Mutant("a guest's own sections are forgotten", Host, "held", lambda self, vcpu, others: 0, "null"),
    Mutant("a turn ends on time", charges.Charges, "of", without_sections, "rr"),
    Mutant("a window begins on time", charges.Charges, "of", without_sections, "arinc653"),
    Mutant("budgets are kept to the nanosecond", charges.Charges, "of", without_sections, "rtds"),
    Mutant("one trap too few", charges, "inflated", one_trap_too_few, "fp"),
]


@pytest.mark.skipif(DISABLED, reason="the attack needs thousands of runs")
@pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.name for mutant in MUTANTS])
def test_a_wrong_bound_is_broken(mutant, monkeypatch, seed):
    for home in [mutant.home] + ([guests, plain] if mutant.what == "inflated" else []):
        monkeypatch.setattr(home, mutant.what, mutant.wrong)
    for count in range(TRIES):
        system, scheduler = storm(f"{seed}/{count}", mutant.scheduler, mutant.guest)
        verdict = judge(system, scheduler)
        if any(bound is not None for bound in verdict.bounds.values()) and rv.analysis.attack(system, scheduler, runs=10, seed=count,
                                                                                              admission=verdict):
            print(f"{mutant.name}: broken after {count + 1} systems")
            return
    pytest.fail(f"{mutant.name}: no bound was broken in {TRIES} systems")


def test_one_trap_fewer_in_a_window_is_seen(monkeypatch):
    """A VM that traps thrice a job: whoever bounds two, is found out."""
    vm = rv.VM("v", tasks=[rv.Task("t", actions=[rv.trap(us(10)), rv.run(us(5))] * 3, period=us(100))])
    system, scheduler = rv.System(vms=[vm]), rv.Null()
    assert tightest(system, scheduler, rv.admit(system, scheduler), 0)

    def fewer(task, *given):
        return [replace(stream, cost=stream.cost - stream.longest) for stream in right_streams(task, *given)]

    monkeypatch.setattr(rates, "of_task", fewer)
    with pytest.raises(AssertionError, match="are bounded"):
        tightest(system, scheduler, rv.admit(system, scheduler), 0)
