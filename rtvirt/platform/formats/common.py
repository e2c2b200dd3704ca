"""What all formats share: files out, with what they cannot say; files in, with what they say in vain."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

from ...errors import Problem, SpecError
from ...files import atomically, folder_for
from ...interop.common import Reading
from ..board import Board, Scheduler, as_time, need_boards
from ..interface import VmInterface

LARGEST = 1_000_000       # characters of one file
MOST_CPUS = 64
MOST_VMS = 128
MOST_PARTS = 2000         # devices, regions, names in one list
NAME = r"[A-Za-z][A-Za-z0-9_.\-]{0,63}"
UNSAID = {
    "vms.revision": "no word for revisions",
    "vms.source": "no word for sources of figures",
    "vms.assumed": "no word for sources of figures",
    "vms.devices.kind": "it is that of the board's device",
    "vms.devices.function": "it is that of the board's device",
    "vms.devices.rx": "no word for traffic",
    "vms.devices.into": "no word for traffic",
    "vms.criticality": "no word for it",
    "vms.degraded": "one contract a VM",
    "vms.guest": "no word for what runs inside",
    "vms.tasks": "no word for what runs inside",
}
"""{kind of place: why no format of others carries it}."""

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
            if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
                raise SpecError([Problem("files", name, "names within the folder", "rename the file")])
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
    need_boards(one, other)
    return list(between("", dumped(one), dumped(other)))


def dumped(board: Board) -> dict[str, Any]:
    """A board as data, in which times of the scheduler are the same however they are written."""
    data = board.model_dump(mode="json")
    data["scheduler"]["options"] = {name: as_time(value) for name, value in data["scheduler"]["options"].items()}
    return data


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


def bare(board: Board) -> Board:
    """The hardware alone: no VMs, and the scheduler that is assumed."""
    return board.replace(vms=(), scheduler=Scheduler())


def exported(board: Board, name: str, files: Mapping[str, str], read: Callable[[Mapping[str, str], Board], Import],
             reasons: Mapping[str, str], checked: str) -> Export:
    """An export whose losses are found by reading it back."""
    return Export(name, dict(files), lost_between(board, read(files, bare(board)).board, reasons), checked)


def lost_between(board: Board, said: Board, reasons: Mapping[str, str]) -> tuple[Lost, ...]:
    """All in which a board differs from what files say, with reasons.

    A loss that no reason foresees is a bug of the exporter, and an error: so nothing gets lost that is not known to be.
    """
    return tuple(Lost(place, reason_of(re.sub(r"\[[^\]]*\]", "", place), reasons)) for place in differences(board, said))


def reason_of(kind: str, reasons: Mapping[str, str]) -> str:
    """The reason of ``vms.memory.phys``, or of what it is part of."""
    whole = kind
    while kind not in reasons:
        kind, dot, _ = kind.rpartition(".")
        if not dot:
            raise LookupError(f"{whole} is lost, and nothing says why")
    return reasons[kind]


class Source(Reading):
    """A file whose text is here already; complaints name it and the line."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(name, "us")
        self.content = text

    def text(self) -> str:
        """The text, of a size that can be meant."""
        if len(self.content) > LARGEST:
            raise self.refusal(1, "file", f"{len(self.content)} characters", f"at most {LARGEST} characters", "split it")
        return self.content

    def name(self, text: str, taken: set[str]) -> str:
        """A name that a board can have: as it is if it can be, else as near as possible, with a note."""
        if re.fullmatch(NAME, text) and text not in taken:
            taken.add(text)
            return text
        return super().name(text, taken)

    def whole(self, line: int, field: str, value: Any, least: int, most: int, base: int = 10) -> int:
        """A whole number within bounds, written in some base (0: as it begins); an error at once."""
        text = str(value).strip()
        try:
            found = int(text, base) if len(text) <= 40 and not isinstance(value, bool) and "_" not in text else least - 1
        except ValueError:
            found = least - 1
        if not least <= found <= most:
            raise self.refusal(line, field, value, f"a whole number, {least} to {most}", "correct it")
        return found

    def few(self, line: int, field: str, number: int, most: int = MOST_PARTS) -> None:
        """An error if there are more of something than can be meant."""
        if number > most:
            raise self.refusal(line, field, number, f"at most {most}", "split it")

    def cpus(self, line: int, field: str, text: str) -> tuple[int, ...]:
        """pCPUs as ``0-3,5,^1``: in order, without those behind ^."""
        chosen: set[int] = set()
        without: set[int] = set()
        for part in text.split(",") if len(text) <= 1000 else [text]:
            found = re.fullmatch(r"\s*(\^?)([0-9]{1,4})(?:-([0-9]{1,4}))?\s*", part)
            first, last = (int(found[2]), int(found[3] or found[2])) if found else (1, 0)
            if not first <= last < MOST_CPUS:
                raise self.refusal(line, field, part, f"pCPUs 0 to {MOST_CPUS - 1}", "write for example 0-3,5")
            (without if found and found[1] else chosen).update(range(first, last + 1))
        if not chosen - without:
            raise self.refusal(line, field, text, "at least one pCPU", "write for example 0-3,5")
        return tuple(sorted(chosen - without))


def spans(cpus: Iterable[int]) -> str:
    """Numbers as ranges.

    Examples
    --------
    >>> spans([0, 1, 2, 5])
    '0-2,5'
    """
    text: list[list[int]] = []
    for cpu in sorted(set(cpus)):
        if text and text[-1][-1] == cpu - 1:
            text[-1][1:] = [cpu]
        else:
            text.append([cpu])
    return ",".join("-".join(map(str, part)) for part in text)


def isa_of(board: Board, affinity: tuple[int, ...] | None) -> Any:
    """The instruction set of the first cluster on whose pCPUs a VM may run."""
    there = [cluster for cluster in board.clusters if affinity is None or set(affinity) & set(cluster.cpus)]
    return (there or board.clusters)[0].isa


def printable(text: str) -> str:
    """A text of printable characters; nothing, if it has others, which not all formats can write."""
    return text if text.isprintable() else ""


def rounded_up(size: int, unit: int) -> int:
    """A size in whole units, not less than it is."""
    return -(-size // unit)


def assembled(source: Reading, hardware: Board, vms: Sequence[VmInterface], scheduler: Scheduler) -> Board:
    """The hardware with these VMs; what does not fit together is an error of the file."""
    try:
        return hardware.replace(vms=tuple(vms), scheduler=scheduler)
    except SpecError as error:
        raise SpecError([problem._replace(where=problem.where or f"{source.path.name}:1") for problem in error.problems]) from None
