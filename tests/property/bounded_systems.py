"""Random systems for which admission should know bounds, with all that makes bounds hard: late wake-ups, ties, jitter, scripts, bursts."""

from __future__ import annotations

import random
from typing import Any

import rtvirt as rv
from rtvirt.system import BvtContract
from rtvirt.units import ms, us

SCHEDULERS: dict[str, Any] = {
    "arinc653": lambda rnd, vms: table(rnd, vms), "cbs": lambda rnd, vms: rv.CBS(hard=True),
    "bvt": lambda rnd, vms: rv.BVT(units=rnd.choice(rv.BVT.UNITS), ctx_allow=us(rnd.choice([50, 100, 150, 500, 730, 2000, 5000]))),
    "credit2": lambda rnd, vms: rv.Credit2(ratelimit=us(rnd.choice([0, 100, 1000, 1000, 1000, 3000])), xen=rnd.choice(rv.Credit2.VERSIONS),
                                           runqueue=rnd.choice(["socket", "cpu", "core"])), "fp": lambda rnd, vms: rv.FixedPriority(),
    "null": lambda rnd, vms: rv.Null(), "rr": lambda rnd, vms: rv.RoundRobin(quantum=ms(rnd.choice([1, 2, 5]))),
    "rtds": lambda rnd, vms: rv.RTDS(xen=rnd.choice(["4.17", "4.22"]), replenish_by=rnd.choice(["priority", "deadline"])),
    "rtds-4.5": lambda rnd, vms: rv.RTDS(xen="4.5"),
    "rtds-extratime": lambda rnd, vms: rv.RTDS(xen=rnd.choice(["4.17", "4.22"]), replenish_by=rnd.choice(["priority", "deadline", "deadline"])),
    "sedf": lambda rnd, vms: rv.SEDF(),
}
for kind in (rv.DeferrableServers, rv.PeriodicServers, rv.PollingServers, rv.SporadicServers):
    for order in kind.ORDERS:
        SCHEDULERS[f"{kind.kernel_name.removesuffix('_servers')}-{order}"] = lambda rnd, vms, kind=kind, order=order: kind(order)
FITTED: dict[str, Any] = {               # contracts that leave room for what these schedulers waste
    "rtds-4.5": lambda rnd, vm: {"budget": max(us(200), vm.budget // 3), "period": 2 * vm.period},
    "rtds-extratime": lambda rnd, vm: {"budget": max(us(200), vm.budget // 2), "extratime": rnd.random() < 0.5},
}
WEIGHED = ("bvt", "credit2")
GUESTS = ("fp", "edf", "fifo", "rr", "dm", "cbs")


def table(rnd: random.Random, vms: list[rv.VM]) -> rv.ARINC653:
    """Windows of the VMs' budgets, some cut in two, in any order, with gaps."""
    parts = [(vm.name, k, length) for vm in vms for k in range(vm.vcpus) for length in ([vm.budget] if rnd.random() < 0.6 else
                                                                                        [vm.budget // 2, vm.budget - vm.budget // 2])]
    parts += [(None, 0, us(rnd.randint(1, 20) * 100)) for _ in range(rnd.randint(0, 2))]
    rnd.shuffle(parts)
    return rv.ARINC653(parts)


def system(seed: object, name: str, guest: str, *, costs: bool = False) -> tuple[rv.System, Any]:
    """(system, scheduler) of one seed."""
    rnd = random.Random(f"{seed}/{name}/{guest}")
    cpus = rnd.choice([1, 1, 1, 2, 3])
    pinned = rnd.random() < 0.5
    period = ms(rnd.choice([4, 5, 8, 10])) if rnd.random() < 0.4 else None
    load = rnd.uniform(0.5, 1.1) * cpus / (count := rnd.randint(1, 3 + cpus))
    vms = [vm(rnd, f"v{k}", guest, cpus, load, period, pinned, costs) for k in range(count)]
    vms = [fitted(rnd, one, name) for one in vms]
    return rv.System(cpus=cpus, vms=vms, costs=some_costs(rnd) if costs else rv.Costs()), SCHEDULERS[name](rnd, vms)


def fitted(rnd: random.Random, vm: rv.VM, name: str) -> rv.VM:
    """The VM with what some schedulers look at, or need."""
    vm = vm.replace(**FITTED[name](rnd, vm)) if name in FITTED else vm
    return weighed(rnd, vm, name) if name in WEIGHED else vm


def weighed(rnd: random.Random, vm: rv.VM, name: str) -> rv.VM:
    """The VM with a weight of some kind; with longer periods, since shares are late by many ms; and where wake-ups count, without bursts."""
    times = rnd.choice([1, 2, 10, 30])
    tasks = [task.replace(period=task.period * times, deadline=task.deadline and task.deadline * times) if task.period else task for task in vm.tasks
             if name == "credit2" or (task.arrival != "poisson" and task.actions is None)]
    if name == "credit2":
        return vm.replace(tasks=tasks, weight=rnd.choice([256, 256, 256, 512, 1024, 100, 30, 65_535]), cap=rnd.choice([0, 0, 0, 0, 0, 30]))
    bvt = BvtContract(mcu_advance=rnd.choice([10, 10, 10, 5, 20, 1, 100]), warp=rnd.random() < 0.2, warp_value=rnd.choice([0, 10, 100, 1000]),
                         warp_limit=ms(rnd.choice([0, 3, 20])), unwarp=ms(rnd.choice([0, 5, 20])))
    return vm.replace(tasks=tasks, bvt=bvt)


def vm(rnd: random.Random, name: str, guest: str, cpus: int, load: float, common: int | None, pinned: bool, costs: bool) -> rv.VM:
    """One VM: sometimes a neighbour of another kind, whose budget may be wasted, saved up or always used."""
    vcpus = 2 if rnd.random() < 0.2 else 1
    period = common or ms(rnd.choice([3, 4, 5, 8, 10, 20]))
    budget = max(us(200), min(period, us(50) * round(load / vcpus * rnd.uniform(0.3, 1.1) * period / us(50))))
    kind = rnd.random()
    if kind < 0.2:
        tasks = [rv.hog()]
    elif kind < 0.35 and not costs:
        tasks = [rv.Task("burst", wcet=us(rnd.randint(1, 40) * 100), period=ms(rnd.choice([4, 7, 30])), arrival="poisson")]
    else:
        tasks = [task(rnd, f"t{k}", period, budget, vcpus) for k in range(rnd.randint(1, 3))]
        if guest != "fifo" and rnd.random() < 0.25:
            tasks.append(rv.hog())
    if vcpus > 1 and rnd.random() < 0.6:
        tasks = [one.replace(vcpu=rnd.randrange(vcpus)) for one in tasks]
    return rv.VM(name, tasks=tasks, vcpus=vcpus, guest=guest, budget=budget, period=period, affinity=[rnd.randrange(cpus)] if pinned else None,
                 priority=rnd.choice([None, 1, 2, 3]), quantum=ms(rnd.choice([1, 3])), start=rnd.choice([0, 0, 0, ms(3), us(rnd.randint(1, 9000))]))


def task(rnd: random.Random, name: str, period: int, budget: int, vcpus: int) -> rv.Task:
    """A task that the budget of its VM could serve."""
    own = rnd.choice([1, 2, 3, 5]) * period if rnd.random() < 0.6 else ms(rnd.choice([5, 8, 12, 20, 25, 30]))
    work = max(us(50), round(own * budget / period * rnd.uniform(0.05, 0.5)))
    work -= work % us(10) if rnd.random() < 0.8 else 0
    timing: dict[str, Any] = {"period": own, "deadline": round(own * rnd.choice([0.7, 1, 1, 1, 1.8]))}
    if rnd.random() < 0.3:
        timing["arrival"] = "sporadic"
    elif rnd.random() < 0.3:
        timing["jitter"] = us(rnd.randint(1, 30) * 100)
    if rnd.random() < 0.15 and work > us(100):
        pause = us(rnd.randint(1, 20) * 100)
        return rv.Task(name, actions=[rv.run(work // 2), rv.block(pause), rv.run(work - work // 2)], **timing)
    return rv.Task(name, wcet=work, **timing)


def some_costs(rnd: random.Random) -> rv.Costs:
    """Small costs of each kind."""
    fields = ("wake_path", "block_path", "switch_in", "timer_late", "replenish_path", "replenish_each", "rearm_path", "saved_path", "decision",
              "context_switch", "guest_switch", "hypercall", "interrupt", "cache_reload")
    chosen = {name: rnd.choice([500, 1000, 3000, 7000]) for name in rnd.sample(fields, rnd.randint(1, 6))}
    return rv.Costs(**chosen)
