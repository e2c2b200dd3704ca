"""What all supplies have in common: the least supply in a window, its inverse, and a straight line below it."""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from ...errors import LimitError, Problem, SpecError
from ...units import LONGEST, format_ns
from ..limits import NEVER, whole_times
from ..pattern import GAIN, LESS, PERIOD, START, UNIT, Pattern, inverse_of, supply_of


class Supply:
    """Processor time that is surely received in a window of time, wherever it begins.

    A subclass builds a `pattern`. All times and amounts are integer nanoseconds.
    """

    @cached_property
    def pattern(self) -> Pattern:
        """The supply as kernels read it."""
        raise NotImplementedError

    def sbf(self, t: Any) -> Any:
        """Least supply in a window of length `t`: the supply bound function.

        Parameters
        ----------
        t : int or array of int [ns]

        Returns
        -------
        int or (…) int64 [ns]
            0 for t <= 0.

        Raises
        ------
        LimitError
            Beyond 2^62.
        """
        times = whole_times(t, "t")
        out = np.empty(times.size, np.int64)
        supply_of(self.pattern, times.ravel(), out)
        if (out < 0).any():
            raise LimitError(f"{self!r}.sbf: more than 2^62 ns of supply")
        return out.reshape(times.shape) if times.shape else int(out[0])

    def inverse(self, work: Any) -> Any:
        """Length of the smallest window that surely receives `work`: the least t with ``sbf(t) >= work``.

        Parameters
        ----------
        work : int or array of int [ns]

        Returns
        -------
        int or None, or (…) int64 [ns]
            None, in arrays 2^62, where there is no such window (up to 2^61 ns).

        Raises
        ------
        LimitError
            It takes too many steps.
        """
        amounts = whole_times(work, "work")
        out = np.empty(amounts.size, np.int64)
        inverse_of(self.pattern, amounts.ravel(), out)
        if (out > NEVER).any():
            raise LimitError(f"{self!r}.inverse: no answer after many steps; more important work leaves almost nothing")
        if amounts.shape:
            return out.reshape(amounts.shape)
        return None if out[0] == NEVER else int(out[0])

    @cached_property
    def rate(self) -> Fraction:
        """Supply per time in the long run, in pCPUs."""
        form, less = self.pattern.form, self.pattern.less
        given = Fraction(int(form[GAIN]), int(form[PERIOD]))
        return given - sum((Fraction(int(c), int(t)) for c, t in zip(less.cost, less.period) if t < NEVER), Fraction(0))

    @cached_property
    def delay(self) -> Fraction:
        """The least d with ``sbf(t) >= rate·(t − d)`` for all t [ns]; with more important work, one that suffices."""
        pattern, given = self.pattern, Fraction(int(self.pattern.form[GAIN]), int(self.pattern.form[PERIOD]))
        if self.rate <= 0:
            return Fraction(0)
        end, unit = int(pattern.form[START] + pattern.form[PERIOD]), int(pattern.form[UNIT])
        corners = [(int(at), Fraction(int(work))) for at, work in zip(pattern.at, pattern.work)]
        if unit == 1:
            corners.append((end, corners[-1][1] + int(pattern.slope[-1]) * (end - corners[-1][0])))
        own = max(at - work / given for at, work in corners)
        # ceil(x/T) <= (x + T - 1)/T: what is taken away is below a straight line, too
        taken = [(int(c), int(t), int(o)) for c, t, o in zip(pattern.less.cost, pattern.less.period, pattern.less.offset)]
        lost = sum((Fraction(c * (t - 1 - o), t) if t < NEVER else Fraction(c) for c, t, o in taken), Fraction(0))
        return (given * own + lost) / self.rate

    def lsbf(self, t: Any) -> Any:
        """A straight line below `sbf`: ``max(0, floor(rate·(t − delay)))``, from exact fractions.

        Parameters
        ----------
        t : int or array of int [ns]

        Returns
        -------
        int or (…) int64 [ns]
        """
        times = whole_times(t, "t")
        values = [max(0, int(self.rate * (x - self.delay) // 1)) for x in times.ravel().tolist()]
        if any(value >= NEVER for value in values):
            raise LimitError(f"{self!r}.lsbf: more than 2^62 ns of supply")
        return np.array(values, np.int64).reshape(times.shape) if times.shape else values[0]

    @property
    def interference(self) -> list[tuple[int, int, int]]:
        """(work, period, jitter) [ns] that less important ones see of it, when it uses all it may."""
        raise SpecError([Problem("higher", self, "a server with a budget and a period, tasks, or (budget, period, jitter)",
                                 "describe what the more important partition may use at most")])

    def has_less(self) -> bool:
        """True if more important work is part of it."""
        return bool(self.pattern.form[LESS])


COUNTS = frozenset(("cpus", "full", "mcu_advance", "vcpus", "warp", "weight"))     # parameters that are no times


def check_times(name: str, **values: tuple[Any, int, int, str]) -> None:
    """Refuse parameters that are no integers within [low, high], of ns but for `COUNTS`; each is given as (value, low, high, what `high` is)."""
    found = []
    for field, (value, low, high, reason) in values.items():
        whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
        if not whole or not low <= value <= high:
            ends = (f"{low:,}", f"{high:,}") if field in COUNTS else (format_ns(low), "2^53 ns (104 days)" if high == LONGEST else format_ns(high))
            allowed = " to ".join(ends) + (f" ({reason})" if reason else "")
            fix = "choose one of these" if whole else "give a whole number" if field in COUNTS else "give integer nanoseconds, for example ms(5)"
            found.append(Problem(f"{name}.{field}", value, allowed, fix))
    if found:
        raise SpecError(found)
