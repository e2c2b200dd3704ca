"""Regenerate data/isa/derived: execute every instruction set and store its table, with engine and date in the first line.

    python tests/real/silicon_results.py                 # all
    python tests/real/silicon_results.py x86-32 rv64     # some
    python -m rtvirt.data                                # then: digests into the manifest
"""

from __future__ import annotations

import datetime
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from rtvirt import silicon  # noqa: E402


def main(names: list[str]) -> None:
    """Execute and write."""
    for name in names or list(silicon.NAMES):
        found = silicon.classify(name, live=True)
        about = {"isa": name, "engine": found.engine, "date": datetime.datetime.now(datetime.UTC).date().isoformat()}
        target = ROOT / "data/isa/derived" / f"{name}.csv"
        target.write_text(f"# {json.dumps(about)}\n{found.to_csv()}", encoding="utf-8")
        sys.stdout.write(f"{found.headline()}; {found.seconds:.1f} s\n")


if __name__ == "__main__":
    main(sys.argv[1:])
