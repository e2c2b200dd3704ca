"""The tail of a distribution of waits: which share waits longer than any given time, drawn in the browser.

Both axes are logarithmic: a wait of 20 us and one of 200 ms are both to be seen, and so is the one wake-up in a thousand. A wait of
exactly 0 has no logarithm, so the first stretch of the time axis, up to 10 us, is linear.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import anywidget
import numpy as np
import traitlets

from ..plots import tail
from ..units import format_ns
from .assets import read_assets
from .columns import pack


@dataclass(frozen=True)
class Limit:
    """A vertical line with its name: a wait that means something. `meaning` is "miss", "bound" or "rule"; `time` is in ns."""

    name: str
    time: int
    meaning: str = "rule"


def facts(waits: np.ndarray, none: str = "no wake-ups: the VM is never asleep") -> str:
    """Number of waits, median, 99th percentile (the least wait that so many do not exceed) and longest, in words; or that there is `none`."""
    if not len(waits):
        return none
    p50, p99 = (short(int(np.quantile(waits, q, method="inverted_cdf"))) for q in (0.5, 0.99))
    return f"n = {len(waits)} · p50 {p50} · p99 {p99} · longest {short(int(waits.max()))}"


def short(time: int) -> str:
    """A time to three digits; to the ns below 1 us."""
    digits = max(0, len(str(abs(time))) - 3)
    return format_ns(int(round(time, -digits))).replace("us", "µs")


class Tail(anywidget.AnyWidget):
    """The widget. Its picture is described in words for those who do not see it.

    With a `picked` wait it has a dot, and takes the keyboard: left and right go to the next shorter or longer wait, Home and End to the
    ends; so does a click. What the reader picks is `chosen` [ns].
    """

    _esm = read_assets("canvas.js", "lists.js", "tail.js")
    _css = read_assets("explorers.css")
    picture = traitlets.Dict().tag(sync=True)
    data = traitlets.Bytes(b"").tag(sync=True)
    chosen = traitlets.Float(-1.0).tag(sync=True)

    def show(self, waits: np.ndarray, *, name: str, limits: Sequence[Limit] = (), what: str = "Wake-up latency", verb: str = "wait longer",
             none: str = "no wake-ups: the VM is never asleep", picked: int | None = None) -> None:
        """Show waits (n,) [ns] of a VM or path, lines at some limits, and the one that is picked, in one message."""
        times, share = tail(waits)
        layout, data = pack({"time": times, "share": share})
        beyond = [f"{100 * np.mean(waits > limit.time):.1f} % {verb} than {format_ns(limit.time)}, {limit.name}."
                  for limit in limits if len(waits)]
        said = facts(waits, none)
        with self.hold_sync():
            self.picture = {"columns": layout, "facts": said, "limits": [asdict(limit) for limit in limits], "verb": verb, "picked": picked,
                            "label": f"{what} of {name}, share that {verb.replace('wait', 'waits').replace('take', 'takes')}: {said}. "
                                     f"{' '.join(beyond)}".strip()}
            self.data = data

    def __repr__(self) -> str:
        return f"<{self.picture['label']}>" if self.picture else "Tail()"
