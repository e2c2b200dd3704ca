"""The split driver: a front end in the guest, a back end in a driver VM, a ring and event channels between them (docs/xen-rules.md 8)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from ...errors import Problem
from ..arrivals import Arrivals
from ..spec import Duration, Name, Time, know_fields, refusal
from .attached import Attached
from .plumbing import BLOCK_SLOTS, NET_SLOTS, Batch, Count, Plumbing, Whole
from .split_block import block
from .split_network import network

if TYPE_CHECKING:
    from ..system import System

LARGEST_RING = 2**15
DEFAULT_TRAFFIC = Arrivals(1_000_000, arrival="poisson")
NET_COSTS = {"submit": 6_645, "receive": 7_353, "serve": 1_107}     # [ns]; see SplitDriver
GRANTS = {"tasklets": ("flip", "copy"), "kthread": ("copy",), "napi": ("map", "copy"), "block": ("map", "copy")}
"""What a back end does with the guest's pages (8.2.1), the era's default first."""


def power_of_two(value: Any) -> int:
    """Check of a ring's slots (8.1.2)."""
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= LARGEST_RING or value & (value - 1):
        raise refusal(f"a power of two, 1 to {LARGEST_RING}", "choose for example 256, or 32 for a block device")
    return value


def rank(value: Any) -> Any:
    """Check of a thread's priority: a number, or that of the front end's VM."""
    if value == "inherit" or (isinstance(value, int) and not isinstance(value, bool) and 1 <= value < 2**31):
        return value
    raise refusal("a whole number from 1 on, or 'inherit'", "choose one of these; 1 is the highest")


Ring = Annotated[int, BeforeValidator(power_of_two), Field(ge=1, le=LARGEST_RING)]
Priority = Annotated[int | Literal["inherit"], BeforeValidator(rank)]


class SplitDriver(Attached):
    """A network or block device that a guest reaches through a driver VM, as under Xen.

    Paths: ``NAME.rx`` (8.7; with `rx`) and ``NAME.tx`` (8.6) of a network device, ``NAME.read`` (8.8) of a block device. A write takes the same
    way as a read on the same ring, its data the other way round: let it use the same path.

    Parameters
    ----------
    name : str
    driver, frontend : str
        The driver VM, and the guest.
    kind : {"net", "block"}
    ring : int, optional
        Slots, a power of two; 256, or 32 for a block device (8.1.2).
    backend : {"tasklets", "kthread", "napi"}, optional
        Network: who serves it in the driver VM (8.4). ``"tasklets"`` (2007): one for each direction, shared by all front ends; packets for
        guests are taken in the order in which they came; a guest without buffers loses them. ``"kthread"`` (Linux 2.6.39 to 3.11): one thread for
        each front end and both directions (the groups of that time are taken for groups of one). ``"napi"`` (3.12 and later, the
        default): a poll and a thread for each front end. Block: one kthread for each disk (8.5.1).
    rx : Arrivals, optional
        Packets from outside, at the instants at which they are in the driver VM's memory (R1). By default one every millisecond on
        average (Poisson), a round number to begin with; None: none, and no path for them.
    tx, reads : Arrivals, optional
        Packets or block requests of the guest beside those that its tasks submit.
    into : str, optional
        Channel task that each received packet, or finished block request, releases.
    submit, serve, receive : int [ns], optional
        For each message: what the guest computes before it is on the ring, the back end, and the guest for what it receives. Network: 6645,
        1107, 7353, see Notes. Block: 0, unknown.
    complete, reap : int [ns]
        For each message: the driver VM's NIC or disk driver and bridge, each time it goes through; the guest when a packet has been sent. 0, unknown.
    device : int [ns]
        The wire (packets sent), or the disk. 0: infinitely fast.
    fixed, wake, rest : int [ns]
        Of each batch of the back end, beside its grant hypercall (`Costs.hypercall`); from waking to first look; when it finds nothing more,
        until it sleeps. 0, unknown; docs/fidelity.md has a block back end's.
    grant : {"copy", "map", "flip"}, optional
        What is done with the guest's pages. Network, 2007: ``"flip"`` (default) gives received pages to the guest, ``"copy"`` copies into
        its; sent ones are mapped. ``"kthread"``: both copied. ``"napi"``: sent ones mapped (``"map"``, 3.15 and later, the default) or
        copied. Block: mapped, or copied into persistent grants.
    grant_each, release_each : int [ns]
        Of each page copied, mapped or given away; of unmapping it, or of the page that a guest offers anew. 0, unknown.
    line : str, optional
        NIC or disk. Devices of a driver VM that name the same one share its interrupt handling and its `device` time. By default one
        NIC, ``nic``, for all network devices of a driver VM, and a disk for each block device.
    batch : int, optional
        Messages that a back end takes at most: 256 (tasklets; the last slots, kept for a packet in many fragments, are left out), 64, or the ring.
    back_after, front_after : int, optional
        A sleeping back end, or front end, asks to be told of the so-manieth message; 0: when half of what is outstanding is there. By default 1,
        and 0 for packets sent in 2007 (8.4.5).
    timeout : int [ns], optional
        And is told at the latest so long after the first it was not told of. Without it a half batch waits (8.1.7).
    pool : int, optional
        Requests in flight in the back ends of a driver VM: 64 for block (8.5.1), 256 for packets sent in 2007 (8.4.1), otherwise no limit.
    full : {"wait", "drop"}, optional
        Packets for a guest without buffers; 2007 drops. backlog : int: so many wait, the next is dropped.
    crash, reconnect :
        What happens to messages in the hands of a driver VM that crashes: a block front end issues them again ("reissue"), a network
        front end forgets them ("drop"); how long it takes from its restart to the first message [ns].
    priority : int or "inherit", optional
        Gives the stream (front end and direction) back-end threads of its own, with this priority among the tasks of a fixed-priority
        driver VM; "inherit": that of the front end's VM (on `frontend_vcpu`, if its vCPUs differ). Back-end threads without one are of the
        kernel and come before those: give all streams of a driver VM one, or none.
    budget, server_period : int [ns], optional
        Gives it threads of its own with a server each, in a driver VM with ``guest="cbs"``.
    vcpu, tx_vcpu : int, optional
        Gives it threads of its own on this vCPU of the driver VM, with the NIC's or disk's interrupts for it; `tx_vcpu`: those of packets sent.
    poll, offset : int [ns], optional
        The driver VM's threads for this device look every `poll` from `offset` on, and take no interrupts: polled or time-triggered.
    late_eoi : bool, optional
        By default with ``"napi"``, and block with the FIFO ABI.
    abi : {"2l-2006", "2l", "fifo"}, optional
        By default "2l-2006" with tasklets, "2l" with kthreads, otherwise "fifo".
    off, and what else concerns interrupts and the front end's thread :
        See `rtvirt.system.devices.attached.Attached`.

    Raises
    ------
    SpecError
        With every mistake found; `System` checks VMs, vCPUs, guests and what devices share.

    Notes
    -----
    Network costs: 7752 ns is a packet of 500 bytes sent under Xen, 6645 ns under Linux alone, 7353 ns one received there (516, 602 and
    544 Mb/s: Barham et al., Xen and the Art of Virtualization, SOSP 2003, table 6; 2.4 GHz). Nobody has published how the sum divides between
    two VMs: here the guest pays what Linux alone does, the back end the difference. Sizes of packets, checksums and segmentation are left out: a
    message is a packet.

    Left out: the rate limit of a virtual interface; that interrupts' work comes before all kernel threads, those of other devices too (a VM's
    kernel threads come in the order of the devices); the back end that stops taking when half of its slots are used (8.4.1); queues beyond the
    first; that a guest's two rings share a port in 2007; that with copied pages the guest may reap before the wire is done (delivery is
    not touched, occupation of the ring is). A received packet reserves its buffer when the back end queues it, as the code of 2007 does.

    References
    ----------
    docs/xen-rules.md 8.1 to 8.8 (there T1 ... T14, R0 ... R10, B1 ... B11); docs/io-model.md.

    Examples
    --------
    >>> import rtvirt as rv
    >>> net = rv.SplitDriver("net0", driver="dom0", frontend="modem", ring=256)
    >>> phone = rv.data.system("phone").with_device(net)
    >>> [[stage.name for stage in path.stages] for path in net.plumb(phone).paths]
    [['nic', 'netback', 'netfront'], ['netback', 'wire', 'sent', 'release', 'netfront']]
    >>> [thread.key for thread in net.replace(backend="tasklets").plumb(phone).threads]
    ['dom0/nic', 'dom0/netback.rx', 'dom0/netback.tx', 'modem/net0.front']
    """

    kind: Literal["net", "block"] = "net"
    driver: Name
    ring: Ring | None = None
    backend: Literal["tasklets", "kthread", "napi"] | None = None
    rx: Arrivals | None = DEFAULT_TRAFFIC
    reads: Arrivals | None = None
    submit: Time | None = None
    serve: Time | None = None
    receive: Time | None = None
    complete: Time = 0
    reap: Time = 0
    device: Time = 0
    fixed: Time = 0
    wake: Time = 0
    rest: Time = 0
    grant: Literal["copy", "map", "flip"] | None = None
    grant_each: Time = 0
    release_each: Time = 0
    line: Name | None = None
    batch: Batch | None = None
    back_after: Whole = 1
    front_after: Whole | None = None
    timeout: Duration | None = None
    pool: Count | None = None
    full: Literal["wait", "drop"] | None = None
    backlog: Whole = 1000
    crash: Literal["reissue", "drop"] | None = None
    reconnect: Time = 0
    priority: Priority | None = None
    budget: Duration | None = None
    server_period: Duration | None = None
    vcpu: Whole | None = None
    tx_vcpu: Whole | None = None
    poll: Duration | None = None
    offset: Time = 0

    @property
    def era(self) -> str:
        """Who serves it: "tasklets", "kthread", "napi", or "block"."""
        return "block" if self.kind == "block" else self.backend or "napi"

    @property
    def slots(self) -> int:
        """Of the ring."""
        return self.ring or (BLOCK_SLOTS if self.kind == "block" else NET_SLOTS)

    @property
    def pages(self) -> str:
        """What is done with the guest's pages."""
        return self.grant or GRANTS[self.era][0]

    @property
    def own_threads(self) -> bool:
        """Does this stream have back-end threads of its own, whatever the era?"""
        return any(value is not None for value in (self.priority, self.budget, self.vcpu, self.tx_vcpu, self.poll))

    def cost(self, field: str) -> int:
        """`submit`, `serve` or `receive` [ns], or what is known of it."""
        given = getattr(self, field)
        return given if given is not None else NET_COSTS[field] if self.kind == "net" else 0

    def era_abi(self) -> str:
        """The ABI of the time."""
        return {"tasklets": "2l-2006", "kthread": "2l"}.get(self.era, "fifo")

    def vm_fields(self) -> tuple[str, ...]:
        """Fields that name a VM."""
        return ("driver", "frontend")

    def paths_into(self) -> tuple[str, ...]:
        """Paths that end in the receiving task."""
        return ("read",) if self.kind == "block" else ("rx",)

    def contradictions(self) -> Iterator[Problem]:
        """Fields that do not go together."""
        yield from super().contradictions()
        yield from self.of_other_kind()
        if self.grant is not None and self.grant not in GRANTS[self.era]:
            yield Problem("grant", self.grant, f"{' or '.join(GRANTS[self.era])}, for {self.era}", "choose one of these, or leave it out")
        if self.timeout is not None and self.back_after == 1 and (self.front_after == 1 or (self.front_after is None and self.era != "tasklets")):
            yield Problem("timeout", self.timeout, "only where back_after or front_after is not 1", "give one of them, or leave timeout out")
        if self.server_period is not None and self.budget is None:
            yield Problem("server_period", self.server_period, "only with a budget", "give a budget too")
        if self.budget is not None and self.server_period is None and self.poll is None:
            yield Problem("server_period", None, "a time, with a budget", "say in what time the budget may be used")
        if self.budget is not None and self.priority is not None:
            yield Problem("priority", self.priority, "none beside a budget", "choose one of them: guests know one or the other")
        if self.poll is None and self.offset:
            yield Problem("offset", self.offset, "only with poll", "give poll, or leave offset out")
        for field in ("moderation", "distance") if self.poll is not None else ():
            if getattr(self, field):
                yield Problem(field, getattr(self, field), "none with poll: there are no interrupts", "leave one of them out")

    def of_other_kind(self) -> Iterator[Problem]:
        """Fields that a device of this kind does not look at."""
        net = ("tx", "backend", "full", "tx_vcpu")
        for field in net if self.kind == "block" else ("reads",):
            if getattr(self, field) is not None:
                yield Problem(field, getattr(self, field), f"nothing, for kind={self.kind!r}", "leave it out")
        if self.kind == "block" and self.rx not in (None, DEFAULT_TRAFFIC):
            yield Problem("rx", self.rx, "nothing, for kind='block'", "give `reads` instead")
        if self.kind == "block" and self.reap:
            yield Problem("reap", self.reap, "0, for kind='block'", "give `receive` instead")

    def lay_out(self, system: System) -> Plumbing:
        """Front end, rings, back end, NIC or disk."""
        return block(self, system) if self.kind == "block" else network(self, system)


know_fields(SplitDriver)
