"""Random systems whose devices should have bounds, and attacks on those: offsets, critical instants, dense arrivals (`test_path_bounds.py`)."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import bounded_systems

import rtvirt as rv
from rtvirt.system.arrivals import Arrivals
from rtvirt.system.devices import CustomDevice, Line, Path, Plumbing, Port, Stage, Thread
from rtvirt.units import ms, us

ALWAYS, FREE = ("rtds", "fp"), ("rtds-4.5", "cbs", "bvt", "credit2")                     # no bounds beside costs
BY_DAY = (("polling-fp", "polling-edf"), ("null", "rtds-4.5", "periodic-fp", "periodic-edf"), ("arinc653", "deferrable-fp", "deferrable-edf"),
          ("sedf", "credit2", "sporadic-fp", "sporadic-edf"), ("rr", "bvt", "cbs", "rtds-extratime"))     # as the oracle's comparison compiles them
SCHEDULERS = ALWAYS + sum(BY_DAY, ())
QUICK = (*ALWAYS, "null", "arinc653", "polling-fp", "deferrable-fp", "deferrable-edf", "rr")         # every day without the JIT
CPUS = {"null": 8}
PERIODS = [ms(2), ms(3), ms(4), ms(5), ms(8), ms(10)]


def system(seed: object, name: str, *, costs: bool = False) -> tuple[rv.System, Any]:
    """(system, scheduler) of one seed."""
    rnd = random.Random(f"{seed}/{name}/paths")
    cpus = CPUS.get(name, rnd.choice([1, 1, 2]))
    common = rnd.choice(PERIODS[1:]) if rnd.random() < 0.7 else None
    hogs = 0.1 if name == "fp" else 0.7
    vms = [vm(rnd, one, cpus, common, hogs) for one in ("driver", "front", "other")]
    vms += [noise(rnd, "noise", common)] if rnd.random() < 0.5 else []
    vms = [one.replace(affinity=[rnd.randrange(cpus)]) for one in vms] if cpus > 1 and rnd.random() < 0.6 and name != "null" else vms
    device, vms = plumbed(rnd, [bounded_systems.fitted(rnd, one, name) for one in vms])
    return (rv.System(cpus=cpus, vms=vms, costs=bounded_systems.some_costs(rnd) if costs else rv.Costs(), devices=[device]),
            bounded_systems.SCHEDULERS[name](rnd, vms))


def vm(rnd: random.Random, name: str, cpus: int, common: int | None, hogs: float) -> rv.VM:
    """A VM that takes part, with some work of its own beside."""
    period = common or rnd.choice(PERIODS[1:])
    budget = us(50) * max(4, round(rnd.uniform(0.15, 0.29) * min(cpus, 2) * period / us(50)))
    tasks = [rv.Task(f"t{k}", wcet=us(rnd.randint(1, 12) * 10), period=rnd.choice(PERIODS) * rnd.choice([1, 2, 4]),
                     **({"jitter": us(rnd.randint(1, 9) * 100)} if rnd.random() < 0.3 else {})) for k in range(rnd.randint(0, 2))]
    tasks += [rv.hog()] if rnd.random() < hogs else []
    return rv.VM(name, tasks=tasks, guest=rnd.choice(["fp", "fp", "fp", "dm", "edf", "edf", "cbs", "rr", "fifo"]), budget=budget, period=period,
                 priority=rnd.choice([None, 1, 2, 3]))


def noise(rnd: random.Random, name: str, common: int | None) -> rv.VM:
    """A VM that only disturbs."""
    period = common or rnd.choice(PERIODS)
    return rv.VM(name, tasks=[rv.hog()], budget=us(50) * round(rnd.uniform(0.05, 0.2) * period / us(50)), period=period, priority=4)


def plumbed(rnd: random.Random, vms: list[rv.VM]) -> tuple[CustomDevice, list[rv.VM]]:
    """A device of one to three paths that share some threads and lines."""
    threads = [placed(rnd, vms[0], thread(rnd, "driver", f"w{k}")) for k in range(rnd.choice([1, 1, 2]))]
    if any(one.priority for one in threads):
        vms = [vms[0].replace(tasks=[task.replace(priority=rnd.randint(1, 9)) for task in vms[0].tasks]), *vms[1:]]
    fronts = [thread(rnd, "front", "softirq"), thread(rnd, "other", "softirq")]
    lines = [Line("wire"), Line("disk")]
    named = {one.name: one for one in vms}
    paths = []
    for k in range(rnd.choice([1, 1, 2, 3])):
        end = rnd.choice(["front", "other"])
        kind = rnd.choice(["rx", "rx", "tx", "read"])
        build = {"rx": receive, "tx": transmit, "read": read}[kind]
        path, tasks = build(rnd, f"p{k}.{kind}", end, rnd.choice(threads), next(one for one in fronts if one.vm == end))
        paths.append(path)
        own = named[end]
        named[end] = own.replace(tasks=(*own.tasks, *tasks))
    upcalls = {name: (us(rnd.randint(0, 3)), rnd.choice(["lowest", "turns", "fifo"])) for name in ("driver", "front", "other")}
    used = {stage.server for path in paths for stage in path.stages}
    plumbing = Plumbing(threads=tuple(one for one in (*threads, *fronts) if one.key in used), lines=tuple(lines), paths=tuple(paths), upcalls=upcalls)
    return CustomDevice("dev", plumbing=plumbing), [named[one.name] for one in vms]


def thread(rnd: random.Random, vm: str, name: str) -> Thread:
    """A thread of the kernel; polled now and then."""
    polled = {"period": rnd.choice([us(500), ms(1), ms(2)]), "offset": us(rnd.randint(0, 5) * 100)} if rnd.random() < 0.12 else {}
    return Thread(vm, name, wake=us(rnd.choice([0, 0, 1, 3])), fixed=us(rnd.choice([0, 0, 2, 5])), rest=us(rnd.choice([0, 0, 2, 4])),
                  batch=rnd.choice([1, 1, 2, 4, 16]),
                  order=rnd.choice(["turns", "oldest", "listed"]), **polled)


def placed(rnd: random.Random, driver: rv.VM, one: Thread) -> Thread:
    """A thread among the tasks of its VM now and then: with a priority, or with a server of its own."""
    if rnd.random() < 0.6 or driver.guest not in ("fp", "cbs"):
        return one
    return replace(one, priority=rnd.randint(1, 9)) if driver.guest == "fp" else replace(one, budget=us(rnd.choice([20, 100])), server_period=ms(1))


def stage(rnd: random.Random, name: str, server: str, **fields: Any) -> Stage:
    """A stage of a thread, told by a port."""
    port = Port(handler=us(rnd.choice([0, 1, 2, 4])), priority=rnd.choice([7, 3]), late_eoi=rnd.random() < 0.3)
    when: dict[str, Any] = {}
    if rnd.random() < 0.06:
        when = {"after": rnd.choice([2, 4, 0])}
    elif rnd.random() < 0.15:
        when = {"after": rnd.choice([2, 4, 0]), "timeout": us(rnd.choice([50, 200, 800]))}
    elif rnd.random() < 0.15:
        when = {"always": True}
    if rnd.random() < 0.1:
        when["capacity"] = rnd.choice([2, 8, 32])
    return Stage(name, server, each=us(rnd.choice([1, 3, 5, 10, 20])), port=port, **when, **fields)


def source(rnd: random.Random) -> Arrivals:
    """Messages from outside."""
    period = rnd.choice([us(400), us(700), ms(1), ms(2), ms(5)])
    kind = rnd.random()
    more = {"arrival": "sporadic"} if kind < 0.3 else {"jitter": us(rnd.randint(1, 20) * 50)} if kind < 0.5 else {}
    return Arrivals(period, burst=rnd.choice([1, 1, 1, 2, 3]), offset=us(rnd.randint(0, 20) * 50), **more)


def receive(rnd: random.Random, name: str, end: str, worker: Thread, softirq: Thread) -> tuple[Path, list[rv.Task]]:
    """From a wire by the driver to a front end, and perhaps to a task there."""
    interposed = {"distance": rnd.choice([us(300), ms(1)]), "switch": us(rnd.choice([1, 4]))} if rnd.random() < 0.15 else {}
    stages = [Stage("wire", "wire", each=us(rnd.choice([1, 5, 20])))] if rnd.random() < 0.5 else []
    stages += [stage(rnd, "driver", worker.key, **interposed), stage(rnd, "front", softirq.key)]
    size = {"slots": rnd.choice([3, 8, 64, 64]), "enter": len(stages) - 2, "leave": len(stages) - 1} if rnd.random() < 0.5 else {}
    into, tasks = None, []
    if rnd.random() < 0.6:
        task = f"app-{name[:2]}"
        into, tasks = f"{end}/{task}", [rv.Task(task, wcet=us(rnd.randint(1, 5) * 10), arrival="channel", deadline=rnd.choice(PERIODS))]
    ends = len(stages) - 1 if into and rnd.random() < 0.3 else None
    return Path(name, end, tuple(stages), arrivals=source(rnd), into=into, ends=ends, **size), tasks


def sender(rnd: random.Random, name: str, step: rv.system.Step) -> rv.Task:
    """A task that puts messages on a path."""
    times = rnd.choice([1, 1, 2]) if step.kind == "submit" else 1
    return rv.Task(f"{step.kind}-{name[:2]}", period=rnd.choice(PERIODS[2:]) * rnd.choice([1, 2, 4]),
                   actions=[rv.run(us(10)), *[step] * times, rv.run(us(rnd.randint(1, 5) * 5))],
                   **({"arrival": "sporadic"} if rnd.random() < 0.3 else {}))


def transmit(rnd: random.Random, name: str, end: str, worker: Thread, softirq: Thread) -> tuple[Path, list[rv.Task]]:
    """From a task by the driver to a wire."""
    stages = (stage(rnd, "driver", worker.key), Stage("wire", "wire", each=us(rnd.choice([1, 5, 20]))))
    return Path(name, end, stages, submit=us(rnd.choice([0, 2, 5]))), [sender(rnd, name, rv.submit(name))]


def read(rnd: random.Random, name: str, end: str, worker: Thread, softirq: Thread) -> tuple[Path, list[rv.Task]]:
    """A request: to the driver, the disk, the driver again, and back."""
    stages = (stage(rnd, "ask", worker.key), Stage("disk", "disk", each=us(rnd.choice([20, 100]))), stage(rnd, "done", worker.key),
              stage(rnd, "front", softirq.key))
    return Path(name, end, stages, submit=us(rnd.choice([0, 2, 5])), slots=32, enter=0, leave=3), [sender(rnd, name, rv.request(name))]


def batched(seed: object) -> tuple[rv.System, Any]:
    """A driver VM that is away for long, while messages come that its thread then takes all at once."""
    rnd = random.Random(f"{seed}/batched")
    each, period = us(rnd.choice([10, 20, 30])), ms(rnd.choice([4, 5, 8]))
    path = Path("rx", "driver", (Stage("serve", "driver/worker", each=each, port=Port()),), arrivals=Arrivals(us(rnd.choice([200, 300]))))
    device = CustomDevice("dev", plumbing=Plumbing(threads=(Thread("driver", "worker", batch=16),), paths=(path,)))
    vms = [rv.VM("driver", tasks=[rv.hog()], budget=period // 4, period=period), rv.VM("other", tasks=[rv.hog()], budget=period // 2, period=period)]
    return rv.System(vms=vms, devices=[device]), rv.RTDS()


def shared(seed: object) -> tuple[rv.System, Any]:
    """Two paths in one thread, with ports and an own VM, so that little but the other's messages keeps a message waiting."""
    rnd = random.Random(f"{seed}/shared")
    sources = [Arrivals(us(rnd.choice([500, 700, 1000])), burst=rnd.choice([1, 2, 3])) for _ in range(2)]
    paths = [Path(name, "driver", (Stage("serve", "driver/worker", each=us(each), port=Port()),), arrivals=arrivals)
             for name, each, arrivals in zip("ab", (rnd.choice([1, 5]), rnd.choice([20, 50])), sources, strict=True)]
    worker = Thread("driver", "worker", batch=rnd.choice([1, 4]), order=rnd.choice(["turns", "oldest", "listed"]))
    device = CustomDevice("dev", plumbing=Plumbing(threads=(worker,), paths=tuple(rnd.sample(paths, 2))))
    period = ms(rnd.choice([1, 2]))
    vms = [rv.VM("driver", budget=period // 2, period=period), rv.VM("other", tasks=[rv.hog()], budget=period // 4, period=period)]
    return rv.System(vms=vms, devices=[device]), rnd.choice([rv.RTDS(), rv.FixedPriority()])


def chain(seed: object) -> tuple[rv.System, Any]:
    """A task in one VM samples and submits, a task in another reads what has come last."""
    rnd = random.Random(f"{seed}/chain")
    out = Stage("out", "driver/worker", each=us(rnd.choice([5, 20])), port=Port(handler=us(2)))
    path = Path("tx", "front", (out,), submit=us(rnd.choice([0, 2])))
    worker = Thread("driver", "worker", batch=rnd.choice([1, 4]))
    device = CustomDevice("dev", plumbing=Plumbing(threads=(worker,), paths=(path,)))
    period = rnd.choice([ms(2), ms(4), ms(5)])
    sample = rv.Task("sample", period=rnd.choice([ms(2), ms(5), ms(8)]), actions=[rv.run(us(20)), rv.submit("tx")], jitter=us(rnd.choice([0, 300])))
    loop = rv.Task("loop", wcet=us(rnd.choice([50, 200])), period=rnd.choice([ms(3), ms(5), ms(10)]))
    vms = [rv.VM("front", tasks=[sample, rv.hog()], budget=period // 4, period=period),
           rv.VM("driver", tasks=[loop, rv.hog()], budget=period // 4, period=period),
           rv.VM("other", tasks=[rv.hog()], budget=period // 2, period=period)]
    return rv.System(vms=vms, devices=[device]), rv.RTDS()


# ------------------------------------------------------------------ attacks


def attacked(whole: rv.System, rnd: random.Random, length: int) -> rv.System:
    """The same with other offsets: all at once, or scattered; sporadic arrivals as dense as they may be, with pauses."""
    together = rnd.random() < 0.5
    at = rnd.choice([0, rnd.randrange(length // 3)])

    def begin(period: int) -> int:
        return at % period if together else rnd.randrange(period) // us(1) * us(1)

    def task(one: rv.Task) -> rv.Task:
        if one.is_hog or one.period is None or one.arrival == "channel":
            return one
        if one.arrival == "sporadic":
            return one.replace(releases=dense(one.period, begin(one.period), length, rnd), period=None, arrival="periodic", deadline=one.deadline)
        return one.replace(offset=begin(one.period))

    def path(one: Path) -> Path:
        if one.arrivals is None:
            return one
        period = one.arrivals.period or 1
        if one.arrivals.arrival == "sporadic":
            return replace(one, arrivals=Arrivals(releases=dense(period, begin(period), length, rnd), burst=one.arrivals.burst))
        return replace(one, arrivals=one.arrivals.replace(offset=begin(period)))

    vms = [vm.replace(tasks=tuple(task(one) for one in vm.tasks)) for vm in whole.vms]
    devices = [CustomDevice(one.name, plumbing=replace(one.plumbing, paths=tuple(path(p) for p in one.plumbing.paths))) for one in whole.devices]
    return whole.replace(vms=vms, devices=devices)


def dense(period: int, at: int, length: int, rnd: random.Random) -> list[int]:
    """Arrivals at their least distance, with a pause now and then."""
    found = []
    while at < length:
        found.append(at)
        at += period + (rnd.randrange(2 * period) if rnd.random() < 0.15 else 0)
    return found or [0]
