"""Measure how near the model comes to every shipped window, and write data/fidelity/credit.csv, which test, page and notebook show.

    python3 lab.py run python tests/real/fidelity_table.py
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import rtvirt as rv
from rtvirt import xentrace
from rtvirt.xentrace.forced import last_scored
from rtvirt.xentrace.opening import UNSCORED
from rtvirt.xentrace.steps import books_of, steps_of, with_clocks
from rtvirt.xentrace.walk import Walk

FOLDER = rv.data.FOLDER / "xen-traces"
TABLE = rv.data.FOLDER / "fidelity" / "credit.csv"


@cache
def window(name: str) -> xentrace.Window:
    """A window, with its opening fitted once."""
    return xentrace.load(FOLDER, name)


def replay(real: xentrace.Window) -> rv.Run:
    """The model with measured wake-ups and demands."""
    return rv.simulate(real.system(), real.scheduler(), real.duration)


def measure(name: str) -> dict[str, object]:
    """One row of the table."""
    real = window(name)
    free = xentrace.fidelity(real, replay(real), forced=False)
    row = {"window": name, "share_pp": round(free.share_pp, 4), "slice_ks": round(free.slice_ks, 4), "wakeup_ks": round(free.wakeup_ks, 4)}
    if real.cpus == 1:
        walk = xentrace.forced_agreement(real)
        row |= {"switches": walk.switches, "agreed": walk.agreed, "boosts": walk.boosts, "boosts_agreed": walk.boosts_agreed,
                "books": walk.books, "books_agreed": walk.books_agreed}
    return row


def undecided(name: str, walks: int = 16) -> int:
    """Scored switches at which the model's answer hangs on the fractions of a credit in which the window opens, which no trace shows.

    The walk is repeated from other fractions (rule 2.3.1's remainder), and nothing is mended.
    """
    real, random = window(name), np.random.default_rng(0)
    opening, end, wrong = real.opening, last_scored(real), []
    steps, books = with_clocks(steps_of(real), opening.ticks, opening.accountings), books_of(real, opening.accountings)
    for i in range(walks):
        walk = Walk(real, opening, mending=False)
        for v in range(len(real.domains)):
            walk.cr.vcpus[v].residual = int(random.integers(1_000_000)) if i else 0
        wrong.append({(at, named) for at, named, _ in walk.go(steps, books, UNSCORED, end).disagreements})
    return len({at for at, _ in set.union(*wrong) - set.intersection(*wrong)})


def main() -> None:
    """Measure all windows."""
    rows = []
    for path in sorted(FOLDER.glob("*_credit_*.runs.csv.gz")):
        name = path.name.removesuffix(".runs.csv.gz")
        floor = xentrace.noise_floor(window(name))
        lacking = {"undecided": undecided(name)} if window(name).cpus == 1 else {}
        rows.append(measure(name) | lacking | {"floor_share_pp": round(floor.share_pp, 4), "floor_slice_ks": round(floor.slice_ks, 4)})
        print(rows[-1])
    whole = ["switches", "agreed", "boosts", "boosts_agreed", "books", "books_agreed", "undecided"]
    pd.DataFrame(rows).astype(dict.fromkeys(whole, "Int64")).to_csv(TABLE, index=False)


if __name__ == "__main__":
    main()
