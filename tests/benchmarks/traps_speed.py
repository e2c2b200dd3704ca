"""How fast a crossover map of 1,000 x 1,000 mixes is: aim 100 ms, of processor time, best and worst of several. Not a test.

    python3 lab.py run python tests/benchmarks/traps_speed.py
"""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import rtvirt as rv

ROUNDS, AIM = 20, 100.0


def timed(what: str, call: Callable[[], object], aim: float | None = None) -> None:
    """Print the best, median and worst of some rounds."""
    taken = []
    for _ in range(ROUNDS):
        start = time.process_time()
        call()
        taken.append(time.process_time() - start)
    best, middle, worst = np.array([min(taken), np.median(taken), max(taken)]) * 1000
    verdict = "" if aim is None else f"; aim {aim:.0f} ms: {'met' if worst <= aim else 'MISSED'}"
    print(f"{what:40} best {best:6.2f} ms, median {middle:6.2f}, worst {worst:6.2f}{verdict}")


if __name__ == "__main__":
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}")
    start = time.process_time()
    rv.traps.platform("p4-672")
    print(f"all platforms calibrated, once a process: {(time.process_time() - start) * 1000:.0f} ms, imports included")
    rates = np.linspace(0, 1e6, 1000)
    mesh = {"system_call": rates[None, :], "register_read": rates[:, None]}
    timed("crossover map, 1,000 x 1,000", lambda: rv.traps.crossover("hardware_assist", "binary_translation", "p4-672", x="system_call",
                                                                     y="page_fault"), AIM)
    timed("overhead of 1,000 x 1,000 mixes", lambda: rv.traps.mix(mesh, "binary_translation", "p4-672"), AIM)
    timed("all 330 predictions", rv.traps.predictions)
