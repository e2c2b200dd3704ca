"""Work of the hypervisor on a VM's behalf, as admission sees it: the VM pays for it, and everybody beside it waits for its longest section.

A section is a part of that work which nobody preempts (docs/model.md 3.8). Why one of them is enough: let a vCPU, or one that goes before it, have
something to do at s, after an instant at which neither had. The pCPU is then in at most one section, of somebody less important, and when it is
over the scheduler decides; whoever has less to say runs, and traps, no more until all of that work is done, or sleeps, or has used up a budget. So a
section counts once in a busy period (a row of the supply's), once more for each sleep (`charges.inflated`), and for budgets once in a period
(`charges.Charges.late`); budgets, turns and windows of others end later by one (`overrun`). On several pCPUs that vCPUs share this does not hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ...errors import Problem, SpecError
from ...system import System, Task

Row = tuple[int, int, int]          # cost, period, jitter [ns]
FIXED = ("arinc653", "null")        # schedulers that keep a vCPU on its pCPU
KNOWN = (*FIXED, "deferrable_servers", "fixed_priority", "periodic_servers", "polling_servers", "round_robin", "rtds")


@dataclass(frozen=True)
class Trapping:
    """What the hypervisor does for a VM beside the `trap` steps of its tasks.

    Parameters
    ----------
    rows : tuple of (cost, period, jitter) [ns]
        Traps that come at most so often, and what each costs; they count as the VM's most important work. A jitter below 0: not before.
    section : int [ns]
        The longest that nobody preempts.
    """

    rows: tuple[Row, ...] = ()
    section: int = 0


def longest_section(tasks: Iterable[Task]) -> int:
    """Of the traps in some tasks' scripts [ns]."""
    return max((step.duration for task in tasks for step in task.actions or () if step.kind == "trap" and step.duration), default=0)


def trapping_of(system: System, given: Mapping[str, Trapping], least: int) -> dict[str, Trapping]:
    """What each VM does: its scripts, what is given of it, and sections of `least` that any of them may have."""
    if not isinstance(given, Mapping):
        raise SpecError([Problem("traps", given, "a dict from names of VMs to Trapping", "write traps={'vm': rv.traps.trapping(...)}", "")])
    known = [vm.name for vm in system.vms]
    wrong = [Problem(f"traps[{name}]", name, ", ".join(known), "write the name of a VM", "") for name in given if name not in known]
    wrong += [Problem(f"traps[{name}]", own, "a Trapping", "make it with rv.traps.trapping(...)", "") for name, own in given.items()
              if not isinstance(own, Trapping)]
    if wrong:
        raise SpecError(wrong)
    found = {vm.name: given.get(vm.name, Trapping()) for vm in system.vms}
    return {vm.name: Trapping(found[vm.name].rows, max(least, found[vm.name].section, longest_section(vm.tasks))) for vm in system.vms}
