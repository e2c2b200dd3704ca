"""The first study: of random systems, how many can each of nine schedulers promise to serve?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ...datafolder import path
from ...errors import Problem, SpecError
from ...schedulers import CBS, RTDS, SEDF, Credit, Credit2, DeferrableServers, FixedPriority, PeriodicServers, RoundRobin
from ..running import sweep
from .promises import QUANTUM, VERDICTS
from .systems import draw

if TYPE_CHECKING:
    import pandas as pd

SCHEDULERS: dict[str, Any] = {
    "FixedPriority": FixedPriority(), "CBS": CBS(hard=True), "PeriodicServers": PeriodicServers(order="edf"), "RTDS": RTDS(),
    "RTDS, own periods": RTDS(), "SEDF": SEDF(), "DeferrableServers": DeferrableServers(), "RoundRobin": RoundRobin(QUANTUM),
    "Credit2": Credit2(), "Credit": Credit()}
UTILIZATIONS = tuple(round(0.05 * k, 2) for k in range(1, 21))
AT_ONCE = 1000            # systems in a point of the sweep
VMS = 4


def served(utilization: float, block: int, size: int = AT_ONCE, vms: int = VMS, seed: int = 0) -> dict[str, int]:
    """Of a block of `size` systems: how many each scheduler admits.

    Examples
    --------
    >>> found = served(0.3, 0, size=100)
    >>> found["systems"], found["Credit"], found["FixedPriority"]
    (100, 0, 100)
    """
    some = draw(vms, utilization, count=size, first=block * size, seed=seed)
    return {"systems": size} | {name: int(test(some).sum()) for name, test in VERDICTS.items()}


def schedulability(count: int = 20_000, *, vms: int = VMS, seed: int = 0, **options: Any) -> pd.DataFrame:
    """Schedulability ratio of nine schedulers over `count` random systems: one call, a progress bar, a table for `rv.plots.ratio`.

    Parameters
    ----------
    count : int
        Systems in all, the same number at each of 20 utilizations, and a whole number of blocks: rounded up.
    vms : int
        In each system, a task each.
    seed : int
    **options
        Of `rv.sweep`: store, workers, progress, …

    Returns
    -------
    DataFrame
        A row a utilization: `systems`, and how many each scheduler admits.

    Notes
    -----
    Systems and contracts are those of `studies.draw`; nothing costs time. What is counted is what can be *promised* (`rv.admit`), not what happens
    to go well. Credit promises nothing, so its line is 0 (docs/xen-rules.md).

    Examples
    --------
    >>> table = schedulability(400, progress=False)
    >>> int(table["systems"].sum()), bool((table["FixedPriority"] >= table["RTDS"]).all())
    (400, True)
    """
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise SpecError([Problem("count", count, "a number of systems, at least 1", "write for example count=20_000")])
    each = -(-count // len(UTILIZATIONS))
    size = min(AT_ONCE, each)
    grid = dict(utilization=UTILIZATIONS, block=range(-(-each // size)), size=[size], vms=[vms], seed=[seed])
    found = sweep(served, grid, **options)
    return found.groupby("utilization", as_index=False)[["systems", *VERDICTS]].sum()


def million() -> pd.DataFrame:
    """The table over a million systems that ships in data/studies, made once by ``python -m rtvirt.sweeps.studies 1000000``.

    Examples
    --------
    >>> int(million()["systems"].sum())
    1000000
    """
    import pandas as pd

    return pd.read_csv(path("studies/schedulability.csv"))


def disagreements(utilization: float, row: int, vms: int = VMS, seed: int = 0) -> dict[str, tuple[bool, bool]]:
    """Where the verdict on one system by arrays is not that of `rv.admit`: (by arrays, by admit). Empty, unless one of them is wrong."""
    from ...analysis import admit

    some = draw(vms, utilization, count=1, first=row, seed=seed)
    if (some.budget < 1).any():
        return {}                             # no contract to admit
    made = {name: (some.alike() if name == "RTDS" else some).one(0) for name in SCHEDULERS}
    pairs = {name: (bool(np.all(VERDICTS[name](some))), bool(admit(made[name], scheduler))) for name, scheduler in SCHEDULERS.items()}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
