"""32-bit PowerPC, supervisor and problem state: the state, its variations, how the modes are entered, the forms.

Address translation is off (MSR.IR=DR=0), as in the kernel's real mode. Reference: Programming Environments Manual for 32-Bit
Implementations of the PowerPC Architecture, chapters 2 (registers), 6 (exceptions), 8 (instructions).
"""

from __future__ import annotations

import struct
from typing import Any

from .forms import BASE, USER, Field, Form, Isa, Region, form

CODE, DATA, STACK, BOOT = 0x400000, 0x510000, 0x520000, 0xC00000
EE, PR, FP, ME, IP = 0x8000, 0x4000, 0x2000, 0x1000, 0x40
MSR = FP | ME
SPR = {"XER": 1, "LR": 8, "CTR": 9, "DSISR": 18, "DAR": 19, "DEC": 22, "SDR1": 25, "SRR0": 26, "SRR1": 27, "SPRG0": 272, "EAR": 282, "PVR": 287,
       "IBAT0U": 528, "HID0": 1008}
CLOCK = "the counter does not advance between single steps of this engine: its being a clock is not seen"

VARIATIONS = {
    BASE: "interrupts off, floating point on, no translation",
    "EE=1": "MSR: external interrupts enabled",
    "FP=0": "MSR: floating point off",
    "ME=0": "MSR: machine check off",
    "IP=1": "MSR: vectors at the top of memory",
    "SRR0": "another saved address",
    "SRR1": "another saved MSR",
    "SPRG0": "another scratch register of the kernel",
    "SDR1": "another page table base",
    "DAR": "another data address register",
    "SR1": "another segment register",
    "IBAT0U": "another block translation",
}
MSR_BITS = {"EE=1": EE, "FP=0": FP, "ME=0": ME, "IP=1": IP}
VALUES = {"SPRG0": 0x77, "SDR1": 0x10000, "DAR": 0x88, "IBAT0U": 0x20000}
REGIONS = (Region("data", DATA, bytes(range(1, 65))), Region("stack", STACK - 64, bytes(range(100, 228))))


def spr(opcode: int, name: str) -> bytes:
    """mfspr (339) or mtspr (467) with r3: the halves of the number are swapped in the instruction."""
    number = SPR[name]
    return struct.pack(">I", 31 << 26 | 3 << 21 | (number & 31) << 16 | (number >> 5) << 11 | opcode << 1)


def mfspr(name: str) -> bytes:
    """mfspr r3, name"""
    return spr(339, name)


def mtspr(name: str) -> bytes:
    """mtspr name, r3"""
    return spr(467, name)


def enter(machine: Any, mode: str, variation: str) -> None:
    """The engine starts in supervisor state: set its registers there, then RFI to the state wanted."""
    def put(value: int, code: bytes) -> None:
        machine.set("3", value)
        machine.run(code, 1)

    for name, value in VALUES.items():
        put(value if variation == name else 0, mtspr(name))
    put(0x99 if variation == "SR1" else 0, bytes.fromhex("7c6101a4"))              # mtsr 1, r3
    wanted = MSR ^ MSR_BITS.get(variation, 0) | (PR if mode == USER else 0)
    put(CODE, mtspr("SRR0"))
    put(wanted, mtspr("SRR1"))
    machine.run(bytes.fromhex("4c000064"), 1)                                      # rfi
    if mode != USER:
        put(CODE + 8 if variation == "SRR0" else CODE, mtspr("SRR0"))
        put(MSR | PR if variation == "SRR1" else MSR, mtspr("SRR1"))


MSRS = tuple({"3": value} for value in (MSR, MSR | EE, MSR | PR, ME))
SPECIAL = {"DAR": "dar", "DSISR": "dsisr", "IBAT0U": "ibatu"}      # capstone has names of its own for these


def spr_form(name: str, write: bool) -> Form:
    """MFSPR or MTSPR of a register."""
    if name in SPECIAL:
        text, index = ("mt" if write else "mf") + SPECIAL[name], "0" if name == "IBAT0U" else ""
        return Form(f"M{text[1].upper()}SPR {name}", f"{text} " + ", ".join(filter(None, (index, "r3") if write else ("r3", index))),
                    mtspr(name) if write else mfspr(name), ({"3": 0x40},) if write else ({},))
    if write:
        return Form(f"MTSPR {name}", f"mtspr {SPR[name]:#x}, r3", mtspr(name), ({"3": 0x40},))
    return Form(f"MFSPR {name}", f"mfspr r3, {SPR[name]:#x}", mfspr(name))


READS = tuple(spr_form(n, False) for n in (
    "SRR0", "SRR1", "SPRG0", "SDR1", "DAR", "DSISR", "DEC", "IBAT0U", "HID0", "EAR"))
WRITES = tuple(spr_form(n, True) for n in ("SRR0", "SRR1", "SPRG0", "SDR1", "DAR", "IBAT0U"))
FORMS = (
    form("MFMSR", "7c6000a6", "mfmsr r3"),
    form("MTMSR", "7c600124", "mtmsr r3", *MSRS),
    form("RFI", "4c000064", "rfi"),
) + READS + WRITES + (
    form("MFSR", "7c6104a6", "mfsr r3, 1"),
    form("MTSR", "7c6101a4", "mtsr 1, r3", {"3": 0x55}),
    form("MFSRIN", "7c602d26", "mfsrin r3, r5"),
    form("MTSRIN", "7c6029e4", "mtsrin r3, r5", {"3": 0x55}),
    form("TLBIE", "7c002264", "tlbie r4"),
    form("TLBSYNC", "7c00046c", "tlbsync"),
    form("MFPVR", "7c7f42a6", "mfpvr r3"),
    form("MFTB", "7c6c42e6", "mftb r3, 0x10c", limit=CLOCK),
    form("MFTBU", "7c6d42e6", "mftbu r3", limit=CLOCK),
    form("DCBI", "7c0023ac", "dcbi 0, r4"),
    form("SC", "44000002", "sc"),
    form("TRAP", "7fe00008", "trap"),
    form("DCBZ", "7c0027ec", "dcbz 0, r4"),
    form("DCBST", "7c00206c", "dcbst 0, r4"),
    form("DCBF", "7c0020ac", "dcbf 0, r4"),
    form("ICBI", "7c0027ac", "icbi 0, r4"),
    form("SYNC", "7c0004ac", "sync"),
    form("ISYNC", "4c00012c", "isync"),
    form("EIEIO", "7c0006ac", "eieio"),
    form("MFCR", "7c600026", "mfcr r3"),
    form("MTCRF", "7c6ff120", "mtcrf 0xff, r3", {"3": 0x1234_5678}),
    form("MFLR", "7c6802a6", "mflr r3"),
    form("MTLR", "7c6803a6", "mtlr r3"),
    form("MFCTR", "7c6902a6", "mfctr r3"),
    form("MFXER", "7c6102a6", "mfxer r3"),
    form("NOP", "60000000", "nop"),
    form("ADDI", "38630001", "addi r3, r3, 1"),
    form("ADD", "7c632214", "add r3, r3, r4"),
    form("MULLW", "7c6321d6", "mullw r3, r3, r4"),
    form("CNTLZW", "7c830034", "cntlzw r3, r4"),
    form("RLWINM", "54832036", "slwi r3, r4, 4"),
    form("CMPW", "7c032000", "cmpw r3, r4"),
    form("LWZ", "80640000", "lwz r3, 0(r4)"),
    form("STW", "90640000", "stw r3, 0(r4)"),
    form("STWU", "9421fff0", "stwu r1, -0x10(r1)"),
    form("LWARX", "7c602028", "lwarx r3, 0, r4"),
    form("STWCX.", "7c60212d", "stwcx. r3, 0, r4"),
    form("B", "48000010", "b 0x10"),
    form("BL", "48000011", "bl 0x10"),
    form("BLR", "4e800020", "blr"),
    form("FMR", "fc201090", "fmr f1, f2"),
)
GENERAL = {f"r{n}": Field(str(n)) for n in (0, 1, 2, 3, 4, 5, 6, 31)}
ISA = Isa(
    name="ppc32", title="PowerPC 750, translation off, supervisor and problem state", arch="UC_ARCH_PPC", mode="UC_MODE_PPC32|UC_MODE_BIG_ENDIAN",
    model="UC_CPU_PPC32_750_V3_1", display=("CS_ARCH_PPC", "CS_MODE_32|CS_MODE_BIG_ENDIAN"), pc="pc", forms=FORMS, variations=VARIATIONS,
    user=GENERAL | {"CR": Field("cr"), "LR": Field("lr"), "CTR": Field("ctr"), "XER": Field("xer")},
    privileged={"MSR": Field("msr")}, others={"3": 0x8000_0001},
    presets={"0": 0, "1": STACK, "3": 5, "4": DATA, "5": 0x1000_0000, "lr": CODE, "ctr": 9},
    enter=enter, regions=REGIONS, nop=bytes.fromhex("60000000"), code=CODE, boot=BOOT, mapped=((0, 0x1000000),),
    watched={n: n for n in ("SRR0", "SRR1", "SPRG0", "SDR1", "DAR", "SR1", "IBAT0U")}, memory_traps=(2, 3),
    traps={2: "DSI", 3: "ISI", 5: "alignment", 6: "program", 7: "floating point off", 8: "system call", -1: "program"},
    flags=("translation is off: segment registers, BATs and page tables have no effect on trials", CLOCK),
)
