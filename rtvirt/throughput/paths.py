"""Paths: which parts a packet meets on its way, in whole numbers; a machine has a price [ns] for each part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from ..errors import Problem, SpecError
from ..traps.checks import choose, whole_number

DIRECTIONS = {"tx": "send", "rx": "receive"}      # and the part of the bare system
PAGE = 4096                                       # bytes
LARGEST_SEGMENT = 65_535                          # bytes of an IPv4 packet: its length has 16 bits (RFC 791)

PARTS = {
    "send": "the bare system's way of a packet out: protocols, driver, card",
    "receive": "the bare system's way of a packet in",
    "flip": "a page changes hands, with the hypervisor's check of it",
    "copy": "the hypervisor copies 1 KiB between two VMs",
    "crossing": "a segment crosses to the driver domain: request, notification, bridge, response",
    "backend": "the back end of a split driver carries a packet",
    "hosted": "a packet under a hosted monitor, all in one",
    "user_mode": "a packet of a kernel that is a process, all in one",
    "out": "the monitor takes an OUT from the guest",
    "world_switch": "the whole machine state exchanged, monitor to host or host to monitor",
    "vmapp": "the application that stands for the VM looks at a request",
    "host_send": "the host's driver sends the packet",
    "vmapp_return": "the application on the way back",
    "resume": "the monitor goes back to the guest",
    "io_application": "an IN or OUT that the application carries out, average",
    "io_monitor": "an IN or OUT that the monitor carries out by itself, average",
    "iret": "the monitor carries out an IRET",
    "exit": "an exit from the guest and the entry after it",
    "switch": "from one VM to another, with the notification that causes it",
    "bridge": "back end, bridge and back end of the driver domain",
    "ping": "an echo and its answer",
    "held_back": "what an interrupt comes later by, because more packets might follow",
    "interrupt": "an interrupt on the bare machine, from the wire to the handler",
    "emulated_controller": "the interrupt controller emulated: traps of claim and completion",
}


@dataclass(frozen=True)
class Path:
    """What a packet meets.

    Parameters
    ----------
    name, what, examples : str
    packet : {part: int}
        For each packet on the wire.
    segment : {part: int}
        For each segment that is handed over: a packet, or many where the card cuts segments into packets (offload).
    page : {part: int}
        For each page [4 KiB] of a segment.
    kib : {part: int}
        For each KiB of a segment, the last one whole.
    interrupt : {part: int}
        For each interrupt; a batch of packets shares them.
    interrupts : Fraction
        Interrupts a packet, in a batch of one.
    stack : bool
        The bare system's way of a packet (`send`, `receive`) is part of it.

    Notes
    -----
    Counts are averages in the long run. Left out: queues, losses, caches, and waiting for a processor (the event loop has that).
    """

    name: str
    what: str
    examples: str = ""
    packet: Mapping[str, int] = field(default_factory=dict)
    segment: Mapping[str, int] = field(default_factory=dict)
    page: Mapping[str, int] = field(default_factory=dict)
    kib: Mapping[str, int] = field(default_factory=dict)
    interrupt: Mapping[str, int] = field(default_factory=dict)
    interrupts: Fraction = Fraction(1)
    stack: bool = True

    def counts(self, *, mtu: int = 1500, direction: str = "tx", segment: int | None = None, batch: int = 1) -> dict[str, Fraction]:
        """Parts a packet.

        Parameters
        ----------
        mtu : int [bytes]
            Of a packet, 1 to 65,535.
        direction : "tx" or "rx"
        segment : int [bytes], optional
            Handed over at once; as large as a packet unless given. Only for "tx": what arrives, arrives packet by packet.
        batch : int
            Packets (or, with offload, segments) that share their interrupts.

        Raises
        ------
        SpecError

        Examples
        --------
        >>> {part: str(n) for part, n in PATHS["split_driver"].counts(segment=65_535).items()}
        {'send': '1', 'crossing': '1/43', 'flip': '16/43'}
        """
        mtu, batch = whole_number("mtu", mtu, 1), whole_number("batch", batch, 1)
        bare = DIRECTIONS[choose("direction", direction, DIRECTIONS)]
        length = mtu if segment is None else whole_number("segment", segment, mtu)
        if length > LARGEST_SEGMENT:
            raise SpecError([Problem("segment" if segment else "mtu", length, f"at most {LARGEST_SEGMENT} bytes", "an IPv4 packet is no longer", "")])
        if length > mtu and direction == "rx":
            raise SpecError([Problem("segment", segment, "none for rx", "what arrives, arrives packet by packet: leave it out", "")])
        packets = length // mtu
        found: dict[str, Fraction] = {bare: Fraction(1)} if self.stack else {}
        for parts, times in ((self.packet, Fraction(1)), (self.segment, Fraction(1, packets)), (self.page, Fraction(-(-length // PAGE), packets)),
                             (self.kib, Fraction(-(-length // 1024), packets)), (self.interrupt, self.interrupts / (batch * packets))):
            for part, n in parts.items():
                found[part] = found.get(part, Fraction(0)) + n * times
        return found


PATHS = {path.name: path for path in (
    Path("native", "the bare system", "Linux"),
    Path("page_flip", "pages change hands, whatever is in them: no cost per byte", "Xen of 2003", page={"flip": 1}),
    Path("split_driver", "a driver domain between, pages flipped or mapped", "Xen 2 and 3", segment={"crossing": 1}, page={"flip": 1}),
    Path("grant_copy", "a driver domain between, the hypervisor copies", "Xen since 2.6.39's netback", segment={"crossing": 1}, kib={"copy": 1}),
    Path("backend", "the back end alone, where it is the bottleneck", "netback on one processor", packet={"backend": 1}, stack=False),
    Path("hosted", "a monitor beside a host, priced in one; `hosted(...)` has its parts", "VMware Workstation", packet={"hosted": 1}),
    Path("user_mode", "a kernel as a process of another", "User-Mode Linux", packet={"user_mode": 1}),
    Path("virtio", "a notification exits, an interrupt's delivery exits, its completion exits", "KVM with vhost, 2012", segment={"exit": 1},
         interrupt={"exit": 2}),
    Path("assigned", "a device of the guest's own; delivery and completion of interrupts exit", "KVM device assignment, 2012", interrupt={"exit": 2}),
    Path("assigned_eli", "interrupts are delivered and completed without exits", "KVM with ELI"),
    Path("polled", "the back end polls on a processor of its own, interrupts come without exits", "ELVIS"),
    Path("driver_domain", "from VM to VM: to the driver domain, through its bridge, and on", "Xen 3.1", packet={"switch": 2, "bridge": 1},
         stack=False),
    Path("shared_memory", "from VM to VM through shared memory", "XenLoop", packet={"switch": 1}, stack=False),
)}


def path_of(path: str | Path) -> Path:
    """A path by name, or itself."""
    return path if isinstance(path, Path) else PATHS[choose("path", path, PATHS)]
