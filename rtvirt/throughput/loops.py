"""Rates that a wait limits, not a resource: windows, closed loops, batches. And chains of stages, where the slowest decides."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from numbers import Rational, Real
from typing import Any, NamedTuple

from ..errors import Problem, SpecError
from ..traps.checks import whole_number


def exact(field: str, value: Any) -> Fraction:
    """A number above 0, exactly as it is written."""
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 < value < float("inf"):
        raise SpecError([Problem(field, value, "a number above 0", "write for example 1500", "")])
    return Fraction(value) if isinstance(value, Rational) else Fraction(str(value))


def closed_loop(requests: int, latency: float) -> Fraction:
    """Requests a second of so many that are always under way: Little's law.

    Parameters
    ----------
    requests : int
        Under way at once, 1 or more.
    latency : float [ns]
        From a request to its answer.

    References
    ----------
    J. D. C. Little, Operations Research 9(3), 1961.

    Examples
    --------
    Half the requests a second at the same depth is twice the latency, whatever the depth:

    >>> closed_loop(32, 100_000) / closed_loop(32, 200_000), closed_loop(1, 100_000)
    (Fraction(2, 1), Fraction(10000, 1))
    """
    return whole_number("requests", requests, 1) * Fraction(10**9) / exact("latency", latency)


def window_rate(window: int, round_trip: float) -> Fraction:
    """Rate [Mb/s] of a sender that may have a window [bytes] under way and learns of its arrival after a round trip [ns].

    What delays every answer by a share slows the transfer by the same share: that is how an interrupt that is held back costs throughput.

    Examples
    --------
    >>> float(window_rate(65_535, 1_000_000))
    524.28
    """
    return whole_number("window", window, 1) * Fraction(8000) / exact("round_trip", round_trip)


class Batch(NamedTuple):
    """What a batch saves and costs."""

    cost: Fraction            # ns a packet
    first_waits: Fraction     # ns that the first of a batch waits for the last
    mean_wait: Fraction       # ns


def batched(packet: float, notification: float, *, batch: int, gap: float) -> Batch:
    """One notification for a batch: its cost is divided, and early packets wait for late ones.

    Parameters
    ----------
    packet, notification : float [ns]
        Work for each packet, and for each notification (interrupt, hypercall, message between processes).
    batch : int
    gap : float [ns]
        Between packets.

    Notes
    -----
    Packets come evenly, and the batch is announced with its last packet: nothing else ends it. If fewer come, the last ones wait for ever.

    Examples
    --------
    Ten times the price of a notification moves the rate by a tenth of that in batches of ten, and moves no wait at all:

    >>> cheap, dear = (batched(5000, price, batch=10, gap=10_000) for price in (1000, 10_000))
    >>> float(cheap.cost), float(dear.cost), float(dear.first_waits)
    (5100.0, 6000.0, 90000.0)
    """
    batch = whole_number("batch", batch, 1)
    first = (batch - 1) * exact("gap", gap)
    return Batch(exact("packet", packet) + exact("notification", notification) / batch, first, first / 2)


class Bottleneck(NamedTuple):
    """The stage that decides, and how busy all are."""

    stage: str
    packets: Fraction                 # a second
    busy: dict[str, Fraction]         # share of each stage's processors


def bottleneck(stages: Mapping[str, float], *, processors: Mapping[str, int] | None = None) -> Bottleneck:
    """Stages in a row, each with processors of its own: the slowest limits all, and only more of that one helps.

    Parameters
    ----------
    stages : {name: ns a packet}
    processors : {name: int}, optional
        1 each, unless given: threads of a back end, for example.

    Examples
    --------
    Two threads help a back end that saturates, until the guest does:

    >>> path = {"guest": 3000, "back end": 4463}
    >>> [(found.stage, round(float(found.packets))) for n in (1, 2, 3) for found in [bottleneck(path, processors={"back end": n})]]
    [('back end', 224065), ('guest', 333333), ('guest', 333333)]
    """
    both = isinstance(stages, Mapping) and (processors is None or isinstance(processors, Mapping))
    if not both or not stages or set(processors or {}) - set(stages):
        raise SpecError([Problem("stages", sorted(map(str, stages)) if both else stages, "one stage or more; processors of stages that there are",
                                 "name them alike", "")])
    times = {name: exact(f"stages[{name!r}]", cost) / whole_number(f"processors[{name!r}]", (processors or {}).get(name, 1), 1)
             for name, cost in stages.items()}
    slowest = max(times, key=lambda name: times[name])
    return Bottleneck(slowest, 10**9 / times[slowest], {name: time / times[slowest] for name, time in times.items()})
