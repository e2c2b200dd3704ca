"""The reads of a window with a block device: when each began and ended, and for whom it waited.

A guest writes down when a read was due, how late it began and how long it took, by its own clock; a trace knows who ran, by another.
`reads_of` lays one over the other. Then one read can be followed on the pCPU: the front end asks, the back end in dom0 answers, the front end
goes on; whoever else runs between its beginning and its end made it wait. The same is asked of a model run (`waits`, `tail`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import Problem, SpecError
from .opening import UNSCORED
from .window import Window

if TYPE_CHECKING:
    import pandas as pd

    from ..results import Run

FRONT, BACK = "d1", "d0"                 # who reads, and in whom the back end is
ON_TIME = 20_000                         # a wake-up within so long of its grid is on it [ns]
LIMITED = 1_060_000                      # what a ratelimit of 1 ms and the switches around it can cost [ns]
SWITCHES = 20_000                        # less than this is no stint of anybody else [ns]
MEMORY = 60_000_000                      # two accountings: a tick longer ago has no part in a priority [ns]


def early(window: Window) -> int:
    """Until when a window may be looked at to learn its grids [ns]: the first half, at most the unscored first 2.5 s."""
    return min(window.duration // 2, UNSCORED)


def reads_of(window: Window) -> pd.DataFrame:
    """The reads that lie within a trace: row of the guest's table, due, begun, done [ns of the trace], latency [ns].

    The clocks are laid over each other so that most reads begin and end while their domain runs, and dom0 is woken in between. Rows from before the
    trace began are left out: nobody recorded what went on then.

    Raises
    ------
    SpecError
        For a window without a guest's table, or whose table fits nowhere.
    """
    import pandas as pd

    if window.guest is None or period_of_reads(window) <= 0 or not len(read_wakes(window)):
        raise SpecError([Problem("window", window.name, "a window with guest_d1, whose d1 reads from a back end in d0",
                                 "choose a window of block reads", "")])
    guest = window.guest
    due = clock_offset(window) + since_first(window)
    begun = due + guest["late_ns"].to_numpy()
    found = pd.DataFrame({"row": np.arange(len(guest)), "due": due, "begun": begun, "done": begun + guest["dur_ns"].to_numpy(),
                          "latency": guest["dur_ns"].to_numpy()})
    return found[(found["due"] >= 0) & (found["done"] < window.duration)].reset_index(drop=True)


def since_first(window: Window) -> np.ndarray:
    """From the guest's first row to each, on the trace's clock [ns]."""
    due = window.guest["due_ns"].to_numpy()
    return np.round((due - due[0]) * clock_rate(window)).astype(np.int64)


def clock_rate(window: Window) -> float:
    """The trace's clock over the guest's: from the wake-ups for reads."""
    woken, period = read_wakes(window), period_of_reads(window)
    woken = woken[woken < early(window)]
    number = np.round((woken - woken[0]) / period)
    on_time = np.abs(woken - woken[0] - number * period) < ON_TIME
    return float(np.polyfit(number[on_time], woken[on_time], 1)[0]) / period


def period_of_reads(window: Window) -> int:
    """Of the guest's task [ns of its clock]; 0 if it is not periodic."""
    gaps = np.diff(window.guest["due_ns"])
    return int(np.median(gaps)) if len(gaps) else 0


def phase_of_reads(window: Window) -> int:
    """When the window's first read is due to wake its domain [ns]."""
    woken, period = read_wakes(window), period_of_reads(window) * clock_rate(window)
    woken = woken[woken < early(window)]
    around = woken[0] % period - period / 2
    return int(np.median((woken - around) % period) + around)


def read_wakes(window: Window) -> np.ndarray:
    """Wake-ups of the front end after which it woke the back end [ns]."""
    front, asked = stints(window, 1), woken(window, 0)
    asked = asked[inside(asked, front)]
    starts = front[0][np.searchsorted(front[0], asked, "right") - 1]
    ours = woken(window, 1)
    at = np.searchsorted(ours, starts) - 1
    return np.unique(ours[at[at >= 0]])


def woken(window: Window, domain: int) -> np.ndarray:
    """Wake-ups of a domain, in order [ns]."""
    return np.sort(window.wakes.loc[window.wakes["dom"] == domain, "wake_ns"].to_numpy())


def stints(window: Window, domain: int) -> tuple[np.ndarray, np.ndarray]:
    """Beginnings and ends of a domain's stints [ns]."""
    runs = window.runs[window.runs["dom"] == domain]
    return runs["start_ns"].to_numpy(), runs["end_ns"].to_numpy()


def inside(instants: np.ndarray, of: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Which instants lie within stints."""
    at = np.searchsorted(of[0], instants, "right") - 1
    return (at >= 0) & (instants < of[1][np.maximum(at, 0)])


def clock_offset(window: Window) -> int:
    """When the guest's first row was due, on the trace's clock [ns]: the multiple of a period with which most rows fit."""
    guest, due, front, asked = window.guest, since_first(window), stints(window, 1), woken(window, 0)
    begun, length = due + guest["late_ns"].to_numpy(), guest["dur_ns"].to_numpy()
    period, first = period_of_reads(window) * clock_rate(window), phase_of_reads(window) - window.costs.account_late
    best, most = 0, 0
    for number in range(1 - len(guest), len(guest)):
        offset = first + round(number * period)
        within = (offset + due >= 0) & (offset + begun + length < window.duration)
        starts, ends = offset + begun[within], (offset + begun + length)[within]
        fits = inside(starts, front) & inside(ends, front) & (np.searchsorted(asked, ends) > np.searchsorted(asked, starts))
        if (count := int(2 * fits.sum() - within.sum())) > most:
            best, most = offset, count
    if most == 0:
        raise SpecError([Problem("guest_d1", window.name, "reads that fit the trace", "check that both were recorded together", "")])
    return best


# ------------------------------------------------------------------ for whom a read waited


def waits(reads: pd.DataFrame, slices: pd.DataFrame) -> pd.DataFrame:
    """How long others than front end and dom0 ran [ns]: before a read began though it was due (`begins`), before the back end served it (`for_back`),
    and after (`for_front`); and who (`others`, the longest first).

    `slices` are a window's or a run's. Time before the beginning is no part of a read's latency.
    """
    import pandas as pd

    order = slices.sort_values("start")
    starts, ends, names = (order[column].to_numpy() for column in ("start", "end", "vm"))
    found = []
    for due, begun, done in zip(reads["due"], reads["begun"], reads["done"]):
        row, ran, stage = {"begins": 0, "for_back": 0, "for_front": 0}, dict[str, int](), "begins"
        for i in range(np.searchsorted(ends, due, "right"), np.searchsorted(starts, done)):
            if ends[i] > begun and stage != "for_front":
                stage = "for_front" if names[i] == BACK else "for_back"
            if names[i] not in (FRONT, BACK):
                length = int(min(ends[i], done) - max(starts[i], due))
                row[stage] += length
                ran[names[i]] = ran.get(names[i], 0) + length
        found.append(row | {"others": " ".join(sorted(ran, key=lambda name: -ran[name]))})
    return pd.DataFrame(found, index=reads.index)


def caught(source: Window | Run) -> dict[str, np.ndarray]:
    """When ticks found each VM running [ns]."""
    if isinstance(source, Window):
        ticks = source.events[source.events["event"].isin(["C_PICKED_CPU", "C_ACCT_START"])]
        return {f"d{d}": table["t_ns"].to_numpy() for d, table in ticks.groupby("dom")}
    ticks = source.events[source.events["event"] == "tick"]
    return {str(vm): table["time"].to_numpy() for vm, table in ticks.groupby("vm")}


def tail(reads: pd.DataFrame, source: Window | Run) -> pd.DataFrame:
    """The reads that took over a tenth longer than the median, or began more than a ratelimit late, each with its reason.

    Who is UNDER when it wakes is boosted, and preempts whoever has run for the ratelimit (2.6.1, 2.8). So who waits for longer was OVER. What put it
    there is in `ticks`: how often, in the 60 ms before, a tick found the one that waited, and it was charged for it.

    * ``d0 OVER``, ``d1 OVER``: the back end, or the front end once it has been answered, is not boosted and waits for hogs' slices;
    * ``d1 OVER, begins late``: the same before the read begins; its latency does not show it;
    * ``catches up``: it is due before the one before it is done;
    * ``ratelimit``: boosted, but who runs keeps the pCPU for its first millisecond;
    * ``others first``: a domain that woke just before, boosted too, runs first;
    * ``longer path``: nobody else ran; the domains themselves computed more.
    """
    import pandas as pd

    table = pd.concat([reads, waits(reads, source.slices)], axis=1)
    ticks, hogs = caught(source), never_blocking(source)
    before = table["done"].shift(fill_value=0)
    rows = []
    for row, previous in zip(table.itertuples(), before):
        reason, who = "longer path", ""
        rests, behind = (row.for_back, BACK) if row.for_back >= row.for_front else (row.for_front, FRONT)
        if rests > SWITCHES and not set(row.others.split()) & hogs:
            reason = "others first"
        elif rests > SWITCHES:
            reason, who = (f"{behind} OVER", behind) if rests > LIMITED else ("ratelimit", "")
        elif row.begins > LIMITED:
            reason, who = ("catches up", "") if previous > row.due else (f"{FRONT} OVER, begins late", FRONT)
        asked = row.due if "begins" in reason else row.begun
        found = ticks.get(who, np.zeros(0, np.int64))
        rows.append((reason, int(((found > asked - MEMORY) & (found <= asked + LIMITED)).sum())))
    table[["reason", "ticks"]] = pd.DataFrame(rows, index=table.index, columns=["reason", "ticks"])
    return table[(table["latency"] > 1.1 * table["latency"].median()) | (table["begins"] > LIMITED)]


def never_blocking(source: Window | Run) -> set[str]:
    """VMs that compute all the time."""
    if isinstance(source, Window):
        return {f"d{d}" for d in source.domains} - {f"d{d}" for d in source.runs.loc[source.runs["end"] == "blocked", "dom"].unique()}
    return {vm.name for vm in source.system.vms if any(task.is_hog for task in vm.tasks)}
