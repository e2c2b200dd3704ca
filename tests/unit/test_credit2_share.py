"""Credit2's share: adversaries try to get a vCPU less than the bound; and what has no bound shows why."""

from __future__ import annotations

import random

import numpy as np
import pytest

import rtvirt as rv
from rtvirt.analysis import Credit2Share, NoBound, ProportionalShare, share_table
from rtvirt.errors import SpecError
from rtvirt.units import ms, us

DURATION = ms(400)


def least_margin(run, vm, share, begin=0):
    """The least of (supply − bound) over all windows, and of (latency − wait) [ns]. `vm` is always runnable from `begin` on.

    A worst window begins where a stint ends (or at `begin`) and ends where one begins (or at the end of the run): the bound's slope is at
    most 1. Supplies are differences of a cumulated sum.
    """
    mine = run.slices[(run.slices.vm == vm) & (run.slices.end > begin)]
    starts, ends = np.maximum(mine.start.to_numpy(), begin), mine.end.to_numpy()
    before = np.concatenate([[0], np.cumsum(ends - starts)])
    opens, closes = np.concatenate([[begin], ends]), np.concatenate([starts, [run.duration]])
    spans, got = closes[None, :] - opens[:, None], before[None, :] - before[:, None]
    later = spans >= 0
    return int((got - share.sbf(np.maximum(spans, 0)))[later].min()), int(share.latency - (closes - opens).max())


def adversary(rng, name, weight):
    """A VM that hogs, naps, or sleeps long and comes back in step with the others."""
    kind = rng.choice(["hog", "naps", "step", "long", "yields", "capped"])
    wcet, sleep = {"naps": (us(rng.randint(1, 3000)), us(rng.randint(1, 1500))), "step": (ms(rng.randint(1, 12)), ms(rng.choice([20, 25, 30]))),
                   "long": (ms(rng.randint(5, 25)), ms(rng.randint(30, 90)))}.get(kind, (ms(1), ms(1)))
    if kind in ("hog", "capped"):
        return rv.VM(name, weight=weight, tasks=[rv.hog()], cap=rng.randint(5, 60) if kind == "capped" else 0)
    if kind == "yields":
        steps = (rv.run(us(rng.randint(1, 2000))), rv.yield_(), rv.run(us(rng.randint(1, 2000))))
        return rv.VM(name, weight=weight, tasks=[rv.Task("t", actions=steps, period=ms(rng.randint(4, 20)))])
    period = sleep if kind != "naps" else wcet + sleep
    return rv.VM(name, weight=weight, tasks=[rv.Task("t", wcet=wcet, period=period, offset=0 if kind == "step" else us(rng.randint(0, 9000)))])


WEIGHTS = ([256], [256], [256, 512, 1024], [100, 256, 400], [1, 256, 65_535], [30, 256], [65_535, 65_534])


def attack(rng):
    """A system with a hog "v", the scheduler, and credits as bad as they can be."""
    pool, ratelimit = rng.choice(WEIGHTS), rng.choice([0, us(100), ms(1), ms(1), ms(1), ms(5), ms(20)])
    others = [adversary(rng, f"o{k}", rng.choice(pool)) for k in range(rng.randint(1, 5))]
    system = rv.System(vms=[rv.VM("v", weight=rng.choice(pool), tasks=[rv.hog()]), *others])
    credit2 = rv.Credit2(ratelimit=ratelimit, xen=rng.choice(["4.17", "4.17", "4.9"]))
    share = ProportionalShare(credit2, system, "v")
    credits = {"v": -(share.debt(system["v"].weight) - 1) if rng.random() < 0.6 else rng.randint(-share.debt(system["v"].weight) + 1, 10_500_000)}
    for vm in others:
        credits[vm.name] = rng.choice([10_500_000, 10_500_000, 0, rng.randint(-share.debt(vm.weight) + 1, 10_500_000)])
    return system, credit2, share, {"credit": {(name, 0): value for name, value in credits.items()}}


def test_no_adversary_gets_a_vcpu_less_than_its_share(seed):
    rng = random.Random(seed)
    for k in range(150):
        system, credit2, share, initial = attack(rng)
        run = rv.simulate(system, credit2, duration=DURATION, seed=k, initial=initial)
        assert min(least_margin(run, "v", share)) >= 0, (seed, k, system, credit2, initial)


PAIR = rv.System(vms=[rv.VM("A", tasks=[rv.hog()]), rv.VM("B")])
UNBOUND = [(lambda: rv.Credit(), PAIR, "2.9.3"), (lambda: rv.Credit(ratelimit=0), PAIR, "2.9.2"),
           (lambda: rv.Credit2(), rv.System(cpus=2, vms=PAIR.vms), "5.3 step 4"),
           (lambda: rv.Credit2(), rv.System(vms=[rv.VM("A", cap=50), rv.VM("B")]), "5.6.2"),
           pytest.param(lambda: rv.BVT(), PAIR, "4.1.4", marks=pytest.mark.skipif("BVT" not in dir(rv), reason="BVT is not there"))]


@pytest.mark.parametrize(("scheduler", "system", "rule"), UNBOUND)
def test_what_has_no_bound_has_a_witness(scheduler, system, rule):
    with pytest.raises(NoBound) as caught:
        ProportionalShare(scheduler(), system, "A")
    assert rule in str(caught.value)
    w = caught.value.witness
    run = rv.simulate(w.system, w.scheduler, duration=w.duration)
    assert run.vms.share[w.vm] < w.received < w.promised


def test_credit_starves_a_hog_for_good():
    with pytest.raises(NoBound) as caught:
        ProportionalShare(rv.Credit(), PAIR, "A")
    w = caught.value.witness
    run = rv.simulate(w.system, w.scheduler, duration=ms(10_000))
    assert run.slices[run.slices.vm == w.vm].end.max() < ms(10)                        # and what it runs before, nobody else wanted


def test_what_is_refused_otherwise():
    with pytest.raises(SpecError, match="Credit2, Credit or BVT"):
        ProportionalShare(rv.RTDS(), PAIR, "A")
    with pytest.raises(NoBound, match="without the changes"):
        ProportionalShare(rv.Credit2(), rv.System(vms=PAIR.vms, changes=[rv.Change(at=5, vm="B", weight=9)]), "A")
    for weight in (0, 65_536):
        with pytest.raises(SpecError, match="weight"):
            Credit2Share(weight, (256,))


def test_alone_it_has_the_pcpu_and_light_ones_count_for_more():
    assert (Credit2Share(256, ()).rate, Credit2Share(256, ()).latency, Credit2Share(256, ()).delay) == (1, 0, 0)
    assert [Credit2Share(256, (40,)).forgiving, Credit2Share(256, (39,)).forgiving, Credit2Share(38, (256,)).forgiving] == [False, False, True]
    assert [row["rate"] is None for row in share_table([rv.Credit(), rv.Credit2()], PAIR)] == [True, True, False, False]


MUTANTS = [
    ("pays for no more than it has", "-(-MOST * weight // self.heaviest) + self.overrun + 1\n\n    def eff", "self.overrun + 1\n\n    def eff"),
    ("no carry-over", "MOST = 10_500_000", "MOST = 10_000_000"),
    ("no least slice", "return self.ratelimit + SHORTEST", "return self.ratelimit"),
    ("no ratelimit", "return self.ratelimit + SHORTEST", "return SHORTEST"),
    ("no debt at first", "lead = MOST + self.debt(self.weight)", "lead = MOST"),
    ("no overrun while it waits", "lead * weight // self.heaviest) + self.overrun + 1", "lead * weight // self.heaviest)"),
    ("weights do not count while it waits", "-(-lead * weight // self.heaviest)", "lead * weight // 65_535"),
    ("no lag at the end", "lag = (MOST if self.forgiving else FIRST) + self", "lag = self"),
    ("debts are never forgiven", "return self.debt(weight) >= FIRST", "return False"),
    ("light ones count by weight", "-(-GRAIN * self.heaviest * self.own(weight) // FIRST)", "GRAIN * weight"),
    ("all are heavier than they are", "GRAIN * self.weight + against)", "GRAIN * self.weight * 2 + against)"),
]
