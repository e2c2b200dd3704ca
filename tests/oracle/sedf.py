"""SEDF, as docs/xen-rules.md 4.2 and docs/model.md 7.8 say: sorted lists, everything looked up anew. Numbers are rules there."""

from __future__ import annotations

from typing import Any

from .core import OPcpu, OVcpu, OVm, World
from .plain import Policy

US, MS = 1_000, 1_000_000


class OServer:
    """What a vCPU may run, and has run."""

    def __init__(self, v: OVcpu) -> None:
        spec = v.vm.spec
        self.read(spec.sedf, spec.per_vcpu("budget")[v.k], spec.per_vcpu("period")[v.k], spec.per_vcpu("extratime")[v.k], spec.control)
        self.deadline = self.used = self.score0 = self.score1 = 0
        self.fresh, self.wants0 = True, False

    def read(self, sedf: Any, budget: int | None, period: int | None, extratime: bool, control: bool) -> None:
        """4.2.3, 4.2.4."""
        self.weight = self.extraweight = 0
        if sedf and sedf.weight is None:
            self.period, self.slice, self.extratime = sedf.period, sedf.slice, sedf.extratime
        elif sedf:
            self.period, self.slice, self.extratime = 100 * MS, 0, sedf.extratime
            if sedf.extratime and sedf.period is None:
                self.extraweight = sedf.weight
            else:
                self.weight = sedf.weight
        elif budget and period:
            self.period, self.slice, self.extratime = period, budget, bool(extratime)
        else:
            self.period, self.slice = (20 * MS, 15 * MS) if control else (100 * MS, 0)
            self.extratime, self.extraweight = True, 1

    @property
    def start(self) -> int:
        """Of its period."""
        return self.deadline - self.period

    def share_score(self) -> int:
        """4.2.9."""
        if self.extraweight:
            return 2**17 // self.extraweight
        return self.period * 1024 // self.slice if self.slice else 2**17


class Sedf(Policy):
    """Partitioned EDF with extra time."""

    def __init__(self, world: World, scheduler: Any) -> None:
        super().__init__(world, scheduler)
        self.servers = {v: OServer(v) for v in world.vcpus}
        for v in world.vcpus:
            v.pcpu = min(v.allowed)
        n = len(world.pcpus)
        self.run: list[list[OVcpu]] = [[] for _ in range(n)]
        self.wait: list[list[OVcpu]] = [[] for _ in range(n)]
        self.l0: list[list[OVcpu]] = [[] for _ in range(n)]
        self.l1: list[list[OVcpu]] = [[] for _ in range(n)]
        self.mode, self.since, self.ends = ["edf"] * n, [0] * n, [0] * n
        self.share_out()

    def share_out(self) -> None:
        """4.2.4 b."""
        for p in range(len(self.world.pcpus)):
            here = [self.servers[v] for v in self.world.vcpus if v.pcpu == p]
            taken = sum(100 * MS * s.slice // s.period for s in here if not s.weight)
            for s in here:
                if s.weight:
                    s.slice = max(0, s.weight * (95 * MS - taken) // sum(o.weight for o in here))

    # ------------------------------------------------------------ queues

    def insert(self, queue: list[OVcpu], v: OVcpu, key: Any) -> None:
        """4.2.5."""
        queue.insert(sum(1 for o in queue if key(o) <= key(v)), v)

    def join(self, which: str, v: OVcpu) -> None:
        """Into a queue of its pCPU."""
        keys = {"run": lambda o: self.servers[o].deadline, "wait": lambda o: self.servers[o].start,
                "l0": lambda o: self.servers[o].score0, "l1": lambda o: self.servers[o].score1}
        queue = getattr(self, which)[v.pcpu]
        if v in queue:
            queue.remove(v)
        self.insert(queue, v, keys[which])

    def quit(self, v: OVcpu, *which: str) -> None:
        """Out of some queues, or of all."""
        for name in which or ("run", "wait", "l0", "l1"):
            queue = getattr(self, name)[v.pcpu]
            if v in queue:
                queue.remove(v)

    def log(self, v: OVcpu) -> None:
        """A new slice."""
        if self.servers[v].slice:
            self.world.log(v, "replenish", self.servers[v].slice - self.servers[v].used)

    # ------------------------------------------------------------ what the world asks

    def wake(self, v: OVcpu) -> None:
        """4.2.10."""
        s, now, p = self.servers[v], self.world.now, v.pcpu
        if self.world.pcpus[p].current is v or v in self.run[p] + self.wait[p]:
            return
        if s.fresh:
            s.fresh, s.deadline = False, now + s.slice
        if now < s.start:
            self.join("wait", v)
        elif now < s.deadline:
            lost = max(0, s.slice - s.used)
            s.deadline, s.used = s.deadline + s.period, 0
            if lost and s.extratime:
                s.score0, s.wants0 = s.period * 1024 // lost, True
            self.join("wait", v)
        else:
            s.deadline, s.used = now + s.period, 0
            self.join("run", v)
            self.log(v)
        if s.extratime:
            if s.wants0:
                self.join("l0", v)
            self.join("l1", v)
        if self.should_switch(v):
            self.world.ask(self.world.pcpus[p], self.at())

    def should_switch(self, v: OVcpu) -> bool:
        """4.2.12."""
        s, p = self.servers[v], v.pcpu
        current = self.world.pcpus[p].current
        if s.start < self.ends[p] or current is None:
            return True
        wants = s.wants0 and s.extratime
        if self.mode[p] == "l0":
            return wants and s.score0 < self.servers[current].score0
        return self.mode[p] == "l1" and wants

    def sleep(self, v: OVcpu) -> None:
        """1.5.6."""
        p = self.world.pcpus[v.pcpu]
        if p.current is v:
            self.world.ask(p, self.world.now)
        else:
            self.quit(v)

    def leave(self, v: OVcpu) -> None:
        """The next wake is the first."""
        s = self.servers[v]
        s.fresh, s.wants0, s.used, s.score1 = True, False, 0, 0

    def reconfigure(self, vm: OVm, field: str, value: Any) -> None:
        """4.2.4."""
        for v in vm.vcpus:
            s = self.servers[v]
            if field == "sedf":
                s.read(value, None, None, False, False)
            else:
                setattr(s, "slice" if field == "budget" else field, value)
        self.share_out()

    def reconfigured(self, vm: OVm) -> None:
        """Where it waits may have changed; extra time begins or ends."""
        waiting = [v for v in vm.vcpus if v in self.wait[v.pcpu]]
        for v in waiting:
            self.quit(v, "wait")
        for v in waiting:
            self.join("wait", v)
        for v in vm.vcpus:
            s, p = self.servers[v], v.pcpu
            queued = v in self.run[p] + self.wait[p]
            if not s.extratime:
                s.wants0 = False
                self.quit(v, "l0", "l1")
            elif queued and v not in self.l1[p]:
                self.join("l1", v)

    # ------------------------------------------------------------ the decision

    def decide(self, pcpu: OPcpu) -> tuple[OVcpu | None, int | None]:
        """4.2.6."""
        p, now = pcpu.number, self.world.now
        if pcpu.current:
            self.charge(pcpu, pcpu.current)
        self.update(p)
        first = self.servers[self.wait[p][0]].start if self.wait[p] else None
        chosen = None
        if self.run[p]:
            chosen, self.mode[p] = self.run[p][0], "edf"
            length = self.servers[chosen].slice - self.servers[chosen].used
            if first is not None:
                length = min(length, first - now)
        elif first is not None:
            length = first - now
            if length >= 500 * US and (self.l0[p] or self.l1[p]):                     # 4.2.9
                self.mode[p] = "l0" if self.l0[p] else "l1"
                chosen, length = (self.l0[p] or self.l1[p])[0], 500 * US
        else:
            length = 1000 * MS
        self.since[p], self.ends[p] = now, now + length
        return chosen, length

    def charge(self, pcpu: OPcpu, v: OVcpu) -> None:
        """4.2.7, 4.2.9."""
        p, s = pcpu.number, self.servers[v]
        if self.mode[p] == "edf":
            s.used += self.world.now - self.since[p]
            if s.used >= s.slice:
                s.used, s.deadline = s.used - s.slice, s.deadline + s.period
                self.quit(v, "run", "wait")
                self.join("wait", v)
                self.world.log(v, "deplete", s.used, p)
        elif self.mode[p] == "l0":
            s.wants0 = False
            self.quit(v, "l0")
        else:
            was, s.score1 = s.score1, s.share_score()
            if v in self.l1[p] and self.runnable(v):
                self.l1[p].remove(v)
                for o in self.l1[p]:
                    self.servers[o].score1 -= was
                self.join("l1", v)
        if not self.runnable(v):
            self.quit(v)

    def update(self, p: int) -> None:
        """4.2.8."""
        now = self.world.now
        for v in [v for v in self.wait[p] if self.servers[v].start <= now]:
            self.wait[p].remove(v)
            self.join("run", v)
            self.log(v)
        for v in list(self.run[p]):
            s = self.servers[v]
            if s.slice == 0:
                s.deadline += s.period
                while s.start <= now:
                    s.deadline += s.period
                self.run[p].remove(v)
                self.join("wait", v)
            elif s.deadline < now or s.used > s.slice:
                s.deadline, s.used = s.deadline + s.period, 0
                while s.deadline <= now:
                    s.deadline += s.period
                self.run[p].remove(v)
                self.join("wait" if s.start > now else "run", v)
                self.log(v)
