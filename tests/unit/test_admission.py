"""Admission: promises worked out by hand, refusals that say why, and what may not be asked."""

from __future__ import annotations

import json

import pytest

import rtvirt as rv
from rtvirt import checker
from rtvirt.analysis import Dedicated, DeferrableServer, PollingServer, SlotTable
from rtvirt.analysis.admission.budgets import Server, longest_wait, response_wait, since_idle
from rtvirt.analysis.admission.global_priority import backlog, busy_period
from rtvirt.analysis.admission.roaming import unused_budget
from rtvirt.units import ms, us


def vm(name, budget=None, period=None, *, wcet=1_000_000, every=40_000_000, **fields):
    """A VM with one task."""
    return rv.VM(name, tasks=[rv.Task("t", wcet=wcet, period=every)], budget=budget, period=period, **fields)


def hog(name, budget=None, period=None, **fields):
    """A VM that always computes."""
    return rv.VM(name, tasks=[rv.hog()], budget=budget, period=period, **fields)


def admitted(vms, scheduler, **fields):
    """The verdict on a system of these VMs."""
    return rv.admit(rv.System(vms=vms, **fields), scheduler)


# ------------------------------------------------------------------ the arithmetic of budgets


def test_uses_by_hand():
    two = Server(2, 5)
    assert [two.late(y) for y in (0, 1, 2, 4, 5, 6, 7, 10)] == [0, 1, 2, 2, 2, 3, 4, 4]
    assert [two.anywhere(y) for y in (1, 2, 3, 4, 6, 7, 8)] == [1, 2, 3, 4, 4, 4, 5]
    assert [two.jobs(y) for y in (0, 1, 5, 6)] == [0, 2, 2, 4]
    assert [two.asks(y) for y in (4, 5, 6)] == [2, 2, 3] and [Server(2, 5, True).asks(y) for y in (4, 5, 6)] == [0, 2, 2]


def test_waits_by_hand():
    assert longest_wait([4, 3], 1) == 7 and longest_wait([4, 3], 2) == 3 and longest_wait([9, 1], 2) == 1 and longest_wait([], 1) == 0
    assert response_wait(Server(1, 10), [Server(2, 5), Server(1, 4)], Server.jobs, 1) == 3        # 1 + 2 + 1 = 4, no later release within it
    assert response_wait(Server(2, 10), [Server(2, 5), Server(1, 4)], Server.jobs, 1) == 6        # 8: two of each
    # the hog's deadline at 10 comes with that of 8: 2 + 6 of the 10 until then
    assert since_idle(Server(1, 4), [Server(6, 10, True)]) == 2 and since_idle(Server(3, 4), [Server(6, 10, True)]) is None


# ------------------------------------------------------------------ what schedulers promise


def test_utilization_is_not_enough_under_rtds():
    """5 in 10 that is saved up until its deadline leaves nothing of a period of 5 that ends with it (ties: docs/xen-rules.md 6.2.5)."""
    verdict = admitted([vm("A", ms(2), ms(5)), vm("B", ms(5), ms(10))], rv.RTDS())
    assert verdict.supplies["A/0"] is None and "lower their budgets, or give all the same period" in verdict.why()
    assert verdict.supplies["B/0"] == DeferrableServer(ms(10), ms(5), response=ms(9))
    saved_up = rv.VM("B", tasks=[rv.Task("t", releases=[us(4999)], wcet=ms(5))], budget=ms(5), period=ms(10))
    shown = rv.simulate(rv.System(vms=[hog("A", ms(2), ms(5)), saved_up]), rv.RTDS(), ms(20))
    second = shown.slices[(shown.slices.vm == "A") & (shown.slices.start >= ms(5)) & (shown.slices.end <= ms(10))]
    assert (second.end - second.start).sum() < us(10)                       # A got next to nothing in its second period


def test_equal_periods_are_as_good_as_it_gets():
    verdict = admitted([vm("A", ms(2), ms(5)), vm("B", ms(3), ms(5))], rv.RTDS())
    assert verdict.supplies == {"A/0": DeferrableServer(ms(5), ms(2), response=ms(5)), "B/0": DeferrableServer(ms(5), ms(3), response=ms(5))}
    assert verdict.bounds == {"A/t": ms(7), "B/t": ms(5)}                   # blackouts of 2(P − Q), and the task


def test_a_hog_saves_nothing_up():
    assert admitted([vm("A", ms(1), ms(4)), hog("B", ms(6), ms(10))], rv.RTDS()).supplies["A/0"] == DeferrableServer(ms(4), ms(1), response=ms(3))
    late = admitted([vm("A", ms(1), ms(4)), hog("B", ms(6), ms(10), start=ms(1))], rv.RTDS())       # its first period has been saved up
    assert late.supplies["A/0"] is None


def test_global_and_partitioned_rtds():
    three = [vm(name, ms(5), ms(10)) for name in "ABC"]
    assert admitted(three, rv.RTDS(), cpus=2).supplies["C/0"] == DeferrableServer(ms(10), ms(5), response=ms(10))
    assert admitted([*three, vm("D", ms(6), ms(10))], rv.RTDS(), cpus=2).supplies["A/0"] is None
    pinned = [one.replace(affinity=[k % 2]) for k, one in enumerate(three)]
    assert admitted(pinned, rv.RTDS(), cpus=2).supplies["B/0"] == DeferrableServer(ms(10), ms(5), response=ms(5))
    assert "overlaps" in admitted([three[0].replace(affinity=[0]), *three[1:]], rv.RTDS(), cpus=2).why()


def test_servers_under_fixed_priorities_by_hand():
    vms = [vm("A", ms(2), ms(5), priority=1), vm("B", ms(2), ms(10), priority=2)]
    assert admitted(vms, rv.PollingServers()).supplies["B/0"] == PollingServer(ms(10), ms(2), response=ms(4))
    kept = admitted(vms, rv.DeferrableServers()).supplies["B/0"]             # A's budget twice, back to back
    assert (kept.period, kept.budget, kept.response) == (ms(10), ms(2), ms(6))
    idle = [rv.VM("A", budget=ms(2), period=ms(5), priority=1), vms[1]]      # nothing to run, and yet it takes its turn
    assert admitted(idle, rv.PeriodicServers()).supplies["B/0"].response == ms(4)
    assert admitted(idle, rv.DeferrableServers()).supplies["B/0"].response == ms(2)
    assert "no budget" in admitted([vm("A")], rv.PollingServers()).why()


def test_constant_bandwidth_servers_by_hand():
    vms = [vm("A", ms(2), ms(5)), vm("B", ms(6), ms(10))]
    hard = admitted(vms, rv.CBS(hard=True)).supplies
    assert hard["A/0"].response == ms(5) and hard["B/0"].response == ms(10)  # U = 1: to the deadline
    assert "aging" in admitted(vms, rv.CBS()).why()
    assert admitted([vms[0], vm("B", ms(7), ms(10))], rv.CBS(hard=True)).supplies["A/0"] is None


def test_sedf_by_hand():
    vms = [vm("A", ms(2), ms(10)), vm("B", ms(3), ms(10))]
    assert admitted(vms, rv.SEDF()).supplies["A/0"] == PollingServer(ms(10), ms(2), response=ms(5))
    assert "no budget" in admitted([vm("A")], rv.SEDF()).why()               # extra time alone (4.2.3)
    assert admitted([vm("dom0", control=True)], rv.SEDF()).supplies["dom0/0"] == PollingServer(ms(20), ms(15), response=ms(15))


def test_tables_by_hand():
    table = rv.ARINC653([("A", 0, ms(2)), (None, 0, ms(1)), ("A", 0, ms(1))], major_frame=ms(10))
    verdict = admitted([vm("A"), vm("B")], table)
    assert verdict.supplies["A/0"] == SlotTable([(0, ms(2)), (ms(3), ms(1))], ms(10)) and verdict.bounds["A/t"] == ms(7)
    assert verdict.late == ("B/t",) and "never runs" in verdict.why()
    assert "each table" in admitted([vm("A")], rv.ARINC653([("A", 0, ms(2))], later=[(ms(5), table)])).why()


def test_plain_schedulers_by_hand():
    three = [vm("A", wcet=ms(2), every=ms(10)), vm("B", wcet=ms(3), every=ms(20)), vm("C", every=ms(50))]
    assert admitted(three, rv.FixedPriority()).bounds == {"A/t": ms(2), "B/t": ms(5), "C/t": ms(6)}
    assert admitted(three, rv.FixedPriority(), cpus=2).supplies["B/0"] == Dedicated()
    assert admitted(three, rv.RoundRobin(quantum=ms(1))).bounds["B/t"] == ms(9)
    assert admitted(three, rv.Null(), cpus=2).late == ("C/t",) and "7.2.1" in admitted(three, rv.Null(), cpus=2).why()
    assert "any amount" in admitted([hog("H", priority=1), vm("A")], rv.FixedPriority()).why()


def test_what_more_important_vcpus_leave_of_several_pcpus():
    """C waits while A and B both run: at most (3 that one of them carried in, and 2 and 3 that come) / 2; or 6 of B's, if A always ran."""
    three = [vm("A", wcet=ms(2), every=ms(10)), vm("B", wcet=ms(3), every=ms(20)), vm("C", every=ms(50))]
    verdict = admitted(three, rv.FixedPriority(), cpus=2)
    assert verdict.bounds == {"A/t": ms(2), "B/t": ms(3), "C/t": ms(5)} and verdict.vcpus[2].name == "C/0"
    assert verdict.promises[2].evidence == {"rule": "left", "cpus": 2, "higher": [
        [us(1500), 2**62, 0], [ms(1), ms(10), 0], [us(1500), ms(20), 0]]}
    beside_a_hog = [hog("H", priority=1), vm("B", wcet=ms(3), every=ms(20), priority=2), vm("C", every=ms(50), priority=3)]
    assert admitted(beside_a_hog, rv.FixedPriority(), cpus=2).bounds["C/t"] == ms(4)                # one pCPU is left, and nobody carries work in
    two_hogs = [hog("H", priority=1), hog("I", priority=1), vm("C", every=ms(50), priority=3)]
    assert "may always have work" in admitted(two_hogs, rv.FixedPriority(), cpus=2).why()
    assert admitted(two_hogs, rv.FixedPriority(), cpus=3).supplies["C/0"] == Dedicated()


def test_backlogs_by_hand():
    """Two jobs of 2 at once on a pCPU: 3 are left after a unit; asleep for 3 of 8, it is there for the second of the two."""
    two = [rv.Task("a", wcet=2, period=6), rv.Task("b", wcet=2, period=8)]
    assert backlog(two, Dedicated()) == 3 and busy_period(two, Dedicated()) == 4
    assert backlog(two[:1], PollingServer(8, 4, response=4)) == 4 and backlog(two[:1], PollingServer(8, 2)) is None


@pytest.mark.parametrize("scheduler", [rv.Credit(), rv.Credit(xen="3.1"), rv.Credit2(), rv.BVT()], ids=repr)
def test_shares_are_no_use_to_those_in_a_hurry(scheduler):
    assert admitted([vm("A")], scheduler).supplies["A/0"] == Dedicated()
    verdict = admitted([vm("A", every=ms(10)), hog("B")], scheduler)
    assert not verdict and verdict.why() and (verdict.supplies["A/0"] is None) == isinstance(scheduler, rv.Credit | type(rv.Credit(xen="3.1")))


@pytest.mark.parametrize("scheduler, bound", [(rv.Credit2(), ms(25) + us(500) + 4), (rv.BVT(), ms(57)), (rv.BVT(units="intended"), ms(62))], ids=repr)
def test_shares_that_are_late_but_sure(scheduler, bound):
    verdict = admitted([vm("A", every=ms(70)), hog("B")], scheduler)
    assert verdict and bound <= verdict.bounds["A/t"] <= bound + us(200) and "docs/shares.md" in verdict.why()
    found = json.loads(json.dumps(verdict.certificate()))
    assert checker.check(found)
    promise = found["vcpus"][0]["promise"]
    promise["lag"] += ms(40)
    with pytest.raises(checker.Wrong):
        checker.check(found)


# ------------------------------------------------------------------ guests


def test_guests_by_hand():
    tasks = [rv.Task("a", wcet=ms(1), period=ms(5), priority=2), rv.Task("b", wcet=ms(2), period=ms(10), priority=1)]
    found = {guest: admitted([rv.VM("g", tasks=tasks, guest=guest, quantum=ms(1))], rv.Null()).bounds
             for guest in ("fp", "dm", "edf", "cbs", "fifo", "rr")}
    assert found["fp"] == {"g/a": ms(3), "g/b": ms(2)} and found["dm"] == {"g/a": ms(1), "g/b": ms(3)}
    assert found["edf"] == found["cbs"] == {"g/a": ms(1), "g/b": ms(3)}
    assert found["fifo"] == {"g/a": ms(3), "g/b": ms(3)} and found["rr"] == {"g/a": ms(2), "g/b": ms(4)}
    served = [tasks[0], tasks[1].replace(budget=ms(1), server_period=ms(5))]
    assert "server of their own" in admitted([rv.VM("g", tasks=served, guest="cbs")], rv.Null()).why()


def test_hogs_and_best_effort_never_constrain_admission():
    everything = [rv.Task("t", wcet=ms(1), period=ms(10)), rv.Task("mail", wcet=ms(9), period=ms(9), arrival="poisson"), rv.hog()]
    assert admitted([rv.VM("g", tasks=everything)], rv.Null()).bounds == {"g/t": ms(1), "g/mail": None, "g/hog": None}
    assert admitted([hog("H")], rv.Credit()).why() == "no task has a deadline"
    assert "'mail'" in admitted([rv.VM("g", tasks=everything, guest="fifo")], rv.Null()).why()        # first come, first served: it constrains


def test_guests_that_move_tasks():
    tasks = [rv.Task(name, wcet=ms(4), period=ms(10)) for name in "abc"]
    wide = rv.VM("g", tasks=tasks, vcpus=2)
    assert admitted([wide], rv.Null(), cpus=2).bounds["g/c"] == ms(8) and "pin" in admitted([wide], rv.RTDS(), cpus=2).why()
    pinned = rv.VM("g", tasks=[task.replace(vcpu=k % 2) for k, task in enumerate(tasks)], vcpus=2)
    assert admitted([pinned], rv.Null(), cpus=2).bounds == {"g/a": ms(4), "g/b": ms(4), "g/c": ms(8)}


def test_deadlines_beyond_periods_of_a_guest_that_moves_tasks():
    """Only densities are known to cover them, 0.5 + 0.2 <= 2 - 0.5: bounds are the deadlines."""
    late = [rv.Task("a", wcet=ms(5), period=ms(10), deadline=ms(15)), rv.Task("b", wcet=ms(2), period=ms(10))]
    verdict = rv.admit(rv.System(cpus=2, vms=[rv.VM("g", tasks=late, vcpus=2, guest="edf")]), rv.Null())
    assert verdict and verdict.bounds == {"g/a": ms(15), "g/b": ms(10)}
    heavy = [task.replace(wcet=ms(9)) for task in late] + [rv.Task("c", wcet=ms(1), period=ms(10))]
    refusal = rv.admit(rv.System(cpus=2, vms=[rv.VM("g", tasks=heavy, vcpus=2, guest="edf")]), rv.Null())
    assert not refusal and "densities sum up to 1.9" in refusal.why()


def test_turns_that_are_too_long_are_no_overload():
    vm = rv.VM("g", guest="rr", tasks=[rv.Task(name, wcet=ms(1), period=ms(20)) for name in "abc"])
    assert "Shorten the quantum" in rv.admit(rv.System(vms=[vm]), rv.Null()).why()          # 1 + 2 · 10 > 20
    assert set(rv.admit(rv.System(vms=[vm.replace(quantum=ms(1))]), rv.Null()).bounds.values()) == {ms(3)}


def test_a_budget_beside_does_not_help():
    """The job is late although its VM has 4 ms in each 10, and needs 3: refused, and with reason."""
    system, scheduler = unused_budget()
    job = rv.simulate(system, scheduler, ms(20)).jobs.iloc[0]
    assert job.missed and job.response == ms(11) and "unused_budget" in rv.admit(system, scheduler).why()


def test_sedf_with_overheads_by_hand():
    """A switch of 10 us: 20 us are overrun, taken from one's own slice, added to the others', and waited for at the beginning."""
    vms, free = [vm("A", ms(2), ms(10)), vm("B", ms(3), ms(10))], rv.Costs()
    plain, dear = (rv.admit(rv.System(vms=vms, costs=costs), rv.SEDF()) for costs in (free, rv.Costs(switch_in=us(10))))
    assert plain.promises[0].evidence["own"][0] == ms(2) and dear.promises[0].evidence["own"][0] == ms(2) - us(20)
    assert dear.promises[0].evidence["rivals"][0][0] == ms(3) + us(20) and dear and dear.bounds["A/t"] > plain.bounds["A/t"]


def test_blocking_and_overheads():
    one = rv.VM("g", tasks=[rv.Task("a", wcet=ms(1), period=ms(5)), rv.Task("b", wcet=ms(1), period=ms(9))])
    system = rv.System(vms=[one])
    assert rv.admit(system, rv.Null(), blocking={"g/a": ms(1)}).bounds["g/a"] == ms(2)
    assert rv.admit(system, rv.Null(), overheads=rv.analysis.Overheads(guest_switch=us(10))).bounds["g/a"] == us(1020)
    dear = rv.admit(system.replace(costs="traced-xen"), rv.Null())
    assert dear.admitted and dear.bounds["g/a"] > ms(1)
    flood = system.with_vm(rv.VM("m", tasks=[rv.Task("mail", wcet=1, period=ms(9), arrival="poisson")])).replace(costs="traced-xen", cpus=2)
    assert "no bound on how often 'm/mail'" in rv.admit(flood, rv.Null()).why()


# ------------------------------------------------------------------ a VM at run time; what may not be asked


def test_a_new_vm_must_not_break_promises_that_were_given():
    system = rv.System(vms=[vm("A", ms(2), ms(5), every=ms(10))])
    assert rv.admit(system, rv.RTDS(), new=vm("B", ms(3), ms(5)))
    verdict = rv.admit(system, rv.RTDS(), new=vm("B", ms(4), ms(5)))
    assert verdict.late == ("A/t", "B/t") and "run already would lose their guarantee: A/t" in verdict.why()


@pytest.mark.parametrize(("fields", "field"), [
    ({"system": "phone"}, "system"), ({"new": "B"}, "new"), ({"new": vm("A")}, "new"), ({"blocking": {"A/u": 1}}, "blocking[A/u]"),
    ({"scheduler": 5}, "scheduler"), ({"scheduler": rv.Null}, "scheduler"), ({"overheads": 3}, "overheads"),
    ({"system": rv.System(vms=[vm("A")], changes=[rv.Change(5, "A", weight=3)])}, "changes[0]")])
def test_refusals_name_the_field(fields, field):
    given = {"system": rv.System(vms=[vm("A")]), "scheduler": rv.Null()} | fields
    with pytest.raises(rv.SpecError) as caught:
        rv.admit(given.pop("system"), given.pop("scheduler"), **given)
    assert caught.value.problems[0].field == field


def test_pictures_say_why():
    phone = rv.System(vms=[vm("A", ms(1), ms(4), every=ms(5)), hog("B", ms(6), ms(10))])
    for guest in ("fp", "dm", "edf", "cbs", "fifo", "rr"):
        ax = rv.plots.why(rv.admit(phone.with_vm(phone["A"].replace(guest=guest)), rv.RTDS()))
        assert ax.get_title(loc="left") == "A/t under RTDS: refused" and ax.lines
    assert "accounting" in rv.plots.why(rv.admit(phone, rv.Credit())).texts[0].get_text()
    assert rv.plots.why(rv.admit(phone, rv.FixedPriority()), task="A/t").get_title(loc="left").endswith("admitted")
    with pytest.raises(rv.SpecError):
        rv.plots.why(rv.admit(phone, rv.RTDS()), task="B/hog")


def test_an_attack_is_told_in_a_line():
    vm = rv.VM("v", tasks=[rv.Task("t", wcet=ms(1), period=ms(10))])
    told = repr(rv.analysis.attack(rv.System(vms=[vm]), rv.Null(), runs=2))
    assert told.startswith("<Attack: no bound broken in 2 runs, ") and told.endswith("worst response of its bound: v/t 1 ms of 1 ms>")


def test_attack_counts_what_is_not_done():
    """A job that is never done is as old as the run is long: a bound that says otherwise is broken."""
    verdict = rv.admit(rv.System(vms=[vm("A", every=ms(5))]), rv.Null())
    starved = rv.System(vms=[hog("H", priority=1), vm("A", every=ms(5), priority=2)])
    found = rv.analysis.attack(starved, rv.FixedPriority(), runs=3, admission=rv.analysis.Admission(
        starved, rv.FixedPriority(), verdict.bounds | {"H/hog": None}, verdict.vcpus, verdict.promises, verdict.outcomes))
    assert found and found.broken["A/t"].worst > ms(50) and found.tasks["A/t"].tightness < 1
    with pytest.raises(rv.SpecError):
        rv.analysis.attack(starved, rv.FixedPriority(), runs=0)


def test_late_tasks_are_found_once_however_many_there_are():
    vms = [rv.VM(f"v{k}", tasks=[rv.Task(f"t{i}", wcet=ms(2), period=ms(100), deadline=ms(1)) for i in range(12)], priority=k + 1) for k in range(64)]
    verdict = rv.admit(rv.System(cpus=1, vms=vms), rv.FixedPriority())
    assert verdict.late is verdict.late and len(verdict.late) == len(verdict.reasons) == 64 * 12        # each asked for all of them anew
