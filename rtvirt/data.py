"""Systems and task sets of the data folder by name, and the folder's manifest."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any, NamedTuple

from .datafolder import FOLDER, digest, manifest, path
from .errors import Problem, SpecError
from .system import System, Task
from .units import whole

__all__ = ["FOLDER", "Textbook", "digest", "manifest", "path", "rebuild_manifest", "system", "taskset", "tasksets"]


def system(name: str) -> System:
    """A system of data/systems: "phone", "dashboard", "drone", or "gateway", whose VMs share devices."""
    return System.load(path(f"systems/{name}.yaml"))


class Textbook(NamedTuple):
    """A task set of the literature."""

    tasks: tuple[Task, ...]
    known: dict[str, Any]     # what the source says of it; times in units of the file
    source: str
    about: str
    unit: str
    options: dict[str, Any]   # cpus, preemption, where they are not 1 and "full"


def tasksets(name: str | None = None) -> list[str]:
    """Names of the textbook task sets, ``file/set``: all, or those of one file.

    Examples
    --------
    >>> tasksets("lehoczky")
    ['lehoczky/several-jobs', 'lehoczky/one-less']
    """
    files = sorted(file.removeprefix("tasksets/").removesuffix(".yaml") for file in manifest() if file.startswith("tasksets/"))
    return [f"{file}/{one}" for file in files if name in (None, file) for one in textbook(file)["sets"]]


def taskset(name: str) -> Textbook:
    """A task set of data/tasksets, with what is known about it.

    Parameters
    ----------
    name : str
        ``file/set``, one of `tasksets()`.

    Examples
    --------
    >>> import rtvirt as rv
    >>> example = taskset("burns-wellings/D")
    >>> rv.analysis.fp_response_times(example.tasks), example.known["fp_response_times"]
    ({'a': 3000000, 'b': 6000000, 'c': 20000000}, {'a': 3, 'b': 6, 'c': 20})
    """
    file, _, one = name.partition("/")
    if name not in tasksets():
        raise SpecError([Problem("name", name, ", ".join(tasksets(file) or tasksets()), "choose one of these")])
    book = textbook(file)
    found = book["sets"][one]
    unit = book["unit"]
    tasks = tuple(Task(**{field: value if field in ("name", "priority") else whole(Fraction(str(value)), unit) for field, value in row.items()})
                  for row in found["tasks"])
    return Textbook(tasks, found["known"], book["source"], found.get("about", ""), unit,
                    {key: found[key] for key in ("cpus", "preemption") if key in found})


def textbook(file: str) -> dict[str, Any]:
    """The data of a file of task sets."""
    import yaml

    return yaml.safe_load(path(f"tasksets/{file}.yaml").read_text(encoding="utf-8"))


def rebuild_manifest() -> dict[str, dict[str, Any]]:
    """Digests of all files, anew; units and provenance are kept, or taken from the folder's PROVENANCE.json."""
    found: dict[str, dict[str, Any]] = {}
    for file in sorted(FOLDER.rglob("*")):
        if file.is_file() and file.name not in ("manifest.json", "PROVENANCE.json", "README.md"):
            origin = json.loads((file.parent / "PROVENANCE.json").read_text(encoding="utf-8"))
            found[file.relative_to(FOLDER).as_posix()] = {"sha256": digest(file), **origin}
    (FOLDER / "manifest.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return found


if __name__ == "__main__":
    rebuild_manifest()
