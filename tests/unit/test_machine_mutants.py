"""Negative control: change what an opcode does to M, R or traps, and its class must change. All of them, or the mutant is proved equal."""

from __future__ import annotations

import pytest
from machine_mutants import BITS, STORE, equivalent, found_out, mutants

import rtvirt as rv
from rtvirt.jit import DISABLED
from rtvirt.machine.classify import judge
from rtvirt.machine.lazy import Branches
from rtvirt.machine.variants import catalogue

pytestmark = pytest.mark.skipif(DISABLED, reason="classes are derived in plain Python: without the JIT they would be the same once more")
OPCODES = {(o.does, o.privileged): o for isa in rv.machine.BUILT_IN.values() for o in isa.opcodes}
EQUIVALENT = {"shows M", "user read as 0", "its test of M always True"}      # in privileged opcodes: no state in user mode gets that far


@pytest.mark.parametrize("name", [f"{o.name}{'' if o.privileged else ' unprivileged'}" for o in OPCODES.values()])
def test_every_mutant_changes_the_class(name, capsys):
    opcode = next(o for o in OPCODES.values() if f"{o.name}{'' if o.privileged else ' unprivileged'}" == name)
    before, killed, equal = judge(opcode, Branches(BITS, STORE), "extended"), 0, []
    for what, mutant in mutants(opcode):
        if found_out(mutant, before):
            killed += 1
            continue
        assert equivalent(opcode, mutant), f"{opcode.name}, {what}: still {before.summary}"
        equal.append(what)
    assert killed >= 1 and set(equal) <= EQUIVALENT
    assert opcode.privileged or not equal
    print(f"{name}: {killed} mutants found, {len(equal)} proved equivalent: {equal}")


def test_every_semantics_is_mutated():
    assert {o.does for o in OPCODES.values()} == set(catalogue())
