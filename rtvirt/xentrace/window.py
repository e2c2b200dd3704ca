"""A window of a trace: what ran when, who woke when, and the system that would do the same in the model."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import Problem, SpecError
from ..schedulers import Credit
from ..system import VM, Costs, System, Task, hog
from ..units import ms, us

if TYPE_CHECKING:
    import pandas as pd

IDLE_DOMAIN = 32767
PATH_COSTS = Costs(wake_path=7990, boost_path=1500, block_path=4890, switch_out=8200, switch_in=9960, block_switch_out=8070,
                   block_switch_in=9820, timer_slop=50_000, slice_late=3430, tick_late=5600, account_late=4130)
"""Path costs of the traced machine, read off window E3b_credit_p7w1_2hogs (whose own score is therefore *fitted*)."""

COLUMNS = {
    "runs": ("start_ns", "end_ns", "cpu", "dom", "vcpu", "end"), "wakes": ("wake_ns", "run_ns", "dom", "vcpu", "lat_ns"),
    "events": ("t_ns", "cpu", "event", "dom", "vcpu", "args"), "guest_d1": ("due_ns", "late_ns", "dur_ns"),
}
LONGEST_WORK = 2**50


def load(folder: str | Path, name: str) -> Window:
    """A window of a trace.

    Parameters
    ----------
    folder : path
        Holds ``experiments.csv`` and, for each window, ``NAME.runs.csv.gz`` and ``NAME.wakes.csv.gz``; ``NAME.events.csv.gz`` and
        ``NAME.guest_d1.csv.gz`` may be absent (then ticks, and decisions, cannot be compared one by one).
    name : str
        As in the table's column ``name``.

    Raises
    ------
    SpecError
        When a file is missing, cut off, or lacks a column; it says which, and what to do.
    """
    folder = Path(folder)
    table = read(folder / "experiments.csv", ("name", "sched", "pcpus"))
    rows = table[table["name"] == name]
    if len(rows) != 1:
        known = ", ".join(table["name"].astype(str))
        raise SpecError([Problem("name", name, known or "a window of experiments.csv", "choose one of these", "experiments.csv")])
    files = {kind: read(folder / f"{name}.{kind}.csv.gz", columns, optional=kind in ("events", "guest_d1"))
             for kind, columns in COLUMNS.items()}
    return Window(name, rows.iloc[0].to_dict(), files)


def read(path: Path, columns: tuple[str, ...], optional: bool = False) -> Any:
    """A table with at least these columns; None if an optional file is absent."""
    import pandas as pd

    def refuse(value: Any, allowed: str, fix: str) -> SpecError:
        return SpecError([Problem("file", value, allowed, fix, path.name)])

    try:
        table = pd.read_csv(path)
    except FileNotFoundError:
        if optional:
            return None
        raise refuse(str(path.name), "a file that exists", "check the folder and the window's name") from None
    except (EOFError, gzip.BadGzipFile, OSError) as error:
        raise refuse(str(error), "a complete gzip file", "copy the file again: it is cut off or damaged") from None
    except (ValueError, UnicodeDecodeError) as error:
        raise refuse(str(error).splitlines()[0], "comma-separated columns with a header", "export the table again") from None
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise refuse(f"columns {', '.join(map(str, table.columns))}", f"also {', '.join(missing)}", "export the missing columns too")
    for column in columns:
        if column.endswith("_ns") and not pd.api.types.is_numeric_dtype(table[column]):
            bad = pd.to_numeric(table[column], errors="coerce").isna().idxmax()
            raise SpecError([Problem(column, table[column][bad], "an integer of ns", "correct or remove the row", f"{path.name}:{bad + 2}")])
    return table


class Window:
    """A few seconds of a real Xen.

    Attributes
    ----------
    name : str
    duration : int [ns]
    slices, wakeups : DataFrame
        As a `Run`'s: VMs are called d0, d1, ...
    events, guest : DataFrame or None
        Every trace record; what a task inside guest d1 saw.
    lost : int
        Records that Xen had to drop; 0 in the shipped windows.
    """

    def __init__(self, name: str, row: Mapping[str, Any], files: Mapping[str, Any]) -> None:
        self.name, self.row = name, dict(row)
        self.runs, self.wakes, self.events, self.guest = files["runs"], files["wakes"], files["events"], files["guest_d1"]
        self.runs = self.runs[self.runs["dom"] != IDLE_DOMAIN].reset_index(drop=True)
        self.duration = int(self.runs["end_ns"].max())
        self.lost = int(self.row.get("lost", 0))

    def setting(self, column: str) -> dict[str, int]:
        """A JSON cell of the table of experiments; {} if absent."""
        value = self.row.get(column)
        return json.loads(value) if isinstance(value, str) and value.strip() else {}

    @cached_property
    def domains(self) -> list[int]:
        """Domains that ran, in order."""
        return sorted(int(d) for d in self.runs["dom"].unique())

    @cached_property
    def slices(self) -> pd.DataFrame:
        """Real stints: cpu, vm, vcpu, start, end [ns]."""
        import pandas as pd

        runs = self.runs
        return pd.DataFrame({"cpu": runs["cpu"], "vm": "d" + runs["dom"].astype(str), "vcpu": runs["vcpu"], "start": runs["start_ns"],
                             "end": runs["end_ns"]})

    @cached_property
    def wakeups(self) -> pd.DataFrame:
        """Real wake-ups: vm, vcpu, woken, dispatched, latency [ns]."""
        import pandas as pd

        wakes = self.wakes
        return pd.DataFrame({"vm": "d" + wakes["dom"].astype(str), "vcpu": wakes["vcpu"], "woken": wakes["wake_ns"],
                             "dispatched": wakes["run_ns"], "latency": wakes["lat_ns"]})

    # -------------------------------------------------------------- the model's side

    def scheduler(self) -> Credit:
        """The scheduler with the window's parameters."""
        if self.row["sched"] != "credit":
            raise SpecError([Problem("sched", self.row["sched"], "credit", "choose a window of the credit scheduler", "experiments.csv")])
        rate = self.row.get("ratelimit_us")
        return Credit(timeslice=ms(int(self.row["tslice_ms"])), ratelimit=us(1000 if rate != rate else int(rate)))

    def system(self, costs: Costs = PATH_COSTS) -> System:
        """One VM a domain, with a task that wakes when the domain really woke and computes what it really computed."""
        weights, caps = self.setting("weights"), self.setting("caps")
        vms = [VM(f"d{d}", tasks=self.tasks(d, costs), weight=weights.get(f"d{d}", 256), cap=caps.get(f"d{d}", 0), control=d == 0)
               for d in self.domains]
        return System(cpus=int(self.row["pcpus"]), vms=vms, costs=costs)

    def tasks(self, domain: int, costs: Costs) -> list[Task]:
        """A hog for a domain that never blocks, else its measured wake-ups and demands."""
        if not (self.runs.loc[self.runs["dom"] == domain, "end"] == "blocked").any():
            return [hog()]
        wakes, demands = self.demands(domain, costs)
        return [Task("replay", releases=wakes, wcet=demands)] if wakes else []

    def demands(self, domain: int, costs: Costs = PATH_COSTS) -> tuple[list[int], list[int]]:
        """Instants at which a domain woke, and the work it then did until it blocked [ns].

        A stint's work ends at the decision (preempted) or at the blocking itself; what the hypervisor adds to the recorded stint is
        taken off. A domain that runs or waits when the window opens has woken at 0.
        """
        runs = self.runs[self.runs["dom"] == domain]
        overhead = np.where(runs["end"] == "blocked", (costs.block_switch_out or costs.switch_out) + costs.block_path, costs.switch_out)
        work = np.maximum(runs["end_ns"].to_numpy() - runs["start_ns"].to_numpy() - overhead, 1)
        last = np.append(0, np.cumsum((runs["end"] == "blocked").to_numpy())[:-1])
        total = np.bincount(last, weights=work, minlength=int(last.max()) + 1).astype(np.int64)
        if runs["end"].iloc[-1] != "blocked":
            total[-1] = LONGEST_WORK                       # it goes on beyond the window
        wakes = self.wakes.loc[self.wakes["dom"] == domain, "wake_ns"].to_numpy()
        if runs["start_ns"].iloc[0] < (wakes[0] if len(wakes) else self.duration):
            wakes = np.append(0, wakes)
        n = min(len(wakes), len(total))
        return wakes[:n].tolist(), total[:n].tolist()

    # -------------------------------------------------------------- the scheduler's clocks

    @cached_property
    def ticks(self) -> np.ndarray:
        """Instants of ticks, read off the records that a tick leaves [ns]; empty without an events file, or with several pCPUs."""
        if self.events is None or int(self.row["pcpus"]) != 1:
            return np.zeros(0, np.int64)
        marks = self.events[self.events["event"].isin(["C_PICKED_CPU", "C_ACCT_START"])]["t_ns"].to_numpy()
        return np.unique(marks)

    @cached_property
    def accountings(self) -> np.ndarray:
        """Instants of accountings: a grid through those that left a record (a vCPU became inactive, or was parked) [ns]."""
        if self.events is None:
            return np.zeros(0, np.int64)
        seen = self.events[self.events["event"] == "C_ACCT_STOP"]["t_ns"].to_numpy()
        parked = self.runs[self.runs["end"] == "offline"]["end_ns"].to_numpy() - PATH_COSTS.switch_out
        seen = np.unique(np.concatenate([seen, parked]))
        if not len(seen):
            return np.zeros(0, np.int64)
        nominal = self.scheduler().timeslice
        gaps = np.diff(seen)
        about = nominal + PATH_COSTS.account_late
        near = gaps[(gaps > about / 2) & (gaps < 40 * about)]          # short gaps tell the period, which long gaps need
        if len(near):
            about = float(np.median(near / np.round(near / about)))
        between = np.round(gaps / about)
        steps = np.concatenate([[0], np.cumsum(between)]).astype(np.int64)      # gap by gap: the clock drifts
        before = int(seen[0] // about)
        after = int((self.duration - seen[-1]) // about)
        inside = np.interp(np.arange(steps[-1] + 1), steps, seen)      # the period varies: a tick that is due at nearly the same
        head = seen[0] - about * np.arange(before, 0, -1)              # instant holds the accounting up (timer slop, 1.7.1)
        tail = seen[-1] + about * np.arange(1, after + 1)
        return np.concatenate([head, inside, tail]).astype(np.int64)

    def __repr__(self) -> str:
        return f"<Window {self.name}: {self.duration / 1e9:.1f} s of a real Xen, {self.row['sched']}, domains {self.domains}>"
