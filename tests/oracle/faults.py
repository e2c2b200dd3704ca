"""Faults in the oracle's world: interrupts that get lost or come for nothing, drivers that hang, front ends that lie.

Numbers in comments are rules of docs/io-model.md.
"""

from __future__ import annotations

from typing import Any

from .core import NEVER, OTask, OVm
from .io import WRAP, IoWorld, OMessage, OPath, OStage

SECOND, MOST_COUNTED = 1_000_000_000, 24         # of a penalty (9.6)


class FaultyWorld(IoWorld):
    """A simulation of a system with devices that fail."""

    def __init__(self, system: Any, make_policy: Any, duration: int, seed: int) -> None:
        super().__init__(system, make_policy, duration, seed)
        self.due = [fault.at for fault in system.faults]         # of each fault: what is next of it
        self.losses: dict[OStage, int] = {}                      # to come
        self.hung: dict[OTask, int] = {}                         # until when
        self.cut: set[OPath] = set()
        self.fruitful: set[OStage] = set()                       # taken from since the last final check
        self.fruitless: dict[OStage, int] = {}                   # events for nothing, one after the other
        self.punished: dict[OStage, int] = {}                    # until when
        self.by_place = {f"{s.path.spec.name}/{s.spec.name}": s for s in self.stages}

    def device_timers(self) -> list[tuple[int, Any]]:
        """As ever; then ends of penalties, then faults (9)."""
        timers = super().device_timers()
        timers += [(self.punished.get(s, NEVER), lambda s=s: self.penalty_ends(s)) for s in self.stages]
        timers += [(due, lambda i=i: self.fault(i)) for i, due in enumerate(self.due)]
        return timers

    def fault(self, i: int) -> None:
        """A fault begins, goes on, or ends."""
        fault, self.due[i] = self.system.faults[i], NEVER
        if fault.kind == "hang":
            self.hang(i, fault)
        elif fault.kind == "bad_index":
            self.bad_index(next(path for path in self.ways if path.spec.name == fault.target))
        else:
            s = self.by_place[fault.target]
            if fault.kind == "storm" and self.now + fault.every < fault.at + fault.duration:     # 9.3
                self.due[i] = self.now + fault.every
            if not s.thread.vm.alive:
                return
            if fault.kind == "lost_interrupt":
                self.losses[s] = self.losses.get(s, 0) + fault.count
            else:
                self.send(s)

    # ------------------------------------------------------------ lost interrupts

    def tell_consumer(self, s: OStage, sender: OTask | None = None) -> None:
        """As ever, or nobody hears of it (9.1)."""
        if not self.losses.get(s):
            super().tell_consumer(s, sender)
            return
        self.losses[s] -= 1
        self.pay(sender)
        if s.spec.timeout is not None and s.rings == NEVER and any(m.at["known"] < 0 for m in s.queue):
            s.rings = self.now + s.spec.timeout

    # ------------------------------------------------------------ hangs

    def hang(self, i: int, fault: Any) -> None:
        """9.4."""
        t = self.by_name[fault.target]
        until = NEVER if fault.duration is None else fault.at + fault.duration
        if self.now == fault.at:
            if t.vm.alive:
                self.hung[t] = max(until, self.hung.get(t, 0))
                self.due[i] = until
        elif t in self.hung and self.now >= self.hung[t]:
            del self.hung[t]
            self.wake_inside(t)

    def look(self, t: OTask) -> list[OMessage]:
        """As ever, if it does not hang."""
        return [] if t in self.hung else super().look(t)

    def final_check(self, t: OTask) -> None:
        """As ever, if it does not hang."""
        if t not in self.hung:
            super().final_check(t)
            self.fruitful -= set(self.stages_of(t))

    # ------------------------------------------------------------ front ends that lie

    def bad_index(self, path: OPath) -> None:
        """9.5: what the front end does."""
        if path.up:
            s = path.stages[path.spec.enter]
            s.prod = (s.cons + path.spec.slots + 1) % WRAP
            if s.spec.port and s.told:
                self.send(s)
            else:
                self.wake_inside(s.thread)

    def disconnects(self, t: OTask) -> bool:
        """9.5: what the back end does."""
        found = False
        for s in self.stages_of(t) if t not in self.hung else []:
            spec = s.path.spec
            if s.index == spec.enter and spec.slots is not None and (s.prod - s.cons) % WRAP > spec.slots:
                self.disconnect(s.path)
                found = True
        return found

    def disconnect(self, path: OPath) -> None:
        """All that is on the way is lost, and nobody waits."""
        path.up, path.broken = False, True
        self.cut.add(path)
        for m in path.messages:
            if m.place not in ("ended", "dropped"):
                self.drop(m)
        for s in path.stages:
            s.begin()
        self.go_on_lines()

    def reach(self, m: OMessage) -> OStage | None:
        """As ever, unless nobody is connected."""
        if m.path in self.cut and m.stage == m.path.spec.enter:
            self.drop(m)
            return None
        return super().reach(m)

    def connect(self, path: OPath) -> None:
        """As ever, and anew."""
        self.cut.discard(path)
        super().connect(path)

    # ------------------------------------------------------------ penalties

    def take(self, m: OMessage) -> OMessage:
        """As ever; somebody has had a reason to ring."""
        if m.place == "queue" and self.stage_of(m).thread:
            self.fruitful.add(self.stage_of(m))
        return super().take(m)

    def unmask(self, s: OStage) -> None:
        """At a final check: at once, or as a penalty later (9.6)."""
        if s in self.punished:
            return
        if s.masked:
            k = self.fruitless[s] = 0 if s in self.fruitful else min(self.fruitless.get(s, 0) + 1, MOST_COUNTED)
            if k >= 2 and s.spec.port.penalty:
                self.punished[s] = self.now + min(s.spec.port.penalty * 2 ** (k - 2), SECOND)
                return
        super().unmask(s)

    def penalty_ends(self, s: OStage) -> None:
        """Unmasked; who has rung meanwhile rings now (9.6)."""
        del self.punished[s]
        s.masked = False
        if s.pending is not None:
            self.upcall(s)

    # ------------------------------------------------------------ crashes

    def crashed(self, vm: OVm) -> None:
        """As ever; and what a VM's devices suffered from is over."""
        for t in vm.tasks:
            self.hung.pop(t, None)
        for s in self.stages:
            if s.thread in vm.tasks:
                self.punished.pop(s, None)
                self.fruitless.pop(s, None)
                self.fruitful.discard(s)
        super().crashed(vm)
