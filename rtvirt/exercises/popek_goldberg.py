"""Exercises of notebook 1: classes, theorems, and guests that find out where they are.

The machine is the judge: what is right is derived by `rv.machine.classify`, or seen by running a guest.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from ..machine import Machine, classify, isa, theorems
from ..machine import storage as view
from ..machine.bind import rebound
from ..machine.layout import OK
from ..machine.lazy import Branches, Lazy
from ..machine.monitors import Monitor
from ..machine.report import Classification
from .base import Exercise, Judgement, exercise

STORE, FUEL = 256, 10_000
KINDS = ("control", "location", "mode")

# ------------------------------------------------------------------ 1.1: classify by hand


def swap(m, cpu, a, b, imm):
    """Exchange a and b."""
    was = view.register(m, cpu, a)
    view.put(m, cpu, a, view.register(m, cpu, b))
    view.put(m, cpu, b, was)
    return OK


def peek(m, cpu, a, b, imm):
    """a := M."""
    view.put(m, cpu, a, view.user(m, cpu))
    return OK


def drop(m, cpu, a, b, imm):
    """M := user."""
    view.set_user(m, cpu, 1)
    return OK


def where(m, cpu, a, b, imm):
    """a := l."""
    view.put(m, cpu, a, view.relocation(m, cpu))
    return OK


def length(m, cpu, a, b, imm):
    """a := b of R = (l, b)."""
    view.put(m, cpu, a, view.bound(m, cpu))
    return OK


def quiet(m, cpu, a, b, imm):
    """In supervisor mode a := 0; in user mode nothing."""
    if view.user(m, cpu) == 0:
        view.put(m, cpu, a, 0)
    return OK


NEW_OPCODES = (swap, peek, drop, where, length, quiet)


def classes_of(name: str) -> set[str]:
    """What the machine says of a new opcode that does not trap."""
    does = next(f for f in NEW_OPCODES if f.__name__ == name)
    verdict = classify(isa("clean").with_opcode("NEW", does, operands="a, b"), only="NEW").verdicts[0]
    return {kind for kind in KINDS if getattr(verdict, kind)} or {"innocuous"}


def except_for(**wrong: set[str]) -> Callable[[str], set[str]]:
    """Right but for some opcodes: a mistake."""
    return lambda name: wrong.get(name) or classes_of(name)


exercise(Exercise(
    "1.1", classes_of, [(f.__name__,) for f in NEW_OPCODES],
    "Ask three questions. Does it change M or R? Do two states that differ in l only end with different registers? Two that differ in M only?",
    [(except_for(length={"location"}), "The two states of a pair have the same b: R⊕x = (l + x, b). Who shows b alone is innocuous (2.7)."),
     (except_for(quiet={"innocuous"}), "Silence is the point: in user mode it does less, and nobody is told. Compare the two runs (2.3)."),
     (except_for(drop={"control", "mode"}), "A pair counts for behaviour only if both runs leave M and R as they were (2.3)."),
     (except_for(peek={"control"}), "Reading M does not change it.")]))

# ------------------------------------------------------------------ 1.2: repair


@cache
def classified(name: str, model: str) -> Classification:
    """A built-in set, classified once."""
    return classify(name, model=model)


def repair(name: str, model: str) -> set[str]:
    """The trap bits to set so that Theorem 1 holds, and no others."""
    return set(theorems(classified(name, model))[1].broken_by)


exercise(Exercise(
    "1.2", repair, [("pdp10", "1974"), ("m68000", "1974"), ("s390x", "extended"), ("x86", "1974")],
    "Which opcodes are sensitive and not privileged? rv.machine.theorems(name, model=model) knows; so do the tables above.",
    [(lambda name, model: {v.opcode for v in classified(name, model).verdicts if v.sensitive},
      "Those that trap already need no repair: Theorem 1 wants the sensitive to be a subset of the privileged."),
     (lambda name, model: set(theorems(classified(name, model))[3].broken_by), "Those break Theorem 3. Theorem 1 asks for more."),
     (lambda name, model: repair(name, "1974"), "In the extended model switch, timer and devices are control state too.")]))

# ------------------------------------------------------------------ 1.3: break Theorem 1, spare Theorem 3


def judge_opcode(answer: Callable[..., Any]) -> Judgement:
    """Classify it as one more opcode of the clean machine."""
    result = rebound(answer, Lazy(Branches(2, 6)))(None, 0, 1, 2, 0)
    if result is None:
        return None, ""
    if not isinstance(result, int) or isinstance(result, bool):
        return False, f"an opcode returns OK, or a trap's cause; yours returns {result!r}"
    verdict = classify(isa("clean").with_opcode("MINE", answer, operands="a, b"), only="MINE")["MINE"]
    witness = next((verdict.witnesses[kind] for kind in ("user control", "user location", "control", "mode") if kind in verdict.witnesses), None)
    if not verdict.breaks:
        return False, f"Theorem 1 still holds: your opcode is {verdict.summary}"
    if 3 in verdict.breaks:
        return False, f"Theorem 3 falls too, for it is user-sensitive. {witness.words if witness else ''}"
    return True, f"right: it is {verdict.summary}. {witness.words if witness else ''}"


def moves_r(m, cpu, a, b, imm):
    """A mistake: control-sensitive in user mode too."""
    view.set_r(m, cpu, view.register(m, cpu, a), view.register(m, cpu, b))
    return OK


exercise(Exercise(
    "1.3", peek, [], "What may be wrong in supervisor mode only? A hybrid monitor interprets that mode, so it never meets the opcode there.",
    [(moves_r, "Theorem 3 falls too"), (where, "equal but for R.l"), (swap, "Theorem 1 still holds")], judge=judge_opcode))

# ------------------------------------------------------------------ 1.4 and 1.5: guests that find out


def judge_guest(name: str) -> Callable[[Callable[..., Any]], Judgement]:
    """Run a program on the bare machine and under a trap-and-emulate monitor: r1 is to be 0 there and 1 here."""
    def judge(answer: Callable[..., Any]) -> Judgement:
        source = answer()
        if source is None:
            return None, ""
        if not isinstance(source, str) or not source.strip():
            return False, f"return a program as a string; yours is {source!r}"
        bare = Machine(name, source, store=STORE, compiled=False)
        report = bare.run(FUEL)
        if report.reason != "halted":
            return False, f"on the bare machine it does not come to HLT: {report.text}"
        if bare.registers[1] != 0:
            return False, f"on the bare machine r1 is {bare.registers[1]}, and is to be 0"
        monitor = Monitor(name, "trap-and-emulate", compiled=False)
        guest = monitor.create(source, size=STORE)
        reason = monitor.run(FUEL)[1]
        if reason != "halted":
            return False, f"under the monitor it does not come to HLT: {reason}"
        if guest.registers[1] != 1:
            return False, f"under the monitor r1 is {guest.registers[1]}, and is to be 1. What traps is emulated, and the monitor answers as " \
                          "the bare machine would: look for what does not trap"
        return True, f"right: 0 on the bare machine, 1 under the monitor, {int(guest.cpu.emulated)} instructions emulated"
    return judge


def tell() -> str:
    """The 68000's guest reads the status register."""
    return "RSR r1\n HLT"


def covert() -> str:
    """The PDP-10's guest goes to user mode and asks for a privilege: if it gets it, somebody has not noticed."""
    return f"""
        .org 8
        .word 0, trapped, 0, {STORE}
start:  JRST1 inside
inside: GRR r2, r3
        LDI r1, 1
        HLT
trapped: LDI r1, 0
        HLT
    """


exercise(Exercise(
    "1.4", tell, [], "One instruction of the 68000 says in which mode the processor really is. Bit 0 of what it shows is M: 0 supervisor, 1 user.",
    [(lambda: "GRR r1, r2\n HLT", "look for what does not trap"), (lambda: "LDI r1, 1\n HLT", "on the bare machine r1 is 1"),
     (lambda: "loop: JMP loop", "does not come to HLT")], judge=judge_guest("m68000")))
exercise(Exercise(
    "1.5", covert, [], "No instruction of the PDP-10 shows M. But after JRST1 the real machine is in user mode, and a monitor does not know that "
                       "its guest is. Who notices first? Set the new PSW (.org 8) so that a trap finds your handler.",
    [(tell, "look for what does not trap"), (lambda: "JRST1 next\nnext: HLT", "on the bare machine it does not come to HLT"),
     (lambda: "LDI r1, 1\n HLT", "on the bare machine r1 is 1")], judge=judge_guest("pdp10")))
