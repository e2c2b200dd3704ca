"""Why a system was admitted, or not: the supply and the demand that decided it."""

from __future__ import annotations

from matplotlib.axes import Axes

from ..analysis import Admission
from ..errors import Problem, SpecError
from ..system import Task
from ..units import ms
from .style import new_axes, styled
from .supply_demand import supply_demand

LINE = 88                 # characters of a reason in a line


def why(admission: Admission, *, task: str | None = None, ax: Axes | None = None) -> Axes:
    """The vCPU that decided: what it surely gets against what its tasks ask for.

    Parameters
    ----------
    admission : Admission
    task : "vm/task", optional
        Another task; by default the first that may be late, or else the tightest.
    ax : Axes, optional

    Returns
    -------
    Axes
        As `supply_demand`. A round-robin guest's task is drawn alone, with the turns of the others in its demand; a first-come guest's tasks with one
        deadline, the earliest. Where nothing is promised there is no curve, and the picture says why.

    Raises
    ------
    SpecError
        No such task with a deadline.

    Examples
    --------
    >>> import rtvirt as rv
    >>> from rtvirt.units import us
    >>> phone = rv.System(vms=[rv.VM("modem", tasks=[rv.Task("slot", wcet=us(300), period=ms(5))], budget=ms(1), period=ms(4)),
    ...                        rv.VM("android", tasks=[rv.hog()], budget=ms(6), period=ms(10))])
    >>> rv.plots.why(rv.admit(phone, rv.RTDS())).get_title(loc="left")
    'modem/slot under RTDS: refused'
    """
    if not isinstance(admission, Admission):
        raise SpecError([Problem("admission", admission, "what rv.admit returns", "write rv.plots.why(rv.admit(system, scheduler))", "")])
    name = deciding(admission) if task is None else task
    if name not in admission.deadlines:
        raise SpecError([Problem("task", name, ", ".join(admission.deadlines) or "no task has a deadline", "name one of these", "")])
    vm, _, plain = name.partition("/")
    vcpu, promise, outcome = next((v, p, o) for v, p, o in zip(admission.vcpus, admission.promises, admission.outcomes)
                                  if v.vm.name == vm and plain in o.bounds)
    verdict = "refused" if name in admission.late else "admitted"
    if promise.supply is None or not outcome.tasks:
        ax = written(admission.reasons.get(name) or promise.reason, ax)
    else:
        tasks, guest = shown(list(outcome.tasks), plain, vcpu.vm.guest)
        ax = supply_demand(tasks, promise.supply, guest=guest, until=ms(1), ax=ax)
    ax.set_title(f"{name} under {type(admission.scheduler).__name__}: {verdict}", loc="left")
    return ax


def deciding(admission: Admission) -> str:
    """The first task that may be late, or else the one with the least slack."""
    if admission.late:
        return admission.late[0]
    return min(admission.slack, key=lambda name: admission.slack[name] or 0, default="")


def shown(tasks: list[Task], name: str, guest: str) -> tuple[list[Task], str]:
    """The tasks whose demand counts for one of them, and the guest whose curve says so."""
    if guest in ("edf", "cbs"):
        return tasks, "edf"
    if guest == "rr":
        return [task for task in tasks if task.name == name], "fp"
    if guest == "fifo":
        room = min(task.deadline - task.jitter for task in tasks if task.deadline is not None)
        return [task.replace(deadline=max(1, room)) for task in tasks if not task.is_hog], "edf"
    return tasks, "fp"


def written(reason: str, ax: Axes | None) -> Axes:
    """A reason, where there is nothing to draw."""
    from textwrap import fill

    with styled():
        ax = new_axes(ax, 4.6)
        ax.text(0.02, 0.95, fill(" ".join(reason.split()), LINE), va="top", transform=ax.transAxes)
        ax.set_axis_off()
    return ax
