"""Bounds of all stages and tasks at once: each depends on how late the others' messages may be, so they are found in rounds.

In the first round no message is late. Each round computes what the scheduler promises the vCPUs, the responses on them, and from these how late
messages come to the next stage; lateness only grows, so the rounds end where nothing changes any more, or where it passes all limits: then there is
no bound. (Tindell and Clark 1994; that a fixed point bounds every message follows by induction over the events of a run: the first that would come
later than it says would need one that did before.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ...errors import LimitError
from ...system import VM, Task
from ...system.devices import Path
from .. import tasksets
from ..admission.guests import Late, Outcome, Unknown, outcome, refused
from ..admission.host import Host, Promise, Vcpu
from ..admission.registry import promises
from ..admission.sections import Trapping
from ..limits import NEVER
from ..supply import FixedPriorityPartition, Supply
from .lines import Found, dropping, full, on_lines
from .loads import Curve, Load, Member, Part, curve_of, later, least_stay, overtaken, response, too_late
from .lowering import interposed, lowered
from .members import House, Key, State
from .refusals import refusal, silent, unheard_at

MOST_ROUNDS = 300
UNBOUNDED = "work that nothing bounds"
ENDLESS = "what is late makes other things late, and these it, without end"


@dataclass
class Rounds:
    """A system on its way to the fixed point, and then the bounds.

    Attributes
    ----------
    stays : {(path, place): int or None} [ns]
        Longest time from a message's coming to a place to its leaving; the place after the last stage is the application's.
    reasons : {(path, place): str}
        Why there is none, where that is known; place -1: of the whole path.
    since : {(path, place): int or None} [ns]
        Longest from a message's nominal coming, without jitter; of tasks from their arrival.
    joint : {(path, place): (first, stay, since)}
        The same for several stages in a row on one vCPU, from the first of them on: a message waits for the vCPU only once.
    """

    house: House
    scheduler: Any
    blocking: Mapping[str, int]
    traps: Mapping[str, Trapping]
    judge: Any                                        # how `admit` judges a vCPU that no device has a part in
    state: State = field(default_factory=State)
    stays: dict[Key, int | None] = field(default_factory=dict)
    since: dict[Key, int | None] = field(default_factory=dict)
    joint: dict[Key, tuple[int, int, int]] = field(default_factory=dict)
    reasons: dict[Key, str] = field(default_factory=dict)
    submitted: dict[str, int | None] = field(default_factory=dict)   # longest submission, by path [ns]
    alone: dict[Key, int] = field(default_factory=dict)              # stays of those that submit, while no message was late yet [ns]
    host: Host = field(init=False)
    found: list[Promise] = field(init=False)
    outcomes: list[Outcome] = field(init=False)

    def __post_init__(self) -> None:
        system, plumbing = self.house.system, self.house.plumbing
        for path in plumbing.paths:
            if reason := refusal(system, plumbing, path):
                self.reasons[path.name, -1] = reason
            for place in range(len(path.stages) + 1):
                self.state.spread[path.name, place] = None if reason else 0
            self.state.unheard[path.name] = unheard_at(path, dict(self.house.threads))
            self.state.asleep[path.name] = None if reason or self.state.unheard[path.name] else 0
        self.interposing = {vm.name: interposed(self.house, self.traps.get(vm.name, Trapping())) for vm in system.vms}

    # ------------------------------------------------------------------ rounds

    def settle(self) -> Rounds:
        """Go round until nothing changes."""
        for number in range(MOST_ROUNDS):
            self.sources()
            before = (dict(self.state.curves), dict(self.state.spread), dict(self.state.asleep))
            self.round()
            self.advance(give_up=number >= MOST_ROUNDS // 2)
            self.sources()
            if before == (self.state.curves, self.state.spread, self.state.asleep):
                return self
        raise LimitError(f"the bounds of the paths do not settle within {MOST_ROUNDS} rounds: lower the load a little")

    def sources(self) -> None:
        """How messages come to the first stage: from outside, and from tasks."""
        curves: dict[str, Curve | None] = {}
        for path in self.house.plumbing.paths:
            own = () if path.arrivals is None else curve_of(path.arrivals)
            curves[path.name] = None if isinstance(own, str) or (path.name, -1) in self.reasons else own
        for vm in self.house.system.vms:
            for task in vm.tasks:
                for step in task.actions or ():
                    if step.kind in ("submit", "request") and step.target is not None:
                        before, more = curves[step.target], self.jobs_of(vm, task)
                        curves[step.target] = None if before is None or more is None else before + more
        self.state.curves = curves

    def jobs_of(self, vm: VM, task: Task) -> Curve | None:
        """When a job of a task may get to any of its steps."""
        name = f"{vm.name}/{task.name}"
        into = [path for path in self.house.plumbing.paths if path.into == name]
        if into:
            curves = [((path.name, len(path.stages)), self.state.coming(path, len(path.stages))) for path in into if path.name in self.state.curves]
        else:
            stairs = tasksets.curve_of(task)
            curves = [((name, -1), None if stairs is None else tuple((period, -offset) for period, offset in stairs.stairs))]
        found: Curve = ()
        for key, curve in curves:
            stay = self.stays.get(key, 0)
            if key in self.stays and stay is not None and too_late(curve, stay - self.alone.setdefault(key, stay)):
                self.reasons.setdefault(key, ENDLESS)
            more = None if self.reasons.get(key) == ENDLESS else later(curve, stay)
            if more is None:
                return None
            found += more
        return found

    def round(self) -> None:
        """Promises and responses, as things are."""
        self.host = Host(lowered(self.house, self.state, self.blocking), self.scheduler, self.house.overheads, self.interposing)
        self.found = promises(self.host)
        self.outcomes = [self.vcpu(vcpu, promise) for vcpu, promise in zip(self.host.vcpus, self.found)]
        self.put(on_lines(self.house, self.state))
        self.put(dropping(self.house, self.state, self.stays))
        waiting = full(self.house, self.state, self.stays)
        self.put(waiting)
        self.state.spread |= dict.fromkeys(waiting, None)

    def put(self, found: Found) -> None:
        """Stays that were found elsewhere."""
        for key, (stay, reason) in found.items():
            self.stays[key], self.since[key] = stay, None
            if reason:
                self.reasons.setdefault(key, reason)

    def advance(self, *, give_up: bool) -> None:
        """How late messages come to each place."""
        state = self.state
        for path in self.house.plumbing.paths:
            for place in range(len(path.stages)):
                before, after = state.spread[path.name, place + 1], self.lateness(path, place)
                after = None if after is None or before is None else max(after, before)
                if after is not None and (too_late(state.curves[path.name], after) or (give_up and after > (before or 0))):
                    self.reasons.setdefault((path.name, place), ENDLESS)
                    after = None
                state.spread[path.name, place + 1] = after
            whole = self.longest(path, len(path.stages) - 1 + (path.into is not None))
            state.asleep[path.name] = None if whole is None or state.asleep[path.name] is None else max(whole, state.asleep[path.name] or 0)

    def lateness(self, path: Path, place: int) -> int | None:
        """How much later than the earliest a message may leave a place, beyond its source's jitter; None if nothing bounds it."""
        spread, stay, threads = self.state.spread[path.name, place], self.stays[path.name, place], dict(self.house.threads)
        if spread is None or stay is None:
            return None
        least = [least_stay(stage, threads) for stage in path.stages]
        found, alike, since = [spread + stay - least[place]], self.alike(path), self.since.get((path.name, place))
        if alike is not None and since is not None:
            found.append(since - alike - least[place])
        if (path.name, place) in self.joint:
            first, stay, since = self.joint[path.name, place]
            found.append((self.state.spread[path.name, first] or 0) + stay - sum(least[first:place + 1]))
            if alike is not None:
                found.append(since - alike - sum(least[first:place + 1]))
        return max(0, min(found))

    def longest(self, path: Path, last: int) -> int | None:
        """Longest from a message's coming to the first stage to its leaving a place [ns]; None without a bound."""
        threads = dict(self.house.threads)
        least = [least_stay(stage, threads) for stage in path.stages]
        alike, reach = self.alike(path), [0]
        for place in range(last + 1):
            stay, since = self.stays.get((path.name, place)), self.since.get((path.name, place))
            if stay is None:
                return None
            found = [reach[place] + stay]
            if alike is not None and since is not None:
                found.append(sum(least[:place]) + since)
            if (path.name, place) in self.joint:
                first, stay, since = self.joint[path.name, place]
                found += [reach[first] + stay] + ([sum(least[:first]) + since] if alike is not None else [])
            reach.append(min(found))
        return reach[-1]

    def alike(self, path: Path) -> int | None:
        """The jitter of a path's source, if all its messages have the same period and jitter, never pass each other, and never lie unheard."""
        curve = self.state.curves[path.name]
        if not curve or len(set(curve)) > 1 or self.state.unheard[path.name] or overtaken(path, dict(self.house.threads)) or path.arrivals is None:
            return None
        return curve[0][1]

    # ------------------------------------------------------------------ vCPUs

    def vcpu(self, vcpu: Vcpu, promise: Promise) -> Outcome:
        """Responses of everything on a vCPU."""
        vm = next(vm for vm in self.house.system.vms if vm.name == vcpu.vm.name)
        if not self.house.touched(vm):
            found: Outcome = self.judge(self.host, vcpu, self.found, self.blocking)
            return replace(found, tasks=())              # certificates know nothing of devices
        if vcpu.roams:
            return refused([task for task in vm.tasks if not vcpu.number], f"{vm.name} moves its tasks between {vm.vcpus} vCPUs, and no bound is "
                           "derived for devices beside that: pin them (Task(vcpu=...))")
        kernel, guest = self.house.members(vm, vcpu.number, self.state, self.blocking)
        above: list[Load] = []
        met: dict[Key, Part] = {}
        for member in (*kernel, *(guest or ())):
            met |= {part.key: part for part in member.parts}
            self.member(member, promise, above, met)
            if guest is not None:
                self.submissions(vm, member, promise, above)
            above += member.loads
        mine = [task for task in vm.tasks if vm.vcpus == 1 or task.vcpu == vcpu.number]
        return self.guest(vcpu, promise, kernel, mine) if guest is None else self.verdict(vm, mine, promise)

    def member(self, member: Member, promise: Promise, above: list[Load], met: Mapping[Key, Part]) -> None:
        """Responses of the parts of a member: messages of its other parts may all go first. `met` are all parts here that are no less urgent."""
        for part in member.parts:
            higher = [*above, *(other.load for other in member.parts if other is not part), *member.more]
            stay = since = None
            if promise.supply is not None:
                stay = response(part, promise.supply, higher, member.held, "release")
                since = None if stay is None else response(part, promise.supply, higher, member.held, "arrival")
            path = self.house.paths.get(part.key[0])
            self.joint.pop(part.key, None)
            if stay is not None and path is not None and (found := self.together(path, part, promise, higher, member.held, met)):
                self.joint[part.key] = found
            if stay is not None and path is not None and part.key[1] < len(path.stages):
                stage = path.stages[part.key[1]]
                stay += part.hold
                if stage.distance is not None:
                    stay = max(stay, stage.switch + stage.each)
            self.stays[part.key], self.since[part.key] = stay, since
            if stay is None and part.load.curve is not None and part.key not in self.reasons:
                self.reasons[part.key] = promise.reason if promise.supply is None else too_much(member, promise, [*higher, part.load])

    def together(self, path: Path, part: Part, promise: Promise, higher: list[Load], held: int,
                 met: Mapping[Key, Part]) -> tuple[int, int, int] | None:
        """A part and the stages right before it on the same vCPU, which are no less urgent: (first of them, stay, since its nominal coming).

        A busy period of this urgency begins with nothing of these stages waiting, so what counts is when messages come to the first of them; the
        others' work is among what goes first. That holds while each stage is told at once of what the one before delivers.
        """
        first = part.key[1]
        if self.state.unheard[path.name]:
            return None
        while first > 0 and (path.name, first - 1) in met and not (met[path.name, first].hold or self.aside(path, first) or
                                                                   self.aside(path, first - 1)):
            first -= 1
        if first == part.key[1] or promise.supply is None:
            return None
        start = met[path.name, first]
        own = replace(part, load=replace(part.load, curve=start.load.curve))
        stay = response(own, promise.supply, higher, held, "release")
        since = None if stay is None else response(own, promise.supply, higher, held, "arrival")
        return None if stay is None or since is None else (first, stay + start.hold, since)

    @staticmethod
    def aside(path: Path, place: int) -> bool:
        """May the hypervisor serve it?"""
        return place < len(path.stages) and path.stages[place].distance is not None

    def submissions(self, vm: VM, member: Member, promise: Promise, above: list[Load]) -> None:
        """How long a task takes to put a message on a path: its own work, with what is more urgent in between."""
        for one in member.singly:
            task = next((task for task in vm.tasks if task.name == one.name), None)
            higher = [*above, *(load for other in member.apart if other is not one for load in other.loads)]
            for step in (task.actions or ()) if task else ():
                if step.kind in ("submit", "request") and step.target is not None:
                    work = self.house.paths[step.target].submit
                    part = replace(one.parts[0], load=Load(max(1, work), ((NEVER, 0),)), together=0)
                    took = 0 if not work else None if promise.supply is None else response(part, promise.supply, higher, member.held, "release")
                    before = self.submitted.get(step.target, 0)
                    self.submitted[step.target] = None if took is None or before is None else max(took, before)

    def guest(self, vcpu: Vcpu, promise: Promise, kernel: list[Member], mine: list[Task]) -> Outcome:
        """The test of another guest, on what the kernel leaves."""
        if promise.supply is None:
            return refused(mine, promise.reason)
        rows = [row for member in kernel for load in member.loads for row in load.rows]
        left: Supply = FixedPriorityPartition(rows, on=promise.supply) if rows else promise.supply
        held = {task.name: self.blocking[key] for task in mine if (key := f"{vcpu.vm.name}/{task.name}") in self.blocking}
        try:
            found = outcome(replace(vcpu, tasks=tuple(mine)), left, self.house.overheads, held)
        except LimitError as reason:
            return refused(mine, str(reason))
        return replace(found, tasks=())

    def verdict(self, vm: VM, mine: list[Task], promise: Promise) -> Outcome:
        """Bounds of a fixed-priority guest's tasks; why the first is late that is."""
        bounds: dict[str, int | None] = {}
        for task in mine:
            name = f"{vm.name}/{task.name}"
            places = [self.stays[path.name, len(path.stages)] for path in self.house.into(vm).get(task.name, ())]
            bounds[task.name] = self.since[name, -1] if not places else None if None in places else max(p for p in places if p is not None)
        late = [task for task in mine if task.deadline is not None and ((bound := bounds[task.name]) is None or bound > task.deadline)]
        test = "fixed priorities" if vm.guest in ("fp", "dm") else "all that may be there, in any order"
        return Outcome(bounds, f"{test}, beside a device's threads", self.witness(vm, late[0], bounds, promise) if late else None)

    def witness(self, vm: VM, task: Task, bounds: dict[str, int | None], promise: Promise) -> Any:
        """Why a task may be late."""
        bound = bounds[task.name]
        if bound is not None:
            return Late(task.name, task.deadline or 0, bound)
        keys = [(path.name, len(path.stages)) for path in self.house.into(vm).get(task.name, ())] or [(f"{vm.name}/{task.name}", -1)]
        known = [reason for key in keys if (reason := self.why(key))]
        return Unknown(known[0] if known else promise.reason if promise.supply is None else
                       f"{task.name!r}: nothing bounds how often it is released, or what it waits for")

    def why(self, key: Key) -> str:
        """The first reason on a message's way to a place; empty if there is none."""
        name, place = key
        for earlier in ((name, -1), *((name, k) for k in range(place + 1))):
            if reason := self.reasons.get(earlier):
                return reason + (self.root() if reason.endswith(UNBOUNDED) else "")
        path = self.house.paths.get(name)
        for k in self.state.unheard.get(name, ()):
            if path is not None and k <= place:
                return f"stage {path.stages[k].name}: {silent(path.stages[k], self.house.threads[path.stages[k].server])}"
        if path is not None and self.state.curves[name] == ():
            return "nobody ever puts a message on it"
        if path is not None and any(self.stays.get((name, k)) is None for k in range(place + 1)):
            return "its messages, or the tasks that send them, wait for work that nothing bounds" + self.root()
        return ""

    def root(self) -> str:
        """Where what has no bound begins."""
        first = next(((key, reason) for key, reason in self.reasons.items() if not reason.endswith(UNBOUNDED)), None)
        return "" if first is None else f"; it begins at {first[0][0]}: {first[1]}"


def too_much(member: Member, promise: Promise, loads: list[Load]) -> str:
    """Why a busy period has no end."""
    assert promise.supply is not None
    flood = any(load.curve is None for load in loads)
    if flood:
        return f"{member.name} waits for {UNBOUNDED}"
    asked, sure = sum(load.cost / period for load in loads for period, _ in load.curve or () if period < NEVER), float(promise.supply.rate)
    if not sure:
        return f"{member.name} runs on a vCPU that is sure of nothing: more urgent ones may take all there is"
    if asked < sure:
        return f"{member.name} has work, with what goes before it, of {percent(asked)} of a pCPU: its busy period is too long to be computed"
    return f"{member.name} and what goes before it may ask for {percent(asked)} of a pCPU, and its vCPU is sure of {percent(sure)}"


def percent(share: float) -> str:
    """A share of a pCPU in words that stay short."""
    return f"{100 * share:.3g} %" if share >= 1e-5 else "less than 0.001 %"
