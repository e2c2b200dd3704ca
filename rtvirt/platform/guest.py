"""What an operating system needs from the layer below it: its requirements."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from ..datafolder import manifest
from ..datafolder import path as data_path
from ..errors import Problem
from ..system import Task
from ..system.spec import List, Name, Spec, know_fields, wrong
from ..system.specfile import Hexadecimal, load_as, save_as
from .board import Board
from .contract import AnyContract, NoContract
from .fields import Address, Flag, Names, Size, Text, format_size, whole
from .hardware import ChipModel, Isa, TimerModel
from .interface import Rates, VmInterface, twice

Frontend = Literal["xen", "virtio"]


class Need(Spec):
    """A device that an operating system needs.

    Parameters
    ----------
    function : str
        As of the board's devices: uart, net, block, can, ...
    drivers : list of str
        Programming interfaces it has drivers for.
    frontends : list of {"xen", "virtio"}
        Front ends it has.
    rate : int [messages/s]
        How many messages pass.
    accesses : int
        Of registers, to pass a message by an emulated device: 12 for a network card, as SUGERMAN01 counted (11 and the notification).
    required : bool
        False if it can do without.
    """

    function: Name
    drivers: Names = ()
    frontends: Annotated[tuple[Frontend, ...], List] = ()
    rate: whole(0, 10**9) = 0
    accesses: whole(1, 10_000) = 12
    required: Flag = True


class Guest(Spec):
    """Requirements of an operating system on its abstraction layer.

    Parameters
    ----------
    name, about, source : str
    architectures : list of str
        Instruction sets it is there for.
    cpus : int
    memory : int or str [bytes]
    linked : int, optional
        Address that it must be loaded at; anywhere unless given.
    irqchips, timers : lists of str
        Models it has drivers for.
    needs : list of Need
    modifiable : bool
        True if its code can be changed: it can call or be patched by its makers.
    rates : {operation: times a second}
        How often it needs some of ``rv.traps.operations()``.
    contracts : list
        What it wants of the scheduler: contracts any of which will do, the best first.
    guest, tasks
        As of a `VmInterface`.
    """

    name: Name
    about: Text = ""
    source: Text = "assumption"
    architectures: Annotated[tuple[Isa, ...], List, Field(min_length=1)]
    cpus: whole(1, 64) = 1
    memory: Size
    linked: Address | None = None
    irqchips: Annotated[tuple[ChipModel, ...], List] = ()
    timers: Annotated[tuple[TimerModel, ...], List] = ()
    needs: Annotated[tuple[Need, ...], List] = ()
    modifiable: Flag = True
    rates: Rates = Field(default_factory=dict)
    contracts: Annotated[tuple[AnyContract, ...], List, Field(min_length=1)] = (NoContract(),)
    guest: Literal["fp", "edf", "rr", "fifo", "dm", "cbs"] = "fp"
    tasks: Annotated[tuple[Task, ...], List] = ()

    FORMS: ClassVar[Mapping[str, Callable[[Any], Any]]] = {"memory": format_size, "linked": Hexadecimal}

    @model_validator(mode="after")
    def check(self) -> Guest:
        """Each function is needed once."""
        wrong([Problem("needs", name, "a function once", "put its drivers together") for name in twice([need.function for need in self.needs])])
        return self

    def on(self, board: Board, contract: AnyContract, affinity: tuple[int, ...]) -> VmInterface:
        """As a VM of a board: its contract and tasks only."""
        names, numbers = {vm.name for vm in board.vms}, {vm.id for vm in board.vms}
        name = next(one for n in range(len(names) + 1) if (one := self.name + "-new" * n) not in names)
        isa = next(cluster.isa for cluster in board.clusters if affinity[0] in cluster.cpus)
        return VmInterface(name=name, id=next(n for n in range(len(numbers) + 1) if n not in numbers), architecture=isa, contract=contract,
                           cpus={"count": self.cpus, "affinity": affinity}, guest=self.guest, tasks=self.tasks)

    @classmethod
    def load(cls, name: str | Path) -> Guest:
        """Requirements of data/guests by name, or of a YAML file by path; SpecError names every mistake with its line."""
        return load_as(cls, data_path(f"guests/{name}.yaml") if isinstance(name, str) and name in guests() else name)[0]

    def save(self, path: str | Path) -> None:
        """Write the requirements to a YAML file that `load` reads back."""
        save_as(self, path)


def guests() -> list[str]:
    """Names of the requirements in data/guests."""
    return sorted(Path(name).stem for name in manifest() if name.startswith("guests/"))


know_fields(Need, Guest)
