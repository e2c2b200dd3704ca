"""From a trace's records to stints and wake-ups: every vCPU's running state, followed.

A trace begins and ends in the middle of things, and so does a hole in it (records that Xen had to drop). A stint that is cut by such an
edge is called ``cut_start`` or ``cut_end``; a wake-up whose first stint is not seen to its end is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import pandas as pd

RUNS = ["start_ns", "end_ns", "cpu", "dom", "vcpu", "dur_ns", "end"]
WAKES = ["wake_ns", "run_ns", "cpu", "dom", "vcpu", "lat_ns", "boost_start", "boost_flag", "first_run_ns", "running_at_wake"]
Vcpu = tuple[int, int]                           # domain, number


def follow(events: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tables of stints and of wake-ups from the table of all records, in the order of time."""
    import pandas as pd

    follower = Follower()
    told = events.assign(before=events.groupby("cpu")["t_ns"].shift(fill_value=0))       # the pCPU's record before: a hole begins there
    told = told[told["event"].str.startswith(("RS_", "CONT", "C_BOOST", "LOST"))]
    for now, cpu, event, dom, vcpu, before in zip(*(told[c].tolist() for c in ("t_ns", "cpu", "event", "dom", "vcpu", "before"))):
        if event == "LOST_RECORDS":
            follower.hole(before, now, cpu)
        else:
            follower.see(now, cpu, event, (dom, vcpu))
    for who in list(follower.running):
        follower.end(int(events["t_ns"].iloc[-1]), who, "cut_end")
    runs = pd.DataFrame(follower.runs, columns=RUNS).sort_values(["start_ns", "cpu"], kind="stable", ignore_index=True)
    return runs, pd.DataFrame(follower.wakes, columns=WAKES).sort_values("run_ns", kind="stable", ignore_index=True)


class Stint(NamedTuple):
    """A vCPU on a pCPU."""

    start: int
    cpu: int
    cut: bool                                    # it began before the trace or within a hole


@dataclass
class Wakeup:
    """A vCPU from its wake-up to the end of its first stint."""

    at: int
    boosted: bool                                # in BOOST, as far as records tell
    holders: dict[int, int]                      # which domain held each pCPU
    boost_starts: bool = False
    run: int = -1


class Follower:
    """What is known at some instant of the trace."""

    def __init__(self) -> None:
        self.runs: list[tuple[int, int, int, int, int, int, str]] = []
        self.wakes: list[tuple[int, ...]] = []
        self.running: dict[Vcpu, Stint] = {}
        self.woken: dict[Vcpu, Wakeup] = {}
        self.boosted: set[Vcpu] = set()
        self.known_since: dict[int, int] = {}    # pCPU: end of its last hole

    def see(self, now: int, cpu: int, event: str, who: Vcpu) -> None:
        """Follow one record."""
        if event == "C_BOOST_START":
            self.boosted.add(who)
            if who in self.woken and self.woken[who].run < 0:
                self.woken[who].boost_starts = True
        elif event == "C_BOOST_END":
            self.boosted.discard(who)
        elif event == "CONT":                    # it goes on: had it begun within what we know, we would have seen it
            self.running.setdefault(who, Stint(self.known_since.get(cpu, 0), cpu, True))
        else:
            self.change(now, cpu, *event.removeprefix("RS_").split("_"), who)

    def change(self, now: int, cpu: int, old: str, new: str, who: Vcpu) -> None:
        """A vCPU's running state changes."""
        if old == "running":
            self.running.setdefault(who, Stint(self.known_since.get(cpu, 0), cpu, True))
            self.end(now, who, new)
        if new == "running":
            self.running[who] = Stint(now, cpu, False)
            if who in self.woken and self.woken[who].run < 0:
                self.woken[who].run = now
        elif (old, new) == ("blocked", "runnable"):
            holders = {stint.cpu: dom for (dom, _), stint in self.running.items()}
            self.woken[who] = Wakeup(now, who in self.boosted, holders)

    def end(self, now: int, who: Vcpu, why: str) -> None:
        """A stint ends, or is cut off; a wake-up's first stint completes its row."""
        start, cpu, cut = self.running.pop(who)
        self.runs.append((start, now, cpu, *who, now - start, "cut_start" if cut and why != "cut_end" else why))
        wake = self.woken.get(who)
        if wake is None or wake.run < 0:
            return
        del self.woken[who]
        if why != "cut_end":
            self.wakes.append((wake.at, wake.run, cpu, *who, wake.run - wake.at, int(wake.boost_starts),
                               int(wake.boosted or wake.boost_starts), now - start, wake.holders.get(cpu, -1)))

    def hole(self, before: int, now: int, cpu: int) -> None:
        """Records of a pCPU are missing between its record before and now: nothing is known of what went on."""
        for who in [who for who, stint in self.running.items() if stint.cpu == cpu]:
            self.end(before, who, "cut_end")
        self.woken.clear()                       # the missing records may hold dispatches and wake-ups of any vCPU
        self.known_since[cpu] = now
