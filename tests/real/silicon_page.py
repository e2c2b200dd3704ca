"""The tables of docs/silicon.md, from the stored results: `python tests/real/silicon_page.py` prints them, a test finds them on the page."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from rtvirt import silicon  # noqa: E402


def overview() -> list[str]:
    """One row for each instruction set."""
    lines = []
    for name in silicon.NAMES:
        found, held = silicon.classify(name, live=False), silicon.compare(name, live=False)
        verdicts = found.table["verdict"]
        configured = int(verdicts.str.startswith("privileged if").sum())
        lines.append(f"| {name} | {len(found.table)} | {int(found.table['trials'].sum())} | {int((verdicts == 'privileged').sum())} | {configured} | "
                     f"{len(found.offenders)} | {len(found.user_offenders)} | {int((verdicts == 'innocuous').sum())} | "
                     f"{int((verdicts == 'always traps').sum())} | {int((verdicts == 'engine failure').sum())} | "
                     f"{int(held.table['agrees'].sum())} of {len(held.table)} |")
    return lines


def offenders() -> list[str]:
    """The sensitive forms that are not privileged, for each set."""
    return [f"| {name} | {', '.join(silicon.classify(name, live=False).offenders.index) or 'none found'} |" for name in silicon.NAMES]


def disagreements() -> list[str]:
    """One row for each disagreement with the reference."""
    return [f"| {name} | {mnemonic} | {row.expected} | {row.executed} | {row.why} |"
            for name in silicon.NAMES for mnemonic, row in silicon.compare(name, live=False).disagreements.iterrows()]


def rows() -> list[str]:
    """All of them."""
    return overview() + offenders() + disagreements()


if __name__ == "__main__":
    sys.stdout.write("\n\n".join("\n".join(part) for part in (overview(), offenders(), disagreements())) + "\n")
