"""The rules of docs/xen-rules.md 8 and 9 asked other questions than the golden scenarios, with ready-made devices: by hand, engine and oracle alike.

Times in us unless a name says otherwise. Where a test does not give costs there are none.
"""

from __future__ import annotations

from typing import Any

import pytest

import rtvirt as rv
from golden.test_io import BACK, D, Seen, U, see  # noqa: F401  (a fixture)
from rtvirt.system.devices import Path, Port, Stage, Thread
from rtvirt.units import ms, us

HYPERCALL, INTERRUPT = us(1), us(5)


@pytest.fixture(params=["engine", "oracle"])
def watch(request):
    """Run a system with ready-made devices."""
    def look(vms: list[rv.VM], devices: list[Any], scheduler: Any = None, duration: int = ms(2), cpus: int = 3, **more: Any) -> Seen:
        system = rv.System(cpus=cpus, vms=vms, devices=devices, **more)
        return Seen(request.param, system, scheduler or rv.Null(), duration)

    return look


def at(*instants: int, burst: int = 1) -> rv.Arrivals:
    """Arrivals at these instants [us]."""
    return rv.Arrivals(releases=[us(instant) for instant in instants], burst=burst)


def net(name: str, frontend: str, **fields: Any) -> rv.SplitDriver:
    """A network device whose costs are those given."""
    return rv.SplitDriver(name, driver="D", frontend=frontend, **{"rx": None, "submit": 0, "serve": 0, "receive": 0} | fields)


def disk(name: str, **fields: Any) -> rv.SplitDriver:
    """A disk of U."""
    return rv.SplitDriver(name, kind="block", driver="D", frontend="U", **fields)


# ------------------------------------------------------------------ rings (8.1)


@pytest.mark.parametrize(("always", "finished"), [(False, 7), (True, 9)])
def test_rule_8_1_6_who_is_awake_costs_no_hypercall(see, always, finished):  # noqa: F811
    # three sends of 2 us; only the first finds the back end asleep, and costs a hypercall of 1 us more
    stage = Stage("back", "D/back", each=us(10), port=Port(), always=always)
    task = rv.Task("send", releases=[0], actions=[rv.submit("p")] * 3)
    seen = see([D, rv.VM("U", tasks=[task])], [Path("p", "U", (stage,), submit=us(2))], [BACK], costs=rv.Costs(hypercall=HYPERCALL))
    assert seen.finished("U/send") == [finished]
    known = [2, 5, 8] if always else [2, 5, 7]
    assert seen.stamps("p", "back.known") == known and seen.stamps("p", "back.out") == [12, 32, 32]


def test_the_causes_of_one_message_by_hand(see):  # noqa: F811
    # the second of the sends above: 3 to 5 submitted, known at 5, 7 behind the first, 10 beside the third, 10 its own
    task = rv.Task("send", releases=[0], actions=[rv.submit("p")] * 3)
    path = Path("p", "U", (Stage("back", "D/back", each=us(10), port=Port()),), submit=us(2))
    row = see([D, rv.VM("U", tasks=[task])], [path], [BACK], costs=rv.Costs(hypercall=HYPERCALL)).paths["p"][1]
    assert (row["total"], row["cost"], row["batching"]) == (us(29), us(12), us(17))


def test_rule_8_1_3_a_ring_of_one_slot_is_a_conversation(watch):
    seen = watch([D, U], [net("n", "U", ring=1, serve=us(10), tx=at(0, burst=3))])
    assert [row["ring"] for row in seen.paths["n.tx"]] == [0, us(10), us(20)] and seen.stamps("n.tx", "netback.out") == [10, 20, 30]


# ------------------------------------------------------------------ event channels (8.3)


@pytest.mark.parametrize(("second", "finished"), [(10, 109), (50, 116)])
def test_rule_8_3_3_one_kick_until_the_upcall_is_over(see, second, finished):  # noqa: F811
    # an interrupt costs who runs 5 us, the upcall 2, each port 1: two events at one instant are one interrupt
    busy = rv.Task("busy", releases=[0], wcet=us(100))
    paths = [Path(name, "U", (Stage("s", f"U/{name}", port=Port(handler=us(1))),), arrivals=at(when)) for name, when in (("a", 10), ("b", second))]
    seen = see([rv.VM("U", tasks=[busy])], paths, [Thread("U", "a"), Thread("U", "b")], upcalls={"U": (us(2), "lowest")},
               costs=rv.Costs(interrupt=INTERRUPT))
    assert seen.finished("U/busy") == [finished]


@pytest.mark.parametrize(("order", "first", "third"), [("lowest", "abc", "ac"), ("turns", "abc", "ca"), ("fifo", "cab", "ac")])
def test_rules_8_3_6_and_8_3_7_who_is_picked(see, order, first, third):  # noqa: F811
    # an upcall takes 10 us: meanwhile others become pending. First c, a, b; then b alone; then a, c: after b it is c's turn
    when = {"a": at(3, 200), "b": at(6, 100), "c": at(0, 203)}
    paths = [Path(name, "U", (Stage("s", f"U/{name}", port=Port(handler=us(1))),), arrivals=when[name]) for name in when]
    seen = see([U], paths, [Thread("U", name) for name in when], upcalls={"U": (us(10), order)})
    woken = sorted((time, name) for name in when for time in seen.upcalls(f"U/{name}"))
    assert woken == [*zip((11, 12, 13), first), (111, "b"), *zip((211, 212), third)]


def test_rule_8_3_9_a_preempted_driver_vm_keeps_the_packet_waiting(watch):
    # a packet for one that runs is taken at once, until U, boosted at 30 ms, preempts it after the ratelimit: then it is behind X again
    vms = [rv.VM("X", tasks=[rv.hog()]), rv.VM("D", tasks=[rv.hog()]), U]
    seen = watch(vms, [net("n", "U", rx=at(10_000, 30_500, 35_000))], rv.Credit(), ms(62), cpus=1)
    assert seen.stamps("n.rx", "nic.taken") == [30_000, 30_500, 61_000] and not seen.happened("boost", "D")
    assert [row["driver_wait"] for row in seen.paths["n.rx"]][0] == ms(20)


def test_rule_9_1_5_an_interrupt_is_charged_to_who_is_running(watch):
    vms = [rv.VM("X", priority=1, tasks=[rv.Task("busy", releases=[0], wcet=us(100))]), rv.VM("D", priority=2), rv.VM("U", priority=3)]
    seen = watch(vms, [net("n", "U", rx=at(10))], rv.FixedPriority(), cpus=1, costs=rv.Costs(interrupt=INTERRUPT))
    assert seen.finished("X/busy") == [105] and seen.stamps("n.rx", "nic.taken") == [105]


# ------------------------------------------------------------------ network back ends (8.4)

GUESTS = [D, rv.VM("A"), rv.VM("B")]


@pytest.mark.parametrize(("backend", "told"), [("tasklets", (80, 80)), ("kthread", (50, 80)), ("napi", (50, 80))])
def test_rule_8_4_2_tasklets_tell_each_guest_once_at_the_end_of_the_batch_of_all(watch, backend, told):
    # five packets for A and three for B at once, 10 us each: one batch for both, or a thread for each, the first device's first
    seen = watch(GUESTS, [net(name.lower(), name, backend=backend, serve=us(10), rx=at(0, burst=count)) for name, count in (("A", 5), ("B", 3))])
    assert (seen.upcalls("A/irq0"), seen.upcalls("B/irq0")) == ([told[0]], [told[1]])
    assert seen.stamps("a.rx", "netfront.known") == [told[0]] * 5 and seen.stamps("b.rx", "netfront.known") == [told[1]] * 3


def test_rule_8_4_1_the_sending_tasklet_takes_one_of_each_guest_in_turn(watch):
    devices = [net(name.lower(), name, backend="tasklets", batch=1, serve=us(10), tx=at(0, burst=3)) for name in "AB"]
    seen = watch(GUESTS, devices)
    assert seen.stamps("a.tx", "netback.out") == [10, 30, 50] and seen.stamps("b.tx", "netback.out") == [20, 40, 60]


def test_rule_8_4_3_a_kthread_tells_after_64(watch):
    seen = watch([D, U], [net("n", "U", serve=us(10), rx=at(0, burst=100))])
    assert seen.stamps("n.rx", "netfront.known") == [640] * 64 + [1000] * 36


def test_rule_8_4_5_half_of_what_is_outstanding(watch):
    # a tasklet that takes one at a time releases a page only after the next packet: answers at 20, 30 ... 80, 80.
    # Told of the 1st; then of 1 + 7 div 2 + 1 = the 5th; of 5 + 3 div 2 + 1 = the 7th; the 8th comes at the same instant
    seen = watch([D, U], [net("n", "U", backend="tasklets", batch=1, serve=us(10), ring=32, tx=at(0, burst=8))])
    assert seen.stamps("n.tx", "netfront.known") == [20, 60, 60, 60, 60, 80, 80, 80]


def test_moderation_waits_for_frames_or_for_its_time(watch):
    # the very first at once (8.1.4); then 50 us from 10 on; the third of three; 50 us from 300 on
    can = rv.PassThrough("c", frontend="U", interrupt=0, moderation=us(50), frames=3, rx=at(0, 10, 20, 100, 110, 120, 300))
    assert watch([U], [can]).stamps("c.rx", "isr.known") == [0, 60, 60, 120, 120, 120, 350]


# ------------------------------------------------------------------ block back ends (8.5)


def test_rule_8_5_1_one_pool_for_all_disks_of_a_driver_vm(watch):
    seen = watch([D, U], [disk(f"d{i}", device=ms(1), reads=at(0, burst=count)) for i, count in enumerate((32, 31, 2))], duration=ms(3))
    assert seen.stamps("d1.read", "blkback.taken") == [0] * 31 and seen.stamps("d2.read", "blkback.taken") == [0, 1000]


def test_rule_8_5_1_who_waits_for_the_pool_waits_for_no_vcpu_and_no_notification(watch):
    # one in flight: two at 0 and two at 10, 100 us each; the driver VM has nothing to do meanwhile
    rows = watch([D, U], [disk("d", pool=1, device=us(100), reads=at(0, 10, burst=2))]).paths["d.read"]
    assert [(row["cost"], row["shared"], row["total"]) for row in rows] == [(us(100), us(wait), us(100 + wait)) for wait in (0, 100, 190, 290)]


def test_a_thread_that_hangs_makes_nobody_wait_for_its_vcpu(watch):
    # known at 10, while the thread hangs from 5 to 305: the vCPU is blocked, and has nothing else to do
    hang = rv.Fault(kind="hang", target="D/n.rx", at=us(5), duration=us(300))
    [row] = watch([D, U], [net("n", "U", rx=at(10))], faults=[hang]).paths["n.rx"]
    assert (row["shared"], row["driver_wait"], row["total"]) == (us(295), 0, us(295))


def test_rules_8_5_1_and_8_5_2_submitted_together_answered_one_by_one(watch):
    seen = watch([D, U], [disk("d", serve=us(10), device=us(100), reads=at(0, burst=3))])
    assert seen.stamps("d.read", "disk.in") == [30] * 3 and seen.stamps("d.read", "blkfront.known") == [130, 230, 330]
    assert [(row["cost"], row["batching"]) for row in seen.paths["d.read"]] == [(us(110), us(20)), (us(110), us(120)), (us(110), us(220))]


# ------------------------------------------------------------------ who has to be scheduled (8.6 to 8.8)


def test_step_R8_a_boosted_guest_does_not_preempt_a_boosted_driver(watch):
    # the first of two packets is delivered at 5.3 ms, U is boosted, and waits until D blocks
    vms = [rv.VM("X", tasks=[rv.hog()]), D, U]
    seen = watch(vms, [net("n", "U", batch=1, serve=us(300), rx=at(5000, burst=2))], rv.Credit(), ms(8), cpus=1)
    assert seen.happened("boost", "D") == [5000] and seen.happened("boost", "U") == [5300]
    assert seen.stamps("n.rx", "netfront.taken") == [5600, 5600]
    assert [row["frontend_wait"] for row in seen.paths["n.rx"]] == [us(300), 0]


BUSY = [rv.VM("D", tasks=[rv.hog()]), rv.VM("U", tasks=[rv.hog()]), rv.VM("X", tasks=[rv.hog()])]


def test_steps_R3_and_R8_two_delays_of_a_packet(watch):
    # it comes 1 us after D's slice: U and X are ahead of D, then D of U
    seen = watch(BUSY, [net("n", "U", rx=at(30_001))], rv.RoundRobin(ms(30)), ms(130), cpus=1)
    [row] = seen.paths["n.rx"]
    assert (row["driver_wait"], row["frontend_wait"], row["total"]) == (ms(60) - us(1), ms(30), ms(90) - us(1))


def test_steps_B4_B8_and_B10_three_delays_of_a_read(watch):
    # submitted in U's slice at 30; D is there at 90, its disk is done at 130, D there again at 180, U at 210
    u = rv.VM("U", tasks=[rv.Task("read", releases=[0], actions=[rv.request("d.read")], priority=1), rv.hog()])
    seen = watch([BUSY[0], u, BUSY[2]], [disk("d", device=ms(40))], rv.RoundRobin(ms(30)), ms(240), cpus=1)
    [row] = seen.paths["d.read"]
    assert (row["driver_wait"], row["frontend_wait"], row["cost"], row["total"]) == (ms(110), ms(30), ms(40), ms(180))
    assert seen.finished("U/read") == [210_000]


# ------------------------------------------------------------------ VMs that are not there


def test_a_paused_driver_vm_is_told_and_looks_when_it_is_resumed(watch):
    changes = [rv.Change(us(500), "D", state="pause"), rv.Change(ms(3), "D", state="resume")]
    seen = watch([D, U], [net("n", "U", rx=at(1000))], duration=ms(4), changes=changes)
    assert seen.stamps("n.rx", "nic.known") == [1000] and seen.stamps("n.rx", "netfront.out") == [3000]
    assert seen.paths["n.rx"][0]["driver_wait"] == ms(2)


def test_before_the_driver_vm_starts_packets_are_lost_and_requests_wait(watch):
    late = rv.VM("D", start=ms(1))
    seen = watch([late, U], [net("n", "U", rx=at(0, 1500)), disk("d", reads=at(0))])
    assert [(row["dropped"], row["total"]) for row in seen.paths["n.rx"]] == [("nic", -1), ("", 0)]
    assert [(row["ring"], row["total"]) for row in seen.paths["d.read"]] == [(ms(1), ms(1))]


@pytest.mark.parametrize("device", [
    rv.PassThrough("x", frontend="U", interrupt=0, rx=at(0, 500, 1500)), rv.PolledDevice("x", frontend="U", period=us(100), rx=at(0, 500, 1500)),
    rv.EmulatedDevice("x", frontend="U", access=0, rx=at(0, 500, 1500)),
    rv.HostedDevice("x", host="U", frontend="A", host_work=0, world_switch=0, entry_back=0, rx=at(0, 500, 1500))])
def test_hardware_loses_what_comes_while_its_vm_is_down(watch, device):
    changes = [rv.Change(us(400), "U", state="crash"), rv.Change(us(600), "U", state="restart")]
    seen = watch([U, rv.VM("A")], [device], changes=changes)
    assert [bool(row["dropped"]) for row in sorted(seen.paths["x.rx"], key=lambda row: row["message"])] == [False, True, False]
    assert all(row["total"] == 0 for row in seen.paths["x.rx"] if not row["dropped"])
