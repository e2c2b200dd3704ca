"""Random programs for the machine: mostly sense, some nonsense, many that write over themselves."""

from __future__ import annotations

import random

from rtvirt.machine import assemble
from rtvirt.machine import isa as find

SIZE = 96


def program(seed: int, name: str) -> list[int]:
    """`SIZE` words: a trap area with a handler or without, then instructions of the set with small operands, some of them noise."""
    rng = random.Random(f"{name} {seed}")
    opcodes = find(name).opcodes
    words = [0] * SIZE
    words[8:12] = rng.choice([[0, 13, 0, SIZE], [0, rng.randrange(12, SIZE), 0, SIZE],
                              [rng.randrange(4), rng.randrange(SIZE), rng.randrange(4), SIZE], [0, 0, 0, 0]])
    for at in range(12, SIZE):
        words[at] = rng.getrandbits(32) if rng.random() < 0.02 else instruction(rng, opcodes)
    if rng.random() < 0.7:
        prologue = assemble(PROLOGUE.format(after=rng.randrange(1, 20), user=rng.randrange(2), first=rng.randrange(40, 80)), name).words
        words[8:len(prologue)] = prologue[8:]
    return words


PROLOGUE = """
        .org 8
        .word 0, handler, 0, 96
start:  LDI r1, {after}
        STT r1
        LDI r2, 2
        SSR r2
        LPSW first
first:  .word 2 + {user}, {first}, 0, 96
handler: LD r7, 4               ; go on after whatever trapped, but not after a timer trap
        ADDI r7, r7, -5
        JZ r7, out
        LD r7, 1
        ADDI r7, r7, 1
        ST r7, 1
out:    LDI r7, {after}
        STT r7
        LPSW 0
"""


def instruction(rng: random.Random, opcodes: tuple) -> int:
    """A word that decodes."""
    opcode = rng.choice([o for o in opcodes if o.name != "HLT" or rng.random() < 0.2])
    a, b = rng.randrange(8), rng.choice([0, 0, *range(8)])
    if opcode.name in ("IN", "OUT"):
        imm = rng.randrange(4)
    elif opcode.name in ("LPSW", "REI"):
        imm = rng.choice([0, 8, rng.randrange(SIZE)])
    elif opcode.name == "LDI":
        imm = rng.choice([rng.randrange(8), rng.randrange(SIZE), SIZE, rng.randrange(-2**15, 2**15)])
    else:
        imm = rng.randrange(-2, SIZE + 2)
    return opcode.number | a << 8 | b << 12 | (imm & 0xFFFF) << 16
