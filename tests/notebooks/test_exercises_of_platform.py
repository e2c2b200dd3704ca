"""The exercises of notebook 8 say what `rv.platform` does."""

from __future__ import annotations

import pytest

import rtvirt as rv
from rtvirt.exercises import EXERCISES
from rtvirt.exercises import vm_interface as exercises
from rtvirt.explorers.board import Params, compute
from rtvirt.platform import check
from rtvirt.platform.check_contracts import sum_findings
from rtvirt.platform.fields import PAGE
from rtvirt.units import ms, us


@pytest.mark.parametrize("case", EXERCISES["8.1"].cases)
def test_windows_collide_as_in_the_check(case):
    """Two VMs of a server's memory, at the case's pages."""
    board = rv.platform.load("server")
    flags = {False: ("read", "write"), True: ("read", "write", "shared")}
    windows = [{"name": "w", "guest": 0, "phys": 2**32 + base * PAGE, "size": size * PAGE, "flags": flags[shared]} for base, size, shared in case]
    vms = [board[name].replace(image=None, memory=[window]) for name, window in zip(("web", "batch"), windows, strict=True)]
    rules = check(board.replace(vms=[board["dom0"], *vms])).rules
    assert ("memory-overlap" in rules) == exercises.collide(*case)


@pytest.mark.parametrize("case", EXERCISES["8.2"].cases)
def test_reservations_add_up_as_in_the_check(case):
    board = rv.platform.load("phone")
    vms = []
    for number, (share, cpus) in enumerate(case[0]):
        count = 1 if share <= 1 else 2
        contract = {"kind": "reservation", "budget": us(round(1000 * share / count)), "period": ms(1)}
        vms.append(board["modem"].replace(name=f"v{number}", id=number, contract=contract, cpus={"count": count, "affinity": sorted(cpus)}))
    found = [finding for finding in sum_findings(board.replace(vms=vms)) if finding.rule == "contract-sum"]
    assert (not found) == exercises.adds_up(*case)


@pytest.mark.parametrize("budget", [0.4, 1.0, 1.4])
def test_the_phones_modem_waits_as_in_the_exercise(budget):
    """Sections: the drivers' at the switch, and twice on their way to their own budget."""
    bound = exercises.wake_bound(round(budget * ms(1)), ms(2), [us(500)], [us(20)] * 3)
    assert not compute(Params(budget=budget, wakeup=bound // us(50) * us(50) // us(1) + 50)).findings
    assert compute(Params(budget=budget, wakeup=bound // us(50) * us(50) // us(1) - 50)).findings.rules == {"wakeup"}


def test_the_cheapest_technique_is_fit_s():
    fits = [rv.platform.fit(rv.platform.Guest.load(guest), rv.platform.load(board))
            for guest in rv.platform.guests() for board in ("phone", "automotive")]
    gaps = [answer for found in fits for answer in found.missing]
    for answer in gaps:
        prices = {option.technique: option.price.ns for option in answer.options}
        assert exercises.technique(prices) == (answer.best.technique if answer.best else "open")
    assert len(gaps) > 5


def test_waits_may_be_found_from_wake_to_wake():
    """Not only in the order in which they end."""
    def waits(events):
        return sorted(next(end for end, other, what in events[k:] if (other, what) == (vm, "dispatch")) - start
                      for k, (start, vm, event) in enumerate(events) if event == "wake")

    assert all(waits(*case) == EXERCISES["9.4"].solution(*case) for case in EXERCISES["9.4"].cases)
