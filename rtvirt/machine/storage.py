"""The primitives that opcodes are written with, over a real storage.

`lazy.py` offers the same names over a machine whose cells are not known yet; `bind.py` gives every opcode the one or the other. All
addresses that an opcode sees are relative to R; `m` is a `layout.Machine`, `cpu` the number of a processor.
"""

from __future__ import annotations

from .layout import (
    CAUSE,
    CONSOLE,
    CONSOLE_FULL,
    CONSOLE_USED,
    INFO,
    KEYS,
    KEYS_READ,
    MASK,
    MEMORY,
    NEVER,
    NEW_PSW,
    OK,
    OLD_PSW,
    PORT_CONSOLE,
    PORT_DISK,
    PORT_DISK_ADDRESS,
    REGISTERS,
)

# ------------------------------------------------------------------ words, registers, storage


def word(value):
    """The value as a machine word."""
    return value & MASK


def register(m, cpu, number):
    """A register's word."""
    return m.registers[cpu * REGISTERS + number]


def put(m, cpu, number, value):
    """Set a register."""
    m.registers[cpu * REGISTERS + number] = value & MASK


def address(m, cpu, base, offset):
    """Effective address offset(base); as on System/360, base 0 means no base register."""
    if base == 0:
        return offset & MASK
    return (m.registers[cpu * REGISTERS + base] + offset) & MASK


def reachable(m, cpu, at):
    """True if R and the size of the storage allow a reference (rule 1.3)."""
    return at < m.cpus[cpu].reach


def load(m, cpu, at):
    """The word at a reachable address."""
    return m.store[m.cpus[cpu].window + at]


def store(m, cpu, at, value):
    """Set the word at a reachable address."""
    m.store[m.cpus[cpu].window + at] = value & MASK


def exists(m, cpu, at):
    """True if the processor's storage has an absolute address `at`, whatever R says."""
    return at < m.cpus[cpu].size


def load_absolute(m, cpu, at):
    """The word at an absolute address that exists. No opcode of the clean machine goes past R; yours may."""
    return m.store[m.cpus[cpu].origin + at]


def store_absolute(m, cpu, at, value):
    """Set the word at an absolute address that exists."""
    m.store[m.cpus[cpu].origin + at] = value & MASK


def memory_trap(m, cpu, at):
    """The reference to `at` is refused."""
    m.cpus[cpu].note = at
    return MEMORY


def trap(m, cpu, cause, info):
    """The instruction traps; `info` tells the handler more."""
    m.cpus[cpu].note = info
    return cause


# ------------------------------------------------------------------ <M, P, R>


def user(m, cpu):
    """M: 1 in user mode, 0 in supervisor mode."""
    return m.cpus[cpu].user


def set_user(m, cpu, value):
    """Set M."""
    m.cpus[cpu].user = value & 1


def next_p(m, cpu):
    """P of the next instruction in storage."""
    return m.cpus[cpu].p


def jump(m, cpu, at):
    """Set P."""
    m.cpus[cpu].p = at & MASK


def relocation(m, cpu):
    """l of R = (l, b)."""
    return m.cpus[cpu].l


def bound(m, cpu):
    """b of R = (l, b)."""
    return m.cpus[cpu].b


def set_r(m, cpu, l, b):  # noqa: E741
    """Set R, and what is derived from it."""
    c = m.cpus[cpu]
    c.l = l & MASK
    c.b = b & MASK
    c.window = c.origin + c.l
    room = c.size - c.l
    c.reach = max(0, min(c.b, room))


# ------------------------------------------------------------------ extension: interrupt switch, timer, ports


def enabled(m, cpu):
    """1 when timer traps are taken."""
    return m.cpus[cpu].enabled


def set_enabled(m, cpu, value):
    """Take timer traps, or keep them pending."""
    m.cpus[cpu].enabled = value & 1


def timer(m, cpu):
    """Instructions until the timer runs down, below 0 when it has and the trap is pending; 0 when it is off."""
    c = m.cpus[cpu]
    return 0 if c.alarm == NEVER else c.alarm - c.clock


def set_timer(m, cpu, value):
    """Let the timer run down after `value` more instructions; 0 turns it off."""
    c = m.cpus[cpu]
    c.alarm = NEVER if value == 0 else c.clock + 1 + value        # this instruction is not counted


def read_port(m, cpu, port):
    """A word from a device: console input (0 when there is none), disk address, disk; 0 from other ports."""
    c = m.cpus[cpu]
    if port == PORT_CONSOLE:
        read = m.ports[KEYS_READ]
        if read >= m.ports[KEYS]:
            return 0
        m.ports[KEYS_READ] = read + 1
        return m.keyboard[read]
    if port == PORT_DISK_ADDRESS:
        return c.disk_at
    if port == PORT_DISK:
        at = c.disk_at
        c.disk_at = (at + 1) % c.disk_size
        return m.disk[c.disk_origin + at]
    return 0


def write_port(m, cpu, port, value):
    """A word to a device; CONSOLE_FULL, and nothing done, when the console's buffer has no room."""
    c = m.cpus[cpu]
    if port == PORT_CONSOLE:
        used = m.ports[CONSOLE_USED]
        if used >= CONSOLE:
            return CONSOLE_FULL
        m.console[used] = value + c.console
        m.ports[CONSOLE_USED] = used + 1
    elif port == PORT_DISK_ADDRESS:
        c.disk_at = value % c.disk_size
    elif port == PORT_DISK:
        m.disk[c.disk_origin + c.disk_at] = value
        c.disk_at = (c.disk_at + 1) % c.disk_size
    return OK


# ------------------------------------------------------------------ traps


def deliver(m, cpu):
    """The trap mechanism (rule 1.5): store the old PSW and the cause, load the new PSW, all at fixed absolute addresses."""
    c = m.cpus[cpu]
    m.store[c.origin + OLD_PSW] = c.user | c.enabled << 1
    m.store[c.origin + OLD_PSW + 1] = c.p
    m.store[c.origin + OLD_PSW + 2] = c.l
    m.store[c.origin + OLD_PSW + 3] = c.b
    m.store[c.origin + CAUSE] = c.cause
    m.store[c.origin + INFO] = c.info & MASK
    status = m.store[c.origin + NEW_PSW]
    c.user = status & 1
    c.enabled = status >> 1 & 1
    c.p = m.store[c.origin + NEW_PSW + 1]
    set_r(m, cpu, m.store[c.origin + NEW_PSW + 2], m.store[c.origin + NEW_PSW + 3])
