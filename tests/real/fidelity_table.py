"""Measure how near the model comes to every shipped window, and write data/fidelity/credit.csv, which test, page and notebook show.

    python3 lab.py run python tests/real/fidelity_table.py
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import rtvirt as rv
from rtvirt import xentrace

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


def main() -> None:
    """Measure all windows."""
    rows = []
    for path in sorted(FOLDER.glob("*.runs.csv.gz")):
        name = path.name.removesuffix(".runs.csv.gz")
        floor = xentrace.noise_floor(window(name))
        rows.append(measure(name) | {"floor_share_pp": round(floor.share_pp, 4), "floor_slice_ks": round(floor.slice_ks, 4)})
        print(rows[-1])
    whole = ["switches", "agreed", "boosts", "boosts_agreed", "books", "books_agreed"]
    pd.DataFrame(rows).astype(dict.fromkeys(whole, "Int64")).to_csv(TABLE, index=False)


if __name__ == "__main__":
    main()
