"""What the stages of a block read compute, read off a trace, and what the domains do beside the reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .block_reads import BACK, FRONT, clock_rate, early, inside, read_wakes, reads_of, stints, woken
from .guest import KERNEL_TICK

if TYPE_CHECKING:
    from .window import Window

NEAR = 60_000                        # a wake-up within so long of its grid may be a kernel's tick [ns]
LONGEST_TICK = {FRONT: 140_000, BACK: 60_000}      # halfway between a tick's work and a read's stage, B1's first half [ns]


@dataclass(frozen=True)
class ReadPath:
    """What the stages of a read compute [ns], without any waiting, and the clock of it all.

    Attributes
    ----------
    wake : int
        Front end: from the first instruction after its wake-up until its reader has read the clock; now the read begins.
    submit : int
        Front end: until it tells the back end.
    settle : int
        Front end: from there until it blocks.
    serve : int
        Back end: from the first instruction until it tells the front end.
    wind_down : int
        Back end: from there until it blocks.
    complete : int
        Front end: from the first instruction until its reader has the block; now the read is done.
    prepare : int
        Front end: from there until it blocks.
    front_tick, back_tick : int
        A tick of the front end's kernel, of dom0's.
    clock_rate : float
        The trace's clock over the guests'.
    """

    wake: int
    submit: int
    settle: int
    serve: int
    wind_down: int
    complete: int
    prepare: int
    front_tick: int
    back_tick: int
    clock_rate: float

    @property
    def work(self) -> int:
        """From a read's beginning to its end if nobody else wants the pCPU, without the two switches between front and back end [ns]."""
        return self.submit + self.settle + self.serve + self.wind_down + self.complete


def fit(window: Window) -> ReadPath:
    """Stage costs: medians over the undisturbed reads of a window's first half, those with one stint a stage and nobody between."""
    until = window.duration // 2
    blocked = window.costs.block_path + (window.costs.block_switch_out or window.costs.switch_out)
    front, back, woken_front, woken_back = stints(window, 1), stints(window, 0), woken(window, 1), woken(window, 0)
    reads, rows = reads_of(window), []
    for begun, done in zip(*(reads.loc[reads["done"] < until, column] for column in ("begun", "done"))):
        asks, answers = (int(np.searchsorted(front[0], at, "right")) - 1 for at in (begun, done))
        serves = int(np.searchsorted(back[0], begun))
        told, answered = (at[np.searchsorted(at, begun):np.searchsorted(at, done)] for at in (woken_back, woken_front))
        if answers == asks + 1 and len(told) == len(answered) == 1 and front[1][asks] <= back[0][serves] <= back[1][serves] <= front[0][answers]:
            rows.append((begun - front[0][asks], told[0] - begun, front[1][asks] - told[0] - blocked, answered[0] - back[0][serves],
                         back[1][serves] - answered[0] - blocked, done - front[0][answers], front[1][answers] - done - blocked))
    stages = np.median(np.array(rows), axis=0).astype(int).tolist()
    return ReadPath(*stages, *(median_tick(window, name, until) for name in (FRONT, BACK)), clock_rate=clock_rate(window))


def median_tick(window: Window, name: str, until: int) -> int:
    """Work of a kernel's tick before an instant [ns]."""
    wakes, work, ticks, _ = maybe_ticks(window, name)
    return int(np.median(work[ticks & (wakes < until)]))


# ------------------------------------------------------------------ beside the reads


@dataclass(frozen=True)
class Background:
    """What a domain does beside the reads: its kernel's grid [ns], and wake-ups of its own with their work [ns]."""

    grid: np.ndarray
    wakes: list[int]
    work: list[int]


def background(window: Window, name: str) -> Background:
    """A domain's grid of ticks, read off the window's `early` part, and those measured wake-ups that neither reads nor the rule of ticks explain."""
    wakes, work, ticks, phase = maybe_ticks(window, name)
    grid = np.round(np.arange(phase, window.duration, KERNEL_TICK * clock_rate(window))).astype(np.int64)
    explained = ticks_by_rule(window, name, grid, wakes, ticks) | due_to_reads(window, name, wakes)
    return Background(grid, wakes[~explained].tolist(), work[~explained].tolist())


def maybe_ticks(window: Window, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """A domain's wake-ups and what it then did [ns]; which may be its kernel's ticks: short ones near its grid; when the grid begins [ns]."""
    wakes, work = (np.array(column) for column in window.demands(int(name[1:]), window.costs))
    short, period = work < LONGEST_TICK[name], KERNEL_TICK * clock_rate(window)
    ours = wakes[short & (wakes > 0) & (wakes < early(window))]
    ours = ours[~inside(ours, stints(window, 1))]                  # who is woken while d1 runs is asked by it
    counts, edges = np.histogram(ours % period, bins=80, range=(0, period))
    middle = (edges[np.argmax(counts)] + edges[np.argmax(counts) + 1]) / 2
    apart = (ours - middle + period / 2) % period - period / 2
    phase = int((middle + np.median(apart[np.abs(apart) < NEAR])) % period)
    return wakes, work, short & (np.abs((wakes - phase + period / 2) % period - period / 2) < NEAR), phase


def due_to_reads(window: Window, name: str, wakes: np.ndarray) -> np.ndarray:
    """Which wake-ups a read explains: dom0's while the front end runs; the front end's before a read begins, and before it ends."""
    if name == BACK:
        return inside(wakes, stints(window, 1))
    reads, starts = reads_of(window), stints(window, 1)[0]
    ours = np.concatenate([read_wakes(window), *(starts[np.searchsorted(starts, reads[column], "right") - 1] for column in ("begun", "done"))])
    return np.isin(np.arange(len(wakes)), np.searchsorted(wakes, ours, "right") - 1)


def ticks_by_rule(window: Window, name: str, grid: np.ndarray, wakes: np.ndarray, ticks: np.ndarray) -> np.ndarray:
    """Which wake-ups the rule of ticks explains: a kernel that has worked since the last point of its grid at which it slept ticks once."""
    runs = window.runs[(window.runs["dom"] == int(name[1:])) & (window.runs["end"] == "blocked")]
    ends = np.append(runs["end_ns"].to_numpy(), window.duration)
    sleeps = ends[np.searchsorted(ends[:-1], wakes)]
    done = np.sort(sleeps[~ticks])
    explained, seen = np.zeros(len(wakes), bool), 0
    for at in grid:
        following = int(np.searchsorted(wakes, at - NEAR, "right"))
        if following and sleeps[following - 1] >= at:
            continue
        worked = int(np.searchsorted(done, at))
        if worked > seen and following < len(wakes) and abs(wakes[following] - at) < NEAR and ticks[following]:
            explained[following] = True
        seen = worked
    return explained
