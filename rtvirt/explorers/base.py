"""What all explorers share: parameters with ranges, a scene that is updated rather than redrawn, and the only widget code.

`Params` is a frozen dataclass whose fields say their range (`slider`, `choice`). `compute` turns it into data without any widget. A
`Scene` owns a figure and its artists. `Explorer` puts controls beside the scene's picture; errors appear in words.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import field, fields, replace
from typing import Any, Protocol

import ipywidgets as widgets
from matplotlib.figure import Figure

from ..errors import RtvirtError
from ..plots import Picture

PAUSE, LONGEST_WAIT = 0.01, 0.2      # [s] before the drawing is sent: after the last change, and at most while a key is held


def slider(default: int, low: int, high: int, step: int, label: str) -> Any:
    """A field of `Params` with a range of integers."""
    return field(default=default, metadata={"low": low, "high": high, "step": step, "label": label})


def choice(default: Any, options: list[Any], label: str) -> Any:
    """A field of `Params` with a list of values."""
    return field(default=default, metadata={"options": options, "label": label})


class Scene(Protocol):
    """Pictures whose parts follow the data: widgets of its own, a drawing below them, and all of it as one figure for print."""

    front: list[widgets.Widget]
    figure: Figure

    def update(self, data: Any) -> str:
        """Show new data; what it says, in a sentence."""

    def png(self) -> bytes:
        """The drawing."""


class Explorer(widgets.VBox):
    """Controls, a sentence, a picture. Operable by keyboard; the latest value wins."""

    def __init__(self, params: Any, compute: Callable[[Any], Any], scene: Scene, description: str) -> None:
        self.params, self._compute, self._scene = params, compute, scene
        self._due: asyncio.TimerHandle | None = None
        self._asked = 0.0
        self.sentence = widgets.HTML()
        self.image = widgets.Image(format="png", layout=widgets.Layout(width="100%", max_width="960px", height="auto"))
        self.controls = {item.name: self.control(item) for item in fields(params)}
        grid = widgets.GridBox(list(self.controls.values()),
                               layout=widgets.Layout(grid_template_columns="repeat(auto-fit, minmax(360px, 1fr))", grid_gap="0 12px",
                                                     width="100%"))
        super().__init__([widgets.HTML(description), grid, self.sentence, *scene.front, self.image])
        self.refresh()

    def control(self, item: Any) -> widgets.Widget:
        """A slider or a list for one parameter."""
        meta, value = item.metadata, getattr(self.params, item.name)
        wide = {"layout": widgets.Layout(width="auto", max_width="460px"), "style": {"description_width": "172px"}}
        if "options" in meta:
            made = widgets.Dropdown(options=meta["options"], value=value, description=meta["label"], **wide)
        else:
            made = widgets.IntSlider(value=value, min=meta["low"], max=meta["high"], step=meta["step"], description=meta["label"],
                                     continuous_update=True, **wide)
        made.observe(lambda change, name=item.name: self.set(**{name: change["new"]}), names="value")
        return made

    def set(self, **values: Any) -> None:
        """Change parameters and redraw."""
        self.params = replace(self.params, **values)
        self.refresh()

    def refresh(self) -> None:
        """Compute and show; what is wrong is said in words."""
        try:
            text = self._scene.update(self._compute(self.params))
        except RtvirtError as error:
            self.sentence.value = f"<b>This cannot be run:</b> {error}"
            return
        self.sentence.value = f"<b>{text}</b>"
        self.draw_soon()

    def draw_soon(self) -> None:
        """Draw when no newer value is waiting: a held key moves the widgets at once, and the drawing at least now and then."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:                        # no kernel that could come back to it
            self.draw()
            return
        if self._due is None:
            self._asked = loop.time()
        else:
            self._due.cancel()
        if loop.time() - self._asked > LONGEST_WAIT:
            self.draw()
        else:
            self._due = loop.call_later(PAUSE, self.draw)

    def draw(self) -> None:
        """Send the scene's drawing to the browser."""
        self._due = None
        self.image.value = self._scene.png()

    def static(self) -> Picture:
        """The picture as it is now, for viewers without a kernel."""
        return Picture(self._scene.figure, f"static fallback of the explorer: {self.sentence.value.removeprefix('<b>').removesuffix('</b>')}")

    def __repr__(self) -> str:
        return f"Explorer({self.params})"

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        (bundle[0] if isinstance(bundle, tuple) else bundle)["text/plain"] = repr(self)
        return bundle
