"""A device behind a hosted monitor: world switches, and a thread of the host (VMware Workstation)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ..spec import Name, Time, know_fields
from .attached import Attached
from .plumbing import Path, Plumbing, Port, Stage, Thread

if TYPE_CHECKING:
    from ..system import System


class HostedDevice(Attached):
    """A network card as a hosted monitor gives it to its guest: each packet takes the world to the host, whose process does the work, and back.

    Paths: ``NAME.rx`` (with `rx`), ``NAME.tx``; a guest waits for the way back as it does in reality if its tasks `rv.request`.

    Parameters
    ----------
    name : str
    host, frontend : str
        The VM that stands for the host operating system, and the guest.
    exit, world_switch, host_work, entry_back : int [ns]
        From the guest into the monitor; between monitor and host, each way; of the process and its driver for a packet; from the monitor into the
        guest. 570, 4450, 21750 (1230 + 17550 + 2970), 410: 31.63 us in all (figure 5; PC-733 of 2001).
    receive : int [ns]
        What the guest computes for a received packet. 0, unknown.
    rx, tx, into, off, and what concerns interrupts and the front end's thread :
        See `rtvirt.system.devices.attached.Attached`.

    Raises
    ------
    SpecError
        With every mistake found.

    Notes
    -----
    A received packet costs the host what a sent one does; the published rates of reception do not fit one cost a packet. Left out: further
    accesses of the guest's driver (11 a packet before they were optimized: `EmulatedDevice`), sends that are combined, and that the guest is itself a
    process of the host, scheduled by it.

    References
    ----------
    J. Sugerman, G. Venkitachalam, B.-H. Lim, "Virtualizing I/O Devices on VMware Workstation's Hosted Virtual Machine Monitor", USENIX ATC 2001.

    Examples
    --------
    >>> import rtvirt as rv
    >>> path = rv.HostedDevice("net0", host="dom0", frontend="android").plumb(rv.data.system("phone")).paths[0]
    >>> path.submit + sum(stage.each for stage in path.stages)
    31630
    """

    kind: Literal["hosted"] = "hosted"
    host: Name
    exit: Time = 570
    world_switch: Time = 4_450
    host_work: Time = 21_750
    entry_back: Time = 410
    receive: Time = 0

    def vm_fields(self) -> tuple[str, ...]:
        """Fields that name a VM."""
        return ("host", "frontend")

    def lay_out(self, system: System) -> Plumbing:
        """The host's process, and the guest's driver."""
        process, driver = Thread(self.host, f"{self.name}.process"), self.frontend_thread(batch=1)
        back = self.world_switch + self.entry_back
        sent = Path(f"{self.name}.tx", self.frontend, (Stage("process", process.key, each=self.host_work, port=Port(priority=self.port_priority)),
                                                       Stage("return", driver.key, each=back, port=self.ring_port(driver))),
                    arrivals=self.tx, submit=self.exit + self.world_switch, ends=0, crash="drop")
        got = Path(f"{self.name}.rx", self.frontend, (self.hardware("process", process, self.host_work),
                                                      Stage("return", driver.key, each=back + self.receive, port=self.ring_port(driver))),
                   arrivals=self.rx, into=self.receiver(), crash="drop")
        return Plumbing((process, driver), (), (got, sent) if self.rx else (sent,), upcalls=self.upcalls(self.host, self.frontend))


know_fields(HostedDevice)
