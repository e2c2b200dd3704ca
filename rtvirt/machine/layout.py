"""What the machine's state is made of: tables of integers that the compiled interpreter and people both read.

S = <E, M, P, R> (docs/popek-goldberg.md, rule 1.1) is `Machine.store` and, for each processor, `Cpu.user`, `p` and `l`, `b`. Registers,
the interrupt switch, the timer and the ports are an *extension* of the 1974 model (rule 1.9).
"""

from __future__ import annotations

from ..rows import Many, Row, Struct

WORD_BITS = 32
MASK = 2**WORD_BITS - 1
REGISTERS = 8
CPUS = 16                  # processors of one storage: the real one, and the virtual ones that monitors keep
STORE = 1 << 18            # words there is room for
CONSOLE = 4096             # words of console output kept until somebody reads them
DISK = 1 << 14             # words
PATCHES = 1 << 14          # different words that monitors replace
LOG = 1 << 10              # digests of traps kept for each processor
DIGEST = 2**40 - 1

NEVER = 2**62
SUPERVISOR, USER = 0, 1

# How an instruction ends. The causes of traps are also what the machine stores for the handler (rule 1.6).
OK = 0
MEMORY, PRIVILEGED, SVC, ILLEGAL, TIMER = range(1, 6)
HALT, CONSOLE_FULL, VM_FAULT = 6, 7, 8
ENDINGS = (OK, MEMORY, PRIVILEGED, SVC, ILLEGAL, TIMER, HALT, CONSOLE_FULL)
CAUSES = ("", "memory", "privileged", "svc", "illegal", "timer")

# Why `run` came back.
HALTED, OUT_OF_FUEL, TRAPPED, WEDGED, FULL, LEFT, YIELDED, FAULTED = range(1, 9)

# Where a trap stores the old PSW and finds the new one: absolute addresses (rule 1.5, and difference D2).
OLD_PSW, CAUSE, INFO, NEW_PSW, FIRST_FREE = 0, 4, 5, 8, 12

GUEST = 1 << 32            # a printed word is its character plus GUEST times the number of the guest

# Ports (rule 1.9).
PORT_CONSOLE, PORT_DISK_ADDRESS, PORT_DISK = 0, 1, 2

# An entry of `Machine.isa`: the number of a semantics, and what the interpreter must do besides.
SPECIAL, TRAPS_IN_USER, UNDEFINED, DEVICE = 256, 512, 1024, 2048


class Cpu(Row):
    """A processor, real or virtual: PSW, timer, which words of the storage are its own, and the last trap."""

    user: int          # M: 0 supervisor, 1 user
    p: int             # P, relative to l
    l: int             # noqa: E741  R = (l, b): relocation [word] ...
    b: int             # ... and bound [words]
    enabled: int       # extension: timer traps are taken
    alarm: int         # extension: value of `clock` at which the timer has run down; NEVER when it is off
    clock: int         # instructions begun
    origin: int        # absolute address of this processor's word 0
    size: int          # q: words it has
    window: int        # origin + l, kept so that a reference costs one addition
    reach: int         # min(b, q - l), never below 0: relative addresses below it are reachable
    monitored: int     # 1: a trap returns to the caller of `run` instead of being delivered through NEW_PSW
    at: int            # P of the instruction that ended the last stretch
    note: int          # what that instruction has to say, should it trap
    cause: int         # last trap: cause ...
    info: int          # ... faulting address, number of the system call, or the instruction word ...
    trap_p: int        # ... and P of the instruction that trapped
    disk_at: int       # extension: next word of its disk ...
    disk_origin: int   # ... which begins here on the real one ...
    disk_size: int     # ... and has that many words
    console: int       # extension: added to what it prints, to tell guests apart
    directly: int      # of a virtual processor: instructions begun on the real one ...
    emulated: int      # ... trapped there and executed by an interpretive routine ...
    interpreted: int   # ... executed by the interpreter of a hybrid monitor ...
    callouts: int      # ... patched, and executed by an interpretive routine ...
    hypercalls: int    # ... and calls of a paravirtual guest ...
    operations: int    # ... with what they asked for: more than one in a batch
    crossings: int     # of a virtual processor: traps that brought the monitor in
    escaped: int       # of a virtual processor: 1 when real M or R changed without the monitor
    leaves: int        # 1: `run` comes back as soon as the processor is in user mode
    hosted: int        # 1: the f-map that the machine composes has no devices; to use one is a VM fault (rule 7.3)
    patch: int         # of a virtual processor: operation code of call-outs, 0 if its program was not patched ...
    originals: int     # ... and where in `Machine.originals` the words that they stand for begin ...
    patches: int       # ... and how many there are
    watched: int       # 1: the state at every trap goes into `Machine.digests` ...
    digest: int        # ... each mixed with those before it ...
    seen: int          # ... and so many were


class Machine(Struct):
    """A storage and its processors."""

    cpus = Many(Cpu, CPUS)
    registers = Many(int, CPUS * REGISTERS)
    store = Many(int, STORE)
    isa = Many(int, 256)
    traps = Many(int, CPUS * 8)        # delivered or returned, by processor and cause
    console = Many(int, CONSOLE)
    keyboard = Many(int, CONSOLE)
    disk = Many(int, DISK)
    originals = Many(int, PATCHES)     # words that call-outs stand for
    digests = Many(int, CPUS * LOG)    # of the state at each trap, by processor; the last LOG
    ports = Many(int, 4)               # words in `console`, words in `keyboard`, words of `keyboard` read, -


CONSOLE_USED, KEYS, KEYS_READ = 0, 1, 2
