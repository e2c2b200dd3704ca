"""Classes as pictures and in words; flips of one opcode, and what they do to the theorems."""

from __future__ import annotations

import inspect

import pytest

import rtvirt as rv
from rtvirt.plots.classes import items


def cells(ax, meaning) -> int:
    """How many cells of a meaning a picture has."""
    return sum(len(c.get_paths()) for place in ax.figure.axes for c in place.collections if c.get_label() == meaning)


def texts(ax) -> list[str]:
    """What is written in the cells."""
    return [text.get_text() for place in ax.figure.axes for text in place.texts if text.get_text()]


def test_matrix_of_one_set():
    found = rv.machine.classify("x86")
    ax = rv.plots.classes(found)
    assert [label.get_text() for label in ax.get_yticklabels()] == [v.opcode for v in found.verdicts if v.sensitive or v.privileged or v.always_traps]
    assert cells(ax, "breaks") == 7 and texts(ax).count("1 and 3") == 1 and texts(ax).count("1") == 2
    assert [label.get_text() for label in ax.get_yticklabels() if label.get_weight() == "bold"] == ["SGDT", "POPF", "SMSW"]
    every = rv.plots.classes(found, rows="all").figure.axes
    assert sum(len(place.get_yticklabels()) for place in every) == len(found.verdicts) and len(every) == 2
    assert rv.plots.classes(rv.machine.classify("clean"), rows="broken").get_title(loc="left").startswith("clean: whatever is sensitive traps")


def test_matrix_of_several_sets_names_what_breaks():
    found = [rv.machine.classify(name) for name in ("clean", "pdp10", "x86", "m68000", "m68010")]
    ax = rv.plots.classes(found)
    broken = {(f.isa, v.opcode) for f in found for v in f.verdicts if v.breaks}
    assert cells(ax, "breaks") == len(broken) == 5
    assert {"MOVESR ✕1", "JRST1 ✕1", "SGDT ✕1,3", "MOVESR ●"} <= set(texts(ax))
    assert "3 of 5 sets" in ax.get_title(loc="left")
    labelled = rv.plots.classes({"before": found[0], "after": found[1]}, rows="broken")
    assert [label.get_text() for label in labelled.get_xticklabels()] == ["before", "after"] and len(labelled.get_yticklabels()) == 1


def test_matrix_of_a_real_set():
    x86 = rv.silicon.classify("x86-32", live=False)
    ax = rv.plots.classes(x86, rows="broken")
    names = [label.get_text() for place in ax.figure.axes for label in place.get_yticklabels()]
    assert names == list(x86.offenders.index) and len(ax.figure.axes) == 2
    assert texts(ax).count("1 and 3") == len(x86.user_offenders)
    assert {i.name: i.traps for i in items(x86)}["CLI"].startswith("IOPL") and {i.name: i.traps for i in items(x86)}["LGDT"] == "yes"
    with pytest.raises(ValueError, match="remarkable, broken, all"):
        rv.plots.classes(x86, rows="some")


def test_bars_add_up():
    found = [rv.silicon.classify(name, live=False) for name in rv.silicon.NAMES] + [rv.machine.classify("pdp10")]
    ax = rv.plots.verdicts(found)
    assert sum(bar.get_width() for bar in ax.patches) == sum(len(f.table) for f in found)
    assert [label.get_text() for label in ax.get_yticklabels()][0] == "x86-32"
    first = [bar.get_width() for bar in ax.patches[:2]]
    assert first == [len(found[0].user_offenders), len(found[0].offenders) - len(found[0].user_offenders)]


@pytest.mark.parametrize(("isa", "opcode", "model", "kind", "said"), [
    ("pdp10", "JRST1", "1974", "control", "In supervisor mode M goes from s to u, and nothing traps."),
    ("m68000", "MOVESR", "1974", "mode", "S1 and S2 are equal but for M. Afterwards: r0 is 0 in S1 and 1 in S2."),
    ("x86", "POPF", "1974", "mode", "S1 and S2 are equal but for M. Afterwards: switch is 0 in S1 and 1 in S2."),
    ("x86", "SGDT", "1974", "user location", "S1 and S2 are equal but for R.l. Afterwards: r1 is 0 in S1 and 1 in S2."),
    ("s390x", "STCK", "extended", "resource", "S1 and S2 are equal but for timer. Afterwards: r0 is 0 in S1 and 1 in S2."),
    ("clean", "HLT", "extended", "control", "In supervisor mode the machine halts, and nothing traps."),
])
def test_witnesses_in_words(isa, opcode, model, kind, said):
    witness = rv.machine.classify(isa, model=model, only=opcode)[opcode].witnesses[kind]
    assert witness.words == said and said in witness._repr_html_()
    assert sum(bool(row[-1]) for row in witness.rows()) == 1 and witness._repr_html_().count("◀") == 1


@pytest.mark.parametrize(("opcode", "what", "model", "breaks"), [
    ("ADD", "shows M", "1974", (1,)), ("ADD", "shows l", "1974", (1, 3)), ("ADD", "shows b", "1974", ()), ("ADD", "shows the switch", "1974", ()),
    ("ADD", "shows the switch", "extended", (1, 3)), ("ADD", "does nothing in user mode", "1974", (1,)), ("NOP", "goes to user mode", "1974", (1,)),
    ("NOP", "goes to supervisor mode", "1974", (1, 3)), ("NOP", "moves R", "1974", (1, 3)), ("NOP", "turns the switch off", "1974", ()),
    ("NOP", "turns the switch off", "extended", (1, 3)), ("NOP", "writes below R", "1974", (1, 3)), ("SRR", "shows M", "1974", ()),
])
def test_flips_break_theorems(opcode, what, model, breaks):
    flipped = rv.machine.flip("clean", opcode, what)
    assert rv.machine.classify(flipped, model=model, only=opcode)[opcode].breaks == breaks
    assert rv.machine.FLIPS[what].line.split(": return")[0] in inspect.getsource(flipped[opcode].does)


def test_one_bit_makes_a_68000_and_another_unmakes_it():
    clean, m68000 = rv.machine.isa("clean"), rv.machine.isa("m68000")
    flipped = rv.machine.flip(clean, "RSR", bit=True)
    assert [(o.does, o.privileged) for o in flipped.opcodes] == [(o.does, o.privileged) for o in m68000.opcodes]
    assert rv.machine.theorems(rv.machine.flip(m68000, "MOVESR", bit=True)).virtualizable


def test_a_flipped_opcode_runs():
    machine = rv.machine.Machine(rv.machine.flip("clean", "MOV", "shows M"), "LDI r1, 7\n MOV r2, r1\n JRST 15\n MOV r3, r1\n SVC 0")
    machine.run(20, stop_on_trap=True)
    assert machine.registers[2:4] == [0, 1]


def test_flips_that_make_no_sense_are_refused():
    with pytest.raises(rv.SpecError, match="shows M"):
        rv.machine.flip("clean", "ADD", "shows everything")
    with pytest.raises(rv.SpecError, match="always traps"):
        rv.machine.flip("clean", "SVC", "shows M")
