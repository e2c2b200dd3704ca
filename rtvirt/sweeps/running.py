"""`sweep`: a function at every point of a grid."""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from itertools import islice, product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import Problem, SpecError
from ..notice import audience, silent
from .spelling import identity, model_version, spell
from .store import Store

if TYPE_CHECKING:
    import pandas as pd

Report = Callable[[int, int], None]


def sweep(function: Callable[..., Any], grid: Mapping[str, Iterable[Any]], *, store: str | Path | None = None, workers: int | None = None,
          progress: bool | Report = True, errors: str = "record", retry: bool = False) -> pd.DataFrame:
    """Call a function at every point of a grid, on all cores; one row a point, in the grid's order.

    Parameters
    ----------
    function : callable
        Gets the parameters by name; returns a number, text, or a mapping or named tuple of those: the columns. It runs in threads:
        `simulate` and the analyses let go of the GIL, so they fill every core.
    grid : {name: values}
        Every combination, the last name fastest. Numbers, text, tuples, schedulers, systems.
    store : path, optional
        A folder. A point found there is not computed again; a new one is kept at the moment it is finished. Killed at any time, the same
        call goes on where it was. Results count for as long as the function, what it names, and this package's model are what they were.
    workers : int, optional
        Threads; one a core unless given. 1 computes in the calling thread.
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
        A store that cannot be written, or that another process is writing to.
    KeyboardInterrupt
        After Ctrl-C: points in progress are finished first.

    Notes
    -----
    Finished means written: a thread that is killed between its last instruction and the line on disk has to do that point again. What the
    function names counts by its value when the sweep begins (numbers, lists, your own functions and classes); what it reads from elsewhere
    (files, the clock, objects that have no text) is not watched.

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
    check(function, grid, workers, errors)
    names, values = list(grid), [list(one) for one in grid.values()]
    spelled = [[spell(value, f"grid[{name!r}]") for value in one] for name, one in zip(names, values)]
    version = f"{identity(function)}-{model_version()}"
    points = [dict(zip(names, point)) for point in product(*values)]
    texts = [dict(zip(names, point)) for point in product(*spelled)]
    keys = [key_of(version, text) for text in texts]
    kept = Store(store, file_name(function), version) if store is not None else None
    found: dict[str, dict[str, Any]] = {} if kept is None else kept.results
    try:
        for key in [key for key, record in found.items() if retry and "error" in record]:
            del found[key]
        todo = {key: i for i, key in reversed(list(enumerate(keys))) if key not in found}       # equal points are computed once
        if kept is not None:
            tell(kept, len(todo))
        order = sorted(todo.values())
        work = Work(function, points, texts, keys, found, kept, errors)
        show(work, order, len(set(keys)) - len(order), workers or cores(), progress)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(stopped(kept, len(set(keys) & found.keys()), len(set(keys)))) from None
    finally:
        if kept is not None:
            kept.close()
    return table(names, points, [found[key] for key in keys])


class Work:
    """What threads do."""

    def __init__(self, function: Callable[..., Any], points: list[dict[str, Any]], texts: list[dict[str, str]], keys: list[str],
                 found: dict[str, dict[str, Any]], kept: Store | None, errors: str) -> None:
        self.function, self.points, self.texts, self.keys = function, points, texts, keys
        self.found, self.kept, self.errors = found, kept, errors

    def __call__(self, i: int) -> None:
        """Compute a point, and keep what was found."""
        record: dict[str, Any]
        try:
            value = self.function(**self.points[i])
        except Exception as error:
            error.add_note(f"at the point {', '.join(f'{name}={value!r}' for name, value in self.points[i].items())}")
            if self.errors == "raise":
                raise
            record = {"error": f"{type(error).__name__}: {error}"}
        else:
            record = {"result": columns(value, getattr(self.function, "__name__", "value"), self.points[i])}
        if self.kept is None:
            self.found[self.keys[i]] = record
        else:
            self.kept.add(self.keys[i], self.texts[i], **record)


def show(work: Work, order: list[int], before: int, workers: int, progress: bool | Report) -> None:
    """Compute the points, showing how far it is."""
    with closing(compute(work, order, workers)) as steps:
        if callable(progress):
            for done, _ in enumerate(steps, before + 1):
                progress(done, before + len(order))
            return
        from tqdm.auto import tqdm

        quiet = not progress or not order or audience() is silent
        with tqdm(total=before + len(order), initial=before, unit="point", leave=False, disable=quiet) as bar:
            for _ in steps:
                bar.update()


def compute(work: Work, order: list[int], workers: int) -> Iterator[None]:
    """Do the points in order, some at a time; something is yielded for each that is done."""
    if workers == 1:
        for i in order:
            yield work(i)
        return
    with ThreadPoolExecutor(workers, thread_name_prefix="sweep") as pool:
        waiting: set[Future[None]] = set()
        rest = iter(order)
        try:
            while True:
                waiting |= {pool.submit(work, i) for i in islice(rest, 2 * workers - len(waiting))}
                if not waiting:
                    return
                finished, waiting = wait(waiting, timeout=0.5, return_when=FIRST_COMPLETED)      # awake now and then for Ctrl-C
                for future in finished:
                    yield future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def stopped(kept: Store | None, done: int, total: int) -> str:
    """What to say after Ctrl-C."""
    if kept is None:
        return f"stopped after {done} of {total} points, which are lost: give store=... to keep them next time"
    return f"stopped after {done} of {total} points; they are in {kept.path}: call the same sweep again to go on"


def tell(kept: Store, todo: int) -> None:
    """Say what of the store cannot be used."""
    if kept.damaged:
        warnings.warn(f"{kept.damaged} lines of {kept.path} are damaged; their points are computed again", RuntimeWarning, stacklevel=3)
    if kept.other_versions and todo:
        warnings.warn(f"{kept.path} holds {kept.other_versions} points of another version of this function, of what it names, or of rtvirt; they "
                      f"are left alone, and {todo} points are computed", RuntimeWarning, stacklevel=3)


def table(names: list[str], points: list[dict[str, Any]], records: list[dict[str, Any]]) -> pd.DataFrame:
    """Parameters and results side by side."""
    import pandas as pd

    rows = [{**point, **record.get("result", {})} for point, record in zip(points, records)]
    made = pd.DataFrame(rows, columns=None if rows else names)
    if any("error" in record for record in records):
        made["error"] = pd.Series([record.get("error") for record in records], dtype=object)
    return made


def columns(value: Any, name: str, point: dict[str, Any]) -> dict[str, Any]:
    """A result as {column: plain value}; SpecError if it makes no row."""
    if hasattr(value, "_asdict"):
        value = value._asdict()
    named = dict(value) if isinstance(value, Mapping) or hasattr(value, "to_dict") else {"value" if name.startswith("<") else name: value}
    found = {}
    for column, one in named.items():
        one = one.item() if isinstance(one, np.generic) else one
        if column in point or column == "error":
            raise SpecError([Problem("function", column, "columns that are no parameters, and not called error", "rename this part of its result")])
        if not (one is None or isinstance(one, (bool, int, float, str))):
            raise SpecError([Problem(f"function's {column}", one, "a number, text or None", "return numbers, or a dict of them")])
        found[str(column)] = one
    return found


def key_of(version: str, text: dict[str, str]) -> str:
    """What a point's result is found by."""
    return hashlib.sha256("\0".join([version, *(f"{name}={value}" for name, value in sorted(text.items()))]).encode()).hexdigest()[:24]


def file_name(function: Callable[..., Any]) -> str:
    """Name of a function's file."""
    name = getattr(function, "__name__", type(function).__name__)
    return "".join(c if c.isalnum() or c in "_-" else "_" for c in name)


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def check(function: Any, grid: Any, workers: Any, errors: Any) -> None:
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
    if found:
        raise SpecError(found)
