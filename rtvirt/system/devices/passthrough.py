"""A device that a VM drives itself: only its interrupts, if anything, go through the hypervisor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from ...errors import Problem
from ..spec import Duration, Time, know_fields
from .attached import Attached
from .plumbing import Line, Path, Plumbing, Stage, Thread

if TYPE_CHECKING:
    from ..system import System

TRAPPED = 660      # [ns] 740 - 80, see PassThrough


class PassThrough(Attached):
    """A device assigned to a VM: its registers are the VM's own, its interrupts are injected by the hypervisor or reach the VM directly.

    Paths: ``NAME.rx`` (with `rx`), ``NAME.tx``.

    Parameters
    ----------
    name, frontend : str
        The device, and the VM that drives it.
    injection : {"direct", "trapped"}
        Of its interrupts.
    interrupt, trapped : int [ns]
        What each costs in the VM; what it costs more if the hypervisor injects it. 80, 660: 740 on the whole (Sá et al., figure 9: Rocket at 3.2 GHz,
        Bao).
    submit, work, device : int [ns]
        For each message: what a task computes to send it, the interrupt's thread, and the hardware when one is sent. 0, unknown.
    budget, server_period : int [ns], optional
        Of the interrupt thread's own server, in a guest with constant bandwidth servers.
    rx, tx, into, off, and what concerns interrupts and the front end's thread :
        See `rtvirt.system.devices.attached.Attached`. `handler` comes on top of `interrupt`; with `frontend_priority` interrupts are
        threads among the guest's tasks; with `distance` they are interposed (Beckert et al. 2014).

    Raises
    ------
    SpecError
        With every mistake found.

    Notes
    -----
    An interrupt for a VM that does not run waits until it does, direct or not. Left out: interrupts of a lower priority that stay blocked on the
    pCPU until the VM has ended this one (9.1.2), and what an IOMMU costs.

    References
    ----------
    B. Sá, J. Martins, S. Pinto, "A First Look at RISC-V Virtualization from an Embedded Systems Perspective", IEEE Transactions on Computers 2021;
    docs/xen-rules.md 9.1.

    Examples
    --------
    >>> import rtvirt as rv
    >>> can = rv.PassThrough("can0", frontend="modem", injection="trapped", rx=rv.Arrivals(1_000_000))
    >>> can.plumb(rv.data.system("phone")).paths[0].stages[0].port.handler
    740
    """

    kind: Literal["passthrough"] = "passthrough"
    injection: Literal["direct", "trapped"] = "direct"
    interrupt: Time = 80
    trapped: Time = TRAPPED
    submit: Time = 0
    work: Time = 0
    device: Time = 0
    budget: Duration | None = None
    server_period: Duration | None = None

    def contradictions(self) -> Iterator[Problem]:
        """Fields that do not go together."""
        yield from super().contradictions()
        if self.budget is not None and self.frontend_priority is not None:
            yield Problem("frontend_priority", self.frontend_priority, "none beside a budget", "choose one of them: guests know one or the other")

    def interrupts(self, name: str, thread: Thread) -> Stage:
        """A stage that the hardware interrupts for, in the chosen way."""
        stage = self.hardware(name, thread, self.work)
        price = self.interrupt + (self.trapped if self.injection == "trapped" else 0)
        return replace(stage, port=replace(stage.port, handler=self.handler + price)) if stage.port else stage

    def lay_out(self, system: System) -> Plumbing:
        """The interrupt's thread and the hardware."""
        isr, line = replace(self.frontend_thread(suffix="isr"), budget=self.budget, server_period=self.server_period), Line(self.name)
        sent = Path(f"{self.name}.tx", self.frontend, (Stage("hardware", line.key, each=self.device), self.interrupts("isr", isr)),
                    arrivals=self.tx, submit=self.submit, ends=0, crash="drop")
        got = Path(f"{self.name}.rx", self.frontend, (self.interrupts("isr", isr),), arrivals=self.rx, into=self.receiver(), crash="drop")
        return Plumbing((isr,), (line,), (got, sent) if self.rx else (sent,), upcalls=self.upcalls(self.frontend))


know_fields(PassThrough)
