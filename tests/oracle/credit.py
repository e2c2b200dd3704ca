"""The credit schedulers, as docs/xen-rules.md sections 2 and 3 say, step by step."""

from __future__ import annotations

from typing import Any

from .core import NEVER, OPcpu, OVcpu, OVm, World
from .plain import Policy

BOOST, UNDER, OVER, IDLE, PARKED = 0, -1, -2, -64, -65
MS = 1_000_000


def up(x: int, y: int) -> int:
    """x / y rounded up."""
    return -(-x // y)


class Book:
    """What the scheduler knows of a vCPU."""

    def __init__(self) -> None:
        self.credit, self.prio, self.residual, self.paid = 0, UNDER, 0, 0
        self.active = self.yielding = self.parked = False
        self.high, self.high_since, self.window_end = 0, 0, 0          # model 7.1.11


class Credit(Policy):
    """Section 2; `old` versions override below."""

    def __init__(self, world: World, scheduler: Any) -> None:
        super().__init__(world, scheduler)
        self.books = {v: Book() for v in world.vcpus}
        self.weight = {vm: vm.spec.weight for vm in world.vms}
        self.cap = {vm: vm.spec.cap for vm in world.vms}
        self.queues: list[list[OVcpu]] = [[] for _ in world.pcpus]
        self.idle = {p.number for p in world.pcpus}
        self.active: list[tuple[OVm, list[OVcpu]]] = []
        self.balance = self.epoch = 0
        self.sorted = [0 for _ in world.pcpus]
        self.attempt: list[int | None] = [None for _ in world.pcpus]
        self.bias = self.last_tickled = len(world.pcpus) - 1
        self.setup()

    def setup(self) -> None:
        """Constants (2.1)."""
        self.slice = self.scheduler.timeslice
        ticks = 3 if self.slice >= 3 * MS else 1
        self.period = self.slice // 1000 // ticks * 1000
        self.P = 10 * self.slice // MS
        self.boosting = True
        self.allowance = self.scheduler.boost_budget
        self.world.account_due = self.slice + self.world.costs["account_late"]

    # -- money

    def burn(self, v: OVcpu) -> None:
        """2.3.1."""
        book = self.books[v]
        elapsed = self.world.now - book.paid
        if elapsed > 0:
            value = elapsed * 10 + book.residual
            book.residual = value % MS
            book.credit -= value // MS
            book.paid += value // MS * 100_000

    def count_high(self, v: OVcpu) -> None:
        """Model 7.1.11: time of a running vCPU at BOOST."""
        book = self.books[v]
        if book.prio == BOOST and self.world.pcpus[v.pcpu].current is v:
            book.high += self.world.now - book.high_since
            book.high_since = self.world.now

    def until_low(self, v: OVcpu, length: int) -> int:
        """Model 7.1.11: a slice ends with the allowance."""
        book = self.books[v]
        if self.allowance is not None and book.prio == BOOST:
            return min(length, self.allowance - book.high)
        return length

    def weight_sum(self) -> int:
        """Of active vCPUs, each with its VM's weight."""
        return sum(self.weight[vm] * len(members) for vm, members in self.active)

    def activate(self, v: OVcpu) -> None:
        """2.4 step 1c."""
        self.books[v].active = True
        for vm, members in self.active:
            if vm is v.vm:
                members.insert(0, v)
                break
        else:
            self.active.insert(0, (v.vm, [v]))
        self.world.log(v, "activate", self.books[v].credit)

    def deactivate(self, v: OVcpu) -> None:
        """Off the active list."""
        self.books[v].active = False
        for entry in list(self.active):
            if v in entry[1]:
                entry[1].remove(v)
                if not entry[1]:
                    self.active.remove(entry)
        self.world.log(v, "deactivate", self.books[v].credit)

    def debit(self, p: OPcpu, v: OVcpu) -> None:
        """What a tick costs."""
        self.burn(v)

    def tick(self, p: OPcpu) -> None:
        """2.4."""
        v = p.current
        if v:
            book = self.books[v]
            self.count_high(v)
            if book.prio == BOOST:
                book.prio = UNDER
                self.world.log(v, "unboost", book.credit)
            self.debit(p, v)
            if not book.active:
                self.activate(v)
        self.after_debit(p)
        if self.sorted[p.number] != self.epoch:
            self.sorted[p.number] = self.epoch
            self.queues[p.number].sort(key=lambda v: self.books[v].prio < UNDER)      # stable
        p.tick_due = self.world.now + self.period + self.world.costs["tick_late"]

    def after_debit(self, p: OPcpu) -> None:
        """Nothing today."""

    def account(self) -> None:
        """2.5, and the next one."""
        self.settle_all()
        self.world.account_due = self.world.now + self.slice + self.world.costs["account_late"]

    def times(self, members: list[OVcpu]) -> int:
        """How often a VM's weight counts."""
        return len(members)

    def settle_all(self) -> None:
        """2.5 steps 1 to 5."""
        W = sum(self.weight[vm] * self.times(members) for vm, members in self.active)
        T = self.P * len(self.world.pcpus) - min(0, self.balance)
        left, new, xtra = W, 0, False
        for entry in list(self.active):
            vm, members = entry
            n, w = len(members), self.weight[vm] * self.times(members)
            left -= w
            peak = n * self.P
            if self.balance < 0:
                peak += up(-self.balance * w, W)
            limit = 0
            if self.cap[vm]:
                cap = up(self.cap[vm] * self.P, 100)
                peak = min(peak, cap)
                limit = up(cap, n)
            fair = up(T * w, W)
            if fair < peak:
                xtra = True
            else:
                if left > 0:
                    T += up((fair - peak) * W, left)
                    if xtra:
                        self.active.remove(entry)
                        self.active.insert(0, entry)
                fair = peak
            for v in list(members):
                new += self.settle(v, up(fair, n), limit)
        self.balance = new
        self.epoch += 1

    def settle(self, v: OVcpu, share: int, limit: int) -> int:
        """2.5 step 3f."""
        book = self.books[v]
        boosted = book.prio == BOOST
        self.count_high(v)
        book.credit += share
        if book.credit < 0:
            book.prio = OVER
            if limit:
                self.over_cap(v, limit)
            book.credit = max(book.credit, -self.P)
        else:
            book.prio = UNDER
            if book.parked:
                self.unpark(v)
            if book.credit > self.P:
                self.deactivate(v)
                book.credit = self.surplus(book.credit)
        if boosted:
            self.world.log(v, "unboost", book.credit)
        return book.credit

    def surplus(self, credit: int) -> int:
        """What is left of too much credit."""
        return credit // 2

    def over_cap(self, v: OVcpu, limit: int) -> None:
        """Park it?"""
        book = self.books[v]
        if book.credit < -limit and not book.parked:
            book.parked = True
            self.world.log(v, "park", book.credit)
            v.paused += 1
            if v.state == "runnable":
                v.state = "offline"
            self.sleep(v)

    def unpark(self, v: OVcpu) -> None:
        """No boost: the flag is still set."""
        self.world.log(v, "unpark", self.books[v].credit)
        v.paused -= 1
        if not v.paused and not v.blocked and v.state == "offline":
            v.state = "runnable"
            self.wake(v)
        self.books[v].parked = False

    # -- queue

    def insert(self, v: OVcpu, p: int) -> None:
        """2.7.1, 2.7.2."""
        queue, book = self.queues[p], self.books[v]
        place = next((i for i, o in enumerate(queue) if self.books[o].prio < book.prio), len(queue))
        if book.yielding and place < len(queue):
            place += 1
        queue.insert(place, v)

    def queued(self, v: OVcpu) -> bool:
        """Is it waiting?"""
        return any(v in queue for queue in self.queues)

    def quite_idle(self, p: int) -> bool:
        """Section 5.2."""
        return self.world.pcpus[p].current is None and not self.queues[p] and self.world.pcpus[p].decide_at == NEVER

    def place(self, v: OVcpu) -> None:
        """Section 5."""
        m = len(self.world.pcpus)
        for p in [(v.pcpu + k) % m for k in range(m)]:
            if p in v.allowed and self.quite_idle(p):
                v.pcpu = p
                break
        if v.state == "runnable":
            self.insert(v, v.pcpu)
            self.tickle(v, self.at())

    def wake(self, v: OVcpu) -> None:
        """2.6.1."""
        if self.world.pcpus[v.pcpu].current is v or self.queued(v):
            return
        book, at = self.books[v], self.at()
        if self.world.now >= book.window_end:
            book.high, book.window_end = 0, self.world.now + self.scheduler.boost_period
        if self.boosting and book.prio == UNDER and not book.parked and (self.allowance is None or book.high < self.allowance):
            book.prio = BOOST
            at += self.world.costs["boost_path"]
            self.world.log(v, "boost", book.credit)
        self.insert(v, v.pcpu)
        self.tickle(v, at)

    def sleep(self, v: OVcpu) -> None:
        """1.5.6."""
        p = self.world.pcpus[v.pcpu]
        if p.current is v:
            self.world.ask(p, self.world.now)
        for queue in self.queues:
            if v in queue:
                queue.remove(v)

    def yield_(self, v: OVcpu) -> None:
        """2.7.2."""
        self.books[v].yielding = True

    def tickle(self, v: OVcpu, at: int) -> None:
        """2.10."""
        home, m = self.world.pcpus[v.pcpu], len(self.world.pcpus)
        if home.current is None:
            chosen = home.number
        else:
            chosen = None
            masks = ([v.preferred] if 0 < len(v.preferred) < len(v.allowed) else []) + [v.allowed]
            for mask in masks:
                turn = [(self.last_tickled + k) % m for k in range(1, m + 1)]
                chosen = next((p for p in turn if p in self.idle and p in mask), None)
                if chosen is not None:
                    self.last_tickled = chosen
                    break
            if chosen is None and self.books[v].prio > self.books[home.current].prio:
                chosen = home.number
        if chosen is not None:
            self.idle.discard(chosen)
            self.world.ask(self.world.pcpus[chosen], at)

    # -- decision

    def prio(self, v: OVcpu | None) -> int:
        """Of a vCPU or of idle."""
        return IDLE if v is None else self.books[v].prio

    def decide(self, p: OPcpu) -> tuple[OVcpu | None, int | None]:
        """2.7.3."""
        now, cur = self.world.now, p.current
        if cur:
            self.burn(cur)
            self.count_high(cur)
            if self.allowance is not None and self.books[cur].prio == BOOST and self.books[cur].high >= self.allowance:
                self.books[cur].prio = UNDER
                self.world.log(cur, "unboost", self.books[cur].credit)
        if self.runnable(cur) and not self.books[cur].yielding and now - p.since < self.scheduler.ratelimit:
            rest = self.scheduler.ratelimit - (now - p.since)
            self.world.log(cur, "ratelimit", rest)
            return cur, self.until_low(cur, rest)
        if self.runnable(cur):
            self.insert(cur, p.number)
        head = self.queues[p.number][0] if self.queues[p.number] else None
        chosen = head
        if self.prio(head) <= OVER:
            chosen = self.steal(p, self.prio(head)) or head
        if chosen:
            self.books[chosen].high_since = now
            if chosen in self.queues[p.number]:
                self.queues[p.number].remove(chosen)
            self.books[chosen].yielding = False
        if cur:
            self.books[cur].paid -= now
        if chosen:
            self.books[chosen].paid += now
            self.idle.discard(p.number)
        else:
            self.idle.add(p.number)
        if chosen is None:
            p.tick_due = NEVER
        elif cur is None:
            p.tick_due = now - now % self.period + self.period + self.world.costs["tick_late"]
        return chosen, (self.until_low(chosen, self.slice) if chosen else None)

    def steal(self, p: OPcpu, best: int) -> OVcpu | None:
        """2.11."""
        if self.scheduler.xen == "4.22":
            before = self.attempt[p.number]
            if before is not None and self.world.now - before <= MS:
                return None
            self.attempt[p.number] = self.world.now
        m = len(self.world.pcpus)
        for soft in (True, False):
            for peer in [(self.bias + k) % m for k in range(1, m + 1)]:
                queue, current = self.queues[peer], self.world.pcpus[peer].current
                if peer == p.number or peer in self.idle or len(queue) + self.runnable(current) <= 1:
                    continue
                for v in queue:
                    if self.books[v].prio <= best:
                        break
                    picky = 0 < len(v.preferred) < len(v.allowed)
                    fits = (picky and p.number in v.preferred) if soft else p.number in v.allowed
                    if fits and not (self.scheduler.xen == "4.22" and self.books[v].yielding):
                        queue.remove(v)
                        v.pcpu = p.number
                        self.bias = peer
                        self.world.log(v, "steal", peer)
                        return v
        return None

    def leave(self, v: OVcpu) -> None:
        """Its VM crashed."""
        book = self.books[v]
        if book.parked:
            book.parked = False
            v.paused -= 1
        if book.active:
            self.deactivate(v)
        book.credit, book.residual, book.prio = 0, 0, UNDER
        book.high = book.window_end = 0

    def reconfigure(self, vm: OVm, field: str, value: Any) -> None:
        """New weight or cap."""
        (self.weight if field == "weight" else self.cap)[vm] = value


class Credit2007(Credit):
    """Section 3: xen 3.1, and 3.0.3."""

    def setup(self) -> None:
        """Constants (3.2)."""
        self.modern = self.scheduler.xen == "3.1"
        self.slice, self.period = 30 * MS, 10 * MS
        self.P = 300 if self.modern else 30
        self.boosting, self.allowance = self.modern, None
        self.ticks = 0
        for p in self.world.pcpus:
            p.tick_due = self.period + self.world.costs["tick_late"]

    def times(self, members: list[OVcpu]) -> int:
        """Weights are per domain (3.2.4)."""
        return 1

    def debit(self, p: OPcpu, v: OVcpu) -> None:
        """A whole tick (3.2.1)."""
        self.books[v].credit -= self.P // 3

    def after_debit(self, p: OPcpu) -> None:
        """The master accounts every third tick (3.2.3)."""
        if p.number == 0:
            self.ticks += 1
            if self.ticks % 3 == 0:
                self.settle_all()

    def surplus(self, credit: int) -> int:
        """3.1: nothing; 3.0.3: clamped."""
        return 0 if self.modern else self.P

    def over_cap(self, v: OVcpu, limit: int) -> None:
        """3.0.3: sub-idle priority."""
        if self.modern:
            super().over_cap(v, limit)
        else:
            self.books[v].prio = PARKED

    def yield_(self, v: OVcpu) -> None:
        """Nothing (3.2.7)."""

    def tickle(self, v: OVcpu, at: int) -> None:
        """3.2.6."""
        home = self.world.pcpus[v.pcpu]
        if self.books[v].prio > self.prio(home.current):
            self.world.ask(home, at)
        if home.current is not None:
            for p in self.world.pcpus:
                if p.number in self.idle and p.number in v.allowed:
                    self.world.ask(p, at)

    def decide(self, p: OPcpu) -> tuple[OVcpu | None, int | None]:
        """3.2.8."""
        if self.runnable(p.current):
            self.insert(p.current, p.number)
        queue = self.queues[p.number]
        head = queue[0] if queue and self.books[queue[0]].prio > IDLE else None
        chosen = head
        if self.prio(head) <= OVER:
            chosen = self.steal(p, self.prio(head)) or head
        if chosen in queue:
            queue.remove(chosen)
        (self.idle.discard if chosen else self.idle.add)(p.number)
        return chosen, self.slice

    def steal(self, p: OPcpu, best: int) -> OVcpu | None:
        """Neighbours, cyclically."""
        m = len(self.world.pcpus)
        for peer in [(p.number + k) % m for k in range(1, m)]:
            for v in self.queues[peer]:
                if self.books[v].prio <= best:
                    break
                if p.number in v.allowed:
                    self.queues[peer].remove(v)
                    v.pcpu = p.number
                    self.world.log(v, "steal", peer)
                    return v
        return None
