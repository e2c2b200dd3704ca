"""Real machines' mistakes, each as a small difference from the clean machine: one file each."""

from __future__ import annotations

from functools import cache

from ...errors import Problem, SpecError
from ..isa import CLEAN, ISA
from .arm import ARM
from .m68000 import M68000
from .m68010 import M68010
from .pdp10 import PDP10
from .s390x import S390X
from .vax import VAX
from .x86 import X86

BUILT_IN = {variant.name: variant for variant in (CLEAN, PDP10, X86, M68000, M68010, ARM, VAX, S390X)}


def isa(name: str | ISA) -> ISA:
    """The instruction set of that name; an `ISA` is handed through.

    Examples
    --------
    >>> import rtvirt as rv
    >>> rv.machine.isa("m68000")["RSR"].name, rv.machine.isa("m68000")["RSR"].privileged
    ('MOVESR', False)
    """
    if isinstance(name, ISA):
        return name
    if name not in BUILT_IN:
        raise SpecError([Problem("isa", name, ", ".join(BUILT_IN), "choose one of these, or change one: isa('clean').with_opcode(...)")])
    return BUILT_IN[name]


@cache
def catalogue() -> tuple:
    """All semantics that the built-in instruction sets use, each once: what the one compiled interpreter knows."""
    return tuple(dict.fromkeys(opcode.does for variant in BUILT_IN.values() for opcode in variant.opcodes))
