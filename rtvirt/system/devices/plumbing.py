"""What every device is made of: threads, lines, ports, stages, paths (docs/io-model.md).

A device (`SplitDriver`, `PassThrough` ...) is a recipe that lays these out; the engine, the oracle and the analysis know nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..arrivals import Arrivals

NET_SLOTS, BLOCK_SLOTS = 256, 32      # of a one-page ring (8.1.2)
MOST_STAGES, MOST_BATCH = 8, 256
CAUSES = ("cost", "driver_wait", "frontend_wait", "batching", "suppression", "shared", "moderation", "ring")


@dataclass(frozen=True)
class Thread:
    """A task of a VM that takes messages from queues, works on them and passes them on. Times in ns.

    `priority` places it among the tasks of a fixed-priority guest; None: it belongs to the guest's kernel, whose threads come before all
    tasks, in the order given. With a `period` it looks every so often and is never woken (a polled or time-triggered driver).
    """

    vm: str
    name: str
    vcpu: int = 0
    priority: int | None = None
    wake: int = 0                     # from being woken to the first look
    fixed: int = 0                    # of each batch
    batch: int = 1                    # messages taken at a time, at most
    order: str = "turns"              # among its stages: "turns" (one of each), "oldest", "listed"
    period: int | None = None
    offset: int = 0
    budget: int | None = None         # of its own server, in a guest with constant bandwidth servers
    server_period: int | None = None

    @property
    def key(self) -> str:
        """``vm/name``."""
        return f"{self.vm}/{self.name}"


@dataclass(frozen=True)
class Line:
    """A wire, a disk, a bus: serves messages one after another and needs no CPU."""

    name: str

    @property
    def key(self) -> str:
        """Its name."""
        return self.name


@dataclass(frozen=True)
class Port:
    """An event channel's end in a VM: one bit, bound to a vCPU (8.3)."""

    handler: int = 0                  # what the guest's interrupt handler computes [ns]
    priority: int = 7                 # of the FIFO ABI, 0 is the highest
    late_eoi: bool = False            # masked until its thread sleeps again (8.4.4)


@dataclass(frozen=True)
class Stage:
    """One station of a path, and how messages get into its queue."""

    name: str
    server: str                       # a thread's or a line's key
    each: int = 0                     # service of a message [ns]
    port: Port | None = None          # None: whoever fills the queue wakes the thread itself
    after: int = 1                    # a sleeping thread asks to be told of the so-manieth message; 0: of half of what is outstanding (8.4.5)
    timeout: int | None = None        # and is told at the latest so long after the first it has not been told of [ns]
    always: bool = False              # tell it of every message
    capacity: int | None = None       # what finds so many waiting is dropped
    distance: int | None = None       # may be served by the hypervisor in another VM's time, at least so far apart [ns]
    switch: int = 0                   # to the handler, and back again [ns]


@dataclass(frozen=True)
class Path:
    """What a message goes through, from stage to stage.

    The ring's slots are taken when a message enters stage `enter` and free again when the front end's thread takes it at stage `leave`.
    """

    name: str
    frontend: str                     # VM
    stages: tuple[Stage, ...]
    arrivals: Arrivals | None = None  # None: tasks submit
    submit: int = 0                   # what a submitting task computes [ns]
    slots: int | None = None
    enter: int = 0
    leave: int = 0
    full: str = "wait"                # for a slot; or "drop"
    backlog: int = 1000               # so many can wait for a slot, the next is dropped
    pool: str | None = None           # requests in flight of several paths share it: from being taken at `enter` to leaving stage `pool_until`
    pool_until: int = 0
    into: str | None = None           # "vm/task": a channel task that each message releases at the end
    ends: int | None = None           # stage whose end counts as delivery; None: the end of the path
    first_index: int = 0              # of the free-running indices
    crash: str = "reissue"            # what happens to messages in the hands of a driver VM that crashes; or "drop"
    reconnect: int = 0                # from the restart of the driver VM to the first message [ns]


@dataclass(frozen=True)
class Plumbing:
    """All devices of a system, laid out. `upcalls` maps a VM to (entry [ns], scan order "lowest" | "turns" | "fifo")."""

    threads: tuple[Thread, ...] = ()
    lines: tuple[Line, ...] = ()
    paths: tuple[Path, ...] = ()
    pools: dict[str, int] = field(default_factory=dict)
    upcalls: dict[str, tuple[int, str]] = field(default_factory=dict)

    def stages(self) -> list[tuple[Path, int, Stage]]:
        """Every stage of every path, in order: their number is their index."""
        return [(path, i, stage) for path in self.paths for i, stage in enumerate(path.stages)]

    def ports(self) -> list[tuple[Path, int, Stage]]:
        """The stages that have a port, in order: a VM's ports are numbered so."""
        return [entry for entry in self.stages() if entry[2].port is not None]


__all__ = ["BLOCK_SLOTS", "CAUSES", "MOST_BATCH", "MOST_STAGES", "NET_SLOTS", "Line", "Path", "Plumbing", "Port", "Stage", "Thread"]
