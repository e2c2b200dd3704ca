"""How a vCPU is judged: its guest's test, on what its scheduler promises it."""

from __future__ import annotations

from collections.abc import Mapping

from .guests import Outcome, Unknown, outcome, refused
from .host import Host, Promise, Vcpu
from .roaming import roaming


def judge(host: Host, vcpu: Vcpu, found: list[Promise], blocking: Mapping[str, int]) -> Outcome:
    """Bounds of what runs on one vCPU; of a guest that moves its tasks, all of it at its first vCPU."""
    if vcpu.roams:
        first = vcpu.index - vcpu.number
        if host.trapping(vcpu).section:
            reason = f"{vcpu.vm.name} moves its tasks between {vcpu.vm.vcpus} vCPUs, and no bound is derived for that beside traps: pin them"
            return refused(list(vcpu.vm.tasks), reason) if not vcpu.number else Outcome({}, "none")
        return Outcome({}, "none") if vcpu.number else roaming(vcpu.vm, found[first:first + vcpu.vm.vcpus])
    tasks, promise = vcpu.tasks, found[vcpu.index]
    due = any(task.deadline is not None for task in tasks)
    none = dict.fromkeys((task.name for task in tasks), None)
    if not tasks or promise.supply is None:
        return Outcome(none, "none", Unknown(promise.reason) if due else None)
    mine = {task.name: blocking[key] for task in tasks if (key := f"{vcpu.vm.name}/{task.name}") in blocking}
    return outcome(vcpu, promise.supply, host.overheads, mine)
