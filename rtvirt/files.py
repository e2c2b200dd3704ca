"""Writing files: a file appears complete or not at all, and what goes wrong is said in words."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from .errors import RtvirtError


def folder_for(path: str | Path) -> Path:
    """A folder to write to, made if need be; RtvirtError if it cannot be."""
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RtvirtError(f"cannot make the folder {path}: {error.strerror or error}; choose another one") from error
    return Path(path)


def atomically(path: Path, write: Callable[[Path], object]) -> Path:
    """Let `write` fill a temporary file beside `path`, then put it in place; on any failure nothing is left behind."""
    temporary = path.with_name(f".{uuid4().hex[:8]}.{path.name}")      # the same suffix: some writers go by it
    try:
        write(temporary)
        os.replace(temporary, path)
    except OSError as error:
        raise RtvirtError(f"cannot write {path}: {error.strerror or error}; nothing was left half-written") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    return path
