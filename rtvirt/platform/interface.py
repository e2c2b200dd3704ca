"""The interface of one VM: eleven groups, from its name to what is done when it hangs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from ..errors import Problem, SpecError
from ..system import Arrivals, Task
from ..system.spec import Duration, List, Name, Spec, know_fields, refusal, within, wrong
from ..system.specfile import Hexadecimal
from ..system.vm import Cpus
from ..traps.operations import OPERATIONS
from .contract import AnyContract, NoContract
from .fields import Address, Extent, Flag, Line, Lines, Names, Part, Size, Text, format_size, whole
from .hardware import ChipModel, Isa, RegisterList, TimerModel
from .level import Criticality, Level

MODES = ("passthrough", "virtual", "split-frontend", "split-backend")
MEMORY_FLAGS = ("read", "write", "execute", "dma", "io", "shared", "huge")


class CpuShare(Spec):
    """vCPUs: how many, on which pCPUs they may run (all of the board unless given), and where the first starts."""

    count: whole(1, 64) = 1
    affinity: Cpus | None = None
    reset: Address | None = None

    FORMS: ClassVar[Mapping[str, Callable[[Any], Any]]] = {"reset": Hexadecimal}


class Window(Spec):
    """Memory of a VM.

    Parameters
    ----------
    name : str
    guest : int
        Where the VM sees it.
    phys : int, optional
        Where it is; anywhere unless given.
    size : int or str [bytes]
    flags : list of {"read", "write", "execute", "dma", "io", "shared", "huge"}
    colours : list of int
        Of a coloured cache; all unless given.
    """

    name: Name
    guest: Address
    phys: Address | None = None
    size: Size
    flags: Annotated[tuple[Literal[MEMORY_FLAGS], ...], List] = ("read", "write", "execute")
    colours: Annotated[tuple[whole(0, 1023), ...], List] = ()

    FORMS: ClassVar[Mapping[str, Callable[[Any], Any]]] = {"guest": Hexadecimal, "phys": Hexadecimal, "size": format_size}

    @property
    def seen(self) -> Extent:
        """What the VM sees."""
        return Extent(base=self.guest, size=self.size)

    @property
    def behind(self) -> Extent | None:
        """What is behind it, if that is fixed."""
        return None if self.phys is None else Extent(base=self.phys, size=self.size)

    @property
    def identity(self) -> bool:
        """True if the VM sees it where it is."""
        return self.phys == self.guest


class Irq(Spec):
    """An interrupt line of a VM.

    `route`: "direct" (the hypervisor has no part in it), "injected" (it takes it and passes it on), "emulated" (there is no such line). `shared`:
    other VMs may have it too.
    """

    line: Line
    trigger: Literal["level", "edge"] = "level"
    route: Literal["direct", "injected", "emulated"] = "injected"
    priority: whole(0, 255) | None = None
    shared: Flag = False


class Chip(Spec):
    """The interrupt controller that the VM sees, and whether it is the real one, one that the hardware virtualizes, or emulated."""

    model: ChipModel
    mode: Literal["direct", "virtual", "emulated"] = "virtual"


class Clock(Spec):
    """The timer that the VM sees, likewise."""

    model: TimerModel
    mode: Literal["direct", "virtual", "emulated"] = "virtual"


class VmDevice(Spec):
    """A device as a VM sees it.

    Parameters
    ----------
    name : str
        The two halves of a split driver have the same.
    mode : {"passthrough", "virtual", "split-frontend", "split-backend"}
    kind : {"mmio", "pci", "platform"}
    function : str
    driver : str, optional
        What drives it in this VM; the board's device's own unless given.
    device : str, optional
        The board's device behind it: of a pass-through; of a back end, the one it uses, which its VM must have.
    backend : str, optional
        Of a front end: the VM with the back end.
    registers, irqs : lists
        Where the VM sees them; a pass-through's where they are unless given.
    rx : Arrivals, optional
        Messages that come for the VM; with them the device becomes part of `Board.system`.
    into : str, optional
        The VM's task that gets them.
    """

    name: Name
    mode: Literal[MODES]
    kind: Literal["mmio", "pci", "platform"] = "mmio"
    function: Name
    driver: Name | None = None
    device: Name | None = None
    backend: Name | None = None
    registers: RegisterList = ()
    irqs: Lines = ()
    rx: Arrivals | None = None
    into: Name | None = None


class Channel(Spec):
    """Shared memory and a doorbell, between this VM and its peers.

    `region` names a window of this VM with the flag "shared"; `doorbell` is the line by which it is notified.
    """

    name: Name
    region: Name
    peers: Annotated[tuple[Name, ...], List, Field(min_length=1)]
    protocol: Literal["raw", "vring", "grant"] = "raw"
    doorbell: Line | None = None


class Image(Spec):
    """What is started: where it is loaded and entered, its size, its command line."""

    entry: Address
    load: Address
    size: Size | None = None
    cmdline: Text = ""

    FORMS: ClassVar[Mapping[str, Callable[[Any], Any]]] = {"entry": Hexadecimal, "load": Hexadecimal, "size": format_size}


def of_operations(value: Any) -> Any:
    """Check of {operation: times a second}."""
    if not isinstance(value, Mapping) or not all(name in OPERATIONS for name in value):
        raise refusal(f"times a second of some of {', '.join(OPERATIONS)}", "name operations of rv.traps.operations()")
    return {name: within(0, 10**9)(rate) for name, rate in value.items()}


Rates = Annotated[dict[str, int], BeforeValidator(of_operations), WithJsonSchema({
    "type": "object", "propertyNames": {"enum": list(OPERATIONS)}, "additionalProperties": {"type": "integer", "minimum": 0, "maximum": 10**9}})]


class Operations(Spec):
    """How privileged operations reach the hypervisor.

    Parameters
    ----------
    by : {"trap", "hypercall", "patched"}
        They trap; the guest calls; the guest's code is patched when it is loaded.
    hypercalls : list of str
        The table.
    rates : {operation: times a second}
        How often the guest needs some of ``rv.traps.operations()``.
    """

    by: Literal["trap", "hypercall", "patched"] = "trap"
    hypercalls: Names = ()
    rates: Rates = Field(default_factory=dict)


class Health(Spec):
    """A VM that gives no sign of life for `heartbeat` [ns] has failed; then it is restarted, `attempts` times at most (0: always).

    `trace` is the size of the buffer that it leaves its last words in.
    """

    heartbeat: Duration | None = None
    restart: Literal["never", "on-failure", "always"] = "never"
    attempts: whole(0, 1000) = 0
    trace: Size | None = None

    FORMS: ClassVar[Mapping[str, Callable[[Any], Any]]] = {"trace": format_size}


class VmInterface(Part):
    """What one VM gets of a board (docs/vm-interface.md has the eleven groups and what other formats say of each).

    Parameters
    ----------
    name, id, revision, architecture
        Identity.
    cpus : CpuShare
    memory : list of Window
    irqs : list of Irq
    irqchip, timer : Chip, Clock, optional
    devices : list of VmDevice
    channels : list of Channel
    image : Image, optional
    operations : Operations
    contract : NoContract, Share, Reservation, Rank or Slots
    health : Health
    guest, tasks
        How its system schedules, and what it runs, as of `rv.VM`: what `Board.system` simulates and admits.
    criticality : int
        0 (QM, level E: a failure has no effect on safety) to 4 (ASIL D, level A). For who has more, VMs with less give (`rv.platform.create`).
    degraded : list of Level
        Modes that it can make do with, the best first.

    Raises
    ------
    SpecError
        With every mistake found. What does not fit the board is not a mistake but a finding of `rv.platform.check`.
    """

    id: whole(0, 65535)
    revision: whole(1, 2**31) = 1
    architecture: Isa
    cpus: CpuShare = CpuShare()
    memory: Annotated[tuple[Window, ...], List] = ()
    irqs: Annotated[tuple[Irq, ...], List] = ()
    irqchip: Chip | None = None
    timer: Clock | None = None
    devices: Annotated[tuple[VmDevice, ...], List] = ()
    channels: Annotated[tuple[Channel, ...], List] = ()
    image: Image | None = None
    operations: Operations = Operations()
    contract: AnyContract = NoContract()
    health: Health = Health()
    guest: Literal["fp", "edf", "rr", "fifo", "dm", "cbs"] = "fp"
    tasks: Annotated[tuple[Task, ...], List] = ()
    criticality: Criticality = 0
    degraded: Annotated[tuple[Level, ...], List] = ()

    @model_validator(mode="after")
    def check(self) -> VmInterface:
        """Names and lines occur once, and degraded modes concern tasks that there are."""
        found = [*self.check_degraded()]
        for field in ("memory", "devices", "channels", "tasks", "degraded"):
            names = [part.name for part in getattr(self, field)]
            found += [Problem(f"{field}[{name}].name", name, "a name used once", "rename one of them") for name in twice(names)]
        lines = [irq.line for irq in self.irqs]
        found += [Problem("irqs", line, "each line once", "remove one of them") for line in twice(lines)]
        wrong(found)
        return self

    def check_degraded(self) -> Iterator[Problem]:
        """Degraded modes drop tasks that exist, or lengthen their periods."""
        known = {task.name: task for task in self.tasks}
        for level in self.degraded:
            place = f"degraded[{level.name}]"
            for name in level.drop:
                if name not in known:
                    yield Problem(f"{place}.drop", name, ", ".join(known) or "no tasks", "name a task of this VM")
            for name, period in level.periods.items():
                if name not in known or name in level.drop:
                    yield Problem(f"{place}.periods", name, ", ".join(one for one in known if one not in level.drop) or "no tasks",
                                  "name a task of this VM that is not dropped")
                elif known[name].period is None or period < known[name].period:
                    yield Problem(f"{place}.periods[{name}]", period, "a period no shorter than the task's own", "lengthen it")

    def at(self, level: str) -> VmInterface:
        """The VM in one of its degraded modes; those behind it remain."""
        names = [one.name for one in self.degraded]
        if level not in names:
            raise SpecError([Problem(f"vms[{self.name}].degraded", level, ", ".join(names) or "no modes: it has none", "name one of its modes")])
        chosen = self.degraded[names.index(level)]
        tasks = tuple(slower(task, chosen.periods.get(task.name)) for task in self.tasks if task.name not in chosen.drop)
        kept = {task.name for task in tasks}
        later = [one.replace(drop=[name for name in one.drop if name in kept]) for one in self.degraded[names.index(level) + 1:]]
        later = [one.replace(periods={task.name: max(period, task.period) for task in tasks if (period := one.periods.get(task.name))})
                 for one in later]
        return self.replace(tasks=tasks, contract=chosen.contract or self.contract, degraded=later)


def slower(task: Task, period: int | None) -> Task:
    """A task with a longer period; its deadline moves along if it was the period."""
    if period is None:
        return task
    return task.replace(period=period, deadline=period if task.deadline == task.period else task.deadline)


def twice(values: list[Any]) -> list[Any]:
    """What occurs more than once, each once."""
    return [value for value, times in Counter(values).items() if times > 1]


know_fields(CpuShare, Window, Irq, Chip, Clock, VmDevice, Channel, Image, Operations, Health, VmInterface)
