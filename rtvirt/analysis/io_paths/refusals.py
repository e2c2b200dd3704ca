"""Paths that have no bound whatever the scheduler does, and why."""

from __future__ import annotations

from ...system import System
from ...system.devices import Path, Plumbing, Stage, Thread
from ...units import format_ns
from .loads import curve_of


def refusal(system: System, plumbing: Plumbing, path: Path) -> str:
    """Why nothing can be said of a path; empty if something may be said."""
    threads = {thread.key: thread for thread in plumbing.threads}
    if path.arrivals is not None and isinstance(reason := curve_of(path.arrivals), str):
        return reason
    for fault in system.faults:
        if fault.target in struck(path, fault.kind):
            return (f"{fault.kind} of {fault.target} at {format_ns(fault.at)}: no bound is derived for how long its messages then wait, or how "
                    "often it wakes its VM. Ask about the system without its faults")
    if any(change.vm in vms_of(path, threads) for change in system.changes):
        return "a VM of the path changes, and messages in its hands may be lost or done once more: ask about each configuration by itself"
    late = [name for name in vms_of(path, threads) if system[name].start]
    if late and path.arrivals is not None:
        return f"{late[0]} starts at {format_ns(system[late[0]].start)}, and messages that come before are dropped"
    for stage in path.stages:
        if stage.server in threads and (reason := homeless(system, threads[stage.server])):
            return f"stage {stage.name}: {reason}"
        if stage.server in threads and not stage.after and path.slots is None and (reason := silent(stage, threads[stage.server])):
            return f"stage {stage.name}: {reason}"
    if path.into is not None:
        vm, _, name = path.into.partition("/")
        if any(step.kind == "send" and step.target == path.into for other in system.vms for task in other.tasks for step in task.actions or ()):
            return f"{path.into} gets messages by steps that send, too, and nothing bounds how many"
        if reason := homeless(system, Thread(vm, name, priority=1)):
            return reason
        task = next(task for task in system[vm].tasks if task.name == name)
        if any(step.kind in ("block", "yield", "request") for step in task.actions or ()):
            return f"{path.into} sleeps or yields on its way, and no bound is derived for that in a task that gets messages"
    return submitting(system, path)


def unheard_at(path: Path, threads: dict[str, Thread]) -> dict[int, int]:
    """Places where messages may lie that nobody is told of, as long as no more come; and how many at most."""
    return {place: stage.after - 1 if stage.after else path.slots or 0 for place, stage in enumerate(path.stages)
            if stage.server in threads and silent(stage, threads[stage.server])}


def struck(path: Path, kind: str) -> list[str]:
    """What a fault of a kind may hit of a path: its threads, itself, its ports."""
    if kind == "hang":
        return [stage.server for stage in path.stages]
    return [path.name] if kind == "bad_index" else [f"{path.name}/{stage.name}" for stage in path.stages]


def vms_of(path: Path, threads: dict[str, Thread]) -> list[str]:
    """VMs that a path's messages go through."""
    found = [path.frontend, *(threads[stage.server].vm for stage in path.stages if stage.server in threads)]
    return list(dict.fromkeys(found + ([path.into.partition("/")[0]] if path.into else [])))


def silent(stage: Stage, thread: Thread) -> str:
    """Is a message's thread perhaps never told of it?"""
    if thread.period is not None or stage.always or stage.after == 1 or stage.timeout is not None:
        return ""
    others = f"{stage.after - 1} that come first" if stage.after else "half of what is outstanding"
    return (f"{thread.key} sleeps until more messages are there (after={stage.after}), and nobody wakes it before: when no more come, "
            f"{others} wait for ever (docs/io-model.md 2.9). Give a timeout")


def homeless(system: System, thread: Thread) -> str:
    """Does no test cover a VM with a thread, or a task?"""
    vm = system[thread.vm]
    if vm.vcpus > 1 and any(task.vcpu is None for task in vm.tasks):
        return f"{vm.name} moves its tasks between {vm.vcpus} vCPUs, and no bound is derived for devices beside that: pin them (Task(vcpu=...))"
    return ""


def submitting(system: System, path: Path) -> str:
    """Do messages come from tasks whose guest is not covered?"""
    for vm in system.vms:
        for task in vm.tasks:
            submits = any(step.kind in ("submit", "request") and step.target == path.name for step in task.actions or ())
            if submits and (reason := homeless(system, Thread(vm.name, task.name, priority=1))):
                return reason
    return ""
