"""Moves of devices and pCPUs between VMs as text that can be read, edited and stored: ``ufs: drivers > android; pCPU 5: board > modem``."""

from __future__ import annotations

import re
from typing import NamedTuple

from ..errors import Problem, SpecError
from ..platform import Board, hand_over
from ..platform.handing import NOBODY, Along

NAME = r"[A-Za-z][A-Za-z0-9_.\-]*"
MOVE = re.compile(rf"\s*(pCPU \d{{1,2}}|{NAME})\s*:\s*({NAME})\s*>\s*({NAME})\s*")


class Move(NamedTuple):
    """Who gives what to whom; "board" for nobody."""

    what: str
    source: str
    target: str

    def __str__(self) -> str:
        return f"{self.what}: {self.source} > {self.target}"


def parse(text: str) -> list[Move]:
    """Moves of a text.

    Examples
    --------
    >>> parse("ufs: drivers > android")
    [Move(what='ufs', source='drivers', target='android')]
    """
    moves = []
    for part in text.split(";"):
        found = MOVE.fullmatch(part)
        if found:
            moves.append(Move(*found.groups()))
        elif part.strip():
            raise SpecError([Problem("moves", part.strip(), "moves such as ufs: drivers > android; pCPU 5: board > modem", "write it so, or undo")])
    return moves


def write(moves: list[Move]) -> str:
    """The text of moves."""
    return "; ".join(map(str, moves))


def made(board: Board, text: str, along: Along) -> Board:
    """The board after all moves."""
    for move in parse(text):
        source, target = (None if name == NOBODY else name for name in (move.source, move.target))
        board = hand_over(board, move.what, source, target, along=along)
    return board


def after(text: str, move: Move) -> str:
    """One more move; a thing that is moved on was never where it has just been put, and one that is back was never moved."""
    moves = parse(text)
    if moves and moves[-1].what == move.what and moves[-1].target == move.source:
        last = moves.pop()
        return write(moves if last.source == move.target else [*moves, Move(move.what, last.source, move.target)])
    return write([*moves, move])


def undone(text: str) -> str:
    """Without the last move."""
    return write(parse(text)[:-1])
