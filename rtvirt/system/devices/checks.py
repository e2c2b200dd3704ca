"""What does not fit together: a device's threads, lines and paths with the system, and with those of other devices."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from ...errors import Problem, SpecError
from .plumbing import MOST_BATCH, MOST_STAGES, Path, Plumbing, Thread
from .tasks import thread_task

if TYPE_CHECKING:
    from ..system import System
    from ..vm import VM


def check(system: System, part: Plumbing, whole: Plumbing) -> Iterator[Problem]:
    """Problems of one device's `part`, beside the `whole` of all devices."""
    yield from check_shared(part, whole)
    yield from check_threads(system, part)
    servers, pools = {thread.key for thread in whole.threads}, whole.pools
    lines = {line.name for line in whole.lines}
    names = [path.name for path in whole.paths]
    for path in part.paths:
        where = f"path {path.name}"
        if names.count(path.name) > 1:
            yield Problem(where, path.name, "a name used once", "rename one of the devices")
        if path.frontend not in names_of(system):
            yield Problem(f"{where}.frontend", path.frontend, known(names_of(system)), "name a VM of the system as its front end")
        if path.pool is not None and path.pool not in pools:
            yield Problem(f"{where}.pool", path.pool, known(pools), "name a pool of the device")
        if path.into is not None and path.into not in channel_tasks(system):
            yield Problem(f"{where}.into", path.into, known(channel_tasks(system)), "name a task with arrival='channel', written vm/task")
        yield from check_stages(path, servers, lines)
    for vm in part.upcalls:
        if vm not in names_of(system):
            yield Problem(f"upcall of {vm}", vm, known(names_of(system)), "name a VM of the system")


def known(names: Iterable[str]) -> str:
    """A list of names, or that there are none."""
    return ", ".join(sorted(names)) or "nothing: there are none"


def names_of(system: System) -> list[str]:
    """Names of the VMs."""
    return [vm.name for vm in system.vms]


def channel_tasks(system: System) -> list[str]:
    """Tasks that wait for messages, as ``vm/task``."""
    return [f"{vm.name}/{task.name}" for vm in system.vms for task in vm.tasks if task.arrival == "channel"]


def check_shared(part: Plumbing, whole: Plumbing) -> Iterator[Problem]:
    """What several devices name is one thing: they must say the same of it."""
    first: dict[str, Thread] = {thread.key: thread for thread in whole.threads}
    for thread in part.threads:
        for name, here, there in differences(thread, first[thread.key]):
            yield Problem(f"thread {thread.key}.{name}", here, f"{there!r}, as is said elsewhere of the same thread",
                          "say the same of it everywhere, or name another thread")
    for name, size in part.pools.items():
        if size != whole.pools[name]:
            yield Problem(f"pool {name}", size, f"{whole.pools[name]}, as another device says of the same pool", "give both devices the same")
    for vm, upcall in part.upcalls.items():
        if upcall != whole.upcalls[vm]:
            yield Problem(f"upcall of {vm}", upcall, f"{whole.upcalls[vm]}, as another device says of the same VM",
                          "give both devices the same abi and entry")


def differences(here: Thread, there: Thread) -> Iterator[tuple[str, Any, Any]]:
    """Fields in which two threads differ."""
    for field in fields(here):
        if getattr(here, field.name) != getattr(there, field.name):
            yield field.name, getattr(here, field.name), getattr(there, field.name)


def check_threads(system: System, part: Plumbing) -> Iterator[Problem]:
    """A thread needs a VM and a vCPU, a name of its own, and a guest that knows its contract."""
    vms = {vm.name: vm for vm in system.vms}
    for thread in part.threads:
        where = f"thread {thread.key}"
        if thread.vm not in vms:
            yield Problem(where, thread.vm, known(vms), "name a VM of the system")
        elif not 0 <= thread.vcpu < vms[thread.vm].vcpus:
            yield Problem(f"{where}.vcpu", thread.vcpu, f"vCPUs 0 to {vms[thread.vm].vcpus - 1}", "name a vCPU of the VM")
        else:
            yield from check_guest(vms[thread.vm], thread, where)
        if not 1 <= thread.batch <= MOST_BATCH:
            yield Problem(f"{where}.batch", thread.batch, f"1 to {MOST_BATCH}", "take fewer messages at a time")
    keys = {thread.key: thread for thread in part.threads}
    for _, _, stage in part.ports():
        thread = keys.get(stage.server)
        if thread is not None and thread.vm in vms and f"irq{thread.vcpu}" in own_tasks(vms[thread.vm]):
            yield Problem(f"thread {thread.key}", f"irq{thread.vcpu}", "a VM without a task of that name: the handler has it", "rename the task")


def own_tasks(vm: VM) -> list[str]:
    """Names of the tasks that the VM has without its devices."""
    return [task.name for task in vm.tasks if not task.of_device]


def check_guest(vm: VM, thread: Thread, where: str) -> Iterator[Problem]:
    """The thread as a task of this guest."""
    if thread.name in own_tasks(vm):
        yield Problem(where, thread.name, "a name that no task of the VM has", "rename the task or the device")
    if thread.priority is not None and vm.guest != "fp":
        yield Problem(f"{where}.priority", thread.priority, f"none: {vm.name} has guest={vm.guest!r}", "leave it out, or give the VM guest='fp'")
    elif thread.priority is not None and thread.budget is None:
        for task in vm.tasks:
            if task.priority is None and not task.is_hog and not task.of_device:
                yield Problem(f"{where}.priority", thread.priority, f"only beside tasks with priorities: {vm.name}/{task.name} has none",
                              "give the VM's tasks priorities too")
                break
    if thread.budget is not None and vm.guest != "cbs":
        yield Problem(f"{where}.budget", thread.budget, f"none: {vm.name} has guest={vm.guest!r}", "leave it out, or give the VM guest='cbs'")
    try:
        thread_task(thread)
    except SpecError as error:
        yield from (problem._replace(field=f"{where}.{problem.field}") for problem in error.problems)


def check_stages(path: Path, threads: set[str], lines: set[str]) -> Iterator[Problem]:
    """Each stage needs a server that is there; only threads can be told by a port; what counts stages must name one."""
    count = len(path.stages)
    if not 1 <= count <= MOST_STAGES:
        yield Problem(f"path {path.name}", count, f"1 to {MOST_STAGES} stages", "leave some out, or add one")
        return
    names = [*(["app"] if path.into is not None else []), *(stage.name for stage in path.stages)]
    for i, stage in enumerate(path.stages, len(names) - count):
        where = f"path {path.name}, stage {stage.name}"
        if stage.name in names[:i]:
            yield Problem(f"{where}.name", stage.name, "a name used once on the path (and not app, with `into`): columns are named by it",
                          "rename the stage")
        if stage.server not in threads | lines:
            yield Problem(where, stage.server, known(threads | lines), "name a thread (vm/thread) or a line of the device")
        elif stage.server in lines and (stage.port or stage.distance is not None):
            yield Problem(where, stage.server, "a thread", "a line takes no interrupts: leave the port and the distance out")
        if stage.distance is not None and stage.port is None:
            yield Problem(where, stage.distance, "a distance only with a port", "the hypervisor can only serve what it interrupts for: add the port")
    for name, number, least in (("enter", path.enter, 0), ("leave", path.leave, path.enter), ("pool_until", path.pool_until, path.enter),
                                ("ends", path.ends or 0, 0)):
        if not least <= number < count and (name != "pool_until" or path.pool is not None):
            yield Problem(f"path {path.name}.{name}", number, f"a stage, {least} to {count - 1}", "name a stage of the path")


def check_submits(system: System, plumbing: Plumbing) -> Iterator[Problem]:
    """A submission must name a path that takes them, from the VM of its front end."""
    paths = {path.name: path for path in plumbing.paths}
    for vm in system.vms:
        for task in vm.tasks:
            for step in task.actions or ():
                if step.kind in ("submit", "request") and (step.target not in paths or paths[step.target].frontend != vm.name):
                    yield Problem(f"vms[{vm.name}].tasks[{task.name}].actions", step.target,
                                  ", ".join(name for name, path in paths.items() if path.frontend == vm.name) or "no paths of this VM's devices",
                                  "submit to a path whose front end is this VM")
