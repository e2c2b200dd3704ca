"""How fast against C++ written by hand: the same algorithm and the same results, both timed in one run. Not a test.

    python3 lab.py run python tests/benchmarks/against_cpp.py

An event is what the engine counts as one: a timer that fired (a release, an end of work, a tick, an accounting, a slice), or a
decision that changed who runs. Both sides simulate the same virtual time and must agree in every statistic, histograms included.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from speed import crowd

import rtvirt as rv
from rtvirt import state
from rtvirt.engine.record import Recording
from rtvirt.simulation import Machine
from rtvirt.system import ranks_of
from rtvirt.units import ms, s

SOURCE = Path(__file__).with_name("two_level.cpp")
FLAGS = ("-O3", "-march=native", "-std=c++17")
ROUNDS = 15
REACH = 0.8
Summary = tuple[int, list[list[int]]]


def compiler() -> str | None:
    """Path of a C++ compiler."""
    return next(filter(None, map(shutil.which, ("c++", "g++", "clang++"))), None)


def listing(system: rv.System) -> str:
    """The system as the C++ program reads it."""
    return "".join(f"{i} {task.wcet} {task.period} {task.deadline} {rank}\n"
                   for i, vm in enumerate(system.vms) for task, rank in zip(vm.tasks, ranks_of(vm.tasks)))


def run_cpp(program: Path, scheduler: Any, system: rv.System, duration: int) -> tuple[float, Summary]:
    """Seconds in the event loop, and the statistics."""
    command = [str(program), scheduler.kernel_name, str(duration), str(system.cpus)]
    lines = subprocess.run(command, input=listing(system), check=True, capture_output=True, text=True).stdout.splitlines()
    seconds, handled = lines[0].split()
    return float(seconds), (int(handled), [[int(x) for x in line.replace(":", " ").split()[1:]] for line in lines[1:]])


def run_ours(scheduler: Any, system: rv.System, duration: int) -> tuple[float, Summary]:
    """The same of rtvirt."""
    machine = Machine(system, scheduler, 0, "summary", {})
    machine.state.agenda.end = duration
    while machine.starts:
        machine.command(state.START_VM, machine.starts.pop(0)[1])
    start = time.process_time()                          # processor time, as the C++ program counts it
    machine.run_until(duration, duration, None)
    return time.process_time() - start, summary(machine.close(duration))


def summary(run: Recording) -> Summary:
    """Events handled, and a list of numbers for each vCPU and each task, in the order in which the C++ program prints them."""
    def histogram(counts: np.ndarray) -> list[int]:
        return [int(x) for bucket in np.flatnonzero(counts) for x in (bucket, counts[bucket])]

    vcpus = [[int(x) for x in (run.runtime[v], run.stints[v], run.switches[v], *run.latency[v])] + histogram(run.latency_hist[v])
             for v in range(len(run.runtime))]
    tasks = [[int(x) for x in (run.misses[t], run.unfinished[t], *run.response[t])] + histogram(run.response_hist[t])
             for t in range(len(run.misses))]
    return run.handled, vcpus + tasks


def compare(program: Path, name: str, scheduler: Any, system: rv.System, duration: int) -> None:
    """Time both in turn, best of fifteen each; refuse to report when they disagree."""
    run_ours(scheduler, system, ms(1))                       # compiles
    cpp, ours = [], []
    for _ in range(ROUNDS):
        cpp.append(run_cpp(program, scheduler, system, duration))
        ours.append(run_ours(scheduler, system, duration))
    if len({repr(found) for _, found in cpp + ours}) > 1:
        raise SystemExit(f"{name}: the results differ, so the times mean nothing")
    events = ours[0][1][0]
    theirs, mine = (1e9 * min(seconds for seconds, _ in runs) / events for runs in (cpp, ours))
    print(f"{name:15} {events:,} events, same results;  C++ {theirs:.1f} ns an event, rtvirt {mine:.1f} ns;  "
          f"C++ time / rtvirt time {theirs / mine:.2f} (1: as fast as C++; to reach: {REACH})")


def main() -> None:
    """Print a line a scheduler."""
    cxx = compiler()
    if cxx is None:
        print("no C++ compiler (c++, g++, clang++): not measured")
        return
    version = subprocess.run([cxx, "--version"], capture_output=True, text=True).stdout.splitlines()[0]
    print(f"Python {platform.python_version()}, {platform.processor() or platform.machine()}, {version}, {' '.join(FLAGS)}")
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "two_level"
        subprocess.run([cxx, *FLAGS, str(SOURCE), "-o", str(program)], check=True)
        for name, scheduler in (("fixed priority", rv.FixedPriority()), ("credit", rv.Credit())):
            compare(program, name, scheduler, crowd(4, 5), s(50))


if __name__ == "__main__":
    main()
