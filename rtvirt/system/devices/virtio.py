"""A virtio network device with its back end in a thread of the host's kernel (vhost, as under KVM)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from ...errors import Problem
from ..spec import Duration, Name, Time, know_fields
from .attached import NAPI_WEIGHT, Attached
from .plumbing import NET_SLOTS, Batch, Count, Flag, Line, Path, Plumbing, Stage, Thread, Whole
from .split import Priority, Ring

if TYPE_CHECKING:
    from ..system import System


class VirtioDevice(Attached):
    """A virtio network device: one vhost thread of the host for both directions of a guest, rings whose ends say when they want to be told.

    Paths: ``NAME.rx`` (with `rx`), ``NAME.tx``.

    Parameters
    ----------
    name : str
    host, frontend : str
        The VM that stands for the host (or is a driver VM), and the guest.
    ring : int
        Slots, a power of two.
    event_idx : bool
        Ends publish from which message on they want to be told (as Xen's rings do, 8.1.5). Without: the other end tells of every message.
    submit, serve, receive, complete : int [ns]
        For each message: the guest that sends, the vhost thread, the guest that receives, the host's NIC driver and bridge. 0, unknown.
    device : int [ns]
        The wire, for each packet sent; 0: infinitely fast.
    fixed, wake, batch :
        Of each batch of the vhost thread, from its waking to the first look [ns], 0, unknown; messages that it takes at most.
    line : str
        The NIC: devices of a host that name the same one share it.
    priority : int or "inherit", optional
        Of the vhost thread among the tasks of a fixed-priority host; "inherit": that of the front end's VM, on
        `frontend_vcpu` if its vCPUs differ.
    budget, server_period : int [ns], optional
        Of its own server, in a host with ``guest="cbs"``.
    vcpu : int
        Of the host, where it runs.
    poll, offset : int [ns], optional
        It looks every `poll` from `offset` on; guests need not tell it.
    rx, tx, into, off, and what concerns interrupts and the front end's thread :
        See `rtvirt.system.devices.attached.Attached`.

    Raises
    ------
    SpecError
        With every mistake found.

    Notes
    -----
    Guests free what has been sent when they send again, without being told: a slot is free when the vhost thread takes the packet. The exit
    that tells the host costs `Costs.hypercall`, an interrupt `Costs.interrupt`. Left out: more than one pair of queues, and busy polling that
    ends by itself.

    Examples
    --------
    >>> import rtvirt as rv
    >>> net = rv.VirtioDevice("net0", host="dom0", frontend="android", rx=rv.Arrivals(100_000))
    >>> [[stage.name for stage in path.stages] for path in net.plumb(rv.data.system("phone")).paths]
    [['nic', 'vhost', 'virtio'], ['vhost', 'wire']]
    """

    kind: Literal["virtio"] = "virtio"
    host: Name
    ring: Ring = NET_SLOTS
    event_idx: Flag = True
    submit: Time = 0
    serve: Time = 0
    receive: Time = 0
    complete: Time = 0
    device: Time = 0
    fixed: Time = 0
    wake: Time = 0
    batch: Batch = NAPI_WEIGHT
    line: Name = "nic"
    priority: Priority | None = None
    budget: Duration | None = None
    server_period: Duration | None = None
    vcpu: Whole = 0
    poll: Duration | None = None
    offset: Time = 0
    full: Literal["wait", "drop"] = "wait"
    backlog: Count = 1000

    def vm_fields(self) -> tuple[str, ...]:
        """Fields that name a VM."""
        return ("host", "frontend")

    def contradictions(self) -> Iterator[Problem]:
        """Fields that do not go together."""
        yield from super().contradictions()
        if self.poll is None and self.offset:
            yield Problem("offset", self.offset, "only with poll", "give poll, or leave offset out")
        if self.budget is not None and self.priority is not None:
            yield Problem("priority", self.priority, "none beside a budget", "choose one of them: guests know one or the other")

    def lay_out(self, system: System) -> Plumbing:
        """The NIC's interrupt work, the vhost thread, and the guest's driver."""
        nic = Thread(self.host, self.line, batch=NAPI_WEIGHT)
        vhost = Thread(self.host, f"{self.name}.vhost", vcpu=self.vcpu, priority=self.thread_priority(system), wake=self.wake,
                       fixed=self.fixed, batch=self.batch, period=self.poll, offset=self.offset, budget=self.budget,
                       server_period=self.server_period)
        driver, wire = self.frontend_thread(), Line(f"{self.host}.{self.line}")
        got = Path(f"{self.name}.rx", self.frontend, (
            self.hardware("nic", nic, self.complete),
            Stage("vhost", vhost.key, each=self.serve),
            Stage("virtio", driver.key, each=self.receive, port=self.ring_port(driver), always=not self.event_idx),
        ), arrivals=self.rx, slots=self.ring, enter=1, leave=2, full=self.full, backlog=self.backlog, into=self.receiver(), crash="drop")
        sent = Path(f"{self.name}.tx", self.frontend, (
            Stage("vhost", vhost.key, each=self.serve, port=self.ring_port(vhost), always=not self.event_idx),
            Stage("wire", wire.key, each=self.device),
        ), arrivals=self.tx, submit=self.submit, slots=self.ring, enter=0, leave=0, backlog=self.backlog, crash="drop")
        paths = (got, sent) if self.rx else (sent,)
        threads = (nic, vhost, driver) if self.rx else (vhost,)
        return Plumbing(threads, (wire,), paths, upcalls=self.upcalls(self.host, self.frontend))



know_fields(VirtioDevice)
