"""BVT, as docs/xen-rules.md 4.1 and docs/model.md 7.10 say: lists, everything looked up anew. Numbers are rules there."""

from __future__ import annotations

from typing import Any

from rtvirt.system import VM

from .core import NEVER, OPcpu, OVcpu, OVm, World
from .plain import Policy

MCU = 100_000


class ODomain:
    """What a VM's vCPUs have in common (4.1.2, 4.1.8)."""

    def __init__(self, bvt: Any) -> None:
        self.contract = bvt or VM("x", bvt={}).bvt
        self.warping = self.contract.warp
        self.warp_due = self.unwarp_due = NEVER


class Bvt(Policy):
    """Borrowed virtual time."""

    def __init__(self, world: World, scheduler: Any) -> None:
        super().__init__(world, scheduler)
        self.domains = {vm: ODomain(vm.spec.bvt) for vm in world.vms}
        self.avt = dict.fromkeys(world.vcpus, 0)
        self.evt = dict.fromkeys(world.vcpus, 0)
        n = len(world.pcpus)
        self.queues: list[list[OVcpu]] = [[] for _ in range(n)]         # those that wait
        self.svt, self.since, self.ends = [0] * n, [0] * n, [0] * n

    def effective(self, v: OVcpu, avt: int) -> int:
        """4.1.3."""
        domain = self.domains[v.vm]
        return avt - domain.contract.warp_value if domain.warping else avt

    def advance(self, v: OVcpu) -> int:
        """4.1.2."""
        return self.domains[v.vm].contract.mcu_advance

    def charged(self, v: OVcpu) -> int:
        """4.1.4: its avt, charged up to now."""
        ran = self.world.now - self.since[v.pcpu]
        return self.avt[v] + (ran + MCU - 1) // MCU * self.advance(v)

    def gap(self, v: OVcpu, difference: int) -> int:
        """4.1.6: in ns, or what Xen takes for ns."""
        return difference // self.advance(v) * (1 if self.scheduler.units == "faithful" else MCU)

    # ------------------------------------------------------------ warp

    @property
    def replenish_due(self) -> int:
        """The next warp or unwarp timer."""
        return min((due for d in self.domains.values() for due in (d.warp_due, d.unwarp_due)), default=NEVER)

    def replenish(self) -> None:
        """4.1.8."""
        for domain in self.domains.values():
            if domain.warp_due <= self.world.now:
                domain.warp_due, domain.warping = NEVER, False
                if domain.contract.unwarp:
                    domain.unwarp_due = self.world.now + domain.contract.unwarp
            elif domain.unwarp_due <= self.world.now:
                domain.unwarp_due, domain.warping = NEVER, True

    # ------------------------------------------------------------ what the world asks

    def place(self, v: OVcpu) -> None:
        """In the order of the starts, else like a wake."""
        if self.runnable(v):
            self.wake(v, len(self.queues[v.pcpu]))

    def wake(self, v: OVcpu, at: int = 0) -> None:
        """4.1.7: to the head."""
        p = self.world.pcpus[v.pcpu]
        q = self.queues[p.number]
        if p.current is v or v in q:
            return
        q.insert(at, v)
        self.avt[v] = max(self.avt[v], self.svt[p.number])
        self.evt[v] = self.effective(v, self.avt[v])
        current = p.current
        if current is None:
            self.world.ask(p, self.at())
            return
        theirs = self.effective(current, self.charged(current))
        if self.evt[v] <= theirs:
            self.world.ask(p, self.at())
            return
        ends = p.since + self.gap(current, self.evt[v] - theirs) + self.scheduler.ctx_allow
        if ends < self.ends[p.number]:
            self.ends[p.number] = ends
            costs = self.world.costs
            p.slice_due = self.world.now + max(ends - self.world.now, costs["timer_slop"]) + costs["slice_late"]

    def sleep(self, v: OVcpu) -> None:
        """1.5.6."""
        p = self.world.pcpus[v.pcpu]
        if p.current is v:
            self.world.ask(p, self.world.now)
        elif v in self.queues[p.number]:
            self.queues[p.number].remove(v)

    def leave(self, v: OVcpu) -> None:
        """Begins again."""
        self.avt[v] = self.evt[v] = 0
        self.domains[v.vm] = domain = ODomain(self.domains[v.vm].contract)
        domain.warping = domain.contract.warp

    def reconfigure(self, vm: OVm, field: str, value: Any) -> None:
        """A contract is set: warping begins as it says."""
        self.domains[vm] = ODomain(value)

    def decide(self, p: OPcpu) -> tuple[OVcpu | None, int | None]:
        """4.1.4 to 4.1.6, 4.1.8."""
        n, now = p.number, self.world.now
        q = self.queues[n]
        if p.current:
            self.avt[p.current] = self.charged(p.current)
            self.evt[p.current] = self.effective(p.current, self.avt[p.current])
            if self.runnable(p.current):
                q.append(p.current)
        self.since[n] = now
        allow = self.scheduler.ctx_allow
        if not q:
            self.ends[n] = now + allow
            return None, allow
        self.svt[n] = min(self.avt[v] for v in q)
        chosen = min(q, key=lambda v: self.evt[v])                   # the first of equals
        others = [self.evt[v] for v in q if v is not chosen]
        q.remove(chosen)
        length = 10 * allow
        if others:
            length = self.gap(chosen, min(others) - self.evt[chosen]) + allow
        domain = self.domains[chosen.vm]
        if domain.warping and domain.contract.warp_limit:
            domain.warp_due = now + domain.contract.warp_limit
        self.ends[n] = now + length
        return chosen, length
