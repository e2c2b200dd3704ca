"""`simulate`: a system, a scheduler, a duration; a `Run`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from . import state as S
from .build import build_state, contracts_of
from .engine.record import LEVELS, TABLES, Recording
from .errors import Problem, RtvirtError, SpecError
from .jit import WITH_DEVICES, is_warm, loop_for
from .notice import waiting
from .results import Run
from .rows import Row, copied, give_back, handle
from .system import VM, Arrivals, Change, CustomDevice, System, Task
from .system.devices import Line, Path, Plumbing, Stage, expanded
from .traffic import PATH_COLUMNS, PathTotals

SHARE_OF_EVENTS = 2_000_000     # events between two looks at progress and Ctrl-C: about a tenth of a second
COMMANDS = {"create": S.START_VM, "pause": S.PAUSE_VM, "resume": S.RESUME_VM, "crash": S.CRASH_VM, "restart": S.START_VM}


def simulate(system: System, scheduler: Any, duration: int, seed: int = 0, *, record: str = "trace",
             initial: Mapping[str, Any] | None = None, progress: Callable[[int, int], None] | None = None) -> Run:
    """Run a system under a VM scheduler.

    Parameters
    ----------
    system : System
        VMs, tasks, costs, changes.
    scheduler : Credit, Credit2, RTDS, ARINC653, SEDF, BVT, RoundRobin, FixedPriority, Null, or one of the servers
        How VMs share the pCPUs.
    duration : int [ns]
        Virtual time to run, from 0.
    seed : int
        Of everything random. Same inputs, same bits, on every platform, compiled or not.
    record : {"trace", "jobs", "summary"}
        Keep everything; jobs and statistics; or statistics only, in constant memory.
    initial : mapping, optional
        State to start from, for tests and traces. For credit: ``credit``, ``priority`` ("BOOST", "UNDER", "OVER") and ``active``
        map (VM name, vCPU number) to a value, active ones listed from the tail of the active list; ``tick_times`` and
        ``account_times`` are instants [ns] that replace the model's own. For RTDS: ``deadline`` [ns], ``budget`` (what is left of it,
        [ns]), ``level`` and ``depleted`` map (VM name, vCPU number) to a value; vCPUs whose deadline is given
        are not replenished by their VM's start, and wait for it in the order in which they start. For SEDF: ``deadline`` [ns], the end of the
        period that a vCPU was in. For credit2: ``credit`` [ns of the heaviest vCPU].
    progress : callable, optional
        Called now and then with (virtual time done, duration), both in ns.

    Returns
    -------
    Run
        Tables and statistics of what happened.

    Raises
    ------
    SpecError
        A duration, record mode or initial state that makes no sense, or a contract the scheduler cannot honour.

    Notes
    -----
    What is computed is pinned in docs/model.md, and for devices in docs/io-model.md. Memory bandwidth and caches (beyond
    `Costs.cache_reload`) are left out.

    Examples
    --------
    >>> import rtvirt as rv
    >>> from rtvirt.units import ms
    >>> two = rv.System(vms=[rv.VM("A", tasks=[rv.hog()]), rv.VM("B", tasks=[rv.hog()], weight=512)])
    >>> run = rv.simulate(two, rv.Credit(), duration=ms(200))
    >>> run.slices[["vm", "start"]].head(3).values.tolist()
    [['A', 0], ['B', 30000000], ['A', 60000000]]
    """
    check_arguments(system, scheduler, duration, seed, record)
    machine = Machine(system, scheduler, seed, record, {} if initial is None else initial)
    machine.state.agenda.end = duration
    for change in sorted(system.changes, key=lambda change: change.at):
        if change.at >= duration:
            break
        machine.run_until(change.at, duration, progress)
        machine.change(change)
    machine.run_until(duration, duration, progress)
    return Run(system, scheduler, duration, seed, record, machine.close(duration), machine.system)


def compiling(kernel_name: str) -> AbstractContextManager[None]:
    """A line for who waits while the first call compiles a scheduler's loop; nothing when it need not be compiled."""
    if is_warm(kernel_name):
        return nullcontext()
    return waiting(f"rtvirt: compiling the {kernel_name} scheduler, once (about 10 s) ...")


def check_arguments(system: System, scheduler: Any, duration: int, seed: int, record: str) -> None:
    """Refuse what cannot be simulated, all problems at once."""
    problems = []
    if not isinstance(system, System):
        problems.append(Problem("system", system, "a System", "write System(vms=[...]), or System.load(path) for a file", ""))
    if isinstance(scheduler, type) or not hasattr(scheduler, "kernel_name"):
        problems.append(Problem("scheduler", scheduler, "a scheduler such as Credit()", "make one, with its parentheses: rv.Credit()", ""))
    if not isinstance(duration, (int, np.integer)) or isinstance(duration, bool) or not 0 < duration <= 2**53:
        problems.append(Problem("duration", duration, "1 ns to 2^53 ns (104 days), an integer", "write for example s(10)", ""))
    if not isinstance(seed, (int, np.integer)) or isinstance(seed, bool) or not 0 <= seed < 2**64:
        problems.append(Problem("seed", seed, "an integer from 0 to 2^64 - 1", "write for example seed=1", ""))
    if not isinstance(record, str) or record not in LEVELS:
        problems.append(Problem("record", record, ", ".join(LEVELS), 'write record="trace", "jobs" or "summary"', ""))
    if problems:
        raise SpecError(problems)


class Machine:
    """A run in progress: the engine's arrays, and what has been taken out of them so far."""

    def __init__(self, system: System, scheduler: Any, seed: int, record: str, initial: Mapping[str, Any]) -> None:
        system, self.plumbing = expanded(system)
        self.system, self.scheduler, self.record = system, scheduler, record
        self.contracts = contracts_of(system)
        self.state = build_state(system, int(seed), LEVELS[record], getattr(scheduler, "alarms", 0), getattr(scheduler, "saves", False),
                                 self.plumbing)
        self.policy_state = scheduler.make_state(system.cpus, self.contracts)
        if initial != {}:
            self.set_initial(initial)
        kernel_name = scheduler.kernel_name + (WITH_DEVICES if self.plumbing.paths else "")
        self.loop, self.handles = loop_for(kernel_name).run, (handle(self.state), handle(self.policy_state))
        self.chunks: dict[str, list[np.ndarray]] = {name: [] for name in (*TABLES, "messages")}
        self.exists = {vm.name for vm in system.vms if not any(c.vm == vm.name and c.fields.get("state") == "create"
                                                                for c in system.changes)}
        self.now = 0
        with compiling(kernel_name):
            self.command(S.START_SCHEDULER, 0)
        self.starts = sorted((vm.start, i) for i, vm in enumerate(system.vms) if vm.name in self.exists)

    def set_initial(self, initial: Mapping[str, Any]) -> None:
        """Let the scheduler start from a given state."""
        if not hasattr(self.scheduler, "set_initial"):
            name = type(self.scheduler).__name__
            raise SpecError([Problem("initial", initial, f"nothing, for {name}", "leave `initial` out", "")])
        first = {name: int(self.state.vms[i].first_vcpu) for i, name in enumerate(self.contracts.names)}
        self.scheduler.set_initial(self.policy_state, initial, first, self.contracts)

    def run(self, horizon: int, events: int = 0, command: int = S.NOTHING, subject: int = 0) -> int:
        """The compiled loop (`engine.loop.run`)."""
        return self.loop(*self.handles, horizon, events, command, subject)

    def run_until(self, horizon: int, duration: int, progress: Callable[[int, int], None] | None) -> None:
        """Handle every event before `horizon`; VMs that start on the way start."""
        while self.starts and self.starts[0][0] <= horizon and self.starts[0][0] < duration:
            at, vm = self.starts.pop(0)
            self.advance(at, duration, progress)
            self.command(S.START_VM, vm)
        self.advance(horizon, duration, progress)

    def advance(self, horizon: int, duration: int, progress: Callable[[int, int], None] | None) -> None:
        """Handle every event before `horizon`, in portions, emptying full tables and reporting progress between them."""
        reason = S.BREATHE
        while reason != S.DONE:
            reason = self.run(horizon, SHARE_OF_EVENTS)
            if reason == S.BOOK_FULL:
                self.empty_tables()
            elif reason == S.CHANNEL_FULL:
                raise RtvirtError("a channel holds 4096 messages that its task has not worked on: the sends come faster than the "
                                  "receiving task can work; send less often or give the receiver's VM more of the pCPU")
            elif reason == S.MESSAGES_FULL:
                raise RtvirtError(f"{self.state.io.rails.room} messages are on their way at once: they come faster than somebody takes them; "
                                  "let fewer arrive, give the path slots or a backlog, or its VMs more of the pCPU")
            if progress is not None:
                progress(min(horizon, *(int(t.at[t.winner[1]]) for t in (self.state.timers, self.state.alarms))), duration)
        self.now = horizon

    def command(self, command: int, subject: int) -> None:
        """Carry out a command at the present instant."""
        self.run(self.now, 0, command, subject)
        pages = self.state.book.pages
        if max(pages.slices, pages.jobs, pages.wakeups, pages.events, pages.messages) > pages.room:
            self.empty_tables()

    def change(self, change: Change) -> None:
        """Let a change take effect now."""
        vm = self.contracts.names.index(change.vm)
        fields = dict(change.fields)
        what = fields.pop("state", None)
        for field, value in fields.items():
            self.scheduler_setting(vm, field, value)
        if fields:
            if hasattr(self.scheduler, "check_contracts"):
                self.scheduler.check_contracts(self.policy_state, self.contracts)
            self.command(S.RECONFIGURED, vm)
        if what == "restart" and (still := self.still_running(vm)):
            raise SpecError([Problem(f"changes[{self.contracts.names[vm]}].at", change.at, "an instant after its vCPUs have left their pCPUs",
                                     f"vCPU {still - 1} is still there: restart it some microseconds later", "")])
        if what is not None:
            self.command(COMMANDS[what], vm)

    def still_running(self, vm: int) -> int:
        """1 + the number of a vCPU of a crashed VM that has not left its pCPU yet; 0 if there is none."""
        st = self.state
        first = st.vms[vm].first_vcpu
        return next((k + 1 for k in range(st.vms[vm].vcpus) if st.pcpus[st.vcpus[first + k].pcpu].current == first + k), 0)

    def scheduler_setting(self, vm: int, field: str, value: Any) -> None:
        """Give a VM a new contract value."""
        if not hasattr(self.scheduler, "reconfigure") or not self.scheduler.reconfigure(self.policy_state, vm, field, value):
            name = type(self.scheduler).__name__
            raise SpecError([Problem(f"changes[{self.contracts.names[vm]}].{field}", value, f"a parameter that {name} can change",
                                     f"{name} does not look at `{field}` while it runs: leave this change out", "")])

    def empty_tables(self) -> None:
        """Move the rows that are full out of the engine's tables."""
        book = self.state.book
        for name, kind in TABLES.items():
            if used := getattr(book.pages, name):
                self.chunks[name].append(copied(getattr(book, name), kind, used))
                setattr(book.pages, name, 0)
        if used := book.pages.messages:
            self.chunks["messages"].append(np.array(self.state.io.rows[:used]))
            book.pages.messages = 0

    def close(self, duration: int) -> Recording:
        """Stop the clock and hand over what was recorded. The machine cannot be used any more."""
        while self.run(duration, 0, S.CLOSE) != S.DONE:
            self.empty_tables()
        self.empty_tables()
        st, book, n, k = self.state, self.state.book, self.state.agenda.vcpus, self.state.agenda.tasks
        vcpus, tasks = copied(book.vcpus, S.VcpuTotals, n).T, copied(book.tasks, S.TaskTotals, k).T
        r = len(self.plumbing.paths)
        times, histogram = copied(book.times, S.TimeTotals, n + k + r), np.array(book.histogram[:n + k + r])
        recording = Recording(
            level=self.record, **{name: columns(kind, self.chunks[name]) for name, kind in TABLES.items()},
            runtime=vcpus[0], stints=vcpus[1], switches=vcpus[2], misses=tasks[0], unfinished=tasks[1], latency=times[:n],
            latency_hist=histogram[:n], response=times[n:n + k], response_hist=histogram[n:n + k], handled=st.agenda.handled,
            scheduler=self.policy_state, plumbing=self.plumbing, messages=messages_of(self.chunks["messages"]),
            path_totals=copied(st.io.totals, PathTotals, r), path_times=times[n + k:], path_hist=histogram[n + k:])
        give_back(st)
        del self.state, self.handles
        return recording


def messages_of(chunks: list[np.ndarray]) -> np.ndarray:
    """(messages, `PATH_COLUMNS`) int64: the rows of all paths, in the order in which messages ended."""
    return np.concatenate([np.empty((0, PATH_COLUMNS), np.int64), *chunks])


def columns(kind: type[Row], chunks: list[np.ndarray]) -> dict[str, np.ndarray]:
    """The columns of a table by name, from its rows."""
    rows = chunks[0] if len(chunks) == 1 else np.concatenate([np.empty((0, len(kind.columns())), np.int64), *chunks])
    return dict(zip(kind.columns(), rows.T, strict=True))


def compile_now(kernel_name: str) -> None:
    """Compile (or load) one scheduler's loop by running a system of one task for a moment."""
    from .schedulers.catalogue import one_of_each

    schedulers, name = one_of_each(), kernel_name.removesuffix(WITH_DEVICES)
    if name not in schedulers:
        raise SpecError([Problem("scheduler", kernel_name, ", ".join(schedulers), "choose one of these", "")])
    system = System(vms=[VM("warm", tasks=[Task("up", wcet=1_000, period=1_000_000)])])
    if name != kernel_name:
        wire = Path("wire", "warm", (Stage("wire", "wire", each=1_000),), arrivals=Arrivals(1_000_000))
        system = system.with_device(CustomDevice("wire", plumbing=Plumbing(lines=(Line("wire"),), paths=(wire,))))
    simulate(system, schedulers[name], 2_000_000)
