"""What a sweep costs beside the points themselves: threads here, and a Dask cluster of this machine. Not a test.

    python3 lab.py run python tests/benchmarks/sweep_overhead.py [points] [points of no work] [parquet]

A point draws a system of four tasks and asks whether fixed priorities schedule it; it measures its own processor time. All else that this
process and the workers compute in the meantime is the sweep's: Dask, pickling, keys, the store, the table. In one run, as many threads of
this process as processes of a cluster. Processor time is compared, which others on the machine change little, and the wall beside it:

    overhead = processor time of all processes / sum of the points' − 1

A plain loop over the same points, here and in the workers, says what of that would be there without a sweep, too: what a point made has to be
taken down again, and a worker listens to Dask. Points of no work show the same in µs a point for as many points as a study has.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from time import perf_counter, process_time, thread_time
from typing import Any

import rtvirt as rv
from rtvirt.sweeps.cluster import QUIET

UTILIZATIONS = [0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95]


def schedulable(util: float, seed: int) -> dict[str, float]:
    """One system, drawn and judged; and what that took [s]."""
    started = thread_time()
    system = rv.workloads.system(1, 4, util, seed=seed)
    admitted = rv.admit(system, rv.FixedPriority()).admitted
    return {"admitted": admitted, "seconds": thread_time() - started}


def nothing(util: float, seed: int) -> dict[str, float]:
    """No work, a row of the same form."""
    return {"admitted": True, "seconds": 0.0}


def plain(points: int) -> tuple[float, float]:
    """Processor time [s] of the points in a loop, and the sum of the points'."""
    started = process_time()
    busy = sum(schedulable(util, seed)["seconds"] for util in UTILIZATIONS for seed in range(points // len(UTILIZATIONS)))
    return process_time() - started, busy


def loops(points: int, workers: int, client: Any) -> None:
    """What plain loops take beside the points: in as many workers at once, and here."""
    there = client.gather([client.submit(plain, points, pure=False) for _ in range(workers)])
    for name, (whole, busy) in (("plain loop", plain(points)), ("plain loops in the workers", [sum(pair) for pair in zip(*there)])):
        print(f"{name:32} {'':8}         beside the points {100 * (whole / busy - 1):5.1f} % of processor time", flush=True)


def measure(name: str, function: Any, points: int, workers: int, client: Any = None, **more: Any) -> tuple[float, float]:
    """Processor time and wall of a sweep, a point; says what part of it the points were."""
    grid = dict(util=UTILIZATIONS, seed=range(points // len(UTILIZATIONS)))

    def elsewhere() -> float:
        return sum(client.run(process_time).values()) if client else 0.0

    here, there, started = process_time(), elsewhere(), perf_counter()
    table = rv.sweep(function, grid, progress=False, client=client, workers=None if client else workers, **more)
    wall, here, there = perf_counter() - started, process_time() - here, elsewhere() - there
    busy, n = float(table["seconds"].sum()), len(table)
    share = f"overhead {100 * ((here + there) / busy - 1):5.1f} % of processor time" if busy else ""
    print(f"{name:32} {n:8} points  {1e6 * busy / n:6.0f} µs in a point, {1e6 * (here + there) / n:6.0f} in all "
          f"({1e6 * here / n:.0f} in this process)  wall × {workers} {1e6 * wall * workers / n:6.0f}  {share}", flush=True)
    return (here + there) / n, wall / n


def main(points: int, many: int, format: str) -> None:
    """Threads, then the cluster."""
    from dask import config
    from distributed import Client, LocalCluster

    workers = len(os.sched_getaffinity(0))
    print(f"{platform.processor() or platform.machine()}, {workers} cores, load {os.getloadavg()[0]:.1f}, "
          f"Python {platform.python_version()}, {format}")
    with config.set(QUIET), tempfile.TemporaryDirectory() as folder, \
            LocalCluster(n_workers=workers, threads_per_worker=1, host="127.0.0.1", dashboard_address=None) as cluster, Client(cluster) as client:
        measure("(first use)", schedulable, 100, workers)
        measure("(first use)", schedulable, 100, workers, client)
        loops(min(points, 3000), workers, client)
        threads = measure("threads", schedulable, points, workers, store=f"{folder}/1", format=format)
        processes = measure("cluster", schedulable, points, workers, client, store=f"{folder}/2", format=format)
        print(f"cluster : threads = {processes[0] / threads[0]:.3f} of processor time, {processes[1] / threads[1]:.3f} of wall")
        measure("threads, no work", nothing, many // 10, workers, store=f"{folder}/3", format=format)
        measure("cluster, no work", nothing, many, workers, client, store=f"{folder}/4", format=format)
        measure("cluster, read from the store", nothing, many, workers, client, store=f"{folder}/4", format=format)


if __name__ == "__main__":
    counts = [int(one) for one in sys.argv[1:] if one.isdigit()]
    main(counts[0] if counts else 10_000, counts[1] if len(counts) > 1 else 100_000, "parquet" if "parquet" in sys.argv else "lines")
