"""Deadline monotonic and CBS guests, worked by hand (docs/servers.md S7); times in ms."""

from __future__ import annotations

import pytest

import rtvirt as rv
from rtvirt.units import ms, s


def order(tasks: list[rv.Task], guest: str, duration: float) -> list[tuple[str, float, float]]:
    """(task, start, finish) of the jobs on a pCPU of their own."""
    run = rv.simulate(rv.System(vms=[rv.VM("g", tasks=tasks, guest=guest)]), rv.Null(), ms(duration)).check()
    return [(row.task, row.start / 1e6, row.finish / 1e6) for row in run.jobs.sort_values(["release", "start"]).itertuples()]


def served(name: str, budget: float, period: float, *requests: tuple[float, float]) -> rv.Task:
    """A task with a server: (when, how much)."""
    return rv.Task(name, releases=[ms(at) for at, _ in requests], wcet=[ms(work) for _, work in requests], budget=ms(budget),
                   server_period=ms(period))


def test_dm_looks_at_deadlines_only():
    tasks = [rv.Task("long", wcet=ms(2), period=ms(10), deadline=ms(8), priority=1),
             rv.Task("short", wcet=ms(3), period=ms(20), deadline=ms(6), priority=2), rv.hog()]
    assert order(tasks, "fp", 10) == [("long", 0, 2), ("short", 2, 5), ("hog", 5, -1e-6)]
    assert order(tasks, "dm", 10) == [("short", 0, 3), ("long", 3, 5), ("hog", 5, -1e-6)]


def test_S7_an_overrun_is_postponed_and_others_are_not_hurt():
    hard = rv.Task("hard", wcet=ms(3), period=ms(6))
    soft = served("soft", 2, 4, (0, 5))
    assert order([hard, soft], "edf", 12) == [("hard", 0, 3), ("soft", 3, 11), ("hard", 6, 9)]       # no deadline: in the background
    # deadlines of soft: 4, then 8, then 12: a tie with the second job of `hard`, which is the first in order
    assert order([hard, soft], "cbs", 12) == [("soft", 0, 11), ("hard", 2, 5), ("hard", 7, 10)]
    assert order([soft, hard], "cbs", 12) == [("soft", 0, 8), ("hard", 2, 5), ("hard", 8, 11)]


@pytest.mark.parametrize(("wakes", "first"), [(2, "soft"), (2.5, "hard"), (3, "hard")])
def test_S7_2_the_wake_rule(wakes, first):
    """3 of 4 left, deadline 10: kept at 2, and so before `hard` at 12.2; from 2.5 on afresh, a deadline of 12.5 or 13."""
    soft = served("soft", 4, 10, (0, 1), (wakes, 1))
    hard = rv.Task("hard", releases=[ms(wakes)], wcet=ms(1), deadline=ms(12.2 - wakes))
    jobs = order([hard, soft], "cbs", 20)
    assert min(jobs[1:], key=lambda job: job[1])[0] == first


def test_S7_2_pending_jobs_go_on_with_the_server_as_it_is():
    """Back to back, 4 jobs of 1 in a server (2, 10): the deadline is 20 from the third on, not 12."""
    soft, hard = served("soft", 2, 10, (0, 1), (0, 1), (0, 1), (0, 1)), rv.Task("hard", releases=[ms(1)], wcet=ms(2), deadline=ms(14))
    assert order([soft, hard], "cbs", 20) == [("soft", 0, 1), ("soft", 1, 2), ("soft", 4, 5), ("soft", 5, 6), ("hard", 2, 4)]


def test_S7_2_after_a_long_sleep_times_still_fit():
    """47 s late and a budget of 2 s: their product would not fit into 64 bits."""
    soft = rv.Task("soft", releases=[0, s(50)], wcet=[s(1), s(1)], budget=s(2), server_period=s(3))
    hard = rv.Task("hard", releases=[s(50)], wcet=s(1), deadline=s(2))
    run = rv.simulate(rv.System(vms=[rv.VM("g", tasks=[soft, hard], guest="cbs")]), rv.Null(), s(60)).check()
    assert run.jobs[["task", "start"]].values.tolist() == [["soft", 0], ["hard", s(50)], ["soft", s(51)]]


def test_a_served_hog_takes_its_share_beside_a_busy_task():
    greedy = rv.Task("greedy", wcet="forever", budget=ms(1), server_period=ms(4))
    busy = rv.Task("busy", wcet=ms(15), period=ms(20))
    run = rv.simulate(rv.System(vms=[rv.VM("g", tasks=[greedy, busy], guest="cbs")]), rv.Null(), ms(400)).check()
    jobs = run.jobs[run.jobs["task"] == "busy"]
    assert not jobs["missed"].any() and (jobs["response"] > ms(15)).all()


@pytest.mark.parametrize(("fields", "words"), [
    (dict(budget=ms(1)), ["server_period", "with a budget and no period"]),
    (dict(server_period=ms(1)), ["server_period", "only with a budget"]),
    (dict(budget=ms(3), server_period=ms(2)), ["budget", "at most the period of the server"]),
    (dict(budget=ms(3), server_period=s(4)), ["server_period", "3 s"]),
    (dict(budget=0, server_period=s(4)), ["budget", "1 ns"]),
])
def test_servers_of_tasks_that_make_no_sense(fields, words):
    with pytest.raises(rv.SpecError) as caught:
        rv.Task("t", releases=[0], wcet=1, **fields)
    assert all(word in str(caught.value) for word in words)


def test_files_keep_servers(tmp_path):
    task = rv.Task("t", wcet=ms(1), period=ms(5), arrival="poisson", budget=ms(2))
    other = served("s", 2, 5, (1, 2))
    system = rv.System(vms=[rv.VM("a", tasks=[task], guest="cbs"), rv.VM("b", guest="dm"), rv.VM("c", tasks=[other], guest="cbs")])
    system.save(tmp_path / "s.yaml")
    assert rv.System.load(tmp_path / "s.yaml") == system
