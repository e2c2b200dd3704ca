"""The same guest at several depths, its maps composed by software and by hardware: the table that says what recursion costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..assembler import Program
from ..isa import ISA
from ..tables import html_table, text_table
from .nest import COMPOSITIONS, Nest, nest

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Nests:
    """The same program at several depths, both ways."""

    nests: list[Nest]

    @property
    def table(self) -> pd.DataFrame:
        """One row a depth and composition: instructions, crossings in all and by level, and whether the guest could tell."""
        import pandas as pd

        deepest = max(n.depth for n in self.nests)
        names = [f"level {k + 1}" for k in range(deepest)]
        rows = [(n.depth, n.composition, n.instructions, n.crossings, *(level.crossings for level in n.levels), *[0] * (deepest - n.depth),
                 self.as_bare(n)) for n in self.nests]
        return pd.DataFrame(rows, columns=["depth", "composition", "instructions", "crossings", *names, "as bare"])

    def as_bare(self, nest: Nest) -> str:
        """Whether the guest ended as on the bare machine: "yes", "no", or "?" if one of the two has not ended."""
        ends = {n.reason for n in (nest, self.nests[0])}
        return "?" if "out of fuel" in ends else "yes" if len(ends) == 1 and nest.fingerprint() == self.nests[0].fingerprint() else "no"

    def rows(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        """Head and rows as text."""
        table = self.table
        cells = table.astype(object).itertuples(index=False)
        return tuple(table.columns), [tuple(f"{x:,}" if isinstance(x, int) else x for x in row) for row in cells]

    def __repr__(self) -> str:
        return text_table(*self.rows())

    def _repr_html_(self) -> str:
        return html_table(*self.rows(), "monitors in monitors: how often each came in")


def compositions(isa: str | ISA, program: str | Program, *, depth: int = 3, size: int = 1024, fuel: int = 100_000_000) -> Nests:
    """A program at every depth up to `depth`, in software and in hardware, side by side.

    Examples
    --------
    >>> import rtvirt as rv
    >>> rv.machine.monitors.compositions("clean", "SVC 1\\n HLT", depth=2, size=64)
    depth  composition  instructions  crossings  level 1  level 2  as bare
    -----  -----------  ------------  ---------  -------  -------  -------
    0      software     1             0          0        0        yes
    1      software     105           1          1        0        yes
    2      software     674           6          5        1        yes
    1      hardware     1             0          0        0        yes
    2      hardware     1             0          0        0        yes
    """
    bare = nest(isa, program, depth=0, size=size, fuel=fuel)
    found = [bare] + [nest(isa, program, depth=d, composition=c, size=size, fuel=fuel) for c in COMPOSITIONS for d in range(1, depth + 1)]
    return Nests(found)
