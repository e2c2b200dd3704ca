"""The dispatcher of a virtual machine monitor, and the interpreters it calls (docs/popek-goldberg.md, rules 3.6 and 3.7).

Design. A virtual machine is a second `Cpu` on the same storage: its `origin` and `size` are the part of the storage that the
allocator gave it, the rest is the *virtual* PSW, switch and timer. f (`enter`) maps it to the real processor: M' = u, P' = P,
R' = (origin + l, b'), where b' is the virtual processor's `reach`; registers are shared, and the real switch and timer are kept equal to
the virtual ones, so that a trap comes when the guest's timer runs down. Whatever traps returns here: a privileged instruction in
virtual supervisor mode is interpreted by executing the same opcode on the virtual processor; every other trap is
reflected by the virtual processor's own trap mechanism. A monitor in a monitor is the same with another origin, because
relocation-bounds maps compose by addition (rule 7.2). The styles differ in who executes virtual supervisor mode.
"""

from __future__ import annotations

from .. import loop
from .. import storage as view
from ..layout import LEFT, MASK, NEVER, OK, OUT_OF_FUEL, PRIVILEGED, REGISTERS, TRAPPED, WEDGED

TRAP_AND_EMULATE, HYBRID, INTERPRETER = range(3)
INTERPRET = 16             # the dispatcher's answer: execute one instruction for the guest
run, take = loop.run, loop.take


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


def dispatch(m, real, virtual):
    """The dispatcher: the real processor has trapped. Returns INTERPRET when the monitor owes the guest a privileged instruction; otherwise
    the trap has been handed to the guest: OK, or WEDGED."""
    r, v = m.cpus[real], m.cpus[virtual]
    if r.cause == PRIVILEGED and v.user == 0:
        v.clock -= 1                              # it was counted when it was begun, and will be begun again
        v.directly -= 1
        return INTERPRET
    v.at, v.note = r.trap_p, r.info
    return take(m, virtual, r.cause)


def interpreted(m, real, virtual, began, owed):
    """Book what the interpreter did since the guest's clock stood at `began`; the registers go back to the real processor."""
    v = m.cpus[virtual]
    move_registers(m, virtual, real)
    if owed:
        v.emulated += v.clock - began
    else:
        v.interpreted += v.clock - began


def turn(m, real, virtual, style, fuel):
    """Run a guest whose registers are in the real processor. One place calls the interpreter: for the real processor (which stands for the
    hardware), for virtual supervisor mode under a hybrid monitor, and for one privileged instruction that trapped (v_i)."""
    r, v = m.cpus[real], m.cpus[virtual]
    end, owed = v.clock + fuel, False
    while owed or v.clock < end:
        hardware = not owed and style != INTERPRETER and (style != HYBRID or v.user == 1)
        share, began = 1 if owed else end - v.clock, v.clock
        if hardware:
            enter(m, real, virtual)
            began = r.clock
        else:
            v.leaves = 1 if style == HYBRID and not owed else 0
            move_registers(m, real, virtual)
        stop = run(m, real if hardware else virtual, share)
        if hardware:
            leave(m, real, virtual, began)
            if v.escaped:
                return WEDGED
            if stop == TRAPPED:
                stop = dispatch(m, real, virtual)
            owed = stop == INTERPRET
        else:
            interpreted(m, real, virtual, began, owed)
            owed = False
        if stop != OK and stop != OUT_OF_FUEL and stop != LEFT and stop != INTERPRET:
            return stop
    return OUT_OF_FUEL


def monitor(m, real, virtual, style, fuel):
    """Run a guest for up to `fuel` of its instructions. Returns HALTED, OUT_OF_FUEL, WEDGED or FULL; calling again goes on."""
    move_registers(m, virtual, real)
    stop = turn(m, real, virtual, style, fuel)
    move_registers(m, real, virtual)
    return stop
