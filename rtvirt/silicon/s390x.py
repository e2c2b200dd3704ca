"""z/Architecture, supervisor and problem state, translation off: the state, its variations, how the states are entered, the forms.

Addresses are written D(B): the base register is r2, which holds the address of the data. PSW bits are numbered from the left: 6 I/O mask,
7 external mask, 8-11 key, 13 machine check, 14 wait, 15 problem state, 16-17 address space, 18-19 condition code, 20-23 program mask.

Reference: z/Architecture Principles of Operation, SA22-7832, chapters 4 (control), 7 (general instructions), 10 (control instructions).
"""

from __future__ import annotations

import struct
from typing import Any

from .forms import BASE, USER, Field, Isa, Region, form

CODE, DATA, STACK, BOOT, PSW_AT = 0x400000, 0x510000, 0x520000, 0xC00000, 0xC80000
IO, EXTERNAL, MCHECK, PROBLEM, WIDE = 1 << 57, 1 << 56, 1 << 50, 1 << 48, 0x1_8000_0000
KEY = 0xF << 52
CLOCK = "the clock does not advance between single steps of this engine: its being a clock is not seen"
SEMI = "semi-privileged: control registers say which keys and spaces problem state may use"

VARIATIONS = {
    BASE: "64-bit addressing, interrupts off, key 0",
    "I/O mask": "PSW: I/O interrupts on",
    "external mask": "PSW: external interrupts on",
    "key": "PSW: access key 9",
    "CR0": "control register 0: another external-interrupt submask",
    "CR1": "control register 1: another address-space control element",
    "CR3": "control register 3: every access key allowed in problem state",
    "CR4": "control register 4: another authorization index",
    "CR13": "control register 13: another home space",
}
PSW_BITS = {"I/O mask": IO, "external mask": EXTERNAL, "key": 9 << 52}
AFP = 0x40000                     # control register 0: floating-point registers usable
CONTROL = {"CR0": AFP | 0x800, "CR1": 0x7000, "CR3": 0xFFFF_0000, "CR4": 0x50000, "CR13": 0x9000}
REGIONS = (Region("data", DATA, bytes(64)), Region("stack", STACK - 64, bytes(range(100, 228))))


def psw(mask: int, address: int = CODE) -> bytes:
    """The sixteen bytes that LPSWE loads."""
    return struct.pack(">QQ", mask | WIDE, address)


def enter(machine: Any, mode: str, variation: str) -> None:
    """The engine starts in supervisor state: load control registers, then the PSW."""
    for name, value in CONTROL.items():
        number = int(name[2:])
        machine.uc.mem_write(PSW_AT, struct.pack(">Q", value if variation == name else AFP if name == "CR0" else 0))
        machine.set("r2", PSW_AT)
        machine.run(struct.pack(">HHH", 0xEB00 | number << 4 | number, 0x2000, 0x002F), 1)          # lctlg n, n, 0(r2)
    machine.uc.mem_write(PSW_AT, psw(PSW_BITS.get(variation, 0) | (PROBLEM if mode == USER else 0)))
    machine.run(bytes.fromhex("b2b22000"), 1)                                                      # lpswe 0(r2)


PSWS = tuple({"data": psw(mask)} for mask in (0, IO, PROBLEM, KEY))
FORMS = (
    form("EPSW", "b98d0013", "epsw %r1, %r3"),
    form("STCK", "b2052000", "stck 0(%r2)", limit=CLOCK),
    form("STCKF", "b27c2000", "stckf 0(%r2)", limit=CLOCK),
    form("STCKE", "b2782000", "stcke 0(%r2)", limit=CLOCK),
    form("IPK", "b20b0000", "ipk", limit=SEMI),
    form("SPKA", "b20a1000", "spka 0(%r1)", {"r1": 0x90}, {"r1": 0}, limit=SEMI),
    form("IAC", "b2240010", "iac %r1", limit=SEMI),
    form("SAC", "b2191000", "sac 0(%r1)", {"r1": 0}, limit=SEMI),
    form("LPSWE", "b2b22000", "lpswe 0(%r2)", *PSWS),
    form("SSM", "80002000", "ssm 0(%r2)", {"data": b"\x02"}),
    form("STNSM", "acfc2000", "stnsm 0(%r2), 0xfc"),
    form("STOSM", "ad032000", "stosm 0(%r2), 3"),
    form("LCTLG", "eb112000002f", "lctlg %c1, %c1, 0(%r2)", {"data": struct.pack(">Q", 0x6000)}),
    form("STCTG", "eb1120000025", "stctg %c1, %c1, 0(%r2)"),
    form("LCTL", "b7112000", "lctl %c1, %c1, 0(%r2)", {"data": struct.pack(">I", 0x6000)}),
    form("STCTL", "b6112000", "stctl %c1, %c1, 0(%r2)"),
    form("SPX", "b2102000", "spx 0(%r2)"),
    form("STPX", "b2112000", "stpx 0(%r2)"),
    form("STAP", "b2122000", "stap 0(%r2)"),
    form("STIDP", "b2022000", "stidp 0(%r2)"),
    form("SCK", "b2042000", "sck 0(%r2)"),
    form("SCKC", "b2062000", "sckc 0(%r2)"),
    form("STCKC", "b2072000", "stckc 0(%r2)"),
    form("SPT", "b2082000", "spt 0(%r2)"),
    form("STPT", "b2092000", "stpt 0(%r2)"),
    form("ISKE", "b2290013", "iske %r1, %r3"),
    form("SSKE", "b22b0013", "sske %r1, %r3"),
    form("RRBE", "b22a0013", "rrbe %r1, %r3"),
    form("PTLB", "b20d0000", "ptlb"),
    form("IPTE", "b2210013", "ipte %r1, %r3"),
    form("LRA", "b1102000", "lra %r1, 0(%r2)"),
    form("SIGP", "ae132000", "sigp %r1, %r3, 0(%r2)"),
    form("STSI", "b27d2000", "stsi 0(%r2)", {"r0": 0}, {"r0": 0x1000_0001, "r1": 1}),
    form("SVC", "0a00", "svc 0"),
    form("STFLE", "b2b02000", "stfle 0(%r2)", {"r0": 0}),
    form("NOPR", "0700", "bcr 0, %r0"),
    form("AGR", "b9080013", "agr %r1, %r3"),
    form("LGR", "b9040013", "lgr %r1, %r3"),
    form("LG", "e31020000004", "lg %r1, 0(%r2)"),
    form("STG", "e31020000024", "stg %r1, 0(%r2)"),
    form("LA", "41102004", "la %r1, 4(%r2)"),
    form("SPM", "0410", "spm %r1", {"r1": 0x3F00_0000}),
    form("IPM", "b2220010", "ipm %r1"),
    form("CS", "ba132000", "cs %r1, %r3, 0(%r2)"),
    form("TS", "93002000", "ts 0(%r2)"),
    form("BCR", "07fe", "br %r14"),
    form("BASR", "0dee", "basr %r14, %r14"),
    form("MSGR", "b90c0013", "msgr %r1, %r3"),
    form("EFPC", "b38c0010", "efpc %r1"),
    form("SFPC", "b3840010", "sfpc %r1", {"r1": 0}),
    form("EAR", "b24f0010", "ear %r1, %a0"),
    form("SAR", "b24e0001", "sar %a0, %r1"),
    form("STM", "90132000", "stm %r1, %r3, 0(%r2)"),
)
ISA = Isa(
    name="s390x", title="z/Architecture, translation off, supervisor and problem state", arch="UC_ARCH_S390X", mode="UC_MODE_BIG_ENDIAN",
    model="", display=("CS_ARCH_SYSZ", "CS_MODE_BIG_ENDIAN"), pc="pc", forms=FORMS, variations=VARIATIONS,
    user={f"r{n}": Field(f"r{n}") for n in (0, 1, 2, 3, 4, 14, 15)},
    privileged={"P": Field("pswm", PROBLEM), "masks": Field("pswm", IO | EXTERNAL | MCHECK), "key": Field("pswm", KEY),
                "space": Field("pswm", 3 << 46)},
    others={"r1": 0x8000_0000_0000_0001, "r3": 0x7F},
    presets={"r0": 0, "r1": 5, "r2": DATA, "r3": 3, "r14": CODE, "r15": STACK}, enter=enter, regions=REGIONS, nop=bytes.fromhex("0700"),
    code=CODE, boot=BOOT, mapped=((0, 0x1000000),), word=8, watched={n: n for n in CONTROL},
    pins={"no key allowed in CR3": ("CR3",)},
    traps={1: "program", 2: "supervisor call", 3: "program", -1: "operation"},
    flags=(CLOCK, SEMI, "the engine reports every program interruption alike: privileged operation, specification and operation look the same"),
)
