"""Credit2, as docs/xen-rules.md 5 and docs/model.md 7.9 say: sorted lists, everything looked up anew. Numbers are rules there."""

from __future__ import annotations

from typing import Any

from .core import NEVER, OPcpu, OVcpu, OVm, World
from .plain import Policy

MS, US = 1_000_000, 1_000
INIT, LEAST, MOST = 10 * MS, -10 * MS, 10 * MS + 500 * US


class OLoad:
    """5.5.1: a load, and its average in parts of 2^18."""

    def __init__(self) -> None:
        self.load = self.average = self.at = 0

    def update(self, now: int) -> None:
        """Up to now."""
        steps, self.at = now // 1024 - self.at, now // 1024
        if steps > 2**20:
            self.average = self.load * 2**18
        else:
            self.average += steps * self.load * 2**18 // 2**20 - steps * self.average // 2**20


class OAccount:
    """What a vCPU has, and owes."""

    def __init__(self) -> None:
        self.credit, self.rest, self.charged_to, self.budget = INIT, 0, 0, 0
        self.assigned = self.saving = self.add_later = self.parked = self.yielded = False
        self.promised: int | None = None
        self.load = OLoad()


class ODomain:
    """A VM's cap."""

    def __init__(self, cap: int) -> None:
        self.cap, self.pool, self.refill = cap, 0, NEVER

    @property
    def total(self) -> int:
        """Of a period of 10 ms."""
        return self.cap * 10 * MS // 100


class Credit2(Policy):
    """Run queues of neighbouring pCPUs; `queue` holds all that wait, each in the queue of its pCPU."""

    def __init__(self, world: World, scheduler: Any) -> None:
        super().__init__(world, scheduler)
        self.ratelimit, self.old = scheduler.ratelimit, scheduler.xen == "4.9"
        self.books = {v: OAccount() for v in world.vcpus}
        self.weights = {v: v.vm.spec.per_vcpu("weight")[v.k] for v in world.vcpus}
        self.domains = {vm: ODomain(0 if self.old else vm.spec.cap) for vm in world.vms}
        self.tickled: set[int] = set()
        self.loads = [OLoad() for _ in world.pcpus]                  # of the run queue that begins at pCPU i times the size
        self.size = 1 if scheduler.runqueue in ("cpu", "core") else scheduler.max_cpus

    # ------------------------------------------------------------ credit

    def mates(self, p: int) -> list[OPcpu]:
        """The pCPUs of a run queue, cyclically from one of them."""
        group = [o for o in self.world.pcpus if o.number // self.size == p // self.size]
        return group[p % self.size:] + group[:p % self.size]

    def members(self, p: int) -> list[OVcpu]:
        """Who is assigned to the run queue of a pCPU."""
        return [v for v in self.books if self.books[v].assigned and v.pcpu // self.size == p // self.size]

    def heaviest(self, p: int) -> int:
        """5.2.1."""
        return max((self.weights[v] for v in self.members(p)), default=1)

    def waiting(self, p: int) -> list[OVcpu]:
        """The run queue of a pCPU."""
        return [v for v in self.queue if v.pcpu // self.size == p // self.size]

    def capped(self, v: OVcpu) -> bool:
        """Has it a cap?"""
        return self.domains[v.vm].cap > 0 and self.books[v].assigned

    def burn(self, v: OVcpu) -> None:
        """5.2.1, 5.6.2."""
        book, ran = self.books[v], self.world.now - self.books[v].charged_to
        if ran <= 0:
            return                                                                   # also what a larger weight left over
        book.charged_to = self.world.now
        value = ran * max(self.heaviest(v.pcpu), self.weights[v]) + book.rest
        book.rest = value % self.weights[v]
        book.credit = max(LEAST, book.credit - value // self.weights[v])
        if self.capped(v):
            book.budget -= ran

    def reset(self, p: OPcpu, following: OVcpu) -> None:
        """5.2.4."""
        more = 2 * INIT if self.books[following].credit == LEAST else INIT
        for v in self.members(p.number):
            if self.world.pcpus[v.pcpu].current is v:
                self.burn(v)
            self.books[v].credit = min(self.books[v].credit + more, MOST)
        self.world.log(following, "reset", self.books[following].credit, p.number)

    def insert(self, v: OVcpu) -> None:
        """5.2.2."""
        credit = self.books[v].credit
        behind = [w for w in self.waiting(v.pcpu) if self.books[w].credit < credit]
        self.queue.insert(self.queue.index(behind[0]) if behind else len(self.queue), v)

    # ------------------------------------------------------------ load

    def load(self, v: OVcpu) -> OLoad:
        """Of the run queue of a vCPU."""
        return self.loads[v.pcpu // self.size]

    def count(self, v: OVcpu, load: int) -> None:
        """It can run, or cannot."""
        mine, common = self.books[v].load, self.load(v)
        if mine.load != load and self.several:
            for one in (mine, common):
                one.update(self.world.now)
                one.load += 1 if load else -1

    @property
    def several(self) -> bool:
        """Are there several run queues?"""
        return self.size < len(self.world.pcpus)

    def homes(self, v: OVcpu, queue: int) -> list[int]:
        """pCPUs of a run queue where `v` may run, first those that it likes."""
        found = [p.number for p in self.world.pcpus if p.number // self.size == queue and p.number in v.allowed]
        return sorted(found, key=lambda p: (p not in v.preferred, p))

    def join(self, v: OVcpu, queue: int) -> None:
        """Assign it to a run queue."""
        if v.pcpu // self.size != queue:
            v.pcpu = self.homes(v, queue)[0]
        common, mine = self.load(v), self.books[v].load
        common.update(self.world.now)
        common.average += mine.average
        common.load += mine.load
        self.books[v].assigned = True

    def quit(self, v: OVcpu) -> None:
        """Out of its run queue."""
        common, mine = self.load(v), self.books[v].load
        for one in (mine, common):
            one.update(self.world.now)
        common.average = max(0, common.average - mine.average)
        common.load -= mine.load
        self.books[v].assigned = False

    def queues(self) -> list[int]:
        """All run queues, their averages up to date."""
        found = sorted({p.number // self.size for p in self.world.pcpus})
        for q in found:
            self.loads[q].update(self.world.now)
        return found

    def least_loaded(self, v: OVcpu) -> int:
        """5.5.2."""
        picky = 0 < len(v.preferred) < len(v.allowed)
        found = [q for q in range(len(self.loads)) if self.homes(v, q)]
        for q in found:
            self.loads[q].update(self.world.now)
        return min(found, key=lambda q: (picky and self.homes(v, q)[0] not in v.preferred, self.loads[q].average, q))

    def balance(self, p: OPcpu, chosen: OVcpu) -> None:
        """5.5.3."""
        mine = p.number // self.size
        average = {q: self.loads[q].average for q in self.queues()}
        other = max(average, key=lambda q: (abs(average[q] - average[mine]), -q))
        ahead, one = average[mine] - average[other], 2**18
        room = max(len(self.mates(p.number)), len([o for o in self.world.pcpus if o.number // self.size == other]))
        least = one if max(average[mine], average[other]) < room * one else one // 8
        if abs(ahead) < least:
            return

        def movable(source: int, target: int) -> list[OVcpu | None]:
            return [None, *(v for v, book in self.books.items() if book.assigned and v.pcpu // self.size == source and v is not chosen
                            and not book.saving and self.world.pcpus[v.pcpu].current is not v and self.homes(v, target))]

        def weight(v: OVcpu | None) -> int:
            if v is None:
                return 0
            self.books[v].load.update(self.world.now)
            return 2 * self.books[v].load.average

        pairs = [(push, pull) for push in movable(mine, other) for pull in movable(other, mine)]
        left = {pair: abs(ahead - weight(pair[0]) + weight(pair[1])) for pair in pairs}
        push, pull = min(pairs, key=lambda pair: left[pair])
        if left[push, pull] > abs(ahead) - least:
            return
        self.tickled.add(p.number)
        for v, target in ((push, other), (pull, mine)):
            if v:
                self.move(v, target)
        self.tickled.discard(p.number)

    def move(self, v: OVcpu, target: int) -> None:
        """To another run queue."""
        waits = v in self.queue
        if waits:
            self.queue.remove(v)
        self.quit(v)
        self.join(v, target)
        self.books[v].promised = None
        self.world.log(v, "migrate", target)
        if waits:
            self.insert(v)
            self.tickle(v, self.world.now)

    # ------------------------------------------------------------ caps

    @property
    def replenish_due(self) -> int:
        """The next refill of all."""
        due = min((d.refill for d in self.domains.values()), default=NEVER)
        return NEVER if due == NEVER else due + self.world.costs["replenish_late"]

    def replenish(self) -> None:
        """5.6.1."""
        for vm, domain in self.domains.items():
            if domain.refill <= self.world.now:
                domain.pool = min(domain.pool + domain.total, domain.total)
                while domain.refill <= self.world.now:
                    domain.refill += 10 * MS
                self.world.log(vm.vcpus[0], "replenish", domain.pool)
                self.unpark(vm, self.world.now + self.world.costs["replenish_path"])

    def grab(self, v: OVcpu) -> bool:
        """5.6.2."""
        book, domain = self.books[v], self.domains[v.vm]
        if not self.capped(v) or book.budget > 0:
            return True
        domain.pool += book.budget
        book.budget = 0
        if domain.pool > 0:
            book.budget = min(domain.pool, max(domain.total // len(v.vm.vcpus), 500 * US))
            domain.pool -= book.budget
            return True
        book.parked = True
        v.paused += 1
        if v.state == "runnable":
            v.state = "offline"
        self.world.log(v, "park", book.credit)
        return False

    def unpark(self, vm: OVm, at: int) -> None:
        """5.6.2."""
        for v in vm.vcpus:
            if self.books[v].parked and (self.domains[vm].pool > 0 or self.domains[vm].cap == 0):
                self.books[v].parked = False
                v.paused -= 1
                self.world.log(v, "unpark", self.books[v].credit)
                if not v.paused and not v.blocked and v.state == "offline":
                    v.state = "runnable"
                    self.arrive(v, at)

    def reconfigured(self, vm: OVm) -> None:
        """A cap has begun, or ended, or nothing of the sort."""
        domain, current = self.domains[vm], [v for v in vm.vcpus if self.world.pcpus[v.pcpu].current is v]
        if domain.cap and domain.refill == NEVER and any(self.books[v].assigned for v in vm.vcpus):
            self.begin_cap(vm)
            for v in vm.vcpus:
                if v in current:
                    self.burn(v)
                    self.world.ask(self.world.pcpus[v.pcpu], self.world.now)
                self.books[v].budget = 0
        if not domain.cap:
            domain.refill = NEVER
            self.unpark(vm, self.world.now)

    def begin_cap(self, vm: OVm) -> None:
        """5.6.1: the phase."""
        domain = self.domains[vm]
        domain.pool, domain.refill = domain.total, self.world.now + 10 * MS

    # ------------------------------------------------------------ what the world asks

    def place(self, v: OVcpu) -> None:
        """5.1: a full credit."""
        book = self.books[v]
        book.credit, book.rest, book.budget, book.charged_to = INIT, 0, 0, self.world.now
        book.load.load, book.load.average, book.load.at = 0, 2**17, self.world.now // 1024
        current = self.world.pcpus[v.pcpu].current is v
        self.join(v, v.pcpu // self.size if current else self.least_loaded(v))
        if self.domains[v.vm].cap and self.domains[v.vm].refill == NEVER:
            self.begin_cap(v.vm)
        if current:
            self.count(v, 1)
        if self.runnable(v):
            self.wake(v)

    def wake(self, v: OVcpu) -> None:
        """5.2.3: no boost."""
        if self.world.pcpus[v.pcpu].current is not v:
            self.arrive(v, self.at())

    def arrive(self, v: OVcpu, at: int) -> None:
        """5.3.7."""
        if v in self.queue:
            return
        self.count(v, 1)
        if self.books[v].saving:
            self.books[v].add_later = True
        else:
            self.insert(v)
            self.tickle(v, at)

    def sleep(self, v: OVcpu) -> None:
        """1.5.6."""
        if v in self.queue:
            self.count(v, 0)
        super().sleep(v)
        self.books[v].add_later = False

    def leave(self, v: OVcpu) -> None:
        """Gone."""
        book = self.books[v]
        if book.parked:
            book.parked = False
            v.paused -= 1
        if book.assigned:
            self.quit(v)
        book.budget = book.load.load = 0
        self.domains[v.vm].refill = NEVER

    def yield_(self, v: OVcpu) -> None:
        """5.3.1."""
        self.books[v].yielded = True

    def reconfigure(self, vm: OVm, field: str, value: Any) -> None:
        """A weight or a cap."""
        if field == "cap":
            self.domains[vm].cap = 0 if self.old else value
        else:
            self.weights |= {v: value for v in vm.vcpus}

    # ------------------------------------------------------------ which pCPU

    def liked(self, v: OVcpu) -> set[int]:
        """1.6.1."""
        return v.preferred if 0 < len(v.preferred) < len(v.allowed) else v.allowed

    def tickle(self, v: OVcpu, at: int) -> None:
        """5.4."""
        own = self.world.pcpus[v.pcpu]
        free = [p for p in self.mates(v.pcpu) if p.number in v.allowed and p.number not in self.tickled]
        idle = [p for p in free if p.current is None]
        best = next((p for p in idle if p.number in self.liked(v)), idle[0] if idle else None)
        if best is None:
            mine = self.score(v, own) if own in free else 0
            if mine > 0 and own.number in self.liked(v):
                best = own                                                           # the others are not even charged
            else:
                scores = {p: mine if p is own else self.score(v, p) for p in free}
                best = max((p for p in free if scores[p] > 0), key=lambda p: scores[p], default=None)            # the first of equals
        if best:
            self.tickled.add(best.number)
            self.books[v].promised = best.number
            self.world.ask(best, at)

    def score(self, v: OVcpu, p: OPcpu) -> int:
        """5.4.3; 0 if it is not to be preempted."""
        if not self.old and self.ratelimit > 50 * US and self.world.now - p.since <= self.ratelimit - 50 * US:
            return 0
        self.burn(p.current)
        score = self.books[v].credit - self.books[p.current].credit - (0 if p.number == v.pcpu else 500 * US)
        return score + INIT if score > 0 and p.number in self.liked(v) else score

    # ------------------------------------------------------------ the decision

    def decide(self, p: OPcpu) -> tuple[OVcpu | None, int | None]:
        """5.3."""
        now, current = self.world.now, p.current
        self.tickled.discard(p.number)
        if current:
            self.burn(current)
            self.grab(current)
        chosen = self.choose(p)
        if current:
            self.books[current].yielded = False
            if chosen is not current:
                self.books[current].saving = True
                self.books[current].add_later = self.runnable(current)
        if chosen is None:
            return None, None
        book = self.books[chosen]
        queue = self.waiting(p.number)
        if book.credit <= 0 and (not queue or self.books[queue[0]].credit <= 0):
            self.reset(p, chosen)
            if self.several:
                self.balance(p, chosen)
            queue = self.waiting(p.number)
        stint = now - p.since
        if chosen is not current:
            self.queue.remove(chosen)
            queue.remove(chosen)
            book.promised, book.charged_to, stint = None, now, 0
            if chosen.pcpu != p.number:
                book.credit += 50 * US
        target = book.credit - (max(0, self.books[queue[0]].credit) if queue else 0)
        length = max(0, target) * self.weights[chosen] // self.heaviest(p.number)
        if self.capped(chosen):
            length = min(length, book.budget)
        least = max(500 * US, self.ratelimit - stint)
        return chosen, least if length < least else min(length, 10 * MS)

    def choose(self, p: OPcpu) -> OVcpu | None:
        """5.3, 2 to 4."""
        now, current = self.world.now, p.current
        stays = self.runnable(current)
        yielded = current is not None and self.books[current].yielded
        if stays and not yielded and now - p.since < self.ratelimit:
            self.world.log(current, "ratelimit", self.ratelimit - (now - p.since))
            return current
        if stays and p.number not in self.liked(current):
            better = [o for o in self.mates(p.number) if o.current is None and o.number in self.liked(current) and o.number not in self.tickled]
            stays = not better
        candidate = current if stays else None
        credit = self.books[current].credit if stays else LEAST - 1
        for v in self.waiting(p.number):
            book = self.books[v]
            if book.credit <= credit and not yielded:
                break
            if p.number not in v.allowed or (book.promised not in (None, p.number) and book.promised in self.tickled):
                continue
            if v.pcpu != p.number and book.credit < credit + 500 * US:
                continue
            if not self.grab(v):
                self.queue.remove(v)
                self.count(v, 0)
                continue
            return v
        return candidate

    def saved(self, p: OPcpu, v: OVcpu) -> None:
        """1.4.8, 5.3.7, 5.6.2."""
        book = self.books[v]
        book.saving = False
        if self.capped(v) and book.budget > 0:
            self.domains[v.vm].pool += book.budget
            book.budget = 0
        if book.add_later:
            book.add_later = False
            self.insert(v)
            self.tickle(v, self.world.now + self.world.costs["saved_path"])
        else:
            self.count(v, 0)
        if self.capped(v):
            self.unpark(v.vm, self.world.now + self.world.costs["saved_path"])
