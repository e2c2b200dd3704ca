"""Systems of the data folder by name, and the folder's manifest."""

from __future__ import annotations

import json
from typing import Any

from .datafolder import FOLDER, digest, manifest, path
from .system import System

__all__ = ["FOLDER", "digest", "manifest", "path", "rebuild_manifest", "system"]


def system(name: str) -> System:
    """A system of data/systems: "phone", "dashboard" or "drone"."""
    return System.load(path(f"systems/{name}.yaml"))


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
