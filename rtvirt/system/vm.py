"""Virtual machines: tasks, vCPUs, and a contract with the hypervisor."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from ..errors import Problem
from .historical import BvtContract, SedfContract
from .spec import Duration, List, Name, Spec, Time, know_fields, one_or_each, within, wrong
from .task import Task

T = TypeVar("T")
Each = Annotated[tuple[T, ...], List]
Scalar = Annotated[Annotated[T, Tag("one")] | Annotated[Each[T], Tag("each")] | Annotated[None, Tag("none")], Discriminator(one_or_each)]
"""One value for all vCPUs, or a list with one for each."""

Weight = Annotated[int, BeforeValidator(within(1, 65535)), Field(ge=1, le=65535)]
Priority = Annotated[int, BeforeValidator(within(1, 2**31 - 1)), Field(ge=1, le=2**31 - 1)]
Cap = Annotated[int, BeforeValidator(within(0, 102400, "0 (no cap) to 100 a vCPU")), Field(ge=0, le=102400)]
Flag = Annotated[bool, Field(strict=True)]
Cpu = Annotated[int, BeforeValidator(within(0, 63)), Field(ge=0, le=63)]
Cpus = Annotated[tuple[Cpu, ...], List, Field(min_length=1)]


def one_or_each_affinity(value: Any) -> str:
    """Is this one list of pCPUs, or a list of such lists?"""
    if one_or_each(value) != "each":
        return "none" if value is None else "one"
    return "each" if "each" in map(one_or_each, value) else "one"


Affinity = Annotated[Annotated[Cpus, Tag("one")] | Annotated[Annotated[tuple[Cpus, ...], List], Tag("each")] | Annotated[None, Tag("none")],
                     Discriminator(one_or_each_affinity)]
PER_VCPU = ("weight", "budget", "period", "extratime", "priority")


class VM(Spec):
    """A virtual machine (Xen: domain).

    Parameters
    ----------
    name : str
    tasks : sequence of Task
    vcpus : int
        Number of virtual CPUs.
    guest : {"fp", "edf", "rr", "fifo", "dm", "cbs"}
        How the guest schedules its tasks over its vCPUs: fixed priority, earliest deadline first, round robin, first come, deadline
        monotonic, or earliest deadline first with a constant bandwidth server for each task that has a budget.
    start : int [ns]
        When the VM is created.
    control : bool
        The control or driver VM (Xen: dom0); shown in its own colour.
    weight : int, 1 to 65535
        Share under contention (credit, credit2).
    cap : int [percent of one pCPU]
        Most it may use; 0 is no cap (credit, credit2).
    budget, period : int [ns], optional
        Reserved time in every period; also orders VMs under `FixedPriority`.
    extratime : bool
        May use time nobody has reserved. Off, unlike Xen's RTDS, where it is on.
    priority : int, optional
        For `FixedPriority`; 1 is the highest.
    affinity, soft_affinity : list of pCPU numbers, or a list of those for each vCPU, optional
        Where it may run, and where it would rather run.
    sedf : dict, optional
        For SEDF: ``period`` and ``slice`` [ns], or ``weight``; ``extratime``, ``latency`` (see `SedfContract`).
    bvt : dict, optional
        For BVT: ``mcu_advance``, ``warp``, ``warp_value``, ``warp_limit`` and ``unwarp`` [ns] (see `BvtContract`).
    quantum : int [ns]
        Of a round-robin guest.

    Notes
    -----
    Scalars hold for each vCPU (cap: for the VM); any of weight, budget, period, extratime and priority may be a list of length
    `vcpus`. A scheduler that knows no weights of single vCPUs, as Xen's credit, refuses lists of different ones. What a scheduler does not
    look at may be given all the same, so that one system can be run under several. Guests are described in docs/model.md 3.

    Raises
    ------
    SpecError
        With every mistake found.

    References
    ----------
    docs/xen-rules.md 1.6 (affinity), 1.8 (parameters and their ranges).

    Examples
    --------
    >>> VM("guest", vcpus=2, affinity=[[0], [0, 1]], cap=150).per_vcpu("affinity")
    ((0,), (0, 1))
    """

    name: Name
    tasks: Annotated[tuple[Task, ...], List] = ()
    vcpus: Annotated[int, BeforeValidator(within(1, 1024)), Field(ge=1, le=1024)] = 1
    guest: Literal["fp", "edf", "rr", "fifo", "dm", "cbs"] = "fp"
    start: Time = 0
    control: Flag = False
    weight: Scalar[Weight] = 256
    cap: Cap = 0
    budget: Scalar[Duration] = None
    period: Scalar[Duration] = None
    extratime: Scalar[Flag] = False
    priority: Scalar[Priority] = None
    affinity: Affinity = None
    soft_affinity: Affinity = None
    sedf: SedfContract | None = None
    bvt: BvtContract | None = None
    quantum: Duration = 10_000_000

    def __init__(self, name: Any = None, /, **data: Any) -> None:
        if name is not None:
            data["name"] = name
        super().__init__(**data)

    @model_validator(mode="after")
    def check(self) -> VM:
        """Fields that do not go together."""
        found = []
        for field in (*PER_VCPU, "affinity", "soft_affinity"):
            value = getattr(self, field)
            listed = isinstance(value, tuple) and (field in PER_VCPU or isinstance(value[0], tuple))
            if listed and len(value) != self.vcpus:
                found.append(Problem(field, value, f"one value, or {self.vcpus} (one a vCPU)", "give as many values as vcpus"))
        if self.cap > 100 * self.vcpus:
            found.append(Problem("cap", self.cap, f"0 to {100 * self.vcpus} (100 a vCPU)", "lower the cap or add vCPUs"))
        if not found:
            for budget, period in zip(self.per_vcpu("budget"), self.per_vcpu("period"), strict=True):
                if budget is not None and period is not None and budget > period:
                    found.append(Problem("budget", budget, f"at most the period, {period}", "lower the budget"))
        found += self.check_tasks()
        wrong(found)
        return self

    def check_tasks(self) -> list[Problem]:
        """Names, pins and priorities of the tasks."""
        found = []
        names = [task.name for task in self.tasks]
        for name in dict.fromkeys(n for n in names if names.count(n) > 1):
            found.append(Problem(f"tasks[{name}].name", name, "a name used once in its VM", "rename one of them"))
        for task in self.tasks:
            if task.vcpu is not None and task.vcpu >= self.vcpus:
                found.append(Problem(f"tasks[{task.name}].vcpu", task.vcpu, f"0 to {self.vcpus - 1}", "choose one of its vCPUs"))
        ranked = {task.name: task.priority is not None for task in self.tasks if not task.is_hog and not task.of_device}
        if self.guest == "fp" and any(ranked.values()) and not all(ranked.values()):
            bare = next(name for name, has in ranked.items() if not has)
            found.append(Problem(f"tasks[{bare}].priority", None, "a priority for every task of the guest, or for none",
                                 "give this task a priority too"))
        return found

    def per_vcpu(self, field: str) -> tuple[Any, ...]:
        """A contract value for each vCPU."""
        value = getattr(self, field)
        if field in ("affinity", "soft_affinity"):
            return value if value is not None and isinstance(value[0], tuple) else (value,) * self.vcpus
        return value if isinstance(value, tuple) else (value,) * self.vcpus


know_fields(VM)
