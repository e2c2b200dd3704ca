"""The textbook task sets: the analysis and the simulator say of them what their sources say."""

from __future__ import annotations

from fractions import Fraction

import pytest

import rtvirt as rv
from rtvirt.errors import SpecError
from rtvirt.units import FACTORS, ms, s

NAMES = rv.data.tasksets()


def times(example, values):
    return {name: None if value is None else int(Fraction(str(value)) * FACTORS[example.unit]) for name, value in values.items()}


def response_times(example):
    bounds = rv.analysis.fp_response_times(example.tasks, preemption=example.options.get("preemption", "full"))
    deadlines = {task.name: task.deadline for task in example.tasks}
    return {name: bound if bound is not None and bound <= deadlines[name] else None for name, bound in bounds.items()}


@pytest.mark.parametrize("name", [name for name in NAMES if "fp_response_times" in rv.data.taskset(name).known])
def test_response_times(name):
    example = rv.data.taskset(name)
    expected, found = times(example, example.known["fp_response_times"]), response_times(example)
    exact = "preemption" not in example.options          # in whole ns, what cannot be preempted begins 1 ns before what it blocks
    assert found.keys() == expected.keys()
    for task, bound in expected.items():
        assert found[task] == bound if exact or bound is None else bound - found[task] in (0, 1), task


@pytest.mark.parametrize("name", [name for name in NAMES if {"fp_schedulable", "edf_schedulable"} & set(rv.data.taskset(name).known)])
def test_verdicts(name):
    example = rv.data.taskset(name)
    if "fp_schedulable" in example.known:
        verdict = rv.analysis.fp_schedulable(example.tasks, preemption=example.options.get("preemption", "full"))
        assert bool(verdict) == example.known["fp_schedulable"], verdict.why()
    if "edf_schedulable" in example.known:
        assert bool(rv.analysis.edf_schedulable(example.tasks)) == example.known["edf_schedulable"]


@pytest.mark.parametrize("name", [name for name in NAMES if "min_share" in rv.data.taskset(name).known])
def test_shares(name):
    example = rv.data.taskset(name)
    known = example.known["min_share"]
    for guest in ("edf", "fp"):
        budget = rv.analysis.min_budget(example.tasks, ms(known["period"]), guest)
        assert round(budget / ms(known["period"]), 2) == known[guest]


@pytest.mark.parametrize("guest", ["edf", "fp"])
def test_dhalls_effect(guest):
    """Simulated: a guest that schedules globally on two vCPUs, and one whose heavy task has a vCPU of its own."""
    example = rv.data.taskset("dhall-liu/dhall-effect")
    cpus = example.options["cpus"]

    def missed(tasks):
        system = rv.System(cpus=cpus, vms=[rv.VM("m", vcpus=cpus, guest=guest, tasks=tasks, affinity=[[cpu] for cpu in range(cpus)])])
        table = rv.simulate(system, rv.Null(), s(1)).check().tasks
        return [task for (_, task), misses in table["misses"].items() if misses]

    assert missed(example.tasks) == example.known["global_misses"]
    pinned = [task.replace(vcpu=1 if task.name == "heavy" else 0) for task in example.tasks]
    assert missed(pinned) == example.known["partitioned_misses"]
    assert sum(task.wcet / task.period for task in example.tasks) < 1.05


def test_every_set_has_a_source_and_a_test():
    for name in NAMES:
        example = rv.data.taskset(name)
        assert example.source and example.known and example.tasks
        assert set(example.known) <= {"fp_response_times", "fp_schedulable", "edf_schedulable", "min_share", "global_misses", "partitioned_misses"}
    assert len(NAMES) >= 19


def test_unknown_names_list_the_known_ones():
    with pytest.raises(SpecError, match="lehoczky/several-jobs, lehoczky/one-less"):
        rv.data.taskset("lehoczky/none")
    with pytest.raises(SpecError, match="burns-wellings/A"):
        rv.data.taskset("x")
