"""How long budgets can keep each other waiting: the arithmetic behind all schedulers of budgets.

A server i uses at most Q_i in each of its periods P_i. Depending on what the host does, the others' use while j waits is one of these, in a
window of length y:

* *late*: up to a deadline of j, by work with deadlines no later (EDF, whatever it does with its budgets): ``floor(y/P)·Q + min(Q, y mod P)``;
* *anywhere*: by anybody who goes first, with one budget at the end of a period and the next at the start of the next;
* *jobs*: by those who go first and take their budgets as they come, since the pCPU was last free of them: ``ceil(y/P)·Q``;
* *asks*: EDF again, by deadlines no later, since the pCPU was last free of such work: ``floor(y/P)·Q`` of those who cannot save budgets up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, lcm

MOST_POINTS = 200_000


@dataclass(frozen=True)
class Server:
    """A budget in a period; `steady` if none of it can be saved up."""

    budget: int
    period: int
    steady: bool = False

    def late(self, y: int) -> int:
        """Most use in the last `y` before an instant, with deadlines no later than it."""
        return y // self.period * self.budget + min(self.budget, y % self.period)

    def anywhere(self, y: int) -> int:
        """Most use in any window of length `y`, whatever the deadlines: a budget at the end of a period, then one at the start of each."""
        return y if y <= self.budget else self.budget + self.late(y - self.budget)

    def jobs(self, y: int) -> int:
        """Most use in the `y` since nothing of it was waiting, if budgets are taken as they come."""
        return -(-y // self.period) * self.budget

    def asks(self, y: int) -> int:
        """Most use since the pCPU was without work of such deadlines, `y` ago."""
        return y // self.period * self.budget if self.steady else self.late(y)

    @property
    def rate(self) -> Fraction:
        """Share of a pCPU."""
        return Fraction(self.budget, self.period)


def longest_wait(uses: Sequence[int], cpus: int) -> int:
    """Largest I with ``cpus·I <= sum of min(use, I)``: nobody waits longer, since all pCPUs are busy with others meanwhile [ns]."""
    wait = sum(uses) // cpus
    while (less := sum(min(use, wait) for use in uses) // cpus) < wait:
        wait = less
    return wait


def response_wait(own: Server, rivals: Sequence[Server], use: Callable[[Server, int], int], cpus: int) -> int:
    """Longest wait when what counts is a window that ends with the budget: the least R with ``R = Q + wait in R``; beyond the period is too long."""
    wait = 0
    while own.budget + wait <= own.period:
        later = longest_wait([use(rival, own.budget + wait) for rival in rivals], cpus)
        if later <= wait:
            break
        wait = later
    return wait


def since_idle(own: Server, rivals: Sequence[Server]) -> int | None:
    """Longest wait under EDF on one pCPU, counted from when that was last without work of such deadlines; None if that says nothing [ns]."""
    servers = [own, *rivals]
    spare = 1 - sum((server.rate for server in servers), Fraction(0))
    ramps = sum((server.budget * (1 - server.rate) for server in servers if not server.steady), Fraction(0))
    first = sum(server.asks(own.period) for server in servers) - own.period
    if spare < 0:
        return None
    end = ceil((ramps - first) / spare) if spare else lcm(*(server.period for server in servers)) + own.period
    if sum(end // server.period + 1 for server in servers) > MOST_POINTS:
        return None
    points = {y for server in servers for k in range(end // server.period + 1)
              for y in (k * server.period, k * server.period + (0 if server.steady else server.budget)) if own.period <= y <= end}
    return own.period - own.budget + max(sum(server.asks(y) for server in servers) - y for y in points | {own.period})
