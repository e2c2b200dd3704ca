"""AArch64 with the MMU on, EL1 and EL0: the state, its variations, how the levels are entered, the forms.

Memory, blocks of 2 MB:   0x0040_0000 code, read-only for EL0 and EL1 (what EL0 may write, EL1 may not execute)
                          0x0060_0000 data and stack
                          0x0080_0000 a page of the kernel: no access from EL0, except in variation "monitor's map"
                          0x00c0_0000 the system: boot code, translation tables
In variation "pages" code and data lie 16 MB higher in physical memory.

Reference: ARM DDI 0487 (Arm Architecture Reference Manual), parts D1 (exception levels), D5 and D8 (translation), D13 (system registers).
"""

from __future__ import annotations

import struct
from typing import Any

from .forms import BASE, SUPERVISOR, Field, Isa, Region, form

CODE, DATA, STACK, KERNEL = 0x400000, 0x610000, 0x620000, 0x800000
BOOT, PAGES, PAGES2, MOVED_PAGES, MONITOR_PAGES = 0xC00000, 0xC10000, 0xC14000, 0xC18000, 0xC1C000
SHIFT = 0x1000000
EL1H, EL0 = 0x5, 0x0
SCTLR = 0x30D5_D985               # M=1, caches off, nTWE=1 nTWI=1 UCT=1 UCI=0 DZE=1 UMA=0, reserved ones
UMA, UCT, DZE, UCI, NTWI, NTWE = 1 << 9, 1 << 15, 1 << 14, 1 << 26, 1 << 16, 1 << 18
BASE_SCTLR = SCTLR | UCT | DZE | UCI | NTWI | NTWE
TCR = 0x1_8080_3F20                # T0SZ=32: 4 GB, tables start at level 1, 4 KB granule; IPS: 36 bits; EPD1: no walks through TTBR1
EL0VCTEN = 2

VARIATIONS = {
    BASE: "interrupts enabled, MMU on; SCTLR_EL1: UMA=0, nTWI=nTWE=UCT=DZE=UCI=1; CNTKCTL_EL1.EL0VCTEN=1",
    "I=1": "IRQ masked in PSTATE.DAIF",
    "D A F=1": "the other three masks set",
    "SPSR_EL1": "another saved PSTATE",
    "ELR_EL1": "another exception link register",
    "UMA=1": "SCTLR_EL1: EL0 may read and write DAIF",
    "nTWI=0": "SCTLR_EL1: WFI at EL0 traps",
    "nTWE=0": "SCTLR_EL1: WFE at EL0 traps",
    "UCT=0": "SCTLR_EL1: reading CTR_EL0 at EL0 traps",
    "DZE=0": "SCTLR_EL1: DC ZVA at EL0 traps",
    "UCI=0": "SCTLR_EL1: cache maintenance at EL0 traps",
    "EL0VCTEN=0": "CNTKCTL_EL1: reading the virtual counter at EL0 traps",
    "TTBR0": "equal translation tables at another address",
    "VBAR": "another vector base",
    "TPIDR_EL1": "another privileged thread ID",
    "TPIDRRO_EL0": "another thread ID that EL0 may read",
    "monitor's map": "the kernel's page open to EL0, as a monitor maps it for a deprivileged kernel",
    "pages": "code and data lie 16 MB higher in physical memory: the paper's relocation",
}
BITS = {"UMA=1": UMA, "nTWI=0": NTWI, "nTWE=0": NTWE, "UCT=0": UCT, "DZE=0": DZE, "UCI=0": UCI}


def tables(at: int, shift: int = 0, kernel_access: int = 0) -> bytes:
    """A level-1 table with one entry, and its level-2 table of sixteen blocks. AP: 0 EL1 only, 1 everybody, 3 everybody read-only."""
    access = {CODE: 3, DATA & ~0x1FFFFF: 1, KERNEL: kernel_access}
    blocks = []
    for n in range(16):
        frame = (n << 21) + (shift if CODE <= n << 21 < KERNEL else 0)
        blocks.append(struct.pack("<Q", frame | 1 << 10 | access.get(n << 21, 0) << 6 | 1))                # access flag, AP, block
    return struct.pack("<Q", at + 0x1000 | 3).ljust(0x1000, b"\0") + b"".join(blocks)


TABLES = {PAGES: tables(PAGES), PAGES2: tables(PAGES2), MOVED_PAGES: tables(MOVED_PAGES, SHIFT),
          MONITOR_PAGES: tables(MONITOR_PAGES, kernel_access=1)}
REGIONS = (Region("data", DATA, bytes(range(1, 65))), Region("stack", STACK - 64, bytes(range(100, 228))))


def put(machine: Any, value: int, code: str) -> None:
    """One boot instruction that takes its value from x0."""
    machine.set("x0", value)
    machine.run(bytes.fromhex(code), 1)


def enter(machine: Any, mode: str, variation: str) -> None:
    """The engine starts at EL1: set up translation there, then ERET to the level."""
    for address, content in TABLES.items():
        machine.uc.mem_write(address, content)
    map_at = {"TTBR0": PAGES2, "pages": MOVED_PAGES, "monitor's map": MONITOR_PAGES}.get(variation, PAGES)
    put(machine, 3 << 20, "401018d5")                                                  # msr cpacr_el1, x0: floating point for all
    put(machine, 0xFF, "00a218d5")                                                     # msr mair_el1, x0: normal memory
    put(machine, TCR, "402018d5")                                                      # msr tcr_el1, x0
    put(machine, map_at, "002018d5")                                                   # msr ttbr0_el1, x0
    put(machine, 0x1000 if variation == "VBAR" else 0, "00c018d5")                     # msr vbar_el1, x0
    put(machine, 7 if variation == "TPIDR_EL1" else 0, "80d018d5")                     # msr tpidr_el1, x0
    put(machine, 7 if variation == "TPIDRRO_EL0" else 0, "60d01bd5")                   # msr tpidrro_el0, x0
    put(machine, 0 if variation == "EL0VCTEN=0" else EL0VCTEN, "00e118d5")             # msr cntkctl_el1, x0
    put(machine, STACK, "004118d5")                                                    # msr sp_el0, x0
    put(machine, BASE_SCTLR ^ BITS.get(variation, 0), "001018d5")                      # msr sctlr_el1, x0: MMU on
    masks = {"I=1": 0x80, "D A F=1": 0x340}.get(variation, 0)
    put(machine, masks | (EL1H if mode == SUPERVISOR else EL0), "004018d5")            # msr spsr_el1, x0
    put(machine, CODE, "204018d5")                                                     # msr elr_el1, x0
    machine.run(bytes.fromhex("e0039fd6"), 1)                                          # eret
    if mode == SUPERVISOR:
        put(machine, EL0 if variation == "SPSR_EL1" else EL1H, "004018d5")             # msr spsr_el1, x0
    machine.set("elr_el1", CODE + 8 if variation == "ELR_EL1" else CODE)


SCTLRS = ({"x0": BASE_SCTLR}, {"x0": BASE_SCTLR ^ UMA})
PAGES_OF = ({}, {"x1": KERNEL})
FORMS = (
    form("MRS DAIF", "20423bd5", "mrs x0, daif"),
    form("MSR DAIF", "20421bd5", "msr daif, x0", {"x0": 0x80}, {"x0": 0x3C0}, {"x0": 0}),
    form("MSR DAIFSet", "df4203d5", "msr daifset, #2"),
    form("MSR DAIFClr", "ff4203d5", "msr daifclr, #2"),
    form("MRS CurrentEL", "404238d5", "mrs x0, currentel"),
    form("MRS SPSel", "004238d5", "mrs x0, spsel"),
    form("MSR SPSel", "bf4000d5", "msr spsel, #0"),
    form("MRS NZCV", "00423bd5", "mrs x0, nzcv"),
    form("MSR NZCV", "00421bd5", "msr nzcv, x0", {"x0": 0xF0000000}),
    form("MRS SPSR_EL1", "004038d5", "mrs x0, spsr_el1"),
    form("MSR SPSR_EL1", "004018d5", "msr spsr_el1, x0", {"x0": 0x3C5}),
    form("MRS ELR_EL1", "204038d5", "mrs x0, elr_el1"),
    form("MSR ELR_EL1", "204018d5", "msr elr_el1, x0", {"x0": CODE}),
    form("MRS SP_EL0", "004138d5", "mrs x0, sp_el0"),
    form("MSR SP_EL0", "004118d5", "msr sp_el0, x0", {"x0": STACK + 0x40}),
    form("ERET", "e0039fd6", "eret"),
    form("MRS SCTLR_EL1", "001038d5", "mrs x0, sctlr_el1"),
    form("MSR SCTLR_EL1", "001018d5", "msr sctlr_el1, x0", *SCTLRS),
    form("MRS TTBR0_EL1", "002038d5", "mrs x0, ttbr0_el1"),
    form("MSR TTBR0_EL1", "002018d5", "msr ttbr0_el1, x0", {"x0": PAGES}, {"x0": PAGES2}),
    form("MRS TCR_EL1", "402038d5", "mrs x0, tcr_el1"),
    form("MSR TCR_EL1", "402018d5", "msr tcr_el1, x0", {"x0": TCR}),
    form("MRS VBAR_EL1", "00c038d5", "mrs x0, vbar_el1"),
    form("MSR VBAR_EL1", "00c018d5", "msr vbar_el1, x0", {"x0": 0x2000}),
    form("MRS TPIDR_EL1", "80d038d5", "mrs x0, tpidr_el1"),
    form("MSR TPIDR_EL1", "80d018d5", "msr tpidr_el1, x0", {"x0": 9}),
    form("MRS TPIDRRO_EL0", "60d03bd5", "mrs x0, tpidrro_el0"),
    form("MSR TPIDRRO_EL0", "60d01bd5", "msr tpidrro_el0, x0", {"x0": 9}),
    form("MRS TPIDR_EL0", "40d03bd5", "mrs x0, tpidr_el0"),
    form("MSR TPIDR_EL0", "40d01bd5", "msr tpidr_el0, x0", {"x0": 9}),
    form("MRS CONTEXTIDR_EL1", "20d038d5", "mrs x0, contextidr_el1"),
    form("MRS MIDR_EL1", "000038d5", "mrs x0, midr_el1"),
    form("MRS ID_AA64PFR0", "000438d5", "mrs x0, id_aa64pfr0_el1"),
    form("MRS ESR_EL1", "005238d5", "mrs x0, esr_el1"),
    form("MRS FAR_EL1", "006038d5", "mrs x0, far_el1"),
    form("MRS CTR_EL0", "20003bd5", "mrs x0, ctr_el0"),
    form("MRS DCZID_EL0", "e0003bd5", "mrs x0, dczid_el0"),
    form("MRS CNTFRQ_EL0", "00e03bd5", "mrs x0, cntfrq_el0"),
    form("MRS CNTVCT_EL0", "40e03bd5", "mrs x0, cntvct_el0"),
    form("MRS CNTKCTL_EL1", "00e138d5", "mrs x0, cntkctl_el1"),
    form("MSR CNTKCTL_EL1", "00e118d5", "msr cntkctl_el1, x0", {"x0": 0}),
    form("MRS PMCCNTR_EL0", "009d3bd5", "mrs x0, pmccntr_el0"),
    form("TLBI", "1f8708d5", "tlbi vmalle1"),
    form("AT S1E1R", "017808d5", "at s1e1r, x1"),
    form("DC ZVA", "21740bd5", "dc zva, x1", {}, {"x1": KERNEL}),
    form("DC CIVAC", "217e0bd5", "dc civac, x1"),
    form("IC IVAU", "21750bd5", "ic ivau, x1"),
    form("IC IALLU", "1f7508d5", "ic iallu"),
    form("WFI", "7f2003d5", "wfi", stops=True),
    form("WFE", "5f2003d5", "wfe", limit="on silicon SCTLR_EL1.nTWE=0 makes it trap at EL0; this engine ignores nTWE", stops=True),
    form("SEV", "9f2003d5", "sev"),
    form("YIELD", "3f2003d5", "yield", stops=True),
    form("SVC", "010000d4", "svc #0"),
    form("HVC", "020000d4", "hvc #0"),
    form("SMC", "030000d4", "smc #0"),
    form("BRK", "000020d4", "brk #0"),
    form("UDF", "00000000", "udf #0"),
    form("LDTR", "200840f8", "ldtr x0, [x1]", *PAGES_OF),
    form("STTR", "200800f8", "sttr x0, [x1]", *PAGES_OF),
    form("LDR", "200040f9", "ldr x0, [x1]", *PAGES_OF),
    form("STR", "200000f9", "str x0, [x1]", *PAGES_OF),
    form("LDP", "e20fc1a8", "ldp x2, x3, [sp], #0x10"),
    form("STP", "e20fbfa9", "stp x2, x3, [sp, #-0x10]!"),
    form("NOP", "1f2003d5", "nop"),
    form("ADD", "0000018b", "add x0, x0, x1"),
    form("ADDS", "000001ab", "adds x0, x0, x1", {}, {"x0": 0xFFFFFFFFFFFFFFFF, "x1": 1}),
    form("MUL", "207c029b", "mul x0, x1, x2"),
    form("CSEL", "2000829a", "csel x0, x1, x2, eq"),
    form("B", "04000014", "b #0x10"),
    form("BL", "04000094", "bl #0x10"),
    form("BR", "60001fd6", "br x3"),
    form("RET", "c0035fd6", "ret"),
    form("CBZ", "800000b4", "cbz x0, #0x10"),
    form("LDXR", "207c5fc8", "ldxr x0, [x1]"),
    form("STXR", "207c02c8", "stxr w2, x0, [x1]"),
    form("FMOV", "0000679e", "fmov d0, x0"),
    form("DMB", "bf3f03d5", "dmb sy"),
    form("ISB", "df3f03d5", "isb"),
    form("CLREX", "5f3f03d5", "clrex"),
)

ISA = Isa(
    name="aarch64", title="AArch64 (Cortex-A72 model), MMU on, EL1 and EL0", arch="UC_ARCH_ARM64", mode="UC_MODE_ARM", model="UC_CPU_ARM64_A72",
    display=("CS_ARCH_ARM64", "CS_MODE_ARM"), pc="pc", forms=FORMS, variations=VARIATIONS,
    user={f"x{n}": Field(f"x{n}") for n in (0, 1, 2, 3, 4, 5, 16, 30)} | {"sp": Field("sp"), "flags": Field("pstate", 0xF000_0000)},
    privileged={"EL SP": Field("pstate", 0xF), "DAIF": Field("pstate", 0x3C0), "ELR_EL1": Field("elr_el1")},
    others={"x0": 0x8000_0000_0000_0001, "x2": 2**64 - 1},
    presets={"x0": 5, "x1": DATA, "x2": 2, "x3": CODE + 8, "x30": CODE + 8, "sp": STACK},
    enter=enter, regions=REGIONS, nop=bytes.fromhex("1f2003d5"), code=CODE, boot=BOOT, mapped=((0, 0x2000000),),
    watched={"UMA=1": "SCTLR_EL1", "EL0VCTEN=0": "CNTKCTL_EL1"} | {n: n for n in ("SPSR_EL1", "TTBR0", "VBAR", "TPIDR_EL1", "TPIDRRO_EL0")}, word=8,
    moved={"pages": SHIFT}, remapped=("pages", "monitor's map"), monitor_map="monitor's map", memory_traps=(3, 4),
    pins={"SCTLR_EL1.UMA=0": ("UMA=1",), **{f"{where}.{bit}": tuple(v for v in VARIATIONS if v != bit) for where, bit in (
        ("SCTLR_EL1", "nTWI=0"), ("SCTLR_EL1", "nTWE=0"), ("SCTLR_EL1", "UCT=0"), ("SCTLR_EL1", "DZE=0"), ("SCTLR_EL1", "UCI=0"),
        ("CNTKCTL_EL1", "EL0VCTEN=0"))}},
    traps={1: "undefined", 2: "SVC", 3: "prefetch abort", 4: "data abort", 7: "BRK", 11: "HVC", 13: "SMC", -1: "undefined"},
    flags=("SCTLR_EL1.nTWE=0 has no effect: WFE never traps", "HVC and SMC are undefined: no EL2 or EL3 answers",
           "only EL1 and EL0: the model has no HCR_EL2, by which a hypervisor would make EL1's own instructions trap"),
)
