"""The small operating system and the programs that find a monitor out: on bare machines, and under each style."""

from __future__ import annotations

import pytest
from test_machine import EXPECTED

import rtvirt as rv
from rtvirt.jit import DISABLED
from rtvirt.machine import guests, monitors
from rtvirt.machine.monitors import STYLES, Monitor

CONSOLE = "s1ab1c!1"
VARIANTS = list(rv.machine.BUILT_IN)


def bare(name, variant, layer=None, compiled=None, **instead):
    """A bare machine that has run a guest to its end."""
    machine = rv.machine.Machine(variant, guests.load(name, variant, layer=layer, **instead), store=guests.SIZE, compiled=compiled)
    assert machine.run(20_000).reason in ("halted", "out of fuel")
    return machine


def under(style, name, variant, layer=None, **instead):
    """The same under a monitor."""
    monitor = Monitor(variant, style)
    monitor.create("HLT", size=12 + len(variant))            # so that guests do not always begin at the same word
    guest = monitor.create(guests.load(name, variant, layer=layer, **instead), size=guests.SIZE)
    monitor.run(20_000)
    return guest


# ------------------------------------------------------------------ the operating system


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("compiled", [True, False])
def test_mini_runs_on_every_bare_machine(variant, compiled):
    machine = bare("mini", variant, compiled=compiled)
    assert machine.console == CONSOLE and machine.last.reason == "halted"
    assert machine.traps == {"privileged": 1, "svc": 13, "timer": 6} and machine["letter"] == ord("d")


PROMISED = [(v, style) for v in VARIANTS for style in STYLES
            if style in ("interpreter", "binary-translation") or EXPECTED[v, "1974"][style == "hybrid"]]      # theorem 3, or 1
LUCKY = [("pdp10", "trap-and-emulate"), ("pdp10", "paravirtual"),     # it never uses JRST 1
         ("x86", "hybrid"), ("vax", "hybrid")]         # its tasks execute none of the user-sensitive instructions


@pytest.mark.parametrize(("variant", "style"), PROMISED + LUCKY)
def test_mini_cannot_tell(variant, style):
    guest = under(style, "mini", variant)
    assert guest.fingerprint() == bare("mini", variant).fingerprint()


@pytest.mark.parametrize(("variant", "console", "reason"), [
    ("m68000", "u1ab1c!1", "halted"), ("vax", "u1ab1c!1", "halted"), ("s390x", "u1ab1c!1", "halted"),
    ("x86", "u1ab1c!", "out of fuel"), ("arm", "u1ab1c!", "out of fuel")])
def test_mini_where_theorem_1_fails(variant, console, reason):
    """It finds itself in user mode; and where the interrupt switch is ignored, it waits for ever once all tasks sleep."""
    guest = under("trap-and-emulate", "mini", variant)
    assert (guest.console, guest.reason) == (console, reason)


def test_a_trap_costs_less_where_supervisor_mode_is_interpreted():
    """Who executed what: directly all but the sensitive instructions; or only the tasks."""
    direct, hybrid, slow = (under(style, "mini", "clean").counts for style in ("trap-and-emulate", "hybrid", "interpreter"))
    assert direct["emulated"] == 51 and direct["directly"] == direct["instructions"] - 51 and direct["reflected"] == 20
    assert hybrid["directly"] == 166 and hybrid["interpreted"] == hybrid["instructions"] - 166
    assert slow["interpreted"] == slow["instructions"] == direct["instructions"]


@pytest.mark.parametrize("quantum", [7, 1000])
def test_several_systems_share_a_machine(quantum):
    """Each has its own timer; how the monitor shares the processor among them changes nothing for any."""
    monitor = Monitor("clean")
    all_ = [monitor.create(guests.load("mini"), size=guests.SIZE) for _ in range(3)]
    assert set(monitor.run(quantum=quantum).values()) == {"halted"}
    alone = bare("mini", "clean").fingerprint()
    assert [guest.fingerprint() for guest in all_] == [alone] * 3


def test_mini_under_monitors_in_monitors():
    """One in another: mini cannot tell, and what it costs is in the crossings."""
    depth = 2 if DISABLED else 3                # each level takes four times as long
    table = monitors.compositions("clean", guests.load("mini"), depth=depth, size=guests.SIZE).table
    assert set(table["as bare"]) == {"yes"} and list(table["crossings"]) == [0, *[71, 364, 1545][:depth], *[9] * depth]


EVIL = """
        .org 256
        .phase 0
        LDI r1, 1
        ST  r1, 64              ; the first word of its neighbour, if R did not bound it
        .org 320
        .phase 0
        SVC 9                   ; no such call
"""


@pytest.mark.parametrize("style", [None, *STYLES])
def test_tasks_of_your_own_and_what_the_kernel_does_not_let_them_do(style):
    run = bare("mini", "clean", tasks=EVIL) if style is None else under(style, "mini", "clean", tasks=EVIL)
    assert run.console == "s!!" and run.traps == {"memory": 1, "svc": 1}
    assert run.memory()[320] == rv.machine.assemble("SVC 9").words[-1]


def test_the_two_tasks_have_registers_of_their_own():
    """Every register of one task is as it left it when its turn comes again."""
    task = "\n".join([f" LDI r{k}, {{0}}+{k}" for k in range(8)] + ["again: SVC 1", " JMP {1}"])
    tasks = f" .org 256\n .phase 0\n{task.format(100, 8)}\n .org 320\n .phase 0\n{task.format(200, 8).replace('again', 'more')}"
    machine = bare("mini", "clean", tasks=tasks)
    records = [machine.memory(machine.program.labels[name] + 4, 8) for name in ("first", "second")]
    assert records == [list(range(100, 108)), list(range(200, 208))] and machine.last.reason == "out of fuel"


@pytest.mark.parametrize("variant", VARIANTS)
def test_mini_asks_its_monitor(variant):
    """Paravirtual: the same kernel and tasks with another layer, right on every variant, and the monitor comes in less often."""
    machine, guest = bare("mini", variant), under("paravirtual", "mini", variant, "paravirtual")
    assert (guest.console, guest.traps, guest.reason) == (CONSOLE, machine.traps, "halted")
    assert guest.memory()[256:384] == machine.memory(256, 128)          # both tasks end as on the bare machine
    assert (guest.counts["crossings"], guest.counts["hypercalls"], guest.counts["operations"], guest.counts["emulated"]) == (42, 22, 51, 0)


def test_a_system_call_that_prints_costs_half_the_crossings():
    tasks = " .org 256\n .phase 0\n LDI r1, 'x'\n SVC 0\n SVC 0\n SVC 0\n SVC 2\n .org 320\n .phase 0\n SVC 2"
    native, batched = under("trap-and-emulate", "mini", "clean", tasks=tasks), under("paravirtual", "mini", "clean", "paravirtual", tasks=tasks)
    assert native.console == batched.console == "sxxx"
    fewer = tasks.replace(" SVC 0\n SVC 0\n SVC 0", " SVC 0\n SVC 0")
    one = [whole.counts["crossings"] - under(style, "mini", "clean", layer, tasks=fewer).counts["crossings"] for whole, style, layer in (
        (native, "trap-and-emulate", None), (batched, "paravirtual", "paravirtual"))]
    assert one == [4, 2]


# ------------------------------------------------------------------ symptoms

S, U = "I am in supervisor mode", "I am in user mode"
SYMPTOMS = [      # guest, layer, variants, console on the bare machine, under trap-and-emulate, under a hybrid monitor
    ("mask", "ssr", ("x86", "arm"), "0", "5", "0"), ("mask", "cps", ("arm",), "0", "6", "0"),
    ("whoami", "rsr", ("m68000", "x86", "arm", "vax", "s390x"), S, U, S),
    ("drop", "jrst", ("pdp10",), "refused", "#", "refused"), ("drop", "rei", ("vax",), "refused", "#", "refused"),
    ("where", None, ("x86",), "=", "+", "+"), ("probe", None, ("vax",), "10", "10", "10")]


@pytest.mark.parametrize(("name", "layer", "variant", "truth", "direct", "hybrid"),
                         [(n, layer, v, *rest) for n, layer, variants, *rest in SYMPTOMS for v in variants])
def test_symptoms_of_broken_machines(name, layer, variant, truth, direct, hybrid):
    assert bare(name, variant, layer).console == truth
    found = [under(style, name, variant, layer).console for style in ("trap-and-emulate", "hybrid", "interpreter")]
    assert found == [direct, hybrid, truth]
    healed = under("binary-translation", name, variant, layer)
    assert healed.console == truth and healed.fingerprint() == bare(name, variant, layer).fingerprint() and healed.counts["callouts"] > 0
    if "paravirtual" in guests.GUESTS[name]:
        assert under("paravirtual", name, variant, "paravirtual").console == truth


@pytest.mark.parametrize(("name", "truth"), [("mask", "0"), ("whoami", S), ("drop", "refused"), ("where", "?")])
@pytest.mark.parametrize("variant", ["clean", "m68010"])
def test_no_symptom_where_theorem_1_holds(name, truth, variant):
    machine = bare(name, variant)
    assert machine.console == truth
    assert all(under(style, name, variant).fingerprint() == machine.fingerprint() for style in STYLES)


# ------------------------------------------------------------------ files


def test_every_file_says_what_it_is():
    for layers in guests.GUESTS.values():
        for part in {part for parts in layers.values() for part in parts}:
            text = guests.source(part)
            assert text.startswith("; ") and max(map(len, text.splitlines())) <= 100      # a slide is no wider


@pytest.mark.parametrize(("call", "says"), [
    (lambda: guests.source("maxi"), "mini"), (lambda: guests.load("maxi"), "mask, whoami"), (lambda: guests.load("mini", layer="x"), "paravirtual"),
    (lambda: guests.load("whoami", layer="x"), "leave it out"), (lambda: guests.load("mini", tusks=""), "tasks"),
    (lambda: guests.load("mask", layer="cps"), "cps:3: operation is 'CPS'"), (lambda: guests.load("mini", tasks="\n FOO"), "tasks:2: operation"),
])
def test_refusals(call, says):
    with pytest.raises(rv.SpecError, match=says):
        call()


# ------------------------------------------------------------------ what the assembler does for them


def test_several_sources_are_one_program():
    program = rv.machine.assemble({"main": "start: JAL r6, far\n HLT\n", "library": "; a comment\nfar: JMP 0(r6)"})
    assert program.words[12:] == rv.machine.assemble("JAL r6, 14\n HLT\n JMP 0(r6)").words[12:]
    assert "main:1" in repr(program) and "library:2" in repr(program)
    with pytest.raises(rv.machine.AssemblyError) as caught:
        rv.machine.assemble({"one": "x: NOP\n FOO", "two": "x: NOP\n\n JMP nowhere", "three": " .org 12\n NOP"})
    assert [problem.where for problem in caught.value.problems] == ["one:2", "two:1", "two:3", "three:2"]
    assert "one:1 has it already" in str(caught.value)


def test_space_is_taken():
    with pytest.raises(rv.machine.AssemblyError, match="line 3: address is 14.*line 1 has it already"):
        rv.machine.assemble("a: .space 5\n .org 14\n HLT")


def test_labels_count_from_the_phase():
    program = rv.machine.assemble("""
            .org 40
            .phase 0
    here:   JMP here
    there:  .word there
            .org 50
    back:   .word back, here
    """)
    assert program.words[40:42] == [rv.machine.assemble("JMP 0").words[-1], 1] and program.words[50:] == [50, 0]
    assert program.labels == {"here": 40, "there": 41, "back": 50} and program.names[41] == "there"
    assert rv.machine.Machine("clean", program)["there"] == 1


def test_constants_are_not_taken_for_labels():
    view = rv.machine.Machine("clean", " .equ twelve, 12\nstart: HLT").view()
    assert "start" in repr(view) and "twelve" not in repr(view)
