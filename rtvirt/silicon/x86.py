"""32-bit x86 in protected mode with paging: the state, its variations, and how rings are entered.

Linear memory, 4 MB pages:   0x0040_0000 the program: forms, data, stacks (physical 0x0080_0000 in variation "pages")
                             0x00c0_0000 the system: boot code, GDT, LDT, IDT, TSS, page directories

Reference: Intel SDM volume 3, chapters 2 (registers), 3 and 5 (segments, protection), 6 (interrupts), 7 (TSS).
"""

from __future__ import annotations

import struct
from typing import Any

from .forms import BASE, USER, Field, Isa, Region
from .x86_forms import CODE, DATA, FORMS, KSTACK, NOP, PORT, STACK
from .x86_rules import RULES, hooks

SYSTEM = 0xC00000
BOOT, GDT, GDT2, LDT, LDT2, IDT, IDT2, TSS, TSS2, PAGES, PAGES2, MOVED_PAGES, POINTERS = (SYSTEM + 0x10000 * i for i in range(13))
KERNEL_CODE, KERNEL_DATA, USER_CODE, USER_DATA = 0x08, 0x10, 0x1B, 0x23
HANDLER, HANDLER2 = CODE + 0x20000, CODE + 0x20100      # no form lies there
GATES = 0x82
SHIFT = 0x400000                    # variation "pages": the program lies this much higher in physical memory
IF, IOPL, NT = 1 << 9, 3 << 12, 1 << 14
CR0, CR4 = 0x8001_0033, 0x0000_0610        # PG WP NE ET MP PE; OSXMMEXCPT OSFXSR PSE

VARIATIONS = {
    BASE: "IF=1 IOPL=0 NT=0, flat segments, identity paging",
    "IF=0": "interrupts disabled in EFLAGS",
    "IOPL=3": "I/O privilege level 3",
    "NT=1": "nested task",
    "GDTR": "an equal GDT at another address",
    "IDTR": "an equal IDT at another address",
    "LDTR": "another selector of an equal LDT",
    "TR": "another selector of an equal TSS",
    "GDT": "other contents in two GDT entries",
    "IDT": "gates lead to another handler",
    "TS=1": "CR0: task switched",
    "EM=1": "CR0: emulate the FPU",
    "TSD=1": "CR4: RDTSC only in ring 0",
    "PCE=1": "CR4: RDPMC in every ring",
    "UMIP=1": "CR4: no SGDT, SIDT, SLDT, SMSW, STR outside ring 0",
    "DR7": "a breakpoint condition that never matches",
    "CR3": "an equal page directory at another address",
    "pages": "the program lies 4 MB higher in physical memory: the paper's relocation",
    "bitmap": "the TSS allows port 0x80",
    "MSR": "another value in the model-specific register SYSENTER_CS",
}


def segment(kind: int, level: int, base: int = 0, limit: int = 0xFFFFF, big: int = 0xC) -> bytes:
    """A segment descriptor, present; `kind` is type and S bit."""
    return struct.pack("<HHBBBB", limit & 0xFFFF, base & 0xFFFF, base >> 16 & 0xFF, 0x80 | level << 5 | kind, big << 4 | limit >> 16, base >> 24)


def gate(kind: int, level: int, selector: int, offset: int) -> bytes:
    """A call, interrupt or trap gate."""
    return struct.pack("<HHBBH", offset & 0xFFFF, selector, 0, 0x80 | level << 5 | kind, offset >> 16)


def gdt(code_kind: int = 0x1B, spare: bytes = segment(0x13, 0)) -> bytes:
    """The GDT; accessed bits are set beforehand, so that a load of a segment register is not a change of memory."""
    entries = [bytes(8), segment(0x1B, 0), segment(0x13, 0), segment(code_kind, 3), segment(0x13, 3),      # 00 08 10 18 20
               segment(9, 0, TSS, 0x89, 0), segment(2, 0, LDT, 0xFF, 0), spare, segment(0x1F, 0),          # 28 30 38 40 (conforming)
               gate(0xC, 3, KERNEL_CODE, HANDLER), segment(9, 0, TSS2, 0x89, 0), segment(2, 0, LDT, 0xFF, 0),   # 48 50 58
               segment(0x11, 3), segment(0x1B, 3, 0, 0xFF, 4), segment(0x13, 3)]                            # 60 (read only) 68 70
    return b"".join(entries)


def idt(handler: int) -> bytes:
    """Interrupt gates of ring 0, except 0x80 (interrupt) and 0x81 (trap) which ring 3 may call, and 3 and 4 (INT3, INTO)."""
    gates = [gate(0xE, 3 if n in (3, 4, 0x80) else 0, KERNEL_CODE, handler) for n in range(GATES)]
    gates[0x81] = gate(0xF, 3, KERNEL_CODE, handler)
    return b"".join(gates)


def tss(bitmap: int = 0xFF) -> bytes:
    """A task state segment: ring 0's stack, and an I/O bitmap for ports 0 to 0xff."""
    head = bytearray(104)
    struct.pack_into("<II", head, 4, KSTACK, KERNEL_DATA)
    struct.pack_into("<H", head, 102, 104)
    return bytes(head) + bytes(bitmap if i == PORT // 8 else 0xFF for i in range(32)) + b"\xff\xff"


def directory(program: int = CODE) -> bytes:
    """A page directory: four pages of 4 MB, for every ring, writable, accessed and dirty beforehand."""
    frames = [0, program & ~0x3FFFFF, 0x800000, SYSTEM]
    return b"".join(struct.pack("<I", frame | 0xE7) for frame in frames)


REGIONS = (
    Region("data", DATA, bytes(range(1, 129))), Region("stack", STACK - 64, bytes(range(100, 228))), Region("ring 0 stack", KSTACK - 64, bytes(64)),
    Region("GDT", GDT, gdt(), True), Region("IDT", IDT, idt(HANDLER), True), Region("TSS", TSS, tss(), True),
)
TABLES = {GDT2: gdt(), LDT: segment(0x13, 3) * 4, LDT2: segment(0x13, 3) * 4, IDT2: idt(HANDLER), TSS2: tss(),
          PAGES: directory(), PAGES2: directory(), MOVED_PAGES: directory(CODE + SHIFT)}
ALTERED = {"GDT": {"GDT": gdt(0x19, segment(0x19, 3, 0, 0x1234, 4))}, "IDT": {"IDT": idt(HANDLER2)}, "bitmap": {"TSS": tss(0)}}


def enter(machine: Any, mode: str, variation: str) -> None:
    """Load every table register, then IRETD to the ring: the only way into a less privileged one."""
    for address, content in TABLES.items():
        machine.uc.mem_write(address, content)
    gdt_at, idt_at = (GDT2 if variation == "GDTR" else GDT), (IDT2 if variation == "IDTR" else IDT)
    machine.uc.mem_write(gdt_at, gdt())
    machine.uc.mem_write(POINTERS, struct.pack("<HI", len(gdt()) - 1, gdt_at) + bytes(2) + struct.pack("<HI", 8 * GATES - 1, idt_at))
    cr0 = CR0 | {"TS=1": 8, "EM=1": 4}.get(variation, 0)
    cr4 = CR4 | {"TSD=1": 4, "PCE=1": 0x100, "UMIP=1": 0x800}.get(variation, 0)
    flags = 2 | (0 if variation == "IF=0" else IF) | (IOPL if variation == "IOPL=3" else 0) | (NT if variation == "NT=1" else 0)
    code, data = (USER_CODE, USER_DATA) if mode == USER else (KERNEL_CODE, KERNEL_DATA)
    eax = lambda value: b"\xb8" + struct.pack("<I", value)                                      # noqa: E731 - mov eax, imm32
    push = lambda value: b"\x68" + struct.pack("<I", value)                                     # noqa: E731 - push imm32
    cr3 = {"CR3": PAGES2, "pages": MOVED_PAGES}.get(variation, PAGES)
    boot = [
        eax(cr3), b"\x0f\x22\xd8", eax(cr4), b"\x0f\x22\xe0", eax(cr0), b"\x0f\x22\xc0",                # mov cr3 / cr4 / cr0, eax
        b"\x0f\x01\x15" + struct.pack("<I", POINTERS), b"\x0f\x01\x1d" + struct.pack("<I", POINTERS + 8),     # lgdt, lidt
        eax(KERNEL_DATA), b"\x8e\xd0", b"\xbc" + struct.pack("<I", POINTERS + 0x8000),               # mov ss, ax; mov esp
        eax(0x58 if variation == "LDTR" else 0x30), b"\x0f\x00\xd0",                                 # lldt ax
        eax(0x50 if variation == "TR" else 0x28), b"\x0f\x00\xd8",                                   # ltr ax
        eax(0x0200_0400 if variation == "DR7" else 0x400), b"\x0f\x23\xf8",                          # mov dr7, eax
        b"\xb9\x74\x01\x00\x00", eax(0x48 if variation == "MSR" else KERNEL_CODE), b"\x31\xd2", b"\x0f\x30",   # SYSENTER_CS: wrmsr
        eax(USER_DATA), b"\x8e\xd8", b"\x8e\xc0", b"\x8e\xe0", b"\x8e\xe8",                               # mov ds, es, fs, gs
    ]
    boot += [push(data), push(STACK)] if mode == USER else []
    boot += [push(flags), push(code), push(CODE), b"\xcf"]                                           # iretd
    machine.run(b"".join(boot), len(boot))


FLAGS = 0xCD5                        # CF PF AF ZF SF DF OF: the flags that are the program's own
USER_STATE = {r: Field(r) for r in ("eax", "ebx", "ecx", "edx", "esi", "edi", "ebp", "esp")} | {"flags": Field("eflags", FLAGS)}
PRIVATE_STATE = {
    "CPL": Field("cs", 3), "IF": Field("eflags", IF), "IOPL": Field("eflags", IOPL), "NT": Field("eflags", NT),
    **{s.upper(): Field(s, 0xFFFF) for s in ("cs", "ds", "es", "ss", "fs", "gs")},
    "CR0": Field("cr0"), "CR3": Field("cr3"), "CR4": Field("cr4"), "DR7": Field("dr7"),
    "GDTR.base": Field("gdtr", part=1), "GDTR.limit": Field("gdtr", 0xFFFF, 2), "IDTR.base": Field("idtr", part=1),
    "IDTR.limit": Field("idtr", 0xFFFF, 2), "LDTR": Field("ldtr", 0xFFFF), "TR": Field("tr", 0xFFFF),
}
PRESETS = {"eax": 0x1234_5678, "ebx": DATA, "ecx": 0x10, "edx": PORT, "esi": DATA, "edi": DATA + 0x20, "ebp": STACK + 0x10, "esp": STACK}

ISA = Isa(
    name="x86-32", title="x86 in 32-bit protected mode, paging on, rings 0 and 3", arch="UC_ARCH_X86", mode="UC_MODE_32", model="",
    display=("CS_ARCH_X86", "CS_MODE_32"), pc="eip", forms=FORMS, variations=VARIATIONS, user=USER_STATE, privileged=PRIVATE_STATE,
    others={"eax": 0x8000_0001, "ecx": 0x1F},
    presets=PRESETS, enter=enter, regions=REGIONS, nop=NOP, code=CODE, boot=BOOT, mapped=((0, 0x1000000),),
    pins={"IOPL=0": ("IOPL=3",), "IOPL=0 and every I/O bitmap bit set": ("IOPL=3", "bitmap"),
          "CR4.TSD=1": tuple(v for v in VARIATIONS if v != "TSD=1"),
          "CR4.PCE=0": ("PCE=1",)},
    memory_traps=(14,), rules=RULES, hooks=hooks, moved={"pages": SHIFT}, remapped=("pages",), altered=ALTERED, watched={"MSR": "SYSENTER_CS"},
    traps={0: "#DE", 1: "#DB", 3: "#BP", 4: "#OF", 5: "#BR", 6: "#UD", 7: "#NM", 8: "#DF", 10: "#TS", 11: "#NP", 12: "#SS", 13: "#GP", 14: "#PF",
           -1: "#UD"},
    flags=("UMIP: CR4.UMIP=1 has no effect in this engine, on silicon it makes SGDT, SIDT, SLDT, SMSW and STR trap outside ring 0",
           "interrupts and exceptions are not delivered through the IDT; INT n, INT3 and INTO are finished by rule IDT",
           "the engine asks its caller for IN, OUT, INS, OUTS without looking at IOPL and the I/O bitmap; rule PORT does"),
)
