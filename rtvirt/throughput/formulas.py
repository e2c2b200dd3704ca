"""Values of rows that are more than a sum of counts times prices: each by the mechanism that it is an example of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

from .hosted import ACCESSES, hosted
from .loops import closed_loop, window_rate
from .machines import Machine
from .modem import TRIED, Reservation, reservation
from .paths import LARGEST_SEGMENT
from .rate import exits, rate
from .rows import row

Machines = Mapping[str, Machine]
LATENCY = {"before": 100_000, "depth": 32}     # of a closed loop: only ratios are looked at, in which both cancel


def value(number: int, file: str = "split_io") -> Fraction:
    """A published value, exactly."""
    return Fraction(str(row(file, number).value))


def idle(machines: Machines, **options: bool) -> Fraction:
    """Idle time [%] under a hosted monitor that sends as fast as it can."""
    return 100 * (1 - rate(hosted(**options), machines["pc-733"], mtu=1520).busy)


def offload_rate(machines: Machines) -> Fraction:
    """One crossing for the largest segment there is, pages as before [Mb/s]."""
    return rate("split_driver", machines["xen-2.0"], segment=LARGEST_SEGMENT).exact


def receive_gain(machines: Machines) -> Fraction:
    """What the guest's receive path gains [%], if it saves what the driver domain's saved, and nothing of the copies.

    In units of a packet's bare cost: the driver domain's path after and before, and so what was saved; the guest's path after, and so before.
    """
    after, before = cost_below(35), cost_below(35) * (1 + value(34) / 100)
    guest = cost_below(37)
    return 100 * ((guest + before - after) / guest - 1)


def cost_below(number: int) -> Fraction:
    """Cost, in bare ones, of what is so many percent below the bare rate."""
    return 1 / (1 - value(number) / 100)


def ratio(machines: Machines, path: str, other: str, on: str) -> Fraction:
    """The rate of one path over another's."""
    return rate(path, machines[on]).exact / rate(other, machines[on]).exact


def latency_factor(machines: Machines) -> Fraction:
    """By what the latency grows, when a closed loop does so many percent of its requests a second."""
    now = closed_loop(LATENCY["depth"], LATENCY["before"]) * value(48) / 100
    return LATENCY["depth"] * 10**9 / now / LATENCY["before"]


def transfer_time(machines: Machines) -> Fraction:
    """Seconds of a transfer in windows, when each round trip is that of the longer ping."""
    ping, held_back = (machines["lguest"].price(part) for part in ("ping", "held_back"))
    return value(55) * window_rate(LARGEST_SEGMENT, ping) / window_rate(LARGEST_SEGMENT, ping + held_back)


def direct_injection(machines: Machines) -> Fraction:
    """What an interrupt's latency falls by [%], when the controller need not be emulated."""
    bare, emulated = (machines["rocket"].price(part) for part in ("interrupt", "emulated_controller"))
    return 100 * (1 - Fraction(bare, bare + emulated))


def judged() -> list[Reservation]:
    """The reservations that were tried, for the modem's work and period."""
    work, period = value(31, "latency"), value(29, "latency")
    return [reservation(budget, every, work=work, period=period) for budget, every in TRIED]


FORMULAS: dict[str, Callable[[Machines], float | Fraction]] = {
    "accesses": lambda m: ACCESSES,
    "hosted rate": lambda m: rate(hosted(), m["pc-733"], mtu=1520).exact,
    "idle 2.0": lambda m: idle(m),
    "idle in the monitor": lambda m: idle(m, in_monitor=True),
    "idle optimised": lambda m: idle(m, in_monitor=True, combined=True, noted=True),
    "busy ratio": lambda m: (100 - value(28)) / (100 - value(31)),
    "offload rate": offload_rate,
    "offload gain": lambda m: 100 * (offload_rate(m) / rate("split_driver", m["xen-2.0"]).exact - 1),
    "receive gain": receive_gain,
    "receive extra": lambda m: 100 * (1 - 1 / cost_below(37)),
    "below bare": lambda m: 100 * (1 - value(38) * value(32) / rate("native", m["xen-2.0"]).exact),
    "exits share": lambda m: 100 * ratio(m, "assigned", "native", "assigned"),
    "no exits share": lambda m: 100 * ratio(m, "assigned_eli", "native", "assigned"),
    "no exits factor": lambda m: ratio(m, "assigned_eli", "assigned", "assigned"),
    "exits left": lambda m: value(46) * exits("polled") / exits("virtio"),
    "closed loop": latency_factor,
    "bypass round trip": lambda m: ratio(m, "shared_memory", "driver_domain", "between-vms"),
    "bypass rate": lambda m: ratio(m, "shared_memory", "driver_domain", "between-vms"),
    "window": transfer_time,
    "more back ends": lambda m: rate("backend", m["e5462"], processors=1 + value(44, "scheduling") / 100).exact,
    "direct injection": direct_injection,
    "modem period": lambda m: value(29, "latency"),
    "over the limit": lambda m: value(32, "latency") * 1000 / value(33, "latency"),
    "least that suffices": lambda m: 100 * min(one.share for one in judged() if one.carries),
    "most that fails": lambda m: 100 * max(one.share for one in judged() if not one.carries),
}
