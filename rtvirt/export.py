"""Tables to files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import RtvirtError
from .files import atomically, folder_for

if TYPE_CHECKING:
    import pandas as pd

    from .results import Run

TABLES = {"trace": ("slices", "jobs", "wakeups", "events"), "jobs": ("jobs",), "summary": ()}


def to_csv(run: Run, folder: str | Path) -> list[Path]:
    """Each recorded table as ``NAME.csv``, messages of a device's path as ``path.NAME.csv``."""
    return write_tables(run, folder, "csv", lambda table, path: table.to_csv(path, index=False))


def to_parquet(run: Run, folder: str | Path) -> list[Path]:
    """The same as ``NAME.parquet``."""
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        raise RtvirtError("writing Parquet needs pyarrow: install the extra with `pip install 'rtvirt[parquet]'`, or use to_csv") \
            from None
    return write_tables(run, folder, "parquet", lambda table, path: table.to_parquet(path, index=False))


def write_tables(run: Run, folder: str | Path, suffix: str, write: Callable[[pd.DataFrame, Path], None]) -> list[Path]:
    """Write the run's tables, and its statistics, one file each."""
    folder = folder_for(folder)
    tables = {name: getattr(run, name) for name in TABLES[run.record]}
    tables |= {"vms": run.vms.reset_index(), "tasks": run.tasks.reset_index()}
    if len(run.paths):
        tables |= {"paths": run.paths.summary.reset_index()}
        tables |= {f"path.{name}": run.paths[name] for name in run.paths if run.record == "trace"}
    return [atomically(folder / f"{name}.{suffix}", lambda path, table=table: write(table, path)) for name, table in tables.items()]
