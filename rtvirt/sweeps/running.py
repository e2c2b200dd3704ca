"""`sweep`: a function at every point of a grid."""

from __future__ import annotations

import os
import time
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import closing, nullcontext
from itertools import accumulate, chain
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from ..errors import Problem, SpecError
from ..notice import audience, silent
from .cluster import connected, on_cluster
from .parquet import ParquetStore
from .points import Points, compute
from .provenance import about
from .spelling import identity, model_version
from .store import Store

if TYPE_CHECKING:
    import pandas as pd

LOOK = 0.1            # [s] between two looks at the threads
TOGETHER = 0.02       # [s] in which a thread may finish points before it writes them
Report = Callable[[int, int], None]


def sweep(function: Callable[..., Any], grid: Mapping[str, Iterable[Any]], *, store: str | Path | None = None, workers: int | None = None,
          client: Any = None, format: str = "lines", progress: bool | Report = True, errors: str = "record", retry: bool = False) -> pd.DataFrame:
    """Call a function at every point of a grid, on all cores or a cluster; one row a point, in the grid's order.

    Parameters
    ----------
    function : callable
        Gets the parameters by name; returns a number, text, or a mapping or named tuple of those: the columns. It runs in threads:
        `simulate` and the analyses let go of the GIL, so they fill every core.
    grid : {name: values}
        Every combination, the last name fastest. Numbers, text, tuples, schedulers, systems.
    store : path, optional
        A folder. A point found there is not computed again; a new one is kept when it is finished. Killed at any time, the same
        call goes on where it was. Results count for as long as the function, what it names, and this package's model are what they were.
    workers : int, optional
        Threads; one a core unless given. 1 computes in the calling thread. With ``client="local"``, processes.
    client : Client, cluster, address or "local", optional
        Of Dask: the points are computed there, the table and the store stay here; the table is the same. ``docs/sweeps.md`` has recipes.
        Needs the extra ``cluster``.
    format : {"lines", "parquet"}
        Of the store: a file of lines, or a folder ``NAME.parquet`` that pandas and others read as one table, with its provenance. Needs the
        extra ``parquet``.
    progress : bool or callable
        A bar, for people only; or a function of (points done, points in all).
    errors : {"record", "raise"}
        An error at a point becomes text in the column ``error`` (there is none without errors), or ends the sweep.
    retry : bool
        Compute points again whose stored result is an error.

    Returns
    -------
    DataFrame

    Raises
    ------
    SpecError
        A grid or result that makes no table.
    RtvirtError
        A store that cannot be written, or that another process is writing to; a cluster that does not answer, or that has another rtvirt.
    KeyboardInterrupt
        After Ctrl-C: points in progress are finished first.

    Notes
    -----
    Finished means written: what a thread that is killed has done since its last line on disk, a point or 0.02 s of shorter ones, is to be
    done again. What the function names counts by its value when the sweep begins (numbers, lists, your own functions and classes); what it
    reads from elsewhere (files, the clock, objects that have no text) is not watched.

    Examples
    --------
    >>> import rtvirt as rv
    >>> from rtvirt.units import ms, s
    >>> def misses(scheduler, budget):
    ...     two = rv.System(vms=[rv.VM("rt", tasks=[rv.Task("t", wcet=ms(2), period=ms(10))], budget=budget, period=ms(10)),
    ...                          rv.VM("hog", tasks=[rv.hog()], budget=ms(5), period=ms(9))])
    ...     return rv.sweeps.measures.miss_ratio(rv.simulate(two, scheduler, s(1), record="summary"))
    >>> rv.sweep(misses, grid=dict(scheduler=[rv.RTDS()], budget=[ms(1), ms(2)]), progress=False)["misses"].tolist()
    [1.0, 0.0]
    """
    check(function, grid, workers, errors, client, format)
    points = Points(grid)
    version = f"{identity(function)}-{model_version()}"
    keys = points.keys(version)
    kept = None if store is None else open_store(store, format, function, points, version)
    found: dict[str, dict[str, Any]] = {} if kept is None else kept.results
    try:
        if kept is not None and retry:
            kept.forget([key for key, record in found.items() if "error" in record])
        todo = {key: i for i, key in reversed(list(enumerate(keys))) if key not in found}       # equal points are computed once
        if kept is not None:
            tell(kept, len(todo))
        compute_all(Work(function, points, keys, found, kept, errors), sorted(todo.values()), client, workers, progress)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(stopped(kept, len(set(keys) & found.keys()), len(set(keys)))) from None
    finally:
        if kept is not None:
            kept.close()
    return table(points, [found[key] for key in keys])


def compute_all(work: Work, order: list[int], client: Any, workers: int | None, progress: bool | Report) -> None:
    """Compute points, here or on a cluster."""
    total = len(set(work.keys))
    with nullcontext() if client is None or not order else connected(client, workers or cores()) as cluster:
        steps = in_threads(work, order, workers or cores()) if cluster is None else on_cluster(work, order, cluster)
        show(steps, total - len(order), total, progress)


def open_store(folder: str | Path, format: str, function: Callable[..., Any], points: Points, version: str) -> Store | ParquetStore:
    """The store of a function in a folder."""
    make = ParquetStore if format == "parquet" else Store
    return make(folder, file_name(function), version, about(function, points, version.split("-")[0]))


class Work:
    """What is to be done: a function, its points, and where the results go."""

    def __init__(self, function: Callable[..., Any], points: Points, keys: list[str], found: dict[str, dict[str, Any]],
                 kept: Store | ParquetStore | None, errors: str) -> None:
        self.function, self.points, self.keys = function, points, keys
        self.found, self.kept, self.errors = found, kept, errors

    def __call__(self, i: int) -> dict[str, Any]:
        """Compute a point here."""
        return compute(self.function, self.points.point(i), self.errors)

    def keep(self, points: list[int], records: list[dict[str, Any]]) -> None:
        """Keep what was found at some points."""
        if self.kept is None:
            self.found.update(zip((self.keys[i] for i in points), records))
        else:
            self.kept.add([(self.keys[i], self.points.text(i), record) for i, record in zip(points, records)])


def show(steps: Generator[int], before: int, total: int, progress: bool | Report) -> None:
    """Let the points be computed, showing how far it is."""
    with closing(steps):
        if callable(progress):
            for done in accumulate(steps, initial=before):
                if done > before:
                    progress(done, total)
            return
        from tqdm.auto import tqdm

        quiet = not progress or before == total or audience() is silent
        with tqdm(total=total, initial=before, unit="point", leave=False, disable=quiet) as bar:
            for count in steps:
                bar.update(count)


def in_threads(work: Work, order: list[int], workers: int) -> Generator[int]:
    """Do the points in order, some at a time; how many are done is yielded now and then. A thread takes the next point by itself: to hand
    each of them over, and to wake up for it, would cost more than many a point."""
    if workers == 1:
        for i in order:
            work.keep([i], [work(i)])
            yield 1
        return
    rest, stop, done, told = deque(order), Event(), [0] * workers, 0
    with ThreadPoolExecutor(workers, thread_name_prefix="sweep") as pool:
        going = {pool.submit(take, work, rest, stop, done, me) for me in range(min(workers, len(order)))}
        try:
            while going:
                finished, going = wait(going, timeout=LOOK, return_when=FIRST_COMPLETED)       # awake now and then for Ctrl-C and the bar
                if (now := sum(done)) > told:
                    yield now - told
                    told = now
                for future in finished:
                    future.result()
        finally:
            stop.set()


def take(work: Work, rest: deque[int], stop: Event, done: list[int], me: int) -> None:
    """A thread: compute one point after the other. What took no time is written together: a thread that writes hands over to another one."""
    fresh: dict[int, dict[str, Any]] = {}
    kept = time.monotonic()
    try:
        while not stop.is_set():
            try:
                i = rest.popleft()
            except IndexError:                # all are done, or in the hands of others
                return
            fresh[i] = work(i)
            if time.monotonic() - kept > TOGETHER:
                work.keep(list(fresh), list(fresh.values()))
                done[me] += len(fresh)
                fresh, kept = {}, time.monotonic()
    finally:
        if fresh:
            work.keep(list(fresh), list(fresh.values()))
            done[me] += len(fresh)


def stopped(kept: Store | ParquetStore | None, done: int, total: int) -> str:
    """What to say after Ctrl-C."""
    if kept is None:
        return f"stopped after {done} of {total} points, which are lost: give store=... to keep them next time"
    return f"stopped after {done} of {total} points; they are in {kept.path}: call the same sweep again to go on"


def tell(kept: Store | ParquetStore, todo: int) -> None:
    """Say what of the store cannot be used."""
    if kept.damaged:
        warnings.warn(f"{kept.damaged} lines of {kept.path} are damaged; their points are computed again", RuntimeWarning, stacklevel=3)
    if kept.other_versions and todo:
        warnings.warn(f"{kept.path} holds {kept.other_versions} points of another version of this function, of what it names, or of rtvirt; they "
                      f"are left alone, and {todo} points are computed", RuntimeWarning, stacklevel=3)


def table(points: Points, records: list[dict[str, Any]]) -> pd.DataFrame:
    """Parameters and results side by side; what a point has no result for is None."""
    import pandas as pd

    results = [record.get("result", {}) for record in records]
    made = {name: points.column(n) for n, name in enumerate(points.names)}
    for column in dict.fromkeys(chain.from_iterable(results)):
        made[column] = [result.get(column) for result in results]
    found = pd.DataFrame(made)
    if any("error" in record for record in records):
        found["error"] = pd.Series([record.get("error") for record in records], dtype=object)
    return found


def file_name(function: Callable[..., Any]) -> str:
    """Name of a function's file."""
    name = getattr(function, "__name__", type(function).__name__)
    return "".join(c if c.isalnum() or c in "_-" else "_" for c in name)


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def check(function: Any, grid: Any, workers: Any, errors: Any, client: Any, format: Any) -> None:
    """Refuse what cannot be swept, all problems at once."""
    found = []
    if not callable(function):
        found.append(Problem("function", function, "a function of the grid's parameters", "give its name, without parentheses"))
    if not isinstance(grid, Mapping) or not all(isinstance(name, str) for name in grid):
        found.append(Problem("grid", grid, "{name: values}", "write grid=dict(util=[0.5, 0.6], seed=range(10))"))
    else:
        found += [Problem(f"grid[{name!r}]", one, "values to go through", "put it in brackets: [...]") for name, one in grid.items()
                  if isinstance(one, (str, bytes)) or not isinstance(one, Iterable)]
    if workers is not None and (not isinstance(workers, int) or isinstance(workers, bool) or not 1 <= workers <= 1024):
        found.append(Problem("workers", workers, "1 to 1024", "leave it out for one a core"))
    if errors not in ("record", "raise"):
        found.append(Problem("errors", errors, "'record' or 'raise'", "choose one of these"))
    if format not in ("lines", "parquet"):
        found.append(Problem("format", format, "'lines' or 'parquet'", "choose one of these"))
    if workers is not None and client not in (None, "local"):
        found.append(Problem("workers", workers, "nothing beside client=", "leave it out: the cluster has workers of its own"))
    if found:
        raise SpecError(found)
