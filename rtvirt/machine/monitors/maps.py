"""Goldberg's maps (docs/popek-goldberg.md, section 7): φ of a guest's own system, f of each monitor, and what happens when one misses.

    resolve(phi, f2, f1, name=100)      where a process's name ends up, or who has to deal with its miss

φ and f are independent: φ belongs to the guest, which handles its misses as *exceptions*; f belongs to a monitor, which handles its misses as *VM
faults*, unknown to the guest. Composed, the innermost map is applied first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


class Map(Protocol):
    """Names to names; None is a miss."""

    def __call__(self, name: int) -> int | None:
        """Where a name leads."""


@dataclass(frozen=True)
class RelocationBounds:
    """a → l + a for a < b."""

    l: int  # noqa: E741
    b: int

    def __call__(self, name: int) -> int | None:
        """Where a name leads."""
        return self.l + name if 0 <= name < self.b else None

    def after(self, inner: RelocationBounds) -> RelocationBounds:
        """The composition with a map that is applied before: again relocation and bounds, so hardware with one R can do it."""
        return RelocationBounds(self.l + inner.l, max(0, min(inner.b, self.b - inner.l)))


@dataclass(frozen=True)
class Pages:
    """Page by page; pages that are not in the table are missing."""

    size: int
    frames: Mapping[int, int] = field(default_factory=dict)

    def __call__(self, name: int) -> int | None:
        """Where a name leads."""
        frame = self.frames.get(name // self.size)
        return None if frame is None else frame * self.size + name % self.size


@dataclass(frozen=True)
class Resolution:
    """Where a name ended up: the names on the way, and who deals with it if a map missed.

    Attributes
    ----------
    path : tuple of int
        The process's name, the guest's resource, that of each monitor's, down to the real one; shorter if a map missed.
    fault : str
        "" if it is real; "exception" if φ missed: the guest's own affair; else "VM fault": of the monitor `level`.
    level : int
        Number of that monitor, 1 being the lowest; 0 if there was no VM fault.
    """

    path: tuple[int, ...]
    fault: str
    level: int


def resolve(phi: Map, *f: Map, name: int) -> Resolution:
    """Apply φ, then the monitors' maps from the innermost to the lowest (f ∘ φ).

    Examples
    --------
    >>> from rtvirt.machine.monitors.maps import Pages, RelocationBounds, resolve
    >>> phi, f2, f1 = RelocationBounds(100, 50), RelocationBounds(300, 1000), RelocationBounds(200, 4000)
    >>> resolve(phi, f2, f1, name=7)
    Resolution(path=(7, 107, 407, 607), fault='', level=0)
    >>> resolve(phi, f2, f1, name=50)
    Resolution(path=(50,), fault='exception', level=0)
    >>> resolve(phi, Pages(64, {1: 5}), Pages(64, {}), name=7)
    Resolution(path=(7, 107, 363), fault='VM fault', level=1)
    """
    path = [name]
    for k, one in enumerate((phi, *f)):
        found = one(path[-1])
        if found is None:
            return Resolution(tuple(path), "VM fault" if k else "exception", len(f) - k + 1 if k else 0)
        path.append(found)
    return Resolution(tuple(path), "", 0)


def inclusive(inner: Map, outer: Map, names: range) -> bool:
    """True if, whenever the inner map finds something, the outer one does: only the innermost fault can occur (rule 7.2).

    A monitor that gives its guest relocation and bounds within its own storage has inclusive maps. Pages are not: any of them may be missing at
    any level.
    """
    return all(outer(found) is not None for found in map(inner, names) if found is not None)
