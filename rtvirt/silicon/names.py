"""The instruction sets by name."""

from __future__ import annotations

from importlib import import_module

from ..errors import Problem, SpecError
from .forms import Isa

HOMES = {
    "x86-32": "x86", "x86-64": "x86_64", "armv7-a": "arm", "aarch64": "aarch64", "rv64": "riscv", "mips32": "mips", "ppc32": "ppc",
    "m68000": "m68k", "coldfire": "coldfire", "s390x": "s390x",
}
NAMES = tuple(HOMES)


def load(name: str) -> Isa:
    """The description of an instruction set.

    Raises
    ------
    SpecError
        For a name that is not in the list; the message has the list.
    """
    if not isinstance(name, str) or name not in HOMES:
        raise SpecError([Problem("isa", name, ", ".join(NAMES), "take one of these names, spelled so")])
    return import_module(f".{HOMES[name]}", __package__).ISA
