"""From trials to a verdict: Popek and Goldberg's definitions, applied to what was seen.

privileged            some supervisor trial completes, and every user trial traps (Definition of 1974; memory traps are left out throughout)
privileged if K       the same among the variations that satisfy a configuration K which a monitor may pin
control-sensitive     a completed trial leaves another privileged state than a NOP from the same state
location-sensitive    in one mode, two variations of the privileged state give different results to the program
mode-sensitive        the same start in both modes completes in both, with different results
user-sensitive        control- or location-sensitive with a witness in user mode (Theorem 3)
permission-sensitive  our extension for paging: under the map that a monitor must give a deprivileged kernel (`Isa.monitor_map`: the kernel's pages
                      open to user mode) a user trial completes where the supervisor trial took a memory trap
clock                 the same start, twice, gives different results

Seen witnesses prove sensitivity of the engine; their absence proves nothing: "innocuous" means no witness in N trials.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .forms import BASE, SUPERVISOR, USER, Form, Isa
from .trials import Trial

KINDS = ("control-sensitive", "location-sensitive", "mode-sensitive", "user-sensitive", "permission-sensitive", "clock")
PRIVILEGED, SENSITIVE, INNOCUOUS, TRAPS = "privileged", "sensitive", "innocuous", "always traps"


@dataclass
class Verdict:
    """What the trials of one form show.

    Attributes
    ----------
    verdict : str
        "privileged", "privileged if ...", "sensitive" (and not privileged), "innocuous", "always traps" or "engine failure".
    kinds : tuple of str
        Every kind of sensitivity that has a witness, for privileged forms too.
    components : dict
        Kind -> components of the state that show it.
    witnesses : dict
        Kind -> witness as from `pair`.
    trials, user_traps, user_trials : int
    traps : tuple of str
        Names of traps seen.
    """

    verdict: str
    kinds: tuple[str, ...] = ()
    components: dict[str, list[str]] = field(default_factory=dict)
    witnesses: dict[str, dict[str, Any]] = field(default_factory=dict)
    trials: int = 0
    user_traps: int = 0
    user_trials: int = 0
    traps: tuple[str, ...] = ()


class Evidence:
    """The trials of one form, indexed, and the witnesses that were found among them."""

    def __init__(self, isa: Isa, form: Form, trials: Sequence[Trial]) -> None:
        self.isa, self.form = isa, form
        self.trials = [t for t in trials if t.outcome.trap not in isa.memory_traps]
        self.all = trials
        self.at: dict[tuple[str, str, int], list[Trial]] = defaultdict(list)
        for trial in self.trials:
            self.at[trial.mode, trial.variation, trial.operand].append(trial)
        self.components: dict[str, set[str]] = defaultdict(set)
        self.witnesses: dict[str, dict[str, Any]] = {}
        self.ticking = frozenset(self.clocks(0, USER)) | frozenset(self.clocks(0, SUPERVISOR))

    def note(self, kind: str, components: Mapping[str, Any], first: Trial, second: Trial | None) -> None:
        """Keep a witness; the first one found for a kind is the one shown, and trials come simplest first."""
        self.components[kind] |= set(components)
        if kind not in self.witnesses:
            self.witnesses[kind] = pair(self.isa, self.form, first, second, list(components), self.ticking)

    def control(self) -> None:
        """Completed trials that leave another privileged state than a NOP does."""
        for trial in self.trials:
            changed = trial.changes("private") if trial.completed else {}
            if changed:
                self.note("control-sensitive", changed, trial, None)
                if trial.mode == USER:
                    self.note("user-sensitive", changed, trial, None)

    def mode(self) -> None:
        """Twins in the two modes that both complete, and differ in what the program gets or in what they set in the privileged state."""
        for (mode, variation, operand), ours in self.at.items():
            theirs = self.at.get((USER, variation, operand), []) if mode == SUPERVISOR else []
            if theirs and ours[0].completed and theirs[0].completed and not self.ticks(mode, operand):
                different = results_differ(ours[0], theirs[0])
                effects = set(ours[0].changes("private")) ^ set(theirs[0].changes("private"))
                if different or effects:
                    self.note("mode-sensitive", different | dict.fromkeys(sorted(effects)), ours[0], theirs[0])

    def location(self) -> None:
        """Two variations in one mode that both complete with different results."""
        for (mode, variation, operand), ours in self.at.items():
            base = self.at.get((mode, BASE, operand), [])
            if variation != BASE and base and ours[0].completed and base[0].completed:
                different = results_differ(base[0], ours[0])
                if different and not self.ticks(mode, operand):
                    self.note("location-sensitive", {variation: None}, base[0], ours[0])
                    if mode == USER:
                        self.note("user-sensitive", {variation: None}, base[0], ours[0])

    def clocks(self, operand: int, mode: str) -> dict[str, Any]:
        """Components that differ between two runs of the same trial."""
        twice = self.at.get((mode, BASE, operand), [])
        if len(twice) < 2:
            return self.clocks(0, mode) if operand else {}
        return results_differ(twice[0], twice[1]) if all(t.completed for t in twice[:2]) else {}

    def permission(self) -> None:
        """Memory traps that a deprivileged kernel would miss."""
        seen = {(t.mode, t.variation, t.operand): t for t in self.all}
        for (mode, variation, operand), ours in seen.items():
            theirs = seen.get((USER, self.isa.monitor_map, operand))
            if mode == SUPERVISOR and variation == BASE and theirs and ours.outcome.trap in self.isa.memory_traps and theirs.completed:
                self.note("permission-sensitive", {"memory trap": None}, ours, theirs)

    def ticks(self, mode: str, operand: int) -> bool:
        """True when the same trial gave two results."""
        return bool(self.clocks(operand, mode))

    def clock(self) -> None:
        """Results that differ though nothing did."""
        for mode in (SUPERVISOR, USER):
            if self.ticks(mode, 0):
                first, second = self.at[mode, BASE, 0][:2]
                self.note("clock", results_differ(first, second), first, second)

    def privileged(self) -> str:
        """Verdict by the definition, "" when it is not privileged."""
        if self.is_privileged(()):
            return PRIVILEGED
        for pin, violating in self.isa.pins.items():
            if self.is_privileged(violating):
                return f"{PRIVILEGED} if {pin}"
        return ""

    def is_privileged(self, without: Sequence[str]) -> bool:
        """The definition, among trials of other variations than these."""
        chosen = [t for t in self.trials if t.variation not in without]
        users = [t for t in chosen if t.mode == USER]
        done = [t for t in chosen if t.mode == SUPERVISOR and t.completed]
        if done and users and not any(t.completed for t in users):
            trap = next((t for t in users if (t.variation, t.operand) == (done[0].variation, done[0].operand)), users[0])
            self.witnesses[PRIVILEGED] = pair(self.isa, self.form, done[0], trap, [], self.ticking)
            return True
        return False


def results_differ(first: Trial, second: Trial) -> dict[str, Any]:
    """Components of the program's state that one of two trials changed, and that end differently."""
    found = {}
    for part in ("user", "memory"):
        a, b = getattr(first.outcome, part), getattr(second.outcome, part)
        touched = set(first.changes(part)) | set(second.changes(part))
        found |= {name: None for name in sorted(touched) if a[name] != b[name]}
    return found


def derive(isa: Isa, form: Form, trials: Sequence[Trial]) -> Verdict:
    """The verdict on a form."""
    evidence = Evidence(isa, form, trials)
    evidence.control()
    evidence.mode()
    evidence.location()
    evidence.permission()
    evidence.clock()
    users = [t for t in evidence.trials if t.mode == USER]
    kinds = tuple(kind for kind in KINDS if kind in evidence.components)
    if not any(t.completed for t in trials):
        verdict = TRAPS
    else:
        verdict = evidence.privileged() or (SENSITIVE if kinds else INNOCUOUS)
    numbers = dict.fromkeys(t.outcome.trap for t in trials if t.outcome.trap is not None)
    return Verdict(verdict, kinds, {kind: sorted(names) for kind, names in evidence.components.items()}, evidence.witnesses, len(trials),
                   sum(not t.completed for t in users), len(users), tuple(dict.fromkeys(trap_name(isa, n) for n in numbers)))


def trap_name(isa: Isa, number: int) -> str:
    """How a trap is called."""
    return isa.traps.get(number, {-1: "undefined instruction", -2: "no memory there", -3: "call"}.get(number, f"trap {number}"))


def pair(isa: Isa, form: Form, first: Trial, second: Trial | None, components: list[str],
         ticking: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Two states before and after, as columns: what was set, what the components became, next to the NOP when there is no second trial."""
    columns = [label(first), label(second) if second else "NOP from the same state"]
    pairs = [first.outcome, second.outcome if second else first.still]
    rows = [["before", "mode", first.mode, (second or first).mode], ["before", "variation", first.variation, (second or first).variation]]
    operands = isa.operands(form)
    for name, value in operands[first.operand].items():
        rows.append(["before", name, show(value), show(operands[(second or first).operand].get(name))])
    rows.append(["after", "trap", *[trap_name(isa, o.trap) if o.trap is not None else "none" for o in pairs]])
    shown = [c for c in components if c in first.outcome.private] or sorted(first.changes("private"))
    shown += [c for c in (*first.changes("user"), *first.changes("memory")) if c != "pc" or first.completed]
    if second is not None and second.completed:
        shown += [c for p in ("private", "user", "memory") for c in second.changes(p)]
    for name in dict.fromkeys(shown):
        values = [next((part[name] for part in (o.private, o.user, o.memory) if name in part), "") if o.trap is None else "" for o in pairs]
        start = [show(o.start[name]) if name in o.start else "" for o in pairs]
        if any(start):
            rows.insert(-1, ["before", name, *start])
        values = narrow(*values) if all(isinstance(v, (bytes, str)) for v in values) else [show(v) for v in values]
        if name == "pc":
            values = [f"next{o.user['pc']:+#x}" if o.trap is None else "" for o in pairs]
        if name in ticking or (ticking and name != "pc" and name in first.outcome.user):
            values = ["a time", "another time" if second and second.completed else ""]
        rows.append(["after", name, *values])
    return {"columns": columns, "rows": sorted(rows, key=lambda row: row[0] == "after")}


def label(trial: Trial) -> str:
    """What a trial is called."""
    return trial.mode + ("" if trial.variation == BASE else f", {trial.variation}")


def show(value: Any) -> str:
    """A value for people."""
    return "" if value is None else value.hex() if isinstance(value, bytes) else f"{value:#x}" if isinstance(value, int) else str(value)


def narrow(*values: Any) -> list[str]:
    """Contents of memory: only the bytes around those that differ, with their offset."""
    texts = [v.hex() if isinstance(v, bytes) else str(v) for v in values]
    if len(set(map(len, texts))) > 1 or texts[0] == texts[1] or len(texts[0]) <= 32:
        return [t if len(t) <= 40 else t[:36] + "..." for t in texts]
    different = [i for i in range(len(texts[0])) if texts[0][i] != texts[1][i]]
    low, high = different[0] // 8 * 8, min(different[-1] // 8 * 8 + 8, different[0] // 8 * 8 + 32)
    return [f"+{low // 2:#x}: {t[low:high]}" for t in texts]
