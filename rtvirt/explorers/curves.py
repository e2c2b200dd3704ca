"""Curves of work against the length of a window, drawn in the browser: supply and demand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import anywidget
import numpy as np
import traitlets

from .assets import read_assets
from .columns import pack


@dataclass(frozen=True)
class Line:
    """A curve with its name: what it is for (its colour), work (n,) [ns] at every window, and a number for its dashes."""

    name: str
    meaning: str
    work: np.ndarray
    dash: int = 0


class Curves(anywidget.AnyWidget):
    """The widget. Where line `over` is above line `under`, the space between them is vermillion."""

    _esm = read_assets("canvas.js", "plane.js", "lists.js", "curves.js")
    _css = read_assets("explorers.css", "timeline.css")
    picture = traitlets.Dict().tag(sync=True)
    data = traitlets.Bytes(b"").tag(sync=True)

    def show(self, windows: np.ndarray, lines: Sequence[Line], *, over: int, under: int, marks: Sequence[dict[str, Any]], label: str,
             tall: int = 330) -> None:
        """Curves over windows (n,) [ns], `tall` pixels high, and marks: ``{at, low, high}`` or ``{from, to}`` [ns], `name`, `meaning`, `top`."""
        layout, data = pack({"window": windows} | {f"line_{k}": line.work for k, line in enumerate(lines)})
        highest = max(float(line.work.max()) for line in lines)
        with self.hold_sync():
            self.picture = {"columns": layout, "lines": [{"name": line.name, "meaning": line.meaning, "dash": line.dash} for line in lines],
                            "excess": [over, under], "marks": list(marks), "most": [float(windows[-1]), max(1.0, 1.05 * highest)], "label": label,
                            "tall": tall}
            self.data = data

    def __repr__(self) -> str:
        return f"<{self.picture['label']}>" if self.picture else "Curves()"
