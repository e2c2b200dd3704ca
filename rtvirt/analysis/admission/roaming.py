"""Guests that move their tasks between vCPUs: global tests, where each vCPU has a pCPU to itself."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import SpecError
from ...system import VM
from ..multicore import global_edf_response_times, global_edf_schedulable, global_fp_response_times, global_fp_schedulable
from ..supply import Dedicated
from .guests import Outcome, refused
from .host import Promise

PIN = "pin its tasks (Task(vcpu=...))"


def roaming(vm: VM, promises: Sequence[Promise]) -> Outcome:
    """Bounds of the tasks of a VM over all its vCPUs; none unless these are as good as pCPUs."""
    tasks = list(vm.tasks)
    short = next((promise for promise in promises if not isinstance(promise.supply, Dedicated)), None)
    if short is not None:
        reason = short.reason if short.supply is None else f"{vm.name}'s vCPUs are not always there, and no bound is derived for budgets"
        return refused(tasks, f"{vm.name} moves its tasks between {vm.vcpus} vCPUs: {reason}; or {PIN}")
    if vm.guest not in ("fp", "dm", "edf"):
        return refused(tasks, f"{vm.name} moves its tasks between {vm.vcpus} vCPUs, and no test is known for a guest {vm.guest!r} that does: {PIN}")
    if vm.guest == "dm":
        tasks = [task.replace(priority=None) for task in tasks]
    try:
        if vm.guest != "edf":
            verdict = global_fp_schedulable(tasks, vm.vcpus)
            return Outcome(global_fp_response_times(tasks, vm.vcpus), verdict.test, verdict.witness)
        verdict = global_edf_schedulable(tasks, vm.vcpus)
        bounds = global_edf_response_times(tasks, vm.vcpus) if global_edf_schedulable(tasks, vm.vcpus, test="rta") else \
            {task.name: task.deadline if verdict else None for task in tasks}
        return Outcome(bounds, verdict.test, verdict.witness)
    except SpecError as reason:
        return refused(tasks, f"{vm.name} moves its tasks between {vm.vcpus} vCPUs: {reason}")
