"""rt-app's JSON: threads on Linux that run and wait for a timer.

A thread whose loop is work and then one timer is a periodic task; one that only works is a hog. Policies become the guest: SCHED_FIFO and
SCHED_RR fixed priorities, SCHED_DEADLINE EDF, SCHED_OTHER round robin. Times are in us, the duration in s. Comments, commas before a closing
bracket and repeated names are read as rt-app's own tools read them. Format: rt-app, doc/tutorial.txt and doc/examples.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from ..errors import Problem, SpecError
from ..system import VM, Step, System, Task, block, hog, run, yield_
from ..units import FACTORS
from .common import Imported, Reading, amount, lost, put

POLICIES = {"SCHED_OTHER": "rr", "SCHED_FIFO": "fp", "SCHED_RR": "fp", "SCHED_DEADLINE": "edf"}
EVENTS = ("run", "runtime", "sleep", "timer", "yield")
TALK = ("lock", "unlock", "wait", "signal", "broad", "sync", "barrier", "suspend", "resume", "mem", "iorun", "fork")
PLAIN = {"instance", "loop", "policy", "priority", "delay", "cpus", "phases", "dl-runtime", "dl-period", "dl-deadline", "util_min", "util_max",
         "taskgroup", "membind_nodes", "nodes_membind"}
STEPS = 1000              # of an unrolled script
Pairs = list[tuple[str, Any]]


class Repeated(list):                  # type: ignore[type-arg]
    """A JSON object as pairs: names may be repeated."""


def read(path: str | Path, *, cpus: int = 1) -> Imported:
    """An rt-app file as a system of one VM.

    Parameters
    ----------
    path : path
    cpus : int
        pCPUs, and vCPUs, unless the file's affinities name more.

    Notes
    -----
    ``extra`` has ``duration`` [ns] (None: for ever). ``run`` counts as time on this machine, as ``runtime`` does. A timer's first use starts it,
    so a thread's first job comes after its `delay`, the others one period after another.
    """
    reading = Reading(path, "us")
    text = without_comments(reading.text())
    try:
        root = json.loads(text, object_pairs_hook=Repeated)
    except json.JSONDecodeError as error:
        raise reading.refusal(error.lineno, "file", error.msg, "JSON", f"correct it at column {error.colno}") from None
    except RecursionError:
        raise reading.refusal(1, "file", "deep nesting", "rt-app's objects", "flatten it") from None
    if not isinstance(root, Repeated) or not isinstance(field(root, "tasks"), Repeated):
        raise reading.refusal(1, "tasks", None, "an object of threads", 'write "tasks" : { "name" : { ... } }')
    common = field(root, "global") if isinstance(field(root, "global"), Repeated) else Repeated()
    usual = field(common, "default_policy") or "SCHED_OTHER"
    tasks: list[Task] = []
    policies: set[str] = set()
    taken: set[str] = set()
    for name, thread in field(root, "tasks"):
        line = line_of(text, name)
        if not isinstance(thread, Repeated):
            reading.problem(line, name, thread, "an object", "describe the thread in { ... }")
            continue
        policy = field(thread, "policy") or usual
        if policy not in POLICIES:
            reading.problem(line, f"{name}.policy", policy, ", ".join(POLICIES), "choose one of these")
            continue
        instances = reading.number(line, f"{name}.instance", field(thread, "instance", 1), 0, 1000) or 0
        for _ in range(instances):
            task = one_task(reading, line, reading.name(name, taken), thread, policy)
            if task is not None:
                tasks.append(task)
                policies.add(POLICIES[policy])
    numbers = [cpu for _, thread in field(root, "tasks") if isinstance(thread, Repeated) for cpu in field(thread, "cpus", []) if isinstance(cpu, int)]
    n = max([cpus, *(cpu + 1 for cpu in numbers)])
    guest = "fp" if "fp" in policies else "edf" if policies == {"edf"} else "rr"
    if len(policies) > 1:
        reading.note(f"threads of different policies are in one guest, scheduled as {guest}")
    if guest == "fp" and any(task.priority is None and not task.is_hog for task in tasks):
        last = max((task.priority or 0 for task in tasks), default=0) + 1
        tasks = [task if task.priority or task.is_hog else task.replace(priority=last) for task in tasks]
    elif guest != "fp":
        tasks = [task.replace(priority=None) for task in tasks]
    made = reading.made(1, lambda: System(cpus=n, vms=[VM("linux", vcpus=n, guest=guest, tasks=tasks, affinity=[[i] for i in range(n)])]))
    seconds = field(common, "duration", -1)
    reading.close()
    assert made is not None
    endless = not isinstance(seconds, (int, float)) or isinstance(seconds, bool) or seconds < 0
    return Imported(made, tuple(reading.notes), {"duration": None if endless else int(seconds * FACTORS["s"])})


def one_task(reading: Reading, line: int, name: str, thread: Pairs, policy: str) -> Task | None:
    """A thread as a task; None, with the problem noted, if it is more than that."""
    phases = field(thread, "phases")
    if phases is not None and (not isinstance(phases, Repeated) or len(phases) != 1):
        reading.problem(line, f"{name}.phases", "several phases", "one phase", "give each phase a thread of its own, or write the script in Python")
        return None
    events: Pairs = list(phases[0][1]) if phases else list(thread)
    work, period, steps = 0, None, []
    for key, value in events:
        kind = re.sub(r"\d+$", "", key)
        if kind in TALK:
            reading.problem(line, f"{name}.{key}", value, ", ".join(EVENTS), "threads that talk or lock have no counterpart: leave this out")
            return None
        if kind not in EVENTS:
            if key not in PLAIN:
                reading.note(f"{key} is not carried")
            continue
        if kind == "timer":
            if period is not None or not isinstance(value, Repeated):
                reading.problem(line, f"{name}.{key}", "several timers", "one timer, at the end", "give each timer a thread of its own")
                return None
            period = reading.time(line, f"{name}.{key}.period", field(value, "period"))
            if field(value, "mode", "relative") == "relative":
                reading.note("timers are absolute: a job that is late does not move the next one")
        elif kind == "yield":
            steps.append(yield_())
        else:
            t = reading.time(line, f"{name}.{key}", value)
            step = None if t is None else reading.made(line, lambda t=t, kind=kind: block(t) if kind == "sleep" else run(t))
            if t is None or step is None:
                return None
            work += t if kind != "sleep" else 0
            steps.append(step)
    for key in ("util_min", "util_max", "taskgroup", "membind_nodes"):
        if field(thread, key) is not None:
            reading.note(f"{key} is not carried")
    return shaped(reading, line, name, thread, policy, work, period, steps)


def shaped(reading: Reading, line: int, name: str, thread: Pairs, policy: str, work: int, period: int | None, steps: list[Step]) -> Task | None:
    """The task of a thread's work, timer and other steps."""
    loops = reading.number(line, f"{name}.loop", field(thread, "loop", -1), -1, 10**9)
    fields: dict[str, Any] = {"vcpu": None}
    cpus = field(thread, "cpus")
    if isinstance(cpus, list) and len(cpus) == 1:
        fields["vcpu"] = reading.number(line, f"{name}.cpus", cpus[0], 0, 63)
    elif cpus is not None:
        reading.note("affinities to several CPUs are not carried")
    if policy in ("SCHED_FIFO", "SCHED_RR"):
        fields["priority"] = 100 - (reading.number(line, f"{name}.priority", field(thread, "priority", 10), 1, 99) or 1)
    elif field(thread, "priority") is not None:
        reading.note("nice values are not carried")
    if policy == "SCHED_DEADLINE":
        reading.note("budgets of SCHED_DEADLINE (dl-runtime) are not carried: a guest's EDF does not police its tasks")
        deadline = field(thread, "dl-deadline", field(thread, "dl-period"))
        fields["deadline"] = None if deadline is None else reading.time(line, f"{name}.dl-deadline", deadline)
    fields["offset"] = reading.time(line, f"{name}.delay", field(thread, "delay", 0))
    simple = [step for step in steps if step.kind != "run"] == []
    if not work and not steps:
        reading.problem(line, name, "no events", "run, timer", "add them")
        return None
    if period is None:
        if simple and loops == -1:
            return reading.made(line, lambda: hog(name).replace(**{k: v for k, v in fields.items() if k in ("vcpu", "offset", "priority")}))
        if loops == -1 or len(steps) * (loops or 0) > STEPS:
            reading.problem(line, name, "run and sleep for ever", f"a timer, or at most {STEPS} steps in all", "use a timer instead of sleep")
            return None
        fields.pop("deadline", None)
        return reading.made(line, lambda: Task(name, releases=[fields.pop("offset") or 0], actions=steps * (loops or 1), **fields))
    if loops not in (-1, None):
        count, first = loops, fields.pop("offset") or 0
        if count > 100_000:
            reading.problem(line, f"{name}.loop", count, "-1, or up to 100,000", "let it run for ever")
            return None
        fields |= {"releases": [first + k * period for k in range(count)], "deadline": fields.get("deadline") or period}
    else:
        fields["period"] = period
    what: dict[str, Any] = {"wcet": work} if simple else {"actions": steps}
    return reading.made(line, lambda: Task(name, **what, **fields))


def field(pairs: Pairs, name: str, usual: Any = None) -> Any:
    """A value of an object."""
    return next((value for key, value in pairs if key == name), usual)


def without_comments(text: str) -> str:
    """JSON proper, line by line as it was: no comments, no comma before a closing bracket."""
    token = r'"(?:\\.|[^"\\])*"|/\*.*?\*/|//[^\n]*'
    bare = re.sub(token, lambda m: m[0] if m[0][0] == '"' else re.sub(r"[^\n]", " ", m[0]), text, flags=re.S)
    return re.sub(r'("(?:\\.|[^"\\])*")|,(?=\s*[}\]])', lambda m: m[1] or " ", bare, flags=re.S)


def line_of(text: str, name: str) -> int:
    """Where a thread begins."""
    found = re.search(rf'{re.escape(json.dumps(name))}\s*:\s*{{', text)
    return text.count("\n", 0, found.start()) + 1 if found else 1


def write(system: System, path: str | Path, *, duration: int | None = None) -> tuple[str, ...]:
    """Write a system with one VM that has tasks; returns what rt-app's format cannot carry, a line each.

    Parameters
    ----------
    system : System
    path : path
    duration : int [ns], optional
        Whole seconds, rounded up; for ever unless given.
    """
    busy = [vm for vm in system.vms if vm.tasks]
    if len(busy) != 1:
        raise SpecError([Problem("system", [vm.name for vm in busy], "one VM with tasks", "rt-app knows no VMs: write each into a file of its own")])
    vm = busy[0]
    policy = {"fp": "SCHED_FIFO", "edf": "SCHED_DEADLINE", "rr": "SCHED_OTHER", "fifo": "SCHED_FIFO"}[vm.guest]
    left = lost(system, {"vms", "cpus"}, "system") + lost(vm, {"name", "tasks", "guest", "vcpus", "affinity"}, f"VM {vm.name}")
    left += [f"VM {other.name}: is not carried" for other in system.vms if other is not vm]
    left += [f"VM {vm.name}: its name is not carried"] if vm.name != "linux" else []
    left += [f"VM {vm.name}: guest = 'fifo' is written as SCHED_FIFO of one priority"] if vm.guest == "fifo" else []
    used = max([(task.vcpu or 0) + 1 for task in vm.tasks])
    left += [f"VM {vm.name}: vcpus = {vm.vcpus} is not carried (read it with cpus={vm.vcpus})"] if vm.vcpus != max(1, used) else []
    threads = {task.name: thread_of(task, policy, left) for task in vm.tasks}
    seconds = -1 if duration is None else -(-duration // FACTORS["s"])
    put(path, json.dumps({"tasks": threads, "global": {"duration": seconds, "default_policy": policy}}, indent=1) + "\n")
    return tuple(left)


def thread_of(task: Task, policy: str, left: list[str]) -> dict[str, Any]:
    """A thread object; what it cannot say goes to `left`."""
    where = f"task {task.name}"

    def us(t: int) -> int:
        if t % 1000:
            left.append(f"{where}: {amount(t, 'us')} us is rounded up to whole ones")
        return -(-t // 1000)

    if not task.is_hog and (task.period is None or not isinstance(task.wcet, int) or task.arrival != "periodic"):
        raise SpecError([Problem(where, task, "periodic tasks of constant execution time, and hogs", "leave it out: rt-app has no such thread")])
    kept = {"name", "wcet", "period", "offset", "vcpu"} | ({"priority"} if policy == "SCHED_FIFO" else set())
    thread: dict[str, Any] = {"instance": 1, "loop": -1, "policy": policy}
    if policy == "SCHED_FIFO":
        rank = task.priority if task.priority is not None else 99
        if not 1 <= rank <= 99 or task.priority is None:
            left.append(f"{where}: priority {task.priority} is written as Linux's {100 - min(99, rank)}")
        thread["priority"] = 100 - min(99, rank)
    if task.vcpu is not None:
        thread["cpus"] = [task.vcpu]
    if task.offset:
        thread["delay"] = us(task.offset)
    if task.is_hog:
        return thread | {"run": 1_000_000}
    assert isinstance(task.wcet, int) and task.period is not None
    if policy == "SCHED_DEADLINE":
        kept.add("deadline")
        thread |= {"dl-runtime": us(task.wcet), "dl-period": us(task.period), "dl-deadline": us(task.deadline or task.period)}
    elif task.deadline == task.period:
        kept.add("deadline")
    left += lost(task, kept, where)
    return thread | {"run": us(task.wcet), "timer": {"ref": "unique", "period": us(task.period), "mode": "absolute"}}
