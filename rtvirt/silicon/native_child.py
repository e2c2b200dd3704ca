"""Execute one instruction of the fixed list on this very processor: a child process of its own for each, standard library only.

    python native_child.py SGDT          # prints 64 bytes in hexadecimal, or dies by the signal that the trap became

The code is a function: it gets the address of 64 zero bytes (rdi, x0), stores there what the instruction revealed, and returns.
"""

import ctypes
import mmap
import platform
import sys

SIZE = 64
X86 = {                                            # System V: first argument in rdi; rbx must be kept
    "NOP": "90",
    "SGDT": "0f0107",                              # sgdt [rdi]
    "SIDT": "0f010f",                              # sidt [rdi]
    "SLDT": "0f00c0 488907",                       # sldt eax; mov [rdi], rax
    "STR": "0f00c8 488907",                        # str eax
    "SMSW": "0f01e0 488907",                       # smsw eax
    "PUSHF": "9c 58 488907",                       # pushfq; pop rax; mov [rdi], rax
    "POPF clears IF": "9c 58 488907 4889c1 4881e1fffdffff 51 9d 9c 59 48894f08 50 9d",
    # pushfq; pop rax; mov [rdi], rax; mov rcx, rax; and rcx, ~0x200; push rcx; popfq; pushfq; pop rcx; mov [rdi+8], rcx; push rax; popfq
    "MOV r,CS": "31c0 8cc8 488907",                # xor eax, eax; mov eax, cs
    "LAR CS": "31c0 8cc9 0f02c1 488907",           # mov ecx, cs; lar eax, ecx
    "LSL CS": "31c0 8cc9 0f03c1 488907",           # lsl eax, ecx
    "VERR CS": "31c0 8cc9 0f00e1 0f94c0 488907",   # verr cx; sete al
    "CPUID 0": "53 31c0 31c9 0fa2 8907 895f04 894f08 89570c 5b",
    "CPUID 1": "53 b801000000 31c9 0fa2 8907 895f04 894f08 89570c 5b",
    "CPUID 7": "53 b807000000 31c9 0fa2 8907 895f04 894f08 89570c 5b",
    "CPUID 0x40000000": "53 b800000040 31c9 0fa2 8907 895f04 894f08 89570c 5b",
    "RDTSC": "0f31 8907 895704",                   # rdtsc; mov [rdi], eax; mov [rdi+4], edx
    "RDPMC": "31c9 0f33 8907 895704",              # counter 0
    "CLI": "fa",
    "HLT": "f4",
    "IN 0x80": "e480",
    "MOV r,CR0": "0f20c0 488907",
    "MOV r,DR7": "0f21f8 488907",
    "RDMSR": "b910000000 0f32",                    # the time stamp counter as a model-specific register
    "INVD": "0f08",
    "LGDT": "0f0117",                              # of 64 zero bytes: traps before it is looked at
    "UD2": "0f0b",
}
A64 = {                                            # first argument in x0
    "NOP": "1f2003d5",
    "MRS MIDR_EL1": "010038d5 010000f9",           # mrs x1, midr_el1; str x1, [x0]
    "MRS ID_AA64PFR0": "010438d5 010000f9",
    "MRS ID_AA64ISAR0": "010638d5 010000f9",
    "MRS ID_AA64MMFR0": "010738d5 010000f9",
    "MRS CTR_EL0": "21003bd5 010000f9",
    "MRS DCZID_EL0": "e1003bd5 010000f9",
    "MRS CNTVCT_EL0": "41e03bd5 010000f9",
    "MRS CNTFRQ_EL0": "01e03bd5 010000f9",
    "MRS TPIDRRO_EL0": "61d03bd5 010000f9",
    "MRS NZCV": "01423bd5 010000f9",
    "MRS DAIF": "21423bd5 010000f9",
    "MSR DAIFSet": "df4203d5",
    "MRS CurrentEL": "414238d5 010000f9",
    "MRS SCTLR_EL1": "011038d5 010000f9",
    "MRS PMCCNTR_EL0": "019d3bd5 010000f9",
    "WFE": "bf2003d5 5f2003d5",                    # sevl, so that wfe does not wait; wfe
    "HVC": "020000d4",
    "UDF": "00000000",
}


def listing():
    """The instructions for this processor, or {} and why not."""
    if sys.platform not in ("linux", "darwin"):
        return {}, f"only Linux and macOS turn a trap into a signal that a process can die of; this is {sys.platform}"
    machine = platform.machine().lower()
    if sys.maxsize < 2**32:
        return {}, "this Python is a 32-bit program"
    if machine in ("x86_64", "amd64"):
        return {name: code + "c3" for name, code in X86.items()}, ""                  # ret
    if machine in ("aarch64", "arm64"):
        return {name: code + "c0035fd6" for name, code in A64.items()}, ""            # ret
    return {}, f"there is no list of instructions for {machine}"


def limit():
    """Little time, no core file."""
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (2, 2))


def execute(code):
    """Run code from a page that was writable first and is executable then, never both; 64 bytes of what it stored."""
    page = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE)
    page.write(code)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    if libc.mprotect(address, mmap.PAGESIZE, 1 | 4):                                   # PROT_READ | PROT_EXEC
        raise OSError(ctypes.get_errno(), "this system does not let a process make memory executable")
    if sys.platform == "darwin":
        libc.sys_icache_invalidate(ctypes.c_void_p(address), ctypes.c_size_t(len(code)))
    result = ctypes.create_string_buffer(SIZE)
    ctypes.CFUNCTYPE(None, ctypes.c_void_p)(address)(ctypes.addressof(result))
    return result.raw


def main(name):
    """Execute one instruction of the list."""
    codes, why = listing()
    if name not in codes:
        raise SystemExit(why or f"not in the list: {name}")
    limit()
    sys.stdout.write(execute(bytes.fromhex(codes[name])).hex())


if __name__ == "__main__":
    main(sys.argv[1])
