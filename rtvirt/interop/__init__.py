"""Task sets and components of other tools: SimSo, CARTS, SchedCAT, rt-app.

``read`` of each format gives an `Imported`: a system, notes about what was left out, and extras that belong to the file. ``write`` returns what
the format cannot carry, a line each: nothing means that `read` gives the same system back. Mistakes are reported with file and line, all at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import Problem, SpecError
from . import carts, rtapp, schedcat, simso
from .common import Imported, Reading
from .xml import parse

__all__ = ["Imported", "carts", "read", "rtapp", "schedcat", "simso"]

ROOTS = {"simulation": simso, "system": carts, "taskset": schedcat, "testpoint": schedcat}


def read(path: str | Path, **options: Any) -> Imported:
    """Read a file of any of these formats, told by its suffix, and XML by its first element.

    Parameters
    ----------
    path : path
        ``.csv`` (SchedCAT), ``.json`` (rt-app), ``.xml`` (SimSo, CARTS, SchedCAT).
    **options
        Of the format's own `read`: ``unit`` for CARTS and SchedCAT, ``cpus`` for SchedCAT and rt-app.

    Raises
    ------
    SpecError
        With every mistake found, and its line.
    """
    suffix = Path(path).suffix.lower()
    if suffix == ".csv":
        return schedcat.read(path, **options)
    if suffix == ".json":
        return rtapp.read(path, **options)
    if suffix != ".xml":
        raise SpecError([Problem("path", str(path), "a .xml, .csv or .json file", "call the format's own read, for example rv.interop.simso.read")])
    root = parse(Reading(path, "ms"))
    if root.tag not in ROOTS:
        raise SpecError([Problem("file", f"<{root.tag}>", ", ".join(f"<{tag}>" for tag in ROOTS), "give a file of SimSo, CARTS or SchedCAT",
                                 f"{Path(path).name}:{root.line}")])
    return ROOTS[root.tag].read(path, **options)  # type: ignore[attr-defined]
