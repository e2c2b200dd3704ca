"""Servers, worked by hand; a test's name begins with its rule in docs/servers.md. In the manner of Buttazzo's chapters 5 and 6; times in ms."""

from __future__ import annotations

import pytest

import rtvirt as rv
from golden.scenes import simulate, trace
from golden.test_rtds import events, server, with_idle
from rtvirt.units import ms

ALL = [rv.PollingServers(), rv.PeriodicServers(), rv.DeferrableServers(), rv.SporadicServers()]


def served(name: str, period: float, budget: float, *requests: tuple[float, float], **vm) -> rv.VM:
    """A server, and what it is asked for: (when, how much)."""
    job = rv.Task("job", releases=[ms(at) for at, _ in requests], wcet=[ms(work) for _, work in requests])
    return server(name, period, budget, tasks=[job], **vm)


def periodic(name: str, period: float, budget: float) -> rv.VM:
    """A server, and the periodic task for which it was made."""
    return server(name, period, budget, tasks=[rv.Task("job", wcet=ms(budget), period=ms(period))])


def rest(name: str = "L") -> rv.VM:
    """Takes what nobody wants: a hog without a budget."""
    return rv.VM(name, tasks=[rv.hog()])


def textbook() -> list[rv.VM]:
    """Two periodic tasks, rate monotonic, and between them a server (5, 2) with three requests."""
    return [periodic("T1", 4, 1), periodic("T2", 6, 2), served("S", 5, 2, (2, 2), (8, 1), (12, 2))]


# ------------------------------------------------------------------ one request pattern, four servers


def test_S2_a_polling_server_answers_at_its_next_period():
    run = simulate(textbook(), rv.PollingServers(), 20)
    assert with_idle(run) == ("0 T1, 1 T2, 3 idle, 4 T1, 5 S, 7 T2, 8 T1, 9 T2, 10 S, 11 idle, 12 T1, 13 T2, 15 S, 16 T1, 17 S, 18 T2")
    assert events(run, "S", "deplete") == [(7, 0), (11, 0), (18, 0)]              # at 11 it gives up 1 ms


def test_S4_a_deferrable_server_answers_at_once():
    run = simulate(textbook(), rv.DeferrableServers(), 20)
    assert with_idle(run) == "0 T1, 1 T2, 2 S, 4 T1, 5 T2, 8 T1, 9 S, 10 idle, 12 T1, 13 S, 15 T2, 16 T1, 17 T2"


def test_S3_a_periodic_server_idles_its_budget_away():
    run = simulate(textbook(), rv.PeriodicServers(), 20)
    # idle in [1, 2), [6, 7) and [11, 12), while T2 has something to run
    assert with_idle(run) == ("0 T1, 1 idle, 2 S, 3 T2, 4 T1, 5 S, 6 idle, 7 T2, 8 T1, 9 T2, 10 S, 11 idle, 12 T1, 13 T2, 15 S, 16 T1, 17 S, "
                              "18 T2")


def test_S5_a_sporadic_server_answers_at_once_and_waits_a_period():
    run = simulate(textbook(), rv.SporadicServers(), 20)
    # used from 2 on: back at 7. The request at 8 takes 1 ms (T1 goes first): back at 13, just in time for the request at 12, which has the other
    assert with_idle(run) == "0 T1, 1 T2, 2 S, 4 T1, 5 T2, 8 T1, 9 S, 10 idle, 12 T1, 13 S, 15 T2, 16 T1, 17 T2"
    assert events(run, "S", "replenish") == [(0, ms(2)), (7, ms(2)), (17, ms(1))]


@pytest.mark.parametrize(("scheduler", "expected"), list(zip(ALL, [
    "0 L, 5 S, 7 L, 10 S, 12 L", "0 idle, 2 L, 5 S, 7 L, 10 S, 12 L, 15 idle, 17 L", "0 L, 3 S, 7 L", "0 L, 3 S, 5 L, 8 S, 10 L"], strict=True)))
def test_S2_S3_S4_S5_two_budgets_wanted_late_in_a_period(scheduler, expected):
    """Only the deferrable server takes 2Q in a row from the less important."""
    assert with_idle(simulate([served("S", 5, 2, (3, 4)), rest()], scheduler, 19)) == expected


# ------------------------------------------------------------------ polling, periodic


def test_S2_2_work_that_comes_with_the_period_is_found_and_later_work_is_not():
    assert with_idle(simulate([served("S", 10, 4, (0, 1), (10, 1), (10.5, 1), (12.5, 1))], rv.PollingServers(), 30)) == \
        "0 S, 1 idle, 10 S, 12 idle, 20 S, 21 idle"


def test_S3_2_an_idling_server_is_preempted_by_the_more_important_only():
    vms = [served("S", 20, 6, (5, 1), priority=2), served("H", 10, 2, (1, 1), priority=1), served("B", 8, 2, (0, 5), priority=3)]
    # H idles and works in [0, 2) and idles in [10, 12); S in [2, 8), with work at 5; then B
    assert with_idle(simulate(vms, rv.PeriodicServers(), 20)) == "0 idle, 1 H, 2 idle, 5 S, 6 idle, 8 B, 10 idle, 16 B, 18 idle"


# ------------------------------------------------------------------ sporadic


def test_S5_3_the_budget_comes_back_in_the_pieces_in_which_it_was_used():
    run = simulate([served("S", 10, 3, (1, 1), (4, 2), (10, 3)), rest()], rv.SporadicServers(), 30)
    assert trace(run) == "0 L, 1 S, 2 L, 4 S, 6 L, 11 S, 12 L, 14 S, 16 L"
    assert events(run, "S", "replenish") == [(0, ms(3)), (11, ms(1)), (14, ms(2)), (21, ms(1))]


def test_S5_3_a_piece_counts_from_when_it_could_first_be_used():
    vms = [served("H", 20, 4, (0, 4), priority=1), served("S", 10, 2, (1, 2), (7, 2), priority=2)]
    assert with_idle(simulate(vms, rv.SporadicServers(), 20)) == "0 H, 4 S, 6 idle, 11 S, 13 idle"        # 1 + 10, not 4 + 10


def test_S5_3_no_premature_replenishment():
    """Active from 8 to 12 with two pieces: the second was there from 10 only, so it is not back at 18 (POSIX: all of it)."""
    run = simulate([served("S", 10, 4, (0, 2), (8, 4), (15, 4))], rv.SporadicServers(), 40)
    assert with_idle(run) == "0 S, 2 idle, 8 S, 12 idle, 18 S, 22 idle"
    assert events(run, "S", "replenish") == [(0, ms(4)), (18, ms(2)), (28, ms(2))]      # the other comes at 20, when the first is used up
    assert [at for at, _ in events(run, "S", "deplete")] == [10, 12, 20, 22]


def test_S5_5_too_few_places_delay_what_is_left():
    pattern = (1, 1), (3, 2)
    assert with_idle(simulate([served("S", 10, 3, *pattern)], rv.SporadicServers(pieces=1), 20)) == "0 idle, 1 S, 2 idle, 11 S, 13 idle"
    assert with_idle(simulate([served("S", 10, 3, *pattern)], rv.SporadicServers(pieces=2), 20)) == "0 idle, 1 S, 2 idle, 3 S, 5 idle"


# ------------------------------------------------------------------ CBS


def test_S6_3_an_overrun_hurts_only_who_overruns():
    vms = [periodic("A", 6, 3), served("B", 4, 2, (0, 5))]
    run = simulate(vms, rv.CBS(), 12)
    assert with_idle(run) == "0 B, 2 A, 5 B, 8 A, 11 idle"                        # B's deadlines 4, 8, 12: at 7 it ties with A, and goes first
    assert not run.jobs[run.jobs["vm"] == "A"]["missed"].any()
    assert events(run, "B", "replenish") == [(0, ms(2)), (2, ms(2)), (7, ms(2))]


@pytest.mark.parametrize(("wakes", "fresh"), [(2, False), (2.4, False), (2.5, True), (3, True)])
def test_S6_2_the_wake_rule(wakes, fresh):
    """Q = 4, P = 10; 1 used, 3 left, deadline 10: at r, 3 against 0.4 (10 - r); equal at 2.5."""
    run = simulate([served("S", 10, 4, (0, 1), (wakes, 1))], rv.CBS(), 20)
    assert events(run, "S", "replenish") == [(0, ms(4))] + [(wakes, ms(4))] * fresh


def test_S6_3_deadline_aging():
    """A uses 10 ms alone, five budgets: its deadline is 30. B, from 10 on, has 15, 20, 25 before they are even."""
    vms = [server("A", 5, 2, tasks=[rv.hog()]), server("B", 5, 2, tasks=[rv.hog()], start=ms(10))]
    assert trace(simulate(vms, rv.CBS(), 24)) == "0 A, 10 B, 16 A, 18 B, 20 A, 22 B"


def test_S6_4_a_hard_server_waits():
    assert with_idle(simulate([server("S", 5, 2, tasks=[rv.hog()])], rv.CBS(hard=True), 14)) == "0 S, 2 idle, 5 S, 7 idle, 10 S, 12 idle"
    vms = [server("A", 5, 2, tasks=[rv.hog()]), server("B", 5, 2, tasks=[rv.hog()], start=ms(10))]
    assert with_idle(simulate(vms, rv.CBS(hard=True), 24)) == "0 A, 2 idle, 5 A, 7 idle, 10 A, 12 B, 14 idle, 15 A, 17 B, 19 idle, 20 A, 22 B"


# ------------------------------------------------------------------ what all have in common


def test_S1_2_equal_deadlines_are_decided_by_rank():
    vms = [server("A", 5, 2, tasks=[rv.hog()]), server("B", 10, 5, tasks=[rv.hog()])]
    for scheduler in (rv.DeferrableServers("edf"), rv.PollingServers("edf"), rv.PeriodicServers("edf"), rv.SporadicServers("edf"), rv.CBS(hard=True)):
        assert with_idle(simulate(vms, scheduler, 20)) == "0 A, 2 B, 5 A, 7 B, 9 idle, 10 A, 12 B, 15 A, 17 B, 19 idle", scheduler


@pytest.mark.parametrize("scheduler", [*ALL, rv.CBS(hard=True)])
def test_S1_1_S1_2_background_comes_last_in_order(scheduler):
    vms = [rest("L"), rest("M"), server("S", 5, 2, tasks=[rv.hog()]), rv.VM("N", tasks=[rv.Task("t", wcet=ms(1), period=ms(4))], priority=7)]
    assert with_idle(simulate(vms, scheduler, 10)) == "0 S, 2 N, 3 L, 4 N, 5 S, 7 L, 8 N, 9 L"            # a priority goes before none


def test_S1_4_global_and_partitioned():
    """Dhall's effect: two light servers with short periods keep both pCPUs from a heavy one for a moment; pinned, all fit."""
    def vms(**where):
        return [server(name, period, budget, tasks=[rv.hog()], affinity=where.get(name)) for name, period, budget in
                [("a", 10, 2), ("b", 10, 2), ("c", 11, 10)]]

    run = simulate(vms(), rv.DeferrableServers(), 11, cpus=2)
    assert (trace(run, cpu=0), trace(run, cpu=1)) == ("0 a, 2 c, 10 a", "0 b, 10 b")                     # c: 8 of its 10
    run = simulate(vms(a=[0], b=[0], c=[1]), rv.DeferrableServers(), 11, cpus=2)
    assert (with_idle(run, 0), with_idle(run, 1)) == ("0 a, 2 b, 4 idle, 10 a", "0 c, 10 idle")


def test_S1_8_a_restart_begins_anew():
    vms = [server("A", 10, 4, tasks=[rv.hog()])]
    changes = [rv.Change(ms(2), "A", state="crash"), rv.Change(ms(3), "A", state="restart"), rv.Change(ms(15), "A", state="pause"),
               rv.Change(ms(18), "A", state="resume")]
    then = ["23 A, 24 idle", "23 A, 24 idle", "18 A, 20 idle, 23 A, 24 idle", "18 A, 20 idle, 23 A, 24 idle",
            "18 A, 22 idle"]                             # 2 left at 18, and a deadline at 23: the same bandwidth, so it starts afresh
    for scheduler, expected in zip([*ALL, rv.CBS(hard=True)], then, strict=True):
        run = rv.simulate(rv.System(vms=vms, changes=[*changes, rv.Change(ms(24), "A", state="pause")]), scheduler, ms(26)).check()
        assert with_idle(run) == "0 A, 2 idle, 3 A, 7 idle, 13 A, 15 idle, " + expected, scheduler
