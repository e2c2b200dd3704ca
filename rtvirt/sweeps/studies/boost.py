"""The third study: where does BOOST help, and whom does it hurt?

VMs that do I/O wake at random times, do a little and sleep. Beside them a decoder needs 12 ms in every 40 ms, and a hog takes the rest; all have the
same weight. Each point is run twice, with credit's BOOST and without (``boost_budget=0``), from the same random numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ...schedulers import Credit
from ...simulation import simulate
from ...system import VM, System, Task, hog
from ...units import ms, s
from ..measures import latency_quantile
from ..running import sweep

if TYPE_CHECKING:
    import pandas as pd

EVERY = ms(20)            # mean time between two requests of one VM
DECODER = Task("frame", wcet=ms(12), period=ms(40))
WITHOUT = Credit(boost_budget=0)


def io_system(utilization: float, vms: int) -> System:
    """`vms` VMs that together use `utilization` for I/O, a decoder and a hog, on one pCPU."""
    work = max(1, round(utilization * EVERY / vms))
    readers = [VM(f"io{i}", tasks=[Task("request", wcet=work, period=EVERY, arrival="poisson")]) for i in range(vms)]
    return System(vms=[*readers, VM("decoder", tasks=[DECODER]), VM("hog", tasks=[hog()])])


def measured(run: Any, vms: int) -> tuple[float, float]:
    """Mean over the I/O VMs of the 99th percentile of their waits for the pCPU [ns], and the decoder's 99th percentile of responses [ns]."""
    waits = [latency_quantile(run, f"io{i}", 0.99) for i in range(vms)]
    return sum(waits) / vms, float(run.tasks.loc[("decoder", "frame"), "response_p99"])


def boosted(utilization: float, vms: int, seed: int, duration: int) -> dict[str, float]:
    """Both numbers with BOOST and without it.

    Examples
    --------
    >>> found = boosted(0.1, 3, 0, 2_000_000_000)
    >>> found["io with"] < found["io without"]
    True
    """
    system, found = io_system(utilization, vms), {}
    for name, scheduler in (("with", Credit()), ("without", WITHOUT)):
        found[f"io {name}"], found[f"decoder {name}"] = measured(simulate(system, scheduler, duration, seed, record="summary"), vms)
    return found


def boost(utilizations: Sequence[float] = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6), vms: Sequence[int] = (1, 2, 3, 4, 6, 8), *,
          seeds: Iterable[int] = range(3), duration: int = s(10), **options: Any) -> pd.DataFrame:
    """What BOOST does to those it is for and to another VM, over the plane utilization × number of I/O VMs: a table for `rv.plots.gains`.

    Parameters
    ----------
    utilizations : of all I/O VMs together
    vms : numbers of I/O VMs
    seeds : iterable of int
        Averaged over.
    duration : int [ns]
        Of each run.
    **options
        Of `rv.sweep`.

    Returns
    -------
    DataFrame
        A row a point of the plane: utilization, vms, and, with BOOST ÷ without it, `io`, the wait of the I/O VMs for the pCPU, and `decoder`, the
        response of the decoder (99th percentiles, means over seeds). Below 1 BOOST helps, above it hurts.
    """
    found = sweep(boosted, dict(utilization=utilizations, vms=vms, seed=seeds, duration=[duration]), **options)
    mean = found.groupby(["utilization", "vms"])[["io with", "io without", "decoder with", "decoder without"]].mean()
    return (mean.assign(io=mean["io with"] / mean["io without"], decoder=mean["decoder with"] / mean["decoder without"])[["io", "decoder"]]
            .reset_index())
