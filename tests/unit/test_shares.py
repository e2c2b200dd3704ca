"""Shares by weight: adversaries try to get a vCPU less than the bound; and what has no bound shows why."""

from __future__ import annotations

import random
from fractions import Fraction

import numpy as np
import pytest

import rtvirt as rv
from rtvirt.analysis import BoundedDelay, BVTShare, Credit2Share, NoBound, ProportionalShare, share_table
from rtvirt.errors import SpecError
from rtvirt.jit import DISABLED
from rtvirt.system import BvtContract
from rtvirt.units import ms, us

DURATION, TRIES = (ms(60), 2) if DISABLED else (ms(400), 150)


def stints(run, vm):
    """Where windows may open and close, and what `vm` has had until then: a worst window begins where a stint ends (or at 0) and ends where one
    begins (or at the end of the run), as the bound's slope is at most 1 [ns].
    """
    mine = run.slices[run.slices.vm == vm]
    starts, ends = mine.start.to_numpy(), mine.end.to_numpy()
    return np.concatenate([[0], ends]), np.concatenate([starts, [run.duration]]), np.concatenate([[0], np.cumsum(ends - starts)])


def margins(share, opens, closes, before):
    """Supply − bound, for each close the least of all windows that open before [ns]. `vm` is always runnable.

    The bound is a line, rounded down, from its delay on: the window that is furthest below the line is the same for every line of that slope, so
    one opening for each close is looked at, and not thousands. If some window has too little, then this one has (shorter ones than the delay, of
    which nothing is asked, lie above the line).
    """
    ahead = before - float(share.rate) * opens
    worst = np.maximum.accumulate(np.where(ahead == np.maximum.accumulate(ahead), np.arange(len(ahead)), 0))
    return before - before[worst] - share.sbf(closes - opens[worst])


def least_margin(run, vm, share):
    """The least of (supply − bound) over all windows, and of (latency − wait) where it is known [ns]. `vm` is always runnable."""
    opens, closes, before = stints(run, vm)
    return int(margins(share, opens, closes, before).min()), int(getattr(share, "latency", DURATION) - (closes - opens).max())


def test_the_window_with_the_least_is_among_those_looked_at(seed):
    """Against all windows: of sound bounds, and of bounds that promise too much, until they are broken."""
    rng, broken = random.Random(seed), 0
    for k in range(2 if DISABLED else 12):
        system, credit2, share, initial = attack(rng)
        opens, closes, before = stints(rv.simulate(system, credit2, duration=ms(60), seed=k, initial=initial), "v")
        for delay in (int(share.delay) // less for less in (1, 9, 50, 10**9)):
            bound = BoundedDelay(share.rate, delay)
            some = margins(bound, opens, closes, before).min()
            every = [(before[i:] - before[i] - bound.sbf(closes[i:] - opens[i])).min() for i in range(len(opens))]
            assert (some < 0) == (min(every) < 0) and (some == min(every) or some >= 0)
            broken += some < 0
    assert broken


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
    for k in range(TRIES):
        system, credit2, share, initial = attack(rng)
        run = rv.simulate(system, credit2, duration=DURATION, seed=k, initial=initial)
        assert min(least_margin(run, "v", share)) >= 0, (seed, k, system, credit2, initial)


def borrower(rng, vm):
    """A VM with a BVT contract, warping or not."""
    return vm.replace(bvt=BvtContract(mcu_advance=rng.choice([10, 10, 10, 1, 7, 30, 100]), warp=rng.random() < 0.3,
                                      warp_value=rng.choice([0, 10, 300, 5000]), warp_limit=ms(rng.choice([0, 20])), unwarp=ms(rng.choice([0, 5]))))


def test_no_adversary_gets_a_vcpu_less_than_its_share_of_bvt(seed):
    rng = random.Random(seed)
    for k in range(TRIES):
        vms = [rv.VM("v", tasks=[rv.hog()]), *(adversary(rng, f"o{j}", 256).replace(cap=0) for j in range(rng.randint(1, 5)))]
        bvt = rv.BVT(units=rng.choice(rv.BVT.UNITS), ctx_allow=us(rng.choice([50, 130, 500, 1000, 5000])))
        system = rv.System(vms=[borrower(rng, vm) for vm in vms])
        run = rv.simulate(system, bvt, duration=DURATION, seed=k)
        assert least_margin(run, "v", ProportionalShare(bvt, system, "v"))[0] >= 0, (seed, k, system, bvt)


def hogs(*vms, **fields):
    """VMs that always run."""
    return rv.System(vms=[vm.replace(tasks=[rv.hog()]) for vm in vms], **fields)


A, B = rv.VM("A"), rv.VM("B")
PAIR = hogs(A, B)
FLOOD = rv.System(vms=[PAIR["A"], rv.VM("B", tasks=[rv.Task("mail", wcet=us(10), period=ms(1), arrival="poisson")])])
UNBOUND = [(rv.Credit(), PAIR, "2.9.3"), (rv.Credit(ratelimit=0), PAIR, "2.9.2"), (rv.Credit2(), hogs(A, B, cpus=2), "5.3 step 4"),
           (rv.Credit2(runqueue="cpu"), hogs(A, B.replace(affinity=[1]), cpus=2), "5.3 step 4"),
           (rv.Credit2(), hogs(A.replace(cap=50), B), "5.6.2"), (rv.BVT(), FLOOD, "4.1.4"), (rv.BVT(units="intended"), FLOOD, "4.1.7")]


@pytest.mark.skipif(DISABLED, reason="some of the runs take seconds even compiled")
@pytest.mark.parametrize(("scheduler", "system", "rule"), UNBOUND)
def test_what_has_no_bound_has_a_witness(scheduler, system, rule):
    with pytest.raises(NoBound) as caught:
        ProportionalShare(scheduler, system, "A")
    assert rule in str(caught.value)
    w = caught.value.witness
    run = rv.simulate(w.system, w.scheduler, duration=w.duration)
    assert run.vms.share[w.vm] < w.received < w.promised


@pytest.mark.skipif(DISABLED, reason="ten seconds of a busy system")
def test_credit_starves_a_hog_for_good():
    with pytest.raises(NoBound) as caught:
        ProportionalShare(rv.Credit(), PAIR, "A")
    w = caught.value.witness
    run = rv.simulate(w.system, w.scheduler, duration=ms(10_000))
    assert run.slices[run.slices.vm == w.vm].end.max() < ms(10)                        # and what it runs before, nobody else wanted


def test_what_is_refused_otherwise():
    with pytest.raises(SpecError, match="Credit2, BVT or Credit"):
        ProportionalShare(rv.RTDS(), PAIR, "A")
    with pytest.raises(SpecError, match="each configuration"):
        ProportionalShare(rv.Credit2(), PAIR.replace(changes=[rv.Change(at=5, vm="B", weight=9)]), "A")
    with pytest.raises(SpecError, match="vcpu"):
        ProportionalShare(rv.BVT(), PAIR, "A", 1)
    with pytest.raises(NoBound, match="heavier VM starts later"):
        ProportionalShare(rv.Credit2(), hogs(A, B.replace(start=5, weight=512)), "A")
    with pytest.raises(NoBound, match="heavier VM starts later"):            # nor for itself: a slice of the other's still lasts 10 ms
        ProportionalShare(rv.Credit2(), hogs(A, B.replace(start=5, weight=512)), "B")
    with pytest.raises(NoBound, match="costs"):
        ProportionalShare(rv.BVT(), hogs(A, B, costs=rv.Costs(wake_path=us(1))), "A")
    sleepy = rv.Task("t", actions=[rv.run(us(9)), rv.block(us(9)), rv.run(us(9))], period=ms(5))
    for system, why in [(rv.System(vms=[A.replace(tasks=[sleepy]), PAIR["B"]]), "block or yield"),
                        (rv.System(vms=[PAIR["A"], B.replace(tasks=[sleepy])]), "4.1.7")]:
        with pytest.raises(NoBound, match=why):
            ProportionalShare(rv.BVT(), system, "A")
    for weight in (0, 65_536):
        with pytest.raises(SpecError, match="weight"):
            Credit2Share(weight, (256,))


def test_by_hand():
    assert (Credit2Share(256, ()).rate, Credit2Share(256, ()).latency, Credit2Share(256, ()).delay) == (1, 0, 0)
    assert [Credit2Share(256, (40,)).forgiving, Credit2Share(256, (39,)).forgiving, Credit2Share(38, (256,)).forgiving] == [False, False, True]
    half = Credit2Share(256, (256,), idle=(512,))                            # all credits burn at twice the pace
    assert (half.debt(256), half.alone(256), int(half.delay)) == (3_000_001, 6_750_001, 6_750_001 + 6_500_002)
    assert [row["rate"] is None for row in share_table([rv.Credit(), rv.Credit2(), rv.BVT()], PAIR)] == [True, True, False, False, False, False]
    two = BVTShare(10, ((10, 0),), units="intended")                        # it was alone for 50 ms, or a slice beyond one that was
    assert (two.rate, two.lag, two.delay) == (Fraction(1, 2), 5500, ms(5) + ms(55))
    assert BVTShare(10, ((10, 0),)).lag == 5000                             # faithful: 50 ms alone are worse
    assert BVTShare(10, ((10, 700),), units="intended").delay - two.delay == ms(7)     # a head start of 70 MCU of 100 us each


def test_several_pcpus_are_as_good_as_one_where_nobody_moves():
    four = hogs(*(rv.VM(name, affinity=[k % 2]) for k, name in enumerate("ABCD")), cpus=2)
    assert ProportionalShare(rv.Credit2(runqueue="cpu"), four, "A") == Credit2Share(256, (256,))
    assert ProportionalShare(rv.BVT(), four, "A").rate == BVTShare(10, ((10, 0),)).rate
    assert ProportionalShare(rv.BVT(), hogs(*(rv.VM(name) for name in "ABCD"), cpus=2), "A").delay > ms(150)     # all may be on one
