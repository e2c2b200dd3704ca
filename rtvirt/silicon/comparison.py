"""`compare`: what the emulator does, held against what the literature says."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .. import data
from .classification import Classification, classify
from .reasons import REASONS

if TYPE_CHECKING:
    import pandas as pd

BORROWED = {"x86-64": "x86-32"}        # whose rows are used where a set has none of its own
UNEXPLAINED = "not explained: look at the witness"


@dataclass(frozen=True)
class Comparison:
    """Agreements and disagreements of an executed instruction set with reference tables.

    Attributes
    ----------
    isa, engine : str
    table : DataFrame
        One row for each row of the reference: reference (its class), expected (the verdict that would agree), executed (verdicts of the forms),
        agrees, why (the reason for a disagreement), source, confidence.
    """

    isa: str
    engine: str
    table: pd.DataFrame

    @property
    def disagreements(self) -> pd.DataFrame:
        """The rows that do not agree."""
        return self.table[~self.table["agrees"]]

    def headline(self) -> str:
        """How many agree."""
        return f"{self.isa}: {int(self.table['agrees'].sum())} of {len(self.table)} rows of the reference agree with what {self.engine} executes"

    def __repr__(self) -> str:
        return f"{self.headline()}\n\n{self.table[['expected', 'executed', 'agrees', 'why']].to_string(max_colwidth=60)}"

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.headline())}</p>{self.table.to_html(max_rows=200)}"


def reference(isa: str) -> pd.DataFrame:
    """Rows of data/isa/reference that speak of forms of an instruction set."""
    import pandas as pd

    rows = pd.read_csv(data.path("isa/reference/sensitive.csv"), keep_default_na=False)
    return rows[rows["executed_as"] == BORROWED.get(isa, isa)]


def compare(isa: str | Classification, *, live: bool | None = None) -> Comparison:
    """Hold the derived classes against reference tables, row by row.

    "sensitive" agrees when one of the row's forms is sensitive and not privileged; every other class when all of them have it.

    Parameters
    ----------
    isa : str or Classification
        A name, or what `classify` returned.
    live : bool, optional
        As in `classify`.

    Examples
    --------
    >>> import rtvirt as rv
    >>> rv.silicon.compare("m68000", live=False).table["agrees"].all()
    np.True_
    """
    found = isa if isinstance(isa, Classification) else classify(isa, live=live)
    rows = {}
    for row in reference(found.isa).rename(columns={"class": "said"}).itertuples():
        forms = [name for name in row.forms.split(";") if name in found.table.index]
        if not forms:
            continue                                       # of another member of the family: POP FS of x86-64, say
        verdicts = {name: found.table.loc[name] for name in forms}
        agrees = agree(row.expect, list(verdicts.values()))
        why = "" if agrees else REASONS.get((found.isa, row.mnemonic), UNEXPLAINED)
        mnemonic = row.mnemonic if row.isa != "x86" else f"{row.mnemonic} (UMIP)"
        rows[mnemonic] = {"reference": row.said, "expected": row.expect, "executed": summary(verdicts),
                          "agrees": agrees, "why": why, "source": row.source, "confidence": row.confidence}
    return Comparison(found.isa, found.engine, as_table(rows))


def agree(expected: str, forms: list[pd.Series]) -> bool:
    """True when the verdicts are what a reference says."""
    if expected == "sensitive":
        return any(form["verdict"] == "sensitive" for form in forms)
    if expected == "privileged if":
        return all(form["verdict"].startswith("privileged if") for form in forms)
    if expected == "memory trap":
        return all(form["verdict"] == "innocuous" and form["traps"] for form in forms)
    return all(form["verdict"] == expected for form in forms)


def summary(verdicts: dict[str, pd.Series]) -> str:
    """Verdicts of several forms, in few words."""
    groups: dict[str, list[str]] = {}
    for name, form in verdicts.items():
        groups.setdefault(form["verdict"], []).append(name)
    if len(groups) == 1:
        return next(iter(groups))
    return "; ".join(f"{verdict}: {', '.join(names)}" for verdict, names in groups.items())


def as_table(rows: dict[str, dict[str, object]]) -> pd.DataFrame:
    """The table from its rows."""
    import pandas as pd

    columns = ["reference", "expected", "executed", "agrees", "why", "source", "confidence"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("mnemonic").astype({"agrees": bool})
