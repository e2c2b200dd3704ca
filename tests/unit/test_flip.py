"""The explorer of the theorems without a browser: compute, scene, sentence, errors, representation."""

from __future__ import annotations

import pytest

import rtvirt as rv
from rtvirt.explorers import flip
from rtvirt.explorers.flip import AS_IS, FLIPPED

PLAIN = dict(bit=AS_IS, line=AS_IS)


@pytest.fixture(scope="module")
def explorer():
    return flip.explorer()


def test_a_control_changes_the_sheet(explorer):
    explorer.set(isa="clean", opcode="RSR", bit=FLIPPED, line=AS_IS, model="1974")
    html, said = explorer._scene.sheet.html, explorer.sentence.value
    explorer.controls["bit"].value = AS_IS
    assert explorer._scene.sheet.html != html and explorer.sentence.value != said
    assert "all three theorems hold" in explorer.sentence.value and repr(explorer) == f"Explorer({explorer.params})"


@pytest.mark.parametrize(("values", "said"), [
    (dict(isa="clean", opcode="RSR", bit=FLIPPED), "is mode-sensitive: Theorems 1 and 2 say nothing; Theorem 3 holds"),
    (dict(isa="clean", opcode="RSR", bit=FLIPPED), "This machine exists: Motorola 68000"),
    (dict(isa="clean", opcode="JRST", bit=FLIPPED), "This machine exists: DEC PDP-10"),
    (dict(isa="m68000", opcode="RSR", bit=FLIPPED), "MOVESR traps in user mode and is innocuous: now all three theorems hold. This machine exists"),
    (dict(isa="clean", opcode="ADD", line="shows l"), "location-sensitive and user-sensitive: Theorems 1, 2 and 3 say nothing"),
    (dict(isa="clean", opcode="ADD", line="shows b"), "ADD does not trap and is innocuous: all three theorems hold"),
    (dict(isa="x86", opcode="NOP", line="goes to supervisor mode"), "SGDT, POPF, SMSW would break Theorem 1 anyway"),
    (dict(isa="clean", opcode="SVC"), "SVC always traps and is innocuous"),
])
def test_sentences(explorer, values, said):
    explorer.set(model="1974", isa="clean", opcode="NOP", **PLAIN)
    explorer.set(**values)
    assert said in explorer.static().text


def test_what_is_flipped_is_what_is_classified():
    """The sheet's verdicts are those that `classify` gives on the whole flipped set."""
    for opcode, line, model in [("RSR", AS_IS, "extended"), ("NOP", "moves R", "1974")]:
        data = flip.compute(flip.Params("arm", opcode, FLIPPED, line, model))
        whole = rv.machine.theorems(rv.machine.flip("arm", opcode, None if line == AS_IS else line, bit=True), model=model)
        assert [t.broken_by for t in data.after.all] == [t.broken_by for t in whole.all]
        assert data.new.signature == whole.classification[data.new.opcode].signature
        assert data.before[1].broken_by == ("MSR", "MRS", "CPS") and data.old.opcode == data.new.opcode


def test_the_sheet_shows_witness_and_source(explorer):
    explorer.set(isa="clean", opcode="ADD", bit=AS_IS, line="shows M", model="1974")
    html = explorer._scene.sheet.html
    assert "◀ differs" in html and "<mark>    view.put(m, cpu, a, view.user(m, cpu))   # new</mark>" in html and "class=\"bad changed\"" in html
    explorer.set(line="does nothing in user mode")
    assert "<mark>    if view.user(m, cpu) == 1:   # new</mark>" in explorer._scene.sheet.html
    explorer.set(line="shows b")
    assert "No witness in all" in explorer._scene.sheet.html and "class=\"bad" not in explorer._scene.sheet.html


def test_errors_are_raised_in_code_and_said_to_readers(explorer):
    explorer.set(isa="clean", opcode="NOP", model="1974", **PLAIN)
    with pytest.raises(rv.SpecError, match="the set arm"):
        explorer.set(opcode="CPS")
    with pytest.raises(rv.SpecError, match="always traps"):
        explorer.set(opcode="SVC", line="shows M")
    with pytest.raises(rv.SpecError, match="'clean', 'pdp10'"):
        flip.explorer(isa="z80")
    explorer.controls["opcode"].value = "CPS"
    assert "cannot be run" in explorer.sentence.value and "arm" in explorer.sentence.value
    explorer.controls["isa"].value = "arm"
    assert "CPS does not trap and is control-sensitive and mode-sensitive" in explorer.sentence.value


def test_static_picture_compares_both_sets(explorer):
    explorer.set(isa="clean", opcode="RSR", bit=FLIPPED, line=AS_IS, model="1974")
    axes = explorer.static().figure.axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["clean, as it is", "with RSR flipped"]
    assert [text.get_text() for text in axes.texts].count("✕1") == 1


def test_live_answers_are_not_stored():
    live = rv.explorers.Live(rv.machine.isa("clean"), "what it does")
    assert "NOP" in live.html and repr(live) == "<what it does: run this cell to see it>"
    bundle = live._repr_mimebundle_()
    assert (bundle[0] if isinstance(bundle, tuple) else bundle)["text/plain"] == repr(live)
