"""What the sufficient tests show when they do not accept."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from ...units import format_ns


@dataclass(frozen=True)
class Dense:
    """The densities sum up to more than what a task of the largest one leaves for certain."""

    density: Fraction
    largest: Fraction
    room: Fraction
    task: str                 # whose density is the largest

    def why(self) -> str:
        """In words."""
        return (f"the densities sum up to {float(self.density):.6g}; beside {self.task!r}, whose density is {float(self.largest):.6g}, "
                f"there is room for {float(self.room):.6g}")


@dataclass(frozen=True)
class Crowded:
    """A task that may have to wait too long: in a window, the others may `take` so much processor time [ns] that it is not sure to finish."""

    task: str
    window: int
    taken: Fraction
    room: Fraction

    def why(self) -> str:
        """In words."""
        return (f"in a window of {format_ns(self.window)} after a release of {self.task!r} up to {format_ns(int(self.taken))} may be taken on all "
                f"pCPUs, and the test allows {format_ns(int(self.room))}")
