"""Cycles: what is measured on running guests against the closed form, and parts that must not be there when their cause is not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rtvirt as rv
from rtvirt.machine import assemble
from rtvirt.machine.cycles import Meter, Timing, density, loop, measure, predicted
from rtvirt.machine.monitors.hypercalls import NUMBERS, equates

TIMINGS = st.builds(Timing, instruction=st.integers(1, 4), crossing=st.integers(0, 200), emulate=st.integers(0, 200), interpret=st.integers(1, 50),
                    line=st.sampled_from([1, 2, 4, 8]), lines=st.just(128), miss=st.integers(0, 80), page=st.sampled_from([16, 32, 64]),
                    pages=st.just(8), walk=st.integers(0, 90), footprint=st.integers(0, 128), tagged=st.booleans())


@settings(max_examples=12, deadline=None)
@given(every=st.integers(3, 60), timing=TIMINGS)
def test_measured_cycles_are_those_of_the_closed_form(every, timing):
    table = density(("trap-and-emulate", "interpreter", "hybrid"), every=(every,), instructions=4 * every, timing=timing)
    said = predicted(every, timing)
    assert table.bare.tolist() == [said["bare"]] * 3
    assert dict(zip(table.monitor, table.cycles, strict=True)) == pytest.approx({name: said[name] for name in table.monitor}, abs=1e-9)


@settings(max_examples=6, deadline=None)
@given(every=st.integers(3, 60), timing=TIMINGS)
def test_call_outs_and_hypercalls_are_those_of_the_closed_form(every, timing):
    """On "x86" the status is read without a trap, so the read is patched; a hypercall is an instruction of the loop."""
    said = predicted(every, timing)
    table = density(("binary-translation",), every=(every,), isa="x86", sensitive="SMSW r3", instructions=4 * every, timing=timing)
    assert table.cycles.tolist() == pytest.approx([said["binary-translation"]], abs=1e-9)
    few, many = (measure(loop(every, times, f"SVC {NUMBERS['SET_TIMER']}"), style="paravirtual", timing=timing) for times in (2, 6))
    assert (many.total - few.total) / (many.instructions - few.instructions) == pytest.approx(said["paravirtual"], abs=1e-9)


def test_dense_traps_cost_more_than_an_interpreter_and_sparse_ones_less():
    """Where the lines cross, hardware-supported trapping stops paying: a fact about densities, not about mechanisms."""
    table = density(every=(3, 20, 100), instructions=300).pivot(index="every", columns="monitor", values="factor")
    assert table["trap-and-emulate"].is_monotonic_decreasing and set(table["interpreter"]) == {20.0}
    assert table["trap-and-emulate"][3] > 20 > table["trap-and-emulate"][100]


def test_what_comes_after_a_crossing_is_part_of_its_price():
    """Without misses and walks a crossing costs 100 cycles here; with them, several times as much."""
    program = loop(50, 20)
    cold = measure(program, style="trap-and-emulate")
    warm = measure(program, style="trap-and-emulate", timing=Timing(miss=0, walk=0))
    assert warm.parts["misses"] == warm.parts["walks"] == 0 and warm.parts["crossings"] == cold.parts["crossings"] == 40 * 21
    assert cold.parts["misses"] + cold.parts["walks"] > 3 * cold.parts["crossings"]
    tagged = measure(program, style="trap-and-emulate", timing=Timing(tagged=True))
    assert tagged.parts["walks"] < cold.parts["walks"] / 10 and tagged.parts["misses"] == cold.parts["misses"]


def test_translated_code_crosses_more_cheaply():
    """On "x86" the status is read without a trap: only a patched program may run there, and its call-outs need no crossing of privilege."""
    program = loop(20, 30, "SMSW r3")
    trapped = measure(loop(20, 30), "clean", "trap-and-emulate")
    translated = measure(program, "x86", "binary-translation")
    assert translated.parts["crossings"] == 40 and translated.parts["monitor"] == 30 * 30 + 60          # 30 call-outs; HLT traps
    assert translated.total < trapped.total / 4


def test_hypercalls_and_their_parts():
    text = "start:  LDI r1, 'A'\n        LDI r2, 0\n        SVC HC_OUT\n        SVC HC_HALT\n"
    asked = measure(assemble({"main": text, "hypercalls": equates()}, rv.machine.isa("clean")), style="paravirtual")
    assert asked.crossings == 2 and asked.parts["monitor"] == 2 * Timing().hypercall


def test_operands_are_touched_too():
    near, far = (measure(f"start: LDI r1, 5\nagain: LD r2, {at}\n ADDI r1, r1, -1\n JNZ r1, again\n HLT\n") for at in (16, 400))
    assert far.parts["misses"] == near.parts["misses"] + 20 and far.parts["walks"] == near.parts["walks"] + 30


def test_a_cache_is_direct_mapped_and_a_tlb_forgets_the_oldest():
    meter = Meter(Timing(line=1, lines=2, page=10, pages=2, footprint=0))
    for address in (0, 2, 0, 15, 25, 0):
        meter.touch(address)
    assert meter.spent["misses"] == 20 * 5 and meter.spent["walks"] == 30 * 4       # the last 0 is still there, but its page is not


@pytest.mark.parametrize("make, words", [
    (lambda: Timing(miss=-1), "Timing.miss"), (lambda: Timing(lines=0), "1 to 1,000,000"), (lambda: Timing(footprint=65), "0 to 64"),
    (lambda: loop(2, 5), "3 to 400"), (lambda: predicted(2), "3 to 400"), (lambda: loop(5, 0), "times"),
    (lambda: Timing(tagged="no"), "True or False"), (lambda: measure("HLT", timing=5), "a Timing"),
    (lambda: measure("HLT", fuel=0), "1 to 10,000,000"),
    (lambda: measure("HLT", style="magic"), "interpreter"),
    (lambda: predicted(400), "fits in 64 lines")])
def test_mistakes_are_explained(make, words):
    with pytest.raises(rv.SpecError, match=words):
        make()
