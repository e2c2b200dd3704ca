"""What a supply surely brings against what tasks ask for, over the length of a window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from ..analysis import Dedicated, Supply, Verdict, ViolatingInterval, dbf, edf_schedulable, fp_schedulable, rbf
from ..errors import Problem, SpecError
from ..system import VM, Task, ranks_of
from ..units import format_ns, ms
from .style import COLOURS, new_axes, styled

POINTS = 2001


@dataclass(frozen=True)
class SupplyDemand:
    """Supply and demand as curves.

    Attributes
    ----------
    windows : (n,) int64 [ns]
    brings, line : (n,) int64 [ns]
        What the supply surely brings in a window: exactly, and as a straight line below it.
    asks : (n,) int64 [ns]
        Under EDF what must be done within the window, under fixed priority what `task` waits for, itself included.
    verdict : Verdict
    task : Task or None
        Under fixed priority: the first that may be late, else the least important one.
    blackout : int or None [ns]
        Longest window that may bring nothing; None if there is no end to it.
    """

    windows: np.ndarray
    brings: np.ndarray
    line: np.ndarray
    asks: np.ndarray
    verdict: Verdict
    task: Task | None
    blackout: int | None

    @property
    def violation(self) -> ViolatingInterval | None:
        """The window that proves a demand too high, under EDF."""
        return self.verdict.witness if isinstance(self.verdict.witness, ViolatingInterval) else None

    @property
    def bound(self) -> int | None:
        """Response bound of `task` [ns], under fixed priority."""
        return None if self.task is None else self.verdict.bounds[self.task.name]


def curves(tasks: Sequence[Task] | VM, supply: Supply = Dedicated(), *, guest: str = "edf", until: int = ms(60)) -> SupplyDemand:  # noqa: B008
    """Supply and demand as curves over windows up to `until` [ns], or longer if what matters lies beyond.

    Raises
    ------
    SpecError
        No task has a deadline, or no such guest.
    """
    due = [task for task in (tasks.tasks if isinstance(tasks, VM) else tasks) if task.deadline is not None]
    if not due:
        raise SpecError([Problem("tasks", tasks, "a task with a deadline", "give one; without deadlines nothing is demanded")])
    if guest not in ("edf", "fp"):
        raise SpecError([Problem("guest", guest, "'edf' or 'fp'", "choose one of these")])
    first, task = supply.inverse(1), None
    if guest == "edf":
        verdict = edf_schedulable(due, supply)
        matters = verdict.witness.length if isinstance(verdict.witness, ViolatingInterval) else 0
    else:
        verdict = fp_schedulable(due, supply)
        order = [one for _, one in sorted(zip(ranks_of(due), due, strict=True), key=lambda pair: pair[0])]
        late = [one for one in order if verdict.bounds[one.name] is None or verdict.bounds[one.name] > one.deadline]
        task = (late or order[-1:])[0]
        due, matters = order[:order.index(task) + 1], max(task.deadline, verdict.bounds[task.name] or 0)
    windows = np.linspace(0, max(until, matters * 5 // 4), POINTS).astype(np.int64)
    asks = dbf(due, windows) if task is None else rbf([task], 1) + (rbf(due[:-1], windows) if due[1:] else 0 * windows)
    return SupplyDemand(windows, supply.sbf(windows), supply.lsbf(windows), asks, verdict, task, None if first is None else first - 1)


def supply_demand(tasks: Sequence[Task] | VM, supply: Supply = Dedicated(), *, guest: str = "edf", until: int = ms(60),  # noqa: B008
                  ax: Axes | None = None) -> Axes:
    """What a supply surely brings, exactly and as a line, against what must be done (EDF) or waited for (fixed priority).

    Parameters
    ----------
    tasks : sequence of Task, or VM
        Those with a deadline count.
    supply : Supply
    guest : {"edf", "fp"}
        ``"fp"`` shows the first task that may be late, else the least important one, and all that goes before it.
    until : int [ns]
        Longest window shown; more if what matters lies beyond.
    ax : Axes, optional

    Returns
    -------
    Axes
        Vermillion: demand that is not surely served (EDF), or the time from the deadline to the bound (fixed priority).

    Examples
    --------
    >>> import rtvirt as rv
    >>> ax = supply_demand([rv.Task("slot", wcet=ms(1), period=ms(5))], rv.analysis.PeriodicResource(ms(4), ms(1)))
    >>> ax.get_title(loc="left")
    'a deadline may be missed'
    """
    return draw(curves(tasks, supply, guest=guest, until=until), ax)


def draw(found: SupplyDemand, ax: Axes | None = None) -> Axes:
    """Draw curves that are known already."""
    with styled():
        ax = new_axes(ax, 4.6)
        window = found.windows / 1e6
        ax.plot(window, found.brings / 1e6, color=COLOURS["bound"], label="supply, at least")
        if (found.line != found.brings).any():
            ax.plot(window, found.line / 1e6, color=COLOURS["bound"], linestyle="--", linewidth=1.4, label="supply, as a line")
        ax.plot(window, found.asks / 1e6, color=COLOURS["real-time"],
                label="must be done" if found.task is None else f"{found.task.name} waits for")
        if found.task is None:
            ax.fill_between(window, found.brings / 1e6, found.asks / 1e6, where=found.asks > found.brings, color=COLOURS["miss"], alpha=0.45,
                            linewidth=0)
        else:
            mark_response(ax, found.task.deadline, found.bound)
        if found.violation:
            at, short = found.violation.length, found.violation.demand - found.violation.supply
            ax.plot([at / 1e6] * 2, [found.violation.supply / 1e6, found.violation.demand / 1e6], color=COLOURS["miss"], marker="_",
                    markersize=12, linewidth=4, label=f"{format_ns(short)} too little in {format_ns(at)}")
        ax.set_xlim(0, window[-1])
        ax.set_ylim(0)
        ax.set_xlabel("length of the window [ms]")
        ax.set_ylabel("processor time [ms]")
        ax.legend(loc="upper left", frameon=True, framealpha=0.85, edgecolor="none")   # curves may pass behind it
        ax.set_title("every deadline is met" if found.verdict else "a deadline may be missed", loc="left")
    return ax


def mark_response(ax: Axes, deadline: int, bound: int | None) -> None:
    """The deadline, and the bound on the response; the time between them when it comes after."""
    ax.axvline(deadline / 1e6, color=COLOURS["miss"], linewidth=1.6, label=f"deadline {format_ns(deadline)}")
    if bound is not None:
        ax.axvline(bound / 1e6, color=COLOURS["real-time"], linewidth=1.6, linestyle=":", label=f"response at most {format_ns(bound)}")
    if bound is None or bound > deadline:
        ax.axvspan(deadline / 1e6, ax.get_xlim()[1] if bound is None else bound / 1e6, color=COLOURS["miss"], alpha=0.25)
