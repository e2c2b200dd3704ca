"""The data folder: systems, traces and tables by name, each checked against its digest."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from .errors import RtvirtError
from .system import System

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


def system(name: str) -> System:
    """A system of data/systems: "phone", "dashboard" or "drone"."""
    return System.load(path(f"systems/{name}.yaml"))


def manifest() -> dict[str, dict[str, Any]]:
    """What is in the folder: digest, units and provenance of each file."""
    try:
        return json.loads((FOLDER / "manifest.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RtvirtError("the data folder is not beside the package: get the whole repository, and work in it") from None


def digest(file: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


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
