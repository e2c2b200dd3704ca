"""Pre-virtualization: the compiler pads sensitive sites, the hypervisor patches them when the kernel is loaded (LeVasseur et al. 2005)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..checks import choose
from ..operations import ELEMENTARY
from .paravirtual import Paravirtual
from .structure import Structure, Table
from .trap_and_emulate import TrapAndEmulate

NOT_IN_CODE = ("system_call", "exception", "protection_fault", "page_fault", "interrupt")    # arrive from outside the kernel's code


@dataclass(frozen=True)
class Previrtualized(Structure):
    """One binary: on the bare machine the padding is all it costs; under a hypervisor, patched sites cost what paravirtual ones do.

    `unpatched`: operations whose sites were missed, which still trap. Only abstracts of the papers were at hand: no number here is
    calibrated on pre-virtualization itself.
    """

    name: ClassVar[str] = "previrtualized"
    what: ClassVar[str] = "sensitive sites patched at load time; missed ones trap"
    who: ClassVar[str] = "afterburning (LeVasseur et al.)"

    unpatched: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        missed = [self.unpatched] if isinstance(self.unpatched, str) else self.unpatched
        object.__setattr__(self, "unpatched", tuple(choose("Previrtualized.unpatched", name, ELEMENTARY) for name in missed))

    def table(self) -> Table:
        """The paravirtual table, with traps for what was missed."""
        traps = TrapAndEmulate().table()
        return {**Paravirtual().table(), **{name: traps.get(name, {}) for name in self.unpatched if name not in NOT_IN_CODE}}
