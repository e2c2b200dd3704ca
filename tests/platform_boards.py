"""Random boards for admission at run time: VMs with degraded modes under RTDS, and one that wants to come."""

from __future__ import annotations

import random

import rtvirt as rv
from rtvirt.platform.offers import others_degraded
from rtvirt.platform.trial import Trial
from rtvirt.units import ms, us

PERIODS = (2, 3, 4, 5, 8, 10)
CHIP = rv.platform.InterruptController(name="gic", model="gic-v2", lines=64)


def board(cpus, scheduler, vms):
    """A machine with nothing but pCPUs."""
    cluster = rv.platform.Cluster(name="c", core="Cortex-A53", isa="aarch64", cpus=list(range(cpus)), extension="el2")
    return rv.platform.Board(name="random", clusters=[cluster], irqchip=CHIP, scheduler=scheduler, vms=vms)


def reservation(budget, period, **more):
    """A contract."""
    return {"kind": "reservation", "budget": max(us(10), budget), "period": period} | more


def guest(rnd, budget, period):
    """Tasks that such a budget may be enough for, and degraded modes."""
    room, tasks, hog = budget / period * rnd.uniform(0.4, 0.85), [], rnd.random() < 0.2
    count = rnd.randint(1, 3)
    for k in range(count):
        own = period * rnd.choice([1, 2, 3, 4, 6])
        tasks.append(rv.Task(f"t{k}", wcet=max(us(10), int(own * room / count)), period=own, deadline=own * rnd.choice([1, 2, 2, 3])))
    less = max(us(10), budget * rnd.randint(20, 70) // 100)
    dropped = [task.name for task in tasks[1:] if rnd.random() < 0.7]
    slowed = {task.name: task.period * rnd.choice([1, 2, 3]) for task in tasks if task.name not in dropped and rnd.random() < 0.7}
    slower = period if rnd.random() < 0.6 else period * rnd.choice([2, 3])
    modes = [{"name": "less", "contract": reservation(less, slower), "drop": dropped, "periods": slowed}]
    return tasks + ([rv.hog()] if hog else []), modes


def rtds(seed):
    """(board, VM) of one seed: the board is nearly full."""
    rnd = random.Random(f"{seed}/rtds")
    cpus, common = rnd.choice([1, 1, 1, 2]), rnd.choice([None, None, ms(rnd.choice(PERIODS))])
    count = rnd.randint(1, 3)
    shares = [rnd.uniform(0.2, 1) for _ in range(count + 1)]
    whole = rnd.uniform(0.8, 1.2) * cpus / sum(shares)
    vms = []
    for k, share in enumerate(shares):
        period = common or ms(rnd.choice(PERIODS)) + rnd.choice([0, 0, 0, us(100)])
        budget = max(us(10), min(period, int(share * whole * period)))
        tasks, modes = guest(rnd, budget, period)
        vms.append(rv.platform.VmInterface(name=f"v{k}", id=k, architecture="aarch64", contract=reservation(budget, period), tasks=tasks,
                                           guest=rnd.choice(["fp", "fp", "edf"]), degraded=modes))
    kind = rnd.choice([{}, {}, {"xen": "4.22"}, {"replenish_by": "deadline"}])
    return board(cpus, {"name": "rtds", "options": kind}, vms[:-1]), vms[-1].replace(criticality=2)


def attacks(rnd, change, count, until):
    """Runs with the change asked for at many instants, offsets of tasks beside it."""
    periods = [vm.contract.period for one in (change.before, change.after) for vm in one.vms if vm.contract.kind == "reservation"] or [ms(1)]
    budgets = [vm.contract.budget for one in (change.before, change.after) for vm in one.vms if vm.contract.kind == "reservation"] or [ms(1)]
    names = [(vm.name, task) for one in (change.before, change.after) for vm in one.vms for task in vm.tasks if task.period]
    for k in range(count):
        at = rnd.choice(periods) * rnd.randint(1, 12) + rnd.choice([0, 0, 1, -1, *budgets, *(-b for b in budgets), rnd.randrange(ms(5))])
        at = max(0, min(at, until // 3))
        near = [at - change.told, at, at + change.told, at + change.delay, 0]
        offsets = {f"{vm}/{task.name}": max(0, rnd.choice(near) - rnd.choice([0, 0, 1, rnd.choice(budgets), rnd.choice(periods)])) % task.period
                   for vm, task in names}
        yield at, change.rehearse(at, until, seed=k, offsets=offsets)


def change_of(seed):
    """How the VM comes to the board while others make do with less, if that can be done; else None."""
    one, vm = rtds(seed)
    trial = Trial(one, vm)
    if rv.platform.check(one) or trial.fits(trial.asked):
        return None
    for _, _, after in others_degraded(trial):
        return rv.platform.transition(one, after)
    return None
