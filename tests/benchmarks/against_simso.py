"""How fast against SimSo, the Python simulator that real-time courses use: the same schedule, both timed. Not a test.

    python3 lab.py run python tests/benchmarks/against_simso.py

Ten periodic tasks under EDF on one processor; here a VM of them alone on a pCPU. Every job must end at the same instant in both, and
the number of preemptions must agree. SimSo 0.8.5 (2016) gets an environment of its own in the user's cache folder.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import platformdirs

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import rtvirt as rv
from rtvirt import state
from rtvirt.simulation import Machine
from rtvirt.units import ms, s, us

ENVIRONMENT = Path(platformdirs.user_cache_dir("rtvirt", appauthor=False)) / "simso"
REQUIREMENTS = ("simso==0.8.5", "SimPy==2.3.1")      # SimSo imports SimPy.Simulation, which SimPy 3 no longer has
DURATION = s(200)
ROUNDS = 5
REACH = 3000
# Periods are multiples of 10 ms and the i-th task starts i ms late, so no two releases or deadlines coincide; the odd microsecond
# keeps jobs from ending when others are released. Nothing then depends on how ties are broken.
TASKS = [(40_000, 4_001), (50_000, 5_001), (60_000, 5_001), (80_000, 7_001), (90_000, 8_001), (100_000, 9_001), (110_000, 10_001),
         (120_000, 11_001), (140_000, 13_001), (150_000, 14_001)]                                       # period, demand [us]

SIMSO = """
import importlib.util, json, sys, time, types
if importlib.util.find_spec("imp") is None:          # SimSo imports it for schedulers given as files; Python 3.12 dropped it
    sys.modules["imp"] = types.ModuleType("imp")
from simso.configuration import Configuration
from simso.core import Model

tasks = json.loads(sys.argv[1])
configuration = Configuration()
configuration.cycles_per_ms = 1000                   # what SimSo calls a millisecond is a microsecond here, and a cycle 1 ns: all integers
configuration.duration = int(sys.argv[2])
for i, (period, demand) in enumerate(tasks):
    configuration.add_task(name=f"t{i}", identifier=i, period=period, deadline=period, activation_date=1000 * i, wcet=demand,
                           abort_on_miss=False)
configuration.add_processor(name="cpu", identifier=0)
configuration.scheduler_info.clas = "simso.schedulers.EDF_mono"          # EDF for one processor; "EDF" prints every decision
configuration.check_all()
model = Model(configuration)
start = time.process_time()                          # processor time: what else the machine does disturbs less
model.run_model()
took = time.process_time() - start
ends = [[round(job.activation_date * 1000), job.end_date] for task in model.task_list for job in task.jobs if job.end_date is not None]
executed = sorted((time, event.id_, event.job.name, event.job.end_date) for task in model.task_list
                  for time, event in task.monitor if event.event == event.EXECUTE)
runs = [job for (_, _, job, end), (_, _, before, _) in zip(executed, [(None,) * 4, *executed]) if job != before and end is not None]
print(json.dumps([took, ends, len(runs) - len(set(runs))]))      # its own count takes every look at the queue for a preemption
"""


def simso_python() -> Path | None:
    """Interpreter of SimSo's environment, made if need be; None if it cannot be."""
    python = ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    try:
        if not python.exists():
            venv.create(ENVIRONMENT, with_pip=True)
        if subprocess.run([python, "-c", "import simso, SimPy"], capture_output=True).returncode != 0:
            subprocess.run([python, "-m", "pip", "install", "--quiet", *REQUIREMENTS], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return python


def run_simso(python: Path) -> tuple[float, list[list[int]], int]:
    """Seconds of the simulation, (release, end) of every finished job [ns] task by task, number of times a finished job was preempted."""
    command = [python, "-c", SIMSO, json.dumps(TASKS), str(DURATION)]
    took, ends, preemptions = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return took, ends, preemptions


def timed(work: Callable[[], Any]) -> float:
    """Seconds of processor time, as SimSo's are counted."""
    start = time.process_time()
    work()
    return time.process_time() - start


def system() -> rv.System:
    """The task set in a VM."""
    return rv.System(vms=[rv.VM("edf", guest="edf", tasks=[rv.Task(f"t{i}", period=us(period), wcet=us(demand), offset=ms(i))
                                                           for i, (period, demand) in enumerate(TASKS)])])


def event_loop(record: str) -> float:
    """Seconds in rtvirt's event loop."""
    machine = Machine(system(), rv.Null(), 0, record, {})
    machine.state.agenda.end = DURATION
    machine.command(state.START_VM, machine.starts.pop(0)[1])
    took = timed(lambda: machine.run_until(DURATION, DURATION, None))
    machine.close(DURATION)
    return took


def finished_jobs() -> tuple[list[list[int]], int]:
    """(Release, end) of every finished job [ns] task by task, and how often they were preempted."""
    jobs: dict[str, Any] = rv.simulate(system(), rv.Null(), DURATION, record="jobs").recording.jobs
    rows = sorted(zip(jobs["task"].tolist(), jobs["release"].tolist(), jobs["start"].tolist(), jobs["finish"].tolist()))
    return [[release, end] for _, release, _, end in rows if end >= 0], preemptions([row[2:] for row in rows if row[2] >= 0])


def preemptions(spans: list[tuple[int, int]]) -> int:
    """How often a finished job was interrupted: EDF nests the jobs' (start, end), so a start inside another job preempts it.

    Unless a job ends at that very instant: then the one around both was interrupted before.
    """
    count, around = 0, []
    for start, end in sorted(spans):
        freed = -1
        while around and 0 <= around[-1] <= start:
            freed = around.pop()
        count += bool(around) and around[-1] >= 0 and freed < start
        around.append(end)
    return count


def main() -> None:
    """Print a line."""
    python = simso_python()
    if python is None:
        print(f"SimSo could not be installed in {ENVIRONMENT}: not measured")
        return
    ends, interrupted = finished_jobs()                  # compiles
    theirs, ours, whole = [], [], []
    for _ in range(ROUNDS):
        theirs.append(run_simso(python))
        ours.append(min(event_loop("summary") for _ in range(ROUNDS)))
        whole.append(min(timed(lambda: rv.simulate(system(), rv.Null(), DURATION)) for _ in range(ROUNDS)))
    if any(found[1:] != (ends, interrupted) for found in theirs):
        raise SystemExit(f"the schedules differ, so the times mean nothing: {len(ends)} and {len(theirs[0][1])} jobs, "
                         f"{interrupted} and {theirs[0][2]} preemptions")
    slow, fast, call = min(took for took, _, _ in theirs), min(ours), min(whole)
    print(f"Python {platform.python_version()}, {platform.processor() or platform.machine()}, {', '.join(REQUIREMENTS)}")
    print(f"{len(TASKS)} tasks, EDF, {DURATION // s(1)} s: {len(ends):,} jobs and {interrupted:,} preemptions, the same in both")
    print(f"SimSo {slow:.2f} s, rtvirt's event loop {1e3 * fast:.2f} ms: {slow / fast:,.0f} x (to reach: {REACH:,} x)")
    print(f"a whole call of simulate, every slice, job and event kept: {1e3 * call:.2f} ms: {slow / call:,.0f} x")


if __name__ == "__main__":
    main()
