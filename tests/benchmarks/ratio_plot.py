"""A schedulability-ratio plot of a million random task sets: made, tested and drawn. Not a test.

    python3 lab.py run python tests/benchmarks/ratio_plot.py [SETS]

Ten tasks each, utilizations uniform on the simplex, periods log-uniform on 10 ms to 1 s, deadlines uniform on the upper half of [cost,
period]; every set is put to both tests, exact response times under deadline-monotonic priorities and EDF by QPA. Wall-clock time, all cores.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import rtvirt as rv
from rtvirt.analysis import batch

SLICE = 5000
UTILIZATIONS = [round(0.5 + 0.025 * i, 3) for i in range(20)]


def point(utilization: float, part: int) -> dict[str, int]:
    """How many of a slice of the sets pass."""
    some = rv.workloads.tasksets(10, utilization, sets=SLICE, first=part * SLICE, deadlines=(0.5, 1))
    fixed = batch.fp_response_times(*some[:3])
    return {"sets": SLICE, "fixed priorities": int((fixed >= 0).all(axis=1).sum()), "EDF": int(batch.edf_schedulable(*some[:3]).sum())}


def main() -> None:
    """Print how long it took, and a few of the shares."""
    sets = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    parts = max(1, sets // (SLICE * len(UTILIZATIONS)))
    start = time.perf_counter()
    point(0.5, 0)
    print(f"Python {platform.python_version()}, {platform.processor() or platform.machine()}, {os.cpu_count()} cores; "
          f"kernels ready after {time.perf_counter() - start:.1f} s")
    start, worked = time.perf_counter(), time.process_time()
    table = rv.sweep(point, dict(utilization=UTILIZATIONS, part=range(parts)), progress=False)
    made = time.perf_counter()
    ax = rv.plots.ratio(table, passed=["EDF", "fixed priorities"], sets="sets")
    with tempfile.TemporaryDirectory() as folder:
        ax.figure.savefig(Path(folder) / "ratio.png")
    done, worked = time.perf_counter(), time.process_time() - worked
    print(f"{table['sets'].sum():,} task sets, both tests: {made - start:.1f} s, and {done - made:.1f} s to draw (to reach: 60 s on 2 cores); "
          f"{worked / (done - start):.2f} cores busy, {table['sets'].sum() / (done - start) / 1e3:,.0f} k sets/s")
    shares = table.groupby("utilization")[["sets", "fixed priorities", "EDF"]].sum()
    for utilization, (n, fixed, edf) in zip(shares.index, shares.to_numpy().tolist()):
        print(f"  {utilization:.3f}: EDF {edf / n:.4f}, fixed priorities {fixed / n:.4f}")


if __name__ == "__main__":
    main()
