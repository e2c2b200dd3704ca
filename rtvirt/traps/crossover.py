"""Crossovers: for which mixes of two operations one structure is cheaper than another. Both are linear, so the border is a line."""

from __future__ import annotations

from fractions import Fraction
from numbers import Real
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..errors import Problem, SpecError
from .checks import whole_number
from .costs import cost
from .crossings import crossings, structure_of
from .parts import NATIVE
from .platforms import Platform, platform
from .structures import Structure

MOST_POINTS = 4000       # on an axis: a map of 128 MB


class Crossover(NamedTuple):
    """How much more `a` costs than `b`, over a grid of rates."""

    a: str
    b: str
    x: str                                       # operations
    y: str
    rates_x: npt.NDArray[np.float64]             # (n,) per unit of time
    rates_y: npt.NDArray[np.float64]
    difference: npt.NDArray[np.float64]          # (ny, nx) cycles per unit of time: above 0 where b is cheaper
    per_x: int                                   # cycles that one x costs more under a
    per_y: int

    @property
    def slope(self) -> Fraction | None:
        """x per y at which both cost the same; None where one of them is cheaper for every mix.

        `a` is cheaper on the side of the operation that it does for less.
        """
        if self.per_x * self.per_y >= 0:
            return None
        return Fraction(-self.per_y, self.per_x)

    def __repr__(self) -> str:
        border = f"equal at {float(self.slope):.3g} {self.x} per {self.y}" if self.slope is not None else \
            f"{self.a if self.per_x + self.per_y < 0 else self.b} is never dearer"
        return f"Crossover({self.a} - {self.b}: {self.per_x:+d} cycles a {self.x}, {self.per_y:+d} a {self.y}; {border})"


def crossover(a: str | Structure, b: str | Structure, platform_: str | Platform, *, x: str, y: str, most_x: float = 1e6,
              most_y: float = 1e6, points: int = 1000, platform_b: str | Platform | None = None) -> Crossover:
    """Where structure `a` overtakes `b`. Parts that both have on one machine cancel: their constants need not be known.

    Parameters
    ----------
    a, b : str or Structure
        Structures to compare.
    platform_ : str or Platform
        The machine; `platform_b` for `b` if it is another: its time is then counted in cycles of the first.
    x, y : str
        Operations.
    most_x, most_y : float
        Rates go from 0 to these.
    points : int
        Points on each axis, at most 4000.

    Returns
    -------
    Crossover
        The map, and the line in closed form: ``.slope``.

    Raises
    ------
    SpecError
        For unknown names, constants not published, or a range that is empty.

    Examples
    --------
    >>> crossover("hardware_assist", "binary_translation", "p4-672", x="system_call", y="page_fault", points=3)
    Crossover(hardware_assist - binary_translation: -2030 cycles a system_call, +2310 a page_fault; equal at 1.14 system_call per page_fault)
    >>> crossover("trap_and_emulate", "binary_translation", "p4-672", x="interrupt_mask", y="register_read", points=3)
    Crossover(trap_and_emulate - binary_translation: +1995 cycles a interrupt_mask, +1814 a register_read; binary_translation is never dearer)
    >>> crossover("paravirtual", "hardware_assist_today", "xeon-5540", platform_b="e5-2450", x="page_fault", y="kernel_io", points=3)
    Crossover(paravirtual - hardware_assist_today: +1114 cycles a page_fault, -2533 a kernel_io; equal at 2.27 page_fault per kernel_io)
    """
    for field, most in (("most_x", most_x), ("most_y", most_y)):
        if isinstance(most, bool) or not isinstance(most, Real) or not 0 < most < float("inf"):
            raise SpecError([Problem(field, most, "a number above 0", "write for example 100_000")])
    whole_number("points", points, 2, MOST_POINTS)
    one, other = platform(platform_), platform(platform_ if platform_b is None else platform_b)
    per_x, per_y = (difference(a, b, one, other, operation) for operation in (x, y))
    across, up = np.linspace(0, most_x, points), np.linspace(0, most_y, points)
    return Crossover(structure_of(a).label, structure_of(b).label, x, y, across, up, per_y * up[:, None] + per_x * across[None, :], per_x, per_y)


def clocks(one: Platform, other: Platform) -> Fraction:
    """Cycles of `one` that pass in a cycle of `other`."""
    if one.name == other.name and one.clock_mhz == other.clock_mhz:
        return Fraction(1)
    for field, machine in (("platform_", one), ("platform_b", other)):
        if machine.clock_mhz is None:
            raise SpecError([Problem(field, machine.name, "a machine whose clock is published, to compare it with another",
                                     f"rv.traps.platform({machine.name!r}).change(clock_mhz=...)")])
    assert one.clock_mhz is not None and other.clock_mhz is not None
    return one.clock_mhz / other.clock_mhz


def difference(a: str | Structure, b: str | Structure, one: Platform, other: Platform, operation: str) -> int:
    """Cycles that an operation costs more under `a` than under `b`."""
    if one is not other:
        return cost(a, one, operation).overhead - round(cost(b, other, operation).overhead * clocks(one, other))
    mine, theirs = (one.parts(crossings(structure, operation)) for structure in (a, b))
    bare = one.native(operation) or 0            # where it is not published, a replaced native cost counts nothing
    return sum((mine.get(part, 0) - theirs.get(part, 0)) * (bare if part == NATIVE else one.constant(part))
               for part in {**mine, **theirs} if mine.get(part, 0) != theirs.get(part, 0))
