"""SchedCAT's task sets: CSV with a line of names, as its `load_columns` reads it, and its XML.

Columns (and attributes of ``<task>``): period, wcet, and where given id, deadline, partition (the vCPU). SchedCAT counts in whole numbers,
usually of microseconds. Format: B. Brandenburg's SchedCAT, schedcat/util/csv.py and schedcat/model/serialize.py.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

from ..errors import Problem, SpecError
from ..system import VM, System, Task
from .common import Imported, Reading, amount, lost, put
from .xml import element, parse

COLUMNS = ("id", "period", "wcet", "deadline", "partition")
KEPT = {"name", "wcet", "period", "deadline", "vcpu", "arrival"}
NAMES = {"cost": "wcet"}  # what SchedCAT calls it inside


def read(path: str | Path, *, unit: str = "us", cpus: int | None = None) -> Imported:
    """A task set as a system of one VM whose vCPUs are pinned to pCPUs; partitions pin tasks to vCPUs.

    Parameters
    ----------
    path : path
        CSV, or XML (``<taskset>``), by its content.
    unit : str
        Of the numbers in the file.
    cpus : int, optional
        As many as there are partitions, or 1, unless given.

    Notes
    -----
    SchedCAT's tasks are sporadic: they may come later than their period. Its files say nothing of the scheduler: the guest is EDF.
    """
    reading = Reading(path, unit)
    rows = xml_rows(reading) if reading.text().lstrip().startswith("<") else csv_rows(reading)
    tasks: list[Task] = []
    taken: set[str] = set()
    for line, row in rows:
        if missing := [name for name in ("period", "wcet") if not row.get(name)]:
            reading.problem(line, "task", row.get("id", "?"), "period and wcet", f"add {', '.join(missing)}")
            continue
        for name in row:
            if name not in COLUMNS and row[name]:
                reading.note(f"{name} is not carried")
        period, wcet = reading.time(line, "period", row["period"]), reading.time(line, "wcet", row["wcet"])
        deadline = reading.time(line, "deadline", row.get("deadline") or row["period"])
        partition = reading.number(line, "partition", row["partition"], 0, 63) if row.get("partition") else None
        if None in (period, wcet, deadline):
            continue
        identity = str(row.get("id") or f"t{len(tasks) + 1}").strip()
        name = numbered(identity, taken) if identity.isdigit() else reading.name(identity, taken)
        made = reading.made(line, lambda name=name, w=wcet, p=period, d=deadline, v=partition: Task(
            name, wcet=w, period=p, deadline=d, arrival="sporadic", vcpu=v))
        tasks += [made] if made is not None else []
    if not tasks and not reading.problems:
        reading.problem(1, "file", "no tasks", "at least one", "add a row")
    n = cpus if cpus is not None else max([(task.vcpu or 0) + 1 for task in tasks], default=1)
    system = reading.made(1, lambda: System(cpus=n, vms=[VM("tasks", vcpus=n, guest="edf", tasks=tasks, affinity=[[i] for i in range(n)])]))
    reading.close()
    assert system is not None
    return Imported(system, tuple(reading.notes), {})


def numbered(identity: str, taken: set[str]) -> str:
    """Names of numbered tasks: t1, t2 …"""
    name, k = f"t{identity}", 1
    while name in taken:
        k += 1
        name = f"t{identity}_{k}"
    taken.add(name)
    return name


def csv_rows(reading: Reading) -> list[tuple[int, dict[str, str]]]:
    """(line, {column: text}) of a CSV file."""
    table = csv.reader(io.StringIO(reading.text()))
    head = [NAMES.get(name.strip().lower(), name.strip().lower()) for name in next(table, [])]
    if not {"period", "wcet"} <= set(head):
        raise reading.refusal(1, "columns", ", ".join(head), "period, wcet, and perhaps id, deadline, partition",
                              "name the columns in the first line")
    rows = []
    for row in table:
        if row and len(row) != len(head):
            reading.problem(table.line_num, "row", f"{len(row)} values", f"{len(head)}, as there are columns", "add or remove values")
        elif row:
            rows.append((table.line_num, {name: value.strip() for name, value in zip(head, row)}))
    return rows


def xml_rows(reading: Reading) -> list[tuple[int, dict[str, str]]]:
    """The same of an XML file."""
    root = parse(reading)
    if root.tag == "testpoint":
        sets = root.all("taskset")
        if len(sets) != 1:
            raise reading.refusal(root.line, "testpoint", f"{len(sets)} task sets", "one", "split it into a file for each")
        root = sets[0]
    if root.tag != "taskset":
        raise reading.refusal(root.line, "file", f"<{root.tag}>", "<taskset>", "give a task set of SchedCAT")
    for node in root.all("task"):
        for child in node.children:
            reading.note(f"<{child.tag}> is not carried")
    return [(node.line, node.attributes) for node in root.all("task")]


def write(system: System, path: str | Path, *, unit: str = "us") -> tuple[str, ...]:
    """Write a system with one VM that has tasks, as CSV or (by the suffix) XML; returns what the format cannot carry, a line each."""
    busy = [vm for vm in system.vms if vm.tasks]
    if len(busy) != 1:
        raise SpecError([Problem("system", [vm.name for vm in busy], "one VM with tasks",
                                 "SchedCAT knows no VMs: write each into a file of its own")])
    vm = busy[0]
    left = lost(system, {"vms", "cpus"}, "system") + lost(vm, {"name", "tasks", "vcpus", "affinity", "guest"}, f"VM {vm.name}")
    left += [f"VM {other.name}: is not carried" for other in system.vms if other is not vm]
    left += [f"VM {vm.name}: its name is not carried"] if vm.name != "tasks" else []
    left += [f"VM {vm.name}: guest = {vm.guest!r} is not carried"] if vm.guest != "edf" else []
    if vm.vcpus != max([(task.vcpu or 0) + 1 for task in vm.tasks], default=1):
        left.append(f"VM {vm.name}: vcpus = {vm.vcpus} is not carried (read it with cpus={vm.vcpus})")
    rows = []
    for task in vm.tasks:
        if task.period is None or not isinstance(task.wcet, int) or task.arrival not in ("periodic", "sporadic"):
            raise SpecError([Problem(f"tasks[{task.name}]", task, "sporadic tasks of constant execution time",
                                     "leave it out: SchedCAT has no other")])
        left += lost(task, KEPT, f"task {task.name}")
        if task.arrival == "periodic":
            left.append(f"task {task.name}: periodic is written as sporadic")
        rows.append({"id": task.name[1:] if task.name[1:].isdigit() and task.name[0] == "t" else task.name, "period": amount(task.period, unit),
                     "wcet": amount(task.wcet, unit), "deadline": amount(task.period if task.deadline is None else task.deadline, unit),
                     **({"partition": str(task.vcpu)} if task.vcpu is not None else {})})
    if any("." in value for row in rows for name, value in row.items() if name != "id"):
        left.append(f"SchedCAT wants whole numbers: choose a finer unit than {unit}")
    if Path(path).suffix.lower() == ".xml":
        put(path, "\n".join(element("taskset", {}, [line for row in rows for line in element("task", row, indent=1)])) + "\n")
    else:
        columns = [name for name in COLUMNS if any(name in row for row in rows)]
        put(path, "\n".join([",".join(columns), *(",".join(row.get(name, "") for name in columns) for row in rows)]) + "\n")
    return tuple(dict.fromkeys(left))
