"""Motorola 68010: MOVE from SR traps in user mode. The same bit, set: made so that the machine can be virtualized."""

from __future__ import annotations

from .m68000 import M68000

M68010 = M68000.change("MOVESR", privileged=True).named(
    "m68010", "Motorola 68010: MOVE from SR traps",
    "The 68000 with one bit set, and Theorem 1 holds.")
