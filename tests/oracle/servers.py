"""Servers, as docs/servers.md says: plain lists, everything looked up anew. Numbers are rules there, without the S."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from .core import NEVER, OPcpu, OVcpu, World
from .plain import Policy


class OServer:
    """What a vCPU may use, and has used (1.1)."""

    def __init__(self, v: OVcpu) -> None:
        spec = v.vm.spec
        self.v, self.budget, self.period = v, spec.per_vcpu("budget")[v.k], spec.per_vcpu("period")[v.k]
        self.background = self.budget is None
        self.rank = (spec.per_vcpu("priority")[v.k] or NEVER, NEVER if self.background else self.period, v.number)
        self.left, self.deadline, self.due = 0, 0, NEVER
        self.charged_to = 0


class Servers(Policy):
    """What all have in common (1)."""

    idles = False

    def __init__(self, world: World, scheduler: Any) -> None:
        super().__init__(world, scheduler)
        self.servers = {v: OServer(v) for v in world.vcpus}
        self.holder: dict[int, OVcpu | None] = {p.number: None for p in world.pcpus}

    def key(self, v: OVcpu) -> Any:
        """1.2."""
        server = self.servers[v]
        return (server.background, server.deadline if self.scheduler.order == "edf" and not server.background else 0, server.rank)

    def ready(self, v: OVcpu) -> bool:
        """1.3."""
        server = self.servers[v]
        return self.runnable(v) if server.background else server.left > 0 and (self.idles or self.runnable(v))

    def held(self, v: OVcpu) -> OPcpu | None:
        """The pCPU that it holds."""
        return next((p for p in self.world.pcpus if self.holder[p.number] is v), None)

    def decide(self, p: OPcpu) -> tuple[OVcpu | None, int | None]:
        """1.4."""
        holder = self.holder[p.number]
        if holder:
            self.charge(holder)
            if not self.servers[holder].background:
                self.found(holder)
        rivals = [v for v in self.queue if p.number in v.allowed]
        if holder and self.ready(holder):
            rivals.append(holder)
        chosen = min(rivals, key=self.key, default=None)
        self.holder[p.number] = chosen
        if chosen in self.queue:
            self.queue.remove(chosen)
        if holder and holder is not chosen and self.ready(holder):
            self.queue.append(holder)
            self.tickle(holder, self.at())
        if chosen is None:
            return None, None
        server = self.servers[chosen]
        server.charged_to = self.world.now
        return (chosen if self.runnable(chosen) else None), (None if server.background else server.left)

    def found(self, v: OVcpu) -> None:
        """A decision finds a holder so (each kind's rules)."""

    def charge(self, v: OVcpu) -> None:
        """1.5."""
        server, p = self.servers[v], self.held(v)
        used, server.charged_to = self.world.now - server.charged_to, self.world.now
        if server.background:
            return
        before, server.left = server.left, server.left - used
        if server.left <= 0 < before:
            self.world.log(v, "deplete", -server.left, p.number)

    def tickle(self, v: OVcpu, at: int) -> None:
        """1.6."""
        world, m = self.world, len(self.world.pcpus)
        free = [p for i in range(m) for p in [world.pcpus[(v.pcpu + i) % m]] if p.number in v.allowed and p.decide_at == NEVER]
        unheld = [p for p in free if self.holder[p.number] is None]
        later = [p for p in free if self.holder[p.number] and self.key(self.holder[p.number]) > self.key(v)]
        if unheld:
            world.ask(unheld[0], at)
        elif later:
            world.ask(max(later, key=lambda p: self.key(self.holder[p.number])), at)

    def queue_up(self, v: OVcpu, at: int) -> None:
        """1.7: wait, if ready, and tickle."""
        if self.ready(v) and v not in self.queue:
            self.queue.append(v)
            self.tickle(v, at)

    def wake(self, v: OVcpu) -> None:
        """1.7."""
        p = self.held(v)
        if p:
            if p.current is not v:
                self.world.ask(p, self.at())
            return
        if not self.servers[v].background:
            self.woken(v)
        self.queue_up(v, self.at())

    def woken(self, v: OVcpu) -> None:
        """Each kind's rules for waking."""

    def place(self, v: OVcpu) -> None:
        """1.8."""
        server = self.servers[v]
        server.left, server.charged_to = 0, self.world.now
        if not server.background:
            self.begin(v)
        p = self.held(v)
        if not p:
            self.queue_up(v, self.at())
        elif p.current is not v:
            self.world.ask(p, self.at())

    def sleep(self, v: OVcpu) -> None:
        """1.8."""
        p = self.held(v)
        if p:
            self.world.ask(p, self.world.now)
        elif v in self.queue and not self.ready(v):
            self.queue.remove(v)

    def leave(self, v: OVcpu) -> None:
        """1.8."""
        self.servers[v].left, self.servers[v].due = 0, NEVER
        if self.held(v):
            self.world.ask(self.held(v), self.world.now)
        elif v in self.queue:
            self.queue.remove(v)

    @property
    def replenish_due(self) -> int:
        """1.9."""
        due = min((s.due for s in self.servers.values()), default=NEVER)
        return NEVER if due == NEVER else due + self.world.costs["replenish_late"]

    def replenish(self) -> None:
        """1.9."""
        server = min(self.servers.values(), key=lambda s: (s.due, s.v.number))
        v, p = server.v, self.held(server.v)
        if p:
            self.charge(v)
        self.refill(v)
        self.world.log(v, "replenish", server.left)
        if p:
            self.world.ask(p, self.world.now)
        else:
            if v in self.queue:
                self.queue.remove(v)
            self.queue_up(v, self.world.now)


class Periods(Servers):
    """2.1."""

    def begin(self, v: OVcpu) -> None:
        """The first period."""
        self.servers[v].deadline = self.world.now
        self.refill(v)
        self.world.log(v, "replenish", self.servers[v].left)

    def refill(self, v: OVcpu) -> None:
        """A new period."""
        server = self.servers[v]
        while server.deadline <= self.world.now:
            server.deadline += server.period
        server.left, server.due = server.budget + min(server.left, 0), server.deadline


class Polling(Periods):
    """2."""

    def woken(self, v: OVcpu) -> None:
        """2.2."""
        server = self.servers[v]
        if self.world.now != server.deadline - server.period:
            server.left = min(server.left, 0)

    def found(self, v: OVcpu) -> None:
        """2.3."""
        server = self.servers[v]
        if not self.runnable(v) and server.left > 0:
            server.left = 0
            self.world.log(v, "deplete", 0, self.held(v).number)


class Periodic(Periods):
    """3."""

    idles = True


class Deferrable(Periods):
    """4."""


class Sporadic(Servers):
    """5."""

    def __init__(self, world: World, scheduler: Any) -> None:
        super().__init__(world, scheduler)
        self.pieces: dict[OVcpu, list[list[int]]] = {v: [] for v in world.vcpus}

    def begin(self, v: OVcpu) -> None:
        """5.1."""
        self.pieces[v] = [[self.servers[v].budget, self.world.now]]
        self.refill(v)
        self.world.log(v, "replenish", self.servers[v].left)

    def refill(self, v: OVcpu) -> None:
        """5.2."""
        server, (amount, since) = self.servers[v], self.pieces[v][0]
        here = since <= self.world.now
        server.left, server.due, server.deadline = (amount if here else 0), (NEVER if here else since), since + server.period

    def charge(self, v: OVcpu) -> None:
        """5.3, 5.5."""
        server, pieces, now = self.servers[v], self.pieces[v], self.world.now
        used, server.charged_to = now - server.charged_to, now
        if server.background or not used:
            return
        if server.left <= used:
            self.world.log(v, "deplete", used - server.left, self.held(v).number)
        while used:
            part = min(used, pieces[0][0])
            used -= part
            pieces[0][0] -= part
            back = [part, pieces[0][1] + server.period]
            if not pieces[0][0]:
                pieces.pop(0)
            if pieces and pieces[-1][1] == back[1]:
                pieces[-1][0] += part
                continue
            if len(pieces) == self.scheduler.pieces:
                rest = pieces.pop(0)[0]
                (pieces[0] if pieces else back)[0] += rest
            pieces.append(back)
        self.refill(v)

    def woken(self, v: OVcpu) -> None:
        """5.4."""
        now, pieces = self.world.now, self.pieces[v]
        come = [piece for piece in pieces if piece[1] <= now]
        if come:
            self.pieces[v] = [[sum(amount for amount, _ in come), now]] + pieces[len(come):]
            self.refill(v)


class Cbs(Servers):
    """6."""

    def begin(self, v: OVcpu) -> None:
        """6.1."""
        server = self.servers[v]
        server.left, server.deadline, server.due = server.budget, self.world.now + server.period, NEVER
        self.world.log(v, "replenish", server.left)

    def woken(self, v: OVcpu) -> None:
        """6.2."""
        server = self.servers[v]
        ahead = server.deadline - self.world.now
        if ahead <= 0 or Fraction(server.left, server.budget) >= Fraction(ahead, server.period):
            self.begin(v)

    def found(self, v: OVcpu) -> None:
        """6.3, 6.4."""
        server = self.servers[v]
        if self.scheduler.hard:
            if server.left <= 0:
                server.due = max(server.deadline, self.world.now)
            return
        while server.left <= 0:
            self.refill(v)
            self.world.log(v, "replenish", server.left)

    def refill(self, v: OVcpu) -> None:
        """6.3, 6.4."""
        server = self.servers[v]
        server.left, server.deadline = server.left + server.budget, server.deadline + server.period
        server.due = max(server.deadline, self.world.now) if server.left <= 0 else NEVER
