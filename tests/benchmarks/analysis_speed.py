"""How fast the analyses are, and how fast against C++ of the same algorithms: same answers, both timed in one run. Not a test.

    python3 lab.py run python tests/benchmarks/analysis_speed.py

Random sets: utilizations uniform on the simplex (sum 0.8), periods log-uniform on 10 ms to 1 s, deadlines uniform on the upper 70 % of
[wcet, period], deadline monotonic. One core, processor time, best of several rounds in turn: other programs may be running. SchedCAT's rates
were measured once on another machine, and stand beside as orders of magnitude.
"""

from __future__ import annotations

import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from against_cpp import FLAGS, compiler

from rtvirt.analysis import batch

SOURCE = Path(__file__).with_name("analysis.cpp")
ROUNDS, INNER, SERVER = 4, 4, 5_000_000             # in turn; and how often each in a turn
SETS = {10: 10_000, 20: 5_000, 50: 1_500}
AIMS = {("fp", 10): 2e6, ("fp", 20): 6e5, ("fp", 50): 1.2e5, ("edf", 10): 1e6, ("edf", 20): 4.5e5, ("edf", 50): 1.5e5, ("budget", 10): 5e4}
SCHEDCAT = {("fp", 10): 5000, ("fp", 20): 1200, ("fp", 50): 173, ("edf", 10): 24_000, ("edf", 20): 11_600, ("edf", 50): 4200}
WHAT = {"fp": "fixed-priority response times", "edf": "EDF by QPA", "budget": "smallest budget for EDF"}


def random_sets(n: int, sets: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Costs, periods, deadlines (sets, n) [ns]."""
    rng = np.random.default_rng(seed)
    period = np.exp(rng.uniform(np.log(1e7), np.log(1e9), (sets, n))).astype(np.int64)
    cost = np.maximum(1, (rng.dirichlet(np.ones(n), sets) * 0.8 * period).astype(np.int64))
    deadline = (cost + (period - cost) * rng.uniform(0.3, 1, (sets, n))).astype(np.int64)
    order = np.argsort(deadline, axis=1)
    cost, period, deadline = (np.ascontiguousarray(np.take_along_axis(a, order, 1)) for a in (cost, period, deadline))
    return cost, period, deadline


def checksum(values: np.ndarray) -> int:
    """The C++ program's."""
    total = 0
    for value in values.ravel().tolist():
        total = (total * 1_000_003 + value) % 2**64
    return total


def timed(function: Callable[[], np.ndarray]) -> tuple[float, int]:
    """Processor time, and the checksum of the answers."""
    start = time.process_time()
    found = function()
    return time.process_time() - start, checksum(found)


def main() -> None:
    """Print a line a test and size."""
    cxx = compiler()
    version = cxx and subprocess.run([cxx, "--version"], capture_output=True, text=True).stdout.splitlines()[0]
    print(f"Python {platform.python_version()}, {platform.processor() or platform.machine()}, {version}, {' '.join(FLAGS)}")
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "analysis"
        if cxx:
            subprocess.run([cxx, *FLAGS, str(SOURCE), "-o", str(program)], check=True)
        for n, sets in SETS.items():
            c, t, d = random_sets(n, sets)
            calls = {"fp": lambda c=c, t=t, d=d: batch.fp_response_times(c, t, d), "edf": lambda c=c, t=t, d=d: batch.edf_schedulable(c, t, d),
                     "budget": lambda c=c, t=t, d=d: batch.min_budget(c, t, SERVER, d)}
            if n > 20:                                   # budgets so near the utilization that some sets alone take seconds, on both sides
                del calls["budget"]
            text = f"{INNER} {len(calls)} {sets} {n} {SERVER}\n" + "\n".join(" ".join(map(str, a.ravel().tolist())) for a in (c, t, d))
            ours: dict[str, list[tuple[float, int]]] = {name: [] for name in calls}
            theirs: dict[str, list[tuple[float, int]]] = {name: [] for name in calls}
            for _ in range(ROUNDS):
                for name, call in calls.items():
                    ours[name] += [timed(call) for _ in range(INNER)]
                if cxx:
                    lines = subprocess.run([str(program)], input=text, check=True, capture_output=True, text=True).stdout.splitlines()
                    for name, line in zip(calls, lines):
                        theirs[name].append((float(line.split()[0]), int(line.split()[1])))
            for name in calls:
                if len({check for _, check in ours[name] + theirs[name]}) > 1:
                    raise SystemExit(f"{name}, n = {n}: the answers differ, so the times mean nothing")
                mine, other = min(seconds for seconds, _ in ours[name]), min((seconds for seconds, _ in theirs[name]), default=0)
                line = f"n = {n}, {WHAT[name]}: {sets / mine / 1e3:,.0f} k sets/s"
                line += f" (to reach: {AIMS[name, n] / 1e3:,.0f} k)" if (name, n) in AIMS else ""
                line += f", {sets / mine / SCHEDCAT[name, n]:,.0f} times SchedCAT's" if (name, n) in SCHEDCAT else ""
                line += f"; C++ {sets / other / 1e3:,.0f} k, C++ time / rtvirt time {other / mine:.2f}, same answers" if cxx else ""
                print(line, flush=True)


if __name__ == "__main__":
    main()
