"""Why an executed class differs from the literature: one reason for each known disagreement; a test finds those without one, and stale ones.

Three kinds: the engine differs from silicon (engine limit); silicon may choose (UNPREDICTABLE); the split of the state is a choice.
"""

from __future__ import annotations

UNPREDICTABLE = ("choice of silicon: UNPREDICTABLE in User mode, so it need not trap and a monitor must count it as sensitive; this engine makes it "
                 "undefined, which is one permitted behaviour")
UMIP = "engine limit: CR4.UMIP=1 has no effect in this engine; on silicon that has UMIP, user mode takes #GP"
COUNTERS = "engine limit: no performance counters in this engine, RDPMC is undefined"

REASONS = {
    ("x86-32", "SGDT,SIDT,SLDT,SMSW,STR"): UMIP,
    ("x86-64", "SGDT,SIDT,SLDT,SMSW,STR"): UMIP,
    ("x86-32", "RDPMC"): COUNTERS,
    ("x86-64", "RDPMC"): COUNTERS,
    ("x86-64", "PUSH (segment reg)"): "another instruction set: long mode has only PUSH FS and PUSH GS, and their selectors do not show CPL",
    ("armv7-a", "MRS/MSR (SPSR)"): UNPREDICTABLE,
    ("armv7-a", "LDM (exception return)"): UNPREDICTABLE,
    ("armv7-a", "LDM/STM (user registers)"): UNPREDICTABLE,
    ("armv7-a", "SUBS PC,LR / MOVS PC,.."): UNPREDICTABLE,
    ("armv7-a", "SRS"): UNPREDICTABLE,
    ("armv7-a", "RFE"): UNPREDICTABLE,
    ("armv7-a", "WFI"): "choice of the definition: idling is no state, so no witness can exist; the reference counts the lost hint to the monitor",
    ("armv7-a", "MRC TPIDRURO, barriers"): ("choice of the split: the experiment counts the read-only thread ID as privileged state, as only "
                                             "Supervisor mode writes it; a monitor that loads each guest's value makes it the guest's own"),
    ("aarch64", "WFI/WFE"): "engine limit: SCTLR_EL1.nTWE=0 has no effect, WFE never traps; WFI agrees",
    ("rv64", "SRET/MRET/SFENCE.VMA"): "choice of the modes: S is the supervisor here, and MRET belongs to M mode: it traps in S and U alike; "
                                      "SRET and SFENCE.VMA agree",
    ("rv64", "RDCYCLE/RDTIME/RDINSTRET"): "engine limit: scounteren has no effect on RDCYCLE and RDINSTRET, and RDTIME has no time source",
    ("ppc32", "MFTB"): "engine limit: the time base stands still between single steps, so that reading it twice shows no clock",
    ("s390x", "STCK"): "engine limit: the clock stands still between single steps, so that reading it twice shows no clock",
    ("s390x", "IPK, IAC, SAC, SPKA, MVCP.."): "engine limit: SPKA ignores the key mask of control register 3; IPK, IAC and SAC trap in every state",
}
