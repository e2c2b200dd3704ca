"""Other tools' files: read as they are meant, written so that they are read back, mistakes with their line."""

from __future__ import annotations

import random

import pytest

import rtvirt as rv
from rtvirt.analysis import Component, compose
from rtvirt.errors import SpecError
from rtvirt.interop import carts, rtapp, schedcat, simso
from rtvirt.units import ms, s, us

SIMSO = """<?xml version="1.0" ?>
<simulation cycles_per_ms="1000000" duration="420000000" etm="wcet">
  <sched class="simso.schedulers.{scheduler}" overhead="0" overhead_activate="0" overhead_terminate="0"/>
  <caches memory_access_time="100"/>
  <processors>
    <processor cl_overhead="0" cs_overhead="0" id="1" name="CPU 1" speed="1.0"/>
    <processor cl_overhead="0" cs_overhead="0" id="2" name="CPU 2" speed="1.0"/>
  </processors>
  <tasks>
    <field name="priority" type="int"/>
    <task ACET="0.0" WCET="3.0" abort_on_miss="no" activationDate="0.5" base_cpi="1.0" deadline="7.0" et_stddev="0.0" id="1"
          instructions="0" list_activation_dates="" mix="0.5" name="TASK T1" period="7.0" preemption_cost="0" task_type="Periodic" priority="7"/>
    <task ACET="2.0" WCET="3.25" abort_on_miss="yes" activationDate="0" base_cpi="1.0" deadline="12.0" et_stddev="0.5" id="2"
          instructions="100" list_activation_dates="" mix="0.5" name="T2" period="12.0" preemption_cost="0" task_type="Periodic" priority="9"/>
    <task ACET="0" WCET="1" abort_on_miss="no" base_cpi="1.0" deadline="5" id="3" et_stddev="0"
          instructions="0" list_activation_dates="4.0, 1.5, 30" mix="0.5" name="T3" period="3" task_type="Sporadic" priority="2"/>
  </tasks>
</simulation>
"""


def file(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text)
    return path


def problems(call):
    with pytest.raises(SpecError) as error:
        call()
    return str(error.value)


# ------------------------------------------------------------------ SimSo


def test_simso_is_read(tmp_path):
    found = rv.interop.read(file(tmp_path, "a.xml", SIMSO.format(scheduler="EDF")))
    vm = found.system.vms[0]
    assert (found.system.cpus, vm.vcpus, vm.guest) == (2, 2, "edf")
    assert found.extra == {"duration": ms(420), "scheduler": "simso.schedulers.EDF"}
    one, two, three = vm.tasks
    assert (one.name, one.wcet, one.period, one.deadline, one.offset) == ("TASK_T1", ms(3), ms(7), ms(7), ms(0.5))
    assert two.wcet == ms(3.25) and three.releases == (ms(1.5), ms(4), ms(30)) and three.deadline == ms(5)
    said = "\n".join(found.notes)
    assert "'TASK T1' is called 'TASK_T1'" in said and "abort_on_miss" in said and "cache model" in said
    acet = simso.read(file(tmp_path, "b.xml", SIMSO.format(scheduler="EDF").replace('etm="wcet"', 'etm="acet"'))).system.vms[0].tasks
    assert (acet[1].wcet.mean, acet[1].wcet.sd) == (ms(2), ms(0.5)) and acet[0].wcet == ms(3)
    assert simso.read(file(tmp_path, "c.xml", SIMSO.format(scheduler="FP"))).system.vms[0].tasks[0].priority == 2         # 9 goes before 7
    rm = simso.read(file(tmp_path, "d.xml", SIMSO.format(scheduler="RM").replace("Sporadic", "Periodic"))).system.vms[0]
    assert rm.guest == "fp" and [task.priority for task in rm.tasks] == [2, 3, 1]
    assert "is not known here" in simso.read(file(tmp_path, "e.xml", SIMSO.format(scheduler="LLF"))).notes[0]


def test_simso_comes_back(tmp_path):
    tasks = [rv.Task("a", wcet=ms(1.5), period=ms(10), deadline=ms(8), offset=us(1), priority=3),
             rv.Task("b", wcet=rv.normal(ms(2), us(300)), period=ms(20), priority=7),
             rv.Task("c", wcet=123_457, releases=[0, ms(3), ms(3.5)], deadline=ms(2), priority=9)]
    for guest in ("fp", "edf"):
        given = tasks if guest == "fp" else [task.replace(priority=None) for task in tasks]
        system = rv.System(cpus=2, vms=[rv.VM("tasks", vcpus=2, guest=guest, tasks=given, affinity=[[0], [1]])])
        assert simso.write(system, tmp_path / "x.xml", duration=s(2)) == ()
        found = simso.read(tmp_path / "x.xml")
        assert found.system == system and found.extra["duration"] == s(2)
        again = simso.write(found.system, tmp_path / "y.xml", scheduler=found.extra["scheduler"], duration=found.extra["duration"])
        assert again == () and (tmp_path / "y.xml").read_text() == (tmp_path / "x.xml").read_text()


def test_simso_says_what_it_cannot_carry(tmp_path):
    rich = rv.System(vms=[rv.VM("rt", guest="fp", budget=ms(1), period=ms(4), weight=512, tasks=[
        rv.Task("a", wcet=[ms(1), ms(2)], period=ms(10), jitter=ms(1)),
        rv.Task("b", wcet=rv.uniform(ms(1), ms(3)), period=ms(10), arrival="sporadic")]),
        rv.VM("dom0", control=True)])
    said = "\n".join(simso.write(rich, tmp_path / "x.xml"))
    for words in ("VM dom0: is not carried", "budget = 1000000", "weight = 512", "its name", "jitter = 1000000", "written as its largest",
                  "uniform execution times", "arrival = 'sporadic'", "written as numbers"):
        assert words in said, words
    two = rv.System(vms=[rv.VM("a", tasks=[rv.hog()]), rv.VM("b", tasks=[rv.hog()])])
    assert "SimSo knows no VMs" in problems(lambda: simso.write(two, tmp_path / "x.xml"))
    assert "SimSo has no such task" in problems(lambda: simso.write(rv.System(vms=[rv.VM("a", tasks=[rv.hog()])]), tmp_path / "x.xml"))


def test_simsos_mistakes_have_lines(tmp_path):
    text = SIMSO.format(scheduler="EDF").replace('WCET="3.0"', 'WCET="three"').replace('period="12.0"', 'period="0"').replace("Sporadic", "APeriodic")
    said = problems(lambda: rv.interop.read(file(tmp_path, "a.xml", text)))
    assert "a.xml:11: WCET is 'three'; allowed: a number of ms; write for example 2.5" in said
    assert "a.xml:13: period is 0" in said and "a.xml:15: task_type is 'APeriodic'" in said
    assert "a.xml:2: sched" in problems(lambda: simso.read(file(tmp_path, "a.xml", "<a>\n</a>".replace("a", "simulation").replace(
        "<simulation>", "\n<simulation>"))))
    assert "1 to 64 <processor>" in problems(lambda: simso.read(file(tmp_path, "a.xml", "<simulation><sched/></simulation>")))


# ------------------------------------------------------------------ XML


@pytest.mark.parametrize(("text", "words"), [
    ('<!DOCTYPE a [<!ENTITY b "c">]><simulation>&b;</simulation>', "remove the document type"),
    ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><simulation/>', "remove the document type"),
    ("<simulation>\n<sched>\n</simulation>", "a.xml:3: file is 'mismatched tag'; allowed: XML; correct it at column 3"),
    ("", "no element found"), ("<html/>", "<html>"), ("<a>" * 30 + "</a>" * 30, "20 levels"), ("<simulation>&b;</simulation>", "undefined entity")])
def test_xml_is_read_safely(tmp_path, text, words):
    assert words in problems(lambda: rv.interop.read(file(tmp_path, "a.xml", text)))


def test_files_that_cannot_be_read(tmp_path, monkeypatch):
    assert "a readable file" in problems(lambda: rv.interop.read(tmp_path / "none.xml"))
    (tmp_path / "b.csv").write_bytes(b"\xff\xfe\x00")
    assert "save it as UTF-8" in problems(lambda: rv.interop.read(tmp_path / "b.csv"))
    assert "a .xml, .csv or .json file" in problems(lambda: rv.interop.read(tmp_path / "x.txt"))
    monkeypatch.setattr("rtvirt.interop.common.LARGEST", 10)
    assert "at most 10 bytes" in problems(lambda: rv.interop.read(file(tmp_path, "c.json", " " * 11)))


# ------------------------------------------------------------------ CARTS

CARTS = """<system os_scheduler="DM" min_period="1" max_period="50">
  <component name="c1" scheduler="EDF" min_period="10" max_period="10">
    <task name="t1" p="30.0" d="30.0" e="5.0"></task>
    <task name="t2" p="50.0" d="45" e="2.0" delta_rel="1"></task>
  </component>
  <component name="group" scheduler="EDF" min_period="1" max_period="50">
    <component name="c2" scheduler="RM" min_period="5" max_period="40">
      <task name="t4" p="100.0" d="40.0" e="10.0"/>
      <task name="t5" p="60.0" d="60.0" e="10.5"/>
    </component>
  </component>
</system>
"""


def test_carts_is_read(tmp_path):
    found = rv.interop.read(file(tmp_path, "a.xml", CARTS))
    c1, c2 = found.system.vms
    assert (c1.name, c1.guest, c1.period, c2.name, c2.guest, c2.period) == ("c1", "edf", ms(10), "c2", "fp", None)
    assert [(t.wcet, t.period, t.deadline, t.priority) for t in c2.tasks] == [(ms(10), ms(100), ms(40), 2), (ms(10.5), ms(60), ms(60), 1)]
    assert found.extra["os_scheduler"] == "DM" and found.extra["periods"]["c2"] == (ms(5), ms(40))
    top = found.extra["component"]
    assert [part.name for part in top.parts] == ["c1", "group"] and top.parts[1].parts[0].tasks == c2.tasks
    assert any("group is a level between" in note for note in found.notes) and any("delta_" in note for note in found.notes)
    assert compose(top.parts[0]).budget == rv.analysis.min_budget(c1.tasks, ms(10), "edf")
    assert rv.interop.read(tmp_path / "a.xml", unit="us").system["c1"].tasks[0].wcet == us(5)


def test_carts_comes_back(tmp_path):
    system = rv.System(vms=[
        rv.VM("one", guest="edf", period=ms(10), tasks=[rv.Task("a", wcet=ms(1.5), period=ms(10), deadline=ms(8))]),
        rv.VM("two", guest="fp", tasks=[rv.Task("a", wcet=ms(1), period=ms(10), deadline=ms(4), priority=2),
                                        rv.Task("b", wcet=1, period=ms(5), priority=1)]),
        rv.VM("three", guest="fp", tasks=[rv.Task("a", wcet=ms(1), period=ms(10), deadline=ms(4)), rv.Task("b", wcet=1, period=ms(5))])])
    assert carts.write(system, tmp_path / "x.xml") == ()
    assert rv.interop.read(tmp_path / "x.xml").system == system
    tree = Component("system", ms(4), parts=(Component("c", ms(10), tuple(system["one"].tasks)), Component("g", ms(20), parts=(
        Component("d", ms(5), tuple(system["three"].tasks), guest="fp"),))))
    assert carts.write(tree, tmp_path / "y.xml") == () and carts.read(tmp_path / "y.xml").extra["component"] == tree


def test_carts_says_what_it_cannot_carry(tmp_path):
    system = rv.System(cpus=2, vms=[rv.VM("a", guest="fp", budget=ms(1), period=ms(4), tasks=[
        rv.Task("x", wcet=1, period=10, priority=1), rv.Task("y", wcet=1, period=5, deadline=5, priority=2, offset=3)]), rv.VM("empty")])
    said = "\n".join(carts.write(system, tmp_path / "x.xml"))
    for words in ("cpus = 2", "budget = 1000000", "VM empty: has no tasks", "offset = 3", "neither rate nor deadline monotonic"):
        assert words in said, words
    assert "CARTS has no other" in problems(lambda: carts.write(rv.System(vms=[rv.VM("a", tasks=[rv.hog()])]), tmp_path / "x.xml"))
    assert "CARTS knows no other" in problems(lambda: carts.write(rv.System(vms=[rv.VM("a", guest="rr", tasks=[rv.hog()])]), tmp_path / "x.xml"))


def test_cartss_mistakes_have_lines(tmp_path):
    said = problems(lambda: carts.read(file(tmp_path, "a.xml", CARTS.replace('e="5.0"', 'e="60"').replace("RM", "LLF").replace('p="60.0"', ""))))
    assert "a.xml:7: scheduler is 'LLF'; allowed: EDF" in said and "a.xml:9: task is 't5'" in said
    assert "tasks or components inside" in problems(lambda: carts.read(file(tmp_path, "a.xml", '<system os_scheduler="EDF"/>')))


# ------------------------------------------------------------------ SchedCAT


def test_schedcat_is_read(tmp_path):
    found = rv.interop.read(file(tmp_path, "a.csv", "id, period, wcet, deadline, wss\n1,10000,2500,8000,64\n7,20000, 100,,\n\n"))
    assert [(t.name, t.period, t.wcet, t.deadline, t.arrival) for t in found.system.vms[0].tasks] == [
        ("t1", ms(10), ms(2.5), ms(8), "sporadic"), ("t7", ms(20), us(100), ms(20), "sporadic")]
    assert found.notes == ("wss is not carried",)
    xml = '<taskset><properties count="2"/>\n<task id="1" period="10" wcet="2" partition="1"/><task period="5" wcet="1"/></taskset>'
    found = rv.interop.read(file(tmp_path, "a.xml", xml), unit="ms")
    assert found.system.cpus == 2 and [(t.name, t.vcpu) for t in found.system.vms[0].tasks] == [("t1", 1), ("t2", None)]


@pytest.mark.parametrize("suffix", ["csv", "xml"])
def test_schedcat_comes_back(tmp_path, suffix, seed):
    rng = random.Random(seed)
    tasks = [rv.Task(f"t{i}" if rng.random() < 0.5 else f"x{i}", wcet=us(rng.randint(1, 90)), period=us(rng.randint(100, 10**6)),
                     deadline=us(rng.randint(95, 10**6)), arrival="sporadic", vcpu=rng.choice([None, 0, 2])) for i in range(20)]
    system = rv.System(cpus=3, vms=[rv.VM("tasks", vcpus=3, guest="edf", tasks=tasks, affinity=[[0], [1], [2]])])
    assert schedcat.write(system, tmp_path / f"x.{suffix}") == ()
    assert rv.interop.read(tmp_path / f"x.{suffix}", cpus=3).system == system


def test_schedcat_says_what_it_cannot_carry(tmp_path):
    system = rv.System(vms=[rv.VM("a", vcpus=2, tasks=[rv.Task("x", wcet=1500, period=ms(1), jitter=5)])])
    said = "\n".join(schedcat.write(system, tmp_path / "x.csv"))
    for words in ("its name", "guest = 'fp'", "vcpus = 2", "jitter = 5", "written as sporadic", "choose a finer unit than us"):
        assert words in said, words


def test_schedcats_mistakes_have_lines(tmp_path):
    said = problems(lambda: schedcat.read(file(tmp_path, "a.csv", "id,period,wcet\n1,10,x\n2,5\n3,,4\n4,0,4\n")))
    for words in ("a.csv:2: wcet is 'x'", "a.csv:3: row is '2 values'; allowed: 3", "a.csv:4: task is '3'", "a.csv:5: period is 0"):
        assert words in said, words
    assert "name the columns" in problems(lambda: schedcat.read(file(tmp_path, "a.csv", "1,2,3\n")))
    assert "no tasks" in problems(lambda: schedcat.read(file(tmp_path, "a.csv", "period,wcet\n")))


# ------------------------------------------------------------------ rt-app

RTAPP = """{
	/* from the tutorial: 10 % load, and more */
	"tasks" : {
		"thread0" : {
			"instance" : 2, "loop" : -1,
			"run" :   10000,
			"timer" : { "ref" : "unique", "period" : 100000 },
			"dl-runtime" : 12000, "dl-deadline" : 50000,
			"dl-period"  : 100000,
		},
		"burst" : { "delay" : 500, "phases" : { "p" : { "run" : 100, "sleep" : 200, "run" : 50, "timer" : { "ref" : "u", "period" : 1000 } } } },
		"hog//x" : { "run" : 1000, "cpus" : [ 1 ] }
	},
	"global" : { "duration" : 2, "default_policy" : "SCHED_DEADLINE", "ftrace" : true, }
}
"""


def test_rtapp_is_read(tmp_path):
    found = rv.interop.read(file(tmp_path, "a.json", RTAPP))
    vm = found.system.vms[0]
    assert (found.system.cpus, vm.vcpus, vm.guest, found.extra) == (2, 2, "edf", {"duration": s(2)})
    one, two, burst, hog = vm.tasks
    assert (one.name, two.name, one.wcet, one.period, one.deadline) == ("thread0", "thread0_2", ms(10), ms(100), ms(50))
    assert burst.actions == (rv.run(us(100)), rv.block(us(200)), rv.run(us(50))) and (burst.offset, burst.period) == (us(500), ms(1))
    assert hog.is_hog and hog.vcpu == 1 and hog.name == "hog__x"
    fifo = RTAPP.replace("SCHED_DEADLINE", "SCHED_FIFO").replace('"instance" : 2', '"priority" : 95')
    assert [task.priority for task in rtapp.read(file(tmp_path, "b.json", fifo)).system.vms[0].tasks] == [5, 90, 90]
    finite = rtapp.read(file(tmp_path, "c.json", '{"tasks": {"a": {"loop": 3, "run": 10, "timer": {"ref": "t", "period": 50}}, '
                                                 '"b": {"loop": 2, "run": 5, "sleep": 7}}}')).system.vms[0]
    assert finite.guest == "rr" and finite.tasks[0].releases == (0, us(50), us(100))
    assert finite.tasks[1].actions == (rv.run(us(5)), rv.block(us(7))) * 2
    rv.simulate(found.system, rv.RoundRobin(), ms(300)).check()


def test_rtapp_comes_back(tmp_path):
    for guest, given in (("fp", {"priority": 7}), ("edf", {"deadline": ms(4)}), ("rr", {})):
        tasks = [rv.Task("a", wcet=us(1500), period=ms(10), offset=us(5), **given), rv.Task("b", wcet=us(10), period=ms(5), vcpu=1, **given),
                 rv.hog("h").replace(priority=given.get("priority"))]
        system = rv.System(cpus=2, vms=[rv.VM("linux", vcpus=2, guest=guest, tasks=tasks, affinity=[[0], [1]])])
        assert rtapp.write(system, tmp_path / "x.json", duration=s(3)) == ()
        found = rv.interop.read(tmp_path / "x.json")
        assert found.system == system and found.extra == {"duration": s(3)}


def test_rtapp_says_what_it_cannot_carry(tmp_path):
    system = rv.System(vms=[rv.VM("a", guest="fp", weight=3, tasks=[rv.Task("x", wcet=1500, period=ms(1), deadline=ms(0.5), jitter=5)])])
    said = "\n".join(rtapp.write(system, tmp_path / "x.json"))
    for words in ("weight = 3", "its name", "rounded up", "priority None", "deadline = 500000", "jitter = 5"):
        assert words in said, words
    assert "rt-app has no such thread" in problems(lambda: rtapp.write(rv.System(vms=[rv.VM("a", tasks=[
        rv.Task("x", wcet=1, period=5, arrival="poisson")])]), tmp_path / "x.json"))


@pytest.mark.parametrize(("change", "words"), [
    (('"run" :   10000,', '"lock" : "m", "run" :   10000,'), "a.json:4: thread0.lock is 'm'"),
    (('"run" :   10000,', '"run" :   "long",'), "a.json:4: thread0.run is 'long'; allowed: a number of us"),
    (("SCHED_DEADLINE", "SCHED_BATCH"), "policy is 'SCHED_BATCH'; allowed: SCHED_OTHER"),
    (('"instance" : 2', '"instance" : -2'), "thread0.instance is -2"),
    (('"timer" : { "ref" : "unique", "period" : 100000 },', '"sleep" : 10,'), "use a timer instead of sleep"),
    (('"p" : {', '"q" : { "run" : 5 }, "p" : {'), "burst.phases is 'several phases'"),
    (('"tasks"', '"task"'), "an object of threads"), (("{", "["), "a.json:"),
    (('"run" :   10000,', '"run" :   1e99,'), "a.json:4: duration is 1000")])
def test_rtapps_mistakes_have_lines(tmp_path, change, words):
    text = RTAPP.replace(*change, 1)
    assert words in problems(lambda: rtapp.read(file(tmp_path, "a.json", text)))


# ------------------------------------------------------------------ all of them, treated badly


@pytest.mark.parametrize(("name", "text"), [("a.xml", SIMSO.format(scheduler="FP")), ("b.xml", CARTS), ("a.json", RTAPP),
                                            ("a.csv", "id,period,wcet,deadline,partition\n1,10,2,8,0\n2,20,3,,1\n")])
def test_damaged_files_give_systems_or_words(tmp_path, name, text, seed):
    rng = random.Random(seed)
    for _ in range(150):
        broken = list(text)
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(len(broken))
            broken[at] = rng.choice(["", "\"", "<", "-", "9" * 30, "x", "{", ",", "\x00", "é", "nan"])
        try:
            found = rv.interop.read(file(tmp_path, name, "".join(broken)))
        except SpecError as error:
            assert all(problem.where.startswith(name) for problem in error.problems), error
        else:
            assert isinstance(found.system, rv.System)
