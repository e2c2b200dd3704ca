"""Random numbers without state: a number is a function of (seed, VM, task, job, purpose).

Adding a task, or asking in another order, changes nobody else's numbers. Integers only, below 2^63 throughout, so that compiled
and interpreted kernels and every platform give the same bits (docs/model.md 9).
"""

from __future__ import annotations

from .jit import kernel

DEMAND, ARRIVAL, JITTER = 0, 1, 2
"""Purposes: a job's execution time, the gap before its arrival, its release jitter."""

MASK = 0xFFFFFFFF


def scramble(h: int) -> int:
    """Scramble 32 bits (xor-shift-multiply; both factors are below 2^31, so no product overflows int64)."""
    h ^= h >> 16
    h = (h * 0x21F0AAAD) & MASK
    h ^= h >> 15
    h = (h * 0x735A2D97) & MASK
    h ^= h >> 15
    return h


mix = kernel(scramble)


def task_key(seed: int, vm: int, task: int) -> int:
    """Key of one task's stream of random numbers."""
    h = scramble(seed & MASK)
    h = scramble(h ^ ((seed >> 32) & MASK))
    return scramble(scramble(h ^ vm) ^ task)


@kernel
def draw(key, job, purpose):
    """32 random bits for one job of one task and one purpose."""
    return mix(mix(key ^ (job & MASK)) ^ purpose)


@kernel
def uniform(u, top):
    """Map 32 random bits to an integer on [0, top]."""
    if top < 2147483647:
        return (u * (top + 1)) >> 32
    return (u * ((top + 1) >> 10)) >> 22


@kernel
def quantile(table, first, u):
    """Map 32 random bits through the quantile table that starts at ``table[first]``: 4096 linear pieces; at least 1."""
    i = first + (u >> 20)
    value = table[i] + (((table[i + 1] - table[i]) * (u & 0xFFFFF)) >> 20)
    return value if value > 1 else 1
