"""The verdicts of `rv.admit` for arrays of systems: nine schedulers, whole numbers, a few lines each.

Each scheduler brings a VM's budget within a *response* R of its period's beginning; what others do to R is its rule (``analysis/admission``). With a
task a VM the VM is in time if any window as long as the deadline holds the task's demand: sbf(D) >= C. A test holds these lines against `rv.admit`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...analysis import batch
from ...units import ms
from .systems import Systems

QUANTUM = ms(1)           # of round robin
OVERRUN = ms(1) + 500_000      # credit2's ratelimit and least slice [ns]; see analysis/supply/credit2_share.py for these four
FIRST, MOST, GRAIN = 10_000_000, 10_500_000, 1000


def budgets_in(window: np.ndarray, blackout: np.ndarray | int, budget: np.ndarray, period: np.ndarray) -> np.ndarray:
    """Least supply in a window: nothing for the blackout, then a budget in every period."""
    x = np.maximum(0, window - blackout)
    return x // period * budget + np.minimum(budget, x % period)


def in_time(s: Systems, wait: np.ndarray, *, polls: bool = False) -> np.ndarray:
    """Whether all VMs of each system are served, if each waits so long for its budget in a period."""
    response = s.budget + wait
    blackout = s.server + response - (1 if polls else 2) * s.budget
    fits = (s.budget > 0) & (response <= s.server)
    return (fits & (budgets_in(s.period, blackout, s.budget, s.server) >= s.cost)).all(axis=1)


def others(s: Systems, use: Callable[[np.ndarray, int], np.ndarray], window: np.ndarray) -> np.ndarray:
    """What all others use in a window of each VM's: ``use(window, k)`` is that of VM k."""
    total = np.zeros_like(s.cost)
    for k in range(s.cost.shape[1]):
        spent = use(window, k)
        spent[:, k] = 0
        total += spent
    return total


def late(s: Systems) -> np.ndarray:
    """Wait by work with deadlines no later, saved up or not: ``floor(y/P)·Q + min(Q, y mod P)`` of each other in a period of one's own."""
    return others(s, lambda y, k: budgets_in(y, 0, s.budget[:, k:k + 1], s.server[:, k:k + 1]), s.server)


def asked(s: Systems) -> np.ndarray:
    """The same by those who cannot save up, since the pCPU was last free of such work: the largest backlog at any y of one hyperperiod."""
    hyper, step = s.server.max(axis=1, keepdims=True), s.server.min(axis=1, keepdims=True)
    worst = np.full_like(s.cost, -1 << 62)
    for k in range(int((hyper // step).max()) + 1):                                  # all periods divide the longest: multiples of the shortest do
        y = s.server + k * step
        backlog = sum(y // s.server[:, i:i + 1] * s.budget[:, i:i + 1] for i in range(s.cost.shape[1])) - y
        worst = np.maximum(worst, np.where(k * step <= hyper, backlog, worst))
    wait = s.server - s.budget + worst
    return np.where(bandwidth(s) <= hyper, np.minimum(wait, late(s)), late(s))


def bandwidth(s: Systems) -> np.ndarray:
    """All budgets in the longest period [ns]: more than that is more than a pCPU."""
    hyper = s.server.max(axis=1, keepdims=True)
    return (hyper // s.server * s.budget).sum(axis=1, keepdims=True)


def fixed_priority(s: Systems) -> np.ndarray:
    """Exact response times of the tasks: VMs are no more than priorities."""
    return (batch.fp_response_times(s.cost, s.period) >= 0).all(axis=1)


def cbs(s: Systems) -> np.ndarray:
    """Everybody asks for its rate and no more."""
    hyper = s.server.max(axis=1, keepdims=True)
    rest = bandwidth(s) - hyper // s.server * s.budget
    return in_time(s, -(-rest // (hyper // s.server))) & (bandwidth(s) <= hyper)[:, 0]


def deferrable(s: Systems) -> np.ndarray:
    """Fixed priorities of servers that save up: two budgets of a more important one may come back to back."""
    wait = np.zeros_like(s.cost)
    for i in range(1, s.cost.shape[1]):
        going = np.arange(len(s.cost))                                               # systems whose wait still grows
        while len(going):
            q, p, now = s.budget[going, :i], s.server[going, :i], wait[going, i]
            window = (s.budget[going, i] + now)[:, None]
            used = np.where(window <= q, window, q + budgets_in(window - q, 0, q, p)).sum(axis=1)
            grows = (used > now) & (window[:, 0] <= s.server[going, i])
            going = going[grows]
            wait[going, i] = used[grows]
    return in_time(s, wait)


def round_robin(s: Systems) -> np.ndarray:
    """A turn in each round of turns."""
    n = s.cost.shape[1]
    turn = np.full_like(s.cost, QUANTUM)
    return (budgets_in(s.period, (n - 1) * turn, turn, n * turn) >= s.cost).all(axis=1)


def credit2(s: Systems) -> np.ndarray:
    """A share by weight, late by what others may have saved up and run over."""
    w, n = s.weight, s.cost.shape[1]
    heaviest = w.max(axis=1, keepdims=True)
    debt = np.minimum(FIRST, -(-OVERRUN * heaviest // w) + 1)
    light = debt >= FIRST
    forgiving = light.any(axis=1, keepdims=True)
    alone = -(-MOST * w // heaviest) + OVERRUN + 1
    generous = -(-GRAIN * w * np.minimum(2 * FIRST, MOST + debt) // MOST)
    counts = np.where(light, -(-GRAIN * heaviest * alone // FIRST), np.where(forgiving, generous, GRAIN * w))
    lag = np.where(forgiving, MOST, FIRST) + debt + 2
    against = counts.sum(axis=1, keepdims=True) - counts
    delay = alone.sum(axis=1, keepdims=True) - alone - (-lag * against // (GRAIN * heaviest))
    sure = GRAIN * w * np.maximum(0, s.period - delay) // (GRAIN * w + against)
    return (sure >= s.cost).all(axis=1) if n > 1 else (s.cost <= s.period).all(axis=1)


def credit(s: Systems) -> np.ndarray:
    """No window surely holds anything, unless one is alone."""
    return np.full(len(s.cost), s.cost.shape[1] == 1) & (s.cost <= s.period).all(axis=1)


VERDICTS: dict[str, Callable[[Systems], np.ndarray]] = {
    "FixedPriority": fixed_priority,
    "CBS": cbs,
    "PeriodicServers": lambda s: in_time(s, asked(s)),
    "RTDS": lambda s: in_time(alike := s.alike(), late(alike)),
    "RTDS, own periods": lambda s: in_time(s, late(s)),
    "SEDF": lambda s: in_time(s, asked(s), polls=True),
    "DeferrableServers": deferrable,
    "RoundRobin": round_robin,
    "Credit2": credit2,
    "Credit": credit,
}
