"""Solutions of the exercises of notebook 1."""

import rtvirt as rv
from rtvirt.machine import view


def by_hand(opcode):
    """1.1: three questions, each asked of every opcode."""
    return {"swap": {"innocuous"},          # looks at nothing but registers
            "peek": {"mode"},               # shows M
            "drop": {"control"},            # changes M in supervisor mode
            "where": {"location"},          # shows l
            "length": {"innocuous"},        # shows b, which both states of a pair share
            "quiet": {"mode"}}[opcode]      # does less in user mode, and says nothing


def repair(isa, model):
    """1.2: whatever is sensitive and does not trap."""
    return {v.opcode for v in rv.machine.classify(isa, model=model).verdicts if v.sensitive and not v.privileged}


def spares_theorem_3(m, cpu, a, b, imm):
    """1.3: the PDP-10's mistake. In user mode it changes nothing."""
    view.set_user(m, cpu, 1)
    return 0


def tell():
    """1.4: the 68000's status register shows the real mode."""
    return "MOVESR r1\n HLT"


def covert():
    """1.5: leave supervisor mode without the monitor's knowledge, then do what is forbidden."""
    return """
            .org 8
            .word 0, trapped, 0, 256
    start:  JRST1 inside            ; the bare machine is in user mode now; the monitor still believes in supervisor mode
    inside: GRR r2, r3              ; so here the bare machine traps, and the monitor emulates
            LDI r1, 1
            HLT
    trapped: LDI r1, 0
            HLT
    """


SOLUTIONS = {"1.1": by_hand, "1.2": repair, "1.3": spares_theorem_3, "1.4": tell, "1.5": covert}
