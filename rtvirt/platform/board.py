"""A board: its hardware, its VM scheduler, its VMs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from ..errors import Problem, SpecError
from ..schedulers.catalogue import BY_NAME
from ..system import System
from ..system.spec import List, Name, Spec, know_fields, published, within, wrong
from ..system.specfile import load_as, save_as
from ..traps.platforms import calibrated
from ..traps.structures import STRUCTURES
from ..units import parse_time
from .fields import Part, Text, whole
from .hardware import Cache, Cluster, HostDevice, InterruptController, Iommu, Memory, Prices, Timer
from .interface import VmInterface, twice

PARTS = ("clusters", "memory", "caches", "timers", "iommus", "devices")
MOST_VMS = 128
MOST_PARTS = 2000         # of one kind, all VMs together
MOST_LINES = 8192         # the lines there can be; of all VMs together
ASSUMPTION = "assumption"


def need_boards(*boards: Any) -> None:
    """Refuse what is no board."""
    wrong = [Problem("board", board, "a Board", "make it with rv.platform.Board(...), or load one")
             for board in boards if not isinstance(board, Board)]
    if wrong:
        raise SpecError(wrong)


class Scheduler(Spec):
    """The VM scheduler: its name (one of `rtvirt simulate --scheduler`), and its parameters, times as in all files.

    The table of ``arinc653`` is made of the VMs' slots.
    """

    name: Literal[tuple(BY_NAME)] = "null"
    options: dict[str, bool | int | float | str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def check(self) -> Scheduler:
        """Its parameters must suit it."""
        if self.name == "arinc653":
            wrong([Problem("options", self.options, "nothing: the table is made of the VMs' slots", "remove it")] if self.options else [])
        else:
            self.made()
        return self

    def made(self) -> Any:
        """The scheduler, as `rv.simulate` takes it; none for a table that VMs have to fill."""
        options = {name: as_time(value) for name, value in self.options.items()}
        try:
            return BY_NAME[self.name](**options)
        except TypeError as error:
            wrong([Problem("options", self.options, f"parameters of {BY_NAME[self.name].__name__}", f"correct them: {str(error).split(') ')[-1]}")])
        except SpecError as error:
            wrong([problem._replace(field="options") for problem in error.problems])


def as_time(value: Any) -> Any:
    """A time written with its unit, in ns; anything else as it is."""
    try:
        return parse_time(value) if isinstance(value, str) else value
    except SpecError:
        return value


class Board(Spec):
    """A machine, and the VMs that share it.

    Parameters
    ----------
    name : str
    revision : int
        Of this description; `format` is the schema's, 1.
    about : str
    sources : {key: text}
        Where figures come from; parts name a key in `source`, and in `assumed` the fields that are not from there.
    clusters, memory, caches, timers, iommus, devices : lists
    irqchip : InterruptController
    scheduler : Scheduler
    prices : Prices, optional
        What crossings cost; without it `fit` names techniques but no prices.
    vms : list of VmInterface

    Raises
    ------
    SpecError
        With every mistake found, in all parts. A board whose VMs do not fit together can be made and loaded: `rv.platform.check` lists findings.

    Notes
    -----
    Left out: buses and bridges, clocks, power domains, pins, speeds of cores (the pCPUs of the derived system are all alike).

    Examples
    --------
    >>> board = Board(name="one", clusters=[Cluster(name="c", core="Cortex-A53", isa="aarch64", cpus=[0])],
    ...               irqchip=InterruptController(name="gic", model="gic-v2", lines=64))
    >>> board.system().cpus, board.made_scheduler()
    (1, Null())
    """

    format: Annotated[int, BeforeValidator(within(1, 1, "1: no other version is known")), Field(ge=1, le=1)] = 1
    name: Name
    revision: whole(1, 2**31) = 1
    about: Annotated[str, Field(strict=True, max_length=2000)] = ""
    sources: dict[Name, Text] = Field(default_factory=dict)
    clusters: Annotated[tuple[Cluster, ...], List, Field(min_length=1)]
    memory: Annotated[tuple[Memory, ...], List] = ()
    caches: Annotated[tuple[Cache, ...], List] = ()
    irqchip: InterruptController
    timers: Annotated[tuple[Timer, ...], List] = ()
    iommus: Annotated[tuple[Iommu, ...], List] = ()
    devices: Annotated[tuple[HostDevice, ...], List] = ()
    scheduler: Scheduler = Scheduler()
    prices: Prices | None = None
    vms: Annotated[tuple[VmInterface, ...], List] = ()

    @model_validator(mode="after")
    def check(self) -> Board:
        """Names, numbers and sources of the parts must fit together."""
        wrong([*self.check_numbers()])              # first: the other checks are not made for a million parts
        wrong([*self.check_names(), *self.check_cpus(), *self.check_sources(), *self.check_references()])
        return self

    def check_numbers(self) -> Iterator[Problem]:
        """No more parts than can be meant: what is compared in pairs takes the square of them."""
        of_vms = {field: sum(len(getattr(vm, field)) for vm in self.vms) for field in ("memory", "irqs", "devices", "channels", "tasks", "degraded")}
        numbers = {field: len(getattr(self, field)) for field in PARTS} | {f"vms.{field}": number for field, number in of_vms.items()}
        for field, number in (numbers | {"vms": len(self.vms)}).items():
            most = MOST_VMS if field == "vms" else MOST_LINES if field == "vms.irqs" else MOST_PARTS
            if number > most:
                yield Problem(field, f"{number} of them", f"at most {most}", "describe less at once")

    def check_names(self) -> Iterator[Problem]:
        """Names must differ within each list, and numbers of VMs."""
        for field in (*PARTS, "vms"):
            for name in twice([part.name for part in getattr(self, field)]):
                yield Problem(f"{field}[{name}].name", name, "a name used once", "rename one of them")
        for number in twice([vm.id for vm in self.vms]):
            yield Problem("vms", number, "an id for each VM", "give one of them another id")

    def check_cpus(self) -> Iterator[Problem]:
        """pCPUs are numbered from 0, each in one cluster."""
        numbers = sorted(cpu for cluster in self.clusters for cpu in cluster.cpus)
        if numbers != list(range(len(numbers))) or len(numbers) > 64:
            yield Problem("clusters", numbers, "pCPUs 0, 1, 2 ... to 63 at most, each in one cluster", "number them anew")
        for cache in self.caches:
            if not set(cache.cpus) <= set(numbers):
                yield Problem(f"caches[{cache.name}].cpus", cache.cpus, f"pCPUs 0 to {len(numbers) - 1}", "name pCPUs that exist")

    def parts(self) -> Iterator[tuple[str, Part]]:
        """All parts of the hardware, and VMs, with their places."""
        for field in (*PARTS, "vms"):
            for part in getattr(self, field):
                yield f"{field}[{part.name}]", part
        yield "irqchip", self.irqchip

    def check_sources(self) -> Iterator[Problem]:
        """Sources exist, and assumptions name fields."""
        for place, part in self.parts():
            if part.source not in self.sources and part.source != ASSUMPTION:
                yield Problem(f"{place}.source", part.source, ", ".join([*self.sources, ASSUMPTION]), "add it to sources, or say assumption")
            for field in part.assumed:
                if field not in type(part).model_fields:
                    yield Problem(f"{place}.assumed", field, ", ".join(type(part).model_fields), "name a field of this part")

    def check_references(self) -> Iterator[Problem]:
        """Devices name IOMMUs, and prices a structure and a platform, that exist."""
        known = {iommu.name: iommu for iommu in self.iommus}
        for device in self.devices:
            if device.iommu is not None and device.iommu not in known:
                yield Problem(f"devices[{device.name}].iommu", device.iommu, ", ".join(known) or "no IOMMU", "name one of iommus")
            elif device.streams and device.iommu is None:
                yield Problem(f"devices[{device.name}].streams", device.streams, "streams of an IOMMU", "name the iommu")
            elif device.iommu and any(stream >= (known[device.iommu].streams or 65536) for stream in device.streams):
                yield Problem(f"devices[{device.name}].streams", device.streams, f"below {known[device.iommu].streams}", "correct the streams")
        for field, names in (("structure", STRUCTURES), ("platform", calibrated())) if self.prices else ():
            if getattr(self.prices, field) not in names:
                yield Problem(f"prices.{field}", getattr(self.prices, field), ", ".join(names), "choose one of these")

    @property
    def cpus(self) -> int:
        """Number of pCPUs."""
        return sum(len(cluster.cpus) for cluster in self.clusters)

    def __getitem__(self, name: str) -> VmInterface:
        for vm in self.vms:
            if vm.name == name:
                return vm
        raise KeyError(f"no VM called {name!r}; there are {', '.join(vm.name for vm in self.vms) or 'none'}")

    def device(self, name: str | None) -> HostDevice | None:
        """A device of the hardware by name; None if there is none."""
        return next((device for device in self.devices if device.name == name), None)

    def with_vm(self, vm: VmInterface) -> Board:
        """A copy with a VM added, or put in place of the one of that name."""
        if vm.name in {old.name for old in self.vms}:
            return self.replace(vms=tuple(vm if old.name == vm.name else old for old in self.vms))
        return self.replace(vms=(*self.vms, vm))

    def place(self, field: str) -> str:
        """Where in its file a field is, as ``phone.yaml:12``; empty for a board that is in none."""
        places = self.__dict__.get("_places")
        return places(field) if places else ""

    def system(self) -> System:
        """What `rv.simulate` and `rv.admit` take: VMs with their contracts and tasks, devices whose traffic is described.

        Raises
        ------
        SpecError
            What cannot be simulated, as an affinity to pCPUs that do not exist.
        """
        from .derive import system_of

        return system_of(self)

    def made_scheduler(self) -> Any:
        """The VM scheduler, as `rv.simulate` and `rv.admit` take it."""
        from .derive import scheduler_of

        return scheduler_of(self)

    @classmethod
    def load(cls, path: str | Path) -> Board:
        """Read a board from a YAML file; SpecError names every mistake with its line."""
        board, places = load_as(cls, path)
        object.__setattr__(board, "_places", places)        # no field: two boards are the same wherever they are written
        return board

    def save(self, path: str | Path) -> None:
        """Write the board to a YAML file that `load` reads back."""
        save_as(self, path)

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """JSON Schema of a board's file; published as ``data/boards/board.schema.json``.

        Notes
        -----
        It cannot say how parts refer to each other, and takes 5.0 for a whole number; `load` refuses more than it.
        """
        return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | published(cls.model_json_schema())


know_fields(Board, Scheduler)
