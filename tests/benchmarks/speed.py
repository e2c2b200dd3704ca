"""How fast: ratios measured in one run, with the machine they were measured on. Not a test.

    python3 lab.py run python tests/benchmarks/speed.py
"""

from __future__ import annotations

import platform
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import rtvirt as rv
from rtvirt.simulation import Machine
from rtvirt.units import ms, s, us


def crowd(vms: int, tasks: int = 5, load: float = 0.9) -> rv.System:
    """VMs with periodic tasks, the load the same however many they are."""
    def task(i: int, j: int) -> rv.Task:
        period = int(us(10 * (j + 1)) * vms * tasks / load) + (7 * i + 3 * j) % 11
        return rv.Task(f"t{j}", wcet=us(10 * (j + 1)), period=period)

    return rv.System(vms=[rv.VM(f"v{i}", tasks=[task(i, j) for j in range(tasks)]) for i in range(vms)])


def per_event(system: rv.System, scheduler: Any, events: int = 2_000_000) -> float:
    """Nanoseconds an event, best of three, statistics on, without set-up."""
    best = float("inf")
    for _ in range(3):
        machine = Machine(system, scheduler, 0, "summary", {})
        machine.state.agenda.end = 2**53
        machine.run_until(ms(1), 2**53, None)
        before = int(machine.state.agenda.handled)
        took = timed(lambda m=machine: m.run(2**53, events))
        best = min(best, 1e9 * took / (int(machine.state.agenda.handled) - before))
    return best


def timed(work: Callable[[], Any]) -> float:
    """Seconds."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def fresh(code: str) -> float:
    """Seconds of a fresh process, best of three."""
    return min(timed(lambda: subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)) for _ in range(3))


def memory(duration: int) -> int:
    """Largest memory that Python allocates in a run [bytes]."""
    tracemalloc.start()
    rv.simulate(crowd(4), rv.Credit(), duration, record="summary")
    top = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return top


def main() -> None:
    """Print the table."""
    print(f"Python {platform.python_version()}, {platform.processor() or platform.machine()}")
    for name, scheduler in (("credit", rv.Credit()), ("fixed priority", rv.FixedPriority()), ("round robin", rv.RoundRobin()),
                            ("rtds", rv.RTDS()),
                            ("polling", rv.PollingServers()), ("periodic", rv.PeriodicServers()), ("deferrable", rv.DeferrableServers()),
                            ("sporadic", rv.SporadicServers()), ("cbs", rv.CBS())):
        small, large = per_event(crowd(4), scheduler), per_event(crowd(256), scheduler)
        print(f"{name:15} 4 VMs x 5 tasks: {small:5.1f} ns an event ({1e3 / small:.1f} M/s);  256 VMs: {large:.1f} ns, {large / small:.2f} x")
    hogs = rv.System(vms=[rv.VM(f"h{i}", tasks=[rv.hog()]) for i in range(4)])
    took = timed(lambda: rv.simulate(hogs, rv.Credit(), s(3600), record="summary"))
    print(f"credit, 4 hogs: {3600 / took:,.0f} x real time")
    memory(ms(100))
    print(f"memory, 1 h against 1 s of virtual time: {memory(s(3600)) / memory(s(1)):.3f} x")
    print(f"import rtvirt: {fresh('import rtvirt') - fresh('pass'):.2f} s;  to the first result: "
          f"{fresh(FIRST) - fresh('pass'):.2f} s (fresh process, warm cache)")
    sweep(2)
    one, two = (min(timed(lambda n=n: sweep(n)) for _ in range(3)) for n in (1, 2))
    print(f"64 runs on 2 threads: {one / two:.2f} x one thread")


FIRST = f"""
import sys; sys.path.insert(0, {str(Path(__file__).resolve().parents[2])!r})
import rtvirt as rv
rv.simulate(rv.System(vms=[rv.VM("a", tasks=[rv.hog()])]), rv.Credit(), 10**9)
"""


def sweep(threads: int) -> None:
    """64 runs of two seconds."""
    system = crowd(4)
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda seed: rv.simulate(system, rv.Credit(), s(2), seed, record="summary"), range(64)))


if __name__ == "__main__":
    main()
