"""A device that the hypervisor pretends to the guest: an exit for each access to a register."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ..spec import Time, know_fields
from ..task import Step, trap
from .attached import Attached
from .plumbing import Line, Path, Plumbing, Stage, Whole

if TYPE_CHECKING:
    from ..system import System


class EmulatedDevice(Attached):
    """A network card, a serial line, that a hypervisor emulates: no driver VM, and an exit for each access to its registers.

    Paths: ``NAME.rx`` (with `rx`), ``NAME.tx``.

    Parameters
    ----------
    name, frontend : str
        The device, and its guest, whose own driver drives it.
    accesses, rx_accesses : int
        Of registers, for each message sent and received. 12: one to send a packet, and 11 more (Sugerman et al., section 3.2); as many for a
        received one, which they do not say.
    access : int [ns]
        Of an access: exit, emulation, entry. 1360: an IN or OUT handled in VMware's monitor (table 1; PC-733 of 2001).
    work : int [ns]
        What the guest's driver computes beside them for each message. 0, unknown.
    device : int [ns]
        Of the hardware for each message sent; 0: infinitely fast.
    rx, tx, into, off, and what concerns interrupts and the front end's thread :
        See `rtvirt.system.devices.attached.Attached`.

    Raises
    ------
    SpecError
        With every mistake found.

    Notes
    -----
    On a path, accesses are time that the guest computes. In the hypervisor neither it nor the guest can be preempted: a task that shall
    show this has `steps` among its actions, with `accesses=0` here. The prices of other techniques and machines: `rv.traps.cost`. A device
    model in another VM (QEMU in Xen's dom0) is a `HostedDevice` with its own costs.

    References
    ----------
    J. Sugerman, G. Venkitachalam, B.-H. Lim, "Virtualizing I/O Devices on VMware Workstation's Hosted Virtual Machine Monitor", USENIX ATC 2001.

    Examples
    --------
    >>> import rtvirt as rv
    >>> uart = rv.EmulatedDevice("uart0", frontend="modem", rx=rv.Arrivals(100_000))
    >>> uart.plumb(rv.data.system("phone")).paths[0].stages[0].each, len(uart.steps(3))
    (16320, 3)
    """

    kind: Literal["emulated"] = "emulated"
    accesses: Whole = 12
    rx_accesses: Whole = 12
    access: Time = 1_360
    work: Time = 0
    device: Time = 0

    def steps(self, accesses: int = 1) -> list[Step]:
        """So many accesses as steps of a task, which nothing can preempt (docs/model.md 3.8)."""
        return [trap(self.access)] * accesses

    def lay_out(self, system: System) -> Plumbing:
        """The interrupt handler's thread and the hardware."""
        driver, line = self.frontend_thread(suffix="isr"), Line(self.name)
        sent = Path(f"{self.name}.tx", self.frontend, (Stage("hardware", line.key, each=self.device), self.hardware("isr", driver, self.work)),
                    arrivals=self.tx, submit=self.accesses * self.access + self.work, ends=0, crash="drop")
        got = Path(f"{self.name}.rx", self.frontend, (self.hardware("isr", driver, self.rx_accesses * self.access + self.work),),
                   arrivals=self.rx, into=self.receiver(), crash="drop")
        return Plumbing((driver,), (line,), (got, sent) if self.rx else (sent,), upcalls=self.upcalls(self.frontend))


know_fields(EmulatedDevice)
