"""What the ready-made devices have in common: a front end, traffic, interrupts (docs/io-model.md 2, 3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from pydantic import model_validator

from ...errors import Problem
from ..arrivals import Arrivals
from ..spec import Duration, Name, Time, know_fields, wrong
from .base import Device
from .plumbing import Batch, Count, Flag, Level, Port, Stage, Text, Thread, Whole

if TYPE_CHECKING:
    from ..system import System

SCAN = {"2l-2006": "lowest", "2l": "turns", "fifo": "fifo"}
"""Order in which a guest picks its ports, by ABI (8.3.6, 8.3.7)."""

NAPI_WEIGHT = 64      # packets that a poll takes at most (8.4)


class Attached(Device):
    """Base of the ready-made devices.

    Parameters
    ----------
    frontend : str
        VM that uses the device.
    rx, tx : Arrivals, optional
        Messages for the VM, from outside (lost while the VM that drives the hardware is down); messages of the VM beside those that tasks
        submit (`rv.submit`), for which nobody computes `submit`.
    into : str, optional
        Channel task that each received message releases: a task of the front end, or ``"vm/task"``.
    handler, entry : int [ns]
        What a guest computes for each port that it picks, and for each upcall.
    abi : {"2l-2006", "2l", "fifo"}, optional
        Event channels of the VMs concerned, and with them the order of picking: lowest port first, in turns, first come first served (8.3).
    port_priority : int, 0 to 15
        Of the ports, with ``abi="fifo"``; 0 is the highest.
    late_eoi : bool, optional
        A ring's port stays masked until its thread has nothing left (8.4.4). The penalty for spurious events is left out.
    moderation : int [ns]
        The hardware interrupts at the latest so long after the first message it has not told of; 0: at once. Of the very first message of
        all it tells at once (8.1.4).
    frames : int
        With `moderation`: or when so many are waiting.
    capacity : int, optional
        The hardware drops what finds so many waiting.
    distance, switch : int [ns]
        The hypervisor may serve the hardware's interrupts in another VM's time, at least so far apart; what a switch there or back costs (5.3).
    frontend_priority : int, optional
        Of the front end's thread among the tasks of its fixed-priority guest; without it, it is of the kernel and comes before all tasks.
    frontend_poll : int [ns], optional
        The front end's thread looks every so often and takes no interrupts.
    frontend_vcpu : int
        Where it and its interrupt handler run.
    """

    frontend: Name
    rx: Arrivals | None = None
    tx: Arrivals | None = None
    into: Text | None = None
    handler: Time = 0
    entry: Time = 0
    abi: Literal["2l-2006", "2l", "fifo"] | None = None
    port_priority: Level = 7
    late_eoi: Flag | None = None
    moderation: Time = 0
    frames: Count = NAPI_WEIGHT
    capacity: Count | None = None
    distance: Duration | None = None
    switch: Time = 0
    frontend_priority: Count | None = None
    frontend_poll: Duration | None = None
    frontend_vcpu: Whole = 0

    @model_validator(mode="after")
    def check(self) -> Attached:
        """Fields that do not go together."""
        wrong(list(self.contradictions()))
        return self

    def contradictions(self) -> Iterator[Problem]:
        """Fields that do not go together."""
        for other in self.vm_fields():
            if other != "frontend" and getattr(self, other) == self.frontend:
                yield Problem("frontend", self.frontend, f"another VM than the {other}",
                              "name the guest; a VM that drives its own device has a PassThrough")
        if self.into is not None and self.rx is None and "rx" in self.paths_into():
            yield Problem("into", self.into, "only with rx: nothing is received", "give rx, or leave into out")
        if self.frames != NAPI_WEIGHT and not self.moderation:
            yield Problem("frames", self.frames, "only with moderation: fewer would never be told of", "give moderation, or leave frames out")
        if self.switch and self.distance is None:
            yield Problem("switch", self.switch, "only with distance", "give distance, or leave switch out")

    def misfits(self, system: System) -> Iterator[Problem]:
        """VMs must be there; a priority that is inherited must be there."""
        names = [vm.name for vm in system.vms]
        for field in self.vm_fields():
            if getattr(self, field) not in names:
                yield Problem(field, getattr(self, field), ", ".join(names) or "no VMs: add one", "name a VM of the system")
        if self.inherits() and self.frontend in names and self.thread_priority(system) is None:
            yield Problem("priority", "inherit", f"a number: {self.frontend} has no priority", f"give {self.frontend} a priority, or a number here")

    def vm_fields(self) -> tuple[str, ...]:
        """Fields that name a VM."""
        return ("frontend",)

    def inherits(self) -> bool:
        """Has a back-end thread the priority of the front end's VM?"""
        return getattr(self, "priority", None) == "inherit"

    def thread_priority(self, system: System) -> int | None:
        """Of a back end's threads: what it says, or that of the front end's VM on the vCPU where its driver runs."""
        if not self.inherits():
            return getattr(self, "priority", None)
        ranks = system[self.frontend].per_vcpu("priority")
        return ranks[min(self.frontend_vcpu, len(ranks) - 1)]

    def paths_into(self) -> tuple[str, ...]:
        """Paths that end in the receiving task."""
        return ("rx",)

    # What recipes are made of

    def receiver(self) -> str | None:
        """The receiving task as ``vm/task``."""
        return self.into if self.into is None or "/" in self.into else f"{self.frontend}/{self.into}"

    def upcalls(self, *vms: str) -> dict[str, tuple[int, str]]:
        """How these VMs take interrupts."""
        return {vm: (self.entry, SCAN[self.abi or self.era_abi()]) for vm in vms}

    def era_abi(self) -> str:
        """The ABI of the time."""
        return "fifo"

    def hardware(self, name: str, thread: Thread, each: int) -> Stage:
        """A stage that the hardware fills: it interrupts, with moderation; or the thread polls it."""
        if thread.period is not None:
            return Stage(name, thread.key, each=each, capacity=self.capacity)
        return Stage(name, thread.key, each=each, port=Port(handler=self.handler, priority=self.port_priority), capacity=self.capacity,
                     after=self.frames if self.moderation else 1, timeout=self.moderation or None, distance=self.distance, switch=self.switch)

    def ring_port(self, thread: Thread, late_eoi: bool = False) -> Port | None:
        """The port by which another VM tells a thread of messages on a ring; none for a polled one."""
        late = late_eoi if self.late_eoi is None else self.late_eoi
        return None if thread.period is not None else Port(handler=self.handler, priority=self.port_priority, late_eoi=late)

    def frontend_thread(self, batch: Batch = NAPI_WEIGHT, suffix: str = "front") -> Thread:
        """The front end's driver."""
        return Thread(self.frontend, f"{self.name}.{suffix}", vcpu=self.frontend_vcpu, priority=self.frontend_priority, batch=batch,
                      period=self.frontend_poll)


know_fields(Attached)
