"""Bounds of paths against simulation: no message takes longer than `path_bound` says, none is dropped, and no task is later than `admit` says."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import plumbed_systems
import pytest
from conftest import LONG, SEED

import rtvirt as rv
from rtvirt.analysis.attack import responses
from rtvirt.analysis.io_paths import loads, members, rounds
from rtvirt.jit import DISABLED
from rtvirt.units import ms

FULL, MOST = 1500, 200                  # systems of each scheduler in the long run; systems that may be drawn each day before one has a bound
SECONDS = 0.3
RUNS = 1 if DISABLED else 6
FULLY = LONG and not DISABLED
TODAY = (plumbed_systems.SCHEDULERS if FULLY else plumbed_systems.QUICK if DISABLED else
         plumbed_systems.ALWAYS + plumbed_systems.BY_DAY[SEED % 5])                # each is compiled when first used
PAIRS = [(name, costs) for k, name in enumerate(TODAY) for costs in ((False,) if DISABLED or name in plumbed_systems.FREE else (False, True))
         if FULLY or DISABLED or name in plumbed_systems.FREE or costs == (k + SEED // 5) % 2]           # many rounds without the JIT take long
LENGTH = ms(20) if DISABLED else ms(100)


def excess(system, scheduler, rnd, runs=RUNS, length=LENGTH, bounds=None, verdict=None):
    """(what exceeded its bound, {path: bound / worst}, messages looked at) of an attack; bounds are those of the system given."""
    bounds = bounds_of(system, scheduler) if bounds is None else bounds
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


def bounds_of(system, scheduler):
    """The bounds of all paths, by name."""
    return {path.name: rv.analysis.path_bound(system, scheduler, path.name) for path in paths_of(system)}


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


@pytest.mark.parametrize("name, costs", PAIRS)
def test_no_message_takes_longer(name, costs, seed):
    """Today's shard of a scheduler: some systems, at least one of them with a bound; the full count in the long run."""
    end, systems, messages, tight = time.monotonic() + SECONDS, 0, 0, []
    while systems < FULL if FULLY else systems < MOST and (not tight or time.monotonic() < end):
        one = f"{seed}/{systems}"
        system, scheduler = plumbed_systems.system(one, name, costs=costs)
        bounds = bounds_of(system, scheduler)
        found, ratios, seen = excess(system, scheduler, random.Random(one), bounds=bounds) if FULLY or any(bounds.values()) else ("", {}, 0)
        assert not found, f"system({one!r}, {name!r}, costs={costs}) under {scheduler!r}: {found}"
        systems, messages, tight = systems + 1, messages + seen, tight + list(ratios.values())
    assert tight, f"{name}: no path had a bound in {systems} systems"
    print(f"{name}: {systems} systems, {len(tight)} paths with bounds, {messages} messages; bound / worst: median "
          f"{statistics.median(tight) if tight else float('nan'):.2f}")


def test_no_chain_is_slower(seed):
    """A task samples and submits, another reads what has come: reaction and age against what runs show."""
    slowest = []
    for k in range(60 if LONG else 2 if DISABLED else 4):
        system, scheduler = plumbed_systems.chain(f"{seed}/{k}")
        names = ["front/sample", "tx", "driver/loop"]
        reaction = rv.analysis.reaction_time(system, scheduler, names)
        age = rv.analysis.data_age(system, scheduler, names, replaced=False)
        assert reaction and age, reaction.why()
        run = rv.simulate(plumbed_systems.attacked(system, random.Random(k), LENGTH), scheduler, LENGTH, seed=k)
        reacted, aged = observed(run)
        assert reacted <= reaction.bound and aged <= age.bound, (seed, k, reacted, reaction, aged, age)
        slowest.append(reaction.bound / reacted)
    print(f"{len(slowest)} chains; bound / worst reaction: median {statistics.median(slowest):.2f}")


def observed(run):
    """Worst reaction time and data age of a run [ns]: what each job read, and what it was made from."""
    jobs, table = run.jobs, run.paths["tx"].sort_values("message")
    sample = jobs[(jobs["vm"] == "front") & (jobs["task"] == "sample")].sort_values("release")
    loop = jobs[(jobs["vm"] == "driver") & (jobs["task"] == "loop") & (jobs["finish"] >= 0)].sort_values("release")
    began, released = sample["start"].to_numpy(), sample["release"].to_numpy()
    come = table[table["out.out"] >= 0]
    numbers, delivered = come["message"].to_numpy(), come["out.out"].to_numpy()
    age = reaction = 1
    for start, finish in zip(loop["start"], loop["finish"]):
        known = numbers[delivered <= start]
        if len(known):
            age = max(age, finish - released[known.max()])
    for k in range(1, len(numbers)):                     # what happens just after job k - 1 has read is read by job k
        later = loop[loop["start"] >= delivered[k]]
        if len(later):
            reaction = max(reaction, later["finish"].iloc[0] - began[numbers[k] - 1])
    return reaction, age


# ------------------------------------------------------------------ would the attack notice?

SYSTEMS = 250


class Mutant(NamedTuple):
    """One change to the analysis, and the systems that should notice it."""

    name: str
    home: Any
    what: str
    wrong: Callable[..., Any]
    system: Callable[[str], tuple[Any, Any]] = lambda seed: plumbed_systems.system(seed, "fp")


def without_handlers(house, vm, vcpu, state):
    """Interrupt handlers take no time."""
    return members.Member(f"irq{vcpu}")


def delivered_alone(house, thread, state):
    """No batch is delivered whole."""
    found = RIGHT_THREAD(house, thread, state)
    found.parts = [replace(part, together=0) for part in found.parts]
    return found


def few_come(curve, window):
    """No message has come behind another that is then delivered with it."""
    return 1


def one_at_a_time(path):
    """A burst is one message."""
    found = RIGHT_CURVE(path)
    return found if isinstance(found, str) else found[:1]


def on_time(curve, jitter):
    """Messages are never late."""
    return None if curve is None or jitter is None else curve


def told_at_once(stage, thread):
    """Nobody waits for a timeout or a poll."""
    return 0


def nobody_pays(house, own):
    """Interposed interrupts cost nobody anything."""
    return own


def cheap(house, path, place, stage, thread):
    """A message costs its own work only."""
    return max(1, stage.each)


def always_room(house, state, stays):
    """Rings never run out, and queues are never full."""
    return {}


def alone_in_its_thread(rounds, member, promise, above, met):
    """Other queues of the same thread do not count."""
    for part in member.parts:
        RIGHT_MEMBER(rounds, replace(member, parts=[part]), promise, above, met)


def chosen(mutants):
    """Today's two, or all of them."""
    return mutants if LONG else [mutants[SEED % len(mutants)], mutants[(SEED + len(mutants) // 2) % len(mutants)]]


RIGHT_THREAD, RIGHT_CURVE, RIGHT_MEMBER = members.House.thread, loads.curve_of, rounds.Rounds.member
MUTANTS = [
    Mutant("no handlers", members.House, "handlers", without_handlers),
    Mutant("no batches", members.House, "thread", delivered_alone, plumbed_systems.batched),
    Mutant("empty batches", loads, "count", few_come, plumbed_systems.batched),
    Mutant("no bursts", rounds, "curve_of", one_at_a_time),
    Mutant("no jitter", members, "later", on_time),
    Mutant("no timeouts", members, "hold_of", told_at_once),
    Mutant("no interposing", rounds, "interposed", nobody_pays),
    Mutant("no fixed part", members.House, "message", cheap),
    Mutant("always room", rounds, "full", always_room),
    Mutant("nothing dropped", rounds, "dropping", always_room),
    Mutant("own queue only", rounds.Rounds, "member", alone_in_its_thread, plumbed_systems.shared),
]


@pytest.mark.skipif(DISABLED, reason="the attack needs many runs")
@pytest.mark.parametrize("mutant", chosen(MUTANTS), ids=lambda mutant: mutant.name)
def test_a_wrong_bound_is_broken(mutant, monkeypatch, seed):
    monkeypatch.setattr(mutant.home, mutant.what, mutant.wrong)
    for k in range(SYSTEMS):
        one = f"{seed}/mutants/{k}"
        system, scheduler = mutant.system(one)
        found, _, _ = excess(system, scheduler, random.Random(one), runs=3)
        if found:
            print(f"{mutant.name}: broken after {k + 1} systems: {found}")
            return
    pytest.fail(f"{mutant.name}: no bound was broken in {SYSTEMS} systems")
