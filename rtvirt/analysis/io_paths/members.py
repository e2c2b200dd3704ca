"""What runs on the vCPUs of VMs that devices have a part in, most urgent first (docs/io-model.md 1).

The kernel's band comes first: interrupt handlers, then threads, in order. Handlers compute `entry` and `handler` at most once for each message that
enters a stage with a port, since a port is sent at most once for it: when it is published, or when the stage's timeout rings for it. (One that
is masked until its thread sleeps may ring once more for what came before.) So often a thread is woken, too. Each message may be a batch of its own
(`fixed`), and its delivery may take a hypercall.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...system import VM, System, Task, block, ranks_of, run
from ...system.devices import Path, Plumbing, Stage, Thread, expanded, is_kernel
from ..admission.charges import inflated
from ..limits import NEVER
from ..overheads import Overheads
from ..tasksets import curve_of, largest_demand
from .loads import TIE, Curve, Load, Member, Part, crowd, crowded, later

Key = tuple[str, int]                   # (path, place), or ("vm/task", -1)


@dataclass
class State:
    """What is known so far: how messages come to each place of their path, and how long tasks take at most.

    None: no bound. `curves` are those of the first stage, `spread` how much later than there messages may come, beyond the shortest time [ns].
    """

    curves: dict[str, Curve | None] = field(default_factory=dict)
    spread: dict[Key, int | None] = field(default_factory=dict)
    stay: dict[Key, int | None] = field(default_factory=dict)
    asleep: dict[str, int | None] = field(default_factory=dict)     # a request's sleep, by path [ns]
    unheard: dict[str, dict[int, int]] = field(default_factory=dict)   # messages that may lie at a place and nobody knows, by path and place

    def coming(self, path: Path, place: int, hold: int = 0) -> Curve | None:
        """How messages come to a place, and are told of."""
        found = later(self.curves[path.name], None if (spread := self.spread[path.name, place]) is None else spread + hold + TIE)
        return crowded(found, self.lying(path, 0, place))

    def lying(self, path: Path, first: int, last: int) -> int:
        """Most messages that lie somewhere from one place to another because nobody has been told of them."""
        return sum(many for place, many in self.unheard.get(path.name, {}).items() if first <= place <= last)


@dataclass(frozen=True)
class House:
    """A system with its devices laid out."""

    system: System
    overheads: Overheads

    def __post_init__(self) -> None:
        whole, plumbing = expanded(self.system)
        object.__setattr__(self, "whole", whole)
        object.__setattr__(self, "plumbing", plumbing)
        object.__setattr__(self, "threads", {thread.key: thread for thread in plumbing.threads})
        object.__setattr__(self, "paths", {path.name: path for path in plumbing.paths})

    whole: System = field(init=False)
    plumbing: Plumbing = field(init=False)
    threads: Mapping[str, Thread] = field(init=False)
    paths: Mapping[str, Path] = field(init=False)

    def touched(self, vm: VM) -> bool:
        """Has a device a part in what the VM runs?"""
        return any(thread.vm == vm.name for thread in self.plumbing.threads) or self.talks(vm)

    def talks(self, vm: VM) -> bool:
        """Have tasks of its own messages, or send them?"""
        return bool(self.into(vm)) or any(step.kind in ("submit", "request") for task in vm.tasks for step in task.actions or ())

    def into(self, vm: VM) -> dict[str, list[Path]]:
        """Tasks of a VM that get messages, and from which paths."""
        return {task.name: found for task in vm.tasks if (found := [path for path in self.plumbing.paths if path.into == f"{vm.name}/{task.name}"])}

    @property
    def switches(self) -> int:
        """Two switches of a guest, which each job causes at most [ns]."""
        return 2 * self.overheads.guest_switch

    def members(self, vm: VM, vcpu: int, state: State, held: Mapping[str, int]) -> tuple[list[Member], list[Member] | None]:
        """The kernel's band of a vCPU, and the guest's tasks beside threads of theirs; None if no device has a part in those of another guest."""
        kernel = [self.handlers(vm, vcpu, state)]
        kernel += [self.thread(thread, state) for thread in self.plumbing.threads
                   if (thread.vm, thread.vcpu) == (vm.name, vcpu) and thread.priority is None and thread.budget is None]
        tasks = [task for task in self.whole[vm.name].tasks if not is_kernel(task)]
        if vm.guest not in ("fp", "dm"):
            return kernel, self.crowds(vm, [task for task in tasks if vm.vcpus == 1 or task.vcpu == vcpu], state, held)
        ranks = ranks_of(tasks if vm.guest == "fp" else [task.replace(priority=None) for task in tasks])
        mine = sorted((rank, i) for i, rank in enumerate(ranks) if vm.vcpus == 1 or tasks[i].vcpu == vcpu)
        return kernel, [self.member(vm, tasks[i], state, held) for _, i in mine]

    def crowds(self, vm: VM, tasks: list[Task], state: State, held: Mapping[str, int]) -> list[Member] | None:
        """Tasks of a guest without fixed priorities: all that is used is that it never idles, and that what has no deadline may come last."""
        if not self.talks(vm) and all(f"{vm.name}/{task.name}" not in self.threads for task in tasks):
            return None
        last = [task for task in tasks if vm.guest in ("edf", "cbs") and task.deadline is None and task.budget is None]
        bands = [[task for task in tasks if task not in last], last]
        return [crowd([self.member(vm, task, state, held) for task in band]) for band in bands if band]

    def member(self, vm: VM, task: Task, state: State, held: Mapping[str, int]) -> Member:
        """A task, or a thread with a priority, among the guest's."""
        key = f"{vm.name}/{task.name}"
        if key in self.threads:
            return self.thread(self.threads[key], state)
        cost = self.cost(vm, task, state)
        into = [path for path in self.plumbing.paths if path.into == key]
        if into:
            parts = [Part((path.name, len(path.stages)), Load(cost or 1, None if cost is None else state.coming(path, len(path.stages)), None,
                                                                path.name)) for path in into]
            return Member(task.name, parts, held=held.get(key, 0))
        found = curve_of(task)
        curve = None if cost is None or found is None else tuple((period, -offset) for period, offset in found.stairs)
        own = None if curve is None else task.replace(wcet=cost, actions=None, priority=None)
        return Member(task.name, [Part((key, -1), Load(cost or 1, curve, own))], held=held.get(key, 0))

    def cost(self, vm: VM, task: Task, state: State) -> int | None:
        """Longest execution of a job with its switches and hypercalls, sleeps counted as work [ns]; None without a bound."""
        plain = self.plain(task, state)
        return None if plain is None else largest_demand(inflated(plain, vm.guest, vm.quantum, self.overheads))

    def plain(self, task: Task, state: State) -> Task | None:
        """A task whose submissions are written as work, and whose requests also as sleep; None if that has no bound."""
        if not any(step.kind in ("submit", "request") for step in task.actions or ()):
            return task
        steps: list[Any] = []
        for step in task.actions or ():
            if step.kind not in ("submit", "request"):
                steps.append(step)
                continue
            path = self.paths[step.target or ""]
            steps.append(run(max(1, path.submit + (self.overheads.hypercall if path.stages[0].port else 0))))
            if step.kind == "request":
                if state.asleep[path.name] is None:
                    return None
                steps.append(block(max(1, state.asleep[path.name] or 0)))
        return task.replace(actions=tuple(steps))

    # ------------------------------------------------------------------ devices

    def handlers(self, vm: VM, vcpu: int, state: State) -> Member:
        """The interrupt handlers of a vCPU, and the wake-ups of threads that they cause."""
        entry = self.plumbing.upcalls.get(vm.name, (0, ""))[0]
        found = Member(f"irq{vcpu}")
        for path, place, stage in self.plumbing.ports():
            thread = self.threads[stage.server]
            if (thread.vm, thread.vcpu) == (vm.name, vcpu) and thread.period is None and stage.port is not None:
                curve = state.coming(path, place, hold_of(stage, thread))
                if curve is not None and stage.port.late_eoi:
                    curve = (*curve, (NEVER, 0))
                found.more.append(Load(max(1, entry + stage.port.handler + thread.awake + 2 * self.switches), curve, None, path.name))
        return found

    def thread(self, thread: Thread, state: State) -> Member:
        """A thread: a part for each of its stages."""
        found = Member(thread.name)
        for path, place, stage in self.plumbing.stages():
            if stage.server == thread.key:
                hold = hold_of(stage, thread)
                work = Load(self.message(path, place, stage, thread), state.coming(path, place, hold), None, path.name)
                found.parts.append(Part((path.name, place), work, hold, thread.batch - 1, stage.each))
        if thread.period is not None:
            found.more.append(Load(max(1, thread.awake + self.switches), ((thread.period, TIE),), None, thread.name))
        return found

    def message(self, path: Path, place: int, stage: Stage, thread: Thread) -> int:
        """What a thread does for a message at most: a batch of its own, a hypercall; the wake-up, if no handler has paid for it [ns]."""
        work = thread.fixed + stage.each
        if place + 1 < len(path.stages) and path.stages[place + 1].port is not None:
            work += self.overheads.hypercall
        if stage.port is None and thread.period is None:
            work += thread.awake + self.switches
        if path.pool is not None:
            work += thread.awake + self.switches            # it may be woken once more, for the room that there is
        return max(1, work)


def hold_of(stage: Stage, thread: Thread) -> int:
    """How long it may take until a thread is told of a message, or looks [ns]."""
    if thread.period is not None:
        return max(thread.period, thread.offset)
    return 0 if stage.always or stage.after == 1 or stage.timeout is None else stage.timeout


def holds(path: Path, threads: Mapping[str, Thread]) -> dict[int, int]:
    """The same, by place, where it takes time."""
    found = {place: hold_of(stage, threads[stage.server]) for place, stage in enumerate(path.stages) if stage.server in threads}
    return {place: hold for place, hold in found.items() if hold}
