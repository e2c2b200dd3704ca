"""A device without interrupts: a thread looks every so often."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from ...errors import Problem
from ..spec import Duration, Time, know_fields
from .attached import Attached
from .plumbing import MOST_BATCH, Batch, Count, Line, Path, Plumbing, Stage, Thread

if TYPE_CHECKING:
    from ..system import System


class PolledDevice(Attached):
    """A device that a VM's thread polls: no interrupts, a delay of at most a period and its scheduling, and a price even when nothing comes.

    Paths: ``NAME.rx`` (with `rx`), ``NAME.tx``.

    Parameters
    ----------
    name, frontend : str
        The device, and the VM that drives it.
    period, offset : int [ns]
        When the thread looks, from the VM's start on. With the period of a time-triggered schedule, and its offset, that is its slot.
    look : int [ns]
        Of each look, whether there is something or not. 0, unknown.
    work, submit, device : int [ns]
        For each message: what the thread computes, what a task that sends computes, and the hardware when one is sent. 0, unknown.
    batch : int
        Messages taken at a time; it goes on until nothing is left.
    priority, budget, server_period : int, optional
        Of the thread, among the tasks of a fixed-priority guest; of its own server [ns], in a guest with constant bandwidth servers. Without
        them it is of the kernel and comes before all tasks.
    rx, tx, into, capacity, frontend_vcpu, off :
        See `rtvirt.system.devices.attached.Attached`; what it says of interrupts has no meaning here and is refused.

    Raises
    ------
    SpecError
        With every mistake found.

    Examples
    --------
    >>> import rtvirt as rv
    >>> adc = rv.PolledDevice("adc0", frontend="modem", period=500_000, rx=rv.Arrivals(1_000_000), capacity=16)
    >>> adc.plumb(rv.data.system("phone")).threads[0].period
    500000
    """

    kind: Literal["polled"] = "polled"
    period: Duration
    offset: Time = 0
    look: Time = 0
    work: Time = 0
    submit: Time = 0
    device: Time = 0
    batch: Batch = MOST_BATCH
    priority: Count | None = None
    budget: Duration | None = None
    server_period: Duration | None = None

    def contradictions(self) -> Iterator[Problem]:
        """Fields that do not go together."""
        yield from super().contradictions()
        for field in ("handler", "entry", "abi", "late_eoi", "moderation", "distance", "frontend_poll", "frontend_priority"):
            if getattr(self, field):
                fix = {"frontend_poll": "give `period`", "frontend_priority": "give `priority`"}.get(field, "leave it out")
                yield Problem(field, getattr(self, field), "nothing: a polled device does not interrupt", fix)
        if self.budget is not None and self.priority is not None:
            yield Problem("priority", self.priority, "none beside a budget", "choose one of them: guests know one or the other")

    def lay_out(self, system: System) -> Plumbing:
        """The thread and the hardware."""
        thread = Thread(self.frontend, f"{self.name}.poll", vcpu=self.frontend_vcpu, priority=self.priority, wake=self.look, batch=self.batch,
                        period=self.period, offset=self.offset, budget=self.budget, server_period=self.server_period)
        line = Line(self.name)
        sent = Path(f"{self.name}.tx", self.frontend, (Stage("poll", thread.key, each=self.work), Stage("hardware", line.key, each=self.device)),
                    arrivals=self.tx, submit=self.submit, crash="drop")
        got = Path(f"{self.name}.rx", self.frontend, (self.hardware("poll", thread, self.work),), arrivals=self.rx, into=self.receiver(),
                   crash="drop")
        return Plumbing((thread,), (line,), (got, sent) if self.rx else (sent,))


know_fields(PolledDevice)
