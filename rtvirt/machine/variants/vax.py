"""DEC VAX before its virtual machine extension (Hall and Robinson 1991): MOVPSL, PROBE and REI."""

from __future__ import annotations

from .. import storage as view
from ..isa import CLEAN
from ..layout import ILLEGAL, OK


def probe(m, cpu, a, b, imm):
    """a := 1 if imm(b) could be accessed, else 0."""
    view.put(m, cpu, a, 1 if view.reachable(m, cpu, view.address(m, cpu, b, imm)) else 0)
    return OK


def rei(m, cpu, a, b, imm):
    """Return: status and P from two words at imm(b). It may lower the privilege; raising it is a reserved operand and traps."""
    at = view.address(m, cpu, b, imm)
    for k in range(2):
        if not view.reachable(m, cpu, view.word(at + k)):
            return view.memory_trap(m, cpu, view.word(at + k))
    status, p = view.load(m, cpu, at), view.load(m, cpu, view.word(at + 1))
    if view.user(m, cpu) == 1 and status & 1 == 0:
        return view.trap(m, cpu, ILLEGAL, status)
    view.set_user(m, cpu, status & 1)
    view.jump(m, cpu, p)
    return OK


VAX = (CLEAN.change("RSR", privileged=False, rename="MOVPSL")
       .with_opcode("PROBE", probe, operands="a, imm(b)")
       .with_opcode("REI", rei, operands="imm(b)")
       .named("vax", "DEC VAX: MOVPSL, PROBE and REI do not trap",
              "REI returns to a less privileged mode without a trap; MOVPSL shows the mode; PROBE asks the real storage map."))
