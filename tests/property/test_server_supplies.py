"""Servers keep what they promise: budgets, and the supplies of `rtvirt.analysis`, on random systems that a textbook test calls feasible."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from conftest import LONG
from oracle.systems import system

import rtvirt as rv
from rtvirt.analysis import ConstantBandwidthServer, DeferrableServer, PeriodicResource, PollingServer, SporadicServer
from rtvirt.jit import DISABLED
from rtvirt.units import us

UNIT = us(100)
SYSTEMS = 1500 if LONG else 4 if DISABLED else 40
END = 400 * UNIT
KINDS: dict[str, tuple[Any, Any]] = {
    "polling": (rv.PollingServers, PollingServer), "periodic": (rv.PeriodicServers, None), "deferrable": (rv.DeferrableServers, DeferrableServer),
    "sporadic": (rv.SporadicServers, SporadicServer), "cbs": (lambda order: rv.CBS(hard=True), ConstantBandwidthServer)}
PAIRS = [(kind, order) for kind in KINDS for order in ("fp", "edf") if (kind, order) != ("cbs", "fp")]


def contracts(rnd: random.Random, kind: str, order: str) -> tuple[list[tuple[int, int]], list[int]]:
    """(budget, period) of some servers in units, shortest period first, and each one's host response; feasible on one pCPU."""
    while True:
        periods = sorted(rnd.choice([4, 5, 6, 8, 10, 12, 15, 20]) for _ in range(rnd.randint(1, 4)))
        chosen = [(rnd.randint(1, max(1, p * 2 // (len(periods) + 1))), p) for p in periods]
        if order == "fp":
            responses = [response(chosen, i, kind == "deferrable") for i in range(len(chosen))]
        else:
            responses = [p if demand_fits(chosen, kind == "deferrable") else 10**9 for _, p in chosen]
        if all(r <= p for r, (_, p) in zip(responses, chosen, strict=True)):
            return chosen, responses


def response(servers: list[tuple[int, int]], i: int, back_to_back: bool) -> int:
    """Of the server's budget, under fixed priorities: the least r = Q + what the more important take within r."""
    r = 0
    while r <= servers[i][1]:
        jitter = [p - q if back_to_back else 0 for q, p in servers[:i]]
        later = servers[i][0] + sum(-(-(r + j) // p) * q for (q, p), j in zip(servers[:i], jitter, strict=True))
        if later == r:
            break
        r = later
    return r


def demand_fits(servers: list[tuple[int, int]], back_to_back: bool) -> bool:
    """EDF: within every t no more is due than t; a kept budget may be due Q after it is asked for."""
    if sum(q / p for q, p in servers) > 0.95:
        return False
    t = np.arange(1, 1000)
    return all(sum(np.maximum(0, (t - (q if back_to_back else p)) // p + 1) * q for q, p in servers) <= t)


def moods(rnd: random.Random, period: int) -> rv.Task:
    """Bursts and backlogs."""
    at, releases, work = 0, [], []
    while at < END // UNIT:
        at += rnd.choice([0, 1, 1, 2, 3, rnd.randint(1, 2 * period)])
        releases.append(at * UNIT)
        work.append(rnd.choice([1, 1, 2, 3, rnd.randint(1, 3 * period)]) * UNIT)
    return rv.Task("moods", releases=releases, wcet=work)


def host(rnd: random.Random, kind: str, order: str, watched: Any) -> tuple[rv.Run, list[rv.VM], list[int], int]:
    """A run, its VMs, their host responses, and which VM is watched; that one has the task `watched(its period)`."""
    servers, responses = contracts(rnd, kind, order)
    which = rnd.randrange(len(servers))
    vms = []
    for i, (q, p) in enumerate(servers):
        task = watched(p) if i == which else rnd.choice([rv.hog(), moods(rnd, p), rv.Task("t", wcet=q * UNIT, period=p * UNIT)])
        vms.append(rv.VM(f"v{i}", tasks=[task], budget=q * UNIT, period=p * UNIT))
    if rnd.random() < 0.5:
        vms.append(rv.VM("background", tasks=[rv.hog()]))
    return rv.simulate(rv.System(vms=vms), KINDS[kind][0](order), END).check(), vms, [r * UNIT for r in responses], which


def served(run: rv.Run, vm: str, vcpu: int = 0) -> Any:
    """Function: time that a VM's vCPU has had by t [ns]."""
    number = [(other.name, k) for other in run.system.vms for k in range(other.vcpus)].index((vm, vcpu))
    table = run.recording.slices
    start, end = (np.sort(table[column][table["vcpu"] == number]) for column in ("start", "end"))
    total = np.concatenate([[0], np.cumsum(end - start)])

    def by(t: Any) -> Any:
        t = np.asarray(t)
        k = np.searchsorted(start, t, side="right")
        return total[k] - np.maximum(0, end[np.maximum(k - 1, 0)] - t) * (k > 0) if len(start) else np.zeros(t.shape, np.int64)

    return by


def backlogs(run: rv.Run, vm: str) -> list[tuple[int, int]]:
    """Intervals in which the VM always had something to run [ns]."""
    rows, found = run.jobs[run.jobs["vm"] == vm].sort_values("release"), []
    for release, finish in zip(rows["release"].tolist(), rows["finish"].tolist(), strict=True):
        finish = run.duration if finish < 0 else finish
        if found and release <= found[-1][1]:
            found[-1] = (found[-1][0], max(finish, found[-1][1]))
        else:
            found.append((release, finish))
    return found


def shortfall(run: rv.Run, vm: str, supply: Any) -> str:
    """'' unless some window within a backlog got less than the supply promises."""
    by = served(run, vm)
    for begin, end in backlogs(run, vm):
        starts = np.arange(begin, end + 1, UNIT)                 # all times are multiples of the unit
        had = by(starts)
        promised = supply.sbf(starts - begin)
        for n in range(1, len(starts)):
            got = had[n:] - had[:-n]
            if (got < promised[n]).any():
                return f"window [{starts[(got < promised[n]).argmax()]}, + {n * UNIT}): {got.min()} of {promised[n]} promised"
    return ""


@pytest.mark.parametrize(("kind", "order"), PAIRS)
def test_supplies_promise_no_more_than_schedulers_deliver(kind, order, seed):
    """Windows anywhere in a backlog, after anything that went before, against the supply with the host's response."""
    closest = 0
    for number in range(SYSTEMS):
        rnd = random.Random(f"supply/{seed}/{number}/{kind}/{order}")
        run, vms, responses, which = host(rnd, kind, order, lambda p, rnd=rnd: moods(rnd, p))
        vm, r = vms[which], responses[which]
        supplies = [PeriodicResource(vm.period, vm.budget)] if kind != "polling" else []
        supplies += [KINDS[kind][1](vm.period, vm.budget, r)] if KINDS[kind][1] else []
        for supply in supplies:
            found = shortfall(run, vm.name, supply)
            assert not found, f"{kind} {order} system {number}, {supply}: {found}"
        if supplies[-1].budget < vm.period:
            tight = type(supplies[-1])(vm.period, vm.budget + UNIT) if vm.budget + UNIT <= vm.period else supplies[-1]
            closest += bool(shortfall(run, vm.name, tight))
    assert closest > 0                                          # a promise of one unit more is broken: the windows are hard ones


@pytest.mark.parametrize(("kind", "order"), PAIRS)
def test_a_backlogged_server_gets_its_budget_in_every_period(kind, order, seed):
    for number in range(SYSTEMS):
        rnd = random.Random(f"backlog/{seed}/{number}/{kind}/{order}")
        run, vms, _, which = host(rnd, kind, order, lambda p: rv.hog())
        vm, had = vms[which], served(run, vms[which].name)(np.arange(0, END + 1, vms[which].period))
        assert (np.diff(had) == vm.budget).all(), f"{kind} {order} system {number}: {vm.name} got {np.diff(had)} of {vm.budget}"


@pytest.mark.parametrize("name", ["servers-polling", "servers-periodic", "servers-deferrable"])
def test_no_budget_is_exceeded_in_a_period(name, seed):
    """On any number of pCPUs, whatever the load; without late timers, and without traps: a section of the hypervisor overruns a budget."""
    for number in range(2 * SYSTEMS):
        spec, scheduler, duration = system(seed * 1_000_003 + number, name)
        if any(step.kind == "trap" for vm in spec.vms for task in vm.tasks for step in task.actions or ()):
            continue
        run = rv.simulate(spec.replace(costs=rv.Costs(), changes=()), scheduler, duration)
        for vm in spec.vms:
            for k, (budget, period) in enumerate(zip(vm.per_vcpu("budget"), vm.per_vcpu("period"), strict=True)):
                if budget is not None:
                    had = served(run, vm.name, k)(np.arange(vm.start, duration + period, period))
                    assert (np.diff(had) <= budget).all(), f"system {number}: {vm.name}.{k}"


def bursts_hurt(kind: str, number: int, seed: int) -> bool:
    """Did the watched server take more, from a wake-up on, than a periodic task released then?"""
    rnd = random.Random(f"pieces/{seed}/{number}")
    run, vms, _, which = host(rnd, kind, "fp", lambda p: moods(rnd, p))
    vm, by = vms[which], served(run, vms[which].name)
    for begin, _ in backlogs(run, vm.name):
        lengths = np.arange(1, (END - begin) // UNIT) * UNIT
        if (by(begin + lengths) - by(begin) > -(-lengths // vm.period) * vm.budget).any():
            return True
    return False


def test_a_sporadic_server_hurts_no_more_than_a_periodic_task_and_a_deferrable_one_does(seed):
    assert not any(bursts_hurt("sporadic", number, seed) for number in range(SYSTEMS))
    assert any(bursts_hurt("deferrable", number, seed) for number in range(40))


def test_cbs_isolates(seed):
    """A task whose jobs fit its server meets its deadlines, whatever the others do (Abeni and Buttazzo 1998, lemma 1)."""
    for number in range(SYSTEMS):
        rnd = random.Random(f"isolate/{seed}/{number}")
        servers, _ = contracts(rnd, "cbs", "edf")
        vms = [rv.VM(f"v{i}", tasks=[moods(rnd, p)], budget=q * UNIT, period=p * UNIT) for i, (q, p) in enumerate(servers)]
        which = rnd.randrange(len(vms))
        arrival = rnd.choice(["periodic", "sporadic"])
        task = rv.Task("t", wcet=vms[which].budget, period=vms[which].period, offset=rnd.randint(0, 9) * UNIT, arrival=arrival)
        vms[which] = vms[which].replace(tasks=[task])
        run = rv.simulate(rv.System(vms=vms), rv.CBS(hard=rnd.random() < 0.3), END).check()
        assert not run.jobs[run.jobs["task"] == "t"]["missed"].any(), f"system {number}"
