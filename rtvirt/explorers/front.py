"""Contracts as points, what they promise against what they cost, drawn in the browser: the front, a chosen one, and what was seen of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import anywidget
import numpy as np
import traitlets

from .assets import read_assets
from .columns import pack


class Front(anywidget.AnyWidget):
    """The widget: latency [ns] to the right, share of a pCPU [%] upwards."""

    _esm = read_assets("canvas.js", "plane.js", "lists.js", "front.js")
    _css = read_assets("explorers.css")
    picture = traitlets.Dict().tag(sync=True)
    data = traitlets.Bytes(b"").tag(sync=True)

    def show(self, columns: Mapping[str, np.ndarray], *, chosen: tuple[float, float] | None, seen: float | None, deadline: float,
             most: tuple[float, float], label: str) -> None:
        """Columns `x`, `y` (all contracts) and `front_x`, `front_y`, fastest first; the chosen one; the longest response seen of it [ns]."""
        layout, data = pack(columns)
        marks: dict[str, Any] = {"chosen": None if chosen is None else list(chosen), "seen": seen, "deadline": deadline, "most": list(most)}
        with self.hold_sync():
            self.picture = {"columns": layout, "label": label} | marks
            self.data = data

    def __repr__(self) -> str:
        return f"<{self.picture['label']}>" if self.picture else "Front()"
