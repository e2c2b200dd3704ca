"""64-bit x86 (long mode): what differs from the 32-bit file - wider descriptors and gates, four-level pages, IRETQ, SWAPGS, SYSCALL.

Linear memory is laid out as in `x86.py`; pages are of 2 MB. Reference: Intel SDM volume 3, chapters 3 to 7.
"""

from __future__ import annotations

import struct
from typing import Any

from .forms import USER, Field, Form, Isa, Region, form
from .x86 import (
    BOOT,
    GATES,
    GDT,
    GDT2,
    HANDLER,
    HANDLER2,
    IDT,
    IDT2,
    IF,
    IOPL,
    KERNEL_CODE,
    KERNEL_DATA,
    LDT,
    LDT2,
    NT,
    PAGES,
    PAGES2,
    POINTERS,
    SHIFT,
    SYSTEM,
    TSS,
    TSS2,
    USER_CODE,
    USER_DATA,
    VARIATIONS,
    segment,
)
from .x86 import FLAGS as USER_FLAGS
from .x86 import gate as gate32
from .x86_forms import CODE, DATA, FLAGS, FPU, HANDED, KSTACK, NEXT, NOP, ORDINARY, PORT, STACK, UMIP, far
from .x86_forms import SYSTEM as SYSTEM_32
from .x86_rules import RULES64, hooks

SELECTORS = (0x00, 0x08, 0x0B, 0x10, 0x13, 0x1B, 0x23, 0x28, 0x3B, 0x68, 0x6B, 0x73, 0x7B, 0x8B, 0x93, 0xFFF8)
DATA_SELECTORS = (0x00, 0x10, 0x13, 0x1B, 0x23, 0x6B, 0x73, 0x8B)
STACK_SELECTORS = (0x00, 0x10, 0x68, 0x23, 0x9B)
CODE_SELECTORS = (0x08, 0x0B, 0x1B, 0x73, 0x7B, 0x23)
MOVED_PAGES = SYSTEM + 0xD0000
CR0, CR4 = 0x8001_0033, 0x0000_0620              # as in x86.py, with PAE for PSE


def wide(descriptor: bytes, base: int = 0) -> bytes:
    """A system descriptor of long mode: the upper half of the base in eight more bytes."""
    return descriptor + struct.pack("<II", base >> 32, 0)


def gdt(code_kind: int = 0x1B, spare: bytes = segment(0x13, 0)) -> bytes:
    """The GDT, accessed bits set beforehand."""
    return b"".join([
        bytes(8), segment(0x1B, 0, big=0xA), segment(0x13, 0), segment(code_kind, 3, big=0xA), segment(0x13, 3),        # 00 08 10 18 20
        wide(segment(9, 0, TSS, 0x89, 0)), wide(segment(2, 0, LDT, 0xFF, 0)), wide(segment(9, 0, TSS2, 0x89, 0)),       # 28 38 48
        wide(segment(2, 0, LDT, 0xFF, 0)), spare, segment(0x1F, 0, big=0xA), wide(gate32(0xC, 3, KERNEL_CODE, HANDLER)),   # 58 68 70 78
        segment(0x11, 3), segment(0x1B, 3, 0, 0xFF, 4), segment(0x13, 3)])                                              # 88 90 98


def idt(handler: int) -> bytes:
    """The gates of `x86.idt` in 16 bytes each."""
    levels = [3 if n in (3, 4, 0x80, 0x81) else 0 for n in range(GATES)]
    return b"".join(wide(gate32(0xF if n == 0x81 else 0xE, level, KERNEL_CODE, handler)) for n, level in enumerate(levels))


def tss(bitmap: int = 0xFF) -> bytes:
    """A 64-bit task state segment."""
    head = bytearray(104)
    struct.pack_into("<Q", head, 4, KSTACK)
    struct.pack_into("<H", head, 102, 104)
    return bytes(head) + bytes(bitmap if i == PORT // 8 else 0xFF for i in range(32)) + b"\xff\xff"


def pages(at: int, shift: int) -> bytes:
    """Three levels of tables: eight pages of 2 MB, those of the program higher by `shift`."""
    frames = [(i << 21) + (shift if CODE <= i << 21 < CODE + 0x400000 else 0) for i in range(8)]
    tables = [struct.pack("<Q", at + 0x1000 | 0x27), struct.pack("<Q", at + 0x2000 | 0x27), b"".join(struct.pack("<Q", f | 0xE7) for f in frames)]
    return b"".join(table.ljust(0x1000, b"\0") for table in tables)


REGIONS = (
    Region("data", DATA, bytes(range(1, 129))), Region("stack", STACK - 64, bytes(range(100, 228))), Region("ring 0 stack", KSTACK - 64, bytes(64)),
    Region("GDT", GDT, gdt(), True), Region("IDT", IDT, idt(HANDLER), True), Region("TSS", TSS, tss(), True),
)
TABLES = {GDT2: gdt(), LDT: segment(0x13, 3) * 4, LDT2: segment(0x13, 3) * 4, IDT2: idt(HANDLER), TSS2: tss(),
          PAGES: pages(PAGES, 0), PAGES2: pages(PAGES2, 0), MOVED_PAGES: pages(MOVED_PAGES, SHIFT)}
ALTERED = {"GDT": {"GDT": gdt(0x19, segment(0x19, 3, 0, 0x1234, 4))}, "IDT": {"IDT": idt(HANDLER2)}, "bitmap": {"TSS": tss(0)}}


def enter(machine: Any, mode: str, variation: str) -> None:
    """Load every table register, then IRETQ to the ring."""
    for address, content in TABLES.items():
        machine.uc.mem_write(address, content)
    gdt_at, idt_at = (GDT2 if variation == "GDTR" else GDT), (IDT2 if variation == "IDTR" else IDT)
    machine.uc.mem_write(gdt_at, gdt())
    machine.uc.mem_write(POINTERS, struct.pack("<HQ", len(gdt()) - 1, gdt_at) + bytes(6) + struct.pack("<HQ", 16 * GATES - 1, idt_at))
    cr0 = CR0 | {"TS=1": 8, "EM=1": 4}.get(variation, 0)
    cr4 = CR4 | {"TSD=1": 4, "PCE=1": 0x100, "UMIP=1": 0x800}.get(variation, 0)
    flags = 2 | (0 if variation == "IF=0" else IF) | (IOPL if variation == "IOPL=3" else 0) | (NT if variation == "NT=1" else 0)
    code, data = (USER_CODE, USER_DATA) if mode == USER else (KERNEL_CODE, KERNEL_DATA)
    eax = lambda value: b"\xb8" + struct.pack("<I", value)                                      # noqa: E731 - mov eax, imm32
    push = lambda value: b"\x68" + struct.pack("<I", value)                                     # noqa: E731 - push imm32
    cr3 = {"CR3": PAGES2, "pages": MOVED_PAGES}.get(variation, PAGES)
    boot = [
        eax(cr3), b"\x0f\x22\xd8", eax(cr4), b"\x0f\x22\xe0", eax(cr0), b"\x0f\x22\xc0",                # mov cr3 / cr4 / cr0, rax
        b"\x0f\x01\x14\x25" + struct.pack("<I", POINTERS), b"\x0f\x01\x1c\x25" + struct.pack("<I", POINTERS + 16),     # lgdt, lidt
        eax(KERNEL_DATA), b"\x8e\xd0", b"\xbc" + struct.pack("<I", POINTERS + 0x8000),               # mov ss, ax; mov esp
        eax(0x58 if variation == "LDTR" else 0x38), b"\x0f\x00\xd0",                                 # lldt ax
        eax(0x48 if variation == "TR" else 0x28), b"\x0f\x00\xd8",                                   # ltr ax
        eax(0x0200_0400 if variation == "DR7" else 0x400), b"\x0f\x23\xf8",                          # mov dr7, rax
        b"\xb9\x74\x01\x00\x00", eax(0x48 if variation == "MSR" else KERNEL_CODE), b"\x31\xd2", b"\x0f\x30",      # SYSENTER_CS
        b"\xb9\x80\x00\x00\xc0", b"\x0f\x32", b"\x83\xc8\x01", b"\x0f\x30",                          # EFER.SCE: rdmsr; or eax, 1; wrmsr
        b"\xb9\x02\x01\x00\xc0", eax(0x7000 if variation == "KERNEL_GS_BASE" else 0x6000), b"\x31\xd2", b"\x0f\x30",
        eax(USER_DATA), b"\x8e\xd8", b"\x8e\xc0", b"\x8e\xe0", b"\x8e\xe8",                          # mov ds, es, fs, gs
        push(data), push(STACK), push(flags), push(code), push(CODE), b"\x48\xcf",                     # iretq
    ]
    machine.run(b"".join(boot), len(boot))


def quads(*values: int) -> bytes:
    """Little-endian 64-bit words."""
    return b"".join(struct.pack("<Q", v) for v in values)


def stacks(*frames: tuple[int, ...]) -> tuple[dict[str, bytes], ...]:
    """Operands that lie on the stack."""
    return tuple({"stack": quads(*frame)} for frame in frames)


IRETS = stacks(*[(NEXT, cs, flags, STACK, ss) for cs, ss in ((0x08, 0x10), (0x1B, 0x23)) for flags in FLAGS])
REG = tuple({"rax": value} for value in SELECTORS)
OFFENDERS = (
    form("SGDT", "0f0103", "sgdt [rbx]", limit=UMIP),
    form("SIDT", "0f010b", "sidt [rbx]", limit=UMIP),
    form("SLDT", "0f00c0", "sldt eax", limit=UMIP),
    form("SMSW", "0f01e0", "smsw eax", limit=UMIP),
    form("STR", "0f00c8", "str eax", limit=UMIP),
    form("PUSHF", "9c", "pushfq"),
    form("POPF", "9d", "popfq", *stacks(*[(flags,) for flags in FLAGS])),
    form("LAR", "0f02c8", "lar ecx, eax", *REG),
    form("LSL", "0f03c8", "lsl ecx, eax", *REG),
    form("VERR", "0f00e0", "verr ax", *REG),
    form("VERW", "0f00e8", "verw ax", *REG),
    form("POP FS", "0fa1", "pop fs", *stacks(*[(s,) for s in DATA_SELECTORS])),
    form("PUSH FS", "0fa0", "push fs"),
    form("CALL far", "ff1b", "call ptr [rbx]", *far(CODE_SELECTORS)),
    form("JMP far", "ff2b", "jmp ptr [rbx]", *far(CODE_SELECTORS)),
    form("INT 0x80", "cd80", "int 0x80", rule="IDT", limit=HANDED + " before delivery"),
    form("INT 0x81", "cd81", "int 0x81", rule="IDT", limit=HANDED + " before delivery"),
    form("INT 0x21", "cd21", "int 0x21", rule="IDT", limit=HANDED + " before delivery"),
    form("RET far", "48cb", "retfq", *stacks(*[(NEXT, cs, STACK, ss) for cs, ss in ((0x08, 0x10), (0x1B, 0x23), (0x73, 0x23))])),
    form("IRET", "48cf", "iretq", *IRETS),
    form("MOV r,CS", "8cc8", "mov eax, cs"),
    form("MOV r,SS", "8cd0", "mov eax, ss"),
    form("MOV r,DS", "8cd8", "mov eax, ds"),
    form("MOV DS,r", "8ed8", "mov ds, eax", *[{"rax": s} for s in DATA_SELECTORS]),
    form("MOV SS,r", "8ed0", "mov ss, eax", *[{"rax": s} for s in STACK_SELECTORS]),
    form("LFS", "0fb40b", "lfs ecx, ptr [rbx]", *far(DATA_SELECTORS)),
    form("LGS", "0fb50b", "lgs ecx, ptr [rbx]", *far(DATA_SELECTORS)),
    form("LSS", "0fb20b", "lss ecx, ptr [rbx]", *far(STACK_SELECTORS)),
)
POINTER_OPERANDS = tuple({"data": struct.pack("<HQ", len(gdt()) - 1, at)} for at in (GDT, GDT2))
SPECIAL = {                         # forms of the 32-bit file that read otherwise here: text, operands
    "LGDT": ("lgdt [rbx]", POINTER_OPERANDS), "LIDT": ("lidt [rbx]", POINTER_OPERANDS), "LLDT": ("", ({"eax": 0x38}, {"eax": 0x58}, {"eax": 0})),
    "LTR": ("", ({"eax": 0x28}, {"eax": 0x48})), "INVLPG": ("invlpg [rbx]", ()), "INSB": ("insb [rdi], dx", ()), "OUTSB": ("outsb dx, [rsi]", ()),
    "MOV CR4,r": ("mov cr4, rax", ({"eax": 0x620}, {"eax": 0x624})), "FXSAVE": ("fxsave [rbx + 0x20]", ()), "MOV r,[m]": ("mov eax, [rbx]", ()),
    "MOV [m],r": ("mov [rbx], eax", ()), "PUSH r": ("push rax", ()), "POP r": ("pop rax", ()), "LEA": ("lea eax, [rbx + 4]", ()),
    "MOVSB": ("movsb [rdi], [rsi]", ()), "CMPXCHG": ("cmpxchg [rbx], ecx", ()), "RET near": ("ret", stacks((NEXT,))),
}
LEFT_OUT = ("INTO", "SYSEXIT")      # INTO is undefined in long mode; SYSEXIT returns to 32-bit code here


def long_form(old: Form) -> Form:
    """A form of the 32-bit file in long mode: same bytes, registers twice as wide."""
    text, operands = SPECIAL.get(old.name, ("", ()))
    wider = text or (old.text.replace("eax", "rax") if old.name.startswith("MOV") and ("CR" in old.name or "DR" in old.name) else old.text)
    renamed = tuple({("r" + name[1:] if name in ("eax", "ebx", "ecx", "edx") else name): value for name, value in o.items()}
                    for o in operands or old.operands)
    return Form(old.name, wider, old.code, renamed, old.rule, old.limit, old.stops)


OWN = (
    form("SWAPGS", "0f01f8", "swapgs"),
    form("SYSCALL", "0f05", "syscall", rule="CALL", limit=HANDED),
    form("SYSRET", "480f07", "sysretq", {"rcx": NEXT, "r11": 0x202}),
    form("RDTSCP", "0f01f9", "rdtscp"),
    form("MOV r,CR8", "440f20c0", "mov rax, cr8"),
    form("MOV CR8,r", "440f22c0", "mov cr8, rax", {"rax": 1}),
    form("MOVSXD", "4863c1", "movsxd rax, ecx"),
)
FORMS = OFFENDERS + tuple(long_form(f) for f in SYSTEM_32 + FPU + ORDINARY if f.name not in LEFT_OUT) + OWN
GENERAL = ("rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "r8", "r11", "r15")
ALL_VARIATIONS = VARIATIONS | {"KERNEL_GS_BASE": "another value in the model-specific register that SWAPGS exchanges"}

ISA = Isa(
    name="x86-64", title="x86 in long mode, paging on, rings 0 and 3", arch="UC_ARCH_X86", mode="UC_MODE_64", model="",
    display=("CS_ARCH_X86", "CS_MODE_64"), pc="rip", forms=FORMS, variations=ALL_VARIATIONS,
    user={r: Field(r) for r in GENERAL} | {"flags": Field("eflags", USER_FLAGS)},
    privileged={
        "CPL": Field("cs", 3), "IF": Field("eflags", IF), "IOPL": Field("eflags", IOPL), "NT": Field("eflags", NT),
        **{s.upper(): Field(s, 0xFFFF) for s in ("cs", "ds", "es", "ss", "fs", "gs")}, "FS.base": Field("fs_base"), "GS.base": Field("gs_base"),
        "CR0": Field("cr0"), "CR3": Field("cr3"), "CR4": Field("cr4"), "CR8": Field("cr8"), "DR7": Field("dr7"),
        "GDTR.base": Field("gdtr", part=1), "GDTR.limit": Field("gdtr", 0xFFFF, 2), "IDTR.base": Field("idtr", part=1),
        "IDTR.limit": Field("idtr", 0xFFFF, 2), "LDTR": Field("ldtr", 0xFFFF), "TR": Field("tr", 0xFFFF)},
    others={"rax": 0x8000_0000_0000_0001, "rcx": 0x1F, "r8": 9},
    presets={"rax": 0x1234_5678, "rbx": DATA, "rcx": 0x10, "rdx": PORT, "rsi": DATA, "rdi": DATA + 0x20, "rbp": STACK + 0x10, "rsp": STACK,
             "r8": 8, "r11": 11, "r15": 15},
    enter=enter, regions=REGIONS, nop=NOP, code=CODE, boot=BOOT, mapped=((0, 0x1000000),),
    watched={"MSR": "SYSENTER_CS", "KERNEL_GS_BASE": "KERNEL_GS_BASE"},
    pins={"IOPL=0": ("IOPL=3",), "IOPL=0 and every I/O bitmap bit set": ("IOPL=3", "bitmap"),
          "CR4.TSD=1": tuple(v for v in ALL_VARIATIONS if v != "TSD=1"),
          "CR4.PCE=0": ("PCE=1",)},
    memory_traps=(14,), rules=RULES64, hooks=hooks, moved={"pages": SHIFT}, remapped=("pages",), altered=ALTERED, word=8,
    traps={0: "#DE", 1: "#DB", 3: "#BP", 4: "#OF", 5: "#BR", 6: "#UD", 7: "#NM", 8: "#DF", 10: "#TS", 11: "#NP", 12: "#SS", 13: "#GP", 14: "#PF",
           -1: "#UD"},
    flags=("UMIP: CR4.UMIP=1 has no effect in this engine, on silicon it makes SGDT, SIDT, SLDT, SMSW and STR trap outside ring 0",
           "interrupts and exceptions are not delivered through the IDT; INT n and INT3 are finished by rule IDT",
           "SYSCALL and SYSENTER are handed to the caller; the entry itself is not executed"),
)
