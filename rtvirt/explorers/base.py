"""What all explorers share: parameters with ranges, a scene that is updated rather than redrawn, and the only widget code.

`Params` is a frozen dataclass whose fields say their range (`slider`, `choice`). `compute` turns it into data without any widget. A
`Scene` owns a figure and its artists. `Explorer` puts controls beside the scene's picture; errors appear in words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field, fields, replace
from io import BytesIO
from typing import Any, Protocol

import ipywidgets as widgets
from matplotlib.figure import Figure

from ..errors import RtvirtError
from ..plots import Picture


def slider(default: int, low: int, high: int, step: int, label: str) -> Any:
    """A field of `Params` with a range of integers."""
    return field(default=default, metadata={"low": low, "high": high, "step": step, "label": label})


def choice(default: Any, options: list[Any], label: str) -> Any:
    """A field of `Params` with a list of values."""
    return field(default=default, metadata={"options": options, "label": label})


class Scene(Protocol):
    """A figure whose artists follow the data."""

    figure: Figure

    def update(self, data: Any) -> str:
        """Show new data; what it says, in a sentence."""


class Explorer(widgets.VBox):
    """Controls, a sentence, a picture. Operable by keyboard; the latest value wins."""

    def __init__(self, params: Any, compute: Callable[[Any], Any], scene: Scene, description: str) -> None:
        self.params, self._compute, self._scene = params, compute, scene
        self.sentence = widgets.HTML()
        self.image = widgets.Image(format="png", layout=widgets.Layout(width="1000px", height="auto"))
        self.controls = {item.name: self.control(item) for item in fields(params)}
        grid = widgets.GridBox(list(self.controls.values()),
                               layout=widgets.Layout(grid_template_columns="repeat(2, 480px)", grid_gap="2px 24px"))
        super().__init__([widgets.HTML(description), grid, self.sentence, self.image])
        self.refresh()

    def control(self, item: Any) -> widgets.Widget:
        """A slider or a list for one parameter."""
        meta, value = item.metadata, getattr(self.params, item.name)
        wide = {"layout": widgets.Layout(width="460px"), "style": {"description_width": "200px"}}
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
        self.image.value = self.png()

    def png(self) -> bytes:
        """The scene as a picture."""
        buffer = BytesIO()
        self._scene.figure.savefig(buffer, format="png", dpi=80, pil_kwargs={"compress_level": 1})
        return buffer.getvalue()

    def static(self) -> Picture:
        """The picture as it is now, for viewers without a kernel."""
        return Picture(self._scene.figure, f"static fallback of the explorer: {self.sentence.value.removeprefix('<b>').removesuffix('</b>')}")

    def __repr__(self) -> str:
        return f"Explorer({self.params})"

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        (bundle[0] if isinstance(bundle, tuple) else bundle)["text/plain"] = repr(self)
        return bundle
