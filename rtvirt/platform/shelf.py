"""Boards that come with the project, by name; files by path."""

from __future__ import annotations

from pathlib import Path

from ..datafolder import manifest, path
from ..system.specfile import load_as
from .board import Board, need_boards
from .interface import VmInterface


def boards() -> list[str]:
    """Names of the boards of data/boards.

    Examples
    --------
    >>> boards()
    ['automotive', 'drone', 'phone', 'server']
    """
    return sorted(Path(name).stem for name in manifest() if name.startswith("boards/") and name.endswith(".yaml"))


def load(name: str | Path) -> Board:
    """A board of data/boards by name, or one of a YAML file by path.

    Raises
    ------
    SpecError
        With every mistake of the file, each with its line.
    """
    return Board.load(path(f"boards/{name}.yaml") if isinstance(name, str) and name in boards() else name)


def load_vm(file: str | Path) -> VmInterface:
    """The interface of one VM, of a YAML file; as one of a board's `vms`.

    Raises
    ------
    SpecError
        With every mistake of the file, each with its line.
    """
    return load_as(VmInterface, file)[0]


def save(board: Board, file: str | Path) -> None:
    """Write a board to a YAML file that `load` reads back."""
    need_boards(board)
    board.save(file)
