"""Changes over time: a VM is created, reconfigured, paused, crashes, restarts."""

from __future__ import annotations

from typing import Any, Literal

from .historical import BvtContract, SedfContract
from .spec import Duration, Name, Spec, Time, know_fields
from .vm import Cap, Flag, Priority, Weight


class Change(Spec):
    """Something that happens to a VM at an instant.

    Parameters
    ----------
    at : int [ns]
    vm : str
        Name of the VM.
    state : {"create", "pause", "resume", "crash", "restart"}, optional
        A VM with a ``"create"`` does not exist before. A crash drops all jobs; only a crashed VM can restart.
    weight, cap, budget, period, priority, extratime, sedf, bvt : optional
        New contract values, from then on.

    Raises
    ------
    SpecError
        With every mistake found; `System` checks that the VM exists and is in a state that allows the change.

    Notes
    -----
    A scheduler refuses a value that it does not look at while it runs. Credit's and credit2's weight and cap can change, RTDS's
    budget, period and extratime, SEDF's sedf (or budget, period and extratime, for who has them instead), BVT's bvt,
    FixedPriority's priority and period. Jobs released to a paused VM wait for it. See docs/model.md 6.

    Examples
    --------
    >>> from rtvirt.units import ms
    >>> Change(ms(100), "android", weight=128).fields
    {'weight': 128}
    """

    at: Time
    vm: Name
    state: Literal["create", "pause", "resume", "crash", "restart"] | None = None
    weight: Weight | None = None
    cap: Cap | None = None
    budget: Duration | None = None
    period: Duration | None = None
    priority: Priority | None = None
    extratime: Flag | None = None
    sedf: SedfContract | None = None
    bvt: BvtContract | None = None

    def __init__(self, at: Any = None, vm: Any = None, /, **data: Any) -> None:
        if at is not None:
            data["at"] = at
        if vm is not None:
            data["vm"] = vm
        super().__init__(**data)

    @property
    def fields(self) -> dict[str, Any]:
        """What changes, by field."""
        return {name: value for name, value in self if name not in ("at", "vm") and value is not None}


know_fields(Change)
