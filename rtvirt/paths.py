"""What became of messages: one table a path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from .engine.record import Recording, percentile
from .errors import RecordError
from .system.devices import CAUSES
from .traffic import STAGES_OF_A_PATH, STAMPS

if TYPE_CHECKING:
    import pandas as pd

STAMP_NAMES = ("in", "known", "taken", "out")


class Paths(Mapping[str, "pd.DataFrame"]):
    """The messages of a run, by the name of their path: ``run.paths["net0.rx"]``.

    A table has one row a message, in the order in which they ended, those still on their way at the end: its number; ``dropped``, the stage
    where it was given up, or empty; ``total`` from its first instant to its delivery [ns], -1 if it was not delivered; the causes, which add
    up to the time from its first instant to its end (docs/io-model.md 8); the stamps of each stage, ``<stage>.in``, ``.known``, ``.taken``,
    ``.out`` [ns], -1 where it has not been.

    Raises
    ------
    RecordError
        On reading a table of a run that was not recorded with ``record="trace"``.
    KeyError
        For a path that does not exist; names those that do.
    """

    def __init__(self, recording: Recording, record: str) -> None:
        self.recording, self.record = recording, record
        self.tables: dict[str, pd.DataFrame] = {}

    def __iter__(self) -> Iterator[str]:
        return (path.name for path in self.recording.plumbing.paths) if self.recording.plumbing else iter(())

    def __len__(self) -> int:
        return len(self.recording.plumbing.paths) if self.recording.plumbing else 0

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name not in list(self):
            raise KeyError(f"no path called {name!r}; there are {', '.join(self) or 'none'}")
        if self.record != "trace":
            raise RecordError(f'run.paths[{name!r}] was not recorded: this run kept record={self.record!r}; simulate with record="trace", '
                              "or read run.paths.summary")
        if name not in self.tables:
            self.tables[name] = self.table(list(self).index(name))
        return self.tables[name]

    def table(self, number: int) -> pd.DataFrame:
        """The table of a path."""
        import pandas as pd

        path = self.recording.plumbing.paths[number]
        rows = self.recording.messages[self.recording.messages[:, 0] == number]
        unfinished = (rows[:, 2] < 0) & (rows[:, 3] < 0)
        order = np.concatenate([np.flatnonzero(~unfinished), np.flatnonzero(unfinished)[np.argsort(rows[unfinished, 1], kind="stable")]])
        rows = rows[order]
        places = np.array([stage.name for stage in path.stages] + ["app", ""], object)
        columns = {"message": rows[:, 1], "dropped": places[rows[:, 2]], "total": rows[:, 3]}
        columns |= {cause: rows[:, 4 + i] for i, cause in enumerate(CAUSES)}
        first = 4 + len(CAUSES)
        for i, stage in enumerate(path.stages):
            columns |= {f"{stage.name}.{what}": rows[:, first + STAMPS * i + k] for k, what in enumerate(STAMP_NAMES)}
        if path.into is not None:
            last = first + STAMPS * STAGES_OF_A_PATH
            columns |= {f"app.{what}": rows[:, last + k] for k, what in enumerate(("in", "taken", "out"))}
        return pd.DataFrame(columns)

    @cached_property
    def summary(self) -> pd.DataFrame:
        """One row a path, in every record mode: delivered, dropped, total min, mean, p50, p99, p99.9, max [ns], the mean of each cause [ns].

        Of delivered messages only: one that is still on its way, or was dropped, is in none of the times.
        """
        import pandas as pd

        rec, rows = self.recording, []
        for i, _ in enumerate(self):
            delivered, dropped, *causes = (int(x) for x in rec.path_totals[i])
            count, least, most, total = (int(x) for x in rec.path_times[i])
            spread = {f"p{100 * q:g}": min(max(percentile(rec.path_hist[i], q), least), most) if count else -1 for q in (0.5, 0.99, 0.999)}
            rows.append({"delivered": delivered, "dropped": dropped, "min": least if count else -1, "mean": total / count if count else -1.0,
                         **spread, "max": most if count else -1,
                         **{cause: each / delivered if delivered else 0.0 for cause, each in zip(CAUSES, causes, strict=True)}})
        return pd.DataFrame(rows, index=pd.Index(list(self), name="path"))
