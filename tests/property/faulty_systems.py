"""Random systems of devices in which all kinds of things go wrong: drivers, front ends, applications crash, hang, lie, lose interrupts."""

from __future__ import annotations

import random
from typing import Any

import rtvirt as rv
from rtvirt.system.devices import Line, Path, Plumbing, Port, Stage, Thread
from rtvirt.units import ms, us

SCHEDULERS: dict[str, Any] = {"credit": lambda rnd: rv.Credit(ratelimit=rnd.choice([0, us(500), ms(1)])), "rtds": lambda rnd: rv.RTDS(),
                              "fp": lambda rnd: rv.FixedPriority()}
QUIET, END = ms(40), ms(400)         # nothing arrives and nothing fails after the first; by the second everything has long been done


def system(seed: object, name: str) -> tuple[rv.System, Any]:
    """(system, scheduler) of one seed."""
    rnd = random.Random(f"{seed}/{name}")
    drivers, fronts = [f"d{k}" for k in range(rnd.choice([1, 1, 2]))], [f"f{k}" for k in range(rnd.randint(1, 2))]
    threads = [thread(rnd, vm, k) for vm in drivers for k in range(rnd.choice([1, 1, 2]))] + [thread(rnd, vm, 0) for vm in fronts]
    keys = {vm: [one.key for one in threads if one.vm == vm] for vm in (*drivers, *fronts)}
    paths = [path(rnd, k, rnd.choice(fronts), keys, drivers) for k in range(rnd.randint(1, 3))]
    pools = {"pool": rnd.randint(1, 3)}
    upcalls = {vm: (us(rnd.choice([0, 2])), rnd.choice(["lowest", "turns", "fifo"])) for vm in (*drivers, *fronts)}
    plumbing = Plumbing(tuple(threads), (Line("wire"),), tuple(paths), pools, upcalls)
    vms = [vm(rnd, one, paths, fronts, drivers) for one in (*drivers, *fronts, "app")]
    rnd.shuffle(vms)
    costs = rv.Costs() if rnd.random() < 0.5 else rv.Costs(interrupt=us(rnd.choice([0, 3])), hypercall=us(rnd.choice([0, 1])),
                                                           context_switch=us(rnd.choice([0, 2])), wake_path=us(rnd.choice([0, 1])))
    return rv.System(cpus=rnd.choice([1, 1, 2, 3]), vms=vms, costs=costs, devices=[rv.CustomDevice("dev", plumbing=plumbing)],
                     changes=changes(rnd, vms), faults=faults(rnd, plumbing)), SCHEDULERS[name](rnd)


def thread(rnd: random.Random, vm: str, k: int) -> Thread:
    """Woken or by the clock."""
    polled = rnd.random() < 0.1
    return Thread(vm, f"t{k}", wake=us(rnd.choice([0, 0, 3])), fixed=us(rnd.choice([0, 2])),
                  batch=rnd.choice([1, 2, 8]), order=rnd.choice(["turns", "oldest", "listed"]), period=us(300) if polled else None)


def path(rnd: random.Random, k: int, front: str, keys: dict[str, list[str]], drivers: list[str]) -> Path:
    """Received, transmitted, or there and back with a disk in between."""
    driver = rnd.choice(drivers)
    back, other, own = rnd.choice(keys[driver]), rnd.choice(keys[driver]), keys[front][0]
    kind = rnd.choice(["rx", "tx", "block"])
    servers = {"rx": [back, own], "tx": [back, "wire", own], "block": [back, "wire", other, own]}[kind]
    if kind == "rx" and rnd.random() < 0.5:
        servers = ["wire", *servers]
    stages = tuple(stage(rnd, f"s{i}", server) for i, server in enumerate(servers))
    ring: dict[str, Any] = {}
    first = servers.index(back)
    if rnd.random() < 0.75:
        last = len(servers) - 1
        ring = {"slots": rnd.choice([1, 2, 4, 8]), "enter": rnd.choice([first, last]) if kind == "rx" else first, "leave": last,
                "full": rnd.choice(["wait", "wait", "wait", "drop"]), "backlog": rnd.choice([1000, 1000, 3])}
    if kind == "block" and rnd.random() < 0.6:
        ring |= {"pool": "pool", "pool_until": 2, "enter": 0}
    if kind == "rx" or rnd.random() < 0.5:
        times = sorted(rnd.randrange(0, QUIET, us(50)) for _ in range(rnd.randint(5, 60)))
        ring["arrivals"] = rv.Arrivals(releases=times, burst=rnd.choice([1, 1, 3]))
    return Path(f"p{k}", front, stages, submit=us(rnd.choice([0, 2])), into=f"{rnd.choice([front, 'app'])}/in{k}" if rnd.random() < 0.4 else None,
                first_index=rnd.choice([0, 2**32 - 3, 2**32 - 20]), crash=rnd.choice(["reissue", "reissue", "drop"]),
                reconnect=rnd.choice([0, us(300), ms(2)]), **ring)


def stage(rnd: random.Random, name: str, server: str) -> Stage:
    """Told by a port or not, at once or later."""
    each = us(rnd.choice([0, 5, 10, 30]))
    if server == "wire":
        return Stage(name, server, each=each)
    port = Port(us(rnd.choice([0, 2])), rnd.randint(6, 8), rnd.random() < 0.4, rnd.choice([0, 0, us(100), ms(4)])) if rnd.random() < 0.8 else None
    return Stage(name, server, each=each, port=port, after=rnd.choice([1, 1, 1, 2, 0]), always=rnd.random() < 0.1,
                 timeout=rnd.choice([None, us(50), ms(1), ms(1)]), capacity=rnd.choice([None, None, None, 5]),
                 distance=us(200) if port and rnd.random() < 0.1 else None, switch=us(1))


def vm(rnd: random.Random, name: str, paths: list[Path], fronts: list[str], drivers: list[str]) -> rv.VM:
    """Its applications: who submits, who waits for answers, who gets messages, and who computes besides."""
    tasks = []
    for k, one in enumerate(paths):
        if one.into == f"{name}/in{k}":
            tasks.append(rv.Task(f"in{k}", arrival="channel", wcet=us(rnd.choice([20, 100]))))
        if one.arrivals is None and one.frontend == name:
            step = rnd.choice([rv.submit, rv.submit, rv.request])
            releases = sorted(rnd.randrange(0, QUIET, us(50)) for _ in range(rnd.randint(3, 30)))
            tasks.append(rv.Task(f"out{k}", releases=releases, actions=[rv.run(us(5)), step(one.name), rv.run(us(1))]))
    if rnd.random() < 0.3:
        tasks.append(rv.Task("other", wcet=us(rnd.choice([100, 500])), period=ms(rnd.choice([3, 7]))))
    vcpus = rnd.choice([1, 1, 1, 2])
    return rv.VM(name, tasks=tasks, vcpus=vcpus, guest="fp", budget=ms(2), period=ms(5), priority=rnd.randint(1, 3), weight=rnd.choice([256, 512]),
                 start=rnd.choice([0, 0, 0, ms(2)]))


def changes(rnd: random.Random, vms: list[rv.VM]) -> list[rv.Change]:
    """Some crash and come back, perhaps several times; some are paused for a while."""
    found = []
    for one in vms:
        at = one.start
        while rnd.random() < 0.35:
            at += us(rnd.randint(1, 150) * 100)
            back = at + us(rnd.choice([100, 300, rnd.randint(1, 90) * 100]))
            if back > QUIET:
                break
            pair = ("crash", "restart") if rnd.random() < 0.8 else ("pause", "resume")
            found += [rv.Change(time, one.name, state=state) for time, state in zip((at, back), pair, strict=True)]
            at = back
    return found


def faults(rnd: random.Random, plumbing: Plumbing) -> list[rv.Fault]:
    """A few of each kind, where there is something to hit."""
    threads = {one.key: one for one in plumbing.threads}
    ports = [f"{one.name}/{stage.name}" for one, _, stage in plumbing.ports()]
    rings = [one.name for one in plumbing.paths if one.slots and threads[one.stages[one.enter].server].vm != one.frontend]
    found = []
    for _ in range(rnd.choice([0, 1, 2, 4])):
        at = us(rnd.randint(0, QUIET // 10_000) * 10)
        kind = rnd.choice(["lost_interrupt", "spurious_interrupt", "storm", "hang", "bad_index"])
        if kind == "hang":
            found.append(rv.Fault(at, rnd.choice(list(threads)), kind, duration=us(rnd.choice([100, 1000, 20_000]))))
        elif kind == "bad_index" and rings:
            found.append(rv.Fault(at, rnd.choice(rings), kind))
        elif kind == "storm" and ports:
            found.append(rv.Fault(at, rnd.choice(ports), kind, every=us(rnd.choice([1, 7, 50])), duration=us(rnd.choice([500, 5000]))))
        elif kind in ("lost_interrupt", "spurious_interrupt") and ports:
            found.append(rv.Fault(at, rnd.choice(ports), kind, **({"count": rnd.choice([1, 3])} if kind == "lost_interrupt" else {})))
    return found


def neighbours(seed: object, name: str) -> tuple[rv.System, Any]:
    """Real-time VMs beside a driver VM and a front end of which everything fails, on one pCPU; nothing but interrupts costs anything."""
    rnd = random.Random(f"{seed}/{name}/neighbours")
    vms, room = [], 85
    for k in range(rnd.randint(1, 2)):
        period, share = ms(rnd.choice([4, 5, 10])), rnd.randint(10, 25)
        room -= share
        budget = period * share // 100
        own = period * rnd.choice([1, 2, 4])
        work = max(us(20), budget * own // period * rnd.randint(30, 90) // 100)
        task = rv.Task("t", wcet=work, period=own, deadline=4 * own, offset=us(rnd.randint(0, 50) * 100))
        vms.append(rv.VM(f"rt{k}", tasks=[task], budget=budget, period=period, priority=1))
    for vm in ("d0", "f0"):
        period = ms(rnd.choice([3, 5, 10]))
        vms.append(rv.VM(vm, budget=period * room // 200, period=period, priority=2))
    threads = [Thread("d0", "t0", batch=rnd.choice([1, 8]), fixed=us(rnd.choice([0, 5]))), Thread("f0", "t0")]
    stages = [Stage(where, f"{vm}/t0", each=us(rnd.choice([5, 50])), port=Port(us(2), late_eoi=rnd.random() < 0.5, penalty=us(rnd.choice([0, 100]))),
                    timeout=ms(1), always=rnd.random() < 0.3) for where, vm in (("s0", "d0"), ("s1", "f0"))]
    times = sorted(rnd.randrange(0, QUIET, us(50)) for _ in range(rnd.randint(5, 300)))
    rx = Path("p0", "f0", tuple(stages), arrivals=rv.Arrivals(releases=times, burst=rnd.choice([1, 10])), slots=64, leave=1)
    plumbing = Plumbing(tuple(threads), paths=(rx,), upcalls={"d0": (us(1), "lowest")})
    costs = rv.Costs(interrupt=us(rnd.choice([0, 0, 5])))
    fragile = [vm for vm in vms if vm.name in ("d0", "f0")]
    rnd.shuffle(vms)
    return rv.System(vms=vms, costs=costs, devices=[rv.CustomDevice("dev", plumbing=plumbing)], changes=changes(rnd, fragile),
                     faults=[*faults(rnd, plumbing), *faults(rnd, plumbing)]), SCHEDULERS[name](rnd)


def drops_nothing(one: rv.System) -> bool:
    """Is there nobody who may give a message up?"""
    plumbing = one.devices[0].plumb(one)
    return not any(change.state == "crash" for change in one.changes) and not any(fault.kind == "bad_index" for fault in one.faults) and \
        not any(vm.start for vm in one.vms) and all(path.full == "wait" and path.backlog == 1000 for path in plumbing.paths) and \
        all(stage.capacity is None for _, _, stage in plumbing.stages())


def stops_nowhere(one: rv.System) -> bool:
    """Is every queue looked at sooner or later? Not where a notification is lost, or held back, and no timeout helps."""
    plumbing = one.devices[0].plumb(one)
    lost = {fault.target for fault in one.faults if fault.kind == "lost_interrupt"}
    return all(stage.timeout or stage.server == "wire" or (stage.after == 1 and f"{path.name}/{stage.name}" not in lost)
               for path, _, stage in plumbing.stages())


def keeps_order(path: Path) -> bool:
    """Are a path's messages delivered in the order of their numbers? Not where the hypervisor may take one out of turn (io-model 5.3)."""
    return all(stage.distance is None for stage in path.stages)
