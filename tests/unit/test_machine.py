"""The machine, its assembler and its classifier: what they promise, and how they refuse."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

import rtvirt as rv
from rtvirt.__main__ import main
from rtvirt.jit import DISABLED
from rtvirt.machine import bind, layout, loop, opcodes, storage
from rtvirt.machine.lazy import Branches, Lazy
from rtvirt.machine.variants import catalogue

VARIANTS = list(rv.machine.BUILT_IN)

# What the definitions must give (docs/popek-goldberg.md 3.4): Theorem 1, then Theorem 3, and the opcodes that break Theorem 1.
EXPECTED = {
    ("clean", "1974"): (True, True, ()), ("clean", "extended"): (True, True, ()),
    ("pdp10", "1974"): (False, True, ("JRST1",)), ("pdp10", "extended"): (False, True, ("JRST1",)),
    ("x86", "1974"): (False, False, ("SGDT", "POPF", "SMSW")), ("x86", "extended"): (False, False, ("SGDT", "POPF", "SMSW", "PUSHF")),
    ("m68000", "1974"): (False, True, ("MOVESR",)), ("m68000", "extended"): (False, False, ("MOVESR",)),
    ("m68010", "1974"): (True, True, ()), ("m68010", "extended"): (True, True, ()),
    ("arm", "1974"): (False, True, ("MSR", "MRS", "CPS")), ("arm", "extended"): (False, False, ("MSR", "MRS", "CPS")),
    ("vax", "1974"): (False, False, ("MOVPSL", "PROBE", "REI")), ("vax", "extended"): (False, False, ("MOVPSL", "PROBE", "REI")),
    ("s390x", "1974"): (False, True, ("EPSW",)), ("s390x", "extended"): (False, False, ("EPSW", "STCK")),
}


@pytest.mark.parametrize(("name", "model"), list(EXPECTED))
def test_theorems(name, model):
    found = rv.machine.theorems(name, model=model)
    assert (found.virtualizable, found.hybrid, found[1].broken_by) == EXPECTED[name, model]
    assert found.recursive == found.virtualizable
    assert "sufficient, not necessary" in repr(found) and "exhausting" in repr(found)


@pytest.mark.parametrize(("isa", "opcode", "classes"), [
    ("clean", "ADD", {"innocuous"}), ("clean", "LD", {"innocuous"}), ("clean", "SVC", {"always traps", "innocuous"}),
    ("clean", "LPSW", {"privileged", "control-sensitive"}), ("clean", "GRR", {"privileged", "location-sensitive"}),
    ("clean", "HLT", {"privileged", "innocuous"}), ("pdp10", "JRST1", {"control-sensitive"}),
    ("x86", "POPF", {"mode-sensitive"}), ("x86", "SGDT", {"location-sensitive", "user-sensitive"}), ("vax", "REI", {"control-sensitive"}),
    ("arm", "CPS", {"control-sensitive", "mode-sensitive"}), ("vax", "PROBE", {"location-sensitive", "user-sensitive"}),
])
def test_classes(isa, opcode, classes):
    assert set(rv.machine.classify(isa, only=opcode)[opcode].classes) == classes


def test_one_bit_tells_the_68000_from_the_68010():
    old, new = rv.machine.isa("m68000"), rv.machine.isa("m68010")
    differ = [(a, b) for a, b in zip(old.opcodes, new.opcodes) if a != b]
    assert [(a.name, a.privileged, b.privileged, a.does is b.does) for a, b in differ] == [("MOVESR", False, True, True)]


def test_an_exhausted_verdict_does_not_depend_on_the_size(long):
    """Larger machines give the same classes; the whole of LPSW on three bits is too large to exhaust in a test."""
    names = [o.name for o in rv.machine.isa("vax").opcodes if o.name not in ("LPSW", "REI", "LD", "ST", "PROBE") or (long and o.name != "LPSW")]
    for name in names:
        small, large = (rv.machine.classify("vax", only=name, bits=bits, model="extended", fuel=10**9)[name] for bits in (2, 3))
        assert small.signature == large.signature and large.exact, name


@pytest.mark.parametrize("name", VARIANTS)
def test_sampling_agrees_where_it_finds_something(name):
    """On 32-bit words draws find no sensitivity that exhaustion excludes."""
    exact, drawn = rv.machine.classify(name), rv.machine.classify(name, bits=32, store=4096, trials=100, seed=1)
    for verdict in drawn.verdicts:
        assert set(verdict.witnesses) <= set(exact[verdict.opcode].witnesses), verdict.opcode
        if not verdict.sensitive:
            assert "no witness in" in verdict.summary
    assert "not excluded" in drawn.method


def test_draws_do_not_make_a_theorem_hold():
    drawn = rv.machine.theorems("clean", bits=32, store=4096, trials=20)
    assert drawn[1].holds and not drawn[1].proved and "not refuted by the draws" in repr(drawn) and "holds  " not in repr(drawn)
    assert rv.machine.theorems("pdp10")[3].proved
    assert "fails: MOVESR" in repr(rv.machine.theorems("m68000", bits=32, store=4096, trials=20))


def test_witnesses_are_minimal_and_readable():
    verdict = rv.machine.classify("pdp10")["JRST1"]
    witness = verdict.witnesses["control"]
    assert witness.rows() == [("M", "s", "u", "changes"), ("P", "0", "0", ""), ("ends", "", "completes", "")] and witness.weight == (0, 0)
    pair = rv.machine.classify("m68000")["MOVESR"].witnesses["mode"]
    assert pair.head == ("", "S1 before", "after", "S2 before", "after", "")
    assert ("r0", "0", "0", "0", "1", "differs") in pair.rows() and "MOVESR r0: mode-sensitive" in repr(pair)
    for shown in (verdict, witness, rv.machine.classify("x86"), rv.machine.theorems("x86"), rv.machine.isa("x86")):
        assert "</table>" in shown._repr_html_() and "0x7f" not in repr(shown)


def test_table():
    table = rv.machine.classify("x86").table
    assert table.loc["SGDT", "location"] and not table.loc["SGDT", "privileged"] and table["cases"].sum() > 20_000


# ------------------------------------------------------------------ one source


def test_classifier_and_interpreter_run_the_same_code():
    view = Lazy(Branches(2, 6))
    for function in catalogue():
        assert bind.rebound(function, view).__code__ is function.__code__ is bind.rebound(function, storage).__code__
    engine = bind.interpreter(catalogue(), True, True)
    bodies = [(opcodes.add, engine.execute)] if DISABLED else [(opcodes.add, engine.execute.py_func)]
    for function, execute in bodies:
        bound = execute.__globals__[f"f{catalogue().index(function)}"]
        assert getattr(bound, "py_func", bound).__code__ is function.__code__
    assert getattr(engine.run, "py_func", engine.run).__code__ is loop.run.__code__


def test_both_views_offer_the_same_primitives():
    offered = {name for name, f in vars(storage).items() if callable(f) and getattr(f, "__module__", "") == storage.__name__}
    assert offered - {"deliver"} <= set(dir(Lazy))


# ------------------------------------------------------------------ your own instruction sets


view = storage


def peek(m, cpu, a, b, imm):
    """a := M."""
    view.put(m, cpu, a, view.user(m, cpu))
    return 0


def raw(m, cpu, a, b, imm):
    """a := the word at an absolute address."""
    at = view.register(m, cpu, b)
    if not view.exists(m, cpu, at):
        return view.memory_trap(m, cpu, at)
    view.put(m, cpu, a, view.load_absolute(m, cpu, at))
    return 0


def test_own_opcodes_are_classified_and_run():
    mine = rv.machine.isa("clean").with_opcode("PEEK", peek, operands="a").with_opcode("RAW", raw, operands="a, b").named("mine")
    assert rv.machine.classify(mine, only="PEEK")["PEEK"].classes == ("mode-sensitive",)
    assert rv.machine.classify(mine, only="RAW")["RAW"].user_sensitive
    machine = rv.machine.Machine(mine, "LDI r2, 12\n RAW r1, r2\n PEEK r3\n HLT")
    assert machine.run(100).reason == "halted" and not machine.compiled and machine.registers[1] == machine[12]


@pytest.mark.skipif(DISABLED, reason="compiles")
def test_own_opcodes_can_be_compiled():
    mine = rv.machine.isa("clean").with_opcode("PEEK", peek, operands="a")
    machine = rv.machine.Machine(mine, "PEEK r3\n HLT", compiled=True)
    assert machine.run(100).reason == "halted" and machine.compiled


@pytest.mark.parametrize(("change", "says"), [
    (lambda isa: isa.with_opcode("ADD", peek), "each name once"), (lambda isa: isa.with_opcode("X", peek, operands="c"), "write one of these"),
    (lambda isa: isa.with_opcode("X", peek, number=1), "each once"), (lambda isa: isa.with_opcode("X", len), "function of"),
    (lambda isa: isa.change("BLA"), "choose an opcode"), (lambda isa: rv.machine.isa("z80"), "clean, pdp10, x86, m68000, m68010, arm, vax, s390x"),
    (lambda isa: rv.machine.classify(isa, model="1975"), "1974 or extended"), (lambda isa: rv.machine.classify(isa, bits=32), "trials"),
    (lambda isa: rv.machine.classify(isa, trials=0), "whole number, 1 to"), (lambda isa: rv.machine.classify(isa)["BLA"], "choose an opcode"),
    (lambda isa: rv.machine.Machine(isa, store=3), "12 to"), (lambda isa: rv.machine.Machine(isa).run(fuel=0), "fuel"),
    (lambda isa: rv.machine.theorems(isa)[4], "1, 2 or 3"), (lambda isa: rv.machine.classify(isa, bits=2.5), "whole number"),
    (lambda isa: rv.machine.classify(isa, seed="x"), "whole number"), (lambda isa: rv.machine.Machine(isa, start=-1), "0 to 4095"),
    (lambda isa: rv.machine.Machine(isa, store=12.5), "12 to"), (lambda isa: rv.machine.Machine(isa).type(5), "a string"),
    (lambda isa: rv.machine.Machine(isa).memory(-5), "0 to 4096"), (lambda isa: rv.machine.Machine(isa, 5), "as text"),
    (lambda isa: rv.machine.Machine(isa)["nowhere"], "label"), (lambda isa: rv.machine.Machine(isa, ".org 90\nHLT", store=50), "larger"),
])
def test_refusals_say_what_to_do(change, says):
    with pytest.raises(rv.SpecError, match=says):
        change(rv.machine.isa("clean"))


# ------------------------------------------------------------------ programs


def test_all_mistakes_of_a_program_are_reported_with_their_lines():
    source = 'x: LDI r9, 1\n LDI r1\n FOO r1\nx: NOP\n .space -1\n LDI r1, 70000\n LD r1, (r0)\n' \
             ' LDI r1, 2 +\n .ascii "a\n JMP nowhere\n .org 12\n NOP\n ;fine'
    with pytest.raises(rv.machine.AssemblyError) as caught:
        rv.machine.assemble(source)
    assert [problem.where for problem in caught.value.problems] == [f"line {n}" for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10)]
    with pytest.raises(rv.machine.AssemblyError, match="line 3: address is 12"):
        rv.machine.assemble("NOP\n .org 12\n HLT")


def test_every_operand_that_is_wrong_is_named():
    with pytest.raises(rv.machine.AssemblyError) as caught:
        rv.machine.assemble("NOP\n ADDI r9, r8, 70000\n JMP x(r0)")
    assert sorted((p.where, p.field) for p in caught.value.problems) == [
        ("line 2", "immediate"), ("line 2", "register"), ("line 2", "register"), ("line 3", "base register")]


@pytest.mark.parametrize(("line", "says"), [
    (".word 4294967296", "32 bits"), (".word -2147483649", "32 bits"), (".word", "give it a number"), ("LDI r1, 2**3", "both sides"),
    ("LDI r1, --5", "both sides"), ("LDI r1, 3 4", "put an operator between"), ("LDI r1, (1)", "write for example"),
    (".word 5,", "write for example")])
def test_expressions_that_say_nothing_are_refused(line, says):
    with pytest.raises(rv.machine.AssemblyError, match=says):
        rv.machine.assemble(line)


def test_quotes_and_signs():
    words = rv.machine.assemble("""
            .word '\\'', ',', ';', '"', -2 * 3 + 2 * -4, -'A', 4294967295, -2147483648
            .ascii "a\\"b;'"
            ldi R1, 'x' ; 'not this'""").words[12:]
    assert words == [39, 44, 59, 34, 2**32 - 14, 2**32 - 65, 2**32 - 1, 2**31, 97, 34, 98, 59, 39, 2 | 1 << 8 | 120 << 16]


def test_expressions_and_directives():
    found = rv.machine.assemble("""
            .equ size, 2 * 3 + 1
    a:      .word size, -1, 'A', a + size - 2*2, 0xff
            .space 2
    text:   .ascii "a;\\n"       ; a comment
            LD r1, text - a(r2) # another
    """)
    assert found.words[12:] == [7, 2**32 - 1, 65, 15, 255, 0, 0, 97, 59, 10, 3 | 1 << 8 | 2 << 12 | 7 << 16]
    assert "LD r1, 7(r2)" in repr(found) and "<table>" in found._repr_html_()


BAD = {
    "runaway loop": ("x: JMP x", "out of fuel after 1,000 instructions, at P=12 (JMP 12) in supervisor mode"),
    "wild jump": ("JMP 9999", "wedged after 2 instructions: memory trap at P=9999: address 9999"),
    "self-overwrite": ("ST r0, 13\n NOP", "wedged after 2 instructions: illegal instruction at P=13"),
    "halt in user mode": ("JRST 13\n HLT", "wedged after 2 instructions: privileged instruction in user mode at P=13: HLT"),
    "no program": ("", "wedged after 1 instruction: illegal instruction at P=12"),
    "own bound to nothing": ("SRR r1, r1", "address 13 is not below the bound"),
    "trap storm": (".org 8\n.word 0, 12, 0, 4096\n SVC 1", "1,000 of which trapped, at P=12 in supervisor mode: system call 1 at P=12; it looks"),
    "handler in user mode": (".org 8\n.word 1, h, 0, 4096\nstart: SVC 3\nh: HLT", "privileged instruction in user mode at P=13: HLT; it looks as if"),
}


@pytest.mark.parametrize("what", list(BAD))
def test_bad_programs_end_with_a_clear_report(what):
    source, says = BAD[what]
    for compiled in (True, False):
        report = rv.machine.Machine("clean", source, compiled=compiled).run(fuel=1000)
        assert says in report.text, report.text


def test_a_runaway_loop_ends_without_fuel_being_given():
    own = rv.machine.isa("clean").with_opcode("PEEK", peek, operands="a")
    for machine in (rv.machine.Machine(own, "x: JMP x"), rv.machine.Machine("clean", "x: JMP x", compiled=False)):
        assert machine.fuel == 1_000_000
    assert rv.machine.Machine("clean", "x: JMP x").fuel == 100_000_000
    if not DISABLED:
        assert "out of fuel after 100,000,000 instructions" in rv.machine.Machine("clean", "x: JMP x").run().text


def test_self_modifying_code_is_right():
    """The loop's own instruction is replaced by the next of a list, each time before it is executed."""
    machine = rv.machine.Machine("clean", """
    start:  LDI r1, 3
    loop:   LD r2, table - 1(r1)
            ST r2, patch
    patch:  NOP
            ADDI r1, r1, -1
            JNZ r1, loop
            HLT
    table:  LDI r3, 11
            LDI r4, 22
            LDI r5, 33
    """)
    assert machine.run().reason == "halted" and machine.registers[3:6] == [11, 22, 33]


GUEST = """
        .org 8
        .word 0, trapped, 0, 4096
start:  LDI r1, 5
        STT r1
        LDI r2, 2
        SSR r2
wait:   ADDI r3, r3, 1
        JMP wait
trapped: LD r4, 4
        RSR r5
        HLT
"""


def test_the_timer_traps_after_as_many_instructions_as_it_was_set_to():
    machine = rv.machine.Machine("clean", GUEST)
    machine.run()
    assert machine.registers[4] == layout.TIMER and machine.instructions == 2 + 5 + 3 and machine.registers[3] == 2
    assert machine.registers[5] == 0 and machine.memory(0, 2) == [2, 17]
    assert "the timer ran down before P=17" in repr(machine) and machine.traps == {"timer": 1}


def test_a_run_can_be_interrupted_anywhere():
    whole = rv.machine.Machine("clean", GUEST)
    whole.run()
    parts = rv.machine.Machine("clean", GUEST)
    while parts.last.reason != "halted":
        parts.step()
    assert parts.fingerprint() == whole.fingerprint()


def test_stopping_at_traps_shows_them_before_they_are_delivered():
    machine = rv.machine.Machine("clean", ".org 8\n.word 0, h, 0, 4096\nstart: JRST 13\n HLT\nh: HLT")
    report = machine.run(stop_on_trap=True)
    assert report.reason == "trapped" and "privileged instruction in user mode at P=13: HLT" in report.text and machine.psw["user"] == 1
    assert machine.run().reason == "halted" and machine.psw["user"] == 0 and machine.memory(0, 2) == [1, 13]


def test_ports():
    echo = "loop: IN r1, 0\n JZ r1, done\n OUT r1, 0\n JMP loop\ndone: LDI r2, 7\n" \
           " OUT r2, 1\n OUT r2, 2\n OUT r2, 1\n IN r3, 2\n IN r4, 1\n IN r5, 9\n HLT"
    machine = rv.machine.Machine("clean", echo)
    machine.type("grüß")
    assert machine.run().reason == "halted" and machine.console == "grüß" and machine.registers[3:6] == [7, 8, 0]
    flood = rv.machine.Machine("clean", "LDI r2, 10000\nx: OUT r2, 0\n ADDI r2, r2, -1\n JNZ r2, x\n HLT")
    assert flood.run().reason == "halted" and len(flood.console) == 10_000


def test_command_line(tmp_path):
    done = CliRunner().invoke(main, ["classify", "pdp10", "--csv", str(tmp_path / "t.csv")])
    assert done.exit_code == 0 and "fails: JRST1" in done.output and (tmp_path / "t.csv").exists()
    assert "mode-sensitive" in CliRunner().invoke(main, ["classify", "arm", "--witness", "CPS"]).output
    real = CliRunner().invoke(main, ["classify", "rv64"]).output
    assert "as unicorn" in real and "rows of the reference agree" in real
    assert "as unicorn" in CliRunner().invoke(main, ["classify", "s390x", "--real"]).output
    assert "supervisor" in CliRunner().invoke(main, ["classify", "x86-32", "--witness", "POPF"]).output
    refused = CliRunner().invoke(main, ["classify", "z80"])
    assert refused.exit_code == 1 and "m68000" in refused.output and "Traceback" not in refused.output
