"""ARMv7-A with the MMU on, Supervisor and User mode: the state, its variations, how the modes are entered, the forms.

Memory, sections of 1 MB:   0x0040_0000 the program: forms, data, stack (physical 0x0080_0000 in variation "pages")
                            0x0060_0000 a page of the kernel: no access from User mode, except in variation "monitor's map"
                            0x00c0_0000 the system: boot code, translation tables

Reference: ARM DDI 0406 (ARM Architecture Reference Manual, ARMv7-A), parts B1 (modes, PSRs) and B3 (short-descriptor translation).
"""

from __future__ import annotations

import struct
from typing import Any

from .forms import BASE, SUPERVISOR, Field, Isa, Region, form

CODE, DATA, STACK, KERNEL = 0x400000, 0x510000, 0x520000, 0x600000
BOOT, PAGES, PAGES2, MOVED_PAGES, MONITOR_PAGES = 0xC00000, 0xC10000, 0xC14000, 0xC18000, 0xC1C000      # tables: 16 KB each
SHIFT = 0x400000
SVC, USR = 0x13, 0x10
SCTLR = 0x00C5_0079                # M=1, C=0, I=0: the reset value with the MMU on
UNPREDICTABLE = "UNPREDICTABLE in User mode: the manual allows silicon not to trap; this engine makes it undefined"
HINT = "a hint on silicon; this engine does not wait at WFI, and stops at WFE and YIELD with an undefined instruction"

VARIATIONS = {
    BASE: "interrupts enabled, MMU on, identity sections",
    "I=1": "IRQ masked in the CPSR",
    "F=1": "FIQ masked",
    "A=1": "asynchronous aborts masked",
    "SPSR": "another saved PSR (Supervisor mode; User mode has none)",
    "SCTLR": "alignment checking on",
    "TTBR0": "equal translation tables at another address",
    "DACR": "another domain's access bits",
    "VBAR": "another vector base",
    "TPIDRPRW": "another privileged thread ID",
    "TPIDRURO": "another thread ID that User mode may read",
    "monitor's map": "the kernel's page open to User mode, as a monitor maps it for a deprivileged kernel",
    "pages": "the program lies 4 MB higher in physical memory: the paper's relocation",
}


def sections(shift: int = 0, kernel_access: int = 1) -> bytes:
    """A first-level table of sixteen sections: AP=3 (everybody), the kernel's AP=1 (privileged only); domain 0."""
    words = []
    for n in range(16):
        frame = (n << 20) + (shift if CODE <= n << 20 < KERNEL else 0)
        words.append(frame | (kernel_access if n << 20 == KERNEL else 3) << 10 | 2)
    return struct.pack("<16I", *words)


TABLES = {PAGES: sections(), PAGES2: sections(), MOVED_PAGES: sections(SHIFT), MONITOR_PAGES: sections(kernel_access=3)}
REGIONS = (Region("data", DATA, bytes(range(1, 65))), Region("stack", STACK - 64, bytes(range(100, 228))))


def put(machine: Any, value: int, code: str) -> None:
    """One boot instruction that takes its value from r0."""
    machine.set("r0", value)
    machine.run(bytes.fromhex(code), 1)


def enter(machine: Any, mode: str, variation: str) -> None:
    """The engine starts in Supervisor mode: set up translation there, then return from a pretended exception."""
    for address, content in TABLES.items():
        machine.uc.mem_write(address, content)
    tables = {"TTBR0": PAGES2, "pages": MOVED_PAGES, "monitor's map": MONITOR_PAGES}.get(variation, PAGES)
    put(machine, tables, "100f02ee")                                                    # mcr p15, 0, r0, c2, c0, 0     TTBR0
    put(machine, 5 if variation == "DACR" else 1, "100f03ee")                           # mcr p15, 0, r0, c3, c0, 0     DACR: client
    put(machine, 0x1000 if variation == "VBAR" else 0, "100f0cee")                      # mcr p15, 0, r0, c12, c0, 0    VBAR
    put(machine, 7 if variation == "TPIDRPRW" else 0, "900f0dee")                       # mcr p15, 0, r0, c13, c0, 4    TPIDRPRW
    put(machine, 7 if variation == "TPIDRURO" else 0, "700f0dee")                       # mcr p15, 0, r0, c13, c0, 3    TPIDRURO
    put(machine, 0xF00000, "500f01ee")                                                  # mcr p15, 0, r0, c1, c0, 2     CPACR: FPU for all
    put(machine, 0x4000_0000, "100ae8ee")                                               # vmsr fpexc, r0
    put(machine, SCTLR | (2 if variation == "SCTLR" else 0), "100f01ee")                # mcr p15, 0, r0, c1, c0, 0     SCTLR: MMU on
    masks = {"I=1": 0x80, "F=1": 0x40, "A=1": 0x100}.get(variation, 0)
    put(machine, masks | (SVC if mode == SUPERVISOR else USR), "00f06fe1")              # msr spsr_fsxc, r0
    machine.set("lr", CODE)
    machine.run(bytes.fromhex("0ef0b0e1"), 1)                                           # movs pc, lr: the exception return
    if mode == SUPERVISOR:
        put(machine, 0x1F if variation == "SPSR" else USR, "00f06fe1")                  # msr spsr_fsxc, r0


def words(*values: int) -> bytes:
    """Little-endian 32-bit words."""
    return struct.pack(f"<{len(values)}I", *values)


MODES = tuple({"r0": psr} for psr in (0x13, 0x93, 0x53, 0x113, 0x10, 0x1F, 0x12))          # SVC; I; F; A; User; System; IRQ
FRAMES = tuple({"data": words(CODE + 8, psr)} for psr in (0x10, 0x13, 0x93, 0x1F))          # where RFE returns to
FRAMES_LDM = ({"data": words(0, CODE + 8)},)
PAGES_OF = ({}, {"r1": KERNEL})
SCTLRS = ({"r0": SCTLR}, {"r0": SCTLR | 2})
FORMS = (
    form("MRS CPSR", "00000fe1", "mrs r0, apsr"),
    form("MSR CPSR_c", "00f021e1", "msr cpsr_c, r0", *MODES),
    form("MSR CPSR_f", "00f028e1", "msr apsr_nzcvq, r0", {"r0": 0xF0000000}),
    form("MSR CPSR_fsxc", "00f02fe1", "msr cpsr_fsxc, r0", *MODES),
    form("MRS SPSR", "00004fe1", "mrs r0, spsr", limit=UNPREDICTABLE),
    form("MSR SPSR", "00f06fe1", "msr spsr_fsxc, r0", {"r0": 0x1F}, limit=UNPREDICTABLE),
    form("CPSID i", "80000cf1", "cpsid i"),
    form("CPSIE i", "800008f1", "cpsie i"),
    form("CPSID f", "40000cf1", "cpsid f"),
    form("CPS mode", "1f0002f1", "cps #0x1f"),
    form("SRS", "13056df9", "srsdb sp!, #0x13", limit=UNPREDICTABLE),
    form("RFE", "000a91f8", "rfeia r1", *FRAMES, limit=UNPREDICTABLE),
    form("LDM return", "0480d1e8", "ldm r1, {r2, pc} ^", *FRAMES_LDM, limit=UNPREDICTABLE),
    form("LDM user", "0060d1e8", "ldm r1, {sp, lr} ^", limit=UNPREDICTABLE),
    form("STM user", "0060c1e8", "stm r1, {sp, lr} ^", limit=UNPREDICTABLE),
    form("SUBS pc", "04f05ee2", "subs pc, lr, #4", limit=UNPREDICTABLE),
    form("MOVS pc", "0ef0b0e1", "movs pc, lr", limit=UNPREDICTABLE),
    form("LDRT", "0000b1e4", "ldrt r0, [r1], #0", *PAGES_OF),
    form("STRT", "0000a1e4", "strt r0, [r1], #0", *PAGES_OF),
    form("LDRBT", "0000f1e4", "ldrbt r0, [r1], #0", *PAGES_OF),
    form("LDRHT", "b000f1e0", "ldrht r0, [r1], #0", *PAGES_OF),
    form("WFI", "03f020e3", "wfi", limit=HINT, stops=True),
    form("WFE", "02f020e3", "wfe", limit=HINT, stops=True),
    form("SEV", "04f020e3", "sev"),
    form("YIELD", "01f020e3", "yield", limit=HINT, stops=True),
    form("SVC", "000000ef", "svc #0"),
    form("SMC", "700060e1", "smc #0"),
    form("HVC", "700040e1", "hvc #0"),
    form("BKPT", "700020e1", "bkpt #0"),
    form("UDF", "f000f0e7", "udf #0"),
    form("SETEND BE", "000201f1", "setend be"),
    form("MRC SCTLR", "100f11ee", "mrc p15, #0, r0, c1, c0, #0"),
    form("MCR SCTLR", "100f01ee", "mcr p15, #0, r0, c1, c0, #0", *SCTLRS),
    form("MRC MIDR", "100f10ee", "mrc p15, #0, r0, c0, c0, #0"),
    form("MRC TTBR0", "100f12ee", "mrc p15, #0, r0, c2, c0, #0"),
    form("MCR TTBR0", "100f02ee", "mcr p15, #0, r0, c2, c0, #0", {"r0": PAGES}, {"r0": PAGES2}),
    form("MRC DACR", "100f13ee", "mrc p15, #0, r0, c3, c0, #0"),
    form("MCR DACR", "100f03ee", "mcr p15, #0, r0, c3, c0, #0", {"r0": 1}, {"r0": 5}),
    form("MRC VBAR", "100f1cee", "mrc p15, #0, r0, c12, c0, #0"),
    form("MCR VBAR", "100f0cee", "mcr p15, #0, r0, c12, c0, #0", {"r0": 0}, {"r0": 0x1000}),
    form("MCR TLBIALL", "170f08ee", "mcr p15, #0, r0, c8, c7, #0"),
    form("MRC DFSR", "100f15ee", "mrc p15, #0, r0, c5, c0, #0"),
    form("MRC TPIDRPRW", "900f1dee", "mrc p15, #0, r0, c13, c0, #4"),
    form("MCR TPIDRPRW", "900f0dee", "mcr p15, #0, r0, c13, c0, #4", {"r0": 5}),
    form("MRC TPIDRURO", "700f1dee", "mrc p15, #0, r0, c13, c0, #3"),
    form("MCR TPIDRURO", "700f0dee", "mcr p15, #0, r0, c13, c0, #3", {"r0": 5}),
    form("MRC TPIDRURW", "500f1dee", "mrc p15, #0, r0, c13, c0, #2"),
    form("MCR TPIDRURW", "500f0dee", "mcr p15, #0, r0, c13, c0, #2", {"r0": 5}),
    form("MRC PMCCNTR", "1d0f19ee", "mrc p15, #0, r0, c9, c13, #0"),
    form("MRRC CNTVCT", "1e0f51ec", "mrrc p15, #1, r0, r1, c14"),
    form("MCR ISB", "950f07ee", "mcr p15, #0, r0, c7, c5, #4"),
    form("MCR DCCIMVAC", "3e1f07ee", "mcr p15, #0, r1, c7, c14, #1"),
    form("VMRS FPSCR", "100af1ee", "vmrs r0, fpscr"),
    form("NOP", "00f020e3", "nop"),
    form("ADD", "010080e0", "add r0, r0, r1"),
    form("ADDS", "010090e0", "adds r0, r0, r1", {}, {"r0": 0xFFFFFFFF, "r1": 1}),
    form("MUL", "910200e0", "mul r0, r1, r2"),
    form("CLZ", "110f6fe1", "clz r0, r1"),
    form("LDR", "000091e5", "ldr r0, [r1]", *PAGES_OF),
    form("STR", "000081e5", "str r0, [r1]", *PAGES_OF),
    form("LDM", "0c0091e8", "ldm r1, {r2, r3}"),
    form("STM", "0c0081e8", "stm r1, {r2, r3}"),
    form("PUSH", "03002de9", "push {r0, r1}"),
    form("POP", "0c00bde8", "pop {r2, r3}"),
    form("B", "020000ea", "b #0x10"),
    form("BL", "020000eb", "bl #0x10"),
    form("BX", "1eff2fe1", "bx lr"),
    form("LDREX", "9f0f91e1", "ldrex r0, [r1]"),
    form("STREX", "902f81e1", "strex r2, r0, [r1]"),
    form("DMB", "5ff07ff5", "dmb sy"),
    form("CLREX", "1ff07ff5", "clrex"),
)

ISA = Isa(
    name="armv7-a", title="ARMv7-A (Cortex-A15 model), ARM state, MMU on, Supervisor and User mode", arch="UC_ARCH_ARM", mode="UC_MODE_ARM",
    model="UC_CPU_ARM_CORTEX_A15", display=("CS_ARCH_ARM", "CS_MODE_ARM"), pc="pc", forms=FORMS, variations=VARIATIONS,
    user={f"r{n}": Field(f"r{n}") for n in range(13)} | {"sp": Field("sp"), "lr": Field("lr"), "flags": Field("cpsr", 0xF80F_0200)},
    privileged={"mode": Field("cpsr", 0x1F), "A I F": Field("cpsr", 0x1C0), "SPSR": Field("spsr")},
    others={"r0": 0x8000_0001, "r2": 0xFFFF_FFFF, "r3": 31},
    presets={"r0": 5, "r1": DATA, "r2": 2, "r3": 3, "sp": STACK, "lr": CODE + 8},
    enter=enter, regions=REGIONS, nop=bytes.fromhex("00f020e3"), code=CODE, boot=BOOT, mapped=((0, 0x1000000),),
    watched={name: name for name in ("SCTLR", "TTBR0", "DACR", "VBAR", "TPIDRPRW", "TPIDRURO")}, memory_traps=(4,), moved={"pages": SHIFT},
    remapped=("pages", "monitor's map"), monitor_map="monitor's map",
    traps={1: "undefined", 2: "SVC", 3: "prefetch abort", 4: "data abort", 7: "BKPT", 11: "HVC", 13: "SMC", -1: "undefined"},
    flags=("UNPREDICTABLE instructions (exception returns, SPSR and user-bank accesses from User mode) are undefined in this engine; "
           "silicon need not trap, so a monitor must count them as sensitive and not privileged",
           "WFI, WFE and YIELD do not wait"),
)
