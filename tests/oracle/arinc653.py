"""ARINC 653, as docs/xen-rules.md 7.1 and docs/model.md 7.7 say: the frame is read from its beginning at every decision. Numbers are rules there."""

from __future__ import annotations

from typing import Any

from .core import NEVER, OPcpu, OVcpu, World
from .plain import Policy

MS = 1_000_000


class Arinc653(Policy):
    """A cyclic table."""

    def __init__(self, world: World, scheduler: Any) -> None:
        super().__init__(world, scheduler)
        self.windows, self.major = self.read(scheduler)
        self.later = [(at, *self.read(other)) for at, other in scheduler.later]
        self.began, self.ends = 0, 0                    # of the frame; the first begins at 0

    def read(self, scheduler: Any) -> tuple[list[tuple[OVcpu | None, int]], int]:
        """7.1.1, 7.1.2."""
        if scheduler.table is None:
            control = [v for vm in self.world.vms if vm.spec.control for v in vm.vcpus][:64]
            return [(v, 10 * MS) for v in control], 10 * MS * max(1, len(control))
        named = {(vm.spec.name, v.k): v for vm in self.world.vms for v in vm.vcpus}
        return [(named.get((vm, k)), runtime) for vm, k, runtime in scheduler.table], scheduler.major_frame

    @property
    def replenish_due(self) -> int:
        """When the next table takes effect."""
        return self.later[0][0] if self.later else NEVER

    def replenish(self) -> None:
        """7.1.1: at once, with a new frame."""
        _, self.windows, self.major = self.later.pop(0)
        self.ends = self.world.now
        for p in self.world.pcpus:
            self.world.ask(p, self.world.now)

    def wake(self, v: OVcpu) -> None:
        """7.1.4: always tickles."""
        self.world.ask(self.world.pcpus[v.pcpu], self.at())

    def decide(self, p: OPcpu) -> tuple[OVcpu | None, int | None]:
        """7.1.3."""
        now = self.world.now
        if now >= self.ends:
            self.began = now - (now - self.ends) % self.major
            self.ends = self.began + self.major
        at = self.began
        for v, runtime in self.windows:
            if at <= now < at + runtime:
                runs = self.runnable(v) and v.pcpu == p.number
                return (v if runs else None), at + runtime - now
            at += runtime
        return None, self.ends - now
