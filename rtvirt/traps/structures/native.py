"""The bare machine: nothing is added."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .structure import Structure, Table


@dataclass(frozen=True)
class Native(Structure):
    """No hypervisor."""

    name: ClassVar[str] = "native"
    what: ClassVar[str] = "no hypervisor"
    who: ClassVar[str] = "Linux, an RTOS"

    def table(self) -> Table:
        """Every operation runs directly."""
        return {}
