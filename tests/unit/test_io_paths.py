"""Bounds of paths worked out by hand, refusals, chains, and admission beside devices."""

from __future__ import annotations

from dataclasses import replace

import pytest

import rtvirt as rv
from rtvirt.analysis.admission.host import Promise
from rtvirt.analysis.io_paths import beside_hogs, grown, unheard
from rtvirt.analysis.io_paths.loads import Load, Member, too_late
from rtvirt.analysis.io_paths.rounds import ENDLESS, too_much
from rtvirt.analysis.io_paths.settled import settled
from rtvirt.analysis.limits import NEVER
from rtvirt.analysis.supply import PeriodicResource
from rtvirt.jit import DISABLED
from rtvirt.system.arrivals import Arrivals
from rtvirt.system.devices import CustomDevice, Line, Path, Plumbing, Port, Stage, Thread
from rtvirt.units import ms, us

WIRE = Stage("wire", "wire", each=us(2))
DRIVER = Stage("driver", "driver/worker", each=us(10), port=Port(handler=us(3)))
FRONT = Stage("front", "app/softirq", each=us(5), port=Port(handler=us(2)))
RX = Path("net.rx", "app", (WIRE, DRIVER, FRONT), arrivals=Arrivals(ms(1)))
WORKER, SOFTIRQ = Thread("driver", "worker", fixed=us(4)), Thread("app", "softirq")


def whole(path=RX, threads=(WORKER, SOFTIRQ), tasks=(), driver=(), cpus=2, **fields):
    device = CustomDevice("net", plumbing=Plumbing(threads=threads, lines=(Line("wire"),), paths=(path,) if isinstance(path, Path) else path,
                                                   upcalls={"driver": (us(1), "turns")}, **fields))
    vms = [rv.VM("driver", tasks=driver, budget=ms(1), period=ms(4)), rv.VM("app", tasks=tasks, budget=ms(2), period=ms(4))]
    return rv.System(cpus=cpus, vms=vms, devices=[device])


def bound(system, scheduler=None, path="net.rx"):
    return rv.analysis.path_bound(system, scheduler or rv.Null(), path)


def test_one_message_at_a_time_takes_what_it_costs():
    found = bound(whole())
    assert [stage.bound for stage in found.stages] == [us(2), us(18), us(7)] and found.total == us(27)      # entry and handler, fixed and each
    assert found.dominant.name == "driver" and "driver (driver/worker): 14 us to 18 us   <- the longest" in found.why()


def test_a_burst_waits_for_itself_with_an_interrupt_each():
    found = bound(whole(replace(RX, arrivals=Arrivals(ms(1), burst=3))))
    assert [stage.bound for stage in found.stages] == [us(6), us(54), us(21)]


def test_a_batch_is_delivered_whole():
    burst = replace(RX, arrivals=Arrivals(ms(1), burst=3))
    assert bound(whole(burst, (replace(WORKER, batch=2), SOFTIRQ))).stages[1].bound == us(54 + 10)
    assert bound(whole(burst, (replace(WORKER, batch=4), SOFTIRQ))).stages[1].bound == us(54 + 2 * 10)


@pytest.mark.parametrize("scheduler", [rv.Null(), rv.RTDS(), rv.DeferrableServers()])
def test_a_batch_is_not_larger_than_what_may_have_come(scheduler):
    alone, many = whole(), whole(threads=(replace(WORKER, batch=256), replace(SOFTIRQ, batch=256)))
    found = bound(many, scheduler)
    assert found.total <= bound(alone, scheduler).total + us(10 + 5) * (found.total // ms(1) + 1)


def test_waiting_on_a_server_is_counted_once_for_stages_in_a_row():
    app = rv.Task("rx", wcet=us(50), arrival="channel")
    found = bound(whole(replace(RX, arrivals=Arrivals(ms(20)), into="app/rx"), tasks=[app]), rv.DeferrableServers())
    assert [stage.bound for stage in found.stages] == [us(2), ms(3) + us(18), ms(2) + us(7), ms(2) + us(57)]
    assert found.total == us(2) + ms(3) + us(18) + ms(2) + us(57)


def test_messages_wait_for_the_timeout_and_for_a_poll():
    late = bound(whole(replace(RX, stages=(WIRE, replace(DRIVER, after=4, timeout=us(100)), FRONT))))
    assert late.stages[1].bound == us(118) and late.stages[1].hold == us(100)
    polled = bound(whole(threads=(replace(WORKER, period=us(500)), SOFTIRQ)))
    assert polled.stages[1].hold == us(500) and us(514) <= polled.stages[1].bound <= us(516)


@pytest.mark.parametrize("path, threads, words", [
    (replace(RX, stages=(WIRE, replace(DRIVER, after=4), FRONT)), None, "3 that come first wait for ever"),
    (replace(RX, arrivals=Arrivals(ms(1), arrival="poisson")), None, "poisson"),
    (replace(RX, arrivals=Arrivals(us(14))), None, "may ask for"),
    (replace(RX, arrivals=Arrivals(us(2))), None, "as fast as it serves them"),
    (replace(RX, arrivals=Arrivals(ms(1), burst=4), slots=3, enter=1, leave=2), None, "3 slots"),
    (replace(RX, arrivals=Arrivals(ms(1), burst=4), stages=(WIRE, replace(DRIVER, capacity=1), FRONT)), None, "holds 1 messages"),
    (replace(RX, arrivals=None), None, "nobody ever puts a message on it"),
])
def test_what_has_no_bound_says_why(path, threads, words):
    found = bound(whole(path, threads or (WORKER, SOFTIRQ)))
    assert not found and words in found.reason and "net.rx" in repr(found) and found.why().startswith("net.rx: no bound: ")


def test_what_more_important_vms_do_with_messages_is_in_what_they_leave():
    one = whole(cpus=1)
    alone, both = bound(one, rv.FixedPriority()), bound(whole((RX, replace(RX, name="more")), cpus=1), rv.FixedPriority())
    assert alone.stages[2].bound < both.stages[2].bound
    task = rv.Task("t", wcet=us(100), period=ms(2))
    system = one.with_vm(one["app"].replace(tasks=[task]))
    assert rv.admit(system, rv.FixedPriority()).bounds["app/t"] == us(100) + us(7) + us(18)
    assert rv.admit(system.replace(devices=()), rv.FixedPriority()).bounds["app/t"] == us(100)


def test_interposed_interrupts_are_charged_to_everybody():
    shorter = replace(RX, stages=(WIRE, replace(DRIVER, distance=us(200), switch=us(3)), FRONT))
    task = rv.Task("t", wcet=us(100), period=ms(2))
    assert rv.admit(whole(shorter, tasks=[task]), rv.Null()).bounds["app/t"] == us(100) + us(7) + us(16)
    assert bound(whole(shorter)).stages[1].bound == us(18 + 16)      # the driver VM, too, where nobody knows better


def test_admission_judges_tasks_that_get_and_ask_for_messages():
    disk = Path("disk.read", "app", (replace(DRIVER, name="ask"), WIRE, replace(DRIVER, name="done"), FRONT), submit=us(1))
    reader = rv.Task("reader", period=ms(5), actions=[rv.run(us(10)), rv.request("disk.read"), rv.run(us(20))])
    system = whole(disk, tasks=[reader])
    way = bound(system, path="disk.read")
    assert way.submission == us(1) + us(7) and way
    verdict = rv.admit(system, rv.Null())
    asleep = way.total - way.submission
    assert verdict.admitted and verdict.bounds["app/reader"] == us(31) + asleep + us(7)       # sleep as work, and the handler with its thread
    tight = rv.admit(whole(disk, tasks=[reader.replace(deadline=us(60))]), rv.Null())
    assert not tight.admitted and "'reader' may take" in tight.why()


@pytest.mark.parametrize("guest", ["edf", "rr", "fifo", "cbs"])
def test_guests_without_fixed_priorities_serve_in_any_order(guest):
    rx, loop = rv.Task("rx", wcet=us(50), arrival="channel", deadline=ms(1)), rv.Task("loop", wcet=us(30), period=ms(1))
    system = whole(replace(RX, into="app/rx"), tasks=[rx, loop])
    system = system.with_vm(system["app"].replace(guest=guest))
    found = bound(system)
    assert found.stages[3].bound == us(50 + 30 + 7) and rv.admit(system, rv.Null()).bounds["app/rx"] == us(87)
    hogged = system.with_vm(system["app"].replace(tasks=[rx, loop, rv.hog()]))
    if guest in ("edf", "cbs"):
        assert bound(hogged).total == found.total                     # what has no deadline comes last
    else:
        assert not bound(hogged) and "nothing bounds" in bound(hogged).reason
        assert rv.analysis.io_paths.grown(hogged, rv.Null(), "net.rx", hogs=(0,), duration=ms(200))[0][1] > found.total


def test_a_request_of_a_guest_without_fixed_priorities_waits_for_the_others():
    disk = Path("disk.read", "app", (DRIVER, FRONT), submit=us(1))
    reader = rv.Task("reader", period=ms(5), actions=[rv.run(us(10)), rv.request("disk.read"), rv.run(us(20))])
    system = whole(disk, tasks=[reader, rv.Task("loop", wcet=us(30), period=ms(1))])
    edf = system.with_vm(system["app"].replace(guest="edf"))
    assert bound(edf, path="disk.read").submission == us(1 + 30 + 7) and rv.admit(edf, rv.Null()).bounds["app/reader"] >= us(31 + 25 + 30)


def test_lateness_that_feeds_itself_is_given_up_soon():
    """A second, or 2000 periods: what makes itself three times as late in every round makes every round three times as long."""
    assert not too_late(((us(700), 0),), ms(900)) and too_late(((us(700), 0),), ms(1500))
    assert not too_late(((ms(10), 0), (us(1), 0)), ms(15_000)) and too_late(((NEVER, 0),), ms(1001)) and not too_late(None, ms(1000))


@pytest.mark.skipif(DISABLED, reason="three seconds of fixed points are minutes without the JIT")
def test_jobs_that_submit_later_and_later_are_given_up_soon():
    """Jobs are late, so more of their messages come together, whose wake-ups leave less time to the jobs: no stage sees how late they are."""
    serve = Stage("serve", "driver/worker", each=us(10), port=Port())
    paths = [Path("a", "app", (replace(serve, capacity=2),)), Path("b", "front", (serve,), submit=us(5))]
    often = rv.Task("often", period=ms(4), actions=[rv.run(us(10)), rv.submit("a"), rv.submit("a"), rv.run(us(15))])
    seldom = rv.Task("seldom", period=ms(20), arrival="sporadic", actions=[rv.run(us(10)), rv.submit("b"), rv.run(us(5))])
    windows = [("front", 0, us(650)), (None, 0, us(550)), ("app", 0, us(600)), (None, 0, us(900)), ("driver", 0, us(850))]
    vms = [rv.VM("driver"), rv.VM("front", tasks=[seldom]), rv.VM("app", tasks=[rv.Task("own", wcet=us(30), period=ms(4)), often])]
    system = rv.System(vms=vms, costs=rv.Costs(switch_in=us(7), decision=us(7)),
                       devices=[CustomDevice("dev", plumbing=Plumbing(threads=(Thread("driver", "worker"),), paths=tuple(paths)))])
    found = settled(system, rv.ARINC653(windows))
    assert found.reasons["app/often", -1] == ENDLESS and found.state.curves["a"] is None
    assert max(stay for stay in found.alone.values()) < ms(100)


@pytest.mark.parametrize("fault", [rv.Fault(ms(10), "driver/worker", "hang", duration=ms(20)), rv.Fault(ms(10), "net.rx/driver", "lost_interrupt"),
                                   rv.Fault(ms(10), "net.rx/driver", "storm", every=us(3), duration=ms(30)),
                                   rv.Fault(ms(10), "net.rx/driver", "spurious_interrupt"), rv.Fault(ms(10), "net.rx", "bad_index")],
                         ids=lambda fault: fault.kind)
def test_nothing_is_promised_beside_a_fault(fault):
    path = replace(RX, slots=8, enter=1, leave=2) if fault.kind == "bad_index" else RX
    system = whole(path, tasks=[rv.Task("own", wcet=us(100), period=ms(5))])
    apart = system.replace(vms=[*system.vms, rv.VM("apart", tasks=[rv.Task("own", wcet=us(100), period=ms(5))])], cpus=3, faults=[fault])
    assert bound(system) and not bound(apart) and f"{fault.kind} of {fault.target} at 10 ms" in bound(apart).why()
    admission = rv.admit(apart, rv.Null())
    assert admission.bounds["app/own"] is None and admission.bounds["apart/own"] == us(100)


def test_reasons_name_the_path_whose_messages_nothing_bounds():
    system = whole(replace(RX, arrivals=Arrivals(ms(1), arrival="poisson")), tasks=[rv.Task("t", wcet=us(10), period=ms(2))])
    why = rv.admit(system.replace(costs=rv.Costs(interrupt=us(1))), rv.RTDS()).why()
    assert "'driver/net.rx' is released" in why and "io0" not in why


@pytest.mark.parametrize("asked, supply, words", [
    (us(20), PeriodicResource(ms(4), 0), "sure of nothing"),
    (us(20), PeriodicResource(ms(4), ms(1)), "of 0.002 % of a pCPU: its busy period is too long"),
    (ms(900), PeriodicResource(ms(4), ms(1)), "may ask for 90 % of a pCPU, and its vCPU is sure of 25 %"),
    (1, PeriodicResource(ms(4), ms(1)), "of less than 0.001 % of a pCPU")])
def test_busy_periods_without_an_end_are_told_in_percent(asked, supply, words):
    assert words in too_much(Member("worker"), Promise(supply, ""), [Load(asked, ((ms(1000), 0),))])


def test_reaction_and_age_of_a_chain_through_a_path():
    tx = Path("can.tx", "app", (replace(FRONT, name="local"), replace(DRIVER, name="out")), submit=us(1))
    sample = rv.Task("sample", period=ms(5), actions=[rv.run(us(10)), rv.submit("can.tx")])
    system = whole(tx, tasks=[sample], driver=[rv.Task("loop", wcet=us(100), period=ms(10))])
    bounds, way = rv.admit(system, rv.Null()).bounds, bound(system, path="can.tx")
    found = rv.analysis.reaction_time(system, rv.Null(), ["app/sample", "can.tx", "driver/loop"])
    assert found.bound == ms(15) + bounds["app/sample"] + bounds["driver/loop"] + way.total - way.submission
    age = rv.analysis.data_age(system, rv.Null(), ["app/sample", "can.tx", "driver/loop"], replaced=False)
    assert age.bound == found.bound - ms(10) and "waits up to 5 ms" in age.why()
    assert "no bound" in rv.analysis.reaction_time(system, rv.Credit(), ["app/sample"]).why()
    for wrong in ([], ["app/nobody"], ["can.tx"], ["driver/loop", "can.tx"], ["app/sample", "can.tx", "app/sample"]):
        with pytest.raises(rv.SpecError):
            rv.analysis.reaction_time(system, rv.Null(), wrong)


def test_credit_has_no_bound_and_its_worst_message_grows():
    system = whole(replace(RX, arrivals=Arrivals(us(500)), stages=(WIRE, replace(DRIVER, each=us(60)), FRONT)), cpus=1)
    assert "promises a share in the long run, but no window" in bound(system, rv.Credit()).why()
    assert "promises" in bound(beside_hogs(system, 1), rv.Credit()).why()
    (_, alone), (_, crowded) = grown(system, rv.Credit(), "net.rx", hogs=(0, 9), duration=ms(400))
    assert crowded > 100 * alone


def test_fewer_messages_than_a_thread_waits_for_stay():
    system = whole(replace(RX, stages=(WIRE, replace(DRIVER, after=4), FRONT)))
    table = rv.simulate(unheard(system, "net.rx"), rv.Null(), ms(50)).paths["net.rx"]
    assert list(table["total"] == -1) == [False, True, True, True]


def test_names_are_checked():
    with pytest.raises(rv.SpecError, match=r"net\.rx"):
        bound(whole(), path="net.tx")


def test_messages_that_lie_unheard_crowd_others_and_do_not_flood_them():
    quiet = replace(RX, name="quiet", stages=(WIRE, replace(DRIVER, after=4), FRONT))
    beside, alone = bound(whole((RX, quiet))), bound(whole((RX, replace(RX, name="quiet"))))
    assert beside.stages[1].bound == alone.stages[1].bound + 3 * us(18)
    assert bound(whole((RX, quiet)), path="quiet").total is None
