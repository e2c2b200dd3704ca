"""Admission: will every deadline be met, whatever happens within the contracts?"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from ...errors import Problem, SpecError
from ...system import VM, System
from ..io_paths.settled import settled
from ..overheads import Overheads
from .host import Host
from .judging import judge
from .outcome import Admission
from .registry import promises
from .sections import Trapping, trapping_of


def admit(system: System, scheduler: Any, *, new: VM | None = None, overheads: Overheads | None = None,
          blocking: Mapping[str, int] | None = None, traps: Mapping[str, Trapping] | None = None) -> Admission:
    """Whether every task of every VM meets its deadlines under a VM scheduler, by analysis.

    Parameters
    ----------
    system : System
    scheduler
        Any of ``rv``'s; where one promises nothing, as Xen's credit scheduler, `why` says why.
    new : VM, optional
        A VM to be created while the system runs: admitted if it and all the others meet their deadlines.
    overheads : Overheads, optional
        What switches, interrupts and hypercalls cost; those of ``system.costs`` unless given.
    blocking : {"vm/task": int} [ns], optional
        Longest time for which less important tasks of the same guest may hold a task up.
    traps : {"vm": Trapping}, optional
        What the hypervisor does for a VM, beside the `trap` steps of its tasks, which count anyhow: see `rv.traps.trapping`.

    Returns
    -------
    Admission
        True if admitted. Bounds count from a job's arrival, as deadlines do.

    Raises
    ------
    SpecError
        Contracts that the scheduler cannot honour, a scheduler whose promises are not known, names that do not exist, a system that changes.
    LimitError
        Numbers that do not fit.

    Notes
    -----
    Sufficient: whatever is admitted meets all deadlines, for all offsets, all demands up to the worst, all phases of budgets. What is refused
    may still be lucky: `why` says what the test could not exclude. Hogs and tasks without a deadline never constrain admission, as deadlines;
    where a guest or a host puts them before others they leave nothing to those. Scripts count their sleep as work.

    References
    ----------
    Shin and Lee, Periodic resource model for compositional real-time guarantees, RTSS 2003 (two levels); for each scheduler's promise see
    ``analysis/admission``.

    Examples
    --------
    >>> import rtvirt as rv
    >>> from rtvirt.units import ms, us
    >>> phone = rv.System(vms=[rv.VM("modem", tasks=[rv.Task("slot", wcet=us(300), period=ms(5))], budget=ms(1), period=ms(3)),
    ...                        rv.VM("android", tasks=[rv.hog()], budget=ms(6), period=ms(12))])
    >>> verdict = rv.admit(phone, rv.RTDS())
    >>> verdict.admitted, verdict.bounds["modem/slot"], verdict.slack["modem/slot"]
    (True, 2300000, 2700000)
    >>> print(rv.admit(phone, rv.Credit()).why().splitlines()[0])
    modem/slot: modem/0: Xen's credit scheduler promises a share in the long run, but no window that surely holds any of it (docs/xen-rules.md):
    """
    check(system, new, overheads)
    whole = saved_up(system if new is None else system.with_vm(new), [change.vm for change in system.changes] + ([new.name] if new else []))
    held = blocking_of(whole, blocking or {})
    if whole.devices:
        return admit_devices(whole, scheduler, overheads, held, traps, new)
    given = Overheads.of(whole.costs) if overheads is None else overheads
    found_traps = trapping_of(whole, traps or {}, given.section)
    longest = max((own.section for own in found_traps.values()), default=0)
    host = Host(whole, scheduler, replace(given, section=longest), found_traps)
    found = promises(host)
    outcomes = [judge(host, vcpu, found, held) for vcpu in host.vcpus]
    bounds: dict[str, int | None] = {f"{vm.name}/{task.name}": None for vm in whole.vms for task in vm.tasks}
    for vcpu, result in zip(host.vcpus, outcomes):
        bounds |= {f"{vcpu.vm.name}/{name}": bound for name, bound in result.bounds.items()}
    return Admission(whole, scheduler, bounds, tuple(host.vcpus), tuple(found), tuple(outcomes), None if new is None else new.name)


def admit_devices(system: System, scheduler: Any, overheads: Overheads | None, blocking: Mapping[str, int],
                  traps: Mapping[str, Trapping] | None, new: VM | None) -> Admission:
    """The same where devices bring threads, interrupts and messages (`io_paths`)."""
    rounds = settled(system, scheduler, overheads=overheads, blocking=blocking, traps=traps)
    bounds: dict[str, int | None] = {f"{vm.name}/{task.name}": None for vm in system.vms for task in vm.tasks}
    for vcpu, result in zip(rounds.host.vcpus, rounds.outcomes):
        bounds |= {name: bound for task, bound in result.bounds.items() if (name := f"{vcpu.vm.name}/{task}") in bounds}
    return Admission(system, scheduler, bounds, rounds.host.vcpus, tuple(rounds.found), tuple(rounds.outcomes), None if new is None else new.name)


def saved_up(system: System, names: Collection[str]) -> System:
    """The system with VMs that come later: their hogs begin an ns late, so that nobody concludes that they cannot have saved a budget up.

    Whoever is created within a period has all of its budget for the rest of it (docs/xen-rules.md 6.2.2).
    """
    def late(vm: VM) -> VM:
        return vm.unchecked(tasks=tuple(task.unchecked(offset=1) if task.is_hog and not task.offset else task for task in vm.tasks))

    return system.unchecked(vms=tuple(late(vm) if vm.name in names else vm for vm in system.vms)) if names else system


def check(system: System, new: VM | None, overheads: Any = None) -> None:
    """Refuse what cannot be judged."""
    found = []
    if not isinstance(system, System):
        raise SpecError([Problem("system", system, "a System", "write System(vms=[...]), or System.load(path) for a file", "")])
    if new is not None and not isinstance(new, VM):
        found.append(Problem("new", new, "a VM", "make it with rv.VM(...)", ""))
    elif new is not None and new.name in {vm.name for vm in system.vms}:
        found.append(Problem("new", new.name, "a name that no VM has yet", "rename it; to change a VM's contract admit system.with_vm(vm)", ""))
    if overheads is not None and not isinstance(overheads, Overheads):
        found.append(Problem("overheads", overheads, "an Overheads", "make it with rv.analysis.Overheads(...), or leave it out for system.costs", ""))
    found += [Problem(f"changes[{k}]", change.fields, "nothing but the creation of VMs",
                      "admit each configuration by itself: system.replace(changes=())", "")
              for k, change in enumerate(system.changes) if set(change.fields) != {"state"} or change.state != "create"]
    if found:
        raise SpecError(found)


def blocking_of(system: System, blocking: Mapping[str, int]) -> Mapping[str, int]:
    """Blocking times, if they name tasks that exist."""
    known = [f"{vm.name}/{task.name}" for vm in system.vms for task in vm.tasks]
    allowed = ", ".join(known) or "no tasks at all"
    wrong = [Problem(f"blocking[{name}]", name, allowed, "write it vm/task", "") for name in blocking if name not in known]
    if wrong:
        raise SpecError(wrong)
    return blocking
