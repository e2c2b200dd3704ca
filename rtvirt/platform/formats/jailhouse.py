"""Jailhouse: a C file for the root cell and one for each other cell, revision 14 of the format.

A cell has pCPUs, memory regions, interrupt pins, devices by their registers, shared-memory devices on a virtual PCI bus. Names of regions
and devices are comments. `cells` gives the bytes that a compiler makes of the files: what `jailhouse enable` and `jailhouse cell create` take.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..board import Board
from .c_read import read_source
from .common import Export, Import, lost_between
from .jailhouse_cells import plan
from .jailhouse_layout import CONSTANTS, pack
from .jailhouse_read import read_cells
from .jailhouse_text import cell_text, system_text
from .partition import SHARED_REASONS

FORMAT = "Jailhouse cell configurations"
CHECKED = ("read by our own reader; compiled, in the project's tests, against headers written from the documented layout, and compared "
           "byte for byte; not by Jailhouse")
REASONS = SHARED_REASONS | {
    "vms.cpus.affinity": "a cell has as many pCPUs as vCPUs, each for itself: those that it asks for where others do not",
    "vms.cpus.reset": "a cell starts at its reset address, the image's entry if none is given; the root cell runs already",
    "vms.memory.phys": "a cell's memory has a place",
    "vms.memory.colours": "no word for it",
    "vms.memory.flags": "a bitmap has no order; large pages are the default; memory of a channel is shared",
    "vms.irqs": "pins have no order, trigger, route and priority; lines below 32 are each core's own; a virtual PCI device has one of four "
                "lines in a row; the root cell has no line that another cell has",
    "vms.irqchip": "it is the board's, virtualized; emulated on a PC",
    "vms.timer": "it is each core's own: ARM's virtual timer, a PC's local APIC",
    "vms.channels": "a channel joins ends that know each other, in one shared memory of two pages or more, of the same size for all, 12 ends at most",
    "vms.channels.peers": "all ends of a shared-memory device are peers",
    "vms.channels.protocol": "a shared-memory device has no such protocol",
    "vms.channels.doorbell": "a virtual PCI device always has a line, the bus's first plus its number modulo 4; it has none on a PC",
    "vms.image": "a cell is loaded by a command: jailhouse cell load",
}


def write(board: Board) -> Export:
    """A board as cell configurations.

    Raises
    ------
    SpecError
        More vCPUs than pCPUs, an architecture or a name that Jailhouse does not have, memory that two cells have, RAM that is too small.

    Examples
    --------
    >>> from rtvirt.platform import load
    >>> export = write(load("drone"))
    >>> sorted(export.files)
    ['drone-autopilot.c', 'drone.c']
    >>> [len(config) for config in cells(export).values()]
    [880, 580]
    """
    chosen = plan(board)
    files = {f"{board.name}.c": system_text(board, chosen)}
    files |= {f"{board.name}-{vm.name}.c": cell_text(board, chosen, vm) for vm in chosen.said.vms if vm.name != chosen.root}
    return Export(FORMAT, files, lost_between(board, chosen.said, REASONS), CHECKED)


def read(files: Mapping[str, str], hardware: Board) -> Import:
    """Cells of configuration files, on hardware that they do not describe.

    Raises
    ------
    SpecError
        What cannot be read, with file and line.
    """
    return read_cells(files, hardware)


def cells(export: Export) -> dict[str, bytes]:
    """The binary configurations, by the name that `jailhouse` commands take: drone.cell."""
    found = {}
    for name, text in export.files.items():
        found[name.removesuffix(".c") + ".cell"] = pack(read_source(name, text, CONSTANTS).tables["config"])
    return found
