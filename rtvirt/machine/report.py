"""What the classifier found: verdicts, the states that prove them, and tables of both."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..errors import Problem, SpecError
from .layout import CAUSES, HALT, OK
from .tables import html_table, text_table

if TYPE_CHECKING:
    import pandas as pd

MEANING = {
    "control": "control-sensitive: M, R, storage outside E|R or (extended model) other control state changes, and it is no trap",
    "user control": "user-sensitive: control-sensitive in user mode",
    "mode": "mode-sensitive: only M differs between the states, and the results differ",
    "location": "location-sensitive: only l differs between the states, and the results differ",
    "user location": "user-sensitive: location-sensitive in user mode",
    "mixed": "behaviour-sensitive: M and l differ between the states, and the results differ",
    "resource": "resource-sensitive (extended model): the result follows the interrupt switch, the timer, a device or the bound",
    "user resource": "user-sensitive (extended model): resource-sensitive in user mode",
    "not privileged": "not privileged: no trap in user mode, or one in supervisor mode",
}
State = tuple[int, dict[Any, int], int, dict[Any, int]]        # M, cells before, how it ended, cells written


@dataclass(frozen=True)
class Witness:
    """One state, or two, that prove a verdict. Cells that are not shown do not matter."""

    kind: str
    opcode: str
    operands: str
    form: tuple[int, int, int]
    states: tuple[State, ...]
    weight: tuple[int, int]
    mask: int

    @property
    def instruction(self) -> str:
        """As it is written."""
        a, b, imm = self.form
        text = self.operands.replace("imm(b)", f"{imm}(r{b})" if b else f"{imm}").replace("imm", str(imm))
        parts = [{"a": f"r{a}", "b": f"r{b}"}.get(part, part) for part in text.split(", ")]
        return f"{self.opcode} {', '.join(parts)}".strip()

    def rows(self) -> list[tuple[str, ...]]:
        """A row a component of the state; before and after for each state."""
        cells = {"m", "p", *(c for _, before, _, writes in self.states for c in (*before, *writes))}
        if {"l", "b"} & cells:
            cells |= {"l", "b"}
        rows = [(title(cell), *(x for state in self.states for x in self.pair(state, cell))) for cell in sorted(cells, key=order)]
        return [*rows, ("ends", *(x for s in self.states for x in ("", ending(s[2]))))]

    def pair(self, state: State, cell: Any) -> tuple[str, str]:
        """A component before and after."""
        mode, before, ended, writes = state
        old = "us"[mode == 0] if cell == "m" else str(before.get(cell, 0)) if cell[0] != "out" else ""
        if ended not in (OK, HALT):
            return old, ""
        if cell == "m":
            return old, "us"[writes.get("m", mode) == 0]
        if cell == "p" and "p" not in writes:
            return old, str((before.get("p", 0) + 1) & self.mask)
        return old, str(writes[cell]) if cell in writes else old

    @property
    def head(self) -> tuple[str, ...]:
        """Titles of the columns."""
        names = ("S",) if len(self.states) == 1 else ("S1", "S2")
        return ("", *(x for name in names for x in (f"{name} before", "after")))

    def __repr__(self) -> str:
        return f"{self.instruction}: {MEANING[self.kind]}\n" + text_table(self.head, self.rows())

    def _repr_html_(self) -> str:
        return html_table(self.head, self.rows(), f"{self.instruction}: {MEANING[self.kind]}")


def order(cell: Any) -> tuple:
    """M, P, R, extension, registers, storage."""
    names = ["m", "p", "l", "b", "ie", "t", "r", "e", "x", "in", "out"]
    return (names.index(cell if isinstance(cell, str) else cell[0]), *(() if isinstance(cell, str) else cell[1:]))


def title(cell: Any) -> str:
    """A component's name for people."""
    if isinstance(cell, str):
        return {"m": "M", "p": "P", "l": "R.l", "b": "R.b", "ie": "switch", "t": "timer"}[cell]
    return {"r": "r{}", "e": "E[l+{}]", "in": "port {} in", "out": "port {} out"}.get(cell[0], "E[{}]").format(cell[-1])


def ending(ended: int) -> str:
    """How a run ended, for people."""
    return "completes" if ended == OK else "halts" if ended == HALT else f"trap: {CAUSES[ended]}"


@dataclass(frozen=True)
class Verdict:
    """The class of one opcode, with its witnesses by kind (see `MEANING`); `counter` shows that it is not privileged, `controls` names the control
    state that it can change."""

    opcode: str
    privileged: bool
    always_traps: bool
    witnesses: dict[str, Witness]
    counter: Witness | None
    controls: tuple[str, ...]
    cases: int
    exact: bool
    text: str = ""

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
