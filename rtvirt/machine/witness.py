"""The states that prove a verdict: one before and after, or two side by side."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

from .layout import CAUSES, HALT, OK
from .tables import text_table

MEANING = {
    "control": "control-sensitive: control state changes, and it is no trap",
    "user control": "user-sensitive: control-sensitive in user mode",
    "mode": "mode-sensitive: only M differs between the states, and the results differ",
    "location": "location-sensitive: only l differs between the states, and the results differ",
    "user location": "user-sensitive: location-sensitive in user mode",
    "mixed": "behaviour-sensitive: M and l differ between the states, and the results differ",
    "resource": "resource-sensitive (extended model): the result follows the interrupt switch, the timer, a device or the bound",
    "user resource": "user-sensitive (extended model): resource-sensitive in user mode",
    "not privileged": "not privileged: no trap in user mode, or one in supervisor mode",
}
CONTROL_STATE = ("m", "l", "b")
MODES = ("supervisor", "user")
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

    @property
    def cells(self) -> list[Any]:
        """Components of the state that matter, in the order of M, P, R, extension, registers, storage."""
        cells = {"m", "p", *(c for _, before, _, writes in self.states for c in (*before, *writes))}
        if {"l", "b"} & cells:
            cells |= {"l", "b"}
        return sorted(cells, key=order)

    def rows(self) -> list[tuple[str, ...]]:
        """A row a component of the state; before and after for each state; what decides is marked."""
        rows = [(title(cell), *(x for state in self.states for x in self.pair(state, cell)), self.mark(cell)) for cell in self.cells]
        last = "differs" if self.ends_differ and self.kind != "not privileged" else "changes" if self.halts else ""
        return [*rows, ("ends", *(x for s in self.states for x in ("", ending(s[2]))), last)]

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
    def ends_differ(self) -> bool:
        """One of the two runs traps or halts, the other does not."""
        return len({state[2] for state in self.states}) > 1

    @property
    def halts(self) -> bool:
        """A witness of control that consists in halting (extended model)."""
        return len(self.states) == 1 and self.states[0][2] == HALT

    def mark(self, cell: Any) -> str:
        """What is to be seen in a row: "changes" where control state does, "differs" where equal states come out unequal."""
        pairs = [self.pair(state, cell) for state in self.states]
        if len(pairs) == 1:                                          # control: whatever a program does not own
            owned = cell == "p" or cell[0] in ("r", "e")
            return "changes" if pairs[0][0] != pairs[0][1] and not owned else ""
        decides = not self.ends_differ and cell not in CONTROL_STATE and pairs[0][0] == pairs[1][0] and pairs[0][1] != pairs[1][1]
        return "differs" if decides else ""

    @property
    def words(self) -> str:
        """What the table shows, in a sentence."""
        if self.kind == "not privileged":
            trapped = self.states[0][2] not in (OK, HALT)
            return "In supervisor mode it traps." if trapped else "In user mode it completes; nobody is told."
        if len(self.states) == 1:
            changes = [f"{row[0]} goes from {row[1] or 'nothing'} to {row[2]}" for row in self.rows()[:-1] if row[-1]]
            return f"In {MODES[self.states[0][0]]} mode {', '.join(changes) or 'the machine halts'}, and nothing traps."
        one, two = self.states
        apart = [title(cell) for cell in self.cells if self.pair(one, cell)[0] != self.pair(two, cell)[0]]
        if self.ends_differ:
            outcome = ", ".join(f"{name} {ending(state[2]).replace('trap: ', 'traps: ')}" for name, state in (("S1", one), ("S2", two)))
        else:
            outcome = ", ".join(f"{row[0]} is {row[2]} in S1 and {row[4]} in S2" for row in self.rows() if row[-1])
        return f"S1 and S2 are equal but for {' and '.join(apart)}. Afterwards: {outcome}."

    @property
    def head(self) -> tuple[str, ...]:
        """Titles of the columns."""
        names = ("S",) if len(self.states) == 1 else ("S1", "S2")
        return ("", *(x for name in names for x in (f"{name} before", "after")), "")

    def __repr__(self) -> str:
        shown = slice(None) if any(row[-1] for row in self.rows()) else slice(-1)
        return f"{self.instruction}: {MEANING[self.kind]}\n" + text_table(self.head[shown], [row[shown] for row in self.rows()])

    def _repr_html_(self) -> str:
        """For a projector: what does not change is pale, what decides is bold, has a bar, and says so."""
        names = ("S",) if len(self.states) == 1 else ("S<sub>1</sub>", "S<sub>2</sub>")
        top = "".join(f'<th scope="colgroup" colspan="2" style="{CELL}">{name}</th>' for name in names)
        below = "".join(f'<th scope="col" style="{CELL}">{when}</th>' for _ in names for when in ("before", "after"))
        ends = "".join(f'<td colspan="2" style="{CELL}">{escape(ending(state[2]))}</td>' for state in self.states)
        last = f'<th scope="row" style="{CELL}{bar(self.rows()[-1][-1])}">ends</th>{ends}{note(self.rows()[-1][-1])}'
        return (f'<table style="font-size:1.1em"><caption style="text-align:left;font-weight:bold">{escape(self.instruction)}: '
                f'{escape(MEANING[self.kind])}</caption><thead><tr><th></th>{top}<th></th></tr><tr><th></th>{below}<th></th></tr></thead>'
                f"<tbody>{''.join(map(html_row, self.rows()[:-1]))}<tr>{last}</tr></tbody></table><p>{escape(self.words)}</p>")


CELL = "text-align:left;padding:0.15em 0.8em"
PALE, DECIDES = ";opacity:0.55", ";font-weight:bold"


def bar(mark: str) -> str:
    """A bar at the left of a row that decides."""
    return ";border-left:0.3em solid " + ("#D55E00" if mark else "transparent")


def note(mark: str) -> str:
    """The word at its right."""
    return f'<td style="{CELL}{DECIDES}">{"◀ " if mark else ""}{escape(mark)}</td>'


def html_row(row: tuple[str, ...]) -> str:
    """A row of a witness."""
    out = f'<th scope="row" style="{CELL}{bar(row[-1])}">{escape(row[0])}</th>'
    for old, new in zip(row[1:-1:2], row[2:-1:2], strict=True):
        look = DECIDES if row[-1] else PALE if old == new else ""
        out += f'<td style="{CELL}{look}">{escape(old)}</td><td style="{CELL}{look}">{escape(new)}</td>'
    return f"<tr>{out}{note(row[-1])}</tr>"


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
