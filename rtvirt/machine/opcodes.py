"""What each opcode does, written once.

Every opcode is a function of (m, cpu, a, b, imm): the machine, the processor's number, two register numbers and an immediate word. It acts
through the primitives of `view` only, and returns OK, a trap's cause or HALT; an opcode that traps has changed nothing. P already points
to the next instruction. Whether an opcode is *privileged* (traps in user mode before anything else) is not written here: that is a bit
in the instruction set's table (`isa.py`), the bit that the manufacturers got wrong.

Nothing here knows how wide a word is or how large the storage: the interpreter binds `view` to `storage` (32 bits), the classifier to
`lazy` (a few bits, every value tried).
"""

from __future__ import annotations

from . import storage as view
from .layout import HALT, ILLEGAL, OK, SVC

# ------------------------------------------------------------------ arithmetic and storage


def nop(m, cpu, a, b, imm):
    """Nothing."""
    return OK


def ldi(m, cpu, a, b, imm):
    """a := imm."""
    view.put(m, cpu, a, imm)
    return OK


def ld(m, cpu, a, b, imm):
    """a := E[imm(b)]."""
    at = view.address(m, cpu, b, imm)
    if not view.reachable(m, cpu, at):
        return view.memory_trap(m, cpu, at)
    view.put(m, cpu, a, view.load(m, cpu, at))
    return OK


def st(m, cpu, a, b, imm):
    """E[imm(b)] := a."""
    at = view.address(m, cpu, b, imm)
    if not view.reachable(m, cpu, at):
        return view.memory_trap(m, cpu, at)
    view.store(m, cpu, at, view.register(m, cpu, a))
    return OK


def mov(m, cpu, a, b, imm):
    """a := b."""
    view.put(m, cpu, a, view.register(m, cpu, b))
    return OK


def addi(m, cpu, a, b, imm):
    """a := b + imm."""
    view.put(m, cpu, a, view.register(m, cpu, b) + imm)
    return OK


def add(m, cpu, a, b, imm):
    """a := a + b."""
    view.put(m, cpu, a, view.register(m, cpu, a) + view.register(m, cpu, b))
    return OK


def sub(m, cpu, a, b, imm):
    """a := a - b."""
    view.put(m, cpu, a, view.register(m, cpu, a) - view.register(m, cpu, b))
    return OK


def mul(m, cpu, a, b, imm):
    """a := a * b, the lower word."""
    view.put(m, cpu, a, view.register(m, cpu, a) * view.register(m, cpu, b))
    return OK


def and_(m, cpu, a, b, imm):
    """a := a and b, bit by bit."""
    view.put(m, cpu, a, view.register(m, cpu, a) & view.register(m, cpu, b))
    return OK


def xor(m, cpu, a, b, imm):
    """a := a xor b, bit by bit."""
    view.put(m, cpu, a, view.register(m, cpu, a) ^ view.register(m, cpu, b))
    return OK


def shr(m, cpu, a, b, imm):
    """a := a shifted right by b bits; 0 when b is as large as the word."""
    by = view.register(m, cpu, b)
    view.put(m, cpu, a, view.register(m, cpu, a) >> by if by < 63 else 0)
    return OK


def lt(m, cpu, a, b, imm):
    """a := 1 if a < b (both without sign), else 0."""
    view.put(m, cpu, a, 1 if view.register(m, cpu, a) < view.register(m, cpu, b) else 0)
    return OK


# ------------------------------------------------------------------ jumps


def jmp(m, cpu, a, b, imm):
    """P := imm(b)."""
    view.jump(m, cpu, view.address(m, cpu, b, imm))
    return OK


def jz(m, cpu, a, b, imm):
    """If a = 0: P := imm(b)."""
    if view.register(m, cpu, a) == 0:
        view.jump(m, cpu, view.address(m, cpu, b, imm))
    return OK


def jnz(m, cpu, a, b, imm):
    """If a is not 0: P := imm(b)."""
    if view.register(m, cpu, a) != 0:
        view.jump(m, cpu, view.address(m, cpu, b, imm))
    return OK


def jal(m, cpu, a, b, imm):
    """Call: a := address of the next instruction, P := imm(b)."""
    at = view.address(m, cpu, b, imm)
    view.put(m, cpu, a, view.next_p(m, cpu))
    view.jump(m, cpu, at)
    return OK


def svc(m, cpu, a, b, imm):
    """System call number imm: always traps."""
    return view.trap(m, cpu, SVC, imm)


# ------------------------------------------------------------------ what an operating system needs


def lpsw(m, cpu, a, b, imm):
    """Load the PSW (status, P, l, b) from four words at imm(b): M, P and R change together."""
    at = view.address(m, cpu, b, imm)
    for k in range(4):
        if not view.reachable(m, cpu, view.word(at + k)):
            return view.memory_trap(m, cpu, view.word(at + k))
    status = view.load(m, cpu, at)
    p = view.load(m, cpu, view.word(at + 1))
    l, b = view.load(m, cpu, view.word(at + 2)), view.load(m, cpu, view.word(at + 3))  # noqa: E741
    view.set_user(m, cpu, status & 1)
    view.set_enabled(m, cpu, status >> 1 & 1)
    view.jump(m, cpu, p)
    view.set_r(m, cpu, l, b)
    return OK


def srr(m, cpu, a, b, imm):
    """R := (a, b)."""
    view.set_r(m, cpu, view.register(m, cpu, a), view.register(m, cpu, b))
    return OK


def grr(m, cpu, a, b, imm):
    """(a, b) := R."""
    view.put(m, cpu, a, view.relocation(m, cpu))
    view.put(m, cpu, b, view.bound(m, cpu))
    return OK


def jrst(m, cpu, a, b, imm):
    """To user mode: M := user, P := imm(b)."""
    at = view.address(m, cpu, b, imm)
    view.set_user(m, cpu, 1)
    view.jump(m, cpu, at)
    return OK


def ssr(m, cpu, a, b, imm):
    """Interrupt switch := bit 1 of a."""
    view.set_enabled(m, cpu, view.register(m, cpu, a) >> 1 & 1)
    return OK


def rsr(m, cpu, a, b, imm):
    """a := status: M in bit 0 (1: user), the interrupt switch in bit 1."""
    view.put(m, cpu, a, view.user(m, cpu) | view.enabled(m, cpu) << 1)
    return OK


def stt(m, cpu, a, b, imm):
    """Timer := a instructions from now; 0 turns it off."""
    view.set_timer(m, cpu, view.register(m, cpu, a))
    return OK


def rdt(m, cpu, a, b, imm):
    """a := what is left on the timer, negative once it has run down."""
    view.put(m, cpu, a, view.timer(m, cpu))
    return OK


def hlt(m, cpu, a, b, imm):
    """Halt."""
    return HALT


def in_(m, cpu, a, b, imm):
    """a := a word from port imm."""
    view.put(m, cpu, a, view.read_port(m, cpu, imm))
    return OK


def out(m, cpu, a, b, imm):
    """A word from a to port imm."""
    return view.write_port(m, cpu, imm, view.register(m, cpu, a))


def undefined(m, cpu, a, b, imm):
    """An operation code without meaning: always traps."""
    return view.trap(m, cpu, ILLEGAL, imm)
