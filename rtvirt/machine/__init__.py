"""A third-generation machine after Popek and Goldberg (1974): build it, break it, and derive what can be virtualized.

    rv.machine.isa("x86")                     an instruction set
    rv.machine.classify("x86")                which instructions are privileged, which sensitive, with the states that prove it
    rv.machine.theorems("x86")                virtualizable? recursively? hybrid?
    rv.machine.Machine("x86", program).run()  a machine that runs an assembly program
    rv.machine.cycles.density()               what trapping costs, measured: a pipeline, a cache and a TLB beside the machine
    rv.machine.guests.load("mini")            a small operating system, to be run on it or under a monitor
"""

from __future__ import annotations

from . import cycles, guests, monitors
from . import storage as view
from .assembler import AssemblyError, Program, assemble, disassemble, listing
from .classify import classify
from .cpu import Machine
from .flips import FLIPS, flip
from .isa import ISA, Opcode
from .theorems import theorems
from .variants import BUILT_IN, isa

__all__ = ["BUILT_IN", "FLIPS", "ISA", "AssemblyError", "Machine", "Opcode", "Program", "assemble", "classify", "cycles", "disassemble", "flip",
           "guests", "isa", "listing", "monitors", "theorems", "view"]
