"""A budget for boosts (docs/model.md 7.1.11): what it bounds, what it does not, what it costs; and that nothing changes without it."""

from __future__ import annotations

import pytest

import rtvirt as rv
from rtvirt.units import ms, s, us

PERIOD, BULK, BUDGET = us(25_300), ms(5), ms(1)


def crowd(n: int) -> rv.System:
    """VMs whose bulk I/O wakes them all at once, one with little to do that wakes 0.1 ms later, and one that computes."""
    bulk = [rv.VM(f"io{k}", tasks=[rv.Task("bulk", wcet=BULK, period=PERIOD, offset=us(1300))]) for k in range(n)]
    modem = rv.VM("modem", weight=2048, tasks=[rv.Task("answer", wcet=us(200), period=PERIOD, offset=us(1400))])
    return rv.System(vms=[*bulk, modem, rv.VM("hog", weight=64, tasks=[rv.hog()])])


def boosted(run: rv.Run, vm: str) -> list[tuple[int, int]]:
    """Stretches of time in which the vCPU of a VM ran at BOOST [ns]."""
    events = run.events[run.events["vm"] == vm]
    high, since, found = False, None, []
    for time, event in zip(events["time"], events["event"], strict=True):
        if since is not None and event in ("preempt", "block", "unboost"):
            found.append((since, time))
            since = None
        high = True if event == "boost" else False if event in ("unboost", "crash") else high
        if event == "dispatch" and high:
            since = time
    return found


def used(stretches: list[tuple[int, int]], start: int, end: int) -> int:
    """How much of an interval they cover [ns]."""
    return sum(max(0, min(b, end) - max(a, start)) for a, b in stretches)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_boosted_vcpus_wait_for_each_other_no_longer_than_their_budgets(n):
    """Multi-boost (2.6.5): under Xen's rules the modem waits for all the bulk, with budgets for one budget each."""
    free, held = (rv.simulate(crowd(n), scheduler, s(2)) for scheduler in (rv.Credit(), rv.Credit(boost_budget=BUDGET)))
    waits = [run.wakeups[run.wakeups["vm"] == "modem"]["latency"] for run in (free, held)]
    assert [int(wait.median()) for wait in waits] == [n * BULK - us(100), n * BUDGET - us(100)]


def test_who_waited_longer_was_not_boosted_or_an_accounting_has_ended_boosts():
    """The budget does not mend the rest: who is OVER is not boosted (2.6.2), and an accounting takes BOOST from all (2.6.3)."""
    run = rv.simulate(crowd(3), rv.Credit(boost_budget=BUDGET), s(5))
    wakes = run.events[(run.events["vm"] == "modem") & (run.events["event"] == "wake")].set_index("time")["value"]
    waits = run.wakeups[run.wakeups["vm"] == "modem"]
    late = waits[waits["latency"] > 3 * BUDGET]
    assert 0 < len(late) < len(waits) / 10
    for woken, dispatched in zip(late["woken"], late["dispatched"], strict=True):
        assert wakes[woken] < 0 or woken // ms(30) < dispatched // ms(30)


def test_nobody_runs_at_boost_for_more_than_the_budget_of_two_windows():
    """In any interval of a period: 2 B at most, and B where windows do not meet."""
    budget, period = us(700), ms(10)
    run = rv.simulate(crowd(2), rv.Credit(boost_budget=budget, boost_period=period, ratelimit=us(100)), s(2))
    for vm in ("io0", "io1", "modem"):
        stretches = boosted(run, vm)
        assert len(stretches) > 50
        assert max(used(stretches, a, a + period) for a, _ in stretches) <= budget       # windows are 25 ms apart here
    free = rv.simulate(crowd(2), rv.Credit(ratelimit=us(100)), s(2))
    assert max(used(boosted(free, "io0"), a, a + period) for a, _ in boosted(free, "io0")) == BULK


def test_back_to_back_windows_give_two_budgets():
    """At the end of one window, and at the beginning of the next."""
    early = rv.VM("io", tasks=[rv.Task("io", wcet=us(400), releases=[ms(1), us(10_600), us(11_001)])])
    run = rv.simulate(rv.System(vms=[early, rv.VM("hog", tasks=[rv.hog()])]),
                      rv.Credit(boost_budget=us(800), boost_period=ms(10), ratelimit=0), ms(20))
    assert boosted(run, "io") == [(ms(1), us(1400)), (us(10_600), us(11_000)), (us(11_001), us(11_401))]


def test_a_boost_that_is_used_up_goes_behind_the_others():
    """0.8 ms: 0.4 in the first job, 0.4 of the second; then its turn comes after the hog's slice of 30 ms."""
    io = rv.VM("io", tasks=[rv.Task("io", wcet=[us(400), us(900)], releases=[ms(1), ms(4)])])
    run = rv.simulate(rv.System(vms=[io, rv.VM("hog", tasks=[rv.hog()])]), rv.Credit(boost_budget=us(800), ratelimit=0), ms(60))
    mine = run.slices[run.slices["vm"] == "io"][["start", "end"]].to_numpy().tolist()
    assert mine == [[ms(1), us(1400)], [ms(4), us(4400)], [us(34_400), us(34_900)]]


def test_no_budget_at_all_is_no_boost():
    events = rv.simulate(crowd(2), rv.Credit(boost_budget=0), s(1)).events
    assert "boost" not in set(events["event"])


def test_a_large_budget_changes_nothing():
    """Nobody runs that long in a window: the same run, event for event."""
    system = crowd(3)
    ours, theirs = (rv.simulate(system, scheduler, s(1)) for scheduler in (rv.Credit(), rv.Credit(boost_budget=s(1), boost_period=s(1))))
    assert ours.events.equals(theirs.events) and ours.jobs.equals(theirs.jobs)


@pytest.mark.parametrize("fields, said", [({"boost_budget": ms(11)}, "no longer than boost_period"), ({"boost_budget": 1.5}, "integer"),
                                          ({"boost_budget": ms(1), "xen": "3.1"}, "modern"), ({"boost_period": 1}, "10 us")])
def test_budgets_that_make_no_sense_are_refused(fields, said):
    with pytest.raises(rv.SpecError, match=said):
        rv.Credit(**fields)
