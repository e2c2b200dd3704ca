"""A map of two rates, drawn in the browser: on which side of a straight border one of two is cheaper, and where one is."""

from __future__ import annotations

import anywidget
import traitlets

from .assets import read_assets


class Border(anywidget.AnyWidget):
    """The widget: below 0 of ``offset + per_x x + per_y y`` the first is cheaper, above it the second."""

    _esm = read_assets("canvas.js", "plane.js", "lists.js", "border.js")
    _css = read_assets("explorers.css")
    picture = traitlets.Dict().tag(sync=True)

    def show(self, names: tuple[str, str], line: tuple[float, float, float] | None, *, point: tuple[float, float], most: tuple[float, float],
             axes: tuple[str, str], text: str) -> None:
        """The line as (offset, per_x, per_y), None if it is not known, and `text` for what there is to say."""
        self.picture = {"names": list(names), "line": None if line is None else list(line), "point": list(point), "most": list(most),
                        "axes": list(axes), "text": text, "label": f"Map of {axes[0]} and {axes[1]}. {text}"}

    def __repr__(self) -> str:
        return f"<{self.picture['label']}>" if self.picture else "Border()"
