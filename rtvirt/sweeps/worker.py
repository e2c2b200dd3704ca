"""What a worker of a cluster does: a batch of points, in one go."""

from __future__ import annotations

import pickle
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from threading import Lock
from typing import Any, NamedTuple

from ..errors import RtvirtError
from ..jit import cache_root, is_warm, warmup
from .points import compute
from .spelling import model_version
from .store import hold

PATIENCE = 60.0       # [s] that a process waits for another one of this machine to compile

stopped: set[str] = set()        # sweeps that were told to stop
warming = Lock()


class Job(NamedTuple):
    """What all batches of a sweep have in common."""

    name: str                 # of this call
    model: str                # the driver's digest of this package's model
    python: tuple[int, ...]   # the driver's (3, 11): byte code travels
    function: bytes           # pickled, with the user's own modules
    names: tuple[str, ...]    # of parameters
    schedulers: tuple[str, ...]     # in the grid: compiled before any time is taken
    errors: str


class Batch(NamedTuple):
    """What comes back: the records of the first points, the time they took, and an exception that ends the sweep."""

    records: list[dict[str, Any]]
    seconds: float
    error: Exception | None


def run(job: Job, values: bytes, limit: float) -> Batch:
    """Compute points until all are done, the time is over (`limit` [s], but one point at least), the sweep is stopped, or an exception ends it."""
    if job.name in stopped:
        return Batch([], 0.0, None)
    check(job)
    function, points = loaded(job.function), pickle.loads(values)
    prepare(job.schedulers)
    records: list[dict[str, Any]] = []
    started = time.perf_counter()
    for point in points:
        if job.name in stopped or (records and time.perf_counter() - started > limit):
            break
        try:
            records.append(compute(function, dict(zip(job.names, point)), job.errors))
        except Exception as error:
            return Batch(records, time.perf_counter() - started, portable(error))
    return Batch(records, time.perf_counter() - started, None)


def stop(name: str) -> None:
    """Let the batches of a sweep come back after the point in progress."""
    stopped.add(name)


def check(job: Job) -> None:
    """Refuse to compute with another model than the driver's: its results would be taken for the same."""
    if job.python != sys.version_info[:2]:
        raise RtvirtError(f"a worker has Python {'.'.join(map(str, sys.version_info[:2]))}, this process {'.'.join(map(str, job.python))}: "
                          "start workers with the same Python")
    if job.model != model_version():
        raise RtvirtError(f"a worker has another rtvirt (model {model_version()}, this process has {job.model}): install the same version where "
                          "workers run, and start them again")


@lru_cache(maxsize=8)
def loaded(function: bytes) -> Any:
    """The function; once a process, not once a batch."""
    try:
        return pickle.loads(function)
    except (ImportError, AttributeError) as error:
        raise RtvirtError(f"a worker cannot load the function: {error}; install what it imports where workers run") from None


@lru_cache(maxsize=8)
def prepare(schedulers: Sequence[str]) -> None:
    """Compile or load the grid's schedulers. Of many processes on a machine one compiles, and the others find what it has kept."""
    with warming:
        cold = [name for name in schedulers if not is_warm(name)]
        if cold:
            with alone():
                warmup(cold)


@contextmanager
def alone() -> Iterator[None]:
    """Be the only process of this machine that compiles; after some time, be it in company."""
    path, ends = cache_root() / "warming.lock", time.monotonic() + PATIENCE
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a")
    except OSError:                   # no cache here: everybody compiles
        yield
        return
    with file:
        while time.monotonic() < ends:
            try:
                hold(file.fileno(), path)
                break
            except RtvirtError:
                time.sleep(0.1)
        yield


def portable(error: Exception) -> Exception:
    """The exception if it can travel; else its text."""
    try:
        if str(pickle.loads(pickle.dumps(error))) == str(error):
            return error
    except Exception:
        pass
    return RtvirtError(f"{type(error).__name__}: {error}\n" + "\n".join(getattr(error, "__notes__", [])))
