"""A system: pCPUs, VMs, costs, changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, SerializeAsAny, model_validator

from ..errors import Problem, SpecError
from . import presets
from .change import Change
from .costs import Costs
from .devices import AnyDevice, Device, plumbing_of
from .fault import Fault, check_faults
from .spec import List, Spec, know_fields, published, within, wrong
from .task import Task
from .vm import VM


def costs_by_name(value: Any) -> Any:
    """Costs, or what makes them: the name of a preset, or fields on top of one."""
    try:
        return presets.named(value)
    except SpecError as error:
        wrong([problem._replace(field="") for problem in error.problems])      # the field's name is put in front by `problems_of`


class System(Spec):
    """Everything that shares one machine.

    Parameters
    ----------
    cpus : int
        Number of physical CPUs.
    vms : sequence of VM
        In the order in which they start.
    costs : Costs, or str
        Also the name of a preset (`Costs.preset`).
    changes : sequence of Change
    devices : sequence of Device
        What VMs talk to each other and to the world by (docs/io-model.md).
    faults : sequence of Fault
        What goes wrong with them.

    Raises
    ------
    SpecError
        With every mistake found, in the VMs and tasks too.

    Notes
    -----
    All pCPUs are alike and in one pool. Memory and caches are left out. `docs/model.md` says what is computed.

    Examples
    --------
    >>> phone = System(cpus=1, vms=[VM("modem"), VM("android", weight=512)])
    >>> phone["android"].weight
    512
    """

    cpus: Annotated[int, BeforeValidator(within(1, 64)), Field(ge=1, le=64)] = 1
    vms: Annotated[tuple[VM, ...], List] = ()
    costs: Annotated[Costs, BeforeValidator(costs_by_name, json_schema_input_type=str | Costs)] = Costs()
    changes: Annotated[tuple[Change, ...], List] = ()
    devices: Annotated[tuple[SerializeAsAny[AnyDevice], ...], List] = ()
    faults: Annotated[tuple[Fault, ...], List] = ()

    @model_validator(mode="after")
    def check(self) -> System:
        """Names, pCPU numbers, senders and changes must fit together."""
        wrong([*self.check_names(), *self.check_affinities(), *self.check_sends(), *self.check_changes()])
        wrong([*check_faults(self, plumbing_of(self))])
        return self

    def check_names(self) -> Iterator[Problem]:
        """Names of VMs must differ, and those of devices."""
        for field, names in (("vms", [vm.name for vm in self.vms]), ("devices", [device.name for device in self.devices])):
            for name in dict.fromkeys(n for n in names if names.count(n) > 1):
                yield Problem(f"{field}[{name}].name", name, "a name used once", f"rename one of the {'VMs' if field == 'vms' else field}")

    def check_affinities(self) -> Iterator[Problem]:
        """Affinities must name pCPUs that exist."""
        for vm in self.vms:
            for field in ("affinity", "soft_affinity"):
                numbers = {cpu for cpus in vm.per_vcpu(field) if cpus is not None for cpu in cpus}
                if any(cpu >= self.cpus for cpu in numbers):
                    yield Problem(f"vms[{vm.name}].{field}", getattr(vm, field), f"pCPUs 0 to {self.cpus - 1}",
                                  "name pCPUs that exist, or raise cpus")

    def check_sends(self) -> Iterator[Problem]:
        """A send must name a channel task."""
        channels = {f"{vm.name}/{task.name}" for vm in self.vms for task in vm.tasks if task.arrival == "channel"}
        for vm in self.vms:
            for task in vm.tasks:
                for step in task.actions or ():
                    if step.kind == "send" and step.target not in channels:
                        yield Problem(f"vms[{vm.name}].tasks[{task.name}].actions", step.target,
                                      ", ".join(sorted(channels)) or "nothing: no task has arrival='channel'",
                                      "send to a task with arrival='channel', written vm/task")

    def check_changes(self) -> Iterator[Problem]:
        """Changes must concern VMs there are, in a state that allows them."""
        crashed: dict[str, int] = {}
        paused: dict[str, int] = {}
        names = {vm.name for vm in self.vms}
        for i, change in sorted(enumerate(self.changes), key=lambda pair: pair[1].at):
            if change.vm not in names:
                yield Problem(f"changes[{i}].vm", change.vm, ", ".join(sorted(names)) or "no VMs", "name a VM of the system")
                continue
            if not change.fields:
                yield Problem(f"changes[{i}]", change.vm, "a field that changes", "give weight=, cap=, state= ...")
            most = 100 * self[change.vm].vcpus
            if (change.cap or 0) > most:
                yield Problem(f"changes[{i}].cap", change.cap, f"0 to {most} (100 a vCPU)", "lower the cap or add vCPUs")
            created = [c.at for c in self.changes if c.vm == change.vm and c.state == "create"]
            born = created[0] if created else self[change.vm].start
            if change.state == "create" and (len(created) > 1 or self[change.vm].start):
                yield Problem(f"changes[{i}].state", "create", "one creation of a VM without start", "remove the other, or start")
            elif change.at < born:
                yield Problem(f"changes[{i}].at", change.at, f"not before the VM exists, at {born}", "move it later")
            if change.state in ("pause", "resume", "crash") and change.vm in crashed:
                yield Problem(f"changes[{i}].state", change.state, "restart, for a VM that has crashed", "restart it first")
            if change.state == "restart" and change.vm not in crashed:
                yield Problem(f"changes[{i}].state", "restart", "restart only after a crash", "crash it first")
            if change.state == "restart" and crashed.get(change.vm) == change.at:
                yield Problem(f"changes[{i}].at", change.at, "later than the crash", "leave the VM some time to leave its pCPU")
            if change.state == "resume" and paused.get(change.vm, 0) < 1:
                yield Problem(f"changes[{i}].state", "resume", "resume only after a pause", "pause it first")
            if change.state == "crash":
                crashed[change.vm] = change.at
                if paused.pop(change.vm, 0):
                    yield Problem(f"changes[{i}].state", "crash", "a crash of a VM that is not paused", "resume it first")
            if change.state == "restart":
                crashed.pop(change.vm, None)
            paused[change.vm] = paused.get(change.vm, 0) + (change.state == "pause") - (change.state == "resume")

    def __getitem__(self, name: str) -> VM:
        for vm in self.vms:
            if vm.name == name:
                return vm
        raise KeyError(f"no VM called {name!r}; there are {', '.join(vm.name for vm in self.vms) or 'none'}")

    def with_vm(self, vm: VM) -> System:
        """A copy with a VM added, or put in place of the one of that name."""
        if not isinstance(vm, VM):
            raise SpecError([Problem("vm", vm, "a VM", "make one: rv.VM(...)", "")])
        if vm.name in {old.name for old in self.vms}:
            return self.replace(vms=tuple(vm if old.name == vm.name else old for old in self.vms))
        return self.replace(vms=(*self.vms, vm))

    def with_device(self, device: Device) -> System:
        """A copy with a device added, or put in place of the one of that name."""
        if not isinstance(device, Device):
            raise SpecError([Problem("device", device, "a device", "make one, for example rv.SplitDriver(...)", "")])
        if device.name in {old.name for old in self.devices}:
            return self.replace(devices=tuple(device if old.name == device.name else old for old in self.devices))
        return self.replace(devices=(*self.devices, device))

    def utilization(self) -> float:
        """Work asked for by periodic and sporadic tasks of constant demand, in pCPUs."""
        return sum(utilization(task) for vm in self.vms for task in vm.tasks)

    @classmethod
    def load(cls, path: str | Path) -> System:
        """Read a system from a YAML file; SpecError names every mistake with its line."""
        from .specfile import load

        return load(path)

    def save(self, path: str | Path) -> None:
        """Write the system to a YAML file that `load` reads back."""
        from .specfile import save

        save(self, path)

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """JSON schema of a system file."""
        return published(cls.model_json_schema())


def utilization(task: Task) -> float:
    """Long-run demand of a task with constant execution time and a period, in pCPUs; 0 for others."""
    return task.wcet / task.period if isinstance(task.wcet, int) and task.period else 0.0


know_fields(System)
