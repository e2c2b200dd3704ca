"""A verdict: schedulable or not, and the witness that shows why not."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from ..units import format_ns


@dataclass(frozen=True)
class Overload:
    """More work comes than the supply brings, in the long run."""

    utilization: Fraction
    rate: Fraction
    tasks: tuple[str, ...]

    def why(self) -> str:
        """In words."""
        return (f"the tasks {', '.join(self.tasks)} need {float(self.utilization):.6g} of a pCPU in the long run, and the supply brings "
                f"{float(self.rate):.6g}")


@dataclass(frozen=True)
class Endless:
    """A task whose work or arrivals have no bound, and that others must wait for."""

    task: str

    def why(self) -> str:
        """In words."""
        return f"there is no bound on how much {self.task!r} may ask for: it is a hog, or its arrivals are not bounded"


@dataclass(frozen=True)
class FirstMiss:
    """A task whose response has a bound beyond its deadline, and the steps to the fixed point of the job that is late.

    Each step is (window [ns], work asked for in it [ns]); the next window is the smallest that brings that work.
    """

    task: str
    deadline: int
    bound: int
    job: int
    steps: tuple[tuple[int, int], ...]

    def why(self) -> str:
        """In words."""
        job = f"job {self.job + 1} of a busy period of {self.task!r}" if self.job else repr(self.task)
        walk = ", ".join(f"{format_ns(window)} asks for {format_ns(work)}" for window, work in shortened(self.steps))
        return f"{job} may take {format_ns(self.bound)}, its deadline is {format_ns(self.deadline)}: {walk}"


@dataclass(frozen=True)
class ViolatingInterval:
    """A window in which more must be finished than the supply surely brings."""

    length: int
    demand: int
    supply: int
    parts: dict[str, int] = field(default_factory=dict)

    def why(self) -> str:
        """In words."""
        parts = ", ".join(f"{name} {format_ns(work)}" for name, work in self.parts.items() if work)
        return (f"in a window of {format_ns(self.length)} the deadlines ask for {format_ns(self.demand)} ({parts}), and the supply surely brings "
                f"{format_ns(self.supply)}")


@dataclass(frozen=True)
class Verdict:
    """Whether a test holds; true if so.

    Attributes
    ----------
    schedulable : bool
    test : str
        Which test, in the terms of the field.
    bounds : {name: int or None} [ns]
        Response bounds, where the test computes them.
    witness : object, optional
        Of a negative verdict: `FirstMiss`, `ViolatingInterval`, `Overload`, `Endless`.
    exact : bool
        False if a negative verdict does not mean that a deadline can really be missed.
    """

    schedulable: bool
    test: str
    bounds: dict[str, int | None] = field(default_factory=dict)
    witness: Any = None
    exact: bool = True

    def __bool__(self) -> bool:
        return self.schedulable

    def why(self) -> str:
        """The reason, in words."""
        if self.schedulable:
            return f"{self.test}: every deadline is met"
        return f"{self.test}: {self.witness.why()}" + ("" if self.exact else "; the test is sufficient, not exact")


def shortened(steps: tuple[tuple[int, int], ...], most: int = 6) -> tuple[tuple[int, int], ...]:
    """The first and the last steps of a long walk."""
    return steps if len(steps) <= most else steps[:most // 2] + steps[-(most // 2):]
