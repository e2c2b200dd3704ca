"""Does an operating system fit a board? Yes, or what is missing, and which technique closes it at what cost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import Problem, SpecError
from ..traps import cost as cost_of
from ..traps import platform as platform_of
from .board import Board
from .check_contracts import KEEPS, contract_findings
from .fields import Extent, format_size
from .guest import Guest, Need
from .hardware import CLASSICAL, HostDevice

if TYPE_CHECKING:
    import pandas as pd

PORT = 2995
"""Lines that Linux needed to run on Xen without an extension for hypervisors (XEN03, Table 2)."""


class Price(NamedTuple):
    """What a technique costs: time a use, its part of a pCPU at the guest's rate; None where nothing was published."""

    ns: int | None = None
    share: float | None = None
    what: str = ""
    lines: int | None = None           # of code to change, an order of magnitude


class Option(NamedTuple):
    """A technique that closes a gap, and its price."""

    technique: str        # as is | pass-through | split driver | emulation | patching | second stage | hypercall
    price: Price
    how: str


@dataclass(frozen=True)
class Answer:
    """One requirement: met as it is, closed by a technique (the cheapest of `options`), or open."""

    requirement: str
    met: bool
    why: str
    options: tuple[Option, ...] = ()

    @property
    def best(self) -> Option | None:
        """The option that costs the guest least; those without a known price last."""
        return min(self.options, key=lambda option: (option.price.ns is None, option.price.ns or 0, option.price.lines or 0), default=None)

    @property
    def open(self) -> bool:
        """True if it is missing and nothing closes it."""
        return not self.met and not self.options

    def __str__(self) -> str:
        if self.met or self.best is None:
            return f"{self.requirement}: {'yes' if self.met else 'missing, and nothing closes it'} ({self.why})"
        price = self.best.price
        costs = [f"{price.ns} ns each" if price.ns is not None else "", f"{price.share:.3%} of a pCPU" if price.share is not None else "",
                 f"about {price.lines} lines" if price.lines else ""]
        shown = ", ".join(one for one in costs if one) or "price not published"
        return f"{self.requirement}: missing ({self.why}); {self.best.technique}: {self.best.how} [{shown}]"


@dataclass(frozen=True, repr=False)
class Fit:
    """Whether a guest fits a board; true if nothing is missing, or each gap can be closed.

    `as_is` is True if nothing is missing. `missing` are the gaps, `open` those that nothing closes; `share` is what the chosen techniques
    cost, in pCPUs.
    """

    guest: Guest
    board: Board
    answers: tuple[Answer, ...]

    def __bool__(self) -> bool:
        return not self.open

    @property
    def as_is(self) -> bool:
        """True if all is there."""
        return all(answer.met for answer in self.answers)

    @property
    def missing(self) -> tuple[Answer, ...]:
        """Requirements that the board does not meet as it is."""
        return tuple(answer for answer in self.answers if not answer.met)

    @property
    def open(self) -> tuple[Answer, ...]:
        """Requirements that nothing closes."""
        return tuple(answer for answer in self.answers if answer.open)

    @property
    def share(self) -> float:
        """Sum of the known costs of the chosen techniques, in pCPUs."""
        return sum(answer.best.price.share or 0 for answer in self.missing if answer.best)

    def table(self) -> pd.DataFrame:
        """One row a requirement and option."""
        import pandas as pd

        rows: list[tuple[Any, ...]] = []
        for answer in self.answers:
            for option in answer.options or (None,):
                price = option.price if option else Price()
                rows.append((answer.requirement, answer.met, answer.why, option and option.technique, price.ns, price.share, price.lines,
                             option and option.how))
        return pd.DataFrame(rows, columns=["requirement", "met", "why", "technique", "ns", "share", "lines", "how"])

    def __repr__(self) -> str:
        verdict = "yes, as it is" if self.as_is else "yes, with " + ", ".join(dict.fromkeys(a.best.technique for a in self.missing if a.best)) \
            if self else "no"
        return "\n".join([f"{self.guest.name} on {self.board.name}: {verdict}", *map(str, self.missing)])


def fit(guest: Guest, board: Board) -> Fit:
    """Whether an operating system fits what a board has left beside its VMs.

    Parameters
    ----------
    guest : Guest
        Its requirements.
    board : Board
        Its VMs keep what they have: a device that is passed through to one of them is free for a split driver only.

    Returns
    -------
    Fit
        True if it fits; prints as the verdict and the gaps.

    Raises
    ------
    SpecError
        For other arguments.

    Notes
    -----
    Prices are those of the board's `prices` in `rv.traps`: hypervisor's time only, without the work of the driver VM or emulator's device model.
    Rates are the guest's. An operating system can always be ported; patching is named where that is what is done, with the lines that it took for
    Linux on Xen (XEN03, Table 2) as the order of magnitude.

    Examples
    --------
    >>> import rtvirt as rv
    >>> fit(rv.platform.Guest.load("autopilot"), rv.platform.load("drone").replace(vms=[])).as_is
    True
    """
    if not isinstance(guest, Guest) or not isinstance(board, Board):
        raise SpecError([Problem("guest, board", (type(guest).__name__, type(board).__name__), "a Guest and a Board",
                                 "load them with rv.platform.Guest.load(...) and rv.platform.load(...)")])
    answers = [architecture(guest, board), operations(guest, board), memory(guest, board), linked(guest, board), chip(guest, board),
               timer(guest, board), *(device(need, board) for need in guest.needs), contract(guest, board)]
    return Fit(guest, board, tuple(answers))


def priced(board: Board, operation: str, rate: int, times: int = 1, lines: int | None = None) -> Price:
    """What an operation costs on a board, `times` for each of `rate` uses a second."""
    if board.prices is None:
        return Price(what="the board has no prices", lines=lines)
    machine = platform_of(board.prices.platform)
    if board.prices.clock is not None:
        machine = machine.change(clock_mhz=board.prices.clock)
    try:
        found = cost_of(board.prices.structure, machine, operation, times=times)
        ns = max(0, -(-found.overhead * 1000 // int(machine.clock_mhz or 0)))
    except (SpecError, ZeroDivisionError) as error:
        return Price(what=str(error), lines=lines)
    return Price(ns, ns * rate / 1e9, f"{times} x {operation}, {board.prices.structure} on {board.prices.platform}", lines)


def both(first: Price, second: Price) -> Price:
    """Two prices together; unknown if one is."""
    known = first.ns is not None and second.ns is not None
    ns, share = ((first.ns or 0) + (second.ns or 0), (first.share or 0) + (second.share or 0)) if known else (None, None)
    return Price(ns, share, f"{first.what} + {second.what}")


def architecture(guest: Guest, board: Board) -> Answer:
    """Enough pCPUs of an instruction set it is there for."""
    there = {cluster.isa for cluster in board.clusters}
    able = sum(len(cluster.cpus) for cluster in board.clusters if cluster.isa in guest.architectures)
    why = f"{able} pCPUs of {', '.join(guest.architectures)}" if able else f"the board runs {', '.join(sorted(there))}"
    return Answer("architecture", able >= guest.cpus, why)


def operations(guest: Guest, board: Board) -> Answer:
    """Sensitive instructions trap, or the guest is changed."""
    own = [cluster for cluster in board.clusters if cluster.isa in guest.architectures]
    bare = [cluster for cluster in own if cluster.extension == "none" and cluster.isa not in CLASSICAL]
    if not bare:
        return Answer("operations", True, f"they trap: {', '.join(sorted({c.extension for c in own})) or 'no pCPU for it'}")
    total = sum(guest.rates.values())
    options = [Option("patching", priced(board, "hypercall", total, lines=PORT), "replace its privileged operations by hypercalls")]
    return Answer("operations", False, f"{bare[0].name} has no extension for hypervisors", tuple(options) if guest.modifiable else ())


def free_memory(board: Board) -> list[Extent]:
    """Memory that no VM has for certain."""
    free = [Extent(base=region.base, size=region.size) for region in board.memory if region.kind == "ram"]
    for window in [window.behind for vm in board.vms for window in vm.memory if window.behind]:
        rest = []
        for extent in free:
            if not extent.overlaps(window):
                rest.append(extent)
                continue
            rest += [Extent(base=extent.base, size=window.base - extent.base)] if window.base > extent.base else []
            rest += [Extent(base=window.end, size=extent.end - window.end)] if window.end < extent.end else []
        free = rest
    return free


def memory(guest: Guest, board: Board) -> Answer:
    """Enough of it."""
    loose = sum(window.size for vm in board.vms for window in vm.memory if window.behind is None)
    left = sum(extent.size for extent in free_memory(board)) - loose
    return Answer("memory", left >= guest.memory, f"{format_size(left) if left > 0 else 'nothing'} is left, {format_size(guest.memory)} is needed")


def linked(guest: Guest, board: Board) -> Answer:
    """Memory where it must be loaded: as it is, by a second stage of translation, or by linking it anew."""
    if guest.linked is None:
        return Answer("load address", True, "anywhere")
    wanted = Extent(base=guest.linked, size=guest.memory)
    if any(extent.holds(wanted) for extent in free_memory(board)):
        return Answer("load address", True, f"memory is free at {guest.linked:#x}")
    why = f"no memory is free at {guest.linked:#x}"
    if all(cluster.extension != "none" for cluster in board.clusters if cluster.isa in guest.architectures):
        return Answer("load address", True, why + ", and a second stage of translation puts other memory there")
    options = (Option("patching", Price(lines=None, what="link it anew"), "link it for another address"),)
    return Answer("load address", False, why + ", and there is no second stage of translation", options if guest.modifiable else ())


def chip(guest: Guest, board: Board) -> Answer:
    """A driver for the interrupt controller, or one emulated: an acknowledgement and an end for each interrupt."""
    if board.irqchip.model in guest.irqchips:
        return Answer("interrupt controller", True, f"it has a driver for {board.irqchip.model}")
    rate = guest.rates.get("interrupt", 0)
    options = [Option("emulation", priced(board, "interrupt_controller", rate, 2), f"emulate {model}") for model in guest.irqchips[:1]]
    options += [Option("patching", Price(what="a driver"), f"give it a driver for {board.irqchip.model}")] if guest.modifiable else []
    return Answer("interrupt controller", False, f"it has drivers for {', '.join(guest.irqchips) or 'none'}, the board has {board.irqchip.model}",
                  tuple(options))


def timer(guest: Guest, board: Board) -> Answer:
    """A timer for each vCPU that it has a driver for, or one emulated."""
    own = [one.model for one in board.timers if one.model in guest.timers and one.virtual]
    if own:
        return Answer("timer", True, f"each vCPU can have a {own[0]}")
    options = [Option("emulation", priced(board, "timer", guest.rates.get("timer", 0)), f"emulate {model}") for model in guest.timers[:1]]
    options += [Option("patching", priced(board, "hypercall", guest.rates.get("timer", 0)), "let it set timers by hypercalls")] \
        if guest.modifiable else []
    return Answer("timer", False, f"none of {', '.join(one.model for one in board.timers) or 'no timers'} is one per vCPU that it has a driver for",
                  tuple(options))


def device(need: Need, board: Board) -> Answer:
    """A free device with its driver, or a technique."""
    name = f"device {need.function}"
    there = [one for one in board.devices if one.function == need.function]
    taken = {own.device: vm.name for vm in board.vms for own in vm.devices if own.mode == "passthrough"}
    free = [one for one in there if one.name not in taken]
    usable = [one for one in free if one.driver in need.drivers]
    options = list(techniques(need, board, there, taken))
    if usable:
        how = Option("pass-through", priced(board, "interrupt", 0 if board.irqchip.direct else need.rate), f"pass {usable[0].name} through")
        return Answer(name, True, f"{usable[0].name} is free, and it has a driver for {usable[0].driver}", (how, *options))
    if not need.required:
        return Answer(name, True, "it can do without", tuple(options))
    why = "the board has none" if not there else f"{free[0].name} is free, but it has no driver for {free[0].driver}" if free else \
        "; ".join(f"{one.name} is {taken[one.name]}'s" for one in there)
    return Answer(name, False, why, tuple(options))


def techniques(need: Need, board: Board, there: list[HostDevice], taken: dict[str | None, str]) -> Iterator[Option]:
    """Split driver and emulation: a message each way is a notification and an interrupt; an emulated one is accesses and an interrupt.

    Somebody must drive the device for the guest: a VM that has back ends already, or a driver VM for a device that is free.
    """
    serving = {vm.name for vm in board.vms for own in vm.devices if own.mode == "split-backend"}
    reached = [(one, taken.get(one.name, "a driver VM")) for one in there if one.name not in taken or taken[one.name] in serving]
    if need.frontends and reached:
        real, via = reached[0]
        message = both(priced(board, "hypercall", need.rate), priced(board, "interrupt", need.rate))
        yield Option("split driver", message, f"its {need.frontends[0]} front end, and a back end in {via} for {real.name}")
    if need.drivers and (reached or need.function == "uart"):          # what is written to a serial port can go to a log
        message = both(priced(board, "kernel_io", need.rate, need.accesses), priced(board, "interrupt", need.rate))
        behind = f"with {reached[0][0].name} of {reached[0][1]} behind it" if reached else "with a log behind it"
        yield Option("emulation", message, f"emulate {need.drivers[0]}, {behind}")


def contract(guest: Guest, board: Board) -> Answer:
    """One of its contracts beside those of the board's VMs, on some pCPUs: by the checks of contracts."""
    kept = [one for one in guest.contracts if one.kind in KEEPS[board.scheduler.name]]
    able = tuple(cpu for cluster in board.clusters if cluster.isa in guest.architectures for cpu in cluster.cpus)
    if not kept or len(able) < guest.cpus:
        why = "there are too few pCPUs for it" if kept else f"{board.scheduler.name} keeps no contract of kind " + ", ".join(
            one.kind for one in guest.contracts)
        return Answer("contract", False, why)
    before, why = set(contract_findings(board)), ""
    for one in kept:
        for affinity in places(guest, able):
            new = [found for found in contract_findings(board.with_vm(guest.on(board, one, affinity))) if found not in before]
            if not new:
                return Answer("contract", True, f"{one.kind} on pCPU {', '.join(map(str, affinity))} under {board.scheduler.name}")
            why = why or f"{one.kind} on pCPU {', '.join(map(str, affinity))}: {new[0].place}: {new[0].reason}"
    return Answer("contract", False, why)


def places(guest: Guest, able: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Where it may be put: so many neighbouring pCPUs."""
    return [able[i:i + guest.cpus] for i in range(len(able) - guest.cpus + 1)]
