"""Compile the interpreter and the monitors ahead of time, as `jit.warmup` does for schedulers."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

from ..jit import DISABLED
from .bind import cache_dir
from .cpu import Machine
from .monitors import Monitor


def is_warm() -> bool:
    """True when a process can load interpreter and dispatcher without compiling them."""
    return DISABLED or len(list(cache_dir().rglob("*.nbc"))) >= 2


def warmup(report: Callable[[str], None] = lambda text: None) -> None:
    """Run a program of one instruction on the bare machine and under a monitor, telling `report` before and after."""
    report("machine: loading" if is_warm() else "machine: compiling, once (about 12 s)")
    start = perf_counter()
    Machine("clean", "HLT").run()
    monitor = Monitor("clean")
    monitor.create("HLT", size=64)
    monitor.run()
    report(f"machine: ready after {perf_counter() - start:.1f} s")
