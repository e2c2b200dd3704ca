"""The instruction forms of 32-bit x86: bytes, what they say, and the operands that each is tried with."""

from __future__ import annotations

import struct

from .forms import Form, form

CODE, DATA, STACK, KSTACK = 0x400000, 0x610000, 0x620000, 0x630000
PORT = 0x80                         # a port that no device answers
NOP = b"\x90"
SELECTORS = (0x00, 0x08, 0x0B, 0x10, 0x13, 0x1B, 0x23, 0x28, 0x33, 0x38, 0x3B, 0x43, 0x4B, 0x63, 0x6B, 0xFFF8)
DATA_SELECTORS = (0x00, 0x10, 0x13, 0x1B, 0x23, 0x3B, 0x43, 0x63)
STACK_SELECTORS = (0x00, 0x10, 0x38, 0x23, 0x73)
CODE_SELECTORS = (0x08, 0x0B, 0x1B, 0x43, 0x4B, 0x23)
FLAGS = (0x0202, 0x0002, 0x3202, 0x4202, 0x0AD7)      # IF; nothing; IF IOPL=3; IF NT; IF and every arithmetic flag
UMIP = "on silicon CR4.UMIP=1 makes it trap outside ring 0 (SDM volume 3, 2.5); this engine ignores UMIP"
HANDED = "the engine hands this to its caller"
REG = tuple({"eax": value} for value in SELECTORS)


def words(*values: int) -> bytes:
    """Little-endian 32-bit words."""
    return b"".join(struct.pack("<I", v & 0xFFFF_FFFF) for v in values)


def stacks(*frames: tuple[int, ...]) -> tuple[dict[str, bytes], ...]:
    """Operands that lie on the stack."""
    return tuple({"stack": words(*frame)} for frame in frames)


def far(selectors: tuple[int, ...]) -> tuple[dict[str, bytes], ...]:
    """Far pointers to CODE in memory at [ebx]."""
    return tuple({"data": words(CODE) + struct.pack("<H", s)} for s in selectors)


NEXT = CODE                         # the NOP: code that is there already
IRETS = stacks(*[(NEXT, cs, flags, STACK, ss) for cs, ss in ((0x08, 0x10), (0x1B, 0x23)) for flags in FLAGS])
OFFENDERS = (                       # in the order of Robin and Irvine, USENIX Security 2000
    form("SGDT", "0f0103", "sgdt [ebx]", limit=UMIP),
    form("SIDT", "0f010b", "sidt [ebx]", limit=UMIP),
    form("SLDT", "0f00c0", "sldt eax", limit=UMIP),
    form("SMSW", "0f01e0", "smsw eax", limit=UMIP),
    form("PUSHF", "9c", "pushfd"),
    form("POPF", "9d", "popfd", *stacks(*[(flags,) for flags in FLAGS])),
    form("LAR", "0f02c8", "lar ecx, eax", *REG),
    form("LSL", "0f03c8", "lsl ecx, eax", *REG),
    form("VERR", "0f00e0", "verr ax", *REG),
    form("VERW", "0f00e8", "verw ax", *REG),
    form("POP DS", "1f", "pop ds", *stacks(*[(s,) for s in DATA_SELECTORS])),
    form("POP SS", "17", "pop ss", *stacks(*[(s,) for s in STACK_SELECTORS])),
    form("PUSH CS", "0e", "push cs"),
    form("PUSH SS", "16", "push ss"),
    form("PUSH DS", "1e", "push ds"),
    form("CALL far", "ff1b", "call ptr [ebx]", *far(CODE_SELECTORS)),
    form("JMP far", "ff2b", "jmp ptr [ebx]", *far(CODE_SELECTORS)),
    form("INT 0x80", "cd80", "int 0x80", rule="IDT", limit=HANDED + " before delivery"),
    form("INT 0x81", "cd81", "int 0x81", rule="IDT", limit=HANDED + " before delivery"),
    form("INT 0x21", "cd21", "int 0x21", rule="IDT", limit=HANDED + " before delivery"),
    form("RET far", "cb", "retf", *stacks(*[(NEXT, cs, STACK, ss) for cs, ss in ((0x08, 0x10), (0x1B, 0x23), (0x43, 0x23))])),
    form("IRET", "cf", "iretd", *IRETS),
    form("STR", "0f00c8", "str eax", limit=UMIP),
    form("MOV r,CS", "8cc8", "mov eax, cs"),
    form("MOV r,SS", "8cd0", "mov eax, ss"),
    form("MOV r,DS", "8cd8", "mov eax, ds"),
    form("MOV DS,r", "8ed8", "mov ds, eax", *[{"eax": s} for s in DATA_SELECTORS]),
    form("MOV SS,r", "8ed0", "mov ss, eax", *[{"eax": s} for s in STACK_SELECTORS]),
)
SEGMENT_LOADS = (                   # not in that list, though they load segment registers just as well
    form("LDS", "c50b", "lds ecx, ptr [ebx]", *far(DATA_SELECTORS)),
    form("LES", "c40b", "les ecx, ptr [ebx]", *far(DATA_SELECTORS)),
    form("LFS", "0fb40b", "lfs ecx, ptr [ebx]", *far(DATA_SELECTORS)),
    form("LGS", "0fb50b", "lgs ecx, ptr [ebx]", *far(DATA_SELECTORS)),
    form("LSS", "0fb20b", "lss ecx, ptr [ebx]", *far(STACK_SELECTORS)),
    form("ARPL", "63c8", "arpl ax, cx", {"eax": 0x20}, {"eax": 0x23, "ecx": 0x13}, {"eax": 0x23, "ecx": 0x23}),
)
GDTS = ({"data": struct.pack("<HI", 0x77, 0xC10000)}, {"data": struct.pack("<HI", 0x77, 0xC20000)})
SYSTEM = (
    form("LGDT", "0f0113", "lgdt [ebx]", *GDTS),
    form("LIDT", "0f011b", "lidt [ebx]", *GDTS),
    form("LLDT", "0f00d0", "lldt ax", {"eax": 0x30}, {"eax": 0x58}, {"eax": 0}),
    form("LTR", "0f00d8", "ltr ax", {"eax": 0x28}, {"eax": 0x50}),
    form("LMSW", "0f01f0", "lmsw ax", {"eax": 0x33}, {"eax": 0x3B}),
    form("CLTS", "0f06", "clts"),
    form("MOV r,CR0", "0f20c0", "mov eax, cr0"),
    form("MOV CR0,r", "0f22c0", "mov cr0, eax", {"eax": 0x80010033}, {"eax": 0x8001003B}),
    form("MOV r,CR2", "0f20d0", "mov eax, cr2"),
    form("MOV r,CR3", "0f20d8", "mov eax, cr3"),
    form("MOV CR3,r", "0f22d8", "mov cr3, eax", {"eax": 0xC90000}, {"eax": 0xCA0000}),
    form("MOV r,CR4", "0f20e0", "mov eax, cr4"),
    form("MOV CR4,r", "0f22e0", "mov cr4, eax", {"eax": 0x610}, {"eax": 0x614}),
    form("MOV r,DR7", "0f21f8", "mov eax, dr7"),
    form("MOV DR7,r", "0f23f8", "mov dr7, eax", {"eax": 0x400}, {"eax": 0x2000400}),
    form("INVD", "0f08", "invd"),
    form("WBINVD", "0f09", "wbinvd"),
    form("INVLPG", "0f013b", "invlpg [ebx]"),
    form("RDMSR", "0f32", "rdmsr", {"ecx": 0x174}, {"ecx": 0x10}),
    form("WRMSR", "0f30", "wrmsr", {"ecx": 0x174, "eax": 8, "edx": 0}, {"ecx": 0x174, "eax": 0x48, "edx": 0}),
    form("HLT", "f4", "hlt", stops=True),
    form("RDPMC", "0f33", "rdpmc", {"ecx": 0}, limit="the engine does not implement performance counters: RDPMC is undefined in it"),
    form("RDTSC", "0f31", "rdtsc"),
    form("CLI", "fa", "cli"),
    form("STI", "fb", "sti"),
    form("IN", "e480", "in al, 0x80", rule="PORT", limit=HANDED),
    form("IN dx", "ec", "in al, dx", {"edx": PORT}, {"edx": 0x40}, rule="PORT", limit=HANDED),
    form("OUT", "e680", "out 0x80, al", rule="PORT", limit=HANDED),
    form("OUT dx", "ee", "out dx, al", {"edx": PORT}, {"edx": 0x40}, rule="PORT", limit=HANDED),
    form("INSB", "6c", "insb es:[edi], dx", rule="PORT", limit=HANDED),
    form("OUTSB", "6e", "outsb dx, [esi]", rule="PORT", limit=HANDED),
    form("SYSENTER", "0f34", "sysenter", rule="CALL", limit=HANDED),
    form("SYSEXIT", "0f35", "sysexit", {"ecx": STACK, "edx": NEXT}),
    form("INT3", "cc", "int3", rule="IDT", limit=HANDED + " before delivery"),
    form("INTO", "ce", "into", {"flags": 0x802}, rule="IDT", limit=HANDED + " before delivery"),
    form("UD2", "0f0b", "ud2"),
)
FPU = (
    form("FNINIT", "dbe3", "fninit"),
    form("FLD1", "d9e8", "fld1"),
    form("FXSAVE", "0fae4320", "fxsave [ebx + 0x20]", limit="saves x87 and SSE state only; CR0.TS makes it trap (#NM) in every ring"),
    form("EMMS", "0f77", "emms"),
)
ORDINARY = (
    form("NOP", "90", "nop"),
    form("ADD", "01c8", "add eax, ecx", {}, {"eax": 0xFFFF_FFFF, "ecx": 1}),
    form("MOV r,imm", "b878563412", "mov eax, 0x12345678"),
    form("MOV r,[m]", "8b03", "mov eax, [ebx]"),
    form("MOV [m],r", "8903", "mov [ebx], eax"),
    form("PUSH r", "50", "push eax"),
    form("POP r", "58", "pop eax"),
    form("CALL near", "e810000000", "call 0x15"),
    form("RET near", "c3", "ret", *stacks((NEXT,))),
    form("JMP near", "eb10", "jmp 0x12"),
    form("LEA", "8d4304", "lea eax, [ebx + 4]"),
    form("CPUID", "0fa2", "cpuid", {"eax": 0}, {"eax": 1},
         limit="answers for the processor, not for the privileged state: innocuous by definition, yet trap-and-emulate cannot mask it"),
    form("XLAT", "d7", "xlatb", {"eax": 3}),
    form("SAHF", "9e", "sahf"),
    form("LAHF", "9f", "lahf"),
    form("CLD", "fc", "cld"),
    form("STD", "fd", "std"),
    form("CMC", "f5", "cmc"),
    form("BSWAP", "0fc8", "bswap eax"),
    form("ENTER", "c8080000", "enter 8, 0"),
    form("LEAVE", "c9", "leave"),
    form("MOVSB", "a4", "movsb es:[edi], [esi]"),
    form("CMPXCHG", "0fb10b", "cmpxchg [ebx], ecx"),
)
FORMS: tuple[Form, ...] = OFFENDERS + SEGMENT_LOADS + SYSTEM + FPU + ORDINARY
