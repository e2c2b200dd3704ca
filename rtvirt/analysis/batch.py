"""The same tests for many sets at once: arrays in, arrays out, the kernels of the single tests.

Arrays are (sets, n) int64 [ns]. Everything runs with the GIL released, so a thread pool over slices of a large array uses every core.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import LimitError, Problem, SpecError
from ..units import LONGEST
from .edf import verdict_of
from .fixed_priority import one_pcpu
from .interfaces import NO_HOLDS, Guest, budget_of, check_guest, scratch_pattern
from .kernels_edf import DeadlineSets, verdicts_of
from .kernels_fp import Sets, bounds_of
from .kernels_interface import budgets_of
from .limits import FINE, MISSED, NEVER, REASONS, TOO_CLOSE, TOO_LARGE, TOO_LONG
from .requests import empty_rows
from .supply import Dedicated, Supply
from .tasksets import TaskSet

REACH = 2**58             # how far a response is followed [ns]
CHUNK = 1024              # sets at a time


def fp_response_times(cost: Any, period: Any, deadline: Any = None, *, jitter: Any = None, blocking: Any = None, last: Any = None,
                      supply: Supply = Dedicated()) -> np.ndarray:  # noqa: B008
    """Longest responses under fixed priorities of many sets.

    Parameters
    ----------
    cost, period : (sets, n) int64 [ns]
        Each row highest priority first.
    deadline : (sets, n) int64 [ns], optional
        The period unless given; may be longer.
    jitter, blocking : (sets, n) int64 [ns], optional
    last : (sets, n) int64 [ns], optional
        The last part of each job that cannot be preempted.
    supply : Supply

    Returns
    -------
    (sets, n) int64 [ns]
        From the arrival; −1 where it is longer than the deadline.

    Raises
    ------
    LimitError
        Naming the first set that could not be answered.

    Examples
    --------
    >>> fp_response_times([[1, 2, 3], [2, 4, 1]], [[4, 6, 12], [5, 7, 70]]).tolist()
    [[1, 3, 10], [2, -1, 35]]
    """
    one_pcpu(supply)
    c, t, d = matrices(cost, period, deadline)
    sets, n = c.shape
    some = min(sets, CHUNK)
    no, one = np.zeros(some * n, np.int64), np.ones(some * n, np.int64)
    held = None if blocking is None else flat("blocking", blocking, c.shape, 0)
    early = None if jitter is None else -flat("jitter", jitter, c.shape, 0)
    tail = None if last is None else flat("last", last, c.shape, 1)
    if tail is not None and (tail > c.ravel()).any():
        raise SpecError([Problem("last", "longer than the job", "1 to the cost", "shorten it")])
    ends, stairs, reach, rows = np.arange(some + 1) * n, np.arange(some * n + 1), no + REACH, empty_rows(n + 1)
    out = np.empty(c.shape, np.int64)
    for s in range(0, sets, CHUNK):                      # what is the same for all stays in the processor's cache
        part, more = slice(s * n, (s + CHUNK) * n), min(CHUNK, sets - s)
        table = Sets(ends[:more + 1], stairs[:more * n + 1], c.ravel()[part], d.ravel()[part], no if held is None else held[part],
                     one if tail is None else tail[part], reach, t.ravel()[part], no if early is None else early[part])
        bounds_of(supply.pattern, table, rows, 0, out.ravel()[part])
    if out.size and out.min() < MISSED:
        complain(out.min(axis=1), (TOO_LARGE, TOO_LONG))
    return out                                           # a miss is written -1 (limits.MISSED)


def edf_schedulable(cost: Any, period: Any, deadline: Any = None, *, jitter: Any = None, supply: Supply = Dedicated()) -> np.ndarray:  # noqa: B008
    """Whether each of many sets meets its deadlines under EDF.

    Parameters
    ----------
    cost, period, deadline, jitter : (sets, n) int64 [ns]
        The deadline is the period unless given; no jitter unless given.
    supply : Supply

    Returns
    -------
    (sets,) bool

    Raises
    ------
    LimitError
        Naming the first set that could not be answered.

    Examples
    --------
    >>> edf_schedulable([[2, 4], [2, 4]], [[5, 7], [5, 7]], [[5, 7], [5, 5]]).tolist()
    [True, False]
    """
    one_pcpu(supply)
    c, t, d = matrices(cost, period, deadline)
    sets, n = c.shape
    early = np.zeros(c.size, np.int64) if jitter is None else -flat("jitter", jitter, c.shape, 0)
    none = np.zeros(0, np.int64)
    table = DeadlineSets(np.arange(sets + 1) * n, c.ravel(), t.ravel(), d.ravel() + early, none, none)
    out = np.zeros(sets, np.int64)
    verdicts_of(supply.pattern, float(supply.rate), float(supply.delay), table, empty_rows(n + 1), np.full(sets, -1), out)
    for s in np.flatnonzero((out == TOO_CLOSE) | (out == TOO_LARGE)):      # as near to the rate as floats can tell: one by one, exactly
        out[s] = FINE if verdict_of(one_set(c[s], t[s], d[s], early.reshape(sets, n)[s]), supply) else MISSED
    complain(out, (TOO_LONG,))
    return out == FINE


def min_budget(cost: Any, period: Any, server_period: Any, deadline: Any = None, *, guest: Guest = "edf") -> np.ndarray:
    """Smallest budget of each of many sets.

    Parameters
    ----------
    cost, period : (sets, n) int64 [ns]
        Highest priority first for ``guest="fp"``.
    server_period : int or (sets,) int64 [ns]
    deadline : (sets, n) int64 [ns], optional
        The period unless given.
    guest : {"edf", "fp"}

    Returns
    -------
    (sets,) int64 [ns]
        −1 where not even a whole pCPU would do.

    Examples
    --------
    >>> min_budget([[7, 9], [40, 9]], [[50, 75], [50, 75]], 10).tolist()
    [3, 10]
    """
    check_guest(guest)
    c, t, d = matrices(cost, period, deadline)
    sets, n = c.shape
    server = np.broadcast_to(np.asarray(server_period, np.int64), (sets,)).copy()
    if sets and (server.min() < 1 or server.max() > LONGEST):
        raise SpecError([Problem("server_period", "out of range", "1 ns to 2^53 ns", "choose another")])
    out = np.zeros(sets, np.int64)
    budgets_of(scratch_pattern(), guest == "edf", np.arange(sets + 1) * n, np.arange(sets * n + 1), c.ravel(), t.ravel(), np.zeros(c.size, np.int64),
               d.ravel(), NO_HOLDS, empty_rows(n + 1), server, server, out)
    for s in np.flatnonzero((out == TOO_CLOSE) | (out == TOO_LARGE) | (out == TOO_LONG)):
        found = budget_of(one_set(c[s], t[s], d[s], np.zeros(n, np.int64)), int(server[s]), guest, int(server[s]))
        out[s] = MISSED if found is None else found
    return out


def one_set(cost: np.ndarray, period: np.ndarray, deadline: np.ndarray, offset: np.ndarray) -> TaskSet:
    """One row of the arrays, for the tests that look closely."""
    n = len(cost)
    return TaskSet(tuple(f"task {i}" for i in range(n)), cost, deadline, np.ones(n, bool), np.arange(n + 1), cost, period, offset)


def matrices(cost: Any, period: Any, deadline: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Costs, periods and deadlines as checked, contiguous matrices."""
    c = np.asarray(cost)
    if c.ndim != 2:
        raise SpecError([Problem("cost", f"{c.ndim} dimensions", "(sets, n)", "give a row a set")])
    rows = [flat(name, value, c.shape, 1).reshape(c.shape) for name, value in
            (("cost", cost), ("period", period), ("deadline", period if deadline is None else deadline))]
    return rows[0], rows[1], rows[2]


def flat(name: str, value: Any, shape: tuple[int, ...], least: int) -> np.ndarray:
    """An array of times, checked and end to end."""
    given = np.asarray(value)
    if given.dtype.kind not in "iu" or given.shape != shape:
        raise SpecError([Problem(name, f"{given.dtype} {given.shape}", f"integers of shape {shape}", "give int64 nanoseconds")])
    if given.size and (given.min() < least or (given.max() > LONGEST and not (name == "deadline" and given.max() <= NEVER))):
        raise SpecError([Problem(name, f"{given.min()} to {given.max()}", f"{least} ns to 2^53 ns", "use a coarser unit of time")])
    whole = np.ascontiguousarray(given, np.int64).ravel()
    return whole if whole.flags.writeable else whole.copy()          # kernels are compiled for arrays that can be written


def complain(codes: np.ndarray, about: tuple[int, ...]) -> None:
    """LimitError for the first set without an answer."""
    unanswered = np.flatnonzero(np.isin(codes, about))
    if len(unanswered):
        raise LimitError(f"{len(unanswered)} of {len(codes)} sets have no answer; set {unanswered[0]}: {REASONS[int(codes[unanswered[0]])]}")
