"""Errors that say what is wrong, what is allowed, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple


class Problem(NamedTuple):
    """One mistake in what was asked for."""

    field: str                # vms[modem].tasks[slot].wcet
    value: Any                # what was given
    allowed: str              # what may be given
    fix: str                  # what to do
    where: str = ""           # phone.yaml:12

    def __str__(self) -> str:
        value = repr(self.value)
        if len(value) > 60:
            value = value[:57] + "..."
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.field} is {value}; allowed: {self.allowed}; {self.fix}"


class RtvirtError(Exception):
    """Base of the package's errors."""


class SpecError(RtvirtError, ValueError):
    """A description that makes no sense: every problem found, one a line, in `problems`."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled by its problems, so that it can come back from another process."""
        return type(self), (self.problems,), self.__dict__


class RecordError(RtvirtError):
    """A table was asked for that the run did not record."""


class LimitError(RtvirtError, OverflowError):
    """A question whose numbers do not fit 64 bits, or whose answer takes too many steps: not answered, rather than answered wrongly."""
