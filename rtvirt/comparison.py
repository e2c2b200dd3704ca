"""Several runs side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

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
        Columns (run, quantity); times in ns; -1 where a VM has no finished job.
    """
    import pandas as pd

    names = list(labels) if labels is not None else default_labels(runs)
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
