"""What to give up: the least change of one requirement after which all that is asked for can be promised.

Each answer is found by asking again: change one deadline, budget again, admit again. Bisection over whole steps ends beside a step that
was tried and does not do. That is *the* least change if more given up never hurts; with budgets in grains, and few periods tried, it nearly
always is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from typing import Literal

from ...errors import LimitError, SpecError
from ...system import VM, System, Task
from ...units import LONGEST, format_ns
from ..sensitivity import first_accepted
from .dimensioning import every
from .outcome import Admission
from .service import Service

Field = Literal["deadline", "bound", "wcet", "share", "all"]

LATEST = 10                            # times the deadline: no later one is tried
SHARE_STEP = Fraction(1, 1000)         # of a pCPU


@dataclass(frozen=True)
class Concession:
    """One requirement that is changed, and the promise that is possible then.

    Attributes
    ----------
    vm : str
    task : str or None
        None if it is about the VM.
    field : {"deadline", "bound", "wcet", "share", "all"}
        What is changed; "all": the task, or VM, is left out.
    asked, fits : int [ns], or Fraction of a pCPU; None if left out
        The value that was asked for, and the closest to it, in steps, that can be promised.
    step : int [ns], or Fraction
        A value so much closer to the one asked for cannot be promised.
    admission : Admission
        With this change.
    """

    vm: str
    task: str | None
    field: Field
    asked: int | Fraction | None
    fits: int | Fraction | None
    step: int | Fraction | None
    admission: Admission

    @property
    def system(self) -> System:
        """With this change, and budgets that do."""
        return self.admission.system

    @property
    def whose(self) -> str:
        """In words."""
        return f"VM {self.vm!r}" if self.task is None else f"task {self.task!r} of {self.vm!r}"

    @property
    def change(self) -> str:
        """In words."""
        if self.asked is None or self.fits is None or self.step is None:
            return "leave it out"
        if isinstance(self.asked, Fraction):
            return f"{self.field} {float(self.asked):.4g} -> {float(self.fits):.4g} (steps of {float(self.step):.4g})"
        return f"{self.field} {format_ns(self.asked)} -> {format_ns(int(self.fits))} (steps of {format_ns(int(self.step))})"

    def why(self) -> str:
        """In words."""
        return f"{self.whose}: {self.change}"

    def __repr__(self) -> str:
        return f"<Concession: {self.why()}>"


def promised(service: Service | None) -> Admission | None:
    """Any admission that promises a service level; None if there is no such service, or nobody can tell."""
    try:
        return None if service is None else next(every(service), None)
    except LimitError:
        return None


def concessions(service: Service) -> Iterator[Concession]:
    """All that do, each by itself: of tasks, of shares, of VMs as a whole."""
    for vm in service.system.vms:
        if not service.asks(vm):
            continue
        rest = possible(partial(service.without_vm, vm))
        gone = promised(rest)
        if rest is not None and gone is None:         # what does not help when all of it goes does not help in part
            continue
        found = [one for task in vm.tasks for one in of_task(service, vm, task)]
        yield from found
        if vm.name in service.shares:
            yield from of_share(service, vm)
        if gone is not None and (len(vm.tasks) != 1 or vm.name in service.shares or not found):
            yield Concession(vm.name, None, "all", None, None, None, gone)


def of_task(service: Service, vm: VM, task: Task) -> Iterator[Concession]:
    """A later deadline (or bound), less work, or neither: the task is left out."""
    rest = possible(partial(service.without, {f"{vm.name}/{task.name}"}))
    gone = promised(rest)
    if rest is not None and gone is None:
        return
    yield from of_deadline(service, vm, task)
    yield from of_wcet(service, vm, task)
    if gone is not None:
        yield Concession(vm.name, task.name, "all", None, None, None, gone)


def of_deadline(service: Service, vm: VM, task: Task) -> Iterator[Concession]:
    """A later deadline; of a task for which a bound is asked, a later bound, up to the deadline."""
    name = f"{vm.name}/{task.name}"
    if name not in service.due:
        return
    asked, bound = service.due[name], name in service.bounds
    step, latest = step_of(asked), min(LATEST * asked, LONGEST, (task.deadline if bound else None) or LONGEST)

    def later(k: int) -> Service:
        if bound:
            return replace(service, bounds={**service.bounds, name: asked + k * step})
        return service.with_task(vm, task, deadline=asked + k * step)

    if (found := fewest(later, (latest - asked) // step)) is not None:
        yield Concession(vm.name, task.name, "bound" if bound else "deadline", asked, asked + found[0] * step, step, found[1])


def of_wcet(service: Service, vm: VM, task: Task) -> Iterator[Concession]:
    """Less work in each job, if that is one number."""
    if not isinstance(task.wcet, int) or task.is_hog:
        return
    asked, step = task.wcet, step_of(task.wcet)
    if (found := fewest(lambda k: service.with_task(vm, task, wcet=asked - k * step), (asked - 1) // step)) is not None:
        yield Concession(vm.name, task.name, "wcet", asked, asked - found[0] * step, step, found[1])


def of_share(service: Service, vm: VM) -> Iterator[Concession]:
    """A smaller share."""
    asked = service.shares[vm.name]

    def smaller(k: int) -> Service:
        return replace(service, shares={**service.shares, vm.name: asked - k * SHARE_STEP})

    if (found := fewest(smaller, int(asked / SHARE_STEP))) is not None:
        yield Concession(vm.name, None, "share", asked, asked - found[0] * SHARE_STEP, SHARE_STEP, found[1])


def step_of(time: int) -> int:
    """Of what is given up: a power of ten, at most a thousandth of the time [ns]."""
    return int(10 ** max(0, len(str(time)) - 4))


def fewest(changed: Callable[[int], Service], most: int) -> tuple[int, Admission] | None:
    """The fewest steps with which the changed service level can be promised; one step fewer has been tried, and cannot."""
    tried: dict[int, Admission | None] = {}

    def accepts(k: int) -> bool:
        tried[k] = promised(possible(lambda: changed(k)))
        return tried[k] is not None

    found = first_accepted(accepts, 1, most)
    admission = None if found is None else tried[found]
    return None if found is None or admission is None else (found, admission)


def possible(make: Callable[[], Service]) -> Service | None:
    """A service level, if it makes sense: a task that others send to cannot be left out."""
    try:
        return make()
    except SpecError:
        return None


def left_out(service: Service) -> tuple[tuple[str, ...], Admission] | None:
    """A minimal set of tasks ("vm/task") and shares ("vm") to leave out, and what is promised then. Those given first are the first to come back."""
    def without(names: Collection[str]) -> Admission | None:
        return promised(possible(lambda: service.without(names)))

    out = [*service.due, *service.shares]
    found = without(out)
    if found is None:
        return None
    for name in [*out]:
        fewer = [other for other in out if other != name]
        if (kept := without(fewer)) is not None:
            found, out = kept, fewer
    return tuple(out), found
