"""Replay the windows of block reads, hold the latencies against the real ones, and write data/fidelity/blocks.csv.

    python3 lab.py run python tests/real/blocks_table.py
"""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from fidelity_table import TABLE, window

from rtvirt.xentrace import blocks
from rtvirt.xentrace.block_path import fit
from rtvirt.xentrace.forced import last_scored
from rtvirt.xentrace.opening import UNSCORED

UNLOADED, LOADED = "B1_credit_blk10ms_alone", "B2_credit_blk10ms_2hogs"
READS = TABLE.with_name("blocks.csv")
PATHS = range(-4_000, 15_000, 2_000)     # by how much d1's path after a wake-up is longer than in B1 [ns]


@cache
def path() -> blocks.ReadPath:
    """Stage costs, fitted on the first half of the unloaded window."""
    return fit(window(UNLOADED))


@cache
def replay(name: str) -> blocks.Replay:
    """The model's reads. B1 may only be looked at in its first half, B2 in its first 2.5 s."""
    return blocks.replay(window(name), path(), blocks.unloaded_opening(window(name)) if name == UNLOADED else None)


@cache
def busy(name: str) -> pd.DataFrame:
    """What reads cost while dom0 is busy."""
    return blocks.busy_backend(window(name), path())


def parts(name: str) -> dict[str, tuple[int, int]]:
    """Parts of a window by name [ns]."""
    real = window(name)
    half, end = real.duration // 2, real.duration
    if name == UNLOADED:
        return {"first half (fitted)": (0, half), "second half": (half, end)}
    return {"all": (0, end), "from 2.5 s": (UNSCORED, last_scored(real))}


def measure(name: str) -> pd.DataFrame:
    """Quantiles of each part of a window, one row each [ns]."""
    found = []
    for part, (start, end) in parts(name).items():
        both = blocks.compare(window(name), replay(name), start, end)
        found.append(both.quantiles.assign(part=part, reads=len(both.real)))
    found.append(blocks.whole_table(window(name), replay(name), busy(name)).assign(part="guest's table", reads=len(window(name).guest)))
    table = pd.concat(found).rename_axis("quantile").reset_index().assign(window=name)
    return table[["window", "part", "reads", "quantile", "real", "model", "error"]]


def longer_wake() -> int:
    """By how much later B2's reads begin than the model's, median of the unscored 2.5 s [ns]."""
    late = [(reads["begun"] - reads["due"])[reads["due"] < UNSCORED].median() for reads in (blocks.reads_of(window(LOADED)), replay(LOADED).reads)]
    return int(late[0] - late[1])


def starvations(later: int) -> list[tuple[int, float]]:
    """B2's reads of more than 10 ms, when due and how long [ms], if d1's path after a wake-up is longer by so much [ns]."""
    reads = blocks.replay(window(LOADED), replace(path(), wake=path().wake + later)).reads
    return [(row.due // 1_000_000, round(row.latency / 1e6, 1)) for row in reads[reads["latency"] > 10_000_000].itertuples()]


def main() -> None:
    """Measure both windows."""
    table = pd.concat([measure(name) for name in (UNLOADED, LOADED)])
    table["error"] = table["error"].round(4)
    table.round({"real": 0, "model": 0}).astype({"real": int, "model": int}).to_csv(READS, index=False)
    print(path(), table.to_string(), sep="\n")
    for name in (UNLOADED, LOADED):
        both = blocks.compare(window(name), replay(name))
        print(both.real_tail.to_string(), both.model_tail.to_string(), sep="\n")
        print("rows that found dom0 busy:", blocks.busy_rows(window(name)))
        print((busy(name)["latency"] / 1e5).round().div(10).value_counts().head(8))
    print(f"d1's path after a wake-up is longer in B2, says its first 2.5 s: {longer_wake() / 1000:.1f} us")
    for later in (longer_wake(), *PATHS):
        print(f"d1's path {later / 1000:+.0f} us:", starvations(later))


if __name__ == "__main__":
    main()
