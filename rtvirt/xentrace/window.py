"""A window of a trace: what ran when, who woke when, and the system that would do the same in the model."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import Problem, SpecError
from ..notice import waiting
from ..schedulers import Credit
from ..system import VM, Costs, System, Task, hog
from ..units import ms, us
from . import credit2, rtds
from .clocks import accountings_of, ticks_of
from .guest import guest_tasks
from .opened import Opened
from .opening import Opening, opening_of
from .steps import IDLE_DOMAIN

if TYPE_CHECKING:
    import pandas as pd

PATH_COSTS = Costs.preset("traced-xen")
"""Path costs of the traced machine, read off window E3b_credit_p7w1_2hogs (whose own score is therefore *fitted*)."""

OTHERS = {"rtds": rtds, "credit2": credit2}
"""Schedulers that write down how they stand: their windows are opened, and compared, in modules of their own."""

COLUMNS = {
    "runs": ("start_ns", "end_ns", "cpu", "dom", "vcpu", "end"), "wakes": ("wake_ns", "run_ns", "dom", "vcpu", "lat_ns"),
    "events": ("t_ns", "cpu", "event", "dom", "vcpu", "args"), "guest_d1": ("due_ns", "late_ns", "dur_ns"), "rtds": ("t_ns", "event", "dom"),
}
ORDERED = (("start_ns", "end_ns"), ("wake_ns", "run_ns"))
WORDS = ("name", "sched", "end", "event", "args")
LONGEST, LONGEST_WORK = 2**53, 2**50


def load(folder: str | Path, name: str) -> Window:
    """A window of a trace.

    Parameters
    ----------
    folder : path
        Holds ``experiments.csv`` and, for each window, ``NAME.runs.csv.gz`` and ``NAME.wakes.csv.gz``; ``NAME.events.csv.gz`` and
        ``NAME.guest_d1.csv.gz`` may be absent (then the phases of ticks and accountings are searched too, see `Opening`).
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
    files = {kind: read(folder / f"{name}.{kind}.csv.gz", columns, optional=kind in ("events", "guest_d1", "rtds"))
             for kind, columns in COLUMNS.items()}
    check_stints(files["runs"], f"{name}.runs.csv.gz")
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
        if column not in WORDS:
            table[column] = whole_numbers(table[column], column, path.name)
    for first, second in ORDERED:
        if first in columns and (table[first] > table[second]).any():
            row = int((table[first] > table[second]).to_numpy().argmax())
            raise SpecError([Problem(second, int(table[second].iloc[row]), f"not before {first}, {int(table[first].iloc[row])}",
                                     "correct or remove the row", f"{path.name}:{row + 2}")])
    return table


def check_stints(runs: Any, file: str) -> None:
    """Refuse a table of stints in which nobody runs, or a vCPU before time 0, or twice at once."""
    if not (runs["dom"] != IDLE_DOMAIN).any():
        raise SpecError([Problem("dom", f"{len(runs)} rows", "at least one stint of a domain", "copy the file again", file)])
    ordered = runs.sort_values(["dom", "vcpu", "start_ns", "end_ns"], kind="stable")
    same = (ordered[["dom", "vcpu"]] == ordered[["dom", "vcpu"]].shift()).all(axis=1)
    free_from = ordered["end_ns"].shift(fill_value=0).where(same & (ordered["dom"] != IDLE_DOMAIN), 0)
    bad = ordered.index[ordered["start_ns"] < free_from]
    if len(bad) or not runs["start_ns"].is_monotonic_increasing:
        row = int(bad[0]) if len(bad) else int(runs["start_ns"].diff().lt(0).to_numpy().argmax())
        allowed = f"at least {int(free_from[row])}, when the vCPU's stint before ends" if len(bad) else "not before the row above"
        raise SpecError([Problem("start_ns", int(runs["start_ns"][row]), allowed, "correct, sort or remove the rows", f"{file}:{row + 2}")])


def whole_numbers(values: Any, column: str, file: str) -> Any:
    """A column as int64; SpecError with the line of the first entry that is not a whole number of a sensible size."""
    import pandas as pd

    numbers = pd.to_numeric(values, errors="coerce")
    bad = ~(numbers.abs() <= LONGEST) | (numbers % 1 != 0)
    if bad.any():
        row = int(bad.to_numpy().argmax())
        raise SpecError([Problem(column, values.iloc[row], "a whole number" + " of ns" * column.endswith("_ns"), "correct or remove the row",
                                 f"{file}:{row + 2}")])
    return numbers.astype(np.int64)


@dataclass(frozen=True)
class OpenedCredit(Opened, Credit):
    """Xen's credit scheduler as it stands when a trace's window opens: with credits, active list and the traced machine's own timers."""

    def initial(self) -> dict[str, Any]:
        """An `Opening` knows more than `initial` takes."""
        return self.opening.initial()


class Window:
    """A few seconds of a real Xen.

    Attributes
    ----------
    name : str
    duration : int [ns]
    costs : Costs
        Path costs of the traced machine; `PATH_COSTS` unless you set others.
    slices, wakeups : DataFrame
        As a `Run`'s: VMs are called d0, d1, ...
    events, guest : DataFrame or None
        Every trace record; what a task inside guest d1 saw.
    lost : int
        Records that Xen had to drop; 0 in the shipped windows.
    """

    def __init__(self, name: str, row: Mapping[str, Any], files: Mapping[str, Any]) -> None:
        self.name, self.row = name, dict(row)
        if self.row["sched"] == "rtds":
            files = rtds.on_xens_clock(files)
        self.runs, self.wakes, self.events, self.guest = files["runs"], files["wakes"], files["events"], files["guest_d1"]
        self.rtds = files.get("rtds")
        self.all_runs = self.runs
        self.runs = self.runs[self.runs["dom"] != IDLE_DOMAIN].reset_index(drop=True)
        self.duration, self.cpus, self.costs = int(self.runs["end_ns"].max()), int(self.row["pcpus"]), PATH_COSTS
        if self.row["sched"] in OTHERS:
            self.costs = OTHERS[self.row["sched"]].path_costs()
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
    def first_runs(self) -> list[int]:
        """Domains in the order in which they first ran: so those that waited when the window opened were queued."""
        return self.runs.drop_duplicates("dom")["dom"].astype(int).tolist()

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

    def scheduler(self) -> OpenedCredit | credit2.OpenedCredit2 | rtds.OpenedRTDS:
        """The scheduler with the window's parameters, as it stands when the window opens; SpecError unless it is credit, credit2 or RTDS."""
        if self.row["sched"] in OTHERS:
            return OTHERS[self.row["sched"]].opened(self)
        return OpenedCredit(timeslice=self.parameters.timeslice, ratelimit=self.parameters.ratelimit, opening=self.opening)

    @cached_property
    def opening(self) -> Opening:
        """Credits, active list and timers at the window's beginning, fitted on its unscored first 2.5 s: seconds of work, once; with caps
        on several VMs, whose order is searched too, up to a minute."""
        with waiting(f"rtvirt: fitting in what state {self.name} opens (some seconds, longer with caps) ..."):
            return opening_of(self)

    @cached_property
    def ticks(self) -> np.ndarray:
        """Instants of ticks [ns]; empty without events, or with several pCPUs."""
        return ticks_of(self)

    @cached_property
    def accountings(self) -> np.ndarray:
        """Instants of accountings, seen and inferred [ns]; empty if none was seen."""
        return accountings_of(self)

    @cached_property
    def parameters(self) -> Credit:
        """The scheduler's time slice and ratelimit, without the opening; SpecError unless it is credit."""
        if self.row["sched"] != "credit":
            raise SpecError([Problem("sched", self.row["sched"], "credit", "choose a window of the credit scheduler", "experiments.csv")])
        rate = self.row.get("ratelimit_us")
        return Credit(timeslice=ms(int(self.row["tslice_ms"])), ratelimit=us(1000 if rate is None or rate != rate else int(rate)))

    def weight(self, vm: str) -> int:
        """Of a VM; an absent one means 256."""
        return self.setting("weights").get(vm, 256)

    def cap(self, vm: str) -> int:
        """Of a VM, percent of a pCPU; 0: none."""
        return self.setting("caps").get(vm, 0)

    @cached_property
    def awake_at_start(self) -> set[int]:
        """Domains that run or wait when the window opens."""
        ran, woken = (table.drop_duplicates("dom").set_index("dom")[time].to_dict()
                      for table, time in ((self.runs, "start_ns"), (self.wakes, "wake_ns")))
        return {d for d in self.domains if ran[d] < woken.get(d, self.duration)}

    def system(self, costs: Costs | None = None, *, demand: str = "measured") -> System:
        """One VM a domain, doing what the domain did.

        Parameters
        ----------
        costs : Costs, optional
            Of the traced machine's paths; by default `Window.costs`.
        demand : {"measured", "guest"}
            A task that wakes when the domain really woke and computes what it really computed; or, for domains with a periodic task, a
            model of that guest (`guest`), which reacts to being served late.
        """
        if demand not in ("measured", "guest"):
            raise SpecError([Problem("demand", demand, "measured, guest", "choose one of these", "")])
        costs = costs or self.costs
        orders = {"rtds": rtds.start_order, "credit2": credit2.start_order}
        order = orders[self.row["sched"]](self) if self.row["sched"] in orders else self.first_runs
        vms = [VM(f"d{d}", tasks=self.tasks(d, costs, demand), weight=self.weight(f"d{d}"), cap=self.cap(f"d{d}"), control=d == 0,
                  start=order.index(d) if d in order and d in self.awake_at_start else 0, **rtds.contract(self, d)) for d in self.domains]
        return System(cpus=self.cpus, vms=vms, costs=costs)

    def tasks(self, domain: int, costs: Costs, demand: str) -> list[Task]:
        """A hog for a domain that never blocks, else its measured wake-ups and demands, or a model of the guest."""
        if not (self.runs.loc[self.runs["dom"] == domain, "end"] == "blocked").any():
            return [hog()]
        if demand == "guest" and (modelled := guest_tasks(self, domain, costs)):
            return modelled
        wakes, demands = self.demands(domain, costs)
        return [Task("replay", releases=wakes, wcet=demands)] if wakes else []

    def demands(self, domain: int, costs: Costs) -> tuple[list[int], list[int]]:
        """Instants at which a domain woke, and the work it then did until it blocked [ns].

        A stint's work ends at the decision (preempted) or at the blocking itself; what the hypervisor adds to the recorded stint is
        taken off. A domain that runs or waits when the window opens has woken at 0.
        """
        runs = self.runs[self.runs["dom"] == domain]
        overhead = np.where(runs["end"] == "blocked", (costs.block_switch_out or costs.switch_out) + costs.block_path, costs.switch_out)
        work = np.maximum(runs["end_ns"].to_numpy() - runs["start_ns"].to_numpy() - overhead, 1)
        wakes = self.wake_instants(domain, costs)
        asked = np.searchsorted(wakes, runs["start_ns"].to_numpy(), "right") - 1
        total = np.bincount(asked, weights=work, minlength=len(wakes)).astype(np.int64)
        if runs["end"].iloc[-1] != "blocked":
            total[asked[-1]] = LONGEST_WORK                # it goes on beyond the window
        worked = total > 0                                 # a wake-up at the window's very end has not run yet
        if self.row["sched"] == "credit2" and credit2.had_blocked(runs.iloc[0], costs):
            worked[0] = False
        return wakes[worked].tolist(), total[worked].tolist()

    def wake_instants(self, domain: int, costs: Costs) -> np.ndarray:
        """When a domain woke [ns], also where the table of wake-ups lacks one: before its first stint, and between a block and a stint."""
        runs = self.runs[self.runs["dom"] == domain]
        starts, ends = runs["start_ns"].to_numpy(), runs["end_ns"].to_numpy()
        wakes = self.wakes.loc[self.wakes["dom"] == domain, "wake_ns"].to_numpy().astype(np.int64)
        begins = np.append(True, (runs["end"] == "blocked").to_numpy()[:-1])           # stints that need a wake-up before them
        since = np.append(0, ends[:-1])
        told = np.searchsorted(wakes, starts, "right") > np.searchsorted(wakes, since)
        untold = np.maximum(starts - costs.wake_path - costs.switch_in, since)
        untold[0] = 0                                      # it ran or waited when the window opened
        return np.sort(np.append(wakes, untold[begins & ~told]))

    def __repr__(self) -> str:
        return f"<Window {self.name}: {self.duration / 1e9:.1f} s of a real Xen, {self.row['sched']}, domains {self.domains}>"
