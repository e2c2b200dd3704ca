"""RTDS windows: contracts, the state at the beginning, and how near a free run stays to the trace.

RTDS writes down deadlines and budgets, so nothing has to be fitted: the state at the beginning is what the first records say. Xen's clock
and the trace's differ by a constant and by one part in a million, both of which are read off the replenishments: each follows its deadline
by the same path.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import Problem, SpecError
from ..schedulers import RTDS
from ..system import Costs
from ..units import us
from .opened import Opened

if TYPE_CHECKING:
    import pandas as pd

    from .window import Window

NEAR = 25_000                                # a dispatch is the same within so long [ns]
LATE = 200_000                               # a replenishment is late from here on [ns]
SAME = 50_000                                # and the same within so long [ns]
PASS = 4_000                                 # records of one pass of the replenishment timer come 2 us apart [ns]
COLUMN = "rtds_period_budget_extra_us"


def path_costs() -> Costs:
    """Path costs of the traced machine under RTDS, read off window E4a."""
    return Costs.preset("traced-xen-rtds")


@dataclass(frozen=True)
class OpenedRTDS(Opened, RTDS):
    """RTDS as it stands when a trace's window opens."""


def contract(window: Window, domain: int) -> dict[str, Any]:
    """Budget, period and extratime of a domain, as `VM` takes them; {} for windows of another scheduler, or if absent."""
    told = window.setting(COLUMN).get(f"d{domain}")
    if window.row["sched"] != "rtds" or told is None:
        return {}
    period, budget, extratime = told
    return {"period": int(us(period)), "budget": int(us(budget)), "extratime": bool(extratime)}


def records(window: Window) -> pd.DataFrame:
    """The window's records of budgets; SpecError if it has none."""
    if window.rtds is None:
        raise SpecError([Problem("file", f"{window.name}.rtds.csv.gz", "a file that exists", "an RTDS window needs its records of budgets", "")])
    return window.rtds


def on_xens_clock(files: dict[str, Any]) -> dict[str, Any]:
    """The tables of stints, wake-ups and budgets with the trace's clock made as fast as Xen's, by which deadlines go.

    Both count the same oscillator, but Xen has calibrated its own. The rate is the median slope of (time of a replenishment - its new
    deadline) over half the window. Only the first record of a pass follows the deadline by a constant.
    """
    if files.get("rtds") is None:
        return files
    found = files["rtds"].query("event == 'replenish'")
    found = found[found["t_ns"].diff().fillna(LATE) > PASS]
    found = found[found["dom"] == found["dom"].mode()[0]]              # the domain that is replenished most often
    at, ahead, half = found["t_ns"].to_numpy(), (found["t_ns"] - found["deadline_ns"]).to_numpy(), len(found) // 2
    rate = float(np.median((ahead[half:2 * half] - ahead[:half]) / (at[half:2 * half] - at[:half])))
    columns = {"runs": ("start_ns", "end_ns"), "wakes": ("wake_ns", "run_ns"), "rtds": ("t_ns",)}
    return dict(files) | {kind: files[kind].assign(**{c: np.rint(files[kind][c] / (1 + rate)).astype(np.int64) for c in names})
                          for kind, names in columns.items()}


def renewals(window: Window) -> pd.DataFrame:
    """Replenishments by the timer: t_ns, dom, due_ns (when the old deadline passed, in the window's time).

    A record belongs to the timer unless its domain has just woken. The first record of a pass follows the deadline by a constant; later
    records of the pass come 2 us apart.
    """
    table = records(window)
    table = table[table["event"] == "replenish"]
    woken = window.wakes[["wake_ns", "dom"]]
    by_wake = [bool((np.abs(woken.loc[woken["dom"] == d, "wake_ns"] - t) < PASS).any()) for t, d in zip(table["t_ns"], table["dom"])]
    table = table[~np.array(by_wake, bool)]
    period = table["dom"].map(lambda d: contract(window, int(d))["period"])
    due = (table["deadline_ns"] - period).astype(np.int64)
    first = table["t_ns"].diff().fillna(LATE) > PASS                    # of its pass
    shift = int(np.median((table["t_ns"] - due)[first]))
    return table.assign(due_ns=due + shift, shift=shift)[["t_ns", "dom", "due_ns", "shift"]].reset_index(drop=True)


def opening_of(window: Window) -> dict[str, Any]:
    """Deadlines, budgets and levels when the window opens, as `simulate` takes them in `initial`."""
    table, shift = records(window), int(renewals(window)["shift"].iloc[0])
    opening: dict[str, Any] = {"deadline": {}, "budget": {}, "level": {}, "depleted": {}}
    for d in window.domains:
        mine, server, name = table[table["dom"] == d], contract(window, d), f"d{d}"
        first = mine.iloc[0]
        deadline = int(mine["deadline_ns"].dropna().iloc[0]) - (server["period"] if (mine["event"] == "replenish").idxmax() ==
                                                                mine["deadline_ns"].first_valid_index() else 0)
        opening["deadline"][name] = deadline + shift
        if first["event"] == "replenish":                # it has not run before: it had nothing left, or slept
            opening["budget"][name], opening["level"][name] = (server["budget"], 1) if server["extratime"] else (0, 0)
            opening["depleted"][name] = not server["extratime"]
        elif first["event"] == "burn":                   # it ran
            opening["budget"][name] = int(first["budget_ns"] + (first["delta_ns"] if first["prio"] == 0 else 0))
            opening["level"][name] = max(int(first["prio"]) - int(first["budget_ns"] == server["budget"]), 0)
        else:                                            # it was chosen with so much left
            opening["budget"][name] = int(first["budget_ns"])
            burned = mine[mine["event"] == "burn"].iloc[0]
            opening["level"][name] = max(int(burned["prio"]) - int(burned["budget_ns"] == server["budget"]), 0)
    return opening


def start_order(window: Window) -> list[int]:
    """Domains in the order in which they are first replenished; before them the one that runs."""
    running = int(window.runs.iloc[0]["dom"]) if window.runs.iloc[0]["start_ns"] == 0 else -1
    order = records(window).query("event == 'replenish'").drop_duplicates("dom")["dom"].astype(int).tolist()
    order += [d for d in window.domains if d not in order]
    return sorted(order, key=lambda d: d != running)


def opened(window: Window) -> OpenedRTDS:
    """RTDS with the window's opening."""
    return OpenedRTDS(opening=opening_of(window))


# ------------------------------------------------------------------ how near


@dataclass(frozen=True)
class Agreement:
    """A free run of RTDS beside the trace; the whole window is scored, 6 or 10 s. Nothing is put right on the way.

    Attributes
    ----------
    time : float
        Fraction of time in which the same vCPU runs, or none.
    dispatches : float
        Fraction of the trace's dispatches that the model has within 25 us.
    late, late_agreed : int
        Replenishments that came more than 0.2 ms late in the whole window, and those of them that are late in the model too, to 50 us.
    share_pp : float
        Largest error of a VM's share, percentage points.
    """

    time: float
    dispatches: float
    late: int
    late_agreed: int
    share_pp: float


def agreement(real: Window, model: Any) -> Agreement:
    """Compare a free model run with the RTDS window that it replays."""
    from .fidelity import share_error

    late = renewals(real)
    late = late[late["t_ns"] - late["due_ns"] > LATE]
    events = model.events[model.events["event"] == "replenish"]
    found = sum(bool((np.abs(events.loc[events["vm"] == f"d{d}", "time"] - t) < SAME).any()) for t, d in zip(late["t_ns"], late["dom"]))
    ours, theirs, end = model.slices, real.slices, real.duration
    return Agreement(time=same_time(theirs, ours, 0, end), dispatches=same_dispatches(theirs, ours, 0, end), late=len(late), late_agreed=found,
                     share_pp=share_error(theirs, ours, 0, end))


def same_time(real: pd.DataFrame, model: pd.DataFrame, start: int, end: int) -> float:
    """Fraction of [start, end) in which both run the same VM, or none; one pCPU."""
    cuts = np.unique(np.concatenate([[start, end], *(t[c].to_numpy() for t in (real, model) for c in ("start", "end"))]))
    cuts = cuts[(cuts >= start) & (cuts <= end)]
    ours, theirs = (runs_at(t, cuts[:-1]) for t in (model, real))
    return float(np.diff(cuts)[ours == theirs].sum()) / (end - start)


def runs_at(table: pd.DataFrame, instants: np.ndarray) -> np.ndarray:
    """Who runs at each instant; "" for nobody."""
    table = table[table["end"] > table["start"]].sort_values("start")
    at = np.searchsorted(table["start"].to_numpy(), instants, "right") - 1
    names = np.append(table["vm"].to_numpy().astype(str), "")
    ends = np.append(table["end"].to_numpy(), 0)
    return np.where((at >= 0) & (ends[at] > instants), names[at], "")


def same_dispatches(real: pd.DataFrame, model: pd.DataFrame, start: int, end: int) -> float:
    """Fraction of the real dispatches within [start, end) that the model has, to 25 us."""
    agreed = count = 0
    for vm, table in real.groupby("vm"):
        starts = table["start"].to_numpy()
        starts = starts[(starts >= start) & (starts < end)]
        ours = np.sort(model.loc[model["vm"] == vm, "start"].to_numpy())
        at = np.searchsorted(ours, starts)
        gaps = [np.abs(np.append(ours, 2**60)[np.clip(at + k, 0, len(ours))] - starts) for k in (-1, 0)]
        agreed += int((np.minimum(*gaps) <= NEAR).sum())
        count += len(starts)
    return agreed / count if count else float("nan")
