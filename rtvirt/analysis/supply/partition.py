"""What more important partitions leave of a pCPU, or of any other supply."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any

from ...errors import Problem, SpecError
from ...system import VM, Task
from ..limits import NEVER
from ..pattern import Pattern
from ..requests import make_rows
from ..tasksets import taskset
from .base import Supply, check_times
from .simple import Dedicated


@dataclass(frozen=True)
class FixedPriorityPartition(Supply):
    """What is left for a partition when `higher` ones of more importance run first, preemptively.

    Parameters
    ----------
    higher : sequence
        Servers (their budgets), tasks, VMs (their tasks), or (budget, period, jitter) [ns]; below 0, a jitter says
        by how much the first comes later than a window may begin.
    on : Supply
        What they share; a dedicated pCPU unless given.

    Notes
    -----
    To receive w takes the least t with ``on.sbf(t) >= w + their requests in t``: a response time. ``sbf(t)`` is the largest w for which that is
    within t, which is what real-time calculus writes as the supremum over u <= t of (on.sbf(u) − requests(u)). Offsets between the partitions are
    left out. A hog, or a task with unbounded arrivals, leaves nothing.

    References
    ----------
    Thiele, Chakraborty and Naedele, Real-time calculus for scheduling hard real-time systems, ISCAS 2000; Davis and Burns, RTSS 2005.

    Examples
    --------
    >>> from rtvirt.analysis import DeferrableServer
    >>> FixedPriorityPartition([(2, 5, 0)]).sbf([2, 3, 5, 7, 8]).tolist()
    [0, 1, 3, 3, 4]
    >>> FixedPriorityPartition([DeferrableServer(5, 2)]).sbf([4, 5]).tolist()
    [0, 1]
    """

    higher: tuple[Any, ...] = field()
    on: Supply = Dedicated()

    def __post_init__(self) -> None:
        given = self.higher
        object.__setattr__(self, "higher", tuple(given) if isinstance(given, Iterable) and not isinstance(given, (Task, VM)) else (given,))
        if not isinstance(self.on, Supply):
            raise SpecError([Problem("FixedPriorityPartition.on", self.on, "a supply", "give for example Dedicated()")])
        self.stairs()

    def stairs(self) -> list[tuple[int, int, int]]:
        """(work, period, offset) of everything more important."""
        found: list[tuple[int, int, int]] = []
        for k, one in enumerate(self.higher):
            if isinstance(one, Supply):
                found += [(work, period, -jitter) for work, period, jitter in one.interference]
            elif isinstance(one, (Task, VM)):
                asked = taskset(one.tasks if isinstance(one, VM) else [one])
                if not asked.bounded.all():
                    return [(1, 1, 0)]                            # nothing is left
                found += [(int(c), int(t), int(o)) for c, t, o in zip(asked.stair_cost, asked.stair_period, asked.stair_offset)]
            else:
                try:
                    work, period, jitter = one
                except (TypeError, ValueError):
                    raise SpecError([Problem(f"higher[{k}]", one, "a server, a task, a VM, or (budget, period, jitter)",
                                             "give one of these")]) from None
                check_times(f"higher[{k}]", budget=(work, 0, NEVER // 2**9, ""), period=(period, 1, NEVER, ""),
                            jitter=(jitter, -NEVER // 2**9, NEVER // 2**9, ""))
                found.append((work, period, -jitter))
        return [stair for stair in found if stair[0] > 0]

    @cached_property
    def pattern(self) -> Pattern:
        """The shared supply, with the requests of the more important beside it."""
        base, stairs = self.on.pattern, self.stairs()
        if base.less.cost.size:
            stairs += [(int(c), int(t), int(o)) for c, t, o in zip(base.less.cost, base.less.period, base.less.offset)]
        less = make_rows(*(zip(*stairs) if stairs else ([], [], [])))
        form = base.form.copy()
        form[-1] = len(stairs)
        full = Pattern(form, base.at, base.work, base.slope, less)
        if full_rate(self.on, stairs) > 0:
            return full
        nothing = base.form.copy()
        nothing[:] = (1, 0, 1, 0, 1, 0)
        return Pattern(nothing, base.at[:1] * 0, base.work[:1] * 0, base.slope[:1] * 0, make_rows([], [], []))


def full_rate(on: Supply, stairs: list[tuple[int, int, int]]) -> Fraction:
    """Supply in the long run, less all that is more important."""
    shared = Fraction(int(on.pattern.form[3]), int(on.pattern.form[2]))
    return shared - sum((Fraction(work, period) for work, period, _ in stairs if period < NEVER), Fraction(0))
