"""The exercises of notebook 7 say what bounds and runs say."""

from __future__ import annotations

import pytest

import rtvirt as rv
from rtvirt.analysis import PeriodicResource, outages, path_bound
from rtvirt.exercises import deterministic_io as exercises
from rtvirt.system.devices import CustomDevice, Path, Plumbing, Stage, Thread
from rtvirt.units import ms, us


def relay(servers):
    """A message through a VM after another, 1 ns of work in each, on a pCPU whose rest is used up by others."""
    stages = tuple(Stage(f"s{k}", f"v{k}/t{k}", each=1) for k in range(len(servers)))
    threads = tuple(Thread(f"v{k}", f"t{k}") for k in range(len(servers)))
    path = Path("way", f"v{len(servers) - 1}", stages, arrivals=rv.Arrivals(ms(100)))
    vms = [rv.VM(f"v{k}", budget=budget, period=period) for k, (budget, period) in enumerate(servers)]
    period = servers[0][1]
    rest = rv.VM("rest", tasks=[rv.hog()], budget=period - sum(budget for budget, _ in servers), period=period)
    return rv.System(vms=[*vms, rest], devices=[CustomDevice("relay", plumbing=Plumbing(threads, (), (path,)))])


@pytest.mark.parametrize("servers", [[(ms(2), ms(10))], [(us(200), us(2000)), (us(600), us(2000))]])
def test_blackouts_add_up(servers):
    """They are what the periodic resource says, and RTDS, which knows its rivals, promises no less and not much more."""
    wait = exercises.path_wait(servers)
    assert wait == sum(PeriodicResource(period, budget).inverse(1) - 1 for budget, period in servers)
    assert 0.9 * wait <= path_bound(relay(servers), rv.RTDS(), "way").total <= wait + 10 * len(servers)


def test_a_distance_less_lets_one_more_in():
    for window, switch, work, loss in rv.exercises.EXERCISES["7.3"].cases:
        d = exercises.distance(window, switch, work, loss)
        taken = [-(-window // each) * (2 * switch + work) for each in (d, d - 1)]
        assert taken[0] <= loss < taken[1]


def test_no_outage_is_longer_and_some_come_near():
    """One crash at a time, at many moments between two packets, on a driver VM that has a core to itself."""
    restart, reconnect, period = ms(20), ms(3), ms(5)
    path = Path("rx", "modem", (Stage("back", "dom0/back", each=us(10)),), arrivals=rv.Arrivals(period), reconnect=reconnect, crash="drop")
    system = rv.System(vms=[rv.VM("dom0"), rv.VM("modem")], devices=[CustomDevice("nic", plumbing=Plumbing((Thread("dom0", "back"),), (), (path,)))])
    way = path_bound(system, rv.FixedPriority(), "rx").total
    longest = 0
    for at in range(0, period, us(500)):
        died = [rv.Change(ms(50) + at + 1, "dom0", state="crash"), rv.Change(ms(50) + at + 1 + restart, "dom0", state="restart")]
        run = rv.simulate(system.replace(changes=died), rv.FixedPriority(), ms(120))
        longest = max(longest, int(outages(run, "rx")["outage"].max()))
    bound = exercises.longest_outage(restart, reconnect, period, way)
    assert bound - us(500) <= longest <= bound
