"""Several runs side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .errors import Problem, SpecError
from .results import Run

if TYPE_CHECKING:
    import pandas as pd


def compare(*runs: Run, labels: Sequence[str] | None = None) -> pd.DataFrame:
    """One row a VM, one group of columns a run: share, misses, worst and p99 response of its tasks, switches.

    Parameters
    ----------
    *runs : Run
    labels : sequence of str, optional
        One a run; by default the scheduler's class, numbered where it repeats.

    Returns
    -------
    DataFrame
        Columns (run, quantity); times in ns; -1 where a VM has no finished job. A VM that one of the systems has not is NaN there.

    Raises
    ------
    SpecError
        No runs, something that is no run, or not as many labels as runs, each another.

    Examples
    --------
    >>> import rtvirt as rv
    >>> from rtvirt.units import ms
    >>> two = rv.System(vms=[rv.VM("A", tasks=[rv.hog()]), rv.VM("B", tasks=[rv.hog()])])
    >>> table = compare(rv.simulate(two, rv.RoundRobin(), ms(100)), rv.simulate(two, rv.FixedPriority(), ms(100)))
    >>> table["FixedPriority", "share"].to_dict()
    {'A': 1.0, 'B': 0.0}
    """
    import pandas as pd

    for i, run in enumerate(runs):
        if not isinstance(run, Run):
            raise SpecError([Problem(f"runs[{i}]", run, "what simulate returned", "give compare(run, run, ...)")])
    names = list(labels) if labels is not None else default_labels(runs)
    if not runs:
        raise SpecError([Problem("runs", (), "one run or more", "give compare(run, run, ...)")])
    if len(names) != len(runs) or len(set(names)) < len(names):
        raise SpecError([Problem("labels", names, f"{len(runs)} different names, one a run", "give as many labels as runs")])
    blocks = {}
    for name, run in zip(names, runs, strict=True):
        by_vm = run.tasks.groupby(level="vm", sort=False)
        blocks[name] = pd.DataFrame({
            "share": run.vms["share"], "misses": by_vm["misses"].sum().reindex(run.vms.index, fill_value=0),
            "response_p99": by_vm["response_p99"].max().reindex(run.vms.index, fill_value=-1),
            "response_max": by_vm["response_max"].max().reindex(run.vms.index, fill_value=-1), "switches": run.vms["switches"]})
    return pd.concat(blocks, axis=1)


def default_labels(runs: Sequence[Run]) -> list[str]:
    """Names of the schedulers, numbered where they repeat."""
    names = [type(run.scheduler).__name__ for run in runs]
    return [f"{name} {names[:i + 1].count(name)}" if names.count(name) > 1 else name for i, name in enumerate(names)]
