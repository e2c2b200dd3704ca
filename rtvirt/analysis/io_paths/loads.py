"""What messages ask of whom: curves of arrivals, and the work that they bring to vCPUs and lines (docs/io-model.md).

A *curve* is a tuple of stairs (period, jitter): one message each period, up to so much late, and all of them may come together. None is a flood:
nothing bounds it. Messages keep their curve along a path and get later by and by: all that is added from stage to stage is jitter, the longest stay
in a stage less the shortest. (Richter, Compositional scheduling analysis using standard event models, 2005; Tindell and Clark, Holistic
schedulability analysis for distributed hard real-time systems, Microprocessing and Microprogramming 40, 1994.)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal

from ...errors import LimitError
from ...system import Arrivals, Task
from ...system.devices import Path, Stage, Thread
from ..arrivals import ArrivalCurve
from ..fixed_priority import fp_response_times
from ..limits import NEVER
from ..supply import FixedPriorityPartition, Supply

Curve = tuple[tuple[int, int], ...]
TIE = 1                                 # what comes at the very instant at which work is done may come before [ns]
MOST_TOGETHER = 64                      # messages of a burst that are analysed
LONGEST_LATENESS = 10**9                # of a message; beyond it, and beyond so many of its periods, there is no bound [ns]
MOST_ON_THEIR_WAY = 2000                # a round takes the longer the more messages of a path may be about at once


@dataclass(frozen=True)
class Load:
    """Work on a vCPU or a line: so much for each message of a curve [ns]. `name` is the path, or the thread, for those who ask whose work it is."""

    cost: int
    curve: Curve | None
    task: Task | None = None                # whose jobs these are, if no device has brought them along
    name: str = "io"

    @property
    def rows(self) -> list[Any]:
        """As more important work is written; a flood takes all there is."""
        if self.curve is None:
            return [(1, 1, 0)]
        return [self.task] if self.task is not None else [(self.cost, period, max(0, jitter)) for period, jitter in self.curve]


@dataclass(frozen=True)
class Part:
    """Messages of one stage in the eyes of whoever serves them; their work, and how many later ones may be delivered with one at most.

    `key` says whose bound this is: (path, place), or a task. `hold` is how long it may take until anybody looks, `each` what one of those
    later ones takes [ns].
    """

    key: tuple[str, int]
    load: Load
    hold: int = 0
    together: int = 0
    each: int = 0


@dataclass
class Member:
    """A task, a thread, or the handlers of a vCPU: they run at one urgency, and within it first come, first served, or in any order.

    `apart` are those that a `crowd` is made of.
    """

    name: str
    parts: list[Part] = field(default_factory=list)
    more: list[Load] = field(default_factory=list)          # work of its own that no message waits for
    held: int = 0                                           # by less important work [ns]
    apart: tuple[Member, ...] = ()

    @property
    def loads(self) -> list[Load]:
        """All that less important ones wait for."""
        return [*(part.load for part in self.parts), *self.more]

    @property
    def singly(self) -> tuple[Member, ...]:
        """One by one."""
        return self.apart or (self,)


def crowd(members: list[Member]) -> Member:
    """Tasks that go before each other in ways that nothing is known of: each may wait for all the others (any guest that never idles)."""
    return Member(" or ".join(member.name for member in members), [part for member in members for part in member.parts],
                  [load for member in members for load in member.more], max((member.held for member in members), default=0), tuple(members))


def later(curve: Curve | None, jitter: int | None) -> Curve | None:
    """The same messages, each up to so much later [ns]."""
    return None if curve is None or jitter is None else tuple((period, old + jitter) for period, old in curve)


def crowded(curve: Curve | None, more: int) -> Curve | None:
    """The same, and so many messages more that may lie there when a window begins."""
    if not curve or not more:
        return curve
    each = -(-more // len(curve))
    found: Curve = ()
    for period, jitter in curve:
        found += ((period, jitter + each * period),) if period < NEVER else ((period, jitter),) * (each + 1)
    return found


def too_late(curve: Curve | None, lateness: int) -> bool:
    """Is it so late that nobody wants to know how late?"""
    return lateness > max([LONGEST_LATENESS, *(MOST_ON_THEIR_WAY * period for period, _ in curve or () if period < NEVER)])


def count(curve: Curve, window: int) -> int:
    """Most messages in a window that includes both its ends."""
    return sum(1 if period >= NEVER else -(-(window + 1 + jitter) // period) for period, jitter in curve)


def curve_of(arrivals: Arrivals) -> Curve | str:
    """The curve of a source, or why it has none."""
    if arrivals.burst > MOST_TOGETHER:
        return f"bursts of {arrivals.burst} messages: no more than {MOST_TOGETHER} are analysed"
    if arrivals.arrival == "poisson":
        return "its arrivals are random (poisson), and nothing bounds how many come together"
    if arrivals.releases is not None:
        instants = sorted(set(arrivals.releases))
        same = max((arrivals.releases.count(at) for at in instants), default=0) * arrivals.burst
        least = min((b - a for a, b in pairwise(instants)), default=NEVER)
        return ((least, 0),) * same if same <= MOST_TOGETHER else f"{same} messages come at once: no more than {MOST_TOGETHER} are analysed"
    jitter = arrivals.jitter if arrivals.arrival == "periodic" else 0
    return ((arrivals.period or 1, jitter),) * arrivals.burst


def least_stay(stage: Stage, threads: dict[str, Thread]) -> int:
    """Shortest time in a stage [ns]."""
    thread = threads.get(stage.server)
    if thread is None:
        return stage.each
    served = thread.fixed + stage.each
    return served if stage.distance is None else min(served, stage.switch + stage.each)


def overtaken(path: Path, threads: dict[str, Thread]) -> bool:
    """May a message pass one of its own path that waits?"""
    return any(stage.distance is not None and stage.server in threads for stage in path.stages)


def response(part: Part, supply: Supply, higher: list[Load], held: int,
             since: Literal["arrival", "release"]) -> int | None:
    """Longest response of a part's messages beside more important work [ns]; None if its busy period never ends, or is too long to be computed.

    Later messages that are delivered with one have come before the thread looked for it, and till then no work of theirs has been done: so they
    are no more than come while it would take without them.
    """
    curve = part.load.curve
    if curve is None or any(load.curve is None for load in higher):
        return None
    if not curve:
        return 0
    rows = [row for load in higher for row in load.rows]
    left = FixedPriorityPartition(rows, on=supply) if rows else supply
    if left.rate <= 0:
        return None
    own = part.load.task or Task("own", wcet=part.load.cost, period=1)
    stairs = {own.name: ArrivalCurve(tuple((period, -jitter) for period, jitter in curve))}

    def longest(more: int, since: Literal["arrival", "release"]) -> int | None:
        found: int | None = fp_response_times([own], left, blocking={own.name: held + more}, arrivals=stairs, since=since)[own.name]
        return found

    try:
        if not part.together or (taken := longest(0, "release")) is None:
            return longest(0, since)
        more = part.each * min(part.together, count(curve, taken) - 1)
        return taken if since == "release" and not more else longest(more, since)
    except LimitError:
        return None
