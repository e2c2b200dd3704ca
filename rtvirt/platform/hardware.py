"""The hardware of a board, part by part: clusters, memory, caches, interrupt controller, timers, IOMMUs, devices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from ..system.spec import List, Name, Spec, know_fields
from ..system.vm import Cpus
from .fields import PAGE, Extent, Flag, Lines, Part, Size, Stream, Text, format_size, whole

Isa = Literal["aarch64", "armv7-a", "x86-64", "rv64"]
Extension = Literal["none", "el2", "vhe", "vt-x", "svm", "h"]
ChipModel = Literal["gic-v2", "gic-v3", "plic", "aplic", "ioapic"]
TimerModel = Literal["arm-generic", "lapic", "hpet", "clint", "sp804", "ttc", "cmt"]
CLASSICAL = ("rv64",)
"""Instruction sets whose sensitive instructions can all be made to trap without an extension for hypervisors (Sá et al. 2021, section 2)."""


class Cluster(Part):
    """pCPUs of one kind.

    Parameters
    ----------
    core : str
        What they are, as their maker calls them.
    isa : str
    cpus : list of int
        Their numbers.
    clock : int [MHz], optional
    extension : {"none", "el2", "vhe", "vt-x", "svm", "h"}
        What the processor has for hypervisors.
    """

    core: Text
    isa: Isa
    cpus: Cpus
    clock: whole(1, 100_000) | None = None
    extension: Extension = "none"


class Memory(Part, Extent):
    """A region of physical memory."""

    kind: Literal["ram", "sram", "rom"] = "ram"


class Cache(Part):
    """A cache that some pCPUs share.

    Parameters
    ----------
    level, ways, line : int
        `line` in bytes.
    size : int or str [bytes]
    cpus : list of int
    partition : {"none", "colours", "ways"}
        How it can be divided: by page colours (any cache indexed by physical addresses), or by ways (if the hardware can).

    Examples
    --------
    >>> Cache(name="L2", level=2, size="1 MiB", ways=16, cpus=[0, 1, 2, 3], partition="colours").colours
    16
    """

    level: whole(1, 4)
    size: Size
    ways: whole(1, 128)
    line: whole(8, 1024) = 64
    cpus: Cpus
    partition: Literal["none", "colours", "ways"] = "none"

    FORMS: ClassVar[Mapping[str, Callable[[Any], Any]]] = {"size": format_size}

    @property
    def colours(self) -> int:
        """Page colours: pages of one way that do not meet; 1 where it cannot be divided so."""
        return max(1, self.size // (self.ways * PAGE)) if self.partition == "colours" else 1


class Registers(Extent):
    """Registers of a device, in memory or among the x86's ports."""

    space: Literal["memory", "port"] = "memory"


RegisterList = Annotated[tuple[Registers, ...], List]


class InterruptController(Part):
    """What interrupts come through.

    Parameters
    ----------
    model : str
    registers : list of Registers
    lines : int
        Numbers of its lines are below this; a GIC's shared ones begin at 32.
    priorities : int, optional
        Levels that it tells apart.
    direct : bool
        True if it can deliver a line to a VM that runs without the hypervisor.
    """

    model: ChipModel
    registers: RegisterList = ()
    lines: whole(1, 8192)
    priorities: whole(1, 256) | None = None
    direct: Flag = False


class Timer(Part):
    """A timer.

    Parameters
    ----------
    model : str
    registers, irqs : lists
    virtual : bool
        True if each vCPU can have one of its own without the hypervisor's emulation.
    """

    model: TimerModel
    registers: RegisterList = ()
    irqs: Lines = ()
    virtual: Flag = False


class Iommu(Part):
    """What stands between devices and memory.

    Parameters
    ----------
    model : str
    streams : int, optional
        Numbers of streams are below this.
    """

    model: Name
    registers: RegisterList = ()
    streams: whole(1, 65536) | None = None


class HostDevice(Part):
    """A device of the board.

    Parameters
    ----------
    kind : {"mmio", "pci", "platform"}
    function : str
        What it is for: uart, net, block, can, gpio, ...
    driver : str
        The programming interface, by the name that drivers are found by: pl011, cdns-gem, ...
    registers, irqs : lists
        Registers of PCI devices move: they need none here.
    pci : str, optional
        Bus, device and function, as 0000:03:00.0.
    dma : bool
        True if it accesses memory by itself.
    iommu : str, optional
        Which one its accesses go through, with its `streams`.
    """

    kind: Literal["mmio", "pci", "platform"] = "mmio"
    function: Name
    driver: Name
    registers: RegisterList = ()
    irqs: Lines = ()
    pci: Annotated[str, Field(strict=True, pattern=r"^[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$")] | None = None
    dma: Flag = False
    iommu: Name | None = None
    streams: Annotated[tuple[Stream, ...], List] = ()


class Prices(Spec):
    """What crossings cost here: a structure and a platform of `rv.traps`.

    Parameters
    ----------
    structure, platform : str
        Names of ``rv.traps.structures()`` and ``rv.traps.platforms()``.
    clock : int [MHz], optional
        At which cycles become time; the platform's own unless given.
    why : str
        What speaks for it: the board itself was measured, or which assumption is made.
    """

    structure: Name
    platform: Name
    clock: whole(1, 100_000) | None = None
    why: Text = ""


know_fields(Cluster, Memory, Cache, Registers, InterruptController, Timer, Iommu, HostDevice, Prices)

__all__ = ["CLASSICAL", "Cache", "ChipModel", "Cluster", "Extension", "HostDevice", "InterruptController", "Iommu", "Isa",
           "Memory", "Prices", "Registers", "Timer", "TimerModel"]
