"""Block reads through a real split driver, replayed: a guest reads one block a period from a disk whose back end is in dom0.

The disk is a `SplitDriver`: ring, event channels, the back end's threads in dom0, the front end's in the guest. An alarm wakes the guest; its
reader requests a block (`rv.request`), and when it has it prepares to sleep until the next read is due. What each stage computes is a
`ReadPath`, fitted on the first half of the unloaded window B1. How long a read *takes*, and what of it is whose, is given nowhere: it follows
from who gets the pCPU, and the path's causes say it (docs/io-model.md 8).

What the guest's kernel computes while the reader waits, until it blocks, is a task (`settle`); dom0's way to sleep is its back end's `rest`.

Beside the reads, kernels tick by the rule of `reactive`; what else front end and dom0 do is replayed as measured, and so are the other domains.
A run is held at each point of a kernel's grid, and where a read is due, to see what the guest has done since.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Any

import numpy as np

from ..results import Run
from ..simulation import Machine
from ..system import SplitDriver, System, Task, hog, request, run
from ..system.devices import CAUSES
from ..timers import NEVER
from .block_path import Background, ReadPath, background
from .block_reads import BACK, FRONT, clock_rate, period_of_reads, phase_of_reads, reads_of, tail
from .guest import KERNEL_TICK
from .interpreted import interpreted
from .opening import Opening, first_guess
from .window import OpenedCredit, Window

if TYPE_CHECKING:
    import pandas as pd

LOOK_AGAIN = 40_000          # while a late guest waits: less than what it does once it is served [ns]
PAST_TIMER = 54_868          # from a blocking to the wake-up by a timer that was past already, median of E3b's five [ns]
SAME_TIMER = 50_000          # timers that are due within the slop (docs/xen-rules.md 1.7.1) are served together [ns]
READS = "disk0.read"         # path of the device
PHASES = 10                  # of reads and ticks, where nobody recorded them
BEYOND = 2                   # durations: so late stands a release whose time only the run shows
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0)


@dataclass(frozen=True)
class Replay:
    """A model run of block reads, and the reads in it: due, begun, done [ns], latency [ns], as `reads_of` gives the real ones; and the causes
    that add up to the latency [ns], as ``run.paths`` has them."""

    run: Run
    reads: pd.DataFrame


@dataclass(frozen=True)
class Comparison:
    """Real reads beside the model's: all that a figure needs.

    Attributes
    ----------
    real, model : ndarray [ns]
        Latencies, sorted: an ECDF each.
    quantiles : DataFrame
        p5 ... max [ns]: real, model, error (model over real, less 1).
    real_tail, model_tail : DataFrame
        The reads that waited or began late, each with its reason (`tail`).
    """

    real: np.ndarray
    model: np.ndarray
    quantiles: pd.DataFrame
    real_tail: pd.DataFrame
    model_tail: pd.DataFrame


def compare(window: Window, model: Replay, start: int = 0, end: int | None = None) -> Comparison:
    """The reads of a window that were due from `start` to `end` [ns], beside those of a replay."""
    end = window.duration if end is None else end
    tables = [table[(table["due"] >= start) & (table["due"] < end)] for table in (reads_of(window), model.reads)]
    real, ours = (np.sort(table["latency"].to_numpy()) for table in tables)
    return Comparison(real, ours, quantiles(real, ours), tail(tables[0], window), tail(tables[1], model.run))


def quantiles(real: np.ndarray, model: np.ndarray) -> pd.DataFrame:
    """p5, p25 ... p99, max of both [ns], and the model's relative error."""
    import pandas as pd

    table = pd.DataFrame({"real": np.quantile(real, QUANTILES), "model": np.quantile(model, QUANTILES)},
                         index=[f"p{100 * q:g}" if q < 1 else "max" for q in QUANTILES])
    return table.assign(error=table["model"] / table["real"] - 1)


def whole_table(window: Window, model: Replay, busy: pd.DataFrame) -> pd.DataFrame:
    """Quantiles of all rows of the guest's table, those from before the trace too, beside the model's.

    Before a trace begins dom0 is busy starting it. As many rows as found it so (`busy_rows`, which is read off the table, not predicted) are
    drawn from those of `busy_backend`, the others from those of `model`: both evenly, from the shortest to the longest.
    """
    rows = busy_rows(window)
    parts = [(model.reads, len(window.guest) - rows), (busy, rows)]
    drawn = [np.quantile(reads["latency"], (np.arange(n) + 0.5) / n) for reads, n in parts if n]
    return quantiles(window.guest["dur_ns"].to_numpy(), np.concatenate(drawn))


def busy_rows(window: Window) -> int:
    """Rows of the guest's table from before the trace that took more than twice as long as the median read of the trace."""
    traced = reads_of(window)
    return int((window.guest["dur_ns"].iloc[:int(traced["row"].iloc[0])] > 2 * traced["latency"].median()).sum())


def unloaded_opening(window: Window) -> Opening:
    """Where the scheduler stands when a window without hogs opens: what its first half tells at once.

    Nobody competes there, so no credits are searched. Ticks and accountings are measured ones, as in every replay.
    """
    until = window.duration // 2
    half = Window(window.name, window.row, {
        "runs": window.all_runs[window.all_runs["end_ns"] < until], "wakes": window.wakes[window.wakes["run_ns"] < until],
        "events": window.events[window.events["t_ns"] < until], "guest_d1": window.guest})
    return replace(first_guess(half), ticks=window.ticks, accountings=window.accountings)


# ------------------------------------------------------------------ two systems that read


def replay(window: Window, path: ReadPath, opening: Opening | None = None) -> Replay:
    """Run a window with the reads as tasks and channels.

    Parameters
    ----------
    window : Window
        Its guest d1 reads one block a period; one vCPU a domain.
    path : ReadPath
        What the stages compute (`block_path.fit`): of another window, or of a part that is not scored.
    opening : Opening, optional
        Where the scheduler stands at the beginning; by default fitted on the window's first 2.5 s.
    """
    front, back = background(window, FRONT), background(window, BACK)
    scheduler = OpenedCredit(timeslice=window.parameters.timeslice, ratelimit=window.parameters.ratelimit,
                             opening=window.opening if opening is None else opening)
    reads = Timetable(phase_of_reads(window), period_of_reads(window) * clock_rate(window), len(reads_of(window)))
    return go(with_reads(window.system(), path, window.duration, reads.count, front, back), scheduler, window.duration, reads, front.grid, back.grid)


def busy_backend(window: Window, path: ReadPath, phases: int = PHASES) -> pd.DataFrame:
    """What reads cost while dom0 computes all the time: not a replay, an experiment.

    That is how it is before each trace begins, while dom0 starts to record it, and nobody records that. dom0 is then not asleep when it is
    asked, so nothing boosts it. Credits start at 0, and ticks are the model's own. There are as many reads as found dom0 busy (`busy_rows`); when
    they are due between two ticks of the scheduler is not known either, so there is a run for each of several phases, evenly spread.
    """
    import pandas as pd

    front, system, period = background(window, FRONT), window.system(), period_of_reads(window)
    awake = [vm.replace(start=0) for vm in system.vms if vm.name in (FRONT, BACK) or any(task.is_hog for task in vm.tasks)]
    distance, found = int(front.grid[0]) - phase_of_reads(window), []
    for k in range(phases):
        reads = Timetable(window.parameters.tick_period * (2 * k + 1) // (2 * phases), float(period), busy_rows(window))
        duration = reads.due(reads.count)
        grid = np.arange((reads.first + distance) % KERNEL_TICK, duration, KERNEL_TICK)
        busy = with_reads(system.replace(vms=awake), path, duration, reads.count, Background(grid, [], []), Background(grid, [], []))
        busy = busy.replace(vms=[vm.replace(tasks=[*vm.tasks, hog()]) if vm.name == BACK else vm for vm in busy.vms])
        found.append(go(busy, window.parameters, duration, reads, grid, grid[:0]).reads)
    return pd.concat(found, ignore_index=True)


def with_reads(system: System, path: ReadPath, duration: int, reads: int, front: Background, back: Background) -> System:
    """A system with the disk, a reader, and what else the two domains do. What is released when only the run shows stands beyond its end."""

    def later(name: str, count: int, priority: int, **work: Any) -> Task:
        return Task(name, releases=[BEYOND * duration] * max(count, 1), priority=priority, **work)

    def own(found: Background) -> list[Task]:
        return [Task("own", releases=found.wakes, wcet=found.work, priority=8)] if found.wakes else []

    disk = SplitDriver("disk0", kind="block", driver=BACK, frontend=FRONT, submit=path.submit, serve=path.serve, rest=path.wind_down,
                       receive=path.complete, frontend_priority=3)
    tasks = {FRONT: [later("reader", reads, 1, actions=[run(path.wake), request(READS), run(path.prepare)]),
                     later("settle", reads, 2, wcet=path.settle),
                     later("kernel", len(front.grid), 9, wcet=path.front_tick), *own(front)],
             BACK: [later("kernel", len(back.grid), 9, wcet=path.back_tick), *own(back)]}
    vms = [vm.replace(tasks=tasks[vm.name]) if vm.name in tasks else vm for vm in system.vms]
    return system.replace(vms=vms, devices=[disk])


def go(system: System, scheduler: Any, duration: int, reads: Timetable, front_grid: np.ndarray, back_grid: np.ndarray) -> Replay:
    """Run a system whose guests react."""
    machine = Machine(system, scheduler, 0, "trace", {})
    machine.state.agenda.end = duration
    reader = Reader(Guest(machine, FRONT), reads)
    looks = [Kernel(reader.guest, front_grid, reader).look, Kernel(Guest(machine, BACK), back_grid, None).look, reader.look]
    agenda = [(int(grid[0]), who, 0) for who, grid in enumerate((front_grid, back_grid)) if len(grid)] + [(reads.due(0), 2, 0)]
    heapify(agenda)
    while agenda and agenda[0][0] < duration:
        at, who, number = heappop(agenda)
        machine.run_until(at, duration, None)
        if (following := looks[who](number, at)) is not None:
            heappush(agenda, (following[0], who, following[1]))
    machine.run_until(duration, duration, None)
    done = Run(system, scheduler, duration, 0, "trace", machine.close(duration))
    return Replay(done, modelled_reads(done, reads))


def modelled_reads(done: Run, reads: Timetable) -> pd.DataFrame:
    """Reads of a run that have ended: one begins when it is submitted, and is done when the front end has completed it."""
    messages = done.paths[READS]
    messages = messages[messages["total"] >= 0].sort_values("message", ignore_index=True)
    due = np.array([reads.due(i) for i in messages["message"]], np.int64) - done.system.costs.account_late
    ended, latency = messages["blkfront.out"], messages["total"]
    return messages[list(CAUSES)].assign(due=due, begun=ended - latency, done=ended, latency=latency)


# ------------------------------------------------------------------ guests that react


@dataclass(frozen=True)
class Timetable:
    """When reads are due to wake their guest [ns]: from `first` on, one a period, so many."""

    first: int
    period: float
    count: int

    def due(self, number: int) -> int:
        """Of one read."""
        return self.first + round(number * self.period)


class Guest:
    """A VM of a machine that runs, at an instant at which it is held: what its tasks have done, and when one comes next."""

    def __init__(self, machine: Machine, name: str) -> None:
        number = [vm.name for vm in machine.system.vms].index(name)
        vm, self.state = machine.state.vms[number], machine.state
        self.vcpu = int(vm.first_vcpu)
        self.numbers = {task.name: int(vm.first_task) + i for i, task in enumerate(machine.system.vms[number].tasks)}
        self.set_alarm = interpreted("timers").set_alarm

    def asleep(self) -> bool:
        """Blocked, with nothing to do."""
        return bool(self.state.vcpus[self.vcpu].blocked)

    def done(self, *names: str) -> int:
        """Jobs that these tasks have finished."""
        rows = [self.state.tasks[self.numbers[name]] for name in names]
        return sum(int(row.next_job - row.pending) for row in rows)

    def works_until(self) -> int:
        """When its vCPU is done with the piece of work at hand [ns]; NEVER if it does not run."""
        pcpu = int(self.state.vcpus[self.vcpu].pcpu)
        return int(self.state.timers.at[int(self.state.slots.work) + pcpu]) if self.state.pcpus[pcpu].current == self.vcpu else NEVER

    def release(self, name: str, at: int) -> None:
        """The task's next job comes at this instant [ns]."""
        row: Any = self.state.tasks[self.numbers[name]]
        row.next_arrival = row.next_release = at
        self.set_alarm(self.state.alarms, int(self.state.slots.task) + self.numbers[name], at)


class Kernel:
    """A guest's kernel: if it sleeps at a point of its grid, and has worked since it last did so, it ticks; not if an alarm is due with the tick."""

    def __init__(self, guest: Guest, grid: np.ndarray, reader: Reader | None) -> None:
        self.guest, self.grid, self.reader, self.seen = guest, grid, reader, 0
        self.others = [name for name in guest.numbers if name not in ("kernel", "hog")]

    def look(self, number: int, at: int) -> tuple[int, int] | None:
        """A point of the grid; says which is the next."""
        if self.guest.asleep() and not (self.reader and abs(self.reader.next - at) < SAME_TIMER):
            worked = self.guest.done(*self.others)
            if worked > self.seen:
                self.guest.release("kernel", at)
            self.seen = worked
        return (int(self.grid[number + 1]), number + 1) if number + 1 < len(self.grid) else None


class Reader:
    """The guest's task: a read begins when it is due; where the one before was late, when the guest has blocked and its timer is found past."""

    def __init__(self, guest: Guest, reads: Timetable) -> None:
        self.guest, self.reads, self.next, self.late = guest, reads, reads.first, -1

    def look(self, number: int, at: int) -> tuple[int, int] | None:
        """A read is due, or waits for the one before; says when to look again, and for which."""
        if self.guest.done("reader") < number:
            self.late = number
            return min(self.guest.works_until() + 1, at + LOOK_AGAIN), number
        begins = at - 1 + PAST_TIMER if self.late == number else at
        for task in ("reader", "settle"):
            self.guest.release(task, begins)
        self.next = max(self.reads.due(number + 1), begins + 1)
        return (self.next, number + 1) if number + 1 < self.reads.count else None

