"""The oracle's world: VMs, vCPUs, tasks and time as plain objects; everything is searched for anew at every step.

Numbers in comments are sections of docs/model.md.
"""

from __future__ import annotations

from typing import Any

from rtvirt.system import exponential
from rtvirt.system.devices import is_kernel

from .guest_servers import has_quantum, served_urgency

NEVER = 2**63 - 1
LAST = 2**62
MASK = 0xFFFFFFFF


def mix(h: int) -> int:
    """Section 9."""
    h ^= h >> 16
    h = h * 0x21F0AAAD % 2**32
    h ^= h >> 15
    h = h * 0x735A2D97 % 2**32
    return h ^ (h >> 15)


class Job:
    """A job, from arrival to finish."""

    def __init__(self, number: int, arrival: int, release: int) -> None:
        self.number, self.arrival, self.release = number, arrival, release
        self.start = self.finish = -1


class OTask:
    """A task of the oracle."""

    def __init__(self, world: World, vm: OVm, spec: Any, index: int, number: int) -> None:
        self.world, self.vm, self.spec, self.index, self.number = world, vm, spec, index, number
        seed = world.seed
        self.key = mix(mix(mix(mix(seed & MASK) ^ ((seed >> 32) & MASK)) ^ vm.index) ^ index)
        self.pinned = None if spec.vcpu is None else vm.vcpus[spec.vcpu]
        self.last: OVcpu | None = None
        self.forget()

    def forget(self) -> None:
        """No job, no release to come."""
        self.queue: list[Job] = []
        self.next: Job | None = None
        self.sleep_until = NEVER
        self.state = "waiting"
        self.on: OVcpu | None = None
        self.step, self.sent = -1, 0             # jobs are counted anew after a restart
        self.left = self.quantum_left = self.urgency = 0
        self.due = 0                             # deadline of its server (servers.md S7)
        self.script: Any = None                  # of a step that a device has to do with (io-model.md)

    def draw(self, job: int, purpose: int) -> int:
        """32 random bits (9)."""
        return mix(mix(self.key ^ (job & MASK)) ^ purpose)

    def uniform(self, u: int, top: int) -> int:
        """Even on [0, top] (9)."""
        return u * (top + 1) >> 32 if top < 2**31 - 1 else u * ((top + 1) >> 10) >> 22

    @staticmethod
    def quantile(table: list[int], u: int) -> int:
        """Through a quantile table (9)."""
        i, f = u >> 20, u & 0xFFFFF
        return max(1, table[i] + ((table[i + 1] - table[i]) * f >> 20))

    def arrive(self, number: int, before: Job | None) -> Job | None:
        """Job `number`, after the one before (2.1, 2.2)."""
        spec, start = self.spec, self.vm.started
        last = before.arrival if before else None
        if spec.is_hog:
            arrival = start + spec.offset if number == 0 else None
        elif spec.releases is not None:
            arrival = start + spec.releases[number] if number < len(spec.releases) else None
        elif spec.arrival in ("channel", "woken"):
            arrival = None
        elif spec.arrival == "poisson":
            gap = self.quantile(self.world.table(exponential(spec.period)), self.draw(number, 1))
            arrival = (start + spec.offset if last is None else last) + gap
        elif last is None:
            arrival = start + spec.offset
        elif spec.arrival == "sporadic":
            arrival = last + spec.period + self.uniform(self.draw(number - 1, 1), spec.jitter or spec.period)
        else:
            arrival = last + spec.period
        if arrival is None:
            return None
        jitter = 0
        if spec.arrival == "periodic" and spec.releases is None and not spec.is_hog and spec.jitter:
            jitter = self.uniform(self.draw(number, 2), spec.jitter)
        return Job(number, arrival, max(before.release if before else 0, arrival + jitter))

    def demand(self, number: int) -> int:
        """Execution time of a job (2.4)."""
        wcet = self.spec.wcet
        if isinstance(wcet, int):
            return wcet
        if isinstance(wcet, tuple):
            return wcet[number % len(wcet)]
        return self.quantile(self.world.table(wcet), self.draw(number, 0))

    def queued(self, at: int, woke: bool = False) -> None:
        """Get an urgency (3.1), and under round robin a quantum (3.3)."""
        guest, job = self.vm.spec.guest, self.queue[0]
        if is_kernel(self.spec):
            self.urgency = self.index - LAST                                             # io-model.md 1.2
        elif guest == "fp":
            self.urgency = self.vm.rank(self)
        elif guest == "edf":
            self.urgency = LAST if self.spec.deadline is None else job.arrival + self.spec.deadline
        elif guest == "dm":
            self.urgency = NEVER if self.spec.deadline is None else self.spec.deadline
        elif guest == "cbs":
            self.urgency = served_urgency(self, at, woke or self.state == "waiting")
        elif guest == "fifo":
            self.urgency = at if woke else job.release
        else:
            self.vm.turns += 1
            self.urgency, self.quantum_left = self.vm.turns, self.vm.spec.quantum

    def begin(self, at: int) -> None:
        """Start to work on the first job in the queue."""
        self.step = -1
        actions = self.spec.actions
        if not actions:
            self.left = self.demand(self.queue[0].number)
        elif actions[0].kind == "run":
            self.step, self.left = 0, actions[0].duration
        else:
            self.left = 0
        self.queued(at)
        self.state = "ready"


class OVcpu:
    """A vCPU of the oracle."""

    def __init__(self, vm: OVm, k: int, number: int) -> None:
        self.vm, self.k, self.number = vm, k, number
        self.state, self.blocked, self.paused = "offline", True, 1
        self.pcpu = 0
        self.task: OTask | None = None
        self.last_task: OTask | None = None
        self.woken: int | None = None
        self.saved = 0
        self.allowed: set[int] = set()
        self.preferred: set[int] = set()


class OVm:
    """A VM of the oracle."""

    def __init__(self, spec: Any, index: int) -> None:
        self.spec, self.index = spec, index
        self.vcpus: list[OVcpu] = []
        self.tasks: list[OTask] = []
        self.started = self.turns = 0
        self.alive = False

    def rank(self, task: OTask) -> int:
        """Place by priority, else deadline, else last; ties in order (3.2)."""
        def key(other: OTask) -> tuple[int, int, int]:
            return (other.spec.priority or NEVER, other.spec.deadline or NEVER, other.index)

        return sorted(self.tasks, key=key).index(task)


class OPcpu:
    """A pCPU of the oracle."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.current: OVcpu | None = None
        self.since = self.work_from = self.work_start = self.section_end = 0
        self.work_due = self.decide_at = self.slice_due = self.tick_due = self.saved_due = NEVER
        self.saving: OVcpu | None = None
        self.last_ran: OVcpu | None = None


class World:
    """A simulation; `policy` is built by `make_policy(world)`."""

    def __init__(self, system: Any, make_policy: Any, duration: int, seed: int) -> None:
        self.system, self.duration, self.seed, self.now = system, duration, seed, 0
        costs = system.costs
        self.costs = {name: value for name, value in costs}
        for name, other in (("block_switch_out", "switch_out"), ("block_switch_in", "switch_in"), ("slice_late", "timer_late"),
                            ("tick_late", "timer_late"), ("account_late", "timer_late"), ("replenish_late", "timer_late")):
            if self.costs[name] is None:
                self.costs[name] = self.costs[other]
        self.slices: list[tuple[int, ...]] = []
        self.jobs: list[tuple[int, ...]] = []
        self.wakeups: list[tuple[int, ...]] = []
        self.events: list[tuple[Any, ...]] = []
        self.account_due = NEVER
        self.tables: dict[Any, list[int]] = {}
        self.pcpus = [OPcpu(p) for p in range(system.cpus)]
        self.vms = [OVm(vm, i) for i, vm in enumerate(system.vms)]
        self.vcpus: list[OVcpu] = []
        self.tasks: list[OTask] = []
        for vm in self.vms:
            vm.vcpus = [OVcpu(vm, k, len(self.vcpus) + k) for k in range(vm.spec.vcpus)]
            self.vcpus += vm.vcpus
            for v, hard, soft in zip(vm.vcpus, vm.spec.per_vcpu("affinity"), vm.spec.per_vcpu("soft_affinity")):
                everywhere = set(range(system.cpus))
                v.allowed = everywhere if hard is None else set(hard)
                v.preferred = v.allowed & (everywhere if soft is None else set(soft))
                home = sorted(v.allowed)
                v.pcpu = home[v.k % len(home)]
        for vm in self.vms:
            vm.tasks = [OTask(self, vm, task, i, len(self.tasks) + i) for i, task in enumerate(vm.spec.tasks)]
            self.tasks += vm.tasks
        self.policy = make_policy(self)

    def table(self, distribution: Any) -> list[int]:
        """A distribution's quantiles (9)."""
        if distribution not in self.tables:
            self.tables[distribution] = distribution.table().tolist()
        return self.tables[distribution]

    # ------------------------------------------------------------ the clock

    def run(self) -> World:
        """From 0 to the end."""
        created = {c.vm for c in self.system.changes if c.state == "create"}
        agenda = [(vm.spec.start, 0, vm.index, vm) for vm in self.vms if vm.spec.name not in created]
        agenda += [(c.at, 1, i, c) for i, c in enumerate(self.system.changes)]
        agenda.sort(key=lambda item: item[:3])
        while True:
            timer = self.next_timer()
            decision = min((p.decide_at for p in self.pcpus), default=NEVER)
            at = min(timer[0] if timer else NEVER, decision)
            if agenda and agenda[0][0] <= at and agenda[0][0] < self.duration:
                at, kind, _, what = agenda.pop(0)
                self.now = at
                self.start_vm(what) if kind == 0 else self.change(what)
                continue
            if at >= self.duration:
                break
            self.now = at
            if timer and timer[0] == at:
                self.fire(timer)
            else:
                p = next(p for p in self.pcpus if p.decide_at == at)
                p.decide_at = NEVER
                self.reschedule(p)
        self.now = self.duration
        self.close()
        return self

    def next_timer(self) -> tuple[Any, ...] | None:
        """The timer that is due first, in the order of 1.2."""
        timers: list[tuple[Any, ...]] = [(p.work_due, 0, p.number, p) for p in self.pcpus]
        timers += [(getattr(self.policy, "replenish_due", NEVER), 1, 0, None)]
        timers += [(p.saved_due, 2, p.number, p) for p in self.pcpus]
        timers += [(min(t.sleep_until, t.next.release if t.next else NEVER), 3, t.number, t) for t in self.tasks]
        timers += [(at, 4, i, action) for i, (at, action) in enumerate(self.device_timers())]
        timers += [(p.tick_due, 5, p.number, p) for p in self.pcpus]
        timers += [(self.account_due, 6, 0, None)]
        timers += [(p.slice_due, 7, p.number, p) for p in self.pcpus]
        best = min(timers)          # no two share kind and number: objects are never compared
        return best if best[0] < NEVER else None

    def fire(self, timer: tuple[Any, ...]) -> None:
        """A timer goes off."""
        _, kind, _, what = timer
        if kind == 0:
            self.work_ends(what)
        elif kind == 1:
            self.policy.replenish()
        elif kind == 2:
            what.saved_due = NEVER
            self.policy.saved(what, what.saving)
        elif kind == 3:
            self.task_timer(what)
        elif kind == 4:
            what()
        elif kind == 5:
            self.policy.tick(what)
            if what.current:
                self.delay(what.current, self.costs["tick"])
        elif kind == 6:
            self.policy.account()
        else:
            what.slice_due = NEVER
            self.ask(what, self.now)

    def device_timers(self) -> list[tuple[int, Any]]:
        """(due, action) of what devices wait for: none here, see io.py."""
        return []

    def device_step(self, v: OVcpu, t: OTask, step: Any) -> bool:
        """Has a step been done that devices have to do with? See io.py."""
        raise NotImplementedError

    def finished(self, t: OTask, job: Job) -> None:
        """What follows from the end of a job: nothing here, see io.py."""

    def log(self, v: OVcpu, event: str, value: int = 0, p: int | None = None) -> None:
        """Note an event."""
        self.events.append((self.now, v.pcpu if p is None else p, v.number, event, value))

    def ask(self, p: OPcpu, at: int) -> None:
        """Ask for a decision (8.1)."""
        p.decide_at = min(p.decide_at, max(at, p.work_from, p.section_end))

    # ------------------------------------------------------------ tasks

    def release(self, t: OTask) -> None:
        """A job arrives by timer, list or send."""
        if not t.vm.alive:
            return
        if t.spec.arrival in ("channel", "woken"):
            job = Job(t.sent, self.now, self.now)
            t.sent += 1
        else:
            job = t.next
            t.next = t.arrive(job.number + 1, job)
        t.queue.append(job)
        ready = len(t.queue) == 1
        if ready:
            t.begin(self.now)
        self.tell(t, ready)

    def to_wake(self, t: OTask) -> OVcpu | None:
        """The vCPU that a release wakes (3.7)."""
        if t.pinned:
            return t.pinned if t.pinned.blocked else None
        return next((v for v in t.vm.vcpus if v.blocked), None)

    def tell(self, t: OTask, ready: bool) -> None:
        """An event for a task reaches its VM."""
        v = self.to_wake(t)
        target = v or t.pinned or t.vm.vcpus[0]
        victim = self.pcpus[target.pcpu].current
        if victim and victim.state in ("running", "trapped"):
            self.delay(victim, self.costs["interrupt"])
        if ready:
            if v:
                self.wake(v)
            self.assign(t.vm)

    def task_timer(self, t: OTask) -> None:
        """A sleep ends, or a job is released."""
        if t.sleep_until <= self.now:
            t.sleep_until = NEVER
            t.queued(self.now, woke=True)
            t.state, t.left = "ready", 0
            self.tell(t, True)
        else:
            self.release(t)

    def work_ends(self, p: OPcpu) -> None:
        """The task on a pCPU has done its step or its quantum."""
        v = p.current
        t = v.task
        self.stop(v)
        if v.state == "trapped":                                                         # 3.8
            v.state = "running"
            self.assign(t.vm)
            if v.task is not t:
                return
            exhausted = has_quantum(t) and t.quantum_left <= 0
        else:
            exhausted = t.left > 0
        if exhausted:
            rivals = [o for o in t.vm.tasks if o.state == "ready" and o.on is None and o.pinned in (None, v)]
            if rivals or t.vm.spec.guest == "cbs":
                t.queued(self.now)
                self.assign(t.vm)
            if t.vm.spec.guest == "rr":
                t.quantum_left = t.vm.spec.quantum
            self.resume_work(v)
        else:
            self.next_step(v, t)

    def next_step(self, v: OVcpu, t: OTask) -> None:
        """Go on with the script (2.5)."""
        actions = t.spec.actions or ()
        while True:
            t.step += 1
            if t.step >= len(actions):
                job = self.finish(t)
                self.unload_if_idle(v, t)
                self.finished(t, job)
                self.assign(t.vm)
                self.resume_work(v)
                return
            step = actions[t.step]
            if step.kind == "run":
                t.left = step.duration
                self.start_work(v)
                return
            if step.kind == "block":
                self.sleep(v, t, self.now + step.duration)
                return
            if step.kind == "trap":
                if self.pcpus[v.pcpu].decide_at <= self.now:
                    t.step -= 1
                    return
                self.log(v, "trap", step.duration)
                v.state, t.left = "trapped", step.duration
                self.pcpus[v.pcpu].work_start = self.now
                self.in_section(v, self.now + t.left)
                return
            if step.kind in ("submit", "request", "serve", "scan"):
                if not self.device_step(v, t, step):
                    t.step -= 1                                                          # goes on later
                    return
                if v.task is not t or v.state != "running":
                    return
                if t.left > 0:
                    self.start_work(v)
                    return
                continue
            t.left = self.costs["hypercall"]
            if step.kind == "yield":
                self.log(v, "yield")
                self.policy.yield_(v)
                self.ask(self.pcpus[v.pcpu], self.now + self.costs["block_path"])
                return
            vm, name = step.target.split("/")
            self.release(next(o for o in self.tasks if o.vm.spec.name == vm and o.spec.name == name))
            if v.task is not t or v.state != "running":
                return
            if t.left > 0:
                self.start_work(v)
                return

    def unload_if_idle(self, v: OVcpu, t: OTask) -> None:
        """A task without work leaves its vCPU."""
        if t.state != "ready":
            v.task = t.on = None

    def sleep(self, v: OVcpu, t: OTask, until: int) -> None:
        """The task on a vCPU sleeps."""
        t.state, t.sleep_until = "sleeping", until
        self.unload_if_idle(v, t)
        self.assign(t.vm)

    def finish(self, t: OTask) -> Job:
        """A job is done; the next pending one begins."""
        job = t.queue.pop(0)
        job.finish = self.now
        self.record(t, job)
        if t.queue:
            t.begin(self.now)
        else:
            t.state = "waiting"
        return job

    def record(self, t: OTask, job: Job) -> None:
        """Write a job down."""
        deadline = -1 if t.spec.deadline is None else job.arrival + t.spec.deadline
        self.jobs.append((t.number, job.release, job.start, job.finish, deadline))

    # ------------------------------------------------------------ work

    def start_work(self, v: OVcpu) -> None:
        """The vCPU's task computes from now (or from the end of the switch)."""
        p, t = self.pcpus[v.pcpu], v.task
        p.work_start = max(self.now, p.work_from, p.section_end)
        if t.queue[0].start < 0:
            t.queue[0].start = p.work_start
        p.work_due = p.work_start + (max(0, min(t.left, t.quantum_left)) if has_quantum(t) else t.left)

    def resume_work(self, v: OVcpu) -> None:
        """Go on, if the task stands still."""
        if v.state == "running" and v.task and self.pcpus[v.pcpu].work_due == NEVER:
            self.start_work(v)

    def stop(self, v: OVcpu) -> None:
        """Count the work done."""
        p = self.pcpus[v.pcpu]
        if p.work_due != NEVER:
            done = max(0, self.now - p.work_start)
            v.task.left -= done
            v.task.quantum_left -= done
            if v.task.queue[0].start > self.now:
                v.task.queue[0].start = -1                                           # it was to begin after a switch
            p.work_due = NEVER

    def delay(self, v: OVcpu, extra: int) -> None:
        """Extra work for whoever computes on `v` (8.4)."""
        if extra and v.task:
            v.task.left += extra
            v.task.quantum_left += extra
            p = self.pcpus[v.pcpu]
            if v.state == "running" and p.work_due != NEVER:
                p.work_due += extra
            elif v.state == "trapped":
                self.in_section(v, p.work_due + extra)

    def in_section(self, v: OVcpu, until: int) -> None:
        """The hypervisor works for `v` until then; decisions wait (3.8)."""
        p = self.pcpus[v.pcpu]
        p.work_due = p.section_end = until
        if p.decide_at != NEVER:
            p.decide_at = max(p.decide_at, until)

    def load(self, v: OVcpu, t: OTask) -> None:
        """Put a task on a running vCPU."""
        v.task, t.on, t.last = t, v, v
        if v.last_task is not t:
            if v.last_task:
                t.left += self.costs["guest_switch"]
                t.quantum_left += self.costs["guest_switch"]
            v.last_task = t
        self.start_work(v)

    def unload(self, v: OVcpu) -> None:
        """Take the task off a vCPU."""
        self.stop(v)
        if v.task:
            v.task.on = None
            v.task = None

    def assign(self, vm: OVm) -> None:
        """The guest's decision (3.4 to 3.6)."""
        running = [v for v in vm.vcpus if v.state == "running"]
        claims: dict[OVcpu, OTask] = {}
        for t in sorted((t for t in vm.tasks if t.state == "ready" and not (t.on and t.on.state == "trapped")), key=lambda t: (t.urgency, t.index)):
            free = [v for v in running if v not in claims]
            if t.pinned:
                choice = t.pinned if t.pinned in free else None
            elif t.last in free:
                choice = t.last
            else:
                choice = free[0] if free else None
            if choice:
                claims[choice] = t
        for v in running:
            if v.task is not claims.get(v):
                self.unload(v)
        for v in running:
            if v not in claims:
                self.block(v)
            elif v.task is not claims[v]:
                self.load(v, claims[v])

    # ------------------------------------------------------------ vCPUs

    def block(self, v: OVcpu) -> None:
        """Nothing to do (4.2)."""
        v.blocked, v.state = True, "blocked"
        self.served(v, self.now)
        self.log(v, "block")
        self.ask(self.pcpus[v.pcpu], self.now + self.costs["block_path"] + self.costs["hypercall"])

    def wake(self, v: OVcpu) -> None:
        """Something to do (4.3)."""
        v.blocked = False
        if v.paused:
            v.state = "offline"
            return
        v.state = "running" if self.pcpus[v.pcpu].current is v else "runnable"
        if v.woken is None:
            v.woken = self.now
        self.log(v, "wake")
        self.policy.wake(v)

    def served(self, v: OVcpu, at: int) -> None:
        """A wake-up is answered (4.4)."""
        if v.woken is not None:
            self.wakeups.append((v.number, v.woken, at))
            v.woken = None

    def reschedule(self, p: OPcpu) -> None:
        """4.5."""
        old = p.current
        new, length = self.policy.decide(p)
        p.slice_due = NEVER if length is None else self.now + max(length, self.costs["timer_slop"]) + self.costs["slice_late"]
        if new is old:
            if old:
                self.served(old, self.now)
                self.delay(old, self.costs["decision"])
                if old.task is None:
                    self.assign(old.vm)
                self.resume_work(old)
            return
        kind = "block_" if old and (old.blocked or old.paused) else ""
        saving = 0 if old and new else self.costs["idle_saving"]
        if old:
            self.unload(old)
            self.slices.append((p.number, old.number, p.work_from, self.now + self.costs[kind + "switch_out"] - saving))
            old.saved = max(p.work_from, self.now + self.costs[kind + "switch_out"] - saving)
            old.state = "blocked" if old.blocked else "offline" if old.paused else "runnable"
            if old.state == "runnable":
                self.log(old, "preempt", p=p.number)
            if len(old.vm.vcpus) > 1:
                self.assign(old.vm)
        p.current, p.since = new, self.now
        p.work_from = self.now + self.costs[kind + "switch_in"] - saving + self.costs["context_switch"] + self.costs["decision"]
        saved_at = p.work_from
        if new:
            p.work_from = max(p.work_from, new.saved)
            new.state, new.pcpu = "running", p.number
            self.log(new, "dispatch")
            self.served(new, p.work_from)
            self.assign(new.vm)
            if p.last_ran is not new:
                self.delay(new, self.costs["cache_reload"])
            p.last_ran = new
        if old and hasattr(self.policy, "saved"):                                       # 4.8
            if saved_at == self.now:
                self.policy.saved(p, old)
            else:
                p.saving, p.saved_due = old, saved_at

    # ------------------------------------------------------------ VMs

    def start_vm(self, vm: OVm) -> None:
        """Section 5."""
        vm.started, vm.alive = self.now, True
        for v in vm.vcpus:
            v.blocked, v.paused = True, v.paused - 1
        for t in vm.tasks:
            t.forget()
            t.next = t.arrive(0, None)
            while t.next and t.next.release <= self.now:
                job = t.next
                t.next = t.arrive(job.number + 1, job)
                t.queue.append(job)
                if len(t.queue) == 1:
                    t.begin(self.now)
            if t.state == "ready" and t.pinned:
                t.pinned.blocked = False
        for t in vm.tasks:
            if t.state == "ready" and not t.pinned:
                free = next((v for v in vm.vcpus if v.blocked), None)
                if free:
                    free.blocked = False
        for v in vm.vcpus:
            v.state = "blocked" if v.blocked else "runnable"
            if not v.blocked:
                self.log(v, "start")
            self.policy.place(v)

    def change(self, change: Any) -> None:
        """Section 6."""
        vm = next(vm for vm in self.vms if vm.spec.name == change.vm)
        for field, value in change.fields.items():
            if field != "state":
                self.policy.reconfigure(vm, field, value)
        if hasattr(self.policy, "reconfigured"):
            self.policy.reconfigured(vm)
        if change.state in ("create", "restart"):
            self.start_vm(vm)
        elif change.state == "resume":
            for v in vm.vcpus:
                self.log(v, "unpause")
                v.paused -= 1
                if not v.paused and v.state == "offline":
                    self.wake(v)
        elif change.state in ("pause", "crash"):
            for v in vm.vcpus:
                self.log(v, change.state)
                v.paused += 1
                v.woken = None
                if v.state == "runnable":
                    v.state = "offline"
                self.policy.sleep(v)
            if change.state == "crash":
                vm.alive = False
                for t in vm.tasks:
                    if t.on:
                        if t.on.state == "trapped":                                              # 3.8: cut short
                            p = self.pcpus[t.on.pcpu]
                            t.on.state, p.section_end, p.decide_at = "running", self.now, self.now
                        self.unload(t.on)
                    t.forget()
                for v in vm.vcpus:
                    self.policy.leave(v)

    def close(self) -> None:
        """The clock stops (1.1)."""
        for p in self.pcpus:
            v = p.current
            if v is None:
                continue
            t = v.task
            if t:
                self.stop(v)
                if t.left == 0 and t.step + 1 >= len(t.spec.actions or ()) and t.queue[0].start >= 0:
                    self.finish(t)
            self.slices.append((p.number, v.number, min(p.work_from, self.duration), self.duration))
        for t in self.tasks:
            for job in t.queue:
                self.record(t, job)
