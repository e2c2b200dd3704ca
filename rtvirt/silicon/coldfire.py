"""ColdFire V4e: the 68000's descendant, in which MOVE from SR is privileged and much else is gone.

The state and the way into a mode are the 68000's (`m68k.py`); RTE pops a format word first.
Reference: ColdFire Family Programmer's Reference Manual, chapter 8 (supervisor instructions).
"""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import Any

from . import m68k
from .forms import form
from .m68k import CCR, CODE, IPL, RTE, STACK, STATUSES, S, T

HALTED = 257                       # what the engine hands to its caller at HALT


def frame(status: int) -> bytes:
    """What RTE pops on a ColdFire: format 4 (stack aligned) and vector, status register, address."""
    return struct.pack(">HHI", 0x4000, status, CODE)


def return_from_exception(machine: Any, outcome: Any, after: int) -> Any:
    """Rule RTE, with ColdFire's frame."""
    if outcome.trap != RTE:
        return outcome
    _, status, target = struct.unpack(">HHI", machine.uc.mem_read(machine.before["a7"], 8))
    user = {"ccr": status & CCR, "pc": target - after} | ({"a7": machine.before["a7"] + 8} if status & S else {})
    return outcome.delivered({"T": status & T, "S": status & S, "IPL": status & IPL}, user, 0, b"")


def halt(machine: Any, outcome: Any, _after: int) -> Any:
    """Rule HALT: after the privilege check the engine hands over; the core stands still, which is completing."""
    return outcome.delivered({}, {"pc": 0}, 0, b"") if outcome.trap == HALTED else outcome


COMMON = ("NOP", "ADD", "MULU", "TST", "SWAP", "MOVE (A1),D0", "MOVE D0,(A1)", "CLR", "LEA", "PEA", "LINK", "UNLK", "BRA", "BSR", "JMP", "RTS",
          "TRAP", "ILLEGAL", "MOVE to CCR", "RESET")
RETURNS = tuple({"stack": frame(status)} for status in (S, S | IPL, 0, S | CCR))
FORMS = (
    form("MOVE from SR", "40c0", "move.w sr, d0"),
    form("MOVE to SR", "46c0", "move.w d0, sr", *STATUSES),
    form("MOVE #,SR", "46fc2700", "move.w #$2700, sr"),
    form("MOVE from CCR", "42c0", "move.w ccr, d0"),
    form("MOVE USP,A0", "4e68", "move usp, a0"),
    form("MOVE A0,USP", "4e60", "move a0, usp", {"a0": STACK + 0x10}),
    form("MOVEC to VBR", "4e7b0801", "movec d0, vbr", {"d0": 0x100000}),
    form("MOVEC to CACR", "4e7b0002", "movec d0, cacr", {"d0": 0}),
    form("STOP", "4e722700", "stop #$2700", stops=True),
    form("HALT", "4ac8", "", stops=True, rule="HALT", limit="handed to the caller after the privilege check; capstone does not know it"),
    form("RTE", "4e73", "rte", *RETURNS, rule="RTE", limit="the engine hands RTE to its caller after the privilege check"),
    form("CPUSHL", "f468", "cpushl #$1, a0", {"a0": 0}, limit="capstone has no ColdFire mode"),
    form("ORI to SR", "007c0700", "ori.w #$700, sr", limit="not a ColdFire instruction"),
    *(f for f in m68k.FORMS if f.name in COMMON),
)
ISA = replace(
    m68k.ISA, name="coldfire", title="ColdFire V4e, supervisor and user state", model="UC_CPU_M68K_CFV4E", forms=FORMS,
    variations={name: text for name, text in m68k.VARIATIONS.items() if name != "USP"}, watched={},      # CACR.EUSP=0: one stack pointer for both
    rules={"RTE": ("pops the frame by rtvirt's rule", return_from_exception), "HALT": ("standing still by rtvirt's rule", halt)},
    display=("CS_ARCH_M68K", "CS_MODE_M68K_040|CS_MODE_BIG_ENDIAN"),
    flags=(*m68k.ISA.flags, "capstone has no ColdFire mode: forms are shown as a 68040 would read them"))
