"""The timeline: who ran where and when, to pan and zoom in the browser.

`timeline(run)` shows any run; explorers put the same widget on their page. The kernel only says *what* happened, as columns of
times; where that is on the screen is the browser's business (timeline.js), so panning and zooming need no kernel.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import anywidget
import numpy as np
import traitlets

from ..errors import Problem, SpecError
from ..results import Run
from .assets import read_assets
from .columns import pack
from .timeline_data import Curve, TimelineData, timeline_data
from .way import Way, around, way_of

FIRST_VIEW = 300_000_000       # [ns] shown at first: ten default slices of Xen's credit scheduler


class Timeline(anywidget.AnyWidget):
    """The timeline widget.

    Keys, when it has the focus: left and right pan, + and - zoom, Home shows everything, M goes to the next missed deadline, 0
    returns to the first view. Dragging pans; the wheel zooms once the timeline has been clicked, so that it does not catch a page
    that is being scrolled. Timelines with the same word in `linked` are panned and zoomed together.
    """

    _esm = read_assets("canvas.js", "timeline_draw.js", "timeline_way.js", "timeline.js")
    _css = read_assets("explorers.css", "timeline.css")
    picture = traitlets.Dict().tag(sync=True)
    data = traitlets.Bytes(b"").tag(sync=True)
    view = traitlets.List(traitlets.Float(), [0.0, float(FIRST_VIEW)]).tag(sync=True)
    linked = traitlets.Unicode("").tag(sync=True)
    shown: TimelineData | None = None

    def show(self, shown: TimelineData, *, curves: Sequence[Curve] = (), curve_label: str = "",
             curve_range: tuple[float, float] = (0, 1), curve_ticks: Sequence[float] = (), way: Way | None = None) -> None:
        """Show something else, in one message; the browser keeps its place on the time axis. `way`: of a message, over the lanes."""
        columns = dict(shown.columns)
        columns["point_curve"] = np.repeat(np.arange(len(curves)), [len(curve.times) for curve in curves])
        columns["point_time"] = np.concatenate([curve.times for curve in curves]) if curves else np.empty(0)
        columns["point_value"] = np.concatenate([curve.values for curve in curves]) if curves else np.empty(0)
        layout, data = pack(columns)
        self.shown = shown
        with self.hold_sync():
            self.picture = {
                "columns": layout, "cpus": shown.cpus, "duration": shown.duration, "vcpus": shown.vcpus,
                "curves": dashed(curves), "curve_label": curve_label, "curve_range": list(curve_range),
                "curve_ticks": list(curve_ticks), "description": shown.description,
                "way": None if way is None else way.lay_out(),
                "title": shown.description.split(". ")[0] + ". Arrow keys pan, plus and minus zoom, Home shows everything, M the next miss.",
            }
            self.data = data

    def __repr__(self) -> str:
        return "Timeline()" if self.shown is None else f"<{self.shown.description}>"

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        (bundle[0] if isinstance(bundle, tuple) else bundle)["text/plain"] = repr(self)
        return bundle


def dashed(curves: Sequence[Curve]) -> list[dict[str, Any]]:
    """Curves of one meaning tell themselves apart by their dashes."""
    seen: dict[str, int] = {}
    described = []
    for curve in curves:
        described.append({"name": curve.name, "meaning": curve.meaning, "dash": seen.get(curve.meaning, 0)})
        seen[curve.meaning] = seen.get(curve.meaning, 0) + 1
    return described


def timeline(run: Run, *, start: int | None = None, until: int | None = None, message: tuple[str, int] | None = None) -> Timeline:
    """Show a run as a timeline to pan and zoom.

    Parameters
    ----------
    run : Run
        Recorded with ``record="trace"``, the default.
    start, until : int [ns], optional
        What to show at first; by default the first 300 ms, or the message's way.
    message : (str, int), optional
        A path and the number of a message that was delivered on it (column ``message`` of ``run.paths``): its way is drawn over the lanes.

    Returns
    -------
    Timeline
        A widget; let it be the last expression of a cell.

    Raises
    ------
    RecordError
        The run kept no trace.
    SpecError
        `start` and `until` are not an interval of the run, no such message was delivered, or the trace is too long for a browser.
    """
    way = None if message is None else delivered(run, *message)
    if way is not None and start is None and until is None:
        low, high = around(way)
        start, until = int(low), min(int(high), run.duration)
    start = start or 0
    end = min(start + FIRST_VIEW, run.duration) if until is None else until
    if not 0 <= start < end <= run.duration:
        raise SpecError([Problem("start, until", (start, end), f"0 <= start < until <= {run.duration}",
                                 "choose a part of the run, for example until=ms(120)")])
    widget = Timeline(view=[float(start), float(end)])
    widget.show(timeline_data(run), way=way)
    return widget


def delivered(run: Run, path: str, number: int) -> Way:
    """The way of a message, by its number."""
    table = run.paths[path]
    found = table[(table["message"] == number) & (table["total"] >= 0)]
    if not len(found):
        raise SpecError([Problem("message", (path, number), f"one that was delivered on {path}", f"choose one of run.paths[{path!r}].message")])
    return way_of(run, path, found.iloc[0])
