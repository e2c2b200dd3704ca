"""From what a packet costs to how many there are: rate = min(line, 1 / cost)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from numbers import Real
from typing import Any

from ..errors import Problem, SpecError
from .machines import Machine, machine
from .paths import Path, path_of


@dataclass(frozen=True, repr=False)
class Rate:
    """Packets on a path.

    Attributes
    ----------
    path, machine : str
    mtu : int [bytes]
        Of a packet; rates count it whole, headers included.
    parts : {part: Fraction} [ns]
        Time of the processor a packet, by part.
    exact : Fraction [Mb/s]
    limit : "line" or "processor"
    busy : Fraction
        Share of the processors' time that is used at this rate, 0 to 1.
    """

    path: str
    machine: str
    mtu: int
    parts: Mapping[str, Fraction]
    exact: Fraction
    limit: str
    busy: Fraction

    @property
    def cost(self) -> Fraction:
        """Time of the processor a packet [ns]."""
        return sum(self.parts.values(), Fraction(0))

    @property
    def mbit(self) -> float:
        """The rate [Mb/s]."""
        return float(self.exact)

    @property
    def packets(self) -> float:
        """Packets a second."""
        return float(self.exact * 10**6 / (8 * self.mtu))

    def __repr__(self) -> str:
        return (f"Rate({self.path} on {self.machine}: {self.mbit:.1f} Mb/s in packets of {self.mtu} bytes, {float(self.cost) / 1000:.2f} us each; "
                f"limited by the {self.limit}, busy {float(100 * self.busy):.0f} %)")


def rate(path: str | Path, on: str | Machine = "dell-2650", *, mtu: int = 1500, direction: str = "tx", segment: int | None = None, batch: int = 1,
         processors: float = 1) -> Rate:
    """How much goes through, and what limits it.

    Parameters
    ----------
    path : str or Path
        One of `paths()`, or `hosted(...)`.
    on : str or Machine
        One of `machines()`.
    mtu, direction, segment, batch
        As for `Path.counts`.
    processors : float
        That carry packets side by side: threads of a back end, each on a processor of its own. A fraction is a share of one.

    Returns
    -------
    Rate

    Raises
    ------
    SpecError
        A name that there is not, a number out of range, or a price that was not published.

    Notes
    -----
    The slowest resource decides, and nothing waits for anything else: queues are never empty, nothing is lost. Headers count as data, as in the
    tolerances of the published table: with 40 bytes of headers a packet of 1500 bytes carries 2.7 % less, one of 500 bytes 8 % less.

    Examples
    --------
    >>> rate("native", mtu=500), rate("page_flip", mtu=500)             # doctest: +NORMALIZE_WHITESPACE
    (Rate(native on dell-2650: 602.0 Mb/s in packets of 500 bytes, 6.64 us each; limited by the processor, busy 100 %),
     Rate(page_flip on dell-2650: 516.0 Mb/s in packets of 500 bytes, 7.75 us each; limited by the processor, busy 100 %))
    >>> rate("page_flip")                                               # full frames: the line is slower than the processor
    Rate(page_flip on dell-2650: 897.0 Mb/s in packets of 1500 bytes, 7.75 us each; limited by the line, busy 58 %)
    """
    path, on = path_of(path), machine(on)
    if isinstance(processors, bool) or not isinstance(processors, Real) or not 0 < processors <= 4096:
        raise SpecError([Problem("processors", processors, "above 0, at most 4096", "write for example processors=2", "")])
    parts = {part: n * on.price(part) for part, n in path.counts(mtu=mtu, direction=direction, segment=segment, batch=batch).items() if n}
    cost, line = sum(parts.values(), Fraction(0)), on.capacity(mtu)
    bounds: dict[str, Fraction] = {}
    if line is not None:
        bounds["line"] = line
    if cost:
        bounds["processor"] = Fraction(processors) * mtu * 8000 / cost
    if not bounds:
        raise SpecError([Problem("path", path.name, "a cost above 0, or a line", "nothing limits it: give a price or a line", "")])
    limit: Any = min(bounds, key=lambda name: bounds[name])
    exact = bounds[limit]
    return Rate(path.name, on.name, mtu, parts, exact, limit, exact * cost / (Fraction(processors) * mtu * 8000))


def exits(path: str | Path, **options: Any) -> Fraction:
    """Exits from the guest a packet; options as for `Path.counts`.

    Examples
    --------
    >>> [int(exits(one)) for one in ("virtio", "assigned", "assigned_eli", "polled")], str(exits("virtio", batch=8))
    ([3, 2, 0, 0], '5/4')
    """
    return path_of(path).counts(**options).get("exit", Fraction(0))
