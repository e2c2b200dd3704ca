"""MIPS32 with a TLB, Kernel and User mode: the state, its variations, how the modes are entered, the forms.

One TLB entry maps 0 to 0x01ff_ffff in two pages of 16 MB, so that both modes execute the same addresses; kseg0 (0x8000_0000) is the kernel's.
The engine keeps the TLB outside the state that it saves, so page maps are not varied here. Bytes are big-endian.

Reference: MIPS32 Architecture for Programmers, volume III (Privileged Resource Architecture), release 2.
capstone prints CP0 registers by the names of general ones: `mfc0 $t0, $t4` reads CP0 register 12, Status. It does not know every RDHWR.
"""

from __future__ import annotations

import struct
from typing import Any

from .forms import BASE, USER, Field, Isa, Region, form

CODE, DATA, STACK, BOOT = 0x400000, 0x510000, 0x520000, 0xC00000
KSEG0, KSEG0_CODE = 0x8000_0000 + DATA, 0x8000_0000 + CODE
UM, ERL, IE, IM, CU0 = 0x10, 4, 1, 0xFF00, 0x1000_0000
STATUS = 0x2040_0000               # CU1=1 (FPU), BEV=1 (as after reset)
CLOCK = "the counter does not advance between single steps of this engine: its being a clock is not seen"

TLB = "the engine keeps the TLB outside the state that it saves: its change is not seen"

VARIATIONS = {
    BASE: "interrupts off, CU0=0, HWREna=0",
    "IE=1": "Status: interrupts on",
    "IM": "Status: another interrupt mask",
    "CU0=1": "Status: coprocessor 0 usable in User mode",
    "Cause": "Cause.IV set",
    "EPC": "another exception program counter",
    "EBase": "another exception base",
    "ASID": "EntryHi: another address space",
    "EntryLo0": "another value waiting for TLBWI",
    "Context": "another page table base",
    "HWREna": "hardware registers 0 to 3 and 29 readable in User mode",
}
STATUS_BITS = {"IE=1": IE, "IM": 0x400, "CU0=1": CU0}
STATUSES = tuple({"t0": STATUS | bits} for bits in (0, IE | IM, CU0, UM))
REGIONS = (Region("data", DATA, bytes(range(1, 65))), Region("stack", STACK - 64, bytes(range(100, 228))))


def mtc0(register: int, select: int = 0) -> bytes:
    """mtc0 $t0, register, select"""
    return struct.pack(">I", 0x40880000 | register << 11 | select)


def enter(machine: Any, mode: str, variation: str) -> None:
    """The engine starts with Status.ERL=1, where low addresses bypass the TLB: fill it, then ERET to ErrorEPC."""
    machine.set("cp0_status", STATUS | ERL)

    def put(value: int, register: int, select: int = 0) -> None:
        machine.set("t0", value)
        machine.run(mtc0(register, select), 1)

    def choose(name: str, other: int, usual: int = 0) -> int:
        return other if variation == name else usual

    put(0x01FF_E000, 5)                                        # PageMask: 16 MB
    put(choose("ASID", 5), 10)                                 # EntryHi: page 0
    put(0x1F, 2)                                               # EntryLo0: cached, dirty, valid, global
    put(0x1000000 >> 6 | 0x1F, 3)                              # EntryLo1: the next 16 MB
    put(0, 0)                                                  # Index
    machine.run(bytes.fromhex("42000002"), 1)                  # tlbwi
    put(choose("EntryLo0", 0x17, 0x1F), 2)
    put(choose("Cause", 1 << 23), 13)
    put(choose("EPC", CODE + 8, CODE), 14)
    put(choose("EBase", 0x8000_1000, 0x8000_0000), 15, 1)
    put(choose("Context", 0x80_0000), 4)
    put(choose("HWREna", 0x2000_000F), 7)
    put(CODE, 30)                                              # ErrorEPC
    put(STATUS | ERL | STATUS_BITS.get(variation, 0) | (UM if mode == USER else 0), 12)
    machine.run(bytes.fromhex("42000018"), 1)                  # eret


FORMS = (
    form("MFC0 Status", "40086000", "mfc0 $t0, $t4, 0"),
    form("MTC0 Status", "40886000", "mtc0 $t0, $t4, 0", *STATUSES),
    form("MFC0 Cause", "40086800", "mfc0 $t0, $t5, 0"),
    form("MTC0 Cause", "40886800", "mtc0 $t0, $t5, 0", {"t0": 0x800000}, {"t0": 0}),
    form("MFC0 EPC", "40087000", "mfc0 $t0, $t6, 0"),
    form("MTC0 EPC", "40887000", "mtc0 $t0, $t6, 0", {"t0": CODE}),
    form("MFC0 PRId", "40087800", "mfc0 $t0, $t7, 0"),
    form("MFC0 EBase", "40087801", "mfc0 $t0, $t7, 1"),
    form("MTC0 EBase", "40887801", "mtc0 $t0, $t7, 1", {"t0": 0x80002000}),
    form("MFC0 Config", "40088000", "mfc0 $t0, $s0, 0"),
    form("MFC0 Count", "40084800", "mfc0 $t0, $t1, 0"),
    form("MFC0 Compare", "40085800", "mfc0 $t0, $t3, 0"),
    form("MTC0 Compare", "40885800", "mtc0 $t0, $t3, 0", {"t0": 99}),
    form("MFC0 EntryHi", "40085000", "mfc0 $t0, $t2, 0"),
    form("MTC0 EntryHi", "40885000", "mtc0 $t0, $t2, 0", {"t0": 9}),
    form("MFC0 EntryLo0", "40081000", "mfc0 $t0, $v0, 0"),
    form("MTC0 EntryLo0", "40881000", "mtc0 $t0, $v0, 0", {"t0": 0x1F}, {"t0": 0x17}),
    form("MFC0 Context", "40082000", "mfc0 $t0, $a0, 0"),
    form("MTC0 Context", "40882000", "mtc0 $t0, $a0, 0", {"t0": 0x800000}),
    form("MFC0 UserLocal", "40082002", "mfc0 $t0, $a0, 2"),
    form("MTC0 UserLocal", "40882002", "mtc0 $t0, $a0, 2", {"t0": 3}),
    form("MFC0 HWREna", "40083800", "mfc0 $t0, $a3, 0"),
    form("MTC0 HWREna", "40883800", "mtc0 $t0, $a3, 0", {"t0": 0}),
    form("DI", "41686000", "di $t0"),
    form("EI", "41686020", "ei $t0"),
    form("TLBWI", "42000002", "tlbwi", limit=TLB),
    form("TLBWR", "42000006", "tlbwr", limit=TLB),
    form("TLBR", "42000001", "tlbr"),
    form("TLBP", "42000008", "tlbp"),
    form("ERET", "42000018", "eret"),
    form("WAIT", "42000020", "wait", stops=True),
    form("CACHE", "bd200000", "cache 0, ($t1)"),
    form("SYNCI", "053f0000", "synci ($t1)"),
    form("RDHWR CPUNum", "7c08003b", ""),
    form("RDHWR SYNCI_Step", "7c08083b", ""),
    form("RDHWR CC", "7c08103b", "", limit=CLOCK),
    form("RDHWR UserLocal", "7c08e83b", "rdhwr $t0, $29", limit="the 24Kf has no UserLocal register"),
    form("RDPGPR", "41484800", ""),
    form("SYSCALL", "0000000c", "syscall"),
    form("BREAK", "0000000d", "break"),
    form("TEQ", "00000034", "teq $zero, $zero"),
    form("SDBBP", "7000003f", "sdbbp"),
    form("LW", "8d280000", "lw $t0, ($t1)", {}, {"t1": KSEG0}),
    form("SW", "ad280000", "sw $t0, ($t1)", {}, {"t1": KSEG0}),
    form("LB", "81280000", "lb $t0, ($t1)"),
    form("J kseg0", "0120000800000000", "jr $t1", {"t1": KSEG0_CODE},
         limit="User mode takes a memory trap in kseg0: left out by definition, yet a deprivileged kernel linked there traps at every access"),
    form("SYNC", "0000000f", "sync"),
    form("NOP", "00000000", "nop"),
    form("ADDU", "01094021", "addu $t0, $t0, $t1"),
    form("ADD", "010a4020", "add $t0, $t0, $t2"),
    form("MULT", "01090018", "mult $t0, $t1"),
    form("MFHI", "00004010", "mfhi $t0"),
    form("LUI", "3c081234", "lui $t0, 0x1234"),
    form("SLT", "012a402a", "slt $t0, $t1, $t2"),
    form("BEQ", "1000000300000000", "b 0x10"),
    form("JAL", "0c10000400000000", "jal 0x400010"),
    form("JR", "03e0000800000000", "jr $ra"),
    form("LL", "c1280000", "ll $t0, ($t1)"),
    form("SC", "e1280000", "sc $t0, ($t1)"),
    form("MTC1", "44880000", "mtc1 $t0, $f0"),
    form("CLZ", "71284020", "clz $t0, $t1"),
    form("EXT", "7d2820c0", "ext $t0, $t1, 3, 5"),
)

GENERAL = ("v0", "a0", "t0", "t1", "t2", "t3", "s0", "gp", "sp", "ra", "hi", "lo")
ISA = Isa(
    name="mips32", title="MIPS32 release 2 (24Kf model), TLB on, Kernel and User mode", arch="UC_ARCH_MIPS",
    mode="UC_MODE_MIPS32|UC_MODE_BIG_ENDIAN", model="UC_CPU_MIPS32_24KF", display=("CS_ARCH_MIPS", "CS_MODE_MIPS32|CS_MODE_BIG_ENDIAN"), pc="pc",
    forms=FORMS, variations=VARIATIONS, user={r: Field(r) for r in GENERAL},
    privileged={"KSU EXL ERL": Field("cp0_status", 0x1E), "IE IM": Field("cp0_status", 0xFF01), "CU0": Field("cp0_status", CU0)},
    others={"t0": 0x8000_0001, "t2": 0xFFFF_FFFF},
    presets={"t0": 5, "t1": DATA, "t2": 2, "sp": STACK, "ra": CODE, "hi": 3, "lo": 4},
    enter=enter, regions=REGIONS, nop=bytes(4), code=CODE, boot=BOOT, mapped=((0, 0x2000000),),
    watched={n: n for n in ("Cause", "EPC", "EBase", "EntryLo0", "Context", "HWREna")} | {"ASID": "EntryHi"},
    memory_traps=(12, 13, 14, 25, 26, 27),
    pins={"Status.CU0=0": ("CU0=1",), "Status.CU0=0 and HWREna=0": ("CU0=1", "HWREna")},
    traps={12: "address error (load)", 13: "address error (store)", 16: "debug breakpoint", 17: "SYSCALL", 18: "BREAK", 19: "coprocessor unusable",
           20: "reserved instruction", 22: "trap", 25: "TLB", 26: "TLB refill (load)", 27: "TLB refill (store)", -1: "reserved instruction"},
    flags=(TLB, CLOCK),
)
