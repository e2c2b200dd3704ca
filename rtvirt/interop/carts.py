"""CARTS's XML: components with tasks, inside one another, and how each schedules.

``<system os_scheduler min_period max_period>`` holds ``<component name scheduler min_period max_period>``, and those hold components or
``<task name p d e/>``. Times have no unit in the file: say which is meant. Format: L. T. X. Phan, J. Lee, A. Easwaran, V. Ramaswamy, S. Chen,
I. Lee and O. Sokolsky, "CARTS: a tool for compositional analysis of real-time systems", SIGBED Review 8(1), 2011.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..analysis import Component
from ..errors import Problem, SpecError
from ..system import VM, System, Task
from .common import Imported, Reading, amount, lost, put
from .xml import Node, element, parse

GUESTS = {"EDF": "edf", "GEDF": "edf", "PEDF": "edf", "RM": "fp", "DM": "fp", "FP": "fp"}
DELTAS = ("delta_rel", "delta_sch", "delta_cxs", "delta_crpmd")


def read(path: str | Path, *, unit: str = "ms") -> Imported:
    """A CARTS file as a system: each component that has tasks is a VM, scheduled as it says.

    Notes
    -----
    ``extra`` has ``component``, the tree for `rv.analysis.compose`, where each component has its `min_period`; ``os_scheduler``; and ``periods``,
    {component: (min, max)} [ns]. A VM's period is set where both are the same; budgets are what CARTS computes, so there are none.
    """
    reading = Reading(path, unit)
    root = parse(reading)
    if root.tag != "system":
        raise reading.refusal(root.line, "file", f"<{root.tag}>", "<system os_scheduler=...>", "give an input file of CARTS")
    periods: dict[str, tuple[int, int]] = {}
    vms: list[VM] = []
    top = component(reading, root, {"system"}, periods, vms, "system")
    made = reading.made(root.line, lambda: System(vms=vms))
    reading.close()
    assert made is not None
    return Imported(made, tuple(reading.notes), {"component": top, "os_scheduler": root.attributes.get("os_scheduler", "EDF"), "periods": periods})


def component(reading: Reading, node: Node, taken: set[str], periods: dict[str, tuple[int, int]], vms: list[VM], name: str) -> Component | None:
    """A component with what is inside it; those with tasks become VMs on the way."""
    a = node.attributes
    kind = a.get("os_scheduler" if node.tag == "system" else "scheduler", "EDF")
    if kind.upper() not in GUESTS:
        reading.problem(node.line, "scheduler", kind, ", ".join(GUESTS), "choose one of these")
    guest = GUESTS.get(kind.upper(), "edf")
    low, high = (reading.time(node.line, field, a.get(field, a.get("period", 0))) or 0 for field in ("min_period", "max_period"))
    periods[name] = (low, high)
    for child in node.children:
        if child.tag not in ("component", "task"):
            reading.note(f"<{child.tag}> is not carried")
    taken_tasks: set[str] = set()
    tasks = [task for child in node.all("task") if (task := one_task(reading, child, taken_tasks, kind.upper() == "RM"))]
    parts = [part for child in node.all("component")
             if (part := component(reading, child, taken, periods, vms, reading.name(child.attributes.get("name", "component"), taken)))]
    if parts and tasks:
        reading.note(f"component {name}: as a VM it has its own tasks only; the tree is in extra['component']")
    elif parts and node.tag != "system":
        reading.note(f"component {name} is a level between, which a System does not have; it is in extra['component']")
    if kind.upper() == "RM" and tasks:
        order = sorted({task.period for task in tasks})
        tasks = [task.replace(priority=order.index(task.period) + 1) for task in tasks]
    if tasks:
        vm = reading.made(node.line, lambda: VM(name, tasks=tasks, guest=guest, period=low if low and low == high else None))
        vms += [vm] if vm is not None else []
    elif not parts:
        reading.problem(node.line, "component", name, "tasks or components inside", "add a <task name p d e/>")
    return Component(name, max(1, low), tuple(tasks), tuple(parts), guest)  # type: ignore[arg-type]


def one_task(reading: Reading, node: Node, taken: set[str], rm: bool) -> Task | None:
    """A task."""
    a, line = node.attributes, node.line
    if missing := [name for name in ("p", "e") if name not in a]:
        reading.problem(line, "task", a.get("name", "?"), "p, d, e", f"add {', '.join(missing)}")
        return None
    if any(a.get(name) not in (None, "", "0", "0.0") for name in DELTAS):
        reading.note("overheads of tasks (delta_…) are not carried (see rv.analysis.Overheads)")
    if a.get("cs") not in (None, "0"):
        reading.note("critical sections (cs) are not carried")
    period, cost = reading.time(line, "p", a["p"]), reading.time(line, "e", a["e"])
    deadline = reading.time(line, "d", a.get("d", a["p"]))
    if None in (period, cost, deadline):
        return None
    name = reading.name(a.get("name", "task"), taken)
    return reading.made(line, lambda: Task(name, wcet=cost, period=period, deadline=deadline))


def write(system: System | Component, path: str | Path, *, unit: str = "ms", os_scheduler: str = "EDF",
          periods: dict[str, tuple[int, int]] | None = None) -> tuple[str, ...]:
    """Write a system, or a tree of components; returns what CARTS's format cannot carry, a line each.

    Parameters
    ----------
    system : System or Component
        Each VM with tasks is a component.
    path : path
    unit : str
        Of the numbers in the file.
    os_scheduler : str
        Of the host; a Component says it itself.
    periods : {name: (min, max)}, optional [ns]
        Where CARTS should look for each component's period, and the ``"system"``'s; a VM's own period unless given, or (0, 0).
    """
    left: list[str] = []
    given = periods or {}
    if isinstance(system, Component):
        rows = [line for part in system.parts for line in tree(part, unit, given, left, 1)]
        rows += [line for task in system.tasks for line in element("task", task_attributes(task, unit, left, ""), indent=1)]
        low, high = given.get(system.name, (system.period, system.period))
        scheduler = os_scheduler if GUESTS.get(os_scheduler.upper()) == system.guest else "EDF" if system.guest == "edf" else "DM"
    else:
        left += lost(system, {"vms"}, "system")
        rows = []
        for vm in system.vms:
            left += lost(vm, {"name", "tasks", "guest", "period"}, f"VM {vm.name}") if vm.tasks else [f"VM {vm.name}: has no tasks, is not carried"]
            if vm.guest not in ("edf", "fp"):
                raise SpecError([Problem(f"vms[{vm.name}].guest", vm.guest, "edf, fp", "CARTS knows no other: change it, or leave the VM out")])
            own = vm.period if isinstance(vm.period, int) else 0
            if vm.tasks:
                rows += tree(Component(vm.name, own, vm.tasks, (), vm.guest), unit, given, left, 1)  # type: ignore[arg-type]
        low, high = given.get("system", (0, 0))
        scheduler = os_scheduler
    lines = element("system", {"os_scheduler": scheduler, "min_period": amount(low, unit), "max_period": amount(high, unit)}, rows)
    put(path, "\n".join(lines) + "\n")
    return tuple(dict.fromkeys(left))


def tree(one: Component, unit: str, given: dict[str, tuple[int, int]], left: list[str], indent: int) -> list[str]:
    """Lines of a component."""
    low, high = given.get(one.name, (one.period, one.period))
    scheduler, attributes = "EDF", [task_attributes(task, unit, left, f"{one.name}.") for task in one.tasks]
    if one.guest == "fp":
        scheduler = ordering(one.tasks, left, one.name)
    if one.deadline not in (None, one.period):
        left.append(f"component {one.name}: the deadline of its budget is not carried")
    inside = [line for a in attributes for line in element("task", a, indent=indent + 1)]
    inside += [line for part in one.parts for line in tree(part, unit, given, left, indent + 1)]
    return element("component", {"name": one.name, "scheduler": scheduler, "min_period": amount(low, unit), "max_period": amount(high, unit)},
                   inside, indent)


def ordering(tasks: tuple[Task, ...], left: list[str], name: str) -> str:
    """RM or DM, whichever the priorities are; DM, and a word about it, if neither."""
    ranked = [task for task in tasks if task.priority is not None]
    by_rank = sorted(ranked, key=lambda task: task.priority or 0)
    if ranked and [t.period for t in by_rank] == sorted(t.period or 0 for t in by_rank):
        if [t.priority for t in by_rank] != [sorted({t.period for t in ranked}).index(t.period) + 1 for t in by_rank]:
            left.append(f"component {name}: priorities are written as RM, and will be numbered from 1")
        return "RM"
    if ranked and [t.deadline for t in by_rank] != sorted(t.deadline or 0 for t in by_rank):
        left.append(f"component {name}: priorities that are neither rate nor deadline monotonic are not carried")
    elif ranked:
        left.append(f"component {name}: priorities are written as DM, and their numbers are lost")
    return "DM"


def task_attributes(task: Task, unit: str, left: list[str], where: str) -> dict[str, str]:
    """Attributes of a <task>."""
    if task.period is None or not isinstance(task.wcet, int) or task.arrival not in ("periodic", "sporadic"):
        raise SpecError([Problem(f"tasks[{where}{task.name}]", task, "periodic tasks of constant execution time",
                                 "leave it out: CARTS has no other")])
    kept: dict[str, Any] = {"name": task.name, "p": amount(task.period, unit),
                            "d": amount(task.period if task.deadline is None else task.deadline, unit), "e": amount(task.wcet, unit)}
    left += lost(task, {"name", "wcet", "period", "deadline", "priority"}, f"task {where}{task.name}")
    return kept
