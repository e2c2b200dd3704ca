"""RV64 with S and U mode: the state, its variations, how the modes are entered, the forms. M mode is the firmware below both.

Addresses are physical (satp selects no translation): a page may be executable in S or in U mode, never in both, so that the same code
could not be tried in both modes behind one page table.

Reference: RISC-V Instruction Set Manual, volume II (privileged architecture), chapters 3 (M), 4 (S).
"""

from __future__ import annotations

import struct
from typing import Any

from .forms import BASE, SUPERVISOR, Field, Form, Isa, Region, form

CODE, DATA, STACK, BOOT = 0x400000, 0x510000, 0x520000, 0xC00000
CSR = {"sstatus": 0x100, "sie": 0x104, "stvec": 0x105, "scounteren": 0x106, "sscratch": 0x140, "sepc": 0x141, "scause": 0x142, "stval": 0x143,
       "sip": 0x144, "satp": 0x180, "mstatus": 0x300, "misa": 0x301, "medeleg": 0x302, "mideleg": 0x303, "mtvec": 0x305, "mcounteren": 0x306,
       "mepc": 0x341, "pmpcfg0": 0x3A0, "pmpaddr0": 0x3B0, "mhartid": 0xF14, "cycle": 0xC00, "time": 0xC01, "instret": 0xC02, "fcsr": 0x003}
SIE, SPIE, SPP, FS, SUM, MXR, TVM, TW, TSR = 1 << 1, 1 << 5, 1 << 8, 3 << 13, 1 << 18, 1 << 19, 1 << 20, 1 << 21, 1 << 22
COUNTERS = "this engine ignores scounteren: on silicon a clear bit makes it trap in U mode"

VARIATIONS = {
    BASE: "S interrupts off, floating point on, no translation, counters readable, TVM=TW=TSR=0",
    "SIE=1": "sstatus: S interrupts on",
    "SPIE=1": "sstatus: interrupts were on before the last trap",
    "SPP=1": "sstatus: the last trap came from S mode",
    "SUM=1": "sstatus: S mode may access pages of U mode",
    "MXR=1": "sstatus: executable pages may be read",
    "FS=0": "sstatus: floating point off",
    "sie": "another interrupt enabled",
    "stvec": "another trap vector",
    "sscratch": "another scratch value",
    "sepc": "another exception program counter",
    "scause": "another cause",
    "satp": "another root page number; translation stays off",
    "scounteren": "counters not readable in U mode",
    "TVM=1": "mstatus: satp and SFENCE.VMA trap in S mode",
    "TW=1": "mstatus: WFI traps below M mode",
    "TSR=1": "mstatus: SRET traps in S mode",
}
STATUS = {"SIE=1": SIE, "SPIE=1": SPIE, "SPP=1": SPP, "SUM=1": SUM, "MXR=1": MXR, "FS=0": FS, "TVM=1": TVM, "TW=1": TW, "TSR=1": TSR}
VALUES = {"sie": 0x222, "stvec": CODE + 0x1000, "sscratch": 0x77, "sepc": CODE + 8, "scause": 9, "satp": 0x1234, "scounteren": 0}
STARTING = {"sie": 0, "stvec": CODE, "sscratch": 0, "sepc": CODE, "scause": 0, "satp": 0, "scounteren": 7}
REGIONS = (Region("data", DATA, bytes(range(1, 65))), Region("stack", STACK - 64, bytes(range(100, 228))))


def csrr(name: str, rd: int = 10) -> bytes:
    """csrrs rd, csr, x0"""
    return struct.pack("<I", CSR[name] << 20 | 2 << 12 | rd << 7 | 0x73)


def csrw(name: str, rs: int = 10) -> bytes:
    """csrrw x0, csr, rs"""
    return struct.pack("<I", CSR[name] << 20 | rs << 15 | 1 << 12 | 0x73)


def put(machine: Any, name: str, value: int) -> None:
    """Write a CSR by executing CSRW."""
    machine.set("a0", value)
    machine.run(csrw(name), 1)


def enter(machine: Any, mode: str, variation: str) -> None:
    """The engine starts in M mode: open all memory to lower modes, set the S registers, MRET to the mode."""
    put(machine, "pmpaddr0", (1 << 54) - 1)
    put(machine, "pmpcfg0", 0x1F)                                # one region over everything: read, write, execute
    put(machine, "mcounteren", 7)
    put(machine, "mideleg", 0x222)                               # S mode handles its own interrupts, so that sie has bits
    for name, value in STARTING.items():
        put(machine, name, VALUES[name] if variation == name else value)
    previous = 1 << 11 if mode == SUPERVISOR else 0              # MPP: what MRET returns to
    put(machine, "mstatus", FS ^ STATUS.get(variation, 0) | previous)
    put(machine, "mepc", CODE)
    machine.run(bytes.fromhex("73002030"), 1)                     # mret


def readers() -> tuple[Form, ...]:
    """CSRR and CSRW of every supervisor register, with two values each."""
    found = []
    for name in ("sstatus", "sie", "stvec", "sscratch", "sepc", "scause", "stval", "sip", "satp", "scounteren"):
        values = (SIE | FS, FS) if name == "sstatus" else (VALUES.get(name, 1), STARTING.get(name, 0))
        found.append(Form(f"CSRR {name}", f"csrr a0, {name}", csrr(name)))
        found.append(Form(f"CSRW {name}", f"csrw {name}, a0", csrw(name), tuple({"a0": value} for value in values)))
    return tuple(found)


FORMS = readers() + (
    form("CSRSI sstatus", "73600110", "csrsi sstatus, 2"),
    form("CSRCI sstatus", "73700110", "csrci sstatus, 2"),
    form("SRET", "73002010", "sret"),
    form("MRET", "73002030", "mret"),
    form("SFENCE.VMA", "73000012", "sfence.vma"),
    form("WFI", "73005010", "wfi", stops=True),
    form("ECALL", "73000000", "ecall"),
    form("EBREAK", "73001000", "ebreak"),
    Form("RDCYCLE", "rdcycle a0", csrr("cycle"), limit=COUNTERS),
    Form("RDTIME", "rdtime a0", csrr("time"), limit="this engine has no time source: RDTIME is always illegal in it"),
    Form("RDINSTRET", "rdinstret a0", csrr("instret"), limit=COUNTERS),
    *(Form(f"CSRR {name}", f"csrr a0, {name}", csrr(name)) for name in ("mstatus", "mhartid", "misa", "medeleg")),
    Form("CSRR fcsr", "frcsr a0", csrr("fcsr")),
    Form("CSRW fcsr", "fscsr a0", csrw("fcsr")),
    form("FMV.D.X", "530505f2", "fmv.d.x fa0, a0"),
    form("NOP", "13000000", "nop"),
    form("ADD", "3305b500", "add a0, a0, a1"),
    form("MUL", "3305b502", "mul a0, a0, a1"),
    form("LUI", "37550100", "lui a0, 0x15"),
    form("AUIPC", "17150000", "auipc a0, 1"),
    form("LD", "03b50500", "ld a0, 0(a1)"),
    form("SD", "23b0a500", "sd a0, 0(a1)"),
    form("LB", "03850500", "lb a0, 0(a1)"),
    form("BEQ", "63080000", "beqz zero, 0x10"),
    form("JAL", "ef000001", "jal 0x10"),
    form("JALR", "67800600", "jr a3"),
    form("FENCE", "0f00f00f", "fence"),
    form("FENCE.I", "0f100000", "fence.i"),
    form("LR.D", "2fb50510", "lr.d a0, (a1)"),
    form("SC.D", "2fb6a518", "sc.d a2, a0, (a1)"),
    form("AMOADD.D", "2fb6a500", "amoadd.d a2, a0, (a1)"),
    form("C.ADD", "2e95", "c.add a0, a1"),
)
WATCHED = {name: name for name in ("sie", "stvec", "sscratch", "sepc", "scause", "satp", "scounteren")} | {"SIE=1": "mstatus"}

ISA = Isa(
    name="rv64", title="RV64GC, S and U mode above M-mode firmware, no translation", arch="UC_ARCH_RISCV", mode="UC_MODE_RISCV64", model="",
    display=("CS_ARCH_RISCV", "CS_MODE_RISCV64|CS_MODE_RISCVC"), pc="pc", forms=FORMS, variations=VARIATIONS,
    user={f"a{n}": Field(f"a{n}") for n in range(8)} | {r: Field(r) for r in ("ra", "sp", "t0", "s0", "fa0")},
    privileged={"priv": Field("priv")}, others={"a0": 0x8000_0000_0000_0001, "a2": 2**64 - 1},
    presets={"a0": 5, "a1": DATA, "a2": 2, "a3": CODE, "ra": CODE, "sp": STACK},
    enter=enter, regions=REGIONS, nop=bytes.fromhex("13000000"), code=CODE, boot=BOOT, mapped=((0, 0x1000000),), word=8, watched=WATCHED,
    pins={"mstatus.FS=0": tuple(v for v in VARIATIONS if v != "FS=0"), "scounteren=0": tuple(v for v in VARIATIONS if v != "scounteren")},
    traps={2: "illegal instruction", 3: "breakpoint", 8: "ECALL from U", 9: "ECALL from S", -1: "illegal instruction"},
    flags=("no translation: pages of U mode, SUM and MXR have no effect here", COUNTERS),
)
