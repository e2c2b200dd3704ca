"""The data folder: files by name, each checked against its digest."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from .errors import RtvirtError

FOLDER = Path(__file__).resolve().parent.parent / "data"


def path(name: str) -> Path:
    """Path of a file of the data folder, after checking its digest.

    Raises
    ------
    RtvirtError
        When the folder or the file is missing, or the file is not what the manifest says.
    """
    file, entry = FOLDER / name, manifest().get(name)
    if entry is None or not file.exists():
        known = ", ".join(sorted(known for known in manifest() if known.split("/")[0] == name.split("/")[0])) or ", ".join(sorted(manifest()))
        raise RtvirtError(f"there is no data file {name!r}; there are {known[:400]}")
    if digest(file) != entry["sha256"]:
        raise RtvirtError(f"data/{name} is not the file that data/manifest.json describes: restore it, or run "
                          "`python -m rtvirt.data` if the change is wanted")
    return file


def manifest() -> dict[str, dict[str, Any]]:
    """What is in the folder: digest, units and provenance of each file."""
    try:
        return json.loads((FOLDER / "manifest.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RtvirtError("the data folder is not beside the package: get the whole repository, and work in it") from None


def digest(file: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()
