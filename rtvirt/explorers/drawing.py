"""A small drawing whose line moves while its axes stay: only the line is drawn anew, which is several times faster."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from PIL import Image


class Drawing:
    """Axes with one line, as PNG.

    Parameters
    ----------
    make : callable
        Sets up the axes it is given, with limits that stay, and returns the line.
    """

    def __init__(self, make: Callable[[Axes], Line2D]) -> None:
        self.canvas = FigureCanvasAgg(Figure(figsize=(12, 2.6), dpi=80))
        self.axes = self.canvas.figure.add_axes((0.09, 0.22, 0.89, 0.74))
        self.line = make(self.axes)
        self.line.set_animated(True)            # left out of the background
        self._background = None

    def png(self) -> bytes:
        """Axes from memory, the line anew."""
        if self._background is None:
            self.canvas.draw()
            self._background = self.canvas.copy_from_bbox(self.canvas.figure.bbox)
        self.canvas.restore_region(self._background)
        self.axes.draw_artist(self.line)
        buffer = BytesIO()
        Image.fromarray(np.asarray(self.canvas.buffer_rgba())).convert("RGB").save(buffer, format="PNG", compress_level=1)
        return buffer.getvalue()
