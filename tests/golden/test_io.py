"""The golden scenarios of docs/xen-rules.md 10.7 that whole systems can show, asked of the engine and of the oracle alike.

The arithmetic of rings is in test_rings.py, the number of ports in tests/unit; timers (G-I-27, G-I-29) are not of devices.
"""

from __future__ import annotations

from typing import Any

import pytest
from oracle.faults import FaultyWorld
from oracle.test_equal import policy

import rtvirt as rv
from rtvirt.system.devices import CAUSES, CustomDevice, Line, Path, Plumbing, Port, Stage, Thread, expanded
from rtvirt.system.devices.plumbing import BLOCK_SLOTS, NET_SLOTS
from rtvirt.units import ms, us

Rows = list[dict[str, Any]]


class Seen:
    """A run by the engine or by the oracle, in the same words; times in us."""

    def __init__(self, who: str, system: rv.System, scheduler: Any, duration: int) -> None:
        whole, self.plumbing = expanded(system)
        owners = [(vm.name, k) for vm in whole.vms for k in range(vm.vcpus)]
        tasks = [f"{vm.name}/{task.name}" for vm in whole.vms for task in vm.tasks]
        self.paths: dict[str, Rows] = {}
        if who == "engine":
            run = rv.simulate(system, scheduler, duration).check()
            self.events = [(row.time / 1e3, *owners[v], row.event) for row, v in zip(run.events.itertuples(), run.recording.events["vcpu"])]
            self.jobs = [(f"{row.vm}/{row.task}", row.release / 1e3) for row in run.jobs.itertuples()]
            self.ends = [(f"{row.vm}/{row.task}", row.finish / 1e3) for row in run.jobs.itertuples()]
            for path in self.plumbing.paths:
                self.paths[path.name] = run.paths[path.name].to_dict("records")
        else:
            world = FaultyWorld(system, lambda world: policy(scheduler)(world, scheduler), duration, 0).run()
            self.events = [(at / 1e3, *owners[v], event) for at, _, v, event, _ in world.events]
            self.jobs = [(tasks[task], release / 1e3) for task, release, *_ in world.jobs]
            self.ends = [(tasks[task], finish / 1e3) for task, _, _, finish, *_ in world.jobs]
            for path in self.plumbing.paths:
                self.paths[path.name] = [self.named(path, row) for row in world.paths[path.name]]

    @staticmethod
    def named(path: Path, row: tuple[int, ...]) -> dict[str, Any]:
        """A row of the oracle as one of the run's table."""
        stamps = [f"{stage.name}.{stamp}" for stage in path.stages for stamp in ("in", "known", "taken", "out")]
        found = dict(zip(["message", "dropped", "total", *CAUSES, *stamps], row, strict=False))
        return found | {"dropped": "" if row[1] < 0 else [*(stage.name for stage in path.stages), "app"][row[1]]}

    def stamps(self, path: str, column: str) -> list[float]:
        """A column by message [us]; -1 for what was not reached."""
        rows = sorted(self.paths[path], key=lambda row: row["message"])
        return [row[column] if row[column] < 0 else row[column] / 1e3 for row in rows]

    def upcalls(self, task: str) -> list[float]:
        """When an `irq` task (or another) got a job [us]."""
        return sorted(at for name, at in self.jobs if name == task)

    def finished(self, task: str) -> list[float]:
        """When a task's jobs were done [us]."""
        return sorted(at for name, at in self.ends if name == task)

    def happened(self, event: str, vm: str, vcpu: int = 0) -> list[float]:
        """When something happened to a vCPU [us]."""
        return [at for at, *who, what in self.events if who == [vm, vcpu] and what == event]


@pytest.fixture(params=["engine", "oracle"])
def see(request):
    """Run a system."""
    def look(vms: list[rv.VM], paths: list[Path], threads: list[Thread], scheduler: Any = None, duration: int = ms(2), cpus: int = 2,
             lines: tuple[str, ...] = (), pools: dict[str, int] | None = None, upcalls: dict[str, tuple[int, str]] | None = None,
             costs: rv.Costs | None = None) -> Seen:
        plumbing = Plumbing(tuple(threads), tuple(Line(name) for name in lines), tuple(paths), pools or {}, upcalls or {})
        system = rv.System(cpus=cpus, vms=vms, devices=[CustomDevice("device", plumbing=plumbing)], costs=costs or rv.Costs())
        return Seen(request.param, system, scheduler or rv.Null(), duration)

    return look


D, U = rv.VM("D"), rv.VM("U")
BACK, FRONT = Thread("D", "back", batch=5), Thread("U", "front", batch=64)


def burst(count: int, at: int = 0, **more: Any) -> rv.Arrivals:
    """So many at once."""
    return rv.Arrivals(releases=[at], burst=count, **more)


def ring(first_index: int = 0, arrivals: rv.Arrivals | None = None, after: int = 1, **more: Any) -> Path:
    """From the back end, 10 us a message, over a ring to the front end, which takes no time."""
    stages = (Stage("back", "D/back", each=us(10)), Stage("front", "U/front", port=Port(), after=after))
    return Path("p", "U", stages, arrivals=arrivals or burst(5), first_index=first_index, **more)


WRAPS = pytest.mark.parametrize("first", [0, 2**32 - 3])


@WRAPS
def test_G_I_03_five_at_once_are_one_notify(see, first):
    seen = see([D, U], [ring(first, burst(5))], [BACK, FRONT])
    assert seen.stamps("p", "front.known") == [50] * 5 and seen.upcalls("U/irq0") == [50]


@WRAPS
def test_G_I_04_after_the_final_check_the_next_push_notifies(see, first):
    seen = see([D, U], [ring(first, rv.Arrivals(releases=[0, us(200), us(400)]))], [BACK, FRONT])
    assert seen.upcalls("U/irq0") == [10, 210, 410] == seen.stamps("p", "front.taken")


@pytest.mark.parametrize("first", [2**32 - 16, 2**32 - 1])
def test_G_I_06_nothing_changes_where_indices_wrap(see, first):
    runs = [see([D, U], [ring(index, burst(40), after=0, slots=16, leave=1)], [BACK, FRONT]) for index in (0, first)]
    assert runs[0].paths == runs[1].paths and runs[0].events == runs[1].events


def window(see: Any, batch: int) -> Seen:
    """30 requests; a back end that was told by all at once (`after` 30) answers `batch` at a time."""
    stages = (Stage("back", "D/back", each=us(1), after=30), Stage("front", "U/front", port=Port(), after=0))
    return see([D, U], [Path("p", "U", stages, arrivals=burst(30), slots=32, leave=1)], [Thread("D", "back", batch=batch), FRONT])


def test_G_I_07_half_of_the_window_is_silent(see):
    # reaped to 10 with 30 requested: rsp_event = 10 + 20 div 2 + 1 = 21
    seen = window(see, 10)
    assert seen.stamps("p", "front.known") == [10] * 10 + [30] * 20 and seen.upcalls("U/irq0") == [10, 30]


def test_G_I_08_varied_a_push_across_the_event_index_notifies(see):
    # reaped to 7 with 30 requested: rsp_event = 7 + 23 div 2 + 1 = 19; 7 -> 14 is silent, 14 -> 21 crosses it; then 21 + 9 div 2 + 1 = 26
    seen = window(see, 7)
    assert seen.stamps("p", "front.known") == [7] * 7 + [21] * 14 + [28] * 7 + [30] * 2 and seen.upcalls("U/irq0") == [7, 21, 28, 30]


def test_G_I_09_too_few_responses_never_notify(see):
    # rsp_event = 10 + 11, and only five more ever come: nobody looks, and no timeout is there
    stages = (Stage("wire", "wire"), Stage("front", "U/front", port=Port(), after=11))
    seen = see([U], [Path("p", "U", stages, arrivals=rv.Arrivals(releases=[us(k) for k in range(16)]))], [FRONT], lines=("wire",))
    assert seen.stamps("p", "front.known") == [0] + [11] * 11 + [-1] * 4
    timed = Stage("front", "U/front", port=Port(), after=11, timeout=us(100))
    seen = see([U], [Path("p", "U", (stages[0], timed), arrivals=rv.Arrivals(releases=[us(k) for k in range(16)]))], [FRONT], lines=("wire",))
    assert seen.stamps("p", "front.known") == [0] + [11] * 11 + [112] * 4


def test_G_I_10_sizes_of_rings():
    assert (NET_SLOTS, BLOCK_SLOTS) == (256, 32)


def test_G_I_11_a_full_ring_makes_wait(see):
    seen = see([D, U], [ring(0, burst(33), slots=32, leave=1)], [Thread("D", "back", batch=1), FRONT])
    rows = {row["message"]: row for row in seen.paths["p"]}
    assert [rows[k]["ring"] for k in (31, 32)] == [0, us(10)] and rows[32]["back.in"] == us(10)       # as soon as the first is reaped


def test_G_I_12_what_comes_at_the_instant_of_the_final_check_is_not_lost(see):
    # the back end is done with the first at 10 us exactly; what comes 1 ns before, then, and after is served at once
    arrivals = rv.Arrivals(releases=[0, us(10) - 1, us(20), us(30)])
    seen = see([D, U], [ring(0, arrivals)], [BACK, FRONT])
    assert seen.stamps("p", "front.out") == [10, 20, 30, 40]


def test_G_I_14_a_masked_port_gives_one_upcall_when_it_is_unmasked(see):
    stage = Stage("front", "U/front", each=us(50), port=Port(handler=us(1), late_eoi=True), always=True)
    path = Path("p", "U", (stage,), arrivals=rv.Arrivals(releases=[0, us(10), us(20)]))
    seen = see([U], [path], [Thread("U", "front", batch=8)])
    # taken at 1, then both others; all are done at 151, where the port is unmasked
    assert seen.stamps("p", "front.out") == [51, 151, 151] and seen.upcalls("U/irq0") == [0, 151]


def test_G_I_33_a_pending_event_keeps_from_blocking(see):
    stage = Stage("front", "U/front", each=us(50), port=Port(handler=us(1), late_eoi=True), always=True)
    seen = see([U], [Path("p", "U", (stage,), arrivals=rv.Arrivals(releases=[0, us(10)]))], [FRONT])
    assert 101 not in seen.happened("block", "U") and 102 in seen.happened("block", "U")


def sent_at(*at: int, cpus: int = 1) -> Path:
    """Something from outside reaches U at these instants."""
    return Path("p", "U", (Stage("front", "U/front", each=us(100), port=Port()),), arrivals=rv.Arrivals(releases=list(at)))


def test_G_I_15_a_send_to_a_blocked_UNDER_vcpu_boosts_it(see):
    seen = see([rv.VM("X", tasks=[rv.hog()]), U], [sent_at(ms(5))], [FRONT], rv.Credit(), ms(8), cpus=1)
    assert seen.happened("wake", "U") == seen.happened("boost", "U") == seen.happened("dispatch", "U") == [5000]


def test_G_I_16_a_send_to_a_blocked_OVER_vcpu_does_not(see):
    # U has computed for 40 ms, and is OVER from the accounting at 30 ms on; it blocks at 80 ms, and is woken 1 ms later
    u = rv.VM("U", weight=1, tasks=[rv.Task("busy", releases=[0], wcet=ms(40))])
    seen = see([u, rv.VM("X", tasks=[rv.hog()], weight=1000)], [sent_at(ms(300))], [FRONT], rv.Credit(), ms(310), cpus=1)
    assert 300_000 in seen.happened("wake", "U") and 300_000 not in seen.happened("boost", "U")


def test_G_I_17_a_send_to_a_preempted_vcpu_is_only_pending(see):
    u = rv.VM("U", tasks=[rv.hog()])
    seen = see([rv.VM("X", tasks=[rv.hog()]), u], [sent_at(ms(10))], [FRONT], rv.Credit(), ms(40), cpus=1)
    assert seen.happened("wake", "U") == seen.happened("boost", "U") == []
    assert seen.stamps("p", "front.taken") == [30_000]                                    # X's timeslice is over
    assert seen.paths["p"][0]["frontend_wait"] == ms(20)


def test_G_I_18_the_vcpu_to_which_the_port_is_bound_is_woken(see):
    u = rv.VM("U", vcpus=2, tasks=[rv.Task("busy", releases=[0], wcet=ms(2), vcpu=0)])
    seen = see([u], [sent_at(ms(1))], [Thread("U", "front", vcpu=1)], duration=ms(3))
    assert seen.happened("wake", "U", 1) == [1000] and seen.stamps("p", "front.taken") == [1000]


def rarely_sent(see: Any, order: str) -> list[float]:
    """Port 0 is sent again during each handling, port 1 once; when the thread of port 1 is woken [us]."""
    low = Path("low", "U", (Stage("a", "U/a", port=Port(handler=us(10)), always=True),),
               arrivals=rv.Arrivals(releases=[0, *range(us(5), us(200), us(10))]))
    high = Path("high", "U", (Stage("b", "U/b", port=Port(handler=us(10))),), arrivals=rv.Arrivals(releases=[us(3)]))
    return see([U], [low, high], [Thread("U", "a"), Thread("U", "b")], upcalls={"U": (0, order)}, duration=us(200)).upcalls("U/b")


def test_G_I_20_in_turns_the_other_port_is_served_next(see):
    assert rarely_sent(see, "turns") == [20]


def test_G_I_20_varied_lowest_first_starves_it(see):
    assert rarely_sent(see, "lowest") == []


def test_G_I_21_the_more_urgent_port_is_served_first(see):
    def order(first: int, second: int) -> list[float]:
        paths = [Path(name, "U", (Stage("s", f"U/{name}", port=Port(handler=us(10), priority=priority)),), arrivals=rv.Arrivals(releases=[0]))
                 for name, priority in (("a", first), ("b", second))]
        late = [Thread("U", "a", vcpu=0), Thread("U", "b", vcpu=0)]
        seen = see([U], paths, late, upcalls={"U": (us(1), "fifo")})
        return sorted([("a", job) for job in seen.upcalls("U/a")] + [("b", job) for job in seen.upcalls("U/b")], key=lambda pair: pair[1])

    assert order(7, 0) == [("b", 11), ("a", 21)] and order(7, 7) == [("a", 11), ("b", 21)]


def test_G_I_26_the_65th_request_waits_for_the_pool(see):
    paths = [Path(f"disk{i}", "U", (Stage("back", f"D/back{i}"), Stage("disk", f"disk{i}", each=ms(1))), arrivals=burst(count), slots=32,
                  leave=1, pool="requests", pool_until=1) for i, count in enumerate((32, 32, 1))]
    seen = see([D, U], paths, [Thread("D", f"back{i}", batch=32) for i in range(3)], lines=("disk0", "disk1", "disk2"),
               pools={"requests": 64}, duration=ms(3))
    assert seen.stamps("disk0", "back.taken") == seen.stamps("disk1", "back.taken") == [0] * 32
    assert seen.stamps("disk2", "back.known") == [0] and seen.stamps("disk2", "back.taken") == [1000]       # the first request has ended


@pytest.mark.parametrize(("at", "dispatched"), [(us(300), 1000), (ms(4), 4000)])
def test_G_I_32_a_boosted_front_end_waits_for_the_ratelimit_of_the_back_end(see, at, dispatched):
    task = rv.Task("service", releases=[0], actions=[rv.run(at), rv.submit("p"), rv.run(ms(5))])
    path = Path("p", "D", (Stage("front", "U/front", each=us(10), port=Port()),))
    seen = see([rv.VM("D", tasks=[task]), U], [path], [FRONT], rv.Credit(), ms(12), cpus=1)
    assert seen.happened("boost", "U") == [at / 1e3] and seen.stamps("p", "front.taken") == [dispatched]
