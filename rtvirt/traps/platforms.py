"""Platforms: constants of machines [cycles], each with the rows it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache
from typing import Any

from ..datafolder import path
from ..errors import Problem, SpecError
from .calibrate import Equation, expand, fine_parts, fit, natives_of, to_cycles
from .checks import choose, cycles, table
from .operations import OPERATIONS
from .parts import PARTS
from .rows import STRONG, Row, rows
from .structures import STRUCTURES, Structure


@dataclass(frozen=True)
class Platform:
    """A machine: what its parts and its native operations cost. Costs are whole cycles."""

    name: str
    label: str
    year: int = 0
    clock_mhz: Fraction | None = None                    # None: not published
    constants: Mapping[str, int] = field(default_factory=dict)
    natives: Mapping[str, int] = field(default_factory=dict)      # by operation, or by the name of a published variant
    origin: Mapping[str, str] = field(default_factory=dict)       # constant -> "fit on rows 105, 106"
    fine: frozenset[str] = frozenset()
    alias: Mapping[str, str] = field(default_factory=dict)
    evidence: str = "own"                                # the weakest that a constant rests on
    structures: tuple[Structure, ...] = ()               # that were measured there

    def constant(self, part: str) -> int:
        """Cycles of a part.

        Raises
        ------
        SpecError
            When nothing was published for it on this machine.
        """
        if part not in self.constants:
            raise SpecError([Problem(f"platform {self.name!r}: {part}", None, f"cycles of: {PARTS[part].what}",
                                     f"no row of trap_costs.csv has it; choose another platform, or platform(...).change({part}=1000). "
                                     f"Known here: {', '.join(sorted(self.constants)) or 'nothing'}")])
        return self.constants[part]

    def native(self, operation: str) -> int | None:
        """Cycles of an operation on the bare machine; None if not published."""
        return self.natives.get(operation)

    def parts(self, counts: Mapping[str, int]) -> dict[str, int]:
        """Counts with composite parts replaced by finer ones, where those were measured here."""
        return expand(counts, self.fine, self.alias)

    def price(self, counts: Mapping[str, int]) -> int:
        """Cycles of so many parts; SpecError for one whose constant was not published."""
        return sum(n * self.constant(part) for part, n in self.parts(counts).items())

    def change(self, *, clock_mhz: float | None = None, natives: Mapping[str, float] | None = None, **constants: float) -> Platform:
        """A copy with other constants [cycles]: to ask what if, or to fill in what was not published.

        Examples
        --------
        >>> platform("p4-672").change(vm_entry=937).constant("vm_entry")
        937
        """
        new = {choose("constant", name, PARTS): cycles(name, value) for name, value in constants.items()}
        clock = self.clock_mhz if clock_mhz is None else as_clock(clock_mhz)
        known = (*OPERATIONS, *self.natives)
        own = {choose("native", name, known): cycles(f"natives[{name!r}]", value)
               for name, value in table("natives", natives or {}, "cycles by operation").items()}
        return replace(self, clock_mhz=clock, constants={**self.constants, **new}, natives={**self.natives, **own},
                       origin={**self.origin, **dict.fromkeys(new, "set by the caller")})


def as_clock(clock_mhz: Any) -> Fraction:
    """A clock rate [MHz], above 0."""
    if isinstance(clock_mhz, bool) or not isinstance(clock_mhz, (int, float, Fraction)) or not 0 < clock_mhz < 1e6:
        raise SpecError([Problem("clock_mhz", clock_mhz, "above 0, below 1,000,000 MHz", "write for example clock_mhz=2400")])
    return Fraction(str(clock_mhz))


def platform(name: str | Platform) -> Platform:
    """A platform by name; SpecError with the near ones if there is none."""
    return name if isinstance(name, Platform) else calibrated()[choose("platform", name, calibrated())]


@lru_cache(maxsize=1)
def calibrated() -> dict[str, Platform]:
    """All platforms, their constants fitted."""
    import yaml

    found: dict[str, Platform] = {}
    for name, entry in yaml.safe_load(path("traps/platforms.yaml").read_text(encoding="utf-8")).items():
        found[name] = calibrate(name, entry, [row for row in rows() if row.platform == name], found)
    return found


def calibrate(name: str, entry: Mapping[str, Any], mine: list[Row], others: Mapping[str, Platform]) -> Platform:
    """Constants from the rows with the role fit or given; what contains another, is borrowed or stands for another, as the entry says."""
    clock = Fraction(str(entry["clock_mhz"])) if "clock_mhz" in entry else None
    fine, alias, natives = fine_parts(mine), entry.get("alias", {}), natives_of(mine, float(clock or 0))
    assumed = {**entry.get("assumed", {}), **{part: others[other].price({part: 1}) for part, other in entry.get("borrowed", {}).items()}}
    equations = []
    used = [row for row in mine if row.role in ("fit", "given") and "whole number" not in row.reason]
    for row in used:
        counts = {part: n for part, n in expand(row.parts(), fine, alias).items() if part not in assumed}
        value = to_cycles(row.value, row.unit, float(clock or 0))
        value -= sum(n * assumed.get(part, 0) for part, n in expand(row.parts(), fine, alias).items())
        if row.native in natives:
            value -= natives[row.native]
        elif row.native:
            counts[f"native {row.native}"] = 1
        equations.append(Equation(row.number, counts, value))
    solved = fit(equations, name)
    own = {part.removeprefix("native "): value for part, value in solved.constants.items() if part.startswith("native ")}
    constants = {part: value for part, value in solved.constants.items() if not part.startswith("native ")}
    natives |= own | stated(entry.get("stated_natives", {}), clock)
    natives |= {operation: natives[key] for operation, key in entry.get("natives", {}).items()}
    weak = {row.evidence for row in used} - set(STRONG)
    origin = {part: ("fit on rows " if not weak else "given by rows ") + ", ".join(map(str, where)) for part, where in solved.rows.items()}
    origin |= {part: f"stated by {where}" for part, (_, _, where) in entry.get("stated", {}).items()}
    origin |= dict.fromkeys(entry.get("assumed", {}), "contained in another constant") | \
        {part: f"borrowed from {other}" for part, other in entry.get("borrowed", {}).items()}
    constants |= assumed | stated(entry.get("stated", {}), clock)
    return Platform(name, entry["label"], entry["year"], clock, constants, natives, origin, fine, alias,
                    ", ".join(sorted(weak)) or "primary", tuple(made(one) for one in entry.get("structures", ())))


def made(entry: str | Mapping[str, Any]) -> Structure:
    """A structure from its name, or {name: options}."""
    (name, options), = entry.items() if isinstance(entry, Mapping) else [(entry, {})]
    return STRUCTURES[name](**options)


def stated(entries: Mapping[str, Any], clock: Fraction | None) -> dict[str, int]:
    """Constants [cycles] that a source gives as they are: [value, unit, where]."""
    return {part: round(to_cycles(value, unit, float(clock or 0))) for part, (value, unit, _) in entries.items()}
