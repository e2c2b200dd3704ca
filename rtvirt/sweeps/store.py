"""A store of results: one file a function, one line a finished point, written the moment it is finished.

A line is a checksum and JSON. Whoever is killed while writing leaves a line without its end: it is cut off when the file is next
opened. A line whose checksum is wrong counts as not there. Nothing is ever rewritten, so nothing that was finished can be lost.
"""

from __future__ import annotations

import json
import os
import time
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

from ..errors import RtvirtError
from ..files import folder_for

FORMAT = 1
encode = json.JSONEncoder(separators=(",", ":")).encode
SYNC = 1.0                # [s] between two waits for the disk itself, which only a power cut makes matter


class Store:
    """The results of one function in a folder.

    Attributes
    ----------
    path : Path
    results : {key: record}
        Finished points of this version: ``{"result": {column: value}}`` or ``{"error": text}``.
    about : dict
        Provenance, in the first line of a new file.
    other_versions, damaged : int
        Lines that were made by another function or model, and lines that cannot be read.
    """

    def __init__(self, folder: str | Path, name: str, version: str, about: dict[str, Any] | None = None) -> None:
        self.path, self.version, self.about = folder_for(folder) / f"{name}.jsonl", version, about
        self.results: dict[str, dict[str, Any]] = {}
        self.other_versions = self.damaged = 0
        self.writing, self.synced = Lock(), time.monotonic()
        try:
            self.file = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0), 0o644)
        except OSError as error:
            raise RtvirtError(f"cannot open the store {self.path}: {error.strerror or error}; choose another folder") from error
        try:
            hold(self.file, self.path)
            self.load()
        except BaseException:
            os.close(self.file)
            raise

    def load(self) -> None:
        """Read what is there, and cut off what was not finished."""
        with os.fdopen(os.dup(self.file), "rb") as file:
            file.seek(0)
            lines = file.read().split(b"\n")
        self.end = sum(len(line) + 1 for line in lines[:-1])
        if lines[-1]:
            os.ftruncate(self.file, self.end)
        os.lseek(self.file, self.end, os.SEEK_SET)
        for line in lines[:-1]:
            record = read_line(line)
            if record is None:
                self.damaged += 1
            elif "format" in record:
                if record["format"] != FORMAT:
                    raise RtvirtError(f"{self.path} was written by another rtvirt (format {record['format']}, this one knows {FORMAT}): "
                                      "update rtvirt, or choose another store")
            elif record["version"] == self.version:
                self.results[record["key"]] = found_in(record)
            else:
                self.other_versions += 1
        if not self.end:
            self.begin()

    def begin(self) -> None:
        """The first line."""
        self.append([{"format": FORMAT, **({"about": self.about} if self.about else {})}])

    def add(self, done: Sequence[tuple[str, dict[str, str], dict[str, Any]]]) -> None:
        """Keep finished points (key, parameters as text, record): any thread may call it."""
        with self.writing:
            self.append([{"key": key, "version": self.version} | record | {"point": point} for key, point, record in done])
            self.results.update((key, record) for key, _, record in done)

    def forget(self, keys: Iterable[str]) -> None:
        """Take points for not computed; what is computed now is written behind what was, and counts."""
        for key in keys:
            del self.results[key]

    def append(self, records: list[dict[str, Any]]) -> None:
        """Write lines, all of them or nothing."""
        texts = [encode(record).encode() for record in records]
        lines = b"".join([b"%08x %s\n" % (zlib.crc32(text), text) for text in texts])
        try:
            rest = lines
            while rest:
                rest = rest[os.write(self.file, rest):]
            self.end += len(lines)
            if time.monotonic() - self.synced > SYNC:
                os.fsync(self.file)
                self.synced = time.monotonic()
        except OSError as error:
            os.ftruncate(self.file, self.end)
            os.lseek(self.file, self.end, os.SEEK_SET)
            raise StoreError(f"cannot write to {self.path}: {error.strerror or error}; the {len(self.results)} points in it are safe: make room, "
                             "and call the same sweep again to go on") from error

    def close(self) -> None:
        """Wait for the disk, and let others write."""
        try:
            os.fsync(self.file)
        except OSError:           # some file systems cannot; what matters has been written
            pass
        os.close(self.file)


def found_in(record: dict[str, Any]) -> dict[str, Any]:
    """What of a line is the result."""
    return {name: record[name] for name in ("result", "error") if name in record}


class StoreError(RtvirtError):
    """A result could not be kept."""


def read_line(line: bytes) -> dict[str, Any] | None:
    """The record of a line; None if it is damaged."""
    try:
        checksum, text = line.split(b" ", 1)
        record = json.loads(text) if int(checksum, 16) == zlib.crc32(text) else None
    except ValueError:
        return None
    return record if isinstance(record, dict) and ("format" in record or {"key", "version"} <= record.keys()) else None


def hold(file: int, path: Path) -> None:
    """Keep other processes from writing to the same store; the system ends that when this process ends, however it does."""
    try:
        if os.name == "nt":
            import msvcrt

            os.lseek(file, 2**40, os.SEEK_SET)
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
            os.lseek(file, 0, os.SEEK_SET)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        raise RtvirtError(f"another sweep is writing to {path}: wait until it has ended, or choose another store") from None
    except OSError:               # a file system without locks
        pass
