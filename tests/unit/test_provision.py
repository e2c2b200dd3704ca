"""From deadlines to budgets: what is found is admitted and runs without a miss; what cannot be had is said."""

from __future__ import annotations

import random

import pytest
from conftest import LONG

import rtvirt as rv
from rtvirt.jit import DISABLED
from rtvirt.units import ms, s, us


def test_the_phone_is_served():
    """As shipped RTDS misses half of the modem's slots (its budgets are refused); provisioned it misses none."""
    phone = rv.System.load(rv.data.FOLDER / "systems/phone.yaml")
    assert not rv.admit(phone, rv.RTDS())
    found = rv.provision(phone, rv.RTDS())
    assert found and found.admission.admitted and "every deadline is met with modem" in found.why()
    assert list(found.table["vm"]) == [vm.name for vm in phone.vms] and found.table["share"].sum() <= 1
    run = rv.simulate(found.system, rv.RTDS(), ms(200) if DISABLED else s(2))
    assert not run.jobs["missed"].any() and len(run.jobs)


def test_who_has_to_go():
    """0.9 pCPUs of work in three VMs, more of budgets: any one of them may go, and then the rest is served."""
    three = rv.System(vms=[rv.VM(name, tasks=[rv.Task("t", wcet=ms(3), period=ms(10))]) for name in "abc"])
    found = rv.provision(three, rv.RTDS())
    assert not found and found.give_up == ("a", "b", "c") and "giving up those of one VM would do: a, b, c" in found.why()
    one_too_many = three.with_vm(rv.VM("d", tasks=[rv.Task("t", wcet=ms(8), period=ms(10))]))
    found = rv.provision(one_too_many, rv.RTDS())
    assert not found.give_up and "nor is it enough" in found.why() and not len(found.table)


def test_what_is_provisioned_never_misses(seed):
    rnd, served = random.Random(seed), 0
    for k in range(200 if LONG and not DISABLED else 3 if DISABLED else 12):
        vms = [rv.VM(f"v{i}", guest=rnd.choice(["fp", "edf"]), tasks=[
            rv.Task(f"t{j}", wcet=us(rnd.randint(1, 20) * 50), period=ms(rnd.choice([5, 8, 10, 20])), offset=us(rnd.randint(0, 5000)))
            for j in range(rnd.randint(1, 2))]) for i in range(rnd.randint(1, 3))]
        found = rv.provision(rv.System(vms=[*vms, rv.VM("rest", tasks=[rv.hog()])]), rv.RTDS())
        if found:
            served += 1
            assert not rv.simulate(found.system, rv.RTDS(), ms(400), seed=k).jobs["missed"].any(), found.system
    assert served


def test_refusals():
    many = rv.System(vms=[rv.VM("v", vcpus=2, tasks=[rv.Task("t", wcet=ms(1), period=ms(10))])])
    with pytest.raises(rv.SpecError, match="one VM a vCPU"):
        rv.provision(many, rv.RTDS())
    with pytest.raises(rv.SpecError, match="fp or edf"):
        rv.provision(rv.System(vms=[rv.VM("v", guest="rr", tasks=[rv.Task("t", wcet=ms(1), period=ms(10))])]), rv.RTDS())
