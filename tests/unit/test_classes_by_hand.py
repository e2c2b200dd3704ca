"""One opcode of each kind, its class derived by hand from the definitions in both models; and every witness replayed on the interpreter's storage."""

from __future__ import annotations

import pytest

import rtvirt as rv
from rtvirt.machine import bind, layout, storage, view
from rtvirt.machine.layout import HALT, ILLEGAL, OK, PRIVILEGED
from rtvirt.rows import make


def source(lines: str):
    """An opcode's semantics from its lines."""
    names = {"view": view, "OK": OK, "HALT": HALT, "ILLEGAL": ILLEGAL}
    exec("def own(m, cpu, a, b, imm):\n" + "".join(f"    {line}\n" for line in [*lines.split("\n"), "return OK"]), names)
    return names["own"]


USER = "if view.user(m, cpu) == 1: "
SUPERVISOR = "if view.user(m, cpu) == 0: "
SHOW_L, SHOW_B = "view.put(m, cpu, a, view.relocation(m, cpu))", "view.put(m, cpu, a, view.bound(m, cpu))"
SET_R = "view.set_r(m, cpu, view.register(m, cpu, a), view.register(m, cpu, b))"
TRAP = "return view.trap(m, cpu, ILLEGAL, 0)"
ABSOLUTE = "at = view.register(m, cpu, b)\nif not view.exists(m, cpu, at): return view.memory_trap(m, cpu, at)\n"

# name: operands, lines, classes in the 1974 model, in the extended model ("=": the same).
# c control-, l location-, m mode-, r resource-, u user-sensitive.
BY_HAND = {
    "does nothing": ("", "pass", "", "="),
    "shows l": ("a", SHOW_L, "l u", "="),
    "shows l in supervisor mode only, else nothing": ("a", SUPERVISOR + SHOW_L, "l m", "="),
    "shows l in user mode only, else nothing": ("a", USER + SHOW_L, "l m u", "="),
    "shows l, traps by itself in user mode": ("a", USER + TRAP + "\n" + SHOW_L, "privileged l", "="),
    "shows b: r+x keeps it, a monitor need not": ("a", SHOW_B, "", "r u"),
    "shows M": ("a", "view.put(m, cpu, a, view.user(m, cpu))", "m", "="),
    "shows M xor M": ("a", "view.put(m, cpu, a, view.user(m, cpu) ^ view.user(m, cpu))", "", "="),
    "shows the switch": ("a", "view.put(m, cpu, a, view.enabled(m, cpu))", "", "r u"),
    "shows the timer": ("a", "view.put(m, cpu, a, view.timer(m, cpu))", "", "r u"),
    "reads a port": ("a", "view.put(m, cpu, a, view.read_port(m, cpu, 0))", "", "c r u"),
    "takes from a port, shows nothing": ("", "view.read_port(m, cpu, 0)", "", "c u"),
    "writes a port": ("a", "return view.write_port(m, cpu, 0, view.register(m, cpu, a))", "", "c u"),
    "writes R": ("a, b", SET_R, "c u", "="),
    "writes R, silently not in user mode": ("a, b", SUPERVISOR + SET_R, "c", "="),
    "writes R, silently not in supervisor mode": ("a, b", USER + SET_R, "c u", "="),
    "writes the R that is there": ("", "view.set_r(m, cpu, view.relocation(m, cpu), view.bound(m, cpu))", "", "="),
    "writes b alone": ("a", "view.set_r(m, cpu, view.relocation(m, cpu), view.register(m, cpu, a))", "c u", "="),
    "to user mode": ("", "view.set_user(m, cpu, 1)", "c", "="),
    "to supervisor mode": ("", "view.set_user(m, cpu, 0)", "c u", "="),
    "to user mode and back": ("", "old = view.user(m, cpu)\nview.set_user(m, cpu, 1)\nview.set_user(m, cpu, old)", "", "="),
    "to supervisor mode for one word in many": ("a", "if view.register(m, cpu, a) == 3: view.set_user(m, cpu, 0)", "c u", "="),
    "no operation in user mode": ("a", SUPERVISOR + "view.put(m, cpu, a, 1)", "m", "="),
    "traps in supervisor mode only": ("", SUPERVISOR + TRAP, "m", "="),
    "traps in user mode only": ("", USER + TRAP, "privileged", "="),
    "traps in user mode for some operands": ("a", "if view.user(m, cpu) == 1 and view.register(m, cpu, a) == 0: " + TRAP, "", "="),
    "traps for some operands in both modes": ("a", "if view.register(m, cpu, a) == 0: " + TRAP, "", "="),
    "always traps": ("", TRAP, "always", "="),
    "stores at an absolute address": ("a, b", ABSOLUTE + "view.store_absolute(m, cpu, at, view.register(m, cpu, a))", "c l u", "="),
    "loads from an absolute address": ("a, b", ABSOLUTE + "view.put(m, cpu, a, view.load_absolute(m, cpu, at))", "l u", "="),
    "stores without asking R": ("a, imm(b)", "view.store(m, cpu, view.address(m, cpu, b, imm), view.register(m, cpu, a))", "c u", "="),
    "jumps where M says": ("imm(b)", USER + "view.jump(m, cpu, view.address(m, cpu, b, imm))", "m", "="),
    "jumps to l": ("", "view.jump(m, cpu, view.relocation(m, cpu))", "l u", "="),
    "halts in user mode only": ("", USER + "return HALT", "m", "c m u"),
    "turns the switch on": ("", "view.set_enabled(m, cpu, 1)", "", "c u"),
    "sets the switch, silently not in user mode": ("a", SUPERVISOR + "view.set_enabled(m, cpu, view.register(m, cpu, a) & 1)", "m", "c m"),
    "sets the timer": ("a", "view.set_timer(m, cpu, view.register(m, cpu, a))", "", "c u"),
}
WORDS = {"c": "control-sensitive", "l": "location-sensitive", "m": "mode-sensitive", "r": "resource-sensitive", "u": "user-sensitive",
         "always": "always traps"}


def isa_with(name):
    operands, lines, *_ = BY_HAND[name]
    return rv.machine.isa("clean").with_opcode("OWN", source(lines), operands=operands).named("own")


@pytest.mark.parametrize("name", list(BY_HAND))
def test_class_is_that_derived_by_hand(name):
    *_, strict, extended = BY_HAND[name]
    for model, text in (("1974", strict), ("extended", strict if extended == "=" else extended)):
        wanted = {WORDS.get(word, word) for word in text.split()}
        found = set(rv.machine.classify(isa_with(name), model=model, only="OWN")["OWN"].classes)
        assert found - {"innocuous"} == wanted and ("innocuous" in found) == (not wanted & set(WORDS.values()) - {"always traps"}), (model, found)


# ------------------------------------------------------------------ witnesses, replayed


def replayed(opcode, witness, bits, size):
    """Each state put into real storage of that word size, the opcode executed: (how it ends, everything after) must be as shown."""
    small = bind.copy_of(storage, bind.plain, MASK=2**bits - 1)
    function = bind.rebound(opcode.does, small)
    for mode, before, ended, writes in witness.states:
        m = make(layout.Machine, {"store": 64, "isa": 1, "console": 4, "keyboard": 4, "disk": 64}, plain=True)
        cpu = m.cpus[0]
        cpu.user, cpu.origin, cpu.size, cpu.disk_size, cpu.alarm, cpu.clock = mode, 16, size, 32, layout.NEVER, 7
        small.set_r(m, 0, before.get("l", 0), 0)
        cpu.b = before.get("b", 2**bits)
        cpu.reach = max(0, min(cpu.b, size - cpu.l))
        cpu.p, cpu.enabled = before.get("p", 0) + 1 & 2**bits - 1, before.get("ie", 0)
        cpu.alarm = cpu.clock + before["t"] if before.get("t") else layout.NEVER
        for cell, value in before.items():
            at = {"e": 16 + cpu.l, "x": 16}.get(cell[0])
            if cell[0] == "r":
                m.registers[cell[1]] = value
            elif at is not None:
                m.store[at + cell[1]] = value
            elif cell == ("in", 0):
                m.keyboard[0], m.ports[layout.KEYS] = value, 1
            elif cell[0] == "in":
                return                                               # the real machine's other ports do not take any value
        start = list(m.registers), list(m.store), cpu.l
        got = PRIVILEGED if mode and opcode.privileged else function(m, 0, *witness.form)
        assert got == ended
        if ended not in (OK, HALT):
            assert (list(m.registers), list(m.store), cpu.l) == start
            continue
        registers, store, l = start  # noqa: E741
        for cell, value in writes.items():
            if cell[0] == "r":
                registers[cell[1]] = value
            elif cell[0] in "ex":
                store[16 + (l if cell[0] == "e" else 0) + cell[1]] = value
        assert list(m.registers) == registers and list(m.store) == store
        wanted = {"m": mode, "p": (before.get("p", 0) + 1) & 2**bits - 1, "l": l, "b": before.get("b", 2**bits), "ie": before.get("ie", 0)} | writes
        assert (cpu.user, cpu.p, cpu.l, cpu.b, cpu.enabled) == tuple(wanted[name] for name in ("m", "p", "l", "b", "ie"))
        if "t" in writes:
            assert (0 if cpu.alarm == layout.NEVER else cpu.alarm - 8) == writes["t"]


def paired(witness):
    """The two states may differ in what the kind of the witness names, and in storage outside E|R; nothing else."""
    if len(witness.states) == 1:
        return
    (mode, one, *_), (mode2, two, *_) = witness.states
    differ = {cell for cell in {**one, **two} if one.get(cell) != two.get(cell) and cell[0] != "x"}
    if "location" in witness.kind:
        assert differ == {"l"} and mode == mode2
    elif "resource" in witness.kind:
        assert len(differ) == 1 and (differ <= {"b", "ie", "t"} or next(iter(differ))[0] == "in") and mode == mode2
    else:
        assert not differ and mode != mode2


@pytest.mark.parametrize("model", ["1974", "extended"])
@pytest.mark.parametrize("name", [*rv.machine.BUILT_IN, *BY_HAND])
def test_every_witness_is_true_on_the_interpreter_s_storage(name, model):
    isa = isa_with(name) if name in BY_HAND else rv.machine.isa(name)
    found = rv.machine.classify(isa, model=model, only=None if name in rv.machine.BUILT_IN else "OWN")
    for verdict in found.verdicts:
        assert bool(verdict.witnesses) == verdict.sensitive
        for witness in [*verdict.witnesses.values(), *([verdict.counter] if verdict.counter else [])]:
            replayed(isa[verdict.opcode], witness, found.bits, found.store)
            paired(witness)


def test_the_extended_model_finds_all_that_the_other_finds():
    for name in ("x86", "arm"):                                      # all kinds of witness
        strict, extended = (rv.machine.classify(name, model=model) for model in ("1974", "extended"))
        for verdict in strict.verdicts:
            assert set(verdict.witnesses) <= set(extended[verdict.opcode].witnesses), (name, verdict.opcode)


def test_the_smallest_pair_is_found_though_its_states_are_no_neighbours():
    """Results differ between l = 0 and l = 2, and between 1 and 2: the first pair has fewer numbers that are not 0."""
    isa = rv.machine.isa("clean").with_opcode("OWN", source("view.put(m, cpu, a, view.relocation(m, cpu) >> 1 & 1)"), operands="a")
    witness = rv.machine.classify(isa, only="OWN")["OWN"].witnesses["location"]
    assert [state[1]["l"] for state in witness.states] == [0, 2]


# ------------------------------------------------------------------ opcodes written by people


def status(m, cpu):
    """A function that an opcode calls."""
    return view.user(m, cpu)


def shows(m, cpu, a, b, imm):
    """a := M."""
    view.put(m, cpu, a, status(m, cpu))
    return OK


def alarm(m, cpu, value):
    """Another."""
    view.set_timer(m, cpu, value)


def sets_timer(m, cpu, a, b, imm):
    """Timer := a."""
    alarm(m, cpu, view.register(m, cpu, a))
    return OK


def test_what_an_opcode_calls_belongs_to_it():
    """A helper acts on the same state; and the interpreter looks into it too, or the timer that it sets would be overlooked."""
    isa = rv.machine.isa("clean").with_opcode("OWN", shows, operands="a").with_opcode("TIMER", sets_timer, operands="a")
    assert rv.machine.classify(isa, only="OWN")["OWN"].classes == ("mode-sensitive",)
    program = ".org 8\n.word 0, h, 0, 4096\nstart: LDI r1, 5\n LDI r2, 2\n SSR r2\n {} r1\nw: JMP w\nh: OWN r3\n HLT"
    ends = [rv.machine.Machine(isa, program.format(name)) for name in ("TIMER", "STT")]
    assert [m.run(1000).text for m in ends] == [ends[0].last.text] * 2 and ends[0].last.reason == "halted"


def test_names_do_not_matter():
    from rtvirt.machine import view as v

    def own(m, cpu, a, b, imm):
        v.put(m, cpu, a, v.user(m, cpu))
        return OK
    assert rv.machine.classify(rv.machine.isa("clean").with_opcode("OWN", own, operands="a"), only="OWN")["OWN"].mode


@pytest.mark.parametrize(("lines", "says"), [
    ("return None", "returns None.*end every way"),
    ("if view.register(m, cpu, a) == 2: return None", "returns None"), ("return 42", "returns 42"),
    ("while view.register(m, cpu, a) == 0: pass", "Endless"),
    ("view.nothing(m, cpu)", "no attribute 'nothing'"),
    ("rv.machine.view.user(m, cpu)", "from rtvirt.machine import view"), ("1 // 0", "ZeroDivision")])
def test_a_wrong_function_is_refused_when_it_is_given(lines, says):
    with pytest.raises(rv.SpecError, match=says):
        rv.machine.isa("clean").with_opcode("OWN", source(lines), operands="a")


def test_a_way_without_return_is_found_later():
    way = "r = [view.register(m, cpu, k) for k in (1, 3, 4, 5, 6)]\nif r[0] == 3: return None"      # r1 = 3 comes after 768 other states
    isa = rv.machine.isa("clean").with_opcode("OWN", source(way), operands="a")
    with pytest.raises(rv.SpecError, match="what OWN returns is None"):
        rv.machine.classify(isa, only="OWN")
    with pytest.raises(rv.SpecError, match="what own returns is None"):
        rv.machine.Machine(isa, "LDI r1, 3\n OWN r1").run(10)


def test_what_is_too_large_is_sampled_and_says_so():
    found = rv.machine.classify("clean", bits=3, only="LPSW", fuel=500)
    assert not found["LPSW"].exact and "in 2,000 trials" in found["LPSW"].summary and "sampled: LPSW" in found.method
    assert rv.machine.classify("clean", only="ADD", fuel=500)["ADD"].exact
