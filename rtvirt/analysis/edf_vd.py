"""EDF with virtual deadlines: in LO mode tasks of high criticality pretend to be more urgent, so that time is left if they need more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from ..errors import Problem, SpecError
from .mixed_criticality import Mixed, MixedTasks, mixed
from .verdict import Endless, Overload, Verdict


@dataclass(frozen=True)
class VirtualDeadlines(Verdict):
    """A verdict, and how to schedule.

    Attributes
    ----------
    x : Fraction or None
        Virtual deadlines are x times the true ones; 1: plain EDF will do. None if there is no x.
    deadlines : {name: int} [ns]
        Relative deadlines to schedule by in LO mode; those of low criticality, and all in HI mode, are the true ones.
    """

    x: Fraction | None = None
    deadlines: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class NoFactor:
    """No factor leaves enough in both modes: at least so much for LO mode, at most so much for HI mode."""

    least: Fraction
    most: Fraction

    def why(self) -> str:
        """In words."""
        return (f"LO mode needs virtual deadlines of {float(self.least):.6g} times the true ones or more, and HI mode "
                f"{float(self.most):.6g} times or less")


def edf_vd_schedulable(tasks: MixedTasks) -> VirtualDeadlines:
    """Whether EDF-VD meets all deadlines in LO mode, and those of high criticality through the change and after it, on one pCPU.

    Parameters
    ----------
    tasks : sequence of Task and HighCriticality
        Deadlines equal to periods.

    Returns
    -------
    VirtualDeadlines
        Its witness is `NoFactor`, `Overload` or `Endless`.

    Raises
    ------
    SpecError
        Deadlines that are not the periods; what `amc_schedulable` refuses.

    Notes
    -----
    With u the utilization of low criticality, v and w those of high criticality in LO and HI mode: ``u + w <= 1`` is plain EDF. Else any x of
    ``v/(1 − u) <= x <= (1 − w)/u`` will do. The largest is taken here, and virtual deadlines are rounded down to whole ns: then ``u + sum of
    C(LO)/V <= 1`` is looked at again. Sufficient. Every set with ``u + v <= 3/4`` and ``w <= 3/4`` passes, but for rounding.

    References
    ----------
    Baruah et al., The preemptive uniprocessor scheduling of mixed-criticality implicit-deadline sporadic task systems, ECRTS 2012, theorems 1 to 3.

    Examples
    --------
    >>> import rtvirt as rv
    >>> tasks = [rv.Task("ui", wcet=50, period=100), rv.analysis.HighCriticality(rv.Task("brake", wcet=20, period=100), wcet_hi=60)]
    >>> verdict = edf_vd_schedulable(tasks)
    >>> bool(verdict), verdict.x, verdict.deadlines
    (True, Fraction(4, 5), {'ui': 100, 'brake': 80})
    """
    rows, endless = mixed(tasks)
    if endless is not None:
        return VirtualDeadlines(False, "EDF-VD", witness=Endless(endless))
    for row in rows:
        if row.deadline != row.period:
            raise SpecError([Problem(f"tasks[{row.name}].deadline", row.deadline, f"the period, {row.period}", "leave the deadline out")])
    low, calm, wild = used(rows, "low"), used(rows, "lo"), used(rows, "hi")
    names = tuple(row.name for row in rows)
    if low + calm > 1 or wild > 1:
        return VirtualDeadlines(False, "EDF-VD", witness=Overload(max(low + calm, wild), Fraction(1), names))
    if low + wild <= 1:
        return VirtualDeadlines(True, "EDF-VD", x=Fraction(1), deadlines={row.name: row.period for row in rows})
    least, most = calm / (1 - low) if low < 1 else Fraction(1), (1 - wild) / low
    deadlines = {row.name: int(most * row.period) if row.high else row.period for row in rows}
    if min(deadlines.values()) < 1 or sum(Fraction(row.lo, deadlines[row.name]) for row in rows) > 1:
        return VirtualDeadlines(False, "EDF-VD", witness=NoFactor(least, most), exact=False)
    return VirtualDeadlines(True, "EDF-VD", x=most, deadlines=deadlines)


def used(rows: Sequence[Mixed], which: str) -> Fraction:
    """Utilization of low criticality ("low"), or of high criticality in a mode ("lo", "hi")."""
    if which == "low":
        return sum((Fraction(row.lo, row.period) for row in rows if not row.high), Fraction(0))
    return sum((Fraction(row.hi if which == "hi" else row.lo, row.period) for row in rows if row.high), Fraction(0))
