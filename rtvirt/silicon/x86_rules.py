"""What the engine leaves to its caller on x86, supplied by rules of the manual.

IDT     INT n, INT3, INTO: the engine hands over the vector before delivery. The rule reads the gate that IDTR points to, raises #GP when
        the gate's DPL is below CPL, else delivers: inner stack from the TSS when the ring changes, flags, CS and IP pushed, IF cleared by an
        interrupt gate (SDM volume 2, INT n; volume 3, 6.12).
PORT    IN, OUT, INS, OUTS: allowed when CPL <= IOPL or the port's bits in the TSS's bitmap are clear, else #GP (SDM volume 1, 19.5).
CALL    SYSENTER and SYSCALL: the engine hands them to its caller; counted as traps, which is what they are for.
"""

from __future__ import annotations

import struct
from typing import Any

GP = 13


def hooks(machine: Any) -> None:
    """Serve ports and fast system calls by noting them."""
    from unicorn import unicorn_const, x86_const

    def read(_uc: Any, port: int, size: int, _data: Any) -> int:
        machine.served = ("in", port, size, 0)
        return 0x5A

    def write(_uc: Any, port: int, size: int, value: int, _data: Any) -> None:
        machine.served = ("out", port, size, value)

    def call(uc: Any, _data: Any) -> None:
        machine.served = ("call",)
        uc.emu_stop()

    for callback, number in ((read, x86_const.UC_X86_INS_IN), (write, x86_const.UC_X86_INS_OUT), (call, x86_const.UC_X86_INS_SYSENTER),
                             (call, x86_const.UC_X86_INS_SYSCALL)):
        machine.uc.hook_add(unicorn_const.UC_HOOK_INSN, callback, None, 1, 0, number)


def port(machine: Any, outcome: Any, _address: int) -> Any:
    """Rule PORT."""
    if not machine.served or machine.served[0] not in ("in", "out"):
        return outcome
    _, number, size, value = machine.served
    private = outcome.start
    if private["CPL"] > private["IOPL"] >> 12:
        _, base, _limit, _ = machine.uc.reg_read(machine.id("tr"))
        at = struct.unpack("<H", machine.uc.mem_read(base + 102, 2))[0]
        bits = int.from_bytes(machine.uc.mem_read(base + at + number // 8, 2), "little") >> number % 8
        if bits & (1 << size) - 1:
            return outcome.trapped(GP)
    return outcome


def call(machine: Any, outcome: Any, _address: int) -> Any:
    """Rule CALL."""
    return outcome.trapped(-3) if machine.served == ("call",) else outcome


def deliver(machine: Any, outcome: Any, address: int) -> Any:
    """Rule IDT, for 32-bit gates."""
    if outcome.trap is None or outcome.trap == GP:
        return outcome
    base = outcome.start["IDTR.base"]
    low, selector, _, access, high = struct.unpack("<HHBBH", machine.uc.mem_read(base + 8 * outcome.trap, 8))
    return finish(machine, outcome, address, (access, selector, low | high << 16), "<I", False)


def deliver64(machine: Any, outcome: Any, address: int) -> Any:
    """Rule IDT, for the 16-byte gates of long mode."""
    if outcome.trap is None or outcome.trap == GP:
        return outcome
    base = outcome.start["IDTR.base"]
    low, selector, _, access, middle, high, _ = struct.unpack("<HHBBHII", machine.uc.mem_read(base + 16 * outcome.trap, 16))
    return finish(machine, outcome, address, (access, selector, low | middle << 16 | high << 32), "<Q", True)


def finish(machine: Any, outcome: Any, after: int, gate: tuple[int, int, int], word: str, long: bool) -> Any:
    """Check the gate, switch stacks, push, jump: as values of the outcome, since the engine would not load them."""
    access, selector, target = gate
    start = outcome.start
    if access >> 5 & 3 < start["CPL"]:
        return outcome.trapped(GP)
    flags = machine.get("eflags") & 0x7ED5 | 2
    sp, inner, stack_pointer = machine.before["rsp" if long else "esp"], start["CPL"] > 0, "rsp" if long else "esp"
    pushed = [start["SS"], sp] if inner or long else []
    pushed += [flags, start["CS"], after]
    private = {"IF": 0 if access & 0xF == 0xE else start["IF"], "NT": 0, "CS": selector & ~3, "CPL": 0}
    top = sp & ~0xF if long else sp
    if inner:
        _, base, _limit, _ = machine.uc.reg_read(machine.id("tr"))
        top, segment = struct.unpack("<QH" if long else "<IH", machine.uc.mem_read(base + 4, 10 if long else 6))
        private["SS"] = 0 if long else segment
    frame = b"".join(struct.pack(word, value) for value in reversed(pushed))
    return outcome.delivered(private, {"pc": target - after, stack_pointer: top - len(frame)}, top - len(frame), frame)


TEXT = {
    "IDT": "delivery through the IDT by rtvirt's rule", "PORT": "I/O permission by rtvirt's rule", "CALL": "handed to the caller: counted as a trap"}
RULES = {"IDT": (TEXT["IDT"], deliver), "PORT": (TEXT["PORT"], port), "CALL": (TEXT["CALL"], call)}
RULES64 = RULES | {"IDT": (TEXT["IDT"], deliver64)}
