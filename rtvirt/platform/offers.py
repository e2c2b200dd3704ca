"""What could be agreed upon where a VM does not fit as it is: others make do with less, it makes do with less, or contracts are found anew.

The order is that of what is given up: nothing (the VM goes elsewhere); what VMs that matter less have declared they can do without; what the VM
itself has declared; VMs that matter less altogether; a contract that nobody has declared.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..analysis import provision
from ..analysis.admission import Admission
from ..errors import LimitError, SpecError
from ..system.specfile import plain
from ..units import format_ns
from .board import Board
from .contract import AnyContract, Rank, Reservation, Slot, Slots
from .interface import VmInterface
from .transition import Transition, transition
from .trial import Trial

GRAIN = 10_000            # budgets are tried in multiples of it [ns]
TRIES = 16                # budgets, on each side of the one asked for
FACTORS = ((1, 2), (1, 4), (2, 1), (4, 1))
"""Of periods that are tried."""


class Give(NamedTuple):
    """One thing that somebody gives up, or has to change."""

    vm: str
    field: str                # contract.budget, tasks[log], all ...
    asked: Any                # or had
    gets: Any                 # None: nothing

    def __str__(self) -> str:
        if self.field == "all":
            return f"{self.vm} goes"
        what = f"{self.vm}: {self.field}"
        return f"{what} is left out" if self.gets is None else f"{what} {shown(self.asked)} -> {shown(self.gets)}"


@dataclass(frozen=True)
class Offer:
    """A service level that can be had.

    Attributes
    ----------
    kind : {"move", "degrade others", "degrade", "evict", "counter", "rearrange"}
    modes : {vm: mode}
        Which of the declared modes are used.
    gives : tuple of Give
        Who gives what, compared with what runs and what was asked for.
    board : Board
        With it.
    admission : Admission
    transition : Transition
        How to get there while VMs run, and how long that takes.
    """

    kind: str
    modes: dict[str, str]
    gives: tuple[Give, ...]
    board: Board
    admission: Admission
    transition: Transition

    def why(self) -> str:
        """In words."""
        modes = "".join(f"; {vm} in its mode {mode!r}" for vm, mode in self.modes.items())
        return f"{self.kind}: {', '.join(map(str, self.gives)) or 'nothing is given up'}{modes}. On the way {self.transition.why()}"

    def __repr__(self) -> str:
        return f"<Offer: {self.why()}>"


def shown(value: Any) -> str:
    """A time, or what else a field holds."""
    if isinstance(value, int) and not isinstance(value, bool):
        return format_ns(value)
    return str(plain(value)) if value is not None else "any"


def gives_of(asked: Board, board: Board) -> tuple[Give, ...]:
    """What a board has less than, or otherwise than, was asked for."""
    there = {vm.name: vm for vm in board.vms}
    found: list[Give] = []
    for vm in asked.vms:
        if vm.name not in there:
            found.append(Give(vm.name, "all", None, None))
            continue
        other = there[vm.name]
        found += contract_gives(vm, other.contract)
        if vm.cpus != other.cpus:
            found.append(Give(vm.name, "cpus.affinity", list(vm.cpus.affinity or ()) or None, list(other.cpus.affinity or ())))
        kept = {task.name: task for task in other.tasks}
        for task in vm.tasks:
            if task.name not in kept:
                found.append(Give(vm.name, f"tasks[{task.name}]", task.period, None))
            elif task.period != kept[task.name].period:
                found.append(Give(vm.name, f"tasks[{task.name}].period", task.period, kept[task.name].period))
    return tuple(found)


def contract_gives(vm: VmInterface, other: AnyContract) -> Iterator[Give]:
    """Fields of the contract that differ; the contract as a whole where the kind does."""
    if vm.contract.kind != other.kind:
        yield Give(vm.name, "contract", vm.contract.kind, other.kind)
        return
    for name, value in vm.contract:
        if value != getattr(other, name):
            plainly = isinstance(vm.contract, Rank) and name == "priority"
            yield Give(vm.name, f"contract.{name}", str(value) if plainly else value, str(getattr(other, name)) if plainly else getattr(other, name))


def offers(trial: Trial) -> Iterator[Offer]:
    """One of each kind, in the order of what is given up; with all contracts made anew only if there is no other."""
    found: list[Board] = []
    for search in (moved, others_degraded, self_degraded, evicted, countered, rearranged):
        for kind, modes, board in search(trial) if search is not rearranged or not found else ():
            if board not in found:
                found.append(board)
                yield Offer(kind, modes, gives_of(trial.asked, board), board, trial.admission(board), transition(trial.before, board))


Candidate = tuple[str, dict[str, str], Board]


def moved(trial: Trial) -> Iterator[Candidate]:
    """The VM on other pCPUs, of those that some VM, or a cluster, is on."""
    sets = [vm.cpus.affinity for vm in trial.before.vms if vm.cpus.affinity]
    sets += [(cpu,) for cluster in trial.before.clusters for cpu in cluster.cpus if cluster.isa == trial.vm.architecture]
    for cpus in dict.fromkeys(sets):
        board = trial.with_vm(trial.vm.replace(cpus=trial.vm.cpus.replace(affinity=cpus)))
        if cpus != trial.vm.cpus.affinity and trial.fits(board):
            yield "move", {}, board
            return


def victims(trial: Trial) -> list[VmInterface]:
    """VMs that matter less, the least first; of those that matter alike, the last that came."""
    order = sorted(enumerate(trial.before.vms), key=lambda pair: (pair[1].criticality, -pair[0]))
    return [vm for _, vm in order if vm.criticality < trial.vm.criticality and vm.name != trial.vm.name]


def others_degraded(trial: Trial) -> Iterator[Candidate]:
    """Modes of VMs that matter less, one more at a time until it fits; then those are taken back that are not needed."""
    modes: dict[str, str] = {}
    for victim in victims(trial):
        for level in victim.degraded:
            modes[victim.name] = level.name
            if trial.fits(trial.degraded(modes)):
                needed = spared(trial, modes)
                yield "degrade others", needed, trial.degraded(needed)
                return


def spared(trial: Trial, modes: dict[str, str]) -> dict[str, str]:
    """Without the modes that are not needed, those of VMs that matter most taken back first."""
    for name in reversed(list(modes)):
        fewer = {vm: mode for vm, mode in modes.items() if vm != name}
        if trial.fits(trial.degraded(fewer)):
            modes = fewer
    return modes


def self_degraded(trial: Trial) -> Iterator[Candidate]:
    """The best of the VM's own modes that fits as things are."""
    for level in trial.vm.degraded:
        board = trial.with_vm(trial.vm.at(level.name))
        if trial.fits(board):
            yield "degrade", {trial.vm.name: level.name}, board
            return


def evicted(trial: Trial) -> Iterator[Candidate]:
    """Without one VM that matters less; else without several, the least first. Who needs an evicted VM goes with it, or it stays."""
    names = [vm.name for vm in victims(trial)]
    for gone in [[name] for name in names] + [names[:k] for k in range(2, len(names) + 1)]:
        if trial.fits(trial.without(gone)):
            for name in reversed(gone):
                fewer = [one for one in gone if one != name]
                gone = fewer if trial.fits(trial.without(fewer)) else gone
            yield "evict", {}, trial.without(gone)
            return


def countered(trial: Trial) -> Iterator[Candidate]:
    """The nearest contract of the VM's kind that fits, others' being what they are."""
    for contract in nearby(trial):
        board = trial.with_vm(trial.vm.replace(contract=contract))
        if trial.fits(board):
            yield "counter", {}, board
            return


def nearby(trial: Trial) -> Iterator[AnyContract]:
    """Contracts to be tried, the nearest first."""
    own = trial.vm.contract
    if isinstance(own, Reservation):
        for up, down in ((1, 1), *FACTORS):
            period = own.period * up // down
            budget = own.budget * up // down
            less, more = (-(-room // TRIES // GRAIN) * GRAIN for room in (budget, period - budget))
            steps = [value for k in range(1, TRIES + 1) for value in (budget - k * less, budget + k * more)]
            tried = [budget] if up != down else [value // GRAIN * GRAIN for value in steps]
            yield from (own.replace(budget=value, period=period) for value in tried if GRAIN <= value <= period)
    elif isinstance(own, Rank):
        ranks = sorted({vm.contract.priority + more for vm in trial.before.vms if isinstance(vm.contract, Rank) for more in (-1, 0, 1)})
        yield from (own.replace(priority=rank) for rank in sorted(ranks, key=lambda rank: abs(rank - own.priority)) if rank >= 1)
    elif isinstance(own, Slots):
        yield from gaps(trial, own)


def gaps(trial: Trial, own: Slots) -> Iterator[AnyContract]:
    """As much as was asked for, in what the frame has left."""
    taken = sorted((slot.start, slot.start + slot.length) for vm in trial.before.vms if isinstance(vm.contract, Slots) and vm.name != trial.vm.name
                   for slot in vm.contract.slots)
    wanted, at, slots = sum(slot.length for slot in own.slots), 0, []
    for start, end in [*taken, (own.frame, own.frame)]:
        length = min(start - at, wanted)
        if length > 0:
            slots.append(Slot(start=at, length=length))
            wanted -= length
        at = max(at, end)
    if slots and not wanted:
        yield own.replace(slots=slots)


def rearranged(trial: Trial) -> Iterator[Candidate]:
    """New budgets and periods for all, as `rv.provision` finds them: every deadline kept, every contract changed."""
    if not all(isinstance(vm.contract, Reservation) and vm.cpus.count == 1 for vm in trial.asked.vms):
        return
    try:
        found = provision(trial.asked.system(), trial.asked.made_scheduler())
    except (SpecError, LimitError):
        return
    if found.system is None:
        return
    vms = [vm.replace(contract=vm.contract.replace(budget=made.budget, period=made.period)) for vm, made in zip(trial.asked.vms, found.system.vms)]
    board = trial.asked.replace(vms=vms)
    if trial.fits(board):
        yield "rearrange", {}, board


__all__ = ["Give", "Offer", "gives_of", "offers"]
