"""What no window is long enough to promise: the reason, rule by rule, and a run that shows it (docs/shares.md)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from ...errors import RtvirtError
from ...schedulers import BVT
from ...system import VM, System, Task, hog
from ...units import ms, us


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
    >>> pair = rv.System(vms=[rv.VM("A", tasks=[rv.hog()]), rv.VM("B", tasks=[rv.hog()])])
    >>> try:
    ...     rv.analysis.ProportionalShare(rv.Credit(), pair, "A")
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

FLOOD = """BVT charges for each stint whole units of 100 us (docs/xen-rules.md 4.1.4), and a vCPU that wakes is brought up to the others and
preempts at once, also on a tie (4.1.7): each wake-up of another costs up to 100 us, and nothing bounds how often {name} wakes up. Make it periodic
or sporadic, without steps that block. The witness: one vCPU runs 100 us of 101 us, and a hog of the same mcu_advance gets what is left."""

CAPPED = """a VM with a cap is parked when its budget is used up, whatever its weight (docs/xen-rules.md 5.6.2): its weight promises nothing.
The witness: a hog with a cap of 10 beside one of the same weight."""

MULTICORE = """on several pCPUs credit2 leaves one idle while a vCPU waits that may not come (docs/xen-rules.md 5.3 step 4), by its affinity or
because it has less than -9.5 ms of credit; then what others did not run is not what it ran, and the argument ends. Give each pCPU a run queue
(runqueue="cpu") and pin all vCPUs. The witness: three hogs bound to one pCPU of two."""

HEAVIER = """a heavier VM starts later, and then all credits burn faster (docs/xen-rules.md 5.2.1), while a slice given before lasts as long as it
was meant to (5.3 step 6): no bound is derived. Let the heaviest VM start first."""

SLEEPS = "its scripts block or yield: each time it may have to wait anew for as long as a share is late (docs/shares.md)"

COSTS = "no bound is derived where switches, releases or timers cost time: set costs to 0"


def napper(name: str, ran: int, period: int, offset: int) -> VM:
    """Runs `ran` of each `period`."""
    return VM(name, tasks=[Task("t", wcet=ran, period=period, offset=offset)])


def starved(scheduler: Any) -> Witness:
    """A hog that credit forgets: who is there at the ticks is not who uses the pCPU."""
    system = System(vms=[VM("hog", tasks=[hog()]), napper("evader", us(9850), ms(10), us(10_050)), napper("sampled", us(150), ms(10), us(9900))])
    return Witness(system, scheduler, ms(2000), "hog", Fraction(1, 3), Fraction(1, 100))


def overcharged() -> Witness:
    """A hog that BVT charges for 100 us whenever it has run 1 us."""
    system = System(vms=[VM("hog", tasks=[hog()]), napper("evader", us(100), us(101), us(50))])
    return Witness(system, BVT(), ms(100), "hog", Fraction(1, 2), Fraction(1, 50))
