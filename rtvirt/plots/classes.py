"""Which instructions are sensitive, which trap: the table that decides the theorems of Popek and Goldberg, as a picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection

from ..machine.report import Classification, Verdict
from ..silicon import Classification as Silicon
from .style import COLOURS, LIGHTER, new_axes, styled, towards_white

KINDS = ("control", "location", "mode", "resource", "behaviour", "permission", "clock")
HEADS = {"control": "control-\nsensitive", "location": "location-\nsensitive", "mode": "mode-\nsensitive", "resource": "resource-\nsensitive",
         "behaviour": "behaviour-\nsensitive", "permission": "permission-\nsensitive", "clock": "shows\na clock", "user": "user-\nsensitive",
         "traps": "traps in\nuser mode", "breaks": "breaks\nTheorem"}
BREAKS, HEARD, TRAPS, PLAIN = "breaks", "sensitive, traps", "traps", "innocuous"
KEY = "● traps in user mode (dark: sensitive, so it must)      ✕ sensitive without a trap; a number: the theorem it breaks"
ROWS = ("remarkable", "broken", "all")
TALL = 20              # rows of one panel; more are set in panels side by side


@dataclass(frozen=True)
class Item:
    """One instruction: what the definitions say of it."""

    name: str
    kinds: tuple[str, ...]
    traps: str                       # "" if it does not trap in user mode, else "yes" or in which configuration
    breaks: tuple[int, ...]
    slot: str

    @property
    def meaning(self) -> str:
        """Which colour it has."""
        return BREAKS if self.breaks else (HEARD if self.kinds else TRAPS) if self.traps else PLAIN


def items(found: Classification | Silicon) -> list[Item]:
    """The instructions of a classification."""
    if isinstance(found, Silicon):
        return [from_silicon(name, row) for name, row in found.table.iterrows()]
    return [from_machine(verdict) for verdict in found.verdicts]


def from_machine(verdict: Verdict) -> Item:
    """An opcode of ours."""
    kinds = tuple(kind for kind in KINDS if kind in verdict.witnesses or (kind == "behaviour" and "mixed" in verdict.witnesses))
    user = ("user",) if verdict.user_sensitive else ()
    return Item(verdict.opcode, kinds + user, "yes" if verdict.privileged or verdict.always_traps else "", verdict.breaks, verdict.slot)


def from_silicon(name: str, row: Any) -> Item:
    """A form of a real instruction set."""
    words = row["sensitive"].replace("-sensitive", "").split()
    broken = row["verdict"] == "sensitive"
    traps = "yes" if row["verdict"] in ("privileged", "always traps") else row["verdict"].removeprefix("privileged if ") \
        if row["verdict"].startswith("privileged if") else ""
    return Item(name, tuple(kind for kind in (*KINDS, "user") if kind in words), traps, ((1, 3) if "user" in words else (1,)) if broken else (), name)


def classes(data: Any, *, rows: str = "remarkable", ax: Axes | None = None) -> Axes:
    """Instructions against their properties; of several machine variants, opcodes against variants.

    Parameters
    ----------
    data : machine or silicon Classification, or mapping of label to machine Classification
        What `rv.machine.classify` or `rv.silicon.classify` returned; a sequence of the machine's is labelled by its sets' names.
    rows : {"remarkable", "broken", "all"}
        Instructions to show: those that are not innocuous and unprivileged in some set; those that break Theorem 1; all. What is left out
        is counted in the title.
    ax : Axes, optional
        More than 20 rows are set in two panels side by side only when it is not given.

    Returns
    -------
    Axes
        Of the first panel. Its collections carry the meaning as their label: "breaks", "sensitive, traps", "traps"; as second cue a cell
        says which theorems fall (1, or 1 and 3), a dot marks what traps.

    Examples
    --------
    >>> import rtvirt as rv
    >>> ax = rv.plots.classes(rv.machine.classify("pdp10"))
    >>> ax.get_title(loc="left")
    'pdp10: JRST1 is sensitive and does not trap; 17 innocuous opcodes not shown'
    """
    if rows not in ROWS:
        raise ValueError(f"rows is {rows!r}; it may be {', '.join(ROWS)}")
    if isinstance(data, (Classification, Silicon)):
        return one_set(data, rows, ax)
    named = data if isinstance(data, Mapping) else {found.isa: found for found in data}
    return several(named, rows, ax)


def wanted(item: Item, rows: str) -> bool:
    """True for a row that is to be shown."""
    return rows == "all" or bool(item.breaks) or (rows == "remarkable" and item.meaning != PLAIN)


def title_of(name: str, broken: Iterable[str], left_out: int, what: str) -> str:
    """What the picture says, in a line."""
    names = list(broken)
    said = "whatever is sensitive traps" if not names else f"{names[0]} is sensitive and does not trap" if len(names) == 1 else \
        f"{len(names)} are sensitive and do not trap"
    return f"{name}: {said}" + (f"; {left_out} {what} not shown" if left_out else "")


def one_set(found: Classification | Silicon, rows: str, ax: Axes | None) -> Axes:
    """Instructions of one set against their properties."""
    every = items(found)
    shown = [item for item in every if wanted(item, rows)]
    used = [kind for kind in (*KINDS, "user") if kind in ("control", "location", "mode", "user") or any(kind in item.kinds for item in shown)]
    columns = [*(["traps"] if any(item.traps for item in shown) else []), *used, "breaks"]
    what = ("forms" if isinstance(found, Silicon) else "opcodes") if rows == "broken" else \
        "innocuous " + ("forms" if isinstance(found, Silicon) else "opcodes")
    title = title_of(found.isa, (item.name for item in shown if item.breaks), len(every) - len(shown), what)
    with styled():
        panels = [shown] if ax is not None or len(shown) <= TALL else [shown[:(len(shown) + 1) // 2], shown[(len(shown) + 1) // 2:]]
        height = max(1, *map(len, panels))
        first = new_axes(ax, 1.15 + 0.3 * height)
        axes = [first] if len(panels) == 1 else halves(first)
        for place, part in zip(axes, panels, strict=True):
            cells = {(column, row): cell_of(item, columns[column]) for row, item in enumerate(part) for column in range(len(columns))}
            draw(place, cells, [HEADS[column] for column in columns], [item.name for item in part], height, bold={i.name for i in part if i.breaks})
        for place in axes[1:]:
            place.set_xlabel("")
        axes[0].set_title(title, loc="left")
    return axes[0]


def halves(ax: Axes) -> list[Axes]:
    """Two panels in place of one."""
    figure = ax.figure
    ax.remove()
    return list(figure.subplots(1, 2))


def cell_of(item: Item, column: str) -> tuple[str, str]:
    """Meaning and text of one cell."""
    if column == "breaks":
        return (BREAKS, " and ".join(map(str, item.breaks))) if item.breaks else (PLAIN, "")
    if column == "traps":
        return (HEARD if item.kinds else TRAPS, "●" if item.traps == "yes" else "if") if item.traps else (PLAIN, "")
    return (item.meaning if item.meaning == BREAKS else HEARD, "✕" if item.breaks else "●") if column in item.kinds else (PLAIN, "")


def several(named: Mapping[str, Classification], rows: str, ax: Axes | None) -> Axes:
    """Opcodes against instruction sets; a cell names the opcode where the set calls it otherwise."""
    table = {label: {item.slot: item for item in items(found)} for label, found in named.items()}
    slots = list(dict.fromkeys(slot for column in table.values() for slot in column))
    shown = [slot for slot in slots if any(slot in column and wanted(column[slot], rows) for column in table.values())]
    cells = {}
    for x, column in enumerate(table.values()):
        for y, slot in enumerate(shown):
            cells[x, y] = compact(column.get(slot))
    broken = [label for label, column in table.items() if any(item.breaks for item in column.values())]
    with styled():
        ax = new_axes(ax, 1.0 + 0.33 * len(shown))
        draw(ax, cells, list(table), shown, len(shown), bold=set())
        left = f"; {len(slots) - len(shown)} opcodes not shown" if len(slots) > len(shown) else ""
        ax.set_title(f"{len(broken)} of {len(table)} sets have an instruction that is sensitive and does not trap{left}", loc="left")
    return ax


def compact(item: Item | None) -> tuple[str, str]:
    """Meaning and text of a cell that stands for a whole opcode."""
    if item is None:
        return PLAIN, "–"
    name = "" if item.name == item.slot else item.name + " "
    return item.meaning, f"{name}✕{','.join(map(str, item.breaks))}" if item.breaks else f"{name}●".strip() if item.traps else name.strip()


def draw(ax: Axes, cells: Mapping[tuple[int, int], tuple[str, str]], columns: Sequence[str], rows: Sequence[str], height: int,
         bold: set[str]) -> None:
    """Cells as one collection a meaning, their texts, and the names around."""
    looks = {BREAKS: {"facecolor": COLOURS["miss"], "hatch": None}, HEARD: {"facecolor": towards_white(COLOURS["hypervisor"], LIGHTER[1])},
             TRAPS: {"facecolor": towards_white(COLOURS["hypervisor"], 0.75)}, PLAIN: {"facecolor": "#fbfbfb"}}
    for meaning, look in looks.items():
        corners = [[(x - 0.5, y - 0.5), (x + 0.5, y - 0.5), (x + 0.5, y + 0.5), (x - 0.5, y + 0.5)] for (x, y), cell in cells.items()
                   if cell[0] == meaning]
        ax.add_collection(PolyCollection(corners, label=meaning, edgecolor="white", linewidth=2, **look))
    for (x, y), (meaning, text) in cells.items():
        ax.text(x, y, text, ha="center", va="center", fontsize=11, color="white" if meaning == BREAKS else "#333333",
                weight="bold" if meaning == BREAKS else "normal")
    ax.set_xlim(-0.5, len(columns) - 0.5)
    ax.set_ylim(height - 0.5, -0.5)
    ax.set_xticks(range(len(columns)), columns)
    ax.set_yticks(range(len(rows)), rows)
    for label in ax.get_yticklabels():
        label.set(weight="bold" if label.get_text() in bold else "normal", color=COLOURS["miss"] if label.get_text() in bold else "#222222")
    ax.set_xlabel(KEY, fontsize=11, loc="left")
    ax.tick_params(length=0, top=False, labeltop=True, bottom=False, labelbottom=False, labelsize=11)
    ax.spines[:].set_visible(False)
    ax.grid(visible=False)
