"""Formats of others, one a file, each with `write(board)` and `read(files, hardware)`; here they are found by name, and files told apart."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import Any

from ...errors import Problem, SpecError
from ..board import Board, need_boards
from .common import LARGEST, Export, Import, Lost, Source, differences
from .guessed import format_of, hardware_for

__all__ = ["FORMATS", "Export", "Import", "Lost", "differences", "export", "read"]

FORMATS = {"xen": "xl", "dom0less": "dom0less", "libvirt": "libvirt", "jailhouse": "jailhouse", "bao": "bao"}
"""{name of the format: module}."""
MOST_FILES, MOST = 500, 5_000_000        # files, and characters of all together
SUFFIXES = (".cfg", ".txt", ".sh", ".dts", ".xml", ".c", ".h")


def module_of(name: Any) -> Any:
    """The module of a format."""
    if not isinstance(name, str) or name not in FORMATS:
        raise SpecError([Problem("format", name, ", ".join(FORMATS), "choose one of these")])
    return import_module(f".{FORMATS[name]}", __name__)


def export(board: Board, format: str, folder: str | Path | None = None) -> Export:
    """Write a board in a format of others.

    Parameters
    ----------
    board : Board
    format : {"xen", "dom0less", "libvirt", "jailhouse", "bao"}
    folder : path, optional
        Where to write the files; without it they are only in the answer.

    Returns
    -------
    Export
        ``files``; ``lost``, what they do not say, each place with the reason; ``checked``, which tool accepts them.

    Examples
    --------
    >>> import rtvirt as rv
    >>> drone = rv.platform.export(rv.platform.load("drone"), "xen")
    >>> list(drone.files)[:2]
    ['xen-command-line.txt', 'start.sh']
    """
    need_boards(board)
    made: Export = module_of(format).write(board)
    if folder is not None:
        made.save(folder)
    return made


def read(files: str | Path | Mapping[str, str], format: str | None = None, hardware: Board | None = None) -> Import:
    """Read files of others as a board.

    Parameters
    ----------
    files : path, or {name: text}
        A file, a folder, or texts. Nothing that they name is opened, fetched or executed.
    format : str, optional
        As in `export`; told by the files unless given.
    hardware : Board, optional
        Such files say little of the hardware: a board whose hardware is taken. Unless given, 64 pCPUs and no devices.

    Returns
    -------
    Import
        ``board``; ``notes``, what the files say that a board does not carry, and what had to be assumed.

    Raises
    ------
    SpecError
        With the mistakes found, each with its file and line.
    """
    need_boards(*([] if hardware is None else [hardware]))
    if not isinstance(files, str | PathLike | Mapping):
        raise SpecError([Problem("files", files, "the path of a file or folder, or {name: text}", "name what is to be read")])
    texts = dict(files) if isinstance(files, Mapping) else texts_of(Path(files))
    if not texts or not all(isinstance(item, str) for pair in texts.items() for item in pair):
        raise SpecError([Problem("files", sorted(map(str, texts))[:5], "at least one text with its name", f"give {', '.join(SUFFIXES)} files")])
    for name, text in texts.items():
        Source(name, text).text()
    if (total := sum(map(len, texts.values()))) > MOST or len(texts) > MOST_FILES:
        raise SpecError([Problem("files", f"{len(texts)} files, {total} characters", f"{MOST_FILES} files, {MOST} characters", "read fewer at once")])
    name = format if format is not None else format_of(texts)
    made: Import = module_of(name).read(texts, hardware if hardware is not None else hardware_for(name, texts))
    if hardware is None:
        return Import(made.board, ("the hardware is assumed: 64 pCPUs of one kind, and no devices", *made.notes))
    return made


def texts_of(path: Path) -> dict[str, str]:
    """Texts of a file, or of a folder's files with the suffixes of these formats; names are relative to the folder."""
    try:
        found = sorted(one for one in path.rglob("*") if one.suffix in SUFFIXES and one.is_file()) if path.is_dir() else [path]
        if len(found) > MOST_FILES:
            raise SpecError([Problem("files", f"{len(found)} files", f"at most {MOST_FILES} files", "choose a folder with fewer")])
        return {str(one.relative_to(path)) if path.is_dir() else one.name: text_of(one) for one in found}
    except OSError as error:
        raise SpecError([Problem("files", str(path), "a readable file or folder", f"the system says: {error.strerror}")]) from None


def text_of(path: Path) -> str:
    """One file, of a size that can be meant."""
    if (size := path.stat().st_size) > LARGEST:
        raise SpecError([Problem("file", f"{size} bytes", f"at most {LARGEST} bytes", "split it", f"{path.name}:1")])
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        fix = f"save it as UTF-8 (byte {error.start})"
        raise SpecError([Problem("file", "bytes that are not text", "UTF-8 text", fix, f"{path.name}:1")]) from None
