"""Golden scenarios of the null scheduler (docs/xen-rules.md 10.6)."""

from __future__ import annotations

import rtvirt as rv
from golden.scenes import hogs, simulate
from rtvirt.units import ms


def test_G_N_01_one_vcpu_a_pcpu():
    run = simulate(hogs(a=256, b=256, c=256), rv.Null(), 100, cpus=2)
    assert run.slices[["cpu", "vm", "start", "end"]].values.tolist() == [[0, "a", 0, ms(100)], [1, "b", 0, ms(100)]]


def test_G_N_02_blocking_does_not_free_the_pcpu():
    blocker = rv.VM("a", tasks=[rv.Task("t", releases=[0], wcet=ms(10))])
    run = simulate([blocker, *hogs(b=256, c=256)], rv.Null(), 100, cpus=2)
    assert run.vms["runtime"].tolist() == [ms(10), ms(100), 0]


def test_G_N_04_dispatched_at_once():
    wakes = rv.VM("a", tasks=[rv.Task("t", releases=[ms(3)], wcet=ms(1))])
    run = simulate([wakes, *hogs(b=256)], rv.Null(), 10, cpus=2)
    assert run.wakeups[["vm", "latency"]].values.tolist() == [["a", 0]]


def test_rule_7_2_3_a_crash_frees_the_pcpu():
    system = rv.System(cpus=1, vms=hogs(a=256, c=256), changes=[rv.Change(ms(40), "a", state="crash")])
    run = rv.simulate(system, rv.Null(), ms(100)).check()
    assert run.vms["runtime"].tolist() == [ms(40), ms(60)]
