"""Virtual time: delivered ticks against a plain count, Xen's rules by number, clocks that are ticks or are read."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rtvirt as rv
from rtvirt.explorers import clock
from rtvirt.traps.clock import ERAS, POLICIES, guest_time, late_ticks, lost_ticks, own_period, timer_window
from rtvirt.units import ms, s, us

STINTS = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 30)), min_size=1, max_size=12).map(
    lambda parts: np.cumsum([x for pair in parts for x in pair]).reshape(-1, 2))


def plain_lost(stints, period):
    """Unit by unit: a running vCPU gets a tick once a period has passed since its last."""
    found, last = [], 0
    for t in range(int(stints[-1][1])):
        if any(start <= t < end for start, end in stints) and t - last >= period:
            found.append(t)
            last = t
    return found


def plain_late(stints, period, gap, end):
    """Unit by unit: a queue of due ticks, served while the vCPU runs."""
    found, pending, free = [], 0, 0
    for t in range(end):
        pending += t > 0 and t % period == 0
        if pending and t >= free and any(start <= t < stop for start, stop in stints):
            found.append(t)
            pending, free = pending - 1, t + gap
            if gap == 0:
                found += [t] * pending
                pending = 0
    return found


@settings(max_examples=150, deadline=None)
@given(stints=STINTS, period=st.integers(1, 20), gap=st.integers(0, 6))
def test_ticks_are_those_of_a_plain_count(stints, period, gap):
    starts, ends, end = stints[:, 0], stints[:, 1], int(stints[-1, 1])
    assert lost_ticks(starts, ends, period).tolist() == plain_lost(stints, period)
    assert late_ticks(np.arange(period, end, period), starts, ends, gap).tolist() == plain_late(stints, period, gap, end)


def test_g_i_27_one_tick_at_dispatch_after_35_ms_away():
    """G-I-27: a periodic timer of 10 ms, descheduled for 35 ms: exactly one tick, at the dispatch."""
    ticks = lost_ticks(np.array([0, ms(45)]), np.array([ms(10), ms(50)]), ms(10))
    assert ticks.tolist() == [ms(45)]


@pytest.fixture(scope="module")
def turns():
    """Two hogs in turns of 30 ms: each is away for 30 of 60 ms."""
    two = rv.System(vms=[rv.VM("a", tasks=[rv.hog()]), rv.VM("b", tasks=[rv.hog()])])
    return rv.simulate(two, rv.RoundRobin(ms(30)), s(6))


def test_counting_ticks_loses_time_and_making_up_for_them_does_not(turns):
    lost, made_up, read = (guest_time(turns, "a", period=ms(10), policy=policy) for policy in POLICIES)
    # Each minute of 60 ms delivers one tick on dispatch and two while it runs: 3 of 6.
    assert lost.gaps.tolist()[:4] == [ms(10), ms(40), ms(10), ms(10)] and abs(lost.drift + 0.5) < 0.005
    # From 30 ms on, ticks due at 30, 40, 50 and 60 come at 60, 60.1, 60.2 and 60.3 ms.
    assert made_up.delivered[2:6].tolist() == [ms(60), us(60_100), us(60_200), us(60_300)] and made_up.lateness.max() == ms(30)
    assert read.drift == 0 and read.lateness.max() == ms(30) and read.reads(ms(33)) == ms(33)
    assert (np.diff(lost.reads(np.arange(0, s(6), ms(1)))) >= 0).all() and made_up.reads(ms(59)) == ms(20)


def test_a_guest_with_lost_ticks_finds_its_own_period_in_order():
    """By its ticks the VM's period is never long, though the world sees gaps of tens of milliseconds."""
    vms = [rv.VM("rtos", tasks=[rv.Task("control", wcet=ms(2), period=ms(10)), rv.hog()])]
    run = rv.simulate(rv.System(vms=[*vms, rv.VM("other", tasks=[rv.hog()])]), rv.Credit(), s(3))
    seen = own_period(run, "rtos", "control", guest_time(run, "rtos", period=ms(10)))
    real = own_period(run, "rtos", "control")
    read = own_period(run, "rtos", "control", guest_time(run, "rtos", policy="paravirtual"))
    assert real.max() >= ms(30) and seen.max() <= ms(20) and read.tolist() == real.tolist()
    with_budget = [one.replace(budget=ms(2), period=ms(5)) for one in vms]
    kept = rv.simulate(rv.System(vms=[*with_budget, rv.VM("other", tasks=[rv.hog()], budget=ms(3), period=ms(6))]), rv.RTDS(), s(3))
    assert own_period(kept, "rtos", "control").max() < ms(20) < real.max()


@pytest.mark.parametrize("xen", ERAS)
def test_timers_fire_within_50_us_of_what_their_era_says(xen):
    early, late = timer_window(ms(10), 0, xen=xen)
    assert ms(10) - us(50) <= early <= late <= ms(10) + us(50)
    past = timer_window(ms(1), ms(3), xen=xen)
    assert ms(3) <= past[0] <= past[1] <= ms(3) + us(50)


@pytest.mark.parametrize("change, words", [({"vm": "c"}, "a, b"), ({"vcpu": 1}, "0 to 0"), ({"policy": "good"}, "lost, catch-up, paravirtual"),
                                           ({"period": 0}, "10 us to"), ({"period": s(60)}, "10 us to"), ({"gap": -1}, "0 to 1 s"),
                                           ({"period": "10 ms"}, "whole nanoseconds"), ({"period": None}, "10 us to"), ({"vcpu": "0"}, "0 to 0")])
def test_mistakes_are_explained(turns, change, words):
    given = {"vm": "a", "period": ms(10)} | change
    with pytest.raises(rv.SpecError, match=words):
        guest_time(turns, given.pop("vm"), **given)
    with pytest.raises(rv.SpecError, match="4.17"):
        timer_window(0, 0, xen="5")
    with pytest.raises(rv.SpecError, match="a/hog"):
        own_period(turns, "a", "control")
    with pytest.raises(rv.SpecError, match="a GuestTime"):
        own_period(turns, "a", "hog", "lost")


def test_the_explorer_says_what_its_guest_cannot_know():
    """Away two thirds of the time under credit; a budget in every 10 ms under RTDS; nothing lost alone."""
    lost = clock.compute(clock.Params())
    assert lost.time.drift < -0.6 and lost.seen.max() <= ms(20) < ms(60) < lost.real.max() and "has lost 1.99 s" in clock.sentence(lost)
    kept = clock.compute(clock.Params(scheduler="RTDS", policy="catch-up"))
    assert kept.real.max() <= ms(25) and abs(kept.time.drift) < 0.01
    read = clock.compute(clock.Params(busy="no", policy="paravirtual"))
    assert "right when it is read, and 19 ms old at most" in clock.sentence(read) and set(read.seen) == {ms(20)}
    alone = clock.compute(clock.Params(hogs=0))
    assert alone.time.drift == 0 and set(alone.real) == {ms(20)}
    with pytest.raises(rv.SpecError, match="credit knows weights only"):
        clock.compute(clock.Params(budget=5.0))


@pytest.mark.parametrize("policy", POLICIES)
def test_the_line_of_the_explorer_is_what_the_clock_reads(policy):
    found = clock.compute(clock.Params(policy=policy))
    times, off = clock.error(found.time)
    if policy != "paravirtual":
        corners = times[2:-1:2]                                              # the upper ones, where a tick has just been counted
        assert np.allclose(off[2:-1:2] * 1e6, found.time.reads(corners.astype(np.int64)) - corners)
        assert np.isclose(off[-1] * 1e6, found.time.reads(s(3)) - s(3))
    assert times[-1] == s(3) and (off <= 1e-9).all() and (np.diff(times) >= 0).all() and off.min() < -20
    scene = clock.explorer(policy=policy)._scene
    assert scene.timeline.picture["curve_label"] == "error [ms]" and len(scene.figure().axes) == 2
