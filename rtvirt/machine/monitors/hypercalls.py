"""Hypercalls: what a guest asks of a paravirtual monitor instead of executing a sensitive instruction (docs/popek-goldberg.md, section 8).

``SVC n`` with n from 0x100 on, executed in *virtual supervisor mode*, goes to the monitor; every other SVC is the guest's own system call. Most
calls are the privileged instruction itself with r1 and r2 as its operands, so nothing is written twice. What is gained is BATCH: a list of
calls for one crossing of the border, where each instruction would have trapped by itself. A call counts as one instruction.
"""

from __future__ import annotations

from .. import opcodes
from .. import storage as view
from ..layout import CONSOLE, CONSOLE_FULL, CONSOLE_USED, HALT, OK, REGISTERS, SVC

AT_ONCE = 64               # entries of a list for one crossing; the call then comes again for the rest, so that no guest can hold the monitor
TEXT = 256                 # words that WRITE takes
YIELD_NOW, AGAIN = 16, 17  # how a call may end, besides as an instruction does (layout.OK to VM_FAULT)
lpsw, call = opcodes.lpsw, None

# ------------------------------------------------------------------ the calls that are no instruction


def yield_(m, cpu, a, b, imm):
    """End this guest's turn; it goes on after the call."""
    return YIELD_NOW


def return_(m, cpu, a, b, imm):
    """PSW := words 0 to 3: back to where the trap came from. Needs no register."""
    return lpsw(m, cpu, 0, 0, 0)


def set_psw(m, cpu, a, b, imm):
    """PSW := four words at r1 (status, P, l, b)."""
    return lpsw(m, cpu, 0, a, 0)


def switch(m, cpu, a, b, imm):
    """PSW and registers := twelve words at r1 (status, P, l, b, r0 to r7)."""
    at = view.register(m, cpu, a)
    for k in range(4 + REGISTERS):
        if not view.reachable(m, cpu, view.word(at + k)):
            return view.memory_trap(m, cpu, view.word(at + k))
    for k in range(REGISTERS):
        view.put(m, cpu, k, view.load(m, cpu, view.word(at + 4 + k)))
    return lpsw(m, cpu, 0, 0, at)


def out(m, cpu, a, b, imm):
    """The word r1 to port r2 (0: console)."""
    return view.write_port(m, cpu, view.register(m, cpu, b), view.register(m, cpu, a))


def in_(m, cpu, a, b, imm):
    """r1 := a word from port r2."""
    view.put(m, cpu, a, view.read_port(m, cpu, view.register(m, cpu, b)))
    return OK


def write(m, cpu, a, b, imm):
    """r2 words (256 at most) from r1 on to the console."""
    at, count = view.register(m, cpu, a), view.register(m, cpu, b)
    if count > TEXT:
        return view.trap(m, cpu, SVC, WRITE)
    for k in range(count):
        if not view.reachable(m, cpu, view.word(at + k)):
            return view.memory_trap(m, cpu, view.word(at + k))
    if count > CONSOLE - m.ports[CONSOLE_USED]:
        return CONSOLE_FULL
    for k in range(count):
        view.write_port(m, cpu, 0, view.load(m, cpu, view.word(at + k)))
    return OK


TABLE = (
    ("HALT", opcodes.hlt), ("YIELD", yield_), ("RETURN", return_), ("SET_PSW", set_psw), ("SWITCH", switch), ("SET_R", opcodes.srr),
    ("GET_R", opcodes.grr), ("SET_STATUS", opcodes.ssr), ("GET_STATUS", opcodes.rsr), ("SET_TIMER", opcodes.stt), ("GET_TIMER", opcodes.rdt),
    ("OUT", out), ("IN", in_), ("WRITE", write),
)
FIRST = 0x100
(HALT_CALL, YIELD, RETURN, SET_PSW, SWITCH, SET_R, GET_R, SET_STATUS, GET_STATUS, SET_TIMER, GET_TIMER, OUT, IN, WRITE, BATCH) = range(
    FIRST, FIRST + len(TABLE) + 1)
NUMBERS = {**{name: FIRST + k for k, (name, _) in enumerate(TABLE)}, "BATCH": BATCH}


def equates() -> str:
    """``.equ HC_HALT, 0x100`` and so on, a line each: put it after a program, and its lines keep their numbers."""
    return "\n".join(f".equ HC_{name}, 0x{number:x}" for name, number in NUMBERS.items()) + "\n"


# ------------------------------------------------------------------ what the dispatcher calls


def perform(m, cpu, number):
    """One call. A number that this monitor does not know is a system call of the guest's after all: a guest can find out what there is."""
    if number < FIRST or number >= BATCH:
        return view.trap(m, cpu, SVC, number)
    return call(m, cpu, number - FIRST, 1, 2, 0)


def done(ended):
    """False if the call trapped, or has to wait for room on the console."""
    return ended == OK or ended == HALT or ended >= YIELD_NOW


def fetch(m, cpu):
    """r1 and r2 from the entry at r3. Returns OK or MEMORY."""
    at = view.register(m, cpu, 3)
    for k in range(3):
        if not view.reachable(m, cpu, view.word(at + k)):
            return view.memory_trap(m, cpu, view.word(at + k))
    view.put(m, cpu, 1, view.load(m, cpu, view.word(at + 1)))
    view.put(m, cpu, 2, view.load(m, cpu, view.word(at + 2)))
    return OK


def advance(m, cpu, number):
    """Store what was asked for back into the entry at r3, and go on to the next."""
    at = view.register(m, cpu, 3)
    if number == GET_R or number == GET_STATUS or number == GET_TIMER or number == IN:
        view.store(m, cpu, view.word(at + 1), view.register(m, cpu, 1))
        view.store(m, cpu, view.word(at + 2), view.register(m, cpu, 2))
    view.put(m, cpu, 3, at + 3)
    view.put(m, cpu, 4, view.register(m, cpu, 4) - 1)


def hypercall(m, cpu, number):
    """Do what the guest asks: one call, or for BATCH r4 entries from r3 on, of three words: a number, r1, r2. Returns how it ended.

    r3 and r4 say how far a list has got, so that it can go on after a trap, a full console or AT_ONCE entries: as MVCL on System/370, or a
    multicall that Xen cuts short.
    """
    listed = number == BATCH
    for _ in range(AT_ONCE if listed else 1):
        if listed:
            if view.register(m, cpu, 4) == 0:
                return OK
            ended = fetch(m, cpu)
            if ended != OK:
                return ended
            number = view.load(m, cpu, view.register(m, cpu, 3))
        ended = perform(m, cpu, number)
        if not done(ended):
            return ended
        m.cpus[cpu].operations += 1
        if listed and number != SWITCH:                         # which has loaded all registers
            advance(m, cpu, number)
        if ended != OK or RETURN <= number <= SWITCH:           # whoever loads a PSW is elsewhere now
            return ended
    return AGAIN if listed and view.register(m, cpu, 4) != 0 else OK
