"""From devices to plumbing, and to a system with the devices' tasks in its VMs (docs/io-model.md 1)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ...errors import Problem, SpecError
from .checks import check, check_submits
from .plumbing import Plumbing
from .tasks import device_tasks, is_kernel

if TYPE_CHECKING:
    from ..system import System


def plumbing_of(system: System) -> Plumbing:
    """Everything that the devices of a system are made of, in the order of the devices; checked."""
    problems = [problem for device in system.devices for problem in located(device.name, device.misfits(system))]
    if problems:
        raise SpecError(problems)
    parts = {device.name: device.plumb(system) for device in system.devices}
    whole = joined(list(parts.values()))
    for name, part in parts.items():
        problems += located(name, check(system, part, whole))
    problems += check_submits(system, whole)
    if problems:
        raise SpecError(problems)
    return whole


def joined(parts: list[Plumbing]) -> Plumbing:
    """Several devices as one; a thread, line or pool that several of them name is one."""
    backwards = parts[::-1]           # so that who names it first describes it
    threads = {thread.key: thread for part in parts for thread in part.threads}
    threads |= {thread.key: thread for part in backwards for thread in part.threads}
    lines = {line.name: line for part in parts for line in part.lines}
    return Plumbing(tuple(threads.values()), tuple(lines.values()), tuple(path for part in parts for path in part.paths),
                    {name: size for part in backwards for name, size in part.pools.items()},
                    {vm: upcall for part in backwards for vm, upcall in part.upcalls.items()})


def located(name: str, problems: Iterable[Problem]) -> list[Problem]:
    """Problems with the device's name in front of their fields."""
    return [problem._replace(field=f"devices[{name}].{problem.field}") for problem in problems]


def expanded(system: System) -> tuple[System, Plumbing]:
    """The system with the devices' tasks in its VMs, and the plumbing. Without devices: the system itself."""
    if not system.devices:
        return system, Plumbing()
    plumbing = plumbing_of(system)
    return with_tasks(system, plumbing), plumbing


def with_tasks(system: System, plumbing: Plumbing) -> System:
    """The system with the tasks of this plumbing, its devices', in its VMs."""
    if not system.devices:
        return system
    return system.replace(vms=tuple(vm.replace(tasks=(*vm.tasks, *device_tasks(vm.name, plumbing))) for vm in system.vms))


__all__ = ["expanded", "is_kernel", "joined", "plumbing_of", "with_tasks"]
