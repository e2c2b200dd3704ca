"""Shares by weight: who promises one, and for the others a run that shows why not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from ...errors import Problem, RtvirtError, SpecError
from ...system import VM, System, Task, hog
from ...units import ms, us
from .credit2_share import Credit2Share


@dataclass(frozen=True)
class Witness:
    """A system in which a vCPU that is always runnable gets far less than its weight promises.

    Parameters
    ----------
    system : System
    scheduler : Any
    duration : int [ns]
        Simulate it so long.
    vm : str
        And look at what this one gets: one vCPU, always runnable.
    promised, received : Fraction
        Shares of a pCPU: by weight, and more than it gets.
    """

    system: System
    scheduler: Any
    duration: int
    vm: str
    promised: Fraction
    received: Fraction


class NoBound(RtvirtError):
    """A supply that no window is long enough to promise: the message says why, rule by rule, and `witness` shows it.

    Examples
    --------
    >>> import rtvirt as rv
    >>> pair = rv.System(vms=[rv.VM("A", tasks=[rv.hog()]), rv.VM("B")])
    >>> try:
    ...     ProportionalShare(rv.Credit(), pair, "A")
    ... except NoBound as reason:
    ...     w = reason.witness
    >>> run = rv.simulate(w.system, w.scheduler, duration=w.duration)
    >>> w.promised, bool(run.vms.share[w.vm] < w.received)
    (Fraction(1, 3), True)
    """

    def __init__(self, message: str, witness: Witness | None = None) -> None:
        super().__init__(message)
        self.witness = witness


CREDIT = """Xen's credit scheduler promises a share in the long run, but no window that surely holds any of it (docs/xen-rules.md):
a vCPU that was not sampled while it ran has a debt that nobody sees; the tick that samples it makes it OVER for an accounting period of 30 ms
or more, without boost (2.9.3); meanwhile any other vCPU that blocks before each tick stays UNDER or BOOST whatever it uses (2.9.2), and boosted
vCPUs run first come, first served, for a whole slice each (2.6.5). So for every length of window there is a pattern of the others in which it
holds nothing. The witness, of three VMs of equal weight: one runs 98.5 % and sleeps through all ticks, one runs at the ticks, 1.5 %; both are
boosted at every wake-up, and a hog, once preempted, never runs again."""

BVT = """BVT charges for each stint whole units of 100 us (docs/xen-rules.md 4.1.4), and a vCPU that wakes is brought up to the others and
preempts at once, also on a tie (4.1.7). So who lets another run for 1 us pays what that one pays, and takes 100 us for it: a vCPU's share of
the units is fair, but what a unit is worth to it is in the hands of the others. The witness: one vCPU runs 100 us of 101 us, and a hog of the
same mcu_advance gets what is left. A warp without a limit needs not even that (4.1.8)."""

CAPPED = """a VM with a cap is parked when its budget is used up, whatever its weight (docs/xen-rules.md 5.6.2): its weight promises nothing.
The witness: a hog with a cap of 10 beside one of the same weight."""

MULTICORE = """on several pCPUs credit2 leaves one idle while a vCPU waits that may not come (docs/xen-rules.md 5.3 step 4), by its affinity or
because it has less than -9.5 ms of credit; then what others did not run is not what it ran, and the argument ends. The witness: three hogs
bound to one pCPU of two."""

CHANGING = "weights, or the set of vCPUs, change during the run: the bound holds from the last change on; analyse the system without the changes"


def napper(name: str, ran: int, period: int, offset: int) -> VM:
    """Runs `ran` of each `period`."""
    return VM(name, tasks=[Task("t", wcet=ran, period=period, offset=offset)])


def starved(scheduler: Any) -> Witness:
    """A hog that credit forgets: who is there at the ticks is not who uses the pCPU."""
    system = System(vms=[VM("hog", tasks=[hog()]), napper("evader", us(9850), ms(10), us(10_050)), napper("sampled", us(150), ms(10), us(9900))])
    return Witness(system, scheduler, ms(2000), "hog", Fraction(1, 3), Fraction(1, 100))


def overcharged(scheduler: Any) -> Witness:
    """A hog that BVT charges for 100 us whenever it has run 1 us."""
    system = System(vms=[VM("hog", tasks=[hog()]), napper("evader", us(100), us(101), us(50))])
    return Witness(system, scheduler, ms(100), "hog", Fraction(1, 2), Fraction(1, 50))


def ProportionalShare(scheduler: Any, system: System, vm: str) -> Credit2Share:     # noqa: N802 - reads like the other supplies
    """What a vCPU of `vm` gets by its weight, whatever the others do.

    Parameters
    ----------
    scheduler : Credit2, Credit or BVT
    system : System
        Only pCPUs and contracts count; what its VMs do does not.
    vm : str

    Raises
    ------
    NoBound
        With the reason and, where there is one, a witness.
    SpecError
        A scheduler that has no weights.

    Examples
    --------
    >>> import rtvirt as rv
    >>> three = rv.System(vms=[rv.VM("A", weight=512), rv.VM("B"), rv.VM("C")])
    >>> ProportionalShare(rv.Credit2(), three, "A").rate
    Fraction(1, 2)
    """
    name, half = getattr(scheduler, "kernel_name", ""), Fraction(1, 2)
    if name == "credit":
        raise NoBound(CREDIT, starved(type(scheduler)()))
    if name == "bvt":
        raise NoBound(BVT, overcharged(type(scheduler)()))
    if name != "credit2":
        raise SpecError([Problem("scheduler", scheduler, "Credit2, Credit or BVT", "other schedulers have supplies of their own")])
    if system.cpus > 1:
        bound = System(cpus=2, vms=[VM(v, affinity=(0,), tasks=[hog()]) for v in "ABC"])
        raise NoBound(MULTICORE, Witness(bound, scheduler, ms(1000), "A", Fraction(2, 3), Fraction(2, 5)))
    if system[vm].cap:
        capped = System(vms=[VM("A", cap=10, tasks=[hog()]), VM("B", tasks=[hog()])])
        raise NoBound(CAPPED, Witness(capped, scheduler, ms(1000), "A", half, Fraction(1, 5)))
    if system.changes:
        raise NoBound(CHANGING)
    weights = [weight for each in system.vms for weight in each.per_vcpu("weight")]
    weights.remove(own := system[vm].per_vcpu("weight")[0])
    return Credit2Share(own, tuple(weights), scheduler.ratelimit)


def share_table(schedulers: Iterable[Any], system: System) -> list[dict[str, Any]]:
    """What each scheduler promises each VM by weight: a row each, ready for a table.

    Returns
    -------
    list of dict
        scheduler, vm, weight, rate (Fraction), latency, delay [ns], why (str). Where there is no bound, `why` has the first words of
        the reason and the numbers are None.

    Examples
    --------
    >>> import rtvirt as rv
    >>> pair = rv.System(vms=[rv.VM("A", weight=512), rv.VM("B")])
    >>> [(row["scheduler"], row["vm"], row["latency"]) for row in share_table([rv.Credit(), rv.Credit2()], pair)]
    [('Credit', 'A', None), ('Credit', 'B', None), ('Credit2', 'A', 7500003), ('Credit2', 'B', 15000003)]
    """
    rows = []
    for scheduler in schedulers:
        for vm in system.vms:
            row = {"scheduler": type(scheduler).__name__, "vm": vm.name, "weight": vm.weight, "rate": None, "latency": None, "delay": None, "why": ""}
            try:
                share = ProportionalShare(scheduler, system, vm.name)
                row.update(rate=share.rate, latency=share.latency, delay=int(share.delay))
            except NoBound as reason:
                row["why"] = str(reason).split(":")[0].replace("\n", " ")
            rows.append(row)
    return rows
