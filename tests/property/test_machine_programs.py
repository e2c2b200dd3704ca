"""Properties of assembler and interpreter."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from oracle.programs import SIZE, program

import rtvirt as rv
from rtvirt.jit import DISABLED

MANY = settings(max_examples=30 if DISABLED else 200, phases=[Phase.explicit, Phase.generate], deadline=None, derandomize=True,
                suppress_health_check=list(HealthCheck))
NAMES = st.sampled_from(list(rv.machine.BUILT_IN))


@MANY
@given(words=st.lists(st.integers(0, 2**32 - 1), max_size=30), name=NAMES)
def test_any_words_survive_disassembly_and_assembly(words, name):
    assert rv.machine.assemble(rv.machine.listing(words, name), name).words[12:] == words


@MANY
@given(data=st.data(), name=NAMES)
def test_instructions_survive_disassembly_and_assembly(data, name):
    opcode = data.draw(st.sampled_from(rv.machine.isa(name).opcodes))
    a, b, imm = (data.draw(st.integers(0, top)) if part in opcode.operands else 0 for part, top in (("a", 7), ("b", 7), ("imm", 0xFFFF)))
    word = opcode.number | a << 8 | b << 12 | imm << 16
    text = rv.machine.disassemble(word, name)
    assert text.startswith(opcode.name) and rv.machine.assemble(text, name).words[12:] == [word]


@MANY
@given(seed=st.integers(0, 10**6), name=NAMES, cut=st.integers(1, 60))
def test_interruptions_change_nothing_and_plain_python_agrees(seed, name, cut):
    prints = []
    for compiled, portions in ((True, [120]), (False, [cut, 120 - cut])):
        machine = rv.machine.Machine(name, store=SIZE, compiled=compiled)
        machine.poke(0, program(seed, name))
        for portion in portions:
            if machine.last.reason not in ("halted", "wedged"):
                machine.run(portion)
        prints.append(machine.fingerprint())
    assert prints[0] == prints[1]


@MANY
@given(text=st.text(max_size=60))
def test_any_text_is_assembled_or_refused_with_lines(text):
    try:
        rv.machine.assemble(text)
    except rv.machine.AssemblyError as error:
        assert all(problem.where.startswith("line ") for problem in error.problems)
