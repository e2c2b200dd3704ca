"""What every device is made of: threads, lines, ports, stages, paths (docs/io-model.md).

A device (`SplitDriver`, `PassThrough` ...) is a recipe that lays these out; the engine, the oracle and the analysis know nothing else.
The types of the fields say what may be in them: `CustomDevice` and system files are checked against them, ready-made devices make no mistakes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, ConfigDict, Field

from ..arrivals import Arrivals
from ..spec import Duration, List, Name, Time, within

NET_SLOTS, BLOCK_SLOTS = 256, 32      # of a one-page ring (8.1.2)
MOST_STAGES, MOST_BATCH = 8, 256
CAUSES = ("cost", "driver_wait", "frontend_wait", "batching", "suppression", "shared", "moderation", "ring")

Whole = Annotated[int, BeforeValidator(within(0, 2**31 - 1)), Field(ge=0, le=2**31 - 1)]
Count = Annotated[int, BeforeValidator(within(1, 2**31 - 1)), Field(ge=1, le=2**31 - 1)]
Batch = Annotated[int, BeforeValidator(within(1, MOST_BATCH)), Field(ge=1, le=MOST_BATCH)]
Index = Annotated[int, BeforeValidator(within(0, 2**32 - 1)), Field(ge=0, le=2**32 - 1)]
Level = Annotated[int, BeforeValidator(within(0, 15, "0 (highest) to 15")), Field(ge=0, le=15)]
Text = Annotated[str, Field(strict=True)]
Flag = Annotated[bool, Field(strict=True)]


class Part:
    """What is checked where a device is described in a file, or by hand."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", revalidate_instances="always")


@dataclass(frozen=True)
class Thread(Part):
    """A task of a VM that takes messages from queues, works on them and passes them on. Times in ns.

    `priority` places it among the tasks of a fixed-priority guest; None: it belongs to the guest's kernel, whose threads come before all
    tasks, in the order given. With a `period` it looks every so often and is never woken (a polled or time-triggered driver).
    """

    vm: Name
    name: Name
    vcpu: Whole = 0
    priority: Count | None = None
    wake: Time = 0                      # from being woken to the first look
    fixed: Time = 0                     # of each batch
    rest: Time = 0                      # when it finds nothing more, before it looks for the last time and sleeps
    batch: Batch = 1                    # messages taken at a time, at most
    order: Literal["turns", "oldest", "listed"] = "turns"  # among its stages: one of each, the longest waiting, all of one before the next
    period: Duration | None = None
    offset: Time = 0
    budget: Duration | None = None      # of its own server, in a guest with constant bandwidth servers
    server_period: Duration | None = None

    @property
    def key(self) -> str:
        """``vm/name``."""
        return f"{self.vm}/{self.name}"

    @property
    def awake(self) -> int:
        """What it computes each time that it wakes, beside its batches [ns]."""
        return self.wake + self.rest


@dataclass(frozen=True)
class Line(Part):
    """A wire, a disk, a bus: serves messages one after another and needs no CPU."""

    name: Name

    @property
    def key(self) -> str:
        """Its name."""
        return self.name


@dataclass(frozen=True)
class Port(Part):
    """An event channel's end in a VM: one bit, bound to a vCPU (8.3)."""

    handler: Time = 0                   # what the guest's interrupt handler computes [ns]
    priority: Level = 7                 # of the FIFO ABI, 0 is the highest
    late_eoi: Flag = False              # masked until its thread sleeps again (8.4.4)
    penalty: Time = 0                   # and so long more after the second event for nothing, twice as long after each further one [ns]


@dataclass(frozen=True)
class Stage(Part):
    """One station of a path, and how messages get into its queue."""

    name: Name
    server: Text                        # a thread's or a line's key
    each: Time = 0                      # service of a message [ns]
    port: Port | None = None            # None: whoever fills the queue wakes the thread itself
    after: Whole = 1                    # a sleeping thread asks to be told of the so-manieth message; 0: of half of what is outstanding (8.4.5)
    timeout: Duration | None = None     # and is told at the latest so long after the first it has not been told of [ns]
    always: Flag = False                # tell it of every message
    capacity: Count | None = None       # what finds so many waiting is dropped
    distance: Duration | None = None    # may be served by the hypervisor in another VM's time, at least so far apart [ns]
    switch: Time = 0                    # to the handler, and back again [ns]


@dataclass(frozen=True)
class Path(Part):
    """What a message goes through, from stage to stage.

    The ring's slots are taken when a message enters stage `enter` and free again when the front end's thread takes it at stage `leave`.
    """

    name: Name
    frontend: Name                      # VM
    stages: Annotated[tuple[Stage, ...], List]
    arrivals: Arrivals | None = None    # None: tasks submit
    submit: Time = 0                    # what a submitting task computes [ns]
    slots: Count | None = None
    enter: Whole = 0
    leave: Whole = 0
    full: Literal["wait", "drop"] = "wait"  # what is done about a full ring
    backlog: Whole = 1000               # so many can wait for a slot, the next is dropped
    pool: Text | None = None            # requests in flight of several paths share it: from being taken at `enter` to leaving stage `pool_until`
    pool_until: Whole = 0
    into: Text | None = None            # "vm/task": a channel task that each message releases at the end
    ends: Whole | None = None           # stage whose end counts as delivery; None: the end of the path
    first_index: Index = 0              # of the free-running indices
    crash: Literal["reissue", "drop"] = "reissue"  # what happens to messages in the hands of a driver VM that crashes
    reconnect: Time = 0                 # from the restart of the driver VM to the first message [ns]


@dataclass(frozen=True)
class Plumbing(Part):
    """All devices of a system, laid out. `upcalls` maps a VM to (entry [ns], scan order "lowest" | "turns" | "fifo")."""

    threads: Annotated[tuple[Thread, ...], List] = ()
    lines: Annotated[tuple[Line, ...], List] = ()
    paths: Annotated[tuple[Path, ...], List] = ()
    pools: dict[Text, Count] = field(default_factory=dict)
    upcalls: dict[Name, tuple[Time, Literal["lowest", "turns", "fifo"]]] = field(default_factory=dict)

    def stages(self) -> list[tuple[Path, int, Stage]]:
        """Every stage of every path, in order: their number is their index."""
        return [(path, i, stage) for path in self.paths for i, stage in enumerate(path.stages)]

    def ports(self) -> list[tuple[Path, int, Stage]]:
        """The stages that have a port, in order: a VM's ports are numbered so."""
        return [entry for entry in self.stages() if entry[2].port is not None]


__all__ = ["BLOCK_SLOTS", "CAUSES", "MOST_BATCH", "MOST_STAGES", "NET_SLOTS", "Line", "Path", "Plumbing", "Port", "Stage", "Thread"]
