"""The interpreter: fetch, check, execute, count.

`bind.py` gives these functions `view` (storage.py, compiled or plain) and `execute`, which calls the opcode with a given number. No path
leads through them without `clock` going up, and `run` stops when it has gone up by `fuel`: nothing here can hang.
"""

from __future__ import annotations

from . import storage as view
from .layout import (
    CONSOLE_FULL,
    DEVICE,
    DIGEST,
    FAULTED,
    FULL,
    HALT,
    HALTED,
    ILLEGAL,
    LEFT,
    LOG,
    MASK,
    MEMORY,
    NEVER,
    OK,
    OUT_OF_FUEL,
    PRIVILEGED,
    REGISTERS,
    SPECIAL,
    TIMER,
    TRAPPED,
    TRAPS_IN_USER,
    UNDEFINED,
    VM_FAULT,
    WEDGED,
)


def execute(m, cpu, number, a, b, imm):
    """Call the opcode with this number. Only a name for readers: bind.py puts the chain of an instruction set's opcodes in its place."""
    raise NotImplementedError("use bind.interpreter, which puts the opcodes in")


def immediate(w):
    """Bits 16 to 31 of an instruction word as a word, the sign extended."""
    return ((w >> 16 ^ 0x8000) - 0x8000) & MASK


def sprint(m, cpu, share):
    """Execute up to `share` instructions of the kind that can neither trap on privilege nor touch M, timer and ports.

    Returns OK when the share is used up, SPECIAL when the next instruction is of another kind, or how the last one ended.
    """
    c = m.cpus[cpu]
    done, ended = 0, OK
    while done < share:
        p = c.p
        if p >= c.reach:
            c.note, c.at = p, p
            ended = MEMORY
            done += 1
            break
        w = m.store[c.window + p]
        number = m.isa[w & 255]
        if number >= SPECIAL:
            ended = SPECIAL
            break
        done += 1
        c.p = p + 1
        ended = execute(m, cpu, number, w >> 8 & 7, w >> 12 & 7, immediate(w))
        if ended != OK:
            c.at = p
            break
    c.clock += done
    return ended


def special(m, cpu):
    """Execute one instruction of any kind. Returns how it ended."""
    c = m.cpus[cpu]
    p = c.p
    if p >= c.reach:
        c.clock += 1
        c.note, c.at = p, p
        return MEMORY
    w = m.store[c.window + p]
    entry = m.isa[w & 255]
    c.note, c.at = w, p
    if entry & UNDEFINED:
        ended = ILLEGAL
    elif entry & TRAPS_IN_USER and c.user:
        ended = PRIVILEGED
    elif entry & DEVICE and c.hosted:
        return VM_FAULT               # not begun: it comes again when its monitor has dealt with it
    else:
        c.p = p + 1
        ended = execute(m, cpu, entry & 255, w >> 8 & 7, w >> 12 & 7, immediate(w))
    if ended == CONSOLE_FULL:
        c.p = p                       # not begun: it comes again when there is room
        return ended
    c.clock += 1
    return ended


def as_written(m, cpu, word):
    """The word that a program believes it has there: a call-out's original, or the word itself."""
    c = m.cpus[cpu]
    if c.patch == 0 or word & 255 != c.patch or word >> 8 >= c.patches:
        return word
    return m.originals[c.originals + (word >> 8)]


def remember(m, cpu):
    """Mix all that a program can know at this trap into the digest: two machines agree at every trap if their digests do."""
    c = m.cpus[cpu]
    left = 0 if c.alarm == NEVER else 1 + max(0, c.alarm - c.clock)
    h = mixed(mixed(mixed(mixed(c.digest, c.user | c.enabled << 1), c.p), c.l), c.b)
    h = mixed(mixed(mixed(h, left), c.clock), c.disk_at)
    for k in range(REGISTERS):
        h = mixed(h, m.registers[cpu * REGISTERS + k])
    for k in range(c.size):
        h = mixed(h, as_written(m, cpu, m.store[c.origin + k]))
    m.digests[cpu * LOG + c.seen % LOG] = c.digest = h
    c.seen += 1


def mixed(h, value):
    """A digest with one word more. The factor is odd: no single difference is lost."""
    return (h * 1_000_003 + value) & DIGEST


def take(m, cpu, cause):
    """A trap: back to the monitor, or through the new PSW. Returns OK, TRAPPED or WEDGED."""
    c = m.cpus[cpu]
    m.traps[cpu * 8 + cause] += 1
    if cause == TIMER:
        c.alarm, c.at, c.note = NEVER, c.p, 0
    c.cause, c.info, c.trap_p = cause, c.note, c.at
    c.p = c.at                        # the old PSW is that before the instruction (rule 1.5)
    if c.monitored:
        return TRAPPED
    view.deliver(m, cpu)
    if c.watched:
        remember(m, cpu)
    return OK if c.p < c.reach else WEDGED


def run(m, cpu, fuel):
    """Go on for up to `fuel` instructions. Returns HALTED, OUT_OF_FUEL, TRAPPED, WEDGED, FULL, LEFT or FAULTED; calling again goes on."""
    c = m.cpus[cpu]
    end = c.clock + fuel
    while c.clock < end:
        ended, share = OK, end - c.clock
        if c.enabled:
            if c.alarm <= c.clock:
                ended = TIMER
            else:
                share = min(share, c.alarm - c.clock)
        if ended == OK:
            ended = sprint(m, cpu, share)
            if ended == SPECIAL:
                ended = special(m, cpu)
        if ended == HALT:
            return HALTED
        if ended == CONSOLE_FULL:
            return FULL
        if ended == VM_FAULT:
            return FAULTED
        if ended != OK:
            stop = take(m, cpu, ended)
            if stop != OK:
                return stop
        if c.leaves and c.user:
            return LEFT
    return OUT_OF_FUEL
