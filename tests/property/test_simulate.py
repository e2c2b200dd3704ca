"""Properties of every run: invariants, determinism, and what must not matter."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from oracle.systems import SCHEDULERS, system

import rtvirt as rv
from rtvirt import simulation
from rtvirt.jit import DISABLED
from rtvirt.units import ms, us

ROOT = Path(__file__).resolve().parents[2]
FEW = settings(max_examples=10 if DISABLED else 30, phases=[Phase.explicit, Phase.generate], deadline=None, derandomize=True,
               suppress_health_check=list(HealthCheck))


def fingerprint(run: rv.Run) -> str:
    """Digest of everything recorded."""
    sha = hashlib.sha256()
    for table in (run.recording.slices, run.recording.jobs, run.recording.wakeups, run.recording.events):
        for column in table.values():
            sha.update(column.tobytes())
    return sha.hexdigest()


@FEW
@given(seed=st.integers(0, 10**6), name=st.sampled_from(sorted(SCHEDULERS)))
def test_same_inputs_same_bits(seed, name):
    spec, scheduler, duration = system(seed, name)
    assert fingerprint(rv.simulate(spec, scheduler, duration, seed).check()) == fingerprint(rv.simulate(spec, scheduler, duration, seed))


@FEW
@given(seed=st.integers(0, 10**6), name=st.sampled_from(sorted(SCHEDULERS)))
def test_record_modes_agree(seed, name):
    spec, scheduler, duration = system(seed, name)
    runs = [rv.simulate(spec, scheduler, duration, seed, record=record) for record in ("trace", "jobs", "summary")]
    assert all(run.vms.equals(runs[0].vms) and run.tasks.equals(runs[0].tasks) for run in runs)


@FEW
@given(seed=st.integers(0, 10**6), name=st.sampled_from(sorted(SCHEDULERS)))
def test_interruptions_change_nothing(seed, name):
    spec, scheduler, duration = system(seed, name)
    whole, old = fingerprint(rv.simulate(spec, scheduler, duration, seed)), simulation.SHARE_OF_EVENTS
    simulation.SHARE_OF_EVENTS = 7
    try:
        assert fingerprint(rv.simulate(spec, scheduler, duration, seed, progress=lambda done, of: None)) == whole
    finally:
        simulation.SHARE_OF_EVENTS = old


@FEW
@given(st.lists(st.tuples(st.integers(1, 6), st.integers(7, 40)), min_size=1, max_size=4), st.integers(1, 3))
def test_an_idle_vm_changes_nothing(tasks, cpus):
    vms = [rv.VM(f"v{i}", tasks=[rv.Task("t", wcet=ms(c), period=ms(p))]) for i, (c, p) in enumerate(tasks)]
    for scheduler in (rv.Credit(), rv.RoundRobin(), rv.FixedPriority()):
        without, beside = (rv.simulate(rv.System(cpus=cpus, vms=v), scheduler, ms(300)) for v in (vms, [*vms, rv.VM("idle")]))
        assert without.jobs.equals(beside.jobs)


@FEW
@given(st.integers(1, 50), st.integers(1, 50))
def test_a_lone_task_is_never_late(wcet, slack):
    task = rv.Task("t", wcet=us(100 * wcet), period=us(100 * (wcet + slack)))
    for scheduler in (rv.Credit(), rv.Credit(xen="3.1"), rv.Credit2(), rv.RoundRobin(), rv.FixedPriority(), rv.Null()):
        tasks = rv.simulate(rv.System(vms=[rv.VM("v", tasks=[task])]), scheduler, ms(200), record="summary").tasks
        assert tasks["misses"].sum() == 0 and tasks["response_max"].iloc[0] == task.wcet


@FEW
@given(st.lists(st.integers(100, 1000), min_size=2, max_size=4))
def test_more_weight_never_gets_less(weights):
    vms = [rv.VM(f"v{i}", tasks=[rv.hog()], weight=w) for i, w in enumerate(weights)]
    shares = rv.simulate(rv.System(vms=vms), rv.Credit(), ms(60_000), record="summary").vms["share"]
    assert shares.sum() == pytest.approx(1.0)
    ordered = [share for _, share in sorted(zip(weights, shares))]
    assert all(b > a - 0.02 for a, b in zip(ordered, ordered[1:]))


DIGESTS = """
import sys; sys.path[:0] = [{root!r}, {tests!r}]
from oracle.systems import SCHEDULERS, system
from property.test_simulate import fingerprint
import rtvirt as rv
for name in sorted(SCHEDULERS):
    for seed in range({first}, {first} + 12):
        spec, scheduler, duration = system(seed, name)
        print(name, seed, fingerprint(rv.simulate(spec, scheduler, duration, seed)))
"""


@pytest.mark.skipif(DISABLED, reason="it starts both itself")
def test_compiled_and_interpreted_give_the_same_bits(seed):
    code = DIGESTS.format(root=str(ROOT), tests=str(ROOT / "tests"), first=seed * 1000)
    outputs = []
    for disabled in ("0", "1"):
        done = subprocess.run([sys.executable, "-c", code], env=os.environ | {"NUMBA_DISABLE_JIT": disabled}, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        outputs.append(done.stdout)
    assert outputs[0] == outputs[1] and outputs[0].count("\n") == 12 * len(SCHEDULERS)


def test_nobody_and_far_too_much():
    """Found by bad input with the JIT off: a system without VMs, and more unfinished jobs at the end than a table holds."""
    assert len(rv.simulate(rv.System(), rv.Credit(), ms(5)).check().slices) == 0
    late = rv.Task("t", wcet=ms(1), period=3000, deadline=ms(5))
    run = rv.simulate(rv.System(vms=[rv.VM("v", tasks=[late])]), rv.Credit(), ms(5)).check()
    assert len(run.jobs) == 1667 and (run.jobs["finish"] < 0).sum() == 1662


@pytest.mark.parametrize("cpus", [1, 2])
def test_credit2_shares_by_weight(cpus):
    """Hogs that want more than there is get it by weight, within a round of resets, unless one wants more than a whole pCPU."""
    for seed in range(1 if DISABLED else 12):
        rnd = random.Random(seed)
        weights = [rnd.randint(100, 400) for _ in range(rnd.randint(2 * cpus + 1, 6))]
        vms = [rv.VM(f"v{i}", tasks=[rv.hog()], weight=w) for i, w in enumerate(weights)]
        run = rv.simulate(rv.System(cpus=cpus, vms=vms), rv.Credit2(), ms(20_000), record="summary").check()
        ideal = [cpus * w / sum(weights) for w in weights]
        if max(ideal) < 0.9:
            assert run.vms["share"].tolist() == pytest.approx(ideal, rel=0.03)


@FEW
@given(st.lists(st.integers(5, 60), min_size=1, max_size=3), st.integers(1, 2))
def test_credit2_caps_hold(caps, cpus):
    """Nobody gets more than its cap and what one stint may run too long."""
    vms = [rv.VM(f"v{i}", tasks=[rv.hog()], cap=cap) for i, cap in enumerate(caps)] + [rv.VM("hog", tasks=[rv.hog()])]
    run = rv.simulate(rv.System(cpus=cpus, vms=vms), rv.Credit2(), ms(1000)).check()
    for vm in vms[:-1]:
        assert run.vms["runtime"][vm.name] <= ms(1000) * vm.cap // 100 + ms(1)


@FEW
@given(st.lists(st.tuples(st.integers(1, 100), st.integers(5, 40)), min_size=1, max_size=5), st.sampled_from(["4.17", "4.22"]))
def test_rtds_supplies_budgets_that_fit(servers, xen):
    """On one pCPU, budgets of at most 100 % in all are supplied in every period, whatever the others do. With extratime they are not:
    replenishments may come late, and without a tickle (6.2.13, 6.2.15).
    """
    total = sum(parts for parts, _ in servers)
    contracts = [(ms(period) * parts // max(total, 100), ms(period)) for parts, period in servers]
    vms = [rv.VM(f"v{i}", tasks=[rv.hog()], budget=budget, period=period)
           for i, (budget, period) in enumerate(contracts) if budget >= us(10)]
    run = rv.simulate(rv.System(vms=vms), rv.RTDS(xen=xen), ms(200)).check()
    for vm in vms:
        mine = run.slices[run.slices["vm"] == vm.name]
        for start in range(0, ms(200) - vm.period + 1, vm.period):
            end = start + vm.period
            supplied = int((mine["end"].clip(start, end) - mine["start"].clip(start, end)).sum())
            assert supplied == vm.budget


def test_a_change_of_priority_takes_effect_at_once():
    """Under fixed priorities: who runs loses the pCPU, who waits takes it, and both ways again."""
    hogs = [rv.VM(name, tasks=[rv.hog()], priority=rank) for name, rank in (("A", 1), ("B", 2), ("C", 3))]
    changes = [rv.Change(ms(10), "A", priority=4), rv.Change(ms(20), "C", priority=1), rv.Change(ms(30), "A", priority=1)]
    run = rv.simulate(rv.System(vms=hogs, changes=changes), rv.FixedPriority(), ms(40)).check()
    assert run.slices[["vm", "start"]].values.tolist() == [["A", 0], ["B", ms(10)], ["C", ms(20)], ["A", ms(30)]]
    with pytest.raises(rv.SpecError, match="weight"):
        rv.simulate(rv.System(vms=hogs, changes=[rv.Change(ms(10), "A", weight=4)]), rv.FixedPriority(), ms(40))
