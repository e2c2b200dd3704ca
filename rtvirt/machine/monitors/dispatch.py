"""The dispatcher of a virtual machine monitor, and the interpreters it calls (docs/popek-goldberg.md, rules 3.6 and 3.7, sections 8 and 9).

Design. A virtual machine is a second `Cpu` on the same storage: its `origin` and `size` are the part of the storage that the
allocator gave it, the rest is the *virtual* PSW, switch and timer. f (`enter`) maps it to the real processor: M' = u, P' = P,
R' = (origin + l, b'), where b' is the virtual processor's `reach`; registers are shared, and the real switch and timer are kept equal to
the virtual ones, so that a trap comes when the guest's timer runs down. Whatever traps returns here, and `dispatch` says what is owed to the guest:
a privileged instruction in virtual supervisor mode (or a patched one) is interpreted by executing the same opcode on the virtual processor; a
hypercall is done; every other trap is reflected by the virtual processor's own trap mechanism. A monitor in a monitor is the same with another
origin, because relocation-bounds maps compose by addition (rule 7.2). The styles differ in who executes virtual supervisor mode, and in
what the guest's program was made to do instead of executing a sensitive instruction.
"""

from __future__ import annotations

from .. import loop
from .. import storage as view
from ..layout import (
    CONSOLE_FULL,
    FULL,
    HALT,
    HALTED,
    ILLEGAL,
    LEFT,
    MASK,
    NEVER,
    OK,
    OUT_OF_FUEL,
    PRIVILEGED,
    REGISTERS,
    SVC,
    TIMER,
    TRAPPED,
    WEDGED,
    YIELDED,
)
from . import hypercalls
from .hypercalls import AGAIN, FIRST, YIELD_NOW

TRAP_AND_EMULATE, HYBRID, INTERPRETER, PARAVIRTUAL, BINARY_TRANSLATION = range(5)
EMULATE, CALL_OUT, HYPERCALL = 32, 33, 34             # what the dispatcher finds that the monitor owes the guest
run, take, as_written, hypercall = loop.run, loop.take, loop.as_written, hypercalls.hypercall

# ------------------------------------------------------------------ f, and back


def move_registers(m, source, target):
    """Registers belong to the program, not to a processor: carry them over."""
    for k in range(REGISTERS):
        m.registers[target * REGISTERS + k] = m.registers[source * REGISTERS + k]


def enter(m, real, virtual):
    """f: the real processor as the guest is to run on it."""
    r, v = m.cpus[real], m.cpus[virtual]
    r.user, r.p, r.monitored = 1, v.p, 1
    view.set_r(m, real, v.window & MASK, v.reach)
    r.enabled = v.enabled
    r.alarm = NEVER if v.alarm == NEVER else r.clock + v.alarm - v.clock


def leave(m, real, virtual, began):
    """f backwards: what the guest did on the real processor since its clock stood at `began` belongs to the virtual one."""
    r, v = m.cpus[real], m.cpus[virtual]
    v.clock += r.clock - began
    v.directly += r.clock - began
    v.p, v.enabled = r.p, r.enabled
    v.alarm = NEVER if r.alarm == NEVER else v.clock + r.alarm - r.clock
    if r.user == 0 or r.reach != v.reach or (v.reach > 0 and r.window != v.window):
        v.escaped = 1                             # an unprivileged control-sensitive instruction: Theorem 1 would have forbidden it


# ------------------------------------------------------------------ the dispatcher


def dispatch(m, real, virtual, style):
    """The real processor has trapped. Returns what is owed to the guest: EMULATE, CALL_OUT or HYPERCALL; otherwise the trap has been
    handed to the guest: OK, or WEDGED."""
    r, v = m.cpus[real], m.cpus[virtual]
    v.crossings += 1
    owed = OK
    if r.cause == PRIVILEGED and v.user == 0:
        owed = EMULATE
    elif r.cause == ILLEGAL and patched(m, virtual):
        owed = CALL_OUT
    elif r.cause == SVC and v.user == 0 and style == PARAVIRTUAL and FIRST <= r.info < 0x8000:
        owed = HYPERCALL
    if owed != OK:
        v.clock -= 1                              # it was counted when it was begun, and will be begun again
        v.directly -= 1
        return owed
    v.at, v.note = r.trap_p, r.info
    if v.watched:
        move_registers(m, real, virtual)
    return take(m, virtual, r.cause)


def patched(m, virtual):
    """True if the guest stands before a call-out."""
    v = m.cpus[virtual]
    word = m.store[v.window + v.p]
    return as_written(m, virtual, word) != word


# ------------------------------------------------------------------ the interpreters


def book(m, virtual, began, owed):
    """Note who executed what the guest has done since its clock stood at `began`, if it was not the real processor."""
    v = m.cpus[virtual]
    if owed == EMULATE:
        v.emulated += v.clock - began
    elif owed == CALL_OUT:
        v.callouts += v.clock - began
    else:
        v.interpreted += v.clock - began


def unpatch(m, virtual):
    """Put the original of a call-out back for as long as it is executed. Returns the call-out."""
    v = m.cpus[virtual]
    word = m.store[v.window + v.p]
    m.store[v.window + v.p] = as_written(m, virtual, word)
    return word


def patch_again(m, virtual, site, word):
    """The call-out returns, unless the instruction has overwritten itself."""
    if m.store[site] == as_written(m, virtual, word):
        m.store[site] = word


def serve(m, real, virtual):
    """Do a hypercall: on the virtual processor, as if it were an instruction there. Returns how the guest goes on."""
    v = m.cpus[virtual]
    move_registers(m, real, virtual)
    v.at, v.p = v.p, v.p + 1
    ended = hypercall(m, virtual, m.cpus[real].info)
    move_registers(m, virtual, real)
    if ended == CONSOLE_FULL or ended == AGAIN:
        v.p = v.at
    if ended != CONSOLE_FULL:
        v.clock += 1
        v.hypercalls += 1
    if OK < ended <= TIMER:
        return take(m, virtual, ended)
    if ended == HALT:
        return HALTED
    if ended == CONSOLE_FULL:
        return FULL
    return YIELDED if ended == YIELD_NOW else OK


def turn(m, real, virtual, style, fuel):
    """Run a guest whose registers are in the real processor. One place calls the interpreter: for the real processor (which stands for the
    hardware), for virtual supervisor mode under a hybrid monitor, and for one instruction that trapped (v_i)."""
    r, v = m.cpus[real], m.cpus[virtual]
    end, owed, stop = v.clock + fuel, OK, OK
    site = word = 0
    while owed != OK or v.clock < end:
        hardware = owed == OK and style != INTERPRETER and (style != HYBRID or v.user == 1)
        share, began = 1 if owed != OK else end - v.clock, v.clock
        if hardware:
            enter(m, real, virtual)
            began = r.clock
        else:
            v.leaves = 1 if style == HYBRID and owed == OK else 0
            move_registers(m, real, virtual)
            if owed == CALL_OUT:
                site, word = v.window + v.p, unpatch(m, virtual)
        stop = run(m, real if hardware else virtual, share)
        if hardware:
            leave(m, real, virtual, began)
            if v.escaped:
                return WEDGED
            owed = OK
            if stop == TRAPPED:
                stop = dispatch(m, real, virtual, style)
                if stop == HYPERCALL:
                    stop = serve(m, real, virtual)
                elif stop != OK and stop != WEDGED:
                    owed, stop = stop, OK
        else:
            move_registers(m, virtual, real)
            book(m, virtual, began, owed)
            if owed == CALL_OUT:
                patch_again(m, virtual, site, word)
            owed = OK
        if stop != OK and stop != OUT_OF_FUEL and stop != LEFT:
            return stop
    return OUT_OF_FUEL


def monitor(m, real, virtual, style, fuel):
    """Run a guest for up to `fuel` of its instructions. Returns HALTED, OUT_OF_FUEL, WEDGED, FULL or YIELDED; calling again goes on."""
    move_registers(m, virtual, real)
    stop = turn(m, real, virtual, style, fuel)
    move_registers(m, real, virtual)
    return stop
