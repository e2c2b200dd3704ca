"""The walk: a guest's instructions as a strip coloured by who executed them, and the machine at one of them. Drawn in the browser."""

from __future__ import annotations

from typing import Any

import anywidget
import numpy as np
import traitlets

from .assets import read_assets
from .columns import pack
from .monitor_data import WHO, Psw, Recording


class Walk(anywidget.AnyWidget):
    """The widget.

    Keys, when the strip has the focus: left and right go one step, page up and page down to where the monitor comes in, Home and End to
    the ends. What the reader asks for arrives in `wanted`; whoever owns the position moves it.
    """

    _esm = read_assets("canvas.js", "lists.js", "walk.js")
    _css = read_assets("explorers.css", "walk.css")
    run = traitlets.Dict().tag(sync=True)
    data = traitlets.Bytes(b"").tag(sync=True)
    moment = traitlets.Dict().tag(sync=True)
    wanted = traitlets.Int(-1).tag(sync=True)
    shown: Recording | None = None

    def show(self, shown: Recording, position: int, sentence: str) -> None:
        """Show a moment of a run; the run itself travels only when it is another one."""
        with self.hold_sync():
            if shown is not self.shown:
                layout, data = pack({"who": [WHO.index(step.who) for step in shown.steps], "crossings": [step.crossings for step in shown.steps],
                                     "user": [step.mode == "user" for step in shown.steps]})
                self.shown, self.run, self.data = shown, {"columns": layout, "who": list(WHO), "reason": shown.reason}, data
            self.moment = describe(shown, position, sentence)

    def __repr__(self) -> str:
        return f"<{self.moment['label']}>" if self.moment else "Walk()"


def describe(shown: Recording, position: int, sentence: str) -> dict[str, Any]:
    """A moment in the words that the browser puts on the page."""
    at, steps = shown.moments[position], shown.steps[:position]
    who = np.bincount([WHO.index(step.who) for step in steps], minlength=len(WHO))
    return {
        "position": position, "label": sentence, "p": at.virtual.p, "code": [list(line) for line in shown.code(position)],
        "psw": [[name, virtual, real] for name, virtual, real in zip(NAMES, words(at.virtual), words(at.real), strict=True)],
        "registers": list(at.registers), "console": shown.console[:at.printed],
        "counts": [int(n) for n in who], "crossings": sum(step.crossings for step in steps),
    }


NAMES = ("M", "switch", "P", "l", "b", "timer")


def words(psw: Psw | None) -> tuple[str, ...]:
    """A PSW for people; while the monitor interprets, the real one is its own."""
    if psw is None:
        return ("the monitor's", *("–",) * 5)
    return ("user" if psw.user else "supervisor", "on" if psw.enabled else "off", str(psw.p), str(psw.l), str(psw.b),
            "off" if psw.timer < 0 else str(psw.timer))
