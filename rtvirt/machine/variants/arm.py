"""ARM before the virtualization extensions: MRS shows the mode, MSR and CPS are ignored in user mode."""

from __future__ import annotations

from .. import storage as view
from ..isa import CLEAN
from ..layout import OK
from .x86 import popf


def cps(m, cpu, a, b, imm):
    """Change processor state: M := bit 0, interrupt switch := bit 1 of imm; in user mode nothing, silently."""
    if view.user(m, cpu) == 0:
        view.set_user(m, cpu, imm & 1)
        view.set_enabled(m, cpu, imm >> 1 & 1)
    return OK


ARM = (CLEAN.change("RSR", privileged=False, rename="MRS")
       .change("SSR", does=popf, privileged=False, rename="MSR")
       .with_opcode("CPS", cps, operands="imm")
       .named("arm", "ARMv7-A: MRS, MSR and CPS do not trap",
              "CPS is a no-operation in user mode: the guest believes that interrupts are off."))
