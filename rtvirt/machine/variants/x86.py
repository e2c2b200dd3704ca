"""Intel x86 before 2005: POPF and its relatives.

POPF loads the flags; in user mode it leaves the interrupt flag alone and says nothing. PUSHF shows that flag, SMSW the machine status
word, SGDT where a system table lies; none traps. (Robin and Irvine 2000 count seventeen such instructions; these four are one of each kind.)
"""

from __future__ import annotations

from .. import storage as view
from ..isa import CLEAN
from ..layout import OK


def popf(m, cpu, a, b, imm):
    """Interrupt switch := bit 1 of a; in user mode nothing, silently."""
    if view.user(m, cpu) == 0:
        view.set_enabled(m, cpu, view.register(m, cpu, a) >> 1 & 1)
    return OK


def pushf(m, cpu, a, b, imm):
    """a := the interrupt switch, in bit 1."""
    view.put(m, cpu, a, view.enabled(m, cpu) << 1)
    return OK


X86 = (CLEAN.change("SSR", does=popf, privileged=False, rename="POPF")
       .change("RSR", privileged=False, rename="SMSW")
       .change("GRR", privileged=False, rename="SGDT")
       .with_opcode("PUSHF", pushf, operands="a")
       .named("x86", "Intel x86: POPF, PUSHF, SMSW and SGDT do not trap",
              "POPF ignores the interrupt flag in user mode; the others show privileged state to anybody."))
