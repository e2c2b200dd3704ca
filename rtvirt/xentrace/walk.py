"""Our credit scheduler, walked through a real Xen's decisions one by one.

It keeps its own credits, priorities, active list and queue order all the time, and it is the scheduler's own source that decides
(`interpreted`). Whatever the trace shows of the same decision is then imposed: who runs next, who is boosted, who leaves the active list, who is
parked, and which side of 0 a credit was on where a small change of it explains the choice (`ties`). So an error is counted where it
arises, and does not drag on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING

from ..schedulers.credit_accounting import PRIO_BOOST, PRIO_OVER, PRIO_UNDER
from ..state import BLOCKED, OFFLINE, RUNNABLE, RUNNING
from ..timers import NEVER
from .interpreted import interpreted
from .steps import ACCOUNT, BLOCK, IDLE_DOMAIN, TICK, UNKNOWN, WAKE, Books, Step
from .ties import mend_credits, waiting

if TYPE_CHECKING:
    from .opening import Opening
    from .window import Window



@dataclass
class Forced:
    """How often the model named what the trace then shows.

    Attributes
    ----------
    switches, agreed : int
        Scored switches, and those at which the model named the vCPU that really ran next.
    boosts, boosts_agreed : int
        Scored wake-ups, and those at which model and trace agree whether a boost started.
    books, books_agreed : int
        Changes at accountings in model or trace (off the active list, parked, unparked), and those on which they agree.
    disagreements : list of (time [ns], named, real)
        VM names.
    """

    switches: int = 0
    agreed: int = 0
    boosts: int = 0
    boosts_agreed: int = 0
    books: int = 0
    books_agreed: int = 0
    disagreements: list[tuple[int, str, str]] = field(default_factory=list)

    @property
    def agreement(self) -> float:
        """Share of switches named right."""
        return self.agreed / self.switches if self.switches else 1.0

    @property
    def wrong(self) -> int:
        """Switches, boosts and changes of the books on which model and trace do not agree; grows as the walk goes on."""
        return self.switches - self.agreed + self.boosts - self.boosts_agreed + self.books - self.books_agreed


class Walk:
    """The scheduler as it stands at one instant of a window; `mending`: let choices correct credits (`ties`)."""

    def __init__(self, window: Window, opening: Opening, *, mending: bool = True) -> None:
        self.window = window
        self.policy, self.queue = interpreted("schedulers.credit"), interpreted("schedulers.runqueue")
        build, state, system = interpreted("build"), interpreted("state"), interpreted("system")
        self.names = [f"d{d}" for d in window.domains]
        self.index = {d: i for i, d in enumerate(window.domains)}
        spec = system.System(vms=[system.VM(n, weight=window.weight(n), cap=window.cap(n)) for n in self.names])
        ours = window.parameters
        scheduler = self.policy.Credit(timeslice=ours.timeslice, ratelimit=ours.ratelimit)
        contracts = build.contracts_of(spec)
        self.st, self.cr = build.build_state(spec, 0, state.SUMMARY), scheduler.make_state(1, contracts)
        initial = opening.initial()
        initial.pop("tick_times")                       # the walk ticks and accounts by its steps
        initial.pop("account_times")
        scheduler.set_initial(self.cr, initial, {name: i for i, name in enumerate(self.names)}, contracts)
        self.mending = mending
        self.settled: dict[int, int] = {}               # credits of the active after the last accounting
        self.waited: list[int] = []                     # who has waited since then, in the queue's order of then
        self.open()

    def open(self) -> None:
        """Who runs, waits or sleeps when the window opens."""
        for d in self.window.first_runs:
            v = self.index[d]
            vcpu, awake = self.st.vcpus[v], d in self.window.awake_at_start
            vcpu.blocked, vcpu.paused, vcpu.state = int(not awake), 0, RUNNABLE if awake else BLOCKED
            if awake:
                self.policy.insert(self.st, self.cr, 0, v)
        current = self.index[int(self.window.runs["dom"].iloc[0])]
        self.queue.remove(self.cr.queues, current)
        self.st.pcpus[0].current, self.st.vcpus[current].state = current, RUNNING
        self.cr.pcpus[0].idle = 0

    def go(self, steps: Iterable[Step], books: Mapping[int, Books], scored_from: int, scored_to: int, most_wrong: float = inf) -> Forced:
        """Walk, and count what is scored; given up once more than `most_wrong` is wrong."""
        score, ignored = Forced(), Forced()
        for now, kind, domain, flag in steps:
            if now >= scored_to or score.wrong > most_wrong:
                break
            counted = score if now >= scored_from else ignored
            if kind == TICK:
                self.policy.tick(self.st, self.cr, now, 0)
            elif kind == ACCOUNT:
                self.account(now, books[now], counted)
            elif kind == WAKE:
                self.wake(now, self.index[domain], flag, counted)
            elif kind == BLOCK:
                self.st.vcpus[self.index[domain]].blocked = 1
            else:
                self.decide(now, self.index.get(domain, -1) if domain != IDLE_DOMAIN else -1, bool(flag), counted)
        return score

    # -------------------------------------------------------------- the run queue

    def wake(self, now: int, v: int, real: int, score: Forced) -> None:
        """A wake-up: does it start a boost? One that the model did not see coming is imposed."""
        vcpu, before = self.st.vcpus[v], self.cr.vcpus[v].priority
        vcpu.blocked = 0
        boosted = False
        if not vcpu.paused:
            if self.st.pcpus[0].current != v:
                vcpu.state = RUNNABLE
            self.policy.wake(self.st, self.cr, now, v)
            boosted = self.cr.vcpus[v].priority == PRIO_BOOST and before == PRIO_UNDER
        if real == UNKNOWN:
            return
        score.boosts += 1
        score.boosts_agreed += boosted == real
        if real and not boosted and self.cr.queues.links[v].where >= 0:
            self.policy.forget_latest(self.cr, 0)
            self.queue.remove(self.cr.queues, v)
            self.cr.vcpus[v].priority = PRIO_BOOST
            self.policy.insert(self.st, self.cr, 0, v)

    def decide(self, now: int, real: int, switched: bool, score: Forced) -> None:
        """Who runs next? The model's answer is counted, the trace's imposed."""
        st, cr = self.st, self.cr
        old = int(st.pcpus[0].current)
        # within the ratelimit no credit is asked
        held = old >= 0 and not st.vcpus[old].blocked and st.vcpus[old].paused == 0 and now - st.pcpus[0].since < cr.pool.ratelimit
        named = int(self.policy.decide(st, cr, now, 0)[0])
        if switched:
            score.switches += 1
            score.agreed += named == real
        if named != real:
            if switched:
                score.disagreements.append((now, self.name(named), self.name(real)))
            if self.mending and not held:
                mend_credits(self, named, real)
            self.impose_choice(now, named, real)
        if real in self.waited:
            self.waited.remove(real)
        if real != old:
            if old >= 0:
                vcpu = st.vcpus[old]
                vcpu.state = BLOCKED if vcpu.blocked else OFFLINE if vcpu.paused else RUNNABLE
            st.pcpus[0].current, st.pcpus[0].since = real, now
            if real >= 0:
                st.vcpus[real].state = RUNNING
        st.pcpus[0].decide_at = st.agenda.next_decision = NEVER

    def impose_choice(self, now: int, named: int, real: int) -> None:
        """Put the model's choice back at the head of the queue, and take the trace's out of it."""
        cr = self.cr
        self.policy.forget_latest(cr, 0)
        if named >= 0:
            if cr.queues.links[named].where < 0:        # it would have gone on: it goes to the tail of its class
                if named == self.st.pcpus[0].current:
                    self.policy.insert(self.st, cr, 0, named)
                else:
                    self.queue.insert_after(cr.queues, 0, -1, named)
            cr.vcpus[named].charged_to -= now
        if real >= 0:
            if cr.queues.links[real].where >= 0:
                self.queue.remove(cr.queues, real)
            cr.vcpus[real].charged_to += now
        cr.pcpus[0].idle = int(real < 0)

    def name(self, v: int) -> str:
        """Of a vCPU, or idle."""
        return "idle" if v < 0 else self.names[v]

    # -------------------------------------------------------------- the books

    def account(self, now: int, books: Books, score: Forced) -> None:
        """An accounting: who leaves the active list, who is parked or unparked?"""
        cr, vcpus = self.cr, range(len(self.names))
        before = [(bool(cr.vcpus[v].active), bool(cr.vcpus[v].parked)) for v in vcpus]
        self.policy.account(self.st, cr, now)
        self.waited = waiting(self)
        for v in vcpus:
            named = bool(cr.vcpus[v].active), bool(cr.vcpus[v].parked)
            real = tuple(n if r is None else r for n, r in zip(named, (books.active[v], books.parked[v])))
            if named != before[v] or named != real:
                score.books += 1
                score.books_agreed += named == real
            if named != real:
                self.impose_books(now, v, *real)
        self.settled = {v: cr.vcpus[v].credit for v in vcpus if cr.vcpus[v].active}

    def impose_books(self, now: int, v: int, active: bool, parked: bool) -> None:
        """Make a vCPU's place what the trace shows, with the credit that is nearest to the model's and agrees with it."""
        st, cr, policy = self.st, self.cr, self.policy
        vcpu, most = cr.vcpus[v], cr.pool.slice_credits
        was, weight = vcpu.credit, cr.vms[v].weight
        policy.forget_latest(cr, 0)
        if vcpu.parked and not parked:
            vcpu.credit, vcpu.priority = max(was, 0), PRIO_UNDER
            policy.unpark(st, cr, now, v)
        elif parked and not vcpu.parked:
            cap = -(-cr.vms[v].cap * most // 100)
            vcpu.credit, vcpu.priority = min(was, -cap - 1), PRIO_OVER
            policy.park(st, cr, now, v)
        if vcpu.active and not active:                  # it left with half of just over the bound (2.5.3)
            policy.deactivate(st, cr, now, v, weight)
            vcpu.credit, vcpu.priority = (most + 1) // 2, PRIO_UNDER
        elif active and not vcpu.active:                # it had at most the bound
            policy.activate(st, cr, now, v, weight)
            vcpu.credit = most
        cr.pool.balance += vcpu.credit - was
