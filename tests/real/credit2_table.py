"""Ask each rule of credit2 at each step of its windows, replay them, and write data/fidelity/credit2.csv.

    python3 lab.py run python tests/real/credit2_table.py
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import rtvirt as rv
from rtvirt import xentrace

FOLDER = rv.data.FOLDER / "xen-traces"
TABLE = rv.data.FOLDER / "fidelity" / "credit2.csv"
NAMES = sorted(path.name.removesuffix(".runs.csv.gz") for path in FOLDER.glob("*_credit2_*.runs.csv.gz"))


DISTANCES = ("share_pp", "slice_ks", "wakeup_ks")


def measure(name: str) -> dict[str, object]:
    """One row of the table."""
    real = xentrace.load(FOLDER, name)
    steps = xentrace.credit2.agreement(real)
    row: dict[str, object] = {"window": name}
    for rule in xentrace.credit2.RULES:
        row |= {rule: steps.asked[rule], f"{rule}_agreed": steps.agreed[rule]}
    free = xentrace.fidelity(real, rv.simulate(real.system(), real.scheduler(), real.duration))
    react = xentrace.fidelity(real, xentrace.replay(real))
    return row | {f"{kind}{field}": round(getattr(found, field), 4) for kind, found in (("", free), ("reactive_", react)) for field in DISTANCES}


if __name__ == "__main__":
    pd.DataFrame([measure(name) for name in NAMES]).to_csv(TABLE, index=False)
