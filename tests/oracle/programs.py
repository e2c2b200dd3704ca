"""Random programs for the machine: mostly sense, some nonsense, many that write over themselves."""

from __future__ import annotations

import random
from collections.abc import Callable

from rtvirt.machine import Program, assemble
from rtvirt.machine import isa as find
from rtvirt.machine.monitors.hypercalls import equates

SIZE = 96


def program(seed: int, name: str) -> list[int]:
    """`SIZE` words: a trap area with a handler or without, then instructions of the set with small operands, some of them noise."""
    return image(seed, name).words


def ending(seed: int, name: str) -> Program:
    """One that most often ends: its handler halts after some traps, and the timer sees to it that they come."""
    return image(seed, name, lambda rng: ENDING.replace("{traps}", str(rng.randrange(1, 12))))


def image(seed: int, name: str, prologue_of: Callable[[random.Random], str] | None = None) -> Program:
    """The same, with the addresses of its instructions, as an assembler would know them."""
    rng = random.Random(f"{name} {seed}")
    opcodes = find(name).opcodes
    words = [0] * SIZE
    words[8:12] = rng.choice([[0, 13, 0, SIZE], [0, rng.randrange(12, SIZE), 0, SIZE],
                              [rng.randrange(4), rng.randrange(SIZE), rng.randrange(4), SIZE], [0, 0, 0, 0]])
    code = set()
    for at in range(12, SIZE):
        noise = rng.random() < 0.02
        words[at] = rng.getrandbits(32) if noise else instruction(rng, opcodes)
        code |= set() if noise else {at}
    if rng.random() < (0.7 if prologue_of is None else 0.95):
        source = PROLOGUE if prologue_of is None else prologue_of(rng)
        prologue = assemble(source.format(after=rng.randrange(1, 20), user=rng.randrange(2), first=rng.randrange(40, 80), size=SIZE), name)
        words[8:len(prologue.words)] = prologue.words[8:]
        code = {at for at in code if at >= len(prologue.words)} | prologue.code
    return Program(find(name), words, {}, {}, "", frozenset(code))


LISTS, LONG_SIZE = 96, 320         # lists for BATCH begin here, and are long enough for one that has to be cut


def paravirtual(seed: int, name: str, sensitive: frozenset[int]) -> list[int]:
    """`LONG_SIZE` words: a program as above, without instructions that are sensitive and do not trap, with hypercalls and lists for BATCH."""
    rng = random.Random(f"paravirtual {name} {seed}")
    opcodes = tuple(o for o in find(name).opcodes if o.number not in sensitive)
    words = [0] * LONG_SIZE
    words[8:12] = [0, rng.randrange(12, LISTS), 0, LONG_SIZE]
    for at in range(12, LISTS):
        words[at] = instruction(rng, opcodes)
        if rng.random() < 0.25:
            words[at] = SVC | rng.randrange(0xFE, 0x113) << 16
    for at in range(LISTS, LONG_SIZE, 3):
        words[at:at + 3] = [rng.choice([0x101, rng.randrange(0xFF, 0x111), *[0x10B, 0x109, 0x107] * 4]),
                            rng.choice([rng.randrange(16), rng.randrange(LONG_SIZE)]), rng.choice([0, 1, 2, LONG_SIZE, rng.randrange(300)])]
    words = words[:LONG_SIZE]
    if rng.random() < 0.8:
        prologue = assemble(PROLOGUE.format(after=rng.randrange(1, 20), user=rng.choice([0, 0, 1]), first=30, size=LONG_SIZE), "clean").words
        batch = assemble(BATCHES.format(at=LISTS + 3 * rng.randrange(60), count=rng.choice([1, 3, 8, 80])), "clean").words[12:]
        words[8:len(prologue)] = prologue[8:]
        words[30:30 + len(batch)] = batch
        if sensitive:
            words[15] = 1                      # NOP for SSR, which the other words of the prologue do without
    return words


SVC = 18
BATCHES = """
        LDI r3, {at}
        LDI r4, {count}
        SVC HC_BATCH
        LDI r1, {at}
        LDI r2, {count}
        SVC HC_WRITE
""" + equates()


PROLOGUE = """
        .org 8
        .word 0, handler, 0, {size}
start:  LDI r1, {after}
        STT r1
        LDI r2, 2
        SSR r2
        LPSW first
first:  .word 2 + {user}, {first}, 0, {size}
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
ENDING = PROLOGUE.replace("handler: ", """handler: LD r7, count
        ADDI r7, r7, -1
        ST r7, count
        JNZ r7, on
        HLT
count:  .word {traps}
on:     """)


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
