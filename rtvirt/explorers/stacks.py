"""Stacked bars, drawn in the browser: what each of some ways of doing a thing costs, piece by piece."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import anywidget
import traitlets

from .assets import read_assets


@dataclass(frozen=True)
class Bar:
    """A name, the pieces in the order of the keys (those below 0 go to the left), the sum in words; `open`: it may be longer."""

    name: str
    pieces: tuple[float, ...]
    total: str
    open: bool = False


HATCHES = {"none": "", "diagonal": "//", "dots": "..", "cross": "xx", "upright": "||", "level": "--"}
"""The hatches that stacks.js draws, and matplotlib's names of them."""


@dataclass(frozen=True)
class Key:
    """What a piece is for: its name, colour, and hatch (one of `HATCHES`)."""

    name: str
    colour: str
    hatch: str

    @property
    def pattern(self) -> str:
        """The hatch as matplotlib calls it."""
        return HATCHES[self.hatch]

    @classmethod
    def like(cls, name: str, look: tuple[str, str]) -> Key:
        """A key of the looks that a figure has: (colour, hatch as matplotlib calls it)."""
        return cls(name, look[0], next(hatch for hatch, pattern in HATCHES.items() if pattern == look[1]))


class Stacks(anywidget.AnyWidget):
    """The widget."""

    _esm = read_assets("canvas.js", "lists.js", "stacks.js")
    _css = read_assets("explorers.css", "timeline.css")
    picture = traitlets.Dict().tag(sync=True)

    def show(self, bars: Sequence[Bar], keys: Sequence[Key], *, most: float, least: float, axis: str) -> None:
        """Bars on an axis from `least` (0 or below) to `most`; longer ones are cut there, and say so."""
        said = "; ".join(f"{bar.name} {bar.total}" for bar in bars)
        self.picture = {"bars": [asdict(bar) for bar in bars], "keys": [asdict(key) for key in keys], "most": most, "least": least, "axis": axis,
                        "label": f"{axis}: {said}"}

    def __repr__(self) -> str:
        return f"<{self.picture['label']}>" if self.picture else "Stacks()"
