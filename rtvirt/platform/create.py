"""Admission as a service: a VM asks to come while others run, and is admitted, or told what would have to give."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd

from ..analysis import provision
from ..analysis.admission import Admission
from ..analysis.admission.concessions import Concession
from ..errors import LimitError, Problem, SpecError
from .board import Board, need_boards
from .finding import Findings
from .interface import VmInterface
from .offers import Offer, offers
from .transition import Transition, transition
from .trial import Trial

if TYPE_CHECKING:
    from ..system import Change


@dataclass(frozen=True)
class Decision:
    """Whether a VM may come; true if so.

    Attributes
    ----------
    before : Board
        What runs.
    vm : VmInterface
        What asks.
    findings : Findings
        What would be wrong with it, hardware and contracts, each with a remedy; empty if it is admitted.
    """

    before: Board
    vm: VmInterface
    findings: Findings

    @property
    def admitted(self) -> bool:
        """True if it may come as it is, and nobody has to give anything."""
        return not self.findings

    def __bool__(self) -> bool:
        return self.admitted

    @cached_property
    def trial(self) -> Trial:
        """Where boards are tried."""
        return Trial(self.before, self.vm)

    @cached_property
    def offers(self) -> tuple[Offer, ...]:
        """Service levels that can be had instead, in the order of `create`'s notes; searched for when first asked for."""
        return () if self.admitted else tuple(offers(self.trial))

    @property
    def board(self) -> Board | None:
        """With the VM, if it is admitted."""
        return self.trial.asked if self.admitted else None

    @cached_property
    def admission(self) -> Admission | None:
        """Bounds of everybody with the VM; None where the board as it would be cannot be analysed."""
        try:
            return self.trial.admission(self.trial.asked)
        except (SpecError, LimitError):
            return None

    @cached_property
    def transition(self) -> Transition | None:
        """How it comes in while the others run; of an offer see there."""
        return transition(self.before, self.trial.asked) if self.admitted else None

    @cached_property
    def give_up(self) -> tuple[Concession, ...]:
        """Single requirements whose change would be enough if all contracts were made anew (`rv.provision`); empty if that cannot be asked."""
        if self.admitted:
            return ()
        try:
            return provision(self.trial.asked.system(), self.trial.asked.made_scheduler()).give_up
        except (SpecError, LimitError):
            return ()

    def chosen(self, choice: int | str) -> Offer:
        """An offer, by number or kind.

        Raises
        ------
        SpecError
            There is no such offer.
        """
        kinds = [offer.kind for offer in self.offers]
        number = kinds.index(choice) if isinstance(choice, str) and choice in kinds else choice
        if isinstance(number, int) and not isinstance(number, bool) and 0 <= number < len(kinds):
            return self.offers[number]
        told = ", ".join(f"{k} ({kind})" for k, kind in enumerate(kinds)) or "nothing: there is no offer"
        raise SpecError([Problem("choice", choice, told, "see why()")])

    def accept(self, choice: int | str = 0) -> Board:
        """The board that is agreed upon: with the VM as it is if it is admitted, else that of an offer, as `chosen`."""
        return self.trial.asked if self.admitted else self.chosen(choice).board

    def changes(self, at: int, choice: int | str = 0) -> list[Change]:
        """What the hypervisor has to do for it, asked at an instant [ns]: as it is, or for an offer, as `chosen`."""
        way = self.chosen(choice).transition if self.transition is None else self.transition
        return way.changes(at)

    @property
    def table(self) -> pd.DataFrame:
        """A row for each thing that somebody gives in an offer; `delay` [ns] and `smooth` are of the offer's transition."""
        rows = [(k, offer.kind, *give, offer.transition.delay, bool(offer.transition)) for k, offer in enumerate(self.offers) for give in offer.gives]
        return pd.DataFrame(rows, columns=["offer", "kind", "vm", "field", "asked", "gets", "delay", "smooth"], dtype=object)

    def why(self) -> str:
        """The decision in words: what it rests on; or what is in the way, what would mend it, and what is offered."""
        if self.admitted:
            rests = "" if self.admission is None else f": {self.admission.why()}"
            way = "" if self.transition is None else f"\n{self.transition.why()}"
            return f"{self.vm.name} is admitted{rests}{way}"
        lines = [f"{self.vm.name} is refused:", *(f"  {finding}" for finding in self.findings)]
        if self.offers:
            lines += ["offered:", *(f"  {k}. {offer.why()}" for k, offer in enumerate(self.offers))]
        elif self.give_up:
            lines.append("no offer; with all contracts made anew, any one of:")
            lines += [f"  {one.whose}: {one.change}" for one in self.give_up]
        else:
            lines.append("no offer: mend what is in the way")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<Decision: {self.vm.name} {'admitted' if self.admitted else 'refused: ' + str(self.findings[0])}>"


def create(board: Board, vm: VmInterface) -> Decision:
    """Ask for a VM to be created on a board whose VMs run.

    Parameters
    ----------
    board : Board
    vm : VmInterface
        With its contract and tasks; its `criticality` says whose degraded modes may be used for it.

    Returns
    -------
    Decision
        True if it may come. `board` is then the board with it, `transition` how it comes in; else `findings` say what is in the way, and
        `offers` what can be had instead.

    Raises
    ------
    SpecError
        What is no board, or no VM; a name or number that some VM has.

    Notes
    -----
    *Admitted* means: `check` finds nothing that it has not found without the VM, and the analysis bounds every deadline that it bounded, and
    all of the VM's, even though a VM that comes within a period of RTDS has a whole budget for the rest of it. This is sufficient, not necessary.

    *Offers*, in this order: the VM on other pCPUs; VMs of lower criticality in their declared modes, the fewest that do; the VM in the best of
    its own modes that fits; without VMs of lower criticality; the nearest contract that fits as things are; all contracts anew (`rv.provision`).
    One of each kind, none that is optimal in any sense but that order.

    Examples
    --------
    >>> import rtvirt as rv
    >>> from rtvirt.units import ms, us
    >>> board = rv.platform.load("phone")
    >>> tuner = rv.platform.VmInterface(name="tuner", id=7, architecture="aarch64", cpus={"affinity": [4]},
    ...     contract={"kind": "reservation", "budget": us(400), "period": ms(2)}, tasks=[rv.Task("audio", wcet=us(200), period=ms(10))])
    >>> bool(create(board, tuner))
    True
    >>> greedy = create(board, tuner.replace(contract={"kind": "reservation", "budget": ms(1), "period": ms(2)}))
    >>> bool(greedy), greedy.offers[0].kind
    (False, 'move')
    """
    ask(board, vm)
    taken = {one.name: one.id for one in board.vms}
    wrong = [Problem("vm.name", vm.name, "a name that no VM has yet", "rename it; or restore(board, vm)")] if vm.name in taken else []
    wrong += [Problem("vm.id", vm.id, "a number that no VM has yet", "choose another id")] if vm.id in taken.values() else []
    if wrong:
        raise SpecError(wrong)
    return decide(board, vm)


def restore(board: Board, vm: VmInterface) -> Decision:
    """Ask for a VM that runs to get another contract or workload: what it had before it was degraded.

    Parameters
    ----------
    board : Board
    vm : VmInterface
        As it is to be; a VM of its name is there.

    Returns
    -------
    Decision
        As of `create`.

    Raises
    ------
    SpecError
        There is no such VM.
    """
    ask(board, vm)
    known(board, vm.name)
    return decide(board, vm)


def degrade(board: Board, name: str, mode: str) -> Transition:
    """A VM in one of its modes: the way there, whose `after` is the board.

    Raises
    ------
    SpecError
        There is no such VM, or mode.
    """
    need_boards(board)
    known(board, name)
    return transition(board, board.with_vm(board[name].at(mode)))


def remove(board: Board, name: str) -> Transition:
    """Without a VM: the way there, whose `after` is the board. What others had of it, `check(after)` finds missing.

    Raises
    ------
    SpecError
        There is no such VM.
    """
    need_boards(board)
    known(board, name)
    return transition(board, board.replace(vms=[vm for vm in board.vms if vm.name != name]))


def decide(board: Board, vm: VmInterface) -> Decision:
    """Try it."""
    trial = Trial(board, vm)
    found = Decision(board, vm, trial.findings(trial.asked))
    found.__dict__["trial"] = trial              # what it has found it need not find again
    return found


def ask(board: Board, vm: VmInterface) -> None:
    """Refuse what is no board, or no VM."""
    need_boards(board)
    if not isinstance(vm, VmInterface):
        raise SpecError([Problem("vm", vm, "a VmInterface", "make it with rv.platform.VmInterface(...), or load_vm(path)")])


def known(board: Board, name: str) -> None:
    """Refuse a name that no VM has."""
    names = [vm.name for vm in board.vms]
    if name not in names:
        raise SpecError([Problem("vm", name, ", ".join(names) or "nothing: the board has no VMs", "name a VM that runs")])


__all__ = ["Decision", "create", "degrade", "remove", "restore"]
