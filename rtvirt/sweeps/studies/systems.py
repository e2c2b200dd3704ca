"""A million small systems as arrays: a task a VM, one pCPU, and contracts by one rule for all schedulers.

The rule. A VM's budget comes four times in its task's period or oftener: its period is the longest of 0.25 ms, 0.5 ms, 1 ms, … that is no
longer than a quarter of the task's. The budget is the least that serves the task whenever in its period it comes (`rv.analysis.min_budget`), in
steps of 10 us. The weight is the budget's share, and priorities are deadline monotonic. Periods that divide each other make budgets fit as well as
they can.
RTDS loses much where periods differ (`rv.admit` says why), so it also gets contracts with one period for all.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...analysis import batch
from ...system import VM, System, Task
from ...units import ms, us
from ...workloads import LogUniform, tasksets

LEAST = us(250)           # shortest period of a budget
STEP = us(10)             # of budgets: Xen's RTDS takes no less
OFTEN = 4                 # budgets in a task's period, at least
PERIODS = LogUniform(ms(10), ms(1000))
WEIGHTS = 4096            # of a whole pCPU


class Systems(NamedTuple):
    """Many systems, a row each; deadlines are periods, most important first. (systems, vms) int64."""

    cost: np.ndarray          # of the one task [ns]
    period: np.ndarray        # of the one task [ns]
    budget: np.ndarray        # [ns]; -1: not even a whole pCPU would do
    server: np.ndarray        # period of the budget [ns]
    weight: np.ndarray

    def alike(self) -> Systems:
        """The same tasks, with one period for all VMs, the shortest: what RTDS asks for."""
        return contracts(self.cost, self.period, np.broadcast_to(self.server.min(axis=1, keepdims=True), self.cost.shape))

    def one(self, row: int) -> System:
        """A row as a system: to admit, to simulate, to draw."""
        c, t, q, p, w = (column[row].tolist() for column in self)
        return System(vms=[VM(f"vm{i}", tasks=[Task("t", wcet=c[i], period=t[i])], guest="edf", budget=min(max(1, q[i]), p[i]), period=p[i],
                              weight=w[i], priority=i + 1) for i in range(len(c))])


def draw(vms: int, utilization: float, *, count: int, first: int = 0, seed: int = 0) -> Systems:
    """Random systems of one utilization (UUniFast on the simplex, log-uniform periods of 10 ms to 1 s), with contracts.

    Parameters
    ----------
    vms : int
    utilization : float
        Of the tasks together.
    count, first : int
        How many, and from which of the endless row of this seed on.
    seed : int

    Examples
    --------
    >>> some = draw(4, 0.6, count=2)
    >>> some.cost.shape, bool((4 * some.server <= some.period).all()), round(some.one(0).utilization(), 3)
    ((2, 4), True, 0.6)
    """
    cost, period, _, _ = tasksets(vms, utilization, sets=count, seed=seed, first=first, periods=PERIODS)
    server = LEAST << np.floor(np.log2(period / (OFTEN * LEAST))).astype(np.int64)
    server = np.where(OFTEN * server > period, server >> 1, server)                  # a logarithm may be a hair too high
    return contracts(cost, period, server)


def contracts(cost: np.ndarray, period: np.ndarray, server: np.ndarray) -> Systems:
    """Systems with these periods of budgets: the least budgets, and weights."""
    budget = batch.min_budget(cost.reshape(-1, 1), period.reshape(-1, 1), server.ravel()).reshape(cost.shape)
    budget = np.where(budget < 0, budget, np.minimum(server, -(-budget // STEP) * STEP))
    return Systems(cost, period, budget, server, np.maximum(1, WEIGHTS * budget // server))
