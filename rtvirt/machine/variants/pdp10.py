"""DEC PDP-10: JRST 1, "return to user mode", does not trap in user mode, where it is a plain jump. One bit."""

from __future__ import annotations

from ..isa import CLEAN

PDP10 = CLEAN.change("JRST", privileged=False, rename="JRST1").named(
    "pdp10", "DEC PDP-10: JRST 1 does not trap",
    "The 1974 paper's own example: in user mode JRST 1 is a plain jump, so a monitor never learns that its guest left supervisor mode.")
