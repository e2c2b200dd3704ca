"""Explorer of a board: drag devices and pCPUs between VMs, change a contract, and read what no longer fits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from matplotlib.figure import Figure

from ..errors import Problem, RtvirtError, SpecError
from ..platform import Board, Findings, Holder, Rank, Reservation, VmInterface, boards, check, holdings, load
from ..platform.holdings import in_words
from ..plots import board as draw_board
from ..plots import styled
from ..schedulers.catalogue import BY_NAME
from ..units import ms, us
from .base import Explorer, Fixed, check_ranges, choice, slider, words
from .board_moves import Move, after, made, undone
from .holders import Holders

OWN = "the board's"
SCHEDULERS = [OWN, *(name for name in BY_NAME if name != "arinc653")]        # whose table would have to be written


@lru_cache(maxsize=8)
def shipped(name: str) -> Board:
    """A board as it comes with the project."""
    return load(name)


@dataclass(frozen=True)
class Params:
    """What can be moved."""

    board: str = choice("phone", boards(), "board")
    along: str = choice("device and lines", ["device and lines", "device only", "a second owner"], "what a drop hands over")
    scheduler: str = choice(OWN, SCHEDULERS, "scheduler of the VMs")
    vm: str = choice("modem", sorted({vm.name for name in boards() for vm in shipped(name).vms}), "contract of")
    budget: float = slider(1.0, 0.1, 20.0, 0.1, "its budget [ms]")
    period: float = slider(2.0, 0.1, 20.0, 0.1, "its period [ms]")
    priority: int = slider(1, 1, 9, 1, "its priority (1 first)")
    wakeup: int = slider(3000, 0, 20_000, 50, "awake within [µs]")
    moves: str = words("", 2000, "moves so far")


@dataclass(frozen=True)
class Data:
    """A board, what does not fit, and who has what."""

    board: Board
    findings: Findings
    holders: tuple[Holder, ...]
    params: Params


def terms(vm: VmInterface) -> dict[str, Any]:
    """A VM's contract as values of the sliders; those that it does not have are left out."""
    contract = vm.contract
    found: dict[str, Any] = {"wakeup": (contract.wakeup or 0) // us(1)}
    if isinstance(contract, Reservation):
        found |= {"budget": contract.budget / ms(1), "period": contract.period / ms(1)}
    return found | ({"priority": contract.priority} if isinstance(contract, Rank) else {})


def owner(params: Params) -> VmInterface:
    """The VM whose contract is moved."""
    board = shipped(params.board)
    for vm in board.vms:
        if vm.name == params.vm:
            return vm
    raise SpecError([Problem("vm", params.vm, ", ".join(vm.name for vm in board.vms), f"choose a VM of {board.name}")])


def fixed(params: Params) -> dict[str, Fixed]:
    """What its contract does not have."""
    has, kind = terms(owner(params)), owner(params).contract.kind
    return {name: Fixed(getattr(params, name), f"none: {params.vm}'s contract is of kind {kind}")
            for name in ("budget", "period", "priority") if name not in has}


def ends(params: Params) -> dict[str, float]:
    """A budget fits its period."""
    return {"budget": params.period} if "budget" in terms(owner(params)) else {"budget": 20.0}


def offers(params: Params) -> dict[str, list[Any]]:
    """The VMs of the board."""
    return {"vm": [vm.name for vm in shipped(params.board).vms]}


def follow(before: Params, changed: Params) -> Params:
    """Another board starts as it comes, with its first VM; another VM brings its contract, as the board has it."""
    if changed.board != before.board:
        first = shipped(changed.board).vms[0]
        return Params(board=changed.board, along=changed.along, vm=first.name, **terms(first))
    return replace(changed, **terms(owner(changed))) if changed.vm != before.vm else changed


def changed_board(params: Params) -> Board:
    """The board with the contract, the scheduler and the moves of the reader."""
    board, vm = shipped(params.board), owner(params)
    values: dict[str, Any] = {"wakeup": us(params.wakeup) or None}
    if isinstance(vm.contract, Reservation):
        values |= {"budget": round(params.budget * ms(1)), "period": round(params.period * ms(1))}
    elif isinstance(vm.contract, Rank):
        values["priority"] = params.priority
    if values != {name: getattr(vm.contract, name) for name in values}:
        board = board.with_vm(vm.replace(contract=vm.contract.replace(**values)))
    if params.scheduler != OWN:
        board = board.replace(scheduler={"name": params.scheduler})
    return made(board, params.moves, params.along)  # type: ignore[arg-type]


def compute(params: Params) -> Data:
    """All findings of the board, and who has what.

    Raises
    ------
    SpecError
        A move of something that is not there.
    """
    board = changed_board(params)
    findings = check(board)
    return Data(board, findings, holdings(board, findings), params)


class Scene:
    """The board with its tiles, and the findings."""

    def __init__(self) -> None:
        self.holders = Holders()
        self.front = [self.holders]

    def update(self, data: Data) -> str:
        """Show a board; its verdict in a sentence."""
        self.data, text = data, sentence(data)
        name = f"{data.board.name} under {data.board.scheduler.name}"
        self.holders.show(name, data.holders, data.findings, text, last_tile(data, self.holders.wanted))
        return text

    def figure(self) -> Figure:
        """Who has what, with the findings below."""
        with styled():
            figure = Figure(figsize=(12, 6.2 + 0.42 * len(self.data.findings)))
            draw_board(self.data.board, ax=figure.add_subplot())
        return figure


def sentence(data: Data) -> str:
    """The verdict, and the contract that is moved."""
    vm = data.board[data.params.vm]
    about = f"{vm.name}: {', '.join(in_words(vm.contract))}."
    if not data.findings:
        return f"{data.board.name} under {data.board.scheduler.name}: no findings, everything fits. {about}"
    number = len(data.findings)
    rules = ", ".join(dict.fromkeys(finding.rule for finding in data.findings))
    return f"{data.board.name} under {data.board.scheduler.name}: {number} finding{'s' * (number > 1)} ({rules}). {about}"


def last_tile(data: Data, wanted: Mapping[str, Any]) -> str:
    """Where what the browser moved last is now, as box/tile."""
    target, what = str(wanted.get("target", "")), wanted.get("what")
    box = next((holder for holder in data.holders if holder.name == target), None)
    if box is None:
        return ""
    devices = [tile.name for tile in box.tiles if tile.movable]
    return f"{target}/{what if what in devices else devices[-1]}"        # under another name it is the last of the devices


def answer(params: Params, wanted: Mapping[str, Any]) -> str:
    """The moves after what the browser asks for; SpecError for what is no move."""
    if wanted.get("do") in ("undo", "reset"):
        return undone(params.moves) if wanted["do"] == "undo" else ""
    return after(params.moves, Move(*(str(wanted.get(name, "")) for name in Move._fields)))


def explorer(**values: Any) -> Explorer:
    """The explorer, starting from given parameters: those of the board and of the VM's contract are as it comes unless given."""
    check_ranges(Params(), values)
    start = Params()
    for name in ("board", "vm"):
        if name in values:
            start = follow(start, replace(start, **{name: values[name]}))
    scene = Scene()
    shown = Explorer(replace(start, **values), compute, scene, "Who has what of a board. Drag a tile to another box (or focus it and use the left and"
                     " right arrow keys), and change one VM's contract: what no longer fits is marked, and said beside it with its remedy.",
                     fixed=fixed, ends=ends, offers=offers, follow=follow)

    def act(change: Mapping[str, Any]) -> None:
        try:
            shown.set(moves=answer(shown.params, change["new"]))
        except RtvirtError as error:
            shown.complain(error)                 # the picture is still true

    scene.holders.observe(act, names="wanted")
    return shown
