"""Servers: what a host's rule for budgets guarantees to the tasks inside, and what it costs those outside.

A *host response* is how long after a budget is there the host has surely delivered all of it to a server that wants it: from the
host's own schedulability test, or simply the period (implicit-deadline servers that the host can schedule).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ...errors import Problem, SpecError
from ...units import LONGEST
from ..pattern import Pattern
from .base import Supply, check_times
from .periodic import late_budgets


@dataclass(frozen=True)
class Server(Supply):
    """What all servers have.

    Parameters
    ----------
    period, budget : int [ns]
        0 <= budget <= response <= period.
    response : int [ns], optional
        The host's response; the period unless given. The budget itself for a server that nothing can delay.
    """

    period: int
    budget: int
    response: int | None = None

    def __post_init__(self) -> None:
        name = type(self).__name__
        check_times(name, period=(self.period, 1, LONGEST, ""))
        if self.response is None:
            object.__setattr__(self, "response", self.period)
        check_times(name, response=(self.response, 1, self.period, "the period"))
        check_times(name, budget=(self.budget, 0, self.response, "the response"))

    @cached_property
    def pattern(self) -> Pattern:
        """Used up early once, late from then on: a blackout of P + R − 2Q."""
        return late_budgets(self.period + self.response - 2 * self.budget, self.budget, self.period)    # type: ignore[operator]

    @property
    def interference(self) -> list[tuple[int, int, int]]:
        """Its budget, once a period."""
        return [(self.budget, self.period, 0)]


@dataclass(frozen=True)
class DeferrableServer(Server):
    """Keeps its budget while it has nothing to do, until the period ends; then the budget is full again. RTDS vCPUs are such.

    Notes
    -----
    Worst window: the budget has just been used at the beginning of a period, so P − Q until the next, and R − Q until that is served. Kept
    budget hurts the less important: one Q at the end of a period and the next at its beginning, as if it were released with a jitter of
    P − Q. Whoever tests the host must count so: under EDF, too, utilization of at most 1 is not enough for deferrable servers.

    References
    ----------
    Strosnider, Lehoczky and Sha, The deferrable server algorithm, IEEE Trans. Computers 44(1), 1995. Davis and Burns, Hierarchical fixed
    priority pre-emptive scheduling, RTSS 2005, section 3 (jitter). docs/xen-rules.md 6.1.2, 6.3.5.

    Examples
    --------
    >>> DeferrableServer(10, 4).sbf(13), DeferrableServer(10, 4, response=4).sbf(7), DeferrableServer(10, 4).interference
    (1, 1, [(4, 10, 6)])
    """

    @property
    def interference(self) -> list[tuple[int, int, int]]:
        """Its budget, once a period, up to P − Q late."""
        return [(self.budget, self.period, self.period - self.budget)]


@dataclass(frozen=True)
class PollingServer(Server):
    """Looks for work at the beginning of each period; finding none, or no more, it gives its budget away until the next.

    Notes
    -----
    Worst window: work comes just after the server has looked, so a whole period passes, and then R − Q: the blackout is P + R − Q, a budget
    longer than a deferrable server's. In return it disturbs others no more than a periodic task does.

    References
    ----------
    Sprunt, Sha and Lehoczky, Aperiodic task scheduling for hard-real-time systems, Real-Time Systems 1(1), 1989, section 2.

    Examples
    --------
    >>> PollingServer(10, 4).sbf([16, 17, 20, 27]).tolist()
    [0, 1, 4, 5]
    """

    @cached_property
    def pattern(self) -> Pattern:
        """A blackout of P + R − Q."""
        return late_budgets(self.period + self.response - self.budget, self.budget, self.period)    # type: ignore[operator]


@dataclass(frozen=True)
class SporadicServer(Server):
    """Gets back what it used a period after it began to use it.

    Notes
    -----
    Worst window: all was used in one go, [−Q, 0): it comes back at P − Q and is served within R of that. Budget used in pieces comes back
    in pieces, each no later than so. This is the rule of 1989, in which a piece counts from when the server became able to run, not from when it
    ran; the POSIX wording breaks it. To others it is a periodic task.

    References
    ----------
    Sprunt, Sha and Lehoczky 1989, section 3; Stanovich et al., Defects of the POSIX sporadic server, RTAS 2010.

    Examples
    --------
    >>> SporadicServer(10, 4).sbf(13)
    1
    """


@dataclass(frozen=True)
class ConstantBandwidthServer(Server):
    """A constant bandwidth server with hard reservations: a used-up budget comes back at the server's deadline, not before.

    Parameters
    ----------
    period, budget, response : int [ns]
        As in `Server`.
    hard : bool
        Only True has a bound.

    Notes
    -----
    Under EDF it is promised Q by each of its deadlines. On waking with a budget q left at a deadline d that is too close (``q >= (d − r)·Q/P``)
    it starts afresh with a full budget and the deadline r + P; otherwise it goes on with (q, d), and d − r <= P − Q + q, since q can only be less
    than Q if Q − q was used since d − P. Either way no window is worse than that of a periodic resource.

    The original, *soft* server is given a new budget and a deadline one period later as soon as the old one is used up. While nobody
    else wants the pCPU its deadline runs ahead without limit, k budgets k periods; when another comes, it waits as long. So no window is
    long enough to promise anything: `hard=False` is refused.

    References
    ----------
    Abeni and Buttazzo, Integrating multimedia applications in hard real-time systems, RTSS 1998; Rajkumar et al., Resource kernels, 1998 (hard
    reservations).

    Examples
    --------
    >>> ConstantBandwidthServer(10, 4).sbf(13)
    1
    """

    hard: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.hard:
            raise SpecError([Problem("ConstantBandwidthServer.hard", False, "True, for a supply bound",
                                     "a soft server that used k budgets ahead in idle time may wait k periods (deadline aging): make it hard")])
