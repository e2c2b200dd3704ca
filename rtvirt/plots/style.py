"""The style sheet, colours by meaning, and how a picture gets into a notebook."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from matplotlib import style as mpl_style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..errors import Problem, SpecError
from ..results import Run
from ..system import VM

STYLE = Path(__file__).with_name("rtvirt.mplstyle")
COLOURS = {"real-time": "#0072B2", "best effort": "#E69F00", "driver": "#009E73", "hypervisor": "#999999", "miss": "#D55E00",
           "bound": "#000000"}
HATCHES = {"real-time": "", "best effort": "//", "driver": "..", "hypervisor": "xx"}
FOURTH = "#CC79A7"             # of four lines, where vermillion says that a deadline is missed
DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1.5)), (0, (6, 1.5, 1.5, 1.5)))
LIGHTER = (0.0, 0.35, 0.6)      # towards white, for the second and third VM of one meaning


def meaning_of(vm: VM) -> str:
    """Real-time if a task has a deadline, driver if it is a control VM, else best effort."""
    if vm.control:
        return "driver"
    return "real-time" if any(task.deadline is not None for task in vm.tasks) else "best effort"


def colours_of(vms: tuple[VM, ...]) -> dict[str, tuple[Any, str]]:
    """Colour and hatch of each VM; VMs of one meaning differ in lightness."""
    seen: dict[str, int] = {}
    found = {}
    for vm in vms:
        meaning = meaning_of(vm)
        step = LIGHTER[min(seen.get(meaning, 0), len(LIGHTER) - 1)]
        seen[meaning] = seen.get(meaning, 0) + 1
        found[vm.name] = (towards_white(COLOURS[meaning], step), HATCHES[meaning])
    return found


def towards_white(colour: str, step: float) -> tuple[float, float, float]:
    """A lighter colour: 0 leaves it, 1 is white."""
    from matplotlib.colors import to_rgb

    red, green, blue = (c + (1 - c) * step for c in to_rgb(colour))
    return red, green, blue


def styled() -> AbstractContextManager[None]:
    """The package's style, for as long as a picture is drawn."""
    return mpl_style.context(STYLE)


def end_of(run: Run, start: int, until: int | None) -> int:
    """Where the part of a run that a picture shows ends [ns]; SpecError if nothing is left to show."""
    end = run.duration if until is None else min(until, run.duration)
    if not 0 <= start < end:
        raise SpecError([Problem("start, until", (start, until), f"0 <= start < until, and start before the run's end, {run.duration} ns",
                                 "write for example start=0, until=ms(120)")])
    return end


def new_axes(ax: Axes | None, height: float = 4.2) -> Axes:
    """The axes given, or those of a new figure."""
    return Figure(figsize=(10, height)).add_subplot() if ax is None else ax


class Picture:
    """A figure that displays itself in a notebook as PNG, with a description as its text."""

    def __init__(self, figure: Figure, text: str) -> None:
        self.figure, self.text = figure, text

    def __repr__(self) -> str:
        return f"<picture: {self.text}>"

    def _repr_png_(self) -> bytes:
        from io import BytesIO

        from PIL import Image

        drawn, buffer = BytesIO(), BytesIO()
        self.figure.savefig(drawn, format="png", dpi=80)
        few = Image.open(drawn).convert("RGB").quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        few.save(buffer, format="png", optimize=True)           # a third of the size, which is what notebooks are limited in
        return buffer.getvalue()


def show(ax: Axes, caption: str | None = None) -> Picture:
    """The figure of some axes as the result of a notebook cell; its text is the caption, or a description of what is drawn."""
    return Picture(ax.figure, caption or describe(ax))


def describe(ax: Axes) -> str:
    """What a picture shows, in a sentence made from what is drawn."""
    lanes = [label.get_text() for label in ax.get_yticklabels() if label.get_text()]
    lines = [line.get_label() for line in ax.get_lines() if not str(line.get_label()).startswith("_")]
    low, high = ax.get_xlim()
    parts = [ax.get_title() or "a picture", f"x from {low:g} to {high:g} {ax.get_xlabel()}".strip()]
    if lines:
        parts.append("lines: " + ", ".join(map(str, lines)))
    elif lanes:
        parts.append("rows: " + ", ".join(lanes))
    return "; ".join(parts)
