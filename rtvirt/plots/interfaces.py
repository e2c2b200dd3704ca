"""What a VM costs, by the period of its budget."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from matplotlib.axes import Axes

from ..analysis import best_interface
from ..errors import Problem, SpecError
from ..system import VM, Task
from ..units import format_ns, ms
from .style import COLOURS, DASHES, new_axes, styled


def interfaces(tasks: Sequence[Task] | VM, periods: Iterable[int], *, switches: Sequence[int] = (0,), guest: Literal["edf", "fp"] = "edf",
               ax: Axes | None = None) -> Axes:
    """Share of a pCPU that must be bought for a VM's tasks, by the period of its budget, for several costs of a switch [ns].

    Parameters
    ----------
    tasks : sequence of Task, or VM
    periods : iterable of int [ns]
    switches : sequence of int [ns]
        A line for each; its best period is marked.
    guest : {"edf", "fp"}
    ax : Axes, optional

    Raises
    ------
    SpecError
        No period will do.

    Examples
    --------
    >>> import rtvirt as rv
    >>> ax = interfaces([rv.Task("a", wcet=ms(1), period=ms(10))], [ms(1), ms(2), ms(4)], switches=[0, 50_000])
    >>> [line.get_label() for line in ax.get_lines()][1]
    'switch 0 ns: best period 1 ms, 11.1 %'
    """
    given = list(periods)
    with styled():
        ax = new_axes(ax)
        for k, switch in enumerate(switches):
            found = [best_interface(tasks, [period], guest, switch=switch) for period in given]
            sold = [one for one in found if one is not None]
            if not sold:
                raise SpecError([Problem("periods", given, "a period for which a whole pCPU would do", "choose shorter periods")])
            best = min(sold, key=lambda one: (one.bandwidth, -one.period))
            if not k:
                ax.axhline(100 * float(best.utilization), color=COLOURS["real-time"], label="what the tasks use")
            look = {"color": COLOURS["bound"] if k else COLOURS["hypervisor"], "linestyle": DASHES[k % 4]}
            ax.plot([one.period / ms(1) for one in sold], [100 * float(one.bandwidth) for one in sold], **look,
                    label=f"switch {format_ns(switch)}: best period {format_ns(best.period)}, {100 * float(best.bandwidth):.1f} %")
            ax.plot(best.period / ms(1), 100 * float(best.bandwidth), marker="o", markersize=9, color=look["color"], label="_best")
        ax.set_ylim(0)
        ax.set_xlabel("period of the budget [ms]")
        ax.set_ylabel("share of a pCPU [%]")
        ax.legend(loc="best")
    return ax
