"""RTDS, as docs/xen-rules.md 6 and docs/model.md 7.6 say: sorted lists, everything looked up anew. Numbers are rules there."""

from __future__ import annotations

from typing import Any

from .core import NEVER, OPcpu, OVcpu, OVm, World
from .plain import Policy

MS = 1_000_000


class OServer:
    """What a vCPU may run, and has run."""

    def __init__(self, vm: Any, k: int, old: bool) -> None:
        budget, period = vm.per_vcpu("budget")[k], vm.per_vcpu("period")[k]
        self.budget, self.period = (4 * MS if budget is None else budget), (10 * MS if period is None else period)
        self.extratime = bool(vm.per_vcpu("extratime")[k]) and not old
        self.left = self.deadline = self.level = self.last_start = 0
        self.depleted = self.saving = self.add_later = False


class Rtds(Policy):
    """Global EDF over deferrable servers."""

    def __init__(self, world: World, scheduler: Any) -> None:
        super().__init__(world, scheduler)
        self.old = scheduler.xen == "4.5"
        self.servers = {v: OServer(v.vm.spec, v.k, self.old) for v in world.vcpus}
        self.run_queue: list[OVcpu] = []
        self.depleted_queue: list[OVcpu] = []
        self.coming: list[OVcpu] = []                    # the replenishment queue
        self.tickled: set[int] = set()
        self.timer = NEVER                               # as set, without lateness

    # ------------------------------------------------------------ order

    def key(self, v: OVcpu) -> tuple[int, int]:
        """6.1.3: least first."""
        return self.servers[v].level, self.servers[v].deadline

    def insert(self, queue: list[OVcpu], v: OVcpu, key: Any, before_equals: bool = False) -> None:
        """6.2.5."""
        place = 0
        while place < len(queue) and (key(queue[place]) < key(v) or (key(queue[place]) == key(v) and not before_equals)):
            place += 1
        queue.insert(place, v)

    def enqueue(self, v: OVcpu) -> None:
        """6.1.4."""
        if self.servers[v].left > 0 or self.servers[v].extratime:
            self.insert(self.run_queue, v, self.key, self.old)
        else:
            self.depleted_queue.append(v)

    def queued(self, v: OVcpu) -> bool:
        """Waits, with or without budget."""
        return v in self.run_queue or v in self.depleted_queue

    def dequeue(self, v: OVcpu) -> None:
        """Leaves."""
        for queue in (self.run_queue, self.depleted_queue):
            if v in queue:
                queue.remove(v)

    # ------------------------------------------------------------ replenishment queue and its timer

    def expect(self, v: OVcpu) -> None:
        """6.2.13."""
        if not self.old and v not in self.coming:
            self.insert(self.coming, v, self.key if self.scheduler.replenish_by == "priority" else lambda w: self.servers[w].deadline)
            if self.coming[0] is v:
                self.arm()

    def forget(self, v: OVcpu) -> None:
        """6.2.9."""
        if v in self.coming:
            first = self.coming[0] is v
            self.coming.remove(v)
            if first:
                self.arm()

    def arm(self) -> None:
        """1.7.1."""
        now = self.world.now
        self.timer = max(self.servers[self.coming[0]].deadline, now + self.world.costs["timer_slop"]) if self.coming else NEVER

    @property
    def replenish_due(self) -> int:
        """When the timer goes off."""
        return NEVER if self.timer == NEVER else self.timer + self.world.costs["replenish_late"]

    def renew(self, v: OVcpu) -> None:
        """6.2.1: by whole periods, until it lies ahead."""
        server, now = self.servers[v], self.world.now
        while server.deadline <= now:
            server.deadline += server.period
        server.left, server.level, server.last_start = server.budget, 0, now
        self.world.log(v, "replenish", server.left)

    def replenish(self) -> None:
        """6.2.8, 6.2.13, 6.2.14."""
        world, costs = self.world, self.world.costs
        self.timer = NEVER
        served: list[OVcpu] = []
        while self.coming and self.servers[self.coming[0]].deadline <= world.now:
            v = self.coming.pop(0)
            self.renew(v)
            if self.queued(v):
                self.dequeue(v)
                self.enqueue(v)
            served.append(v)
        at = world.now + costs["replenish_path"] + len(served) * costs["replenish_each"]
        for v in reversed(served):
            if world.pcpus[v.pcpu].current is v and self.run_queue:
                if self.key(self.run_queue[0]) < self.key(v):
                    self.tickle(self.run_queue[0], at)
            elif self.servers[v].depleted:
                self.servers[v].depleted = False
                if self.queued(v):
                    self.tickle(v, at)
            self.expect(v)
        self.arm()
        clock, slop, late = world.pcpus[0], costs["rearm_path"] + costs["timer_slop"], costs["slice_late"]
        if clock.slice_due != NEVER and world.now < clock.slice_due - late < world.now + slop:
            clock.slice_due = world.now + slop + late

    def look(self) -> None:
        """6.3.1."""
        for queue in (self.run_queue, self.depleted_queue):
            for v in list(queue):
                if self.servers[v].deadline <= self.world.now:
                    self.dequeue(v)
                    self.renew(v)
                    self.servers[v].depleted = False
                    self.enqueue(v)

    # ------------------------------------------------------------ what the world asks

    def place(self, v: OVcpu) -> None:
        """6.2.2."""
        if self.servers[v].deadline <= self.world.now:
            self.renew(v)
            self.servers[v].depleted = False
        if self.runnable(v):
            self.wake(v)

    def wake(self, v: OVcpu) -> None:
        """6.2.6, 6.2.11."""
        server = self.servers[v]
        if self.world.pcpus[v.pcpu].current is v:
            self.expect(v)
            return
        if self.queued(v):
            return
        if server.deadline <= self.world.now:
            self.renew(v)
            server.depleted = False
            self.forget(v)
        self.expect(v)
        if server.saving:
            server.add_later = True
            return
        if self.old:
            self.look()
        self.enqueue(v)
        self.tickle(v, self.at())

    def sleep(self, v: OVcpu) -> None:
        """1.5.6."""
        p = self.world.pcpus[v.pcpu]
        if p.current is v:
            self.world.ask(p, self.world.now)
        elif self.queued(v):
            self.dequeue(v)
            self.forget(v)
        else:
            self.servers[v].add_later = False

    def leave(self, v: OVcpu) -> None:
        """A new start will be on the grid."""
        self.forget(v)
        self.servers[v].deadline = 0

    def tickle(self, v: OVcpu, at: int) -> None:
        """6.2.7."""
        world, m = self.world, len(self.world.pcpus)
        cycle = [world.pcpus[(v.pcpu + i) % m] for i in range(m)]
        free = [p for p in cycle if p.number in v.allowed and p.number not in self.tickled]
        idle = [p for p in free if p.current is None]
        if idle:
            chosen = idle[0]
        elif free:
            chosen = max(free, key=lambda p: self.key(p.current))       # the first of equals
            if self.key(chosen.current) <= self.key(v):
                return
        else:
            return
        self.tickled.add(chosen.number)
        world.ask(chosen, at)

    def decide(self, p: OPcpu) -> tuple[OVcpu | None, int | None]:
        """6.2.3, 6.2.4, 6.2.5."""
        world, now, current = self.world, self.world.now, p.current
        self.tickled.discard(p.number)
        if current:
            self.burn(p, current)
        if self.old:
            self.look()
        first = next((v for v in self.run_queue if p.number in v.allowed), None)
        chosen = first
        if self.runnable(current) and self.servers[current].left > 0:
            if first is None or self.key(current) < self.key(first) or (self.old and self.key(current) == self.key(first)):
                chosen = current
        if current and chosen is not current:
            self.servers[current].saving = True
            self.servers[current].add_later = self.runnable(current)
        slop = world.costs["timer_slop"]
        if p.number == 0 and now < self.timer < now + slop:              # 1.7.1
            self.timer = now + slop
        if chosen is None:
            return None, MS if self.old else None
        self.servers[chosen].last_start = now
        if chosen is not current:
            self.run_queue.remove(chosen)
        return chosen, min(self.servers[chosen].budget, MS) if self.old else self.servers[chosen].left

    def burn(self, p: OPcpu, v: OVcpu) -> None:
        """6.2.3."""
        server = self.servers[v]
        server.left -= self.world.now - server.last_start
        server.last_start = self.world.now
        if server.left > 0:
            return
        if server.extratime:
            server.level, server.left = server.level + 1, server.budget
            self.world.log(v, "deplete", server.level, p.number)
            return
        server.left = 0
        if not server.depleted:
            server.depleted = True
            self.world.log(v, "deplete", server.level, p.number)

    def saved(self, p: OPcpu, v: OVcpu) -> None:
        """1.4.8, 6.2.4, 6.2.15."""
        server = self.servers[v]
        server.saving = False
        if server.add_later:
            server.add_later = False
            self.enqueue(v)
            self.tickle(v, self.world.now + self.world.costs["saved_path"])
        else:
            self.forget(v)

    def reconfigure(self, vm: OVm, field: str, value: Any) -> None:
        """6.2.10."""
        for v in vm.vcpus:
            setattr(self.servers[v], field, value)

    def reconfigured(self, vm: OVm) -> None:
        """6.2.10."""
        for v in vm.vcpus:
            server = self.servers[v]
            if self.scheduler.xen == "4.22" and server.depleted and server.extratime:
                server.depleted, server.level, server.left = False, server.level + 1, server.budget
                self.world.log(v, "deplete", server.level)
                if self.queued(v):
                    self.dequeue(v)
                    self.enqueue(v)
                    self.tickle(v, self.world.now)
