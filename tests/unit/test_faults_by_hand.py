"""Faults by hand (docs/io-model.md 9): one driver VM, one front end, and every time computed."""

from __future__ import annotations

from typing import Any

import pytest

import rtvirt as rv
from rtvirt.system.devices import Path, Plumbing, Port, Stage, Thread
from rtvirt.units import ms, us


def device(*, arrivals: list[int], ring: dict[str, Any] | None = None, port: Port | None = None, **stage: Any) -> rv.CustomDevice:
    """Packets to a back end (10 us each, its interrupt handler 2 us), which passes them to the front end's thread (5 us)."""
    back = Stage("back", "dom0/back", each=us(10), port=port or Port(handler=us(2)), **stage)
    front = Stage("front", "guest/net", each=us(5), port=Port())
    rx = Path("rx", "guest", (back, front), arrivals=rv.Arrivals(releases=arrivals), **(ring or {}))
    return rv.CustomDevice("nic", plumbing=Plumbing((Thread("dom0", "back"), Thread("guest", "net")), paths=(rx,)))


def simulate(one: rv.CustomDevice, *faults: rv.Fault, duration: int = ms(20), **system: Any) -> rv.Run:
    """On two pCPUs: nobody waits for one."""
    whole = rv.System(cpus=2, vms=[rv.VM("dom0"), rv.VM("guest")], devices=[one], faults=list(faults), **system)
    return rv.simulate(whole, rv.RoundRobin(), duration).check()


def test_a_lost_interrupt_stops_the_queue_for_good():
    """9.1: the event index has been passed, so later messages notify nobody."""
    table = simulate(device(arrivals=[ms(1), ms(2), ms(3)]), rv.Fault(us(1500), "rx/back", "lost_interrupt")).paths["rx"]
    assert table["total"].tolist() == [us(17), -1, -1] and table["dropped"].tolist() == ["", "", ""]


def test_a_timeout_sends_it_again():
    """9.1, 2.7: 0.4 ms after the message; the next message finds it in the queue still."""
    lost = rv.Fault(us(1500), "rx/back", "lost_interrupt")
    table = simulate(device(arrivals=[ms(1), ms(2), ms(2) + us(300), ms(3)], timeout=us(400)), lost).paths["rx"]
    assert table["total"].tolist() == [us(17), us(417), us(127), us(17)]      # the third is taken when the second is out, at 2.412 ms


def test_a_vm_that_is_down_has_no_interrupts_to_lose():
    """9, found by the oracle: the loss was kept for the VM that started later, and its first interrupt vanished; one kept from before it does."""
    changes = [rv.Change(ms(1), "dom0", state="crash"), rv.Change(ms(2), "dom0", state="restart")]
    for at, total in ((us(1500), us(17)), (us(500), -1)):
        run = simulate(device(arrivals=[ms(3)]), rv.Fault(at, "rx/back", "lost_interrupt"), changes=changes)
        assert run.paths["rx"]["total"].tolist() == [total]


def test_several_are_lost_one_by_one():
    """The timeout's own sends count."""
    lost = rv.Fault(us(1500), "rx/back", "lost_interrupt", count=3)
    table = simulate(device(arrivals=[ms(2)], timeout=us(400)), lost).paths["rx"]
    assert table["total"].tolist() == [3 * us(400) + us(17)]


def test_an_interrupt_for_nothing_finds_nothing_or_what_there_is():
    """9.2: at 1 ms there is nothing, and the driver asks to be told of the third; at 7 ms one is found that waits for two others."""
    spurious = [rv.Fault(ms(at), "rx/back", "spurious_interrupt") for at in (1, 7)]
    run = simulate(device(arrivals=[ms(2), ms(3), ms(4), ms(5)], after=3), *spurious)
    assert run.paths["rx"]["total"].tolist() == [us(17) + ms(2), us(27) + ms(1), us(37), us(17) + ms(2)]
    assert len(run.jobs[run.jobs["task"] == "back"]) == 3


def test_a_storm_keeps_the_driver_busy_and_no_more():
    """9.3: a send while the upcall is up costs nothing: 2 us of handler, then the next."""
    storm = rv.Fault(ms(1), "rx/back", "storm", every=us(1), duration=us(100))
    run = simulate(device(arrivals=[ms(5)]), storm)
    busy = run.slices[run.slices["vm"] == "dom0"]
    assert us(98) <= (busy["end"] - busy["start"]).sum() - us(12) <= us(104) and run.paths["rx"]["total"].tolist() == [us(17)]


def test_penalties_slow_a_storm_down():
    """9.6: the first event for nothing is free, then 1, 2, 4 ms: four in 2 ms, and after them, instead of one every 2 us."""
    storm = rv.Fault(ms(1), "rx/back", "storm", every=us(1), duration=ms(2))
    late = {penalty: simulate(device(arrivals=[], port=Port(us(2), late_eoi=True, penalty=penalty)), storm) for penalty in (0, ms(1))}
    counts = {penalty: len(run.jobs[run.jobs["task"] == "back"]) for penalty, run in late.items()}
    assert counts == {0: 1001, ms(1): 4}


def test_a_message_ends_the_penalties():
    """9.6: the count begins anew, and the port rings at once."""
    sends = [rv.Fault(at, "rx/back", "spurious_interrupt") for at in (ms(1), ms(2), ms(7), ms(8))]
    run = simulate(device(arrivals=[ms(4), ms(6)], port=Port(us(2), late_eoi=True, penalty=ms(3))), *sends)
    assert run.paths["rx"]["total"].tolist() == [us(1002) + us(17), us(17)]     # masked until 5.002 ms; then forgiven
    assert run.jobs[run.jobs["task"] == "back"]["release"].tolist() == [ms(1) + us(2), ms(2) + us(2), ms(5) + us(4), ms(6) + us(2), ms(7) + us(2),
                                                                       ms(8) + us(2)]


def test_a_crash_ends_the_count_of_events_for_nothing():
    """9.6, found by the oracle's author: what the crashed driver had taken excused the first event for nothing of the next one."""
    changes = [rv.Change(ms(1) + us(5), "dom0", state="crash"), rv.Change(ms(2), "dom0", state="restart")]
    sends = [rv.Fault(ms(at), "rx/back", "spurious_interrupt") for at in (3, 4, 5)]
    run = simulate(device(arrivals=[ms(1)], port=Port(us(2), late_eoi=True, penalty=ms(3))), *sends, changes=changes)
    looks = run.jobs[(run.jobs["task"] == "back") & (run.jobs["release"] > ms(2))]["release"].tolist()
    assert looks == [ms(3) + us(2), ms(4) + us(2), ms(7) + us(4)]               # the second costs 3 ms, in which the third waits


def test_a_driver_that_hangs_goes_on_afterwards():
    """9.4: what it had taken it delivers; the others wait until the end of the hang, which wakes it."""
    hang = rv.Fault(ms(2) + us(5), "dom0/back", "hang", duration=ms(5))
    table = simulate(device(arrivals=[ms(1), ms(2), ms(3)]), hang).paths["rx"]
    assert table["total"].tolist() == [us(17), us(17), ms(4) + us(20)]


def test_a_front_end_that_consumes_nothing_fills_its_own_ring():
    """9.4: two slots, one message waits, the fourth is dropped; nobody else has lost anything."""
    ring = {"slots": 2, "enter": 1, "leave": 1, "backlog": 1}
    table = simulate(device(arrivals=[ms(k) for k in range(1, 5)], ring=ring), rv.Fault(0, "guest/net", "hang")).paths["rx"]
    assert table.set_index("message")["dropped"].to_dict() == {0: "", 1: "", 2: "", 3: "front"} and (table["total"] == -1).all()


@pytest.mark.parametrize("back_again", [False, True])
def test_an_index_that_cannot_be_cuts_one_front_end_off(back_again):
    """9.5: at 2 ms; its requests are lost from then on, until it has restarted; the other's are served as ever."""
    stages = (Stage("back", "dom0/back", each=us(10), port=Port()), Stage("front", "guest/net", each=us(5), port=Port()))
    paths = tuple(Path(name, vm, (stages[0], Stage("front", f"{vm}/net", each=us(5), port=Port())), slots=8, leave=1,
                       arrivals=rv.Arrivals(releases=[ms(1), ms(2), ms(3), ms(9)])) for name, vm in (("bad", "guest"), ("good", "other")))
    threads = (Thread("dom0", "back"), Thread("guest", "net"), Thread("other", "net"))
    changes = [rv.Change(ms(5), "guest", state="crash"), rv.Change(ms(6), "guest", state="restart")] if back_again else []
    system = rv.System(cpus=3, vms=[rv.VM("dom0"), rv.VM("guest"), rv.VM("other")], changes=changes,
                       devices=[rv.CustomDevice("nic", plumbing=Plumbing(threads, paths=paths))], faults=[rv.Fault(ms(2), "bad", "bad_index")])
    run = rv.simulate(system, rv.RoundRobin(), ms(20)).check()
    assert run.paths["bad"].set_index("message")["dropped"].to_dict() == {0: "", 1: "back", 2: "back", 3: "" if back_again else "back"}
    assert (run.paths["good"]["total"] > 0).all() and len(run.paths["good"]) == 4


def test_what_is_delivered_already_is_not_lost_by_an_index_that_cannot_be():
    """9.5, 7.1: a packet counts as delivered when the back end is done, also if the front end has not seen it; the lie takes 2 us of handler."""
    ring = {"slots": 4, "enter": 0, "leave": 1, "ends": 0}
    table = simulate(device(arrivals=[ms(1), ms(1) + us(1), ms(2)], ring=ring), rv.Fault(ms(1) + us(5), "rx", "bad_index")).paths["rx"]
    assert table["total"].tolist() == [us(14), -1, -1] and table["dropped"].tolist() == ["", "back", "back"]
    assert table["front.in"].tolist() == [ms(1) + us(14), -1, -1] and (table["front.out"] == -1).all()


def test_a_request_that_is_cut_off_answers_its_task():
    """9.5, 6.2: who waits for the answer goes on without one."""
    stages = (Stage("back", "dom0/back", each=ms(3), port=Port()), Stage("front", "guest/net", port=Port()))
    vms = [rv.VM("dom0"), rv.VM("guest", tasks=[rv.Task("io", releases=[ms(1), ms(1)], actions=[rv.request("blk")])])]
    block = Path("blk", "guest", stages, slots=4, leave=1)
    disk = rv.CustomDevice("disk", plumbing=Plumbing((Thread("dom0", "back"), Thread("guest", "net")), paths=(block,)))
    run = rv.simulate(rv.System(cpus=2, vms=vms, devices=[disk], faults=[rv.Fault(ms(2), "blk", "bad_index")]), rv.RoundRobin(), ms(20)).check()
    assert run.paths["blk"]["dropped"].tolist() == ["front", "back"]      # the liar is seen when the back end looks next, at 4 ms
    assert run.jobs[run.jobs["task"] == "io"]["finish"].tolist() == [ms(4), ms(4)]


def test_a_storm_costs_the_most_important_vm_one_interrupt_a_job():
    """9.3: while it runs, dom0 does not, so dom0's upcall stays up: one charge of 3 us for 5,000 sends; none where it was up before."""
    vms = [rv.VM("rt", priority=1, tasks=[rv.Task("t", wcet=ms(5), period=ms(10))]), rv.VM("dom0", priority=2), rv.VM("guest", priority=3)]
    responses = {}
    for name, faults in (("quiet", []), ("storm", [rv.Fault(ms(1), "rx/back", "storm", every=us(1), duration=ms(12))])):
        system = rv.System(vms=vms, devices=[device(arrivals=[])], faults=faults, costs=rv.Costs(interrupt=us(3)))
        responses[name] = rv.simulate(system, rv.FixedPriority(), ms(40)).check().jobs.query("task == 't'")["response"].tolist()
    assert responses == {"quiet": [ms(5)] * 4, "storm": [ms(5) + us(3)] + [ms(5)] * 3}


def test_a_storm_costs_a_budget_without_room_a_whole_period():
    """RTDS charges an interrupt to the budget of whom it interrupts: 3 us too much, and the job ends a period later; not with room for it."""
    late = {}
    for budget in (ms(2), ms(2) + us(3)):
        vms = [rv.VM("rt", budget=budget, period=ms(5), tasks=[rv.Task("t", wcet=ms(2), period=ms(5), offset=ms(5), deadline=ms(10))]),
               rv.VM("dom0", budget=ms(2), period=ms(10)), rv.VM("guest", budget=us(100), period=ms(10))]
        system = rv.System(vms=vms, devices=[device(arrivals=[])], faults=[rv.Fault(ms(6), "rx/back", "storm", every=us(1), duration=us(500))],
                           costs=rv.Costs(interrupt=us(3)))
        late[budget] = rv.simulate(system, rv.RTDS(), ms(40)).check().jobs.query("task == 't'")["response"].max()
    assert late[ms(2) + us(3)] == ms(2) + us(3) and late[ms(2)] >= ms(5)


def test_a_crash_of_the_front_end_reaches_messages_in_an_application_of_another_vm():
    """Found by random schedules: the application's job went on, and ended a message that had been dropped."""
    one = Path("rx", "guest", (Stage("back", "dom0/back", each=us(10)),), arrivals=rv.Arrivals(ms(1)), into="app/job")
    system = rv.System(cpus=2, vms=[rv.VM("dom0"), rv.VM("guest"), rv.VM("app", tasks=[rv.Task("job", arrival="channel", wcet=ms(3))])],
                       devices=[rv.CustomDevice("nic", plumbing=Plumbing((Thread("dom0", "back"),), paths=(one,)))],
                       changes=[rv.Change(ms(5), "guest", state="crash"), rv.Change(ms(7), "guest", state="restart")])
    table = rv.simulate(system, rv.RoundRobin(), ms(20)).paths["rx"]
    assert sorted(table["message"]) == list(range(20)) and table["dropped"].tolist()[1:5] == ["app"] * 4


def test_room_in_a_pool_wakes_nobody_who_looks_by_the_clock():
    """Found by random schedules: a polled thread was released ahead of its time, and its job ended before it had begun (2.10)."""
    stages = (Stage("back", "dom0/back", each=us(10)), Stage("disk", "dom0/disk", each=us(300)))
    threads = (Thread("dom0", "back", period=ms(1)), Thread("dom0", "disk", vcpu=1))
    block = Path("blk", "guest", stages, arrivals=rv.Arrivals(us(400)), pool="pool", pool_until=1)
    system = rv.System(cpus=3, vms=[rv.VM("dom0", vcpus=2), rv.VM("guest")],
                       devices=[rv.CustomDevice("disk", plumbing=Plumbing(threads, paths=(block,), pools={"pool": 1}))])
    run = rv.simulate(system, rv.RoundRobin(), ms(20)).check()
    assert run.jobs[run.jobs["task"] == "back"]["release"].tolist() == [ms(k) for k in range(20)]


def test_faults_that_make_no_sense_are_refused_together():
    with pytest.raises(rv.SpecError) as caught:
        simulate(device(arrivals=[]), rv.Fault(1, "rx/nothing", "storm", every=us(1), count=3), rv.Fault(1, "dom0/x", "hang", every=2),
                 rv.Fault(1, "rx", "bad_index", duration=3))
    assert [problem.field for problem in caught.value.problems] == [
        "faults[0].target", "faults[0].duration", "faults[0].count", "faults[1].target", "faults[1].every", "faults[2].target", "faults[2].duration"]
    with pytest.raises(rv.SpecError, match="kind"):
        rv.Fault(1, "rx/back", "earthquake")


def test_faults_are_part_of_a_file(tmp_path):
    """`load` reads what `save` has written."""
    path = tmp_path / "system.yaml"
    path.write_text("vms:\n- name: a\nfaults:\n- {at: 1 ms, target: a/b, kind: storm, every: 2 us, duration: 3 ms}\n")
    with pytest.raises(rv.SpecError, match=r"system.yaml:4: faults\[0\].target is 'a/b'"):
        rv.System.load(path)
