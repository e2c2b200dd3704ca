"""What all formats share: files out, with what they cannot say; files in, with what they say in vain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ...files import atomically, folder_for
from ..board import Board

if TYPE_CHECKING:
    import pandas as pd


class Lost(NamedTuple):
    """A part of the description that the format has no words for."""

    place: str                # vms[modem].contract.wakeup
    reason: str               # xl.cfg has no bound on wake-ups

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}"


@dataclass(frozen=True)
class Export:
    """A board in a format of others.

    Attributes
    ----------
    format : str
    files : {name: text}
        Names are relative to the folder that `save` writes to.
    lost : tuple of Lost
        What the files do not say: reading them back gives a board that differs here, and nowhere else.
    checked : str
        Which tool accepts such files, or that only our own reader does.
    """

    format: str
    files: Mapping[str, str]
    lost: tuple[Lost, ...]
    checked: str

    def save(self, folder: str | Path) -> list[Path]:
        """Write the files; each appears complete or not at all."""
        written = []
        for name, text in self.files.items():
            target = Path(folder) / name
            folder_for(target.parent)
            written.append(atomically(target, lambda path, text=text: path.write_text(text, encoding="utf-8")))
        return written

    def table(self) -> pd.DataFrame:
        """One row a part that is lost."""
        import pandas as pd

        return pd.DataFrame(list(self.lost), columns=list(Lost._fields))

    def __repr__(self) -> str:
        return f"{self.format}: {', '.join(self.files)}; {len(self.lost)} parts lost; {self.checked}"


@dataclass(frozen=True)
class Import:
    """What files of others say, as a board.

    Attributes
    ----------
    board : Board
    notes : tuple of str
        What the files say that a board does not carry, and what had to be assumed.
    """

    board: Board
    notes: tuple[str, ...] = ()


def differences(one: Board, other: Board) -> list[str]:
    """Places in which two boards differ, as deep as both have the same shape: ``vms[modem].contract.wakeup``.

    Examples
    --------
    >>> from rtvirt.platform import load
    >>> phone = load("phone")
    >>> differences(phone, phone.replace(revision=2))
    ['revision']
    """
    return list(between("", one.model_dump(mode="json"), other.model_dump(mode="json")))


def between(place: str, one: Any, other: Any) -> Iterator[str]:
    """Places below `place` in which two dumped values differ; parts with names correspond by name."""
    if isinstance(one, dict) and isinstance(other, dict) and one.get("kind") == other.get("kind"):
        for field in dict.fromkeys([*one, *other]):
            yield from between(f"{place}.{field}" if place else field, one.get(field), other.get(field))
    elif named(one) and named(other):
        mine, theirs = ({part["name"]: part for part in parts} for parts in (one, other))
        for name in dict.fromkeys([*mine, *theirs]):
            yield from between(f"{place}[{name}]", mine.get(name), theirs.get(name))
    elif one != other:
        yield place


def named(value: Any) -> bool:
    """True for a list of parts that all have names."""
    return isinstance(value, list | tuple) and all(isinstance(part, dict) and "name" in part for part in value)
