"""Would an attack notice a wrong bound? Key inequalities of the promises are changed one at a time, and random systems must break one.

A mutant is a place, and what is put there. It dies when some bound is exceeded by a simulation. Some that no attack has killed yet are not
among them: RTDS's host is "together" also where it is divided (`rtds.wait_of`), for which too much has to come together; and nobody carries work
into a window of global fixed priorities (`global_priority.backlog`, worked out by hand elsewhere), whose work divided by m is pessimistic enough;
the single terms of `rtds_quantum` (overrun, old budget, quantum), and the one budget for which nobody is told, all worked out by hand.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import bounded_systems
import pytest

import rtvirt as rv
from rtvirt.analysis.admission import admit as judge
from rtvirt.analysis.admission import charges, global_priority, guests, plain, registry, rtds, servers, slots
from rtvirt.analysis.admission.budgets import Server
from rtvirt.analysis.admission.host import Host, Vcpu
from rtvirt.analysis.supply import ConstantBandwidthServer, DeferrableServer, FixedPriorityPartition, PollingServer, RoundRobinShare, SlotTable
from rtvirt.analysis.supply.servers import Server as AnyServer
from rtvirt.jit import DISABLED
from rtvirt.units import ms, us

SYSTEMS, RUNS = 400, 10
Kind = servers.KINDS["polling_servers"]


class Mutant(NamedTuple):
    """One change, and the systems that should notice it."""

    name: str
    home: Any                          # module, class or mapping
    what: str
    wrong: Any
    scheduler: str                     # of `bounded_systems`
    change: Callable[[Any, Any], tuple[Any, Any]] = lambda system, scheduler: (system, scheduler)
    costs: bool = False


class OnTime(SlotTable):
    """A table seen from the beginning of its frame alone."""

    def seen_from(self, origin: int) -> Any:
        """Always from 0."""
        return super().seen_from(0)


def fewer_pieces(system: rv.System, scheduler: Any) -> tuple[rv.System, Any]:
    """A sporadic server that can keep one piece of budget."""
    return system, replace(scheduler, pieces=1)


def soft(system: rv.System, scheduler: Any) -> tuple[rv.System, Any]:
    """Constant bandwidth servers that use budgets ahead."""
    return system, replace(scheduler, hard=False)


def without(host: Host, vcpu: Vcpu) -> list[Vcpu]:
    """Rivals, but for the last."""
    return right_rivals(host, vcpu)[:-1]


def server(name: str, rnd: random.Random, period: int, share: float, times: float, **fields: Any) -> rv.VM:
    """A VM with one task, which asks now and then for so many times its budget at once; for the least, a hog below it uses up the rest."""
    budget = max(us(50), round(share * period / us(50)) * us(50))
    work = max(us(50), round(times * budget))
    task = rv.Task("t", wcet=work, period=rnd.choice([3, 5, 7]) * max(period, work), deadline=None)
    return rv.VM(name, tasks=[task, rv.hog()] if times < 0.5 else [task], budget=budget, period=period, **fields)


def lazy(system: rv.System, scheduler: Any) -> tuple[rv.System, Any]:
    """One pCPU: a server that wants its budget, one of a longer period that has saved its budget up, and a hog."""
    rnd = random.Random(repr(system))
    vms = [server("short", rnd, ms(rnd.choice([4, 5, 6])), rnd.uniform(0.1, 0.3), rnd.choice([0.1, 0.3, 1])),
           server("long", rnd, ms(rnd.choice([8, 9, 10, 12])), rnd.uniform(0.2, 0.5), rnd.choice([1, 2, 3])),
           rv.VM("hog", tasks=[rv.hog()], budget=us(200), period=ms(rnd.choice([10, 20])))]
    return rv.System(vms=vms), scheduler


def bursts(system: rv.System, scheduler: Any) -> tuple[rv.System, Any]:
    """One pCPU: servers that use two budgets back to back, before one that wants little."""
    rnd = random.Random(repr(system))
    greedy = server("greedy", rnd, ms(rnd.choice([8, 9, 10, 12])), rnd.uniform(0.3, 0.4), 2, priority=1)
    return rv.System(vms=[greedy, server("own", rnd, ms(rnd.choice([12, 13, 15])), 0.1, rnd.choice([0.1, 0.3]), priority=2)]), scheduler


def empty(system: rv.System, scheduler: Any) -> tuple[rv.System, Any]:
    """One pCPU: a VM that never has anything to run comes first."""
    rnd = random.Random(repr(system))
    nobody = rv.VM("nobody", budget=ms(rnd.choice([1, 2, 3])), period=ms(rnd.choice([8, 9, 10])), priority=1)
    return rv.System(vms=[nobody, server("own", rnd, ms(rnd.choice([12, 13, 15])), 0.1, rnd.choice([0.1, 0.3]), priority=2)]), scheduler


def tempted(system: rv.System, scheduler: Any) -> tuple[rv.System, Any]:
    """One pCPU: hogs on extra time, and a server that does not want any."""
    rnd = random.Random(repr(system))
    hogs = [rv.VM(f"hog{k}", tasks=[rv.hog()], budget=us(100) * rnd.randint(2, 20), period=ms(rnd.choice([5, 7, 10])), extratime=True)
            for k in range(rnd.choice([1, 2]))]
    own = server("own", rnd, ms(rnd.choice([4, 5, 8, 10])), 0.2, rnd.choice([0.1, 0.3, 1, 2]), extratime=rnd.random() < 0.5)
    return rv.System(vms=[*hogs, own]), scheduler


def old(system: rv.System, scheduler: Any) -> tuple[rv.System, Any]:
    """The same under Xen 4.5."""
    return system, rv.RTDS(xen="4.5")


def as_if_on_time(host: Host) -> list[Any]:
    """What newer versions would promise."""
    budgets, periods = host.contracts.budget, host.contracts.period
    servers = [Server(int(b), int(p), vcpu.steady) for b, p, vcpu in zip(budgets, periods, host.vcpus)]
    return [rtds.promise(host, vcpu, servers) for vcpu in host.vcpus]


def dear(system: rv.System, scheduler: Any) -> tuple[rv.System, Any]:
    """A guest whose hog uses up all budgets, under a hypervisor that is slow."""
    vm = rv.VM("own", tasks=[rv.Task("t", wcet=us(200), period=ms(13)), rv.hog()], budget=ms(3), period=ms(5))
    return rv.System(vms=[vm], costs=rv.Costs(switch_in=us(9), wake_path=us(9), decision=us(5), replenish_late=us(9))), scheduler


def triple(system: rv.System, scheduler: Any) -> tuple[rv.System, Any]:
    """Two pCPUs, two VMs of more importance, and one that needs what they leave."""
    rnd = random.Random(repr(system))
    tasks = [rv.Task("t", wcet=us(100) * rnd.randint(10, 40), period=us(100) * rnd.randint(50, 70), deadline=None) for _ in range(2)]
    vms = [rv.VM(f"v{k}", tasks=[task], priority=k + 1) for k, task in enumerate(tasks)]
    return rv.System(cpus=2, vms=[*vms, rv.VM("own", tasks=[rv.Task("t", wcet=us(100) * rnd.randint(1, 9), period=ms(40))], priority=3)]), scheduler


def slow(system: rv.System, scheduler: Any) -> tuple[rv.System, Any]:
    """The same system under a hypervisor that is slow."""
    return system.replace(costs=rv.Costs(switch_in=us(20), wake_path=us(20), block_path=us(20), slice_late=us(20))), scheduler


right_rivals, right_taken, right_wait, right_kinds = Host.rivals, global_priority.taken, rtds.wait_of, dict(servers.KINDS)
late, anywhere = Server.late, Server.anywhere
MUTANTS = [
    Mutant("what is used late in a period is forgotten", Server, "late", lambda self, y: y // self.period * self.budget, "rtds"),
    Mutant("a kept budget is a periodic task's (EDF)", Server, "asks", lambda self, y: y // self.period * self.budget, "rtds", lazy),
    Mutant("budgets come on time", rtds, "DeferrableServer", lambda p, q, response: DeferrableServer(p, q, response=q), "rtds"),
    Mutant("utilization is enough", rtds, "wait_of", lambda own, rivals, cpus, together: (min(
        right_wait(own, rivals, cpus, together=together)[0], own.period - own.budget) if sum(r.rate for r in [own, *rivals]) <= cpus
        else own.period, "late"), "rtds", lazy),
    Mutant("extra time is harmless", rtds, "never", lambda host, vcpu: "", "rtds", tempted),
    Mutant("a quantum does no harm", rtds, "by_quantum", as_if_on_time, "rtds", old),
    Mutant("one pCPU more than there is", rtds, "longest_wait", lambda uses, cpus: sum(uses) // (cpus + 1), "rtds"),
    Mutant("no back-to-back budgets", Server, "anywhere", late, "deferrable-fp", bursts),
    Mutant("deferrable servers are jobs", servers, "KINDS",
           right_kinds | {"deferrable_servers": replace(right_kinds["deferrable_servers"], saves=False)}, "deferrable-fp", bursts),
    Mutant("the last budget does not count", Server, "jobs", lambda self, y: y // self.period * self.budget, "periodic-fp"),
    Mutant("idle budget is nobody's", servers, "KINDS", right_kinds | {"periodic_servers": replace(right_kinds["periodic_servers"], idles=False)},
           "periodic-fp", empty),
    Mutant("a polling server never misses work", servers, "KINDS", right_kinds | {"polling_servers": replace(Kind, supply=AnyServer)}, "polling-fp"),
    Mutant("a job may sleep under a polling server", servers, "KINDS", right_kinds | {"polling_servers": replace(Kind, sleeps=True)}, "polling-edf"),
    Mutant("a polling server is there at once", servers, "KINDS", right_kinds | {"polling_servers": replace(
        Kind, supply=lambda p, q, r: PollingServer(p, q, q))}, "polling-fp"),
    Mutant("SEDF keeps what is left of a slice", servers, "KINDS", right_kinds | {"sedf": replace(right_kinds["sedf"], supply=AnyServer)}, "sedf"),
    Mutant("pieces never run out", servers, "pieces_of", lambda vcpu, period: 0, "sporadic-fp", fewer_pieces),
    Mutant("soft servers do not age", servers, "missing", lambda host, vcpu, own: "", "cbs", soft),
    Mutant("bandwidth is served at once", servers, "KINDS", right_kinds | {"cbs": replace(right_kinds["cbs"], supply=lambda p, q, r:
           ConstantBandwidthServer(p, q, q))}, "cbs"),
    Mutant("windows come when they are wanted", slots, "SlotTable", OnTime, "arinc653"),
    Mutant("one turn fewer in a round", plain, "RoundRobinShare", lambda quantum, vcpus: RoundRobinShare(quantum, vcpus - 1), "rr"),
    Mutant("one rival fewer", Host, "rivals", without, "rr"),
    Mutant("the least of the more important does not count", Host, "rivals", without, "fp"),
    Mutant("nothing is more important", plain, "FixedPriorityPartition", lambda above: FixedPriorityPartition([]), "fp"),
    Mutant("one of the more important may run beside", plain, "len", lambda some: max(0, len(some) - isinstance(some, list)), "fp"),
    Mutant("work is shared by twice as many pCPUs", global_priority, "taken", lambda rest, m, most: right_taken(rest, 2 * m, most), "fp", triple),
    Mutant("one of those that come first is forgotten", global_priority, "taken", lambda rest, m, most: right_taken(rest[1:], m, most), "fp", triple),
    Mutant("everybody has a pCPU", plain, "assigned", lambda host: {v.index: 0 for v in host.vcpus}, "null"),
    Mutant("switches of the guest are free", charges, "inflated", lambda task, guest, quantum, overheads: task, "null",
           lambda system, scheduler: (system.replace(costs=rv.Costs(guest_switch=us(7))), scheduler)),
    Mutant("paths are free", registry, "charged", lambda host, vcpu, promise: promise, "null", costs=True),
    Mutant("overheads are forgotten", charges.Charges, "of", lambda system, overheads: charges.Charges((), "", 0, 0, 0, 0), "rtds", dear),
    Mutant("SEDF's overheads are forgotten", charges.Charges, "of", lambda system, overheads: charges.Charges((), "", 0, 0, 0, 0), "sedf", slow),
    Mutant("interrupts strike nobody else", charges, "releases", lambda task, each: [], "fp", costs=True),
]


def broken(mutant: Mutant, seed: object) -> int | None:
    """How many systems it took until a bound was broken; None if none was."""
    for k in range(SYSTEMS):
        guest = bounded_systems.GUESTS[k % len(bounded_systems.GUESTS)]
        system, scheduler = mutant.change(*bounded_systems.system(f"{seed}/{k}", mutant.scheduler, guest, costs=mutant.costs))
        verdict = judge(system, scheduler)
        bounded = any(bound is not None for bound in verdict.bounds.values())
        if bounded and rv.analysis.attack(system, scheduler, runs=RUNS, seed=k, admission=verdict):
            return k + 1
    return None


@pytest.mark.skipif(DISABLED, reason="the attack needs thousands of runs")
@pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.name for mutant in MUTANTS])
def test_a_wrong_promise_is_broken(mutant, monkeypatch, seed):
    homes = [mutant.home] + ([guests, plain] if mutant.what == "inflated" else [])
    for home in homes:
        monkeypatch.setattr(home, mutant.what, mutant.wrong, raising=False)
    found = broken(mutant, seed)
    assert found is not None, f"{mutant.name}: no bound was broken in {SYSTEMS} systems"
    print(f"{mutant.name}: broken after {found} systems")
