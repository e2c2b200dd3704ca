"""The exercises of notebook 6 say what the engine does."""

from __future__ import annotations

import pytest

import rtvirt as rv
from rtvirt.engine import rings
from rtvirt.exercises import EXERCISES
from rtvirt.exercises import split_driver_latency as exercises
from rtvirt.units import ms, s, us

must_tell = getattr(rings.must_tell, "py_func", rings.must_tell)         # compiled kernels are called by kernels only
LENGTH = s(3)


def packets(*, front=(), back=(), hogs=1, weight=256, duration=LENGTH, **net):
    """Packets of a VM beside hogs, and the run."""
    vms = [rv.VM("front", tasks=front), rv.VM("dom0", control=True, tasks=back, weight=weight),
           *(rv.VM(f"hog{i}", tasks=[rv.hog()]) for i in range(hogs))]
    card = rv.SplitDriver("net0", driver="dom0", frontend="front", **{"rx": rv.Arrivals(ms(7), arrival="poisson"), **net})
    run = rv.simulate(rv.System(vms=vms, devices=[card]), rv.Credit(), duration)
    return run.paths["net0.rx"], run


@pytest.mark.parametrize("case", EXERCISES["6.1"].cases)
def test_notifications_are_the_rings(case):
    assert exercises.must_notify(*case) == bool(must_tell(*case))


@pytest.mark.parametrize("hogs", [1, 2])
def test_no_packet_waits_for_longer_than_the_turns_of_all_others(hogs):
    """All compute, with equal weights, so all are UNDER or OVER together and have turns; a packet's own work comes on top."""
    table, _ = packets(front=[rv.hog()], back=[rv.hog()], hogs=hogs)
    bound = ms(exercises.longest_way(hogs, 30, True, True))
    assert bound / 2 < table["total"].max() < bound + ms(1)


def test_who_sleeps_waits_for_nobodys_slice():
    table, _ = packets(hogs=1)
    assert exercises.longest_way(1, 30, False, False) == 0 and table["total"].quantile(0.99) < ms(2)


@pytest.mark.parametrize(("after", "gap", "timeout"), [(8, us(50), None), (8, ms(7), ms(2)), (4, us(100), ms(2))])
def test_the_first_of_a_batch_waits_as_in_the_engine(after, gap, timeout):
    table, _ = packets(hogs=0, rx=rv.Arrivals(gap), front_after=after, timeout=timeout, duration=s(1), serve=0, receive=0)
    assert table[table["total"] >= 0]["suppression"].max() == exercises.first_waits(after, gap, timeout)


def test_weight_for_the_driver_is_taken_from_the_front_end():
    shares = []
    for factor in (1, 4):
        _, run = packets(front=[rv.hog()], back=[rv.hog()], weight=256 * factor, duration=s(10))
        shares.append(run.vms["share"]["front"])
        assert shares[-1] == pytest.approx(exercises.share_left(256, 256, 256, factor), abs=0.03)
    assert shares[1] < 0.6 * shares[0]
