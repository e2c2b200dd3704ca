"""Bounds against simulation: whatever `admit` bounds, no attack may exceed; and wrong bounds are found out."""

from __future__ import annotations

import time

import bounded_systems
import pytest
from conftest import LONG

import rtvirt as rv
from rtvirt.analysis.admission import registry
from rtvirt.analysis.supply import PeriodicResource
from rtvirt.jit import DISABLED

SECONDS, LEAST = (1e9, 3000) if LONG and not DISABLED else (0.4, 1 if DISABLED else 5)
RUNS = 2 if DISABLED else 12
PAIRS = [(name, guest) for name in bounded_systems.SCHEDULERS for guest in bounded_systems.GUESTS]


@pytest.mark.parametrize("costs", [False, True], ids=["free", "costs"])
@pytest.mark.parametrize("name, guest", PAIRS)
def test_no_bound_is_broken(name, guest, costs, seed):
    """Today's shard of a pair; the full count in the long run."""
    end, systems, bounded, jobs = time.monotonic() + SECONDS, 0, 0, 0
    while systems < LEAST or (SECONDS < 1e9 and time.monotonic() < end):
        one = f"{seed}/{systems}"
        spec, scheduler = bounded_systems.system(one, name, guest, costs=costs)
        found = rv.analysis.attack(spec, scheduler, runs=RUNS, seed=systems)
        assert not found, f"system({one!r}, {name!r}, {guest!r}, costs={costs}) under {scheduler!r}: {found.broken}"
        systems, jobs = systems + 1, jobs + found.jobs
        bounded += any(shown.bound is not None for shown in found.tasks.values())
    print(f"{name}, guest {guest}: {systems} systems, {bounded} of them with bounds, {jobs} jobs; none broken")


@pytest.mark.skipif(DISABLED, reason="the attack needs some hundred runs")
def test_a_wrong_promise_is_found_out(monkeypatch):
    """If RTDS promised its budgets without the blackout, the attack would show a response beyond the bound."""
    class Eager(PeriodicResource):
        """Supplies as if the budget always came first."""

        @property
        def pattern(self):
            return PeriodicResource(self.period, self.period).pattern

    right = registry.PROMISES["rtds"]

    def wrong(host):
        return [promise if promise.supply is None else
                registry.replace(promise, supply=Eager(vcpu.vm.period, vcpu.vm.budget)) for vcpu, promise in zip(host.vcpus, right(host))]

    monkeypatch.setitem(registry.PROMISES, "rtds", wrong)
    ms = rv.units.ms
    phone = rv.System(vms=[rv.VM("a", tasks=[rv.Task("t", wcet=ms(1), period=ms(20))], budget=ms(4), period=ms(10)),
                           rv.VM("b", tasks=[rv.hog()], budget=ms(2), period=ms(5))])
    assert rv.analysis.attack(phone, rv.RTDS(), runs=200).broken
    monkeypatch.undo()
    assert not rv.analysis.attack(phone, rv.RTDS(), runs=200).broken
