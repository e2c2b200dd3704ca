"""Round robin, fixed priority and null, as docs/model.md 7.3 to 7.5 say."""

from __future__ import annotations

from typing import Any

from .core import NEVER, OPcpu, OVcpu, OVm, World


class Policy:
    """What the world asks of a policy."""

    def __init__(self, world: World, scheduler: Any) -> None:
        self.world, self.scheduler = world, scheduler
        self.queue: list[OVcpu] = []

    def at(self) -> int:
        """When a tickle by a wake-up takes effect (8.1)."""
        return self.world.now + self.world.costs["wake_path"]

    def runnable(self, v: OVcpu | None) -> bool:
        """May it run?"""
        return v is not None and not v.blocked and not v.paused

    def place(self, v: OVcpu) -> None:
        """A new vCPU."""
        if self.runnable(v):
            self.wake(v)

    def sleep(self, v: OVcpu) -> None:
        """A paused vCPU."""
        p = self.world.pcpus[v.pcpu]
        if p.current is v:
            self.world.ask(p, self.world.now)
        elif v in self.queue:
            self.queue.remove(v)

    def idle_pcpu(self, v: OVcpu) -> OPcpu | None:
        """An idle pCPU for `v`, not yet tickled."""
        free = [p for p in self.world.pcpus if p.current is None and p.decide_at == NEVER and p.number in v.allowed]
        home = self.world.pcpus[v.pcpu]
        return home if home in free else free[0] if free else None

    def yield_(self, v: OVcpu) -> None:
        """Nothing."""

    def tick(self, p: OPcpu) -> None:
        """Nothing."""

    def account(self) -> None:
        """Nothing."""

    def leave(self, v: OVcpu) -> None:
        """Nothing."""

    def reconfigure(self, vm: OVm, field: str, value: Any) -> None:
        """Nothing."""


class RoundRobin(Policy):
    """7.3."""

    def __init__(self, world: World, scheduler: Any) -> None:
        super().__init__(world, scheduler)
        self.turn_ends: dict[OVcpu, int] = {}

    def wake(self, v: OVcpu) -> None:
        """To the tail."""
        if self.world.pcpus[v.pcpu].current is v or v in self.queue:
            return
        self.queue.append(v)
        p = self.idle_pcpu(v)
        if p:
            self.world.ask(p, self.at())

    def yield_(self, v: OVcpu) -> None:
        """Its turn is over."""
        self.turn_ends[v] = self.world.now

    def decide(self, p: OPcpu) -> tuple[OVcpu | None, int | None]:
        """Go on, or the first that may run here."""
        now = self.world.now
        if self.runnable(p.current):
            if now < self.turn_ends[p.current]:
                return p.current, self.turn_ends[p.current] - now
            self.queue.append(p.current)
        v = next((v for v in self.queue if p.number in v.allowed), None)
        if v is None:
            return None, None
        self.queue.remove(v)
        self.turn_ends[v] = now + self.scheduler.quantum
        return v, self.scheduler.quantum


class FixedPriority(Policy):
    """7.4."""

    def __init__(self, world: World, scheduler: Any) -> None:
        super().__init__(world, scheduler)
        self.changed: dict[tuple[str, str], int] = {}

    def rank(self, v: OVcpu) -> tuple[int, int, int]:
        """Importance."""
        values = [self.changed.get((v.vm.spec.name, field)) or v.vm.spec.per_vcpu(field)[v.k] or NEVER for field in ("priority", "period")]
        return (values[0], values[1], v.number)

    def reconfigure(self, vm: OVm, field: str, value: Any) -> None:
        """A new value."""
        self.changed[vm.spec.name, field] = value

    def reconfigured(self, vm: OVm) -> None:
        """Who runs may lose its pCPU; who waits may take one."""
        for v in vm.vcpus:
            if self.world.pcpus[v.pcpu].current is v:
                self.world.ask(self.world.pcpus[v.pcpu], self.world.now)
            elif v in self.queue:
                self.tickle(v)

    def wake(self, v: OVcpu) -> None:
        """Queue and tickle."""
        if self.world.pcpus[v.pcpu].current is v or v in self.queue:
            return
        self.queue.append(v)
        self.tickle(v)

    def tickle(self, v: OVcpu) -> None:
        """An idle pCPU, or the least important current below `v`."""
        p = self.idle_pcpu(v)
        if p is None:
            busy = [p for p in self.world.pcpus if p.current and p.decide_at == NEVER and p.number in v.allowed
                    and self.rank(p.current) > self.rank(v)]
            p = max(busy, key=lambda p: self.rank(p.current), default=None)
        if p:
            self.world.ask(p, self.at())

    def decide(self, p: OPcpu) -> tuple[OVcpu | None, int | None]:
        """The most important."""
        waiting = [v for v in self.queue if p.number in v.allowed]
        best = min(waiting, key=self.rank, default=None)
        if self.runnable(p.current) and (best is None or self.rank(p.current) < self.rank(best)):
            return p.current, None
        if best:
            self.queue.remove(best)
            if self.runnable(p.current):
                self.queue.append(p.current)
                self.tickle(p.current)
        return best, None


class Null(Policy):
    """7.5."""

    def __init__(self, world: World, scheduler: Any) -> None:
        super().__init__(world, scheduler)
        self.owner: dict[int, OVcpu] = {}
        self.waiting: list[OVcpu] = []

    def home(self, v: OVcpu) -> int | None:
        """The pCPU that `v` owns."""
        return next((p for p, owner in self.owner.items() if owner is v), None)

    def place(self, v: OVcpu) -> None:
        """Assign a pCPU."""
        picky = 0 < len(v.preferred) < len(v.allowed)
        for mask in ([v.preferred] if picky else []) + [v.allowed]:
            free = [p for p in sorted(mask) if p not in self.owner]
            if free:
                v.pcpu = v.pcpu if v.pcpu in free else free[0]
                self.owner[v.pcpu] = v
                break
        else:
            self.waiting.append(v)
            return
        if self.runnable(v):
            self.wake(v)

    def wake(self, v: OVcpu) -> None:
        """Tell its pCPU, if idle."""
        p = self.home(v)
        if p is not None and self.world.pcpus[p].current is None:
            self.world.ask(self.world.pcpus[p], self.at())

    def sleep(self, v: OVcpu) -> None:
        """Paused."""
        p = self.home(v)
        if p is not None and self.world.pcpus[p].current is v:
            self.world.ask(self.world.pcpus[p], self.world.now)

    def leave(self, v: OVcpu) -> None:
        """Gone: the first waiting one inherits."""
        p = self.home(v)
        if v in self.waiting:
            self.waiting.remove(v)
        if p is None:
            return
        del self.owner[p]
        heir = next((w for w in self.waiting if p in w.allowed), None)
        if heir:
            self.waiting.remove(heir)
            self.owner[p] = heir
            heir.pcpu = p
            if heir.state == "runnable":
                self.world.ask(self.world.pcpus[p], self.world.now)

    def decide(self, p: OPcpu) -> tuple[OVcpu | None, int | None]:
        """The owner."""
        v = self.owner.get(p.number)
        return (v if self.runnable(v) else None), None
