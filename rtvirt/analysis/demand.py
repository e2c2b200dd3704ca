"""What tasks ask for in a window of time: request bound and demand bound."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import LimitError
from ..system import VM, Task
from .kernels_demand import demand_of, requests_of
from .limits import NEVER, whole_times
from .tasksets import Arrivals, taskset


def rbf(tasks: Sequence[Task] | VM, t: Any, *, arrivals: Arrivals | None = None) -> Any:
    """Most work that the tasks release in any window [x, x + t): the request bound function.

    Parameters
    ----------
    tasks : sequence of Task, or VM
    t : int or array of int [ns]
    arrivals : {name: ArrivalCurve}, optional

    Returns
    -------
    int or (…) int64 [ns]
        ``sum of ceil((t + jitter) / period)·wcet``; 0 for t <= 0.

    Raises
    ------
    LimitError
        More than 2^62 ns, or a task whose arrivals or demand have no bound (a hog).

    References
    ----------
    Lehoczky, Sha and Ding, The rate monotonic scheduling algorithm: exact characterization and average case behavior, RTSS 1989.

    Examples
    --------
    >>> import rtvirt as rv
    >>> two = [rv.Task("a", wcet=1, period=4), rv.Task("b", wcet=2, period=6)]
    >>> rbf(two, [0, 1, 4, 5, 7]).tolist(), dbf(two, [3, 4, 6, 8, 12]).tolist()
    ([0, 3, 3, 4, 6], [0, 1, 3, 4, 7])
    """
    asked = taskset(tasks, arrivals=arrivals)
    return evaluate(requests_of, asked.rows(), t, [name for name, bounded in zip(asked.names, asked.bounded) if not bounded])


def dbf(tasks: Sequence[Task] | VM, t: Any, *, arrivals: Arrivals | None = None) -> Any:
    """Most work with both arrival and deadline within any window [x, x + t]: the demand bound function.

    Parameters
    ----------
    tasks : sequence of Task, or VM
        Those without a deadline demand nothing.
    t : int or array of int [ns]
    arrivals : {name: ArrivalCurve}, optional

    Returns
    -------
    int or (…) int64 [ns]
        ``sum of max(0, floor((t + jitter − deadline) / period) + 1)·wcet``; deadlines may be longer than periods.

    Raises
    ------
    LimitError
        More than 2^62 ns, or a task with a deadline whose arrivals or demand have no bound.

    References
    ----------
    Baruah, Rosier and Howell, Algorithms and complexity concerning the preemptive scheduling of periodic, real-time tasks on one
    processor, Real-Time Systems 2(4), 1990; with jitter: Spuri 1996.
    """
    asked = taskset(tasks, arrivals=arrivals)
    asked = asked.pick([i for i in range(len(asked)) if asked.deadline[i] < NEVER])
    return evaluate(demand_of, asked.deadline_rows(), t, [name for name, bounded in zip(asked.names, asked.bounded) if not bounded])


def evaluate(kernel: Any, rows: Any, t: Any, endless: list[str]) -> Any:
    """Evaluate a kernel at scalars or arrays."""
    if endless:
        raise LimitError(f"task {endless[0]!r} may ask for any amount in any window: it is a hog, or its arrivals have no bound; leave it out, "
                         "or give arrivals={name: ArrivalCurve}")
    times = whole_times(t, "t")
    out = np.empty(times.size, np.int64)
    kernel(rows, times.ravel(), out)
    if (out < 0).any():
        raise LimitError("more than 2^62 ns of work; use a coarser unit of time, or shorter windows")
    return out.reshape(times.shape) if times.shape else int(out[0])
