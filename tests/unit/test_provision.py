"""From a service level to budgets: what is found is admitted and runs without a miss; what cannot be had is said, and by how much."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest
from conftest import LONG
from hypothesis import given, settings
from hypothesis import strategies as st

import rtvirt as rv
from rtvirt.jit import DISABLED
from rtvirt.units import ms, s, us

HOST = {"scheduler": rv.RTDS()}


compiled = pytest.mark.skipif(DISABLED, reason="hundreds of admissions: minutes without the compiler")


def one(name, wcet, period=10_000_000, **fields):
    """A VM of one task."""
    return rv.VM(name, tasks=[rv.Task("t", wcet=wcet, period=period, **fields)])


THREE = rv.System(vms=[one(name, ms(3.3)) for name in "abc"])       # 0.99 pCPUs of work, more of budgets


def test_the_phone_is_served():
    """As shipped RTDS misses half of the modem's slots (its budgets are refused); provisioned it misses none."""
    phone = rv.System.load(rv.data.FOLDER / "systems/phone.yaml")
    assert not rv.admit(phone, rv.RTDS())
    found = rv.provision(phone, rv.RTDS())
    assert found and found.admission.admitted and "every deadline is met with modem" in found.why()
    assert found.give_up == () and found.leave_out == () and repr(found).startswith("<Provision: found under RTDS")
    assert list(found.table["vm"]) == [vm.name for vm in phone.vms] and found.table["share"].sum() <= 1
    run = rv.simulate(found.system, rv.RTDS(), ms(200) if DISABLED else s(2))
    assert not run.jobs["missed"].any() and len(run.jobs)


def asked_again(found, change, value):
    """The service level with a value of one requirement in place of what was asked for."""
    service, system = found.service, found.service.system
    vm = system[change.vm]
    if change.field in ("deadline", "wcet"):
        tasks = [task.replace(**{change.field: value}) if task.name == change.task else task for task in vm.tasks]
        system = system.with_vm(vm.replace(tasks=tuple(tasks)))
    name = change.vm if change.task is None else f"{change.vm}/{change.task}"
    bounds = {**service.bounds, name: value} if change.field == "bound" else service.bounds
    shares = {**service.shares, name: value} if change.field == "share" else service.shares
    return rv.provision(system, service.scheduler, bounds=bounds, shares=shares)


def check_changes(found):
    """Each does, and a step less does not; what it says is admitted as it stands."""
    for change in found.give_up:
        assert rv.admit(change.system, found.service.scheduler).admitted
        if change.field == "all":
            continue
        closer = change.fits - change.step if change.fits > change.asked else change.fits + change.step
        assert asked_again(found, change, change.fits) and not asked_again(found, change, closer), change
        assert 1000 * change.step <= change.asked or change.step in (1, Fraction(1, 1000))


@compiled
def test_which_task_gives_way_and_by_how_much():
    found = rv.provision(THREE, rv.RTDS())
    assert not found and {(c.vm, c.task) for c in found.give_up} == {(name, "t") for name in "abc"}
    assert [c.field for c in found.give_up[:3]] == ["wcet", "all", "wcet"]      # a later deadline is no less work: 0.99 remain
    assert "\n  task 't' of 'a': wcet 3.3 ms -> " in found.why() and "(steps of 1 us), or leave it out" in found.why()
    assert list(found.choices["field"]) == [c.field for c in found.give_up] and found.choices["fits"][1] is None
    check_changes(found)


def test_a_deadline_that_is_too_short():
    """5 ms of work in 4 ms: no budget helps; later deadlines do, and by hand the whole pCPU is done with 5 ms of work after 5 ms."""
    found = rv.provision(rv.System(vms=[one("v", ms(5), deadline=ms(4))]), rv.RTDS())
    assert "not even a whole pCPU serves v" in found.why()
    assert {c.field: (c.asked, c.fits) for c in found.give_up} == {"deadline": (ms(4), ms(5)), "wcet": (ms(5), ms(4)), "all": (None, None)}
    check_changes(found)


@compiled
def test_one_change_is_not_enough():
    """Two VMs that not even a pCPU each serves, beside one that is served: those two go, and neither can stay."""
    system = rv.System(cpus=2, vms=[one("a", ms(12)), one("good", ms(1)), one("b", ms(15))])
    found = rv.provision(system, rv.RTDS())
    assert not found.give_up and found.leave_out == ("a/t", "b/t") and "to leave out together: a/t, b/t" in found.why()
    assert not len(found.table) and not len(found.choices)
    for name in "ab":
        assert not rv.provision(system.with_vm(system[name].replace(tasks=())), rv.RTDS())
    assert rv.provision(system.with_vm(rv.VM("a")).with_vm(rv.VM("b")), rv.RTDS())


@compiled
def test_those_given_first_are_kept():
    """Of three VMs of which two fit, and no one can go alone, the first of what overloads stays."""
    vms = [one("a", ms(6)), one("b", ms(6)), one("c", ms(6))]
    assert rv.provision(rv.System(vms=vms), rv.RTDS()).leave_out == ("b/t", "c/t")


@compiled
def test_a_task_that_others_send_to_stays():
    """Neither it nor its VM can be left out, but the VM's share can be smaller; with the sender gone it may go too."""
    sender = rv.VM("s", tasks=[rv.Task("t", period=ms(10), actions=[rv.run(ms(2)), rv.send("r/c")])])
    channel = rv.Task("c", wcet=us(10), arrival="channel")
    found = rv.provision(rv.System(vms=[sender, rv.VM("r", tasks=[channel])]), rv.RTDS(), shares={"r": 0.9})
    assert {(c.vm, c.field) for c in found.give_up} >= {("r", "share"), ("s", "all")} and ("r", "all") not in {(c.vm, c.field) for c in found.give_up}
    check_changes(found)
    endless = rv.System(vms=[one("a", ms(1)), rv.VM("r", tasks=[channel.replace(deadline=ms(5))]), sender])
    assert rv.provision(endless, rv.RTDS()).leave_out == ("r/c", "s/t")          # nobody bounds how often it is sent to


def test_bounds_and_shares_are_kept():
    phone = rv.System(vms=[one("modem", us(300), ms(5)), rv.VM("android", tasks=[rv.hog()])])
    plain = rv.provision(phone, rv.RTDS())
    assert plain.admission.bounds["modem/t"] > ms(2)
    found = rv.provision(phone, rv.RTDS(), bounds={"modem/t": ms(2)}, shares={"android": 0.7})
    assert found.admission.bounds["modem/t"] <= ms(2) and found.admission.supplies["android/0"].rate >= Fraction(7, 10)
    assert found.system["modem"].tasks == phone["modem"].tasks
    assert not rv.analysis.attack(found.system, rv.RTDS(), runs=5 if DISABLED else 20)


def test_a_share_is_what_costs_leave():
    """Each wake-up costs 20 us, and that comes on top of the half that is asked for."""
    asked = {"vms": [one("modem", us(300), ms(5)), rv.VM("android", tasks=[rv.hog()])]}
    free, dear = (rv.provision(rv.System(**asked, costs=rv.Costs(wake_path=cost)), rv.RTDS(), shares={"android": 0.5}) for cost in (0, us(20)))
    assert dear.admission.supplies["android/0"].rate >= Fraction(1, 2)
    assert list(free.table["share"])[1] == 0.5 < list(dear.table["share"])[1]


@compiled
def test_bounds_and_shares_that_cannot_be_kept():
    phone = rv.System(vms=[one("modem", us(300), ms(5)), rv.VM("android", tasks=[rv.hog()])])
    for wanted in ({"bounds": {"modem/t": us(310)}, "shares": {"android": 0.4}}, {"shares": {"android": Fraction(19, 20)}}):
        found = rv.provision(phone, rv.RTDS(), **wanted)
        assert not found and found.give_up
        check_changes(found)
    assert {c.field for c in found.give_up} == {"wcet", "share", "all"}


def test_a_bound_for_a_task_without_deadline():
    batch = rv.System(vms=[rv.VM("v", tasks=[rv.Task("job", wcet=ms(1), releases=[0, ms(30)])]), rv.VM("rest", tasks=[rv.hog()])])
    assert rv.provision(batch, rv.RTDS()).system["v"].budget
    found = rv.provision(batch, rv.RTDS(), bounds={"v/job": ms(4)})
    assert found and found.admission.bounds["v/job"] <= ms(4)


@pytest.mark.parametrize("scheduler", [rv.SEDF(), rv.CBS(hard=True), rv.PeriodicServers(), rv.PollingServers(), rv.SporadicServers()], ids=repr)
def test_other_schedulers_of_budgets(scheduler):
    found = rv.provision(rv.System(vms=[one("a", ms(2)), one("b", ms(3), ms(20))]), scheduler)
    assert found and rv.admit(found.system, scheduler)
    assert not rv.simulate(found.system, scheduler, ms(100)).jobs["missed"].any()


@pytest.mark.parametrize("scheduler", [rv.RTDS(), rv.PeriodicServers(), rv.PollingServers()], ids=repr)
def test_no_budget_could_be_smaller(scheduler):
    """Under fixed priorities the first server never waits: by hand it needs 400 us in 2 ms, and 450 us if it may wait for its period's end."""
    two = rv.VM("a", tasks=[rv.Task("t", wcet=ms(1), period=ms(10)), rv.Task("u", wcet=ms(2), period=ms(20))])
    found = rv.provision(rv.System(vms=[two, one("b", ms(3), ms(30)), rv.VM("rest", tasks=[rv.hog()])]), scheduler)
    assert found.system["a"].budget == (us(400) if isinstance(scheduler, rv.PeriodicServers) else us(450))
    for name in "ab":
        vm = found.system[name]
        assert not rv.admit(found.system.with_vm(vm.replace(budget=vm.budget - us(10))), scheduler)
    assert found.table["share"].sum() == 1


@compiled
def test_the_scheduler_is_the_hindrance():
    found = rv.provision(rv.System(vms=[one("a", ms(2))]), rv.CBS())
    assert not found and "take CBS(hard=True)" in found.why() and "refused under CBS" in repr(found)


SMALL = st.lists(st.lists(st.tuples(st.integers(1, 25), st.sampled_from([5, 8, 10, 20]), st.integers(0, 5000)), min_size=1, max_size=2),
                 min_size=1, max_size=3)


@compiled
@settings(max_examples=300 if LONG else 15, deadline=None)
@given(SMALL, st.sampled_from(["fp", "edf"]), st.sampled_from([None, Fraction(1, 5), Fraction(3, 5)]))
def test_what_is_found_is_admitted_and_withstands_an_attack(vms, guest, share):
    system = rv.System(vms=[*(rv.VM(f"v{i}", guest=guest, tasks=[
        rv.Task(f"t{k}", wcet=us(50 * work), period=ms(period), offset=us(offset)) for k, (work, period, offset) in enumerate(tasks)])
        for i, tasks in enumerate(vms)), rv.VM("rest", tasks=[rv.hog()])])
    found = rv.provision(system, rv.RTDS(), shares={} if share is None else {"rest": share})
    if not found:
        return
    verdict = rv.admit(found.system, rv.RTDS())
    assert verdict.admitted and verdict.supplies["rest/0"].rate >= (share or 0)
    assert not rv.analysis.attack(found.system, rv.RTDS(), runs=10)


@compiled
def test_what_is_given_up_does_and_a_step_less_does_not(seed):
    """On random systems that ask for too much."""
    rnd, seen = random.Random(seed), 0
    while seen < (40 if LONG else 3):
        system = rv.System(vms=[rv.VM(f"v{i}", guest=rnd.choice(["fp", "edf"]), tasks=[
            rv.Task(f"t{k}", wcet=us(50 * rnd.randint(20, 60)), period=ms(rnd.choice([8, 10, 20])), deadline=ms(rnd.randint(4, 8)))
            for k in range(rnd.randint(1, 2))]) for i in range(2)])
        found = rv.provision(system, rv.RTDS())
        if not found and found.give_up:
            seen += 1
            check_changes(found)


def test_refusals():
    task = rv.Task("t", wcet=ms(1), period=ms(10))
    good = rv.System(vms=[rv.VM("v", tasks=[task, rv.hog()])])
    for match, given_, fields in [
            ("one VM a vCPU", rv.System(vms=[rv.VM("v", vcpus=2, tasks=[task])]), {}),
            ("fp or edf", rv.System(vms=[rv.VM("v", guest="rr", tasks=[task])]), {}),
            ("a scheduler of budgets", good, {"scheduler": rv.Credit()}),
            ("a scheduler of budgets", good, {"scheduler": "rtds"}),
            ("write System", "phone.yaml", {}),
            (r"bounds\[v/x\].*v/t", good, {"bounds": {"v/x": ms(1)}}),
            (r"bounds\[v/hog\]", good, {"bounds": {"v/hog": ms(1)}}),
            ("no more than the deadline", good, {"bounds": {"v/t": ms(11)}}),
            ("allowed: 1 to", good, {"bounds": {"v/t": 0.5}}),
            (r"shares\[w\]", good, {"shares": {"w": 0.5}}),
            ("above 0, up to 1", good, {"shares": {"v": 1.5}}),
            ("above 0, up to 1", good, {"shares": {"v": "half"}})]:
        with pytest.raises(rv.SpecError, match=match):
            rv.provision(given_, **{**HOST, **fields})
