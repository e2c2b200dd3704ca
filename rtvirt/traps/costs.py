"""What an operation costs: the sum of counts times constants, in whole cycles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import Problem, SpecError
from .checks import choose, numbers, table
from .crossings import Crossings, crossings, structure_of
from .operations import OPERATIONS
from .parts import NATIVE
from .platforms import Platform, platform
from .structures import Structure


@dataclass(frozen=True, repr=False)
class Cost:
    """Cycles of an operation under a structure on a platform.

    `cycles` counts the native operation too, where it is done and was published; `overhead` is what the structure adds (negative
    where it replaces something dearer).
    """

    operation: str
    structure: str
    platform: Platform
    crossings: Crossings
    parts: Mapping[str, int]             # [cycles], the native cost among them
    native: int | None                   # [cycles] on the bare machine; None: not published
    unknown: tuple[str, ...] = ()        # parts without a constant: `cycles` is then a lower bound

    @property
    def cycles(self) -> int:
        """All of it `int [cycles]`."""
        return sum(self.parts.values())

    @property
    def overhead(self) -> int:
        """What the structure adds to the bare machine's cost `int [cycles]`; an upper bound where a replaced native cost is not published."""
        return self.cycles - (self.native or 0)

    @property
    def exact_ns(self) -> Fraction:
        """All of it [ns], exactly; SpecError where the clock was not published."""
        if self.platform.clock_mhz is None:
            raise SpecError([Problem(f"platform {self.platform.name!r}: clock_mhz", None, "MHz",
                                     "its source does not state the clock: use cycles, or platform(...).change(clock_mhz=2400)")])
        return self.cycles * 1000 / self.platform.clock_mhz

    @property
    def ns(self) -> int:
        """All of it `int [ns]`, rounded up: a cost that enters a bound must not be too small."""
        return -(-self.exact_ns.numerator // self.exact_ns.denominator)

    def __repr__(self) -> str:
        inside = " + ".join(f"{name} {value}" for name, value in self.parts.items()) or "nothing"
        time = f" = {float(self.exact_ns):.1f} ns" if self.platform.clock_mhz else ""
        bare = "native cost not published" if self.native is None else f"native {self.native}"
        bare += f"; at least: not published {', '.join(self.unknown)}" if self.unknown else ""
        return (f"Cost({self.operation}, {self.structure}, {self.platform.name}: {self.cycles} cycles{time}; {inside}; "
                f"{self.crossings.transitions} transitions; {bare})")


def cost(structure: str | Structure, platform_: str | Platform, operation: str, *, times: int = 1,
         partial: bool = False) -> Cost:
    """What an operation costs.

    Parameters
    ----------
    structure : str or Structure
        A name of `structures()`, or one with options.
    platform_ : str or Platform
        A name of `platforms()`, or one changed with ``platform(name).change(...)``.
    operation : str
        A name of `operations()`.
    times : int
        How often, in a row.
    partial : bool
        Leave out parts without a constant, and say so in ``.unknown``, instead of refusing.

    Returns
    -------
    Cost
        ``.cycles``, ``.ns`` (rounded up), ``.parts``, ``.overhead``, ``.crossings``.

    Raises
    ------
    SpecError
        For an unknown name, or a constant that was not published for the platform.

    Notes
    -----
    Linear: caches and TLBs that a crossing leaves cold are in the constants as measured, not modelled (see `rtvirt.machine.cycles`).

    Examples
    --------
    >>> cost("binary_translation", "p4-672", "system_call")
    Cost(system_call, binary_translation, p4-672: 2272 cycles = 597.9 ns; native 242 + trap_emulate 2030; 1 transitions; native 242)
    >>> cost("hardware_assist", "p4-672", "system_call").overhead
    0
    """
    machine, counts = platform(platform_), crossings(structure, operation, times=times)
    key = choose("operation", operation, OPERATIONS)
    bare = machine.native(key)
    parts: dict[str, int] = {}
    for part, n in machine.parts(counts).items():
        if part == NATIVE:
            parts |= {} if bare is None else {NATIVE: n * bare}
        elif part in machine.constants or not partial:
            parts[part] = n * machine.constant(part)
    unknown = tuple(part for part in machine.parts(counts.added) if part not in parts)
    return Cost(key, structure_of(structure).label, machine, counts, parts, None if bare is None else bare * times, unknown)


def mix(rates: Mapping[str, Any], structure: str | Structure, platform_: str | Platform, *, partial: bool = False) -> npt.NDArray[np.float64] | float:
    """Overhead of a mix of operations [cycles per unit of the rates], for numbers or arrays of rates that broadcast.

    Parameters
    ----------
    rates : dict of str to array_like
        How often each operation happens, per second for example; not negative.
    structure, platform_ : str or objects
        As for `cost`.
    partial : bool
        As for `cost`: the result is then a lower bound.

    Raises
    ------
    SpecError
        For a negative rate, an unknown name, or a constant that was not published.

    Examples
    --------
    >>> float(mix({"system_call": 1000, "interrupt_mask": 10}, "binary_translation", "p4-672"))
    2029750.0
    """
    total: Any = 0.0
    values = {name: numbers(f"rates[{name!r}]", rate) for name, rate in table("rates", rates, "rates by operation").items()}
    try:
        np.broadcast_shapes(*(each.shape for each in values.values()))
    except ValueError:
        shapes = ", ".join(f"{name} {each.shape}" for name, each in values.items())
        raise SpecError([Problem("rates", shapes, "shapes that broadcast", "give one axis to each: rates[:, None], rates[None, :]")]) from None
    for name, each in values.items():
        total = total + each * float(cost(structure, platform_, name, partial=partial).overhead)
    return total
