"""Who has what of a board: a box for each VM, a tile for each thing it has, and what does not fit."""

from __future__ import annotations

from textwrap import wrap
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ..platform import Board, Findings, Holder, Tile, check, holdings
from .style import COLOURS, HATCHES, styled

WIDE, LINE, HEAD = 0.95, 1.0, 1.7          # of a box; height of a line of text, and of a box's head
SIGNS = {"passthrough": "■ ", "split-backend": "▷ ", "split-frontend": "◁ ", "virtual": "◇ "}
LETTERS = 148                              # of a line below boxes, all over


def board(board: Board, *, findings: Findings | None = None, ax: Axes | None = None) -> Axes:
    """VMs as boxes, with their contract, pCPUs, memory, lines, channels and devices; the first box holds the board's pCPUs, and what nobody has.

    Parameters
    ----------
    board : Board
    findings : Findings, optional
        Those of `rv.platform.check` unless given; their numbers mark the tiles that they concern, and they are listed below.
    ax : Axes, optional

    Examples
    --------
    >>> import rtvirt as rv
    >>> ax = rv.plots.board(rv.platform.load("drone"))
    >>> [text.get_text() for text in ax.texts if text.get_fontweight() == "bold"]
    ['the board', 'autopilot', 'vision']
    """
    found = check(board) if findings is None else findings
    boxes = holdings(board, found)
    deep = max(HEAD + sum(height(tile) for tile in merged(box)) for box in boxes)
    listed = [line for number, finding in enumerate(found, 1)
              for line in wrap(f"({number}) {finding.place}: {finding.reason}; {finding.remedy}", LETTERS, subsequent_indent="     ")]
    with styled():
        ax = Figure(figsize=(12, 0.8 + 0.235 * (deep + 1.1 * len(listed)))).add_subplot() if ax is None else ax
        for x, box in enumerate(boxes):
            draw_box(ax, x, box, deep)
        for row, line in enumerate(listed):
            ax.text(0, deep + 1.2 + 1.1 * row, line, va="center", fontsize=10.5, in_layout=False)      # else boxes make room for it
        ax.set_xlim(-0.02, len(boxes) - 1 + WIDE + 0.02)
        ax.set_ylim(deep + 0.6 + 1.1 * len(listed), -0.1)
        ax.set_axis_off()
        number = f"{len(found)} finding{'s' * (len(found) > 1)}" if found else "no findings"
        ax.set_title(f"{board.name} under {board.scheduler.name}: {number}", loc="left")
    return ax


def merged(box: Holder) -> list[Tile]:
    """The tiles, with the pCPUs in one."""
    cpus = [tile for tile in box.tiles if tile.kind == "pCPU"]
    one = Tile("pCPU", "pCPU " + ", ".join(tile.name.removeprefix("pCPU ") for tile in cpus), "", findings=cpus[0].findings if cpus else ())
    rest = [tile for tile in box.tiles if tile.kind != "pCPU"]
    place = 1 if rest and rest[0].kind == "contract" else 0
    return [*rest[:place], *([one] if cpus else []), *rest[place:]]


def height(tile: Tile) -> float:
    """Of a tile: two lines where it has a name and something to say."""
    return 2.1 * LINE if tile.says else 1.35 * LINE


def draw_box(ax: Axes, x: int, box: Holder, deep: float) -> None:
    """A VM."""
    ax.add_patch(Rectangle((x, 0), WIDE, deep + 0.2, facecolor="white", edgecolor="#8a8a8a"))
    ax.add_patch(Rectangle((x, 0), WIDE, 0.28, facecolor=COLOURS[box.meaning], hatch=HATCHES[box.meaning], edgecolor="white", linewidth=0))
    name = "the board" if box.name == "board" else box.name
    ax.text(x + 0.03, 0.95, name, fontweight="bold", va="center", fontsize=12)
    ax.text(x + WIDE - 0.03, 0.95, marks(box.findings) or ("pCPUs, free devices" if name == "the board" else box.meaning), va="center", ha="right",
            fontsize=10, color=COLOURS["miss"] if box.findings else "#555555")
    y = HEAD
    for tile in merged(box):
        draw_tile(ax, x + 0.03, y, tile)
        y += height(tile)


def draw_tile(ax: Axes, x: float, y: float, tile: Tile) -> None:
    """One thing; framed in vermilion, and numbered, where it does not fit."""
    look: dict[str, Any] = {"edgecolor": COLOURS["miss"], "linewidth": 2.2} if tile.findings else {"edgecolor": "#c4c4c4", "linewidth": 0.8}
    tall = height(tile) - 0.2
    ax.add_patch(Rectangle((x, y), WIDE - 0.06, tall, facecolor="#f6f6f6", **look))
    first = SIGNS.get(tile.mode, "") + tile.name
    lines = [first, tile.says] if tile.says else [first]
    for row, text in enumerate(lines):
        ax.text(x + 0.02, y + tall * (row + 0.5) / len(lines) + (0.04 if not row else -0.04), text, va="center", fontsize=10.5 if not row else 9.5,
                color="#111111" if not row else "#555555", clip_on=True)
    if tile.findings:
        ax.text(x + WIDE - 0.08, y + tall * 0.5 / len(lines), marks(tile.findings), va="center", ha="right", fontsize=10.5, fontweight="bold",
                color=COLOURS["miss"])


def marks(findings: tuple[int, ...]) -> str:
    """Numbers of findings."""
    return " ".join(f"({number})" for number in findings)
