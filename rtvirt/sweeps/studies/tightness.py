"""The second study: how far is the worst response that an attacker finds below its bound?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ...analysis import attack
from ...errors import Problem, SpecError
from ..running import sweep
from .ratio import SCHEDULERS
from .systems import draw

if TYPE_CHECKING:
    import pandas as pd

BOUNDED = ("FixedPriority", "CBS", "PeriodicServers", "RTDS", "SEDF", "DeferrableServers", "RoundRobin")       # those with bounds worth attacking


def attacked(scheduler: str, seed: int, utilization: float, vms: int, runs: int) -> dict[str, float | None]:
    """Bound ÷ worst response seen of each VM's task; None where there is no bound.

    Examples
    --------
    >>> found = attacked("RTDS", 0, 0.5, 2, runs=10)
    >>> sorted(found), all(tightness >= 1 for tightness in found.values())
    (['vm0', 'vm1'], True)
    """
    some = draw(vms, utilization, count=1, first=seed)
    system = (some.alike() if scheduler == "RTDS" else some).one(0)
    found = attack(system, SCHEDULERS[scheduler], runs=runs, seed=seed)
    return {name.partition("/")[0]: shown.tightness for name, shown in found.tasks.items()}


def tightness(schedulers: Sequence[str] = BOUNDED, *, systems: Iterable[int] = range(20), utilization: float = 0.5, vms: int = 3, runs: int = 40,
              **options: Any) -> pd.DataFrame:
    """Bound ÷ worst response that an attack has seen, for random systems under some schedulers: a table for `rv.plots.tightness`.

    Parameters
    ----------
    schedulers : names of `studies.SCHEDULERS`
    systems : iterable of int
        Numbers of systems of `studies.draw`, the same for all.
    utilization, vms
        Of each.
    runs : int
        Simulations an attack may spend on a system: more find worse responses.
    **options
        Of `rv.sweep`.

    Returns
    -------
    DataFrame
        A row a task that has a bound: scheduler, system, vm, tightness. 1 is exact; below 1 the bound would be broken.

    Notes
    -----
    An upper limit on pessimism: the attacker may not have found the worst. Tasks without a bound are left out: their number is another study.
    """
    unknown = [name for name in schedulers if name not in SCHEDULERS]
    if unknown:
        raise SpecError([Problem("schedulers", name, ", ".join(SCHEDULERS), "choose some of these") for name in unknown])
    grid = dict(scheduler=schedulers, seed=systems, utilization=[utilization], vms=[vms], runs=[runs])
    wide = sweep(attacked, grid, **options).rename(columns={"seed": "system"})
    names = [f"vm{i}" for i in range(vms)]
    tall = wide.melt(["scheduler", "system"], names, "vm", "tightness").dropna(subset="tightness")
    return tall.astype({"tightness": float}).sort_values(["scheduler", "system", "vm"], ignore_index=True)
