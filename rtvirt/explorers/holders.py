"""A board in the browser: VMs as boxes, what they have as tiles that can be dragged from one to another, findings beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import anywidget
import traitlets

from ..platform import Finding, Holder
from .assets import read_assets


class Holders(anywidget.AnyWidget):
    """The widget.

    A tile is dragged with the pointer; when it has the focus, the arrow keys left and right give it to the next box, up and down go to another
    tile. What the reader asks for arrives in `wanted`: ``do`` is move (with what, source, target), undo or reset, and ``number`` counts.
    """

    _esm = read_assets("canvas.js", "lists.js", "board.js")
    _css = read_assets("explorers.css", "board.css")
    picture = traitlets.Dict().tag(sync=True)
    wanted = traitlets.Dict().tag(sync=True)

    def show(self, name: str, holders: Sequence[Holder], findings: Sequence[Finding], said: str, last: str) -> None:
        """Boxes and findings; `last` is the tile that was moved last, as box/tile: it keeps the focus."""
        self.picture = {"board": name, "holders": [asdict(holder) for holder in holders], "findings": [described(one) for one in findings],
                        "label": said, "last": last, "answers": self.wanted.get("number", 0)}

    def __repr__(self) -> str:
        return f"<{self.picture['label']}>" if self.picture else "Holders()"


def described(finding: Finding) -> dict[str, Any]:
    """A finding for the page; the file's line is of the board as it was."""
    return {"rule": finding.rule, "place": finding.place, "reason": finding.reason, "remedy": finding.remedy}
