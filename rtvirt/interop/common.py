"""What all formats share: files read safely, every mistake with its line, times in the file's unit."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from ..errors import Problem, SpecError
from ..files import atomically
from ..system import System
from ..units import FACTORS

LARGEST = 10_000_000      # bytes
T = TypeVar("T")


class Imported(NamedTuple):
    """What was read.

    Attributes
    ----------
    system : System
    notes : tuple of str
        What the file says that a System does not carry, and what was changed to fit.
    extra : dict
        What belongs to the file and not to a System: the scheduler's name, the duration [ns] … `write` takes it back.
    """

    system: System
    notes: tuple[str, ...]
    extra: dict[str, Any]


class Reading:
    """A file being read: its mistakes, and what it says in vain."""

    def __init__(self, path: str | Path, unit: str) -> None:
        self.path, self.unit = Path(path), unit
        self.problems: list[Problem] = []
        self.notes: dict[str, None] = {}
        if unit not in FACTORS:
            raise SpecError([Problem("unit", unit, ", ".join(FACTORS), "choose one of these")])

    def text(self) -> str:
        """The file, of a size that can be meant."""
        try:
            if self.path.stat().st_size > LARGEST:
                raise self.refusal(1, "file", f"{self.path.stat().st_size} bytes", f"at most {LARGEST} bytes", "split it")
            return self.path.read_bytes().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise self.refusal(1, "file", "bytes that are not text", "UTF-8 text", f"save it as UTF-8 (byte {error.start})") from None
        except OSError as error:
            raise self.refusal(1, "file", str(self.path), "a readable file", f"the system says: {error.strerror}") from None

    def refusal(self, line: int, field: str, value: Any, allowed: str, fix: str) -> SpecError:
        """An error at a line."""
        return SpecError([Problem(field, value, allowed, fix, f"{self.path.name}:{line}")])

    def problem(self, line: int, field: str, value: Any, allowed: str, fix: str) -> None:
        """Note a mistake, and read on."""
        self.problems += self.refusal(line, field, value, allowed, fix).problems

    def note(self, text: str) -> None:
        """Note what is not carried over; once."""
        self.notes.setdefault(text)

    def time(self, line: int, field: str, value: Any, unit: str | None = None) -> int | None:
        """A time of the file in ns, rounded to the nearest."""
        try:
            if isinstance(value, bool) or len(str(value)) > 60:
                raise ValueError
            exact = Fraction(Decimal(str(value).strip())) * FACTORS[unit or self.unit]
        except (ValueError, ArithmeticError):
            self.problem(line, field, value, f"a number of {unit or self.unit}", "write for example 2.5")
            return None
        if exact.denominator != 1:
            self.note(f"{field} is rounded to whole nanoseconds")
        return int(exact + Fraction(1, 2)) if exact >= 0 else int(exact)

    def number(self, line: int, field: str, value: Any, least: int, most: int) -> int | None:
        """A whole number within bounds."""
        try:
            found = int(str(value).strip()) if not isinstance(value, bool) else least - 1
        except ValueError:
            found = least - 1
        if not least <= found <= most:
            self.problem(line, field, value, f"a whole number, {least} to {most}", "correct it")
            return None
        return found

    def made(self, line: int, make: Callable[[], T]) -> T | None:
        """What `make` makes; its complaints get the line."""
        try:
            return make()
        except SpecError as error:
            self.problems += [problem._replace(where=f"{self.path.name}:{line}") for problem in error.problems]
            return None

    def name(self, text: str, taken: set[str]) -> str:
        """A name that a System can have, as near to the file's as possible."""
        found = re.sub(r"[^A-Za-z0-9_.-]", "_", text.strip())[:56] or "t"
        found = found if found[0].isalpha() else f"t{found}"
        plain, k = found, 1
        while found in taken:
            k += 1
            found = f"{plain}_{k}"
        taken.add(found)
        if found != text:
            self.note(f"{text!r} is called {found!r}: names are letters, digits, . _ - and used once")
        return found

    def close(self) -> None:
        """Raise what was noted as wrong."""
        if self.problems:
            raise SpecError(self.problems)


def amount(t: int, unit: str) -> str:
    """A time in a unit, exactly."""
    return f"{(Decimal(int(t)) / FACTORS[unit]).normalize():f}"


def put(path: str | Path, text: str) -> None:
    """Write a file, all of it or nothing."""
    atomically(Path(path), lambda file: file.write_text(text, encoding="utf-8"))


def lost(thing: Any, kept: set[str], where: str) -> list[str]:
    """One line for each field of a specification that is not at its default, and not among those a format carries."""
    defaults = type(thing).model_fields
    fields = [name for name, value in thing if name not in kept and value != defaults[name].default]
    return [f"{where}: {name} = {getattr(thing, name)!r} is not carried" for name in fields]
