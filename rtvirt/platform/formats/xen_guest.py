"""What Xen's formats share: where a domain sees its memory, what every domain has, which schedulers there are."""

from __future__ import annotations

from typing import Any

from ...errors import Problem, SpecError
from ..board import Board
from ..interface import Chip, Clock, VmInterface, Window

RAM0, RAM0_SIZE, RAM1 = 0x40000000, 0xC0000000, 0x200000000
"""ARM: memory of a domain, and of what does not fit there (Xen's public header arch-arm.h, GUEST_RAM0_BASE and on)."""
SCHEDULERS = ("credit", "credit2", "rtds", "arinc653", "null")
DEFAULT = "credit2"       # of Xen since 4.12, if it is not told
ARM = ("aarch64", "armv7-a")


def ram_of(vm: VmInterface) -> list[Window]:
    """Memory of a VM that is its own."""
    return [window for window in vm.memory if not {"io", "shared"} & set(window.flags)]


def colours_of(windows: list[Window]) -> tuple[int, ...]:
    """Colours of all windows, if they all have the same: Xen's are a domain's."""
    return windows[0].colours if windows and len({window.colours for window in windows}) == 1 else ()


def ram_windows(architecture: str, size: int, colours: tuple[int, ...] = ()) -> list[Window]:
    """Memory as a domain sees it, that is anywhere."""
    if architecture not in ARM:
        return [Window(name="ram", guest=0, size=size, colours=colours)]
    first = [Window(name="ram", guest=RAM0, size=min(size, RAM0_SIZE), colours=colours)]
    return first + ([Window(name="ram1", guest=RAM1, size=size - RAM0_SIZE, colours=colours)] if size > RAM0_SIZE else [])


def always(hardware: Board, architecture: str) -> dict[str, Any]:
    """What every ARM domain has: an interrupt controller of the board's kind, and the generic timer, both virtualized."""
    if architecture not in ARM:
        return {}
    model = hardware.irqchip.model if hardware.irqchip.model.startswith("gic") else "gic-v2"
    return {"irqchip": Chip(model=model), "timer": Clock(model="arm-generic")}


def kinds(board: Board) -> int:
    """How many kinds of cores there are."""
    return len({cluster.core for cluster in board.clusters})


def refuse_others(board: Board, isas: tuple[str, ...], format: str) -> None:
    """An error for boards that this kind of Xen does not run on."""
    found = [Problem(f"clusters[{cluster.name}].isa", cluster.isa, ", ".join(isas), f"{format} is for these: choose another format")
             for cluster in board.clusters if cluster.isa not in isas]
    if found:
        raise SpecError(found)
