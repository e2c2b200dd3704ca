"""Credit2 windows: the state at the beginning, and each rule held against the trace, one step from the recorded credits.

Xen writes down every credit that it looks at, so nothing has to be fitted, and each rule can be asked by itself: given the credits and the
queue as they were, does the model charge, choose, reset, slice, queue and tell as Xen did? It is the scheduler's own source that answers
(`interpreted`); then what the trace shows is imposed, so that an error is counted where it arises.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import Problem, SpecError
from ..schedulers import Credit2
from ..system import Costs
from ..units import us
from .interpreted import interpreted
from .opened import Opened
from .steps import IDLE_DOMAIN, blocked_for_good

if TYPE_CHECKING:
    from .window import Window

TO_CLOCK = 4_520                     # from the record of a wake-up to the clock that its tickle reads [ns], E6a
CREDIT_AT = {"C2_CREDIT_BURN": 0, "C2_RUNQ_CANDIDATE": 1, "C2_TICKLE_NEW": 1, "C2_CREDIT_RESET": 0}     # place of a credit in a record
NUMBERS = {"C2_CREDIT_BURN": 3, "C2_RUNQ_CANDIDATE": 2, "C2_TICKLE_NEW": 2, "C2_CREDIT_RESET": 2, "C2_RUNQ_POS": 1, "INFNEXT": 2, "INFCONT": 2}
RULES = ("burn", "next", "reset", "slice", "queue", "tickle")


def path_costs() -> Costs:
    """Path costs of the traced machine under credit2, read off window E6a."""
    return Costs.preset("traced-xen-credit2")


@dataclass(frozen=True)
class OpenedCredit2(Opened, Credit2):
    """Credit2 as it stands when a trace's window opens."""


class Record(NamedTuple):
    """A trace record, its arguments as signed numbers."""

    at: int
    event: str
    domain: int
    args: tuple[int, ...]
    left: bool                       # a blocking after which the vCPU really left its pCPU


def signed(event: str, args: str, row: int, file: str) -> tuple[int, ...]:
    """The numbers of a record that is looked at; credits are written as unsigned words of 32 bits."""
    words = args.split()[:NUMBERS.get(event, 0)]
    if len(words) < NUMBERS.get(event, 0) or not all(word.isdecimal() and len(word) <= 10 for word in words):
        raise SpecError([Problem("args", args, f"{NUMBERS[event]} numbers of 32 bits for {event}", "correct or remove the row", f"{file}:{row + 2}")])
    return tuple(int(word) - 2**32 * (int(word) >= 2**31) for word in words)


def records_of(window: Window) -> list[Record]:
    """All records; SpecError if the window has none, or one that cannot be read."""
    file = f"{window.name}.events.csv.gz"
    if window.events is None:
        raise SpecError([Problem("file", file, "a file that exists", "a credit2 window needs all its records", "")])
    table = window.events
    left = blocked_for_good(table["event"].to_numpy(), table["dom"].to_numpy())
    rows = zip(table["t_ns"].tolist(), table["event"].tolist(), table["dom"].tolist(), table["args"].fillna("").astype(str).tolist())
    return [Record(at, event, domain, signed(event, args, i, file), i in left) for i, (at, event, domain, args) in enumerate(rows)]


def opening_of(window: Window) -> dict[str, Any]:
    """Credits when the window opens, as `simulate` takes them in `initial`: the first that is recorded of each domain.

    Who runs at the beginning is charged later for what it has run until then.
    """
    heaviest = max(window.weight(f"d{d}") for d in window.domains)
    credit: dict[str, int] = {}
    for record in records_of(window):
        name = f"d{record.domain}"
        if record.event in CREDIT_AT and record.domain in window.domains and name not in credit:
            value = record.args[CREDIT_AT[record.event]]
            if record.event == "C2_CREDIT_BURN":
                value += min(record.args[2], record.at) * heaviest // window.weight(name)
            credit[name] = value
    return {"credit": credit}


def parameters(window: Window) -> Credit2:
    """The scheduler with the window's ratelimit, without the opening."""
    rate = window.row.get("ratelimit_us")
    return Credit2(ratelimit=int(us(1000 if rate is None or rate != rate else int(rate))))


def opened(window: Window) -> OpenedCredit2:
    """Credit2 with the window's parameters and opening."""
    return OpenedCredit2(ratelimit=parameters(window).ratelimit, opening=opening_of(window))


def start_order(window: Window) -> list[int]:
    """Nobody starts later than the others: the queue is sorted by credit (5.2.2), whoever comes first."""
    return []


def had_blocked(stint: Any, costs: Costs) -> bool:
    """Is a domain's first stint so short that it had blocked before the window opened, and only the switch was left?"""
    return bool(stint["end"] == "cut_start" and stint["end_ns"] <= costs.block_path + (costs.block_switch_out or costs.switch_out))


# ------------------------------------------------------------------ each rule, one step


@dataclass
class Agreement:
    """How often each rule said what the trace then shows; the whole window is scored.

    Attributes
    ----------
    asked, agreed : dict of str to int
        By rule. *burn*: the credit after a charge (5.2.1); *next*: who runs from a decision on (5.3); *reset*: at a decision, whether there
        is one, and all credits after it (5.2.4); *slice*: until when (5.3 step 6); *queue*: place of who is queued (5.2.2); *tickle*: whether
        the pCPU is told of it (5.4).
    disagreements : list of (time [ns], rule, model, real)
    """

    asked: dict[str, int] = field(default_factory=lambda: dict.fromkeys(RULES, 0))
    agreed: dict[str, int] = field(default_factory=lambda: dict.fromkeys(RULES, 0))
    disagreements: list[tuple[int, str, Any, Any]] = field(default_factory=list)

    def count(self, at: int, rule: str, model: Any, real: Any) -> None:
        """One answer."""
        self.asked[rule] += 1
        self.agreed[rule] += model == real
        if model != real:
            self.disagreements.append((at, rule, model, real))


def agreement(window: Window) -> Agreement:
    """Ask each rule at each step of a credit2 window of one pCPU, from the credits and the queue that the trace shows."""
    if window.cpus != 1:
        raise SpecError([Problem("window", window.name, "a window of one pCPU", "choose another window", "")])
    return OneStep(window).go(records_of(window))


class OneStep:
    """The scheduler as the trace shows it at some instant. Domains that never ran are not there: their weights would be missing (5.2.1)."""

    def __init__(self, window: Window) -> None:
        self.policy, self.queue = interpreted("schedulers.credit2"), interpreted("schedulers.runqueue")
        build, state, system = interpreted("build"), interpreted("state"), interpreted("system")
        names = [f"d{d}" for d in window.domains]
        self.index = {d: i for i, d in enumerate(window.domains)}
        contracts = build.contracts_of(system.System(vms=[system.VM(n, weight=window.weight(n), cap=window.cap(n)) for n in names]))
        scheduler = self.policy.Credit2(ratelimit=parameters(window).ratelimit)
        self.st, self.c2 = build.build_state(system.System(vms=[system.VM(n) for n in names]), 0, state.SUMMARY), scheduler.make_state(1, contracts)
        scheduler.set_initial(self.c2, opening_of(window), {n: i for i, n in enumerate(names)}, contracts)
        self.score, self.read, self.ahead = Agreement(), 0, 0
        self.begun = False                              # what ran before the window opened is in the opening
        self.open(window)

    def open(self, window: Window) -> None:
        """Who runs, waits or sleeps when the window opens."""
        first = window.runs.iloc[0]
        running = int(first["dom"]) if first["start_ns"] == 0 else IDLE_DOMAIN
        for d, v in self.index.items():
            self.c2.vcpus[v].assigned, self.st.vcpus[v].paused = 1, 0
            self.st.vcpus[v].blocked = int(d not in window.awake_at_start)
        self.policy.weigh(self.st, self.c2, 0)
        for d in window.first_runs:
            if d in window.awake_at_start and d != running:
                self.policy.enqueue(self.st, self.c2, self.index[d])
        self.st.pcpus[0].current = self.index.get(running, -1)

    def go(self, records: list[Record]) -> Agreement:
        """Through all records; those that belong to a decision or a tickle are taken with it."""
        for i, record in enumerate(records):
            at, event, v = record.at, record.event, self.index.get(record.domain, -1)
            if record.domain not in self.index and event != "C2_SCHEDULE":
                continue                                     # who never ran here, and records of no vCPU
            if record.left:
                self.st.vcpus[v].blocked = 1
            elif event == "WAKE":
                self.read = at + TO_CLOCK + self.ahead
            elif event == "RS_blocked_runnable":
                self.st.vcpus[v].blocked = 0
            elif event == "C2_RUNQ_POS":
                self.enqueue(at, v, record.args[0])
            elif event == "C2_TICKLE_NEW":
                self.tickle(at, v, records[i + 1:i + 4])
            elif event == "C2_SCHEDULE":
                end = next((j for j in range(i, len(records)) if records[j].event in ("INFNEXT", "INFCONT")), None)
                if end is not None:
                    self.decide(at, records[i + 1:end + 1])
        return self.score

    def enqueue(self, at: int, v: int, real: int) -> None:
        """Who is queued: at which place?"""
        queues = self.c2.queues
        self.policy.enqueue(self.st, self.c2, v)
        place, other = 0, queues.line[0].head
        while other != v:
            place, other = place + 1, queues.links[other].next
        self.score.count(at, "queue", place, real)

    def tickle(self, at: int, v: int, following: list[Record]) -> None:
        """Is the pCPU told of who was queued? If its vCPU was looked at, the charge says when exactly."""
        st, c2, current = self.st, self.c2, self.st.pcpus[0].current
        looked = len(following) > 1 and following[1].event == "C2_TICKLE_CHECK"
        told = any(record.event == "C2_TICKLE" for record in (following[2:] if looked else following[:1]))
        now = c2.vcpus[current].charged_to + following[0].args[2] if looked and current >= 0 else min(self.read, at + self.ahead)
        before = c2.pcpus[0].tickled
        self.policy.tickle(st, c2, now, v, now)
        self.score.count(at, "tickle", bool(c2.pcpus[0].tickled and not before), told)
        c2.pcpus[0].tickled = int(before or told)
        c2.vcpus[v].promised = -1
        if looked and current >= 0:
            self.score.count(at, "burn", int(c2.vcpus[current].credit), following[0].args[0])
            c2.vcpus[current].credit, c2.vcpus[current].charged_to = following[0].args[0], now

    def decide(self, at: int, told: list[Record]) -> None:
        """Who runs from now on, for how long, and is there a reset? A charge says what time it is by Xen's clock, to the nanosecond."""
        st, c2, old, now = self.st, self.c2, self.st.pcpus[0].current, at + self.ahead
        real, length = self.index.get(told[-1].domain, -1), told[-1].args[-1]
        if told[0].event == "C2_CREDIT_BURN" and old >= 0:
            if self.begun:
                now = c2.vcpus[old].charged_to + told[0].args[2]
            self.ahead = now - at
            self.policy.burn(st, c2, now, old)
            if self.begun:
                self.score.count(at, "burn", int(c2.vcpus[old].credit), told[0].args[0])
            c2.vcpus[old].credit = told[0].args[0]
            self.begun = True
        before = {v: int(c2.vcpus[v].credit) for v in self.index.values()}
        named, lasts = self.policy.decide(st, c2, now, 0)
        credits = {v: int(c2.vcpus[v].credit) for v in self.index.values()}
        resets = {self.index[r.domain]: r.args[1] for r in told if r.event == "C2_CREDIT_RESET" and r.domain in self.index}
        self.score.count(at, "next", int(named), real)
        self.score.count(at, "slice", int(lasts), length)
        self.score.count(at, "reset", credits, before | resets)
        for v, credit in resets.items():
            c2.vcpus[v].credit = credit
        if named != real:
            if named not in (old, -1):
                self.queue.insert_after(c2.queues, 0, -1, named)
            if real >= 0 and c2.queues.links[real].where >= 0:
                self.queue.remove(c2.queues, real)
        if real != old:
            st.pcpus[0].current = real
            st.pcpus[0].since = now
        if real >= 0:
            c2.vcpus[real].charged_to = now
        if old >= 0:
            c2.vcpus[old].saving = c2.vcpus[old].requeue = 0
