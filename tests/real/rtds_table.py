"""Measure how near a free run of RTDS stays to every RTDS window, and write data/fidelity/rtds.csv.

    python3 lab.py run python tests/real/rtds_table.py
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import rtvirt as rv
from rtvirt import xentrace

FOLDER = rv.data.FOLDER / "xen-traces"
TABLE = rv.data.FOLDER / "fidelity" / "rtds.csv"
NAMES = sorted(path.name.removesuffix(".runs.csv.gz") for path in FOLDER.glob("*_rtds_*.runs.csv.gz"))


def measure(name: str) -> dict[str, object]:
    """One row of the table."""
    real = xentrace.load(FOLDER, name)
    found = xentrace.rtds.agreement(real, xentrace.replay(real))
    plain = xentrace.rtds.agreement(real, rv.simulate(real.system(), real.scheduler(), real.duration))
    return {"window": name} | {field: round(value, 6) for field, value in asdict(found).items()} | {"time_without_ticks": round(plain.time, 6)}


if __name__ == "__main__":
    pd.DataFrame([measure(name) for name in NAMES]).to_csv(TABLE, index=False)
