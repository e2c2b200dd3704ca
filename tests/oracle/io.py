"""Devices in the oracle's world: messages, queues, ports, lines; what a thread does is written down as a generator of pieces of work.

Numbers in comments are rules of docs/io-model.md. Nothing is kept that can be looked up: who holds a slot, how long a vCPU has run.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from rtvirt.system.devices import CAUSES, expanded

from .core import NEVER, Job, OPcpu, OTask, OVcpu, OVm, World

WRAP = 2**32
SLEEP = "sleep"      # what the script of a request asks for


class OMessage:
    """A message, and where it is: new, between (stages), backlog, queue, taken, app, ended, dropped."""

    def __init__(self, path: OPath, number: int, first: int) -> None:
        self.path, self.number, self.first = path, number, first
        self.place, self.stage = "new", 0
        self.stamps = [{"in": -1, "known": -1, "taken": -1, "out": -1} for _ in path.stages] + [{"in": -1, "taken": -1, "out": -1}]
        self.causes = dict.fromkeys(CAUSES, 0)
        self.accounted_to = first
        self.slot = self.pooled = self.by_port = False
        self.order = self.done_before = self.of_batch = 0
        self.job: Job | None = None
        self.dropped = self.total = -1

    @property
    def at(self) -> dict[str, int]:
        """Stamps of the stage it is in."""
        return self.stamps[self.stage]

    def delivered(self) -> bool:
        """Is stage `ends` behind it?"""
        ends = self.path.spec.ends
        return ends is not None and self.stamps[ends]["out"] >= 0

    def row(self) -> tuple[int, ...]:
        """As the run's table has it, stages by number."""
        stamps = tuple(stamp for one in self.stamps for stamp in one.values())
        return (self.number, self.dropped, self.total, *self.causes.values(), *stamps)


class OStage:
    """A stage: queue and ring, and its port's bits."""

    def __init__(self, path: OPath, index: int, number: int, spec: Any) -> None:
        self.path, self.index, self.number, self.spec = path, index, number, spec
        self.thread: OTask | None = None         # one of both
        self.line: OLine | None = None
        self.done = 0                            # what its server has done for its messages [ns] (8.2, 8.4)
        self.last_interposed: int | None = None
        self.forget()

    def forget(self) -> None:
        """As at the beginning; nobody is in the queue."""
        self.queue: list[OMessage] = []
        self.begin()
        self.pending: int | None = None          # when it became so: a number that grows
        self.masked = False
        self.rings = NEVER
        self.interposed: OMessage | None = None
        self.interposed_due = NEVER

    def begin(self) -> None:
        """2.1."""
        first = self.path.spec.first_index
        self.prod = self.cons = first
        self.event = (first + 1) % WRAP

    @property
    def vcpu(self) -> OVcpu:
        """Of its thread, and so of its port."""
        return self.thread.pinned

    @property
    def told(self) -> bool:
        """Is anybody ever told (2.10)?"""
        return self.thread.spec.period is None


class OLine:
    """A line and whom it serves."""

    def __init__(self) -> None:
        self.serving: OMessage | None = None
        self.due = NEVER


class OPath:
    """A path and its messages."""

    def __init__(self, spec: Any, number: int) -> None:
        self.spec, self.number, self.stages = spec, number, []
        self.messages: list[OMessage] = []
        self.rows: list[OMessage] = []
        self.backlog: list[OMessage] = []
        self.vms: list[OVm] = []
        self.up = self.broken = False
        self.up_due = NEVER
        self.source: OTask | None = None

    def room(self) -> bool:
        """Is there a slot?"""
        return self.spec.slots is None or sum(m.slot for m in self.messages) < self.spec.slots


class IoWorld(World):
    """A simulation of a system with devices; `paths` maps names to rows."""

    def __init__(self, system: Any, make_policy: Any, duration: int, seed: int) -> None:
        whole, self.plumbing = expanded(system)
        super().__init__(whole, make_policy, duration, seed)
        self.stints: dict[OVcpu, list[tuple[int, int]]] = {v: [] for v in self.vcpus}          # in which it did not wait for a pCPU
        self.blocked_from: dict[OVcpu, int] = dict.fromkeys(self.vcpus, 0)                     # of those that are blocked and have left their pCPU
        self.counter, self.closed = 0, False
        self.upcalls: dict[OVm, tuple[int, str]] = {vm: self.plumbing.upcalls.get(vm.spec.name, (0, "lowest")) for vm in self.vms}
        self.last_picked: dict[OVcpu, int] = {}
        self.by_name = tasks = {f"{t.vm.spec.name}/{t.spec.name}": t for t in self.tasks}
        self.threads = {tasks[thread.key]: thread for thread in self.plumbing.threads}
        self.last_taken: dict[OTask, OStage] = {}
        self.batches: dict[OTask, list[OMessage]] = {t: [] for t in self.threads}
        self.counts: dict[OTask, dict[OStage, int]] = {}
        self.about_to_wake: set[OTask] = set()   # told, and not asleep since (2.5)
        self.hypercalls: dict[OTask, int] = {}   # that a thread has to pay for (4.1)
        self.sleepers: dict[OMessage, OTask] = {}
        self.lines = {line.name: OLine() for line in self.plumbing.lines}
        self.ways = [OPath(path, i) for i, path in enumerate(self.plumbing.paths)]
        self.stages = [OStage(self.ways[self.plumbing.paths.index(path)], i, n, stage)
                       for n, (path, i, stage) in enumerate(self.plumbing.stages())]
        for s in self.stages:
            s.path.stages.append(s)
            s.thread, s.line = tasks.get(s.spec.server), self.lines.get(s.spec.server)
        for path in self.ways:
            names = {path.spec.frontend} | {s.thread.vm.spec.name for s in path.stages if s.thread}
            path.vms = [vm for vm in self.vms if vm.spec.name in names]
            if path.spec.arrivals:
                path.source = self.source(path)

    def source(self, path: OPath) -> OTask:
        """What draws arrivals as a task's are (5.2)."""
        arrivals = path.spec.arrivals
        spec = SimpleNamespace(vcpu=None, is_hog=False, releases=arrivals.releases, arrival=arrivals.arrival, period=arrivals.period,
                               offset=arrivals.offset, jitter=arrivals.jitter)
        source = OTask(self, SimpleNamespace(index=len(self.vms), started=0), spec, path.number, -1)
        source.next = source.arrive(0, None)
        return source

    @property
    def paths(self) -> dict[str, list[tuple[int, ...]]]:
        """All messages of each path: those that have ended, as they did, then the others."""
        return {path.spec.name: [m.row() for m in [*path.rows, *(m for m in path.messages if m not in path.rows)]] for path in self.ways}

    # ------------------------------------------------------------ the clock

    def device_timers(self) -> list[tuple[int, Any]]:
        """1.6."""
        timers: list[tuple[int, Any]] = [(p.source.next.release if p.source and p.source.next else NEVER, lambda p=p: self.arrival(p))
                                         for p in self.ways]
        timers += [(line.due, lambda line=line: self.line_ends(line)) for line in self.lines.values()]
        timers += [(s.interposed_due, lambda s=s: self.interposed_ends(s)) for s in self.stages]
        timers += [(s.rings, lambda s=s: self.timeout(s)) for s in self.stages]
        timers += [(p.up_due, lambda p=p: self.connect(p)) for p in self.ways]
        return timers

    def reschedule(self, p: OPcpu) -> None:
        """As ever; and note how long a vCPU has been there (8)."""
        old, begun = p.current, p.work_from
        super().reschedule(p)
        if old and p.current is not old:
            self.stints[old].append((begun, self.now))
            if old.blocked:
                self.blocked_from[old] = self.now

    def wake(self, v: OVcpu) -> None:
        """As ever; and note how long it has been blocked (8)."""
        self.rouse(v)
        super().wake(v)

    def rouse(self, v: OVcpu) -> None:
        """It is not blocked any more."""
        if v in self.blocked_from:
            self.stints[v].append((self.blocked_from.pop(v), self.now))

    def ran(self, v: OVcpu, t: int) -> int:
        """How long it has executed its guest, or was blocked, by `t` (8)."""
        now_on = [(p.work_from, t) for p in self.pcpus if p.current is v]
        if v in self.blocked_from:
            now_on.append((self.blocked_from[v], t))
        return sum(max(0, min(end, t) - begun) for begun, end in self.stints[v] + now_on)

    # ------------------------------------------------------------ tasks of devices

    def wake_up(self, t: OTask) -> bool:
        """A job, if there is none (1.3)."""
        if not t.vm.alive or t.queue or t.spec.arrival != "woken":
            return False
        t.queue.append(Job(0, self.now, self.now))
        t.begin(self.now)
        return True

    def wake_inside(self, t: OTask) -> None:
        """1.5."""
        if self.wake_up(t):
            self.tell_inside(t)

    def tell_inside(self, t: OTask) -> None:
        """As from within its VM: no interrupt (1.5)."""
        v = self.to_wake(t)
        if v:
            self.wake(v)
        self.assign(t.vm)

    def device_step(self, v: OVcpu, t: OTask, step: Any) -> bool:
        """Go on with a device's script as far as possible; done?"""
        if t.script is None:
            t.script = self.scan(t) if step.kind == "scan" else self.serve(t) if step.kind == "serve" else self.submission(t, step)
        for what in t.script:
            if what == SLEEP:
                self.sleep(v, t, NEVER)
                return False
            t.left += what
            if v.task is not t or v.state != "running":
                return False
            if t.left > 0:
                self.start_work(v)
                return False
        t.script = None
        return True

    def scan(self, t: OTask) -> Iterator[int]:
        """An upcall (3.2)."""
        entry, order = self.upcalls[t.vm]
        yield entry
        while True:
            ports = [s for s in self.stages if s.spec.port and s.vcpu is t.pinned and s.pending is not None and not s.masked]
            if not ports:
                return
            s = self.pick(ports, order, t.pinned)
            self.last_picked[t.pinned] = s.number
            s.pending, s.masked = None, s.spec.port.late_eoi
            yield s.spec.port.handler
            self.wake_inside(s.thread)

    def pick(self, ports: list[OStage], order: str, v: OVcpu) -> OStage:
        """3.3."""
        if order == "lowest":
            return min(ports, key=lambda s: s.number)
        if order == "fifo":
            return min(ports, key=lambda s: (s.spec.port.priority, s.pending))
        last = self.last_picked.get(v, -1)
        return min(ports, key=lambda s: (s.number <= last, s.number))

    def serve(self, t: OTask) -> Iterator[int]:
        """A thread's job (4.1)."""
        rest = [self.threads[t].rest]
        while True:
            while self.disconnects(t):
                yield 0                                                                  # somebody may be more urgent now (9.5)
            batch = self.batches[t] = self.look(t)
            if not batch:
                if not rest:
                    break
                yield rest.pop()
                continue
            yield self.threads[t].fixed + sum(self.stage_of(m).spec.each for m in batch)
            self.deliver(t)
            yield self.hypercalls.pop(t, 0) * self.costs["hypercall"]
        self.about_to_wake.discard(t)
        self.final_check(t)

    def disconnects(self, t: OTask) -> bool:
        """Has a thread found a ring that cannot be, before it looks? Not here, see faults.py."""
        return False

    def final_check(self, t: OTask) -> None:
        """A thread goes to sleep."""
        for s in self.stages_of(t):                                                      # 2.9
            if s.told:
                s.event = (s.cons + (s.spec.after or sum(m.slot for m in s.path.messages) // 2 + 1)) % WRAP
        for s in self.stages_of(t):                                                      # late EOI (3.4)
            self.unmask(s)

    def unmask(self, s: OStage) -> None:
        """At a final check."""
        s.masked = False
        if s.pending is not None:
            self.wake_up(self.irq(s))

    def submission(self, t: OTask, step: Any) -> Iterator[Any]:
        """4.4."""
        path = next(p for p in self.ways if p.spec.name == step.target)
        begun = self.now
        yield path.spec.submit
        m = self.make(path, begun)
        v = t.pinned or t.vm.vcpus[0]
        self.account(m, begun, self.now, [("cost", path.spec.submit)], v, "frontend_wait")
        self.pass_on([m], t)
        if step.kind == "request":
            yield 0
            if m.place not in ("ended", "dropped"):
                self.sleepers[m] = t
                yield SLEEP

    def finished(self, t: OTask, job: Job) -> None:
        """An application's job is the end of its message (6.1)."""
        for path in self.ways:
            for m in path.messages:
                if m.place == "app" and m.job is job:
                    self.app_ends(m)

    # ------------------------------------------------------------ queues

    def stages_of(self, t: OTask) -> list[OStage]:
        """A thread's, in order."""
        return [s for s in self.stages if s.thread is t]

    def stage_of(self, m: OMessage) -> OStage:
        """Where a message is."""
        return m.path.stages[m.stage]

    def make(self, path: OPath, first: int) -> OMessage:
        """A new message."""
        m = OMessage(path, len(path.messages), first)
        path.messages.append(m)
        return m

    def pass_on(self, messages: list[OMessage], sender: OTask | None = None) -> None:
        """New ones to stage 0, the others to the next one, or the end; then publish (4.2)."""
        entered: dict[OStage, int] = {}
        for m in messages:
            if m.place == "taken":
                self.leave(m)
                m.stage += 1
            s = self.reach(m)
            if s:
                entered[s] = entered.get(s, 0) + 1
        for s, count in entered.items():
            self.publish(s, count, sender)

    def reach(self, m: OMessage) -> OStage | None:
        """A message comes to a stage (2.2): the one whose thread's queue it has entered now."""
        spec = m.path.spec
        if m.stage == len(m.path.stages):
            self.end(m)
            return None
        if m.stage == spec.enter and (not m.path.up or m.path.backlog or not m.path.room()):
            waits = spec.crash == "reissue" if not m.path.up else spec.full == "wait"
            if waits and len(m.path.backlog) < spec.backlog:
                m.place = "backlog"
                m.path.backlog.append(m)
            else:
                self.drop(m)
            return None
        return self.enter(m)

    def enter(self, m: OMessage) -> OStage | None:
        """Into the stage; the same answer."""
        s, now = self.stage_of(m), self.now
        if s.thread and not s.thread.vm.alive:
            self.drop(m)
            return None
        interposed = self.may_interpose(s)
        if not interposed and s.spec.capacity is not None and len(s.queue) >= s.spec.capacity:
            self.drop(m)
            return None
        m.at["in"] = now
        m.slot = m.slot or s.index == s.path.spec.enter
        self.counter += 1
        m.order, m.by_port, m.done_before = self.counter, False, s.done
        if interposed:
            self.interpose(m)
            return None
        m.place = "queue"
        s.queue.append(m)
        if s.line:
            if s.line.serving is None:
                self.begin_service(s.line)
            return None
        if s.thread.queue or s.thread in self.about_to_wake or (s.told and not self.pool_room(s)):
            self.know(m)
        elif s.spec.timeout is not None and s.told and s.rings == NEVER:
            s.rings = now + s.spec.timeout                                               # 2.7
        return s

    def publish(self, s: OStage, count: int, sender: OTask | None = None) -> None:
        """2.3."""
        old, s.prod = s.prod, (s.prod + count) % WRAP
        if s.told and (s.spec.always or (s.prod - s.event) % WRAP < (s.prod - old) % WRAP):
            self.tell_consumer(s, sender)

    def tell_consumer(self, s: OStage, sender: OTask | None = None) -> None:
        """2.5."""
        for m in s.queue:
            if m.at["known"] < 0:
                self.know(m)
                m.by_port = s.spec.port is not None
        s.rings = NEVER
        self.about_to_wake.add(s.thread)
        if s.spec.port is None:
            self.wake_inside(s.thread)
            return
        self.pay(sender)
        self.send(s)

    def pay(self, sender: OTask | None) -> None:
        """A hypercall: a thread at the end of its batch (4.1), a task at once."""
        if sender in self.threads:
            self.hypercalls[sender] = self.hypercalls.get(sender, 0) + 1
        elif sender:
            sender.left += self.costs["hypercall"]

    def send(self, s: OStage) -> None:
        """3.1."""
        if s.pending is None:
            self.counter += 1
            s.pending = self.counter
            if not s.masked:
                self.upcall(s)

    def upcall(self, s: OStage) -> None:
        """The vCPU's upcall goes up, if it is down (3.1)."""
        if self.wake_up(self.irq(s)):
            self.tell(self.irq(s), True)

    def irq(self, s: OStage) -> OTask:
        """Of the vCPU that its port is bound to (1.1)."""
        return self.by_name[f"{s.thread.vm.spec.name}/irq{s.vcpu.k}"]

    def know(self, m: OMessage) -> None:
        """Its consumer knows it now."""
        s = self.stage_of(m)
        m.at["known"], m.done_before = self.now, s.done
        from_outside = s.path.spec.arrivals if s.index == 0 else s.path.stages[s.index - 1].line
        self.account(m, m.at["in"], self.now, [("moderation" if from_outside else "suppression", NEVER)])

    def timeout(self, s: OStage) -> None:
        """2.7."""
        s.rings = NEVER
        self.tell_consumer(s)

    def move_on(self, path: OPath, sender: OTask | None = None) -> None:
        """The backlog moves (2.4)."""
        count = 0
        while path.up and path.backlog and path.room():
            m = path.backlog.pop(0)
            m.place = "between"
            self.account(m, m.accounted_to, self.now, [("ring", NEVER)])
            count += self.enter(m) is not None
        if count:
            self.publish(path.stages[path.spec.enter], count, sender)

    # ------------------------------------------------------------ taking and delivering

    def pool_room(self, s: OStage) -> bool:
        """May one more be taken at a path's `enter` (2.8)?"""
        pool = s.path.spec.pool
        if pool is None or s.index != s.path.spec.enter:
            return True
        return sum(m.pooled for path in self.ways if path.spec.pool == pool for m in path.messages) < self.plumbing.pools[pool]

    def look(self, t: OTask) -> list[OMessage]:
        """2.8."""
        batch: list[OMessage] = []
        while len(batch) < self.threads[t].batch:
            open_ = [s for s in self.stages_of(t) if s.queue and self.pool_room(s)]
            if not open_:
                break
            order = self.threads[t].order
            if order == "oldest":
                s = min(open_, key=lambda s: (s.queue[0].at["in"], s.number))
            elif order == "turns" and t in self.last_taken:
                last = self.last_taken[t].number
                s = min(open_, key=lambda s: (s.number <= last, s.number))
            else:
                s = open_[0]
            self.last_taken[t] = s
            batch.append(self.take(s.queue[0]))
        for m in batch:
            m.of_batch = sum(self.stage_of(other) is self.stage_of(m) for other in batch)
        self.counts[t] = {self.stage_of(m): m.of_batch for m in batch}
        for path in self.ways:
            self.move_on(path, t)
        return batch

    def take(self, m: OMessage) -> OMessage:
        """Out of its queue, or past it: a server begins with it."""
        s, now, stamps = self.stage_of(m), self.now, m.at
        stamps["taken"] = now
        if stamps["known"] < 0 and s.thread and m.place == "queue":
            self.know(m)
        if s.index == s.path.spec.leave and s.thread and m.place == "queue":
            m.slot = False
        if s.path.spec.pool and s.index == s.path.spec.enter and s.thread:
            m.pooled = True
        if m.place == "queue":
            self.consume(s, m)
        done = s.done - m.done_before
        if s.line:
            self.account(m, stamps["in"], now, [("batching", done)])
        elif m.place == "queue":
            told = self.upcalls[s.thread.vm][0] + s.spec.port.handler if m.by_port else 0
            self.account(m, stamps["known"], now, [("cost", told), ("batching", done)], s.vcpu, self.wait_of(s.path, s.thread))
        m.place = "taken"
        return m

    def consume(self, s: OStage, m: OMessage) -> None:
        """It leaves its queue."""
        s.queue.remove(m)
        s.cons = (s.cons + 1) % WRAP
        if all(other.at["known"] >= 0 for other in s.queue):
            s.rings = NEVER

    def deliver(self, t: OTask) -> None:
        """4.2."""
        for s, n in self.counts[t].items():
            s.done += self.threads[t].fixed + n * s.spec.each
        batch, self.batches[t] = self.batches[t], []
        self.pass_on(batch, t)

    def leave(self, m: OMessage) -> None:
        """Out of its stage."""
        s, stamps = self.stage_of(m), m.at
        m.place, stamps["out"] = "between", self.now
        if s.index == s.path.spec.leave:
            m.slot = False
        if m.pooled and s.index == s.path.spec.pool_until:
            self.unpool(m)
        if s.line or m.of_batch == 0:
            self.account(m, stamps["taken"], self.now, [("cost", NEVER)])
        else:
            work = [("cost", self.threads[s.thread].fixed + s.spec.each), ("batching", (m.of_batch - 1) * s.spec.each)]
            self.account(m, stamps["taken"], self.now, work, s.vcpu, self.wait_of(s.path, s.thread))

    def unpool(self, m: OMessage) -> None:
        """Room in its pool: whoever waits for it is woken (2.8)."""
        if not m.pooled:
            return
        m.pooled = False
        for path in self.ways:
            s = path.stages[path.spec.enter]
            if path.spec.pool == m.path.spec.pool and s.queue and s.thread and self.threads[s.thread].period is None:
                for other in s.queue:
                    if other.at["known"] < 0:
                        self.know(other)
                s.rings = NEVER
                self.wake_inside(s.thread)

    # ------------------------------------------------------------ lines, arrivals, interposition

    def begin_service(self, line: OLine) -> None:
        """First come, first served (5.1)."""
        waiting = [s.queue[0] for s in self.stages if s.line is line and s.queue]
        if waiting:
            line.serving = self.take(min(waiting, key=lambda m: m.order))
            line.due = self.now + self.stage_of(line.serving).spec.each

    def line_ends(self, line: OLine) -> None:
        """5.1."""
        m, line.due = line.serving, NEVER
        self.stage_of(m).done += self.stage_of(m).spec.each
        self.pass_on([m])
        self.move_on(m.path)
        line.serving = None
        self.begin_service(line)

    def arrival(self, path: OPath) -> None:
        """5.2."""
        job = path.source.next
        path.source.next = path.source.arrive(job.number + 1, job)
        for _ in range(path.spec.arrivals.burst):
            self.pass_on([self.make(path, self.now)])

    def may_interpose(self, s: OStage) -> bool:
        """5.3."""
        return s.spec.distance is not None and s.vcpu.state not in ("running", "trapped") and s.interposed is None and self.pool_room(s) \
            and (s.last_interposed is None or self.now - s.last_interposed >= s.spec.distance)

    def interpose(self, m: OMessage) -> None:
        """The hypervisor serves it in the time of whoever runs."""
        s = self.stage_of(m)
        m.of_batch = 0
        s.interposed, s.last_interposed = self.take(m), self.now
        s.interposed_due = self.now + s.spec.switch + s.spec.each
        victim = self.pcpus[s.vcpu.pcpu].current
        if victim and victim.state in ("running", "trapped"):
            self.delay(victim, 2 * s.spec.switch + s.spec.each)

    def interposed_ends(self, s: OStage) -> None:
        """Out."""
        m, s.interposed, s.interposed_due = s.interposed, None, NEVER
        self.pass_on([m])
        self.move_on(m.path)

    # ------------------------------------------------------------ ends

    def end(self, m: OMessage) -> None:
        """After the last stage (6.1)."""
        t = self.by_name.get(m.path.spec.into or "")
        if t is None:
            self.ended(m)
        elif not t.vm.alive:
            self.drop(m)
        else:
            m.place, m.at["in"] = "app", self.now
            ready = not t.queue
            m.job = Job(t.sent, self.now, self.now)
            t.sent += 1
            t.queue.append(m.job)
            if ready:
                t.begin(self.now)
                self.tell_inside(t)

    def app_ends(self, m: OMessage) -> None:
        """Its job is done."""
        t = self.by_name[m.path.spec.into]
        m.at["taken"], m.at["out"] = m.job.start, m.job.finish
        own = NEVER if t.spec.actions else t.demand(m.job.number)
        self.account(m, m.at["in"], m.job.finish, [("cost", own)], t.pinned or t.vm.vcpus[0], self.wait_of(m.path, t))
        self.ended(m)

    def ended(self, m: OMessage) -> None:
        """6.2, 6.3."""
        ends = m.path.spec.ends
        m.place, m.total = "ended", (self.now if ends is None else m.stamps[ends]["out"]) - m.first
        self.over(m)

    def over(self, m: OMessage) -> None:
        """Write it down, and wake who asked for it."""
        m.path.rows.append(m)
        t = self.sleepers.pop(m, None)
        if t and t.state == "sleeping" and not self.closed:                             # not if its VM has crashed
            t.queued(self.now, woke=True)
            t.state, t.left = "ready", 0
            self.tell_inside(t)

    def drop(self, m: OMessage) -> None:
        """Lost, and said so."""
        held = m.slot
        self.remove(m)
        if m.delivered():
            self.ended(m)                                                               # delivered before (7.1)
        else:
            m.place, m.dropped = "dropped", m.stage
            self.over(m)
        if held:
            self.move_on(m.path)

    def remove(self, m: OMessage) -> None:
        """Out of whatever holds it; lines begin with their next later."""
        if m.place == "backlog":
            m.path.backlog.remove(m)
        elif m.place == "queue":
            self.consume(self.stage_of(m), m)
        elif m.place == "taken":
            s = self.stage_of(m)
            if s.line and s.line.serving is m:
                s.line.serving, s.line.due = None, NEVER
            if s.interposed is m:
                s.interposed, s.interposed_due = None, NEVER
            if s.thread and m in self.batches[s.thread]:
                self.batches[s.thread].remove(m)
        m.slot = False
        self.unpool(m)

    # ------------------------------------------------------------ crashes

    def change(self, change: Any) -> None:
        """As ever, and section 7."""
        super().change(change)
        if change.state == "crash":
            self.crashed(next(vm for vm in self.vms if vm.spec.name == change.vm))

    def crashed(self, vm: OVm) -> None:
        """7.1."""
        for path in self.ways:
            if vm in path.vms:
                path.up, path.broken, path.up_due = False, True, NEVER
        for path in self.ways:
            back = []
            for m in [m for m in path.messages if m.place not in ("ended", "dropped")]:
                in_hands = m.place in ("queue", "taken") and self.stage_of(m).thread in vm.tasks
                if path.spec.frontend == vm.spec.name or (m.place == "app" and self.by_name[path.spec.into].vm is vm):
                    self.drop(m)
                elif (m.slot and vm in path.vms) or in_hands:
                    if m.slot and path.spec.crash == "reissue" and not m.delivered():
                        back.append(self.reissued(m))
                    else:
                        self.drop(m)
            path.backlog[:0] = back
        for s in self.stages:
            if s.thread in vm.tasks:
                s.forget()
        for t in vm.tasks:
            self.last_taken.pop(t, None)
            self.about_to_wake.discard(t)
            self.hypercalls.pop(t, None)
        for path in self.ways:
            if vm in path.vms and path.spec.slots is not None:
                for s in path.stages[path.spec.enter:path.spec.leave + 1]:
                    s.begin()
        for v in vm.vcpus:
            self.last_picked.pop(v, None)
        self.go_on_lines()

    def go_on_lines(self) -> None:
        """7.3."""
        for line in self.lines.values():
            if line.serving is None:
                self.begin_service(line)

    def reissued(self, m: OMessage) -> OMessage:
        """On its way back to the backlog."""
        self.remove(m)
        self.account(m, m.accounted_to, self.now, [("ring", NEVER)])
        for stamps in m.stamps[m.path.spec.enter:]:
            stamps.update(dict.fromkeys(stamps, -1))
        m.place, m.stage = "backlog", m.path.spec.enter
        return m

    def start_vm(self, vm: OVm) -> None:
        """As ever; and paths come up (7.2)."""
        for v in vm.vcpus:
            self.rouse(v)
        super().start_vm(vm)
        self.blocked_from |= {v: self.now for v in vm.vcpus if v.blocked}
        for path in self.ways:
            if vm in path.vms and not path.up and all(other.alive for other in path.vms):
                delay = path.spec.reconnect if path.broken else 0
                if delay:
                    path.up_due = self.now + delay
                else:
                    self.connect(path)

    def connect(self, path: OPath) -> None:
        """The path is up."""
        path.up, path.broken, path.up_due = True, False, NEVER
        self.move_on(path)

    # ------------------------------------------------------------ where the time went

    def wait_of(self, path: OPath, t: OTask) -> str:
        """Waiting for whose vCPU (8.2)?"""
        return "frontend_wait" if path.spec.frontend == t.vm.spec.name else "driver_wait"

    def account(self, m: OMessage, begin: int, end: int, work: list[tuple[str, int]], v: OVcpu | None = None, wait: str = "") -> None:
        """Of [begin, end) what `v` did not run is `wait`, then each cause at most so much, and the rest `shared`."""
        if m.path.spec.ends is not None and m.stage > m.path.spec.ends:                  # 6.3
            return
        m.accounted_to, left = end, end - begin
        off = left - (self.ran(v, end) - self.ran(v, begin)) if v else 0
        for cause, most in [(wait, off)] * bool(v) + work + [("shared", NEVER)]:
            part = min(left, most)
            m.causes[cause] += part
            left -= part

    def close(self) -> None:
        """What applications have in hands (6.1)."""
        self.closed = True
        super().close()
        for path in self.ways:
            for m in [m for m in path.messages if m.place == "app"]:
                if m.job.finish >= 0:
                    self.app_ends(m)
