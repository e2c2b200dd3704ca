"""What the classifier found: verdicts, and tables of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ..errors import Problem, SpecError
from .tables import html_table, text_table
from .witness import Witness

if TYPE_CHECKING:
    import pandas as pd

@dataclass(frozen=True)
class Verdict:
    """The class of one opcode, with its witnesses by kind (see `witness.MEANING`); `counter` shows that it is not privileged, `controls` names
    the control state that it can change."""

    opcode: str
    privileged: bool
    always_traps: bool
    witnesses: dict[str, Witness]
    counter: Witness | None
    controls: tuple[str, ...]
    cases: int
    exact: bool
    text: str = ""
    aliases: tuple[str, ...] = ()

    @property
    def slot(self) -> str:
        """Name of the opcode whose place it has in the table: RSR for the 68000's MOVESR."""
        return self.aliases[0] if self.aliases else self.opcode

    @property
    def breaks(self) -> tuple[int, ...]:
        """Numbers of the theorems whose premise it breaks; Theorem 2 falls with the first."""
        return () if self.privileged or not self.sensitive else (1, 3) if self.user_sensitive else (1,)

    @property
    def control(self) -> bool:
        """Control-sensitive (rule 2.2)."""
        return "control" in self.witnesses

    @property
    def location(self) -> bool:
        """Location-sensitive (rule 2.4)."""
        return "location" in self.witnesses

    @property
    def mode(self) -> bool:
        """Mode-sensitive (rule 2.4)."""
        return "mode" in self.witnesses

    @property
    def resource(self) -> bool:
        """Depends on timer, interrupt switch or devices (extended model only)."""
        return "resource" in self.witnesses

    @property
    def sensitive(self) -> bool:
        """Control- or behaviour-sensitive (rule 2.5)."""
        return bool(self.witnesses)

    @property
    def user_sensitive(self) -> bool:
        """Rule 2.6."""
        return any(kind.startswith("user ") for kind in self.witnesses)

    @property
    def innocuous(self) -> bool:
        """Not sensitive."""
        return not self.sensitive

    @property
    def classes(self) -> tuple[str, ...]:
        """All names that apply."""
        names = [("privileged", self.privileged), ("always traps", self.always_traps), ("control-sensitive", self.control),
                 ("location-sensitive", self.location), ("mode-sensitive", self.mode), ("resource-sensitive", self.resource),
                 ("behaviour-sensitive", "mixed" in self.witnesses),
                 ("user-sensitive", self.user_sensitive), ("innocuous", self.innocuous)]
        return tuple(name for name, holds in names if holds)

    @property
    def signature(self) -> tuple[tuple[str, ...], ...]:
        """All that the definitions say of it: classes, control state it changes, kinds of witnesses."""
        return self.classes, self.controls, tuple(sorted(self.witnesses))

    @property
    def basis(self) -> str:
        """What the verdict rests on."""
        if self.exact:
            return f"all {self.cases:,} cases"
        return f"{self.cases:,} trials" if self.sensitive else f"no witness in {self.cases:,} trials"

    @property
    def summary(self) -> str:
        """The classes in a line; what was not exhausted says so."""
        words = ", ".join(self.classes)
        return words if self.exact else words.replace("innocuous", self.basis).replace("privileged", f"privileged in {self.cases:,} trials")

    @property
    def shown(self) -> list[Witness]:
        """The witnesses worth showing: of not being privileged only where that matters."""
        return [*self.witnesses.values(), *([self.counter] if self.counter and self.sensitive else [])]

    def __repr__(self) -> str:
        return "\n\n".join([f"{self.opcode}: {self.summary} ({self.basis})", *map(repr, self.shown)])

    def _repr_html_(self) -> str:
        return f"<p><b>{self.opcode}</b>: {self.summary} ({self.basis})</p>" + "".join(w._repr_html_() for w in self.shown)


@dataclass(frozen=True)
class Classification:
    """Verdicts on all opcodes of an instruction set; ``classification["POPF"]`` is one."""

    isa: str
    title: str
    model: str
    bits: int
    store: int
    trials: int | None
    seed: int
    verdicts: list[Verdict]

    def __getitem__(self, name: str) -> Verdict:
        for verdict in self.verdicts:
            if verdict.opcode == name.upper():
                return verdict
        raise SpecError([Problem("opcode", name, ", ".join(v.opcode for v in self.verdicts), f"choose an opcode of {self.isa!r}")])

    @property
    def cases(self) -> int:
        """Leaves looked at, all opcodes together."""
        return sum(verdict.cases for verdict in self.verdicts)

    @property
    def method(self) -> str:
        """How it was decided."""
        where = f"a machine of {self.bits}-bit words and {self.store} words of storage, {self.model} model"
        if self.trials is None:
            large = ", ".join(verdict.opcode for verdict in self.verdicts if not verdict.exact)
            return f"proved by exhausting {where}: {self.cases:,} cases" + (f"; too large for that, and sampled: {large}" if large else "")
        return f"sampled on {where}: {self.cases:,} states drawn, seed {self.seed}; a class that was not found is not excluded"

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row an opcode, one column a class (bool), and the number of cases."""
        import pandas as pd

        names = ("privileged", "control", "location", "mode", "resource", "user_sensitive", "innocuous", "always_traps", "cases")
        return pd.DataFrame([[getattr(v, name) for name in names] for v in self.verdicts],
                            index=pd.Index([v.opcode for v in self.verdicts], name="opcode"), columns=list(names))

    def rows(self) -> list[tuple[str, ...]]:
        """The table as text; ! marks what breaks Theorem 1."""
        return [("!" if v.sensitive and not v.privileged else "", v.opcode, v.summary, v.text) for v in self.verdicts]

    def __repr__(self) -> str:
        return f"{self.isa}: {self.title}\n" + text_table(("", "opcode", "class", "does"), self.rows()) + \
            f"\n! sensitive and not privileged\n{self.method}"

    def _repr_html_(self) -> str:
        return html_table(("", "opcode", "class", "does"), self.rows(), f"{self.isa}: {self.title}",
                          f"! sensitive and not privileged. {self.method}")
