"""Explorers of schedulers, supply and demand, admission, without a browser: what they compute, say and show."""

from __future__ import annotations

import numpy as np
import pytest

import rtvirt as rv
from rtvirt.explorers import admission, schedulers, supply_demand
from rtvirt.units import ms, us


def test_both_timelines_show_their_run_and_move_together():
    explorer = schedulers.explorer()
    left, right = explorer._scene.timelines.values()
    assert left.linked == right.linked != "" and left.data != right.data
    assert schedulers.explorer()._scene.timelines["left"].linked != left.linked, "another explorer's timelines are not moved"
    before = right.data
    explorer.controls["left"].value = "fixed priority"
    assert right.data == before and "fixed priority" in explorer._scene.heads["left"].value


@pytest.mark.parametrize("name", list(schedulers.SCHEDULERS))
def test_every_scheduler_of_the_lists_runs_the_same_system(name):
    runs = schedulers.compute(schedulers.Params(left=name))
    assert runs["left"].system == runs["right"].system and schedulers.name_of(runs["left"]) == name
    runs["left"].check()


def test_outcomes_are_those_of_the_tables():
    for run in schedulers.compute(schedulers.Params()).values():
        found, jobs = schedulers.outcome(run), run.jobs[run.jobs["task"] == "slot"]
        assert (found.slots, found.late) == (len(jobs), int(jobs["missed"].sum()))
        assert found.worst > jobs["response"].max() if found.waits else found.worst == jobs["response"].max()


def test_a_job_that_never_ends_has_waited_till_the_end():
    """A modem without any budget to speak of: slots wait behind each other for ever, and the sentence says so."""
    found = schedulers.outcome(schedulers.compute(schedulers.Params(wcet=4.0, budget=0.1, period=20, left="RTDS"))["left"])
    assert found.waits and found.late == found.slots and found.worst > ms(1000) and "worst response over 1." in str(found)


def test_budgets_are_off_where_nobody_looks_at_them():
    explorer = schedulers.explorer()
    explorer.controls["right"].value = "round robin"
    assert explorer.controls["budget"].disabled and "neither scheduler" in explorer.notes["budget"].value
    explorer.controls["right"].value = "RTDS"
    assert not explorer.controls["budget"].disabled and explorer.params.budget == schedulers.Params().budget


def test_a_budget_ends_at_its_period():
    explorer = supply_demand.explorer(budget=4.0)
    explorer.controls["period"].value = 2
    assert explorer.params.budget == explorer.controls["budget"].max == 2
    with pytest.raises(rv.SpecError, match="budget"):
        supply_demand.compute(supply_demand.Params(budget=3.0, period=2))


def marked(explorer):
    """Meanings of the marks in the picture."""
    return [mark["meaning"] for mark in explorer._scene.curves.picture["marks"]]


def test_the_picture_breaks_at_the_least_budget():
    """Just below the least budget a window is violated and marked, at it none."""
    explorer = supply_demand.explorer()
    least = explorer._scene.found.least
    assert least == ms(2) and "least budget is 2 ms" in explorer.sentence.value
    explorer.set(budget=1.95)
    assert "may be missed" in explorer.sentence.value and marked(explorer) == ["hypervisor", "miss"]
    explorer.set(budget=2.0)
    assert "Every deadline is met" in explorer.sentence.value and marked(explorer) == ["hypervisor"]


@pytest.mark.parametrize("guest", ["EDF", "fixed priority"])
@pytest.mark.parametrize("budget", [0.0, 0.2, 1.0, 1.6, 2.4, 4.0])
def test_what_is_drawn_is_what_is_said(guest, budget):
    found = supply_demand.compute(supply_demand.Params(guest=guest, budget=budget, decode=3.0))
    shape, text = found.curves, supply_demand.sentence(found)
    enough = found.least is not None and ms(budget) >= found.least
    assert bool(shape.verdict) == enough == ("Every deadline is met" in text)
    if guest == "EDF" and shape.violation:
        assert (shape.asks > shape.brings).any()
    if shape.verdict:
        assert not (shape.asks > shape.brings).any() if guest == "EDF" else found.margin == shape.task.deadline - shape.bound
    assert (shape.line <= shape.brings).all() and (np.diff(shape.brings) >= 0).all()


def test_blackout_is_twice_what_others_may_take():
    for budget, period in ((1.0, 4), (2.0, 10), (0.1, 20)):
        found = supply_demand.compute(supply_demand.Params(budget=budget, period=period))
        assert found.curves.blackout == 2 * (ms(period) - ms(budget)) and supply_demand.words(found.curves.blackout) in supply_demand.sentence(found)


def test_the_chip_is_sold_once():
    sale = admission.compute(admission.Params(car_budget=0.9, radio_budget=0.7))
    assert sale.admitted and sum(sale.shares.values()) == 1 and sale.shares["Android"] <= sale.best
    oversold = admission.compute(admission.Params(car_budget=3.0, radio_budget=2.5))
    assert not oversold.admitted and oversold.shares["Android"] < 0 and "more is sold than there is" in admission.sentence(oversold)


@pytest.mark.parametrize("scheduler", ["periodic servers", "RTDS"])
def test_who_is_admitted_keeps_its_deadlines(scheduler):
    """The sale as it was admitted, simulated, switches and all; with one period for all, so that RTDS can promise as much as periodic servers."""
    params = admission.Params(car_budget=0.7, car_period=2.0, radio_budget=0.7, radio_period=2.0, scheduler=scheduler)
    sale = admission.compute(params)
    assert sale.admitted and sum(vm.budget / vm.period for vm in sale.admission.system.vms) == pytest.approx(1)
    run = rv.simulate(admission.system(params), admission.SCHEDULERS[scheduler], rv.units.s(1))
    assert not run.tasks["misses"].any() and run.tasks.loc["car", "jobs"].sum() >= 140


def test_what_is_sold_is_what_admit_judges():
    """Supplies in the pictures are those of periodic servers that wait as long as they may; and the best is no more than what is admitted."""
    sale = admission.compute(admission.Params())
    for name, budget, period in (("car", us(600), ms(3)), ("radio", us(500), us(2500))):
        windows = sale.seen[name].windows
        assert (sale.seen[name].brings >= rv.analysis.PeriodicResource(period, budget).sbf(windows)).all()
    for scheduler, budgets in (("periodic servers", dict(car_budget=0.38, car_period=1.7, radio_budget=0.4, radio_period=1.9)),
                               ("RTDS", dict(car_budget=0.58, car_period=2.5, radio_budget=0.56, radio_period=2.5))):
        sold = admission.compute(admission.Params(scheduler=scheduler, **budgets))
        assert sold.admitted and 0 <= sold.best - sold.shares["Android"] < 0.03


def test_other_schedulers_promise_less():
    """RTDS keeps the budgets of those who sleep; credit promises shares and no window."""
    sold = dict(car_budget=0.9, radio_budget=0.7)
    assert admission.compute(admission.Params(**sold)).admitted
    said = {name: admission.sentence(admission.compute(admission.Params(scheduler=name, **sold))) for name in ("RTDS", "credit")}
    assert "The car: within 3 ms before a deadline" in said["RTDS"] and said["RTDS"].endswith("give all the same period.")
    assert "the car and the radio are promised nothing. Xen's credit scheduler promises a share in the long run" in said["credit"]
    explorer = admission.explorer(scheduler="credit")
    assert explorer._scene.heads["car"].value.endswith("promised nothing") and explorer.static()


def test_the_shop_says_what_is_wrong():
    explorer = admission.explorer()
    assert explorer.sentence.value.startswith("<b>Not admitted: the car is not: in some window of 20 ms")
    explorer.controls["car_budget"].value = 0.9
    explorer.controls["radio_budget"].value = 0.7
    assert explorer.sentence.value.startswith("<b>Admitted") and "car 30.0 %" in explorer._scene.bar.value


def test_supplies_that_were_seen_keep_the_promise():
    """RTDS's worst case: the blackout is seen in full, and no window holds less than is promised."""
    modem = rv.VM("modem", budget=ms(4), period=ms(10), tasks=[rv.hog()])
    other = rv.VM("other", budget=ms(12), period=ms(20), tasks=[rv.hog()])
    run = rv.simulate(rv.System(vms=[modem, other]), rv.RTDS(), ms(400))
    windows = np.arange(0, ms(60), 500_000)
    seen, promised = rv.plots.least_supply(run, "modem", windows), rv.analysis.PeriodicResource(ms(10), ms(4)).sbf(windows)
    assert (seen >= promised).all() and windows[seen == 0].max() >= ms(6)


def test_a_sliders_last_bits_are_not_corrected():
    """The browser adds steps up in floating point. A value sent back to tidy it would undo the key that was pressed meanwhile."""
    explorer = supply_demand.explorer(budget=2.0)
    explorer.controls["budget"].value = added = 2.1000000000000005
    assert explorer.params.budget == 2.1 and explorer.controls["budget"].value == added
    explorer.set(budget=2.2)
    assert explorer.controls["budget"].value == 2.2
