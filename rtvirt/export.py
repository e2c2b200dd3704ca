"""Tables to files. A file appears complete or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import RtvirtError

if TYPE_CHECKING:
    import pandas as pd

    from .results import Run

TABLES = {"trace": ("slices", "jobs", "wakeups", "events"), "jobs": ("jobs",), "summary": ()}


def to_csv(run: Run, folder: str | Path) -> list[Path]:
    """Each recorded table as ``NAME.csv``."""
    return write_tables(run, folder, "csv", lambda table, path: table.to_csv(path, index=False))


def to_parquet(run: Run, folder: str | Path) -> list[Path]:
    """Each recorded table as ``NAME.parquet``."""
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        raise RtvirtError("writing Parquet needs pyarrow: install the extra with `pip install 'rtvirt[parquet]'`, or use to_csv") \
            from None
    return write_tables(run, folder, "parquet", lambda table, path: table.to_parquet(path, index=False))


def write_tables(run: Run, folder: str | Path, suffix: str, write: Callable[[pd.DataFrame, Path], None]) -> list[Path]:
    """Write the run's tables, and its statistics, one file each."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    tables = {name: getattr(run, name) for name in TABLES[run.record]}
    tables |= {"vms": run.vms.reset_index(), "tasks": run.tasks.reset_index()}
    return [atomically(folder / f"{name}.{suffix}", lambda path, table=table: write(table, path)) for name, table in tables.items()]


def atomically(path: Path, write: Callable[[Path], None]) -> Path:
    """Let `write` fill a temporary file beside `path`, then put it in place; on any failure nothing is left behind."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    temporary = Path(name)
    try:
        write(temporary)
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise RtvirtError(f"cannot write {path.name}: {error.strerror or error}; nothing was left half-written") from error
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return path
