"""The three theorems of Popek and Goldberg, applied to a classification. Each is sufficient, not necessary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..errors import Problem, SpecError
from .classify import classify
from .isa import ISA
from .report import Classification
from .tables import html_table, text_table

NOTE = ("The conditions are sufficient, not necessary: where one fails, the theorem says nothing, and a monitor may still be possible by "
        "other means (interpretation, paravirtualization, binary translation, hardware support).")


@dataclass(frozen=True)
class Theorem:
    """One theorem on one instruction set: whether its premise holds, and the opcodes that break it. With draws, `holds` only says that no draw
    refuted it, and `proved` is False; what breaks it does so in any case."""

    number: int
    promises: str
    premise: str
    holds: bool
    broken_by: tuple[str, ...]
    proved: bool = True

    @property
    def row(self) -> tuple[str, ...]:
        """For a table."""
        if not self.holds:
            return f"Theorem {self.number}", self.premise, "fails: " + ", ".join(self.broken_by), "no promise"
        return (f"Theorem {self.number}", self.premise, "holds", self.promises) if self.proved else \
            (f"Theorem {self.number}", self.premise, "not refuted by the draws", f"if it holds: {self.promises}")


@dataclass(frozen=True)
class Theorems:
    """All three; ``theorems[3]`` is the third."""

    classification: Classification
    all: tuple[Theorem, ...]

    def __getitem__(self, number: int) -> Theorem:
        if number not in (1, 2, 3):
            raise SpecError([Problem("theorem", number, "1, 2 or 3", "choose one of these")])
        return self.all[number - 1]

    @property
    def virtualizable(self) -> bool:
        """Theorem 1's premise holds."""
        return self[1].holds

    @property
    def recursive(self) -> bool:
        """Theorem 2's premise holds."""
        return self[2].holds

    @property
    def hybrid(self) -> bool:
        """Theorem 3's premise holds."""
        return self[3].holds

    @property
    def heading(self) -> str:
        """What was asked."""
        return f"{self.classification.isa}: {self.classification.title}"

    def __repr__(self) -> str:
        return f"{self.heading}\n" + text_table(HEAD, [t.row for t in self.all]) + f"\n{NOTE}\n{self.classification.method}"

    def _repr_html_(self) -> str:
        return html_table(HEAD, [t.row for t in self.all], self.heading, f"{NOTE} {self.classification.method}")


HEAD = ("", "premise", "here", "so")


def theorems(isa: str | ISA | Classification, **options: Any) -> Theorems:
    """Which of the three theorems apply to an instruction set, and which opcodes break the others.

    Parameters
    ----------
    isa : str, ISA or Classification
        What to look at; options go to `classify`.

    Examples
    --------
    >>> import rtvirt as rv
    >>> pdp10 = rv.machine.theorems("pdp10")
    >>> pdp10.virtualizable, pdp10.hybrid, pdp10[1].broken_by
    (False, True, ('JRST1',))
    """
    found = isa if isinstance(isa, Classification) else classify(isa, **options)
    breaks = tuple(v.opcode for v in found.verdicts if 1 in v.breaks)
    user = tuple(v.opcode for v in found.verdicts if 3 in v.breaks)
    proved = all(v.exact for v in found.verdicts)
    return Theorems(found, (
        Theorem(1, "a virtual machine monitor can be built", "sensitive instructions are privileged", not breaks, breaks, proved),
        Theorem(2, "monitors can run in virtual machines, to any depth that storage allows",
                "Theorem 1, and a monitor without timing dependence (ours has none: it reads no clock)", not breaks, breaks, proved),
        Theorem(3, "a hybrid monitor can be built: it interprets the guest's supervisor mode", "user-sensitive instructions are privileged",
                not user, user, proved)))
