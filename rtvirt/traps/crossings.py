"""Crossings: how often each part occurs in an operation, under a structure. Integers, no cycles yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .checks import choose, whole_number
from .operations import OPERATIONS
from .parts import NATIVE, PARTS
from .structures import STRUCTURES, Structure


class Crossings(dict[str, int]):
    """{part: count}, and what it adds up to."""

    @property
    def transitions(self) -> int:
        """Times that control enters the hypervisor (or microkernel)."""
        return sum(count for name, count in self.items() if PARTS[name].transition)

    @property
    def added(self) -> dict[str, int]:
        """The parts that the bare machine does not have."""
        return {name: count for name, count in self.items() if name != NATIVE}

    def __repr__(self) -> str:
        inside = ", ".join(f"{name} {count}" for name, count in self.items())
        return f"Crossings({inside}; transitions {self.transitions})"


def structure_of(structure: str | Structure) -> Structure:
    """A structure by name, with default options; or itself."""
    if isinstance(structure, Structure):
        return structure
    return STRUCTURES[choose("structure", structure, STRUCTURES)]()


def crossings(structure: str | Structure, operation: str, *, times: int = 1) -> Crossings:
    """What a structure does for an operation.

    Parameters
    ----------
    structure : str or Structure
        A name of `structures()`, or one with options, `traps.Paravirtual(batch=2048)`.
    operation : str
        A name of `operations()`.
    times : int
        How often, in a row: batches show from two on.

    Returns
    -------
    Crossings
        Integer counts of parts, ``native`` among them unless the structure replaces the operation; ``.transitions``.

    Raises
    ------
    SpecError
        For an unknown name (with near ones), or ``times`` below 1.

    Examples
    --------
    >>> crossings("paravirtual", "page_fault")
    Crossings(native 1, bounce 1, hypercall 1; transitions 2)
    >>> crossings("paravirtual", "system_call").transitions, crossings("paravirtual", "context_switch").transitions
    (0, 1)
    """
    chosen = structure_of(structure)
    operation = choose("operation", operation, OPERATIONS)
    whole_number("times", times, 1)
    consists: Mapping[str, int] = OPERATIONS[operation].consists
    if not consists:
        return Crossings(chosen.count(operation, times))
    found: dict[str, Any] = {NATIVE: times}
    for one, count in consists.items():
        for part, n in chosen.count(one, count * times).items():
            if part != NATIVE:          # the composite's native cost is its own
                found[part] = found.get(part, 0) + n
    return Crossings(found)
