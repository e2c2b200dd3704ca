"""The table that ships in data/studies: ``python -m rtvirt.sweeps.studies 1000000 STORE`` writes it; stopped, the same call goes on."""

from __future__ import annotations

import sys

from ...datafolder import FOLDER
from .ratio import schedulability


def main(count: str = "1000000", store: str | None = None) -> None:
    """Count the systems, and write the table."""
    table = schedulability(int(count), store=store, workers=1)
    (FOLDER / "studies").mkdir(exist_ok=True)
    table.to_csv(FOLDER / "studies/schedulability.csv", index=False, lineterminator="\n")
    sys.stdout.write(table.to_string(index=False) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
