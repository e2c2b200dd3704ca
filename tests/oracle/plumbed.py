"""Random small systems with devices laid out by hand, in which things coincide often."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import rtvirt as rv
from rtvirt.system.devices import CustomDevice, Line, Path, Plumbing, Port, Stage, Thread
from rtvirt.units import ms, us

from .systems import GUESTS, LATER_GUESTS, SCHEDULERS, budget, costs, own_fields, tables


def short(rnd: random.Random, most: int = 40) -> int:
    """A piece of work, mostly on a grid, now and then none."""
    return rnd.choice([0, us(1), us(5), us(10), us(10), us(20), us(most), us(50), rnd.randint(1, 30_000)])


def path_of(rnd: random.Random, name: str, vms: dict[str, dict[str, Any]], threads: list[Thread], lines: list[Line], pools: dict[str, int]) -> Path:
    """A path through some of the threads and lines; what arrives by itself does so for 10 ms."""
    frontend = rnd.choice(list(vms))
    stages = []
    for i in range(rnd.choice([1, 2, 2, 3, 4])):
        server = rnd.choice([*threads, *threads, *lines])
        more: dict[str, Any] = {"capacity": rnd.choice([None] * 9 + [1, 2, 5])}
        if isinstance(server, Thread):
            more |= {"after": rnd.choice([1, 1, 1, 2, 3, 0]), "always": rnd.random() < 0.15}
            more["timeout"] = rnd.choice([None, us(50), us(100), us(300), 1])
            if rnd.random() < 0.6:
                more["port"] = Port(handler=short(rnd), priority=rnd.choice([7, 7, 0, 15]), late_eoi=rnd.random() < 0.3)
            if "port" in more and rnd.random() < 0.25:
                more |= {"distance": rnd.choice([us(100), us(500), ms(1)]), "switch": rnd.choice([0, us(1), us(2)])}
        stages.append(Stage(f"s{i}", server.key, each=short(rnd, 100 if isinstance(server, Line) else 20), **more))
    last = len(stages) - 1
    enter = rnd.choice([0, 0, rnd.randint(0, last)])
    leave = rnd.randint(enter, last)
    pool = rnd.choice([None, *pools])
    return Path(
        name, frontend, tuple(stages), arrivals=arrivals(rnd) if rnd.random() < 0.6 else None, submit=short(rnd), slots=rnd.choice([None, 1, 2, 4]),
        enter=enter, leave=leave, full=rnd.choice(["wait", "wait", "wait", "drop"]), backlog=rnd.choice([1000] * 6 + [1, 3]), pool=pool,
        pool_until=rnd.randint(enter, last), into=rnd.choice([None, *(f"{vm}/c" for vm, one in vms.items() if one["channel"])]),
        ends=rnd.choice([None, None, rnd.randint(0, last)]), first_index=rnd.choice([0, 0, 2**32 - 3, 2**32 - 1]),
        crash=rnd.choice(["reissue", "reissue", "drop"]), reconnect=rnd.choice([0, 0, us(100), ms(1)]))


def arrivals(rnd: random.Random) -> rv.Arrivals:
    """A source."""
    burst = rnd.choice([1, 1, 2, 4])
    if rnd.random() < 0.2:
        return rv.Arrivals(releases=sorted(us(100) * rnd.randint(0, 60) for _ in range(6)), burst=burst)
    period = rnd.choice([us(100), us(200), us(500), ms(1), us(700), ms(2)])
    return rv.Arrivals(period * burst, arrival=rnd.choice(["periodic", "periodic", "sporadic", "poisson"]), burst=burst,
                       offset=rnd.choice([0, 0, us(100), us(350)]), jitter=rnd.choice([0, 0, us(50), us(300)]))


def thread_of(rnd: random.Random, name: str, vm: str, one: dict[str, Any]) -> Thread:
    """A thread of any kind."""
    own: dict[str, Any] = {}
    if rnd.random() < 0.6 and one["guest"] == "fp" and one["ranked"]:
        own["priority"] = rnd.randint(1, 3)
    if one["guest"] == "cbs" and rnd.random() < 0.4:
        own |= {"budget": us(rnd.choice([50, 200])), "server_period": rnd.choice([us(500), ms(1)])}
    if rnd.random() < 0.15:
        own |= {"period": rnd.choice([us(200), us(500), ms(1)]), "offset": rnd.choice([0, us(100)])}
    return Thread(vm, name, vcpu=rnd.randrange(one["vcpus"]), wake=rnd.choice([0, 0, us(2), us(10)]), fixed=short(rnd),
                  rest=rnd.choice([0, 0, 0, us(5), us(20)]),
                  batch=rnd.choice([1, 1, 2, 3, 8]), order=rnd.choice(["turns", "oldest", "listed"]), **own)


def script(rnd: random.Random, paths: list[str]) -> list[rv.system.Step]:
    """Submits, requests, and what lies between."""
    steps = []
    for _ in range(rnd.randint(1, 5)):
        step = rnd.choice(["submit", "submit", "request", "request", "run", "block", "yield", "trap"])
        if step in ("submit", "request"):
            steps.append((rv.submit if step == "submit" else rv.request)(rnd.choice(paths)))
        else:
            length = us(rnd.choice([1, 10, 50, 100, 300]))
            steps.append({"run": rv.run(length), "block": rv.block(length), "yield": rv.yield_(), "trap": rv.trap(length)}[step])
    return steps


def tasks_of(rnd: random.Random, vm: str, one: dict[str, Any], paths: list[str]) -> list[rv.Task]:
    """What a VM does beside its devices' work."""
    tasks = []

    def add(name: str, **fields: Any) -> None:
        fields |= {"priority": rnd.randint(1, 3)} if one["ranked"] else budget(rnd, one["guest"])
        if one["vcpus"] > 1 and rnd.random() < 0.4:
            fields["vcpu"] = rnd.randrange(one["vcpus"])
        tasks.append(rv.Task(name, **fields))

    def when() -> dict[str, Any]:
        return {"period": rnd.choice([us(300), us(500), ms(1), ms(3)]), "offset": rnd.choice([0, 0, us(100)]), "jitter": rnd.choice([0, 0, us(70)])}

    for i in range(rnd.choice([0, 1, 1, 2]) if paths else 0):
        add(f"u{i}", actions=script(rnd, paths), **when())
    if rnd.random() < 0.4:
        add("t", wcet=rnd.choice([us(20), us(100), [us(50), us(300)]]), **when())
    if one["channel"]:
        work = {"wcet": rnd.choice([us(10), us(50), [us(5), us(30)], rv.exponential(us(20))])}
        add("c", arrival="channel", **rnd.choice([work, work, {"actions": [rv.run(us(10)), rv.block(us(20)), rv.run(us(5))]}]))
    if rnd.random() < 0.4:
        tasks.append(rv.hog())
    return tasks


def changes(rnd: random.Random, vms: list[str]) -> list[rv.Change]:
    """Crashes, restarts, pauses."""
    found: list[rv.Change] = []
    for vm in vms:
        if rnd.random() < 0.25:
            at = rnd.choice([ms(rnd.randint(1, 5)), us(100) * rnd.randint(10, 60), rnd.randint(ms(1), ms(6))])
            kind = rnd.choice(["pause", "crash", "crash", "crash"])
            for _ in range(rnd.choice([1, 1, 2])):
                found.append(rv.Change(at, vm, state=kind))
                at += rnd.choice([us(100), us(100), ms(1), us(1300)])
                found.append(rv.Change(at, vm, state="resume" if kind == "pause" else "restart"))
                at += rnd.choice([us(50), us(100), ms(1)])
            if rnd.random() < 0.3:
                found.pop()
    return found


def faults(rnd: random.Random, plumbing: Plumbing, changes: list[rv.Change]) -> list[rv.Fault]:
    """What goes wrong with devices; often at the instant at which something else happens."""
    vms = {thread.key: thread.vm for thread in plumbing.threads}
    ports = [f"{path.name}/{stage.name}" for path, _, stage in plumbing.ports()]
    rings = [path.name for path in plumbing.paths if path.slots and vms.get(path.stages[path.enter].server, path.frontend) != path.frontend]
    kinds = ["hang", "hang"] + ["lost_interrupt", "lost_interrupt", "spurious_interrupt", "storm"] * bool(ports) + ["bad_index"] * 2 * bool(rings)
    found = []
    for _ in range(rnd.choice([1, 2, 3, 6])):
        kind = rnd.choice(kinds)
        more: dict[str, Any] = {}
        if kind == "lost_interrupt":
            more = {"count": rnd.choice([1, 1, 2, 5])}
        elif kind == "storm":
            more = {"every": rnd.choice([1_500, us(10), us(50), us(130)]), "duration": us(rnd.choice([1, 100, 300, 1_000]))}
        elif kind == "hang":
            more = {"duration": rnd.choice([None, us(1), us(100), us(500), ms(1), ms(3)])}
        at = rnd.choice([0, us(100) * rnd.randint(1, 60), us(100) * rnd.randint(1, 60), us(10) * rnd.randint(1, 600), rnd.randint(0, ms(6)),
                         *(change.at for change in changes)])
        found.append(rv.Fault(at, rnd.choice({"hang": list(vms), "bad_index": rings}.get(kind, ports)), kind, **more))
    return found


def punishing(rnd: random.Random, path: Path) -> Path:
    """The same path; more of its ports are masked until their threads sleep, and longer."""
    def port(one: Port | None) -> Port | None:
        if one is None or rnd.random() < 0.4:
            return one
        return replace(one, late_eoi=True, penalty=rnd.choice([0, us(10), us(100), us(100), ms(1), ms(300)]))

    return replace(path, stages=tuple(replace(stage, port=port(stage.port)) for stage in path.stages))


def system(seed: int, name: str) -> tuple[rv.System, Any, int]:
    """(system, scheduler, duration) of one seed."""
    rnd = random.Random(f"{seed}/{name}/plumbed")
    cpus = rnd.choice([1, 1, 2, 3])
    vms: dict[str, dict[str, Any]] = {}
    for i in range(rnd.choice([2, 2, 3, 4])):
        guest = rnd.choice([*GUESTS, *LATER_GUESTS])
        vms[f"v{i}"] = {"guest": guest, "vcpus": rnd.choice([1, 1, 1, 2, 3]), "ranked": guest in ("fp", "dm") and rnd.random() < 0.6,
                        "channel": rnd.random() < 0.5}
    threads = [thread_of(rnd, f"w{i}", vm, vms[vm]) for i in range(rnd.randint(1, 5)) for vm in [rnd.choice(list(vms))]]
    lines = [Line(f"l{i}") for i in range(rnd.choice([0, 1, 1, 2]))]
    pools = {"p0": rnd.randint(1, 4)} if rnd.random() < 0.4 else {}
    paths = [path_of(rnd, f"d.{i}", vms, threads, lines, pools) for i in range(rnd.randint(1, 4))]
    own = random.Random(f"{seed}/{name}/faults")     # seeds mean the rest as before
    fails = own.random() < 0.35
    if fails and own.random() < 0.5:
        paths = [punishing(own, path) for path in paths]
    upcalls = {vm: (short(rnd), rnd.choice(["lowest", "turns", "fifo"])) for vm in vms if rnd.random() < 0.8}
    plumbing = Plumbing(tuple(threads), tuple(lines), tuple(paths), pools, upcalls)
    built = []
    for vm, one in vms.items():
        asked = [path.name for path in paths if path.frontend == vm and path.arrivals is None]
        affinity = None if rnd.random() < 0.7 else sorted(rnd.sample(range(cpus), rnd.randint(1, cpus)))
        fields = dict(tasks=tasks_of(rnd, vm, one, asked), vcpus=one["vcpus"], guest=one["guest"], weight=rnd.choice([64, 256, 256, 512]),
                      cap=rnd.choice([0, 0, 0, 50]), priority=rnd.choice([None, 1, 2, 3]), period=rnd.choice([None, ms(5), ms(10)]),
                      start=rnd.choice([0, 0, 0, 0, us(500)]), affinity=affinity, quantum=us(rnd.choice([30, 100, 1000])))
        built.append(rv.VM(vm, **fields | own_fields(rnd, one["vcpus"], name)))
    paid, happens = costs(rnd, name), changes(rnd, list(vms))
    whole = rv.System(cpus=cpus, vms=built, costs=paid, changes=happens, devices=[CustomDevice("d", plumbing=plumbing)],
                      faults=faults(own, plumbing, happens) if fails else [])
    scheduler = tables(rnd, built) if name == "arinc653" else SCHEDULERS[name](rnd)
    return whole, scheduler, ms(rnd.choice([4, 7, 10]))
