"""Motorola 68000: MOVE from SR, the read of the status register, is not privileged. One bit."""

from __future__ import annotations

from ..isa import CLEAN

M68000 = CLEAN.change("RSR", privileged=False, rename="MOVESR").named(
    "m68000", "Motorola 68000: MOVE from SR does not trap",
    "A guest's supervisor, run in user mode by a monitor, reads the status register and finds itself in user mode.")
