"""How near a model run comes to a real window."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from ..results import Run
from ..simulation import simulate
from .forced import forced_agreement, last_scored
from .opening import UNSCORED
from .window import OTHERS, Window

if TYPE_CHECKING:
    import pandas as pd

SLICE_GRID, WAKE_GRID = 100_000, 25_000      # [ns]: without a grid, atoms of path costs would ruin the distances
CREDIT2_GRID = 50_000                        # of stints under credit2, which are shorter [ns]
LEAST_SLICES = 60
QUANTILES = (0.05, 0.5, 0.9, 0.99, 1.0)


@dataclass(frozen=True)
class Fidelity:
    """Distances between a real window and a model run; the first 2.5 s and the last 0.2 s are not scored.

    Attributes
    ----------
    share_pp : float
        Largest error of a VM's share, percentage points.
    slice_ks : float
        Largest Kolmogorov-Smirnov distance of stint lengths, over VMs with at least 60, on a grid of 0.1 ms, 50 us under credit2.
    wakeup_ks : float
        The same for wake-up latencies of d1 on a 25 us grid; nan if it never wakes.
    wakeup_quantiles : DataFrame
        p5, p50, p90, p99, max of d1's latencies [ns], real and model.
    decisions : float
        Forced agreement (see `forced_agreement`); nan where it cannot be had: on several pCPUs, and under RTDS and credit2, which have measures of
        their own (`rtds.agreement`, `credit2.agreement`).
    boosts : tuple of int
        Wake-ups at which model and trace agree about the boost, and all; (0, 0) where it cannot be had.
    fitted : bool
        True for the windows from which the path costs come: E3b of credit, E4a of RTDS, E6a of credit2.
    """

    share_pp: float
    slice_ks: float
    wakeup_ks: float
    wakeup_quantiles: pd.DataFrame
    decisions: float
    boosts: tuple[int, int]
    fitted: bool


def fidelity(real: Window, model: Run, *, forced: bool = True) -> Fidelity:
    """Compare a model run with the window it replays; ``forced=False`` leaves out the walk through all decisions (seconds)."""
    start, end = UNSCORED, last_scored(real)
    walk = forced_agreement(real) if forced and real.cpus == 1 and real.row["sched"] not in OTHERS else None
    ours, theirs = latencies(model.wakeups, start, end), latencies(real.wakeups, start, end)
    grid = CREDIT2_GRID if real.row["sched"] == "credit2" else SLICE_GRID
    return Fidelity(
        share_pp=share_error(real.slices, model.slices, start, end),
        slice_ks=slice_distance(real.slices, model.slices, start, end, grid),
        wakeup_ks=distance(ours, theirs, WAKE_GRID), wakeup_quantiles=quantiles(theirs, ours),
        decisions=walk.agreement if walk else float("nan"), boosts=(walk.boosts_agreed, walk.boosts) if walk else (0, 0),
        fitted=real.name.startswith(("E3b_", "E4a_", "E6a_")))


@dataclass(frozen=True)
class Floor:
    """Result of `noise_floor`: medians over pairs of model runs; units as in `Fidelity`."""

    share_pp: float
    slice_ks: float


def noise_floor(real: Window, runs: int = 12) -> Floor:
    """How far model runs of one window are from each other when their path costs differ by a few microseconds.

    Priorities depend on the sign of a credit, and a credit is 0.1 ms of running: where one is 0, a microsecond decides, and from there on
    two runs go apart for good. No model can be expected to come nearer to the real machine than it comes to itself.

    Parameters
    ----------
    real : Window
    runs : int, optional
        How many; each has a wake-up path that is 0.5 us longer than the last's.
    """
    start, end = UNSCORED, last_scored(real)
    costs = [real.costs.model_copy(update={"wake_path": real.costs.wake_path + 500 * i}) for i in range(runs)]
    tables = [simulate(real.system(c), real.scheduler(), real.duration).slices for c in costs]
    pairs = list(combinations(tables, 2))
    return Floor(share_pp=float(np.median([share_error(a, b, start, end) for a, b in pairs])),
                 slice_ks=float(np.median([slice_distance(a, b, start, end) for a, b in pairs])))


def share_error(real: pd.DataFrame, model: pd.DataFrame, start: int, end: int) -> float:
    """Largest difference of shares, percentage points."""
    ours, theirs = ({vm: float(np.clip(t["end"], start, end).sub(np.clip(t["start"], start, end)).sum()) / (end - start)
                     for vm, t in table.groupby("vm")} for table in (model, real))
    return 100 * max(abs(ours.get(vm, 0.0) - share) for vm, share in theirs.items())


def slice_distance(real: pd.DataFrame, model: pd.DataFrame, start: int, end: int, grid: int = SLICE_GRID) -> float:
    """Largest distance of stint lengths over VMs with enough of them."""
    worst = 0.0
    for vm, table in real.groupby("vm"):
        theirs, ours = (lengths(t[t["vm"] == vm], start, end) for t in (table, model))
        if len(theirs) >= LEAST_SLICES:
            worst = max(worst, distance(ours, theirs, grid))
    return worst


def lengths(table: pd.DataFrame, start: int, end: int) -> np.ndarray:
    """Lengths of stints that lie within the scored part [ns]."""
    inside = table[(table["start"] >= start) & (table["end"] <= end)]
    return (inside["end"] - inside["start"]).to_numpy()


def latencies(wakeups: pd.DataFrame, start: int, end: int) -> np.ndarray:
    """Latencies of d1's scored wake-ups [ns]."""
    return wakeups[(wakeups["vm"] == "d1") & (wakeups["woken"] >= start) & (wakeups["woken"] < end)]["latency"].to_numpy()


def distance(a: np.ndarray, b: np.ndarray, grid: int) -> float:
    """Kolmogorov-Smirnov distance of two samples rounded to a grid; nan if one is empty."""
    if not len(a) or not len(b):
        return float("nan") if not len(a) and not len(b) else 1.0
    a, b = np.sort(np.round(a / grid)), np.sort(np.round(b / grid))
    at = np.unique(np.concatenate([a, b]))
    return float(np.abs(np.searchsorted(a, at, "right") / len(a) - np.searchsorted(b, at, "right") / len(b)).max())


def quantiles(real: np.ndarray, model: np.ndarray) -> pd.DataFrame:
    """Quantiles of both [ns]."""
    import pandas as pd

    names = [f"p{100 * q:g}" if q < 1 else "max" for q in QUANTILES]
    return pd.DataFrame({label: np.quantile(x, QUANTILES).astype(np.int64) if len(x) else np.full(len(QUANTILES), -1)
                         for label, x in (("real", real), ("model", model))}, index=names)
