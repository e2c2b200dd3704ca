"""The MC68000, supervisor and user state: the state, its variations, how the modes are entered, the forms.

Reference: M68000 Family Programmer's Reference Manual; MC68000 User's Manual, section 6 (exception processing).
The status register: T (trace), S (supervisor), three bits of interrupt priority, and the condition codes, which are the program's own.
"""

from __future__ import annotations

import struct
from typing import Any

from .forms import BASE, SUPERVISOR, Field, Isa, Region, form

CODE, DATA, STACK, KSTACK, BOOT = 0x400000, 0x510000, 0x520000, 0x530000, 0xC00000
T, S, IPL, CCR = 0x8000, 0x2000, 0x700, 0x1F
RTE = 256                          # what the engine hands to its caller at RTE
MISSING = "undefined in this engine's 68000; the real one has it"
HANG = "on the 68000 this is an illegal instruction"

VARIATIONS = {
    BASE: "no trace, interrupts of every priority accepted",
    "IPL=3": "interrupts up to priority 3 masked",
    "IPL=7": "interrupts up to priority 7 masked",
    "T=1": "trace on",
    "USP": "another user stack pointer (seen from supervisor state)",
}
STATUS = {"IPL=3": 0x300, "IPL=7": 0x700, "T=1": T}
REGIONS = (Region("data", DATA, bytes(range(1, 65))), Region("stack", STACK - 64, bytes(range(100, 228))))


def enter(machine: Any, mode: str, variation: str) -> None:
    """As after a reset, SR=$2700; then MOVE to USP, and MOVE to SR, which may leave supervisor state."""
    machine.set("sr", S | IPL)
    machine.set("a0", STACK + 0x20 if variation == "USP" and mode == SUPERVISOR else STACK)
    machine.run(bytes.fromhex("4e60"), 1)                         # move a0, usp
    machine.set("d0", STATUS.get(variation, 0) | (S if mode == SUPERVISOR else 0))
    machine.run(bytes.fromhex("46c0"), 1)                         # move d0, sr


def frame(status: int) -> bytes:
    """What RTE pops on a 68000: status register, address."""
    return struct.pack(">HI", status, CODE)


def return_from_exception(machine: Any, outcome: Any, after: int) -> Any:
    """Rule RTE: the engine checks the privilege and hands over the rest: pop SR and PC (M68000 PRM, RTE)."""
    if outcome.trap != RTE:
        return outcome
    status, target = struct.unpack(">HI", machine.uc.mem_read(machine.before["a7"], 6))
    user = {"ccr": status & CCR, "pc": target - after}
    user |= {"a7": machine.before["a7"] + 6} if status & S else {}
    return outcome.delivered({"T": status & T, "S": status & S, "IPL": status & IPL}, user, 0, b"")


RETURNS = tuple({"stack": frame(status)} for status in (S, S | IPL, 0, S | CCR))
STATUSES = tuple({"d0": value} for value in (S, S | IPL, 0, S | T, S | CCR))
RULES = {"RTE": ("pops the frame by rtvirt's rule", return_from_exception)}
FORMS = (
    form("MOVE from SR", "40c0", "move.w sr, d0"),
    form("MOVE to SR", "46c0", "move.w d0, sr", *STATUSES),
    form("ANDI to SR", "027cf8ff", "andi.w #$f8ff, sr"),
    form("ORI to SR", "007c0700", "ori.w #$700, sr"),
    form("EORI to SR", "0a7c0100", "eori.w #$100, sr"),
    form("MOVE USP,A0", "4e68", "move usp, a0"),
    form("MOVE A0,USP", "4e60", "move a0, usp", {"a0": STACK + 0x10}),
    form("STOP", "4e722700", "stop #$2700", stops=True),
    form("RESET", "4e70", "reset"),
    form("RTE", "4e73", "rte", *RETURNS, rule="RTE", limit="the engine hands RTE to its caller after the privilege check"),
    form("RTR", "4e77", "rtr", {"stack": frame(CCR)}, limit=MISSING),
    form("MOVE to CCR", "44c0", "move.w d0, ccr", {"d0": CCR}),
    form("ANDI to CCR", "023c0011", "andi.b #$11, ccr"),
    form("TRAP", "4e40", "trap #$0"),
    form("TRAPV", "4e76", "trapv", {}, {"ccr": 2}, limit=MISSING),
    form("ILLEGAL", "4afc", "illegal #$4afc"),
    form("BKPT", "4848", "dc.w $4848", limit=HANG),
    form("CHK", "4181", "chk.w d1, d0", {"d0": 1, "d1": 5}, {"d0": 9, "d1": 5}),
    form("DIVU", "80c1", "divu.w d1, d0", {"d1": 3}, {"d1": 0}),
    form("NOP", "4e71", "nop"),
    form("ADD", "d081", "add.l d1, d0"),
    form("MULU", "c0c1", "mulu.w d1, d0"),
    form("TST", "4a80", "tst.l d0"),
    form("SWAP", "4840", "swap d0"),
    form("MOVE (A1),D0", "2011", "move.l (a1), d0"),
    form("MOVE D0,(A1)", "2280", "move.l d0, (a1)"),
    form("CLR", "4291", "clr.l (a1)"),
    form("LEA", "45e90004", "lea.l $4(a1), a2"),
    form("PEA", "4851", "pea.l (a1)"),
    form("TAS", "4ad1", "tas.b (a1)"),
    form("LINK", "4e56fff8", "link.w a6, #$fff8"),
    form("UNLK", "4e5e", "unlk a6"),
    form("BRA", "600e", "bra.b $10"),
    form("BSR", "610e", "bsr.b $10"),
    form("JMP", "4ed3", "jmp (a3)"),
    form("RTS", "4e75", "rts", {"stack": struct.pack(">I", CODE)}),
    form("DBF", "51c8000e", "dbra d0, $10"),
)
GENERAL = ("d0", "d1", "d2", "d3", "a0", "a1", "a2", "a3", "a6", "a7")
ISA = Isa(
    name="m68000", title="MC68000, supervisor and user state", arch="UC_ARCH_M68K", mode="UC_MODE_BIG_ENDIAN", model="UC_CPU_M68K_M68000",
    display=("CS_ARCH_M68K", "CS_MODE_M68K_000|CS_MODE_BIG_ENDIAN"), pc="pc", forms=FORMS, variations=VARIATIONS,
    user={r: Field(r) for r in GENERAL} | {"ccr": Field("sr", CCR)},
    privileged={"T": Field("sr", T), "S": Field("sr", S), "IPL": Field("sr", IPL)},
    others={"d0": 0x8000_0001, "d1": 0xFFFF},
    presets={"d0": 5, "d1": 3, "a0": 0, "a1": DATA, "a3": CODE, "a6": STACK, "a7": STACK}, enter=enter, regions=REGIONS, rules=RULES,
    nop=bytes.fromhex("4e71"), code=CODE, boot=BOOT, mapped=((0, 0x1000000),), watched={"USP": "USP"},
    traps={2: "bus error", 3: "address error", 4: "illegal", 5: "divide by zero", 6: "CHK", 7: "TRAPV", 8: "privilege violation", 9: "trace",
           10: "line A", 11: "line F", 32: "TRAP #0", RTE: "RTE", -1: "illegal"},
    flags=("exception frames are not built by the engine", "trace exceptions are not raised by single steps"),
)
