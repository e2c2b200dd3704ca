"""The vocabulary: defaults, checks, files."""

from __future__ import annotations

import pytest

import rtvirt as rv
from rtvirt.units import format_ns, ms, ns, parse_time, s, us


def problems(make) -> dict[str, str]:
    """Field and fix of every problem that making something finds."""
    with pytest.raises(rv.SpecError) as caught:
        make()
    for problem in caught.value.problems:
        assert problem.field and problem.allowed and problem.fix
    return {problem.field: problem.fix for problem in caught.value.problems}


def test_units_are_exact():
    assert (ns(7), us(0.3), ms(2.5), s(0.1)) == (7, 300, 2_500_000, 100_000_000)
    for bad in (float("nan"), float("inf"), "5", True, None, 0.0001):
        with pytest.raises(rv.SpecError):
            ns(bad)


@pytest.mark.parametrize("t", [0, 1, 999, 1000, 1500, 10**6, 123456789, 10**9, 2**53])
def test_time_round_trip(t):
    assert parse_time(format_ns(t)) == t


def test_deadline_defaults():
    assert rv.Task("a", wcet=1, period=ms(5)).deadline == ms(5)
    assert rv.Task("a", wcet=1, period=ms(5), arrival="poisson").deadline is None
    assert rv.Task("a", wcet=1, releases=[0, 5]).deadline is None
    assert rv.hog().deadline is None and rv.hog().is_hog


def test_all_mistakes_at_once():
    found = problems(lambda: rv.Task("a b", wcet="5 parsec", period=-1, perod=3))
    assert set(found) == {"name", "wcet", "period", "perod"} and "period" in found["perod"]
    found = problems(lambda: rv.VM("v", weight=0, cap=-1, guest="cfs"))
    assert set(found) == {"weight", "cap", "guest"}


@pytest.mark.parametrize(("make", "words"), [
    (lambda: rv.VM("v", weight=0), ["weight is 0", "1 to 65535"]),
    (lambda: rv.VM("v", cap=-1), ["cap is -1", "0 (no cap) to 100 a vCPU"]),
    (lambda: rv.VM("v", vcpus=2, priority=[1, 0]), ["priority[1] is 0", "1 to 2147483647"]),
    (lambda: rv.Task("t", wcet=0, period=5), ["wcet is 0", "1 ns to 2^53 ns"]),
    (lambda: rv.Task("t", wcet=[5, 0], period=5), ["wcet[1] is 0", "1 ns to 2^53 ns"]),
    (lambda: rv.Task("t", wcet=[], period=5), ["wcet is []", "at least 1"]),
    (lambda: rv.Task("t", wcet={"kind": "gauss"}, period=5), ["'uniform', 'exponential', 'normal', 'empirical'"]),
    (lambda: rv.Task("t", actions=[{"jump": 3}], period=5), ["{run: 2 ms}"]),
    (lambda: rv.VM("v", tasks=rv.hog()), ["tasks is", "a list", "[...]"]),
    (lambda: rv.VM("v", tasks=None), ["tasks is None", "a list"]),
    (lambda: rv.System(vms="v"), ["vms is 'v'", "a list"]),
    (lambda: rv.VM("v", affinity=0), ["affinity is 0", "a list"]),
    (lambda: rv.VM("v", control="yes"), ["control is 'yes'", "true or false"]),
    (lambda: rv.VM(7), ["name is 7", "text", "quotes"]),
])
def test_a_mistake_is_one_line_with_the_whole_range(make, words):
    with pytest.raises(rv.SpecError) as caught:
        make()
    assert len(caught.value.problems) == 1 and "input should" not in str(caught.value)
    assert [word for word in words if word not in str(caught.value)] == []


def test_numbers_of_numpy_count_as_numbers():
    import numpy as np

    task = rv.Task("t", wcet=np.array([5, 7]), releases=np.array([1, 2]), priority=np.int32(3))
    assert (task.wcet, task.releases, task.priority) == ((5, 7), (1, 2), 3)
    assert rv.VM("v", vcpus=np.int64(2), weight=np.array([3, 4]), affinity=np.array([0])).weight == (3, 4)
    assert type(rv.Task("t", wcet=np.int64(5), period=np.int16(9)).wcet) is int and ms(np.int64(10**10)) == 10**16


def test_a_specification_never_changes():
    with pytest.raises(AttributeError, match="replace"):
        rv.System().cpus = 2


def test_fields_that_do_not_go_together():
    assert "wcet" in problems(lambda: rv.Task("a", period=5))
    assert "releases" in problems(lambda: rv.Task("a", wcet=1, releases=[5, 3]))
    assert "period" in problems(lambda: rv.Task("a", wcet=1))
    assert "cap" in problems(lambda: rv.VM("v", cap=101))
    assert "budget" in problems(lambda: rv.VM("v", budget=ms(5), period=ms(4)))
    assert "weight" in problems(lambda: rv.VM("v", vcpus=2, weight=[1, 2, 3]))
    two = [rv.Task("x", wcet=1, period=9, priority=1), rv.Task("y", wcet=1, period=9)]
    assert "tasks[y].priority" in problems(lambda: rv.VM("v", tasks=two))
    assert "vms[v].name" in problems(lambda: rv.System(vms=[rv.VM("v"), rv.VM("v")]))
    assert "vms[v].affinity" in problems(lambda: rv.System(vms=[rv.VM("v", affinity=[1])]))
    assert "switch_out" in problems(lambda: rv.Costs(switch_out=5))
    sender = rv.VM("v", tasks=[rv.Task("t", period=9, actions=[rv.send("v/nobody")])])
    assert "vms[v].tasks[t].actions" in problems(lambda: rv.System(vms=[sender]))


def test_changes_must_make_sense():
    def system(*changes):
        return lambda: rv.System(vms=[rv.VM("v")], changes=changes)

    assert "changes[0].vm" in problems(system(rv.Change(1, "w", cap=5)))
    assert "changes[0].state" in problems(system(rv.Change(1, "v", state="restart")))
    assert "changes[0].state" in problems(system(rv.Change(1, "v", state="resume")))
    assert "changes[0]" in problems(system(rv.Change(1, "v")))


def test_scheduler_parameters():
    assert "Credit.xen" in problems(lambda: rv.Credit(xen="5.0"))
    assert "Credit.timeslice" in problems(lambda: rv.Credit(timeslice=us(1500)))
    assert "Credit.ratelimit" in problems(lambda: rv.Credit(timeslice=ms(1), ratelimit=ms(2)))
    assert "Credit.ratelimit" in problems(lambda: rv.Credit(xen="3.1", ratelimit=ms(1)))
    assert "RoundRobin.quantum" in problems(lambda: rv.RoundRobin(quantum=0))
    assert rv.Credit(xen="3.1").ratelimit == 0 and rv.Credit().ratelimit == ms(1)


def test_arguments_of_simulate():
    system = rv.System(vms=[rv.VM("v", tasks=[rv.hog()])])
    assert set(problems(lambda: rv.simulate(system, rv.Null(), 0, seed=-1, record="all"))) == {"duration", "seed", "record"}
    assert "initial" in problems(lambda: rv.simulate(system, rv.Null(), 5, initial={"credit": {}}))
    assert "initial.credits" in problems(lambda: rv.simulate(system, rv.Credit(), 5, initial={"credits": {}}))
    assert "initial.credit" in problems(lambda: rv.simulate(system, rv.Credit(), 5, initial={"credit": {("w", 0): 1}}))


@pytest.mark.parametrize("name", ["phone", "dashboard", "drone"])
def test_shipped_systems_load_and_run(name, tmp_path):
    system = rv.data.system(name)
    system.save(tmp_path / "copy.yaml")
    assert rv.System.load(tmp_path / "copy.yaml") == system
    servers = rv.PollingServers(), rv.PeriodicServers(), rv.DeferrableServers(), rv.SporadicServers()
    for scheduler in (rv.Credit(), rv.FixedPriority(), rv.RoundRobin(), *servers, rv.RTDS(), rv.CBS()):     # RTDS: the other worker compiles it first
        rv.simulate(system, scheduler, ms(300)).check()


def test_the_phone_misses_slots_under_credit():
    tasks = rv.simulate(rv.data.system("phone"), rv.Credit(), s(10), record="summary").tasks
    assert tasks.loc[("modem", "slot"), "misses"] == 410


def test_mistakes_in_a_file_have_lines(tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text("cpus: 1\nvms:\n- name: a\n  wieght: 3\n  tasks:\n  - name: t\n    wcet: 5 parsec\n    period: 5 ms\n- name: b\n  cap: 300\n")
    with pytest.raises(rv.SpecError) as caught:
        rv.System.load(path)
    assert {p.field: p.where for p in caught.value.problems} == {
        "vms[a].wieght": "bad.yaml:4", "vms[a].tasks[t].wcet": "bad.yaml:7", "vms[b].cap": "bad.yaml:10"}


@pytest.mark.parametrize("text", ["", "- 1", "a: &x 1\nb: *x", "a: 1\na: 2", "a: [", "\x00", "vms: " + "[" * 60 + "]" * 60, "a: !!python/object:x 1"])
def test_files_that_are_no_systems(tmp_path, text):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    problems(lambda: rv.System.load(path))


def test_missing_and_huge_files(tmp_path):
    problems(lambda: rv.System.load(tmp_path / "none.yaml"))
    (tmp_path / "huge.yaml").write_bytes(b"#" * 1_100_000)
    problems(lambda: rv.System.load(tmp_path / "huge.yaml"))


def test_distributions():
    import numpy as np

    for d, mean in ((rv.uniform(0, ms(2)), 1e6), (rv.exponential(ms(1)), 1e6), (rv.normal(ms(3), us(100)), 3e6), (rv.empirical([5, 5, 5]), 5)):
        table = d.table().astype(float)
        assert len(table) == 4097 and (np.diff(table) >= 0).all() and table[0] >= 1
        assert (table[:-1] + table[1:]).mean() / 2 == pytest.approx(mean, rel=0.01)


def test_too_large_a_system_is_refused():
    many = [rv.VM("v", vcpus=1, tasks=[rv.Task(f"t{i}", wcet=1, period=ms(9)) for i in range(4097)])]
    assert "system: number of tasks" in problems(lambda: rv.simulate(rv.System(vms=many), rv.Null(), 5))
