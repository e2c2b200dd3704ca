"""SimSo's XML: one level of scheduling, tasks on processors.

Read as one VM with a vCPU on each pCPU, whose guest schedules as SimSo would; written from a system with one such VM. Times are in ms, the
duration in cycles. Format: M. Chéramy, P.-E. Hladik and A.-M. Déplanche, "SimSo: a simulation tool to evaluate real-time multiprocessor
scheduling algorithms", WATERS 2014; SimSo 0.8.5, simso/configuration/parser.py and GenerateConfiguration.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import Problem, SpecError
from ..system import VM, System, Task, normal, ranks_of
from ..units import format_ns
from .common import Imported, Reading, amount, lost, put
from .xml import Node, element, parse

IGNORED = {"instructions": ("0", 0), "mix": ("0.5", 0.5), "base_cpi": ("1.0", 1), "preemption_cost": ("0", 0), "stack": ("", None)}
KEPT = {"name", "wcet", "period", "deadline", "offset", "releases", "priority"}


def read(path: str | Path) -> Imported:
    """A SimSo configuration as a system; see the package for what is returned.

    Notes
    -----
    ``extra`` has ``scheduler`` (SimSo's class) and ``duration`` [ns]. Jobs run on after a miss, whatever ``abort_on_miss`` says.
    """
    reading = Reading(path, "ms")
    root = parse(reading)
    if root.tag != "simulation":
        raise reading.refusal(root.line, "file", f"<{root.tag}>", "<simulation>", "give a file that SimSo has written")
    scheduler = scheduler_of(reading, root)
    processors = (root.first("processors") or Node("processors", {}, root.line)).all("processor")
    if not 1 <= len(processors) <= 64:
        raise reading.refusal(root.line, "processors", len(processors), "1 to 64 <processor>", "describe the processors")
    for processor in processors:
        if any(value_of(processor.attributes.get(name, usual)) != usual for name, usual in (("cl_overhead", 0), ("cs_overhead", 0), ("speed", 1))):
            reading.note("overheads and speeds of processors are not carried (see Costs)")
    if (caches := root.first("caches")) is not None and caches.children:
        reading.note("caches are not carried")
    guest = "edf" if any(word in scheduler.upper() for word in ("EDF", "DEADLINE")) else "fp"
    if guest == "fp" and not scheduler.split(".")[-1].upper().startswith(("FP", "RM", "DM", "P_RM", "FIXED")):
        reading.note(f"the scheduler {scheduler} is not known here: fixed priorities in its place")
    tasks_node = root.first("tasks") or Node("tasks", {}, root.line)
    taken: set[str] = set()
    tasks = [task for node in tasks_node.all("task") if (task := one_task(reading, node, root.attributes.get("etm", "wcet"), taken))]
    if scheduler.split(".")[-1].upper().startswith("FP"):
        tasks = ranked(reading, tasks_node.all("task"), tasks)
    elif "RM" in scheduler.split(".")[-1].upper():
        order = sorted({task.period for task in tasks if task.period is not None})
        if all(task.period is not None for task in tasks):
            tasks = [task.replace(priority=order.index(task.period) + 1) for task in tasks]
    duration = cycles(reading, root, "duration", 50000) * 1_000_000 // max(1, cycles(reading, root, "cycles_per_ms", 1_000_000))
    n = len(processors)
    made = reading.made(root.line, lambda: System(cpus=n, vms=[VM("tasks", vcpus=n, guest=guest, tasks=tasks, affinity=[[i] for i in range(n)])]))
    reading.close()
    assert made is not None
    return Imported(made, tuple(reading.notes), {"scheduler": scheduler, "duration": duration})


def scheduler_of(reading: Reading, root: Node) -> str:
    """SimSo's name of the scheduler."""
    sched = root.first("sched")
    if sched is None:
        raise reading.refusal(root.line, "sched", None, "<sched class=...>", "name the scheduler")
    if any(value_of(sched.attributes.get(name) or 0) != 0 for name in ("overhead", "overhead_activate", "overhead_terminate")):
        reading.note("overheads of the scheduler are not carried (see Costs)")
    return sched.attributes.get("class") or sched.attributes.get("className") or "simso.schedulers.FP"


def one_task(reading: Reading, node: Node, etm: str, taken: set[str]) -> Task | None:
    """A task; None, with the problem noted, if it makes none."""
    a, line = node.attributes, node.line
    if missing := [name for name in ("name", "period", "deadline", "WCET") if name not in a]:
        reading.problem(line, "task", a.get("name", "?"), "name, period, deadline, WCET", f"add {', '.join(missing)}")
        return None
    kind = a.get("task_type") or ("APeriodic" if a.get("periodic") == "no" else "Periodic")
    if kind not in ("Periodic", "Sporadic"):
        reading.problem(line, "task_type", kind, "Periodic, Sporadic", "such a task is released by another one: describe it as a channel in Python")
        return None
    if a.get("followed_by"):
        reading.note("followed_by is not carried (see `send`)")
    if a.get("abort_on_miss", "yes") == "yes":
        reading.note("jobs run on after a miss: abort_on_miss is not carried")
    if any(value_of(a.get(name, usual)) not in (value_of(usual), number) for name, (usual, number) in IGNORED.items()):
        reading.note("instructions, mix, base_cpi, stack and preemption_cost (the cache model) are not carried")
    wcet: Any = reading.time(line, "WCET", a["WCET"])
    if etm == "acet" and "ACET" in a and wcet:
        mean, sd = reading.time(line, "ACET", a["ACET"]), reading.time(line, "et_stddev", a.get("et_stddev", 0))
        if mean and (sd or mean != wcet):
            reading.note("execution times are normal, as etm=acet says, but not cut at the WCET")
            wcet = normal(mean, sd or 0)
    fields: dict[str, Any] = {"wcet": wcet, "deadline": reading.time(line, "deadline", a["deadline"])}
    if kind == "Periodic":
        fields |= {"period": reading.time(line, "period", a["period"]), "offset": reading.time(line, "activationDate", a.get("activationDate", 0))}
    else:
        dates = [date for date in a.get("list_activation_dates", "").split(",") if date.strip()]
        fields["releases"] = sorted(t for date in dates if (t := reading.time(line, "list_activation_dates", date)) is not None)
    name = reading.name(a["name"], taken)
    return None if None in (fields["wcet"], fields["deadline"]) else reading.made(line, lambda: Task(name, **fields))


def ranked(reading: Reading, nodes: list[Node], tasks: list[Task]) -> list[Task]:
    """SimSo's priorities, the largest first, as ours, 1 first: negative ones without their sign (so `write` puts ours), others by rank."""
    if len(nodes) != len(tasks):
        return tasks
    given = [reading.number(node.line, "priority", node.attributes.get("priority", 0), -2**31, 2**31) or 0 for node in nodes]
    order = sorted(set(given), reverse=True)
    return [task.replace(priority=-value if order[0] < 0 else order.index(value) + 1) for task, value in zip(tasks, given)]


def cycles(reading: Reading, root: Node, name: str, usual: int) -> int:
    """A number of cycles."""
    return reading.number(root.line, name, root.attributes.get(name, usual), 0, 2**62) or 0


def value_of(text: Any) -> Any:
    """A number, if it is one."""
    try:
        return float(text)
    except (TypeError, ValueError):
        return text


def write(system: System, path: str | Path, *, scheduler: str | None = None, duration: int = 1_000_000_000) -> tuple[str, ...]:
    """Write a system with one VM that has tasks; returns what SimSo's format cannot carry, a line each.

    Parameters
    ----------
    system : System
    path : path
    scheduler : str, optional
        SimSo's class; EDF or FP, as the guest is, unless given.
    duration : int [ns]
    """
    busy = [vm for vm in system.vms if vm.tasks]
    if len(busy) != 1:
        raise SpecError([Problem("system", [vm.name for vm in busy], "one VM with tasks", "SimSo knows no VMs: write each into a file of its own")])
    vm = busy[0]
    left = [line for other in system.vms if other is not vm for line in (f"VM {other.name}: is not carried",)]
    left += lost(vm, {"name", "tasks", "vcpus", "guest", "affinity"}, f"VM {vm.name}") + lost(system, {"cpus", "vms"}, "system")
    left += [f"VM {vm.name}: its name is not carried"] if vm.name != "tasks" else []
    if vm.guest not in ("edf", "fp"):
        left.append(f"VM {vm.name}: guest = {vm.guest!r} is written as fixed priorities")
    fp = vm.guest != "edf"
    rows: list[str] = [*element("field", {"name": "priority", "type": "int"}, indent=2)] if fp else []
    ranks = ranks_of(vm.tasks)
    random = any(not isinstance(task.wcet, (int, tuple)) and task.wcet is not None for task in vm.tasks)
    for i, task in enumerate(vm.tasks):
        rows += element("task", task_attributes(task, i, -(task.priority or ranks[i] + 1) if fp else None, left), indent=2)
    if fp and any(task.priority is None for task in vm.tasks):
        left.append("priorities that follow from deadlines are written as numbers")
    inside = [
        *element("sched", {"class": scheduler or f"simso.schedulers.{'FP' if fp else 'EDF'}", "overhead": "0", "overhead_activate": "0",
                           "overhead_terminate": "0"}, indent=1),
        *element("caches", {"memory_access_time": "100"}, indent=1),
        *element("processors", {}, [line for i in range(vm.vcpus) for line in element(
            "processor", {"name": f"CPU {i + 1}", "id": str(i), "cl_overhead": "0", "cs_overhead": "0", "speed": "1.0"}, indent=2)], 1),
        *element("tasks", {}, rows, 1)]
    etm = "acet" if random else "wcet"
    put(path, "\n".join(['<?xml version="1.0" ?>', *element("simulation", {"duration": str(duration), "cycles_per_ms": "1000000", "etm": etm},
                                                             inside)]) + "\n")
    return tuple(left)


def task_attributes(task: Task, number: int, priority: int | None, left: list[str]) -> dict[str, str]:
    """Attributes of a <task>; what they cannot say goes to `left`."""
    where = f"task {task.name}"
    if task.is_hog or task.actions or task.arrival == "channel" or (task.period is None and task.releases is None):
        raise SpecError([Problem(where, task, "periodic or listed jobs of a given length", "leave it out: SimSo has no such task")])
    left += lost(task, KEPT | ({"arrival"} if task.arrival == "periodic" else set()), where)
    wcet = task.wcet
    mean = sd = 0                                        # of a constant: itself, and 0
    if isinstance(wcet, tuple):
        left.append(f"{where}: a list of execution times is written as its largest")
        wcet = max(wcet)
    elif not isinstance(wcet, int):
        assert wcet is not None
        table = wcet.table()
        if wcet.kind == "normal":
            mean, sd = wcet.mean, wcet.sd
        else:
            left.append(f"{where}: {wcet.kind} execution times are written by their mean and longest")
            mean = int(table.mean())
        wcet = int(table.max())
    mean = mean or wcet
    gaps = [b - a for a, b in zip(task.releases or (), (task.releases or ())[1:])]
    period = task.period if task.period is not None else max(1, min(gaps, default=1))
    deadline = task.deadline
    if deadline is None:
        left.append(f"{where}: no deadline; its period is written, {format_ns(period)}")
        deadline = period
    return {"name": task.name, "id": str(number + 1), "task_type": "Periodic" if task.releases is None else "Sporadic", "abort_on_miss": "no",
            "period": amount(period, "ms"), "activationDate": amount(task.offset, "ms"),
            "list_activation_dates": ", ".join(amount(t, "ms") for t in task.releases or ()), "deadline": amount(deadline, "ms"),
            "base_cpi": "1.0", "instructions": "0", "mix": "0.5", "WCET": amount(wcet, "ms"), "ACET": amount(mean, "ms"), "preemption_cost": "0",
            "et_stddev": amount(sd, "ms"), **({} if priority is None else {"priority": str(priority)})}
