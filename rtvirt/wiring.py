"""From the plumbing of a system's devices to the engine's arrays (docs/io-model.md)."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import state as S
from . import traffic as T
from .errors import Problem, SpecError
from .jit import DISABLED
from .rng import task_key
from .rows import put_row, put_rows
from .system import Arrivals, System, exponential
from .system.devices import Plumbing, is_kernel
from .timers import MAX_TIMERS, NEVER

ORDERS = {"turns": T.TURNS, "oldest": T.OLDEST, "listed": T.LISTED}
FAULTS = {"lost_interrupt": T.LOST, "spurious_interrupt": T.SPURIOUS, "storm": T.STORM, "hang": T.HANG, "bad_index": T.BAD_INDEX}
SCANS = {"lowest": T.LOWEST, "turns": T.ROUND, "fifo": T.FIFO_ABI}
ROOM = 8000 if DISABLED else T.MAX_MESSAGES - 4200      # messages at once; a burst more fits


def sizes_of(system: System, plumbing: Plumbing, rows: int) -> dict[str, int]:
    """How many rows of each table of `traffic.Traffic` will be used."""
    if not plumbing.paths:
        return {name: 0 for name in T.Traffic.parts() if name != "rails"}
    tasks, stages = sum(len(vm.tasks) for vm in system.vms), len(plumbing.stages())
    most = {"paths": (len(plumbing.paths), T.MAX_PATHS), "stages": (stages, T.MAX_STAGES), "lines": (len(plumbing.lines), T.MAX_LINES),
            "pools": (len(plumbing.pools), T.MAX_POOLS), "faults": (len(system.faults), T.MAX_FAULTS),
            "timers of devices": (alarms_of(system, plumbing) + tasks, MAX_TIMERS)}
    problems = [Problem(f"devices: number of {what}", count, f"at most {limit}", "simulate a smaller system, or a part of it", "")
                for what, (count, limit) in most.items() if count > limit]
    if problems:
        raise SpecError(problems)
    channels = sum(task.arrival == "channel" for vm in system.vms for task in vm.tasks)
    messages = ROOM + 4200 if DISABLED else 0                # of logs only what is written is ever touched
    return {"upcalls": sum(vm.vcpus for vm in system.vms), "ports": len(plumbing.ports()), "threads": tasks, "stages": stages,
            "lines": len(plumbing.lines), "paths": len(plumbing.paths), "pools": len(plumbing.pools), "totals": len(plumbing.paths),
            "faults": len(system.faults), "messages": messages, "causes": messages, "stamps": messages, "hands": tasks, "carried": channels,
            "rows": rows}


def alarms_of(system: System, plumbing: Plumbing) -> int:
    """Alarms that devices need: arrivals, lines, timeouts, interposed messages, reconnections, penalties, faults."""
    if not plumbing.paths:
        return 0
    return 2 * len(plumbing.paths) + len(plumbing.lines) + 2 * len(plumbing.stages()) + len(plumbing.ports()) + len(system.faults)


def wire(st: Any, system: System, plumbing: Plumbing, seed: int, flat: Any, first_alarm: int) -> None:
    """Lay the plumbing out in the engine's arrays. `system` is the expanded one; `first_alarm` is behind the tasks' alarms."""
    if not plumbing.paths:
        return                                               # the loop without devices does not look at any of this
    io, k = st.io, st.agenda.tasks
    stages, paths, lines = plumbing.stages(), plumbing.paths, len(plumbing.lines)
    source = first_alarm
    line = source + len(paths)
    interposed = line + lines
    hold = interposed + len(stages)
    reconnect = hold + len(stages)
    unmask = reconnect + len(paths)
    put_row(io.rails, source=source, line=line, interposed=interposed, hold=hold, reconnect=reconnect, unmask=unmask,
            fault=unmask + len(plumbing.ports()), paths=len(paths), stages=len(stages), lines=lines, faults=len(system.faults), liars=0,
            free=T.NOBODY, fresh=0, room=ROOM)
    tasks = {f"{vm.name}/{task.name}": t for t, (vm, task) in enumerate((vm, task) for vm in system.vms for task in vm.tasks)}
    numbers = {"vm": {vm.name: i for i, vm in enumerate(system.vms)}, "task": tasks, "line": {line.name: i for i, line in enumerate(plumbing.lines)},
               "pool": {name: i for i, name in enumerate(plumbing.pools)}}
    put_rows(io.threads, thread_rows(plumbing, numbers, k))
    put_rows(io.lines, [{"serving": T.NOBODY, "first": T.NOBODY, "last": T.NOBODY}] * lines)
    put_rows(io.pools, [{"size": size} for size in plumbing.pools.values()])
    put_rows(io.paths, path_rows(plumbing, numbers))
    put_rows(io.stages, stage_rows(st, plumbing, numbers))
    put_rows(io.upcalls, upcall_rows(st, system, plumbing, numbers))
    put_rows(io.ports, port_rows(st, plumbing, numbers))
    put_rows(io.faults, fault_rows(system, plumbing, numbers))
    chain(st, plumbing, numbers)
    for i, path in enumerate(paths):
        put_row(st.tasks[k + i], **arrivals_row(path.arrivals, task_key(seed, len(system.vms), i), flat))


def kernel_places(system: System) -> list[int]:
    """For every task of an expanded system: its place among the threads of its guest's kernel, from 1; 0 for others (1.2)."""
    places = []
    for vm in system.vms:
        mine = [is_kernel(task) for task in vm.tasks]
        places += [sum(mine[:i + 1]) if kernel else 0 for i, kernel in enumerate(mine)]
    return places


def thread_rows(plumbing: Plumbing, numbers: dict[str, dict[str, int]], tasks: int) -> list[dict[str, int]]:
    """One row a task; only threads differ from nothing."""
    rows = [{"first_stage": T.NOBODY, "last_stage": T.NOBODY, "port": T.NOBODY, "message": T.NOBODY} for _ in range(tasks)]
    for thread in plumbing.threads:
        rows[numbers["task"][thread.key]] |= {"fixed": thread.fixed, "rest": thread.rest, "batch": thread.batch,
                                              "order": ORDERS[thread.order], "polled": int(thread.period is not None)}
    return rows


def path_rows(plumbing: Plumbing, numbers: dict[str, dict[str, int]]) -> list[dict[str, int]]:
    """The paths."""
    rows, first = [], 0
    for path in plumbing.paths:
        rows.append({
            "first_stage": first, "stages": len(path.stages), "frontend": numbers["vm"][path.frontend], "submit": path.submit,
            "slots": NEVER if path.slots is None else path.slots, "enter": path.enter, "leave": path.leave, "drop_full": int(path.full == "drop"),
            "backlog_limit": path.backlog, "pool": T.NOBODY if path.pool is None else numbers["pool"][path.pool], "pool_until": path.pool_until,
            "into": T.NOBODY if path.into is None else numbers["task"][path.into], "ends": T.NOBODY if path.ends is None else path.ends,
            "first_index": path.first_index, "reissue": int(path.crash == "reissue"), "reconnect": path.reconnect,
            "burst": 0 if path.arrivals is None else path.arrivals.burst, "down": 1, "first_waiting": T.NOBODY, "last_waiting": T.NOBODY})
        first += len(path.stages)
    return rows


def stage_rows(st: Any, plumbing: Plumbing, numbers: dict[str, dict[str, int]]) -> list[dict[str, int]]:
    """The stages, in order."""
    rows: list[dict[str, int]] = []
    threads = {thread.key: thread for thread in plumbing.threads}
    ports = {(path.name, i): port for port, (path, i, _) in enumerate(plumbing.ports())}
    for path, place, stage in plumbing.stages():
        thread = threads.get(stage.server)
        vm = T.NOBODY if thread is None else numbers["vm"][thread.vm]
        outside = path.arrivals is not None if place == 0 else path.stages[place - 1].server not in threads
        rows.append({
            "path": plumbing.paths.index(path), "place": place, "thread": T.NOBODY if thread is None else numbers["task"][thread.key],
            "line": T.NOBODY if thread else numbers["line"][stage.server], "vm": vm,
            "vcpu": T.NOBODY if thread is None else st.vms[vm].first_vcpu + thread.vcpu, "each": stage.each,
            "port": ports.get((path.name, place), T.NOBODY), "after": stage.after, "timeout": NEVER if stage.timeout is None else stage.timeout,
            "always": int(stage.always), "capacity": NEVER if stage.capacity is None else stage.capacity,
            "distance": NEVER if stage.distance is None else stage.distance, "switch": stage.switch, "by_line": int(outside),
            "next_stage": T.NOBODY, "prod": path.first_index, "cons": path.first_index, "event": (path.first_index + 1) & T.MASK,
            "first": T.NOBODY, "last": T.NOBODY, "first_unknown": T.NOBODY, "interposed": T.NOBODY, "interposed_at": -2**62})
    return rows


def upcall_rows(st: Any, system: System, plumbing: Plumbing, numbers: dict[str, dict[str, int]]) -> list[dict[str, int]]:
    """One row a vCPU."""
    rows = []
    for vm in system.vms:
        entry, order = plumbing.upcalls.get(vm.name, (0, "lowest"))
        for k in range(vm.vcpus):
            rows.append({"handler": numbers["task"].get(f"{vm.name}/irq{k}", T.NOBODY), "entry": entry, "order": SCANS[order],
                         "first_port": T.NOBODY, "last_port": T.NOBODY})
    return rows


def port_rows(st: Any, plumbing: Plumbing, numbers: dict[str, dict[str, int]]) -> list[dict[str, int]]:
    """The ports, in order."""
    rows, s = [], {(path.name, i): s for s, (path, i, _) in enumerate(plumbing.stages())}
    for path, i, stage in plumbing.ports():
        number = s[path.name, i]
        rows.append({"vcpu": st.io.stages[number].vcpu, "stage": number, "priority": stage.port.priority, "handler": stage.port.handler,
                     "late_eoi": int(stage.port.late_eoi), "penalty": stage.port.penalty, "next_port": T.NOBODY})
    return rows


def fault_rows(system: System, plumbing: Plumbing, numbers: dict[str, dict[str, int]]) -> list[dict[str, int]]:
    """What goes wrong, in the order given."""
    places = {f"{path.name}/{stage.name}": port for port, (path, _, stage) in enumerate(plumbing.ports())}
    names = {"hang": numbers["task"], "bad_index": {path.name: p for p, path in enumerate(plumbing.paths)}}
    return [{"kind": FAULTS[fault.kind], "target": names.get(fault.kind, places)[fault.target], "at": fault.at, "count": fault.count,
             "every": fault.every or 0, "until": NEVER if fault.duration is None else fault.at + fault.duration} for fault in system.faults]


def chain(st: Any, plumbing: Plumbing, numbers: dict[str, dict[str, int]]) -> None:
    """Link the stages of each thread, and the ports of each vCPU, in their order."""
    for s in reversed(range(len(plumbing.stages()))):
        t = st.io.stages[s].thread
        if t != T.NOBODY:
            st.io.stages[s].next_stage, st.io.threads[t].first_stage = st.io.threads[t].first_stage, s
    for port in reversed(range(len(plumbing.ports()))):
        v = st.io.ports[port].vcpu
        st.io.ports[port].next_port, st.io.upcalls[v].first_port = st.io.upcalls[v].first_port, port


def arrivals_row(arrivals: Arrivals | None, key: int, flat: Any) -> dict[str, int]:
    """Arrivals as the row of a task that belongs to no VM: the engine draws both alike."""
    if arrivals is None:
        return {"source": S.LIST, "gaps": 0}
    row = {"source": {"periodic": S.PERIODIC, "sporadic": S.SPORADIC, "poisson": S.POISSON}[arrivals.arrival], "key": key,
           "period": arrivals.period or 0, "offset": arrivals.offset, "jitter": arrivals.jitter}
    if arrivals.releases is not None:
        row |= {"source": S.LIST, "first_gap": flat.add_values(np.asarray(arrivals.releases)), "gaps": len(arrivals.releases)}
    elif arrivals.arrival == "poisson":
        row["first_gap"] = flat.add_values(exponential(arrivals.period).table())
    return row


__all__ = ["alarms_of", "kernel_places", "sizes_of", "wire"]
