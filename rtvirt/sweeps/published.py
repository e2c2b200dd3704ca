"""Published comparisons as functions to sweep."""

from __future__ import annotations

from ..simulation import simulate
from ..units import s
from ..workloads import mignerey as five_vms
from ..workloads import mignerey_scheduler
from .measures import idle_share, mean_latency, miss_ratio, share, start_jitter, switches


def mignerey(configuration: str, seed: int, duration: int = s(1)) -> dict[str, float]:
    """A run of the five VMs of Mignerey et al., and what they measure of it.

    Parameters
    ----------
    configuration : str
        A key of `rv.workloads.mignerey_schedulers()`.
    seed : int
        Theirs are 42, 43, …
    duration : int [ns]
        Theirs is 1 s.

    Returns
    -------
    dict
        ``miss_ratio`` of the real-time jobs; ``jitter`` [ns], the standard deviation of their start delays, mean of the two VMs;
        ``io_latency`` [ns], mean wait of the I/O VM from a wake-up to the pCPU; ``idle``, share of the time; ``heavy_share``, of what
        the two VMs that compute got together; ``switches``.

    Notes
    -----
    Differences of definition: theirs counts a miss when the work of a period is not done within a window that begins at a multiple of
    the period, ours when a job is not done one period after its release; theirs leaves out waits of no time.

    Examples
    --------
    >>> import rtvirt as rv
    >>> found = rv.sweep(mignerey, dict(configuration=["Credit", "RTDS_A"], seed=[42]), progress=False)
    >>> found["miss_ratio"].tolist(), bool(found["jitter"][0] > found["jitter"][1])
    ([0.0, 0.0], True)
    """
    run = simulate(five_vms(configuration, seed=seed), mignerey_scheduler(configuration), duration, seed, record="jobs")
    heavy, light = share(run, "Heavy_CPU"), share(run, "Light_CPU")
    return {"miss_ratio": miss_ratio(run), "jitter": (start_jitter(run, "RT1") + start_jitter(run, "RT2")) / 2,
            "io_latency": mean_latency(run, "IO"), "idle": idle_share(run), "heavy_share": heavy / (heavy + light) if heavy + light else 0.0,
            "switches": switches(run)}
