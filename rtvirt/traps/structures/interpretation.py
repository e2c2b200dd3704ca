"""Interpretation: every instruction is carried out by software, sensitive or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..checks import whole_number
from ..operations import ELEMENTARY
from .structure import Structure, Table


@dataclass(frozen=True)
class Interpretation(Structure):
    """Equivalence without efficiency: an operation of one instruction is one turn of the interpreter's loop.

    System calls, faults and interrupts are `instructions` of guest kernel code, each of them interpreted.
    """

    name: ClassVar[str] = "interpretation"
    what: ClassVar[str] = "every instruction fetched, decoded and carried out by software"
    who: ClassVar[str] = "Bochs, the monitor of `rtvirt.machine` that interprets"

    instructions: int = 100     # of a guest's kernel path, where the operation is not one instruction

    def __post_init__(self) -> None:
        whole_number("Interpretation.instructions", self.instructions, 1)

    ONE: ClassVar[frozenset[str]] = frozenset({"innocuous", "pte_write", "register_read", "interrupt_mask", "priority_write", "port_read",
                                               "kernel_io", "interrupt_controller"})

    def table(self) -> Table:
        """The interpreter replaces everything."""
        return {name: {"native": 0, "interpret": 1 if name in self.ONE else self.instructions} for name in ELEMENTARY}
