"""Rate limits on crossings against simulation: what `limits` and `traps=` allow comes as a storm, as dense as it may be; wrong bounds are broken."""

from __future__ import annotations

import json
import random
import time
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import bounded_systems
import numpy as np
import pytest
from conftest import LONG
from test_trap_bounds import fullest, held

import rtvirt as rv
from rtvirt import checker
from rtvirt.analysis.admission import Trapping
from rtvirt.analysis.admission.host import Host
from rtvirt.jit import DISABLED
from rtvirt.units import ms, us

SECONDS, LEAST = (20.0, 200) if LONG and not DISABLED else (0.15, 1 if DISABLED else 2)
RUNS, TRIES = (2, 0) if DISABLED else (10, 400)
HOSTS = ["arinc653", "deferrable-edf", "deferrable-fp", "fp", "null", "periodic-edf", "periodic-fp", "polling-edf", "polling-fp", "rr", "rtds"]
GUESTS = ("fp", "edf", "dm")             # those in which a task can come before all others, as what interrupts the guest does
UNTIL = ms(400)


def limit(rnd: random.Random) -> tuple[int, Any, dict[str, Any]]:
    """What a crossing takes [ns], how often one may come, and arrivals of a task that are as dense as that."""
    cost = us(rnd.choice([3, 20, 100, 400]))
    period = max(us(50), cost * rnd.choice([4, 10, 30])) + rnd.choice([0, 1, us(7)])
    jitter, distance = us(rnd.choice([100, 700, 3000])), min(period, 2 * cost)
    kind = rnd.choice(["sporadic", "jitter", "burst"])
    if kind == "sporadic":
        return cost, rv.analysis.periodic(period), {"period": period, "arrival": "sporadic"}
    curve = rv.analysis.periodic(period, jitter=jitter) if kind == "jitter" else rv.analysis.bursts(period=period, jitter=jitter, distance=distance)
    start, least = rnd.randrange(ms(8)), 0 if kind == "jitter" else distance
    return cost, curve, {"releases": [start + max(k * least, k * period - jitter, 0) for k in range(min(1500, UNTIL // period))]}


def stormy(seed: object, name: str, guest: str) -> tuple[rv.System, Any, dict[str, Trapping], rv.System]:
    """(system, scheduler, what admission is told of crossings, the system in which they happen)."""
    system, scheduler = bounded_systems.system(seed, name, guest)
    rnd, told, vms = random.Random(f"{seed}/{name}/{guest}/limits"), {}, []
    for vm in system.vms:
        if vm.vcpus > 1 or rnd.random() < 0.4:
            vms.append(vm)
            continue
        cost, curve, arrivals = limit(rnd)
        told[vm.name] = rv.traps.trapping({"timer": cost}, {"timer": curve})
        vms.append(vm.replace(tasks=[rv.Task("storm", actions=[rv.trap(cost)], deadline=1, **arrivals), *vm.tasks]))
    return system, scheduler, told, system.replace(vms=vms)


def attacked(seed: object, name: str, guest: str) -> Any:
    """What an attack finds of the bounds that admission gives without seeing the storm; None without bounds."""
    system, scheduler, told, real = stormy(seed, name, guest)
    verdict = rv.admit(system, scheduler, traps=told)
    checker.check(json.loads(json.dumps(verdict.certificate())))
    bounds = verdict.bounds
    if not told or all(bound is None for bound in bounds.values()):
        return None
    storms = {f"{vm}/storm": None for vm in told}
    return rv.analysis.attack(real, scheduler, runs=RUNS, seed=1, duration=ms(150), admission=SimpleNamespace(bounds=bounds | storms))


@pytest.mark.parametrize("name", HOSTS)
def test_no_job_is_later_than_its_bound(name, seed):
    end, count, bounded, close = time.monotonic() + SECONDS, 0, 0, []
    while count < LEAST or (not DISABLED and time.monotonic() < end):
        guest = GUESTS[count % len(GUESTS)]
        found = attacked(f"{seed}/{count}", name, guest)
        assert not found, f"stormy({f'{seed}/{count}'!r}, {name!r}, {guest!r}): {found.broken}"
        bounded += found is not None
        close += [shown.tightness for shown in found.tasks.values() if shown.tightness] if found is not None else []
        count += 1
    print(f"{name}: {count} systems, {bounded} with bounds; bound/seen, median {np.median(close or [0]):.2f}, least {min(close, default=0):.2f}")


def test_a_deadline_before_the_release_is_a_proof():
    """Found by the full count: a jitter longer than the deadline leaves no window to cover, and the checker wanted one."""
    vm = rv.VM("v", tasks=[rv.Task("t", wcet=us(10), period=ms(4), deadline=us(100), jitter=us(200))])
    verdict = rv.admit(rv.System(vms=[vm]), rv.Null())
    assert not verdict and checker.check(json.loads(json.dumps(verdict.certificate())))


@pytest.mark.skipif(DISABLED, reason="the attack needs thousands of runs")
@pytest.mark.parametrize("rows", [lambda rows: (), lambda rows: tuple((cost - cost // 10, *rest) for cost, *rest in rows)], ids=["rows", "a tenth"])
def test_what_a_limit_allows_cannot_be_left_out(rows, monkeypatch, seed):
    """Without the rows, or a tenth too cheap: somebody is late."""
    right = Host.trapping
    monkeypatch.setattr(Host, "trapping", lambda self, vcpu: replace(right(self, vcpu), rows=rows(right(self, vcpu).rows)))
    for count in range(TRIES):
        if attacked(f"{seed}/{count}", "fp", GUESTS[count % len(GUESTS)]):
            print(f"broken after {count + 1} systems")
            return
    pytest.fail(f"no bound was broken in {TRIES} systems")


@pytest.mark.parametrize("work", [us(1), us(150), us(151), ms(2)])
@pytest.mark.parametrize("distance", [0, us(30)])
def test_a_burst_is_exact_for_one_task(work, distance):
    """Five crossings at once, or 11 that are 30 us apart, and then one every 50 us: the bound of a task is reached, to the nanosecond."""
    period, jitter, cost = us(50), us(200), us(20)
    curve = rv.analysis.bursts(period=period, jitter=jitter, distance=distance) if distance else rv.analysis.periodic(period, jitter=jitter)
    burst = [max(k * distance, k * period - jitter, 0) for k in range(200)]
    loop = rv.Task("loop", wcet=work, period=ms(20))
    verdict = rv.admit(rv.System(vms=[rv.VM("v", tasks=[loop])]), rv.Null(), traps={"v": rv.traps.trapping({"timer": cost}, {"timer": curve})})
    real = rv.VM("v", tasks=[rv.Task("storm", actions=[rv.trap(cost)], releases=burst, deadline=1), loop])
    jobs = rv.simulate(rv.System(vms=[real]), rv.Null(), ms(9)).jobs
    assert verdict.bounds["v/loop"] == jobs.query("task == 'loop'")["response"].max() >= work + cost


def test_a_limit_is_exact_for_one_task():
    """A task of 6 ms in 10 ms of the VM that traps: 20 us every 50 us still fit, an ns more often does not, in both ways of saying it."""
    loop = rv.Task("loop", wcet=ms(6), period=ms(10))

    def in_time(gap):
        told = {"v": rv.traps.trapping({"timer": us(20)}, {"timer": rv.analysis.periodic(gap)})}
        storm = rv.Task("storm", actions=[rv.trap(us(20))], period=gap, deadline=1)
        run = rv.simulate(rv.System(vms=[rv.VM("v", tasks=[storm, loop])]), rv.Null(), ms(10) + 1)
        return bool(rv.admit(rv.System(vms=[rv.VM("v", tasks=[loop])]), rv.Null(), traps=told)), not run.recording.misses[1]

    assert in_time(us(50)) == (True, True) and in_time(us(50) - 1) == (False, False)


@pytest.mark.parametrize("name", HOSTS)
def test_no_window_holds_more_than_limits_allow(name, seed):
    """Crossings that begin at least so far apart, whatever the VM scheduler does in between."""
    for count in range(1 if DISABLED else 30 if LONG else 2):
        system, scheduler = bounded_systems.system(f"{seed}/{count}", name, "fp")
        rnd = random.Random(f"{seed}/{count}/{name}/windows")
        cost, gap = us(rnd.choice([5, 50, 300])), us(rnd.choice([1, 40, 200]))
        steps = [rv.run(gap), rv.trap(cost)] * rnd.randint(1, 8)
        system = system.replace(vms=[vm.replace(tasks=[rv.Task("storm", actions=steps, period=us(700), deadline=1, vcpu=0), *vm.tasks])
                                     for vm in system.vms])
        run = rv.simulate(system, scheduler, ms(60), seed=count)
        windows = np.array([1, us(3), cost, cost + gap, cost + gap + 1, us(170), ms(1), ms(7)])
        for vm in system.vms:
            bound = rv.traps.overhead_bound(vm.replace(tasks=[]), {"hypercall": 0, "interrupt": 0, "timer": cost}, windows,
                                            limits={"timer": rv.analysis.periodic(gap + cost)})
            at, length = held(run, vm.name)
            assert length.max(initial=0) <= bound.section == cost
            for window, most in zip(windows.tolist(), bound.total.tolist()):
                assert fullest(at, length, window) <= most


def test_a_full_window_is_reached():
    """The bound on windows is exact: nobody else runs, and crossings follow each other as fast as the limit has it."""
    vm = rv.VM("v", tasks=[rv.Task("storm", actions=[rv.run(us(40)), rv.trap(us(10))] * 20, period=ms(1))])
    at, length = held(rv.simulate(rv.System(vms=[vm]), rv.Null(), ms(20)), "v")
    for window in (us(7), us(10), us(60), us(61), us(500)):
        bound = rv.traps.overhead_bound(vm.replace(tasks=[]), {"hypercall": 0, "interrupt": 0, "timer": us(10)}, window,
                                        limits={"timer": rv.analysis.periodic(us(50))})
        assert fullest(at, length, window) <= bound.total <= fullest(at, length, window) + us(10)
