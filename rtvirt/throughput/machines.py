"""Machines: what parts cost there [ns] and what the line carries, each price with the rows it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache
from numbers import Real
from typing import Any

from ..datafolder import path
from ..errors import Problem, SpecError
from ..traps.calibrate import Equation, fit
from ..traps.checks import choose
from .paths import PARTS
from .rows import STRONG, TIMES, Row, row, rows

FRAME = 38        # bytes around a packet on Ethernet: preamble 8, header 14, check 4, gap 12 (IEEE 802.3)
UNIT = 1000       # ns, of machines of which only ratios are known


@dataclass(frozen=True)
class Machine:
    """Prices of parts [ns], and the line."""

    name: str
    label: str
    year: int = 0
    line: Fraction | None = None                          # Mb/s, frames included; None: not what limits
    frame: int = FRAME                                    # bytes around each packet
    prices: Mapping[str, int] = field(default_factory=dict)
    origin: Mapping[str, str] = field(default_factory=dict)
    evidence: str = "own"                                 # the weakest that a price rests on

    def price(self, part: str) -> int:
        """Nanoseconds of a part; SpecError when nothing was published for it on this machine."""
        if part not in self.prices:
            raise SpecError([Problem(f"machine {self.name!r}: {part}", None, f"ns of: {PARTS[part]}",
                                     f"no published row has it; choose another machine, or machine(...).change({part}=1000). "
                                     f"Known here: {', '.join(sorted(self.prices)) or 'nothing'}", "")])
        return self.prices[part]

    def capacity(self, mtu: int) -> Fraction | None:
        """What the line carries in packets of so many bytes [Mb/s].

        Examples
        --------
        >>> float(machine("dell-2650").capacity(1500)), round(float(machine("dell-2650").capacity(500)), 1)
        (897.0, 854.8)
        """
        return None if self.line is None else self.line * mtu / (mtu + self.frame)

    def change(self, *, line: float | None = None, **prices: float) -> Machine:
        """A copy with other prices [ns], or another line [Mb/s]: to ask what if, or to fill in what was not published.

        Examples
        --------
        >>> machine("dell-2650").change(flip=2000).price("flip")
        2000
        """
        new = {choose("part", part, PARTS): nanoseconds(part, value) for part, value in prices.items()}
        if line is not None and (isinstance(line, bool) or not isinstance(line, Real) or not 0 < line < 1e9):
            raise SpecError([Problem("line", line, "above 0 Mb/s, below 10^9", "write for example line=10_000", "")])
        return replace(self, line=self.line if line is None else Fraction(str(line)), prices={**self.prices, **new},
                       origin={**self.origin, **dict.fromkeys(new, "set by the caller")})


def nanoseconds(field_: str, value: Any) -> int:
    """A price [ns]: not negative, rounded to whole ones."""
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= value < 2**53:
        raise SpecError([Problem(field_, value, "ns, 0 to 2^53", "give a price that is not negative, for example 1100", "")])
    return round(value)


def machine(name: str | Machine) -> Machine:
    """A machine by name; SpecError with the near ones if there is none."""
    return name if isinstance(name, Machine) else calibrated()[choose("machine", name, calibrated())]


def wire_time(mtu: int, mbit: float) -> Fraction:
    """Time a packet [ns] at a rate [Mb/s] that counts packets whole."""
    return Fraction(mtu * 8000) / Fraction(str(mbit))


def measured(one: Row, line: Fraction | None) -> Fraction:
    """A row's value as time a packet [ns]."""
    value = Fraction(str(one.value))
    if one.model == "rate":
        return wire_time(one.mtu, one.value)
    if one.model == "idle":
        assert line is not None
        return (1 - value / 100) * one.mtu * 8000 / line
    if one.model == "million":
        return value * 1000                                  # s for 10^6 of them
    return value * TIMES[one.unit]


@lru_cache(maxsize=1)
def calibrated() -> dict[str, Machine]:
    """All machines, their prices fitted."""
    import yaml

    found: dict[str, Machine] = {}
    for name, entry in yaml.safe_load(path("throughput/machines.yaml").read_text(encoding="utf-8")).items():
        found[name] = calibrate(name, entry, [one for one in rows() if one.machine == name], found)
    return found | {one.name: one for one in (assigned(), between_vms())}


def calibrate(name: str, entry: Mapping[str, Any], mine: list[Row], others: Mapping[str, Machine]) -> Machine:
    """Prices from the rows that are fit, given or native and have counts; least squares where there are more rows than prices."""
    used = [one for one in mine if one.role in ("fit", "given", "native") and one.counts and one.model != "line"]
    line, frame = (Fraction(entry["line"]), 0) if "line" in entry else (None, FRAME)
    for one in mine:
        if one.model == "line":
            line = Fraction(str(one.value)) * (one.mtu + FRAME) / one.mtu
    known = {part: others[other].price(part) for part, other in entry.get("borrowed", {}).items()}
    origin = {part: f"borrowed from {other}" for part, other in entry.get("borrowed", {}).items()}
    if name == "xen-2.0":
        known["send"], origin["send"] = bare_from_ratios(), "given by rows 32, 33, 38"
    equations = []
    for one in used:
        counts = {part: n for part, n in one.parts.items() if part not in known}
        value = measured(one, line) - sum(n * known.get(part, 0) for part, n in one.parts.items())
        equations.append(Equation(one.number, counts, float(value)))
    solved = fit(equations, name)
    weak = {one.evidence for one in used} - set(STRONG)
    origin |= {part: ("given by " if weak else "fit on ") + ("row " if len(where) == 1 else "rows ") + ", ".join(map(str, where))
               for part, where in solved.rows.items()}
    return Machine(name, entry["label"], entry["year"], line, frame, {**known, **solved.constants}, origin, ", ".join(sorted(weak)) or "primary")


def bare_from_ratios() -> int:
    """The bare system's send under Xen 2.0's measurements [ns]: 4.4 times the guest's first rate is 12 % below it."""
    first, gain, below = (row("split_io", number) for number in (38, 32, 33))
    return round(wire_time(first.mtu, first.value * gain.value / (1 - below.value / 100)))


def assigned() -> Machine:
    """A device of the guest's own, in units of a packet's bare cost: its exits take what is missing from the bare machine's rate."""
    share = row("split_io", 45).value / 100
    return Machine("assigned", "x86, KVM device assignment; only ratios are known (2012)", 2012,
                   prices={"send": UNIT, "exit": round(UNIT * (1 / share - 1) / 2)},
                   origin={"send": "the unit", "exit": "given by row 45"}, evidence="secondary")


def between_vms() -> Machine:
    """From VM to VM, in units of a switch: the driver domain's bridge is what the round trip through shared memory saves beside its switch."""
    factor = row("split_io", 51).value
    return Machine("between-vms", "dual core, Xen 3.1; only ratios are known (2008)", 2008,
                   prices={"switch": UNIT, "bridge": round(UNIT * (factor - 2))},
                   origin={"switch": "the unit", "bridge": "fit on row 51"}, evidence="primary")
