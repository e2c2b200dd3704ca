"""Random small systems in which things coincide often."""

from __future__ import annotations

import random
from typing import Any

import rtvirt as rv
from rtvirt.units import ms, us

SCHEDULERS = {
    "credit-4.17": lambda rnd: rv.Credit(**credit_options(rnd)),
    "credit-4.22": lambda rnd: rv.Credit(xen="4.22", **bounded(rnd, credit_options(rnd))),
    "credit-3.1": lambda rnd: rv.Credit(xen="3.1"), "credit-3.0.3": lambda rnd: rv.Credit(xen="3.0.3"),
    "rr": lambda rnd: rv.RoundRobin(quantum=ms(rnd.choice([1, 5, 10]))), "fp": lambda rnd: rv.FixedPriority(), "null": lambda rnd: rv.Null(),
    "rtds-4.17": lambda rnd: rv.RTDS(replenish_by=rnd.choice(["priority", "priority", "deadline"])),
    "credit2-4.17": lambda rnd: rv.Credit2(**credit2_options(rnd)), "credit2-4.9": lambda rnd: rv.Credit2(xen="4.9", **credit2_options(rnd)),
    "rtds-4.22": lambda rnd: rv.RTDS(xen="4.22"), "rtds-4.5": lambda rnd: rv.RTDS(xen="4.5"),
    "arinc653": lambda rnd: rv.ARINC653(), "sedf": lambda rnd: rv.SEDF(),
    "bvt": lambda rnd: rv.BVT(units=rnd.choice(rv.BVT.UNITS), ctx_allow=rnd.choice([ms(5), ms(5), ms(1), us(300)])),
    "servers-polling": lambda rnd: rv.PollingServers(rnd.choice(["fp", "edf"])),
    "servers-periodic": lambda rnd: rv.PeriodicServers(rnd.choice(["fp", "edf"])),
    "servers-deferrable": lambda rnd: rv.DeferrableServers(rnd.choice(["fp", "edf"])),
    "servers-sporadic": lambda rnd: rv.SporadicServers(rnd.choice(["fp", "edf"]), pieces=rnd.choice([1, 2, 3, 64, 64, 64])),
    "servers-cbs": lambda rnd: rv.CBS(hard=rnd.random() < 0.5),
    "guests": lambda rnd: rnd.choice([rv.FixedPriority(), rv.RoundRobin(quantum=ms(3))]),
}
GUESTS, LATER_GUESTS = ["fp", "edf", "rr", "fifo"], ["dm", "cbs", "cbs"]     # seeds of older schedulers mean the same systems as before


def credit_options(rnd: random.Random) -> dict[str, int]:
    """Time slices and ratelimits."""
    timeslice = ms(rnd.choice([1, 2, 5, 30, 30, 30]))
    return {"timeslice": timeslice, "ratelimit": min(timeslice, rnd.choice([0, us(500), ms(1)]))}


def bounded(rnd: random.Random, options: dict[str, int]) -> dict[str, int]:
    """Now and then a budget for boosts; of its own random numbers, so that seeds mean the rest as before."""
    own = random.Random(str((rnd.getstate()[1][:8], options)))
    if own.random() < 0.5:
        return options
    period = own.choice([ms(10), ms(10), ms(5), us(700), ms(40)])
    return options | {"boost_period": period, "boost_budget": own.choice([0, us(50), us(300), period // 4, period // 2, period])}


def credit2_options(rnd: random.Random) -> dict[str, Any]:
    """Ratelimits and run queues."""
    return {"ratelimit": rnd.choice([0, us(100), us(500), ms(1), ms(1), ms(20)]), "runqueue": rnd.choice(["socket", "socket", "cpu"]),
            "max_cpus": rnd.choice([16, 16, 2])}


def grid(rnd: random.Random, low: float, high: float) -> int:
    """A time, mostly on a coarse grid."""
    t = rnd.uniform(low, high)
    return max(1, ms(round(t))) if rnd.random() < 0.7 and t >= 1 else max(1, us(100 * round(10 * t)), us(rnd.randint(1, 99)))


def demand(rnd: random.Random) -> Any:
    """An execution time."""
    kind = rnd.random()
    if kind < 0.6:
        return grid(rnd, 0.2, 6)
    if kind < 0.8:
        return [grid(rnd, 0.1, 8) for _ in range(rnd.randint(1, 4))]
    return rnd.choice([rv.uniform(us(100), ms(4)), rv.exponential(ms(1)), rv.normal(ms(2), us(500)), rv.empirical([us(300), ms(1), ms(7)])])


def script(rnd: random.Random, targets: list[str]) -> list[Any]:
    """Steps."""
    steps = []
    for _ in range(rnd.randint(1, 6)):
        kind = rnd.random()
        if kind < 0.5:
            steps.append(rv.run(grid(rnd, 0.1, 5)))
        elif kind < 0.7:
            steps.append(rv.block(grid(rnd, 0.5, 12)))
        elif kind < 0.85 or not targets:
            steps.append(rv.yield_())
        else:
            steps.append(rv.send(rnd.choice(targets)))
    return steps


def trapping(rnd: random.Random, whole: rv.System) -> rv.System:
    """The same with traps in some scripts, and in some tasks that had none; of its own random numbers, so that seeds mean the rest as before."""
    if rnd.random() < 0.6:
        return whole

    def trapped(one: rv.Task) -> rv.Task:
        if one.is_hog or rnd.random() < 0.4:
            return one
        steps = list(one.actions or [rv.run(grid(rnd, 0.1, 2))])
        for _ in range(rnd.randint(1, 5)):
            steps.insert(rnd.randint(0, len(steps)), rv.trap(rnd.choice([1, us(4), us(100), ms(1), ms(1), ms(3), ms(12)])))
        return one.replace(actions=steps, wcet=None)

    return whole.replace(vms=[vm.replace(tasks=[trapped(one) for one in vm.tasks]) for vm in whole.vms])


def task(rnd: random.Random, name: str, vcpus: int, targets: list[str], extra: dict[str, Any]) -> rv.Task:
    """A task of any kind."""
    if vcpus > 1 and rnd.random() < 0.3:
        extra["vcpu"] = rnd.randrange(vcpus)
    work = {"actions": script(rnd, targets)} if rnd.random() < 0.25 else {"wcet": demand(rnd)}
    kind = rnd.choice(["periodic", "periodic", "list", "sporadic", "poisson"])
    if rnd.random() < 0.3:
        extra["deadline"] = grid(rnd, 2, 30)
    if kind == "list":
        start = 0
        releases = [start := start + rnd.choice([0, grid(rnd, 1, 25)]) for _ in range(rnd.randint(1, 8))]
        return rv.Task(name, releases=releases, **work, **extra)
    return rv.Task(name, period=grid(rnd, 3, 30), arrival=kind, offset=rnd.choice([0, 0, grid(rnd, 0.5, 20)]),
                   jitter=rnd.choice([0, 0, grid(rnd, 0.5, 10)]), **work, **extra)


def budget(rnd: random.Random, guest: str) -> dict[str, Any]:
    """A server for a task of a CBS guest."""
    if guest != "cbs" or rnd.random() < 0.3:
        return {}
    period = grid(rnd, 2, 20)
    return {"budget": max(1, period * rnd.choice([1, 2, 3, 5, 10]) // 10), "server_period": period}


def system(seed: int, name: str) -> tuple[rv.System, Any, int]:
    """(system, scheduler, duration) of one seed."""
    rnd = random.Random(f"{seed}/{name}")
    cpus = rnd.choice([1, 1, 2, 3])
    names = [f"v{i}" for i in range(rnd.randint(1, 5))]
    channels = [f"{vm}/c" for vm in names if rnd.random() < 0.3]
    vms = []
    for vm in names:
        vcpus = rnd.choice([1, 1, 1, 2, 3])
        guest = rnd.choice(GUESTS + LATER_GUESTS * name.startswith(("servers", "guests")))
        ranked = guest in ("fp", "dm") and rnd.random() < 0.5
        tasks = [task(rnd, f"t{j}", vcpus, channels, {"priority": rnd.randint(1, 3)} if ranked else budget(rnd, guest))
                 for j in range(rnd.randint(0, 3))]
        if rnd.random() < 0.45:
            tasks.append(rv.hog())
        if f"{vm}/c" in channels:
            tasks.append(rv.Task("c", arrival="channel", wcet=grid(rnd, 0.1, 3), **({"priority": 2} if ranked else {})))
        affinity = None if rnd.random() < 0.7 else sorted(rnd.sample(range(cpus), rnd.randint(1, cpus)))
        soft = None if rnd.random() < 0.7 else sorted(rnd.sample(range(cpus), rnd.randint(1, cpus)))
        fields = dict(tasks=tasks, vcpus=vcpus, guest=guest, weight=rnd.choice([64, 256, 256, 512, 1000]),
                      cap=rnd.choice([0, 0, 0, 20, 50, 80]), priority=rnd.choice([None, 1, 2, 3]), period=rnd.choice([None, ms(5), ms(10)]),
                      start=rnd.choice([0, 0, 0, ms(5)]), affinity=affinity, soft_affinity=soft, quantum=ms(rnd.choice([1, 3, 10])))
        vms.append(rv.VM(vm, **fields | own_fields(rnd, vcpus, name)))
    whole = rv.System(cpus=cpus, vms=vms, costs=costs(rnd, name), changes=changes(rnd, vms, name))
    whole = trapping(random.Random(f"{seed}/{name}/traps"), whole)
    scheduler = tables(rnd, vms) if name == "arinc653" else SCHEDULERS[name](rnd)
    return whole, scheduler, ms(rnd.choice([60, 120, 200]))


def own_fields(rnd: random.Random, vcpus: int, name: str) -> dict[str, Any]:
    """What only some schedulers look at."""
    if name.startswith(("rtds", "servers")):
        return servers(rnd, vcpus, name)
    if name == "sedf":
        kind = rnd.choice(["xen", "plain", "sedf", "sedf"])
        own = {"sedf": guarantee(rnd)} if kind == "sedf" else servers(rnd, vcpus, name) if kind == "plain" else {}
        return {"control": rnd.random() < 0.3} | own
    if name == "bvt":
        return {"bvt": virtual_time(rnd)} if rnd.random() < 0.7 else {}
    return {"control": rnd.random() < 0.3} if name == "arinc653" else {}


def virtual_time(rnd: random.Random) -> dict[str, Any]:
    """A contract of BVT."""
    warp = {"warp": True, "warp_value": rnd.choice([0, 1, 100, 700]), "warp_limit": ms(rnd.choice([0, 1, 3, 20, 2000])),
            "unwarp": ms(rnd.choice([0, 2, 30]))}
    return {"mcu_advance": rnd.choice([1, 5, 10, 10, 37])} | (warp if rnd.random() < 0.5 else {})


def guarantee(rnd: random.Random) -> dict[str, Any]:
    """A contract of SEDF, of each of its kinds."""
    kind, extratime = rnd.random(), rnd.random() < 0.5
    if kind < 0.6:
        contract = server(rnd)
        return {"period": contract["period"], "slice": contract["budget"], "extratime": extratime}
    return {"weight": rnd.choice([1, 1, 2, 3, 10]), "extratime": extratime} | ({"period": ms(7)} if rnd.random() < 0.2 else {})


def tables(rnd: random.Random, vms: list[rv.VM]) -> rv.ARINC653:
    """Windows in any order, now and then nobody's; now and then Xen's own table; now and then others later."""
    everybody = [(vm.name, k) for vm in vms for k in range(vm.vcpus)]

    def table(later: Any = ()) -> rv.ARINC653:
        if rnd.random() < 0.15:
            return rv.ARINC653(later=later)
        windows = [(*rnd.choice([*everybody, (None, 0)]), grid(rnd, 0.1, 12)) for _ in range(rnd.randint(1, 6))]
        rest = rnd.choice([0, 0, ms(3), us(777)])
        return rv.ARINC653(windows, major_frame=sum(length for _, _, length in windows) + rest, later=later)

    times = sorted({grid(rnd, 1, 80) for _ in range(rnd.choice([0, 0, 0, 1, 2]))})
    return table([(at, table()) for at in times])


def servers(rnd: random.Random, vcpus: int, name: str) -> dict[str, Any]:
    """Budgets, periods and extratime for a VM; now and then Xen's own, now and then other ones for each vCPU."""
    if rnd.random() < 0.1:
        return {"period": None}          # RTDS: Xen's own; servers: background
    if vcpus == 1 or name == "rtds-4.5" or rnd.random() < 0.5:
        return server(rnd) | {"extratime": rnd.random() < 0.4}
    each = [server(rnd) for _ in range(vcpus)]
    return {field: [one[field] for one in each] for field in ("budget", "period")} | {"extratime": [rnd.random() < 0.4 for _ in range(vcpus)]}


def server(rnd: random.Random) -> dict[str, int]:
    """A budget and a period, mostly such that deadlines coincide."""
    period = rnd.choice([ms(2), ms(4), ms(5), ms(5), ms(10), ms(10), ms(20), us(1700), us(rnd.randint(300, 30_000))])
    parts = rnd.choice([1, 2, 3, 5, 8, 10])
    return {"period": period, "budget": rnd.choice([period * parts // 10, max(us(10), period // 10 - us(rnd.randint(0, 60))), ms(1) + us(30)])
            if period > ms(2) else period * parts // 10}


OF_BUDGETS = ("replenish_late", "replenish_path", "replenish_each", "rearm_path", "saved_path")      # for schedulers that have any


def costs(rnd: random.Random, scheduler: str) -> rv.Costs:
    """Nothing mostly; now and then everything."""
    if rnd.random() < 0.65:
        return rv.Costs()
    names = [name for name in rv.Costs.model_fields if name not in OF_BUDGETS and rnd.random() < 0.5]
    names += [name for name in OF_BUDGETS if scheduler.startswith(("rtds", "credit2")) and rnd.random() < 0.5]
    chosen = {name: us(50) if name == "timer_slop" else rnd.choice([0, us(1), us(10), 7321]) for name in names}
    for kind in ("", "block_"):           # a stint ends before the next begins
        if kind + "switch_out" in chosen or kind + "switch_in" in chosen:
            least = chosen.get(kind + "switch_out", chosen.get("switch_out", 0))
            chosen[kind + "switch_in"] = max(least, chosen.get(kind + "switch_in", 0))
    if "switch_out" in chosen and "block_switch_in" in chosen and "block_switch_out" not in chosen:
        chosen["block_switch_in"] = max(chosen["block_switch_in"], chosen["switch_out"])
    out, into = chosen.get("switch_out", 0), chosen.get("switch_in", 0)
    least = min(out, into, chosen.get("block_switch_out", out), chosen.get("block_switch_in", into))
    if "idle_saving" in chosen:
        chosen["idle_saving"] = min(chosen["idle_saving"], least)
    return rv.Costs(**chosen)


def changes(rnd: random.Random, vms: list[rv.VM], name: str) -> list[rv.Change]:
    """Now and then a VM is paused, crashes or gets another contract."""
    found: list[rv.Change] = []
    for vm in vms:
        if rnd.random() < 0.15:
            at = ms(rnd.randint(6, 40))
            kind = rnd.choice(["pause", "crash", "contract"])
            if kind == "contract" and name.startswith("rtds"):
                extratime = {} if name == "rtds-4.5" else {"extratime": rnd.random() < 0.7}
                found.append(rv.Change(at, vm.name, **server(rnd), **extratime))
            elif kind == "contract" and name == "sedf":
                if vm.sedf is None and None not in (*vm.per_vcpu("budget"), *vm.per_vcpu("period")) and rnd.random() < 0.7:
                    found.append(rv.Change(at, vm.name, **server(rnd), extratime=rnd.random() < 0.7))
                else:
                    found.append(rv.Change(at, vm.name, sedf=guarantee(rnd)))
            elif kind == "contract" and name == "bvt":
                found.append(rv.Change(at, vm.name, bvt=virtual_time(rnd)))
            elif kind == "contract" and name.startswith("credit"):
                found.append(rv.Change(at, vm.name, weight=rnd.choice([100, 777]), cap=rnd.choice([0, 30])))
            elif kind == "contract" and name == "fp":
                found.append(rv.Change(at, vm.name, **rnd.choice([{"priority": rnd.randint(1, 9)}, {"period": ms(rnd.randint(2, 30))}])))
            elif kind != "contract":
                found.append(rv.Change(at, vm.name, state=kind))
                if rnd.random() < 0.7:
                    found.append(rv.Change(at + ms(rnd.randint(1, 30)), vm.name, state="resume" if kind == "pause" else "restart"))
    return found
