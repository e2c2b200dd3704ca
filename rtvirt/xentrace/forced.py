"""Forced agreement: the model names the next vCPU at every switch of a trace, and then the trace's choice is imposed.

The model keeps its own credits, priorities, active list and queue order all the time; it is our scheduler's own code that decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from ..errors import Problem, SpecError
from .interpreted import interpreted
from .window import IDLE_DOMAIN, Window

UNSCORED, TAIL = 2_500_000_000, 200_000_000      # [ns] at the window's beginning and end
TO_DECISION = 1_440                              # from the record that a decision begins to the clock it reads [ns], window E3b
WAKE, BLOCK, TICK, ACCOUNT, DECIDE = range(5)


@dataclass(frozen=True)
class Forced:
    """Result of `forced_agreement`.

    Attributes
    ----------
    switches, agreed : int
        Scored switches, and those at which the model named the vCPU that really ran next.
    boosts, boosts_agreed : int
        Scored wake-ups, and those at which model and trace agree whether a boost started.
    disagreements : list of (time [ns], named, real)
        VM names.
    """

    switches: int
    agreed: int
    boosts: int
    boosts_agreed: int
    disagreements: list[tuple[int, str, str]]

    @property
    def agreement(self) -> float:
        """Share of switches named right."""
        return self.agreed / self.switches if self.switches else 1.0


def forced_agreement(window: Window, initial: dict[str, int] | None = None) -> Forced:
    """Walk through a window's decisions with the model's scheduler.

    Parameters
    ----------
    window : Window
        One pCPU, with its events.
    initial : dict of VM name to credits, optional
        At the window's start; by default fitted on its unscored first 2.5 s.
    """
    if window.events is None or int(window.row["pcpus"]) != 1:
        raise SpecError([Problem("window", window.name, "a window of one pCPU with its events file", "choose another window", "")])
    steps = steps_of(window)
    if initial is None:
        initial = fit_credits(window, steps)
    return Walk(window, initial).go(steps, UNSCORED, window.duration - TAIL)


def steps_of(window: Window) -> list[tuple[int, int, int, int]]:
    """(time, kind, domain, flag) of everything that the scheduler sees, in order."""
    events = window.events
    steps: list[tuple[int, int, int, int]] = []
    names, times, domains = events["event"].to_numpy(), events["t_ns"].to_numpy(), events["dom"].to_numpy()
    begun, boosted = -1, set(events.loc[events["event"] == "C_BOOST_START"].index)
    for i, name in enumerate(names):
        if name == "RS_blocked_runnable":
            steps.append((int(times[i]), WAKE, int(domains[i]), int(i + 1 in boosted or i - 1 in boosted)))
        elif name == "BLOCK":
            steps.append((int(times[i]), BLOCK, int(domains[i]), 0))
        elif name == "C_SCHEDULE":
            begun = int(times[i])
        elif name in ("INFNEXT", "INFCONT") and begun >= 0:
            steps.append((begun + TO_DECISION, DECIDE, int(domains[i]), int(name == "INFNEXT")))
            begun = -1
    steps += [(int(t), TICK, -1, 0) for t in window.ticks] + [(int(t), ACCOUNT, -1, 0) for t in window.accountings]
    return sorted(steps, key=lambda step: step[:2])


def active_at_start(window: Window) -> list[str]:
    """VMs on the active list when the window opens: those whose first change is to leave it, and those that never change and run much."""
    marks = window.events[window.events["event"].isin(["C_ACCT_START", "C_ACCT_STOP"])].drop_duplicates("dom")
    first = dict(zip(marks["dom"].astype(int), marks["event"]))
    busy = {d for d in window.domains if (window.runs.loc[window.runs["dom"] == d, "end"] != "blocked").mean() > 0.2}
    return [f"d{d}" for d in window.domains if (first[d] == "C_ACCT_STOP" if d in first else d in busy)]


def fit_credits(window: Window, steps: list[tuple[int, int, int, int]]) -> dict[str, int]:
    """Credits of the active VMs at the window's start that name most switches of the unscored first 2.5 s.

    Each VM in turn, ever finer; several starts, because the count of right names has many local maxima.
    """
    active = active_at_start(window)
    head = [step for step in steps if step[0] < UNSCORED]

    def score(credits: dict[str, int]) -> int:
        return Walk(window, credits).go(head, 0, UNSCORED).agreed

    best: dict[str, int] = {}
    top = -1
    for start in (0, 150, -150):
        found = dict.fromkeys(active, start)
        value = score(found)
        for step in (160, 80, 40, 20, 10, 5):
            for vm in active:
                for offset in (-1, 1, -2, 2):
                    trial = found | {vm: found[vm] + offset * step}
                    reached = score(trial)
                    if reached > value:
                        value, found = reached, trial
        if value > top:
            top, best = value, found
    return best


class Walk:
    """Our credit scheduler, stepped from outside."""

    def __init__(self, window: Window, credits: dict[str, int]) -> None:
        self.window = window
        self.policy, self.queue = interpreted("schedulers.credit"), interpreted("schedulers.runqueue")
        build, state, system = interpreted("build"), interpreted("state"), interpreted("system")
        weights, caps = window.setting("weights"), window.setting("caps")
        names = [f"d{d}" for d in window.domains]
        spec = system.System(vms=[system.VM(n, weight=weights.get(n, 256), cap=caps.get(n, 0)) for n in names])
        ours = window.scheduler()
        scheduler = self.policy.Credit(timeslice=ours.timeslice, ratelimit=ours.ratelimit)
        contracts = build.contracts_of(spec)
        self.st = build.build_state(spec, 0, state.SUMMARY)
        self.cr = scheduler.make_state(1, contracts)
        first = {name: i for i, name in enumerate(names)}
        known = {(name, 0): value for name, value in credits.items()}
        scheduler.set_initial(self.cr, {"credit": known, "active": dict.fromkeys(known, True)}, first, contracts)
        self.cr.pool.tick_count = self.cr.pool.account_count = 0
        self.names = names
        self.index = {d: i for i, d in enumerate(window.domains)}
        self.open()

    def open(self) -> None:
        """Who runs, waits or sleeps when the window opens."""
        st = self.st
        for d, v in self.index.items():
            vcpu, mine = st.vcpus[v], self.window.runs[self.window.runs["dom"] == d]
            wakes = self.window.wakes.loc[self.window.wakes["dom"] == d, "wake_ns"]
            awake = mine["start_ns"].iloc[0] < (wakes.iloc[0] if len(wakes) else 2**62)
            vcpu.blocked, vcpu.paused, vcpu.state = int(not awake), 0, 1 if awake else 2
            if awake:
                self.policy.insert(st, self.cr, 0, v)
        current = self.index[int(self.window.runs["dom"].iloc[0])]
        self.queue.remove(self.cr.queues, current)
        st.pcpus[0].current, st.vcpus[current].state = current, 0
        self.cr.pcpus[0].idle = 0

    def go(self, steps: list[tuple[int, int, int, int]], scored_from: int, scored_to: int) -> Forced:
        """Walk; count what is scored."""
        counts = {"switches": 0, "agreed": 0, "boosts": 0, "boosts_agreed": 0}
        wrong: list[tuple[int, str, str]] = []
        st, cr, policy = self.st, self.cr, self.policy
        for now, kind, domain, flag in steps:
            scored = scored_from <= now < scored_to
            if kind == TICK:
                policy.tick(st, cr, now, 0)
            elif kind == ACCOUNT:
                policy.account(st, cr, now)
            elif kind == WAKE:
                boosted = self.wake(now, self.index[domain])
                counts["boosts"] += scored
                counts["boosts_agreed"] += scored and boosted == bool(flag)
            elif kind == BLOCK:
                st.vcpus[self.index[domain]].blocked = 1
            else:
                real = -1 if domain == IDLE_DOMAIN else self.index.get(domain, -1)
                named = self.decide(now, real)
                if scored and flag:
                    counts["switches"] += 1
                    counts["agreed"] += named == real
                    if named != real:
                        wrong.append((now, self.name(named), self.name(real)))
        return Forced(**counts, disagreements=wrong)

    def name(self, v: int) -> str:
        """Of a vCPU, or idle."""
        return "idle" if v < 0 else self.names[v]

    def wake(self, now: int, v: int) -> bool:
        """A wake-up; True if the model boosts."""
        vcpu, before = self.st.vcpus[v], self.cr.vcpus[v].priority
        vcpu.blocked = 0
        if vcpu.paused:
            return False
        if self.st.pcpus[0].current != v:
            vcpu.state = 1
        self.policy.wake(self.st, self.cr, now, v)
        return self.cr.vcpus[v].priority == 0 and before == -1

    def decide(self, now: int, real: int) -> int:
        """The model's choice; then the trace's is imposed."""
        st, cr, policy = self.st, self.cr, self.policy
        old = int(st.pcpus[0].current)
        named, _ = policy.decide(st, cr, now, 0)
        if named != real:
            self.impose(now, int(named), real)
        if real != old:
            if old >= 0:
                vcpu = st.vcpus[old]
                vcpu.state = 2 if vcpu.blocked else 3 if vcpu.paused else 1
            st.pcpus[0].current, st.pcpus[0].since = real, now
            if real >= 0:
                st.vcpus[real].state = 0
        st.pcpus[0].decide_at = st.agenda.next_decision = 2**63 - 1
        return int(named)

    def impose(self, now: int, named: int, real: int) -> None:
        """Put the model's choice back at the head of the queue, and take the trace's out of it."""
        cr = self.cr
        if named >= 0 and cr.queues.links[named].where < 0:
            if named == self.st.pcpus[0].current:       # it would have gone on: it goes to the tail of its class
                self.policy.insert(self.st, cr, 0, named)
            else:
                self.queue.insert_after(cr.queues, 0, -1, named)
            cr.vcpus[named].charged_to -= now
        if real >= 0:
            if cr.queues.links[real].where >= 0:
                self.queue.remove(cr.queues, real)
            cr.vcpus[real].charged_to += now
        cr.pcpus[0].idle = int(real < 0)


def spells(disagreements: list[tuple[int, str, str]], gap: int = 100_000_000) -> list[tuple[int, int, int]]:
    """Disagreements grouped into spells: (first, last [ns], how many); for finding out why, event by event."""
    if not disagreements:
        return []
    times = np.array([at for at, _, _ in disagreements])
    cuts = [0, *(i + 1 for i, (a, b) in enumerate(pairwise(times)) if b - a > gap), len(times)]
    return [(int(times[a]), int(times[b - 1]), b - a) for a, b in pairwise(cuts)]


def forced_or_none(window: Window) -> Any:
    """`forced_agreement` where it is possible, else None."""
    return forced_agreement(window) if window.events is not None and int(window.row["pcpus"]) == 1 else None
