"""From the words of a `System` to the arrays of the engine."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import state as S
from .errors import Problem, SpecError
from .jit import DISABLED
from .rng import task_key
from .rows import fill, make, put, put_row, put_rows
from .schedulers.contracts import Contracts
from .system import BvtContract, Distribution, System, Task, exponential, ranks_of
from .system.devices import Plumbing
from .timers import NEVER, reset_timers, tournament_size
from .wiring import alarms_of, kernel_places, sizes_of, wire

SOURCES = {"periodic": S.PERIODIC, "sporadic": S.SPORADIC, "poisson": S.POISSON, "channel": S.CHANNEL, "woken": S.WOKEN}
GUESTS = {"fp": S.FP, "edf": S.EDF, "rr": S.RR, "fifo": S.FIFO, "dm": S.DM, "cbs": S.CBS}
STEPS = {"run": S.STEP_RUN, "block": S.STEP_BLOCK, "yield": S.STEP_YIELD, "send": S.STEP_SEND, "trap": S.STEP_TRAP,
         "submit": S.STEP_SUBMIT, "request": S.STEP_REQUEST, "serve": S.STEP_SERVE, "scan": S.STEP_SCAN}


def contracts_of(system: System) -> Contracts:
    """The VMs' contracts as arrays, one row a vCPU."""
    def per_vcpu(field: str, absent: int) -> np.ndarray:
        values = [value for vm in system.vms for value in vm.per_vcpu(field)]
        return np.array([absent if value is None else value for value in values], np.int64)

    return Contracts(
        names=tuple(vm.name for vm in system.vms),
        vcpu_vm=np.repeat(np.arange(len(system.vms)), [vm.vcpus for vm in system.vms]),
        weight=per_vcpu("weight", 256), budget=per_vcpu("budget", NEVER), period=per_vcpu("period", NEVER),
        priority=per_vcpu("priority", NEVER), extratime=per_vcpu("extratime", 0), cap=np.array([vm.cap for vm in system.vms], np.int64),
        control=np.array([vm.control for vm in system.vms], np.int64),
        first_cpu=np.array([min(cpus or [0]) for vm in system.vms for cpus in vm.per_vcpu("affinity")], np.int64),
        sedf=tuple(vm.sedf for vm in system.vms), bvt=tuple(vm.bvt or BvtContract() for vm in system.vms),
    )


ROWS = 1 << 14       # rows of a table after which the host empties it


def build_state(system: System, seed: int, level: int, alarms: int = 0, saves: bool = False, plumbing: Plumbing | None = None) -> Any:
    """The engine's state for an expanded system before anything has happened. `alarms` and `saves`: see `lay_out_timers`."""
    check_size(system)
    plumbing = Plumbing() if plumbing is None else plumbing
    flat, paths = FlatTables([path.name for path in plumbing.paths]), len(plumbing.paths)
    tasks, channels = task_rows(system, seed, flat)
    vcpus = vcpu_rows(system)
    m, n, k = system.cpus, len(vcpus), len(tasks)
    slots = lay_out_timers(m, alarms, saves)
    timers, alarms = tournament_size(slots["slice"] + m), tournament_size(slots["task"] + k + alarms_of(system, plumbing))
    rows = 512 if DISABLED else S.MAX_ROWS
    margin = 8 * (n + k + 8) + 4 * flat.longest_script
    kept = rows + margin if level != S.SUMMARY else 0          # plain Python rows take time to make
    st = make(S.State, {
        "pcpus": m, "vcpus": n, "vms": len(system.vms), "tasks": k + paths, "steps": len(flat.kinds), "channels": channels, "messages": channels,
        "allowed": n, "preferred": n, "timers": {"at": timers, "winner": timers}, "alarms": {"at": alarms, "winner": alarms},
        "values": flat.used + sum(4097 if path.arrivals is not None and path.arrivals.arrival == "poisson" else len(path.arrivals.releases or ())
                                  for path in plumbing.paths if path.arrivals is not None),
        "io": sizes_of(system, plumbing, kept),
        "book": {"slices": kept, "jobs": kept, "wakeups": kept, "events": kept, "vcpus": n,
                 "tasks": k, "times": n + k + paths, "histogram": n + k + paths}})
    put_row(st.agenda, pcpus=m, vcpus=n, tasks=k, next_decision=NEVER)
    put_row(st.slots, **slots)
    put_row(st.costs, **cost_table(system))
    put_row(st.book.pages, level=level, room=min(rows, ROWS))
    reset_timers(st.timers, timers)
    reset_timers(st.alarms, alarms)
    fill(st.pcpus, m, current=S.IDLE, work_start=NEVER, decide_at=NEVER, last_ran=S.IDLE)
    put_affinities(st, system, m)
    put_rows(st.vcpus, vcpus)
    put_rows(st.vms, vm_rows(system))
    put_rows(st.tasks, tasks)
    wire(st, system, plumbing, seed, flat, slots["task"] + k)
    put(st.values, np.concatenate(flat.values) if flat.values else [], flat.used)
    fill(st.steps, len(flat.kinds), kind=flat.kinds, amount=flat.amounts)
    return st


def check_size(system: System) -> None:
    """Refuse a system that is larger than the engine's tables."""
    tasks = [task for vm in system.vms for task in vm.tasks]
    found = {
        "cpus": (system.cpus, S.MAX_PCPUS), "vms": (len(system.vms), S.MAX_VMS),
        "vcpus": (sum(vm.vcpus for vm in system.vms), S.MAX_VCPUS), "tasks": (len(tasks), S.MAX_TASKS),
        "actions": (sum(len(task.actions or ()) for task in tasks), S.MAX_STEPS),
        "releases, wcet lists and distributions": (sum(listed_values(task) for task in tasks), S.MAX_VALUES),
        "channel tasks": (sum(task.arrival == "channel" for task in tasks), S.MAX_CHANNELS),
    }
    problems = [Problem(f"system: number of {what}", count, f"at most {most}", "simulate a smaller system, or a part of it", "")
                for what, (count, most) in found.items() if count > most]
    if problems:
        raise SpecError(problems)


def listed_values(task: Task) -> int:
    """How many entries a task needs in the table of values."""
    demands = 4097 if isinstance(task.wcet, Distribution) else len(task.wcet) if isinstance(task.wcet, (tuple, list)) else 0
    return demands + (4097 if task.arrival == "poisson" else len(task.releases or ()))


def lay_out_timers(m: int, alarms: int, saves: bool) -> dict[str, int]:
    """First slot of each kind: work, tick, account, slice among the timers; replenish, saved and task among the alarms (`state.Slots`).

    `alarms` is how many the scheduler owns; `saves` is true if it waits for the registers of the vCPU that leaves to be saved.
    """
    tick = m
    account = tick + m
    return {"work": 0, "tick": tick, "account": account, "slice": account + 1,
            "replenish": 0, "saved": alarms, "task": alarms + (m if saves else 0)}


def vcpu_rows(system: System) -> list[dict[str, int]]:
    """All vCPUs offline: their VMs have not started. vCPU k of a VM is bound for the k-th pCPU it may use, cyclically (1.6.3)."""
    rows, every = [], range(system.cpus)
    for i, vm in enumerate(system.vms):
        for k, (hard, soft) in enumerate(zip(vm.per_vcpu("affinity"), vm.per_vcpu("soft_affinity"), strict=True)):
            allowed = every if hard is None else sorted(set(hard))
            preferred = allowed if soft is None else set(soft).intersection(allowed)
            rows.append({"vm": i, "number": k, "state": S.OFFLINE, "blocked": 1, "paused": 1, "pcpu": allowed[k % len(allowed)],
                         "task": S.NO_TASK, "last_task": S.NO_TASK, "woken": NEVER, "picky": int(0 < len(preferred) < len(allowed))})
    return rows


def put_affinities(st: Any, system: System, m: int) -> None:
    """The matrices of hard affinity, and of soft affinity within it: 1 where a vCPU may run; all ones for a VM that does not say."""
    v = 0
    for vm in system.vms:
        for hard, soft in zip(vm.per_vcpu("affinity"), vm.per_vcpu("soft_affinity"), strict=True):
            st.allowed[v, :m] = 1 if hard is None else [int(p in hard) for p in range(m)]
            st.preferred[v, :m] = st.allowed[v, :m] if soft is None else [int(st.allowed[v, p] and p in soft) for p in range(m)]
            v += 1


def vm_rows(system: System) -> list[dict[str, int]]:
    """Where each VM's vCPUs and tasks begin, and its guest's scheduler."""
    rows, vcpus, tasks = [], 0, 0
    for vm in system.vms:
        rows.append({"first_vcpu": vcpus, "vcpus": vm.vcpus, "first_task": tasks, "tasks": len(vm.tasks), "guest": GUESTS[vm.guest],
                     "quantum": vm.quantum, "first_ready": S.NO_TASK})
        vcpus, tasks = vcpus + vm.vcpus, tasks + len(vm.tasks)
    return rows


class FlatTables:
    """Lists of all tasks, laid end to end."""

    def __init__(self, paths: list[str]) -> None:
        self.paths = {name: number for number, name in enumerate(paths)}
        self.kinds: list[int] = []
        self.amounts: list[int] = []
        self.values: list[np.ndarray] = []
        self.used = 0
        self.longest_script = 0

    def add_values(self, values: Any) -> int:
        """Append a list of times; where it begins."""
        first, array = self.used, np.asarray(values, np.int64)
        self.values.append(array)
        self.used += len(array)
        return first

    def add_script(self, task: Task, number_of: dict[str, int]) -> tuple[int, int]:
        """Append a task's steps; where they begin, and how many there are."""
        first = len(self.kinds)
        for step in task.actions or ():
            self.kinds.append(STEPS[step.kind])
            numbers = number_of if step.kind == "send" else self.paths
            self.amounts.append(numbers[step.target] if step.target is not None else (step.duration or 0))
        count = len(self.kinds) - first
        self.longest_script = max(self.longest_script, count)
        return first, count


def task_rows(system: System, seed: int, flat: FlatTables) -> tuple[list[dict[str, int]], int]:
    """The tasks' parameters, and how many channels they need."""
    names = [f"{vm.name}/{task.name}" for vm in system.vms for task in vm.tasks]
    number_of = {name: t for t, name in enumerate(names)}
    rows: list[dict[str, int]] = []
    channels = first_vcpu = 0
    places = iter(kernel_places(system))
    for i, vm in enumerate(system.vms):
        for j, (task, rank) in enumerate(zip(vm.tasks, ranks_of(vm.tasks), strict=True)):
            row: dict[str, int] = dict(
                vm=i, pinned=-1 if task.vcpu is None else first_vcpu + task.vcpu, source=source_of(task),
                period=task.period or 0, offset=task.offset, jitter=task.jitter,
                deadline=NEVER if task.deadline is None else task.deadline,
                rank=rank, budget=task.budget or 0, server_period=task.server_period or task.period or 0,
                key=task_key(seed, i, j), kernel=next(places), channel=-1, last_vcpu=-1, on_vcpu=-1,
                sleep_until=NEVER, next_release=NEVER, started=-1, step=-1,
            )
            row["first_step"], row["steps"] = flat.add_script(task, number_of)
            if not task.actions:
                row.update(demand_row(task, flat))
            if task.releases is not None and row["source"] == S.LIST:
                row["first_gap"], row["gaps"] = flat.add_values(task.releases), len(task.releases)
            if row["source"] == S.POISSON:
                row["first_gap"] = flat.add_values(exponential(task.period).table())
            if row["source"] == S.CHANNEL:
                row["channel"] = channels
                channels += 1
            rows.append(row)
        first_vcpu += vm.vcpus
    return rows, channels


def source_of(task: Task) -> int:
    """Where a task's jobs come from."""
    if task.is_hog:
        return S.ONCE
    if task.releases is not None:
        return S.LIST
    return SOURCES[task.arrival]


def demand_row(task: Task, flat: FlatTables) -> dict[str, int]:
    """How much a job computes: a constant, a list, or a distribution's quantile table."""
    if isinstance(task.wcet, Distribution):
        return {"first_value": flat.add_values(task.wcet.table()), "values_used": -1}
    if isinstance(task.wcet, (tuple, list)):
        return {"first_value": flat.add_values(task.wcet), "values_used": len(task.wcet)}
    return {"wcet": task.wcet}


def cost_table(system: System) -> dict[str, int]:
    """Path costs and overheads, absent overrides filled in."""
    costs = system.costs
    values = {name: getattr(costs, name) for name in S.CostTable.columns()}
    for name, stand_in in (("block_switch_out", "switch_out"), ("block_switch_in", "switch_in"), ("slice_late", "timer_late"),
                           ("tick_late", "timer_late"), ("account_late", "timer_late"), ("replenish_late", "timer_late")):
        if values[name] is None:
            values[name] = getattr(costs, stand_in)
    return values
